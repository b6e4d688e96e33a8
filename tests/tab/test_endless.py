"""A grid that grows: the next page comes below what is there. Without a browser."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.tab import (
    address,
    components,
    endless,
    events,
    layout,
    marking,
    markup,
    paging,
)
from scripts.civitai_manager_libs.tab.loading import State
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import HERE
from tests.support.grids import filled, loading_of

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201?modelVersionId=420102'


@pytest.fixture(autouse=True)
def endless_by_setting() -> None:
    setting.gallery_endless = True
    setting.gallery_columns, setting.gallery_rows = 4, 2


@pytest.fixture
def view(demo: DemoServer) -> View:
    opened = View()
    events.open_source(opened, demo.url + MODEL)
    return opened


@pytest.fixture(scope='module')
def parts() -> layout.Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


def ids(view: View) -> list[int]:
    return [image.id for image in view.page.images]


def turn(parts: layout.Parts, view: View, change: Any, *given: Any) -> dict[Any, Any]:
    """What the components show after a turn."""
    return paging._on_turn(parts, change)(HERE, *given, view)


def test_next_comes_below_in_the_same_order_and_what_was_chosen_stays(
    view: View, parts: layout.Parts
) -> None:
    first, name = ids(view), filled(view)
    chosen = events.select(view, 3, name)
    shown = turn(parts, view, events.go_next)
    assert ids(view)[:8] == first and len(ids(view)) == len(set(ids(view))) == 16
    assert view.selected is chosen and parts.infotext not in shown and parts.grid not in shown
    more = shown[parts.more]
    assert f'data-after="{name}"' in more and f'data-grid="{view.listed}"' in more
    assert re.findall('data-index="([0-9]+)"', more) == [str(n) for n in range(8, 16)]
    assert 'Pages' in shown[parts.page_info] or '1–2' in shown[parts.page_info]
    assert events.select(view, 12, str(view.listed)).id == ids(view)[12]
    assert events.select(view, 3, name).id == first[3], 'a click on the way still shows its picture'
    assert all(one.state is State.THERE for one in loading_of(view).smalls[:8])
    assert shown[parts.prev]['interactive'] is False


def test_a_page_that_is_downloaded_is_what_is_shown(view: View) -> None:
    events.go_next(view)
    assert len(view.page.images) == 16 and '16 pictures.' in _status(view)


def _status(view: View) -> str:
    filled(view)
    return markup.page_status(view)


def test_what_is_hidden_is_shown_among_all_that_came_below(view: View, parts: layout.Parts) -> None:
    turn(parts, view, events.go_next)
    every, hidden = ids(view), ids(view)[10]
    marking.carry_out(view, f'hidden 1 {filled(view)} 10')
    turn(parts, view, events.go_first)
    turn(parts, view, events.go_next)
    assert hidden not in ids(view) and len(ids(view)) == 15

    shown = turn(parts, view, events.show_hidden)
    assert ids(view) == every and shown[parts.more] == ''
    assert shown[parts.grid].count('cg-cell"') == 16 and shown[parts.grid].count('data-hidden') == 1
    assert '1–2' in shown[parts.page_info]
    filled(view)
    more = turn(parts, view, events.go_next)[parts.more]
    assert re.findall('data-index="([0-9]+)"', more) == [str(n) for n in range(16, 24)]


def test_no_total_is_told_that_changes_as_more_comes(view: View, parts: layout.Parts) -> None:
    filled(view)
    more = turn(parts, view, events.go_next)[parts.more]
    assert 'aria-label="Picture 9,' in more and ' of ' not in more


def test_it_does_not_grow_without_end(
    view: View, parts: layout.Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, 'MOST_SHOWN', 20)
    filled(view)
    shown = turn(parts, view, events.go_next)
    assert len(ids(view)) == 16 and not endless.will_grow(view)
    assert shown[parts.next]['value'] == 'Next ›'
    shown = turn(parts, view, events.go_next)
    assert len(ids(view)) == 8 and 'cg-grid' in shown[parts.grid] and shown[parts.more] == ''
    assert shown[parts.next]['value'] == 'Load more ›'
    turn(parts, view, events.go_next)
    assert view.trail.page_number == 4 and len(ids(view)) == 16
    third = ids(view)
    events.go_previous(view)
    assert view.trail.page_number == 2 and len(ids(view)) == 8
    assert not set(third) & set(ids(view))


def test_another_gallery_filter_or_first_page_begins_anew(view: View, parts: layout.Parts) -> None:
    first = ids(view)
    filled(view)
    for change, given in (
        (events.go_first, ()),
        (events.choose_filters, ('{"sort": "Oldest"}',)),
        (events.open_source, (f'{setting.civitai_base_url}/models/4452',)),
    ):
        turn(parts, view, events.go_next)
        assert len(ids(view)) == 16
        shown = turn(parts, view, change, *given)
        assert len(ids(view)) == 8 and parts.grid in shown and view.selected is None
        if change is events.go_first:
            assert ids(view) == first


def test_the_address_names_the_first_page_of_the_grid(view: View) -> None:
    named = address.of_view(view)
    events.go_next(view)
    events.go_next(view)
    assert address.of_view(view) == named


def test_a_filter_of_the_prompt_counts_for_what_came_below_too(demo: DemoServer) -> None:
    view = View()
    events.open_source(view, demo.url + '/models/4452', '{"with_prompt": true}')
    while endless.will_grow(view) and events.has_next(view):
        events.go_next(view)
    left = view.filters.left
    assert left.counts['with_prompt'] + len(ids(view)) == left.total


def test_what_does_not_come_leaves_the_grid_as_it_was(
    demo: DemoServer, view: View, parts: layout.Parts
) -> None:
    before = view.page
    demo.scenario = '400'
    shown = turn(parts, view, events.go_next)
    assert view.page is before and 'cg-problem' in shown[parts.status] and parts.more not in shown


def test_without_the_setting_pages_are_turned(view: View) -> None:
    setting.gallery_endless = False
    events.go_next(view)
    assert len(ids(view)) == 8 and view.trail.page_number == 2
