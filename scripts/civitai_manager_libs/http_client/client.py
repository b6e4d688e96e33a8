"""The one client through which every byte comes: `CivitaiHttpClient`.

A question goes down step by step: this face; the memory of what failed (`failures`); the loop of
tries (`attempts`); one question and its answer (`exchange`); the wire.
"""

from __future__ import annotations

import copy
import math
import os
import random
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Mapping, TypeVar

import requests

from .. import __version__, forks, setting
from ..civitai import keys, urls
from ..errors import CivitaiError
from ..store import files
from . import bodies, hurry, retry, slots
from .attempts import Attempts
from .exchange import Exchange, Terms
from .failures import Failures
from .outgoing import Request, is_json, new_session
from .resume import Span
from .single_flight import SingleFlight
from .sources import Source, Take

T = TypeVar('T')
Headers = Mapping[str, str]

# Civitai treats agents that name a browser like one and answers with pages and log-in redirects.
USER_AGENT = f'CivitaiGallery/{__version__}'

# Who looks at the screen is told by then; the last request may take as long again. Seconds.
PATIENCE_OF_A_PERSON = 25.0

_JSON_HEADERS = {'Accept': 'application/json', 'Accept-Encoding': 'gzip'}
_FILE_HEADERS = {'Accept': '*/*', 'Accept-Encoding': 'identity'}

# What this process fetches now, whichever client does.
_under_way: SingleFlight[None] = SingleFlight()


