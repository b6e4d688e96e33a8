"""Where a text goes in the files of each kind that carries one. Pure: bytes come from a function.

No pixel is touched: what is answered is what to put in, or why the file is better left alone.
"""

from __future__ import annotations

import struct
import zlib
from enum import Enum
from typing import Callable, Iterator, Mapping, NamedTuple, Optional

from . import embedded, exif, media
from .ends import Read

# libpng passes over a chunk of more than 8,000,000 bytes, `embedded` over what is above that in
# all; what else tells of the picture (a graph) is to have its share.
MOST_BYTES = embedded.MOST_BYTES // 2
MOST_SEGMENT_BYTES = 0xFFFF - 2
_MOST_STEPS = 100_000
_LONGEST_BLANK = 4096

# Names of signatures over the bytes of a file (C2PA), which would no longer hold.
_PNG_SIGNATURE, _WEBP_SIGNATURE = b'caBX', b'C2PA'
_PNG_HEAD, _PNG_BEGIN, _PNG_FRAME = b'\0\0\0\rIHDR', 8, 12
_EXIF_MARK, _JFIF_MARK, _SIGNATURE_MARK, _SCAN_MARK = 0xE1, 0xE0, 0xEB, 0xDA
# An index of more pictures tells how long this one is.
_INDEX = (0xE2, b'MPF\0')
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_HAS_EXIF, _HAS_ALPHA = 0x08, 0x10
_WEBP_PICTURES = (b'VP8 ', b'VP8L', b'ANMF')


class Embedded(Enum):
    """What became of a text that was to go into a file; the value is the key of a sentence."""

    WRITTEN = 'embed_written'
    ALREADY = 'embed_already'  # the file tells how it was made
    NOTHING = 'embed_nothing'  # there is no text
    NO_KIND = 'embed_no_kind'  # files of its kind carry none
    NO_ROOM = 'embed_no_room'  # the text is too long
    OCCUPIED = 'embed_occupied'  # another text stands where it would go
    UNSAFE = 'embed_unsafe'  # the file is damaged or odd

    @property
    def needs_sidecar(self) -> bool:
        """Whether there is a text that the file does not carry."""
        return self in (
            *(Embedded.NO_KIND, Embedded.NO_ROOM),
            *(Embedded.OCCUPIED, Embedded.UNSAFE),
        )


class Edit(NamedTuple):
    """At `at`, `gone` bytes go and `put` comes."""

    at: int
    gone: int
    put: bytes


class _Part(NamedTuple):
    """A chunk or segment: its name, where it begins, where its content is, where it ends."""

    name: bytes
    at: int
    begin: int
    length: int
    end: int


class _OddError(Exception):
    """The file is not as it should be."""


def edits(read: Read, size: int, text: str) -> tuple[Edit, ...] | Embedded:
    """Return how a whole file of `size` bytes gets `text`, in order; else why it does not.

    The file has no such text. `text` has nothing in it that no file can hold.
    """
    plan = _PLANS.get(media.sniff(read(0, media.HEAD_BYTES)))
    if plan is None:
        return Embedded.NO_KIND
    try:
        return plan(read, size, text)
    except (_OddError, struct.error):
        return Embedded.UNSAFE


# -- PNG: chunks of length, name, content and check sum --------------------------------------------


def _in_png(read: Read, size: int, text: str) -> tuple[Edit, ...] | Embedded:
    chunks = list(_png_chunks(read, size))
    names = {chunk.name for chunk in chunks}
    if read(_PNG_BEGIN, 8) != _PNG_HEAD or b'IDAT' not in names or _PNG_SIGNATURE in names:
        return Embedded.UNSAFE
    chunk = _png_chunk(text)
    if len(chunk) > MOST_BYTES:
        return Embedded.NO_ROOM
    # Behind the header every reader finds it; some read none that follow the picture. One of the
    # name is blank, or the file would have a text: of two, some readers take the last.
    same = [one for one in chunks if _is_text(one) and read(one.begin, 11) == b'parameters\0']
    if not all(_is_blank(read, one) for one in same):  # what nobody could read may be a text too
        return Embedded.UNSAFE
    gone = (Edit(one.at, one.end - one.at, b'') for one in same)
    return (Edit(chunks[0].end, 0, chunk), *gone)


def _is_text(chunk: _Part) -> bool:
    return chunk.name in (b'tEXt', b'zTXt', b'iTXt')


def _is_blank(read: Read, chunk: _Part) -> bool:
    """Tell whether a chunk of `parameters` certainly holds no text."""
    if chunk.name == b'zTXt' or chunk.length > _LONGEST_BLANK:
        return False
    body = read(chunk.begin, chunk.length)[len(b'parameters\0') :]
    if chunk.name == b'iTXt':
        is_packed, body = body[:1] != b'\0', body[2:].split(b'\0', 2)[-1]
        return not (is_packed or body.strip())
    return not body.strip()


def _png_chunks(read: Read, size: int) -> Iterator[_Part]:
    at = _PNG_BEGIN
    for _ in range(_MOST_STEPS):
        length, name = struct.unpack('>I4s', read(at, 8))
        end = at + _PNG_FRAME + length
        if end > size or not name.isalpha():
            raise _OddError
        yield _Part(name, at, at + 8, length, end)
        if name == b'IEND':
            return
        at = end
    raise _OddError


def _png_chunk(text: str) -> bytes:
    """The chunk of `parameters`: Latin-1 where that does, as for a WebUI, else UTF-8.

    Some readers, ours too, try UTF-8 first: what they would take for another text goes as UTF-8.
    """
    plain = text.encode('latin-1', 'replace')
    if text == plain.decode('latin-1') == embedded.decoded(plain):
        name, body = b'tEXt', b'parameters\0' + plain
    else:
        name, body = b'iTXt', b'parameters\0\0\0\0\0' + text.encode()
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


