"""A comment put into an Exif block, with everything else left where it is. Pure.

What is new stands behind what was there: no offset changes, not even those in maker notes, whose
rules only their makers know. CIPA DC-008 (Exif), TIFF 6.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PREFIX = b'Exif\0\0'
_USER_COMMENT, _EXIF_POINTER = 0x9286, 0x8769
_LONG, _IFD, _UNDEFINED = 4, 13, 7
_CODE_BYTES = 8
_ENTRY_BYTES, _MOST_ENTRIES = 12, 0xFFFF


def comment_of(text: str) -> bytes:
    """Return `text` as a user comment.

    Exif leaves the byte order open; WebUIs and other readers take the higher byte for the first,
    whatever the order of the block.
    """
    return b'UNICODE\0' + text.encode('utf-16-be')


def block_with(comment: bytes) -> bytes:
    """Return a new Exif block that has `comment` and nothing else."""
    empty = b'MM\0*' + struct.pack('>IHI', 8, 0, 0)
    block = with_comment(empty, comment)
    assert block is not None
    return block


def with_comment(block: bytes, comment: bytes) -> bytes | None:
    """Return the Exif `block`, which may have its prefix, with `comment` as its user comment.

    None if that cannot be done safely: the block is none or broken, or has another comment.
    """
    if block.startswith(PREFIX):
        grown = with_comment(block[len(PREFIX) :], comment)
        return None if grown is None else PREFIX + grown
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(block[:4])
    return _Growing(block, order).take(comment) if order and len(block) >= 8 else None


@dataclass(frozen=True)
class _Directory:
    """What stands in a directory: its place, its entries as they are, where the next one is."""

    at: int
    entries: tuple[bytes, ...]
    following: bytes


class _Growing:
    """An Exif block to which something is added."""

    def __init__(self, block: bytes, order: str) -> None:
        self._old = block
        self._order = order
        self._new = bytearray(block)

    def take(self, comment: bytes) -> bytes | None:
        """Add the comment; return the block, None if there is no safe way."""
        (place,) = struct.unpack_from(self._order + 'I', self._old, 4)
        first = self._directory(place)
        if first is None:
            return None
        pointers = self._places(first, _EXIF_POINTER)
        if not pointers:
            self._with_new_directories(first, comment)
            return bytes(self._new)
        kind, count, place = self._entry(pointers[0])
        second = self._directory(place)
        if len(pointers) > 1 or kind not in (_LONG, _IFD) or count != 1:
            return None
        if second is None or second.at == first.at:
            return None
        is_done = self._in_directory(second, pointers[0], comment)
        return bytes(self._new) if is_done else None

    def _with_new_directories(self, first: _Directory, comment: bytes) -> None:
        inner = self._add_directory(_Directory(0, (), bytes(4)), self._comment_entry(comment))
        pointer = struct.pack(self._order + 'HHII', _EXIF_POINTER, _LONG, 1, inner)
        struct.pack_into(self._order + 'I', self._new, 4, self._add_directory(first, pointer))

    def _in_directory(self, second: _Directory, pointer: int, comment: bytes) -> bool:
        """Add the comment to the directory that the entry at `pointer` leads to."""
        comments = self._places(second, _USER_COMMENT)
        if not all(self._is_blank(place) for place in comments) or len(comments) > 1:
            return False
        entry = self._comment_entry(comment)
        if comments:
            self._new[comments[0] : comments[0] + _ENTRY_BYTES] = entry
        elif len(second.entries) < _MOST_ENTRIES:
            place = self._add_directory(second, entry)
            struct.pack_into(self._order + 'I', self._new, pointer + 8, place)
        else:
            return False
        return True

    def _directory(self, at: int) -> _Directory | None:
        """The directory at `at`, None if it does not lie in the block."""
        begin = at + 2
        if at < 8 or begin > len(self._old):
            return None
        (count,) = struct.unpack_from(self._order + 'H', self._old, at)
        end = begin + count * _ENTRY_BYTES
        if end > len(self._old) or count >= _MOST_ENTRIES:
            return None
        entries = (self._old[place : place + _ENTRY_BYTES] for place in range(begin, end, 12))
        # some writers leave out the end of the last one
        return _Directory(at, tuple(entries), self._old[end : end + 4].ljust(4, b'\0'))

    def _places(self, directory: _Directory, tag: int) -> list[int]:
        """Where the entries of `tag` stand."""
        wanted = struct.pack(self._order + 'H', tag)
        return [
            directory.at + 2 + _ENTRY_BYTES * number
            for number, entry in enumerate(directory.entries)
            if entry[:2] == wanted
        ]

    def _entry(self, place: int) -> tuple[int, int, int]:
        """Type, count and value of an entry."""
        kind, count, value = struct.unpack_from(self._order + 'HII', self._old, place + 2)
        return kind, count, value

    def _is_blank(self, place: int) -> bool:
        """Whether the comment of the entry at `place` says nothing: cameras reserve room so."""
        kind, count, value = self._entry(place)
        begin = place + 8 if count <= 4 else value
        if kind != _UNDEFINED or begin + count > len(self._old):
            return False
        text = self._old[begin : begin + count]
        return not text[_CODE_BYTES:].strip(b'\0 ') and (
            text[:_CODE_BYTES] in (b'UNICODE\0', b'ASCII\0\0\0') or not text.strip(b'\0 ')
        )

    def _comment_entry(self, comment: bytes) -> bytes:
        kinds = (_USER_COMMENT, _UNDEFINED, len(comment))
        return struct.pack(self._order + 'HHII', *kinds, self._add(comment))

    def _add_directory(self, old: _Directory, entry: bytes) -> int:
        """Add a directory of the entries of `old` and `entry`, sorted as they were."""
        (tag,) = struct.unpack_from(self._order + 'H', entry)
        tags = [struct.unpack_from(self._order + 'H', one)[0] for one in old.entries]
        at = next((number for number, one in enumerate(tags) if one > tag), len(tags))
        entries = [*old.entries[:at], entry, *old.entries[at:]]
        count = struct.pack(self._order + 'H', len(entries))
        return self._add(count + b''.join(entries) + old.following)

    def _add(self, data: bytes) -> int:
        """Add `data`; return where it stands, which is an even place as TIFF wants it."""
        self._new += bytes(len(self._new) % 2)
        place = len(self._new)
        self._new += data
        return place
