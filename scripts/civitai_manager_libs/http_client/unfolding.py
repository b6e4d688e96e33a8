"""What JSON would unfold to, known before it does: two bytes of text can become hundreds. Pure."""

from __future__ import annotations

from itertools import accumulate

# A page has up to 200 pictures with some 60 values each; a workflow among them has thousands. A
# million objects take some 200 MB.
MAX_VALUES = 2_000_000
MAX_DEPTH = 100

_STEPS = {ord('['): 1, ord('{'): 1, ord(']'): -1, ord('}'): -1}
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in _STEPS)


class Unfolding:
    """Counts `values` and the `depth` of JSON while its text comes; what stands in strings is none.

    Right for all that is JSON, and up to the place where a text stops to be it, in UTF-8.
    """

    def __init__(self) -> None:
        self.values = 0
        self.depth = 0
        self._open = 0
        self._is_in_string = False
        self._held = b''

    @property
    def is_too_much(self) -> bool:
        """Whether no honest answer is like that."""
        return self.values > MAX_VALUES or self.depth > MAX_DEPTH

    def add(self, text: bytes) -> None:
        """Count what `text`, the next piece, adds."""
        text = self._held + text
        # what a backslash at the end stands before comes with the next piece
        is_cut = (len(text) - len(text.rstrip(b'\\'))) % 2
        self._held = text[len(text) - is_cut :]
        text = text[: len(text) - is_cut].replace(b'\\\\', b'').replace(b'\\"', b'')
        pieces = text.split(b'"')
        outside = b''.join(pieces[self._is_in_string :: 2])
        self._is_in_string ^= len(pieces) % 2 == 0
        brackets = outside.translate(None, _NO_BRACKETS)
        self.values += outside.count(b',') + sum(map(brackets.count, (b'[', b'{')))
        depths = list(accumulate((_STEPS[bracket] for bracket in brackets), initial=self._open))
        self.depth, self._open = max(self.depth, *depths), depths[-1]
