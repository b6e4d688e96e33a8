"""What some bytes are, told from the bytes themselves and never from their URL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

# So many first bytes are enough to tell the type, and so many last ones to find the end mark.
HEAD_BYTES = 512
TAIL_BYTES = 4096


@dataclass(frozen=True)
class MediaType:
    """kind is 'image', 'video' or 'audio'; extension has its dot; mime is the usual one."""

    kind: str
    extension: str
    mime: str

    def will_do(self, wanted: str) -> bool:
        """Tell whether it can be what Civitai calls `wanted`, which is '' where nobody said.

        A picture may well move, but a still is no video and no sound, and a sound no picture.
        """
        if wanted in ('video', 'audio'):
            return self.kind != 'image'
        return self.kind != 'audio' or wanted != 'image'


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
MP3 = MediaType('audio', '.mp3', 'audio/mpeg')
WAV = MediaType('audio', '.wav', 'audio/wav')
OGG = MediaType('audio', '.ogg', 'audio/ogg')
FLAC = MediaType('audio', '.flac', 'audio/flac')
M4A = MediaType('audio', '.m4a', 'audio/mp4')

IMAGE_SUFFIXES = frozenset(
    {'.png', '.jpg', '.jpeg', '.webp', '.gif', '.bmp', '.avif', '.heic', '.jfif'}
)
VIDEO_SUFFIXES = frozenset({'.mp4', '.m4v', '.mov', '.webm', '.mkv'})
AUDIO_SUFFIXES = frozenset({'.mp3', '.wav', '.ogg', '.flac', '.m4a'})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES | AUDIO_SUFFIXES

_MAGIC = (
    (b'\x89PNG\r\n\x1a\n', PNG),
    (b'\xff\xd8\xff', JPEG),
    (b'GIF87a', GIF),
    (b'GIF89a', GIF),
    (b'\x1a\x45\xdf\xa3', WEBM),
    (b'ID3', MP3),
    (b'OggS', OGG),
    (b'fLaC', FLAC),
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
    b'M4A ': M4A,
}


def sniff(head: bytes) -> MediaType | None:
    """Return the type of a picture, video or sound from its first bytes, None if it is none."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return WEBP
    if head[:4] == b'RIFF' and head[8:12] == b'WAVE' and len(head) > 12:
        return WAV
    if _is_mp3_frame(head):
        return MP3
    if head[4:8] == b'ftyp':
        return _BRANDS.get(head[8:12], MP4)
    # 'BM' alone is two letters of any text; a bitmap has four zero bytes at 6
    if head[:2] == b'BM' and head[6:10] == b'\0\0\0\0':
        return BMP
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """Tell whether MPEG audio of layer III begins here, without a tag before it.

    Eleven ones, the version, the layer; then a bit rate and a sampling rate that are none.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels from the beginning of a picture, None if it does not say.

    Read from PNG, GIF, WebP and JPEG headers; a JPEG says it behind its metadata.
    """
    kind = sniff(head)
    if kind is PNG:
        return _number(head[16:20]), _number(head[20:24])
    if kind is GIF:
        return _number(head[6:8], 'little'), _number(head[8:10], 'little')
    if kind is WEBP:
        return _webp_dimensions(head)
    return _jpeg_dimensions(head) if kind is JPEG else None


def _number(data: bytes, order: Literal['big', 'little'] = 'big') -> int:
    return int.from_bytes(data, order)


def _webp_dimensions(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b'VP8X':
        return _number(head[24:27], 'little') + 1, _number(head[27:30], 'little') + 1
    if form == b'VP8L':
        bits = _number(head[21:25], 'little')
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b'VP8 ':
        return _number(head[26:28], 'little') & 0x3FFF, _number(head[28:30], 'little') & 0x3FFF
    return None


def _jpeg_dimensions(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(head[at + 7 : at + 9]), _number(head[at + 5 : at + 7])
        else:
            at += 2 + _number(head[at + 2 : at + 4])
    return None


def lacks_end(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a picture of `size` bytes is without the mark that ends its kind.

    `head` and `tail` are its first and last bytes. Some programs write more behind the mark, so
    the last `TAIL_BYTES` should be given. False for kinds that have no such mark.
    """
    kind = sniff(head)
    if kind is PNG:
        return tail.rfind(b'IEND\xaeB`\x82') < 0
    if kind is JPEG:
        return tail.rfind(b'\xff\xd9') < 0
    if kind is GIF:
        return not tail.rstrip(b'\0').endswith(b';')
    if kind is WEBP:
        return size < _number(head[4:8], 'little') + 8
    return False


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
