"""How many requests to one host may run at once, and how fast they may start: decisions only.

No clock and no lock: every time is a parameter, in seconds of one monotonic clock. What is known
of a host is learnt from how requests end:

    no sign of a limit        grow: START at once, half as many again per round trip, up to `top`
    answers come slower       fewer, once per round trip, but never below START
    a stray refusal           one place less for a round trip
    a burst of refusals       what was accepted meanwhile is the ceiling; look above it rarely
    refused at the ceiling    leave a freed place empty for a moment; then one place less
    refused there repeatedly  not a number but a rate is limited: start by tokens
    or in great part
    all refused, twice        nobody asks for a while
"""

from __future__ import annotations

import math
from collections import deque
from typing import Deque

from .budget import MAX_HOLD, Tokens
from .signs import Burst, FirstBytes, Probe

START = 8  # at once, for a host that we know nothing of
STEP = 0.5  # further places per success while there was no sign of a limit

LONG_RETRY_AFTER = 2.0  # one longer than this holds every request to the host
MAX_OWN_HOLD = 30.0  # where the host does not say how long

STRAYS = 2.0  # refusals that are no sign yet ...
STRAYS_PER_SUCCESS = 1 / 64  # ... and how that allowance comes back
# A ceiling is measured in the turmoil of a burst, so the first looks above it come soon.
PROBE_WAITS = 0.5, 0.5, 5.0, 20.0, 80.0, 120.0
CAREFUL_STEPS = 5  # looks above the ceiling, one place each, before they become bolder
SETTLE = 0.004  # a host may notice the end of an answer a little later than we

RATE_CUT, STRAY_CUT, DEEPEST_CUT = 0.97, 0.99, 0.7  # of the rate, after a sign; a stray; at most
RATE_GROWTH = 0.03  # of the rate, per second
QUIET = 5.0  # seconds without a sign, after which it grows twice as fast; thrice after two ...
RATE_GROWTH_MOST = 10.0  # ... and at most so many times faster
RATE_SLACK = 0.05  # seconds of tokens that can be saved, for threads that wake up late
MEASURED = 2.0, 10.0  # seconds, at least and at most, over which an accepted rate is measured

SHRINK = 0.85

IDLE, LONG_IDLE = 120.0, 600.0


