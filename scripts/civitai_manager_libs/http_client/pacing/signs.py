"""What a pace notices of a host: slower answers, and refusals, stray ones or in bursts."""

from __future__ import annotations

import math
from dataclasses import dataclass

SLOWER, SLOWER_BY = 1.6, 0.04  # times, and seconds (a busy interpreter adds some 30 ms of its own)
ROUND = 8  # first bytes, of which the fastest counts: single slow ones say nothing

STRAYS = 2.0  # refusals that are no sign yet ...
STRAYS_PER_SUCCESS = 1 / 64  # ... and how that allowance comes back


class FirstBytes:
    """Times to the first byte: `slow` while even the fastest of a round are above the floor."""

    __slots__ = ('slow', 'floor', 'last', '_began', '_count', '_fastest')

    def __init__(self) -> None:
        self.slow = False
        self.floor = math.inf
        self.last = math.inf  # the fastest of the last round
        self._start_round(-math.inf)

    def _start_round(self, now: float) -> None:
        self._began = now
        self._count = 0
        self._fastest = math.inf

    def add(self, now: float, began: float, seconds: float) -> bool:
        """Note one; return whether a round has ended with it."""
        self.floor = min(self.floor, seconds)
        if began < self._began:  # asked before the last decision, so it says nothing about it
            return False
        self._count += 1
        self._fastest = min(self._fastest, seconds)
        if self._count < ROUND:
            return False
        self.slow = self._fastest > max(SLOWER * self.floor, self.floor + SLOWER_BY)
        self.last = self._fastest
        self._start_round(now)
        return True


@dataclass
class Burst:
    """Refusals of requests that began before the first of them was known: one sign, not many."""

    at: float
    running: int
    limit: float  # until then
    refusals: int = 0
    successes: int = 0  # since then
    began: float = -math.inf  # when the last of the refused was asked

    @property
    def kept(self) -> int:
        """How many of those that ran were not refused."""
        return max(0, self.running - self.refusals)


class Refusals:
    """Makes bursts of refusals, and tells which is a sign: not the few that come astray."""

    __slots__ = ('burst', 'sign_at', '_strays')

    def __init__(self) -> None:
        self.burst: Burst | None = None  # the one that goes on
        self.sign_at = -math.inf  # the last that was a sign
        self._strays = STRAYS

    def succeeded(self, began: float) -> Burst | None:
        """Note a success of a request that `began` then; return the burst that is over by it."""
        if self._strays < STRAYS:
            self._strays += STRAYS_PER_SUCCESS
        burst = self.burst
        if burst is None:
            return None
        burst.successes += 1
        return burst if began > burst.at else None

    def add(self, now: float, began: float, running: int, limit: float) -> Burst:
        """Count a refusal in the burst that goes on, or begin one: `running` of `limit` ran."""
        burst = self.burst
        if burst is None:
            burst = self.burst = Burst(now, running, limit)
        burst.refusals += 1
        burst.began = max(burst.began, began)
        self._strays -= 1
        return burst

    def end(self, burst: Burst) -> bool:
        """End a burst that is over; return whether it was a sign."""
        self.burst = None
        if self._strays >= 0:
            return False
        self._strays = 0.0
        self.sign_at = burst.at
        return True

    def begin_anew(self, now: float) -> None:
        """Nothing ran for minutes: what is known of refusals is settled."""
        self.burst = None
        self.sign_at = now
        self._strays = STRAYS
