"""An eye on requests under way: what is stopped or comes too late is cut off, wherever it waits."""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import Callable, Iterator

from .. import forks
from ..errors import CancelledError, TimedOutError

TICK_SECONDS = 0.1
IDLE_TICKS = 20


class Guard:
    """What the eye knows of one request.

    `sock` is its connection, None before there is one. `stop` ends the request. `late` tells that
    it outlived the seconds it was allowed last, because a time-out of a socket starts again with
    every byte that comes. `end` is when all is over, in monotonic seconds. `on_stall` is told
    now and then for how long it has been waiting.
    """

    __slots__ = ('sock', 'stop', 'since', 'deadline', 'end', 'late', 'on_stall', '_lock')

    def __init__(self, stop: threading.Event) -> None:
        self.sock: socket.socket | None = None
        self.stop = stop
        self.since = 0.0
        self.deadline = 0.0
        self.end = math.inf
        self.on_stall: Callable[[float], None] | None = None
        self.late = False
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Be free for the thread that went on in a child."""
        self._lock = threading.Lock()

    def watch(self, sock: socket.socket, seconds: float | None) -> None:
        """Cut `sock` off if what is waited for takes longer than `seconds`."""
        with self._lock:  # who looks may be about to put off what was waited for before
            self.sock = getattr(sock, 'socket', sock)  # of TLS inside a proxy's TLS: the outer one
            self.since = time.monotonic()
            if seconds is not None:
                self.deadline = min(self.since + seconds, self.end)

    def within(self, seconds: float) -> Guard:
        """What happens inside, as a context, may take `seconds`."""
        with self._lock:
            self.since = time.monotonic()
            self.deadline = min(self.since + seconds, self.end)
        return self

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *reason: object) -> None:
        with self._lock:
            self.since = self.deadline = 0.0

    @property
    def is_cut_off(self) -> bool:
        """Whether it is stopped, or came too late."""
        return self.late or self.stop.is_set()

    def check(self, url: str, host: str) -> None:
        """Raise CancelledError or TimedOutError if it was cut off.

        To be asked also where all seemed well: an end that we made looks like one of the server's.
        """
        if self.stop.is_set():
            raise CancelledError(url=url)
        if self.late:
            raise TimedOutError(url=url, host=host)

    def look(self, now: float, asleep: float) -> None:
        """Cut the connection off if it is time to; `asleep`: seconds in which nobody could look."""
        with self._lock:
            if not self.since:
                return
            self.since += asleep
            self.deadline += asleep if self.deadline else 0.0
            self.end += asleep
            since, deadline = self.since, self.deadline
        if self.stop.is_set():
            self._cut()
            return
        if deadline and now > deadline:
            self.late = True
            self._cut()
        elif since and self.on_stall is not None:
            self.on_stall(now - since)

    def _cut(self) -> None:
        # only while it waits: afterwards the connection may be somebody else's
        with self._lock:
            if self.since and self.sock is not None:
                # Not that of SSLSocket, which would take the TLS away under a reader elsewhere.
                with suppress(OSError, TypeError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class Watch:
    """Looks after guards ten times a second, in a thread that lives while there are any."""

    def __init__(self) -> None:
        self._guards: set[Guard] = set()
        self._lock = forks.Lock()
        self._thread: threading.Thread | None = None
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the requests of the parent to its own eye."""
        for guard in self._guards:
            guard.renew()
        self._guards = set()
        self._thread = None

    @contextmanager
    def over(self, stop: threading.Event) -> Iterator[Guard]:
        """Give a guard that is looked after until the end."""
        guard = Guard(stop)
        with self._lock:
            self._guards.add(guard)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._look, name='civitai-watch', daemon=True
                )
                self._thread.start()
        try:
            yield guard
        finally:
            guard.sock = None
            with self._lock:
                self._guards.discard(guard)

    def _look(self) -> None:
        idle = 0
        while True:
            before = time.monotonic()
            time.sleep(TICK_SECONDS)
            with self._lock:
                guards = list(self._guards)
                idle = 0 if guards else idle + 1
                if idle > IDLE_TICKS:
                    self._thread = None
                    return
            now = time.monotonic()
            # where something held up the whole process, answers may lie there unread
            asleep = now - before - TICK_SECONDS
            for guard in guards:
                guard.look(now, asleep if asleep > TICK_SECONDS else 0.0)
