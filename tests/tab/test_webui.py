"""The gallery's section on a WebUI's settings page."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Iterator

import gradio as gr
import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.setting import hosted
from scripts.civitai_manager_libs.setting.kinds import Setting
from scripts.civitai_manager_libs.tab import webui
from tests.support.paths import ROOT

OFFERED = [item for item in setting.SETTINGS if not item.owner_only]
SWITCHES = [item for item in OFFERED if isinstance(item.default, bool)]
NUMBERS = [item for item in OFFERED if not item.choices and item not in SWITCHES]
by_name = {'ids': lambda item: item.name}


@pytest.fixture(params=[False, True], ids=['keeps all', 'keeps what differs, as SD.Next'])
def shared(request: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The options of a WebUI around us, whose config.json is in `tmp_path`."""
    monkeypatch.syspath_prepend(str(ROOT / 'tests' / 'hosts' / 'webui'))
    monkeypatch.setattr(hosted, '_told', {})
    found = importlib.import_module('modules.shared')
    found.paths.data_path = str(tmp_path)
    found.opts.__dict__['frugal'] = request.param
    yield found
    for name in [name for name in sys.modules if name.split('.')[0] == 'modules']:
        del sys.modules[name]


def key(item: Setting) -> str:
    return f'civitai_gallery_{item.name}'


def built(shared: ModuleType) -> dict[str, Any]:
    """Each component, made as a WebUI makes it."""
    with gr.Blocks():
        return {
            name: info.component(
                label=info.label, value=getattr(shared.opts, name), **info.component_args
            )
            for name, info in shared.opts.data_labels.items()
        }


def test_every_setting_that_is_not_the_owners_is_on_the_page(shared: ModuleType) -> None:
    webui.settings()
    assert set(shared.opts.data_labels) == {key(item) for item in OFFERED}


@pytest.mark.parametrize('name', ['language', 'gallery_maturity_ceiling'])
def test_a_choice_is_a_drop_down(shared: ModuleType, name: str) -> None:
    webui.settings()
    made = built(shared)[f'civitai_gallery_{name}']
    choices = next(item.choices for item in OFFERED if item.name == name)
    assert isinstance(made, gr.Dropdown) and not made.allow_custom_value
    assert [value for _, value in made.choices] == list(choices)
    assert made.value == getattr(setting, name)


@pytest.mark.parametrize('item', NUMBERS, **by_name)
def test_a_number_has_its_bounds(shared: ModuleType, item: Setting) -> None:
    webui.settings()
    made = built(shared)[key(item)]
    assert (made.minimum, made.maximum) == (item.minimum, item.maximum)
    assert item.fits(made.minimum + made.step) and made.value == item.default


@pytest.mark.parametrize('item', SWITCHES, **by_name)
def test_a_switch_is_a_box_to_be_ticked(shared: ModuleType, item: Setting) -> None:
    webui.settings()
    made = built(shared)[key(item)]
    assert isinstance(made, gr.Checkbox) and made.value is item.default
    shared.opts.apply({key(item): not item.default})
    setting.refresh()
    assert getattr(setting, item.name) is not item.default


@pytest.mark.parametrize('language', ['en', 'zh_TW'])
def test_the_page_says_what_waits_for_a_reload(shared: ModuleType, language: str) -> None:
    setting.language = language
    webui.settings()
    made = built(shared)
    assert all(part.info for part in made.values())
    waiting = [name for name, part in made.items() if 'Reload UI' in part.info]
    assert waiting == ['civitai_gallery_language']


def test_the_page_is_in_the_language_that_was_chosen_on_it(shared: ModuleType) -> None:
    shared.opts.data['civitai_gallery_language'] = 'zh_TW'  # what a second start reads
    webui.settings()
    assert built(shared)['civitai_gallery_gallery_rows'].label == '列數'


def test_what_was_chosen_is_kept_from_one_start_to_the_next(shared: ModuleType) -> None:
    webui.settings()
    shared.opts.apply({'civitai_gallery_gallery_rows': 2})
    for _ in range(2):
        shared.opts.data.clear()
        shared.opts.load()
        webui.settings()
        setting.refresh()
        assert setting.gallery_rows == 2
        shared.opts.apply({})
        setting.gallery_rows = 4  # as a new process begins


def test_what_the_environment_decides_is_not_on_the_page(
    shared: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_LANG', 'zh_TW')
    webui.settings()
    assert set(shared.opts.data_labels) == {key(i) for i in OFFERED if i.name != 'language'}


UNUSABLE = {
    'too small': -1,
    'too large': 10**30,
    'not whole': 2.5,
    'not a number at all': float('nan'),
    'a word': 'many',
    'digits': '3',
    'yes': True,
    'a list': [4],
    'an object': {'value': 4},
}


@pytest.mark.parametrize('value', UNUSABLE.values(), ids=UNUSABLE)
def test_numbers_set_by_hand_to_what_is_none_are_told_once_and_not_used(
    shared: ModuleType, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    whole = [item for item in NUMBERS if isinstance(item.default, int)]
    Path(shared.opts.file).write_text(json.dumps({key(item): value for item in whole}))
    shared.opts.load()
    with caplog.at_level(logging.WARNING):
        webui.settings()
        for _ in range(3):
            setting.refresh()
    made = built(shared)
    for item in whole:
        assert getattr(setting, item.name) == made[key(item)].value == item.default
        assert sum(f' {item.name},' in line for line in caplog.messages) == 1, item.name


@pytest.mark.parametrize(
    'value',
    ['klingon', '', 'pg', 'EN', 7, None, False, ['en'], {'en': 'PG'}, 'x' * 10_000],
    ids=repr,
)
def test_choices_set_by_hand_to_what_is_none_are_not_used(
    shared: ModuleType, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    names = ('language', 'gallery_maturity_ceiling')
    held = {f'civitai_gallery_{name}': value for name in names}
    Path(shared.opts.file).write_text(json.dumps(held))
    shared.opts.load()
    with caplog.at_level(logging.WARNING):
        webui.settings()
        setting.refresh()
    made = built(shared)
    assert [made[key].value for key in held] == ['auto', 'PG']
    assert [getattr(setting, name) for name in names] == ['auto', 'PG']
    assert [len(line) < 200 for line in caplog.messages] == ([] if value is None else [True] * 2)


def test_a_value_that_becomes_unusable_again_is_told_again(
    shared: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    webui.settings()
    with caplog.at_level(logging.WARNING):
        for rows in (99, 3, 99, 100, float('nan')):
            shared.opts.data['civitai_gallery_gallery_rows'] = rows
            setting.refresh()
            setting.refresh()
    assert setting.gallery_rows == 3
    assert [line for line in caplog.messages if 'gallery_rows' in line] == [
        'The WebUI has 99 for gallery_rows, which is not usable; using 4',
        'The WebUI has 99 for gallery_rows, which is not usable; using 3',
        'The WebUI has 100 for gallery_rows, which is not usable; using 3',
        'The WebUI has nan for gallery_rows, which is not usable; using 3',
    ]


def test_the_tab_tells_where_the_other_settings_are(shared: ModuleType) -> None:
    blocks = webui.tab()[0][0]
    parts = [one['props'] for one in blocks.get_config_file()['components']]
    assert any('under “Civitai Gallery”' in str(one.get('value')) for one in parts)
    assert any('data-show="settings"' in str(one.get('value')) for one in parts)
