"""Lines for a person to read, on a terminal that they cannot steer.

Names of models, files and resources were written by strangers: what a terminal obeys (escapes, the
order of letters) stands as ? in whatever is said of them.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from typing import Any, BinaryIO

# Control characters except the end of a line and a tab, and what turns the direction of writing.
_STEERING = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]')


def harmless(text: str) -> str:
    """Return `text` with ? for each character that steers a terminal."""
    return _STEERING.sub('?', text)


def say(line: object, *, to_stderr: bool = False) -> None:
    """Print a line to stdout, or to stderr, at once."""
    print(harmless(str(line)), file=sys.stderr if to_stderr else sys.stdout, flush=True)


class Screen(io.RawIOBase):
    """Takes whole lines as bytes, for a terminal that `to` leads to."""

    def __init__(self, to: BinaryIO) -> None:
        self._to = to

    def write(self, content: Any) -> int:
        """Write what does not steer the terminal."""
        return self._to.write(harmless(bytes(content).decode()).encode())


class Records(logging.Formatter):
    """Makes harmless lines of what is logged."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the lines, of `record`."""
        return harmless(super().format(record))
