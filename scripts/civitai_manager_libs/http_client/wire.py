"""What comes over the wire: bodies in chunks, and every trouble as an error of ours."""

from __future__ import annotations

import math
import socket
import ssl
import time
import zlib
from functools import partial
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Callable, Iterator, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3

from .. import notices
from ..civitai import urls
from ..errors import (
    BodyIncompleteError,
    CivitaiError,
    ConnectionFailedError,
    ProxyLoginError,
    TimedOutError,
    TlsFailedError,
    UrlRefusedError,
    WrongContentError,
)
from . import bodies, framing
from .heads import GarbledError
from .lookup import SilentResolver
from .proxies import ProxyTrouble
from .watch import Guard

# What requests and urllib3 raise; ValueError for a header that cannot be sent.
TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)

E = TypeVar('E', bound=BaseException)

CHUNK_BYTES = 1024 * 1024
# What parts of one file that come at once have in memory together.
PARTS_BYTES = 4 * CHUNK_BYTES
MAX_ERROR_BYTES = 64 * 1024
ERROR_SECONDS = 5.0
MIN_BYTES_PER_SECOND = 1024
MAX_CODINGS = 3
MAX_NAME = 20

# More packed bytes than unpacked ones are parts, blocks and names that hold nothing. What has so
# many times as many, and so many more, is given up.
MAX_OVERHEAD, MAX_EMPTY_BYTES = 2, 256 * 1024
PACKED_BYTES = 64 * 1024

# How zlib is told what is around the packed bytes: of gzip, of deflate, nothing.
_GZIP, _ZLIB, _BARE = 31, 15, -15
_GZIP_MARK = b'\x1f\x8b'
_GZIP_NAMES = frozenset({'gzip', 'x-gzip'})

# Numbers of OpenSSL's certificate errors: expired or not yet valid; another host or address.
_EXPIRED = frozenset({9, 10})
_OTHER_HOST = frozenset({62, 64})


def body_of(
    response: requests.Response, guard: Guard, seconds: float, key: str, room: int = 0
) -> bodies.Body:
    """Return the body of `response` on its way; for `seconds` and `room` see `chunks`."""
    coming = chunks(response, guard, seconds, room)
    url, status = urls.redact(response.url), response.status_code
    secrets = (key, *urls.secrets_in(response.url))
    return bodies.Body(coming, response.headers, url, status, secrets)


def chunks(
    response: requests.Response, guard: Guard, seconds: float, room: int = 0
) -> Iterator[bytes]:
    """Return the body of `response` as it comes, unpacked only if the server packed it.

    With `room` all is read into so many bytes of memory, where its length is known: then a chunk
    is only good until the next one is asked for.

    Raises what `translated` gives, TimedOutError for less than `MIN_BYTES_PER_SECOND` during
    `seconds`, and what `guard` found.
    """
    return _decoded(_pieces(response, guard, seconds, room), response)


def _decoded(pieces: Iterator[bytes], response: requests.Response) -> Iterator[bytes]:
    """Return `pieces` without the codings of `response`.

    The library unpacks all that it reads at once, and in some versions without any limit.
    Raises WrongContentError for a coding that is neither known nor was asked for.
    """
    codings, url = framing.codings(response.headers), response.url
    for_the_way = framing.transfer_coding(response.headers)
    unknown = [name for name in codings if name not in _GZIP_NAMES and name != 'deflate']
    if for_the_way not in ('', 'chunked'):
        unknown.append(for_the_way)
    if unknown:
        raise WrongContentError('error_coded', url=urls.redact(url), name=unknown[0][:MAX_NAME])
    if len(codings) > MAX_CODINGS:
        raise BodyIncompleteError(url=urls.redact(url))
    for coding in reversed(codings):
        pieces = _unpacked(pieces, url, coding in _GZIP_NAMES)
    return pieces


