"""The storage that one large file is downloaded from: threads, and bytes that the system copies.

`python -m bench.storage FILE` prints its port as a line of JSON and serves until its standard input
ends. The path says how: `/RATE/RESETS/NAME`, RATE bytes a second for each connection (0: no limit),
and so many answers that are reset after `RESET_BYTES`. `/sent` tells what was sent, and forgets it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import sys
import threading
import time
from pathlib import Path

HOST = '127.0.0.1'
RESET_BYTES = 200 * 1024 * 1024
_TAG = '"bench"'
_PIECE = 4 * 1024 * 1024
_TICK = 0.02  # seconds between pieces where the rate is limited


class Storage:
    """Serves the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._size = path.stat().st_size
        self._lock = threading.Lock()
        self._sent = self._connections = 0
        self._resets: dict[str, int] = {}

    def listen(self) -> socket.socket:
        """Return a socket that listens."""
        listener = socket.socket()
        listener.bind((HOST, 0))
        listener.listen(64)
        return listener

    def serve(self, listener: socket.socket) -> None:
        """Answer whoever comes."""
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection:
                while (head := _head(connection)) and self._answer(connection, head):
                    pass
        except OSError:
            pass  # the other side has enough

    def _answer(self, connection: socket.socket, head: str) -> bool:
        target = head.split(' ', 2)[1]
        if target == '/sent':
            with self._lock:
                told = json.dumps({'sent': self._sent, 'connections': self._connections})
                self._sent = self._connections = 0
                self._resets.clear()
            connection.sendall(_headers(200, len(told)) + told.encode())
            return False
        _, rate, resets, _ = target.split('/')
        start, end = self._span(head)
        with self._lock:
            self._connections += 1
            done = self._resets.get(target, 0)
            is_reset = done < int(resets) and end - start > RESET_BYTES
            self._resets[target] = done + is_reset
        place = f'Content-Range: bytes {start}-{end - 1}/{self._size}\r\n'
        is_part = 'range: bytes=' in head.lower()
        connection.sendall(_headers(206 if is_part else 200, end - start, place * is_part))
        self._send(connection, start, min(end, start + RESET_BYTES) if is_reset else end, int(rate))
        if is_reset:
            linger = struct.pack('ii', 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return not is_reset

    def _span(self, head: str) -> tuple[int, int]:
        found = re.search(r'^range: bytes=(\d+)-(\d*)', head, re.IGNORECASE | re.MULTILINE)
        if not found:
            return 0, self._size
        return int(found[1]), min(int(found[2]) + 1 if found[2] else self._size, self._size)

    def _send(self, connection: socket.socket, at: int, end: int, rate: int) -> None:
        began, first = time.monotonic(), at
        while at < end:
            count = min(end - at, int(rate * _TICK) if rate else _PIECE)
            sent = os.sendfile(connection.fileno(), self._file, at, count)
            at += sent
            with self._lock:
                self._sent += sent
            if rate:
                time.sleep(max(0.0, began + (at - first) / rate - time.monotonic()))


def _head(connection: socket.socket) -> str:
    data = b''
    while b'\r\n\r\n' not in data:
        piece = connection.recv(65536)
        if not piece:
            return ''
        data += piece
    return data.decode('latin-1')


def _headers(status: int, length: int, more: str = '') -> bytes:
    words = {200: 'OK', 206: 'Partial Content'}[status]
    return (
        f'HTTP/1.1 {status} {words}\r\nContent-Length: {length}\r\nETag: {_TAG}\r\n'
        f'Accept-Ranges: bytes\r\n{more}\r\n'
    ).encode()


def main(path: Path) -> None:
    """Serve the file at `path` until standard input ends."""
    storage = Storage(path)
    listener = storage.listen()
    print(json.dumps({'port': listener.getsockname()[1]}), flush=True)
    threading.Thread(target=storage.serve, args=(listener,), daemon=True).start()
    sys.stdin.read()


if __name__ == '__main__':
    main(Path(sys.argv[1]))
