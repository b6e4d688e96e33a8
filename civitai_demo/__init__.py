"""A stand-in Civitai for demonstrations and tests: API, picture CDN and model files on loopback.

Everything it serves is made by this package from fixed seeds; nothing here talks to the internet.
"""
