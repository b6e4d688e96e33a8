"""Waiting for one's turn: many threads, one pace per host."""

from __future__ import annotations

import math
import threading
from types import TracebackType
from typing import Callable

from ... import forks
from ...errors import AnswerError, CancelledError, CivitaiError
from .. import background, slots
from .hosts import AnyPace, Host
from .pace import Pace

# A wait that goes on for longer is told, and told again while there is no end to it. Seconds.
TOLD_SECONDS, TOLD_AGAIN = 3.0, 20.0

PIECE = 0.08  # seconds; nobody sleeps longer without a look at the clock and for a cancellation

# tell(error, seconds, is_given_up): because of this refusal it goes on in so many seconds, or is
# given up then.
Tell = Callable[[CivitaiError, float, bool], None]


def _untold(error: CivitaiError, seconds: float, is_given_up: bool) -> None:
    """Tell nobody."""


# So many hosts are remembered, and those that there is something to obey of.
KEPT_HOSTS = 256

# From when on a request has stalled: seconds, and times what one usually takes.
STALL_SECONDS, STALL_TRIPS = 0.5, 8


class Turn:
    """One request's turn, as a context: entering waits, leaving tells the pace how it went.

    Leaving normally is a success unless `refused` was called; leaving by an exception is
    a failure unless `refused` was called.
    """

    __slots__ = (
        '_host',
        '_stop',
        '_clock',
        '_asked',
        '_patience',
        '_tell',
        '_told',
        '_began',
        '_running',
        '_first_byte',
        '_was_refused',
        '_retry_after',
        '_slot',
        '_line',
        '_wanted',
        '_is_lent',
    )

    def __init__(
        self,
        host: Host,
        stop: threading.Event,
        clock: Callable[[], float],
        asked: float,
        patience: float,
        tell: Tell,
    ) -> None:
        self._host = host
        self._stop = stop
        self._clock = clock
        self._asked = asked
        self._patience = patience
        self._tell = tell
        self._told = -math.inf
        self._began = 0.0
        self._running = False
        self._first_byte: float | None = None
        self._was_refused = False
        self._retry_after: float | None = None
        self._slot = slots.current()
        self._line = host.background if background.is_here() else host.waiting
        self._wanted = asked if self._slot is None else self._slot.began
        self._is_lent = False

    def stalled(self, seconds: float) -> None:
        """Say that nothing has come for `seconds`; any thread may call this.

        Where that is much longer than usual, the place and the slot are lent to others until the
        end, which counts as ever. A host where all is slow lends nothing: this is how it is now.
        """
        host = self._host
        with host.lock:
            is_long = seconds >= max(STALL_SECONDS, STALL_TRIPS * host.pace.trip)
            if not is_long or self._is_lent or not self._running or not host.lend(seconds):
                return
            self._is_lent = True
        if self._slot is not None:
            self._slot.lend()

    @property
    def is_troubled(self) -> bool:
        """Whether the host refused or failed last, which is told anyway."""
        return self._host.trouble is not None

    def first_byte(self, seconds: float | None) -> None:
        """Say how long the first byte of the answer took, None if nobody knows."""
        self._first_byte = seconds

    def refused(
        self,
        retry_after: float | None,
        error: CivitaiError | None = None,
        *,
        is_clear: bool = True,
    ) -> bool:
        """Say that the answer was 429 or 503, and its Retry-After in seconds if it had one.

        A 503 without that is not clear: it may be a limit or just a fault, and counts only where
        there are many. `error` is what those hear who lose their patience before their turn.
        Returns whether the host has refused so much for so long that waiting is in vain.
        """
        in_vain, many = self._host.count_refusal(self._clock(), error)
        self._was_refused = (is_clear or many) and not in_vain
        self._retry_after = retry_after
        return in_vain

    def __enter__(self) -> Turn:
        """Wait until the request may start.

        Raises CancelledError soon after `stop` is set, and the host's last trouble where there
        was nothing else for longer than the patience of who asks.
        """
        host = self._host
        entered = False
        try:
            with host.lock:
                self._check_patience()
                entered = not host.has_others_before(self._line) and not self._ask()
            while not entered:
                with host.expecting(self._line):
                    self._sit_out()
                    entered = self._wait(threading.Lock())
        finally:
            if not entered:
                self._leave(failed=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the turn back."""
        if isinstance(error, CivitaiError) and not self._was_refused:
            with self._host.lock:
                if error.transient:
                    self._host.count_trouble(self._clock(), error, self._began)
                elif isinstance(error, AnswerError):
                    self._host.count_answer(self._clock())
        self._leave(failed=kind is not None)

    def _ask(self) -> float:
        """Seconds to wait, 0.0 if it is our turn now. With the lock."""
        if self._stop.is_set():
            raise CancelledError()
        pace = self._host.pace
        before = pace.running
        try:
            self._began = self._host.asked_at = self._clock()
            return pace.start(self._began)
        finally:  # whatever comes in between, such as Ctrl-C
            self._running = pace.running > before

    def _is_paused(self) -> bool:
        """Whether a slot of ours is of no use here, because the host lets everybody wait."""
        return self._slot is not None and self._host.is_paused(self._clock())

    def _sit_out(self) -> None:
        """Lend the slot while nobody may ask the host.

        It is back before we queue: who waits for a slot with a turn in hand could wait for
        somebody who waits for that turn.
        """
        if not self._is_paused():
            return
        host = self._host
        with slots.lent(self._stop):
            while not self._stop.is_set():
                with host.lock:
                    self._check_patience()
                    seconds, news = host.pace.held(self._clock()), self._news()
                if news is not None:
                    self._tell(*news)
                if not seconds:
                    return
                self._stop.wait(min(seconds, PIECE))

    def _wait(self, bell: threading.Lock) -> bool:
        """Queue for our turn; False where the host asks for a pause meanwhile."""
        host = self._host
        try:
            bell.acquire()
            with host.lock:
                self._line.append(bell)
            while True:
                with host.lock:
                    self._check_patience()
                    if self._is_paused() and not self._stop.is_set():
                        return False
                    first = host.first() is bell
                    seconds = self._ask() if first or self._stop.is_set() else PIECE
                    if not seconds:
                        return True
                    news = self._news()
                if news is not None:
                    self._tell(*news)
                bell.acquire(timeout=min(seconds, PIECE))
        finally:
            with host.lock:
                if bell in self._line:
                    self._line.remove(bell)
                host.call_next()

    def _news(self) -> tuple[CivitaiError, float, bool] | None:
        """What is to be told now: that there are only refusals, and for how long that may be."""
        host, now = self._host, self._clock()
        is_long = now - host.troubled_since > TOLD_SECONDS
        if host.trouble is None or not is_long or now - self._told < TOLD_AGAIN:
            return None
        self._told = now
        held, end = host.pace.held(now), host.troubled_since + self._patience - now
        # who does not say when to come back is asked again and again until then
        is_given_up = end < (math.inf if host.trouble.retry_after is None else held)
        return host.trouble, max(1.0, end if is_given_up else held), is_given_up

    def _check_patience(self) -> None:
        """Raise the last trouble if there was nothing else for too long. With the lock."""
        error = self._host.in_vain(self._clock(), self._asked, self._patience, self._wanted)
        if error is not None:
            raise error

    def _leave(self, failed: bool) -> None:
        try:
            self._give_back(failed)
        finally:  # Ctrl-C may have come between
            self._give_back(True)

    def _give_back(self, failed: bool) -> None:
        host = self._host
        with host.lock:
            if not self._running:
                return
            self._running = False
            if self._is_lent:
                host.take_back()
            now = self._clock()
            if self._was_refused:
                host.pace.refused(now, self._retry_after, self._began)
            elif failed:
                host.pace.failed(now)
            else:
                host.refusals, host.refused_since = 0, math.inf
                host.count_answer(now)
                host.recent.append(False)
                host.pace.success(now, self._first_byte, self._began)
            host.call_next()


class Throttle:
    """Who may ask which host when. `clock()` gives monotonic seconds; it may jump ahead.

    `tell` is told of long waits, by who waits.
    """

    def __init__(self, clock: Callable[[], float], tell: Tell = _untold) -> None:
        self._clock = clock
        self._tell = tell
        self._hosts: dict[str, Host] = {}
        self._lock = forks.Lock()
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Begin again: the requests of the parent are not ours, nor who waits there."""
        for host in self._hosts.values():
            host.lock = threading.Lock()
        self._hosts = {}

    def turn(
        self,
        host: str,
        stop: threading.Event,
        make: Callable[[], AnyPace],
        top: int | None = None,
        *,
        asked: float = -math.inf,
        patience: float = math.inf,
    ) -> Turn:
        """Return the turn of one request to `host`; `make` gives the pace of a new host.

        `top` is the most at once from now on. `patience` is how many seconds of nothing but
        refusals are sat out, counted from `asked` on the clock.
        """
        found = self._hosts.get(host)
        if found is None:
            with self._lock:
                self._make_room()
                found = self._hosts.setdefault(host, Host(make()))
        if top is not None and isinstance(found.pace, Pace):
            found.pace.top = top
        return Turn(found, stop, self._clock, asked, patience, self._tell)

    def _make_room(self) -> None:
        """Forget the idle hosts that were asked least recently. With the lock."""
        too_many = len(self._hosts) + 1 - KEPT_HOSTS
        if too_many <= 0:
            return
        now = self._clock()
        idle = [(host.asked_at, name) for name, host in self._hosts.items() if host.is_idle(now)]
        for _, name in sorted(idle)[:too_many]:
            del self._hosts[name]
