"""Background work: where requests wait for a turn, those that a person waits for go first."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Iterator


class _Here(threading.local):
    is_background = False


_here = _Here()


@contextmanager
def work(is_background: bool = True) -> Iterator[None]:
    """What this thread asks for inside gets its turn when no person waits for one.

    A thread that is started inside is not meant: who starts it hands on what `is_here` tells.
    """
    before, _here.is_background = _here.is_background, is_background
    try:
        yield
    finally:
        _here.is_background = before


def is_here() -> bool:
    """Tell whether nobody waits for what this thread asks for."""
    return _here.is_background
