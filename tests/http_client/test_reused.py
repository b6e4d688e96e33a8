"""A connection that the server closes in the very moment in which it is used again."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import errors, setting
from tests.support.faults import PATIENCE, STOPPED_WITHIN, WHOLE, Authority, Work
from tests.support.network import at_home, patient
from tests.support.proxies import TunnelProxy
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    ScriptedServer,
    kept,
    ok,
)

JSON = b'{"items": [1]}'
# How a server is done with a connection, without a word.
ENDS = {'closed': (), 'reset': (RESET,)}


class Moody:
    """Answers one question on each connection, and ends it at the next."""

    def __init__(self, end: Answer) -> None:
        self.end = end
        self.seen: set[int] = set()

    def __call__(self, request: Request) -> Answer:
        if request.connection in self.seen:
            return self.end
        self.seen.add(request.connection)
        return kept(ok(WHOLE if request.target.endswith('.png') else JSON))


@pytest.fixture(params=['http', 'https'])
def tls(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Authority | None]:
    authority = Authority() if request.param == 'https' else None
    if authority is not None:
        monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    yield authority


@pytest.mark.parametrize('by', ['no proxy', 'a proxy'])
@pytest.mark.parametrize('end', ENDS.values(), ids=ENDS)
def test_it_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Authority | None, end: Answer, by: str
) -> None:
    way: AbstractContextManager[TunnelProxy | None] = nullcontext()
    if by == 'a proxy' and tls is not None:
        way = TunnelProxy()
    with ScriptedServer(handler=Moody(end), tls=tls and tls.certificate()) as server, way as proxy:
        at_home(monkeypatch, server)
        if proxy is not None:
            monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        client, waits = patient(max_retries=0)
        for name in ('a.png', 'b.png', 'c.png'):
            saved = client.fetch_file(f'{server.url}/{name}', tmp_path / name)
            assert saved.read_bytes() == WHOLE
    assert waits == [] and server.connections == [0, 0, 1, 1, 2]


def test_what_is_no_question_is_not_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may have done already what a POST asked for."""
    with ScriptedServer(handler=Moody((RESET,))) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0)
        url = f'{server.url}/api/v1/images'
        assert client.fetch_json(url, method='POST', json_data={}) == {'items': [1]}
        with pytest.raises(errors.ConnectionFailedError):
            client.fetch_json(url, method='POST', json_data={})
    assert server.connections == [0, 0]


@pytest.mark.parametrize('end', ENDS.values(), ids=ENDS)
def test_a_fresh_connection_that_ends_counts_as_a_try(
    monkeypatch: pytest.MonkeyPatch, end: Answer
) -> None:
    answers = kept(ok(JSON)), end, end, kept(ok(JSON))
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        url = f'{server.url}/api/v1/images'
        assert client.fetch_json(url) == client.fetch_json(url) == {'items': [1]}
    assert waits == [0.5] and server.connections == [0, 0, 1, 2]


CUTS = {'stopped': errors.CancelledError, 'too late': errors.TimedOutError}


@pytest.mark.parametrize(('how', 'kind'), CUTS.items(), ids=CUTS)
def test_what_we_cut_off_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, how: str, kind: type[errors.CivitaiError]
) -> None:
    cancel = threading.Event()
    with ScriptedServer(handler=Moody((STALL,))) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0, timeout=1 if how == 'too late' else None)
        url = f'{server.url}/api/v1/images'
        client.fetch_json(url)
        with Work(lambda: client.fetch_json(url, cancel=cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            if how == 'stopped':
                cancel.set()
            assert work.seconds_to_end() < 1 + STOPPED_WITHIN
    assert isinstance(work.error, kind) and server.connections == [0, 0]
