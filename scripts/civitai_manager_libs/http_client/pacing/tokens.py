"""Starting by tokens: not how many run at once is limited, but how many start in a second."""

from __future__ import annotations

import math
from collections import deque
from typing import Deque

RATE_CUT, STRAY_CUT, DEEPEST_CUT = 0.97, 0.99, 0.7  # of the rate, after a sign; a stray; at most
RATE_GROWTH = 0.03  # of the rate, per second
QUIET = 5.0  # seconds without a sign, after which it grows twice as fast; thrice after two ...
RATE_GROWTH_MOST = 10.0  # ... and at most so many times faster
RATE_SLACK = 0.05  # seconds of tokens that can be saved, for threads that wake up late
MEASURED = 2.0, 10.0  # seconds, at least and at most, over which an accepted rate is measured


class Tokens:
    """A bucket that fills at `rate` a second up to `room`; a start takes one token."""

    __slots__ = ('rate', 'room', 'left', 'at')

    def __init__(self, rate: float, room: float, left: float, now: float) -> None:
        self.rate = rate
        self.room = room
        self.left = left
        self.at = now

    def wait(self, now: float) -> float:
        """Seconds until there is a token, 0.0 if there is one."""
        if now > self.at:
            self.left = min(self.room, self.left + (now - self.at) * self.rate)
            self.at = now
        # rounding must not make anybody come back for a billionth of a token
        return 0.0 if self.left > 1 - 1e-9 else (1 - self.left) / self.rate


class LearntTokens(Tokens):
    """A bucket whose rate follows what the host accepts; `accepted`: that, a second, so far."""

    __slots__ = ()

    def __init__(self, accepted: float, now: float) -> None:
        rate = RATE_CUT * accepted
        super().__init__(rate, max(2.0, RATE_SLACK * rate), 0.0, now)

    def grow(self, quiet: float) -> None:
        """Fill faster after a success, `quiet` seconds after a sign, if tokens are what lacks."""
        if self.left < 1:
            self.rate += RATE_GROWTH * (1 + min(quiet / QUIET, RATE_GROWTH_MOST))

    def cut_for_strays(self) -> None:
        """Fill a little slower: what refused may have been the limit."""
        self.rate *= STRAY_CUT

    def cut(self, accepted: float) -> None:
        """Fill slower, after a sign."""
        self.rate = max(DEEPEST_CUT * self.rate, RATE_CUT * min(self.rate, accepted))


class Accepted:
    """When the last requests that ended well were asked: what a host accepts in a second."""

    __slots__ = ('began', '_mark')

    def __init__(self) -> None:
        self.began: Deque[float] = deque(maxlen=1000)
        self._mark = -math.inf  # when the last of an earlier burst was asked

    def rate(self, until: float, at_once: float, trip: float) -> float:
        """How many a second, until the last of a burst was asked: twice now a bucket was empty.

        Where too little or too much time lies between the two, `at_once` in every round `trip`.
        """
        since = self._mark
        if until - since > MEASURED[0]:
            self._mark = until
        rate = max(1.0, at_once) / trip
        if trip / 2 < until - since < MEASURED[1]:
            count = sum(since < began <= until for began in self.began)
            counted = max(1, count) / (until - since)  # a rate of nothing would be for ever
            rate = counted if until - since > 4 * trip else max(rate, counted)
        return rate
