"""What Civitai is, as values and pure functions: nothing here touches a file, a socket or a clock.

Stands on errors. From the top down:

captions    a prompt as a plain caption
inside      generation data out of the texts in a picture's file
infotext    generation data as the text that a WebUI reads, and back
versions    versions that pictures were made with, by their ids
foreign     what ComfyUI and the site's generator say, in a WebUI's fields
resources   the models that a picture was made with
comfy       ComfyUI's graphs, and what they say about a picture
prompts     the texts that a graph makes its prompts of
loaders     the files that the nodes of a graph load
nodes       the nodes of a graph, their links and values
editor      what ComfyUI's editor saves, as the graph that runs
subgraphs   the nodes of a workflow's subgraphs among its own
pairs       the line of settings in that text
samplers    samplers and noise schedules under the names of the WebUI
modellinks  what people paste to have a model file
modelfiles  the files of a version: which one is meant, why it cannot be had, where it is
found       models that a search found
models      models and their versions
words       words that people type to find models by
source      what people paste, and which gallery it means
asked       the parameters of a pasted address
basemodels  base models under their exact names
spelling    names as people spell them
pasted      the one link or id in a pasted text
gallery     pictures, pages, what to ask for, the way through the cursors
following   what an answer says of the one that follows it
belonging   whether the items of an answer are what was asked for
fields      what the fields of an answer say, whatever type they came as
meta        the generation data of a picture, as the API gives it
blurhash    the average colour of a picture
urls        addresses: what we ask, what may be fetched, who may see the key
keys        the API key, as people copy it
"""
