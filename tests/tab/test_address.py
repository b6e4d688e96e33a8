"""What the address of the app's page names, without a browser."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.api import models
from scripts.civitai_manager_libs.civitai.gallery import CursorTrail
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.tab import (
    address,
    events,
    finding,
    markup,
    opening,
    start_markup,
    versions,
)
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
    [7, 'p=2', 'source=', 'source=%20', 'words=+', '&' * 500, 'source=' + 'x' * 9000],
    ids=lambda text: repr(text)[:20],
)
def test_an_address_that_names_nothing_is_none(text: Any) -> None:
    assert address.read(text) is None
    with pytest.raises(SourceError):
        opening.open_address(View(), text)


@pytest.mark.parametrize('text', ['', '?', None])
def test_an_empty_address_leads_to_where_one_begins(view: View, text: Any) -> None:
    finding.search(view, 'paper')
    opening.open_address(view, text)
    assert address.of_view(view) == markup.heading(view) == start_markup.found(view) == ''
    filled(view)
    assert view.is_settled and 'Paste a Civitai link' in markup.page_status(view)


# -- words ----------------------------------------------------------------------------------------


def found(view: View) -> list[int]:
    assert view.finds
    return [one.model.id for one in view.search.page.models]


def test_who_gets_the_address_of_a_search_sees_the_same_models_as_who_gave_it(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, 'FOUND_AT_ONCE', 2)
    view, other = View(), View()
    finding.search(view, 'a')
    for named in ('words=a', 'words=a&p=2', 'words=a&p=3'):
        assert address.of_view(view) == named
        opening.open_first(other, '', '', f'?{named}')
        assert found(other) == found(view) and address.of_view(other) == named
        finding.find_more(view)


def test_the_way_between_models_found_and_a_gallery_asks_for_nothing_again(
    demo: DemoServer,
) -> None:
    view = View()
    finding.search(view, 'paper')
    hits, searched = found(view), address.of_view(view)
    events.open_source(view, demo.url + MODEL)
    shown, named, count = ids(view), address.of_view(view), len(demo.requests)
    opening.open_address(view, searched)
    assert found(view) == hits and address.of_view(view) == searched
    opening.open_address(view, named)
    assert not view.finds and ids(view) == shown and address.of_view(view) == named
    assert len(demo.requests) == count
    opening.open_address(view, searched)
    finding.close(view)
    assert not view.finds and address.of_view(view) == named
    setting.gallery_maturity_ceiling = 'R'
    opening.open_address(view, searched)
    assert len(demo.requests) > count, 'what may be shown has changed'


@pytest.mark.parametrize(
    'words',
    [
        '4201',
        'https://example.com/models/1',
        'javascript:alert(1)',
        '@ana',
        'x' * 201,
        'a\x00b',
        'pap\u202eer',
        'civitai.com/models/1 civitai.com/models/2',
        '\ud800',
    ],
    ids=ascii,
)
def test_words_of_an_address_that_are_none_are_told_of_and_nobody_is_asked(
    demo: DemoServer, view: View, words: str
) -> None:
    before, count = view.page, len(demo.requests)
    with pytest.raises(SourceError, match='asks for a search'):
        opening.open_address(view, urlencode({'words': words}, errors='surrogatepass'))
    assert view.page is before and not view.finds and len(demo.requests) == count


@pytest.mark.parametrize('page', ['-1', '0', 'x', '²', '1e3', '', '9' * 400])
def test_a_count_that_can_be_none_is_ignored(demo: DemoServer, page: str) -> None:
    view = View()
    opening.open_address(view, urlencode({'words': 'paper', 'p': page, 'at': '\n'}))
    assert found(view) == [4201] and address.of_view(view) == 'words=paper'


def test_an_address_does_not_have_what_follows_asked_for_without_end(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, 'FOUND_AT_ONCE', 1)
    monkeypatch.setattr(finding, 'MOST_PAGES', 3)
    view = View()
    opening.open_address(view, 'words=a&p=999999')
    assert len(found(view)) == 3


@pytest.mark.parametrize('words', ['paper token=abcdef', 'paper 0123456789abcdef0123456789abcdef'])
def test_no_secret_among_the_words_gets_into_the_address(demo: DemoServer, words: str) -> None:
    setting.civitai_api_key = '0123456789abcdef0123456789abcdef'
    view = View()
    finding.search(view, words)
    assert view.finds and address.of_view(view) == ''


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
