"""The pictures and the clip of the stand-in, drawn: the same each time, at any size.

pictures     a picture from its composition, palette and seed
abstracts    compositions without a subject
landscapes   compositions that look like places
canvas       a small drawing surface in relative coordinates
palettes     colours
clip         the one video
"""
