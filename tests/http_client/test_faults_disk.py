"""A disk that refuses, several writers in one folder: what is there is whole, nothing is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import errors
from tests.support.faults import PATIENCE, WHOLE, Work, small_disk
from tests.support.network import at_home, files_in, patient, png
from tests.support.paths import ROOT
from tests.support.scripted_server import (
    STALL,
    Answer,
    Request,
    ScriptedServer,
    chunked,
    head,
    kept,
    ok,
)

if sys.platform != 'win32':
    import resource

PICTURE = kept(ok(WHOLE))
LARGE = png(3_000_000)


def refused(
    monkeypatch: pytest.MonkeyPatch, target: Path, answer: Answer = PICTURE
) -> errors.StorageError:
    """The error of a download to `target`, which is final and leaves client and server well."""

    def play(request: Request) -> Answer:
        return PICTURE if 'good' in request.target else answer

    with ScriptedServer(handler=play) as server, tempfile.TemporaryDirectory() as elsewhere:
        at_home(monkeypatch, server)
        client, waits = patient()
        url = f'{server.url}/a.png'
        with pytest.raises(errors.StorageError) as caught:
            client.fetch_file(url, target)
        assert str(client.failure_for(url)) == str(caught.value)
        assert waits == [] and len(server.requests) <= 1
        with open_to_all():
            saved = client.fetch_file(f'{server.url}/good.png', Path(elsewhere) / 'a.png')
            assert saved.read_bytes() == WHOLE
    return caught.value


@contextmanager
def open_to_all() -> Iterator[None]:
    """With the rights that the tests were started with."""
    before = os.geteuid() if sys.platform != 'win32' else 0
    if before != 0 and os.getuid() == 0:
        os.seteuid(0)
        try:
            yield
        finally:
            os.seteuid(before)
    else:
        yield


# -- refusals -----------------------------------------------------------------------------------


def test_a_folder_of_that_name_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / 'a.png').mkdir()
    error = refused(monkeypatch, tmp_path / 'a.png')
    assert error.key == 'error_target_is_folder' and 'a.png is a folder' in error.user_message
    assert os.listdir(tmp_path) == ['a.png'] and os.listdir(tmp_path / 'a.png') == []


def test_a_folder_that_appears_meanwhile_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(PICTURE) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        target = tmp_path / 'a.png'
        with pytest.raises(errors.StorageError):
            client.fetch_file(f'{server.url}/a', target, lambda *_: target.mkdir(exist_ok=True))
    assert waits == [] and os.listdir(tmp_path) == ['a.png']


def test_a_folder_that_goes_away_meanwhile_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / 'folder'
    with ScriptedServer(PICTURE) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.StorageError) as caught:
            client.fetch_file(
                f'{server.url}/a',
                folder / 'a.png',
                lambda *_: shutil.rmtree(folder, ignore_errors=True),
            )
    assert str(folder) in caught.value.user_message
    assert waits == [] and files_in(tmp_path) == []


def test_a_read_only_folder_is_told_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # not below tmp_path, which is open to one user only
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / 'a.png').write_bytes(b'old')
        folder.chmod(0o555)
        is_root = os.geteuid() == 0
        if is_root:  # whom no permission binds
            os.seteuid(65534)
        try:
            error = refused(monkeypatch, folder / 'a.png')
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert error.key == 'error_not_writable' and name in error.user_message
        assert files_in(folder) == ['a.png'] and (folder / 'a.png').read_bytes() == b'old'


LONGEST = 'a' * 251 + '.png'  # 255 bytes, which is the most that usual systems take


def test_a_name_of_the_greatest_length_is_fine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(PICTURE) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.download_file(f'{server.url}/a', tmp_path / LONGEST)
    assert files_in(tmp_path) == [LONGEST]


@pytest.mark.skipif(sys.platform == 'win32', reason='other limits')
@pytest.mark.parametrize(
    'name', ['a' + LONGEST, '模' * 84 + '.png', 'folder/' * 700 + 'a.png'], ids=len
)
def test_a_name_that_is_too_long_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    error = refused(monkeypatch, tmp_path / name)
    assert error.key == 'error_storage' and 'too long' in error.user_message
    assert files_in(tmp_path) == []


@pytest.mark.skipif(sys.platform == 'win32', reason='there is no such limit')
@pytest.mark.parametrize('answer', [ok(LARGE), chunked(LARGE)], ids=['with', 'without'])
def test_a_file_the_system_stops_growing_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        error = refused(monkeypatch, tmp_path / 'a.png', answer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.key == 'error_storage' and 'File too large' in error.user_message
    assert files_in(tmp_path) == []


# -- a disk that is full --------------------------------------------------------------------------

FETCH = """
import sys
from scripts.civitai_manager_libs import http_client
client = http_client.CivitaiHttpClient(max_retries=0)
saved = client.download_file(*sys.argv[1:3])
print(saved, client.failure_for(sys.argv[1]), flush=True)
"""


def in_process(server: ScriptedServer, target: Path, *before: str) -> subprocess.Popen[str]:
    """A process that downloads from `server` to `target`; `before` are words of the command."""
    words = [sys.executable, '-c', FETCH, f'{server.url}/{target.name}', str(target)]
    return subprocess.Popen(
        [*before, *words],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_BASE_URL': server.url, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding='utf-8',
    )


def told(process: subprocess.Popen[str]) -> str:
    try:
        return process.communicate(timeout=PATIENCE)[0]
    finally:
        process.kill()


@pytest.mark.parametrize('answer', [ok(LARGE), chunked(LARGE)], ids=['seen before', 'on the way'])
def test_a_full_disk_is_told_and_left_empty(tmp_path: Path, answer: bytes) -> None:
    folder = tmp_path / 'disk'
    folder.mkdir()
    before = small_disk(folder)
    if not before:
        pytest.skip('no small disk can be made here')
    with ScriptedServer(answer) as server:
        words, *listed = told(in_process(server, folder / 'a.png', *before)).splitlines()
    assert words.startswith('False The disk is full') and str(folder) in words
    assert listed == [] and len(server.requests) == 1


# -- several writers ----------------------------------------------------------------------------

HALF = len(WHOLE) // 2
OTHER = png(30_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """Sends half of a picture to the first request and waits; others get another one at once."""

    def play(request: Request) -> Answer:
        if len(running.requests) > 1:
            return kept(ok(OTHER))
        length = {'Content-Length': str(len(WHOLE))}
        return (head(200, length), WHOLE[:HALF], STALL, WHOLE[HALF:])

    with ScriptedServer(handler=play) as running:
        at_home(monkeypatch, running)
        yield running


@pytest.mark.parametrize('same_client', [True, False], ids=['one client', 'two clients'])
def test_two_threads_with_one_target_do_not_mix(
    server: ScriptedServer, tmp_path: Path, same_client: bool
) -> None:
    target = tmp_path / 'a.png'
    first, _ = patient()
    second = first if same_client else patient()[0]
    with Work(lambda: first.fetch_file(f'{server.url}/1', target)) as slow:
        assert server.stalled.wait(PATIENCE)
        second.fetch_file(f'{server.url}/2', target)
        assert target.read_bytes() == OTHER and slow.goes_on(0)
        server.release.set()
    assert slow.error is None and target.read_bytes() == WHOLE
    assert files_in(tmp_path) == ['a.png']


def test_two_processes_with_one_target_do_not_mix(server: ScriptedServer, tmp_path: Path) -> None:
    target = tmp_path / 'a.png'
    slow = in_process(server, target)
    try:
        assert server.stalled.wait(PATIENCE)
        client, _ = patient()
        client.fetch_file(f'{server.url}/2', target)
        assert target.read_bytes() == OTHER and slow.poll() is None
        server.release.set()
        assert told(slow).startswith('True')
    finally:
        slow.kill()
    assert target.read_bytes() == WHOLE and files_in(tmp_path) == ['a.png']


def hidden(folder: Path) -> list[str]:
    return [name for name in files_in(folder) if name.startswith('.')]


@pytest.mark.skipif(sys.platform == 'win32', reason='there is no such signal')
def test_what_a_killed_process_left_is_removed_by_the_next(
    server: ScriptedServer, tmp_path: Path
) -> None:
    killed = in_process(server, tmp_path / 'a.png')
    try:
        assert server.stalled.wait(PATIENCE)
        while not hidden(tmp_path):
            assert killed.poll() is None
    finally:
        killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=PATIENCE)
    assert files_in(tmp_path) == hidden(tmp_path)
    client, _ = patient()
    client.fetch_file(f'{server.url}/b', tmp_path / 'b.png')
    assert files_in(tmp_path) == ['b.png']


def test_what_is_not_ours_is_never_removed(server: ScriptedServer, tmp_path: Path) -> None:
    strangers = ['.part', '.x.part', 'a.png.part', '.a-1-2-3.part', '.hidden', '.0-0-0-0.part.bak']
    for name in strangers:
        (tmp_path / name).write_bytes(b'mine')
    server.requests.append(Request('GET', '/', {}))  # so that the answer comes at once
    client, _ = patient()
    client.fetch_file(f'{server.url}/b', tmp_path / 'b.png')
    assert files_in(tmp_path) == sorted([*strangers, 'b.png'])


def test_what_fails_removes_only_its_own(server: ScriptedServer, tmp_path: Path) -> None:
    client, _ = patient()

    def broken(done: int, total: int) -> None:
        raise RuntimeError('the window was closed')

    with Work(lambda: client.fetch_file(f'{server.url}/1', tmp_path / 'a.png')) as slow:
        assert server.stalled.wait(PATIENCE)
        with pytest.raises(RuntimeError, match='window'):
            client.fetch_file(f'{server.url}/2', tmp_path / 'a.png', broken)
        server.release.set()
    assert slow.error is None
    assert files_in(tmp_path) == ['a.png'] and (tmp_path / 'a.png').read_bytes() == WHOLE
