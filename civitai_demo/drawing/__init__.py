"""The pictures, the clip and the sounds of the stand-in: the same each time, pictures at any size.

pictures     a picture from its composition, palette and seed
abstracts    compositions without a subject
landscapes   compositions that look like places
canvas       a small drawing surface in relative coordinates
palettes     colours
clip         the one video
sound        a second of silence
"""
