"""What some bytes are, told from the bytes themselves and never from their URL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# So many first bytes are enough to tell.
HEAD_BYTES = 512


@dataclass(frozen=True)
class MediaType:
    """kind is 'image' or 'video'; extension has its dot; mime is the usual content type."""

    kind: str
    extension: str
    mime: str


PNG = MediaType('image', '.png', 'image/png')
JPEG = MediaType('image', '.jpg', 'image/jpeg')
WEBP = MediaType('image', '.webp', 'image/webp')
GIF = MediaType('image', '.gif', 'image/gif')
BMP = MediaType('image', '.bmp', 'image/bmp')
AVIF = MediaType('image', '.avif', 'image/avif')
HEIC = MediaType('image', '.heic', 'image/heic')
MP4 = MediaType('video', '.mp4', 'video/mp4')
MOV = MediaType('video', '.mov', 'video/quicktime')
WEBM = MediaType('video', '.webm', 'video/webm')

IMAGE_SUFFIXES = frozenset(
    {'.png', '.jpg', '.jpeg', '.webp', '.gif', '.bmp', '.avif', '.heic', '.jfif'}
)
VIDEO_SUFFIXES = frozenset({'.mp4', '.m4v', '.mov', '.webm', '.mkv'})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES

_MAGIC = (
    (b'\x89PNG\r\n\x1a\n', PNG),
    (b'\xff\xd8\xff', JPEG),
    (b'GIF87a', GIF),
    (b'GIF89a', GIF),
    (b'\x1a\x45\xdf\xa3', WEBM),
)

# The beginnings by which browsers tell a page that is not declared as one.
_PAGE = re.compile(
    rb'\s*<(!--|(!doctype html|html|head|body|title|meta|script|style|h1|div|table|p|a|b|br)[\s>])',
    re.IGNORECASE,
)

_BRANDS = {
    b'avif': AVIF,
    b'avis': AVIF,
    b'heic': HEIC,
    b'heix': HEIC,
    b'mif1': HEIC,
    b'qt  ': MOV,
}


def sniff(head: bytes) -> MediaType | None:
    """Return the type of a picture or video from its first bytes, None if it is neither."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return WEBP
    if head[4:8] == b'ftyp':
        return _BRANDS.get(head[8:12], MP4)
    # 'BM' alone is two letters of any text; a bitmap has four zero bytes at 6
    if head[:2] == b'BM' and head[6:10] == b'\0\0\0\0':
        return BMP
    return None


def is_html(head: bytes) -> bool:
    """Tell whether these first bytes are those of a web page."""
    return bool(_PAGE.match(head.removeprefix(b'\xef\xbb\xbf')))


def is_error_json(body: bytes) -> bool:
    """Tell whether `body`, a whole small answer, is a JSON error message and not a file."""
    if not body.lstrip()[:1] == b'{':
        return False
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and bool({'error', 'message'} & data.keys())
