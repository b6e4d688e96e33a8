"""Connections below requests: they can be cut off, and share one SSLContext."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import suppress
from functools import partial
from queue import Empty
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import (
    get_encoding_from_headers,
    select_proxy,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
)

from .. import forks, setting
from .dialling import How, no_answer, reach, secured
from .heads import ASK_ELSEWHERE, Head
from .proxies import Proxy, ProxyTrouble, proxy_at, unreachable
from .trust import ssl_context
from .watch import Guard

# As many as the setting for downloads at once allows, so that no connection is thrown away.
MAX_CONNECTIONS = 64
# Of so many hosts connections that nothing uses are kept; redirects may lead to any number.
KEPT_HOSTS = 16

Way = tuple[Proxy, 'ssl.SSLContext | None']


class _Here(threading.local):
    """What the request of this thread is about: its guard, and how its answer began.

    `is_reused`: it came on a connection that had brought another one. `needs_fresh`: none such
    is good enough.
    """

    guard: Guard | None = None
    first_byte: float | None = None
    is_reused = False
    needs_fresh = False


here = _Here()


class _Connection(HTTPConnection):
    """A connection that tells the guard of its thread which socket it waits on.

    `way` is the proxy that opens a way to the host, and the context of its TLS; None where the
    host itself is dialled, or a proxy that is asked for whole addresses (`proxy`).
    """

    response_class = Head
    has_answered = False
    _place: Any = None

    def __init__(self, *args: Any, way: Way | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._way = way

    def _new_conn(self) -> Any:
        """Return a socket that leads to the host; the library asks this for every socket."""
        how = How(self.timeout, here.guard, self.socket_options or ())
        try:
            if self._way is None:
                sock, self._place = reach(self.host, self.port, how)
                return sock
            proxy, context = self._way
            return proxy.open(self.host, self.port, how, context)
        except ProxyTrouble:
            raise
        except (OSError, UnicodeError) as error:
            if self.proxy is not None:
                raise unreachable(error) from error
            if isinstance(error, UnicodeError):  # no name of a machine, as with an empty label
                raise LocationParseError(self.host) from error
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(self, f'{self.host} did not answer') from error
            raise NewConnectionError(self, str(error)) from error

    def getresponse(self) -> Any:
        """Wait for the head of the answer, and note how long that took."""
        started = time.monotonic()
        if here.guard is not None:
            # urllib3 2 tells the connection how long to wait now, 1.26 its socket
            both = filter(None, (self.timeout, self.sock.gettimeout()))
            here.guard.watch(self.sock, max(both, default=None))
        is_first, self.has_answered = not self.has_answered, True
        try:
            response = super().getresponse()
        except OSError as error:
            # that a server is done with a connection it answered on says nothing
            if is_first or isinstance(error, TimeoutError):
                self._note_silence()
            raise
        here.first_byte = time.monotonic() - started
        return response

    def _note_silence(self) -> None:
        """Note that nothing came from where this leads, unless it was we who ended it."""
        if self._place is not None and not (here.guard and here.guard.stop.is_set()):
            no_answer(self.host, self.port, self._place)

    def close(self) -> None:
        """Close it; what comes next is another connection."""
        super().close()
        self.has_answered = False


class _TlsConnection(_Connection, HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        """Connect and shake hands."""
        context, how = self.ssl_context, How(self.timeout, here.guard)
        assert context is not None  # see Adapter
        sock = self._new_conn()
        try:
            self.sock = secured(sock, context, self.host, how)
        except OSError:
            self._note_silence()
            raise
        self.is_verified = context.verify_mode is ssl.CERT_REQUIRED


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection
    # the library looks into that of a pool which it drops, at the end of a process too
    QueueCls = cast(Any, forks.Stack)
    asked_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way on any of its connections."""
        return self.pool is not None and self.pool.qsize() >= MAX_CONNECTIONS

    def close_idle(self) -> None:
        """Close the connections that nothing uses; who has just got this pool can use it still."""
        places: Any = self.pool
        with suppress(Empty):
            for _ in range(MAX_CONNECTIONS):
                connection = places.get(block=False)
                if connection is not None:
                    connection.close()
        while places.qsize() < MAX_CONNECTIONS:
            places.put(None, block=False)

    def _get_conn(self, timeout: float | None = None) -> Any:
        """Return a connection on which nothing waits that would be taken for the answer.

        The library sees what waits in the socket, but not what TLS has unpacked already.
        """
        connection: Any = super()._get_conn(timeout)
        unpacked = getattr(connection.sock, 'pending', int)()
        if unpacked or here.needs_fresh:
            connection.close()
        here.is_reused = connection.has_answered
        return connection


class _TlsPool(urllib3.HTTPSConnectionPool, _Pool):
    ConnectionCls = _TlsConnection


_POOLS = {'http': _Pool, 'https': _TlsPool}


