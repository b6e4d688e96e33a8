"""What Civitai is, as values and pure functions: nothing here touches a file, a socket or a clock.

Stands on errors.

urls        addresses: what people paste, what may be fetched, who may see the key
meta        the generation data of a picture, as the API gives it
gallery     pictures, pages, what to ask for, the way through the cursors
models      models and their versions
resources   the models that a picture was made with
infotext    generation data as the text that a WebUI reads, and back
"""
