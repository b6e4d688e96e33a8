"""Bytes on this disk: what they are, what they are called, how they become files.

Stands on errors; knows no network. `media` and `names` are pure. From the top down:

files   files that are whole or not there at all
names   safe file and folder names out of text that strangers wrote
media   the type of a picture or video, told from its bytes
"""
