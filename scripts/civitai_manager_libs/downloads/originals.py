"""One original, by whichever of its addresses it can be had."""

from __future__ import annotations

import copy
import logging

from ..civitai import urls
from ..errors import (
    AnswerError,
    RateLimitedError,
    TimedOutError,
    TransferError,
    WrongContentError,
)
from ..http_client import hurry
from .plan import DownloadJob, Fetch

log = logging.getLogger(__name__)

_FAILURES = (AnswerError, TransferError, WrongContentError)

# Files fetched since the start that are copies made by Civitai, not what was uploaded.
_copies: set[str] = set()


def is_copy(path: str) -> bool:
    """Tell whether the file at `path` is known to be a copy instead of the original."""
    return path in _copies


def bring(job: DownloadJob, fetch: Fetch, path: str) -> bool:
    """Fetch `job` to `path`; where that fails, from the other addresses that its original has.

    One that is silent is left for the next one at once. Where none has it, the first, which may
    only have been slow, is asked with the usual patience.
    Raises the CivitaiError of the first.
    """
    elsewhere = urls.other_originals(job.url, job.wanted)
    if not elsewhere:
        return fetch(job.url, path)
    try:
        with hurry.past(TimedOutError):
            if fetch(job.url, path):
                _copies.discard(path)
                return True
            failure = None
    except RateLimitedError:
        raise  # who asks us to slow down is not gone around
    except _FAILURES as error:
        failure = copy.copy(error)
        log.info('%s: %s', urls.redact(job.url), error)
    for address in elsewhere:
        if has(address, fetch, path):
            note = _copies.add if urls.is_copy(address) else _copies.discard
            note(path)
            return True
    if isinstance(failure, TimedOutError):
        return fetch(job.url, path)
    if failure is not None:
        raise failure
    return False


def has(address: str, fetch: Fetch, path: str) -> bool:
    """Fetch what is at `address`, in one try; tell whether it is there."""
    try:
        with hurry.past(TransferError, AnswerError):
            return fetch(address, path)
    except _FAILURES as error:
        log.info('%s: %s', urls.redact(address), error)
        return False
