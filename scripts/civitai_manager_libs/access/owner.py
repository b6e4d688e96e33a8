"""Whether a request is the owner's: the account this program runs as, or root.

Found when the request arrives, while its connection is surely still there, and carried to whoever
handles it in a header of our own. Its value is a secret of this process, so that nobody outside
can write one, not even where gradio 3 takes a whole request from the body of another.
"""

from __future__ import annotations

import enum
import os
import secrets
import sys
from typing import Any, Awaitable, Callable, ClassVar, Mapping

from . import signs, table

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

TABLES = ('/proc/net/tcp', '/proc/net/tcp6')
ACCOUNT_MAP = '/proc/self/uid_map'  # which accounts there are here (user_namespaces(7))
HEADER = 'x-civitai-gallery-owner'
_READINGS = 3  # a table that changes while it is read can miss a row
_ROOT = 0
_EVERY_ACCOUNT = ['0', '0', '4294967295']


class Finding(enum.Enum):
    """Whose a connection is; `UNTOLD` where this machine does not tell."""

    OWNER = 'owner'
    STRANGER = 'stranger'
    UNTOLD = 'untold'


_SEALS = {finding: secrets.token_hex(32) for finding in Finding}


def find(asker: table.Endpoint, server: table.Endpoint | None) -> Finding:
    """Tell whose the loopback connection from `asker` to `server` (None: to anywhere) is, now.

    Only Linux tells; elsewhere every loopback connection counts as the owner's.
    """
    if sys.platform != 'linux':
        return Finding.OWNER
    if not _accounts_mean_people():
        return Finding.UNTOLD
    for _ in range(_READINGS):
        found = {
            account
            for path in TABLES
            for account in table.accounts(_text(path), asker, server, sys.byteorder)
        }
        if found:
            return Finding.OWNER if found <= {os.geteuid(), _ROOT} else Finding.STRANGER
    return Finding.UNTOLD


def _accounts_mean_people() -> bool:
    """Tell whether a connection's account says who is behind it.

    In WSL and in containers with accounts of their own, what comes from outside is passed on by a
    process of root's.
    """
    on_windows = 'microsoft' in os.uname().release.lower()
    return not on_windows and _text(ACCOUNT_MAP).split() == _EVERY_ACCOUNT


def _text(path: str) -> str:
    try:
        with open(path, encoding='ascii', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def sealed(scope: Scope) -> Scope:
    """Return the ASGI `scope` of a request that just arrived, with what was found out about it."""
    name = HEADER.encode()
    headers = [pair for pair in scope['headers'] if pair[0].lower() != name]
    client, server = scope.get('client'), scope.get('server')
    acts = scope['type'] == 'websocket' or scope['method'] == 'POST'  # the rest reaches no handler
    if acts and client and signs.is_loopback(client[0]):
        there = (server[0], server[1]) if server and server[1] else None
        finding = find((client[0], client[1]), there)
        headers.append((name, _SEALS[finding].encode()))
    return {**scope, 'headers': headers}


def may_use(headers: Mapping[str, str]) -> bool:
    """Tell whether who sent these headers may have things done, not only look at the page.

    Where the program is for its owner alone, another account of the machine may not. Where no
    account can be told at all, the owner is not locked out.
    """
    if Sealing.is_shared:
        return True
    finding = finding_in(headers)
    return finding is Finding.OWNER or (finding is Finding.UNTOLD and not _tells_accounts())


def _tells_accounts() -> bool:
    """Tell whether this machine says of connections whose they are."""
    return _accounts_mean_people() and any(map(_text, TABLES))


def finding_in(headers: Mapping[str, str]) -> Finding | None:
    """Return what was found when the request with these headers arrived, None if nothing was."""
    given = signs.lowered(headers).get(HEADER)
    return next((finding for finding, seal in _SEALS.items() if seal == given), None)


class Sealing:
    """ASGI middleware: every request that passes is sealed.

    at_work: one was made in this process, so that a request without a seal did not pass it.
    is_shared: others than the owner may use the program too.
    """

    at_work: ClassVar[bool] = False
    is_shared: ClassVar[bool] = True

    def __init__(self, app: Application, is_shared: bool = True) -> None:
        self.app = app
        Sealing.at_work, Sealing.is_shared = True, is_shared

    def __call__(self, scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        """Pass the request on, sealed."""
        # not `async`: so we stand in no traceback of what a WebUI does further in
        if scope['type'] in ('http', 'websocket'):
            scope = sealed(scope)
        return self.app(scope, receive, send)
