"""How many at once: more while there is no sign of a limit, fewer when answers come slower."""

from __future__ import annotations

import math

from .signs import FirstBytes

START = 8  # at once, for a host that we know nothing of
STEP = 0.5  # further places per success while there was no sign of a limit
SHRINK = 0.85


class Limit:
    """So many at once, `value`; what is no whole place yet does not count."""

    __slots__ = ('value', 'eager', 'full_at', '_first_bytes', '_start')

    def __init__(self, start: int = START) -> None:
        self.value = float(start)
        self._start = start
        self.eager = True  # no sign of a limit yet
        self.full_at = -math.inf  # when all places were last taken
        self._first_bytes = FirstBytes()

    def within(self, top: int) -> int:
        """How many may run at once, one at least."""
        return max(1, int(min(self.value, top)))

    def succeeded(self, now: float, began: float, first_byte: float | None, top: int) -> bool:
        """Note a success: fewer, if answers come slower; return whether more may be of use."""
        first_bytes = self._first_bytes
        if first_byte is not None and first_bytes.add(now, began, first_byte):
            self._compare(top)
        # only who used all places while it ran has shown that more may be of use
        return self.full_at >= began and not first_bytes.slow

    def grow(self, bound: float) -> bool:
        """Grow by one success's share, unless `bound` is reached; return whether it was not."""
        value = self.value
        if value >= bound:
            return False
        step = 1 / value if not self.eager else STEP if value >= START else 1.0
        self.value = min(value + step, bound)
        return True

    def nothing_accepted(self) -> None:
        """Begin anew, with a single one."""
        self.value, self.eager = 1.0, True

    def begin_gently(self) -> None:
        """Nothing ran for minutes: no more than for an unknown host."""
        self.value = min(self.value, float(self._start))

    def _compare(self, top: int) -> None:
        """A round of first bytes is over: fewer at once if they are slow for our number."""
        times = self._first_bytes
        if not times.slow:
            return
        limit = min(self.value, top)
        if limit > START:
            self.value = max(float(START), SHRINK * limit)
            self.eager = False
        else:  # so few are no burden: this is how fast the host is now
            times.floor = times.last
            times.slow = False
