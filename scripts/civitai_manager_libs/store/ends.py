"""Whether a file is all there, as far as its own bytes tell. Pure: bytes come from a function.

Only what is looked at is read, so that this costs the same for a model of 10 GB and a picture.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Callable

from . import media

# read(at, count) returns the bytes from `at` on, fewer at the end of the file.
Read = Callable[[int, int], bytes]

MAX_BOXES = 100_000
MAX_SEGMENTS = 10_000
MAX_WEIGHTS_HEADER = 100_000_000  # the limit of the format itself
PIECE_BYTES = 1024 * 1024

_PICTURES = (media.PNG, media.JPEG, media.GIF)
_SEGMENT = b'\x18\x53\x80\x67'
_BOX_NAME = re.compile(rb'[A-Za-z0-9 \xa9]{4}')
_BOXES = frozenset(
    b'ftyp styp moov mdat moof mfra meta free skip wide uuid sidx ssix pdin prft emsg udta'.split()
)
_OFFSETS = re.compile(rb'"data_offsets"\s{0,9}:\s{0,9}\[\s{0,9}\d{1,18}\s{0,9},\s{0,9}(\d{1,18})')
_OFFSETS_BYTES = 128  # the most that one of them takes
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT = b'PK\5\6', 22, 65535
_LARGE = 0xFFFFFFFF


class End(Enum):
    """What the bytes of a file say about its end."""

    WHOLE = 'it is there'
    SHORT = 'it is missing'
    UNKNOWN = 'they say nothing'


def end_of(read: Read, size: int) -> End:
    """Return what the bytes of a file of `size` bytes say about its end."""
    head = read(0, media.HEAD_BYTES)
    kind = media.sniff(head)
    if kind in _PICTURES:
        lacks = media.lacks_end(head, read(max(0, size - media.TAIL_BYTES), media.TAIL_BYTES), size)
        is_short = lacks or (kind is media.JPEG and _ends_before_its_scan(read, size))
        return End.SHORT if is_short else End.WHOLE
    if head[:4] == b'RIFF':
        return _by_length(8, _little(head[4:8]), size)
    if kind is media.BMP:
        return _by_length(0, _little(head[2:6]), size)
    if kind is media.WEBM:
        return _of_matroska(read, size)
    if kind or head[4:8] in _BOXES:
        return _of_boxes(read, size)
    if head[:4] in (b'PK\3\4', _ZIP_END):
        return _of_zip(read, size)
    if head[8:9] == b'{' and 1 < _little(head[:8]) <= MAX_WEIGHTS_HEADER:
        return _of_weights(read, size)
    return End.UNKNOWN


def _by_length(before: int, told: int, size: int) -> End:
    """The end of what says that `told` bytes follow `before` others; 0 is no number."""
    if told in (0, _LARGE):
        return End.UNKNOWN
    return End.SHORT if size < before + told else End.WHOLE


def _ends_before_its_scan(read: Read, size: int) -> bool:
    """Tell whether the last end mark of a JPEG is that of the small picture in its metadata."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        segment = read(at, 4)
        if len(segment) < 4:
            return True
        if segment[0] != 0xFF:
            break
        if segment[1] == 0xDA:
            start = max(at, size - media.TAIL_BYTES)
            return b'\xff\xd9' not in read(start, media.TAIL_BYTES)
        at += 1 if segment[1] == 0xFF else 2 + _big(segment[2:4])
    return False


def _of_boxes(read: Read, size: int) -> End:
    """The end of an MP4, MOV, AVIF or HEIC file: a row of boxes, each with its length."""
    at, names = 0, set()
    for _ in range(MAX_BOXES):
        if at >= size:
            break
        header = read(at, 16)
        length, name = _big(header[:4]), header[4:8]
        smallest = 16 if length == 1 else 8
        if length == 1:
            length = _big(header[8:16])
        # a length of 0 is 'to the end'; any other that is too small is none
        if length < smallest or not _BOX_NAME.fullmatch(name):
            return End.UNKNOWN
        if at + length > size:
            return End.SHORT if name in _BOXES else End.UNKNOWN
        at += length
        names.add(name)
    # at a border between boxes it may have been cut as well
    if b'moof' in names:
        return End.WHOLE if b'mfra' in names else End.UNKNOWN
    is_complete = b'mdat' in names and names & {b'moov', b'meta'}
    return End.WHOLE if at == size and is_complete else End.UNKNOWN


def _of_matroska(read: Read, size: int) -> End:
    """The end of a WebM or MKV file: a header and one segment, which may tell its length."""
    told, width = _vint(read(4, 8))
    at = 4 + width + told
    if not width or told < 0 or read(at, 4) != _SEGMENT:
        return End.UNKNOWN
    told, width = _vint(read(at + 4, 8))
    return _by_length(at + 4 + width, max(told, 0), size)


def _vint(data: bytes) -> tuple[int, int]:
    """A length as EBML writes it, -1 if it says 'unknown', and how many bytes it takes, 0 if none.

    The zeros at its beginning tell how many bytes follow.
    """
    width = 9 - data[0].bit_length() if data else 9
    if width > 8 or len(data) < width:
        return -1, 0
    most = (1 << 7 * width) - 1
    told = _big(data[:width]) & most
    return (-1 if told == most else told), width


def _of_zip(read: Read, size: int) -> End:
    """The end of a ZIP (.zip, and what PyTorch writes): a directory, then where that begins."""
    start = max(0, size - _ZIP_END_BYTES - _ZIP_COMMENT)
    tail = read(start, size - start)
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        if _ends_zip(tail, at, start):
            return End.WHOLE
        at = tail.rfind(_ZIP_END, 0, at)
    return End.UNKNOWN


def _ends_zip(tail: bytes, at: int, start: int) -> bool:
    """Tell whether at `at` in `tail`, which begins at `start`, a ZIP ends that began with the file.

    One that is inside counts from another beginning.
    """
    last = tail[at : at + _ZIP_END_BYTES]
    if len(last) < _ZIP_END_BYTES or at + _ZIP_END_BYTES + _little(last[20:22]) > len(tail):
        return False
    length, offset = _little(last[12:16]), _little(last[16:20])
    is_long = _LARGE in (length, offset) and tail[max(0, at - 20) :][:4] == b'PK\6\7'
    return is_long or offset + length == start + at


def _of_weights(read: Read, size: int) -> End:
    """The end of a safetensors file: the length of a header in JSON, which tells all offsets."""
    begin = 8
    end = begin + _little(read(0, begin))
    if size < end:
        return End.SHORT
    last = 0
    for at in range(begin, end, PIECE_BYTES):
        piece = read(at, min(PIECE_BYTES + _OFFSETS_BYTES, end - at))
        last = max([last, *(int(found[1]) for found in _OFFSETS.finditer(piece))])
    return End.SHORT if size < end + last else End.WHOLE


def _big(data: bytes) -> int:
    return int.from_bytes(data, 'big')


def _little(data: bytes) -> int:
    return int.from_bytes(data, 'little')
