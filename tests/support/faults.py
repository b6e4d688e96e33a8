"""What the tests of faults share: a whole picture, certificates, and threads that are to end."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable, Iterator

import trustme

from scripts.civitai_manager_libs import errors
from tests.support.network import png

WHOLE = png(20_000)
PATIENCE = 30  # seconds until a test that hangs is given up
# Asked for are 0.3 s; machines that run tests for many can be slow.
STOPPED_WITHIN = 1.5


class Authority:
    """Somebody who issues certificates, whom nobody trusts unless told to."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def certificate(self, name: str = '127.0.0.1', *, expired: bool = False) -> ssl.SSLContext:
        """What a server needs to show a certificate for `name`."""
        now = datetime.datetime.now(datetime.timezone.utc)
        ended = now - datetime.timedelta(days=1) if expired else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name, not_after=ended).configure_cert(context)
        return context

    def write_to(self, path: Path) -> str:
        """Write the own certificate, which makes those issued trusted, as PEM; its path."""
        self._ca.cert_pem.write_to_path(str(path))
        return str(path)


class Work:
    """`with Work(function) as work:` runs it in a thread, until the block ends at the latest."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.error: errors.CivitaiError | None = None
        self.result: object = None
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Work:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            self.result = self._function()
        except errors.CivitaiError as error:
            self.error = error

    def goes_on(self, seconds: float = 0.2) -> bool:
        """Whether it has not ended within `seconds`."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def seconds_to_end(self) -> float:
        """Wait for its end; the seconds that took."""
        began = time.monotonic()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return time.monotonic() - began


@contextmanager
def deaf(host: str = '127.0.0.1', port: int = 0) -> Iterator[tuple[str, int]]:
    """A place on this machine where nobody answers who connects; its address."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(8):  # until it does not even answer any more
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()


def small_disk(folder: Path) -> list[str]:
    """Words that start a command for which `folder` is a disk of a megabyte; [] where not so.

    After what the command says they say what lies in it then.
    """
    words = ['unshare', '--mount', '--map-root-user', 'sh', '-c']
    mount = f'mount -t tmpfs -o size=1m none "{folder}" && "$@" && ls -A "{folder}"'
    try:
        tried = subprocess.run([*words, mount, 'sh', 'true'], capture_output=True)
    except OSError:
        return []
    return [] if tried.returncode else [*words, mount, 'sh']
