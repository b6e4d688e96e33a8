"""The picture cache: whose folder it is, what it serves, how large it gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import cache, files
from tests.support.network import files_in
from tests.support.paths import ROOT

KIB = 1024
NAMES = [cache.picture_name(f'https://image.civitai.com/{number}.png') for number in range(100)]


def fill(folder: Path, count: int, size: int = 10 * KIB, first: int = 0) -> list[Path]:
    """Pictures in a cache, each shown a second after the one before, long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in NAMES[first : first + count]]
    for number, path in enumerate(paths, start=first):
        path.write_bytes(bytes(size))
        os.utime(path, (1000 + number, 1000 + number))
    return paths


def there(paths: list[Path]) -> list[bool]:
    return [path.exists() for path in paths]


# -- whose folder it is ----------------------------------------------------------------------------

OURS: dict[str, list[str]] = {
    'new': [],
    'pictures': NAMES[:3],
    'every type': ['0' * 40 + suffix for suffix in ('.jpeg', '.mp4', '.webm', '.avif')],
    'a part file': [NAMES[0], '.0a1b2c-4711-0a1b2c3d-0123456789abcdef.part'],
    'only a part file': ['.0a1b2c-4711-0a1b2c3d-0123456789abcdef.part'],
    'litter of macOS': ['.DS_Store', '._' + NAMES[0], NAMES[0]],
    'litter of Windows': ['Thumbs.db', 'desktop.ini', NAMES[0]],
}


@pytest.mark.parametrize('names', OURS.values(), ids=OURS)
def test_a_folder_of_its_own_is_claimed_and_nothing_in_it_is_touched(
    tmp_path: Path, names: list[str]
) -> None:
    folder = tmp_path / 'cache'
    if names:
        folder.mkdir()
    for name in names:
        (folder / name).write_text('kept')
    assert cache.refusal(folder) is None
    cache.claim(folder)
    cache.claim(folder)
    assert files_in(folder) == sorted([*names, cache.MARK])
    assert (
        (folder / cache.MARK).read_bytes().startswith(b'Signature: 8a477f597d28d172789f06886806b')
    )
    (folder / 'notes.txt').touch()
    assert cache.refusal(folder) is None, 'once marked it stays ours'


OTHERS = {
    'a home folder': ['.bashrc', 'diary.txt'],
    'pictures of a person': ['holiday.jpeg'],
    'ours and others': [*NAMES[:3], 'holiday.jpeg'],
    'a longer name': ['0' * 41 + '.png'],
    'upper case': ['A' * 40 + '.png'],
    'no picture': ['0' * 40 + '.txt'],
    'without extension': ['0' * 40],
    'files of a repository': ['HEAD', 'config'],
    'part files of others': ['film.part'],
}


@pytest.mark.parametrize('names', OTHERS.values(), ids=OTHERS)
def test_any_other_folder_is_refused_and_nothing_in_it_is_touched(
    tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(StorageError, match='folder of its own') as told:
        cache.claim(tmp_path)
    assert str(tmp_path) in told.value.user_message
    assert any(name in told.value.user_message for name in names)
    assert str(tmp_path) in told.value.message_in('zh_TW')
    assert files_in(tmp_path) == sorted(names)


@pytest.mark.parametrize('kind', ['folder', 'link'])
def test_what_only_has_the_name_of_a_picture_is_no_picture(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / 'cache'
    folder.mkdir()
    if kind == 'folder':
        (folder / NAMES[0]).mkdir()
    else:
        try:
            (folder / NAMES[0]).symlink_to(tmp_path / 'elsewhere')
        except OSError:
            pytest.skip('no links here')
    assert cache.refusal(folder) is not None


@pytest.mark.parametrize(
    'content', ['', 'Signature: 8a477f597d28d172789f06886806bc55\n# of another']
)
def test_the_mark_of_another_program_is_not_ours(tmp_path: Path, content: str) -> None:
    (tmp_path / cache.MARK).write_text(content)
    with pytest.raises(StorageError, match=cache.MARK):
        cache.claim(tmp_path)
    assert (tmp_path / cache.MARK).read_text() == content
    (tmp_path / 'holiday.jpeg').touch()
    assert cache.refusal(tmp_path) is not None


def test_our_own_place_is_ours_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / 'notes.txt').touch()
    cache.claim(tmp_path, trusted=True)
    assert cache.refusal(tmp_path) is None


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / 'cache').touch()
    with pytest.raises(StorageError, match='cache'):
        cache.claim(tmp_path / 'cache')


