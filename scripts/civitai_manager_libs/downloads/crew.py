"""Threads that work on jobs: a bounded pool, one failure never stops the rest."""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import closing, suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Callable, Generator, Generic, Iterable, Iterator, Mapping, TypeVar

from .. import forks, notices
from ..errors import CancelledError
from ..http_client import background
from ..http_client.slots import Slots

log = logging.getLogger(__name__)

T = TypeVar('T')

# Results are taken some together: waking up for each of hundreds a second costs time of its own.
GATHER_SECONDS = 0.005
# A wait without end would not hear Ctrl-C on Windows, nor the end of the program.
HEARTBEAT_SECONDS = 1.0
TOLD_AGAIN_SECONDS = 30.0
# How often it is looked whether the program is over.
LOOK_SECONDS = 0.05
# How long Ctrl-C waits for part files to be cleared away; what stops at all has stopped by then.
GRACE_SECONDS = 2.0


def run(
    work: Callable[[T], bool],
    jobs: Iterable[T],
    concurrency: int,
    stop: threading.Event | None = None,
) -> Iterator[tuple[T, bool]]:
    """Yield (job, its outcome) as they finish, `concurrency` at once, pulling jobs as needed.

    `work` runs in threads, in the background where this does; what it raises is logged and counts
    as False. Closing the iterator drops what has not begun, stops the requests of what has and
    waits for it. So does Ctrl-C, which waits for what does not stop for `GRACE_SECONDS` only, and
    so does any thread that sets `stop`: then CancelledError is raised here.
    """
    with closing(run_in_groups(work, jobs, concurrency, stop)) as groups:
        for group in groups:
            yield from group


def run_in_groups(
    work: Callable[[T], bool],
    jobs: Iterable[T],
    concurrency: int,
    stop: threading.Event | None = None,
) -> Generator[list[tuple[T, bool]], None, None]:
    """The same, yielding together what has finished by now, one at least."""
    source, outstanding = iter(jobs), 0
    crew: _Crew[T] = _Crew(work, concurrency, stop)
    patience = None
    try:
        while True:
            for job in islice(source, 2 * concurrency - outstanding):
                crew.give(job)
                outstanding += 1
            if not outstanding:
                return
            group = list(crew.finished(outstanding > concurrency))
            outstanding -= len(group)
            yield group
    except GeneratorExit:
        crew.unwanted.set()
        raise
    except KeyboardInterrupt:
        crew.unwanted.set()
        patience = GRACE_SECONDS
        raise
    finally:
        crew.end(patience)


class _Unwanted(forks.Event):
    """Set once nobody waits for results any more: by `set`, by `stop`, or as the program is over.

    The interpreter waits for our threads, so that no file is left half-written; when who called
    is the main thread, or one that nobody waits for, they must not go on for long then.
    """

    def __init__(self, stop: threading.Event | None) -> None:
        super().__init__()
        self._stop = stop
        caller, self._main = threading.current_thread(), threading.main_thread()
        self._ends_with_program = caller is self._main or caller.daemon
        self._look_at = -math.inf

    def is_set(self) -> bool:
        if self._stop is not None and self._stop.is_set():
            self.set()
        if self._ends_with_program and not super().is_set():
            now = time.monotonic()
            if now > self._look_at:  # not at each of several questions for every picture
                self._look_at = now + LOOK_SECONDS
                if not self._main.is_alive():
                    self.set()
        return super().is_set()


class _Crew(Generic[T]):
    """Threads that work on jobs, `places` at once, and more while some can only wait.

    They hand over by queues: waiting for a set of futures takes more time than the work.
    """

    def __init__(
        self, work: Callable[[T], bool], places: int, stop: threading.Event | None
    ) -> None:
        self._done: SimpleQueue[tuple[T, bool]] = SimpleQueue()
        self._told: SimpleQueue[tuple[str, Mapping[str, Any]]] = SimpleQueue()
        self._told_at: dict[object, float] = {}
        self._todo: SimpleQueue[tuple[T] | None] = SimpleQueue()
        self._work = work
        self._places = places
        self._is_background = background.is_here()
        self._stop = stop
        self.unwanted = _Unwanted(stop)
        self._slots = Slots(places, self._hire, self.unwanted)
        self._threads: list[threading.Thread] = []
        self._lock = forks.Lock()
        self._has_ended = False
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the work to the parent, whose threads are at it."""
        self._threads = []
        self._has_ended = True

    def give(self, job: T) -> None:
        """Have `job` done; it comes out of `finished`."""
        self._todo.put((job,))
        if len(self._threads) < self._places:
            self._hire()

    def finished(self, more_to_come: bool) -> Iterator[tuple[T, bool]]:
        """Yield what is done, one at least; while there is enough to do, some together.

        Raises CancelledError in the child of a fork, and once `stop` is set.
        """
        while True:
            if self._has_ended or (self._stop is not None and self._stop.is_set()):
                raise CancelledError()
            self._tell()
            with suppress(Empty):
                done = [self._done.get(timeout=HEARTBEAT_SECONDS)]
                break
        if more_to_come:
            time.sleep(GATHER_SECONDS)
        with suppress(Empty):
            while True:
                done.append(self._done.get_nowait())
        self._tell()  # what a job had to tell is heard before its outcome, of the last one too
        yield from done

    def _tell(self) -> None:
        """Tell here what the threads had to tell, each thing about a host once in a while."""
        with suppress(Empty):
            while True:
                key, values = self._told.get_nowait()
                what, now = (key, values.get('host')), time.monotonic()
                if now - self._told_at.get(what, -math.inf) > TOLD_AGAIN_SECONDS:
                    self._told_at[what] = now
                    notices.tell(key, **values)

    def end(self, patience: float | None) -> None:
        """Drop what has not begun; wait for the rest, `patience` seconds at most if given."""
        with self._lock:
            self._has_ended = True
        with suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in self._threads:
            self._todo.put(None)
        deadline = None if patience is None else time.monotonic() + patience
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _hire(self) -> None:
        with self._lock:
            if self._has_ended or len(self._threads) >= 2 * self._places:
                return
            name = f'civitai-gallery_{len(self._threads)}'
            thread = threading.Thread(target=self._labour, name=name, daemon=False)
            try:
                thread.start()
            except RuntimeError:  # no more threads: those that there are do it
                if not self._threads:
                    raise
            else:
                self._threads.append(thread)

    def _labour(self) -> None:
        told = notices.going_to(lambda *notice: self._told.put(notice))
        with told, background.work(self._is_background):
            while (item := self._next()) is not None:
                with self._slots.taken():
                    outcome = guarded(self._work, item[0])
                self._done.put((item[0], outcome))

    def _next(self) -> tuple[T] | None:
        """Wait for a job, None once there are no more."""
        while not self.unwanted.is_set():
            with suppress(Empty):
                return self._todo.get(timeout=HEARTBEAT_SECONDS)
        return None


def guarded(work: Callable[[T], bool], job: T) -> bool:
    """Do `work` for `job`; False if it failed, in whatever way, which is logged."""
    try:
        return bool(work(job))
    except Exception:  # a rim: one bad picture must not stop the others
        log.exception('A download failed in an unexpected way')
        return False
