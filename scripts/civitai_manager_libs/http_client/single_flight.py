"""One fetch for one file: who asks for what is under way waits for it and shares its outcome."""

from __future__ import annotations

import copy
import threading
from typing import Callable, Generic, Hashable, TypeVar

from .. import forks
from ..errors import CancelledError, CivitaiError
from . import slots

T = TypeVar('T')

PIECE_SECONDS = 0.1


class _Flight(Generic[T]):
    """A fetch under way; once it is over, its outcome, if it is one for others too.

    `under_way` is locked until then: an event would cost more, and seldom does anybody wait.
    """

    __slots__ = ('under_way', 'error', 'results')

    def __init__(self) -> None:
        self.under_way = threading.Lock()
        self.under_way.acquire()
        self.error: CivitaiError | None = None
        self.results: list[T] = []


class SingleFlight(Generic[T]):
    """Runs one fetch at a time for each of what is asked for."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Wait for no thread of the parent."""
        self._flights = {}

    def run(self, what: Hashable, fetch: Callable[[], T], stop: threading.Event) -> tuple[T, bool]:
        """Have `fetch` done for `what`; return its result, and whether this thread did it.

        Raises what `fetch` raises, CancelledError once `stop` is set. Where who fetches is
        stopped, or fails in a way that is its own affair, one who waits takes over.
        """
        mine: _Flight[T] = _Flight()
        while True:
            flight = self._flights.setdefault(what, mine)  # of two at once, one puts its own there
            if flight is mine:
                return self._fly(what, flight, fetch), True
            self._wait(flight, stop)
            if flight.error is not None:
                raise copy.copy(flight.error)
            if flight.results:
                return flight.results[0], False

    def _fly(self, what: Hashable, flight: _Flight[T], fetch: Callable[[], T]) -> T:
        try:
            result = fetch()
            flight.results.append(result)
            return result
        except CancelledError:
            raise
        except CivitaiError as error:
            flight.error = copy.copy(error)  # without traceback, which would keep buffers alive
            raise
        finally:
            self._flights.pop(what, None)  # not there in a child
            flight.under_way.release()

    def _wait(self, flight: _Flight[T], stop: threading.Event) -> None:
        with slots.lent(stop):
            while not flight.under_way.acquire(timeout=PIECE_SECONDS):
                if stop.is_set():
                    raise CancelledError()
            flight.under_way.release()
