"""Turning the page, without a browser: what is shown, clicked and told is of one page."""

from __future__ import annotations

import contextvars
import re
import sys
import threading
from typing import Any, Callable

import gradio as gr
import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import civitai_gallery_action as action, setting, widgets
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.tab import (
    components,
    events,
    layout,
    markup,
    offline,
    paging,
    picture,
    thumbnails,
)
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import HERE
from tests.support.grids import filled, loaded, loading_of
from tests.support.kept import download_page

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201?modelVersionId=420102'


@pytest.fixture
def view(demo: DemoServer) -> View:
    opened = View()
    events.open_source(opened, demo.url + MODEL)
    return opened


def test_a_click_opens_what_the_grid_shows_not_what_is_on_its_way(view: View) -> None:
    on_screen, pictures = filled(view), view.page.images
    events.go_next(view)
    assert events.select(view, 1, on_screen) is pictures[1]
    coming, others = filled(view), view.page.images
    assert events.select(view, 1, on_screen) is pictures[1]
    assert events.select(view, 1, coming) is others[1]


@pytest.mark.parametrize('name', ['', '0', '99', 'x' * 9999, 7, ['1'], {'1': 1}], ids=repr)
def test_a_grid_from_the_browser_is_checked(view: View, name: Any) -> None:
    filled(view)
    with pytest.raises(SourceError):
        events.select(view, 0, name)


def test_only_the_grids_that_may_still_be_on_a_screen_are_remembered(view: View) -> None:
    names = [filled(view)]
    for _ in range(5):
        (events.go_next if events.has_next(view) else events.go_first)(view)
        names.append(filled(view))
    assert list(view.shown) == names[-3:]


def test_a_bad_link_leaves_the_grid_as_it_is(view: View, parts: layout.Parts) -> None:
    filled(view)
    assert parts.grid not in paging._on_turn(parts, events.open_source)(HERE, 'garbage', view)


def test_a_page_that_a_bad_link_came_after_still_gets_its_pictures(view: View) -> None:
    with pytest.raises(SourceError):
        events.open_source(view, 'garbage')
    filled(view)
    assert not view.is_settled, 'the message about the link stays'


def test_a_page_is_told_of_when_its_pictures_are_there_by_each_that_waited(
    view: View, parts: layout.Parts
) -> None:
    assert not view.is_settled
    filled(view)
    tell = paging._on_loaded(parts)
    told = [tell(view)[parts.status] for _ in range(2)]  # the second may be the last to arrive
    assert 'picture' in told[0] and told[0] == told[1]


def counts(view: View) -> list[int]:
    return [int(number) for number in re.findall(r'\b\d+\b', markup.page_status(view))]


@pytest.mark.parametrize('scenario', ['cdn-404', 'truncated', '451'])
def test_the_status_counts_what_came_and_says_why_the_rest_did_not(
    demo: DemoServer, view: View, scenario: str
) -> None:
    demo.scenario = scenario
    shown = loaded(view)
    missing, total = shown.count(setting.no_card_preview_image), len(shown)
    status = markup.page_status(view)
    if missing:
        assert counts(view)[:3] == [total - missing, missing, total]
        assert 'cg-problem' in status and f'{total} pictures.' not in status
    else:
        assert f'{total} pictures.' in status and 'cg-calm' in status
    demo.scenario = ''
    events.go_next(view)
    filled(view)
    assert f'{len(view.page.images)} pictures.' in markup.page_status(view)


def test_a_page_of_which_nothing_came_says_so(demo: DemoServer, view: View) -> None:
    demo.scenario = 'html'
    filled(view)
    total = len(view.page.images)
    assert f'{total} of {total} pictures failed' in markup.page_status(view)


def test_why_no_picture_can_be_shown_is_told(view: View, tmp_path: Any) -> None:
    setting.shortcut_gallery_folder = str(tmp_path / 'mine')
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'diary.txt').touch()
    assert not thumbnails.show(view)
    assert view.is_settled and view.problem is not None
    assert 'folder of its own' in view.problem.message_in('en')


# -- the box of versions --------------------------------------------------------------------------


def test_a_version_that_is_shown_is_not_asked_for_again(demo: DemoServer, view: View) -> None:
    events.go_next(view)
    assert view.gallery is not None and view.gallery.version is not None
    asked, page = len(demo.requests), view.page
    events.choose_version(view, view.gallery.version.label)
    assert len(demo.requests) == asked and view.page is page and view.trail.page_number == 2


