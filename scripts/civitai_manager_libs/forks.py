"""A fork: the child has all that the parent remembers, but none of its threads.

So a lock that a thread of the parent held stays locked, what a thread was about to do is never
done, and a connection is one that two processes speak on. What has such things renews itself in
the child, where it stands: whoever holds a reference to it goes on with it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from queue import Empty, Full
from typing import Any, Protocol


class Renewable(Protocol):
    """Something that a child cannot take over as it is."""

    def renew(self) -> None:
        """Forget what belongs to the parent. No lock of it may be waited for."""


_alive: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """Have `thing` renewed in every child of a fork."""
    _alive.add(thing)


class Lock:
    """A lock, as a context, that no child finds locked by a thread of its parent.

    A thread that holds it may take it again: a garbage collection or the handler of a signal may
    come in between and want it. One that forks inside holds it in the child too.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        renew_in_children(self)

    def renew(self) -> None:
        """Be free, unless it is the thread that forked which holds it."""
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = threading.RLock()

    def __deepcopy__(self, memo: object) -> Lock:
        """A copy of what it guards is guarded by a lock of its own."""
        return Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *reason: object) -> None:
        self._lock.release()


class Event(threading.Event):
    """An event that no child finds locked inside."""

    def __init__(self) -> None:
        super().__init__()
        renew_in_children(self)

    def renew(self) -> None:
        """Be as it was, without anybody waiting."""
        was_set = threading.Event.is_set(self)
        threading.Event.__init__(self)
        if was_set:
            threading.Event.set(self)


class Stack:
    """What was put in last comes out first; in the place of queue.LifoQueue, without its lock."""

    def __init__(self, maxsize: int) -> None:
        self._items: deque[Any] = deque()
        self._most = maxsize

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add `item`. Raises queue.Full."""
        if len(self._items) >= self._most:
            raise Full
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the item that was added last. Raises queue.Empty."""
        try:
            return self._items.pop()
        except IndexError:
            raise Empty from None

    def qsize(self) -> int:
        """How many there are."""
        return len(self._items)


def _renew_all() -> None:
    for thing in list(_alive):
        thing.renew()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_renew_all)
