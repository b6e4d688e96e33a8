"""Trying again: the one loop that retries, and the memory of what failed."""

from __future__ import annotations

import copy
import logging
import threading
from collections import OrderedDict
from typing import Callable, Hashable, NamedTuple, TypeVar

from ..civitai import urls
from ..errors import CancelledError, CivitaiError, GoneError, NotFoundError, RateLimitedError
from . import retry, slots

log = logging.getLogger(__name__)

T = TypeVar('T')

REMEMBERED_FAILURES = 2000
# What is not there is not asked for again for so long. Civitai's own cache may say 404 for five
# minutes after something appeared.
ABSENT_SECONDS = 300.0
CLOSED_SECONDS = 30.0


class _Failure(NamedTuple):
    """A failure, its time, and what was asked, as a hash: an API key is kept nowhere."""

    error: CivitaiError
    when: float
    question: int
    was_asked: bool = True


class Attempts:
    """Runs attempts until they succeed or `retry.decide` ends them; remembers failures by URL.

    `sleep(seconds)` replaces the waits, which otherwise end at once when the request is
    cancelled; `clock()` is the time in seconds; `chance()` gives numbers in [0, 1) for the jitter.
    `slept` is how many seconds passed for us, but not for the world, through a given `sleep`.
    """

    def __init__(
        self,
        sleep: Callable[[float], None] | None,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self.slept = 0.0
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._failures: OrderedDict[str, _Failure] = OrderedDict()
        self._closed: dict[str, tuple[float, CivitaiError]] = {}
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
        tries = refusals = 0
        while True:
            try:
                if stop.is_set():
                    raise CancelledError(url=urls.redact(url))
                result = attempt()
            except CivitaiError as error:
                if stop.is_set() and not isinstance(error, CancelledError):
                    error = CancelledError(url=urls.redact(url))
                refused = isinstance(error, RateLimitedError)
                # refusals count while they come in a row
                tries, refusals = tries + (not refused), refusals + 1 if refused else 0
                decision = retry.decide(
                    policy,
                    refusals if refused else tries,
                    error,
                    # where the error happened, which a redirect may have led away from the API
                    from_api=urls.is_api(error.url, base_url),
                    chance=self._chance(),
                )
                if not isinstance(decision, retry.Wait):
                    raise error
                log.info('%s: %s Again in %.1f s.', urls.redact(url), error, decision.seconds)
                self._pause(decision.seconds, stop)
            else:
                return result

    def failure_for(self, url: str) -> CivitaiError | None:
        """Return why the last run for `url` failed, None if it did not or is long ago."""
        with self._lock:
            failure = self._failures.get(url)
        return failure.error if failure else None

    def check(self, url: str, question: Hashable) -> None:
        """Raise again what `question` to `url` led to a while ago, if that was 404 or 410.

        Where a host has just said to come back in hours, what was not asked yet is not asked now.
        """
        with self._lock:
            failure = self._failures.get(url)
            until, refusal = self._closed.get(_place(url), (0.0, None))
        is_new = failure is None or not failure.was_asked
        if refusal is not None and is_new and self._clock() < until:
            self._remember(url, _Failure(refusal, self._clock(), hash(question), False))
            raise copy.copy(refusal)
        if (
            failure is not None
            and isinstance(failure.error, (NotFoundError, GoneError))
            and failure.question == hash(question)
            and 0 <= self._clock() - failure.when < ABSENT_SECONDS
        ):
            raise copy.copy(failure.error)

    def note(self, url: str, error: CivitaiError, question: Hashable) -> None:
        """Log that `question` to `url` failed, and remember why."""
        log.warning('%s: %s', urls.redact(url), error)
        # a copy has no traceback, which would keep buffers and answers alive with it
        failure = _Failure(copy.copy(error), self._clock(), hash(question))
        if (error.retry_after or 0.0) > retry.RetryPolicy.max_retry_after:
            with self._lock:
                self._closed[_place(url)] = self._clock() + CLOSED_SECONDS, failure.error
        self._remember(url, failure)

    def _remember(self, url: str, failure: _Failure) -> None:
        with self._lock:
            self._failures.pop(url, None)
            self._failures[url] = failure
            if len(self._failures) > REMEMBERED_FAILURES:
                self._failures.popitem(last=False)

    def forget(self, url: str) -> None:
        """Forget a failure, because `url` was got."""
        if url in self._failures:
            with self._lock:
                self._failures.pop(url, None)
                self._closed.pop(_place(url), None)

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        slot = slots.current()
        if slot is not None:
            slot.lend()
        if self._sleep is not None:
            self.slept += seconds
            self._sleep(seconds)
        else:
            stop.wait(seconds)
        if slot is not None:
            slot.take_back(stop)


def lenient(fetch: Callable[[], T]) -> T | None:
    """Return the value of `fetch`, None where it raises a CivitaiError (logged already)."""
    try:
        return fetch()
    except CivitaiError:
        return None


def _place(url: str) -> str:
    """The host of `url`, the API apart from the rest."""
    parts = url.split('/', 4)
    return '/'.join(parts[2:4] if parts[3:4] == ['api'] else parts[2:3])