class CivitaiHttpClient:
    """A session with retries, for many threads at once.

    api_key, timeout (seconds), max_retries (further tries after the first) and retry_delay
    (seconds before the first of them) come from the settings, read when they are needed, where
    None is given. `sleep`, `clock` and `chance` exist so that time can be tested.

    The fetch_* methods raise a CivitaiError; the others return None or False instead, and
    `failure_for(url)` tells why.
    """

    def __init__(
        self,
        api_key: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        retry_delay: float | None = None,
        *,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._api_key = api_key
        self._timeout = timeout
        self._max_retries = max_retries
        self._retry_delay = retry_delay
        self._closed = forks.Event()
        self._stop: threading.Event = self._closed
        self._patience = math.inf
        self._failures = Failures(clock)
        self._attempts = Attempts(sleep, chance)
        self.session = new_session(USER_AGENT)
        self._exchange = Exchange(self.session, clock, self._attempts.now)

    # -- lenient: None or False instead of an error ------------------------------------------

    def get_json(self, url: str, params: Mapping[str, object] | None = None) -> Any | None:
        """Return the decoded JSON answer to a GET, None on failure."""
        return _lenient(lambda: self.fetch_json(url, params))

    def post_json(self, url: str, json_data: object = None) -> Any | None:
        """Return the decoded JSON answer to a POST of `json_data`, None on failure."""
        return _lenient(lambda: self.fetch_json(url, method='POST', json_data=json_data))

    def get_stream(self, url: str, headers: Headers | None = None) -> requests.Response | None:
        """Return a streaming answer that the caller reads and closes, None on failure."""
        return _lenient(lambda: self.fetch_stream(url, headers))

    get_stream_response = get_stream

    def download_file(
        self, url: str, filepath: str | Path, progress_callback: bodies.Progress | None = None
    ) -> bool:
        """Save `url` as `filepath`; True if it is there whole. See `fetch_file`."""
        target = os.fspath(filepath)
        return _lenient(lambda: self._fetch_file(url, target, progress_callback)) is not None

    def failure_for(self, url: str) -> CivitaiError | None:
        """Return why the last fetch of `url` failed, None if it did not or is long ago."""
        return self._failures.of(url)

    def for_a_person(self) -> CivitaiHttpClient:
        """Return this client for what somebody waits for: it gives up within a minute."""
        client = copy.copy(self)
        client._patience = PATIENCE_OF_A_PERSON
        return client

    def until(self, stop: threading.Event) -> CivitaiHttpClient:
        """Return this client for a work: once `stop` is set, its waits and reads end."""
        client = copy.copy(self)
        client._stop = stop
        return client

    # -- raising -----------------------------------------------------------------------------

    def fetch_json(
        self,
        url: str,
        params: Mapping[str, object] | None = None,
        *,
        method: str = 'GET',
        json_data: object = None,
        cancel: threading.Event | None = None,
    ) -> Any:
        """Return the decoded JSON answer. `cancel`, once set, ends it. Raises CivitaiError."""
        if not is_json(json_data):
            with self._failures.noted(url, None):
                raise CivitaiError('error_no_json', url=urls.redact(url))
        request = Request(url, _JSON_HEADERS, method, params, json_data)
        terms = self._terms(setting.http_timeout, cancel)
        with self._failures.noted(url, self._question(request)):
            return self._tried(url, lambda: self._exchange.json(request, terms), terms)

    def fetch_stream(
        self,
        url: str,
        headers: Headers | None = None,
        *,
        cancel: threading.Event | None = None,
    ) -> requests.Response:
        """Return a streaming answer that the caller reads and closes. Raises CivitaiError."""
        request = Request(url, {**_FILE_HEADERS, **(headers or {})})
        terms = self._terms(setting.gallery_download_timeout, cancel)
        with self._failures.noted(url, self._question(request)):
            return self._tried(url, lambda: self._exchange.stream(request, terms), terms)

    def fetch_file(
        self,
        url: str,
        filepath: str | Path,
        progress_callback: bodies.Progress | None = None,
        *,
        cancel: threading.Event | None = None,
    ) -> Path:
        """Save `url` as `filepath` and return that path.

        The bytes go to a part file beside it, which takes the name only when it is whole and
        holds what the name says; on failure nothing is left. A transfer that breaks off is gone
        on with where the server can tell that the file is still the same. Who asks for a file that
        is under way already waits for it. `progress_callback` gets bytes done and bytes in all (0
        if unknown). `cancel`, once set, stops waits and reads.
        Raises CivitaiError.
        """
        return Path(self._fetch_file(url, str(Path(filepath)), progress_callback, cancel))

    def _fetch_file(
        self,
        url: str,
        target: str,
        progress_callback: bodies.Progress | None,
        cancel: threading.Event | None = None,
    ) -> str:
        request = Request(url, _FILE_HEADERS)
        limit = bodies.limit_for(url, target)
        patience = PATIENCE_OF_A_PERSON if limit else None  # what is limited is for show
        terms = self._terms(setting.gallery_download_timeout, cancel, patience)

        def fetch() -> None:
            with files.part_name(target) as part:
                transfer = bodies.FileTransfer(part, target, terms.stop, progress_callback, limit)
                self._tried(url, lambda: self._received(request, terms, transfer), terms)

        with self._failures.noted(url, self._question(request)):
            what = url, os.path.abspath(target), hash(terms.key)
            _, did_it = _under_way.run(what, fetch, terms.stop)
        if progress_callback and not did_it:
            size = os.stat(target).st_size
            progress_callback(size, size)
        return target

    def fetch_part(
        self,
        source: Source,
        span: Callable[[], Span],
        take: Take,
        *,
        at_once: int = 1,
        cancel: threading.Event | None = None,
    ) -> None:
        """Have `take` receive bytes of the file at `source`: those that `span` tells at each try.

        The body that it gets may be the whole file instead, see `Span.course`; what it does not
        read of it is left. `at_once` is how many such parts may come at the same time.
        Raises CivitaiError, and what `take` raises; after a TransferError it is tried again.
        """
        terms = self._terms(setting.download_timeout, cancel)
        terms = replace(terms, at_once=at_once)
        retries = setting.download_max_retries if self._max_retries is None else self._max_retries
        delay = setting.download_retry_delay if self._retry_delay is None else self._retry_delay
        policy = retry.RetryPolicy(tries=retries + 1, first_delay=delay)

        def attempt() -> None:
            request = Request(source.url, {**_FILE_HEADERS, **span().headers()})
            self._exchange.part(request, terms, source, take)

        self._attempts.run(source.url, attempt, policy, terms.stop, setting.civitai_base_url)

    def update_api_key(self, key: str) -> None:
        """Use `key` from now on; '' for none. Raises SourceError if it cannot be a key."""
        self._api_key = keys.usable_key(key)

    def close(self) -> None:
        """End the requests without a `cancel` of their own, and close the connections."""
        self._closed.set()
        self.session.close()

    # -- inside ------------------------------------------------------------------------------

    def _received(self, request: Request, terms: Terms, transfer: bodies.FileTransfer) -> None:
        try:
            self._exchange.receive(request, terms, transfer)
        except CivitaiError as error:
            if hurry.gives_up(error) and not transfer.held.size:
                error.transient = False  # another address is asked before this one again
            raise

    def _key(self) -> str:
        return setting.civitai_api_key if self._api_key is None else self._api_key

    def _terms(
        self, seconds: float, cancel: threading.Event | None, patience: float | None = None
    ) -> Terms:
        wanted = seconds if self._timeout is None else self._timeout
        stop, now = slots.stop_here(cancel or self._stop), self._attempts.now()
        patience = self._patience if patience is None else patience
        return Terms(self._key(), wanted, stop, now, patience)

    def _question(self, request: Request) -> tuple[str, ...]:
        """What makes two questions to one address the same."""
        return self._key(), request.method, str(request.params), str(request.json_data)

    def _tried(self, url: str, attempt: Callable[[], T], terms: Terms) -> T:
        retries = setting.http_max_retries if self._max_retries is None else self._max_retries
        delay = setting.http_retry_delay if self._retry_delay is None else self._retry_delay
        policy = retry.RetryPolicy(tries=retries + 1, first_delay=delay, patience=terms.patience)
        return self._attempts.run(url, attempt, policy, terms.stop, setting.civitai_base_url)


def _lenient(fetch: Callable[[], T]) -> T | None:
    """The value of `fetch`, None where it raises a CivitaiError (logged already)."""
    try:
        return fetch()
    except CivitaiError:
        return None


_clients: list[CivitaiHttpClient] = []
_clients_lock = forks.Lock()


def get_http_client() -> CivitaiHttpClient:
    """Return the client of this process, made at the first call."""
    if not _clients:
        with _clients_lock:
            if not _clients:
                _clients.append(CivitaiHttpClient())
    return _clients[0]
