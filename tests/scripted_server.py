"""A server on loopback that plays scripted answers byte by byte, and may lie.

One request per connection. An answer is bytes, or a sequence of bytes and steps:

    ok(b'whole')                                        an honest answer
    ok(b'half', length=100)                             ends too early
    (head(200, {'Content-Length': '9'}), b'abc', RESET) the connection is reset after 3 bytes
    (RESET,)                                            reset before the first byte
    (head(200), b'abc', STALL)                          nothing more until `release` is set
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from types import TracebackType
from typing import Callable, Mapping, Sequence, Union


class Step(Enum):
    """Something a server does besides sending bytes."""

    RESET = 'reset'
    STALL = 'stall'


RESET, STALL = Step.RESET, Step.STALL
Answer = Union[bytes, Sequence[Union[bytes, Step]]]


@dataclass(frozen=True)
class Request:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b''


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


def chunked(*chunks: bytes, end: bool = True) -> bytes:
    """An answer in the chunked coding; without `end` it breaks off after the last chunk."""
    coded = b''.join(b'%x\r\n%s\r\n' % (len(chunk), chunk) for chunk in chunks)
    return head(200, {'Transfer-Encoding': 'chunked'}) + coded + (b'0\r\n\r\n' if end else b'')


class ScriptedServer:
    """`with ScriptedServer(first, second) as server: ... server.url ... server.requests`.

    The answers are played in order and the last one for ever; a function in their place is asked
    for the answer to each request.
    """

    def __init__(self, *answers: Answer, handler: Callable[[Request], Answer] | None = None):
        self.requests: list[Request] = []
        self.release = threading.Event()
        self.stalled = threading.Event()
        self._answers = answers
        self._handler = handler
        self._lock = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._ending = False

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f'http://127.0.0.1:{self.port}'

    @property
    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [request.target for request in self.requests]

    def __enter__(self) -> ScriptedServer:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending = True
        self.release.set()
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
            worker = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._workers.append(worker)
            worker.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _read(connection)
                if request is not None:
                    self._play(connection, self._answer(request))
            except OSError:
                pass  # the other side went away, as some tests want it to

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests) - 1
        if self._handler is not None:
            return self._handler(request)
        return self._answers[min(number, len(self._answers) - 1)]

    def _play(self, connection: socket.socket, answer: Answer) -> None:
        for step in (answer,) if isinstance(answer, bytes) else answer:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step is STALL:
                self.stalled.set()
                self.release.wait(60)
            else:
                # closing with a linger time of 0 resets the connection
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return


def _read(connection: socket.socket) -> Request | None:
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
    return Request(method, target, headers, body)
