"""Nobody asks a host for a while: it said so, or all was refused, twice."""

from __future__ import annotations

import math

LONG_RETRY_AFTER = 2.0  # one longer than this holds every request to the host
MAX_HOLD = 120.0  # seconds; a host that asks for more is asked again after these
FIRST_OWN_HOLD, MAX_OWN_HOLD = 0.5, 30.0  # where the host does not say how long; doubling


class Hold:
    """Nothing starts before `until`."""

    __slots__ = ('until', 'in_vain')

    def __init__(self) -> None:
        self.until = -math.inf
        self.in_vain = 0  # holds since the last success

    def left(self, now: float) -> float:
        """Seconds until something may start."""
        return max(0.0, self.until - now)

    def extend(self, now: float, seconds: float) -> None:
        """Hold for `seconds` from now on, unless it is for longer already."""
        self.until = max(self.until, now + min(seconds, MAX_HOLD))

    def told(self, now: float, retry_after: float | None) -> None:
        """Obey a long Retry-After; a short one concerns only who was refused."""
        if retry_after is not None and retry_after > LONG_RETRY_AFTER:
            self.extend(now, retry_after)

    def all_refused(self, now: float, retry_after: float | None) -> None:
        """Hold in any case; where the host does not say how long, each time longer."""
        own = min(FIRST_OWN_HOLD * 2.0**self.in_vain, MAX_OWN_HOLD)
        self.extend(now, own if retry_after is None else retry_after)
        self.in_vain += 1
