"""What stands under a picture's name and is no file: kept, told, and nothing waits for it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import civitai_gallery_action as action, setting
from scripts.civitai_manager_libs.downloads import batch, presence
from scripts.civitai_manager_libs.downloads.plan import BatchReport, Outcome
from scripts.civitai_manager_libs.errors import StorageError
from tests.support.gradio_event import Progress
from tests.support.network import at_home, patient, png
from tests.support.paths import ROOT
from tests.support.scripted_server import ScriptedServer, kept, ok
from tests.support.settings_sandbox import set_process_client

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such things')

UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        place = os.open(path.parent, os.O_RDONLY)
        made.bind(f'/proc/self/fd/{place}/{path.name}')  # a full path may be too long for it
        os.close(place)


def a_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        os.mkfifo(path)


SPECIAL: dict[str, Callable[[Path], None]] = {
    'a pipe': lambda path: os.mkfifo(path),
    'a socket': a_socket,
    'a device': a_device,
}
LINKS: dict[str, Callable[[Path], None]] = {
    'a link to nothing': lambda path: path.symlink_to('nowhere'),
    'a link to itself': lambda path: path.symlink_to(path.name),
    'a link to a device': lambda path: path.symlink_to('/dev/null'),
    'a link to a text': lambda path: path.symlink_to(ROOT / 'LICENSE'),
}
ALL = {**SPECIAL, **LINKS}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    with ScriptedServer(handler=lambda request: kept(ok(png()))) as server:
        at_home(monkeypatch, server)
        set_process_client(monkeypatch, patient()[0])
        yield server


def keep(site: ScriptedServer, folder: Path) -> BatchReport:
    client, _ = patient()
    jobs = batch.picture_jobs([f'{site.url}/b/{UUID}/original=true/1.png'], folder)
    fetch: batch.Fetch = lambda url, path: bool(client.fetch_file(url, path))
    return batch.report(batch.keep_all(jobs, fetch, 2))


@pytest.mark.parametrize('extension', ['.png', '.mp4'])
@pytest.mark.parametrize('make', ALL.values(), ids=ALL)
def test_what_is_no_file_is_kept_aside_and_the_picture_fetched(
    tmp_path: Path, site: ScriptedServer, make: Callable[[Path], None], extension: str
) -> None:
    odd = tmp_path / f'{UUID}{extension}'
    make(odd)
    before = odd.lstat()
    report = keep(site, tmp_path)
    aside = tmp_path / f'{UUID}.odd-1{extension}'
    assert (report.count(Outcome.SAVED), report.aside) == (1, (str(aside),))
    assert os.path.samestat(aside.lstat(), before)
    assert (tmp_path / f'{UUID}.png').read_bytes() == png()
    assert keep(site, tmp_path).count(Outcome.SKIPPED) == 1


@pytest.mark.parametrize('extension', ['.png', '.jpeg'])
def test_a_folder_of_a_pictures_name_stays(
    tmp_path: Path, site: ScriptedServer, extension: str
) -> None:
    (tmp_path / f'{UUID}{extension}' / 'kept').mkdir(parents=True)
    report = keep(site, tmp_path)
    assert (tmp_path / f'{UUID}{extension}' / 'kept').is_dir() and report.aside == ()
    for failure in report.failures:
        assert isinstance(failure.error, StorageError) and UUID in failure.error.user_message
    assert extension == '.png' or report.count(Outcome.SAVED) == 1


@pytest.mark.parametrize('make', SPECIAL.values(), ids=SPECIAL)
def test_a_download_to_what_is_no_file_is_refused_and_says_so(
    tmp_path: Path, site: ScriptedServer, make: Callable[[Path], None]
) -> None:
    make(tmp_path / 'there.png')
    before = (tmp_path / 'there.png').lstat()
    client, _ = patient()
    with pytest.raises(StorageError, match='there.png'):
        client.fetch_file(f'{site.url}/a.png', tmp_path / 'there.png')
    assert os.path.samestat((tmp_path / 'there.png').lstat(), before)
    assert os.listdir(tmp_path) == ['there.png']
    assert action._download_single_image(f'{site.url}/a.png', str(tmp_path / 'there.png')) is False


@pytest.mark.parametrize('make', SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_file_in_the_picture_cache_is_a_placeholder_and_told(
    site: ScriptedServer, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(action.gr, 'Warning', lambda message, **_: toasts.append(message))
    wanted = f'{site.url}/a.png'
    path = Path(setting.get_image_url_to_gallery_file(wanted))
    path.parent.mkdir(parents=True)
    make(path)
    paths, _, _ = action.gallery_loading([wanted, str(path)], Progress())
    assert paths == [setting.no_card_preview_image] * 2 and path.name in toasts[0]
    assert not path.is_file() and os.path.lexists(path)


def test_a_pipe_in_the_place_of_the_notes_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(Path(setting.data_folder) / 'fetched_as_they_are.json')
    (tmp_path / f'{UUID}.png').write_bytes(png()[:-12])
    presence.vouch(tmp_path / f'{UUID}.png', UUID)
    assert not presence.is_there(tmp_path / f'{UUID}.png')


VOUCH = """
import sys
from pathlib import Path
from scripts.civitai_manager_libs.downloads import presence
folder, first = Path(sys.argv[1]), int(sys.argv[2])
print('ready', flush=True)
sys.stdin.readline()
for number in range(first, first + 60):
    presence.vouch(folder / 'half.png', f'note {number}')
"""


def test_programs_that_note_at_the_same_time_lose_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_HOME', str(tmp_path / 'home'))
    (tmp_path / 'half.png').write_bytes(png()[:-12])
    parts = [
        subprocess.Popen(
            [sys.executable, '-c', VOUCH, str(tmp_path), start],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in ('0', '100', '200')
    ]
    for part in parts:
        assert part.stdout is not None and part.stdout.readline() == 'ready\n'
    for part in parts:
        assert part.stdin is not None
        part.stdin.write('go\n')
        part.stdin.flush()
    for part in parts:
        part.communicate(timeout=60)
        assert part.returncode == 0
    notes = json.loads((tmp_path / 'home' / 'fetched_as_they_are.json').read_text())
    assert len(notes) == 180