@pytest.mark.parametrize('before', ['new', 'new/deep/..', 'new/.', 'there', './there'])
def test_dots_are_no_way_around_whose_folder_it_is(tmp_path: Path, before: str) -> None:
    (tmp_path / 'there').mkdir()
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'notes.txt').touch()
    folder = Path(f'{tmp_path}/{before}/../mine')
    assert cache.refusal(folder) is not None
    with pytest.raises(StorageError, match='notes.txt'):
        cache.claim(folder)
    assert files_in(tmp_path / 'mine') == ['notes.txt']
    assert not (tmp_path / 'new').exists()


def test_what_changes_while_the_folder_is_made_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def made_by_another(path: Path, *given: Any, **more: Any) -> None:
        make(path, *given, **more)
        (path / 'notes.txt').touch()

    monkeypatch.setattr(Path, 'mkdir', made_by_another)
    with pytest.raises(StorageError, match='notes.txt'):
        cache.claim(tmp_path / 'cache')
    assert files_in(tmp_path / 'cache') == ['notes.txt']


@pytest.mark.parametrize('kind', ['a file', 'below a file', 'a link to nothing', 'below that'])
def test_what_is_no_folder_cannot_be_one(tmp_path: Path, kind: str) -> None:
    place = tmp_path / 'cache'
    if 'file' in kind:
        place.touch()
    else:
        try:
            place.symlink_to(tmp_path / 'nothing')
        except OSError:
            pytest.skip('no links here')
    folder = place / 'a' / 'b' if 'below' in kind else place
    problem = cache.refusal(folder)
    assert problem is not None and str(place) in problem.user_message
    with pytest.raises(StorageError, match='cannot be a picture cache'):
        cache.claim(folder)
    assert not (tmp_path / 'nothing').exists()


@pytest.mark.parametrize('error', [PermissionError(13, 'no'), OSError(5, 'broken')])
def test_a_folder_that_lets_nobody_look_is_refused_unless_it_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    marked = tmp_path / 'marked'
    cache.claim(marked)

    def closed(folder: Path) -> Any:
        raise error

    monkeypatch.setattr(os, 'scandir', closed)
    problem = cache.refusal(tmp_path)
    assert problem is not None and str(tmp_path) in problem.user_message
    assert cache.refusal(marked) is None


# -- what it serves --------------------------------------------------------------------------------


def test_only_pictures_of_its_own_naming_are_served(tmp_path: Path) -> None:
    folder = tmp_path / 'cache'
    (mine,) = fill(folder, 1)
    secret = tmp_path / NAMES[1]
    others = [folder / 'holiday.png', folder / cache.MARK, folder / 'deep' / NAMES[2], secret]
    (folder / 'deep').mkdir()
    for path in others:
        path.write_text('secret')
    try:
        (folder / NAMES[3]).symlink_to(secret)
    except OSError:
        pytest.skip('no links here')
    assert cache.serves(mine, folder)
    assert cache.serves(folder / '..' / 'cache' / mine.name, folder)
    refused: list[Any] = [
        *others,
        folder,
        folder / NAMES[3],
        folder / NAMES[4],
        '',
        'a\0b',
        NAMES[0],
    ]
    assert not [path for path in refused if cache.serves(path, folder)]


# -- how large it gets -----------------------------------------------------------------------------


def test_what_was_shown_least_recently_goes_first(tmp_path: Path) -> None:
    paths = fill(tmp_path, 10)
    kept = cache.PictureCache(tmp_path)
    kept.shown(str(paths[0]))
    kept.bound(80 * KIB, set())
    assert kept.size() <= 80 * KIB
    assert there(paths) == [True, False, False, False, *[True] * 6]


def test_what_fits_stays(tmp_path: Path) -> None:
    paths = fill(tmp_path, 10)
    cache.PictureCache(tmp_path).bound(100 * KIB, set())
    assert all(there(paths))


