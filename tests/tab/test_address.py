"""What the address of the app's page names, without a browser."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.civitai.gallery import CursorTrail
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.tab import address, events, markup, opening, versions
from scripts.civitai_manager_libs.tab.filters import Filters
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grids import filled

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201?modelVersionId=420102'


@pytest.fixture
def view(demo: DemoServer) -> View:
    opened = View()
    events.open_source(opened, demo.url + MODEL, json.dumps({'sort': 'Newest'}))
    return opened


def ids(view: View) -> list[int]:
    return [image.id for image in view.page.images]


def test_who_gets_an_address_sees_the_same_page_as_who_gave_it(view: View) -> None:
    events.choose_filters(view, json.dumps({'sort': 'Newest', 'with_prompt': True}))
    events.go_next(view)
    events.go_next(view)
    other = View()
    opening.open_address(other, address.of_view(view))
    assert ids(other) == ids(view) and other.trail.page_number == 3
    assert other.filters.chosen == view.filters.chosen
    assert versions.shown(other) == versions.shown(view)
    assert address.of_view(other) == address.of_view(view)
    events.go_previous(other)
    events.go_previous(view)
    assert ids(other) == ids(view)


def test_all_versions_are_named_too(view: View) -> None:
    every = versions.offered(view)[0]
    events.choose_version(view, every)
    other = View()
    opening.open_address(other, address.of_view(view))
    assert versions.shown(other) == every and ids(other) == ids(view)


def test_a_page_that_was_seen_comes_back_from_memory(demo: DemoServer, view: View) -> None:
    first, named = ids(view), address.of_view(view)
    events.go_next(view)
    count = len(demo.requests)
    opening.open_address(view, named)
    assert ids(view) == first and len(demo.requests) == count


def test_filters_kept_by_a_browser_do_not_change_what_is_shared(
    demo: DemoServer, view: View
) -> None:
    other = View()
    kept = json.dumps({'sort': 'Oldest', 'with_prompt': True})
    opening.open_first(other, '', kept, '?' + address.of_view(view))
    assert ids(other) == ids(view)
    opening.open_first(other, demo.url + MODEL, kept, '?__theme=dark')
    assert ids(other) != ids(view) and other.filters.chosen.with_prompt


def test_an_address_lifts_no_ceiling_and_its_way_is_not_gone_through_other_pictures(
    demo: DemoServer,
) -> None:
    setting.gallery_maturity_ceiling = 'R'
    giver, other = View(), View()
    events.open_source(giver, demo.url + MODEL)
    events.go_next(giver)
    named = address.of_view(giver)
    assert parse_qs(named)['level'] == ['R'] and parse_qs(named)['p'] == ['2']
    setting.gallery_maturity_ceiling = 'PG'
    opening.open_address(other, named)
    assert {image.level for image in other.page.images} == {1}
    assert other.trail.page_number == 1
    filled(other)
    assert 'here is the first one' in markup.page_status(other)


def test_a_way_that_leads_nowhere_any_more_leads_to_the_first_page_and_says_so(
    demo: DemoServer, view: View
) -> None:
    first, named = ids(view), f'{address.of_view(view)}&p=2&at=not-a-cursor'
    demo.scenario = 'feed-cursors'
    other = View()
    opening.open_address(other, named)
    assert ids(other) == first and other.trail.page_number == 1
    assert 'here is the first one' in markup.page_status(other)
    events.go_next(other)
    assert 'here is the first one' not in markup.page_status(other)


def test_a_way_that_is_too_long_is_left_out(view: View) -> None:
    for cursors in (tuple(map(str, range(100))), tuple(f'{n}{"x" * 250}' for n in range(15))):
        view.trail = CursorTrail(('', *cursors), (frozenset(),) * len(cursors))
        named = address.of_view(view)
        assert '&p=' not in named and len(named) < 500
    view.trail = CursorTrail(('', 'a|1'), (frozenset(),))
    assert address.of_view(view).endswith('&p=2&at=a%7C1')


@pytest.mark.parametrize(
    ('path', 'kept'),
    [
        ('/models/4201', {}),
        (f'{MODEL}&sort=Oldest&period=Year', {}),
        ('/models/4201', {'type': 'image', 'sort': 'Newest'}),
        ('/user/lumen_fox', {'base_models': 'SDXL 1.0', 'period': 'Year'}),
        ('/user/lumen_fox/videos', {}),
        ('/images?tags=492952&period=Month', {}),
        ('/model-versions/420101', {}),
    ],
)
def test_every_kind_of_gallery_comes_back_as_it_was(
    demo: DemoServer, path: str, kept: dict[str, str]
) -> None:
    given, other = View(), View()
    events.open_source(given, demo.url + path, json.dumps(kept))
    named = address.of_view(given)
    opening.open_address(other, named)
    assert ids(other) == ids(given) and address.of_view(other) == named
    assert given.gallery and other.gallery and other.gallery.query == given.gallery.query
    is_model = path.startswith('/models')
    assert ('%2Fmodels%2F4201' in named) is is_model and '%2Fimages%3F' not in named * is_model


def test_what_is_not_of_a_gallery_has_no_address() -> None:
    assert address.of_view(View()) == ''


WAY = [('source', '4201'), ('p', '3')]


@pytest.mark.parametrize(
    'said',
    [
        [('source', '4201'), ('p', '2')],
        [*WAY, ('at', 'a')],
        [*WAY, ('at', 'a'), ('at', 'a')],
        [*WAY, ('at', 'a'), ('at', 'b c')],
        [*WAY, ('at', 'a'), ('at', 'é')],
        [*WAY, ('at', 'a'), ('at', 'b\n')],
        [*WAY, ('at', 'a'), ('at', 'x' * 301)],
        [('source', '4201'), ('p', '-1'), ('at', 'a')],
        [('source', '4201'), ('p', '²'), ('at', 'a')],
        [('source', '4201'), ('p', '61'), *(('at', str(n)) for n in range(60))],
    ],
    ids=lambda said: urlencode(said)[12:50],
)
def test_a_way_that_can_be_none_is_not_gone(said: Any) -> None:
    asked = address.read(urlencode(said))
    assert asked is not None and asked.trail == CursorTrail()


@pytest.mark.parametrize(
    'text',
    ['', '?', None, 7, 'p=2', 'source=', 'source=%20', '&' * 500, 'source=' + 'x' * 9000],
    ids=lambda text: repr(text)[:20],
)
def test_an_address_that_names_no_gallery_is_none(text: Any) -> None:
    assert address.read(text) is None
    with pytest.raises(SourceError):
        opening.open_address(View(), text)


@pytest.mark.parametrize('level', ['', 'XXXX', 'XXX', '31'])
def test_levels_of_an_address_are_those_of_the_settings_at_most(level: str) -> None:
    asked = address.read(urlencode({'source': '4201', 'level': level, 'prompt': 'yes'}))
    assert asked is not None and asked.filters == Filters()


@pytest.mark.parametrize('source', ['https://example.com/models/1', 'javascript:alert(1)', '"><b>'])
def test_an_address_of_another_site_leaves_the_gallery_as_it_was(
    demo: DemoServer, view: View, source: str
) -> None:
    before, count = view.page, len(demo.requests)
    with pytest.raises(CivitaiError):
        opening.open_address(view, urlencode({'source': source}))
    assert view.page is before and len(demo.requests) == count
