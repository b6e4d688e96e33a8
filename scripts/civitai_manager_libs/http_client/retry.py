"""What to do after an attempt: pure decisions, no clock, no sleep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Union

from ..errors import CivitaiError, RateLimitedError

# A slow try may take so many times the patience: within a minute, who waits knows.
WHOLE_PATIENCE = 2.2


@dataclass(frozen=True)
class RetryPolicy:
    """How patient we are. All times in seconds.

    The n-th wait is `first_delay * 2**(n-1)`, at most `max_delay`, shortened or lengthened by
    up to `jitter` of itself so that many clients do not come back at once. A longer `first_delay`
    is each wait.
    A server that asks for more than `max_retry_after` is not waited for. Refusals (429) are
    counted apart from tries: it is us who came too fast. No try begins later than `patience`
    after the first failure, nor than `WHOLE_PATIENCE` times that after all began, when a try under
    way is ended too.
    """

    tries: int = 5
    refusals: int = 10
    first_delay: float = 0.5
    max_delay: float = 30.0
    jitter: float = 0.25
    max_retry_after: float = 120.0
    patience: float = math.inf

    def backoff(self, attempt: int, chance: float) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 1); `chance` in [0, 1)."""
        if self.first_delay > self.max_delay:  # somebody asked for just that
            return self.first_delay
        exponent = min(attempt - 1, 30)  # 2.0**1024 would overflow
        delay = min(self.first_delay * 2.0**exponent, self.max_delay)
        return delay * (1 + self.jitter * (2 * chance - 1))


@dataclass(frozen=True)
class Done:
    """The attempt succeeded."""


@dataclass(frozen=True)
class Wait:
    """Try again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class GiveUp:
    """Do not try again; `reason` is for the log."""

    reason: str


Decision = Union[Done, Wait, GiveUp]


def decide(
    policy: RetryPolicy,
    attempt: int,
    error: CivitaiError | None,
    *,
    from_api: bool,
    chance: float,
    since: float = 0.0,
) -> Decision:
    """Say what follows attempt number `attempt` (from 1) that ended in `error` (None: success).

    Attempts refused with 429 have numbers of their own.

    `from_api`: the answer came from the API. There a 429 without Retry-After is
    deterministic (page too deep, download quota), so asking again cannot help.
    `since`: seconds since the first failure.
    """
    if error is None:
        return Done()
    if not error.transient:
        return GiveUp('trying again cannot help')
    if isinstance(error, RateLimitedError) and from_api and error.retry_after is None:
        return GiveUp('refused without a time to come back')
    if error.retry_after is not None and error.retry_after > policy.max_retry_after:
        return GiveUp(f'asked to wait {error.retry_after:.0f} s')
    if attempt >= (policy.refusals if isinstance(error, RateLimitedError) else policy.tries):
        return GiveUp(f'{attempt} tries used')
    seconds = max(policy.backoff(attempt, chance), error.retry_after or 0.0)
    if since + seconds > policy.patience:
        return GiveUp(f'{policy.patience:.0f} s are as long as anybody waits for this')
    return Wait(seconds)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait from a Retry-After header (seconds or HTTP date), None if unusable.

    `now` is Unix time in seconds. A date in the past means 0.
    """
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])  # more digits than that are absurd anyway, and int() has limits
    then = parse_date(value)
    return None if then is None else max(0.0, then - now)


def parse_date(value: str | None) -> float | None:
    """Unix time in seconds of an HTTP date, None if it is none."""
    try:
        date = parsedate_to_datetime(value or '')
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
