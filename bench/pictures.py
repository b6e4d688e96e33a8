"""The pictures that are downloaded: known by number, different from each other all the way."""

from __future__ import annotations

import random
from uuid import UUID

# A JPEG begins like this and ends like that; between them a scan without 0xFF, so nothing looks
# like a marker.
_HEAD = (
    b'\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00'
    b'\xff\xc0\x00\x0b\x08\x04\x00\x04\x00\x01\x01\x11\x00'
    b'\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00'
)
_END = b'\xff\xd9'
_BLOCK = random.Random(4).randbytes(262_139).replace(b'\xff', b'\xfe')
_TWICE = memoryview(_BLOCK + _BLOCK)
_STRIDE = 7919  # has no common divisor with the length of the block, so no two numbers start alike

MAX_BYTES = len(_BLOCK)
MODEL_ID = 1


def picture(number: int, size: int) -> bytes:
    """The bytes of picture `number`; `size` is from 128 to `MAX_BYTES`."""
    start = number * _STRIDE % len(_BLOCK)
    return b''.join((_HEAD, _TWICE[start : start + size - len(_HEAD) - len(_END)], _END))


def path(number: int) -> str:
    """The path of picture `number` on the server, in the form that Civitai's CDN uses."""
    return f'/bench/{UUID(int=number)}/original=true/{number}.jpeg'


def etag(number: int, size: int) -> str:
    """What the server calls these bytes."""
    return f'"{number}-{size}"'


def numbers(count: int) -> range:
    """The numbers of the first `count` pictures; 0 is no id of Civitai's."""
    return range(1, count + 1)
