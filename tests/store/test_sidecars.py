"""Files beside a picture: whole or not there, refreshed on request, never over somebody else's."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs.errors import SourceError, StorageError
from scripts.civitai_manager_libs.store import sidecars
from scripts.civitai_manager_libs.store.carriers import Embedded
from scripts.civitai_manager_libs.store.sidecars import Written
from tests.support.network import files_in
from tests.support.paths import ROOT

PAGE = 'https://civitai.com/images/77'
ITEM: dict[str, Any] = {
    'id': 77,
    'url': 'https://image.civitai.com/x/5a5b/original=true/77.jpeg',
    'stats': {'likeCount': 3},
    'meta': {'prompt': '海\nb', 'seed': 2**53 + 1, 'odd': None},
    'createdAt': '2025-01-02T03:04:05.678Z',
}
TEXT = 'a mill, 海\nNegative prompt: blur\nSteps: 20, Sampler: Euler, Seed: 5'
CONTENTS = {
    'json': sidecars.as_json(ITEM, PAGE),
    'txt': sidecars.as_text(TEXT),
    'caption': sidecars.as_text('a mill, 海'),
}


def write(folder: Path, contents: dict[str, bytes] = CONTENTS, **options: Any) -> list[Written]:
    return [one.outcome for one in sidecars.write(folder / '77.png', contents, **options)]


def test_all_that_was_said_stands_beside_a_picture_with_its_page(tmp_path: Path) -> None:
    assert [Written.WRITTEN] * 3 == write(tmp_path)
    assert ['77.caption', '77.json', '77.txt'] == files_in(tmp_path)
    assert {**ITEM, 'page': PAGE} == json.loads((tmp_path / '77.json').read_text('utf-8'))
    assert f'{TEXT}\n'.encode() == (tmp_path / '77.txt').read_bytes()
    assert 'a mill, 海\n'.encode() == (tmp_path / '77.caption').read_bytes()


def test_a_person_can_read_it_in_any_language() -> None:
    assert '海'.encode() in CONTENTS['json'] and b'\n  "id": 77' in CONTENTS['json']


ODD_ITEMS = {
    'half a character': ({'a': '\ud83d'}, {'a': '\ud83d'}),
    'a number that JSON has not': (
        {'a': float('nan'), 'b': [float('inf')]},
        {'a': None, 'b': [None]},
    ),
    'a page of its own': ({'page': 'elsewhere'}, {}),
}


@pytest.mark.parametrize(('item', 'expected'), ODD_ITEMS.values(), ids=ODD_ITEMS)
def test_an_odd_answer_is_still_json(item: dict[str, Any], expected: dict[str, Any]) -> None:
    def refused(word: str) -> None:
        raise AssertionError(f'{word} is not JSON')

    read = json.loads(sidecars.as_json(item, PAGE).decode('utf-8'), parse_constant=refused)
    assert {**expected, 'page': PAGE} == read


@pytest.mark.parametrize('text', ['', ' \n', '\0'])
def test_no_text_makes_no_file(tmp_path: Path, text: str) -> None:
    assert [] == write(tmp_path, {'txt': sidecars.as_text(text)})
    assert [] == files_in(tmp_path)


def test_a_name_with_points_keeps_them(tmp_path: Path) -> None:
    sidecars.write(tmp_path / 'v1.5 a.b.webp', {'txt': b'x'})

    assert ['v1.5 a.b.txt'] == files_in(tmp_path)


NEW = {'txt': b'newer\n'}
OLD_HASH = hashlib.sha256(CONTENTS['txt']).hexdigest()
FOUND = {
    'the same': (CONTENTS['txt'], {'contents': {'txt': CONTENTS['txt']}}, Written.SAME),
    'ours, not to be refreshed': (CONTENTS['txt'], {'ours': {OLD_HASH}}, Written.OURS),
    'ours, refreshed': (CONTENTS['txt'], {'ours': {OLD_HASH}, 'refresh': True}, Written.WRITTEN),
    "somebody's": (b'a note', {'refresh': True}, Written.FOREIGN),
    'ours, changed by somebody': (
        b'a note',
        {'ours': {OLD_HASH}, 'refresh': True},
        Written.FOREIGN,
    ),
    'an empty one': (b'', {'ours': {OLD_HASH}, 'refresh': True}, Written.FOREIGN),
    'ours, which nobody remembers': (CONTENTS['txt'], {'refresh': True}, Written.FOREIGN),
}


@pytest.mark.parametrize(('there', 'options', 'outcome'), FOUND.values(), ids=FOUND)
def test_what_is_there_already(
    tmp_path: Path, there: bytes, options: dict[str, Any], outcome: Written
) -> None:
    path = tmp_path / '77.txt'
    path.write_bytes(there)

    assert [outcome] == write(tmp_path, **{'contents': NEW, **options})
    assert path.read_bytes() == (NEW['txt'] if outcome is Written.WRITTEN else there)


def test_what_was_written_is_known_by_its_hash_the_next_time(tmp_path: Path) -> None:
    first = sidecars.write(tmp_path / '77.png', CONTENTS)
    ours = {one.sha256 for one in first}

    assert [Written.WRITTEN] == write(tmp_path, NEW, ours=ours, refresh=True)
    assert NEW['txt'] == (tmp_path / '77.txt').read_bytes()


def test_one_that_is_not_ours_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    (tmp_path / '77.txt').write_text('a note')

    assert [Written.WRITTEN, Written.FOREIGN, Written.WRITTEN] == write(tmp_path)
    assert 'a note' == (tmp_path / '77.txt').read_text()


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no pipes in folders')
@pytest.mark.parametrize('kind', ['folder', 'link', 'link to nothing', 'pipe'])
def test_what_is_no_file_stays(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / '77.txt', tmp_path / 'other'
    other.write_bytes(CONTENTS['txt'])
    made = {
        'folder': lambda: path.mkdir(),
        'link': lambda: path.symlink_to(other),
        'link to nothing': lambda: path.symlink_to(tmp_path / 'gone'),
        'pipe': lambda: os.mkfifo(path),
    }
    made[kind]()

    assert [Written.FOREIGN] == write(tmp_path, NEW, ours={OLD_HASH}, refresh=True)
    assert CONTENTS['txt'] == other.read_bytes() and os.path.lexists(path)


def test_where_nothing_can_be_written_it_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('x')

    with pytest.raises(StorageError):
        sidecars.write(tmp_path / 'file' / '77.png', CONTENTS)


KILLED = """
import os, signal, sys
from pathlib import Path
from scripts.civitai_manager_libs.store import files, sidecars
wanted, calls = int(sys.argv[2]), 0
def replace(*args, real=os.replace):
    global calls
    calls += 1
    if calls == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
