"""Proxies: what their addresses say, and how one opens a way to a host."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .dialling import How, dial, in_turn, secured
from .heads import Head
from .lookup import SilentResolver, addresses

try:  # PySocks, which not everybody has
    import socks
except ImportError:
    socks = None

# The schemes of SOCKS: which version, and whether the proxy looks the name up. Desktops write
# `socks` and mean the fifth.
_SOCKS = {
    'socks4': (4, False),
    'socks4a': (4, True),
    'socks5': (5, False),
    'socks5h': (5, True),
    'socks': (5, True),
}
_PORTS = {'http': 80, 'https': 443, **dict.fromkeys(_SOCKS, 1080)}
# In NO_PROXY: `.name` and `*.name` are meant as `name` is.
_NAME = re.compile(r'(?:\*?\.)?\[?(?P<name>[^\[\]/*]+?)\]?(?::(?P<port>\d+))?')


class ProxyTrouble(OSError):
    """What went wrong with a proxy: the key of a sentence, and its values.

    `may_pass` tells whether trying again can help. An OSError, as all that comes of connecting.
    """

    def __init__(self, key: str, *, may_pass: bool = True, **values: Any) -> None:
        super().__init__(key)
        self.key, self.may_pass, self.values = key, may_pass, values


@dataclass(frozen=True)
class Proxy:
    """A proxy, as its address describes it."""

    scheme: str
    host: str
    port: int
    user: str = ''
    password: str = field(default='', repr=False)

    @property
    def url(self) -> str:
        """Its address, whole."""
        login = f'{quote(self.user, "")}:{quote(self.password, "")}@' if self.user else ''
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'{self.scheme}://{login}{host}:{self.port}'

    def forwards(self, url: str) -> bool:
        """Whether it is to be asked for `url` itself, instead of for a way to its host."""
        return self.scheme not in _SOCKS and url.startswith('http:')

    def open(self, host: str, port: int, how: How, context: ssl.SSLContext | None) -> Any:
        """Return a socket that leads to `host` by way of the proxy.

        `context` is for the TLS of an https proxy. Raises ProxyTrouble, and where the name of
        `host` is for us to look up what `addresses` raises.
        """
        if self.scheme in _SOCKS:
            return self._by_socks(host, port, how)
        return self._by_tunnel(host, port, how, context)

    # -- a tunnel of http -------------------------------------------------------------------------

    def _by_tunnel(self, host: str, port: int, how: How, context: ssl.SSLContext | None) -> Any:
        try:
            sock: Any = dial(self.host, self.port, how)
        except (OSError, UnicodeError) as error:
            raise unreachable(error) from error
        try:
            how.watch(sock)
            if self.scheme == 'https' and context is not None:
                sock = secured(sock, context, self.host, how)
            sock.sendall(self._request(host, port))
            with Head(sock, method='CONNECT') as answer:
                answer.begin()
                status = answer.status
            if status // 100 != 2:
                raise _refusal(status, host)
            return sock
        except ProxyTrouble:
            sock.close()
            raise
        except (OSError, ValueError, HTTPException) as error:
            sock.close()
            is_tls = isinstance(error, ssl.SSLError)
            raise ProxyTrouble('error_proxy_tls' if is_tls else 'error_proxy') from error

    def _request(self, host: str, port: int) -> bytes:
        place = f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
        lines = [f'CONNECT {place} HTTP/1.1', f'Host: {place}']
        if self.user or self.password:
            login = base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()
            lines.append(f'Proxy-Authorization: Basic {login}')
        return '\r\n'.join([*lines, '', '']).encode('ascii')

    # -- SOCKS ------------------------------------------------------------------------------------

    def _by_socks(self, host: str, port: int, how: How) -> Any:
        if socks is None:
            raise ProxyTrouble('error_socks', may_pass=False, path=sys.executable)
        try:
            places = in_turn(addresses(self.host, self.port, how.seconds, how.check))
        except (OSError, UnicodeError) as error:
            raise unreachable(error) from error
        target = self._target(host, port, how)
        failure: OSError = ProxyTrouble('error_proxy')
        for address in places:
            how.check()
            try:
                return self._negotiated(address.family, address.place, target, how)
            except (OSError, ValueError) as error:
                failure = _socks_trouble(error, host)
                failure.__cause__ = error
                if not isinstance(error, socks.ProxyConnectionError):  # it did answer
                    break
        raise failure

    def _target(self, host: str, port: int, how: How) -> tuple[str, int]:
        """What the proxy is asked for: `host`, or where it is if that is for us to look up."""
        version, looks_up = _SOCKS[self.scheme]
        if looks_up:
            return host, port
        found = addresses(host, port, how.seconds, how.check)
        usable = [a.place[0] for a in found if version == 5 or a.family == socket.AF_INET]
        if not usable:
            raise socket.gaierror(socket.EAI_NONAME, 'no address of IPv4')
        return usable[0], port

    def _negotiated(self, family: int, place: Any, target: tuple[str, int], how: How) -> Any:
        version, looks_up = _SOCKS[self.scheme]
        sock = socks.socksocket(family)
        try:
            for option in how.options:
                sock.setsockopt(*option)
            kind = socks.SOCKS5 if version == 5 else socks.SOCKS4
            sock.set_proxy(kind, place[0], place[1], looks_up, self.user, self.password)
            sock.settimeout(how.seconds)
            how.watch(sock)
            sock.connect(target)
        except (OSError, ValueError):
            sock.close()
            raise
        return sock


@lru_cache(maxsize=16)
def proxy_at(address: str) -> Proxy:
    """Return the proxy at `address`, http if that names no scheme. Raises ProxyTrouble."""
    address = address.strip()
    try:
        parts = urlsplit(address if '://' in address else f'http://{address}')
        usual = _PORTS[parts.scheme]
        port = parts.port or usual
    except (ValueError, KeyError) as error:  # a broken [IPv6] address, no port, a strange scheme
        raise ProxyTrouble('error_proxy_address', may_pass=False) from error
    if not parts.hostname:
        raise ProxyTrouble('error_proxy_address', may_pass=False)
    user, password = unquote(parts.username or ''), unquote(parts.password or '')
    return Proxy(parts.scheme, parts.hostname, port, user, password)


def unreachable(error: Exception) -> ProxyTrouble:
    """Return what it means that a proxy itself could not be reached because of `error`."""
    if isinstance(error, SilentResolver):
        return ProxyTrouble('error_name_service', host=error.host)
    return ProxyTrouble('error_proxy')


def is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    """Tell whether `no_proxy`, as the variable of that name, has `host` asked without a proxy.

    It lists names (with all below them), addresses, networks of IPv4 and IPv6, each maybe with a
    port, or `*`. What cannot be understood counts for nothing.
    """
    host = host.lower().rstrip('.')
    try:
        number: Any = ip_address(host)
    except ValueError:
        number = None
    for entry in re.split(r'[,\s]+', no_proxy.lower()):
        if entry == '*' or (number is not None and number in _network(entry)):
            return True
        match = _NAME.fullmatch(entry)
        if match and match['port'] in (None, str(port)):
            if host == match['name'] or (number is None and host.endswith(f'.{match["name"]}')):
                return True
    return False


def _network(entry: str) -> Any:
    """The network, or single address, that `entry` names; empty if it is neither."""
    try:
        return ip_network(entry.strip('[]'), strict=False)
    except ValueError:
        return ()


def _refusal(status: int, host: str) -> ProxyTrouble:
    """What the answer `status` to the wish for a way to `host` means."""
    if status == 407:
        return ProxyTrouble('error_proxy_login', may_pass=False, status=status)
    return ProxyTrouble('error_proxy_refused', status=status, host=host)


def _socks_trouble(error: Any, host: str) -> OSError:
    """What a failure of PySocks on the way to `host` means; it may be wrapped more than once."""
    while getattr(error, 'socket_err', None) is not None:
        error = error.socket_err
    if isinstance(error, socket.gaierror):
        return error
    if isinstance(error, socks.SOCKS5AuthError):
        return ProxyTrouble('error_socks_login', may_pass=False)
    if isinstance(error, (socks.SOCKS5Error, socks.SOCKS4Error)):
        return ProxyTrouble('error_socks_refused', host=host, reason=error.msg)
    return ProxyTrouble('error_proxy')
