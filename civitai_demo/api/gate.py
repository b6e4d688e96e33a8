"""The door of the site: requests are recorded, delayed, and spoiled if a scenario says so."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .accounts import account_of, rejoined
from .canned import CannedReply, canned_reply
from .scenarios import (
    API_PARTS,
    DOWNLOAD,
    SILENT_SECONDS,
    SLOW_SECONDS,
    ScenarioSwitch,
    cuts,
    part_of,
)

# Under this name the site finds in a request's scope which scenario spoils it.
SCENARIO_KEY = 'civitai_demo.scenario'


@dataclass(frozen=True)
class RequestRecord:
    """One request as it came in; header names in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass
class Control:
    """What may be turned while the server runs, and what it has seen."""

    latency: float = 0.0
    switch: ScenarioSwitch = field(default_factory=ScenarioSwitch)
    requests: list[RequestRecord] = field(default_factory=list)


class ConnectionCut(Exception):
    """Raised to make the server hang up in the middle of a body."""


class QuietEnding(logging.Filter):
    """Keeps intended hang-ups and the end of the server out of the error log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for records about a cut connection or a cancelled request."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, (ConnectionCut, asyncio.CancelledError))


class Gate:
    """ASGI middleware around the whole site."""

    def __init__(self, app: ASGIApp, control: Control) -> None:
        """Guard `app` under `control`."""
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        record = _record(scope)
        self._control.requests.append(record)
        if self._control.latency > 0:
            await asyncio.sleep(self._control.latency)
        if record.method == 'OPTIONS' and part_of(record.path) in API_PARTS:
            await _reply(CannedReply(200, _CORS, b''), send)
            return
        query = rejoined(record.query) if part_of(record.path) == DOWNLOAD else record.query
        has_key = account_of(record.headers, query) is not None
        name = self._control.switch.take(record.path, has_key)
        reply = canned_reply(name, record.path)
        if reply is not None:
            await _reply(reply, send)
            return
        if name == 'slow':
            await asyncio.sleep(SLOW_SECONDS)
        if name == 'silent':
            await asyncio.sleep(SILENT_SECONDS)
        spoilt = {**scope, SCENARIO_KEY: name, 'query_string': query.encode('latin-1')}
        await self._app(spoilt, receive, cutting(send) if cuts(name) else send)


_CORS = {'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*'}


def cutting(send: Send) -> Send:
    """A `send` that passes half of a good body on and then hangs up."""
    spoiled = False

    async def send_half(message: Message) -> None:
        nonlocal spoiled
        if message['type'] == 'http.response.start':
            spoiled = message['status'] in (200, 206)
        body = message.get('body', b'')
        if not spoiled or not body:
            await send(message)
            return
        await send({**message, 'body': body[: len(body) // 2], 'more_body': True})
        raise ConnectionCut

    return send_half


def _record(scope: Scope) -> RequestRecord:
    headers = {
        name.decode('latin-1').lower(): value.decode('latin-1') for name, value in scope['headers']
    }
    query = scope.get('query_string', b'').decode('latin-1')
    return RequestRecord(scope['method'], headers.get('host', ''), scope['path'], query, headers)


async def _reply(reply: CannedReply, send: Send) -> None:
    headers = {'Content-Length': str(len(reply.body)), **reply.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({'type': 'http.response.start', 'status': reply.status, 'headers': raw})
    await send({'type': 'http.response.body', 'body': reply.body})
