"""What there is on the stand-in: who made which models and pictures, and how. Stands on drawing.

catalog       the pictures, who posted them where, how they are liked
generation    how a picture was made
prompts       what the drawn pictures show, in words
models        the models that have galleries, and all others
special       models with companions, in quantized form, in another order
restricted    models that not everybody may download
collections   the public collections
articles      what people wrote
entries       what a user, a model and a version are, and who there is
modelfiles    small model files and their hashes
blake3        one of these hashes, which Python does not have
"""
