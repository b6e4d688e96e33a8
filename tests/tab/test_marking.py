"""Favourites and hidden pictures in the tab, without a browser."""

from __future__ import annotations

import html
import json
from typing import Any, Iterator

import gradio as gr
import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import marks
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import (
    components,
    events,
    favourites,
    marking,
    paging,
    picture,
)
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE, HERE
from tests.support.grid_site import GridSite

PICTURE, GRID = 2, '1'


@pytest.fixture(scope='module')
def parts() -> Parts:
    with gr.Blocks():
        return components.build()


def test_the_browser_has_its_words_before_any_event_is_answered(parts: Parts) -> None:
    told = json.loads(html.unescape(parts.words.value.split('"')[1]))
    assert told['key_list'] and told['lightbox_full'] == 'Full size'


@pytest.fixture
def site(client: CivitaiHttpClient) -> Iterator[GridSite]:
    made = GridSite()
    with made.server as server:
        setting.civitai_base_url = server.url
        setting.gallery_columns, setting.gallery_rows = made.count, 1
        yield made


def turned(parts: Parts, view: View, change: Any, *given: Any, who: Any = HERE) -> dict[Any, Any]:
    told: dict[Any, Any] = paging._on_turn(parts, change)(who, *given, view)
    return told


@pytest.fixture
def view(parts: Parts, site: GridSite) -> View:
    """The owner's, with the second picture chosen."""
    opened = View()
    turned(parts, opened, events.open_source, site.link)
    picture._on_select(parts)(opened, GRID, str(PICTURE - 1))
    return opened


def ordered(parts: Parts, view: View, order: Any, who: Any = HERE) -> dict[Any, Any]:
    told: dict[Any, Any] = picture._on_mark(parts)(who, view, order)
    return told


def ids(view: View) -> list[int]:
    return [image.id for image in view.page.images]


def test_a_favourite_is_told_in_the_panel_and_in_its_cell(parts: Parts, view: View) -> None:
    told = ordered(parts, view, f'favourite 1 {GRID} 1')
    assert f'aria-pressed="true" data-cg-mark="favourite 0 {GRID} 1"' in told[parts.details]
    assert marks.of(archive(), [1, 2, 3]).favourites == {PICTURE}
    grid = turned(parts, view, events.go_first)[parts.grid]
    assert grid.count('data-favourite') == 1 and grid.count(', Favourite') == 1
    ordered(parts, view, f'favourite 0 {GRID} 1')
    assert 'data-favourite' not in turned(parts, view, events.go_first)[parts.grid]


def test_what_is_hidden_is_left_out_and_said_until_it_is_to_be_shown(
    parts: Parts, site: GridSite, view: View
) -> None:
    ordered(parts, view, f'hidden 1 {GRID} 1')
    told = turned(parts, view, events.go_first)
    assert ids(view) == [1, 3, 4, 5, 6] and told[parts.grid].count('thumbnail-item') == 5
    assert '1 hidden by you.' in told[parts.left] and 'show_hidden' in told[parts.left]
    assert '1 hidden by you.' not in turned(parts, view, events.go_next)[parts.left]
    turned(parts, view, events.go_previous)
    told = turned(parts, view, events.show_hidden)
    assert PICTURE in ids(view) and '1 that you hid are shown.' in told[parts.left]
    assert told[parts.grid].count('data-hidden') == 1 and told[parts.grid].count(', Hidden') == 1
    chosen = picture._on_select(parts)(view, str(view.listed), '1')
    assert '>Hidden</button>' in chosen[parts.details]
    chosen = picture._on_select(parts)(view, str(view.listed), '2')
    assert '>Hide</button>' in chosen[parts.details]
    turned(parts, view, events.show_hidden)
    assert PICTURE not in ids(view)
    assert len(site.asked('/api/v1/images')) <= 4, 'what was seen is not asked for again'


def test_strangers_see_no_marks_and_cannot_make_any(
    parts: Parts, site: GridSite, view: View
) -> None:
    ordered(parts, view, f'hidden 1 {GRID} 1')
    ordered(parts, view, f'favourite 1 {GRID} 0')
    other = View()
    told = turned(parts, other, events.open_source, site.link, who=ELSEWHERE)
    assert ids(other) == [1, 2, 3, 4, 5, 6]
    assert 'data-favourite' not in told[parts.grid] and 'hidden by you' not in told[parts.left]
    told = picture._on_select(parts)(other, GRID, '1')
    assert 'data-cg-mark' not in told[parts.details]
    told = ordered(parts, other, f'favourite 1 {GRID} 1', who=ELSEWHERE)
    assert 'Only who owns the gallery' in told[parts.sent]
    assert marks.of(archive(), [1, 2, 3]).favourites == {1}


@pytest.mark.parametrize(
    'order',
    [
        f'favourite 1 {GRID} 6',
        'favourite 1 99 1',
        f'favourite 2 {GRID} 1',
        f'nothing 1 {GRID} 1',
        f'favourite 1 {GRID} -1',
        f'favourite 1 {GRID} 1 ',
        f'favourite 1 {GRID} 1\n',
        f'favourite 1 {GRID} ²',
        "favourite 1 1'; DROP TABLE marks; -- 1",
        'x' * 9999,
        ['favourite', 1],
        {},
        7,
    ],
    ids=str,
)
def test_no_other_order_is_carried_out(parts: Parts, view: View, order: Any) -> None:
    with pytest.raises(SourceError):
        marking.carry_out(view, order)
    assert 'cg-problem' in ordered(parts, view, order)[parts.sent] or not order
    assert marks.count(archive()) == 0


def test_favourites_are_a_gallery_that_civitai_is_not_asked_for(
    parts: Parts, site: GridSite, view: View
) -> None:
    for place in (0, 3, 1, 5):
        ordered(parts, view, f'favourite 1 {GRID} {place}')
    setting.gallery_columns, asked = 3, len(site.asked('/api/'))
    liked = View()
    told = turned(parts, liked, favourites.open_favourites)
    assert ids(liked) == [6, 2, 4] and 'Favourites' in told[parts.title]
    assert told[parts.grid].count('data-favourite') == 3
    turned(parts, liked, events.go_next)
    assert ids(liked) == [1] and len(site.asked('/api/')) == asked


def test_where_nothing_is_liked_that_is_said_and_nothing_else_changes(
    parts: Parts, view: View
) -> None:
    before = ids(view)
    told = turned(parts, view, favourites.open_favourites)
    assert 'no favourites yet' in told[parts.status] and ids(view) == before
    told = paging._on_turn(parts, favourites.open_favourites, marking.refuse_others)(
        ELSEWHERE, view
    )
    assert 'Only who owns the gallery' in told[parts.status]
