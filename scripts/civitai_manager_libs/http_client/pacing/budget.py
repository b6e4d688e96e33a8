"""A fixed pace for a host: so many requests a second, in small bursts, so many at once."""

from __future__ import annotations

import math

from .holds import Hold
from .tokens import Tokens

# Of Civitai's API, whose own limits are not published: so many a second, so many after a pause.
API_RATE, API_BURST = 2.0, 5.0


class Budget:
    """A fixed pace: `at_once` requests at a time, `rate` a second, `burst` after a pause."""

    def __init__(self, rate: float, burst: float, at_once: int) -> None:
        self.at_once = at_once
        self.running = 0
        self.trip = math.inf  # seconds a request may take: the others wait in any case
        self._tokens = Tokens(rate, burst, burst, -math.inf)
        self._hold = Hold()

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self.at_once

    def held(self, now: float) -> float:
        """Return for how many seconds nobody may ask."""
        return self._hold.left(now)

    def start(self, now: float) -> float:
        """Return 0.0 and count a request as running, or the seconds after which to ask again.

        math.inf: only when a request has ended.
        """
        if now < self._hold.until:
            return self._hold.until - now
        if self.running >= self.at_once:
            return math.inf
        wait = self._tokens.wait(now)
        if not wait:
            self._tokens.left -= 1
            self.running += 1
        return wait

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        """Count a request as ended well."""
        self.running -= 1

    def failed(self, now: float) -> None:
        """Count a request as ended in any other way."""
        self.running -= 1

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        """Count a request as refused with 429 or 503; nothing starts for `retry_after` seconds."""
        self.running -= 1
        self._hold.extend(now, retry_after or 0.0)


def of_the_api() -> Budget:
    """Return the budget of Civitai's API."""
    return Budget(API_RATE, API_BURST, at_once=1)
