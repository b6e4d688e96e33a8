"""What people have of the version before is used as it is: nothing is refused, lost or fetched."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
from pathlib import Path
from typing import Iterator

import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import civitai_gallery_action as action, setting
from scripts.civitai_manager_libs.cli import main
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import events
from tests.support import older_home
from tests.support.gradio_event import Progress
from tests.support.older_home import OlderHome
from tests.support.settings_sandbox import fresh_client, sandbox


@pytest.fixture
def older(
    running_demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OlderHome]:
    """Such a home, not yet looked at; the requests of the site are counted from here."""
    with sandbox(tmp_path / 'data'):
        made = older_home.build(tmp_path, setting.api_key_file(), running_demo.url)
        fresh_client(monkeypatch)
        running_demo.requests.clear()
        yield made


@pytest.fixture
def loaded(older: OlderHome) -> OlderHome:
    """The same after a start, without the proxy, which is not there."""
    setting.load()
    setting.http_proxy, setting.http_ca_bundle = '', ''
    return older


def test_every_setting_and_the_key_are_taken_over_and_the_files_stay(
    older: OlderHome, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    before = older.files()
    setting.load()
    assert caplog.records == []
    known = {item.name for item in setting.SETTINGS} & older.settings.keys()
    assert len(known) == len(older.settings) - 1
    assert {name: getattr(setting, name) for name in known} == {
        name: older.settings[name] for name in known
    }
    assert setting.civitai_api_key == older_home.KEY
    assert older.files() == before
    assert older.key_file.read_text() == older_home.KEY


def test_a_save_keeps_what_was_there(loaded: OlderHome) -> None:
    assert setting.save({'gallery_rows': 5}) == []
    kept = json.loads((loaded.data / 'settings.json').read_text())
    assert kept == {**loaded.settings, 'gallery_rows': 5}
    assert (loaded.data / 'settings.broken-1.json').read_text() == '{"gallery_columns": 3,'
    if sys.platform != 'win32':
        assert stat.S_IMODE((loaded.data / 'settings.json').stat().st_mode) == 0o600


def test_the_picture_cache_is_adopted_and_shown_without_a_request(
    loaded: OlderHome, running_demo: DemoServer
) -> None:
    before = loaded.files()
    assert cache.refusal(loaded.cache) is None
    setting.claim_picture_cache()
    paths, _, _ = action.gallery_loading(loaded.thumbnails, Progress())
    assert setting.no_card_preview_image not in paths
    assert events.showable(paths) == paths
    assert running_demo.requests == []
    after = loaded.files()
    assert after.pop(str(loaded.cache / cache.MARK)) and after == before


def test_a_cache_at_the_default_place_is_used_too(
    older: OlderHome, running_demo: DemoServer
) -> None:
    (older.data / 'settings.json').unlink()
    setting.load()
    setting.civitai_base_url = running_demo.url
    setting.claim_picture_cache()
    action.download_images(older.thumbnails)
    assert running_demo.requests == []


def without_archive(older: OlderHome) -> dict[str, bytes]:
    """The files besides the archive, which is made from what is there."""
    return {path: it for path, it in older.files().items() if '/data/archive.sqlite' not in path}


def test_downloads_and_model_names_are_there_already(
    loaded: OlderHome, running_demo: DemoServer
) -> None:
    before = loaded.files()
    folder = action.download_user_gallery_images(older_home.MODEL, loaded.originals)
    assert folder == str(loaded.downloads / older_home.NAME)
    assert running_demo.requests == []
    assert without_archive(loaded) == before


def test_the_command_line_goes_on_in_a_folder_of_the_version_before(
    loaded: OlderHome, running_demo: DemoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = loaded.downloads / older_home.NAME / 'user_gallery_images'
    before = set(os.listdir(folder))
    source = f'{running_demo.url}/models/{older_home.MODEL}?modelVersionId={older_home.VERSION}'
    setting.save({'http_proxy': '', 'http_ca_bundle': '', 'gallery_maturity_ceiling': 'PG'})
    assert main.main([source, '--to', str(folder), '--limit', '7', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    assert report['skipped'] == 6 and report['saved'] == 1, 'all but the one nobody has'
    assert {name for name in before if not name.endswith('.part')} < set(os.listdir(folder))


def test_what_ended_processes_left_goes_with_the_next_write(loaded: OlderHome) -> None:
    before = loaded.files()
    setting.save({'gallery_rows': loaded.settings['gallery_rows']})
    action.download_images([loaded.unseen])
    action.download_user_gallery_images(older_home.MODEL, [loaded.unseen])
    assert not any(path.exists() for path in loaded.leftovers)
    assert before.items() <= loaded.files().items()
    assert len(without_archive(loaded)) == len(before) + 2


def test_the_home_of_the_demo_goes_on(older: OlderHome, running_demo: DemoServer) -> None:
    """It has no settings of its own, and its address is another at every start."""
    for name in ('settings.json', 'settings.broken-1.json'):
        (older.data / name).unlink()
    before = older.files()
    setting.load()
    setting.claim_picture_cache()
    assert before.items() <= older.files().items()
    assert cache.at(older.cache).size() > 0
