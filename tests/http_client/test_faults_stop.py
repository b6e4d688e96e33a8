"""Stopping: a request ends soon after it is cancelled, wherever it waits, and leaves nothing.

The tests measure from the moment of cancelling to the end of the thread. That should take 0.3 s;
they allow `STOPPED_WITHIN`, because machines that run tests can be slow.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import PATIENCE, STOPPED_WITHIN, WHOLE, Authority, Work, deaf
from tests.support.network import at_home, files_in
from tests.support.scripted_server import (
    STALL,
    Answer,
    Request,
    ScriptedServer,
    Trickle,
    head,
    kept,
    ok,
)

LENGTH = {'Content-Length': str(len(WHOLE))}
PICTURE = kept(ok(WHOLE))
PATHS = {'file': '/original=true/a.png', 'data': '/api/v1/images'}

HELD_UP: dict[str, Answer] = {
    'before the headers': (STALL,),
    'in the headers': (b'HTTP/1.1 200 OK\r\nContent-Le', STALL),
    'before the body': (head(200, LENGTH), STALL),
    'in the body': (head(200, LENGTH), WHOLE[:10_000], STALL),
    'in headers that trickle': (Trickle(ok(WHOLE)),),
    'in a body that comes slowly': (head(200, LENGTH), Trickle(WHOLE, size=50)),
    'in a body without a length': (head(200), WHOLE[:10_000], Trickle(WHOLE, size=50)),
    'in the body of an error': (head(404, LENGTH), b'{"err', STALL),
    'in the body of a redirect': (head(302, {**LENGTH, 'Location': '/b.png'}), b'<', STALL),
}


def asking(
    client: CivitaiHttpClient, url: str, kind: str, folder: Path, cancel: threading.Event | None
) -> Callable[[], object]:
    """A function that asks for a file or for data."""
    if kind == 'file':
        return lambda: client.fetch_file(f'{url}{PATHS[kind]}', folder / 'a.png', cancel=cancel)
    return lambda: client.fetch_json(f'{url}{PATHS[kind]}', cancel=cancel)


def way_to_stop(
    by: str, client: CivitaiHttpClient
) -> tuple[threading.Event | None, Callable[[], None]]:
    """What is handed in with a request that `by` will stop, and the call that stops it."""
    cancel = threading.Event()
    return (cancel, cancel.set) if by == 'cancel' else (None, client.close)


def check_stopped(work: Work) -> None:
    """See that `work`, which was cancelled just now, ends soon and says so."""
    assert work.seconds_to_end() < STOPPED_WITHIN
    assert isinstance(work.error, errors.CancelledError), work.error
    assert work.error.user_message == 'Stopped.'


@pytest.mark.parametrize('by', ['cancel', 'close'])
@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize('answer', HELD_UP.values(), ids=HELD_UP)
def test_a_request_that_is_held_up_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer, kind: str, by: str
) -> None:
    with ScriptedServer(answer, PICTURE) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()
        given, stop = way_to_stop(by, client)
        with Work(asking(client, server.url, kind, tmp_path, given)) as work:
            assert server.stalled.wait(PATIENCE)
            assert work.goes_on(0.1)
            stop()
            check_stopped(work)
    assert len(server.requests) == 1 and files_in(tmp_path) == []


def test_a_body_under_tls_can_be_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority, cancel = Authority(), threading.Event()
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    answer = HELD_UP['in the body']
    with ScriptedServer(answer, tls=authority.certificate()) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()
        with Work(asking(client, server.url, 'file', tmp_path, cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            assert work.goes_on(0.1)
            cancel.set()
            check_stopped(work)
    assert files_in(tmp_path) == ['ca.pem']


# -- before a request is sent -------------------------------------------------------------------


def at_listener(monkeypatch: pytest.MonkeyPatch, listener: socket.socket, scheme: str) -> str:
    """Make a bare listener the configured Civitai; its address."""
    url = f'{scheme}://127.0.0.1:{listener.getsockname()[1]}'
    monkeypatch.setattr(setting, 'civitai_base_url', url)
    return url


def test_connecting_can_be_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cancel = threading.Event()
    with deaf() as (host, port):
        url = f'http://{host}:{port}'
        monkeypatch.setattr(setting, 'civitai_base_url', url)
        with Work(asking(CivitaiHttpClient(), url, 'file', tmp_path, cancel)) as work:
            assert work.goes_on()
            cancel.set()
            check_stopped(work)
    assert files_in(tmp_path) == []


def test_a_handshake_can_be_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cancel = threading.Event()
    with socket.create_server(('127.0.0.1', 0)) as listener:
        url = at_listener(monkeypatch, listener, 'https')
        with Work(asking(CivitaiHttpClient(), url, 'file', tmp_path, cancel)) as work:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(100)  # the greeting came, and is never answered
                assert work.goes_on(0.1)
                cancel.set()
                check_stopped(work)
    assert files_in(tmp_path) == []


def turns_taken(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, kind: str
) -> CivitaiHttpClient:
    """A client of which one request at a time may run."""
    monkeypatch.setattr(setting, 'gallery_max_concurrent_downloads', 1)
    at_home(monkeypatch, server)
    return CivitaiHttpClient()


@pytest.mark.parametrize('by', ['cancel', 'close'])
@pytest.mark.parametrize('kind', PATHS)
def test_waiting_for_a_turn_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, by: str
) -> None:
    body = WHOLE if kind == 'file' else b'[1]'
    slow = (head(200, {'Content-Length': str(len(body))}), body[:1], STALL, body[1:])
    with ScriptedServer(slow, kept(ok(body))) as server:
        client = turns_taken(monkeypatch, server, kind)
        first = asking(client, server.url, kind, tmp_path / 'first', threading.Event())
        given, stop = way_to_stop(by, client)
        second = asking(client, server.url, kind, tmp_path / 'second', given)
        with Work(first) as running:
            assert server.stalled.wait(PATIENCE)
            with Work(second) as waiting:
                assert waiting.goes_on() and len(server.requests) == 1
                stop()
                check_stopped(waiting)
                assert len(server.requests) == 1
                server.release.set()
        # what ran goes on, and the turn is free for others
        assert running.error is None and len(server.requests) == 1
        third = asking(client, server.url, kind, tmp_path / 'third', threading.Event())
        with Work(third) as later:
            later.seconds_to_end()
        assert later.error is None and len(server.requests) == 2
    kept_files = ['first/a.png', 'third/a.png'] if kind == 'file' else []
    assert files_in(tmp_path) == kept_files


@pytest.mark.parametrize('kind', PATHS)
def test_nothing_is_asked_after_stopping(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    cancel = threading.Event()
    cancel.set()
    with ScriptedServer(PICTURE) as server:
        at_home(monkeypatch, server)
        closed = CivitaiHttpClient()
        closed.close()
        for client, given in ((CivitaiHttpClient(), cancel), (closed, None)):
            with pytest.raises(errors.CancelledError):
                asking(client, server.url, kind, tmp_path, given)()
    assert server.requests == [] and files_in(tmp_path) == []


# -- between two tries --------------------------------------------------------------------------

WAITS: dict[str, Answer] = {
    'as asked by a busy site': kept(ok(b'', status=503, Retry_After='100')),
    'as asked by one that wants less haste': kept(ok(b'', status=429, Retry_After='100')),
    'of our own': b'',
}


@pytest.mark.parametrize('by', ['cancel', 'close'])
@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize('answer', WAITS.values(), ids=WAITS)
def test_a_wait_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer, kind: str, by: str
) -> None:
    about_to_wait = threading.Event()

    def chance() -> float:  # drawn to spread the waits
        about_to_wait.set()
        return 0.5

    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient(chance=chance, retry_delay=60.0)
        given, stop = way_to_stop(by, client)
        with Work(asking(client, server.url, kind, tmp_path, given)) as work:
            assert about_to_wait.wait(PATIENCE)
            assert work.goes_on(0.1)
            stop()
            check_stopped(work)
    assert len(server.requests) == 1 and files_in(tmp_path) == []


# -- what stopping leaves alone -----------------------------------------------------------------


def test_stopping_one_leaves_the_others_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel = threading.Event()
    slow = (head(200, LENGTH), WHOLE[:10_000], STALL, WHOLE[10_000:])
    with ScriptedServer(slow) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()
        url = f'{server.url}/a.png'
        stopped = Work(lambda: client.fetch_file(url, tmp_path / 'a.png', cancel=cancel))
        with Work(lambda: client.fetch_file(f'{url}?b', tmp_path / 'b.png')) as going_on, stopped:
            while len(server.requests) < 2:
                assert going_on.goes_on(0.01) and stopped.goes_on(0.01)
            cancel.set()
            check_stopped(stopped)
            assert going_on.goes_on(0.1)
            server.release.set()
    assert going_on.error is None and (tmp_path / 'b.png').read_bytes() == WHOLE
    assert files_in(tmp_path) == ['b.png']


def test_a_stopped_connection_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel = threading.Event()

    def answer(request: Request) -> Answer:
        if len(server.requests) == 2:
            return (head(200, LENGTH), WHOLE[:10_000], STALL)
        return PICTURE

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()
        client.fetch_file(f'{server.url}/first.png', tmp_path / 'first.png')
        with Work(asking(client, server.url, 'file', tmp_path, cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            cancel.set()
            check_stopped(work)
        for name in ('second.png', 'third.png'):
            client.fetch_file(f'{server.url}/{name}', tmp_path / name)
            assert (tmp_path / name).read_bytes() == WHOLE
    assert server.connections[2] == server.connections[3] != server.connections[1]
    assert files_in(tmp_path) == ['first.png', 'second.png', 'third.png']


def test_what_was_stopped_can_be_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel = threading.Event()
    with ScriptedServer((head(200, LENGTH), WHOLE[:10_000], STALL), PICTURE) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()
        with Work(asking(client, server.url, 'file', tmp_path, cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            cancel.set()
            check_stopped(work)
        again: Any = asking(client, server.url, 'file', tmp_path, None)()
    assert again.read_bytes() == WHOLE and 'range' not in server.requests[1].headers


def test_a_file_that_was_there_stays_when_its_successor_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel = threading.Event()
    (tmp_path / 'a.png').write_bytes(b'old')
    with ScriptedServer((head(200, LENGTH), WHOLE[:10_000], STALL)) as server:
        at_home(monkeypatch, server)
        with Work(asking(CivitaiHttpClient(), server.url, 'file', tmp_path, cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            cancel.set()
            check_stopped(work)
    assert files_in(tmp_path) == ['a.png'] and (tmp_path / 'a.png').read_bytes() == b'old'
