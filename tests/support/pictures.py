"""Pictures as Pillow writes them, and the shortest of videos."""

import io

from PIL import Image

from tests.support.endings import box


def drawn(kind: str) -> bytes:
    """A small picture of a `kind` that Pillow knows."""
    file = io.BytesIO()
    Image.new('RGB', (8, 8), 'teal').save(file, kind)
    return file.getvalue()


MOVIE = box(b'ftyp', b'mp42' + bytes(8)) + box(b'moov', bytes(40)) + box(b'mdat', bytes(400))
