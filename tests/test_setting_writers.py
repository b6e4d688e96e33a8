"""Settings and the key, written and read by several threads and programs at the same time."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import private
from tests.support.paths import ROOT

ROUNDS = 25
# A setting for each writer, and the last value that writer gives it.
LAST = {
    'gallery_columns': 12,
    'gallery_rows': 16,
    'gallery_max_concurrent_downloads': 64,
    'gallery_download_batch_size': 100,
    'gallery_download_timeout': 600,
    'http_timeout': 599,
    'http_max_retries': 20,
    'extra_hosts': 'last.example',
    'http_retry_delay': 60.0,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The data folder."""
    return tmp_path


def stored() -> dict[str, object]:
    content: dict[str, object] = json.loads(setting.settings_file().read_text())
    return content


def write_often(name: str) -> None:
    """What one tab does: many values of one setting, the last of which is to stay."""
    item = next(item for item in setting.SETTINGS if item.name == name)
    for number in range(ROUNDS):
        assert setting.save({name: item.default if number % 2 else LAST[name]}) == []
    assert setting.save({name: LAST[name]}) == []


class Crowd:
    """Threads whose errors are the test's."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def add(self, function: object, *args: object) -> None:
        def run() -> None:
            try:
                function(*args)  # type: ignore[operator]
            except BaseException as error:
                self.errors.append(error)

        self._threads.append(threading.Thread(target=run))

    def run(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        assert self.errors == []


def test_threads_that_save_at_the_same_time_lose_nothing(home: Path) -> None:
    crowd = Crowd()
    for name in LAST:
        crowd.add(write_often, name)
    crowd.run()
    assert stored() == LAST
    assert {name: getattr(setting, name) for name in LAST} == LAST
    assert os.listdir(home) == ['settings.json'], 'nothing is left beside it'


def test_who_reads_while_others_write_sees_whole_files_and_new_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    setting.save({'gallery_rows': 3})
    ended = threading.Event()
    crowd = Crowd()

    def read_often() -> None:
        while not ended.is_set():
            assert stored()['gallery_rows'] == 3
            setting.load()

    def write_all() -> None:
        try:
            for name in ('gallery_columns', 'http_timeout'):
                write_often(name)
                assert getattr(setting, name) == LAST[name], 'an older file does not come back'
        finally:
            ended.set()

    crowd.add(read_often)
    crowd.add(read_often)
    crowd.add(write_all)
    crowd.run()
    assert caplog.records == []
    assert stored() == {'gallery_rows': 3, 'gallery_columns': 12, 'http_timeout': 599}


def program(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another program with the same home."""
    return subprocess.Popen(
        [sys.executable, '-c', code, *arguments],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_GALLERY_HOME': setting.data_folder},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


SAVE_OFTEN = """
import sys
from tests.test_setting_writers import write_often
print('ready', flush=True)
sys.stdin.readline()
for name in sys.argv[1:]:
    write_often(name)
"""


def test_programs_that_save_at_the_same_time_lose_nothing() -> None:
    names = list(LAST)
    parts = [program(SAVE_OFTEN, *names[start::3]) for start in range(3)]
    for part in parts:
        assert part.stdout is not None and part.stdout.readline() == 'ready\n'
    for part in parts:
        assert part.stdin is not None
        part.stdin.write('go\n')
        part.stdin.flush()
    for part in parts:
        part.communicate(timeout=60)
        assert part.returncode == 0
    assert stored() == LAST


HOLD = """
import sys
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.store import private
places = {'settings': setting.settings_file, 'key': setting.api_key_file}
with private.locked(places[sys.argv[1]]()):
    print('ready', flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='nothing there is killed like this')
def test_a_writer_that_was_killed_is_in_nobodys_way() -> None:
    with program(HOLD, 'settings') as holder:
        assert holder.stdout is not None and holder.stdout.readline() == 'ready\n'
        os.kill(holder.pid, signal.SIGKILL)
    assert setting.save({'gallery_rows': 3}) == []
    assert stored() == {'gallery_rows': 3}


@pytest.mark.parametrize('kind', ['settings', 'key'])
def test_a_writer_that_does_not_end_is_told_and_nothing_is_lost(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, 'PATIENCE_SECONDS', 0.2)
    setting.save({'gallery_rows': 3})
    setting.save_api_key('the-first')
    with program(HOLD, kind) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == 'ready\n'
        with pytest.raises(StorageError) as told:
            if kind == 'key':
                setting.save_api_key('the-second')
            else:
                setting.save({'gallery_rows': 4})
        assert 'another program' in told.value.user_message
        assert stored() == {'gallery_rows': 3}
        assert setting.api_key_file().read_text() == 'the-first'
        holder.communicate('')
    assert setting.save({'gallery_columns': 5}) == []
    setting.save_api_key('the-third')
    assert setting.api_key_file().read_text() == 'the-third'


def test_what_a_killed_writer_left_is_cleared_at_the_next_save(home: Path) -> None:
    for name in ('.settings.json.4711.part', '.settings.json.0123456789abcdef.part'):
        (home / name).write_text('{"half')
    (home / '.other.part').touch()
    setting.save({'gallery_rows': 3})
    assert sorted(os.listdir(home)) == ['.other.part', 'settings.json']


def test_keys_that_are_saved_at_the_same_time_never_mix() -> None:
    keys = [str(number) * 4000 for number in range(1, 7)]
    crowd = Crowd()

    def save_often(key: str) -> None:
        for _ in range(ROUNDS):
            setting.save_api_key(key)

    def read_often() -> None:
        for _ in range(4 * ROUNDS):
            setting.load()
            assert setting.civitai_api_key in ['', *keys]

    for key in keys:
        crowd.add(save_often, key)
    crowd.add(read_often)
    crowd.run()
    assert setting.api_key_file().read_text() == setting.civitai_api_key
    assert os.listdir(setting.api_key_file().parent) == ['api_key']


def test_a_file_that_another_program_mends_meanwhile_is_not_set_aside(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is unusable is looked at again by the one whose turn it is to write."""
    path = setting.settings_file()
    path.write_text('{"half')
    enter = private.locked

    def late(*args: object) -> object:
        path.write_text('{"gallery_rows": 9}')
        return enter(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(private, 'locked', late)
    setting.load()
    assert os.listdir(home) == ['settings.json']
    assert setting.gallery_rows == 9


def test_an_unusable_file_is_kept_aside_before_it_is_written_over(home: Path) -> None:
    setting.settings_file().write_text('{"mine": 1, half')
    setting.save({'gallery_rows': 3})
    assert stored() == {'gallery_rows': 3}
    assert (home / 'settings.broken-1.json').read_text() == '{"mine": 1, half'
