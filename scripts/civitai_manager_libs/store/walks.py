"""Whether a file is all there, told by walking through it from its beginning. Pure.

For bodies of which nobody said where they end: what ends a file may also stand inside it, so that
it was cut behind a whole one (a thumbnail in its metadata, say). What is read is held in pieces.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Callable, Mapping, Optional

from . import media
from .ends import SEGMENT, End, Read, end_of, vint

PIECE_BYTES = 64 * 1024
# A GIF of 250 MB has so many; more would take seconds.
MAX_STEPS = 1_000_000

_JPEG_MARK = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # marks without a length
_MPF, _MPF_ENTRIES = b'MPF\0', 0xB002
_MAY_BE_OPEN = frozenset({SEGMENT, b'\x1f\x43\xb6\x75'})  # a cluster
_MAX_GGUF_NAME, _MAX_GGUF_DIMENSIONS = 65535, 8
_GGUF_UINT32, _GGUF_STRING, _GGUF_ARRAY = 4, 8, 9
# Bytes of a value by its type.
_GGUF_VALUES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
# Numbers and bytes of a block of a tensor by its type: GGML_QUANT_SIZES of gguf-py.
_GGUF_BLOCKS = {
    **{0: (1, 4), 1: (1, 2), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8)},
    **{30: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210)},
    **{15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18)},
    **{21: (256, 110), 22: (256, 82), 23: (256, 136), 29: (256, 56), 34: (256, 54), 35: (256, 66)},
    39: (32, 17),
}


class _CutError(Exception):
    """The file ends before what it says is there."""


class _OddError(Exception):
    """It does not say."""


def proved_end(read: Read, size: int) -> End:
    """Return what a file of `size` bytes, of which only they can tell, says about its end.

    UNKNOWN for what can be cut without a trace: plain bytes, pickles, text, films in fragments
    or clusters at the border between two.
    """
    head = read(0, media.HEAD_BYTES)
    walk = _through_gguf if head[:4] == b'GGUF' else _WALKS.get(media.sniff(head))
    if walk is None:
        return end_of(read, size)
    try:
        walk(_Steps(read, size))
    except _CutError:
        return End.SHORT
    except _OddError:
        return End.UNKNOWN
    return End.WHOLE


class _Steps:
    """Reads here and there from a file of `size` bytes; what is missing raises _CutError."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._steps = 0
        self._begin = 0
        self._piece = b''

    def take(self, at: int, count: int) -> bytes:
        """Return `count` bytes from `at` on."""
        begin = at - self._begin
        if not 0 <= begin <= len(self._piece) - count:
            self.reach(at + count)
            self._fill(at)
            begin = 0
        self._step()
        return self._piece[begin : begin + count]

    def number(self, at: int, count: int) -> int:
        """Return the number in `count` bytes from `at` on, the lowest first."""
        return int.from_bytes(self.take(at, count), 'little')

    def find(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Return where from `at` on `pattern`, of two bytes, is."""
        while True:
            self.reach(at + 2)
            self._fill(at)
            self._step()
            found = pattern.search(self._piece)
            if found:
                return at + found.start()
            at += len(self._piece) - 1

    def reach(self, at: int) -> None:
        """See that the file goes up to `at`."""
        if at > self.size:
            raise _CutError

    def _fill(self, at: int) -> None:
        self._begin, self._piece = at, self._read(at, PIECE_BYTES)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _OddError


def _through_png(file: _Steps) -> None:
    """Chunks, each with its length, its name and a check sum; the last is IEND."""
    at, name = 8, b''
    while name != b'IEND':
        header = file.take(at, 8)
        name = header[4:]
        if not name.isalpha():
            raise _OddError
        at += 12 + int.from_bytes(header[:4], 'big')
    file.reach(at)


def _through_jpeg(file: _Steps) -> None:
    """Segments, each with its mark and length; behind that of a scan its data, up to a mark.

    Behind its end may be more pictures, of which an index tells. Its numbers stay where programs
    drop the others, so that what is too short for them is no proof.
    """
    at = 2
    indexed = 0.0
    while True:
        begin, mark = file.take(at, 2)
        if begin != 0xFF:
            raise _OddError
        if mark == 0xD9:
            if indexed > file.size:
                raise _OddError
            return
        if mark == 0xFF:  # padding
            at += 1
        elif mark in _JPEG_ALONE:
            at += 2
        else:
            segment = at + 4
            at += 2 + int.from_bytes(file.take(at + 2, 2), 'big')
            if mark == 0xE2 and file.take(segment, min(4, at - segment)) == _MPF:
                indexed = max(indexed, _end_of_pictures(file.take(segment, at - segment), segment))
            if mark == 0xDA:
                at = file.find(_JPEG_MARK, at)


def _end_of_pictures(segment: bytes, at: int) -> float:
    """Where the last picture of the index in `segment`, which begins at `at`, ends.

    Infinity where it does not say. CIPA DC-007: entries of attributes, size and offset, counted
    from behind the name of the index; that of the first picture is 0.
    """
    data, end = segment[len(_MPF) :], 0
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(data[:4], '')
    try:
        (directory,) = struct.unpack_from(f'{order}I', data, 4)
        (count,) = struct.unpack_from(f'{order}H', data, directory)
        for number in range(count):
            tag, _, size, value = struct.unpack_from(
                f'{order}HHII', data, directory + 2 + 12 * number
            )
            if tag == _MPF_ENTRIES:
                for entry in range(value, value + size, 16):
                    _, length, offset, _ = struct.unpack_from(f'{order}4I', data, entry)
                    end = max(end, offset and at + len(_MPF) + offset + length)
                break
    except struct.error:
        return math.inf
    return end if order else math.inf


def _through_gif(file: _Steps) -> None:
    """Extensions and pictures, each a row of blocks that tell their length; the last is 0x3b."""
    at = 13 + _colours(file.take(10, 1)[0])
    while True:
        kind = file.take(at, 1)[0]
        if kind == 0x3B:
            return
        if kind == 0x21:
            at += 2
        elif kind == 0x2C:
            at += 11 + _colours(file.take(at + 9, 1)[0])
        elif kind:
            raise _OddError
        # some programs write more zeros, which are rows of none
        length = kind and 1
        while length:
            length = file.take(at, 1)[0]
            at += 1 + length
        at += not kind


def _colours(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _through_matroska(file: _Steps) -> None:
    """A header and a segment; if that has no length, its elements, and those of such clusters."""
    at = 0
    while at < file.size:
        name, at, length = _element(file, at)
        if length < 0 and name not in _MAY_BE_OPEN:
            raise _OddError
        at += max(length, 0)
        if name == SEGMENT and length > 0:
            file.reach(at)
            return
    file.reach(at)
    raise _OddError  # another one might have followed


def _element(file: _Steps, at: int) -> tuple[bytes, int, int]:
    """The name of an element, where its content begins, and its length, -1 if unknown."""
    width = 9 - file.take(at, 1)[0].bit_length()
    if width > 4:
        raise _OddError
    name, at = file.take(at, width), at + width
    width = 9 - file.take(at, 1)[0].bit_length()
    told, width = vint(file.take(at, width) if width < 9 else b'')
    if not width:
        raise _OddError
    return name, at + width, told


def _through_gguf(file: _Steps) -> None:
    """Values with names, then tensors, which tell where their data lie behind all this."""
    if file.number(4, 4) not in (2, 3):
        raise _OddError
    tensors, values, at = file.number(8, 8), file.number(16, 8), 24
    alignment, last, is_known = 32, 0, True
    for _ in range(values):
        name, at = _gguf_name(file, at)
        kind, at = file.number(at, 4), at + 4
        if name == b'general.alignment' and kind == _GGUF_UINT32:
            alignment = file.number(at, 4)
        at = _behind_gguf_value(file, at, kind)
    for _ in range(tensors):
        _, at = _gguf_name(file, at)
        count, at = file.number(at, 4), at + 4
        if count > _MAX_GGUF_DIMENSIONS:
            raise _OddError
        numbers = math.prod(file.number(at + 8 * i, 8) for i in range(count))
        at += 8 * count + 12
        many, size = _GGUF_BLOCKS.get(file.number(at - 12, 4), (0, 0))
        is_known &= many > 0
        last = max(last, file.number(at - 8, 8) + (numbers // many * size if many else 1))
    if not alignment:
        raise _OddError
    file.reach(-(-at // alignment) * alignment + last if last else at)
    if not is_known:
        raise _OddError


def _gguf_name(file: _Steps, at: int) -> tuple[bytes, int]:
    length = file.number(at, 8)
    if length > _MAX_GGUF_NAME:
        raise _OddError
    return file.take(at + 8, length), at + 8 + length


def _behind_gguf_value(file: _Steps, at: int, kind: int) -> int:
    """Where the value at `at` ends."""
    count = 1
    if kind == _GGUF_ARRAY:
        kind, count, at = file.number(at, 4), file.number(at + 4, 8), at + 12
    if kind in _GGUF_VALUES:
        return at + count * _GGUF_VALUES[kind]
    if kind != _GGUF_STRING:
        raise _OddError
    for _ in range(count):
        at += 8 + file.number(at, 8)
    return at


_WALKS: Mapping[Optional[media.MediaType], Callable[[_Steps], None]] = {
    media.PNG: _through_png,
    media.JPEG: _through_jpeg,
    media.GIF: _through_gif,
    media.WEBM: _through_matroska,
}
