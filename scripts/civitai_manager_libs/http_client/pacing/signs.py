"""What a pace notices of a host: slower answers, bursts of refusals, looks above a ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass

SLOWER, SLOWER_BY = 1.6, 0.04  # times, and seconds (a busy interpreter adds some 30 ms of its own)
ROUND = 8  # first bytes, of which the fastest counts: single slow ones say nothing


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
    accepted: int  # successes until then
    limit: float  # until then
    refusals: int = 0
    began: float = -math.inf  # when the last of them was asked

    @property
    def kept(self) -> int:
        """How many of those that ran were not refused."""
        return max(0, self.running - self.refusals)


@dataclass
class Probe:
    """A look above the ceiling from `began` to `ended`, passed after `left` successes."""

    began: float
    left: int
    settle: float  # what it was before
    ended: float = math.inf
