"""What a host accepts at once, and rare looks above it: does it still hold?

It was measured in the turmoil of a burst, so the first looks come soon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .freed import FreedPlaces
from .limit import Limit
from .signs import Burst

WAITS = 0.5, 0.5, 5.0, 20.0, 80.0, 120.0  # seconds until the next look, after so many in vain
CAREFUL_STEPS = 5  # looks above the ceiling, one place each, before they become bolder


@dataclass
class Probe:
    """A look above the ceiling from `began` to `ended`, passed after `left` successes."""

    began: float
    left: int
    pause: float  # of freed places, before
    ended: float = math.inf


class Looks:
    """When the next look is `due`, and how many places above the ceiling it goes."""

    __slots__ = ('due', 'places', 'in_vain', '_passed')

    def __init__(self) -> None:
        self.due = -math.inf
        self.places = 1
        self.in_vain = 0  # in a row
        self._passed = 0  # in a row

    def passed(self, now: float) -> None:
        """The host bears more: look further at once, boldly after some."""
        self._passed += 1
        self.places = 1 if self._passed < CAREFUL_STEPS else 2 * self.places
        self.in_vain = 0
        self.due = now

    def failed(self, now: float) -> None:
        """The host bears no more: look again later, carefully."""
        self.brought_nothing(now)
        self._be_careful()

    def brought_nothing(self, now: float) -> None:
        """Look again later."""
        self.in_vain += 1
        self._wait(now)

    def new_ceiling(self, now: float) -> None:
        """Look above this one, carefully."""
        self._be_careful()
        self._wait(now)

    def come_soon(self, now: float) -> None:
        """Something else has changed: look as soon as after a first burst."""
        self.due = min(self.due, now + WAITS[0])

    def begin_anew(self, now: float) -> None:
        """Nothing ran for minutes: look at once whether limits still hold."""
        self.in_vain = 0
        self.due = now

    def _be_careful(self) -> None:
        self.places = 1
        self._passed = 0

    def _wait(self, now: float) -> None:
        self.due = now + WAITS[min(self.in_vain, len(WAITS) - 1)]


class Ceiling:
    """The most at once, `height`: math.inf while none is known.

    It moves the limit and tells whether freed places have to rest; these know nothing of it.
    """

    __slots__ = ('height', 'probe', '_limit', '_freed', '_looks', '_set_at', '_is_lowered')

    def __init__(self, limit: Limit, freed: FreedPlaces) -> None:
        self.height = math.inf
        self.probe: Probe | None = None
        self._limit = limit
        self._freed = freed
        self._looks = Looks()
        self._set_at = -math.inf  # the burst that it was learnt from
        self._is_lowered = False

    # -- a burst of refusals

    def suspect(self, trip: float) -> None:
        """A burst has begun: it may be that ends are noticed late, so let freed places rest."""
        if self.height == math.inf and not self._freed.pause:
            self._freed.let_rest(trip)
            self._freed.in_doubt = True

    def dismiss(self) -> None:
        """The burst was no sign."""
        if self.height == math.inf:
            self._freed.pause, self._freed.in_doubt = 0.0, False

    def learn_from(self, burst: Burst, trip: float) -> bool:
        """Set or defend the ceiling after a burst that was a sign; False if none explains it."""
        if self.height == math.inf or burst.kept > self.height:
            self._set(burst.kept, burst.at)
            self._set_at = burst.at
            return True
        if burst.refusals > 2 and burst.refusals >= self.height / 5:
            return False
        if not self._freed.pause:
            self._freed.let_rest(trip)
            self._looks.come_soon(burst.at)
            return True
        if self._is_lowered:
            return False
        self._set(self.height - 1, burst.at)
        self._is_lowered = True
        return True

    def late_news(self, judged_at: float) -> None:
        """One more was refused in the burst of `judged_at`: was the ceiling learnt from that?"""
        if self._set_at == judged_at:
            self.height = self._limit.value = max(1.0, self.height - 1)

    def give_up(self) -> None:
        """What is limited is no number at once."""
        self.height = math.inf
        self.probe = None
        self._freed.pause = 0.0

    def _set(self, height: float, now: float) -> None:
        self.height = self._limit.value = max(1.0, height)
        self._is_lowered = False
        self.probe = None
        self._looks.new_ceiling(now)

    # -- looks above

    def look_above(self, now: float) -> None:
        """Begin a look if one is due: with more places, or without rests if those are in doubt."""
        freed, looks = self._freed, self._looks
        if now < looks.due:
            return
        self.probe = Probe(now, 2 * int(self.height), freed.pause)
        looks.due = math.inf
        if freed.in_doubt and looks.in_vain:
            freed.pause = 0.0
        else:
            self._limit.value = self.height + looks.places
            if freed.pause:
                freed.add(now)

    def probe_accepted(self, now: float, began: float) -> None:
        """Count a success for the look that goes on, if there is one."""
        probe = self.probe
        if probe is None or probe.ended <= now:
            return
        if began >= probe.began:
            probe.left -= 1
        if probe.left:
            return
        self.probe = None
        if self._limit.value > self.height:
            self.height += self._looks.places
            self._looks.passed(now)
        else:  # places need not rest
            self._freed.in_doubt = False
            self._looks.brought_nothing(now)

    def probe_refused(self, now: float, began: float) -> bool:
        """Whether a refused request belongs to a look, which has failed then: all is as before."""
        probe = self.probe
        if probe is None or not probe.began <= began <= probe.ended:
            return False
        if probe.ended > now:
            probe.ended = now
            self._freed.pause = probe.pause
            if self._limit.value > self.height:
                self._limit.value = self.height
            else:  # places need to rest
                self._freed.in_doubt = False
            self._looks.failed(now)
        return True

    def begin_anew(self, now: float) -> None:
        """Nothing ran for minutes: look at once whether it still holds."""
        self.probe = None
        self._looks.begin_anew(now)
