"""One fetch for one file: who asks for what is under way waits for it and shares its outcome."""

from __future__ import annotations

import copy
import threading
from typing import Callable, Hashable

from ..errors import CancelledError, CivitaiError
from . import forks, slots

PIECE_SECONDS = 0.1


class _Flight:
    """A fetch under way; once it is over, its outcome, if it is one for others too."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.error: CivitaiError | None = None
        self.is_shared = False


class SingleFlight:
    """Runs one fetch at a time for each of what is asked for."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = forks.Lock()
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Wait for no thread of the parent."""
        self._flights = {}

    def run(self, what: Hashable, fetch: Callable[[], None], stop: threading.Event) -> bool:
        """Have `fetch` done for `what`; return whether this thread did it and not another.

        Raises what `fetch` raises, CancelledError once `stop` is set. Where who fetches is
        stopped, or fails in a way that is its own affair, one who waits takes over.
        """
        while True:
            with self._lock:
                flight = self._flights.get(what)
                is_mine = flight is None
                if flight is None:
                    flight = self._flights[what] = _Flight()
            if is_mine:
                self._fly(what, flight, fetch)
                return True
            self._wait(flight, stop)
            if flight.error is not None:
                raise copy.copy(flight.error)
            if flight.is_shared:
                return False

    def _fly(self, what: Hashable, flight: _Flight, fetch: Callable[[], None]) -> None:
        try:
            fetch()
            flight.is_shared = True
        except CancelledError:
            raise
        except CivitaiError as error:
            flight.error = copy.copy(error)  # without traceback, which would keep buffers alive
            raise
        finally:
            with self._lock:
                self._flights.pop(what, None)  # not there in a child
            flight.is_over.set()

    def _wait(self, flight: _Flight, stop: threading.Event) -> None:
        with slots.lent(stop):
            while not flight.is_over.wait(PIECE_SECONDS):
                if stop.is_set():
                    raise CancelledError()
