"""The client's patience: what is tried again and when, a network that lets us down, stopping."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
import responses

from scripts.civitai_manager_libs import errors, http_client, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import API, PICTURE, Waits, at_home, patient
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    ScriptedServer,
    Trickle,
    chunked,
    head,
    ok,
)

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
GOOD = ok(b'{"items": [1]}')
PACKED = gzip.compress(b'{"items": [1]}')


# -- patience -----------------------------------------------------------------------------------


@pytest.mark.parametrize('status', [500, 502, 503, 504, 520, 521, 522, 523, 524])
def test_a_busy_site_is_asked_again_after_growing_waits(wire: Any, status: int) -> None:
    for _ in range(3):
        wire.add(responses.GET, API, status=status)
    wire.add(responses.GET, API, json={'items': []})
    client, waits = patient()
    assert client.get_json(API) == {'items': []}
    assert waits == [0.5, 1.0, 2.0]


def test_patience_ends_after_five_tries_by_default(wire: Any) -> None:
    wire.add(responses.GET, API, status=503)
    client, waits = patient()
    assert client.get_json(API) is None
    assert waits == [0.5, 1.0, 2.0, 4.0]
    assert len(wire.calls) == 5


def test_waits_stop_growing_at_half_a_minute(wire: Any) -> None:
    wire.add(responses.GET, API, status=502)
    client, waits = patient(max_retries=9, retry_delay=1.0)
    assert client.get_json(API) is None
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_a_delay_of_a_minute_is_a_minute(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.add(responses.GET, API, status=502)
    waits = Waits()
    client = CivitaiHttpClient(sleep=waits, chance=lambda: 0.0)
    monkeypatch.setattr(setting, 'http_retry_delay', 60.0)
    assert client.get_json(API) is None
    assert waits == [60, 60, 60, 60]


def test_chance_spreads_the_waits(wire: Any) -> None:
    wire.add(responses.GET, API, status=502)
    waits, draws = Waits(), iter([0.0, 0.5, 0.999, 0.0, 0.0])
    client = CivitaiHttpClient(sleep=waits, chance=lambda: next(draws))
    client.get_json(API)
    assert waits == pytest.approx([0.375, 1.0, 2.499, 3.0])


def test_settings_are_read_when_they_are_needed(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.add(responses.GET, API, status=503)
    client, waits = patient()
    monkeypatch.setattr(setting, 'http_max_retries', 3)
    monkeypatch.setattr(setting, 'http_retry_delay', 2.0)
    monkeypatch.setattr(setting, 'civitai_api_key', 'later')
    client.get_json(API)
    assert waits == [2.0, 4.0, 8.0]
    assert wire.calls[0].request.headers['Authorization'] == 'Bearer later'


def test_arguments_win_over_settings(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.add(responses.GET, API, status=503)
    monkeypatch.setattr(setting, 'civitai_api_key', 'setting')
    client, waits = patient(api_key='mine', max_retries=1, retry_delay=0.25)
    client.get_json(API)
    assert waits == [0.25]
    assert wire.calls[0].request.headers['Authorization'] == 'Bearer mine'


RETRY_AFTER = [
    pytest.param('7', [7.0], id='seconds'),
    pytest.param('0', [0.5], id='now, but not sooner than we would'),
    pytest.param('Tue, 14 Nov 2023 22:13:50 GMT', [30.0], id='a date'),
    pytest.param('Tue, 14 Nov 2023 22:13:00 GMT', [0.5], id='a date in the past'),
    pytest.param('120', [120.0], id='the most we wait'),
    pytest.param('soon', [0.5], id='a word'),
    pytest.param('-3', [0.5], id='negative'),
    pytest.param('', [0.5], id='empty'),
    pytest.param('Mon, 01 Jan 99999999999999 00:00:00 GMT', [0.5], id='no such year'),
]


@pytest.mark.parametrize(('value', 'waited'), RETRY_AFTER)
def test_the_site_says_when_to_come_back(wire: Any, value: str, waited: list[float]) -> None:
    wire.add(responses.GET, API, status=503, headers={'Retry-After': value})
    wire.add(responses.GET, API, json={})
    client, waits = patient(clock=lambda: NOW)
    assert client.get_json(API) == {}
    assert waits == waited


@pytest.mark.parametrize('value', ['121', '9' * 5000, 'Fri, 31 Dec 9999 23:59:59 GMT'])
def test_nobody_waits_for_hours(wire: Any, value: str) -> None:
    wire.add(responses.GET, API, status=503, headers={'Retry-After': value})
    client, waits = patient(clock=lambda: NOW)
    assert client.get_json(API) is None
    assert waits == [] and len(wire.calls) == 1


def test_429_with_a_time_is_waited_for(wire: Any) -> None:
    wire.add(responses.GET, API, status=429, headers={'Retry-After': '4'})
    wire.add(responses.GET, API, json={'items': []})
    client, waits = patient()
    assert client.get_json(API) == {'items': []}
    assert waits == [4.0]


def test_429_of_the_api_without_a_time_is_final(wire: Any) -> None:
    wire.add(responses.GET, API, status=429, json={'error': 'too many pages, use cursors'})
    client, waits = patient()
    assert client.get_json(API) is None
    assert waits == [] and len(wire.calls) == 1
    assert isinstance(client.failure_for(API), errors.RateLimitedError)
    assert 'too many pages, use cursors' in str(client.failure_for(API))


def check_429_passes(wire: Any, asked: str, busy: str, body: bytes) -> None:
    """See that `asked` comes although `busy`, where it leads, at first says 429 without a time."""
    wire.add(responses.GET, busy, status=429)
    wire.add(responses.GET, busy, body=body)
    client, waits = patient()
    response = client.get_stream(asked)
    assert response is not None and response.content == body
    assert waits == [0.5]


def test_429_of_the_picture_host_without_a_time_may_pass(wire: Any) -> None:
    check_429_passes(wire, PICTURE, PICTURE, b'\xff\xd8\xff')


def test_429_of_the_storage_behind_an_api_route_may_pass(wire: Any) -> None:
    route, storage = 'https://civitai.com/api/download/models/5', 'https://b2.example.com/file'
    wire.add(responses.GET, route, status=307, headers={'Location': storage})
    check_429_passes(wire, route, storage, b'weights')


# -- a network that lets us down ----------------------------------------------------------------

BROKEN: list[Any] = [
    pytest.param((RESET,), errors.ConnectionFailedError, id='reset before the answer'),
    pytest.param((b'HTTP/1.1 200 OK\r\nConte', RESET), errors.TransferError, id='reset in headers'),
    pytest.param(b'', errors.ConnectionFailedError, id='closed before the answer'),
    pytest.param(b'SSH-2.0-OpenSSH\r\n', errors.ConnectionFailedError, id='garbage status line'),
    pytest.param(b'HTTP/1.1 abc\r\n\r\n', errors.ConnectionFailedError, id='no status'),
    pytest.param(ok(b'{"items"', length=99), errors.BodyIncompleteError, id='shorter than said'),
    pytest.param(
        (head(200, {'Content-Length': '99'}), b'{"items"', RESET),
        errors.BodyIncompleteError,
        id='reset in the body',
    ),
    pytest.param(chunked(b'{"items"', end=False), errors.BodyIncompleteError, id='chunks cut'),
    pytest.param(
        head(200, {'Transfer-Encoding': 'chunked'}) + b'zz\r\nabc',
        errors.BodyIncompleteError,
        id='garbage chunk size',
    ),
    pytest.param(ok(b''), errors.BodyIncompleteError, id='empty'),
    pytest.param(
        ok(PACKED[:-12], length=len(PACKED), Content_Encoding='gzip'),
        errors.BodyIncompleteError,
        id='gzip cut',
    ),
    pytest.param(
        ok(b'no gzip', Content_Encoding='gzip'), errors.BodyIncompleteError, id='not gzip'
    ),
]


@pytest.mark.parametrize(('broken', 'kind'), BROKEN)
def test_a_broken_answer_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, broken: Answer, kind: type[errors.CivitaiError]
) -> None:
    with ScriptedServer(broken, broken, GOOD) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.get_json(f'{server.url}/api/v1/images') == {'items': [1]}
        assert waits == [0.5, 1.0]


@pytest.mark.parametrize(('broken', 'kind'), BROKEN)
def test_what_stays_broken_is_named(
    monkeypatch: pytest.MonkeyPatch, broken: Answer, kind: type[errors.CivitaiError]
) -> None:
    with ScriptedServer(broken) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=3)
        with pytest.raises(kind):
            client.fetch_json(f'{server.url}/api/v1/images')
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    'stalled',
    [(STALL,), (b'HTTP/1.1 200', STALL), (head(200, {'Content-Length': '9'}), b'{', STALL)],
    ids=['before the answer', 'in headers', 'in the body'],
)
def test_silence_is_a_time_out(monkeypatch: pytest.MonkeyPatch, stalled: Answer) -> None:
    with ScriptedServer(stalled, GOOD) as server:
        at_home(monkeypatch, server)
        client, waits = patient(timeout=0.5)
        assert client.get_json(f'{server.url}/api/v1/images') == {'items': [1]}
        assert waits
        server.requests.clear()  # and again from the first answer
        with pytest.raises(errors.TimedOutError, match='took too long'):
            patient(timeout=0.2, max_retries=0)[0].fetch_json(f'{server.url}/api/v1/images')


def test_a_port_nobody_listens_on_is_tried_again_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(GOOD) as server:
        pass
    at_home(monkeypatch, server)
    client, waits = patient()
    with pytest.raises(errors.ConnectionFailedError, match='No connection to 127.0.0.1'):
        client.fetch_json(f'{server.url}/api/v1/images')
    assert waits == [0.5, 1.0, 2.0, 4.0]


def test_an_untrusted_certificate_is_final(wire: Any) -> None:
    told = 'certificate verify failed: self-signed certificate'
    wire.add(responses.GET, API, body=requests.exceptions.SSLError(told))
    client, waits = patient()
    with pytest.raises(errors.TlsFailedError, match='certificate of civitai.com'):
        client.fetch_json(API)
    assert waits == []


def test_a_handshake_that_breaks_off_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up_on_hello() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.close()

    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=hang_up_on_hello, daemon=True)
        thread.start()
        url = f'https://127.0.0.1:{listener.getsockname()[1]}'
        monkeypatch.setattr(setting, 'civitai_base_url', url)
        client, waits = patient(max_retries=1)
        with pytest.raises(errors.ConnectionFailedError):
            client.fetch_json(f'{url}/api/v1/images')
        thread.join(10)
    assert waits == [0.5]


@pytest.mark.parametrize(
    ('body', 'sentence'),
    [
        (b'<!DOCTYPE html><title>Down</title>', 'web page instead of data'),
        (b'{"items": [', 'cannot be read'),
        (b'\xff\xfe\x00', 'cannot be read'),
        (b'[' * 100_000, 'cannot be read'),
    ],
    ids=['page', 'half', 'binary', 'too deep'],
)
def test_what_is_not_json_is_refused_at_once(wire: Any, body: bytes, sentence: str) -> None:
    wire.add(responses.GET, API, body=body)
    client, waits = patient()
    with pytest.raises(errors.WrongContentError, match=sentence):
        client.fetch_json(API)
    assert waits == []


# -- stopping -----------------------------------------------------------------------------------


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except errors.CivitaiError as error:
            caught.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, caught


def waiting_client() -> tuple[CivitaiHttpClient, threading.Event]:
    """A client that really waits, and an event set just before it does."""
    about_to_wait = threading.Event()

    def chance() -> float:
        about_to_wait.set()
        return 0.5

    return CivitaiHttpClient(chance=chance), about_to_wait


def test_cancelling_ends_a_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = threading.Event()
    with ScriptedServer(ok(b'', status=503, Retry_After='100')) as server:
        at_home(monkeypatch, server)
        client, about_to_wait = waiting_client()
        url = f'{server.url}/api/v1/images'
        thread, caught = in_thread(lambda: client.fetch_json(url, cancel=cancel))
        assert about_to_wait.wait(20)
        cancel.set()
        thread.join(20)
    assert not thread.is_alive() and len(server.requests) == 1
    assert [type(error) for error in caught] == [errors.CancelledError]


def test_closing_the_client_ends_its_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(ok(b'', status=503, Retry_After='100')) as server:
        at_home(monkeypatch, server)
        client, about_to_wait = waiting_client()
        thread, caught = in_thread(lambda: client.fetch_json(f'{server.url}/api/v1/images'))
        assert about_to_wait.wait(20)
        client.close()
        thread.join(20)
    assert not thread.is_alive() and len(server.requests) == 1
    assert [type(error) for error in caught] == [errors.CancelledError]


def test_nothing_is_sent_once_cancelled(wire: Any) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.CancelledError):
        CivitaiHttpClient().fetch_json(API, cancel=cancel)
    assert len(wire.calls) == 0


def test_an_error_that_trickles_in_is_known_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f'{http_client.__name__}.wire.ERROR_SECONDS', 0.2)
    trickling = (head(404, {'Content-Length': '9000'}), Trickle(b'x' * 9000, 1, 0.05))
    with ScriptedServer(trickling) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.NotFoundError):
            client.fetch_json(f'{server.url}/api/v1/models/1')
    assert waits == [] and len(server.requests) == 1


# -- taking turns -------------------------------------------------------------------------------


def most_at_once(monkeypatch: pytest.MonkeyPatch, path: str, ask: Callable[..., object]) -> int:
    """How many of eight requests for `path` a server had at the same time."""
    lock, inside, most = threading.Lock(), 0, 0
    enough = threading.Event()

    def answer(request: Request) -> Answer:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside > 1:
                enough.set()
        enough.wait(0.3)  # so that others could come, if they may
        with lock:
            inside -= 1
        return GOOD

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        threads = [
            in_thread(lambda: ask(client, f'{server.url}{path}{number}'))[0] for number in range(4)
        ]
        for thread in threads:
            thread.join(20)
        assert len(server.requests) == 4
    return most


def test_the_api_gets_one_listing_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    path = '/api/v1/images?page='
    assert most_at_once(monkeypatch, path, lambda client, url: client.fetch_json(url)) == 1


def test_pictures_come_several_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fetch(client: CivitaiHttpClient, url: str) -> object:
        return client.fetch_file(url, tmp_path / url.rpartition('/')[2])

    assert most_at_once(monkeypatch, '/original=true/', fetch) > 1


def test_the_api_gets_a_burst_of_five_and_then_two_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(GOOD) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        began = time.monotonic()
        for number in range(7):
            client.fetch_json(f'{server.url}/api/v1/images?page={number}')
        # however slow a machine is, the seventh comes no sooner
        assert time.monotonic() - began > 0.99
    assert waits == [] and len(server.requests) == 7
