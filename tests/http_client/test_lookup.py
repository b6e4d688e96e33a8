"""Looking up names: a name service that is silent holds nobody up for longer than they want."""

from __future__ import annotations

import _thread
import os
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import errors, setting
from tests.support.faults import PATIENCE, STOPPED_WITHIN, Work
from tests.support.forking import ended, fork
from tests.support.network import patient
from tests.support.scripted_server import ScriptedServer, ok

SITE, PROXY = 'civitai.test', 'proxy.test'
ALL = 8
TIMEOUT = 0.4


class Resolver:
    """Stands for the system's; it says nothing about the `silent` names until `go_on` is set."""

    def __init__(self) -> None:
        self.silent = {SITE, PROXY}
        self.unknown: set[str] = set()
        self.go_on = threading.Event()
        self.is_asked = threading.Event()
        self.asked: list[tuple[str, int]] = []  # each name, by which thread
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, *rest: Any, **named: Any) -> Any:
        self.asked.append((host, threading.get_ident()))
        if host not in (SITE, PROXY):
            return self._real(host, *rest, **named)
        self.is_asked.set()
        if host in self.silent:
            self.go_on.wait(PATIENCE)
        if host in self.unknown:
            raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
        return self._real('127.0.0.1', *rest, **named)

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    found = Resolver()
    monkeypatch.setattr(socket, 'getaddrinfo', found)
    yield found
    found.go_on.set()
    deadline = time.monotonic() + PATIENCE
    while any(thread.name == 'civitai-look-up' for thread in threading.enumerate()):
        assert time.monotonic() < deadline  # none is left for the next test
        time.sleep(0.01)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A Civitai called SITE."""
    with ScriptedServer(ok(b'{}')) as server:
        monkeypatch.setattr(setting, 'civitai_base_url', f'http://{SITE}:{server.port}')
        yield server


def page() -> str:
    return f'{setting.civitai_base_url}/api/v1/images'


def picture(number: int) -> str:
    return f'{setting.civitai_base_url}/{number}.png'


def fails_soon(ask: Callable[[], object], kind: type[errors.CivitaiError], words: str) -> None:
    began = time.monotonic()
    with pytest.raises(kind, match=words):
        ask()
    assert 0.9 * TIMEOUT < time.monotonic() - began < TIMEOUT + STOPPED_WITHIN


def test_a_look_up_that_takes_too_long_is_told_as_such(
    site: ScriptedServer, resolver: Resolver
) -> None:
    client, _ = patient(max_retries=0, timeout=TIMEOUT)
    words = rf'name service \(DNS\).*{SITE}'
    fails_soon(lambda: client.fetch_json(page()), errors.TimedOutError, words)
    assert 'DNS' in client.failure_for(page()).message_in('zh_TW')  # type: ignore[union-attr]


# The proxy's own name, and that of the site where the proxy does not look names up.
PROXIES = {
    'http': (f'http://{PROXY}:1', PROXY),
    'socks5h': (f'socks5h://{PROXY}:1', PROXY),
    'socks5': ('socks5://127.0.0.1:1', SITE),
    'socks4': ('socks4://127.0.0.1:1', SITE),
}


@pytest.mark.parametrize('scheme', ['http', 'https'])
@pytest.mark.parametrize(('address', 'name'), PROXIES.values(), ids=PROXIES)
def test_so_is_that_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, resolver: Resolver, scheme: str, address: str, name: str
) -> None:
    monkeypatch.setattr(setting, 'civitai_base_url', f'{scheme}://{SITE}')
    monkeypatch.setattr(setting, 'http_proxy', address)
    client, _ = patient(max_retries=0, timeout=TIMEOUT)
    words = rf'name service \(DNS\).*{name}'
    fails_soon(lambda: client.fetch_json(page()), errors.TransferError, words)


def test_it_can_be_stopped(site: ScriptedServer, resolver: Resolver) -> None:
    cancel = threading.Event()
    client, _ = patient()
    with Work(lambda: client.fetch_json(page(), cancel=cancel)) as work:
        assert resolver.is_asked.wait(PATIENCE) and work.goes_on()
        cancel.set()
        assert work.seconds_to_end() < STOPPED_WITHIN
    assert isinstance(work.error, errors.CancelledError)


def test_ctrl_c_is_heard(site: ScriptedServer, resolver: Resolver) -> None:
    def interrupt() -> None:
        if resolver.is_asked.wait(PATIENCE):
            _thread.interrupt_main()

    client, _ = patient()
    with Work(interrupt), pytest.raises(KeyboardInterrupt):
        client.fetch_json(page())
    assert not resolver.go_on.is_set()


def test_all_who_want_one_name_share_one_look_up(site: ScriptedServer, resolver: Resolver) -> None:
    client, _ = patient(max_retries=0)
    with ExitStack() as stack:
        works = [
            stack.enter_context(Work(lambda url=picture(number): client.get_stream(url)))
            for number in range(ALL)
        ]
        assert resolver.is_asked.wait(PATIENCE)
        assert all(work.goes_on(0.05) for work in works)
        resolver.go_on.set()
    assert all(work.result is not None for work in works)
    assert len(site.requests) == ALL
    assert resolver.names().count(SITE) == 1


def test_trying_again_waits_for_the_look_up_that_goes_on(
    site: ScriptedServer, resolver: Resolver
) -> None:
    client, waits = patient(max_retries=3, timeout=TIMEOUT)
    with pytest.raises(errors.TimedOutError):
        client.fetch_json(page())
    assert len(waits) == 3 and resolver.names() == [SITE]
    resolver.go_on.set()
    assert client.fetch_json(page()) == {}


def test_a_failure_reaches_all_who_wait(site: ScriptedServer, resolver: Resolver) -> None:
    resolver.unknown.add(SITE)
    client, _ = patient(max_retries=0)
    with Work(lambda: client.fetch_stream(picture(1))) as one:
        with Work(lambda: client.fetch_stream(picture(2))) as two:
            assert one.goes_on() and two.goes_on()
            resolver.go_on.set()
    assert 'No machine called' in str(one.error) and 'No machine called' in str(two.error)
    assert resolver.names() == [SITE]


@pytest.mark.parametrize('place', ['127.0.0.1', '[::1]'])
def test_an_address_is_asked_of_nobody(
    monkeypatch: pytest.MonkeyPatch, resolver: Resolver, place: str
) -> None:
    monkeypatch.setattr(setting, 'civitai_base_url', f'http://{place}:1')
    client, _ = patient(max_retries=0)
    assert client.get_json(page()) is None
    assert {thread for _, thread in resolver.asked} <= {threading.get_ident()}


def test_without_further_threads_the_look_up_is_done_here(
    monkeypatch: pytest.MonkeyPatch, site: ScriptedServer, resolver: Resolver
) -> None:
    resolver.silent.clear()
    client, _ = patient(max_retries=0)
    assert client.fetch_json(page()) == {}  # what else needs a thread has it now
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == 'civitai-look-up':
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, 'start', refuse)
    assert client.fetch_json(page()) == {}


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')
def test_a_child_does_not_wait_for_a_look_up_of_its_parent(
    site: ScriptedServer, resolver: Resolver
) -> None:
    client, _ = patient(max_retries=0)
    with Work(lambda: client.fetch_json(page())) as work:
        assert resolver.is_asked.wait(PATIENCE) and work.goes_on()

        def ask() -> bool:
            resolver.silent.clear()
            return client.fetch_json(page()) == {}

        assert ended(fork(ask)) == 0
        resolver.go_on.set()
    assert work.result == {}
