"""The folder that gradio serves pictures from."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path
from typing import Iterator

import pytest
import requests

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import app, events, temporary
from tests.support.network import files_in, png
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """gradio is not given a folder yet, and none after the test."""
    monkeypatch.delenv(temporary.VARIABLE, raising=False)
    yield
    temporary.move_out()


def kept(number: int = 0, content: bytes = png()) -> Path:
    """A picture of the cache."""
    path = Path(setting.get_image_url_to_gallery_file(f'{number}.png'))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def given() -> Path:
    return Path(os.environ[temporary.VARIABLE])


# -- in the app ------------------------------------------------------------------------------------


def test_the_app_gives_gradio_a_private_folder_in_our_data_folder(tmp_path: Path) -> None:
    temporary.move_in()
    folder = given()
    assert folder.is_relative_to(tmp_path.resolve()) and folder.is_dir()
    temporary.move_in()
    assert given() == folder
    if sys.platform != 'win32':
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    temporary.move_out()
    assert files_in(tmp_path) == [] and temporary.VARIABLE not in os.environ


DOTTED = {
    'the usual place on Linux': '.local/share/civitai-gallery',
    'a hidden folder': 'a/.hidden/b',
    'a link to a hidden folder': 'link',
}


@pytest.mark.parametrize('below', DOTTED.values(), ids=DOTTED)
def test_no_part_of_its_path_begins_with_a_dot(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / '.real').mkdir()
    try:
        (tmp_path / 'link').symlink_to(tmp_path / '.real')
    except OSError:
        pytest.skip('no links here')
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'tmp'))
    setting.data_folder = str(tmp_path / below)
    temporary.move_in()
    assert given().is_dir() and given().parent == tmp_path / 'tmp'
    assert not [part for part in given().resolve().parts if part.startswith('.')]


def test_a_folder_that_a_person_names_is_where_ours_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path / 'large disk'))
    (tmp_path / 'large disk').mkdir()
    (tmp_path / 'large disk' / 'theirs').touch()
    temporary.move_in()
    assert given().parent == tmp_path / 'large disk'
    temporary.move_out()
    assert files_in(tmp_path) == ['large disk/theirs']
    assert given() == tmp_path / 'large disk', 'as it was before'


def test_pictures_are_shown_from_there_without_a_second_copy() -> None:
    temporary.move_in()
    picture = kept()
    (path,) = events.showable([str(picture)])
    assert Path(path).is_relative_to(given()) and Path(path).read_bytes() == picture.read_bytes()
    assert os.path.samefile(path, picture)
    assert events.showable([str(picture)]) == [path], 'the browser knows it already'


def test_on_another_disk_it_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, 'Invalid cross-device link')

    monkeypatch.setattr(os, 'link', refuse)
    temporary.move_in()
    picture = kept()
    (path,) = events.showable([str(picture)])
    assert Path(path).is_relative_to(given()) and Path(path).read_bytes() == picture.read_bytes()


@pytest.mark.parametrize('where', ['app', 'host'])
def test_what_is_missing_or_not_of_the_cache_is_a_placeholder(where: str) -> None:
    if where == 'app':
        temporary.move_in()
    picture = kept()
    (picture.parent / 'holiday.png').write_bytes(png())
    asked = ['/etc/passwd', str(picture.parent / 'holiday.png'), str(picture) + 'x', '']
    assert events.showable(asked) == [setting.no_card_preview_image] * len(asked)
    assert setting.no_card_preview_image not in events.showable([str(picture)])


def test_what_was_shown_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_max_mib', 1)
    temporary.move_in()
    first = events.showable([str(kept(0, bytes(200_000)))])
    cache.on_screen.show('somebody', first)
    for number in range(1, 30):
        os.utime(kept(number, bytes(200_000)), (number, number))
        (last,) = events.showable([setting.get_image_url_to_gallery_file(f'{number}.png')])
    cache.on_screen.show('somebody', [])
    assert sum(path.stat().st_size for path in given().rglob('*.png')) <= 2**20
    assert os.path.isfile(last) and os.path.isfile(*first), 'what is on a screen stays'


def test_clearing_the_cache_frees_the_disk() -> None:
    temporary.move_in()
    seen, other = kept(0), kept(1)
    one, two = events.showable([str(seen), str(other)])
    cache.on_screen.show('somebody', [one])
    temporary.clear()
    cache.on_screen.show('somebody', [])
    assert os.path.isfile(one) and not os.path.exists(two)


START = """
import sys
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.tab import temporary
setting.data_folder = sys.argv[1]
temporary.move_in()
print(temporary._rooms[0].folder, flush=True)
sys.stdin.read()
"""


def other_app() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, '-c', START, setting.data_folder],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.skipif(sys.platform == 'win32', reason='nothing there is killed like this')
def test_a_start_clears_what_a_killed_app_left_and_nothing_of_one_that_runs() -> None:
    killed, left = other_app()
    with killed:
        (left / 'picture.png').touch()
        os.kill(killed.pid, signal.SIGKILL)
    running, used = other_app()
    with running:
        assert used.is_dir() and not left.exists()
        (used.parent / 'theirs').mkdir()
        temporary.move_in()
        assert used.is_dir() and (used.parent / 'theirs').is_dir()
        running.communicate('')


def test_a_place_that_cannot_be_written_is_one_sentence_and_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'file').touch()
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path / 'file' / 'below'))
    assert app.main([]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert 'Pictures cannot be shown' in line and str(tmp_path / 'file') in line


@pytest.mark.parametrize('where', ['app', 'host'])
def test_a_folder_that_cannot_be_written_later_is_one_sentence_and_no_empty_grid(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path / 'gradio'))
    if where == 'app':
        temporary.move_in()
        for path in (given().with_name(given().name + '.lock'), given()):
            path.unlink() if path.is_file() else path.rmdir()
        given().touch()
    else:
        (tmp_path / 'gradio').touch()
    with pytest.raises(StorageError, match='Pictures cannot be shown') as told:
        events.showable([str(kept())])
    assert str(given()) in told.value.user_message
    if where == 'app':
        given().unlink()


def test_a_disk_without_room_for_the_hosts_copies_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path / 'gradio'))
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage(100, 90, 10))
    with pytest.raises(StorageError, match='disk is full'):
        events.showable([str(kept())])
    assert events.showable(['']) == [setting.no_card_preview_image]


def test_in_a_host_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path / 'gradio'))
    (tmp_path / 'gradio' / 'theirs').mkdir(parents=True)
    picture = str(kept())
    assert events.showable([picture]) == [picture], 'gradio copies it'
    assert os.environ[temporary.VARIABLE] == str(tmp_path / 'gradio')
    assert os.listdir(tmp_path / 'gradio') == ['theirs']


# -- the whole app ---------------------------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path) -> Iterator[str]:
    """The app as it is started on Linux, with its data below a hidden folder; its URL."""
    (tmp_path / 'tmp').mkdir()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'civitai_gallery.py'), '--port', '7970'],
        env={
            **os.environ,
            'CIVITAI_GALLERY_HOME': str(tmp_path / '.local' / 'share'),
            'TMPDIR': str(tmp_path / 'tmp'),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r'http://\S+', process.stdout.readline())
    assert found
    yield found.group()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert files_in(tmp_path / 'tmp') == []


@pytest.mark.skipif(sys.platform == 'win32', reason='nothing there is ended like this')
def test_the_app_serves_pictures_of_its_own_making_only(tmp_path: Path, running: str) -> None:
    (room,) = (path for path in (tmp_path / 'tmp').iterdir() if path.is_dir())
    assert stat.S_IMODE(room.stat().st_mode) == 0o700
    folder = tmp_path / '.local' / 'share' / 'picture_cache'
    assert cache.refusal(folder) is None
    (folder / 'diary.txt').write_text('secret')
    (folder / 'holiday.png').write_bytes(png())
    (room / 'shown').mkdir()
    (room / 'shown' / cache.picture_name('a.png')).write_bytes(png())
    for path in (folder / 'diary.txt', folder / 'holiday.png', folder / cache.MARK):
        answer = requests.get(f'{running}gradio_api/file={path}', timeout=30)
        assert answer.status_code == 403
    picture = room / 'shown' / cache.picture_name('a.png')
    answer = requests.get(f'{running}gradio_api/file={picture}', timeout=30)
    assert (answer.status_code, answer.content) == (200, png())
