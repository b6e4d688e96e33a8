"""The small helpers that other code knows by name."""

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import host, setting, util
from scripts.civitai_manager_libs.errors import StorageError
from tests.support.paths import ROOT

pytestmark = pytest.mark.usefixtures('downloads')


@pytest.mark.parametrize(
    ('text', 'kind'),
    [
        ('https://civitai.com/models/1', 'url'),
        ('http://127.0.0.1:7860/x', 'url'),
        ('HTTPS://CIVITAI.COM', 'url'),
        ('https://x/{folder}', 'url'),
        ('{folder}', 'filepath'),
        ('{folder}/a file.png', 'filepath'),
        ('{folder}/no such file', None),
        ('', None),
        (None, None),
        ('https://', None),
        ('https:', None),
        ('ftp://civitai.com/x', None),
        ('file:///etc/hostname', None),
        ('javascript:alert(1)', None),
        ('data:image/png;base64,AAAA', None),
        ('civitai.com/models/1', None),
        ('http://[::1', None),
        ('a\0b', None),
        ('\udcff', None),
        ('x' * 100_000, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_urls_and_file_paths_are_told_apart(text: str, kind: str | None, tmp_path: Path) -> None:
    (tmp_path / 'a file.png').write_bytes(b'x')
    given = text.replace('{folder}', str(tmp_path)) if text else text
    assert util.is_url_or_filepath(given) == kind


@pytest.mark.parametrize(
    ('name', 'folder'),
    [
        ('Paper Horizons XL', 'Paper Horizons XL'),
        ('紙の地平線', '紙の地平線'),
        ('', 'unnamed'),
        ('..', 'unnamed'),
        ('.', 'unnamed'),
        (' . . ', 'unnamed'),
        ('/etc/passwd', 'etcpasswd'),
        ('../../outside', 'outside'),
        ('..\\..\\outside', 'outside'),
        ('C:\\Windows', 'CWindows'),
        ('a\0b\x7fc', 'abc'),
        ('half \ud83d', 'half'),
        ('\u202egnp.exe', 'gnp.exe'),
    ],
    ids=repr,
)
def test_a_download_folder_is_one_safe_folder_below_the_chosen_one(name: str, folder: str) -> None:
    made = Path(util.make_download_image_folder(name))
    assert made.is_dir()
    assert made.parent == Path(setting.download_images_folder)
    assert made.name.lstrip('. ') == folder


@pytest.mark.parametrize(
    'name', ['x' * 5000, '名' * 5000, 'CON', 'nul.txt', '~', '-rf', '$HOME', '*']
)
def test_any_name_makes_a_folder(name: str) -> None:
    made = Path(util.make_download_image_folder(name))
    assert made.is_dir()
    assert made.resolve().parent == Path(setting.download_images_folder).resolve()


def test_making_a_folder_that_is_there_is_fine() -> None:
    assert util.make_download_image_folder('a') == util.make_download_image_folder('a')


@pytest.mark.parametrize('name', ['x' * 120, '模型' * 33, '🏳' * 40], ids=ascii)
def test_a_folder_of_an_earlier_version_under_a_longer_name_goes_on_being_used(name: str) -> None:
    short = Path(util.make_download_image_folder(name))
    assert len(short.name) < len(name)
    former = Path(setting.download_images_folder) / name
    former.mkdir()
    assert util.make_download_image_folder(name) == str(former)


@pytest.mark.parametrize('in_the_way', ['downloads', 'downloads/name'])
def test_a_file_in_the_way_is_an_error_with_a_sentence(tmp_path: Path, in_the_way: str) -> None:
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).write_text('mine')
    with pytest.raises(StorageError, match='downloads.* cannot be written'):
        util.make_download_image_folder('name')
    assert (tmp_path / in_the_way).read_text() == 'mine'


def test_without_a_setting_downloads_go_to_the_pictures_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_PICTURES_DIR', str(tmp_path / 'my pictures'))
    setting.download_images_folder = ''
    made = Path(util.make_download_image_folder('name'))
    assert made == host.detect().downloads_folder() / 'name'
    if sys.platform == 'linux':
        assert made == tmp_path / 'my pictures' / 'Civitai Gallery' / 'name'


@pytest.mark.parametrize('path', ['no such folder', 'a file', '', 'a\0b'], ids=repr)
def test_what_is_no_folder_is_not_opened(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a file').write_text('x')
    assert util.open_folder(path) is False
    assert not opener.exists()


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the desktop's opener, replaced by a script, writes what it is asked to open."""
    if sys.platform == 'win32':
        pytest.skip('Windows opens folders without a program')
    told = tmp_path / 'told'
    programs = tmp_path / 'programs'
    programs.mkdir()
    for name in ('xdg-open', 'open'):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nprintf %s "$1" > "{told}.new" && mv "{told}.new" "{told}"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv('PATH', str(programs), prepend=os.pathsep)
    return told


def what_was_told(told: Path) -> str:
    deadline = time.monotonic() + 20
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return told.read_text()


def test_a_folder_is_handed_to_the_desktop(tmp_path: Path, opener: Path) -> None:
    folder = tmp_path / 'with spaces & ünïcode'
    folder.mkdir()
    assert util.open_folder(str(folder)) is True
    assert what_was_told(opener) == str(folder)


def test_a_folder_is_never_an_option_of_the_opener(
    tmp_path: Path, opener: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / '--version').mkdir()
    assert util.open_folder('--version') is True
    assert what_was_told(opener) == str(tmp_path / '--version')


def test_without_a_desktop_no_folder_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'platform', 'linux')
    monkeypatch.setenv('PATH', str(tmp_path))
    assert util.open_folder(str(tmp_path)) is False


@pytest.mark.parametrize(
    ('script', 'is_open'),
    [('exit 3', False), ('kill -9 $$', False), ('exit 0', True), ('exec sleep 30', True)],
    ids=['no browser', 'killed', 'opened', 'open as long as its window'],
)
def test_a_folder_is_open_when_the_opener_opened_it(
    tmp_path: Path, opener: Path, monkeypatch: pytest.MonkeyPatch, script: str, is_open: bool
) -> None:
    monkeypatch.setattr(util, 'OPENER_SECONDS', 2.0 if 'sleep' in script else 20)
    for program in (tmp_path / 'programs').iterdir():
        program.write_text(f'#!/bin/sh\necho $$ > "{tmp_path}/pid"; {script}\n')
    try:
        assert util.open_folder(str(tmp_path)) is is_open
    finally:
        if 'sleep' in script:
            os.kill(int((tmp_path / 'pid').read_text()), signal.SIGKILL)


def test_printed_words_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=util.log.name):
        util.printD('three', 3, None)
    assert caplog.messages == ['three 3 None']


def test_opening_leaves_no_warning_about_a_running_process(tmp_path: Path, opener: Path) -> None:
    code = (
        'import sys; from scripts.civitai_manager_libs import util; '
        'sys.exit(not util.open_folder(sys.argv[1]))'
    )
    command = [sys.executable, '-W', 'error', '-c', code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
