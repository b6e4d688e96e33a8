"""The standalone app: a page of our own around the gallery."""

from __future__ import annotations

import argparse
import contextvars
import errno
import logging
import os
import signal
import socket
import sys
import threading
from typing import Any, Iterable

from .. import ending, notices, setting, texts
from ..access import guard, signs
from ..access.door import Door
from ..downloads.modeljobs import model_queue
from ..downloads.queue import job_queue
from ..errors import CivitaiError, SourceError
from ..http_client import get_http_client, outgoing
from ..library.inventory import scanning

with outgoing.unproxied():  # as gradio is loaded, it sets up what asks its own server
    from .. import widgets
    from . import components, events, routes, settings_panel, temporary

FIRST_PORT = 7860
LAST_PORT = 65535
PORTS_TRIED = 100
LOOPBACK = '127.0.0.1'
# What listens on every address is reached by its own machine as this.
_REACHED_AS = {'0.0.0.0': LOOPBACK, '::': '::1'}


def main(argv: list[str]) -> int:
    """Serve the app until it is told to end; return the exit code, 0 for Ctrl-C."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s')
    logging.getLogger('httpx').setLevel(logging.WARNING)
    setting.load()
    notices.sink = widgets.notice
    try:
        names = _checked(options)
    except SourceError as error:
        return _ended(error, ending.ExitCode.USAGE)
    if options.downloads:
        setting.download_images_folder = os.path.abspath(options.downloads)
    host = plain_address(options.host)
    try:
        setting.claim_picture_cache()
        port = free_port(host, options.port)
        if port is None:
            raise SourceError('no_free_port', port=options.port)
        temporary.move_in()
    except CivitaiError as error:
        return _ended(error, ending.ExitCode.CANNOT_START)
    try:
        url = serve(options.source, host, port, names)
        job_queue().begin()
        model_queue().begin()
        ended_by = wait_for_end(url)
    finally:
        temporary.move_out()
    # Ctrl-C is how a person ends it, so then all went well
    code = ending.ExitCode
    return code.TERMINATED if ended_by == signal.SIGTERM else code.COMPLETE


def _ended(error: CivitaiError, code: int) -> int:
    sys.stderr.write(error.message_in(setting.language) + '\n')
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='civitai_gallery.py app', description=__doc__)
    parser.add_argument('--source', default='', help='Civitai link to open on')
    parser.add_argument('--host', default=LOOPBACK, help='address to listen on')
    parser.add_argument('--port', type=int, default=FIRST_PORT, help='first port to try; 0: any')
    parser.add_argument('--downloads', default='', help='folder for downloads')
    parser.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help='another host name to answer to, may be given more than once',
    )
    return parser


def _checked(options: argparse.Namespace) -> frozenset[str]:
    """Return the host names that are allowed. Raises SourceError for what cannot be used."""
    texts_given = {
        '--source': [options.source],
        '--host': [options.host],
        '--downloads': [options.downloads],
        '--allow-host': options.allow_host,
    }
    for name, given in texts_given.items():
        if not all(map(_is_text, given)):
            raise SourceError('argument_not_text', name=name)
    if not 0 <= options.port <= LAST_PORT:
        raise SourceError('port_unusable', port=options.port, last=LAST_PORT)
    return frozenset(map(_host_name, options.allow_host))


def _is_text(given: str) -> bool:
    """Tell whether an argument is text; what cannot be decoded comes as halves of characters."""
    try:
        given.encode('utf-8')
    except UnicodeEncodeError:
        return False
    return True


def _host_name(given: str) -> str:
    try:
        name = signs.host_name(given.encode('idna').decode('ascii'))  # as browsers send it
    except UnicodeError:
        name = ''
    if not name:
        raise SourceError('allow_host_unusable', name=given)
    return name


def serve(source: str, host: str, port: int, names: Iterable[str] = ()) -> str:
    """Start the app in the background and return its URL; it opens on `source` if given.

    names: host names that it answers to besides those of `host` and of this machine.
    """
    blocks, look = _page(source)
    get_http_client()  # which reads the environment's proxies, before they are hidden
    with outgoing.unproxied():
        widgets.launch(
            blocks,
            Door(host.lower(), frozenset(names), guard.is_our_address),
            prepare=routes.serve,
            server_name=_in_url(host),
            server_port=port,
            allowed_paths=events.allowed_folders(),
            **look,
        )
    return f'http://{_in_url(_REACHED_AS.get(host, host))}:{port}/'


def _page(source: str) -> tuple[Any, dict[str, Any]]:
    """Make the page, in the language of now; return it and what its launch needs for it."""
    blocks, look = widgets.page('Civitai Gallery', setting.ROOT / 'style.css')

    def translate() -> None:
        # in a context of its own, as gradio makes no components inside an event
        other, _ = contextvars.Context().run(_page, source)
        _say_as(blocks, other)

    with blocks:
        parts = components.build(source)
        components.wire_page(parts, blocks, opening=bool(source), is_ours=True)
        settings_panel.build_panel(blocks, translate)
    return blocks, look


def _say_as(page: Any, other: Any) -> None:
    """Have `page` say to whom opens it from now on what `other`, the same page anew, says.

    What can be chosen in pages that are open may be chosen still.
    """
    for kind, what in (('components', 'props'), ('dependencies', 'js')):
        for ours, theirs in zip(page.config[kind], other.config[kind], strict=True):
            ours[what] = theirs[what]
    for mine, new in zip(page.blocks.values(), other.blocks.values(), strict=True):
        for known, more in zip(_choices(mine), _choices(new)):
            known += [one for one in more if one not in known]


def _choices(component: Any) -> list[list[Any]]:
    """The choices a component was made with, and those it lets pass: gradio refuses others."""
    made = getattr(component, '_constructor_args', None) or [{}]
    return [made[0].get('choices') or [], getattr(component, 'choices', None) or []]


def _in_url(host: str) -> str:
    return f'[{host}]' if ':' in host else host


def plain_address(host: str) -> str:
    """Return an address in its usual form ("0" is 0.0.0.0, "[::1]" is ::1), a name as it is."""
    inner = host[1:-1] if host.startswith('[') and host.endswith(']') else host
    try:
        numbers = socket.getaddrinfo(inner, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return host
    return str(numbers[0][4][0])


def free_port(host: str, first: int) -> int | None:
    """Return the first port from `first` on (0: any) that nobody listens on, None if all are taken.

    Raises SourceError if this machine has no such address.
    """
    last = min(first + PORTS_TRIED, LAST_PORT + 1)
    for port in range(first, last) if first else [0] * PORTS_TRIED:
        found = _listenable(host, port)
        if found and _listenable(LOOPBACK, found):  # gradio wants it there too
            return found
    return None


def _listenable(host: str, port: int) -> int | None:
    """Return the port (0: one the system chooses) if nobody listens there, None if somebody does.

    Raises SourceError if this machine has no such address.
    """
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        if not host:  # that would be every address
            raise ValueError('empty')
        with socket.socket(family) as probe:
            if os.name == 'posix':  # there a port in TIME_WAIT would seem taken without it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # as the server will
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, ValueError) as error:
        if getattr(error, 'errno', None) in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise SourceError('host_unusable', host=host) from error


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
        job_queue().end()
        model_queue().end()
        scanning().end()
        get_http_client().close()
        over.set()

    return ending.run(work, stop)