def _pieces(
    response: requests.Response, guard: Guard, seconds: float, room: int
) -> Iterator[bytes]:
    pour = _pourer(response, room) if room else None
    read, url = pour or _reader(response), response.url
    since, brought, size = time.monotonic(), 0, 0
    while True:
        try:
            with guard.within(seconds):
                chunk = read()
        except TROUBLE as error:
            check(guard, url)
            broken = _within(error, IncompleteRead)
            if broken is not None and isinstance(broken.partial, bytes):
                yield broken.partial  # where there is no read1, what came is in the error
            raise translated(error, url) from error
        if not chunk:
            break
        brought += len(chunk)
        size += len(chunk)
        now = time.monotonic()
        if now - since > seconds:
            if brought < MIN_BYTES_PER_SECOND * seconds:
                raise TimedOutError('error_too_slow', url=urls.redact(url), host=host_of(url))
            since, brought = now, 0
        yield chunk
    check(guard, url)
    # urllib3 1.26 does not compare, and what is packed has no other length
    if framing.codings(response.headers) and size < framing.sent_length(response.headers):
        raise BodyIncompleteError(url=urls.redact(url))


def _unpacked(pieces: Iterator[bytes], url: str, is_gzip: bool) -> Iterator[bytes]:
    """Yield what `pieces` unpack to, up to padding behind it.

    The library's own way does not tell whether the end came. Raises WrongContentError where much
    comes that nothing is in: empty parts without end, for example.
    """
    decoder, spent = None, -MAX_EMPTY_BYTES
    try:
        for data in _small(pieces):
            spent += len(data)
            while data:
                if decoder is None:
                    # the low half of the first byte tells the two kinds of deflate apart
                    bits = _GZIP if is_gzip else _ZLIB if data[0] & 15 == 8 else _BARE
                    decoder = zlib.decompressobj(bits)
                elif decoder.eof:
                    if not (is_gzip and _GZIP_MARK.startswith(data[:2])):
                        return
                    decoder = zlib.decompressobj(_GZIP)
                unpacked = decoder.decompress(data, CHUNK_BYTES)
                data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
                if unpacked:
                    spent -= MAX_OVERHEAD * len(unpacked)
                    yield unpacked
            if spent > 0:
                raise WrongContentError('error_nothing_packed', url=urls.redact(url))
    except zlib.error as error:
        raise BodyIncompleteError(url=urls.redact(url)) from error
    if decoder is not None and not decoder.eof:
        raise BodyIncompleteError(url=urls.redact(url))


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield `pieces` in small ones, because what a part leaves of its piece is copied."""
    for piece in pieces:
        for at in range(0, len(piece), PACKED_BYTES):
            yield piece[at : at + PACKED_BYTES]


def _reader(response: requests.Response) -> Callable[[], bytes]:
    raw = response.raw
    # read1 gives what has come; read, all there is in urllib3 2.0, waits until so much has.
    if hasattr(raw, 'read1'):
        return partial(raw.read1, CHUNK_BYTES, decode_content=False)
    return partial(raw.read, MIN_BYTES_PER_SECOND, decode_content=False)


def _pourer(response: requests.Response, room: int) -> Callable[[], bytes] | None:
    """What reads a body into the same memory each time; None where nothing tells its length.

    New memory for each chunk costs as much time as the copying. What is read like this is unknown
    to the library, so that its connection brings nothing else afterwards.
    """
    left = framing.length(response.headers)
    source = getattr(getattr(response.raw, '_fp', None), 'fp', None)
    pour = getattr(source, 'readinto1', None)
    if not left or pour is None:
        return None
    buffer = memoryview(bytearray(room))

    def read() -> bytes:
        nonlocal left
        size = pour(buffer[:left]) if left else 0
        left -= size
        return cast(bytes, buffer[:size])  # as good as bytes for who writes them

    return read


def read_little(response: requests.Response, guard: Guard) -> bytes:
    """Return the beginning of the body of an error or redirect, b'' if it breaks off or dallies."""
    try:
        with guard.within(ERROR_SECONDS):
            beginning = response.raw.read(MAX_ERROR_BYTES, decode_content=False)
        return next(_decoded(iter([beginning]), response), b'')[:MAX_ERROR_BYTES]
    except (urllib3.exceptions.HTTPError, OSError, BodyIncompleteError, WrongContentError):
        return b''
    finally:
        guard.late = False  # the answer is known in any case


def check(guard: Guard, url: str) -> None:
    """Raise CancelledError or TimedOutError if the request to `url` was cut off by us."""
    if guard.is_cut_off:
        guard.check(urls.redact(url), host_of(url))


def translated(error: Exception, url: str) -> CivitaiError:
    """Return our error for one of requests', urllib3's or the system's; the only such place."""
    where, host = urls.redact(url), host_of(url)
    theirs, kinds = requests.exceptions, urllib3.exceptions
    proxy = _within(error, ProxyTrouble)
    if proxy is not None:
        return _through_proxy(proxy, where)
    silent = _within(error, SilentResolver)
    if silent is not None:
        return TimedOutError('error_name_service', url=where, host=silent.host)
    untrusted = _within(error, ssl.SSLCertVerificationError)
    if untrusted is not None:
        key = 'error_tls_expired' if untrusted.verify_code in _EXPIRED else 'error_tls'
        if untrusted.verify_code in _OTHER_HOST:
            key = 'error_tls_other_host'
        return TlsFailedError(key, url=where, host=host)
    # Other trouble of TLS, such as a connection cut in a handshake, may pass.
    if isinstance(error, (theirs.SSLError, kinds.SSLError)):
        innermost = _within(error, ssl.SSLError) or error  # the others name the address as well
        if 'certificate' in str(innermost).lower():
            return TlsFailedError(url=where, host=host)
    if isinstance(error, (theirs.Timeout, kinds.TimeoutError, TimeoutError)):
        return TimedOutError(url=where, host=host)
    if isinstance(error, (theirs.ProxyError, theirs.InvalidProxyURL, theirs.InvalidSchema)):
        return ConnectionFailedError('error_proxy', url=where)
    if isinstance(error, (kinds.IncompleteRead, kinds.ProtocolError, kinds.DecodeError)):
        return BodyIncompleteError(url=where)
    if isinstance(error, (theirs.InvalidURL, kinds.LocationValueError)):
        return UrlRefusedError('error_url_malformed', url=where)
    if _within(error, socket.gaierror) is not None:
        return ConnectionFailedError('error_unknown_host', url=where, host=host)
    if _within(error, GarbledError) is not None:
        return ConnectionFailedError('error_garbled', url=where, host=host)
    not_http = _within(error, HTTPException)
    if not_http is not None and not isinstance(not_http, RemoteDisconnected):
        return ConnectionFailedError('error_not_http', url=where, host=host)
    return ConnectionFailedError(url=where, host=host)


