"""Where a file is: its address, and the storage that this leads to for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ..errors import BadRequestError, ForbiddenError, KeyNeededError, NotFoundError
from .bodies import Body

# What a storage says of an address that is too old, or that it never made.
REFUSALS = (BadRequestError, KeyNeededError, ForbiddenError, NotFoundError)

Take = Callable[[Body], None]


@dataclass
class Source:
    """A file at `url`, and the `place` where that led to last, '' if nobody knows."""

    url: str
    place: str = ''
