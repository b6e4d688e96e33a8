"""A listing that takes long: what it waits for, and how it is given up."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping

from .. import forks, notices
from ..downloads.running import WAITS, Waiting


@dataclass
class WaitView:
    """The listing that one browser tab asked for last.

    stop, once set, ends it; it is None before the first one. told has what it waits for,
    is_over that it is not waited for any more.
    """

    stop: threading.Event | None = None
    told: Waiting = field(default_factory=Waiting)
    is_over: bool = True

    def follow(self) -> WaitView:
        """End this listing, as another one is wanted, and return that."""
        self.give_up()
        return WaitView(forks.Event(), is_over=False)

    def give_up(self) -> None:
        """End this listing, if there is one."""
        if self.stop is not None:
            self.stop.set()


@contextmanager
def heard_by(find: Callable[[], Waiting | None]) -> Iterator[None]:
    """What the site has this thread wait for inside goes to what `find` gives at that time.

    All else goes where it went.
    """
    before = notices.here()

    def hear(key: str, values: Mapping[str, Any]) -> None:
        told = find() if key in WAITS else None
        if told is not None:
            told.noticed(key, values)
        elif key not in WAITS:
            before(key, values)

    with notices.going_to(hear):
        yield
