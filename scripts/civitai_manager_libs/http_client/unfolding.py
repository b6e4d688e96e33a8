"""What JSON would unfold to, known before it does: two bytes of text can become hundreds. Pure."""

from __future__ import annotations

import re
from itertools import accumulate

# A page has up to 200 pictures with some 60 values each; a workflow among them has thousands. A
# million objects take some 200 MB.
MAX_VALUES = 2_000_000
MAX_DEPTH = 100

# One character beyond Latin makes a Python text two bytes wide, one beyond 16 bits four.
_WIDE = {
    4: re.compile(rb'[\xf0-\xff]|\\u[dD][89abAB]'),
    2: re.compile(rb'[\xc4-\xff]|\\u(?!00)[0-9a-fA-F]'),
}
_ESCAPE_BYTES = 4  # so many of one tell how wide it is

_STEPS = {ord('['): 1, ord('{'): 1, ord(']'): -1, ord('}'): -1}
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in _STEPS)


class Unfolding:
    """Counts `values` and the `depth` of JSON while its text comes; what stands in strings is none.

    `width` is how many bytes a character of it takes, 1, 2 or 4.
    Right for all that is JSON, and up to the place where a text stops to be it, in UTF-8.
    """

    def __init__(self) -> None:
        self.values = 0
        self.depth = 0
        self.width = 1
        self._last = b''
        self._open = 0
        self._is_in_string = False
        self._held = b''

    @property
    def is_too_much(self) -> bool:
        """Whether no honest answer is like that."""
        return self.values > MAX_VALUES or self.depth > MAX_DEPTH

    def add(self, text: bytes) -> None:
        """Count what `text`, the next piece, adds."""
        self._widen(self._last + text)
        self._last = text[-_ESCAPE_BYTES:]
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

    def _widen(self, text: bytes) -> None:
        for width, pattern in _WIDE.items():
            if width > self.width and pattern.search(text):
                self.width = width
