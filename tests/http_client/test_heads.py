"""What comes before an answer, and what a connection must not be used for again."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import WHOLE, Authority
from tests.support.network import at_home, patient
from tests.support.scripted_server import Answer, Request, ScriptedServer, head, kept, ok

HINTS = b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
PROCESSING = b'HTTP/1.1 102 Processing\r\n\r\n'
CONTINUE = b'HTTP/1.1 100 Continue\r\n\r\n'

INTERIM = {
    '103': HINTS,
    '102': PROCESSING,
    '100': CONTINUE,
    'of no name yet': b'HTTP/1.1 199 Soon\r\nX-A: b\r\n\r\n',
    'of each kind': HINTS + PROCESSING + CONTINUE + HINTS,
    'ten': PROCESSING * 10,
}


def named(request: Request) -> bytes:
    """An answer that says what was asked for."""
    return ok(b'{"target": "%s"}' % request.target.rpartition('/')[2].encode())


@pytest.fixture(params=['plain', 'tls', 'proxy'])
def way(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """A function that makes a server with a handler the configured Civitai, on that way."""
    authority = Authority()
    tls: ssl.SSLContext | None = None
    if request.param == 'tls':
        monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
        tls = authority.certificate()

    def home(server: ScriptedServer) -> str:
        if request.param != 'proxy':
            at_home(monkeypatch, server)
            return server.url
        monkeypatch.setattr(setting, 'http_proxy', server.url)
        monkeypatch.setattr(setting, 'civitai_base_url', 'http://civitai.test')
        return 'http://civitai.test'

    yield home, tls


def ask(client: CivitaiHttpClient, url: str) -> object:
    return client.fetch_json(url)['target']


@pytest.mark.parametrize('interim', INTERIM.values(), ids=INTERIM)
@pytest.mark.parametrize('later', [False, True], ids=['at once', 'in two pieces'])
def test_each_question_gets_its_own_answer(way: Any, interim: bytes, later: bool) -> None:
    home, tls = way

    def play(request: Request) -> Answer:
        answer = named(request).replace(b'Connection: close\r\n', b'')
        return kept((interim, answer) if later else interim + answer)

    with ScriptedServer(handler=play, tls=tls) as server:
        base = home(server)
        client, waits = patient()
        assert [ask(client, f'{base}/api/{n}') for n in range(4)] == ['0', '1', '2', '3']
    assert waits == [] and set(server.connections) == {0}


def test_a_file_behind_an_early_hint_is_whole(way: Any, tmp_path: Path) -> None:
    home, tls = way
    with ScriptedServer(kept((HINTS, ok(WHOLE))), tls=tls) as server:
        base = home(server)
        client, waits = patient()
        for name in ('a.png', 'b.png'):
            saved = client.fetch_file(f'{base}/{name}', tmp_path / name)
            assert saved.read_bytes() == WHOLE
    assert waits == []


ENDLESS = {
    'eleven': HINTS * 11,
    'of each kind': (HINTS + PROCESSING + CONTINUE) * 4,
    'a hundred': CONTINUE * 100,
}


@pytest.mark.parametrize('interim', ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_is_only_announced_may_come_the_next_time(way: Any, interim: bytes) -> None:
    home, tls = way

    def play(request: Request) -> Answer:
        opening = interim if len(server.requests) == 1 else b''
        return kept(opening + named(request))

    with ScriptedServer(handler=play, tls=tls) as server:
        base = home(server)
        client, waits = patient()
        assert [ask(client, f'{base}/api/{n}') for n in range(2)] == ['0', '1']
    assert waits == [0.5] and server.connections == [0, 1, 1]


def test_another_protocol_is_no_answer(way: Any) -> None:
    home, tls = way
    switching = kept(head(101, {'Upgrade': 'h2c', 'Connection': 'Upgrade'}) + ok(b'{"target": 1}'))

    def play(request: Request) -> Answer:
        return kept(named(request)) if 'good' in request.target else switching

    with ScriptedServer(handler=play, tls=tls) as server:
        base = home(server)
        client, waits = patient(max_retries=1)
        with pytest.raises(errors.ConnectionFailedError, match='no answer of a web server'):
            ask(client, f'{base}/api/odd')
        assert ask(client, f'{base}/api/good') == 'good'
    assert waits == [0.5] and server.connections == [0, 1, 2]


SURPLUS = {
    'a second answer': ok(b'{"target": "of another"}'),
    'a long second answer': ok(b'{"target": "of another"}' + b' ' * 12_000),
    'anything': b'x' * 9_000,
}


@pytest.mark.parametrize('surplus', SURPLUS.values(), ids=SURPLUS)
@pytest.mark.parametrize('status', [200, 404])
def test_what_is_left_over_answers_no_other_question(way: Any, surplus: bytes, status: int) -> None:
    home, tls = way

    def play(request: Request) -> Answer:
        if 'good' in request.target:
            return kept(named(request))
        return kept(ok(b'{"target": "odd"}', status=status) + surplus)

    with ScriptedServer(handler=play, tls=tls) as server:
        base = home(server)
        client, waits = patient(max_retries=0)
        client.get_json(f'{base}/api/odd')
        assert [ask(client, f'{base}/api/good{n}') for n in range(3)] == ['good0', 'good1', 'good2']
    assert waits == []


# -- the length of a body, told in odd ways -------------------------------------------------------

PLAIN = b'model:\n  target: x\n' * 300
LENGTHS = {
    'twice': [len(PLAIN)] * 2,
    'twice in a line': [f'{len(PLAIN)}, {len(PLAIN)}'],
    'with zeros before it': ['0' * 5000 + str(len(PLAIN))],
    'twice, with zeros': [f'{len(PLAIN)},00{len(PLAIN)}'],
}


@pytest.mark.parametrize('lengths', LENGTHS.values(), ids=LENGTHS)
def test_a_length_that_is_told_oddly_is_one(way: Any, tmp_path: Path, lengths: list[Any]) -> None:
    home, tls = way
    lines = b''.join(f'Content-Length: {length}\r\n'.encode() for length in lengths)
    answer = b'HTTP/1.1 200 OK\r\n' + lines + b'\r\n' + PLAIN
    with ScriptedServer(kept(answer), tls=tls) as server:
        base = home(server)
        client, waits = patient(timeout=2.0)
        seen: list[int] = []
        saved = client.fetch_file(
            f'{base}/a.yaml', tmp_path / 'a.yaml', lambda _, n: seen.append(n)
        )
    assert saved.read_bytes() == PLAIN and waits == [] and set(seen) == {len(PLAIN)}


def test_an_answer_that_comes_after_the_stop_leaves_no_connection_open(way: Any) -> None:
    home, tls = way
    stop = threading.Event()

    def play(request: Request) -> Answer:
        stop.set()
        return kept(named(request))

    with ScriptedServer(handler=play, tls=tls) as server:
        base = home(server)
        client, _ = patient()
        with pytest.raises(errors.CancelledError) as caught:
            client.fetch_json(f'{base}/api/late', cancel=stop)
        for worker in server._workers:
            worker.join(10)
        assert not any(worker.is_alive() for worker in server._workers), caught
