"""Where the same file may be had elsewhere: one try is enough to go and ask there."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Iterator

from ..errors import CivitaiError


class _Here(threading.local):
    kinds: tuple[type[CivitaiError], ...] = ()


_here = _Here()


@contextmanager
def past(*kinds: type[CivitaiError]) -> Iterator[None]:
    """A file that this thread asks for inside is given up at the first error of these `kinds`."""
    before, _here.kinds = _here.kinds, kinds
    try:
        yield
    finally:
        _here.kinds = before


def gives_up(error: CivitaiError) -> bool:
    """Tell whether this thread does not try again after `error`."""
    return isinstance(error, _here.kinds)
