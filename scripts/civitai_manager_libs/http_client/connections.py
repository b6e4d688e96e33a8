"""Connections below requests: they can be cut off, and share one SSLContext."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
import time
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_encoding_from_headers,
    select_proxy,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import wait_for_write

from .. import setting
from ..errors import TlsFailedError
from . import forks
from .heads import ASK_ELSEWHERE, Head
from .watch import Guard

# As many as the setting for downloads at once allows, so that no connection is thrown away.
MAX_CONNECTIONS = 64
DIAL_TICK_SECONDS = 0.1
FIRST_DIAL_SECONDS = 3.0  # while there are further addresses, of a family that may work


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
    """A connection that tells the guard of its thread which socket it waits on."""

    response_class = Head
    _has_answered = False

    def connect(self) -> None:
        """Connect; a request that is stopped meanwhile does not wait for it."""
        if self.proxy is not None:
            super().connect()
        else:
            self.sock = _dial(self)

    def getresponse(self) -> Any:
        """Wait for the head of the answer, and note how long that took."""
        started = time.monotonic()
        if here.guard is not None:
            here.guard.watch(self.sock, self.timeout)
        here.is_reused, self._has_answered = self._has_answered, True
        response = super().getresponse()
        here.first_byte = time.monotonic() - started
        return response

    def close(self) -> None:
        """Close it; what comes next is another connection."""
        super().close()
        self._has_answered = False


class _TlsConnection(HTTPSConnection, _Connection):
    """The same with TLS."""

    def connect(self) -> None:
        """Connect and shake hands."""
        if self.proxy is not None or self.ssl_context is None:
            HTTPSConnection.connect(self)
            return
        plain = _dial(self)
        try:
            # in two steps, because a handshake that does not end must be seen by the guard
            self.sock = self.ssl_context.wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            )
            if here.guard is not None:
                here.guard.watch(self.sock, self.timeout)
            self.sock.do_handshake()
        except (OSError, ValueError):
            (self.sock or plain).close()
            raise
        self.is_verified = self.ssl_context.verify_mode is ssl.CERT_REQUIRED


def _dial(connection: HTTPConnection) -> socket.socket:
    """Return a socket connected to where `connection` leads, with its time-out set."""
    host, port, seconds = connection.host, connection.port, connection.timeout
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:  # no name of a machine, such as one with an empty label
        raise LocationParseError(host) from error
    failure: OSError = OSError(errno.EADDRNOTAVAIL, 'no address')
    for number, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
        is_last = number == len(addresses)
        sock = socket.socket(family, kind, protocol)
        try:
            _connect(
                sock, address, seconds if is_last else min(seconds or 60.0, FIRST_DIAL_SECONDS)
            )
            sock.settimeout(seconds)
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f'{host} did not answer') from failure
    raise NewConnectionError(connection, str(failure)) from failure


def _connect(sock: socket.socket, address: Any, seconds: float | None) -> None:
    """Connect within `seconds`, or until the request of this thread is stopped."""
    guard = here.guard
    sock.setblocking(False)
    code = sock.connect_ex(address)
    deadline = time.monotonic() + (60.0 if seconds is None else seconds)
    if code in (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN):
        while not wait_for_write(sock, timeout=DIAL_TICK_SECONDS):
            if guard is not None and guard.stop.is_set():
                raise OSError(errno.ECANCELED, 'stopped')
            if time.monotonic() > deadline:
                raise TimeoutError('timed out')
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection
    # the library looks into that of a pool which it drops, at the end of a process too
    QueueCls = cast(Any, forks.Stack)

    def _get_conn(self, timeout: float | None = None) -> Any:
        """Return a connection on which nothing waits that would be taken for the answer.

        The library sees what waits in the socket, but not what TLS has unpacked already.
        """
        connection: Any = super()._get_conn(timeout)
        unpacked = getattr(connection.sock, 'pending', int)()
        if unpacked or here.needs_fresh:
            connection.close()
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
        self._pools: dict[str, Any] = {}
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

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = cast(Any, _POOLS)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through `proxy`."""
        context = self.poolmanager.connection_pool_kw.get('ssl_context')
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=context)
        if not proxy.lower().startswith('socks'):  # which has classes of its own
            manager.pool_classes_by_scheme = cast(Any, _POOLS)
        return manager

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send `request`, again at once where the server was done with a connection we reused."""
        self._verify = kwargs.get('verify', True)
        here.is_reused = False
        response = super().send(request, *args, **kwargs)
        if response.status_code not in ASK_ELSEWHERE or not here.is_reused:
            return response
        response.close()
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
        """Return the pool for `url`; requests before 2.32 asks here."""
        address = cast(str, url)
        if address.startswith('https:'):
            self._trust(self._verify, setting.http_ca_bundle)
        proxy = select_proxy(address, proxies) if proxies else None
        if not proxy:
            origin = '/'.join(address.split('/', 3)[:3])
            pool = self._pools.get(origin)
            if pool is None:
                pool = self._pools[origin] = self.poolmanager.connection_from_url(origin)
            return pool
        if '://' not in proxy:
            proxy = f'http://{proxy}'
        return self.proxy_manager_for(proxy).connection_from_url(address)

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


def ssl_context(verify: bool | str | None, extra: str) -> ssl.SSLContext:
    """Return a context that trusts the usual certificates and those in the file `extra`.

    `verify` is that of requests: a PEM file or a folder of them in place of the usual ones, or
    False, which trusts anybody. Raises TlsFailedError for certificates that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(['http/1.1'])
    usual = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
    for path in filter(None, (usual, os.path.expanduser(extra))):
        try:
            if os.path.isdir(path):
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailedError('error_ca_bundle', path=path) from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
