"""Scripts that call the gallery's functions: Ctrl-C ends them, also while servers are silent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs.downloads import crew
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import PATIENCE, WHOLE, Work
from tests.support.network import at_home, files_in
from tests.support.prepared import Prepared
from tests.support.scripted_server import STALL, Answer, ScriptedServer, head, kept, ok

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

ENDED_WITHIN = 10  # asked for are moments; a silent server would hold it up for minutes
PICTURES = 40

OPENING = """
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from scripts.civitai_manager_libs import civitai_gallery_action as action
from scripts.civitai_manager_libs import setting
def asleep():
    while True:  # a signal just before a sleep would be heard after it
        time.sleep(0.1)
addresses = [f'{sys.argv[1]}/{number}.png' for number in range(int(sys.argv[2]))]
"""

SCRIPTS = {
    'plain': 'action.download_images(addresses)',
    'with progress': 'action.download_images_with_progress(addresses, print)',
    'in batches': 'action.download_images_batch(addresses, 3)',
    # where Ctrl-C strikes outside of the wait
    'busy itself': (
        'def busy(done, total, message):\n'
        '    if done == 1:\n'
        '        asleep()\n'
        'action.download_images_with_progress(addresses, busy)'
    ),
    'in another thread': (
        'given = {"target": action.download_images, "args": [addresses], "daemon": True}\n'
        'threading.Thread(**given).start()\n'
        'asleep()'
    ),
    'a manager': 'action.GalleryDownloadManager().download_with_retry(addresses[1], "FOLDER/x")',
}

LENGTH = {'Content-Length': str(len(WHOLE))}
SILENT: dict[str, Answer] = {
    'asked': (STALL,),
    'in a picture': (head(200, LENGTH), WHOLE[:9000], STALL),
    'in an error': (head(503, LENGTH), b'{"er', STALL),
}


def silent_site(answer: Answer) -> ScriptedServer:
    """A server whose first picture comes whole, and of the others none."""
    return ScriptedServer(
        handler=lambda asked: kept(ok(WHOLE)) if '/0.' in asked.target else answer
    )


CASES = [(script, 'in a picture') for script in SCRIPTS]
CASES += [('plain', answer) for answer in SILENT if answer != 'in a picture']


@pytest.mark.parametrize(('script', 'answer'), CASES)
def test_ctrl_c_ends_a_script_while_servers_are_silent(
    prepared: Prepared, tmp_path: Path, script: str, answer: str
) -> None:
    program = OPENING + SCRIPTS[script].replace('FOLDER', str(tmp_path / 'picture_cache'))
    with silent_site(SILENT[answer]) as server:
        environment = {**os.environ, 'CIVITAI_BASE_URL': server.url}
        arguments = server.url, str(PICTURES)
        with prepared.start(program, *arguments, environment=environment) as process:
            assert server.stalled.wait(PATIENCE)
            with pytest.raises(subprocess.TimeoutExpired):  # it waits now
                process.wait(0.2)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=ENDED_WITHIN)
        assert len(server.requests) < PICTURES
    assert process.returncode != 0 and err.strip().endswith('KeyboardInterrupt')
    left = files_in(tmp_path / 'picture_cache')
    assert not [name for name in left if '.part' in name]
    assert {(tmp_path / 'picture_cache' / name).read_bytes() for name in left} <= {WHOLE}


def test_a_thread_that_the_program_leaves_running_finishes_its_downloads(
    prepared: Prepared, tmp_path: Path
) -> None:
    program = OPENING + 'threading.Thread(target=action.download_images, args=[addresses]).start()'
    with ScriptedServer(handler=lambda asked: (STALL, ok(WHOLE))) as server:
        environment = {**os.environ, 'CIVITAI_BASE_URL': server.url}
        with prepared.start(program, server.url, '5', environment=environment) as process:
            assert server.stalled.wait(PATIENCE)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            server.release.set()
            assert process.wait(PATIENCE) == 0
    assert len(files_in(tmp_path / 'picture_cache')) == 5


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> CivitaiHttpClient:
    monkeypatch.delenv('CIVITAI_BASE_URL', raising=False)
    return CivitaiHttpClient()


def running(client: CivitaiHttpClient, url: str, folder: Path) -> Iterator[tuple[str, bool]]:
    """Downloads of four pictures at once."""
    return crew.run(
        lambda name: client.download_file(f'{url}/{name}', folder / name),
        [f'{number}.png' for number in range(PICTURES)],
        4,
    )


def test_closing_stops_what_runs_and_the_client_goes_on(
    tmp_path: Path, client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_site(SILENT['in a picture']) as server:
        at_home(monkeypatch, server)
        results = running(client, server.url, tmp_path)
        assert next(results) == ('0.png', True)
        assert server.stalled.wait(PATIENCE)
        with Work(results.close) as closing:  # type: ignore[attr-defined]
            assert closing.seconds_to_end() < ENDED_WITHIN
        assert files_in(tmp_path) == ['0.png']
        assert client.download_file(f'{server.url}/0.png', tmp_path / 'again.png')
    assert not [t for t in threading.enumerate() if t.name.startswith('civitai-gallery_')]


def test_after_ctrl_c_nothing_is_left_and_the_client_goes_on(
    tmp_path: Path, client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = threading.Event()

    def press() -> None:
        assert server.stalled.wait(PATIENCE)
        pressed.set()
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with silent_site(SILENT['in a picture']) as server:
            at_home(monkeypatch, server)
            threading.Thread(target=press, daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                list(running(client, server.url, tmp_path))
            assert pressed.is_set() and set(files_in(tmp_path)) <= {'0.png'}
            assert client.download_file(f'{server.url}/0.png', tmp_path / 'again.png')
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_client_still_stops_what_a_batch_asks(
    tmp_path: Path, client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer((STALL,)) as server:
        at_home(monkeypatch, server)
        with Work(lambda: list(running(client, server.url, tmp_path))) as work:
            assert server.stalled.wait(PATIENCE)
            client.close()
            assert work.seconds_to_end() < ENDED_WITHIN
    assert files_in(tmp_path) == []