# -- JPEG: segments of a mark, a length and content, of at most 64 KB ------------------------------


def _in_jpeg(read: Read, size: int, text: str) -> tuple[Edit, ...] | Embedded:
    segments = list(_jpeg_segments(read, size))
    marks = [segment.name[0] for segment in segments]
    exifs = [
        one
        for one in segments
        if one.name[0] == _EXIF_MARK and read(one.begin, min(6, one.length)) == exif.PREFIX
    ]
    is_indexed = any(
        (one.name[0], read(one.begin, min(4, one.length))) == _INDEX for one in segments
    )
    is_fixed = is_indexed or _SIGNATURE_MARK in marks
    if len(exifs) > 1 or is_fixed or not _JPEG_FRAMES.intersection(marks):
        return Embedded.UNSAFE
    comment = exif.comment_of(text)
    if exifs:
        at, gone = exifs[0].at, exifs[0].end - exifs[0].at
        block = exif.with_comment(read(exifs[0].begin, exifs[0].length), comment)
    else:
        first = next(number for number, mark in enumerate(marks) if mark != _JFIF_MARK)
        at, gone = segments[first].at, 0
        block = exif.PREFIX + exif.block_with(comment)
    if block is None:
        return Embedded.UNSAFE
    if len(block) > MOST_SEGMENT_BYTES:
        return Embedded.NO_ROOM
    return (Edit(at, gone, b'\xff\xe1' + struct.pack('>H', len(block) + 2) + block),)


def _jpeg_segments(read: Read, size: int) -> Iterator[_Part]:
    """Those before the picture itself, and the one that begins it."""
    at = 2
    for _ in range(_MOST_STEPS):
        begin, mark, length = struct.unpack('>BBH', read(at, 4))
        if begin != 0xFF or mark in _JPEG_ALONE:
            raise _OddError
        if mark == 0xFF:  # padding
            at += 1
            continue
        end = at + 2 + length
        if length < 2 or end > size:
            raise _OddError
        yield _Part(bytes([mark]), at, at + 4, length - 2, end)
        if mark == _SCAN_MARK:
            return
        at = end
    raise _OddError


# -- WebP: chunks of name, length and content of an even length ------------------------------------


def _in_webp(read: Read, size: int, text: str) -> tuple[Edit, ...] | Embedded:
    (told,) = struct.unpack('<I', read(4, 4))
    end = 8 + told
    if end > size or end % 2:
        return Embedded.UNSAFE
    chunks = list(_webp_chunks(read, end))
    exifs = [chunk for chunk in chunks if chunk.name == b'EXIF']
    head = _webp_head(read, chunks)
    is_signed = any(chunk.name == _WEBP_SIGNATURE for chunk in chunks)
    if head is None or len(exifs) > 1 or is_signed:
        return Embedded.UNSAFE
    at, gone, block = end, 0, exif.block_with(exif.comment_of(text))
    if exifs:
        at, gone = exifs[0].at, exifs[0].end - exifs[0].at
        old = read(exifs[0].begin, min(exifs[0].length, embedded.MOST_BYTES))
        grown = exif.with_comment(old, exif.comment_of(text))
        if grown is None or len(old) < exifs[0].length:
            return Embedded.UNSAFE
        block = grown
    if len(block) > MOST_BYTES:
        return Embedded.NO_ROOM
    chunk = b'EXIF' + struct.pack('<I', len(block)) + block + bytes(len(block) % 2)
    told += len(chunk) - gone + len(head.put) - head.gone
    if told > 0xFFFFFFFE:
        return Embedded.NO_ROOM
    return (Edit(4, 4, struct.pack('<I', told)), head, Edit(at, gone, chunk))


def _webp_chunks(read: Read, size: int) -> Iterator[_Part]:
    at = 12
    for _ in range(_MOST_STEPS):
        if at == size:
            return
        name, length = struct.unpack('<4sI', read(at, 8))
        end = at + 8 + length + length % 2
        if end > size:
            raise _OddError
        yield _Part(name, at, at + 8, length, end)
        at = end
    raise _OddError


def _webp_head(read: Read, chunks: list[_Part]) -> Edit | None:
    """What makes the file one with metadata: its flag, or the head that a simple file lacks.

    None for what is neither such a file nor a simple one.
    """
    first = chunks[0] if chunks else _Part(b'', 0, 0, 0, 0)
    if first.name == b'VP8X' and first.length >= 10:
        if not any(chunk.name in _WEBP_PICTURES for chunk in chunks):
            return None
        return Edit(first.begin, 1, bytes([read(first.begin, 1)[0] | _HAS_EXIF]))
    if first.name not in (b'VP8 ', b'VP8L') or len(chunks) > 1 or first.length < 10:
        return None
    picture, flags = read(first.begin, 10), _HAS_EXIF
    if first.name == b'VP8L':
        if picture[0] != 0x2F:
            return None
        flags |= _HAS_ALPHA if picture[4] & 0x10 else 0
    elif picture[3:6] != b'\x9d\x01\x2a':
        return None
    width, height = media.dimensions(read(0, media.HEAD_BYTES)) or (0, 0)
    if not width or not height:
        return None
    canvas = (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little')
    return Edit(first.at, 0, b'VP8X' + struct.pack('<I4B', 10, flags, 0, 0, 0) + canvas)


_Plan = Callable[[Read, int, str], 'tuple[Edit, ...] | Embedded']
_PLANS: Mapping[Optional[media.MediaType], _Plan] = {
    media.PNG: _in_png,
    media.JPEG: _in_jpeg,
    media.WEBP: _in_webp,
}
KINDS = frozenset(_PLANS)
