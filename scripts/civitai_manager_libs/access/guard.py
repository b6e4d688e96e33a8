"""The door of the standalone app as ASGI middleware: lets in, or says in one sentence why not."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import Any, Container, Iterable, Iterator
from urllib.parse import unquote_plus

from .. import setting, texts
from . import owner
from .door import PAGE, Asked, Door, Refusal
from .owner import Application, Scope

_NOT_IN_FRAMES = (b'x-frame-options', b'SAMEORIGIN')
_PLAIN = [(b'content-type', b'text/plain; charset=utf-8'), (b'x-content-type-options', b'nosniff')]
_TRUSTED = 'FORWARDED_ALLOW_IPS'  # whose forwarded headers uvicorn believes, as it is set up
_POLICY_VIOLATION = 1008  # how a websocket ends that is refused (RFC 6455, 7.4.1)


def is_our_address(address: str) -> bool:
    """Tell whether `address` is one of this machine: only those can be listened on."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            socket.inet_pton(family, address)  # no name: nobody is asked about one
            probe.bind((address, 0))
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def real_peers() -> Iterator[None]:
    """Have a server that is set up inside tell who is connected, whatever a header says of it.

    uvicorn believes every program of this machine, so that anybody's could seem to be elsewhere.
    """
    before = os.environ.get(_TRUSTED)
    os.environ[_TRUSTED] = 'nobody'
    try:
        yield
    finally:
        del os.environ[_TRUSTED]
        if before is not None:
            os.environ[_TRUSTED] = before


class Guard:
    """ASGI middleware: what the door refuses gets a sentence, the rest goes on, sealed.

    `unheard`: what the address of the page may name without the application behind being told.
    """

    def __init__(self, app: Application, door: Door, unheard: Container[str] = ()) -> None:
        self.app = owner.Sealing(app, door.is_shared)
        self.door = door
        self.unheard = unheard

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer, or pass on."""
        if scope['type'] not in ('http', 'websocket'):
            await self.app(scope, receive, send)
            return
        refusal = self.door.refusal(_asked(scope))
        if refusal:
            await _refuse(scope, send, refusal)
            return
        if scope['path'] == PAGE:
            query = _without(scope.get('query_string', b''), self.unheard)
            scope = {**scope, 'query_string': query}

        async def send_unframed(message: Any) -> None:
            if message['type'] == 'http.response.start':
                message = {**message, 'headers': [*message.get('headers', ()), _NOT_IN_FRAMES]}
            await send(message)

        await self.app(scope, receive, send_unframed)


def _without(query: bytes, names: Container[str]) -> bytes:
    """A query without the parameters of these names, however they are written."""
    return b'&'.join(piece for piece in query.split(b'&') if _name(piece) not in names)


def _name(piece: bytes) -> str:
    return unquote_plus(piece.partition(b'=')[0].decode('latin-1'))


def _asked(scope: Scope) -> Asked:
    return Asked(scope.get('method', ''), scope['path'], _headers(scope['headers']))


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by name; one that is there twice has both values, and so is no name or site."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode('latin-1').lower(), value.decode('latin-1')
        found[key] = f'{found[key]}, {text}' if key in found else text
    return found


async def _refuse(scope: Scope, send: Any, refusal: Refusal) -> None:
    sentence = texts.text(refusal.key, setting.language).encode() + b'\n'
    kind = 'http'
    if scope['type'] == 'websocket':
        kind = 'websocket.http'
        if f'{kind}.response' not in scope.get('extensions', {}):
            await send({'type': 'websocket.close', 'code': _POLICY_VIOLATION})
            return
    headers = [*_PLAIN, (b'content-length', str(len(sentence)).encode()), (b'connection', b'close')]
    start = {'status': refusal.status, 'headers': headers}
    await send({'type': f'{kind}.response.start', **start})
    await send({'type': f'{kind}.response.body', 'body': sentence})
