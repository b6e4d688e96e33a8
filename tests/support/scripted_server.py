"""A server on loopback that plays scripted answers byte by byte, and may lie.

An answer is bytes, or a sequence of bytes and steps:

    ok(b'whole')                                        an honest answer
    ok(b'half', length=100)                             ends too early
    (head(200, {'Content-Length': '9'}), b'abc', RESET) the connection is reset after 3 bytes
    (RESET,)                                            reset before the first byte
    (head(200), b'abc', STALL)                          nothing more until `release` is set
    (head(200), Trickle(b'abc'))                        a byte now and then until `release` is set
    (head(200), Flood(b'abc'))                          the same bytes again and again
    kept(ok(b'whole'))                                  the connection waits for a next request

Without `kept` a connection is closed after its answer.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Callable, Mapping, Sequence, Union


class Step(Enum):
    """Something a server does besides sending bytes."""

    RESET = 'reset'
    STALL = 'stall'
    KEEP = 'keep'


@dataclass(frozen=True)
class Trickle:
    """Send `data`, `size` bytes at a time with `seconds` between, at most until the release."""

    data: bytes
    size: int = 1
    seconds: float = 0.03


@dataclass(frozen=True)
class Flood:
    """Send `data` again and again for `seconds`, at most until the release."""

    data: bytes
    seconds: float = 3.0


RESET, STALL, KEEP = Step.RESET, Step.STALL, Step.KEEP
Piece = Union[bytes, Step, Trickle, Flood]
Answer = Union[bytes, Sequence[Piece]]

CLOSE = b'Connection: close\r\n'


@dataclass(frozen=True)
class Request:
    """A request as it came; header names in lower case; `connection` counts from 0."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b''
    connection: int = 0


def head(status: int, headers: Mapping[str, str] | None = None) -> bytes:
    """The beginning of an answer up to the empty line, with no length unless `headers` has one."""
    reasons = {item.value: item.phrase for item in HTTPStatus}
    lines = [f'HTTP/1.1 {status} {reasons.get(status, "Unknown")}', 'Connection: close']
    lines += [f'{name}: {value}' for name, value in (headers or {}).items()]
    return '\r\n'.join([*lines, '', '']).encode('latin-1')


def ok(body: bytes, *, length: int | None = None, status: int = 200, **headers: str) -> bytes:
    """An answer with a Content-Length, which `length` may falsify; `Retry_After` is a header."""
    named = {name.replace('_', '-'): value for name, value in headers.items()}
    size = len(body) if length is None else length
    return head(status, {'Content-Length': str(size), **named}) + body


def redirect(location: str, status: int = 302) -> bytes:
    """An answer that leads to `location`."""
    return ok(b'', status=status, Location=location)


def chunked(*chunks: bytes, end: bool = True, **headers: str) -> bytes:
    """An answer in the chunked coding; without `end` it breaks off after the last chunk."""
    named = {name.replace('_', '-'): value for name, value in headers.items()}
    coded = b''.join(b'%x\r\n%s\r\n' % (len(chunk), chunk) for chunk in chunks)
    opening = head(200, {'Transfer-Encoding': 'chunked', **named})
    return opening + coded + (b'0\r\n\r\n' if end else b'')


def kept(answer: Answer) -> Answer:
    """`answer` on a connection that stays open for another request."""
    first, *rest = (answer,) if isinstance(answer, bytes) else answer
    assert isinstance(first, bytes)
    return (first.replace(CLOSE, b'', 1), *rest, KEEP)


def part_of(body: bytes, start: int, end: int | None = None, **headers: str) -> bytes:
    """The 206 with the bytes of `body` from `start` up to and without `end`."""
    stop = len(body) if end is None else end
    named = {'Content_Range': f'bytes {start}-{stop - 1}/{len(body)}', **headers}
    return ok(body[start:stop], status=206, **named)


def outside(size: int, **headers: str) -> bytes:
    """The 416 of a file of `size` bytes."""
    return ok(b'', status=416, **{'Content_Range': f'bytes */{size}', **headers})


def honest(request: Request, body: bytes, validator: str, name: str = 'ETag') -> bytes:
    """What a good server answers to HEAD, GET and GET with Range and If-Range for `body`."""
    headers = {name.replace('-', '_'): validator, 'Accept_Ranges': 'bytes'}
    asked = re.fullmatch(r'bytes=(\d+)-', request.headers.get('range', ''))
    if request.method == 'HEAD':
        return ok(b'', length=len(body), **headers)
    if asked is None or request.headers.get('if-range', validator) != validator:
        return ok(body, **headers)
    start = int(asked[1])
    return part_of(body, start, **headers) if start < len(body) else outside(len(body), **headers)


