"""One original, by whichever of its addresses it can be had."""

from __future__ import annotations

import logging

from ..civitai import urls
from ..errors import (
    AnswerError,
    CivitaiError,
    RateLimitedError,
    TimedOutError,
    TransferError,
    WrongContentError,
)
from ..http_client import hurry
from .plan import DownloadJob, Fetch

log = logging.getLogger(__name__)


def bring(job: DownloadJob, fetch: Fetch, path: str) -> bool:
    """Fetch `job` to `path`; where that fails, from the other addresses that its original has.

    An address that is silent once is left for the next one. Where none has it, the first, which
    may only have been slow, is asked with the usual patience.
    Raises the CivitaiError of the first.
    """
    elsewhere = urls.other_originals(job.url, video=job.wanted == 'video')
    if not elsewhere:
        return fetch(job.url, path)
    failure: CivitaiError | None = None
    for address in (job.url, *elsewhere):
        try:
            with hurry.here():
                if fetch(address, path):
                    return True
        except (AnswerError, TransferError, WrongContentError) as error:
            if failure is None and isinstance(error, RateLimitedError):
                raise  # who asks us to slow down is not gone around
            failure = failure or error
            log.info('%s: %s', urls.redact(address), error)
    if isinstance(failure, TimedOutError):
        return fetch(job.url, path)
    if failure is not None:
        raise failure
    return False
