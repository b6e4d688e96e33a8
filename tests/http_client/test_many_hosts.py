"""Redirects that lead to any number of hosts: what is kept of each is bounded."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import outgoing
from scripts.civitai_manager_libs.http_client.failures import CLOSED_SECONDS, Failures
from scripts.civitai_manager_libs.http_client.pacing import throttle as pacing
from scripts.civitai_manager_libs.http_client.pacing.hosts import LOST_SECONDS
from scripts.civitai_manager_libs.http_client.pacing.pace import Pace
from scripts.civitai_manager_libs.http_client.pacing.throttle import Throttle, Turn
from tests.support.faults import PATIENCE, Authority, Work
from tests.support.network import patient, png
from tests.support.proxies import TunnelProxy
from tests.support.scripted_server import (
    STALL,
    Answer,
    Request,
    ScriptedServer,
    head,
    kept,
    ok,
    redirect,
)

HOSTS = 60
SITE = 'www.civitai.test'
AT_ONCE = 8
FEW = 20
WHOLE = png(1000)


def led_on(request: Request) -> Answer:
    """Each picture of the site lies at a host of its own; all of them are this machine."""
    name, _, port = request.headers['host'].partition(':')
    if request.target.startswith('/slow'):
        return kept(
            (head(200, {'Content-Length': str(len(WHOLE))}), WHOLE[:100], STALL, WHOLE[100:])
        )
    if name != SITE:
        return kept(ok(WHOLE))
    number = request.target.strip('/').partition('.')[0]
    scheme = setting.civitai_base_url.partition(':')[0]
    to = f'{scheme}://h{number}.civitai.test:{port}/{number}.png'
    return kept(redirect(to))


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def ours(host: Any, *rest: Any, **named: Any) -> Any:
        return real('127.0.0.1' if str(host).endswith('.test') else host, *rest, **named)

    monkeypatch.setattr(socket, 'getaddrinfo', ours)


@pytest.fixture(params=['http', 'https'])
def site(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ScriptedServer]:
    tls = None
    if request.param == 'https':
        authority = Authority()
        tls = authority.certificate('*.civitai.test')
        monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(handler=led_on, tls=tls) as server:
        url = f'{request.param}://{SITE}:{server.port}'
        monkeypatch.setattr(setting, 'civitai_base_url', url)
        yield server


def few_are_open(server: ScriptedServer, most: int) -> bool:
    """Whether soon no more than `most` connections are open."""
    deadline = time.monotonic() + PATIENCE
    while server.idle > most:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize('at_once', [1, AT_ONCE], ids=['one by one', 'at once'])
def test_only_a_few_connections_are_kept(
    site: ScriptedServer, tmp_path: Path, at_once: int
) -> None:
    client, waits = patient()

    def fetch(number: int) -> bool:
        url = f'{setting.civitai_base_url}/{number}.png'
        return client.download_file(url, tmp_path / f'{number}.png')

    with ThreadPoolExecutor(at_once) as pool:
        assert all(pool.map(fetch, range(HOSTS)))
    assert waits == []
    assert few_are_open(site, FEW + at_once)
    opened = site.opened
    assert fetch(HOSTS - 1) and site.opened == opened  # what was asked last is there still
    client.close()
    assert few_are_open(site, 0)


def test_what_is_in_use_is_not_closed(site: ScriptedServer, tmp_path: Path) -> None:
    client, waits = patient()
    slow = f'{setting.civitai_base_url}/slow.png'
    with Work(lambda: client.fetch_file(slow, tmp_path / 'slow.png')) as work:
        assert site.stalled.wait(PATIENCE)
        for number in range(HOSTS):
            url = f'{setting.civitai_base_url}/{number}.png'.replace('www', f'w{number}')
            setting.extra_hosts = f'w{number}.civitai.test'
            assert client.download_file(url, tmp_path / f'{number}.png')
        site.release.set()
    assert work.error is None and waits == []
    assert (tmp_path / 'slow.png').read_bytes() == WHOLE


def test_through_a_proxy_that_opens_ways_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority()
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    site = ScriptedServer(handler=led_on, tls=authority.certificate('*.civitai.test'))
    with site, TunnelProxy() as proxy:
        monkeypatch.setattr(setting, 'civitai_base_url', f'https://{SITE}:{site.port}')
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        client, _ = patient()
        for number in range(HOSTS):
            url = f'{setting.civitai_base_url}/{number}.png'
            assert client.download_file(url, tmp_path / f'{number}.png')
        assert few_are_open(site, FEW)


def test_hosts_behind_a_proxy_that_forwards_share_its_connections(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(kept(ok(WHOLE))) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        monkeypatch.setattr(setting, 'civitai_base_url', 'http://www.civitai.test')
        client, _ = patient()
        for number in range(HOSTS):
            setting.extra_hosts = f'h{number}.civitai.test'
            url = f'http://{setting.extra_hosts}/{number}.png'
            assert client.download_file(url, tmp_path / f'{number}.png')
    assert proxy.opened == 1


# -- what else is remembered of a host -------------------------------------------------------------

BOUND = 3


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Throttle:
    monkeypatch.setattr(pacing, 'KEPT_HOSTS', BOUND)
    return Throttle(clock)


def ask(throttle: Throttle, host: str) -> Turn:
    return throttle.turn(host, threading.Event(), lambda: Pace(4), 4)


def ask_others(throttle: Throttle, count: int = 20) -> None:
    for number in range(count):
        with ask(throttle, f'other{number}'):
            pass


def test_the_paces_of_hosts_that_are_not_asked_any_more_are_forgotten(throttle: Throttle) -> None:
    with ask(throttle, 'first'):
        pass
    ask_others(throttle)
    assert list(throttle._hosts) == ['other17', 'other18', 'other19']


def test_that_of_a_host_that_is_asked_again_and_again_stays(throttle: Throttle) -> None:
    with ask(throttle, 'home'):
        pace = throttle._hosts['home'].pace
    for _ in range(10):
        ask_others(throttle, 2)
        with ask(throttle, 'home'):
            pass
    assert throttle._hosts['home'].pace is pace


def test_that_of_a_host_in_use_stays(throttle: Throttle) -> None:
    with ask(throttle, 'home'):
        ask_others(throttle)
        assert throttle._hosts['home'].pace.running == 1
        assert len(throttle._hosts) == BOUND


def test_a_refusal_is_not_forgotten_as_long_as_it_is_to_be_obeyed(
    throttle: Throttle, clock: Clock
) -> None:
    with ask(throttle, 'home') as turn:
        turn.refused(100.0)
    ask_others(throttle)
    assert throttle._hosts['home'].pace.held(clock.now) > 90
    clock.now += 100
    ask_others(throttle)
    assert 'home' not in throttle._hosts and len(throttle._hosts) == BOUND


def test_nor_is_one_without_a_time_as_long_as_it_counts(throttle: Throttle, clock: Clock) -> None:
    """Where a host answers with nothing else for a minute, waiting is in vain."""
    with ask(throttle, 'home') as turn:
        turn.refused(None)
    ask_others(throttle)
    assert throttle._hosts['home'].refusals == 1
    clock.now += LOST_SECONDS
    ask_others(throttle)
    assert 'home' not in throttle._hosts


def test_which_hosts_need_no_proxy_is_forgotten_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, 'MAX_REMEMBERED', BOUND)
    monkeypatch.setenv('NO_PROXY', 'h7.civitai.test')
    monkeypatch.setenv('HTTPS_PROXY', 'http://127.0.0.1:1')
    proxies = outgoing.Proxies()
    for number in range(10):
        assert bool(proxies.of(f'https://h{number}.civitai.test/')) is (number != 7)
        assert len(proxies._direct) <= BOUND


def test_hosts_that_asked_for_hours_are_forgotten_when_they_may_be_asked_again() -> None:
    clock = Clock()
    failures = Failures(clock)
    refusal = errors.RateLimitedError(status=429, retry_after=7200.0)
    for number in range(10):
        with pytest.raises(errors.RateLimitedError):
            with failures.noted(f'https://h{number}.civitai.test/a.png', ''):
                raise refusal
        clock.now += CLOSED_SECONDS / 2
        assert len(failures._closed) <= 3
