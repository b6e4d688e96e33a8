"""A client that crosses a fork: each process speaks on connections of its own, nobody waits."""

from __future__ import annotations

import gc
import os
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

import pytest
import trustme

from scripts.civitai_manager_libs import civitai_gallery_action as action, http_client, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.http_client.watch import TICK_SECONDS
from tests.support.faults import PATIENCE, Work
from tests.support.forking import all_held, ended, fork, locks_of
from tests.support.network import at_home, patient, png
from tests.support.scripted_server import (
    STALL,
    Answer,
    Request,
    ScriptedServer,
    head,
    kept,
    ok,
)

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')

CHILDREN, FILES = 3, 60


def picture_of(target: str) -> bytes:
    """The picture at an address, of which there is no other."""
    return png(int(target.rpartition('/')[2].partition('.')[0]) * 7 + len(target))


def honest(request: Request) -> Answer:
    return kept(ok(picture_of(request.target)))


def fetch_all(fetch: Callable[[str, str], bool], base: str, who: str, folder: Path) -> bool:
    """Fetch many pictures at once; whether each is the one that was asked for."""

    def one(number: int) -> bool:
        target = f'/{who}/{number}.png'
        path = folder / f'{who}-{number}.png'
        return fetch(base + target, str(path)) and path.read_bytes() == picture_of(target)

    with ThreadPoolExecutor(8) as pool:
        return all(pool.map(one, range(FILES)))


@pytest.mark.parametrize('is_tls', [False, True], ids=['http', 'https'])
def test_no_process_gets_what_another_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: CivitaiHttpClient, is_tls: bool
) -> None:
    tls = None
    if is_tls:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert('127.0.0.1').configure_cert(tls)
        authority.cert_pem.write_to_path(str(tmp_path / 'ca.pem'))
        monkeypatch.setattr(setting, 'http_ca_bundle', str(tmp_path / 'ca.pem'))
    with ScriptedServer(handler=honest, tls=tls) as server:
        at_home(monkeypatch, server)
        manager = action.GalleryDownloadManager()

        def work(who: str) -> bool:
            return fetch_all(manager.download_with_retry, server.url, who, tmp_path)

        assert work('before')
        with Work(lambda: work('parent')) as parent:
            children = [fork(lambda: work(f'child{number}')) for number in range(CHILDREN)]
            assert [ended(child) for child in children] == [0] * CHILDREN
        assert parent.result is True and work('after')
        speakers: dict[int, set[str]] = {}
        for request in server.requests:
            who = request.target.split('/')[1]
            is_child = who.startswith('child')
            speakers.setdefault(request.connection, set()).add(who if is_child else 'parent')
    assert {len(processes) for processes in speakers.values()} == {1}


def held_up(path: str) -> Callable[[Request], Answer]:
    """A server that never gets to the end of what the parent asks for first."""
    first = threading.Lock()

    def answer(request: Request) -> Answer:
        whole = picture_of(request.target)
        if request.target == path and first.acquire(blocking=False):
            return (head(200, {'Content-Length': str(len(whole))}), whole[:20], STALL, whole[20:])
        return kept(ok(whole))

    return answer


def test_what_a_thread_of_the_parent_is_fetching_does_not_hold_up_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the child, which closes its client, cut off what the parent is fetching."""
    with ScriptedServer(handler=held_up('/1.png')) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        url, path = f'{server.url}/1.png', tmp_path / '1.png'

        def work() -> bool:
            saved = client.download_file(url, path)
            client.close()
            time.sleep(4 * TICK_SECONDS)  # so that its eye would see what is to be cut off
            return saved and path.read_bytes() == picture_of('/1.png')

        with Work(lambda: client.fetch_file(url, path)) as parent:
            assert server.stalled.wait(PATIENCE)
            assert ended(fork(work)) == 0
            assert parent.goes_on()
            server.release.set()
        assert parent.result == path and parent.error is None
        assert path.read_bytes() == picture_of('/1.png')
        assert client.download_file(f'{server.url}/2.png', tmp_path / '2.png')


def test_the_child_has_turns_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the parent all places at the host are taken for long, and others wait for one."""

    def answer(request: Request) -> Answer:
        return kept(ok(png())) if 'child' in request.target else (STALL,)

    monkeypatch.setattr(setting, 'gallery_max_concurrent_downloads', 1)
    with ScriptedServer(handler=answer) as server, ExitStack() as parents:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=3)

        def fetch(name: str) -> bool:
            return client.download_file(f'{server.url}/{name}.png', tmp_path / f'{name}.png')

        for number in range(3):
            parents.enter_context(Work(lambda name=str(number): fetch(name)))
        deadline = time.monotonic() + PATIENCE
        while len(server.requests) < 2:  # the second has the place that the first lent it
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert ended(fork(lambda: fetch('child'))) == 0
        assert len(server.requests) == 3
        server.release.set()
        client.close()


@pytest.mark.parametrize('copy', [False, True], ids=['the client', 'one for a person'])
def test_no_lock_that_the_parent_holds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: bool
) -> None:
    def answer(request: Request) -> Answer:
        if '/api/' in request.target:
            return kept(ok(b'{"items": []}'))
        return honest(request) if 'missing' not in request.target else kept(ok(b'', status=404))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        client = client.for_a_person() if copy else client

        def work(who: str = 'child') -> bool:
            saved = fetch_all(client.download_file, server.url, who, tmp_path)
            missing = client.download_file(f'{server.url}/missing/1.png', tmp_path / 'missing.png')
            page = client.get_json(f'{server.url}/api/v1/images', {'limit': 1})
            told = client.failure_for(f'{server.url}/missing/1.png') is not None
            client.close()
            gc.collect()
            return saved and not missing and page == {'items': []} and told

        assert fetch_all(client.download_file, server.url, 'before', tmp_path)
        locks = locks_of(client)
        assert len(locks) > 5
        with all_held(locks):
            child = fork(work)
        assert ended(child) == 0
        assert work('after')


def test_the_client_of_the_process_is_that_of_the_child_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: CivitaiHttpClient
) -> None:
    with ScriptedServer(handler=honest) as server:
        at_home(monkeypatch, server)

        def work() -> bool:
            mine = http_client.get_http_client()
            return fetch_all(mine.download_file, server.url, f'child{os.getpid()}', tmp_path)

        assert work()
        with all_held(locks_of(sys.modules[http_client.get_http_client.__module__].__dict__)):
            child = fork(lambda: work() and ended(fork(work)) == 0)
        assert ended(child) == 0 and work()