class Adapter(HTTPAdapter):
    """An adapter of requests whose connections share one SSLContext.

    Without it requests and urllib3 parse all certificates again for every connection, which
    takes more time than fetching a picture.
    """

    def __init__(self) -> None:
        self._verify: Any = True
        self._trusted: tuple[Any, str] | None = None
        self._lock = forks.Lock()
        self._pools: dict[tuple[str, str], Any] = {}
        super().__init__(
            pool_connections=MAX_CONNECTIONS, pool_maxsize=MAX_CONNECTIONS, max_retries=0
        )
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the connections to the parent, without a word on any of them."""
        self._trusted = None
        self._pools = {}
        self.proxy_manager = {}
        self.init_poolmanager(MAX_CONNECTIONS, MAX_CONNECTIONS)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send `request`, again at once where the server was done with a connection we reused."""
        self._verify = kwargs.get('verify', True)
        here.is_reused = False
        try:
            response = super().send(request, *args, **kwargs)
            if response.status_code not in ASK_ELSEWHERE or not here.is_reused:
                return response
            response.close()
        except requests.ConnectionError as error:
            if not (here.is_reused and request.method == 'GET' and _is_hung_up(error)):
                raise
        here.needs_fresh = True
        try:
            return super().send(request, *args, **kwargs)
        finally:
            here.needs_fresh = False

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool `conn` as it is: certificates named here would be parsed each time."""

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for `request`."""
        return self.get_connection(cast(str, request.url), proxies)

    _get_connection = get_connection_with_tls_context  # its name in requests 2.32.0 and 2.32.1

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:
        """Return the pool for `url`; requests before 2.32 asks here. Raises ProxyTrouble."""
        address = cast(str, url)
        proxy = (select_proxy(address, proxies) if proxies else None) or ''
        if address.startswith('https:') or proxy.lower().startswith('https:'):
            self._trust(self._verify, setting.http_ca_bundle)
        origin = '/'.join(address.split('/', 3)[:3])
        if proxy and proxy_at(proxy).forwards(origin):  # the connections are those to the proxy
            key = '', proxy
        else:
            key = origin, proxy
        pool = self._pools.get(key)
        if pool is None:
            with self._lock:
                self._make_room()
                pool = self._pools.setdefault(key, self._pool(origin, proxy))
        pool.asked_at = time.monotonic()
        return pool

    def _pool(self, origin: str, address: str) -> Any:
        """The connections to `origin`, through the proxy at `address` if that is not empty."""
        context = self.poolmanager.connection_pool_kw.get('ssl_context')
        proxy = proxy_at(address) if address else None
        if proxy is not None and proxy.forwards(origin):
            manager: Any = self.proxy_manager_for(proxy.url, ssl_context=context)
            manager.pool_classes_by_scheme = _POOLS
        else:
            # for this one alone: it would keep pools, and drop them, by a rule of its own
            manager = urllib3.PoolManager(maxsize=MAX_CONNECTIONS, ssl_context=context)
            way = proxy and (proxy, context)
            manager.pool_classes_by_scheme = {
                scheme: partial(pool, way=way) for scheme, pool in _POOLS.items()
            }
        return manager.connection_from_url(origin)

    def _make_room(self) -> None:
        """Close what is idle of the hosts asked least recently. With the lock."""
        idle = [(pool.asked_at, key) for key, pool in self._pools.items() if pool.is_idle]
        too_many = max(0, len(self._pools) + 1 - KEPT_HOSTS)
        for _, key in sorted(idle)[:too_many]:
            self._pools.pop(key).close_idle()

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what stands in the first line of `request`."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the answer `resp` to `req`; without cookies, which we never send back."""
        response = requests.Response()
        response.status_code, response.reason, response.raw = resp.status, resp.reason, resp
        response.headers = CaseInsensitiveDict(resp.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.url, response.request = cast(str, req.url), req
        setattr(response, 'connection', self)
        return response

    def close(self) -> None:
        """Close all connections."""
        for pool in list(self._pools.values()):
            pool.close()
        super().close()
        self._pools.clear()

    def _trust(self, verify: Any, extra: str) -> None:
        """Use a context that trusts just these, see `ssl_context`."""
        with self._lock:
            if self._trusted == (verify, extra):
                return
            context = ssl_context(verify, extra)
            self.close()
            self.proxy_manager.clear()
            self.poolmanager.connection_pool_kw['ssl_context'] = context
            self._trusted = verify, extra


def _is_hung_up(error: requests.ConnectionError) -> bool:
    """Whether it means that the server ended the connection, and not we, in place of an answer."""
    trouble = error.args[0] if error.args else None
    if here.guard is not None and (here.guard.late or here.guard.stop.is_set()):
        return False
    return isinstance(trouble, ProtocolError) and isinstance(trouble.args[-1], ConnectionError)
