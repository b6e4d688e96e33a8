"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import files, media, parts
from tests.support.network import files_in, png
from tests.support.paths import ROOT

JPEG = b'\xff\xd8\xff\xe0' + bytes(40)


def test_a_finished_part_takes_the_name(tmp_path: Path) -> None:
    target = tmp_path / 'deep' / 'er' / 'a.bin'
    with files.part_file(str(target)) as part:
        assert part.parent == target.parent and not target.exists()
        part.write_bytes(b'whole')
    assert target.read_bytes() == b'whole' and files_in(tmp_path) == ['deep/er/a.bin']


@pytest.mark.parametrize('reason', [ValueError, OSError, KeyboardInterrupt, StorageError])
def test_an_unfinished_part_is_gone(tmp_path: Path, reason: type[BaseException]) -> None:
    (tmp_path / 'a.bin').write_bytes(b'old')
    with pytest.raises(reason):
        with files.part_file(tmp_path / 'a.bin') as part:
            part.write_bytes(b'half')
            raise reason() if reason is not StorageError else StorageError('error_cancelled')
    assert files_in(tmp_path) == ['a.bin'] and (tmp_path / 'a.bin').read_bytes() == b'old'


def test_a_draft_is_written_to_as_it_is(tmp_path: Path) -> None:
    with files.draft(tmp_path / 'a.bin') as draft:
        with pytest.raises(ValueError), files.part_file(draft) as part:
            part.write_bytes(b'half')
            raise ValueError
        assert files_in(tmp_path) == []
        with files.part_file(draft) as part:
            part.write_bytes(b'whole')
        assert draft.read_bytes() == b'whole' and files_in(tmp_path) == [draft.name]
    assert files_in(tmp_path) == []


def test_a_part_nobody_wrote_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        with files.part_file(tmp_path / 'a.bin'):
            pass
    assert files_in(tmp_path) == []


def test_two_parts_of_one_file_have_different_names(tmp_path: Path) -> None:
    with files.part_file(tmp_path / 'a') as first, files.part_file(tmp_path / 'a') as second:
        assert first != second
        first.write_text('1')
        second.write_text('2')
    assert files_in(tmp_path) == ['a']


def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / 'kept').write_text('kept')
    try:
        (tmp_path / 'link').symlink_to(tmp_path / 'kept')
    except OSError:
        pytest.skip('no links here')
    with files.part_file(tmp_path / 'link') as part:
        part.write_text('new')
    assert (tmp_path / 'kept').read_text() == 'kept'
    assert (tmp_path / 'link').read_text() == 'new' and not (tmp_path / 'link').is_symlink()


CAUSES = [
    pytest.param(errno.ENOSPC, 'disk is full', id='full'),
    pytest.param(errno.EDQUOT, 'disk is full', id='quota'),
    pytest.param(errno.EACCES, 'No permission', id='access'),
    pytest.param(errno.EPERM, 'No permission', id='permission'),
    pytest.param(errno.EROFS, 'No permission', id='read-only'),
    pytest.param(errno.EIO, os.strerror(errno.EIO), id='broken'),
    pytest.param(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), id='too long'),
]


@pytest.mark.parametrize(('number', 'words'), CAUSES)
def test_what_the_system_says_becomes_advice(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(StorageError, match=words) as caught:
        with files.explained(tmp_path):
            raise OSError(number, os.strerror(number))
    assert str(tmp_path) in caught.value.user_message
    assert str(tmp_path) in caught.value.message_in('zh_TW')


def test_an_error_without_words_has_a_name(tmp_path: Path) -> None:
    assert 'TimeoutError' in files.storage_error(TimeoutError(), tmp_path).user_message


def test_room_is_checked_before_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage(100, 90, 10))
    files.check_space(tmp_path, 10)
    with pytest.raises(StorageError, match='disk is full'):
        files.check_space(tmp_path, 11)


def test_room_in_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        files.check_space(tmp_path / 'missing', 1)


@pytest.mark.parametrize(
    'data', [{}, [], None, {'name': '模型', 'list': [1, 2.5, None]}, 'half \ud800 a character']
)
def test_json_comes_back_as_it_was(tmp_path: Path, data: Any) -> None:
    files.write_json(tmp_path / 'new' / 'a.json', data)
    assert files.read_json(tmp_path / 'new' / 'a.json') == data
    assert files_in(tmp_path) == ['new/a.json']


@pytest.mark.parametrize('content', [b'', b'{"half', b'\xff\xfe', b'[' * 100_000])
def test_unreadable_json_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.json').write_bytes(content)
    assert files.read_json(tmp_path / 'a.json') is None
    assert files.read_json(tmp_path / 'missing.json') is None
    assert files.read_json(tmp_path) is None


def test_json_is_not_written_into_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('kept')
    with pytest.raises(StorageError):
        files.write_json(tmp_path / 'file' / 'a.json', {})
    assert (tmp_path / 'file').read_text() == 'kept'


