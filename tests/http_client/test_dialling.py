"""Dialling: an address that is dead costs a moment, and the one that worked is asked first."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import dialling
from tests.support.faults import STOPPED_WITHIN, WHOLE, Authority, Work, deaf
from tests.support.network import patient
from tests.support.scripted_server import ScriptedServer, ok

HOST = 'civitai.test'
# 0.25 s for each of three dead addresses; a time-out for one would already be longer.
SOON = 2.5
NO_SUCH_FAMILY = 12  # DECnet, for which no socket can be made


def entry(place: str, port: int = 443, family: int = socket.AF_INET) -> tuple[Any, ...]:
    """One answer of the resolver."""
    return (family, socket.SOCK_STREAM, 6, '', (place, port))


class Names:
    """What the resolver answers for HOST, in this order."""

    def __init__(self) -> None:
        self.found: list[tuple[Any, ...]] = []
        self._others = socket.getaddrinfo

    def __call__(self, host: Any, *rest: Any, **named: Any) -> Any:
        return self.found if host == HOST else self._others(host, *rest, **named)

    def say(self, port: int, *places: str) -> None:
        self.found = [entry(place, port) for place in places]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    resolver = Names()
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)
    return resolver


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A Civitai called HOST, at 127.0.0.1."""
    with ScriptedServer(ok(b'{}')) as server:
        at_host(monkeypatch, server.port)
        yield server


def at_host(monkeypatch: pytest.MonkeyPatch, port: int, scheme: str = 'http') -> str:
    url = f'{scheme}://{HOST}:{port}'
    monkeypatch.setattr(setting, 'civitai_base_url', url)
    return f'{url}/api/v1/images'


def seconds_of(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# -- the order ------------------------------------------------------------------------------------

FOUR, SIX = socket.AF_INET, socket.AF_INET6
ORDERS = {
    'none': ('', '', ''),
    'one': ('4a', '', '4a'),
    'families take turns': ('6a 6b 4a 4b', '', '6a 4a 6b 4b'),
    'the family that the system puts first begins': ('4a 4b 6a', '', '4a 6a 4b'),
    'what is left of a longer family ends it': ('6a 6b 6c 4a', '', '6a 4a 6b 6c'),
    'each once': ('4a 4a 4b', '', '4a 4b'),
    'the one that worked begins': ('6a 6b 4a 4b', '4b', '4b 6a 4a 6b'),
    'one that is gone changes nothing': ('6a 4a', '4x', '6a 4a'),
}


def read(words: str) -> list[dialling.Address]:
    return [
        dialling.Address(*entry(word, family=FOUR if word[0] == '4' else SIX))
        for word in words.split()
    ]


@pytest.mark.parametrize(('found', 'first', 'expected'), ORDERS.values(), ids=ORDERS)
def test_the_order_of_addresses(found: str, first: str, expected: str) -> None:
    worked = read(first)[0].place if first else None
    assert dialling.in_turn(read(found), worked) == read(expected)


# -- the race -------------------------------------------------------------------------------------


@pytest.mark.parametrize('count', [1, 3])
def test_dead_addresses_cost_a_moment(site: ScriptedServer, names: Names, count: int) -> None:
    dead = [f'127.0.0.{number}' for number in range(2, 2 + count)]
    names.say(site.port, *dead, '127.0.0.1')
    client, waits = patient(max_retries=0)
    with ExitStack() as stack:
        for place in dead:
            stack.enter_context(deaf(place, site.port))
        url = f'{setting.civitai_base_url}/api/v1/images'
        assert seconds_of(lambda: client.fetch_json(url)) < SOON
    assert len(site.requests) == 1


def test_under_tls_too(monkeypatch: pytest.MonkeyPatch, names: Names, tmp_path: Path) -> None:
    authority = Authority()
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(ok(WHOLE), tls=authority.certificate(HOST)) as server:
        url = at_host(monkeypatch, server.port, 'https')
        names.say(server.port, '127.0.0.2', '127.0.0.1')
        client, _ = patient(max_retries=0)
        with deaf('127.0.0.2', server.port):
            assert seconds_of(lambda: client.fetch_file(url, tmp_path / 'a.png')) < SOON
    assert (tmp_path / 'a.png').read_bytes() == WHOLE


@pytest.mark.parametrize('where', ['first', 'last'])
def test_a_family_that_the_machine_lacks_is_passed_over(
    site: ScriptedServer, names: Names, where: str
) -> None:
    lacking, good = entry('::1', site.port, NO_SUCH_FAMILY), entry('127.0.0.1', site.port)
    names.found = [lacking, good] if where == 'first' else [good, lacking]
    client, _ = patient(max_retries=0)
    assert client.fetch_json(f'{setting.civitai_base_url}/api/v1/images') == {}


def test_addresses_that_refuse_are_passed_over_at_once(site: ScriptedServer, names: Names) -> None:
    refusing = [f'127.0.0.{number}' for number in range(2, 60)]
    names.say(site.port, *refusing, '127.0.0.1')
    client, _ = patient(max_retries=0)
    assert seconds_of(lambda: client.fetch_json(f'{setting.civitai_base_url}/api/v1/x')) < SOON


ALL_BAD = {
    'refusing': ['127.0.0.2', '127.0.0.3'],
    'none': [],
}


@pytest.mark.parametrize('places', ALL_BAD.values(), ids=ALL_BAD)
def test_no_address_that_works_is_told(
    site: ScriptedServer, names: Names, places: list[str]
) -> None:
    names.say(site.port, *places)
    client, _ = patient(max_retries=0)
    with pytest.raises(errors.ConnectionFailedError, match=f'No connection to {HOST}'):
        client.fetch_json(f'{setting.civitai_base_url}/api/v1/images')


def test_a_family_that_the_machine_lacks_alone_is_told(site: ScriptedServer, names: Names) -> None:
    names.found = [entry('::1', site.port, NO_SUCH_FAMILY)]
    client, _ = patient(max_retries=0)
    with pytest.raises(errors.ConnectionFailedError, match=f'No connection to {HOST}'):
        client.fetch_json(f'{setting.civitai_base_url}/api/v1/images')


def test_the_time_out_is_for_all_addresses_together(
    monkeypatch: pytest.MonkeyPatch, names: Names
) -> None:
    with ExitStack() as stack:
        _, port = stack.enter_context(deaf())
        for number in range(2, 6):
            stack.enter_context(deaf(f'127.0.0.{number}', port))
        url = at_host(monkeypatch, port)
        names.say(port, *(f'127.0.0.{number}' for number in range(1, 6)))
        client, _ = patient(max_retries=0, timeout=1)

        def ask() -> None:
            with pytest.raises(errors.TimedOutError, match=f'{HOST} took too long'):
                client.fetch_json(url)

        assert 0.9 < seconds_of(ask) < 1 + STOPPED_WITHIN


def test_a_race_can_be_stopped(monkeypatch: pytest.MonkeyPatch, names: Names) -> None:
    cancel = threading.Event()
    with deaf() as (_, port), deaf('127.0.0.2', port), deaf('127.0.0.3', port):
        url = at_host(monkeypatch, port)
        names.say(port, '127.0.0.1', '127.0.0.2', '127.0.0.3')
        client, _ = patient()
        with Work(lambda: client.fetch_json(url, cancel=cancel)) as work:
            assert work.goes_on()
            cancel.set()
            assert work.seconds_to_end() < STOPPED_WITHIN
    assert isinstance(work.error, errors.CancelledError)


def test_only_the_winner_stays_open(monkeypatch: pytest.MonkeyPatch, names: Names) -> None:
    made: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *details: Any, **more: Any) -> None:
            super().__init__(*details, **more)
            made.append(self)

    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        names.say(port, '127.0.0.2', '127.0.0.3', '127.0.0.1')
        with deaf('127.0.0.2', port), monkeypatch.context() as noting:
            noting.setattr(socket, 'socket', Noted)
            winner = dialling.dial(HOST, port, dialling.How(5.0))
        with winner:
            assert len(made) == 3
            assert [sock for sock in made if sock.fileno() != -1] == [winner]
            assert winner.gettimeout() == 5.0


