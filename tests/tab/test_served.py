"""What a page can get to see by its path: pictures of the cache's own naming, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import events, temporary
from tests.support.network import png

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='links need a right there')
NAME = cache.picture_name('https://image.civitai.com/1.png')


@pytest.fixture(params=['app', 'host'])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The picture cache, and beside it a secret that is a picture too."""
    made = Path(setting.shortcut_gallery_folder)
    made.mkdir(parents=True)
    (made.parent / 'secret.png').write_bytes(png())
    (made.parent / NAME).write_bytes(png())
    if request.param == 'app':
        temporary.move_in()
    yield made
    temporary.move_out()


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png())
    return path


def linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def piped(path: Path) -> Path:
    os.mkfifo(path)
    return path


REFUSED: dict[str, Callable[[Path], object]] = {
    'a name of somebody': lambda f: written(f / 'holiday.png'),
    'in a folder below': lambda f: written(f / 'below' / NAME),
    'in a folder of such a name': lambda f: written(f / NAME / NAME),
    'beside it': lambda f: f.parent / NAME,
    'beside it, over two dots': lambda f: f / '..' / NAME,
    'beside it, over a link': lambda f: linked(f / 'out', '..') / NAME,
    'a link out': lambda f: linked(f / NAME, '../secret.png'),
    'a link out to such a name': lambda f: linked(f / NAME, f'../{NAME}'),
    'a link to another name inside': lambda f: linked(f / NAME, written(f / 'mine.png').name),
    'a link to itself': lambda f: linked(f / NAME, NAME),
    'in capitals': lambda f: written(f / NAME.upper()),
    'its extension in capitals': lambda f: written(f / NAME.replace('.png', '.PNG')),
    'a digit more': lambda f: written(f / f'0{NAME}'),
    'a digit less': lambda f: written(f / NAME[1:]),
    'no extension': lambda f: written(f / NAME[:40]),
    'another extension behind': lambda f: written(f / f'{NAME}.html'),
    'the extension of a page': lambda f: written(f / NAME.replace('.png', '.svg')),
    'a space behind': lambda f: written(f / f'{NAME} '),
    'a line end behind': lambda f: written(f / f'{NAME}\n'),
    'other digits': lambda f: written(f / NAME.replace(NAME[0], '\u0660')),
    'a part file': lambda f: written(f / '.0a1b2c-47-0a1b2c3d-0123456789abcdef.part.png'),
    'the mark': lambda f: written(f / cache.MARK),
    'the settings': lambda f: written(setting.settings_file()),
    'the key': lambda f: linked(f / NAME, os.fspath(written(setting.api_key_file()))),
    'a pipe': lambda f: piped(f / NAME),
    'a zero byte': lambda f: f'{f}/{NAME}\0',
    'the folder': lambda f: f,
    'an address': lambda f: f'file://{written(f / NAME)}',
    'a relative path': lambda f: written(f / NAME).name,
}


@pytest.mark.parametrize('make', REFUSED.values(), ids=REFUSED)
def test_nothing_else_is_shown(folder: Path, make: Callable[[Path], object]) -> None:
    assert events.showable([str(make(folder))]) == [setting.no_card_preview_image]


@pytest.mark.parametrize('spelling', ['{0}/{1}', '{0}/../picture_cache/{1}', '{0}//{1}'])
def test_a_picture_of_the_caches_own_naming_is_shown_however_it_is_spelled(
    folder: Path, spelling: str
) -> None:
    written(folder / NAME)
    (shown,) = events.showable([spelling.format(folder, NAME)])
    assert shown != setting.no_card_preview_image and Path(shown).read_bytes() == png()
