"""The memory of what failed, by address: what is not there is not asked for at once again."""

from __future__ import annotations

import copy
import logging
from collections import OrderedDict
from contextlib import contextmanager
from typing import Callable, Hashable, Iterator, NamedTuple

from .. import forks
from ..civitai import urls
from ..errors import CancelledError, CivitaiError, GoneError, NotFoundError
from . import retry

log = logging.getLogger(__name__)

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


class _Forward:
    """The seconds of a clock that may be set: what it is set back does not count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._passed = 0.0
        self._lock = forks.Lock()

    def __call__(self) -> float:
        with self._lock:
            now = self._clock()
            self._passed += max(0.0, now - self._last)
            self._last = now
            return self._passed


class Failures:
    """Why the last question to an address failed. `clock()` is the time in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = _Forward(clock)
        self._failures: OrderedDict[str, _Failure] = OrderedDict()
        self._closed: dict[str, tuple[float, CivitaiError]] = {}
        self._lock = forks.Lock()

    def of(self, url: str) -> CivitaiError | None:
        """Return why the last question to `url` failed, None if it did not or is long ago."""
        with self._lock:
            failure = self._failures.get(url)
        return failure.error if failure else None

    @contextmanager
    def noted(self, url: str, question: Hashable) -> Iterator[None]:
        """What is done inside asks `question` of `url`; if it fails, that is logged and remembered.

        Raises again what `question` led to a while ago, if that was 404 or 410. Where a host has
        just said to come back in hours, what was not asked yet is not asked now.
        """
        self._check(url, question)
        try:
            yield
        except CivitaiError as error:
            self._note(url, error, question)
            raise
        self._forget(url)

    def _check(self, url: str, question: Hashable) -> None:
        if not (self._failures or self._closed):  # as a rule
            return
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
            and self._clock() - failure.when < ABSENT_SECONDS
        ):
            raise copy.copy(failure.error)

    def _note(self, url: str, error: CivitaiError, question: Hashable) -> None:
        level = logging.INFO if isinstance(error, CancelledError) else logging.WARNING
        log.log(level, '%s: %s', urls.redact(url), error)
        # a copy has no traceback, which would keep buffers and answers alive with it
        failure = _Failure(copy.copy(error), self._clock(), hash(question))
        is_about_the_host = error.status in (429, 503)
        if is_about_the_host and (error.retry_after or 0.0) > retry.RetryPolicy.max_retry_after:
            # a redirect may have led to a host that speaks for itself only
            place, now = _place(error.url or url), self._clock()
            with self._lock:
                for other, (until, _) in list(self._closed.items()):
                    if until <= now:
                        del self._closed[other]
                self._closed[place] = now + CLOSED_SECONDS, failure.error
        self._remember(url, failure)

    def _remember(self, url: str, failure: _Failure) -> None:
        with self._lock:
            self._failures.pop(url, None)
            self._failures[url] = failure
            if len(self._failures) > REMEMBERED_FAILURES:
                self._failures.popitem(last=False)

    def _forget(self, url: str) -> None:
        if url in self._failures:
            with self._lock:
                self._failures.pop(url, None)
                self._closed.pop(_place(url), None)


def _place(url: str) -> str:
    """The host of `url`, the API apart from the rest."""
    parts = url.split('/', 4)
    return '/'.join(parts[2:4] if parts[3:4] == ['api'] else parts[2:3])