def test_the_type_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').write_bytes(png())
    assert files.media_type(tmp_path / 'a.mp4') == media.PNG
    assert files.media_type(tmp_path / 'missing') is None
    assert files.media_type(tmp_path) is None


INSIDE = [
    ('cache/a.png', True),
    ('cache/deep/../a.png', True),
    ('cache', True),
    ('cache/../cache/a.png', True),
    ('cache/../a.png', False),
    ('cache2/a.png', False),
    ('/etc/passwd', False),
    ('cache/link/a.png', False),
    ('cache/a\0.png', False),
    ('https://civitai.com/a.png', False),
]


@pytest.mark.parametrize(('path', 'inside'), INSIDE, ids=[repr(path) for path, _ in INSIDE])
def test_what_lies_inside_a_folder(tmp_path: Path, path: str, inside: bool) -> None:
    (tmp_path / 'cache').mkdir()
    (tmp_path / 'elsewhere').mkdir()
    try:
        (tmp_path / 'cache' / 'link').symlink_to(tmp_path / 'elsewhere')
    except OSError:
        pytest.skip('no links here')
    assert files.is_inside(tmp_path / path, tmp_path / 'cache') is inside


# -- what killed processes left ------------------------------------------------------------------

KILLED = """
import os, signal, sys
from scripts.civitai_manager_libs.store import files
with files.part_file(sys.argv[1]) as part:
    part.write_bytes(b'half')
    print(part.name, flush=True)
    if sys.argv[2] == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def writer(target: Path, fate: str) -> subprocess.Popen[str]:
    """Another process that has begun to write `target`; its first line is the part's name."""
    return subprocess.Popen(
        [sys.executable, '-c', KILLED, str(target), fate],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_a_killed_process_left_is_cleared_at_the_next_write(tmp_path: Path) -> None:
    with writer(tmp_path / 'a', 'die') as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
    assert files_in(tmp_path) == [left]
    with files.part_file(tmp_path / 'b') as part:
        part.write_text('new')
    assert files_in(tmp_path) == ['b']


@pytest.mark.parametrize('suffix', ['', '.png', '.webm'])
def test_an_unfinished_draft_of_a_killed_process_is_cleared_too(
    tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f'{part_of(tmp_path, process="999999999").name}{suffix}').touch()
    files.reclaim(tmp_path)
    assert files_in(tmp_path) == ['x']


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    with writer(tmp_path / 'a', 'live') as process:
        assert process.stdout is not None
        theirs = process.stdout.readline().strip()
        with files.part_file(tmp_path / 'b') as mine:
            mine.write_text('new')
            files.reclaim(tmp_path)
            assert files_in(tmp_path) == sorted([mine.name, theirs])
        process.communicate('')
    assert files_in(tmp_path) == ['a', 'b']


def part_of(tmp_path: Path, **changes: str) -> Path:
    """A file named like a part of this process, but for some `changes` of that name."""
    with files.part_file(tmp_path / 'x') as part:
        node, process, run, number = part.name[1:-5].split('-')
        part.touch()
    name = {'node': node, 'process': process, 'run': run, 'number': number, **changes}
    path = tmp_path / '.{node}-{process}-{run}-{number}.part'.format(**name)
    path.touch()
    return path


DAY = 24 * 3600
LEFT = [
    pytest.param({'run': '00000000'}, 0, True, id='an earlier process with our number'),
    pytest.param({'number': 'f' * 16}, 9 * DAY, False, id='our own'),
    pytest.param({'process': '1'}, 9 * DAY, False, id='of a process that lives'),
    pytest.param({'node': '000000'}, DAY / 2, False, id='of another machine'),
    pytest.param({'node': '000000'}, -9 * DAY, False, id='of another machine with a wrong clock'),
    pytest.param({'node': '000000', 'process': '999999999'}, 0, False, id='of nobody here'),
    pytest.param({'process': '999999999'}, 0, True, id='of a process that is no more'),
    pytest.param({'process': '1', 'run': '00000000'}, 9 * DAY, False, id='number in use again'),
    pytest.param({'node': '000000'}, 2 * DAY, True, id='of another machine, long ago'),
]


@pytest.mark.parametrize(('changes', 'age', 'is_cleared'), LEFT)
def test_whose_part_it_is_decides(
    tmp_path: Path, changes: dict[str, str], age: float, is_cleared: bool
) -> None:
    path = part_of(tmp_path, **changes)
    then = time.time() - age
    os.utime(path, (then, then))
    files.reclaim(tmp_path)
    assert path.exists() is not is_cleared


def test_a_clock_that_jumps_ahead_costs_nobody_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other machine writes at this moment; only ours thinks that days have passed."""
    theirs = part_of(tmp_path, node='000000')
    monkeypatch.setattr(time, 'time', lambda now=time.time: now() + 9 * DAY)
    files.reclaim(tmp_path)
    assert theirs.exists()


def place_of(**environment: str) -> str:
    """How a process calls its place; `environment` changes what the system tells it."""
    changes = '; '.join(
        f'platform.node = lambda: {value!r}' if name == 'node' else f'parts._{name} = {value!r}'
        for name, value in environment.items()
    )
    code = (
        'import platform\nfrom scripts.civitai_manager_libs.store import files, parts\n'
        f'{changes}\n'
        "with files.draft('a') as part: print(part.name[1:].split('-')[0])"
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_processes_of_one_place_call_it_the_same(tmp_path: Path) -> None:
    with files.draft(tmp_path / 'a') as part:
        assert place_of() == part.name[1:].split('-')[0]


@pytest.mark.skipif(sys.platform != 'linux', reason='there are no such numberings')
@pytest.mark.parametrize(
    'change', [{'node': 'another'}, {'NUMBERING': '/proc/self/ns/mnt'}], ids=['name', 'processes']
)
def test_a_place_with_another_name_or_numbering_is_another(change: dict[str, str]) -> None:
    assert place_of(**change) != place_of()


def test_where_processes_cannot_be_told_apart_only_time_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, '_NUMBERING', str(tmp_path / 'no such file'))
    monkeypatch.setattr(sys, 'platform', 'linux')
    parts._place_of.cache_clear()
    try:
        young, old = (part_of(tmp_path, process=number) for number in ('999999998', '999999999'))
        os.utime(old, (0, 0))
        files.reclaim(tmp_path)
    finally:
        parts._place_of.cache_clear()
    assert young.exists() and not old.exists()


def can_make_containers() -> bool:
    made = shutil.which('unshare') and subprocess.run(['unshare', '-rpf', 'true'], check=False)
    return bool(made) and made.returncode == 0


def test_a_container_of_our_name_keeps_the_file_it_writes(tmp_path: Path) -> None:
    """Its process has a number there under which nobody is to be found here."""
    if not can_make_containers():
        pytest.skip('The system does not let us make one.')
    process = subprocess.Popen(
        ['unshare', '-rpf', sys.executable, '-c', KILLED, str(tmp_path / 'a'), 'live'],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        theirs = process.stdout.readline().strip()
        place, _, run, number = theirs[1:-5].split('-')
        beside = tmp_path / f'.{place}-999999999-{run}-{number}.part'
        beside.touch()
        files.reclaim(tmp_path)
        assert files_in(tmp_path) == sorted([theirs, beside.name])
        process.communicate('')
    assert files_in(tmp_path) == sorted(['a', beside.name])


@pytest.mark.parametrize('name', ['.a.part', 'a.part', '.part', 'download.part', '.ab-1-cd-1.part'])
def test_part_files_of_other_programs_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    os.utime(tmp_path / name, (0, 0))
    files.reclaim(tmp_path)
    assert files_in(tmp_path) == [name]


def test_a_folder_that_cannot_be_read_is_no_trouble(tmp_path: Path) -> None:
    files.reclaim(tmp_path / 'missing')


def test_what_is_set_aside_takes_the_first_free_name(tmp_path: Path) -> None:
    for content, name in ((b'1', 'a.odd-1.png'), (b'2', 'a.odd-2.png')):
        (tmp_path / 'a.png').write_bytes(content)
        assert files.set_aside(tmp_path / 'a.png') == tmp_path / name
        assert (tmp_path / name).read_bytes() == content
    assert files_in(tmp_path) == ['a.odd-1.png', 'a.odd-2.png']


def test_what_is_not_there_cannot_be_set_aside(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        files.set_aside(tmp_path / 'missing' / 'a.png')


LOOKS = [
    pytest.param(png(), True, id='whole'),
    pytest.param(png(100_000), True, id='whole and long'),
    pytest.param(png()[:-1], False, id='without its last byte'),
    pytest.param(png(100_000)[:50_000], False, id='half'),
    pytest.param(png(files.LOOK_BYTES - len(png())), True, id='just read at once'),
    pytest.param(png(files.LOOK_BYTES), True, id='a little more'),
    pytest.param(png(files.LOOK_BYTES)[:-1], False, id='a little more without its last byte'),
    pytest.param(b'', False, id='empty'),
    pytest.param(bytes(5000), False, id='zeros'),
    pytest.param(b'<html><body>Log in</body></html>', False, id='a page'),
]


@pytest.mark.parametrize(('content', 'is_whole'), LOOKS)
def test_a_look_tells_whether_a_file_is_whole(
    tmp_path: Path, content: bytes, is_whole: bool
) -> None:
    (tmp_path / 'a').write_bytes(content)
    seen = files.look(tmp_path / 'a')
    assert seen is not None and (seen.is_whole, seen.size) == (is_whole, len(content))
