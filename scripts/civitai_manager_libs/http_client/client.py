"""The one client through which every byte comes: `CivitaiHttpClient`.

Redirects and retries are followed here, one by one, so that every address is checked and the API
key never leaves the configured host.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Collection, Iterator, Mapping, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

import requests

from .. import __version__, setting
from ..civitai import urls
from ..errors import CivitaiError, UrlRefusedError, error_for_status
from ..store import files
from . import answers, bodies, retry, wire
from .attempts import Attempts, lenient
from .connections import here
from .outgoing import Proxies, Request, new_session, without_key
from .pacing import budget
from .pacing.pace import Pace
from .pacing.throttle import Throttle, Turn
from .watch import Guard, Watch

T = TypeVar('T')
Headers = Mapping[str, str]

# Civitai treats agents that name a browser like one and answers with pages and log-in redirects.
USER_AGENT = f'CivitaiGallery/{__version__}'
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 8

_JSON_HEADERS = {'Accept': 'application/json', 'Accept-Encoding': 'gzip'}
_FILE_HEADERS = {'Accept': '*/*', 'Accept-Encoding': 'identity'}


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
        self._clock = clock
        self._attempts = Attempts(sleep, clock, chance)
        self._throttle = Throttle(lambda: time.monotonic() + self._attempts.slept)
        self._watch = Watch()
        self._closed = threading.Event()
        self._proxies = Proxies()
        self.session = new_session(USER_AGENT)

    # -- lenient: None or False instead of an error ------------------------------------------

    def get_json(self, url: str, params: Mapping[str, object] | None = None) -> Any | None:
        """Return the decoded JSON answer to a GET, None on failure."""
        return lenient(lambda: self.fetch_json(url, params))

    def post_json(self, url: str, json_data: object = None) -> Any | None:
        """Return the decoded JSON answer to a POST of `json_data`, None on failure."""
        return lenient(lambda: self.fetch_json(url, method='POST', json_data=json_data))

    def get_stream(self, url: str, headers: Headers | None = None) -> requests.Response | None:
        """Return a streaming answer that the caller reads and closes, None on failure."""
        return lenient(lambda: self.fetch_stream(url, headers))

    get_stream_response = get_stream

    def download_file(
        self, url: str, filepath: str | Path, progress_callback: bodies.Progress | None = None
    ) -> bool:
        """Save `url` as `filepath`; True if it is there whole. See `fetch_file`."""
        return lenient(lambda: self.fetch_file(url, filepath, progress_callback)) is not None

    def failure_for(self, url: str) -> CivitaiError | None:
        """Return why the last fetch of `url` failed, None if it did not or is long ago."""
        return self._attempts.failure_for(url)

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
        """Return the decoded JSON answer. Raises CivitaiError."""
        stop = cancel or self._closed

        def attempt() -> Any:
            request = Request(url, _JSON_HEADERS, method, params, json_data)
            with self._answer(request, setting.http_timeout, stop) as answer:
                return bodies.read_json(answer.body)

        return self._noted(url, lambda: self._tries(url, attempt, stop), method, params, json_data)

    def fetch_stream(
        self,
        url: str,
        headers: Headers | None = None,
        *,
        cancel: threading.Event | None = None,
    ) -> requests.Response:
        """Return a streaming answer that the caller reads and closes. Raises CivitaiError."""
        stop = cancel or self._closed

        def attempt() -> requests.Response:
            request = Request(url, {**_FILE_HEADERS, **(headers or {})})
            seconds = setting.gallery_download_timeout
            with self._answer(request, seconds, stop, keep_open=True) as answer:
                return without_key(answer.response)

        return self._noted(url, lambda: self._tries(url, attempt, stop))

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
        on with where the server can tell that the file is still the same. `progress_callback`
        gets bytes done and bytes in all (0 if unknown). `cancel`, once set, stops waits and reads.
        Raises CivitaiError.
        """
        target, stop = Path(filepath), cancel or self._closed
        limit = bodies.limit_for(url, target)

        def fetch() -> Path:
            with files.part_file(target) as part:
                transfer = bodies.FileTransfer(part, target, stop, progress_callback, limit)
                self._tries(url, lambda: self._receive(url, transfer), stop)
            return target

        return self._noted(url, fetch)

    def update_api_key(self, key: str) -> None:
        """Use `key` from now on; '' for none. Raises SourceError if it cannot be a key."""
        self._api_key = urls.usable_key(key)

    def close(self) -> None:
        """End the requests without a `cancel` of their own, and close the connections."""
        self._closed.set()
        self.session.close()

    # -- inside ------------------------------------------------------------------------------

    def _noted(self, url: str, work: Callable[[], T], *details: object) -> T:
        """Do `work`, which asks `url` for `details`; what fails is logged and remembered."""
        question = self._key(), *map(str, details)
        self._attempts.check(url, question)
        try:
            result = work()
        except CivitaiError as error:
            self._attempts.note(url, error, question)
            raise
        self._attempts.forget(url)
        return result

    def _tries(self, url: str, attempt: Callable[[], T], stop: threading.Event) -> T:
        retries = setting.http_max_retries if self._max_retries is None else self._max_retries
        delay = setting.http_retry_delay if self._retry_delay is None else self._retry_delay
        policy = retry.RetryPolicy(tries=retries + 1, first_delay=delay)
        return self._attempts.run(url, attempt, policy, stop, setting.civitai_base_url)

    def _receive(self, url: str, transfer: bodies.FileTransfer) -> None:
        """One try to get a file, or the rest of it."""
        rest = transfer.held.range_headers()
        request = Request(url, {**_FILE_HEADERS, **rest})
        seconds, also = setting.gallery_download_timeout, (416,) if rest else ()
        with self._answer(request, seconds, transfer.stop, also=also) as answer:
            transfer.receive(answer.body)

    @contextmanager
    def _answer(
        self,
        request: Request,
        timeout: float,
        stop: threading.Event,
        *,
        also: Collection[int] = (),
        keep_open: bool = False,
    ) -> Iterator[_Answer]:
        """Send `request`, follow redirects; give an answer below 400 or of a status in `also`.

        It is closed at the end, unless `keep_open`. Raises CivitaiError.
        """
        seconds = timeout if self._timeout is None else self._timeout
        base = setting.civitai_base_url
        urls.check_first(request.url, base, setting.extra_host_names())
        key = self._key()
        with self._watch.over(stop) as guard:
            for _ in range(MAX_REDIRECTS + 1):
                # once it led elsewhere, nobody gets the key any more
                key = urls.usable_key(key) if urls.may_send_key(request.url, base) else ''
                with self._turn(request.url, base, stop) as turn:
                    guard.on_stall = turn.stalled
                    response = self._send(request, seconds, key, guard)
                    is_kept = False
                    try:
                        if not response.is_redirect:
                            self._check_status(response, key, turn, guard, also)
                            turn.first_byte(here.first_byte)
                            yield _Answer(response, wire.body_of(response, guard, seconds, key))
                            is_kept = keep_open
                            return
                        wire.read_little(response, guard)
                    finally:
                        if not is_kept:
                            response.close()
                request = _led_to(request, response, base)
        raise UrlRefusedError('error_redirects', url=urls.redact(request.url))

    def _send(self, request: Request, seconds: float, key: str, guard: Guard) -> requests.Response:
        """Send `request` and wait for the head of its answer. Raises CivitaiError."""
        url, here.guard, here.first_byte, guard.sock = request.url, guard, None, None
        try:
            with guard.within(CONNECT_TIMEOUT + seconds):
                # Not session.send: it would read the whole body of a redirect, however long.
                response = self.session.get_adapter(url).send(
                    request.prepared(self.session, key),
                    stream=True,
                    timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                    verify=cast('bool | str', self.session.verify),
                    proxies=self._proxies.of(url),
                )
                wire.check(guard, url)  # a head that we cut short looks like a whole one
                return response
        except wire.TROUBLE as error:
            if isinstance(error, requests.RequestException):
                error.request = None  # it holds the key
            wire.check(guard, url)
            raise wire.translated(error, url) from error

    def _check_status(
        self,
        response: requests.Response,
        key: str,
        turn: Turn,
        guard: Guard,
        also: Collection[int],
    ) -> None:
        """Raise what the status of `response` means, unless it is good or in `also`."""
        status = response.status_code
        if status < 400 or status in also:
            return
        words = answers.site_words(wire.read_little(response, guard), key)
        wait = retry.parse_retry_after(response.headers.get('Retry-After'), self._clock())
        error = error_for_status(
            status, url=urls.redact(response.url), retry_after=wait, detail=words
        )
        # a host that is not to be asked today is waited for by nobody
        if status in (429, 503) and (wait or 0) <= retry.RetryPolicy.max_retry_after:
            is_clear = status == 429 or wait is not None
            error.transient = not turn.refused(wait, is_clear=is_clear)
        raise error

    def _key(self) -> str:
        return setting.civitai_api_key if self._api_key is None else self._api_key

    def _turn(self, url: str, base: str, stop: threading.Event) -> Turn:
        """A turn to send a request to the host of `url`; the API has a budget of its own."""
        if urls.is_api(url, base):
            return self._throttle.turn(f'API {base}', stop, budget.of_the_api)
        top = max(1, setting.gallery_max_concurrent_downloads)
        return self._throttle.turn(urlsplit(url).netloc, stop, lambda: Pace(top), top)


class _Answer(NamedTuple):
    response: requests.Response
    body: bodies.Body


def _led_to(request: Request, response: requests.Response, base: str) -> Request:
    """Return the request that the redirect `response` makes of `request`."""
    if request.method != 'GET' and response.status_code not in (307, 308):
        raise error_for_status(response.status_code, url=urls.redact(request.url))
    return request.to(urls.redirect_target(request.url, response.headers['Location'], base))


_clients: list[CivitaiHttpClient] = []
_clients_lock = threading.Lock()


def get_http_client() -> CivitaiHttpClient:
    """Return the client of this process, made at the first call."""
    with _clients_lock:
        if not _clients:
            _clients.append(CivitaiHttpClient())
        return _clients[0]


if hasattr(os, 'register_at_fork'):  # two processes must not speak on one connection
    os.register_at_fork(after_in_child=_clients.clear)
