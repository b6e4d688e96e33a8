"""What was in a folder before it became the picture cache may be somebody's own: it stays."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import civitai_gallery_action as action, setting
from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import cache_panel, events
from tests.support.gradio_event import HERE, Progress
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import ScriptedServer, kept, ok
from tests.support.settings_sandbox import set_process_client

BIG = png(300_000)
needs_links = pytest.mark.skipif(sys.platform == 'win32', reason='links need a right there')


def somebodys(folder: Path) -> list[Path]:
    """Pictures of a person, called by their SHA-1 as programs for collections do, long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(5):
        content = BIG + bytes([number])
        paths.append(folder / f'{hashlib.sha1(content).hexdigest()}.png')
        paths[-1].write_bytes(content)
        os.utime(paths[-1], (1000 + number, 1000 + number))
    return paths


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site of large pictures, and a picture cache that holds three of them."""
    monkeypatch.setattr(setting, 'shortcut_gallery_max_mib', 1)
    with ScriptedServer(handler=lambda request: kept(ok(BIG))) as server:
        at_home(monkeypatch, server)
        set_process_client(monkeypatch, patient()[0])
        yield server


def used(site: ScriptedServer) -> list[str]:
    """Use the cache far beyond its bound; return what is in it of what was shown."""
    addresses = [f'{site.url}/{number}.png' for number in range(12)]
    for at in range(0, 12, 2):
        action.download_images(addresses[at : at + 2])
    names = [cache.picture_name(url) for url in addresses]
    return [name for name in names if os.path.isfile(Path(setting.shortcut_gallery_folder) / name)]


def claimed() -> None:
    """What a start of the app or a WebUI does."""
    try:
        setting.claim_picture_cache()
    except StorageError:
        pass


def untouched(folder: Path) -> None:
    """The same folder as it is."""


def with_a_diary(folder: Path) -> None:
    (folder / 'diary.txt').write_text('mine')


def with_a_folder(folder: Path) -> None:
    (folder / 'more').mkdir()


@needs_links
@pytest.mark.parametrize('starts', [0, 1, 2], ids=['never started', 'started', 'started twice'])
@pytest.mark.parametrize('kind', [untouched, with_a_diary, with_a_folder])
def test_what_was_there_before_stays_and_what_came_since_is_bounded(
    tmp_path: Path, site: ScriptedServer, kind: Callable[[Path], None], starts: int
) -> None:
    folder = tmp_path / 'collection'
    before = somebodys(folder)
    kind(folder)
    setting.shortcut_gallery_folder = str(folder)
    for _ in range(starts):
        claimed()
    assert 2 <= len(used(site)) <= 3
    cache_panel._clear(HERE)
    assert all(path.is_file() for path in before)
    assert used(site)


def test_what_another_run_put_there_is_bounded(tmp_path: Path, site: ScriptedServer) -> None:
    folder = tmp_path / 'collection'
    before = somebodys(folder)
    setting.shortcut_gallery_folder = str(folder)
    claimed()
    (folder / cache.picture_name('by another run')).write_bytes(bytes(2 * cache.MIB))
    os.utime(folder / cache.picture_name('by another run'), (1, 1))
    used(site)
    assert not (folder / cache.picture_name('by another run')).exists()
    assert all(path.is_file() for path in before)


def test_what_was_there_before_is_shown_without_a_request(
    tmp_path: Path, site: ScriptedServer
) -> None:
    """A cache of an earlier version has no mark, and the same names."""
    setting.shortcut_gallery_folder = str(tmp_path / 'earlier')
    wanted = [f'{site.url}/{number}.png' for number in range(4)]
    (tmp_path / 'earlier').mkdir()
    for url in wanted:
        Path(setting.get_image_url_to_gallery_file(url)).write_bytes(BIG)
    claimed()
    paths, _, _ = action.gallery_loading(wanted, Progress())
    assert events.showable(paths) == paths and setting.no_card_preview_image not in paths
    used(site)
    assert all(os.path.isfile(path) for path in paths), 'nobody can tell that they are ours'
    assert len([r for r in site.requests if r.target in ('/0.png', '/1.png')]) == 0


@needs_links
@pytest.mark.parametrize('place', ['default', 'another'])
def test_a_link_to_a_collection_is_judged_by_what_is_there(
    tmp_path: Path, site: ScriptedServer, place: str
) -> None:
    """The place in our own data folder is ours, but not what a link there leads to."""
    before = somebodys(tmp_path / 'collection')
    link = Path(setting.data_folder) / ('picture_cache' if place == 'default' else 'elsewhere')
    link.symlink_to(tmp_path / 'collection')
    setting.shortcut_gallery_folder = str(link)
    claimed()
    used(site)
    cache_panel._clear(HERE)
    assert all(path.is_file() for path in before)


def test_in_our_own_data_folder_all_pictures_are_ours(site: ScriptedServer) -> None:
    before = somebodys(Path(setting.shortcut_gallery_folder))
    claimed()
    used(site)
    assert not any(path.exists() for path in before)


def test_one_cache_inside_another_is_left_alone(tmp_path: Path, site: ScriptedServer) -> None:
    setting.shortcut_gallery_folder = str(tmp_path / 'outer')
    claimed()
    setting.shortcut_gallery_folder = str(tmp_path / 'outer' / 'inner')
    claimed()
    inner = set(used(site))
    setting.shortcut_gallery_folder = str(tmp_path / 'outer')
    used(site)
    cache_panel._clear(HERE)
    assert inner and inner < set(files_in(tmp_path / 'outer' / 'inner'))


ODD: dict[str, Callable[[Path], None]] = {
    'a pipe': lambda path: os.mkfifo(path),
    'a folder': lambda path: path.mkdir(),
    'a link to nothing': lambda path: path.symlink_to('nowhere'),
    'a link to a file': lambda path: path.symlink_to(__file__),
}


@needs_links
@pytest.mark.parametrize('name', [cache.MARK, cache.picture_name('x.png')])
@pytest.mark.parametrize('make', ODD.values(), ids=ODD)
def test_what_is_no_file_makes_a_folder_somebody_elses_and_holds_nobody_up(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / name)
    assert cache.refusal(tmp_path) is not None
    assert not cache.serves(tmp_path / name, tmp_path)
    with pytest.raises(StorageError, match='folder of its own'):
        cache.claim(tmp_path)
    assert files_in(tmp_path) == [name] or (tmp_path / name).is_dir()
