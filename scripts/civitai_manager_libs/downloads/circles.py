"""Whether a listing still tells anything new, in memory that does not grow with it. Pure."""

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
