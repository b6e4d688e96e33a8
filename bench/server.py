"""The server that is downloaded from: HTTP/1.1 over plain asyncio, in a process of its own.

`python -m bench.server FOLDER` makes certificates in FOLDER, prints its ports as a line of JSON and
serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping
from urllib.parse import parse_qsl, urlsplit

import trustme

from . import api, pictures, rules

HOST = '127.0.0.1'
CA_FILE = 'ca.pem'
_SEND_BUFFER = 512 * 1024  # a whole picture goes to the system at once
_JPEG = 'Content-Type: image/jpeg\r\nAccept-Ranges: bytes\r\nETag: {}\r\n'
_WORDS = {200: 'OK', 206: 'Partial Content', 404: 'Not Found', 416: 'Range Not Satisfiable'}
_WORDS |= {429: 'Too Many Requests', 500: 'Internal Server Error', 503: 'Service Unavailable'}


@dataclass(frozen=True)
class Conditions:
    """How the server behaves. `latency` (to the first byte) and `stall` in seconds."""

    pictures: int = 100
    size: int = 60_000
    latency: float = 0.0
    faults: bool = False
    stall: float = 10.0
    rule: str = rules.NO_LIMIT


@dataclass
class Scene:
    """The conditions that hold now, and what happened under them."""

    conditions: Conditions = field(default_factory=Conditions)
    gate: rules.Gate = field(default_factory=rules.Gate)
    connections: int = 0
    requests: int = 0
    asked: set[int] = field(default_factory=set)
    cpu_at_start: float = field(default_factory=time.process_time)

    def counters(self) -> dict[str, float]:
        """What happened, as numbers; `cpu` is the server's own, in seconds."""
        return {
            'connections': self.connections,
            'requests': self.requests,
            'refused': self.gate.refused,
            'most_at_once': self.gate.most_inside,
            'cpu': time.process_time() - self.cpu_at_start,
        }


class Stage:
    """Holds the scene that is played; connections look it up for every request."""

    def __init__(self) -> None:
        self.scene = Scene()

    def control(self, target: str) -> dict[str, float]:
        """Answer a request of the control port: /counters, or /reset?conditions={...}."""
        parts = urlsplit(target)
        counted = self.scene.counters()
        if parts.path == '/reset':
            conditions = Conditions(**json.loads(dict(parse_qsl(parts.query))['conditions']))
            self.scene = Scene(conditions, rules.Gate(conditions.rule))
        return counted


