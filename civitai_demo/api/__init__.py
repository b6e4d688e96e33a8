"""What the stand-in answers: API, picture CDN, model files, pages. Stands on world and drawing.

app                        the whole site as one ASGI application
gate, scenarios, canned    requests recorded, delayed, and spoiled as a scenario says
images, models, lists      the routes of the API
cursors                    where a page of pictures begins
query, replies             parameters and answers in Civitai's manner
image_bodies, model_bodies what is in the answers
media, encoding            pictures and model files as bytes
pages                      web pages behind the links
"""
