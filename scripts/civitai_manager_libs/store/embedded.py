"""The texts that programs write into a picture: PNG texts, and Exif in PNG, JPEG and WebP.

Little is read and nothing decoded but these texts: a file that promises more than `MOST_BYTES`
of them, packed or not, is believed only so far.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Callable, Iterator

from . import media

MOST_BYTES = 8_000_000
_MOST_PARTS = 4096

# Exif: where cameras have their names, ComfyUI has its graphs; the comment has A1111's text.
_EXIF_NAMES = {0x010E: 'ImageDescription', 0x010F: 'Make', 0x0110: 'Model', 0x9286: 'UserComment'}
_EXIF_POINTER = 0x8769


def texts(path: Path) -> dict[str, str]:
    """Return the texts in a picture by their names, such as 'parameters', 'prompt', 'workflow'.

    From Exif they are 'UserComment', 'Make' and so on, 'Comment' is a JPEG's own. {} if there is
    none, or no such file.
    """
    try:
        with path.open('rb') as file:
            return texts_in(file)
    except OSError:
        return {}


def texts_in(file: BinaryIO) -> dict[str, str]:
    """The same of an open file, which stands at its beginning. What cannot be read is not there."""
    found: dict[str, str] = {}
    with suppress(OSError):
        reader = _reader(file)
        file.seek(0)
        for name, value in reader(file) if reader else ():
            found.setdefault(name, value)
    return found


def can_have_texts(path: Path) -> bool:
    """Tell whether the file is of a kind in which `texts` finds what there is."""
    try:
        with path.open('rb') as file:
            return _reader(file) is not None
    except OSError:
        return False


def _reader(file: BinaryIO) -> Callable[[BinaryIO], Iterator[tuple[str, str]]] | None:
    readers = {media.PNG: _png, media.JPEG: _jpeg, media.WEBP: _webp}
    return readers.get(media.sniff(file.read(media.HEAD_BYTES)) or media.GIF)


def _png(file: BinaryIO) -> Iterator[tuple[str, str]]:
    file.seek(8)
    left = MOST_BYTES
    for _ in range(_MOST_PARTS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b'IEND':
            return
        length, kind = int.from_bytes(head[:4], 'big'), head[4:]
        if kind not in (b'tEXt', b'zTXt', b'iTXt', b'eXIf') or length > left:
            file.seek(length + 4, 1)
            continue
        body = file.read(length)
        file.seek(4, 1)
        if kind == b'eXIf':
            yield from _exif(body)
        else:
            name, text = _png_text(kind, body, left)
            left -= max(len(text), length)
            yield name, decoded(text)


def _png_text(kind: bytes, body: bytes, most: int) -> tuple[str, bytes]:
    """Name and text of a chunk, unpacked but no longer than `most`."""
    name, _, rest = body.partition(b'\0')
    packed = kind == b'zTXt'
    if packed:
        rest = rest[1:]
    elif kind == b'iTXt':
        packed = rest[:1] == b'\1'
        rest = rest[2:].split(b'\0', 2)[-1]
    if packed:
        try:
            rest = zlib.decompressobj().decompress(rest, most)
        except zlib.error:
            rest = b''
    return name.decode('latin-1'), rest


def _jpeg(file: BinaryIO) -> Iterator[tuple[str, str]]:
    file.seek(2)
    for _ in range(_MOST_PARTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            return
        if head[1] == 0xFF:  # padding
            file.seek(-3, 1)
            continue
        length = max(0, int.from_bytes(head[2:], 'big') - 2)
        if head[1] == 0xE1:
            yield from _exif(file.read(length))
        elif head[1] == 0xFE:
            yield 'Comment', decoded(file.read(length).rstrip(b'\0'))
        else:
            file.seek(length, 1)


def _webp(file: BinaryIO) -> Iterator[tuple[str, str]]:
    file.seek(12)
    for _ in range(_MOST_PARTS):
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], 'little')
        if head[:4] == b'EXIF' and length <= MOST_BYTES:
            yield from _exif(file.read(length))
            return
        file.seek(length + length % 2, 1)


def _exif(data: bytes) -> Iterator[tuple[str, str]]:
    """The texts in an Exif block."""
    data = data.removeprefix(b'Exif\0\0')
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(data[:4])
    if order is None or len(data) < 8:
        return
    starts = [struct.unpack_from(order + 'I', data, 4)[0]]
    for start in starts:
        for tag, value in _entries(data, start, order):
            if tag == _EXIF_POINTER and len(starts) < 2:
                starts.append(int.from_bytes(value[:4], 'little' if order == '<' else 'big'))
            elif tag == 0x9286:
                yield _EXIF_NAMES[tag], _comment(value)
            elif tag in _EXIF_NAMES:
                yield _EXIF_NAMES[tag], decoded(value.rstrip(b'\0'))


def _entries(data: bytes, start: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of what a directory of an Exif block has of texts and pointers."""
    if start + 2 > len(data):
        return
    (count,) = struct.unpack_from(order + 'H', data, start)
    for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(order + 'HHI', data, at)
        if tag != _EXIF_POINTER and (tag not in _EXIF_NAMES or kind not in (1, 2, 7)):
            continue
        place = at + 8
        if tag != _EXIF_POINTER and length > 4:
            (place,) = struct.unpack_from(order + 'I', data, at + 8)
        yield tag, data[place : place + (4 if tag == _EXIF_POINTER else length)]


def _comment(value: bytes) -> str:
    """A user comment, whose first eight bytes tell its encoding."""
    code, text = value[:8], value[8:]
    if code == b'UNICODE\0':
        return _utf16(text)
    if code in (b'ASCII\0\0\0', b'\0' * 8):
        return decoded(text.rstrip(b'\0'))
    return decoded(value.rstrip(b'\0'))


def _utf16(text: bytes) -> str:
    """UTF-16 in the byte order that gives more plain letters: what writers use does not follow
    from the order of the block."""
    if text[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return text.decode('utf-16', 'replace').rstrip('\0')
    both = [text.decode(name, 'replace').rstrip('\0') for name in ('utf-16-be', 'utf-16-le')]
    return max(both, key=lambda one: sum(letter < '\x80' for letter in one))


def decoded(text: bytes) -> str:
    """Return a text that is UTF-8, or Latin-1 as PNG has it."""
    try:
        return text.decode('utf-8')
    except UnicodeDecodeError:
        return text.decode('latin-1')
