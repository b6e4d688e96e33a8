"""Whether a picture can be opened, down to its last pixel, and a small one of it.

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


def shrink(path: Path, target: Path, width: int) -> bool:
    """Write a JPEG of the picture at `path`, at most `width` pixels wide, to `target`.

    False if it is none that can be decoded, or so large that it would need much memory.
    Raises OSError if `target` cannot be written.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error', Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.draft('RGB', (width, width))  # of a JPEG only so much is decoded
                small = ImageOps.exif_transpose(picture).convert('RGB')
                small.thumbnail((width, small.height))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return False
    except (OSError, SyntaxError, ValueError, EOFError):
        return False
    small.save(target, 'JPEG', quality=88)
    return True
