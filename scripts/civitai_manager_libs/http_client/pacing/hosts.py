"""What is known of one host: its pace, who waits for it, and what it refused."""

from __future__ import annotations

import copy
import math
import threading
from collections import deque
from contextlib import contextmanager
from typing import Deque, Iterator, Union

from ...errors import CivitaiError
from .budget import Budget
from .pace import Pace

# After so many refusals and seconds without a success, refusals are final: a host that is down
# would otherwise keep a large batch waiting for hours.
LOST_REFUSALS, LOST_SECONDS = 40, 60.0

# Whom a host lets wait for longer lends the slot meanwhile. Seconds.
LENT_FROM = 0.5

# So many refusals among so many ends are no accident.
MANY, RECENT = 6, 32

AnyPace = Union[Pace, Budget]


class Host:
    """The pace of one host and who waits for it, the longest waiting first.

    Background work waits in a line of its own, which moves while there is nobody in the other.
    """

    def __init__(self, pace: AnyPace) -> None:
        self.pace = pace
        self.lock = threading.Lock()  # held for every use of what is here
        self.waiting: Deque[threading.Lock] = deque()
        self.background: Deque[threading.Lock] = deque()
        self.people = 0  # who are in `waiting`, or will be after a pause that the host asked for
        self.asked_at = -math.inf
        self.lent = 0  # places of requests that have stalled
        self.refusals = 0  # since the last success, the first of them at:
        self.refused_since = math.inf
        self.trouble: CivitaiError | None = None  # the last of what may pass, refusals too, at:
        self.troubled_at = -math.inf
        self.troubled_since = math.inf  # since when there was nothing else
        self.fruitless_since = math.inf  # when the first that ended so began
        self.answered_at = -math.inf
        self.recent: Deque[bool] = deque(maxlen=RECENT)  # whether the last ones were refused

    def is_idle(self, now: float) -> bool:
        """Whether nobody asks it or waits to, and it has not refused anything of late."""
        line = self.waiting or self.background
        busy = self.pace.running or self.lent or line or self.pace.held(now)
        return not busy and now - self.troubled_at > LOST_SECONDS

    def is_paused(self, now: float) -> bool:
        """Whether nobody may ask it for so long that who waits can lend their slot."""
        return self.pace.held(now) > LENT_FROM

    def count_refusal(self, now: float, error: CivitaiError | None) -> tuple[bool, bool]:
        """Tell whether there were only refusals for too long, and whether there are many now."""
        with self.lock:
            self.refusals += 1
            self.count_trouble(now, error, now)
            self.refused_since = min(self.refused_since, now)
            self.recent.append(True)
            is_lost = self.refusals > LOST_REFUSALS and now - self.refused_since > LOST_SECONDS
            return is_lost, sum(self.recent) >= MANY

    def count_trouble(self, now: float, error: CivitaiError | None, began: float) -> None:
        """Count what may be different the next time; when it `began`. With the lock."""
        self.trouble, self.troubled_at = error, now
        self.troubled_since = min(self.troubled_since, now)
        self.fruitless_since = min(self.fruitless_since, max(began, self.answered_at))

    def count_answer(self, now: float) -> None:
        """Count an answer that is one, be it good or not. With the lock."""
        self.trouble, self.answered_at = None, now
        self.troubled_since = self.fruitless_since = math.inf

    def in_vain(
        self, now: float, asked: float, patience: float, wanted: float = math.inf
    ) -> CivitaiError | None:
        """Return the last trouble, for good, if there was nothing else for `patience` seconds.

        The host's troubles count and not how long one waits: otherwise each of hundreds of
        pictures would wait anew. Those from before something was `asked` say nothing about now,
        unless the host said not to come yet. Who asks for one of many after others of them failed,
        all `wanted` since, has those wait for them already. With the lock.
        """
        is_news = min(asked, wanted) > self.troubled_at and not self.pace.held(now)
        # who came after the trouble began, or has sat out as much of its own before that was told
        is_late = asked > self.troubled_since or now - asked > patience
        since = self.fruitless_since if is_late else self.troubled_since
        if self.trouble is None or is_news or now - since <= patience:
            return None
        error = copy.copy(self.trouble)
        error.transient = False
        return error

    def first(self) -> threading.Lock | None:
        """Return who is to go next, None if nobody is. With the lock."""
        if self.waiting:
            return self.waiting[0]
        return self.background[0] if self.background and not self.people else None

    def has_others_before(self, line: Deque[threading.Lock]) -> bool:
        """Whether who comes to `line` now has to wait for others. With the lock."""
        return bool(line or self.waiting or (line is self.background and self.people))

    @contextmanager
    def expecting(self, line: Deque[threading.Lock]) -> Iterator[None]:
        """Keep the next turn from background work while one of `line` waits for a turn inside."""
        is_person = line is self.waiting
        with self.lock:
            self.people += is_person
        try:
            yield
        finally:
            with self.lock:
                self.people -= is_person
                self.call_next()

    def call_next(self) -> None:
        """Wake who is to go next. With the lock."""
        first = self.first()
        if first is not None and first.locked():
            first.release()

    def lend(self, seconds: float) -> bool:
        """Lend the place of a request that has stalled for `seconds`, unless many are lent.

        With the lock.
        """
        pace = self.pace
        if self.lent >= max(1, pace.limit // 4):
            return False
        pace.trip = max(pace.trip, seconds)
        pace.running -= 1
        self.lent += 1
        self.call_next()
        return True

    def take_back(self) -> None:
        """End what `lend` began. With the lock."""
        self.lent -= 1
        self.pace.running += 1