# -- memory ---------------------------------------------------------------------------------------


def test_the_address_that_worked_is_asked_first_until_it_fails(
    monkeypatch: pytest.MonkeyPatch, names: Names
) -> None:
    client, _ = patient(max_retries=0)
    with ScriptedServer(ok(b'{}')) as second:
        url, port = at_host(monkeypatch, second.port), second.port
        names.say(port, '127.0.0.2', '127.0.0.1')
        client.fetch_json(url)
        with socket.create_server(('127.0.0.2', port)) as first:  # where nobody was before
            first.setblocking(False)
            client.fetch_json(url)
            with pytest.raises(BlockingIOError):
                first.accept()
    assert len(second.requests) == 2

    with socket.create_server(('127.0.0.2', port)) as first:
        with Work(lambda: client.get_json(url)):
            answer(first)
        # what worked last is the other now, though the first one is back
        with socket.create_server(('127.0.0.1', port)) as back:
            back.setblocking(False)
            with Work(lambda: client.get_json(url)):
                answer(first)
            with pytest.raises(BlockingIOError):
                back.accept()


def answer(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(ok(b'{}'))


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.close()


def say_nothing(connection: socket.socket) -> None:
    connection.recv(65536)


@pytest.mark.parametrize('scheme', ['http', 'https'])
@pytest.mark.parametrize('way', [hang_up, say_nothing])
def test_an_address_that_accepts_and_says_nothing_is_passed_over_at_the_next_try(
    monkeypatch: pytest.MonkeyPatch, names: Names, tmp_path: Path, way: Any, scheme: str
) -> None:
    authority, tls = Authority(), None
    if scheme == 'https':
        monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
        tls = authority.certificate(HOST)
    with ScriptedServer(ok(b'{}'), tls=tls) as good:
        url = at_host(monkeypatch, good.port, scheme)
        names.say(good.port, '127.0.0.2', '127.0.0.1')
        came: list[socket.socket] = []
        with socket.create_server(('127.0.0.2', good.port)) as bad:

            def accept() -> None:
                with suppress(OSError):
                    while True:
                        came.append(bad.accept()[0])
                        way(came[-1])

            threading.Thread(target=accept, daemon=True).start()
            client, waits = patient(timeout=0.5, max_retries=2)
            assert client.get_json(url) == {} and waits == [0.5]
            client.session.close()
            assert client.get_json(url) == {} and len(came) == 1
            bad.shutdown(socket.SHUT_RDWR)
    for connection in came:
        connection.close()


def test_what_is_remembered_is_bounded(
    monkeypatch: pytest.MonkeyPatch, site: ScriptedServer
) -> None:
    monkeypatch.setattr(dialling, 'MAX_REMEMBERED', 3)
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_, **__: [entry('127.0.0.1', site.port)])
    for number in range(10):
        dialling.dial(f'{number}.test', site.port, dialling.How(5.0)).close()
        assert len(dialling._worked) <= 3