def test_what_is_on_a_screen_stays_however_little_fits(tmp_path: Path) -> None:
    paths = fill(tmp_path, 10)
    kept = cache.PictureCache(tmp_path)
    kept.bound(1, {path.name for path in paths[:4]})
    assert there(paths) == [True] * 4 + [False] * 6
    kept.bound(1, set())
    assert not any(there(paths))


def test_a_cache_is_not_looked_through_for_each_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[Any] = []
    scan = os.scandir
    monkeypatch.setattr(os, 'scandir', lambda *given: walks.append(given) or scan(*given))
    kept = cache.PictureCache(tmp_path)
    limit = 1000 * KIB
    for number in range(100):
        (path,) = fill(tmp_path, 1, first=number)
        kept.added(str(path))
        kept.bound(limit, set())
    assert len(walks) < 20
    assert all(there([tmp_path / name for name in NAMES]))


def test_a_program_sees_what_others_put_there(tmp_path: Path) -> None:
    """Each knows only its own additions, and looks again after some of them."""
    one, other = cache.PictureCache(tmp_path), cache.PictureCache(tmp_path)
    limit = 500 * KIB
    for number in range(0, 100, 2):
        for offset, kept in enumerate((one, other)):
            (path,) = fill(tmp_path, 1, first=number + offset)
            kept.added(str(path))
            kept.bound(limit, set())
        assert one.size() <= limit * (1 + 2 * cache.SCAN_AFTER)


def test_files_that_are_not_ours_neither_count_nor_go(tmp_path: Path) -> None:
    cache.claim(tmp_path)
    mine = fill(tmp_path, 3)
    (tmp_path / 'below').mkdir()
    others = [tmp_path / 'film.mkv', tmp_path / 'holiday.png', tmp_path / 'below' / NAMES[0]]
    for path in others:
        path.write_bytes(bytes(100 * KIB))
    kept = cache.PictureCache(tmp_path)
    assert kept.size() == 30 * KIB
    kept.bound(20 * KIB, set())
    assert there(mine) == [False, False, True] and all(there(others))
    assert kept.clear(set()) == 0
    assert all(there([*others, tmp_path / cache.MARK])) and not any(there(mine))


def test_a_picture_that_is_being_written_stays(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with files.part_file(tmp_path / NAMES[50]) as part:
        part.write_bytes(bytes(50 * KIB))
        kept = cache.PictureCache(tmp_path)
        kept.bound(KIB, set())
        kept.clear(set())
        assert part.exists()
    assert files_in(tmp_path) == [NAMES[50]]


FILL = """
import sys
from pathlib import Path
from scripts.civitai_manager_libs.store import cache
from tests.store.test_cache import KIB, NAMES
folder, start = Path(sys.argv[1]), int(sys.argv[2])
kept = cache.PictureCache(folder)
print('ready', flush=True)
sys.stdin.readline()
for turn in range(5):
    for name in NAMES[start::2]:
        (folder / name).write_bytes(bytes(10 * KIB))
        kept.added(str(folder / name))
        kept.bound(200 * KIB, {name})
"""


def test_programs_that_share_a_cache_do_not_stumble(tmp_path: Path) -> None:
    parts = [
        subprocess.Popen(
            [sys.executable, '-c', FILL, str(tmp_path), start],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in '01'
    ]
    for part in parts:
        assert part.stdout is not None and part.stdout.readline() == 'ready\n'
    for part in parts:
        part.communicate('go\n', timeout=60)
        assert part.returncode == 0
    assert cache.PictureCache(tmp_path).size() <= 250 * KIB


def test_everybody_sees_the_last_page_they_were_shown() -> None:
    seen = cache.OnScreen()
    seen.show('one', ['/c/a.png', '/c/b.png'])
    seen.show('other', ['/c/b.png', '/c/c.png'])
    assert seen.names() == {'a.png', 'b.png', 'c.png'}
    seen.show('one', ['/c/d.png'])
    assert seen.names() == {'b.png', 'c.png', 'd.png'}
    seen.forget('other')
    seen.forget('nobody')
    assert seen.names() == {'d.png'}
    for number in range(cache.MAX_WATCHERS):
        seen.show(f'another {number}', [])
    assert seen.names() == set(), 'who went long ago is forgotten'
