"""The server as seen by who starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import certifi

from . import server
from .server import Conditions

ROOT = Path(__file__).resolve().parents[1]


class Origin:
    """A context manager: the server runs inside it.

    `ca_file` is the certificate that signed the server's, `bundle` that and the usual ones.
    """

    def __enter__(self) -> Origin:
        self._folder = tempfile.TemporaryDirectory(prefix='civitai-gallery-bench-origin-')
        folder = Path(self._folder.name)
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'bench.server', str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not for it: it ends with its standard input
        )
        assert self._process.stdout is not None
        self._ports: dict[str, int] = json.loads(self._process.stdout.readline())
        self.ca_file, self.bundle = folder / server.CA_FILE, folder / 'bundle.pem'
        self.bundle.write_bytes(Path(certifi.where()).read_bytes() + self.ca_file.read_bytes())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # closes its standard input, at whose end it ends
        self._folder.cleanup()

    def base(self, *, tls: bool) -> str:
        """The address without a path."""
        scheme = 'https' if tls else 'http'
        return f'{scheme}://{server.HOST}:{self._ports[scheme]}'

    def reset(self, conditions: Conditions) -> None:
        """Let other conditions hold from now on, and count from zero."""
        self._ask('/reset?' + urlencode({'conditions': json.dumps(asdict(conditions))}))

    def counters(self) -> dict[str, Any]:
        """What happened since the last reset; see `server.Scene.counters`."""
        return self._ask('/counters')

    def _ask(self, target: str) -> dict[str, Any]:
        connection = HTTPConnection(server.HOST, self._ports['control'], timeout=10)
        try:
            connection.request('GET', target)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()
