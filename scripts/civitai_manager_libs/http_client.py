"""The one client through which every byte comes: `CivitaiHttpClient`.

It is the only module that knows requests and urllib3. Redirects and retries are followed here,
one by one, so that every address is checked and the API key never leaves the configured host.
"""

from __future__ import annotations

import os
import random
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, TypeVar, cast
from urllib.parse import urlsplit

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
    TimedOutError,
    TlsFailedError,
    UrlRefusedError,
    error_for_status,
)

T = TypeVar('T')
Headers = Mapping[str, str]

# Civitai treats agents that name a browser like one and answers with pages and log-in redirects.
USER_AGENT = f'CivitaiGallery/{__version__}'
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 8
MAX_ERROR_BYTES = 64 * 1024
CHUNK_BYTES = 64 * 1024

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

    def get_stream(self, url: str, headers: Headers | None = None) -> requests.Response | None:
        """Return a streaming answer that the caller reads and closes, None on failure."""
        return _lenient(lambda: self.fetch_stream(url, headers))

    get_stream_response = get_stream

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
        headers: Headers | None = None,
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
        self._api_key = urls.usable_key(key)

    def close(self) -> None:
        """End the waits of requests without a `cancel` of their own, and close the connections."""
        self._closed.set()
        self.session.close()

    # -- inside ------------------------------------------------------------------------------

    def _run(self, url: str, attempt: Callable[[], T], stop: threading.Event | None) -> T:
        retries = setting.http_max_retries if self._max_retries is None else self._max_retries
        delay = setting.http_retry_delay if self._retry_delay is None else self._retry_delay
        policy = retry.RetryPolicy(tries=retries + 1, first_delay=delay)
        base = setting.civitai_base_url
        return self._attempts.run(url, attempt, policy, stop or self._closed, base)

    def _open(self, request: requests.Request, timeout: float) -> requests.Response:
        """Send `request`, follow redirects, return an answer below 400. Raises CivitaiError."""
        base, url = setting.civitai_base_url, request.url
        urls.check_first(url, base, setting.extra_host_names())
        key = setting.civitai_api_key if self._api_key is None else self._api_key
        for _ in range(MAX_REDIRECTS + 1):
            # once it led elsewhere, nobody gets the key any more
            key = urls.usable_key(key) if urls.may_send_key(url, base) else ''
            response = self._send(request, url, timeout, key)
            if not response.is_redirect:
                return self._accepted(response, key)
            _read_little(response)
            if request.method != 'GET' and response.status_code not in (307, 308):
                raise error_for_status(response.status_code, url=urls.redact(url))
            url, request.params = urls.redirect_target(url, response.headers['Location'], base), {}
        raise UrlRefusedError('error_redirects', url=urls.redact(url))

    def _send(
        self, request: requests.Request, url: str, timeout: float, key: str
    ) -> requests.Response:
        request.url = url
        seconds = timeout if self._timeout is None else self._timeout
        try:
            prepared = self.session.prepare_request(request)
            # a header of the caller's is no way around the rule about the key
            prepared.headers.pop('Authorization', None)
            if key:
                prepared.headers['Authorization'] = f'Bearer {key}'
            # Not session.send: it would read the whole body of a redirect, however long.
            return self.session.get_adapter(url).send(
                prepared,
                stream=True,
                timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                verify=cast('bool | str', self.session.verify),
                proxies=self._proxies_for(url),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise translated(error, url) from error

    def _accepted(self, response: requests.Response, key: str) -> requests.Response:
        """Return `response` if its status is good, else raise what it means."""
        if response.status_code < 400:
            return response
        words = answers.site_words(_read_little(response))
        raise error_for_status(
            response.status_code,
            url=urls.redact(response.url),
            retry_after=retry.parse_retry_after(response.headers.get('Retry-After'), self._clock()),
            detail=words.replace(key, '***') if key else words,
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


def _read_little(response: requests.Response) -> bytes:
    """The beginning of the body of an error or redirect; its connection can be used again."""
    with response:
        try:
            return cast(bytes, response.raw.read(MAX_ERROR_BYTES, decode_content=True))
        except (urllib3.exceptions.HTTPError, OSError):
            return b''


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it came, in chunks of `CHUNK_BYTES`; decoded only if the server coded it."""
    coded = 'Content-Encoding' in response.headers
    try:
        while chunk := response.raw.read(CHUNK_BYTES, decode_content=coded):
            yield cast(bytes, chunk)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise translated(error, response.url) from error


def _body(response: requests.Response) -> bodies.Body:
    announced = bodies.announced_length(response.headers)
    return bodies.Body(_chunks(response), announced, urls.redact(response.url))


def translated(error: Exception, url: str) -> CivitaiError:
    """Return our error for one of requests', urllib3's or the system's; the only such place."""
    where, host = urls.redact(url), urlsplit(url).hostname or ''
    theirs, kinds = requests.exceptions, urllib3.exceptions
    # Other trouble of TLS, such as a connection cut in a handshake, may pass.
    if isinstance(error, (theirs.SSLError, kinds.SSLError)) and 'certificate' in str(error).lower():
        return TlsFailedError(url=where, host=host)
    if isinstance(error, (theirs.Timeout, kinds.TimeoutError, TimeoutError)):
        return TimedOutError(url=where, host=host)
    if isinstance(error, (theirs.ProxyError, theirs.InvalidProxyURL, theirs.InvalidSchema)):
        return ConnectionFailedError('error_proxy', url=where)
    if isinstance(error, (kinds.IncompleteRead, kinds.ProtocolError, kinds.DecodeError)):
        return BodyIncompleteError(url=where)
    if isinstance(error, (theirs.InvalidURL, kinds.LocationValueError)):
        return UrlRefusedError('error_url_malformed', url=where)
    return ConnectionFailedError(url=where, host=host)


_clients: list[CivitaiHttpClient] = []
_clients_lock = threading.Lock()


def get_http_client() -> CivitaiHttpClient:
    """Return the client of this process, made at the first call."""
    with _clients_lock:
        if not _clients:
            _clients.append(CivitaiHttpClient())
        return _clients[0]
