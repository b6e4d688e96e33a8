"""Bytes on this disk: what they are, what they are called, how they become files.

Stands on errors; knows no network. `media` and `names` are pure.

media   the type of a picture or video, told from its bytes
names   safe file and folder names out of text that strangers wrote
files   files that are whole or not there at all
"""
