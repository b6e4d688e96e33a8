"""How many requests to one host may run at once, and how fast they may start: decisions only.

No clock and no lock: every time is a parameter, in seconds of one monotonic clock. What is known
of a host is learnt from how requests end. Each decision stands in a module; `Pace` tells them what
happens, in the right order:

limit    no sign of a limit        grow: START at once, half as many again per round trip, up to
                                   `top`
         answers come slower       fewer, once per round trip, but never below START
signs    a stray refusal           one place less for a round trip
ceiling  a burst of refusals       what was accepted meanwhile is the ceiling; look above it rarely
freed    refused at the ceiling    leave a freed place empty for a moment; then one place less
tokens   refused there repeatedly  not a number but a rate is limited: start by tokens
         or in great part
holds    all refused, twice        nobody asks for a while
"""

from __future__ import annotations

import math

from .ceiling import Ceiling
from .freed import FreedPlaces
from .holds import Hold
from .limit import START, Limit
from .signs import Burst, Refusals
from .tokens import Accepted, LearntTokens

__all__ = ['START', 'Pace']

IDLE, LONG_IDLE = 120.0, 600.0  # seconds without a request: limits may have changed; forget all


class Pace:
    """How many requests to one host may run at once, up to `top`, and how fast they may start.

    `top` may be changed at any time. `start` is how many for a host that we know nothing of: where
    long bodies come, it takes too long to learn that more are of use.
    """

    def __init__(self, top: int, start: int = START) -> None:
        self.top = top
        self._start = start
        self.running = 0
        self._last = -math.inf  # when something started or ended
        self._know_nothing()

    def _know_nothing(self) -> None:
        self.trip = 0.1  # seconds that a request takes, about
        self._limit = Limit(self._start)
        self._refusals = Refusals()
        self._freed = FreedPlaces()
        self._ceiling = Ceiling(self._limit, self._freed)
        self._accepted = Accepted()
        self._tokens: LearntTokens | None = None
        self._hold = Hold()

    @property
    def limit(self) -> int:
        """How many may run at once now."""
        return self._limit.within(self.top)

    def held(self, now: float) -> float:
        """Return for how many seconds nobody may ask."""
        return self._hold.left(now)

    def start(self, now: float) -> float:
        """Return 0.0 and count a request as running, or the seconds after which to ask again.

        math.inf: only when a request has ended.
        """
        if now < self._hold.until:
            return self._hold.until - now
        if not self.running and now - self._last > IDLE:
            self._rested(now)
        freed = self._freed
        taken = self.running + (freed.count(now) if freed.resting else 0)
        limit = self._limit.within(self.top)
        if taken >= limit:
            return math.inf if self.running >= limit else freed.resting[0] - now
        if self._tokens is not None:
            wait = self._tokens.wait(now)
            if wait:
                return wait
            self._tokens.left -= 1
        self.running += 1
        self._last = now
        if taken + 1 >= limit:
            self._limit.full_at = now
        return 0.0

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        """Count a request as ended well; `first_byte`: seconds, `began`: when it started."""
        self.running -= 1
        self._last = now
        if self._freed.pause:
            self._freed.add(now)
        if began is None:
            began = now - (self.trip if first_byte is None else first_byte)
        self.trip += (now - began - self.trip) / 8
        self._hold.in_vain = 0
        self._accepted.began.append(began)
        over = self._refusals.succeeded(began)
        if over is not None:
            self._judge(over)
        if self._tokens is not None:
            self._tokens.grow(now - self._refusals.sign_at)
        ceiling = self._ceiling
        if ceiling.probe is not None:
            ceiling.probe_accepted(now, began)
        limit = self._limit
        if limit.succeeded(now, began, first_byte, self.top) and self._refusals.burst is None:
            if not limit.grow(min(ceiling.height, self.top)) and ceiling.height < self.top:
                ceiling.look_above(now)

    def failed(self, now: float) -> None:
        """Count a request as ended in any other way, which is no sign of a limit."""
        self.running -= 1
        self._last = now
        if self._freed.pause:
            self._freed.add(now)

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        """Count a request as refused with 429 or 503; `retry_after`: seconds, if the host said."""
        running = self.running
        self.running -= 1
        self._last = now
        if began is None:
            began = now - self.trip
        self._hold.told(now, retry_after)
        if self._ceiling.probe_refused(now, began):
            return
        refusals = self._refusals
        if began <= refusals.sign_at:
            self._ceiling.late_news(refusals.sign_at)
            return
        burst = refusals.burst
        if burst is not None and began > burst.at:
            self._judge(burst)
            if not burst.successes:
                self._hold.all_refused(now, retry_after)
        if refusals.burst is None and self._tokens is None:
            self._ceiling.suspect(self.trip)
        burst = refusals.add(now, began, running, self._limit.value)
        self._limit.value = max(1.0, min(self._limit.value, float(burst.kept)))

    def _judge(self, burst: Burst) -> None:
        """A burst of refusals is over: decide what it was a sign of."""
        limit, ceiling, tokens = self._limit, self._ceiling, self._tokens
        limit.value = burst.limit
        if not self._refusals.end(burst):
            ceiling.dismiss()
            if tokens is not None:
                tokens.cut_for_strays()
            return
        limit.eager = False
        at_once = min(burst.limit, ceiling.height) - burst.refusals
        accepted = self._accepted.rate(burst.began, at_once, self.trip)
        if not burst.kept:
            limit.nothing_accepted()
        elif tokens is not None:
            tokens.cut(accepted)
        elif not ceiling.learn_from(burst, self.trip):
            ceiling.give_up()
            tokens = self._tokens = LearntTokens(accepted, burst.at)
            limit.value = max(burst.limit, START, 1.5 * tokens.rate * self.trip)

    def _rested(self, now: float) -> None:
        """Nothing ran for minutes: begin gently, and look soon whether limits still hold."""
        if now - self._last > LONG_IDLE:
            self._know_nothing()
            return
        self._limit.begin_gently()
        self._refusals.begin_anew(now)
        self._ceiling.begin_anew(now)
