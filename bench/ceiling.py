"""How fast the server itself is, so that nobody takes its limit for a client's."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from . import process
from .clients import CLIENTS, CURL
from .origin import Origin
from .pictures import numbers, path
from .server import Conditions
from .task import Task

AT_ONCE = 16


@dataclass(frozen=True)
class Ceiling:
    """Answers a second that a client got without latency, and the server's own CPU (ms) for each.

    1000 / cpu is what the server could do beside a client that costs nothing.
    """

    client: str
    per_second: float
    cpu: float


def measure(origin: Origin, count: int = 3000, size: int = 60_000) -> Ceiling:
    """Fetch `count` pictures as fast as possible."""
    origin.reset(Conditions(count, size))
    client, seconds = _by_curl(origin, count) if shutil.which('curl') else _by_hand(origin, count)
    counters = origin.counters()
    return Ceiling(client, counters['requests'] / seconds, 1000 * counters['cpu'] / count)


def _by_curl(origin: Origin, count: int) -> tuple[str, float]:
    with tempfile.TemporaryDirectory(prefix='civitai-gallery-bench-') as home:
        folder = Path(home) / 'pictures'
        folder.mkdir()
        task = Task(origin.base(tls=False), count, AT_ONCE, str(folder), home)
        command = CLIENTS[CURL].prepare(task)
        assert command is not None
        ended = process.run(command.argv, dict(os.environ), Path(home), 60)
        return CURL, ended.wall


def _by_hand(origin: Origin, count: int) -> tuple[str, float]:
    address = urlsplit(origin.base(tls=False)).netloc

    def fetch(first: int) -> None:
        connection = HTTPConnection(address)
        for number in numbers(count)[first::AT_ONCE]:
            connection.request('GET', path(number))
            connection.getresponse().read()
        connection.close()

    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(fetch, range(AT_ONCE)))
    return 'http.client', time.monotonic() - started
