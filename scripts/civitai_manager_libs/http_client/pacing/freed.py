"""Places just freed stay empty for a moment: the host may notice an end a little later than we."""

from __future__ import annotations

from collections import deque
from typing import Deque

LONGEST_PAUSE = 0.004  # seconds ...
PAUSES_PER_TRIP = 8  # ... and where round trips are short, a part of one


class FreedPlaces:
    """Which places rest: each for `pause` seconds, 0.0 where none has to."""

    __slots__ = ('pause', 'in_doubt', 'resting')

    def __init__(self) -> None:
        self.pause = 0.0
        self.in_doubt = False  # whether the pause is needed at all
        self.resting: Deque[float] = deque()  # when each may be taken again

    def add(self, now: float) -> None:
        """Let a place rest; where there is a pause."""
        self.resting.append(now + self.pause)

    def count(self, now: float) -> int:
        """How many rest still."""
        resting = self.resting
        while resting and resting[0] <= now:
            resting.popleft()
        return len(resting)

    def let_rest(self, trip: float) -> None:
        """From now on freed places rest; `trip`: seconds that a request takes."""
        self.pause = min(LONGEST_PAUSE, trip / PAUSES_PER_TRIP)
