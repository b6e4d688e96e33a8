"""Whether a listing still tells anything new, in memory that hardly grows with it. Pure."""

from __future__ import annotations

from typing import Iterable

_BITS = 1 << 23  # 1 MiB; two of a million pictures seldom share one, all of a page never


class Seen:
    """What a listing has told, whatever became of it."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, ids: Iterable[int]) -> bool:
        """Note pictures by id; tell whether one of them at least is new."""
        is_new = False
        for number in ids:
            place, bit = divmod(number % _BITS, 8)
            is_new = is_new or not self._bits[place] >> bit & 1
            self._bits[place] |= 1 << bit
        return is_new


class Trail:
    """The cursors that a listing went along, from `first`; of each its hash, not its text."""

    def __init__(self, first: str) -> None:
        self._hashes = {hash(first)}

    def leads_back(self, cursor: str) -> bool:
        """Note what follows; tell whether it was there before. The end, '', never was."""
        is_known = bool(cursor) and hash(cursor) in self._hashes
        self._hashes.add(hash(cursor))
        return is_known
