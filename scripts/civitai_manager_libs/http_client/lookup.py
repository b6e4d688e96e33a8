"""From the name of a host to its addresses, asked of the system's resolver.

That knows no time-out, cannot be stopped and does not hear Ctrl-C, and where the name service is
silent it goes on for half a minute. So a thread asks, one for each name, and whoever wants to know
waits for it as long as they like.
"""

from __future__ import annotations

import copy
import socket
import threading
import time
from ipaddress import ip_address
from typing import Any, Callable, NamedTuple

from .. import forks

PIECE_SECONDS = 0.1
PATIENCE_SECONDS = 60.0  # of who names no time-out


class Address(NamedTuple):
    """One answer of the resolver: how to make a socket, and `place`, where to connect it."""

    family: int
    kind: int
    protocol: int
    name: str
    place: Any


class SilentResolver(TimeoutError):
    """The name service did not say in time where `host` is."""

    def __init__(self, host: str) -> None:
        super().__init__(f'no word about {host}')
        self.host = host


def addresses(
    host: str, port: int, seconds: float | None, check: Callable[[], None]
) -> list[Address]:
    """Return what the resolver answers for `host` within `seconds`.

    Raises socket.gaierror for an unknown name, ValueError for what can be none, SilentResolver,
    and what `check`, called now and then, raises.
    """
    name = host.strip('[]')
    if _is_number(name):
        return _asked(name, port)
    asked = _look_ups.of(name, port)
    end = time.monotonic() + (PATIENCE_SECONDS if seconds is None else seconds)
    while asked.is_alive():
        check()
        left = end - time.monotonic()
        if left <= 0:
            raise SilentResolver(name)
        asked.join(min(PIECE_SECONDS, left))
    if asked.failure is not None:
        raise copy.copy(asked.failure)  # several may raise it
    return asked.found


def _asked(name: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [Address(*entry) for entry in found]


def _is_number(name: str) -> bool:
    """Whether it is an address already, about which nobody needs to be asked."""
    try:
        ip_address(name.partition('%')[0])
    except ValueError:
        return False
    return True


class _LookUp(threading.Thread):
    """Asks the resolver; afterwards what it `found`, or its `failure`."""

    def __init__(self, name: str, port: int, on_end: Callable[[], None]) -> None:
        super().__init__(name='civitai-look-up', daemon=True)
        self.found: list[Address] = []
        self.failure: OSError | ValueError | None = None
        self._place = name, port
        self._on_end = on_end

    def run(self) -> None:
        """Ask."""
        try:
            self.found = _asked(*self._place)
        except (OSError, ValueError) as error:
            self.failure = error
        finally:
            self._on_end()


class _LookUps:
    """Those under way: one for each name, however many want to know."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, int], _LookUp] = {}
        self._lock = forks.Lock()
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Wait for no thread of the parent."""
        self._under_way = {}

    def of(self, name: str, port: int) -> _LookUp:
        """Return the one for `name`, begun if there is none."""
        place = name, port
        with self._lock:
            asked = self._under_way.get(place)
            if asked is None:
                asked = _LookUp(name, port, lambda: self._over(place))
                self._under_way[place] = asked
                try:
                    asked.start()
                except RuntimeError:  # no more threads
                    asked.run()
        return asked

    def _over(self, place: tuple[str, int]) -> None:
        with self._lock:
            self._under_way.pop(place, None)


_look_ups = _LookUps()