class Pace:
    """How many requests to one host may run at once, up to `top`, and how fast they may start.

    `top` may be changed at any time.
    """

    def __init__(self, top: int) -> None:
        self.top = top
        self.running = 0
        self._last = -math.inf  # when something started or ended
        self._reset()

    def _reset(self) -> None:
        self._limit = float(START)
        self._eager = True  # no sign of a limit yet
        self._full_at = -math.inf  # when all places were last taken
        self.trip = 0.1  # seconds that a request takes, about
        self._accepted = 0
        self._first_bytes = FirstBytes()
        self._strays = STRAYS
        self._burst: Burst | None = None
        self._began: Deque[float] = deque(maxlen=1000)  # when the last successes were asked
        self._mark = -math.inf  # when the last of an earlier burst was asked
        self._ceiling = math.inf
        self._lowered = False
        self._settle = 0.0
        self._resting: Deque[float] = deque()  # when places just freed may be taken again
        self._probe: Probe | None = None
        self._probe_at = -math.inf
        self._probe_step = 1
        self._passed = 0
        self._unsettle = False
        self._probes_failed = 0
        self._tokens: Tokens | None = None
        self._sign_at = -math.inf  # the last burst that was a sign ...
        self._ceiling_at = -math.inf  # ... and the last that set the ceiling
        self._held_until = -math.inf
        self._holds = 0

    @property
    def limit(self) -> int:
        """How many may run at once now."""
        return max(1, int(min(self._limit, self.top)))

    def start(self, now: float) -> float:
        """Return 0.0 and count a request as running, or the seconds after which to ask again.

        math.inf: only when a request has ended.
        """
        if now < self._held_until:
            return self._held_until - now
        resting = self._resting
        while resting and resting[0] <= now:
            resting.popleft()
        if not self.running and now - self._last > IDLE:
            self._forget(now)
        limit = self.limit
        if self.running + len(resting) >= limit:
            return math.inf if self.running >= limit else resting[0] - now
        if self._tokens is not None:
            wait = self._tokens.wait(now)
            if wait:
                return wait
            self._tokens.left -= 1
        self.running += 1
        self._last = now
        if self.running + len(resting) >= limit:
            self._full_at = now
        return 0.0

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        """Count a request as ended well; `first_byte`: seconds, `began`: when it started."""
        self._end(now)
        if began is None:
            began = now - (self.trip if first_byte is None else first_byte)
        self._accepted += 1
        self._began.append(began)
        self._holds = 0
        self.trip += (now - began - self.trip) / 8
        if self._strays < STRAYS:
            self._strays += STRAYS_PER_SUCCESS
        if self._burst is not None and began > self._burst.at:
            self._judge(self._burst)
        if self._tokens is not None and self._tokens.left < 1:
            quiet = min((now - self._sign_at) / QUIET, RATE_GROWTH_MOST)
            self._tokens.rate += RATE_GROWTH * (1 + quiet)
        if self._probe is not None and self._probe.ended > now:
            self._probed(self._probe, now, began)
        if first_byte is not None and self._first_bytes.add(now, began, first_byte):
            self._compare()
        # only who used all places while it ran has shown that more may be of use
        if self._full_at >= began and self._burst is None and not self._first_bytes.slow:
            self._grow(now)

    def failed(self, now: float) -> None:
        """Count a request as ended in any other way, which is no sign of a limit."""
        self._end(now)

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        """Count a request as refused with 429 or 503; `retry_after`: seconds, if the host said."""
        running = self.running
        self.running -= 1
        self._last = now
        if began is None:
            began = now - self.trip
        if retry_after is not None and retry_after > LONG_RETRY_AFTER:
            self._held_until = max(self._held_until, now + min(retry_after, MAX_HOLD))
        if self._probe is not None and self._probe.began <= began <= self._probe.ended:
            if self._probe.ended > now:
                self._probe_failed(self._probe, now)
            return
        if began <= self._sign_at:  # late news of a burst that is judged already
            if self._ceiling_at == self._sign_at:
                self._limit = self._ceiling = max(1.0, self._ceiling - 1)
            return
        burst = self._burst
        if burst is not None and began > burst.at:
            self._judge(burst)
            if self._accepted == burst.accepted:
                self._hold(now, retry_after)
            burst = None
        if burst is None:
            burst = self._burst = Burst(now, running, self._accepted, self._limit)
            if self._tokens is None and self._ceiling == math.inf and not self._settle:
                self._settle, self._unsettle = self._pause(), True
        burst.refusals += 1
        burst.began = max(burst.began, began)
        self._strays -= 1
        self._limit = max(1.0, min(self._limit, float(burst.kept)))

    def _end(self, now: float) -> None:
        self.running -= 1
        self._last = now
        if self._settle:
            self._resting.append(now + self._settle)

    def _hold(self, now: float, retry_after: float | None) -> None:
        seconds = min(0.5 * 2.0**self._holds, MAX_OWN_HOLD) if retry_after is None else retry_after
        self._held_until = max(self._held_until, now + min(seconds, MAX_HOLD))
        self._holds += 1

    def _grow(self, now: float) -> None:
        bound = min(self._ceiling, self.top)
        if self._limit < bound:
            step = 1 / self._limit if not self._eager else STEP if self._limit >= START else 1.0
            self._limit = min(self._limit + step, bound)
        elif self._ceiling < self.top and now >= self._probe_at:
            self._look_above(now)

    def _look_above(self, now: float) -> None:
        self._probe = Probe(now, 2 * int(self._ceiling), self._settle)
        self._probe_at = math.inf
        if self._unsettle and self._probes_failed:  # is the moment needed at all?
            self._settle = 0.0
            return
        self._limit = self._ceiling + self._probe_step
        if self._settle:
            self._resting.append(now + self._settle)

    def _probed(self, probe: Probe, now: float, began: float) -> None:
        if began >= probe.began:
            probe.left -= 1
        if not probe.left:
            self._probe = None
            if self._limit > self._ceiling:
                self._ceiling += self._probe_step
                self._passed += 1
                self._probe_step = 1 if self._passed < CAREFUL_STEPS else 2 * self._probe_step
                self._probes_failed = 0
                self._probe_at = now
            else:
                self._tried_unsettled(now)

    def _probe_failed(self, probe: Probe, now: float) -> None:
        probe.ended = now
        self._settle = probe.settle
        self._probe_step = 1
        self._passed = 0
        if self._limit > self._ceiling:
            self._limit = self._ceiling
            self._probes_failed += 1
            self._probe_at = now + self._probe_wait()
        else:
            self._tried_unsettled(now)

    def _tried_unsettled(self, now: float) -> None:
        self._unsettle = False
        self._probes_failed += 1
        self._probe_at = now + self._probe_wait()

    def _probe_wait(self) -> float:
        return PROBE_WAITS[min(self._probes_failed, len(PROBE_WAITS) - 1)]

    def _pause(self) -> float:
        return min(SETTLE, self.trip / 8)

    def _compare(self) -> None:
        """A round of first bytes is over: fewer at once if they are slow for our number."""
        times = self._first_bytes
        if not times.slow:
            return
        limit = min(self._limit, self.top)
        if limit > START:
            self._limit = max(float(START), SHRINK * limit)
            self._eager = False
        else:  # so few are no burden: this is how fast the host is now
            times.floor = times.last
            times.slow = False

    def _judge(self, burst: Burst) -> None:
        """A burst of refusals is over: decide what it was a sign of."""
        self._burst = None
        self._limit = burst.limit
        if self._strays >= 0:
            if self._ceiling == math.inf:
                self._settle, self._unsettle = 0.0, False
            if self._tokens is not None:
                self._tokens.rate *= STRAY_CUT
            return
        self._strays = 0.0
        self._eager = False
        self._sign_at = burst.at
        measured = self._measured(burst)
        if not burst.kept:
            self._limit, self._eager = 1.0, True
        elif self._tokens is not None:
            rate = self._tokens.rate
            self._tokens.rate = max(DEEPEST_CUT * rate, RATE_CUT * min(rate, measured))
        elif self._ceiling == math.inf or burst.kept > self._ceiling:
            self._set_ceiling(burst, burst.kept)
            self._ceiling_at = burst.at
        elif burst.refusals > 2 and burst.refusals >= self._ceiling / 5:
            self._start_by_tokens(burst, measured)
        elif not self._settle:
            self._settle = self._pause()
            self._probe_at = min(self._probe_at, burst.at + PROBE_WAITS[0])
        elif not self._lowered:
            self._set_ceiling(burst, self._ceiling - 1)
            self._lowered = True
        else:
            self._start_by_tokens(burst, measured)

    def _set_ceiling(self, burst: Burst, ceiling: float) -> None:
        self._ceiling = self._limit = max(1.0, ceiling)
        self._lowered = False
        self._probe = None
        self._probe_step = 1
        self._passed = 0
        self._probe_at = burst.at + self._probe_wait()

    def _start_by_tokens(self, burst: Burst, measured: float) -> None:
        rate = RATE_CUT * measured
        self._tokens = Tokens(rate, max(2.0, RATE_SLACK * rate), 0.0, burst.at)
        self._ceiling = math.inf
        self._probe = None
        self._settle = 0.0
        self._limit = max(burst.limit, START, 1.5 * rate * self.trip)

    def _measured(self, burst: Burst) -> float:
        """How many a second were accepted lately: between two bursts a bucket was empty twice."""
        since, until = self._mark, burst.began
        if until - since > MEASURED[0]:
            self._mark = until
        rate = max(1.0, min(burst.limit, self._ceiling) - burst.refusals) / self.trip
        if self.trip / 2 < until - since < MEASURED[1]:
            counted = sum(since < began <= until for began in self._began) / (until - since)
            rate = counted if until - since > 4 * self.trip else max(rate, counted)
        return rate

    def _forget(self, now: float) -> None:
        """Nothing ran for minutes: begin gently, and look soon whether limits still hold."""
        if now - self._last > LONG_IDLE:
            self._reset()
            return
        self._limit = min(self._limit, float(START))
        self._strays = STRAYS
        self._burst = self._probe = None
        self._probes_failed = 0
        self._probe_at = self._sign_at = now
