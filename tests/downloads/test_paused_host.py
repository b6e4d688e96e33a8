"""A host that asked for a pause: who waits for it leaves the places to what other hosts have."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Mapping

import pytest

from scripts.civitai_manager_libs import notices
from scripts.civitai_manager_libs.downloads import crew
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import PATIENCE, Work
from tests.support.network import at_home, png
from tests.support.scripted_server import ScriptedServer, kept, ok

PLACES, PICTURES = 4, 8


@pytest.mark.parametrize('paused_first', [True, False], ids=['before the batch', 'in it'])
def test_the_pictures_of_another_host_come_meanwhile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, paused_first: bool
) -> None:
    is_paused, all_came = threading.Event(), threading.Event()
    came: list[str] = []

    def hear(key: str, values: Mapping[str, object]) -> None:
        is_paused.set()

    monkeypatch.setattr(notices, 'sink', hear)
    busy = ScriptedServer(kept(ok(b'', status=429, Retry_After='60')))
    with busy, ScriptedServer(kept(ok(png()))) as free:
        at_home(monkeypatch, free)
        client = CivitaiHttpClient()

        def fetch(url: str) -> bool:
            saved = client.download_file(url, tmp_path / url.replace('/', '_'))
            if saved:
                came.append(url)
                if len(came) == PICTURES:
                    all_came.set()
            return saved

        waits = [f'{busy.url}/{number}.png' for number in range(PLACES)]
        comes = [f'{free.url}/{number}.png' for number in range(PICTURES)]
        with Work(lambda: paused_first and fetch(f'{busy.url}/first.png')):
            assert not paused_first or is_paused.wait(PATIENCE)
            with Work(lambda: list(crew.run(fetch, [*waits, *comes], PLACES))) as batch:
                assert all_came.wait(PATIENCE / 3)
                assert batch.goes_on()
                client.close()
    assert sorted(came) == comes
