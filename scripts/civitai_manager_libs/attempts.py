"""Trying again: the one loop that retries, and the memory of what failed."""

from __future__ import annotations

import copy
import logging
import threading
from collections import OrderedDict
from typing import Callable, TypeVar

from . import retry, urls
from .errors import CancelledError, CivitaiError

log = logging.getLogger(__name__)

T = TypeVar('T')

REMEMBERED_FAILURES = 2000


class Attempts:
    """Runs attempts until they succeed or `retry.decide` ends them; remembers failures by URL.

    `sleep(seconds)` replaces the waits, which otherwise end at once when the request is
    cancelled; `chance()` gives numbers in [0, 1) for the jitter.
    """

    def __init__(self, sleep: Callable[[float], None] | None, chance: Callable[[], float]) -> None:
        self._sleep = sleep
        self._chance = chance
        self._failures: OrderedDict[str, CivitaiError] = OrderedDict()
        self._lock = threading.Lock()

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
        tries = 0
        while True:
            tries += 1
            try:
                if stop.is_set():
                    raise CancelledError(url=urls.redact(url))
                result = attempt()
            except CivitaiError as error:
                # where the error happened, which a redirect may have led away from the API
                from_api = urls.is_api(error.url, base_url)
                decision = retry.decide(
                    policy, tries, error, from_api=from_api, chance=self._chance()
                )
                if not isinstance(decision, retry.Wait):
                    self._remember(url, error)
                    log.warning('%s: %s', urls.redact(url), error)
                    raise
                log.info('%s: %s Again in %.1f s.', urls.redact(url), error, decision.seconds)
                self._pause(decision.seconds, stop)
            else:
                self._remember(url, None)
                return result

    def failure_for(self, url: str) -> CivitaiError | None:
        """Return why the last run for `url` failed, None if it did not or is long ago."""
        with self._lock:
            return self._failures.get(url)

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        if self._sleep is not None:
            self._sleep(seconds)
        else:
            stop.wait(seconds)

    def _remember(self, url: str, error: CivitaiError | None) -> None:
        with self._lock:
            self._failures.pop(url, None)
            if error is not None:
                # a copy has no traceback, which would keep buffers and answers alive with it
                self._failures[url] = copy.copy(error)
                if len(self._failures) > REMEMBERED_FAILURES:
                    self._failures.popitem(last=False)
