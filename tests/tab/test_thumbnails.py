"""The small pictures of a page without a browser: begun at once, each told of as it comes."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import civitai_gallery_action as action, setting
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import events, grid_markup, thumbnails
from scripts.civitai_manager_libs.tab.loading import Loading, State
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grid_site import GridSite, jpeg
from tests.support.grids import filled, loading_of
from tests.support.scripted_server import STALL, ok

SOON = 10


@pytest.fixture
def site(client: CivitaiHttpClient) -> Iterator[GridSite]:
    made = GridSite()
    with made.server as server:
        setting.civitai_base_url = server.url
        setting.gallery_columns, setting.gallery_rows = made.count, 1
        yield made


@pytest.fixture
def view(site: GridSite) -> View:
    opened = View()
    events.open_source(opened, site.link)
    return opened


def shown(view: View) -> tuple[str, Loading]:
    """The name of the grid, whose pictures are on their way, and how far they are."""
    name = thumbnails.show(view)
    return name, loading_of(view)


def until(loading: Loading, is_so: Callable[[], bool]) -> None:
    """Wait until something is told of the pictures."""
    assert any(is_so() or loading.wait(0.05) for _ in range(20 * SOON)) and is_so()


def test_a_silent_picture_holds_up_no_other(site: GridSite, view: View) -> None:
    site.instead['/p3/'] = (STALL,)
    _, loading = shown(view)
    until(loading, lambda: len(loading.places(State.THERE)) == site.count - 1)
    assert loading.places(State.COMING) == [2] and not loading.is_over
    site.server.release.set()


def test_what_loads_for_a_page_that_is_replaced_stops(site: GridSite, view: View) -> None:
    site.instead['/p3/'] = (STALL,)
    _, before = shown(view)
    until(before, lambda: before.places(State.COMING) == [2])
    events.go_next(view)
    _, after = shown(view)
    assert before.wait(SOON) and before.places(State.COMING) == [2]
    assert after.wait(SOON) and len(after.places(State.THERE)) == site.count


def test_what_loads_for_a_tab_that_was_closed_stops(site: GridSite, view: View) -> None:
    site.instead['/p3/'] = (STALL,)
    _, loading = shown(view)
    until(loading, lambda: loading.places(State.COMING) == [2])
    view.given = None
    assert loading.wait(SOON)


def test_a_link_that_leads_nowhere_stops_nothing(site: GridSite, view: View) -> None:
    site.instead['/p3/'] = (STALL,)
    _, loading = shown(view)
    with pytest.raises(SourceError):
        events.open_source(view, 'garbage')
    assert not loading.stop.is_set()
    del site.instead['/p3/']
    site.server.release.set()
    assert loading.wait(60)


def test_who_waits_for_a_grid_that_is_shown_anew_waits_for_that(site: GridSite, view: View) -> None:
    site.instead['/p1/'] = (STALL,)
    thumbnails.show(view)
    assert site.server.stalled.wait(60)
    first = loading_of(view)
    with ThreadPoolExecutor() as pool:
        told = pool.submit(thumbnails.load, view)
        site.instead.clear()
        thumbnails.show(view)
        assert first.wait(60) and told.result(60)
    assert loading_of(view) is not first


def test_a_picture_that_failed_is_brought_again_when_it_is_wanted(
    site: GridSite, view: View
) -> None:
    site.instead['/p2/'] = ok(b'gone', status=404)
    name = filled(view)
    loading = loading_of(view)
    assert loading.places(State.FAILED) == [1] and '404' in grid_markup.cause(loading.failed[0])
    assert view.is_settled
    site.instead.clear()
    action.get_http_client()._failures.__init__(lambda: 0.0)  # type: ignore[misc]
    thumbnails.try_again(view, name, 1)
    assert thumbnails.load(view) and loading.places(State.FAILED) == [] and view.lost == ()
    assert view.is_settled


def test_only_what_failed_is_brought_again(site: GridSite, view: View) -> None:
    name = filled(view)
    asked = len(site.asked('/key/'))
    thumbnails.try_again(view, name, 1)
    assert loading_of(view).is_over and len(site.asked('/key/')) == asked


@pytest.mark.parametrize('left', [b'', jpeg(2)[:300], None], ids=['empty', 'stump', 'gone'])
def test_what_cannot_be_shown_is_brought_again(
    site: GridSite, view: View, left: bytes | None
) -> None:
    name = filled(view)
    kept = Path(setting.shortcut_gallery_folder) / loading_of(view).smalls[1].name
    kept.unlink()
    if left is not None:
        kept.write_bytes(left)
    thumbnails.try_again(view, name, 1)
    assert thumbnails.load(view) and kept.read_bytes() == jpeg(2)


@pytest.mark.parametrize(
    ('grid', 'place'), [('', 0), ('99', 0), ('1', -1), ('1', 6), ('1', 10**6)], ids=repr
)
def test_a_place_to_try_again_is_checked(view: View, grid: str, place: int) -> None:
    assert filled(view) == '1'
    with pytest.raises(SourceError):
        thumbnails.try_again(view, grid, place)


# -- turning back and ahead ------------------------------------------------------------------------


def test_pages_that_were_seen_are_asked_for_no_more(site: GridSite, view: View) -> None:
    first = view.page
    events.go_next(view)
    second, asked = view.page, len(site.asked('/api/'))
    events.go_previous(view)
    assert view.page == first
    events.go_next(view)
    assert view.page == second
    events.go_first(view)
    assert view.page == first and len(site.asked('/api/')) == asked
    events.go_first(view)
    assert len(site.asked('/api/')) == asked + 1, 'the page on show is asked for anew'


def test_the_next_page_is_listed_and_its_pictures_brought_ahead(site: GridSite, view: View) -> None:
    filled(view)
    events.load_ahead(view)
    events.go_next(view)
    filled(view)
    asked = len(site.server.targets)
    events.go_previous(view)
    events.go_next(view)
    filled(view)
    assert len(site.server.targets) == asked
    assert len(site.asked('cursor=2')) == 1


def test_a_next_page_that_did_not_come_ahead_is_asked_for_when_it_is_wanted(
    site: GridSite, view: View
) -> None:
    site.instead['cursor=2'] = ok(b'{"error": "busy"}', status=400)
    events.load_ahead(view)
    with pytest.raises(Exception, match='400'):
        events.go_next(view)
    site.instead.clear()
    events.go_next(view)
    assert view.trail.page_number == 2 and len(view.page.images) == site.count


def test_another_gallery_ends_what_was_fetched_ahead(site: GridSite, view: View) -> None:
    site.instead[f'/p{site.count + 1}/'] = (STALL,)
    events.load_ahead(view)
    before = view.pages
    events.open_source(view, site.link)
    assert view.pages is not before and all(stop.is_set() for stop in before._stops)


# -- the HTML --------------------------------------------------------------------------------------


def cells(view: View, name: str) -> list[str]:
    return grid_markup.grid(view, name).split('<div class="cg-cell"')[1:]


def test_cells_have_the_proportions_and_the_colour_of_their_pictures(view: View) -> None:
    odd, even = cells(view, filled(view))[:2]
    assert '--cg-ratio:0.667' in odd and '--cg-ratio:1.500' in even
    assert '--cg-ground:#979695' in odd


def test_one_cell_is_in_the_order_of_tabs_and_each_says_what_it_is(view: View) -> None:
    found = cells(view, filled(view))
    places = [re.findall(r'tabindex="(-?\d)"', cell) for cell in found]
    assert places == [['0', '-1'], *[['-1', '-1']] * 5]  # the picture, and the box to tick
    assert 'aria-label="Picture 1 of 6, @ana, With prompt and settings"' in found[0]
    assert 'aria-label="Picture 2 of 6, @ana"' in found[1] and 'aria-pressed="false"' in found[1]


def test_each_sign_of_a_cell_has_its_words_where_a_pointer_finds_them_and_nobody_hears_them_twice(
    view: View,
) -> None:
    first, second, *others = view.page.images
    second = replace(second, level=8, kind='video')
    view.page = replace(view.page, images=(first, second, *others))
    found = cells(view, filled(view))
    signs = [re.findall(r'<span(?: class="[a-z-]+")? title="([^"]*)">([^<]+)<', c) for c in found]
    always = [('Favourite', '★'), ('Hidden', '⊘'), ('Saved', '✓')]
    assert signs[0] == [('Level PG', 'PG'), ('With prompt and settings', '✎'), *always]
    assert signs[1] == [('Level X', 'X'), ('Video', 'Video'), *always]
    for cell in found:
        button, hidden = cell.index('class="thumbnail-item"'), cell.index('aria-hidden="true"')
        assert button < hidden < cell.index('title="Favourite"') < cell.index('</button>')


def test_what_is_there_is_asked_for_at_once_and_the_rest_when_it_is_there(
    site: GridSite, view: View
) -> None:
    site.instead['/p3/'] = (STALL,)
    name, loading = shown(view)
    until(loading, lambda: loading.places(State.COMING) == [2])
    found = cells(view, name)
    assert ['loading="lazy"' in cell for cell in found] == [False, False, True, *[False] * 3]
    assert 'data-state="coming"' in found[2] and 'data-state="there"' in found[1]
    site.server.release.set()


def test_what_failed_says_why_and_offers_to_try_again(site: GridSite, view: View) -> None:
    site.instead['/p2/'] = ok(b'gone', status=404)
    cell = cells(view, filled(view))[1]
    assert 'data-state="failed"' in cell and 'no_preview' in cell and '404' in cell
    assert 'data-again="1"' in cell and 'data-src="civitai-gallery/picture/' in cell


EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize('field', ['username', 'hash', 'type', 'url'])
def test_words_from_outside_are_only_words(site: GridSite, field: str, monkeypatch: Any) -> None:
    usual = site._item
    wicked = {'url': f'{site.server.url}/key/p1/original=true/{EVIL}.jpeg'}.get(field, EVIL)
    monkeypatch.setattr(site, '_item', lambda number: {**usual(number), field: wicked})
    view = View()
    events.open_source(view, f'{site.server.url}/images' if field == 'username' else site.link)
    name, _ = shown(view)
    assert cells(view, name) and '<script' not in grid_markup.grid(view, name)


def test_levels_are_told_where_they_are_mixed(
    site: GridSite, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert '>PG<' not in grid_markup.grid(view, filled(view))
    usual = site._item
    monkeypatch.setattr(
        site, '_item', lambda number: {**usual(number), 'browsingLevel': 1 + number % 2}
    )
    monkeypatch.setattr(setting, 'gallery_maturity_ceiling', 'R')
    events.open_source(view, site.link)
    found = cells(view, filled(view))
    assert '>PG-13<' in found[0] and '>PG<' in found[1]
