"""Which bytes of a file are there, and who fetches which of the rest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

# Below this nobody helps with a rest: what a connection brings in vain once its end comes nearer
# should be little beside it.
LEAST_HALVED = 16 * 1024 * 1024

Span = tuple[int, int]


@dataclass(eq=False)
class Piece:
    """Bytes from `at` up to and without `end`, which are missing; `is_taken`: being fetched."""

    at: int
    end: int
    is_taken: bool = False

    @property
    def left(self) -> int:
        """How many bytes are missing."""
        return self.end - self.at


class Pieces:
    """A file of `total` bytes, of which those in the spans of `done` are there.

    For one thread at a time.
    """

    def __init__(self, total: int, done: Iterable[Span] = ()) -> None:
        self.total = total
        self._missing = [Piece(*gap) for gap in _between(total, done)]

    def cut(self, count: int) -> None:
        """Have at least `count` pieces, as equal as may be, where there is enough for that."""
        if len(self._missing) == 1:
            (whole,) = self._missing
            bounds = [whole.at + whole.left * n // count for n in range(count + 1)]
            self._missing = [Piece(*pair) for pair in zip(bounds, bounds[1:]) if pair[0] < pair[1]]
            return
        while len(self._missing) < count and self._halved() is not None:
            pass

    def take_first(self) -> Piece | None:
        """Take the piece that lacks first in the file; None if nothing is missing."""
        piece = min(self._missing, key=lambda one: one.at, default=None)
        if piece is not None:
            piece.is_taken = True
        return piece

    def take(self, least: int = 0) -> Piece | None:
        """Take the largest piece that nobody fetches, else half of the largest rest; None: no more.

        The other half is left to who has it, so that its connection goes on. A rest of less than
        `least` bytes is not worth it.
        """
        free = [piece for piece in self._missing if not piece.is_taken]
        piece = max(free, key=lambda one: one.left, default=None) or self._halved(least)
        if piece is not None:
            piece.is_taken = True
        return piece

    def _halved(self, least: int = 0) -> Piece | None:
        largest = max(self._missing, key=lambda one: one.left, default=None)
        if largest is None or largest.left < max(LEAST_HALVED, least):
            return None
        middle = largest.at + largest.left // 2
        half = Piece(middle, largest.end)
        largest.end = middle
        self._missing.append(half)
        return half

    def came(self, piece: Piece, size: int) -> None:
        """Note that `size` bytes more of `piece` are there."""
        piece.at += size
        if piece.left <= 0:
            self._missing.remove(piece)

    def give_back(self, piece: Piece) -> None:
        """Leave what is missing of `piece` to somebody else."""
        piece.is_taken = False

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.total - sum(piece.left for piece in self._missing)

    @property
    def front(self) -> int:
        """Up to where all is there."""
        return min((piece.at for piece in self._missing), default=self.total)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not self._missing

    def done(self) -> list[Span]:
        """Return what is there, as spans in their order."""
        return list(_between(self.total, ((piece.at, piece.end) for piece in self._missing)))


def _between(total: int, spans: Iterable[Span]) -> Iterable[Span]:
    """The gaps that `spans` leave in `total` bytes."""
    at = 0
    for start, end in sorted(spans):
        if start > at:
            yield at, start
        at = max(at, end)
    if at < total:
        yield at, total


def readable_spans(noted: object, total: int) -> Sequence[Span] | None:
    """Return the spans in what a state file says, None if that makes no sense."""
    if not isinstance(noted, list):
        return None
    spans: list[Span] = []
    for one in noted:
        if not isinstance(one, list) or len(one) != 2 or not all(type(n) is int for n in one):
            return None
        start, end = one
        if not 0 <= start < end <= total:
            return None
        spans.append((start, end))
    return spans
