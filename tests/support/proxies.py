"""Proxies on loopback: one that opens tunnels (CONNECT), and one that speaks SOCKS5."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import struct
import threading
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from tests.support.scripted_server import STALL, Answer, Trickle

P = TypeVar('P', bound='_Proxy')

# The ways to log in, of RFC 1928.
NO_LOGIN, BY_PASSWORD, NONE_OF_THESE = 0, 2, 255


class _Proxy:
    """A listener with a thread for each who comes; `wishes` are the places asked for, in order.

    `login` is the `name:password` it wants. `answer` is said in place of the usual; `stalled`
    is set while that is held up, `done` when a connection ended.
    """

    def __init__(
        self,
        *,
        login: str = '',
        answer: Answer | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.wishes: list[str] = []
        self.stalled, self.release, self.done = (threading.Event() for _ in range(3))
        self._login, self._answer, self._tls = login, answer, tls
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self: P) -> P:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            if self._tls is not None:
                caller = self._tls.wrap_socket(caller, server_side=True)
            place = self._asked(caller)
            if self._answer is not None:
                self._play(caller, self._answer)
            elif place is not None:
                with socket.create_connection(place, timeout=10) as site:
                    self._greet(caller)
                    _relay(caller, site)
        except (OSError, ValueError):
            pass  # the other side went away, as some tests want it to
        finally:
            caller.close()
            self.done.set()

    def _play(self, caller: socket.socket, answer: Answer) -> None:
        for step in (answer,) if isinstance(answer, bytes) else answer:
            if isinstance(step, bytes):
                caller.sendall(step)
            elif isinstance(step, Trickle):
                for letter in step.data:
                    caller.sendall(bytes((letter,)))
                    self.stalled.set()
                    if self.release.wait(step.seconds):
                        return
            elif step is STALL:
                self.stalled.set()
                self.release.wait(60)

    def _asked(self, caller: socket.socket) -> tuple[str, int] | None:
        raise NotImplementedError

    def _greet(self, caller: socket.socket) -> None:
        raise NotImplementedError


class TunnelProxy(_Proxy):
    """Answers CONNECT; with `tls` its own line is encrypted too."""

    @property
    def url(self) -> str:
        """Its address, with the login."""
        scheme = 'https' if self._tls else 'http'
        return f'{scheme}://{self._login + "@" if self._login else ""}127.0.0.1:{self.port}'

    def _asked(self, caller: socket.socket) -> tuple[str, int] | None:
        head = b''
        while b'\r\n\r\n' not in head:
            piece = caller.recv(4096)
            if not piece:
                return None
            head += piece
        _, wish, _ = head.decode().split(' ', 2)
        self.wishes.append(wish)
        proof = base64.b64encode(self._login.encode())
        if self._login and b'Proxy-Authorization: Basic ' + proof not in head:
            caller.sendall(b'HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n')
            return None
        host, _, port = wish.rpartition(':')
        return host.strip('[]'), int(port)

    def _greet(self, caller: socket.socket) -> None:
        caller.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')


class SocksProxy(_Proxy):
    """Speaks SOCKS5 (RFC 1928), with a login as in RFC 1929.

    `refusal` is the number of the error that it answers. `hosts` are names that it alone knows.
    """

    def __init__(self, *, refusal: int = 0, hosts: dict[str, str] | None = None, **rest: Any):
        super().__init__(**rest)
        self._refusal, self._hosts = refusal, hosts or {}

    def url(self, scheme: str = 'socks5h', login: str | None = None) -> str:
        """Its address, with the right login or another one."""
        given = self._login if login is None else login
        return f'{scheme}://{given + "@" if given else ""}127.0.0.1:{self.port}'

    def _asked(self, caller: socket.socket) -> tuple[str, int] | None:
        with caller.makefile('rb', 0) as reader:
            _, count = _exactly(reader, 2)
            offered = _exactly(reader, count)
            way = BY_PASSWORD if self._login else NO_LOGIN
            if way not in offered:
                way = NONE_OF_THESE
            if self._answer is not None:
                return None
            caller.sendall(bytes((5, way)))
            if way == NONE_OF_THESE or (self._login and not self._is_known(caller, reader)):
                return None
            _, _, _, kind = _exactly(reader, 4)
            if kind == 3:
                host = _exactly(reader, _exactly(reader, 1)[0]).decode()
            else:
                family = socket.AF_INET if kind == 1 else socket.AF_INET6
                host = socket.inet_ntop(family, _exactly(reader, 4 if kind == 1 else 16))
            (port,) = struct.unpack('>H', _exactly(reader, 2))
        self.wishes.append(f'{host}:{port}')
        if self._refusal:
            caller.sendall(bytes((5, self._refusal, 0, 1, 0, 0, 0, 0, 0, 0)))
            return None
        return self._hosts.get(host, host), port

    def _is_known(self, caller: socket.socket, reader: BinaryIO) -> bool:
        _exactly(reader, 1)
        name = _exactly(reader, _exactly(reader, 1)[0])
        password = _exactly(reader, _exactly(reader, 1)[0])
        is_known = b':'.join((name, password)) == self._login.encode()
        caller.sendall(bytes((1, 0 if is_known else 1)))
        return is_known

    def _greet(self, caller: socket.socket) -> None:
        caller.sendall(bytes((5, 0, 0, 1, 0, 0, 0, 0, 0, 0)))


def _exactly(reader: BinaryIO, count: int) -> bytes:
    data = b''
    while len(data) < count:
        piece = reader.read(count - len(data))
        if not piece:
            raise OSError('ended early')
        data += piece
    return data


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each sends until one ends; in one thread, because TLS bears no second."""
    while True:
        unpacked = getattr(one, 'pending', int)()
        ready = [one] if unpacked else select.select([one, other], [], [], 30)[0]
        for source in ready:
            piece = source.recv(65536)
            if not piece:
                return
            (other if source is one else one).sendall(piece)