class Connection(asyncio.Protocol):
    """One connection: a request at a time, answered after the latency, then the next."""

    def __init__(self, stage: Stage, scheme: str) -> None:
        self._stage = stage
        self._scheme = scheme
        self._loop = asyncio.get_running_loop()
        self._received = b''
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._stage.scene.connections += self._scheme != 'control'

    def data_received(self, data: bytes) -> None:
        """Begin with a request that is whole, unless there is one at work."""
        self._received += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        head, end, rest = self._received.partition(b'\r\n\r\n')
        self._busy = bool(end)
        if end:
            self._received = rest
            line, *fields = head.decode('latin-1').split('\r\n')
            headers = {name.lower(): value.strip() for name, _, value in map(_parted, fields)}
            self._dispatch(line.split(' ')[1], headers)

    def _dispatch(self, target: str, headers: Mapping[str, str]) -> None:
        if self._scheme == 'control':
            return self._send_json(self._stage.control(target))
        scene = self._stage.scene
        latency = scene.conditions.latency
        if not target.endswith('.jpeg'):
            base = f'{self._scheme}://{headers.get("host", "")}'
            self._loop.call_later(latency, self._send_json, _api_answer(target, scene, base))
            return
        number = int(target.rpartition('/')[2].partition('.')[0])
        scene.requests += 1

        def work() -> None:
            self._loop.call_later(latency, self._picture, scene, number, headers)

        if not scene.gate.enter(self._loop.time(), work):
            self._loop.call_later(latency, self._send, 429, scene.gate.retry_after())

    def _picture(self, scene: Scene, number: int, headers: Mapping[str, str]) -> None:
        """Send a picture, or do to it what its number says."""
        scene.gate.leave()
        fault = ''
        if scene.conditions.faults and number not in scene.asked:
            scene.asked.add(number)
            fault = rules.fault_of(number)
        if fault in ('500', '503'):
            self._send(int(fault))
        elif fault:
            self._break_off(fault, *self._whole(scene, number), scene.conditions.stall)
        elif 'range' in headers:
            self._send_range(scene, number, headers)
        else:
            self._send(200, *self._whole(scene, number))

    def _whole(self, scene: Scene, number: int) -> tuple[str, bytes]:
        size = scene.conditions.size
        return _JPEG.format(pictures.etag(number, size)), pictures.picture(number, size)

    def _send_range(self, scene: Scene, number: int, headers: Mapping[str, str]) -> None:
        more, body = self._whole(scene, number)
        if headers.get('if-range', pictures.etag(number, len(body))) not in more:
            return self._send(200, more, body)
        first = int(headers['range'].removeprefix('bytes=').partition('-')[0])
        if first >= len(body):
            return self._send(416, f'Content-Range: bytes */{len(body)}\r\n')
        place = f'Content-Range: bytes {first}-{len(body) - 1}/{len(body)}\r\n'
        self._send(206, more + place, body[first:])

    def _break_off(self, fault: str, more: str, body: bytes, stall: float) -> None:
        """Send half of a picture, then reset, close, or wait before the rest."""
        half = len(body) // 2
        self._transport.write(_head(200, more, len(body)) + body[:half])
        if fault == 'stall':
            self._loop.call_later(stall, self._finish, body[half:])
        elif fault == 'truncated':
            self._transport.close()
        else:
            raw = self._transport.get_extra_info('socket')
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self._transport.abort()

    def _send_json(self, data: Mapping[str, Any]) -> None:
        found = bool(data)
        body = json.dumps(data).encode()
        self._send(200 if found else 404, 'Content-Type: application/json\r\n', body)

    def _send(self, status: int, more: str = '', body: bytes = b'') -> None:
        self._finish(_head(status, more, len(body)) + body)

    def _finish(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
            self._next()


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(':')


def _head(status: int, more: str, length: int) -> bytes:
    words = _WORDS[status]
    return f'HTTP/1.1 {status} {words}\r\nContent-Length: {length}\r\n{more}\r\n'.encode()


def _api_answer(target: str, scene: Scene, base: str) -> dict[str, Any]:
    parts = urlsplit(target)
    if parts.path == f'/api/v1/models/{pictures.MODEL_ID}':
        return api.model()
    if parts.path == '/api/v1/images':
        return api.images(dict(parse_qsl(parts.query)), scene.conditions.pictures, base)
    return {}


def _listening(backlog: int = 1024) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listener.bind((HOST, 0))
    listener.listen(backlog)
    return listener


def _certified(folder: Path) -> ssl.SSLContext:
    """A context for the server, with a certificate whose issuer is written to `folder`."""
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(folder / CA_FILE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(HOST, 'localhost').configure_cert(context)
    return context


async def serve(folder: Path) -> None:
    """Serve until standard input ends."""
    loop, stage, ports, servers = asyncio.get_running_loop(), Stage(), {}, []
    for scheme in ('http', 'https', 'control'):
        listener = _listening()
        context = _certified(folder) if scheme == 'https' else None

        def connection(scheme: str = scheme) -> Connection:
            return Connection(stage, scheme)

        servers.append(await loop.create_server(connection, sock=listener, ssl=context))
        ports[scheme] = listener.getsockname()[1]
    print(json.dumps(ports), flush=True)
    ended = asyncio.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await ended.wait()


if __name__ == '__main__':
    asyncio.run(serve(Path(sys.argv[1])))
