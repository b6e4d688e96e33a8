"""Dialling: from the name of a host to a socket connected with it, its addresses raced.

After RFC 8305: the families take turns, who has not answered soon gets a rival, and who answers
first wins. So an address that is dead costs a moment, not a time-out.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import time
from collections import deque
from itertools import chain, zip_longest
from typing import Any, Iterable, NamedTuple, Sequence

from urllib3.util.ssltransport import SSLTransport

from .lookup import PATIENCE_SECONDS, Address, addresses
from .watch import Guard

RIVAL_SECONDS = 0.25  # RFC 8305 calls it Connection Attempt Delay
TICK_SECONDS = 0.1
MAX_REMEMBERED = 1000

_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)


class How(NamedTuple):
    """How to make a connection: within so many seconds, for whom, with which socket options."""

    seconds: float | None
    guard: Guard | None = None
    options: Iterable[Any] = ()

    def watch(self, sock: Any) -> None:
        """Let `sock` be cut off where what now begins on it takes too long or is stopped."""
        if self.guard is not None:
            self.guard.watch(sock, self.seconds)

    def check(self) -> None:
        """Raise OSError if nobody waits for this any more."""
        if self.guard is not None and (self.guard.stop.is_set() or self.guard.late):
            raise OSError(errno.ECANCELED, 'stopped')

    def since(self, began: float) -> How:
        """What is left of it: the same within the seconds that have not passed since `began`."""
        if self.seconds is None:
            return self
        return self._replace(seconds=max(0.0, self.seconds - (time.monotonic() - began)))


# Where the last connection to a host and port was made, and when places last brought no answer.
_worked: dict[tuple[str, int], Any] = {}
_unanswered: dict[Any, float] = {}


def dial(host: str, port: int, how: How) -> socket.socket:
    """Return a socket connected to `host`, with its time-out set.

    Raises OSError: socket.gaierror for an unknown name, SilentResolver when nobody said in time
    where the host is, TimeoutError when no address answered in time; UnicodeError for what is no
    name of a machine.
    """
    return reach(host, port, how)[0]


def reach(host: str, port: int, how: How) -> tuple[socket.socket, Any]:
    """Do what `dial` does, and return with the socket the place that it leads to."""
    key, began = (host, port), time.monotonic()
    try:
        found = addresses(host, port, how.seconds, how.check)
        sock, place = race(in_turn(found, _worked.get(key)), how.since(began))
    except OSError as error:
        if error.errno != errno.ECANCELED:
            _worked.pop(key, None)
        raise
    if len(_worked) >= MAX_REMEMBERED:
        _worked.clear()
    _worked[key] = place
    sock.settimeout(how.seconds)
    return sock, place


def no_answer(host: str, port: int, place: Any) -> None:
    """Have the others of `host` asked before the one at `place`, which said nothing."""
    if _worked.get((host, port)) == place:
        _worked.pop((host, port), None)
    if len(_unanswered) >= MAX_REMEMBERED:
        _unanswered.clear()
    _unanswered[place] = time.monotonic()


def in_turn(found: Iterable[Address], first: Any = None) -> list[Address]:
    """Return `found`, each once: the one at `first` in front, then the families in turn.

    Those that brought no answer come last, who did so last behind all.
    """
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(found):
        families.setdefault(address.family, []).append(address)
    mixed = filter(None, chain.from_iterable(zip_longest(*families.values())))
    return sorted(mixed, key=lambda a: (a.place != first, _unanswered.get(a.place, 0.0)))


def race(candidates: Sequence[Address], how: How) -> tuple[socket.socket, Any]:
    """Return a socket connected to the first of `candidates` that answers, and its place.

    Each gets a rival after `RIVAL_SECONDS`, or at once when one failed. Raises OSError: that of
    who failed last, or TimeoutError.
    """
    waiting, failure = deque(candidates), OSError(errno.EADDRNOTAVAIL, 'no address')
    now = next_start = time.monotonic()
    deadline = now + (PATIENCE_SECONDS if how.seconds is None else how.seconds)
    with selectors.DefaultSelector() as runners:
        try:
            while waiting or runners.get_map():
                how.check()
                now = time.monotonic()
                if now > deadline:
                    raise TimeoutError('timed out')
                try:
                    if waiting and (now >= next_start or not runners.get_map()):
                        next_start, address = now + RIVAL_SECONDS, waiting.popleft()
                        runner = _runner(address, how)
                        runners.register(runner, selectors.EVENT_WRITE, address.place)
                    pause = min(TICK_SECONDS, max(0.0, next_start - now if waiting else 1.0))
                    for key, _ in runners.select(pause):
                        runners.unregister(key.fileobj)
                        return _arrived(key.fileobj), key.data
                except OSError as error:
                    failure, next_start = error, now
        finally:
            for key in list(runners.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
    raise failure


def _runner(address: Address, how: How) -> socket.socket:
    """A socket that is connecting to `address`; a family the machine lacks raises OSError here."""
    sock = socket.socket(address.family, address.kind, address.protocol)
    try:
        for option in how.options or ():
            sock.setsockopt(*option)
        sock.setblocking(False)
        code = sock.connect_ex(address.place)
        if code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
    except OSError:
        sock.close()
        raise
    return sock


def _arrived(sock: Any) -> socket.socket:
    """`sock`, which stopped connecting. Raises OSError if that is because it failed."""
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        sock.close()
        raise OSError(code, os.strerror(code))
    connected: socket.socket = sock
    return connected


def secured(sock: Any, context: ssl.SSLContext, name: str, how: How) -> Any:
    """Return `sock` with the TLS of `context` on it, spoken with a server called `name`.

    `sock` may have a proxy's TLS on it already. Raises OSError, ValueError; `sock` is then closed.
    """
    try:
        how.watch(sock)
        if isinstance(sock, ssl.SSLSocket):
            return SSLTransport(sock, context, name.strip('[]'))
        # in two steps, because a handshake that does not end must be seen by the guard
        sock = context.wrap_socket(
            sock, server_hostname=name.strip('[]'), do_handshake_on_connect=False
        )
        how.watch(sock)
        sock.do_handshake()
        return sock
    except (OSError, ValueError):
        sock.close()
        raise