class ScriptedServer:
    """`with ScriptedServer(first, second) as server: ... server.url ... server.requests`.

    The answers are played in order and the last one for ever; a function in their place is asked
    for the answer to each request. With `tls` it speaks https. `stalled` is set while a request
    is held up by STALL, Trickle or Flood. `left` counts the answers that the other side hung up on.
    """

    def __init__(
        self,
        *answers: Answer,
        handler: Callable[[Request], Answer] | None = None,
        tls: ssl.SSLContext | None = None,
    ):
        self.requests: list[Request] = []
        self.opened = 0  # connections on which a request came or a handshake began
        self.left = 0
        self.release = threading.Event()
        self.stalled = threading.Event()
        self._answers = answers
        self._handler = handler
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: set[socket.socket] = set()
        self._workers: list[threading.Thread] = []
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._ending = False

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return f'http{"s" if self._tls else ""}://127.0.0.1:{self.port}'

    @property
    def idle(self) -> int:
        """How many connections are open and wait for a next request."""
        return len(self._idle)

    @property
    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [request.target for request in self.requests]

    @property
    def connections(self) -> list[int]:
        """The number of the connection on which each request came."""
        return [request.connection for request in self.requests]

    def __enter__(self) -> ScriptedServer:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        with self._lock:
            self._ending = True
            for connection in self._idle:
                _shut(connection)
        socket.create_connection(('127.0.0.1', self.port)).close()  # wakes accept
        for thread in (self._thread, *self._workers):
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ending:
                connection.close()
                return
            # so that small pieces leave when they are sent
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            worker = threading.Thread(
                target=self._serve, args=(connection, self.opened), daemon=True
            )
            self.opened += 1
            self._workers.append(worker)
            worker.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while (request := self._next(connection, number)) is not None:
                answer = self._answer(request)
                try:
                    is_kept = self._play(connection, answer)
                except OSError:
                    with self._lock:
                        self.left += 1
                    raise
                if not is_kept:
                    break
        except OSError:
            pass  # the other side went away, as some tests want it to
        finally:
            connection.close()

    def _next(self, connection: socket.socket, number: int) -> Request | None:
        """The next request, None when there is none; the end of the server ends the wait."""
        with self._lock:
            if self._ending:
                return None
            self._idle.add(connection)
        try:
            return _read(connection, number)
        finally:
            with self._lock:
                self._idle.discard(connection)

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests) - 1
        if self._handler is not None:
            return self._handler(request)
        return self._answers[min(number, len(self._answers) - 1)]

    def _play(self, connection: socket.socket, answer: Answer) -> bool:
        """Send `answer`; whether the connection is kept."""
        for step in (answer,) if isinstance(answer, bytes) else answer:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, Trickle):
                self._trickle(connection, step)
            elif isinstance(step, Flood):
                self._flood(connection, step)
            elif step is STALL:
                self._stall(connection)
            else:
                if step is RESET:
                    _reset_at_close(connection)
                return step is KEEP
        return False

    def _stall(self, connection: socket.socket) -> None:
        self.stalled.set()
        end = time.monotonic() + 60
        while time.monotonic() < end and not self.release.wait(0.02):
            # past TLS, which cannot be asked without reading
            if select.select([connection], [], [], 0)[0]:
                if not socket.socket.recv(connection, 1, socket.MSG_PEEK):
                    raise ConnectionAbortedError

    def _trickle(self, connection: socket.socket, step: Trickle) -> None:
        for start in range(0, len(step.data), step.size):
            connection.sendall(step.data[start : start + step.size])
            self.stalled.set()
            if self.release.wait(step.seconds):
                return

    def _flood(self, connection: socket.socket, step: Flood) -> None:
        self.stalled.set()
        end = time.monotonic() + step.seconds
        while time.monotonic() < end and not self.release.is_set():
            connection.sendall(step.data)


def _reset_at_close(connection: socket.socket) -> None:
    """Closing with a linger time of 0 resets the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def _shut(connection: socket.socket) -> None:
    """Wake a thread that reads from `connection`."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # gone already


def _read(connection: socket.socket, number: int) -> Request | None:
    """The next request, None if the connection ended before one was whole."""
    data = b''
    while b'\r\n\r\n' not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    top, _, body = data.partition(b'\r\n\r\n')
    first, *lines = top.decode('latin-1').split('\r\n')
    method, target, _ = first.split(' ', 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(':')
        headers[name.strip().lower()] = value.strip()
    while len(body) < int(headers.get('content-length', '0')):
        body += connection.recv(65536)
    return Request(method, target, headers, body, number)