def test_a_version_on_its_way_is_not_asked_for_twice_but_the_one_before_is(
    demo: DemoServer, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view.gallery is not None and view.gallery.model is not None
    shown, other = view.gallery.version, view.gallery.model.versions[-1]
    assert shown is not None and shown != other
    client, entered, go_on = action.get_http_client(), threading.Event(), threading.Event()

    class Slow:
        def fetch_json(self, *args: Any) -> Any:
            entered.set()
            assert go_on.wait(timeout=30)
            return client.fetch_json(*args)

    monkeypatch.setattr(action, 'get_http_client', lambda: Slow())
    slow = threading.Thread(target=lambda: events.choose_version(view, other.label))
    slow.start()
    assert entered.wait(timeout=30)
    monkeypatch.setattr(action, 'get_http_client', lambda: client)
    assert not events.is_other_version(view, other.label)
    events.choose_version(view, shown.label)
    go_on.set()
    slow.join()
    assert view.gallery.version == shown and events.is_other_version(view, other.label)


def test_a_version_that_did_not_come_can_be_chosen_again(demo: DemoServer, view: View) -> None:
    assert view.gallery is not None and view.gallery.model is not None
    other = view.gallery.model.versions[-1]
    demo.scenario = '400'
    with pytest.raises(Exception, match='400'):
        events.choose_version(view, other.label)
    demo.scenario = ''
    events.choose_version(view, other.label)
    assert view.gallery.version == other


# -- what comes late -------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def parts() -> layout.Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


def changes(step: dict[Any, Any]) -> dict[Any, Any]:
    """What a handler changes."""
    return {part: value for part, value in step.items() if value != gr.update()}


def test_a_picture_that_comes_after_the_page_was_turned_is_not_shown_again(
    view: View, parts: layout.Parts
) -> None:
    name = filled(view)
    assert changes(picture._on_select(parts)(view, name, '2'))
    events.go_next(view)
    assert not changes(picture._on_told(parts)(view))


def test_a_picture_is_shown_small_and_large_and_told_of(view: View, parts: layout.Parts) -> None:
    name = filled(view)
    assert view.given
    small = changes(picture._on_select(parts)(view, name, '2'))
    stage, one = small[parts.image], loading_of(view).smalls[2].name
    assert f'/picture/{view.given.secret}/{one}"' in stage
    assert f'/large/{view.given.secret}/{name}/2"' in stage
    assert 'Steps: ' in changes(picture._on_told(parts)(view))[parts.infotext]


def test_a_listing_that_comes_too_late_says_nothing(view: View, parts: layout.Parts) -> None:
    def superseded(shown: View) -> None:
        shown.begin()
        shown.begin()

    assert not changes(paging._on_turn(parts, superseded)(HERE, view))


def test_of_two_turns_at_once_the_one_that_began_last_is_shown(
    view: View, parts: layout.Parts
) -> None:
    turn = paging._on_turn(parts, events.go_next)
    before: list[dict[Any, Any]] = []

    def meanwhile(request: Any) -> None:
        """Another event of the same tab, which came later and is over before."""
        context = contextvars.copy_context()
        before.append(changes(context.run(turn, request, view)))

    told = changes(paging._on_turn(parts, events.go_next, meanwhile)(HERE, view))
    assert parts.grid in before[0] and parts.grid in told
    list(paging._on_loaded(parts)(view))
    assert view.is_settled and 'Page 3' in told[parts.page_info]


def test_however_close_turns_are_what_the_last_one_brought_stays(
    view: View, parts: layout.Parts
) -> None:
    ways = events.go_next, events.go_previous
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            ready = threading.Barrier(len(ways))

            def turn(way: Callable[[View], None], ready: threading.Barrier = ready) -> None:
                ready.wait()
                paging._on_turn(parts, way)(HERE, view)

            turns = [threading.Thread(target=turn, args=(way,)) for way in ways]
            for one in turns:
                one.start()
            for one in turns:
                one.join()
            assert thumbnails.load(view) and view.is_settled, (view.turn, view.listed)
    finally:
        sys.setswitchinterval(usual)


def test_the_last_click_wins_in_whatever_order_clicks_come(view: View, parts: layout.Parts) -> None:
    name, handler = filled(view), picture._on_select(parts)
    assert changes(handler(view, name, '9', '10'))
    assert not changes(handler(view, name, '8', '9'))
    assert view.selected is view.page.images[9]


@pytest.mark.parametrize('number', [None, '', 'x', '²', '-1', '9' * 9999, [], {}, True], ids=repr)
def test_a_click_that_nobody_counted_counts_as_the_last(view: View, number: Any) -> None:
    assert view.is_last_click('7') and view.is_last_click(number) and not view.is_last_click('6')


def open_another(view: View) -> None:
    events.open_source(view, f'{setting.civitai_base_url}/models/4317')


@pytest.mark.parametrize(
    ('change', 'is_running', 'goes'),
    [
        (open_another, False, True),
        (open_another, True, False),
        (events.go_next, False, False),
    ],
    ids=['another-gallery', 'while-it-runs', 'another-page'],
)
def test_what_a_download_told_goes_with_its_gallery(
    view: View, parts: layout.Parts, change: Any, is_running: bool, goes: bool
) -> None:
    steps = download_page(view)
    next(steps)
    if not is_running:
        list(steps)
    told = changes(paging._on_turn(parts, change)(HERE, view))
    assert (told.get(parts.kept) == '') is goes
    list(steps)


# -- what does not come ----------------------------------------------------------------------------


def shown_after(
    parts: layout.Parts, view: View, change: Any, *given: Any, check: Any = None
) -> dict[Any, Any]:
    """What the components show after a turn."""
    checks = {'check': check} if check else {}
    return changes(paging._on_turn(parts, change, **checks)(HERE, *given, view))


def other_version(view: View) -> str:
    assert view.gallery is not None and view.gallery.model is not None
    return view.gallery.model.versions[-1].label


GONE = ['/models/999999999', '/user/nobody_at_all_here', '/posts/999999999', '/images/999999999']
GONE += ['/model-versions/999999999']


@pytest.mark.parametrize('link', [*GONE, '', 'no link'])
def test_what_stays_on_show_after_a_load_that_failed_is_called_what_it_is(
    view: View, parts: layout.Parts, link: str
) -> None:
    filled(view)
    pasted = setting.civitai_base_url + link if link.startswith('/') else link
    shown = shown_after(parts, view, events.open_source, pasted)
    assert 'cg-problem' in shown[parts.status]
    assert 'Paper Horizons XL' in shown[parts.title] and 'Still' in shown[parts.title]
    assert 'download “Paper Horizons XL · v2.0 Dusk”' in shown[parts.keeps]
    assert shown[parts.download_page]['interactive'] is True
    later = shown_after(parts, view, events.go_next)
    assert 'Still' not in later[parts.title] and later[parts.keeps] == ''


def test_a_version_or_a_saved_gallery_that_does_not_come_is_told_the_same_way(
    demo: DemoServer, view: View, parts: layout.Parts
) -> None:
    demo.scenario = '400'
    shown = shown_after(parts, view, events.choose_version, other_version(view))
    assert 'Still' in shown[parts.title] and 'v2.0 Dusk' in shown[parts.keeps]
    demo.scenario = ''
    events.go_first(view)
    shown = shown_after(parts, view, offline.open_job, '99', check=widgets.refuse_jobs)
    assert 'Still' in shown[parts.title] and 'v2.0 Dusk' in shown[parts.keeps]


@pytest.mark.parametrize('change', [events.go_next, events.go_first])
def test_a_page_that_does_not_come_leaves_the_page_and_no_doubt(
    demo: DemoServer, view: View, parts: layout.Parts, change: Any
) -> None:
    page, demo.scenario = view.page, '400'
    shown = shown_after(parts, view, change)
    assert 'cg-problem' in shown[parts.status] and view.page is page
    assert 'Still' not in shown[parts.title] and shown[parts.keeps] == ''


def test_where_nothing_was_shown_nothing_is_called_older(
    demo: DemoServer, parts: layout.Parts
) -> None:
    shown = shown_after(parts, View(), events.open_source, 'no link')
    assert shown[parts.title] == '' and shown[parts.keeps] == ''
    assert shown[parts.download_page]['interactive'] is False
