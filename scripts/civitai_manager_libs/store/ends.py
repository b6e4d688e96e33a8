"""Whether a file is all there, as its first and last bytes tell. Pure: bytes come from a function.

Only what is looked at is read, so that this costs the same for a model of 10 GB and a picture.
`walks` looks closer, where nothing else tells.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Callable, Iterator

from . import media

# read(at, count) returns the bytes from `at` on, fewer at the end of the file.
Read = Callable[[int, int], bytes]

MAX_BOXES = 100_000
MAX_SEGMENTS = 10_000
MAX_WEIGHTS_HEADER = 100_000_000  # the limit of the format itself
# What is taken apart of such a header: a file of 50,000 tensors has less.
MAX_PARSED_HEADER, MAX_PARSED_OBJECTS = 8_000_000, 200_000

_PICTURES = (media.PNG, media.JPEG, media.GIF)
_ENDLESS = (media.MP3, media.OGG, media.FLAC)  # which go on as long as they go on
SEGMENT = b'\x18\x53\x80\x67'
_BOX_NAME = re.compile(rb'[A-Za-z0-9 \xa9]{4}')
_BOXES = frozenset(
    b'ftyp styp moov mdat moof mfra meta free skip wide uuid sidx ssix pdin prft emsg udta'.split()
)
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT = b'PK\5\6', 22, 65535
_ZIP64_END, _ZIP64_PLACE, _ZIP64_PLACE_BYTES = b'PK\6\6', b'PK\6\7', 20
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
    if kind in _ENDLESS:
        return End.UNKNOWN
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
    """The end of an MP4, MOV, AVIF or HEIC file: a row of boxes, each with its length.

    Between two boxes it may have been cut as well; then one of those it needs is missing.
    """
    at, last, seen = 0, b'', {}
    for name, begin, end in _boxes(read, 0, size):
        if end > size:
            return End.SHORT if name in _BOXES else End.UNKNOWN
        at, last, seen[name] = end, name, (begin, end)
    if size - at >= 8:  # what follows is no box
        return End.UNKNOWN
    if b'moof' in seen:
        is_open = last == b'moof' or size > at
        return End.WHOLE if b'mfra' in seen else End.SHORT if is_open else End.UNKNOWN
    if b'mdat' in seen:
        has_index = b'moov' in seen or b'meta' in seen
        return End.SHORT if not has_index else End.WHOLE if size == at else End.UNKNOWN
    # without content: fragments may follow, and a tiny picture stands in its index
    begin, end = seen.get(b'moov') or seen.get(b'meta') or (0, 0)
    inner = {name for name, *_ in _boxes(read, begin + (8 if b'moov' in seen else 12), end)}
    return End.UNKNOWN if inner & {b'mvex', b'idat'} else End.SHORT


def _boxes(read: Read, at: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, beginning and end of the boxes from `at` on, up to what is none.

    A length of 0 is 'to the end', wherever that is; any other that is too small is none.
    """
    for _ in range(MAX_BOXES):
        header = read(at, 16)
        length, name = _big(header[:4]), header[4:8]
        smallest = 16 if length == 1 else 8
        if length == 1:
            length = _big(header[8:16])
        if at >= size or length < smallest or not _BOX_NAME.fullmatch(name):
            return
        yield name, at, at + length
        at += length


def _of_matroska(read: Read, size: int) -> End:
    """The end of a WebM or MKV file: a header and one segment, which may tell its length."""
    told, width = vint(read(4, 8))
    at = 4 + width + told
    if not width or told < 0 or read(at, 4) != SEGMENT:
        return End.UNKNOWN
    told, width = vint(read(at + 4, 8))
    return _by_length(at + 4 + width, max(told, 0), size)


def vint(data: bytes) -> tuple[int, int]:
    """Return a length as EBML writes it and how many bytes that takes, 0 if it is none.

    The length is -1 if it says 'unknown'. The zeros at its beginning tell how many bytes follow.
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
        if _ends_zip(read, start + at, size):
            return End.WHOLE
        at = tail.rfind(_ZIP_END, 0, at)
    return End.SHORT


def _ends_zip(read: Read, at: int, size: int) -> bool:
    """Tell whether at `at` a ZIP ends that began with the file.

    One that is inside counts from another beginning.
    """
    last = read(at, _ZIP_END_BYTES)
    if len(last) < _ZIP_END_BYTES or at + _ZIP_END_BYTES + _little(last[20:22]) > size:
        return False
    length, offset = _little(last[12:16]), _little(last[16:20])
    if _LARGE not in (length, offset):
        return offset + length == at
    # the true numbers stand before it, and before them where they begin
    place_at = max(0, at - _ZIP64_PLACE_BYTES)
    place = read(place_at, _ZIP64_PLACE_BYTES)
    numbers_at = _little(place[8:16])
    numbers = read(numbers_at, 12)
    is_long = place[:4] == _ZIP64_PLACE and numbers[:4] == _ZIP64_END
    return is_long and numbers_at + 12 + _little(numbers[4:12]) == place_at


def _of_weights(read: Read, size: int) -> End:
    """The end of a safetensors file: the length of a header in JSON, which tells all offsets."""
    begin = 8
    end = begin + _little(read(0, begin))
    if size < end:
        return End.SHORT
    if end > MAX_PARSED_HEADER:
        return End.UNKNOWN
    text = read(begin, end - begin)
    if text.count(b'{') + text.count(b'[') > MAX_PARSED_OBJECTS:
        return End.UNKNOWN
    try:
        header = json.loads(text.decode())
        tensors = [header[name] for name in header if name != '__metadata__']
        last = max((tensor['data_offsets'][1] for tensor in tensors), default=0)
        return End.SHORT if size < end + last else End.WHOLE
    except (ValueError, TypeError, LookupError, RecursionError):
        return End.UNKNOWN


def _big(data: bytes) -> int:
    return int.from_bytes(data, 'big')


def _little(data: bytes) -> int:
    return int.from_bytes(data, 'little')