os.replace = replace
sidecars.write(Path(sys.argv[1]), {form: b'x' * 100_000 for form in sidecars.FORMS})
"""


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no SIGKILL')
@pytest.mark.parametrize('before', [1, 2, 3])
def test_a_killed_process_leaves_no_half_a_file(tmp_path: Path, before: int) -> None:
    command = [sys.executable, '-c', KILLED, str(tmp_path / '77.png'), str(before)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert -signal.SIGKILL == run.returncode, run.stderr
    named = [name for name in files_in(tmp_path) if name.startswith('77.')]
    assert before - 1 == len(named)
    assert {100_000} >= {(tmp_path / name).stat().st_size for name in named}
    write(tmp_path)
    assert ['77.caption', '77.json', '77.txt'] == files_in(tmp_path)


DUE = {
    'nobody chose, the picture has it': (None, Embedded.WRITTEN, ()),
    'nobody chose, it had its own': (None, Embedded.ALREADY, ()),
    'nobody chose, nothing was to be written': (None, None, ()),
    'nobody chose, a film': (None, Embedded.NO_KIND, ('json',)),
    'nobody chose, too long': (None, Embedded.NO_ROOM, ('txt',)),
    'nobody chose, damaged': (None, Embedded.UNSAFE, ('txt',)),
    'nobody chose, another comment': (None, Embedded.OCCUPIED, ('txt',)),
    'nobody chose, no text': (None, Embedded.NOTHING, ()),
    'two chosen': (['caption', 'json'], Embedded.WRITTEN, ('json', 'caption')),
    'one chosen, a film': (['caption'], Embedded.NO_KIND, ('caption',)),
    'none wanted, a film': ([], Embedded.NO_KIND, ()),
}


@pytest.mark.parametrize(('asked', 'outcome', 'forms'), DUE.values(), ids=DUE)
def test_which_files_a_picture_gets(
    asked: list[str] | None, outcome: Embedded | None, forms: tuple[str, ...]
) -> None:
    assert forms == sidecars.due(asked, outcome)


CHOSEN = {
    'nothing': ('', None),
    'a comma alone': (' , ', None),
    'none': ('NONE', ()),
    'none twice': ('none,none', ()),
    'a gap between': ('txt,,json', ('json', 'txt')),
}


@pytest.mark.parametrize('given, expected', CHOSEN.values(), ids=CHOSEN)
def test_a_list_of_files_is_read_as_it_is_meant(
    given: str, expected: tuple[str, ...] | None
) -> None:
    assert expected == sidecars.chosen(given)


@pytest.mark.parametrize('given', ['json,none', 'none, txt'])
def test_none_beside_others_is_refused_and_says_so(given: str) -> None:
    with pytest.raises(SourceError, match='none means no files beside pictures'):
        sidecars.chosen(given)
