"""What a person fills in to have a whole gallery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from scripts.civitai_manager_libs import setting, texts
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.tab import events, wishes
from scripts.civitai_manager_libs.tab.view import View

SOURCE = 'https://civitai.com/models/1'


@pytest.mark.parametrize(
    ('field', 'given', 'wanted'),
    [
        ('limit', ' 12 ', {'limit': 12}),
        ('limit', 12.0, {'limit': 12}),
        ('since', '2025-01-31', {'since': '2025-01-31'}),
        ('until', '2025-01-31T18:00Z', {'until': '2025-01-31T18:00Z'}),
        ('level', 'PG-13', {'levels': 3}),
        ('type', 'video', {'type': 'video'}),
        ('type', 'any', {'type': ''}),
        ('type', '不限', {'type': ''}),
        ('sort', 'Oldest', {'sort': 'Oldest'}),
        ('period', 'Year', {'period': 'Year'}),
        ('base_model', 'sdxl 1.0, Pony,', {'base_models': ('SDXL 1.0', 'Pony')}),
        ('tag', '#cat， 304 ,cat', {'tags': (304,), 'tag_names': ('cat',)}),
        ('with_prompt', True, {'with_prompt': True}),
        ('with_prompt', 'yes', {'with_prompt': False}),
    ],
)
def test_a_field_is_what_is_wanted(field: str, given: Any, wanted: dict[str, Any]) -> None:
    setting.gallery_maturity_ceiling = 'R'
    usual = wishes.wanted(SOURCE, {})
    assert usual.levels == 7
    assert wishes.wanted(SOURCE, {field: given}) == replace(usual, **wanted)


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'limit': 'many'}, 'no number of pictures'),
        ({'limit': '-1'}, 'no number of pictures'),
        ({'limit': '0'}, 'no number of pictures'),
        ({'limit': '1.5'}, 'no number of pictures'),
        ({'limit': '9' * 400}, 'no number of pictures'),
        ({'since': 'yesterday'}, 'is no time'),
        ({'until': '2025-13-01'}, 'is no time'),
        ({'since': '2025-02-01', 'until': '2025-02-01'}, 'no picture would be left'),
        ({'since': '2025-02-01T00:00+14:00', 'until': '2025-01-01'}, 'no picture would be left'),
        ({'level': 'XXX'}, 'above the level'),
        ({'level': 'nothing'}, 'above the level'),
        ({'type': 'hologram'}, 'Type: “hologram”'),
        ({'sort': ['Newest']}, 'Sort:'),
        ({'period': {}}, 'Period:'),
        ({'tag': ','.join(map(str, range(1, 200)))}, 'Tags: write at most'),
        ({'tag': 'x' * 1000}, 'Tags: write at most'),
        ({'base_model': 'a\0b'}, 'Base models: write at most'),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_used_gets_a_sentence(given: dict[str, Any], words: str) -> None:
    setting.gallery_maturity_ceiling = 'R'
    with pytest.raises(SourceError, match=words):
        wishes.wanted(SOURCE, given)


def test_no_more_levels_are_offered_than_the_settings_allow() -> None:
    for ceiling, offered in (('PG', ['PG']), ('R', ['PG', 'PG-13', 'R'])):
        setting.gallery_maturity_ceiling = ceiling
        assert wishes.levels_offered() == offered


MODEL = f'/models/{OPENING_MODEL_ID}'
VERSION = f'{MODEL}?modelVersionId={OPENING_VERSION_ID}'


def opened(demo: DemoServer, page: str) -> View:
    view = View()
    events.open_source(view, demo.url + page)
    return view


@pytest.mark.parametrize(
    'page',
    [MODEL, VERSION, f'/model-versions/{OPENING_VERSION_ID}'],
    ids=['model', 'version of a model', 'version'],
)
def test_a_link_without_a_version_is_all_of_them(demo: DemoServer, page: str) -> None:
    view = opened(demo, page)
    offered = wishes.versions_offered(view)
    gallery = wishes.gallery_of(view, None)
    is_all = page == MODEL
    assert ('All' in offered[0]) is is_all and len(offered) == 2
    assert bool(gallery.source.version_id) is not is_all
    for choice in offered:
        chosen = wishes.gallery_of(view, choice)
        assert bool(chosen.source.version_id) is ('All' not in choice)


def test_a_version_that_was_chosen_from_the_list_is_the_one(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    assert view.gallery is not None and view.gallery.model is not None
    other = view.gallery.model.versions[-1]
    events.choose_version(view, other.label)
    assert other.label in wishes.versions_offered(view)[0]
    gallery = wishes.gallery_of(view, None)
    assert gallery.source.version_id == gallery.query.version_id == other.id


@pytest.mark.parametrize('page', ['/user/lumen_fox', '/images?tags=492952'])
def test_what_is_no_model_has_no_versions(demo: DemoServer, page: str) -> None:
    view = opened(demo, page)
    assert wishes.versions_offered(view) == []
    wanted = wishes.gallery_of(view, 'All 2 versions')
    assert wanted.model is None and view.gallery is not None
    assert (wanted.query.tags, wanted.query.username) == (
        (view.gallery.query.tags, view.gallery.query.username)
    )


def test_every_language_has_its_own_word_for_any() -> None:
    assert len({texts.text('whole_any', language) for language in texts.LANGUAGES}) > 1


@pytest.mark.parametrize('language', texts.LANGUAGES)
@pytest.mark.parametrize('given', ['\ud800', 'a\udfff', '\ud83d 12'])
@pytest.mark.parametrize('field', ['limit', 'level', 'type', 'since', 'until', 'sort', 'period'])
def test_what_is_no_text_is_refused_in_words_that_can_be_shown(
    field: str, given: str, language: str
) -> None:
    with pytest.raises(SourceError) as refused:
        wishes.wanted(SOURCE, {field: given})
    assert refused.value.message_in(language).encode()
