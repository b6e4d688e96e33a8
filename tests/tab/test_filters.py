"""What a person wants to see of any gallery, without a browser."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.civitai.gallery import CEILINGS, GalleryImage, ImagePage
from scripts.civitai_manager_libs.civitai.source import parse_source
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.tab import (
    components,
    events,
    filters,
    filters_markup,
    layout,
    markup,
    paging,
    versions,
)
from scripts.civitai_manager_libs.tab.filters import Filters
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import HERE
from tests.support.grids import filled

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201?modelVersionId=420102'
SOME_WITHOUT_PROMPT = '/models/4452'
MIXED_USER = '/user/lumen_fox'


def told(**chosen: Any) -> str:
    """Filters as a browser tells them."""
    return json.dumps(chosen)


def opened(demo: DemoServer, path: str, **kept: Any) -> View:
    view = View()
    events.open_source(view, demo.url + path, told(**kept))
    return view


def asked(demo: DemoServer) -> dict[str, str]:
    """What the site was asked for last."""
    return dict(parse_qsl([r.query for r in demo.requests if r.path == '/api/v1/images'][-1]))


@pytest.fixture(scope='module')
def parts() -> layout.Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


# -- read from a browser --------------------------------------------------------------------------


@pytest.mark.parametrize(
    'text',
    [
        '',
        None,
        'null',
        '[]',
        '{',
        '"level"',
        '7',
        '[' * 5000,
        told(level='XXXX', sort='newest', period='Decade', type='gif', base_models=7),
        told(level=['PG'], sort={'a': 1}, with_prompt='true', type=None),
        told(base_models='\x00,,' + 'x' * 61, unknown=1),
        json.dumps({'sort': 'Newest', 'junk': 'x' * 5000}),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_no_filter_is_left_out(text: Any) -> None:
    assert filters.read(text) == Filters()


def test_what_the_boxes_tell_is_read_as_it_was_told() -> None:
    chosen = Filters('PG', 'Newest', 'Week', 'video', ('SDXL 1.0', 'Pony'), True)
    assert filters.read(json.dumps(chosen.as_told())) == chosen
    assert filters.read(told(base_models='sdxl1.0, new one')).base_models == ('SDXL 1.0', 'new one')


@pytest.mark.parametrize('ceiling', CEILINGS)
@pytest.mark.parametrize('wanted', ['', *CEILINGS])
def test_no_level_lifts_the_ceiling_of_the_settings(ceiling: str, wanted: str) -> None:
    setting.gallery_maturity_ceiling = ceiling
    mask = Filters(level=wanted).levels
    assert not mask & ~setting.maturity_levels()
    assert mask == min(CEILINGS[ceiling], CEILINGS.get(wanted, 31))


# -- put on a link --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('path', 'kept', 'sent'),
    [
        (MODEL, {'sort': 'Newest', 'period': 'Week'}, {'sort': 'Newest', 'period': 'Week'}),
        (f'{MODEL}&sort=Oldest', {'sort': 'Newest'}, {'sort': 'Oldest'}),
        (MODEL, {'base_models': 'Pony'}, {'baseModels': ''}),
        (MIXED_USER, {'base_models': 'SDXL 1.0'}, {'baseModels': 'SDXL 1.0'}),
        (MIXED_USER, {}, {'sort': 'Newest', 'period': 'AllTime'}),
        (MIXED_USER, {'type': 'video'}, {'type': 'video'}),
        (f'{MIXED_USER}/videos', {'type': 'image'}, {'type': 'video'}),
    ],
)
def test_what_was_kept_counts_where_the_link_says_nothing(
    demo: DemoServer, path: str, kept: dict[str, Any], sent: dict[str, str]
) -> None:
    opened(demo, path, **kept)
    query = asked(demo)
    assert {name: query.get(name, '') for name in sent} == sent


def test_a_single_picture_and_a_post_are_shown_whatever_was_kept(demo: DemoServer) -> None:
    picture = next(p for p in load_catalog().pictures if p.level == 1 and p.post_id)
    kept = {'period': 'Day', 'base_models': 'Pony', 'sort': 'Newest'}
    view = opened(demo, f'/images/{picture.id}', type='video', with_prompt=True, **kept)
    assert [image.id for image in view.page.images] == [picture.id]
    view = opened(demo, f'/posts/{picture.post_id}', **kept)
    assert picture.id in [image.id for image in view.page.images]
    assert view.gallery is not None and view.gallery.query.as_posted


# -- changed while a gallery is on show -----------------------------------------------------------


def test_another_sort_begins_anew_and_is_in_the_title(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    before = [image.id for image in view.page.images]
    events.go_next(view)
    models = sum('/models/' in r.path for r in demo.requests)
    events.choose_filters(view, told(sort='Oldest'))
    assert view.trail.page_number == 1 and asked(demo)['sort'] == 'Oldest'
    assert [image.id for image in view.page.images] != before
    assert 'Oldest' in markup.title(view.gallery)
    assert sum('/models/' in r.path for r in demo.requests) == models, 'the model is known'
    events.choose_filters(view, told())
    assert [image.id for image in view.page.images] == before


def test_a_level_shows_no_more_than_it_says_nor_more_than_the_ceiling(demo: DemoServer) -> None:
    setting.gallery_maturity_ceiling = 'R'
    view = opened(demo, MODEL, sort='Newest', level='R')
    page = view.page.images
    while events.has_next(view):
        events.go_next(view)
        page += view.page.images
    assert {image.level for image in page} == {1, 2, 4}
    events.choose_filters(view, told(level='PG'))
    assert {image.level for image in view.page.images} == {1}
    events.go_next(view)
    assert {image.level for image in view.page.images} == {1}
    events.choose_filters(view, told(level='XXX'))
    assert all(image.level <= 4 for image in view.page.images)
    assert asked(demo)['browsingLevel'] == '7'


def test_with_prompt_only_stays_on_the_page_and_asks_nobody(demo: DemoServer) -> None:
    setting.gallery_columns, setting.gallery_rows = 6, 2
    view = opened(demo, SOME_WITHOUT_PROMPT)
    events.go_next(view)
    every, count = view.page.images, len(demo.requests)
    events.choose_filters(view, told(with_prompt=True))
    shown = view.page.images
    assert view.trail.page_number == 2 and len(demo.requests) == count
    assert shown == tuple(image for image in every if image.meta.get('prompt')) != every
    events.choose_filters(view, told())
    assert view.page.images == every


def test_what_was_kept_of_the_prompt_counts_on_every_page(demo: DemoServer) -> None:
    view, left = opened(demo, SOME_WITHOUT_PROMPT, with_prompt=True), 0
    while True:
        assert all(image.meta.get('prompt') for image in view.page.images)
        left += view.filters.left.counts.get('with_prompt', 0)
        if not events.has_next(view):
            break
        events.go_next(view)
    assert left


def test_filters_that_do_not_come_leave_all_as_it_was(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    before, chosen = view.page, view.filters.chosen
    demo.scenario = '400'
    with pytest.raises(CivitaiError):
        events.choose_filters(view, told(sort='Oldest'))
    assert view.page is before and view.filters.chosen == chosen
    assert json.loads(_told_of(view))['filters']['sort'] == ''


def test_where_no_gallery_is_shown_filters_are_not_obeyed() -> None:
    with pytest.raises(SourceError):
        events.choose_filters(View(), told(sort='Oldest'))


# -- versions -------------------------------------------------------------------------------------


def test_all_versions_of_a_model_are_one_gallery(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    every, *single = versions.offered(view)
    assert versions.shown(view) in single
    seen = set()
    for label in single:
        events.choose_version(view, label)
        seen |= {image.id for image in view.page.images}
    assert events.is_other_version(view, every)
    events.choose_version(view, every)
    assert not events.is_other_version(view, every)
    assert any('modelId=4201&' in r.query for r in demo.requests)
    assert 'by date only' in markup.page_status(view)
    count = len(demo.requests)
    events.choose_version(view, every)
    assert len(demo.requests) == count
    found = {image.id for image in view.page.images}
    while events.has_next(view):
        events.go_next(view)
        found |= {image.id for image in view.page.images}
    assert seen <= found
    events.choose_version(view, single[0])
    assert versions.shown(view) == single[0]


def test_a_filter_keeps_the_version_and_a_version_keeps_the_filter(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    other = versions.offered(view)[-1]
    events.choose_version(view, other)
    events.choose_filters(view, told(sort='Oldest', type='image'))
    assert versions.shown(view) == other
    events.choose_version(view, versions.offered(view)[0])
    assert asked(demo)['type'] == 'image' and asked(demo)['sort'] == 'Oldest'


# -- what is told ---------------------------------------------------------------------------------


def _told_of(view: View) -> str:
    return html.unescape(filters_markup.told(view).split('data-told="')[1].split('"')[0])


def test_the_boxes_are_told_what_counts_for_the_gallery(demo: DemoServer) -> None:
    setting.gallery_maturity_ceiling = 'R'
    view = opened(demo, f'{MODEL}&sort=Oldest&period=AllTime', level='PG-13', sort='Newest')
    facts = json.loads(_told_of(view))
    assert facts['filters']['sort'] == 'Oldest' and facts['filters']['period'] == ''
    assert facts['filters']['level'] == 'PG-13' and facts['levels'] == ['PG', 'PG-13', 'R']
    assert facts['shown'] and 'base_models' not in facts['usable']
    assert not json.loads(_told_of(View()))['shown']


@pytest.mark.parametrize(
    ('path', 'sort', 'usual'),
    [
        (MODEL, 'Most Reactions', 'Most reactions (default)'),
        (f'{MODEL}&sort=Oldest', 'Oldest', 'Most reactions (default)'),
        (MIXED_USER, 'Newest', 'Newest (default)'),
        ('/posts/21005234', 'Oldest', ''),
    ],
    ids=['model', 'model-sorted', 'user', 'post'],
)
def test_the_order_without_a_choice_is_named_and_asked_for(
    demo: DemoServer, path: str, sort: str, usual: str
) -> None:
    view = opened(demo, path)
    assert json.loads(_told_of(view))['order'] == usual
    assert asked(demo)['sort'] == sort


def test_the_order_of_all_versions_is_that_of_their_dates(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    events.choose_version(view, versions.offered(view)[0])
    assert json.loads(_told_of(view))['order'] == 'Newest (default)'
    assert json.loads(_told_of(View()))['order'] == ''


def test_what_a_page_leaves_out_is_said_where_its_pictures_would_be(demo: DemoServer) -> None:
    view = opened(demo, SOME_WITHOUT_PROMPT, with_prompt=True)
    total, count = view.filters.left.total, view.filters.left.counts['with_prompt']
    said = filters_markup.left_out(view)
    assert f'{count} of {total} hidden: With prompt only' in said
    assert 'data-unfilter="with_prompt"' in said and 'cg-empty' not in said
    assert f'no prompt: {count}' in markup.page_status(view)


def test_a_page_of_which_nothing_is_left_says_by_what(demo: DemoServer) -> None:
    view = opened(demo, MODEL, type='audio', period='Day')
    assert not view.page.images
    said = filters_markup.left_out(view)
    assert 'cg-empty' in said and 'Sounds' in said and 'Day' in said
    assert 'data-unfilter="all"' in said and 'tag' not in said
    said = filters_markup.left_out(opened(demo, '/images?tags=999999999&period=Week'))
    assert 'Week, Pictures, tag 999999999 <button' in said and 'data-unfilter="all"' in said
    said = filters_markup.left_out(opened(demo, f'{MIXED_USER}?tags=999999999'))
    assert 'tag 999999999' in said and 'data-unfilter' not in said
    assert 'cg-calm' in markup.page_status(view)


@pytest.mark.parametrize(
    ('ceiling', 'level', 'words'),
    [('PG', '', 'Maturity ceiling'), ('X', 'PG', 'data-unfilter="level"')],
)
def test_what_is_above_the_level_says_what_allows_it(ceiling: str, level: str, words: str) -> None:
    setting.gallery_maturity_ceiling = ceiling
    view = View()
    view.filters.chosen = Filters(level=level)
    page, view.filters.left = filters.sifted(ImagePage(hidden=7), view.filters.chosen)
    view.gallery, view.page = object(), page  # type: ignore[assignment]
    said = filters_markup.left_out(view)
    assert '7 of 7 hidden: Up to PG' in said and words in said
    assert 'Nothing left on this page' in said


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_names_from_outside_stay_text(demo: DemoServer) -> None:
    view = opened(demo, MODEL)
    view.filters.chosen = Filters(base_models=(EVIL,))
    view.page = ImagePage()
    for said in (filters_markup.left_out(view), filters_markup.told(view)):
        assert '<script' not in said and '<img' not in said and said.count('"') % 2 == 0


def test_a_change_of_filters_clears_the_chosen_picture_and_names_what_is_shown(
    demo: DemoServer, parts: layout.Parts
) -> None:
    view = opened(demo, SOME_WITHOUT_PROMPT)
    filled(view)
    shown = paging._on_turn(parts, events.choose_filters)(HERE, told(with_prompt=True), view)
    assert (
        shown[parts.infotext] == '' and '&quot;with_prompt&quot;: true' in shown[parts.filters.told]
    )
    assert 'hidden' in shown[parts.left]
    assert shown[parts.version]['value'] == versions.shown(view)


def test_the_row_names_every_choice_in_both_languages() -> None:
    for language in ('en', 'zh_TW'):
        setting.language = language
        row = filters_markup.row()
        assert row.count('<select') == 5 and row.count('<label') == 6
    assert '排序' in row and 'Most ' not in re.sub(' value="[^"]*"', '', row)


# -- saved galleries ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('chosen', 'left'),
    [
        (Filters(), []),
        (Filters(type='video'), [1, 3, 4]),
        (Filters(base_models=('Pony',)), [1, 2, 4]),
        (Filters(level='PG'), [4]),
        (Filters(with_prompt=True), [2, 3, 4]),
    ],
    ids=['none', 'type', 'base', 'level', 'prompt'],
)
def test_of_a_saved_gallery_a_page_is_sifted_by_what_its_pictures_tell(
    chosen: Filters, left: list[int]
) -> None:
    setting.gallery_maturity_ceiling = 'R'
    images = (
        GalleryImage(1, 'https://x/1', level=1, base_model='SDXL 1.0', meta={'prompt': 'a'}),
        GalleryImage(2, 'https://x/2', kind='video', level=1),
        GalleryImage(3, 'https://x/3', level=1, base_model='Pony'),
        GalleryImage(4, 'https://x/4', level=4, meta={'prompt': ' '}),
    )
    page, out = filters.sifted(ImagePage(images), chosen, is_saved=True)
    assert [i.id for i in images if i not in page.images] == left
    assert sum(out.counts.values()) == len(left) and out.total == 4


def test_a_link_reads_back_what_was_put_on_it(demo: DemoServer) -> None:
    source = filters.wished(
        parse_source(f'{demo.url}{MIXED_USER}', demo.url),
        Filters(sort='Oldest', type='image', base_models=('Pony',)),
    )
    assert filters.in_force(source, Filters(level='PG')) == Filters(
        'PG', 'Oldest', '', 'image', ('Pony',)
    )


def test_the_level_says_where_more_of_them_are_allowed() -> None:
    assert 'title="Levels above these are offered once “Maturity ceiling”' in filters_markup.row()
