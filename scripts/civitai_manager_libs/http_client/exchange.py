"""One question and its answer.

Redirects are followed here, one by one, so that every address is checked and the API key never
leaves the configured host.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Collection, Iterator, NamedTuple, cast
from urllib.parse import urlsplit

import requests

from .. import notices, setting
from ..civitai import keys, urls
from ..errors import (
    BarredError,
    CivitaiError,
    TimedOutError,
    UrlRefusedError,
    error_for_status,
)
from ..store import media
from . import answers, bodies, retry, wire
from .connections import here
from .outgoing import Proxies, Request, without_key
from .pacing.budget import of_the_api
from .pacing.pace import Pace
from .pacing import throttle
from .pacing.throttle import Throttle, Turn
from .resume import WHOLE_STATUSES
from .sources import REFUSALS, Source, Take
from .watch import Guard, Watch

CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 8
# An answer that has begun is slow after so many times the seconds of one that has not.
REST_TOLD = 3
# A question may have made something (201) or begun to (202).
GOOD_STATUSES = WHOLE_STATUSES | {201, 202}


@dataclass(frozen=True)
class Terms:
    """How a question is asked.

    With which API key ('' for none), waiting for how many seconds without a byte, until `stop` is
    set. `patience` is how many seconds failures may follow each other, counted from `asked`, from
    when all may take `retry.WHOLE_PATIENCE` times as long. `at_once`: parts of one file that may
    come at the same time, 0 where it is no part.
    """

    key: str
    seconds: float
    stop: threading.Event
    asked: float
    patience: float
    at_once: int = 0

    @property
    def room(self) -> int:
        """How much memory a part may have to arrive in, 0 if it is none."""
        return min(wire.CHUNK_BYTES, wire.PARTS_BYTES // self.at_once) if self.at_once else 0

    @property
    def end(self) -> float:
        """When it is over."""
        return self.asked + retry.WHOLE_PATIENCE * self.patience


class Exchange:
    """Asks on the connections of `session`, in turn with others.

    `clock()` is the time of day in seconds, `now()` that of a clock that is never set. All methods
    raise CivitaiError.
    """

    def __init__(
        self, session: requests.Session, clock: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self._session = session
        self._clock = clock
        self._now = now
        self._throttle = Throttle(now, wire.tell_wait)
        self._watch = Watch()
        self._proxies = Proxies()

    def json(self, request: Request, terms: Terms) -> Any:
        """Return the decoded JSON answer."""
        with self._answer(request, terms) as answer:
            return bodies.read_json(answer.body)

    def stream(self, request: Request, terms: Terms) -> requests.Response:
        """Return the answer with its body still to come; the caller closes it."""
        also = (206,) if 'range' in map(str.lower, request.headers) else ()
        with self._answer(request, terms, also=also, keep_open=True) as answer:
            return without_key(answer.response)

    def receive(self, request: Request, terms: Terms, transfer: bodies.FileTransfer) -> None:
        """Receive the file that `transfer` is about, or the rest of it.

        Where a storage that the API led to refuses, the way there is asked for once more.
        """
        try:
            self._receive(request, terms, transfer)
        except REFUSALS as error:
            base = setting.civitai_base_url
            if not urls.is_api(request.url, base) or urls.is_api(error.url, base):
                raise
            self._receive(request, terms, transfer)

    def _receive(self, request: Request, terms: Terms, transfer: bodies.FileTransfer) -> None:
        rest = transfer.held.range_headers()
        if rest:
            request = replace(request, headers={**request.headers, **rest})
        with self._answer(request, terms, also=(206, 416) if rest else ()) as answer:
            transfer.receive(answer.body)

    def part(self, request: Request, terms: Terms, source: Source, take: Take) -> None:
        """Have `take` receive the part that `request` asks for of the file at `source`.

        A storage that the address led to is asked at once the next time. Where it refuses, because
        its address is too old for example, the way there is asked for once more.
        """
        place = source.place
        try:
            self._part(replace(request, place=place), terms, source, take)
        except REFUSALS as error:
            if not place and error.url == urls.redact(request.url):
                raise  # nothing led anywhere
            if source.place == place:  # else another part has asked since
                source.place = ''
            self._part(replace(request, place=source.place), terms, source, take)

    def _part(self, request: Request, terms: Terms, source: Source, take: Take) -> None:
        with self._answer(request, terms, also=(206, 416)) as answer:
            source.place = answer.response.url
            take(answer.body)

    @contextmanager
    def _answer(
        self,
        request: Request,
        terms: Terms,
        *,
        also: Collection[int] = (),
        keep_open: bool = False,
    ) -> Iterator[_Answer]:
        """Send `request`, follow redirects; give an answer of a status that is good or in `also`.

        It is closed at the end, unless `keep_open`. Raises CivitaiError.
        """
        base, key = setting.civitai_base_url, terms.key
        request = _first(request, base)
        with self._watch.over(terms.stop) as guard:
            slow, asked = _Slow(guard, request.url, terms.end - self._now()), set()
            for _ in range(MAX_REDIRECTS + 1):
                # once it led elsewhere, nobody gets the key any more
                key = keys.usable_key(key) if key and urls.may_send_key(request.url, base) else ''
                question = request.method, request.url.partition('#')[0], key
                if question in asked:
                    break
                asked.add(question)
                with self._turn(request.url, base, terms) as turn:
                    guard.on_stall = slow.beside(turn)
                    response = self._send(request, terms.seconds, key, guard)
                    is_kept = False
                    try:
                        # a head that we cut short looks like a whole one
                        wire.check(guard, request.url)
                        if not response.is_redirect:
                            self._check_status(response, key, turn, guard, also)
                            turn.first_byte(slow.begun())
                            body = wire.body_of(response, guard, terms.seconds, key, terms.room)
                            yield _Answer(response, body)
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
        if time.monotonic() > guard.end:
            raise TimedOutError(url=urls.redact(url), host=wire.host_of(url))
        try:
            with guard.within(CONNECT_TIMEOUT + seconds):
                # Not session.send: it would read the whole body of a redirect, however long.
                return self._session.get_adapter(url).send(
                    request.prepared(self._session, key),
                    stream=True,
                    timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                    verify=cast('bool | str', self._session.verify),
                    proxies=self._proxies.of(url),
                )
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
        if status in GOOD_STATUSES or status in also:
            return
        body = wire.read_little(response, guard)
        wait = retry.parse_retry_after(response.headers.get('Retry-After'), self._time(response))
        error = _barred(response, body) or error_for_status(
            status,
            url=urls.redact(response.url),
            retry_after=wait,
            detail=answers.site_words(body, key, *urls.secrets_in(response.url)),
        )
        # a host that is not to be asked today is waited for by nobody
        if status in (429, 503) and (wait or 0) <= retry.RetryPolicy.max_retry_after:
            is_clear = status == 429 or wait is not None
            error.transient = not turn.refused(wait, error, is_clear=is_clear)
        raise error

    def _time(self, response: requests.Response) -> float:
        """The time of day by the clock of who answered, else by ours."""
        told = retry.parse_date(response.headers.get('Date'))
        return self._clock() if told is None else told

    def _turn(self, url: str, base: str, terms: Terms) -> Turn:
        """A turn to send a request to the host of `url`; the API has a budget of its own."""
        turn = partial(self._throttle.turn, asked=terms.asked, patience=terms.patience)
        if urls.is_api(url, base):
            return turn(f'API {base}', terms.stop, of_the_api)
        place, top = urlsplit(url).netloc, max(1, setting.gallery_max_concurrent_downloads)
        if terms.at_once:
            top = max(top, terms.at_once)
            return turn(f'parts {place}', terms.stop, lambda: Pace(top, top), top)
        return turn(place, terms.stop, lambda: Pace(top), top)


class _Slow:
    """Tells, once, that an answer is long in coming to who waits at most `seconds`.

    `has_begun`: it is the rest that is slow, which is less of a sign. Times are monotonic.
    """

    def __init__(self, guard: Guard, url: str, seconds: float) -> None:
        guard.end = end = time.monotonic() + seconds
        self.has_begun = False
        self._host, self._end, self._began = wire.host_of(url), end, 0.0
        self._tell = notices.here()
        self._is_told = math.isinf(end)

    def begun(self) -> float | None:
        """Note that the answer begins; return after how many seconds, None if nobody knows."""
        self.has_begun = True
        return here.first_byte

    def beside(self, turn: Turn) -> Callable[[float], None]:
        """Return what looks after both this and `turn`, from a question that is asked now on."""
        self._began = time.monotonic()

        def stalled(seconds: float) -> None:
            turn.stalled(seconds)
            left = self._end - time.monotonic()
            bound = throttle.TOLD_SECONDS * (REST_TOLD if self.has_begun else 1)
            is_long = time.monotonic() - self._began > bound
            if is_long and left > 0 and not self._is_told and not turn.is_troubled:
                self._is_told = True
                self._tell('notice_slow', {'host': self._host, 'seconds': math.ceil(left)})

        return stalled


class _Answer(NamedTuple):
    response: requests.Response
    body: bodies.Body


def _barred(response: requests.Response, body: bytes) -> CivitaiError | None:
    """Return the error if `response` is a refusal, but not by the site itself.

    Cloudflare marks its checks for robots by a header of their own, and its refusals are pages. The
    hosts of files have no pages of their own.
    """
    url, host = response.url, wire.host_of(response.url)
    if response.status_code != 403:
        return None
    if response.headers.get('cf-mitigated', '').lower() == 'challenge':
        return BarredError(url=urls.redact(url), status=403, host=host)
    if urls.is_api(url, setting.civitai_base_url) or not media.is_html(body[: media.HEAD_BYTES]):
        return None
    return BarredError('error_page_for_refusal', url=urls.redact(url), status=403, host=host)


def _first(request: Request, base: str) -> Request:
    """Return what is asked first. Raises UrlRefusedError for an address we may not fetch from."""
    urls.check_first(request.url, base, setting.extra_host_names())
    if not request.place:
        return request
    urls.check_redirect(request.place, base)
    return request.to(request.place)


def _led_to(request: Request, response: requests.Response, base: str) -> Request:
    """Return the request that the redirect `response` makes of `request`."""
    if request.method != 'GET' and response.status_code not in (307, 308):
        raise error_for_status(response.status_code, url=urls.redact(request.url))
    return request.to(urls.redirect_target(request.url, response.headers['Location'], base))
