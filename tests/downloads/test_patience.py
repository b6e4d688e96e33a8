"""A page of thumbnails from a host that only refuses, in a twentieth of the time it may take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import notices, setting
from scripts.civitai_manager_libs.downloads import batch, crew
from scripts.civitai_manager_libs.downloads.plan import DownloadJob
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, client as client_module
from scripts.civitai_manager_libs.http_client.pacing import throttle
from tests.support.network import at_home, files_in, png
from tests.support.scripted_server import (
    KEEP,
    RESET,
    STALL,
    Answer,
    ScriptedServer,
    Trickle,
    kept,
    ok,
)

FASTER = 20
GOOD = kept(ok(png()))


def busy(status: int, **headers: str) -> Answer:
    return kept(ok(b'', status=status, **headers))


def slowly(status: int) -> Answer:
    """A refusal that takes two seconds."""
    answer = ok(b'', status=status).replace(b'Connection: close\r\n', b'')
    return Trickle(answer, size=len(answer) // 2 + 1, seconds=2 / FASTER), KEEP


# The answer to the n-th question, and whether a notice comes; not where all is over at once.
REFUSING: dict[str, tuple[Callable[[int], Answer], bool]] = {
    '429': (lambda _: busy(429), True),
    '503': (lambda _: busy(503), True),
    'each in turn': (lambda n: busy(429 if n % 2 else 503), True),
    '429, slowly': (lambda _: slowly(429), True),
    '503, slowly': (lambda _: slowly(503), True),
    'come back later': (lambda _: busy(429, Retry_After='100'), True),
    'not today': (lambda _: busy(429, Retry_After='600'), False),
}
FAILING: dict[str, Callable[[int], Answer]] = {
    'error': lambda _: busy(500),
    'reset': lambda _: (RESET,),
    'cut': lambda _: ok(png()[:40], length=len(png())),
    'reset after a silence': lambda _: (Trickle(b'HT', size=2, seconds=3 / FASTER), RESET),
    'a refusal and a fault': lambda n: busy(429) if n % 2 else (RESET,),
}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, int, list]]:
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path))
    patience = client_module.PATIENCE_OF_A_PERSON / FASTER
    monkeypatch.setattr(client_module, 'PATIENCE_OF_A_PERSON', patience)
    monkeypatch.setattr(throttle, 'TOLD_SECONDS', throttle.TOLD_SECONDS / FASTER)
    monkeypatch.setattr(throttle, 'STALL_SECONDS', throttle.STALL_SECONDS / FASTER)
    monkeypatch.setattr(crew, 'HEARTBEAT_SECONDS', crew.HEARTBEAT_SECONDS / FASTER)

    def load(answer: Callable[[int], Answer], count: int) -> tuple[int, int, list]:
        """How many of so many thumbnails came, how often was asked, and what was told."""
        told: list[tuple[str, Any]] = []
        with ScriptedServer(handler=lambda _: answer(len(server.requests))) as server:
            at_home(monkeypatch, server)
            addresses = [f'{server.url}/{n}/width=450/a.jpeg' for n in range(count)]
            jobs = [
                DownloadJob(url, str(tmp_path / f'{n}.jpeg')) for n, url in enumerate(addresses)
            ]
            with notices.going_to(lambda key, values: told.append((key, dict(values)))):
                report = batch.report(
                    batch.download(jobs, CivitaiHttpClient().download_file, concurrency=16)
                )
        return count - len(report.failures), len(server.requests), told

    return load


@pytest.mark.parametrize(('answer', 'is_told'), REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize('count', [24, 200])
def test_who_looks_hears_soon_and_does_not_wait_for_each_picture(
    page: Any, tmp_path: Path, answer: Callable[[int], Answer], is_told: bool, count: int
) -> None:
    came, asked, told = page(answer, count)
    assert came == 0 and asked < 60 and files_in(tmp_path) == []
    # refused, and given up; on a busy machine also slow, which then is true
    assert bool(told) is is_told and len(told) <= 3
    assert all(values['host'] == '127.0.0.1' and values['seconds'] <= 2 for _, values in told)


@pytest.mark.parametrize('answer', FAILING.values(), ids=FAILING)
def test_a_host_of_nothing_but_faults_is_given_up_for_the_whole_page(
    page: Any, answer: Callable[[int], Answer]
) -> None:
    """Five tries for each of 200 pictures would be a thousand questions."""
    came, asked, told = page(answer, 200)
    assert came == 0 and asked < 400
    assert 1 <= len(told) <= 3


@pytest.mark.parametrize('status', [429, 503])
def test_where_half_is_refused_the_rest_comes(page: Any, status: int) -> None:
    came, asked, _ = page(lambda n: GOOD if n % 2 else busy(status), 48)
    assert came >= 24 and asked <= 48 * 5


HEAD = b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n'
SLOW: dict[str, Answer] = {
    'silent': (STALL,),
    'a byte now and then': (Trickle(HEAD, size=1, seconds=0.33 / FASTER * 5),),
    'a body that never ends': (HEAD, Trickle(png()[:30] + bytes(50_000), size=90, seconds=0.01)),
}


@pytest.mark.parametrize('answer', SLOW.values(), ids=SLOW)
@pytest.mark.parametrize('count', [1, 24, 60])
def test_a_slow_host_is_told_soon_and_given_up_within_a_minute(
    page: Any, answer: Answer, count: int
) -> None:
    began = time.monotonic()
    came, _, told = page(lambda _: answer, count)
    assert came == 0 and time.monotonic() - began < 60 / FASTER + 1.0
    assert 'notice_slow' in [key for key, _ in told]
    assert all(values['host'] == '127.0.0.1' for _, values in told)


@pytest.mark.parametrize('answer', SLOW.values(), ids=SLOW)
def test_a_slow_answer_of_the_api_is_told_and_given_up(
    monkeypatch: pytest.MonkeyPatch, page: Any, answer: Answer
) -> None:
    told: list[str] = []
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        began = time.monotonic()
        with notices.going_to(lambda key, values: told.append(key)):
            client = CivitaiHttpClient().for_a_person()
            assert client.get_json(f'{server.url}/api/v1/images') is None
    assert time.monotonic() - began < 60 / FASTER + 1.0
    assert 'notice_slow' in told
