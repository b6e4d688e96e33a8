"""The model files a person has: where they go, what lies beside them, which ones they are.

Stands on api, http_client, archive, setting, store, civitai, host, forks, errors and texts. `kinds`
is pure. From the top down:

inventory   the whole scan, also in the background
arrival     a model file that has come
named       which model a file is of that the lists of a WebUI show
have        what of a picture's models is here, and where local files belong
updates     which of the models that a person has went on
verifying   whether model files are what they were
lookup      which versions files are of, asked by their hashes
told        what Civitai said of models and versions
scan        which model files there are, noted
digests     the hashes of a model file
companions  what lies beside a model file, as other tools read it
previews    a still beside a model file
cards       what the cards of AUTOMATIC1111 and Forge show of a model
namesakes   model files that prompts call by one name
places      where a new model file goes, and where models are read from
walking     the model files in folders
naming      what a new model file is called
neighbours  what other tools wrote beside a model file
kinds       which kind of model a file is
"""
