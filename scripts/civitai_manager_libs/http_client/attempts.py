"""Trying again: the one loop that retries."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Callable, TypeVar

from ..civitai import urls
from ..errors import CancelledError, CivitaiError, RateLimitedError
from . import retry, slots, wire
from .pacing import throttle

log = logging.getLogger(__name__)

T = TypeVar('T')


class Attempts:
    """Runs attempts until they succeed or `retry.decide` ends them.

    `sleep(seconds)` replaces the waits, which otherwise end at once when the request is
    cancelled; `chance()` gives numbers in [0, 1) for the jitter. `slept` is how many seconds
    passed for us, but not for the world, through a given `sleep`.
    """

    def __init__(self, sleep: Callable[[float], None] | None, chance: Callable[[], float]) -> None:
        self.slept = 0.0
        self._sleep = sleep
        self._chance = chance

    def now(self) -> float:
        """Seconds of a clock that is never set, and includes what was slept."""
        return time.monotonic() + self.slept

    def run(
        self,
        url: str,
        attempt: Callable[[], T],
        policy: retry.RetryPolicy,
        stop: threading.Event,
        base_url: str,
    ) -> T:
        """Return what `attempt` returns. Raises the CivitaiError of the last try.

        Answers of the API at `base_url` are treated as `retry.decide` says.
        """
        tries = refusals = 0
        first_failure, told, began = math.inf, -math.inf, self.now()
        grace = (retry.WHOLE_PATIENCE - 1) * policy.patience
        while True:
            try:
                if stop.is_set():
                    raise CancelledError(url=urls.redact(url))
                return attempt()
            except CivitaiError as error:
                if stop.is_set() and not isinstance(error, CancelledError):
                    error = CancelledError(url=urls.redact(url))
                first_failure = min(first_failure, self.now())
                since = max(self.now() - first_failure, self.now() - began - grace)
                refused = isinstance(error, RateLimitedError)
                tries, refusals = tries + (not refused), refusals + 1 if refused else 0  # in a row
                count, most = (refusals, policy.refusals) if refused else (tries, policy.tries)
                # where it happened: a redirect may have led away from the API
                from_api, chance = urls.is_api(error.url, base_url), self._chance()
                decision = retry.decide(
                    policy, count, error, from_api=from_api, chance=chance, since=since
                )
                if not isinstance(decision, retry.Wait):
                    raise error
                log.info('%s: %s Again in %.1f s.', urls.redact(url), error, decision.seconds)
                is_long = since + decision.seconds > throttle.TOLD_SECONDS
                if is_long and self.now() - told > throttle.TOLD_AGAIN:
                    left = policy.patience - since
                    wire.tell_wait(error, decision.seconds, tries=(count + 1, most), left=left)
                    told = self.now()
            self._pause(decision.seconds, stop)

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        with slots.lent(stop):
            if self._sleep is not None:
                self.slept += seconds
                self._sleep(seconds)
            else:
                stop.wait(seconds)
