"""Places for work that goes on at once; who can only wait lends theirs to somebody else."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import Callable, Iterator

from .. import forks

PIECE_SECONDS = 0.1


class Slots:
    """`count` places. `on_lent()` is called when somebody could take a place that was lent.

    `stop`, once set, stops the requests of who holds a place.
    """

    def __init__(
        self, count: int, on_lent: Callable[[], None], stop: threading.Event | None = None
    ) -> None:
        self.on_lent = on_lent
        self.stop = stop or forks.Event()
        self._count = count
        self.began = time.monotonic()
        self.renew()
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Have all places free: who held one in the parent is not here."""
        self.free = threading.Semaphore(self._count)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a place and hold it, as the slot of this thread, to the end."""
        self.free.acquire()
        slot = _here.slot = Slot(self)
        try:
            yield
        finally:
            _here.slot = None
            slot.give()


class Slot:
    """A place that is held, or lent."""

    def __init__(self, slots: Slots) -> None:
        self.stop, self.began = slots.stop, slots.began
        self._slots = slots
        self._is_held = True
        self.renew()

    def renew(self) -> None:
        """Be free for the thread that went on in a child."""
        self._lock = threading.Lock()

    def give(self) -> bool:
        """Give the place back, unless it is lent; tell whether that was to be done."""
        with self._lock:
            was_held, self._is_held = self._is_held, False
        if was_held:
            self._slots.free.release()
        return was_held

    def lend(self) -> None:
        """Let somebody else have the place for now; any thread may call this."""
        if self.give():
            self._slots.on_lent()

    def take_back(self, stop: threading.Event) -> None:
        """Wait until there is a place again, or `stop` is set."""
        while not self._is_held and not stop.is_set():
            if self._slots.free.acquire(timeout=PIECE_SECONDS):
                self._is_held = True


class _Here(threading.local):
    slot: Slot | None = None

    def renew(self) -> None:
        """Renew that of the thread that forked, the only one of a child."""
        if self.slot is not None:
            self.slot.renew()


_here = _Here()
forks.renew_in_children(_here)


@contextmanager
def lent(stop: threading.Event) -> Iterator[None]:
    """Lend the slot of this thread, if it has one, to others while it can only wait inside."""
    slot = current()
    if slot is not None:
        slot.lend()
    try:
        yield
    finally:
        if slot is not None:
            slot.take_back(stop)


def current() -> Slot | None:
    """Return the slot that this thread works in, None if it works in none."""
    return _here.slot


def stop_here(other: threading.Event) -> threading.Event:
    """Return what stops the requests of this thread: `other`, or that of the slot it works in."""
    slot = current()
    return _Either(other, slot.stop) if slot is not None else other


class _Either(threading.Event):
    """Set as soon as one of two is; to be looked at and waited for only."""

    def __init__(self, one: threading.Event, other: threading.Event) -> None:
        # one is made for each request; what an event of its own needs would cost more than it
        self._both = one, other

    def is_set(self) -> bool:
        one, other = self._both
        return one.is_set() or other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = PIECE_SECONDS if end is None else min(PIECE_SECONDS, end - time.monotonic())
            if left <= 0:
                return False
            self._both[0].wait(left)
        return True
