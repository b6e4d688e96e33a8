"""What runs in the browser itself, as text: handed to gradio, which has it run there.

gradio 3 hands such a function the inputs and then the outputs of its event, and takes what it
returns for the inputs. May stand on the texts and the settings. From the top down:

address    the address of the app's page, in the browser
turns      a listing that is asked for, and small things
models     orders about models, and their list
filters    the filters
foot       the bar below the grid
jobs       jobs
endless    a grid that grows
waits      a listing that takes long
focus      where the focus goes when what had it is gone
grid       the grid
keys       the keys
lightbox   the lightbox
beneath    what stands below a picture in it
zoom       how near a picture is looked at in it
pressed    a button that was pressed, until something comes of it
spoken     what a screen reader says of what happens
picture    the chosen picture
start      where one begins, and for links that open galleries here
language   the language of the page, told to the browser
"""

from . import (
    address,
    beneath,
    endless,
    filters,
    focus,
    foot,
    grid,
    jobs,
    keys,
    language,
    lightbox,
    models,
    picture,
    pressed,
    spoken,
    start,
    turns,
    waits,
    zoom,
)

__all__ = [
    'address',
    'beneath',
    'endless',
    'filters',
    'focus',
    'foot',
    'grid',
    'jobs',
    'keys',
    'language',
    'lightbox',
    'models',
    'picture',
    'pressed',
    'spoken',
    'start',
    'turns',
    'waits',
    'zoom',
]
