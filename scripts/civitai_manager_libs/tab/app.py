"""The standalone app: a page of our own around the gallery."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from .. import ending, setting, texts, widgets
from ..errors import CivitaiError, SourceError
from ..http_client import get_http_client
from ..store import files
from . import components, events, settings_panel

FIRST_PORT = 7860
PORTS_TRIED = 100


def main(argv: list[str]) -> int:
    """Serve the app until it is told to end; return the exit code, 0 for Ctrl-C."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s')
    logging.getLogger('httpx').setLevel(logging.WARNING)
    setting.load()
    if options.downloads:
        setting.download_images_folder = os.path.abspath(options.downloads)
    try:
        with files.explained(Path(setting.shortcut_gallery_folder)):
            Path(setting.shortcut_gallery_folder).mkdir(parents=True, exist_ok=True)
        port = free_port(options.host, options.port)
    except CivitaiError as error:
        sys.stderr.write(error.message_in(setting.language) + '\n')
        return ending.ExitCode.CANNOT_START
    if port is None:
        sys.stderr.write(texts.text('no_free_port', setting.language, port=options.port) + '\n')
        return ending.ExitCode.CANNOT_START
    url = serve(options.source, options.host, port)
    # Ctrl-C is how a person ends it, so then all went well
    return (
        ending.ExitCode.TERMINATED
        if wait_for_end(url) == signal.SIGTERM
        else ending.ExitCode.COMPLETE
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='civitai_gallery.py app', description=__doc__)
    parser.add_argument('--source', default='', help='Civitai link to open on')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on')
    parser.add_argument('--port', type=int, default=FIRST_PORT, help='first port to try')
    parser.add_argument('--downloads', default='', help='folder for downloads')
    return parser


def serve(source: str, host: str, port: int) -> str:
    """Start the app in the background and return its URL; it opens on `source` if given."""
    blocks, look = widgets.page('Civitai Gallery', setting.ROOT / 'style.css')
    with blocks:
        parts = components.build(source)
        components.wire_page(parts, blocks, opening=bool(source))
        settings_panel.build_panel(blocks)
    return widgets.launch(
        blocks,
        server_name=host,
        server_port=port,
        allowed_paths=events.allowed_folders(),
        **look,
    )


def free_port(host: str, first: int) -> int | None:
    """Return the first port from `first` on that nobody listens on, None if all are taken.

    Raises SourceError if this machine has no such address.
    """
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as probe:
            if os.name == 'posix':  # there a port in TIME_WAIT would seem taken without it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise SourceError('host_unusable', host=host) from error
    return None


def wait_for_end(url: str) -> int:
    """Say where the app is, and block until Ctrl-C or SIGTERM; return the number of the signal.

    What is under way is stopped then.
    """
    over = threading.Event()

    def work() -> None:
        sys.stdout.write(texts.text('running_at', setting.language, url=url) + '\n')
        sys.stdout.flush()
        over.wait()

    def stop() -> None:
        get_http_client().close()
        over.set()

    return ending.run(work, stop)
