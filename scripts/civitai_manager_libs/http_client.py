"""The one client through which every byte comes: `CivitaiHttpClient`.

It is the only module that knows requests and urllib3. Redirects and retries are followed here,
one by one, so that every address is checked and the API key never leaves the configured host.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import urllib.request
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, TypeVar, cast
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from . import __version__, answers, bodies, files, retry, setting, urls
from .attempts import Attempts
from .errors import (
    BodyIncompleteError,
    CivitaiError,
    ConnectionFailedError,
    SourceError,
    TimedOutError,
    TlsFailedError,
    UrlRefusedError,
    error_for_status,
)

log = logging.getLogger(__name__)

T = TypeVar('T')

# Civitai treats agents that name a browser like one and answers with pages and log-in redirects.
USER_AGENT = f'CivitaiGallery/{__version__}'
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 8
MAX_ERROR_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024

_JSON_HEADERS = {'Accept': 'application/json', 'Accept-Encoding': 'gzip, deflate'}
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
        self._attempts = Attempts(sleep, chance)
        self._closed = threading.Event()
        self._environment_proxies = urllib.request.getproxies()
        self._bypassed: dict[str, bool] = {}
        self.session = _new_session(setting.gallery_max_concurrent_downloads)

    # -- lenient: None or False instead of an error ------------------------------------------

    def get_json(self, url: str, params: Mapping[str, object] | None = None) -> Any | None:
        """Return the decoded JSON answer to a GET, None on failure."""
        return _lenient(lambda: self.fetch_json(url, params))

    def post_json(self, url: str, json_data: object = None) -> Any | None:
        """Return the decoded JSON answer to a POST of `json_data`, None on failure."""
        return _lenient(lambda: self.fetch_json(url, method='POST', json_data=json_data))

    def get_stream(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> requests.Response | None:
        """Return a streaming answer that the caller reads and closes, None on failure."""
        return _lenient(lambda: self.fetch_stream(url, headers))

    def get_stream_response(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> requests.Response | None:
        """The same as `get_stream`, under its other name."""
        return self.get_stream(url, headers)

    def download_file(
        self, url: str, filepath: str | Path, progress_callback: bodies.Progress | None = None
    ) -> bool:
        """Save `url` as `filepath`; True if it is there whole. See `fetch_file`."""
        return _lenient(lambda: self.fetch_file(url, filepath, progress_callback)) is not None

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

        def attempt() -> Any:
            request = requests.Request(
                method, url, params=params, json=json_data, headers=dict(_JSON_HEADERS)
            )
            with self._open(request, setting.http_timeout) as response:
                return bodies.read_json(_body(response))

        return self._run(url, attempt, cancel)

    def fetch_stream(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        cancel: threading.Event | None = None,
    ) -> requests.Response:
        """Return a streaming answer that the caller reads and closes. Raises CivitaiError."""

        def attempt() -> requests.Response:
            request = requests.Request('GET', url, headers={**_FILE_HEADERS, **(headers or {})})
            return self._open(request, setting.gallery_download_timeout)

        return self._run(url, attempt, cancel)

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
        holds what the name says; on failure nothing is left. `progress_callback` gets bytes done
        and bytes in all (0 if unknown). `cancel`, once set, stops waits and reads.
        Raises CivitaiError.
        """
        target, stop = Path(filepath), cancel or self._closed

        def attempt() -> Path:
            request = requests.Request('GET', url, headers=dict(_FILE_HEADERS))
            with files.part_file(target) as part:
                with self._open(request, setting.gallery_download_timeout) as response:
                    if response.status_code != 200:  # a 206 we did not ask for, say
                        raise error_for_status(response.status_code, url=urls.redact(url))
                    bodies.save(_body(response), part, target, progress_callback, stop)
            return target

        return self._run(url, attempt, cancel)

    def update_api_key(self, key: str) -> None:
        """Use `key` from now on; '' for none. Raises SourceError if it cannot be a key."""
        key = key.strip()
        if not key.isascii() or not key.isprintable() or ' ' in key:
            raise SourceError('key_unusable')
        self._api_key = key

    def close(self) -> None:
        """End all waits with CancelledError and close the connections."""
        self._closed.set()
        self.session.close()

    # -- inside ------------------------------------------------------------------------------

    def _run(self, url: str, attempt: Callable[[], T], stop: threading.Event | None) -> T:
        retries = setting.http_max_retries if self._max_retries is None else self._max_retries
        delay = setting.http_retry_delay if self._retry_delay is None else self._retry_delay
        policy = retry.RetryPolicy(tries=retries + 1, first_delay=delay)
        return self._attempts.run(url, attempt, policy, stop or self._closed, from_api=_is_api(url))

    def _open(self, request: requests.Request, timeout: float) -> requests.Response:
        """Send `request`, follow redirects, return an answer below 400. Raises CivitaiError."""
        base = setting.civitai_base_url
        url = request.url
        urls.check_first(url, base, setting.extra_host_names())
        key_allowed = True
        for _ in range(MAX_REDIRECTS + 1):
            key_allowed = key_allowed and urls.may_send_key(url, base)
            response = self._send(request, url, timeout, with_key=key_allowed)
            target = self.session.get_redirect_target(response)
            if target is None:
                return self._accepted(response)
            _discard(response)
            url = urljoin(response.url, target)
            urls.check_redirect(url, base)
            if request.method != 'GET' and response.status_code not in (307, 308):
                raise error_for_status(response.status_code, url=urls.redact(url))
            request.params = {}
        raise ConnectionFailedError('error_redirects', url=urls.redact(request.url))

    def _send(
        self, request: requests.Request, url: str, timeout: float, *, with_key: bool
    ) -> requests.Response:
        request.url = url
        prepared = self.session.prepare_request(request)
        # a header of the caller's is no way around the rule about the key
        prepared.headers.pop('Authorization', None)
        key = setting.civitai_api_key if self._api_key is None else self._api_key
        if with_key and key:
            prepared.headers['Authorization'] = f'Bearer {key}'
        seconds = timeout if self._timeout is None else self._timeout
        try:
            return self.session.send(
                prepared,
                stream=True,
                timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                allow_redirects=False,
                proxies=self._proxies_for(url),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise translated(error, url) from error

    def _accepted(self, response: requests.Response) -> requests.Response:
        """Return `response` if its status is good, else raise what it means."""
        if response.status_code < 400:
            return response
        with response:
            try:
                body = response.raw.read(MAX_ERROR_BYTES, decode_content=True)
            except (urllib3.exceptions.HTTPError, OSError):
                body = b''
        raise error_for_status(
            response.status_code,
            url=urls.redact(response.url),
            retry_after=retry.parse_retry_after(response.headers.get('Retry-After'), self._clock()),
            detail=answers.site_words(body),
        )

    def _proxies_for(self, url: str) -> dict[str, str]:
        """The proxies for `url`: the setting's, else the environment's, unless NO_PROXY says no."""
        host = urlsplit(url).netloc
        if host not in self._bypassed:
            self._bypassed[host] = bool(should_bypass_proxies(url, no_proxy=None))
        if self._bypassed[host]:
            return {}
        if setting.http_proxy:
            return {'http': setting.http_proxy, 'https': setting.http_proxy}
        return self._environment_proxies


def _new_session(concurrency: int) -> requests.Session:
    session = requests.Session()
    # Otherwise .netrc replaces the API key, and every request reads the environment again.
    session.trust_env = False
    session.headers['User-Agent'] = USER_AGENT
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    bundle = os.environ.get('REQUESTS_CA_BUNDLE') or os.environ.get('CURL_CA_BUNDLE')
    session.verify = bundle or True
    for scheme in ('https://', 'http://'):
        session.mount(scheme, HTTPAdapter(pool_maxsize=concurrency, max_retries=0))
    return session


def _lenient(fetch: Callable[[], T]) -> T | None:
    """The value of `fetch`, None where it raises a CivitaiError (logged already)."""
    try:
        return fetch()
    except CivitaiError:
        return None


def _is_api(url: str) -> bool:
    return urls.may_send_key(url, setting.civitai_base_url) and '/api/' in urlsplit(url).path


def _discard(response: requests.Response) -> None:
    """Read the small body of a redirect, so that its connection can be used again."""
    try:
        response.raw.read(MAX_ERROR_BYTES)
    except (urllib3.exceptions.HTTPError, OSError):
        pass
    response.close()


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it came, in chunks of `CHUNK_BYTES`; decoded only if the server coded it."""
    coded = 'Content-Encoding' in response.headers
    try:
        while chunk := response.raw.read(CHUNK_BYTES, decode_content=coded):
            yield cast(bytes, chunk)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise translated(error, response.url) from error


def _body(response: requests.Response) -> bodies.Body:
    return bodies.Body(_chunks(response), _announced(response), urls.redact(response.url))


def _announced(response: requests.Response) -> int:
    """Bytes the body should have, 0 if the server did not say or coded it."""
    length = response.headers.get('Content-Length', '')
    plain = 'Content-Encoding' not in response.headers
    return int(length) if plain and length.isascii() and length.isdigit() else 0


def translated(error: Exception, url: str) -> CivitaiError:
    """Return our error for one of requests', urllib3's or the system's; the only such place."""
    where = urls.redact(url)
    kinds = urllib3.exceptions
    if isinstance(error, (requests.exceptions.SSLError, kinds.SSLError)):
        return TlsFailedError(url=where, host=urlsplit(url).hostname or '')
    if isinstance(error, (requests.Timeout, kinds.TimeoutError, TimeoutError)):
        return TimedOutError(url=where, host=urlsplit(url).hostname or '')
    if isinstance(error, (requests.exceptions.ProxyError, kinds.ProxyError)):
        return ConnectionFailedError('error_proxy', url=where)
    if isinstance(error, (kinds.IncompleteRead, kinds.ProtocolError, kinds.DecodeError)):
        return BodyIncompleteError(url=where)
    if isinstance(error, (requests.exceptions.InvalidURL, kinds.LocationValueError)):
        return UrlRefusedError('error_url_malformed', url=where)
    return ConnectionFailedError(url=where, host=urlsplit(url).hostname or '')


_clients: list[CivitaiHttpClient] = []
_clients_lock = threading.Lock()


def get_http_client() -> CivitaiHttpClient:
    """Return the client of this process, made at the first call."""
    with _clients_lock:
        if not _clients:
            _clients.append(CivitaiHttpClient())
        return _clients[0]
