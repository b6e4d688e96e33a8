"""What the server does to a request: faults by picture, and four ways to limit a client."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Mapping

# One picture in a hundred each, by the last two digits of its number; first try only. The one that
# costs most stands in the middle, neither early enough to be made up for nor right at the end.
FAULTS: Mapping[int, str] = {10: '500', 30: '503', 50: 'stall', 70: 'reset', 90: 'truncated'}

NO_LIMIT, REFUSES, RATE, QUEUES = 'none', 'refuses', 'rate', 'queues'
RULES = (NO_LIMIT, REFUSES, RATE, QUEUES)

AT_ONCE = 8  # how many requests REFUSES and QUEUES work on
PER_SECOND = 60.0  # what RATE allows in the long run
BURST = 20.0  # and beyond that at once


def fault_of(number: int) -> str:
    """What goes wrong with picture `number` at its first try; '' if nothing."""
    return FAULTS.get(number % 100, '')


@dataclass
class Gate:
    """Lets requests in by one of `RULES`. Knows no clock: moments, in seconds, are handed in.

    `enter` calls `work` now, later (when `leave` made room) or, where the rule refuses, never.
    """

    rule: str = NO_LIMIT
    inside: int = 0
    most_inside: int = 0
    refused: int = 0
    _tokens: float = BURST
    _filled: float = 0.0
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def enter(self, now: float, work: Callable[[], None]) -> bool:
        """Take in a request; False if it is refused."""
        if self._refuses(now):
            self.refused += 1
            return False
        if self.rule == QUEUES and self.inside >= AT_ONCE:
            self._waiting.append(work)
        else:
            self._begin(work)
        return True

    def leave(self) -> None:
        """Note that one is done; the next of those that wait begins."""
        self.inside -= 1
        if self._waiting:
            self._begin(self._waiting.popleft())

    def retry_after(self) -> str:
        """The header that a refusal carries, as lines; a server that limits a rate gives none."""
        return 'Retry-After: 1\r\n' if self.rule == REFUSES else ''

    def _begin(self, work: Callable[[], None]) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        work()

    def _refuses(self, now: float) -> bool:
        if self.rule == REFUSES:
            return self.inside >= AT_ONCE
        if self.rule != RATE:
            return False
        self._tokens = min(BURST, self._tokens + (now - self._filled) * PER_SECOND)
        self._filled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False
