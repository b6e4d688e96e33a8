"""What there is on the stand-in: who made which models and pictures, and how. Stands on drawing.

catalog       the pictures, who posted them where, how they are liked
generation    how a picture was made
prompts       what the drawn pictures show, in words
models        the models and the people
modelfiles    small model files and their hashes
collections   the public collections
"""
