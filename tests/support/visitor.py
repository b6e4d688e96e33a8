"""A program that speaks to a running page as it pleases: as any account, with any header."""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import socket
from typing import Any, Iterator, Mapping
from urllib.parse import urlsplit

SECONDS = 60
SOMEBODY_ELSE = 65534  # the account nobody, on every Linux
_sessions = itertools.count()

Headers = Mapping[str, 'str | None']


class Visitor:
    """Someone at `url`, where a page of gradio with our components is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).hostname or ''
        self.port = urlsplit(url).port or 0
        self.config: dict[str, Any] = json.loads(self.ask('GET', '/config')[1])
        self.is_gradio_3 = str(self.config['version']).startswith('3.')
        self.prefix: str = self.config.get('api_prefix') or ''

    # -- asking ---------------------------------------------------------------------------------

    def connected(self, account: int | None = None, host: str = '') -> socket.socket:
        """A connection to the app that belongs to `account` (None: ours)."""
        with _acting_as(account):  # a socket belongs to who makes it
            family = socket.AF_INET6 if ':' in (host or self.host) else socket.AF_INET
            made = socket.socket(family)
        made.settimeout(SECONDS)
        made.connect((host or self.host, self.port))
        return made

    def ask(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        body: object = None,
        account: int | None = None,
    ) -> tuple[int, str]:
        """Send one request as it is given, Host too (None: no such header); (status, body)."""
        with contextlib.closing(self.connected(account)) as line:
            line.sendall(self.request(method, path, headers, body))
            answer = http.client.HTTPResponse(line, method=method)
            answer.begin()
            return answer.status, answer.read().decode('utf-8', 'replace')

    def request(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        body: object = None,
    ) -> bytes:
        """The bytes of a request."""
        content = json.dumps(body).encode() if body is not None else b''
        sent: dict[str, str | None] = {'Host': urlsplit(self.url).netloc, 'Connection': 'close'}
        if body is not None:
            sent |= {'Content-Type': 'application/json', 'Content-Length': str(len(content))}
        sent |= headers or {}
        lines = [f'{name}: {value}' for name, value in sent.items() if value is not None]
        return (
            '\r\n'.join([f'{method} {path} HTTP/1.1', *lines, '', '']).encode('latin-1') + content
        )

    # -- doing what the page does ---------------------------------------------------------------

    def number(self, name: str) -> int:
        """The number of the component with the element id `civitai_gallery_<name>`."""
        wanted = f'civitai_gallery_{name}'
        parts = self.config['components']
        return next(part['id'] for part in parts if part['props'].get('elem_id') == wanted)

    def handler(self, button: str) -> tuple[int, list[int]]:
        """The number of what a click on the button does, and the components it reads."""
        clicked = self.number(button)
        for number, handler in enumerate(self.config['dependencies']):
            if clicked in [t[0] if isinstance(t, list) else t for t in handler['targets']]:
                return handler.get('id', number), handler['inputs']
        raise AssertionError(button)

    def click(
        self,
        button: str,
        given: Mapping[str, object],
        headers: Headers | None = None,
        account: int | None = None,
    ) -> str:
        """Click a button with the fields `given` filled in; return what it answered, as text.

        Whoever the gallery does not know the account of may look, so the answer is always ours.
        """
        number, inputs = self.handler(button)
        shown = {part['id']: part['props'].get('value') for part in self.config['components']}
        shown |= {self.number(name): value for name, value in given.items()}
        body = {
            'fn_index': number,
            'data': [shown[part] for part in inputs],
            'session_hash': f'visitor{next(_sessions)}',
        }
        if self.is_gradio_3:
            return self._click_over_websocket(body, headers, account)
        status, text = self.ask('POST', f'{self.prefix}/queue/join', headers, body, account)
        if status != 200:
            return f'{status} {text}'
        heard = f'{self.prefix}/queue/data?session_hash={body["session_hash"]}'
        with contextlib.closing(self.connected()) as line:
            line.sendall(self.request('GET', heard))
            answer = http.client.HTTPResponse(line)
            answer.begin()
            for event in answer:
                if b'"process_completed"' in event:
                    return event.decode()
        raise AssertionError('no end')

    def _click_over_websocket(
        self, body: dict[str, Any], headers: Headers | None, account: int | None
    ) -> str:
        with contextlib.closing(self.connected(account)) as line:
            line.sendall(self.request('GET', '/queue/join', {**WEBSOCKET, **(headers or {})}))
            answer = line.makefile('rb')
            status = answer.readline().decode()
            if ' 101 ' not in status:
                return status
            while answer.readline().strip():
                pass
            while True:
                told = _heard(answer)
                message = json.loads(told)['msg']
                if message == 'send_hash':
                    line.sendall(_said({k: body[k] for k in ('fn_index', 'session_hash')}))
                elif message == 'send_data':
                    line.sendall(_said(body))
                elif message == 'process_completed':
                    return told


WEBSOCKET = {
    'Connection': 'Upgrade',
    'Upgrade': 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': base64.b64encode(b'0123456789abcdef').decode(),
}


def _said(message: object) -> bytes:
    """A message in a frame as clients send it (RFC 6455, 5.2), its mask of zeros."""
    content = json.dumps(message).encode()
    return bytes((0x81, 0x80 | 126)) + len(content).to_bytes(2, 'big') + bytes(4) + content


def _heard(stream: Any) -> str:
    """The content of the next frame; servers send texts without a mask."""
    length = stream.read(2)[1]
    if length >= 126:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), 'big')
    return stream.read(length).decode()  # type: ignore[no-any-return]


@contextlib.contextmanager
def _acting_as(account: int | None) -> Iterator[None]:
    ours = os.geteuid() if account is not None else 0
    if account is not None:
        os.seteuid(account)
    try:
        yield
    finally:
        if account is not None:
            os.seteuid(ours)