def _through_proxy(trouble: ProxyTrouble, where: str) -> CivitaiError:
    is_login = trouble.key == ProxyLoginError.default_key
    kind = ProxyLoginError if is_login else ConnectionFailedError
    failure = kind(trouble.key, url=where, **trouble.values)
    failure.transient = trouble.may_pass
    return failure


def host_of(url: str) -> str:
    """Return the host that `url` names, '' if it names none."""
    try:
        return urlsplit(url).hostname or ''
    except ValueError:  # a broken [IPv6] address
        return ''


def tell_wait(
    error: CivitaiError,
    seconds: float,
    is_given_up: bool = False,
    tries: tuple[int, int] = (0, 0),
    left: float = math.inf,
) -> None:
    """Tell that it goes on after `error` in so many seconds, or is given up then.

    `tries`: which try follows, and how many there are at most; 0 if nobody knows. `left`: in how
    many seconds no try begins any more, however many were left.
    """
    asked = 'notice_refuses' if is_given_up else 'notice_asked_to_wait'
    end = {} if math.isinf(left) else {'left': math.ceil(left)}
    notices.tell(
        asked if error.status in (429, 503) else 'notice_waiting',
        host=host_of(error.url),
        status=error.status or '',
        seconds=math.ceil(seconds),
        attempt=tries[0],
        tries=tries[1],
        **end,
    )


def _within(error: BaseException | None, kind: type[E]) -> E | None:
    """The error of this `kind` that `error` is or was caused by."""
    for _ in range(10):
        if error is None or isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None
