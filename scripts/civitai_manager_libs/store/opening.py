"""Whether a picture can be opened, down to its last pixel.

Pillow is loaded when that is asked: nobody else needs it.
"""

from __future__ import annotations

import warnings
from pathlib import Path


def opens(path: Path) -> bool:
    """Tell whether the picture at `path` can be decoded; True for kinds Pillow does not know."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # what is large is no less whole
            with Image.open(path) as picture:
                picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return True  # that is for those who look at the bytes to say
    except (OSError, SyntaxError, ValueError, EOFError):
        return False
    return True
