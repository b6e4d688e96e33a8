"""The settings panel of the standalone app and the field for the API key."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import gradio
import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting, texts
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import cache_panel, settings_panel
from tests.support.gradio_event import ELSEWHERE, HERE


def saved(request: Any = HERE, **changed: Any) -> str:
    """Save the panel as it is shown to this browser, with some fields changed."""
    shown = dict(zip([item.name for item in setting.SETTINGS], settings_panel._current(request)))
    return settings_panel._save_settings(request, *{**shown, **changed}.values())


def test_what_is_changed_counts_at_once_and_is_kept(tmp_path: Path) -> None:
    shown = saved(gallery_rows=2.0, language='zh_TW', http_retry_delay=1)
    assert 'cg-good' in shown
    assert (setting.gallery_rows, setting.language, setting.http_retry_delay) == (2, 'zh_TW', 1.0)
    kept = json.loads((tmp_path / 'settings.json').read_text())
    assert kept == {'gallery_rows': 2, 'language': 'zh_TW', 'http_retry_delay': 1.0}
    setting.gallery_rows = 4
    setting.load()
    assert setting.gallery_rows == 2


def test_what_is_not_usable_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    shown = saved(gallery_columns=99, gallery_rows=3, gallery_maturity_ceiling='<b>')
    assert 'cg-problem' in shown and 'Columns' in shown and 'Maturity ceiling' in shown
    assert (setting.gallery_columns, setting.gallery_rows) == (6, 3)
    assert setting.gallery_maturity_ceiling == 'PG'
    assert json.loads((tmp_path / 'settings.json').read_text()) == {'gallery_rows': 3}


def test_what_was_saved_is_named_beside_what_was_not_and_when_it_counts() -> None:
    told = saved(gallery_columns=3, http_timeout=9)
    assert 'Saved: Columns, API time-out (s). The columns count from the next page' in told
    assert 'Saved: Rows. Not saved, because not usable: Columns (' in saved(
        gallery_columns=99, gallery_rows=2
    )
    assert 'cg-good' in saved() and 'Nothing else was changed.' in saved()


def test_nothing_can_be_saved_before_the_values_have_come() -> None:
    with gradio.Blocks() as blocks:
        settings_panel.build_panel(blocks, lambda: None)
    (save,) = [
        one for one in blocks.blocks.values() if one.elem_id == 'civitai_gallery_settings_save'
    ]
    (load,) = [one for one in blocks.config['dependencies'] if save._id in one['outputs']]
    assert not save.interactive and [name for _, name in load['targets']] == ['load']


def test_the_everyday_ones_and_the_key_stand_first_and_numbers_tell_their_range() -> None:
    with gradio.Blocks() as blocks:
        settings_panel.build_panel(blocks, lambda: None)
    placed = str(blocks.get_config_file()['layout'])
    parts = {one['id']: one['props'] for one in blocks.get_config_file()['components']}
    ids = {str(props.get('elem_id')): number for number, props in parts.items()}
    columns = ids['civitai_gallery_setting_gallery_columns']
    order = [
        placed.index(f"'id': {ids[name]}")
        for name in (
            'civitai_gallery_setting_gallery_maturity_ceiling',
            'civitai_gallery_api_key',
            'civitai_gallery_settings_more',
            'civitai_gallery_setting_http_proxy',
        )
    ]
    assert order == sorted(order)
    assert 'From 1 to 12.' in parts[columns]['info']
    size = ids['civitai_gallery_setting_shortcut_gallery_max_mib']
    assert 'From 1 to 1000000.' in parts[size]['info']


@pytest.mark.parametrize(
    ('language', 'names'),
    [
        ('en', ['Automatic', 'English', '繁體中文']),
        ('zh_TW', ['自動', 'English（英文）', '繁體中文']),
    ],
)
def test_languages_are_chosen_by_their_names_and_kept_by_their_codes(
    language: str, names: list[str]
) -> None:
    setting.language = language
    with gradio.Blocks() as blocks:
        settings_panel.build_panel(blocks, lambda: None)
    fields = [one['props'] for one in blocks.get_config_file()['components']]
    (field,) = [one for one in fields if one.get('elem_id') == 'civitai_gallery_setting_language']
    assert [tuple(one) for one in field['choices']] == list(zip(names, texts.CHOICES))
    assert field['value'] == language and '語言' in field['label']


class OlderDropdown:
    """As in gradio 3, which makes strings of names with their values."""

    def __init__(self, choices: list[str] | None = None) -> None:
        self.choices = list(map(str, choices or []))


def test_where_gradio_takes_no_names_the_codes_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio, 'Dropdown', OlderDropdown)
    (item,) = [one for one in setting.SETTINGS if one.name == 'language']
    assert settings_panel.choices(item) == list(texts.CHOICES)


@pytest.mark.parametrize(
    ('language', 'given', 'told'),
    [
        ('en', {'gallery_columns': 99}, 'Columns (from 1 to 12)'),
        ('en', {'http_timeout': -3}, '(from '),
        ('en', {'gallery_maturity_ceiling': 'Z'}, 'Maturity ceiling (one of PG, '),
        ('en', {'civitai_base_url': 'x'}, 'Civitai address.'),
        ('zh_TW', {'gallery_columns': 0}, '（1 到 12）'),
    ],
    ids=['columns', 'seconds', 'choices', 'no-range', 'chinese'],
)
def test_a_refusal_names_what_would_be_usable(
    language: str, given: dict[str, Any], told: str
) -> None:
    setting.language = language
    assert told in saved(**given)


def test_other_lines_of_the_file_stay(tmp_path: Path) -> None:
    (tmp_path / 'settings.json').write_text('{"mine": 1, "gallery_rows": 7}')
    saved(gallery_rows=3)
    assert json.loads((tmp_path / 'settings.json').read_text()) == {'mine': 1, 'gallery_rows': 3}


class Tab:
    """A browser tab with the panel open: what it was given, and what it sends back."""

    def __init__(self) -> None:
        self.given = settings_panel._current(HERE)
        self.fields = list(self.given)

    def save(self, **changed: Any) -> str:
        names = [item.name for item in setting.SETTINGS]
        self.fields = [changed.get(name, value) for name, value in zip(names, self.fields)]
        told = settings_panel._save_settings(HERE, *self.fields, shown=self.given)
        self.given = settings_panel._shown_now(self.given, self.fields)
        return told


def test_a_tab_that_was_opened_before_does_not_bring_back_old_values(tmp_path: Path) -> None:
    one, other = Tab(), Tab()
    one.save(gallery_rows=2)
    other.save(gallery_columns=3)
    one.save(language='zh_TW')
    kept = json.loads((tmp_path / 'settings.json').read_text())
    assert kept == {'gallery_rows': 2, 'gallery_columns': 3, 'language': 'zh_TW'}
    assert (setting.gallery_rows, setting.gallery_columns) == (2, 3)


def test_what_was_refused_is_refused_again_until_it_is_mended() -> None:
    tab = Tab()
    for _ in range(2):
        assert 'Columns' in tab.save(gallery_columns=99)
    assert 'cg-good' in tab.save(gallery_columns=9)
    assert setting.gallery_columns == 9


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('civitai_base_url', 'https://evil.example'),
        ('http_proxy', 'http://evil.example:1'),
        ('extra_hosts', 'evil.example'),
        ('shortcut_gallery_folder', os.path.abspath('/not/there/yet')),
        ('download_images_folder', '/etc'),
    ],
)
def test_from_another_computer_nobody_decides_who_gets_the_key_or_which_files_are_shown(
    name: str, value: str
) -> None:
    before = getattr(setting, name)
    assert 'cg-problem' in saved(ELSEWHERE, **{name: value})
    assert getattr(setting, name) == before
    assert 'cg-good' in saved(HERE, **{name: value})
    assert getattr(setting, name) == value


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('gallery_maturity_ceiling', 'XXX'),
        ('language', 'zh_TW'),
        ('gallery_rows', 7),
        ('http_timeout', 600),
        ('gallery_max_concurrent_downloads', 64),
        ('shortcut_gallery_max_mib', 1),
    ],
)
def test_from_another_computer_nothing_else_is_saved_either(
    name: str, value: Any, tmp_path: Path
) -> None:
    before = getattr(setting, name)
    shown = saved(ELSEWHERE, **{name: value})
    assert 'cg-problem' in shown and str(tmp_path) not in shown
    assert getattr(setting, name) == before and not setting.settings_file().exists()


def test_from_another_computer_secrets_are_not_shown() -> None:
    setting.http_proxy = 'http://user:secret@proxy:1'
    assert 'secret' not in str(settings_panel._current(ELSEWHERE))
    assert setting.gallery_rows in settings_panel._current(ELSEWHERE)
    assert setting.http_proxy in settings_panel._current(HERE)


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems do not tell')
def test_where_the_account_is_not_told_the_file_to_edit_is_named(demo: DemoServer) -> None:
    gone = {'host': '127.0.0.1', 'port': 9}  # nobody's connection
    untold = gradio.Request(client=gone, headers={'host': '127.0.0.1:7860'})
    refused = saved(untold, extra_hosts='cdn.example')
    assert 'cg-problem' in refused and str(setting.settings_file()) in refused
    assert setting.extra_hosts == ''
    _, refused = settings_panel._save_key(untold, 'demo-key')
    assert str(setting.api_key_file()) in refused and not setting.api_key_file().exists()


def test_only_a_folder_of_its_own_can_be_the_picture_cache(tmp_path: Path) -> None:
    before = setting.shortcut_gallery_folder
    (tmp_path / 'diary').mkdir()
    (tmp_path / 'diary' / 'page 1.png').touch()
    for folder in (tmp_path / 'diary', tmp_path.parent):
        shown = saved(shortcut_gallery_folder=str(folder), gallery_rows=3)
        assert 'cg-problem' in shown and str(folder) in shown and 'folder of its own' in shown
    assert 'page 1.png' in saved(shortcut_gallery_folder=str(tmp_path / 'diary'))
    assert (setting.shortcut_gallery_folder, setting.gallery_rows) == (before, 3)
    (tmp_path / 'empty').mkdir()
    for folder in (tmp_path / 'empty', tmp_path / 'new'):
        assert 'cg-good' in saved(shortcut_gallery_folder=str(folder))
        assert setting.shortcut_gallery_folder == str(folder)


def test_a_folder_below_home_is_written_out(tmp_path: Path) -> None:
    saved(shortcut_gallery_folder='~/cache')
    assert setting.shortcut_gallery_folder == os.path.expanduser('~/cache')
    assert stat.S_IMODE((tmp_path / 'settings.json').stat().st_mode) == 0o600


def test_a_full_or_forbidden_data_folder_is_told(tmp_path: Path) -> None:
    setting.data_folder = str(tmp_path / 'file')
    (tmp_path / 'file').write_text('')
    assert str(tmp_path / 'file') in saved(gallery_rows=3)


def test_the_environment_cannot_be_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_LANG', 'en')
    setting.language = 'en'  # as it is read at the start
    saved(language='zh_TW')
    assert setting.language == 'en'


def test_a_good_key_is_kept_for_its_owner_only_used_at_once_and_never_shown(
    demo: DemoServer,
) -> None:
    field, shown = settings_panel._save_key(HERE, ' demo-key ')
    assert field == '' and 'demo-key' not in shown and '••••' in shown and 'cg-good' in shown
    path = setting.api_key_file()
    assert path.read_text() == 'demo-key' and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [name for name in os.listdir(path.parent)] == ['api_key']
    assert 'is removed' in settings_panel._remove_key(HERE)
    assert not path.exists() and setting.civitai_api_key == ''
    assert 'No API key is set' in settings_panel._remove_key(HERE)


@pytest.mark.parametrize('nothing', ['', '  ', None])
def test_an_empty_field_removes_no_key(demo: DemoServer, nothing: str | None) -> None:
    settings_panel._save_key(HERE, 'demo-key')
    _, shown = settings_panel._save_key(HERE, nothing)  # as the second press of two does
    assert 'is empty' in shown and '••••' in shown and 'cg-problem' not in shown
    assert setting.api_key_file().read_text() == setting.civitai_api_key == 'demo-key'


@pytest.mark.parametrize('pasted', ['"demo-key"', " 'demo-key' ", 'Bearer demo-key'])
def test_quotes_around_a_pasted_key_do_not_matter(demo: DemoServer, pasted: str) -> None:
    _, shown = settings_panel._save_key(HERE, pasted)
    assert 'cg-good' in shown
    assert setting.api_key_file().read_text() == setting.civitai_api_key == 'demo-key'


def test_a_wrong_key_does_not_replace_a_good_one(demo: DemoServer) -> None:
    settings_panel._save_key(HERE, 'demo-key')
    _, shown = settings_panel._save_key(HERE, 'wrong')
    assert '401' in shown and 'not kept' in shown
    assert setting.api_key_file().read_text() == setting.civitai_api_key == 'demo-key'


def test_nobody_elsewhere_touches_the_key(demo: DemoServer) -> None:
    settings_panel._save_key(HERE, 'demo-key')
    for key in ('', 'other'):
        _, shown = settings_panel._save_key(ELSEWHERE, key)
        assert 'cg-problem' in shown
    assert 'cg-problem' in settings_panel._remove_key(ELSEWHERE)
    assert setting.api_key_file().read_text() == 'demo-key'


@pytest.mark.parametrize(
    ('key', 'message'), [('wrong', '401'), ('a b', 'spaces'), ('ключ', 'special')]
)
def test_a_bad_key_is_told(demo: DemoServer, key: str, message: str) -> None:
    field, shown = settings_panel._save_key(HERE, key)
    assert field == '' and message in shown and 'cg-problem' in shown


def test_what_the_page_says_as_it_opens_takes_no_answer_away(demo: DemoServer) -> None:
    with gradio.Blocks() as blocks:
        settings_panel.build_key(blocks)
    events = {name: one.fn for one in blocks.fns.values() for _, name in one.targets}
    assert 'value' not in events['load']()  # it says so already
    settings_panel._save_key(HERE, 'demo-key')
    assert '••••' in events['load']()


def test_a_key_from_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CIVITAI_TOKEN', 'from-outside')
    _, shown = settings_panel._save_key(HERE, 'mine')
    assert 'CIVITAI_TOKEN' in shown and not setting.api_key_file().exists()


# -- the picture cache ---------------------------------------------------------------------------


def cached(*sizes: int) -> list[Path]:
    """Pictures of these sizes in the picture cache, the first one shown longest ago."""
    folder = Path(setting.shortcut_gallery_folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [Path(setting.get_image_url_to_gallery_file(f'{n}.png')) for n in range(len(sizes))]
    for number, (path, size) in enumerate(zip(paths, sizes)):
        path.write_bytes(bytes(size))
        os.utime(path, (1000 + number, 1000 + number))
    return paths


def test_the_size_of_the_picture_cache_is_shown() -> None:
    cached(3 * 2**20, 2**19)
    shown = cache_panel._size()
    assert '3.5 MiB' in shown and f'{setting.shortcut_gallery_max_mib} MiB' in shown


def test_clearing_the_picture_cache_removes_our_pictures_and_nothing_else(tmp_path: Path) -> None:
    seen, *others = cached(2**20, 2**20, 2**20)
    folder = seen.parent
    mine = [folder / name for name in ('notes.txt', 'holiday.jpeg', 'a' * 40)]
    (folder / 'kept').mkdir()
    mine.append(folder / 'kept' / others[0].name)
    for path in mine:
        path.touch()
    cache.on_screen.show('somebody', [str(seen)])
    try:
        shown = cache_panel._clear(HERE)
    finally:
        cache.on_screen.show('somebody', [])
    assert 'cg-good' in shown and '1.0 MiB' in shown
    assert seen.exists() and not any(path.exists() for path in others)
    assert all(path.exists() for path in mine)


def test_nobody_elsewhere_clears_the_picture_cache() -> None:
    (path,) = cached(10)
    assert 'cg-problem' in cache_panel._clear(ELSEWHERE)
    assert path.exists()
