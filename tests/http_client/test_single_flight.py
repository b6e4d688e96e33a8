"""In one process a file is fetched once, however many ask for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import errors
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, slots
from tests.support.faults import PATIENCE, STOPPED_WITHIN, Work
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

PICTURE = png(20_000)


class Gate:
    """A server that answers each request only when it is let go; `good` says with what."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.good = True

    def __call__(self, request: Request) -> Answer:
        self.asked.release()
        assert self.go.acquire(timeout=PATIENCE)
        return kept(ok(PICTURE)) if self.good else kept(ok(b'gone', status=404))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    with ScriptedServer(handler=gate) as running:
        at_home(monkeypatch, running)
        yield running
        gate.go.release(1000)


def others(
    client: CivitaiHttpClient, url: str, target: Path, count: int
) -> list[tuple[threading.Thread, list[bool]]]:
    """Threads that ask for a file while another has asked for it already."""
    found = []
    for _ in range(count):
        outcome: list[bool] = []
        thread = threading.Thread(
            target=lambda to=outcome: to.append(client.download_file(url, target)), daemon=True
        )
        thread.start()
        found.append((thread, outcome))
    return found


def outcomes(threads: list[tuple[threading.Thread, list[bool]]]) -> list[bool]:
    for thread, _ in threads:
        thread.join(PATIENCE)
    return [outcome[0] for _, outcome in threads]


@pytest.mark.parametrize('good', [True, False], ids=['it is there', 'it is not there'])
def test_who_asks_meanwhile_gets_the_same_outcome(
    gate: Gate, server: ScriptedServer, tmp_path: Path, good: bool
) -> None:
    client, _ = patient()
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    gate.good = good
    with Work(lambda: client.download_file(url, target)) as first:
        assert gate.asked.acquire(timeout=PATIENCE)
        threads = others(client, url, target, 16)
        assert first.goes_on()
        gate.go.release(1000)
        assert outcomes(threads) == [good] * 16
    assert first.result is good and len(server.requests) == 1
    assert files_in(tmp_path) == (['a.png'] if good else [])
    assert (client.failure_for(url) is None) is good


def test_when_who_fetches_is_stopped_another_takes_over(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    url, target, stop = f'{server.url}/a.png', tmp_path / 'a.png', threading.Event()
    with Work(lambda: client.fetch_file(url, target, cancel=stop)) as first:
        assert gate.asked.acquire(timeout=PATIENCE)
        threads = others(client, url, target, 3)
        stop.set()
        assert first.seconds_to_end() < STOPPED_WITHIN
        assert gate.asked.acquire(timeout=PATIENCE), 'somebody else asks'
        gate.go.release(1000)
        assert outcomes(threads) == [True] * 3
    assert isinstance(first.error, errors.CancelledError) and len(server.requests) == 2
    assert target.read_bytes() == PICTURE and client.failure_for(url) is None


class Mine(Exception):
    """What a caller's own progress raises."""


def test_trouble_of_who_fetches_is_nobody_elses(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    raised: list[BaseException] = []

    def troubled(done: int, total: int) -> None:
        raise Mine

    def first() -> None:
        try:
            client.download_file(url, target, troubled)
        except Mine as error:
            raised.append(error)

    with Work(first):
        assert gate.asked.acquire(timeout=PATIENCE)
        threads = others(client, url, target, 2)
        gate.go.release(1000)
        assert outcomes(threads) == [True, True]
    assert len(raised) == 1 and len(server.requests) == 2


def test_who_waits_for_another_can_be_stopped(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    url, target, stop = f'{server.url}/a.png', tmp_path / 'a.png', threading.Event()
    with Work(lambda: client.download_file(url, target)) as first:
        assert gate.asked.acquire(timeout=PATIENCE)
        with Work(lambda: client.fetch_file(url, target, cancel=stop)) as second:
            assert second.goes_on()
            stop.set()
            assert second.seconds_to_end() < STOPPED_WITHIN
        assert isinstance(second.error, errors.CancelledError)
        gate.go.release(1000)
    assert first.result is True and len(server.requests) == 1


def test_who_waits_for_another_is_told_when_it_is_there(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    steps: list[Any] = []
    with Work(lambda: client.download_file(url, target)):
        assert gate.asked.acquire(timeout=PATIENCE)
        with Work(lambda: client.download_file(url, target, lambda *step: steps.append(step))):
            gate.go.release(1000)
    assert steps[-1] == (len(PICTURE), len(PICTURE))


def test_one_address_for_two_files_is_fetched_for_each(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    gate.go.release(1000)
    fetches: list[Callable[[], bool]] = [
        lambda name=name: client.download_file(f'{server.url}/a.png', tmp_path / name)
        for name in ('a.png', 'b.png')
    ]
    works = [Work(fetch) for fetch in fetches]
    for work in works:
        work.__enter__()
    for work in works:
        work.__exit__()
    assert [work.result for work in works] == [True, True] and len(server.requests) == 2


def test_asking_again_later_fetches_again(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    gate.go.release(1000)
    for _ in range(2):
        assert client.download_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert len(server.requests) == 2


def test_who_waits_for_another_lends_the_place_to_other_work(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    client, _ = patient()
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    lent = threading.Event()
    places = slots.Slots(1, lent.set)

    def wait_in_a_place() -> bool:
        with places.taken():
            return client.download_file(url, target)

    with Work(lambda: client.download_file(url, target)):
        assert gate.asked.acquire(timeout=PATIENCE)
        with Work(wait_in_a_place) as second:
            assert lent.wait(PATIENCE)
            gate.go.release(1000)
    assert second.result is True


def test_clients_of_one_process_share_what_is_under_way(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    with Work(lambda: patient()[0].download_file(url, target)) as first:
        assert gate.asked.acquire(timeout=PATIENCE)
        threads = others(patient()[0], url, target, 2) + others(patient()[0], url, target, 2)
        assert first.goes_on()
        gate.go.release(1000)
        assert outcomes(threads) == [True] * 4
    assert len(server.requests) == 1


def test_another_key_is_another_question(
    gate: Gate, server: ScriptedServer, tmp_path: Path
) -> None:
    url, target = f'{server.url}/a.png', tmp_path / 'a.png'
    with Work(lambda: patient(api_key='one')[0].download_file(url, target)):
        assert gate.asked.acquire(timeout=PATIENCE)
        threads = others(patient(api_key='two')[0], url, target, 1)
        assert gate.asked.acquire(timeout=PATIENCE)
        gate.go.release(1000)
        assert outcomes(threads) == [True]
