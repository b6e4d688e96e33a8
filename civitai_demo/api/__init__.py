"""What the stand-in answers: API, picture CDN, model files, pages. Stands on world and drawing.

app                        the whole site as one ASGI application
pages                      web pages behind the links
images, models, versions, lists, visitors
                           the routes of the API
downloads, storage         the way to a model file, and the file
media, encoding            pictures as bytes
image_bodies, model_bodies what is in the answers
model_query                which models answer, in which order
files                      which file a version stands for
cursors                    where a page of pictures begins
query, complaints, words   parameters, read and complained about in Civitai's manner
replies                    answers in Civitai's manner
gate, scenarios, canned    requests recorded, delayed, and spoiled as a scenario says
accounts                   whose key a request carries
"""
