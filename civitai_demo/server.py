"""Run the stand-in on loopback, in a thread of this process."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from types import TracebackType

import uvicorn

from .api.app import create_app
from .api.gate import Control, QuietEnding, RequestRecord
from .api.scenarios import ScenarioSwitch
from .world.models import OPENING_MODEL_ID, OPENING_VERSION_ID

# The page of the gallery a demonstration opens on.
OPENING_PATH = f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'

MAX_LATENCY = 3600

_QUIET = QuietEnding()


class DemoServer:
    """A running stand-in: `with DemoServer() as demo: ... demo.url ...`.

    `latency` (seconds) is waited before every answer. `scenario` is the name of something that goes
    wrong, see `civitai_demo.api.scenarios`. ValueError for what neither can be. Starting raises
    OSError when `port` is taken; port 0 takes any free one. With `certificate`, a PEM file of a key
    and its chain, it speaks TLS.
    """

    def __init__(
        self, port: int = 0, latency: float = 0.0, scenario: str = '', certificate: str = ''
    ) -> None:
        """Prepare; nothing is opened before `start`."""
        if not 0 <= latency <= MAX_LATENCY:  # which also leaves out nan
            raise ValueError(f'{latency!r} is not a number of seconds (0 to {MAX_LATENCY}).')
        self._wanted_port = port
        self._certificate = certificate or None
        self._control = Control(latency, ScenarioSwitch(scenario))
        self._sockets: list[socket.socket] = []
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start`."""
        return self._port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or `https`, without a slash at the end."""
        return f'{"https" if self._certificate else "http"}://127.0.0.1:{self._port}'

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far, in order of arrival; may be cleared."""
        return self._control.requests

    @property
    def scenario(self) -> str:
        """What goes wrong at the moment; setting it starts a counted scenario anew."""
        return self._control.switch.text

    @scenario.setter
    def scenario(self, text: str) -> None:
        self._control.switch.set(text)

    @property
    def latency(self) -> float:
        """Seconds waited before every answer."""
        return self._control.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._control.latency = seconds

    def start(self) -> None:
        """Listen, and serve from a daemon thread; returns when connections are accepted."""
        self._sockets, self._port = listen(self._wanted_port)
        logging.getLogger('uvicorn.error').addFilter(_QUIET)
        config = uvicorn.Config(
            create_app(self._control),
            loop='asyncio',
            http='h11',
            ws='none',
            lifespan='off',
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=self._certificate,
        )
        self._server = uvicorn.Server(config)
        # The sockets listen already: whoever connects now is answered as soon as the thread runs.
        self._thread = threading.Thread(
            target=self._server.run, args=(self._sockets,), name='civitai-demo', daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close everything, unfinished answers too; harmless when not running."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        for listener in self._sockets:
            listener.close()
        self._server = self._thread = None

    def wait(self) -> None:
        """Block until the server ends (Ctrl-C interrupts)."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    def __enter__(self) -> DemoServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def listen(port: int) -> tuple[list[socket.socket], int]:
    """Listening sockets for 127.0.0.1 and, where it exists, ::1 on one port; raises OSError.

    Both, because `localhost` may mean either, and another program must not answer for us.
    """
    for attempt in range(20):
        first = _listener(socket.AF_INET, '127.0.0.1', port)
        chosen = int(first.getsockname()[1])
        try:
            return [first, _listener(socket.AF_INET6, '::1', chosen)], chosen
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [first], chosen
            first.close()
            if port:
                raise
    raise OSError(errno.EADDRINUSE, 'No port is free on both loopback addresses')


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # asyncio sends small answers at once only over a socket that names its protocol.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == 'posix':
            # Elsewhere this option would let two servers share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
