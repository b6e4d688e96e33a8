"""A listing that takes long: told while it does, and given up at once. Without a browser."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Iterator

import gradio as gr
import pytest

from scripts.civitai_manager_libs import notices, setting
from scripts.civitai_manager_libs.errors import CancelledError
from scripts.civitai_manager_libs.tab import components, events, layout, markup, opening, paging
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE, HERE
from tests.support.grid_site import GridSite
from tests.support.grids import filled
from tests.support.scripted_server import STALL, ok

pytestmark = pytest.mark.usefixtures('downloads')

SOON = 10.0
BUSY = ok(b'{"error": "busy"}', status=503, Retry_After='20')


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[GridSite]:
    made = GridSite(pages=3)
    with made.server:
        setting.civitai_base_url = made.server.url
        setting.gallery_columns, setting.gallery_rows = 3, 2
        yield made
        made.server.release.set()


@pytest.fixture(scope='module')
def parts() -> layout.Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


@pytest.fixture
def view(site: GridSite) -> View:
    opened = View()
    events.open_source(opened, site.link)
    return opened


class Turn:
    """A turn in a thread of its own, and what came of it."""

    def __init__(self, parts: layout.Parts, view: View, change: Any, *given: Any) -> None:
        self.shown: dict[Any, Any] = {}
        self.parts = parts
        self._turn = view.turn

        def work() -> None:
            self.shown = paging._on_turn(parts, change)(HERE, *given, view)

        self.thread = threading.Thread(target=work)
        self.thread.start()
        until(lambda: view.turn > self._turn)

    def over(self) -> str:
        """Wait for the end; what the status says."""
        self.thread.join(timeout=SOON)
        assert not self.thread.is_alive()
        return str(self.shown.get(self.parts.status, ''))


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_listing_that_is_waited_for_says_what_the_site_asks_and_ends_when_it_is_given_up(
    site: GridSite, view: View, parts: layout.Parts
) -> None:
    assert markup.waits(View()) == ''
    site.instead['/api/v1/images'] = BUSY
    page = view.page
    turn = Turn(parts, view, events.choose_filters, '{"sort": "Oldest"}')
    until(lambda: 'asks us to wait' in markup.waits(view))
    said = markup.waits(view)
    assert '127.0.0.1' in said and 'data-cancel-load' in said and '503' in said
    began = time.monotonic()
    assert paging._on_cancel(view, HERE) == ''
    status = turn.over()
    assert time.monotonic() - began < 2
    assert 'Stopped' in status and 'cg-calm' in status
    assert view.page is page and markup.waits(view) == ''
    assert 'Still the gallery from before' in turn.shown[parts.title]


def test_a_silent_listing_can_be_given_up_before_anything_is_told(
    site: GridSite, view: View, parts: layout.Parts
) -> None:
    site.instead['sort=Oldest'] = (STALL,)
    turn = Turn(parts, view, events.choose_filters, '{"sort": "Oldest"}')
    until(site.server.stalled.is_set)
    assert 'Loading the gallery' in markup.waits(view)
    view.waits.give_up()
    assert 'Stopped' in turn.over()


def test_a_page_that_is_fetched_ahead_is_waited_for_no_longer_than_wanted(
    site: GridSite, view: View, parts: layout.Parts
) -> None:
    filled(view)
    site.instead['cursor=2'] = (STALL,)
    events.load_ahead(view)
    until(site.server.stalled.is_set)
    turn = Turn(parts, view, events.go_next)
    until(lambda: markup.waits(view))
    paging._on_cancel(view, HERE)
    assert 'Stopped' in turn.over() and view.trail.page_number == 1
    site.server.release.set()
    site.instead.clear()
    events.go_next(view)
    assert view.trail.page_number == 2


def test_a_listing_that_is_replaced_ends(site: GridSite, view: View, parts: layout.Parts) -> None:
    site.instead['sort=Oldest'] = (STALL,)
    before = Turn(parts, view, events.choose_filters, '{"sort": "Oldest"}')
    until(site.server.stalled.is_set)
    assert Turn(parts, view, events.choose_filters, '{"sort": "Newest"}').over()
    assert before.over() == str(gr.update())
    assert view.gallery is not None and view.gallery.query.sort == 'Newest'


@pytest.mark.parametrize(
    ('answer', 'why'),
    [
        (ok(b'{}', status=503, Retry_After='200'), '(503)'),
        (ok(b'{}', status=429, Retry_After='200'), '(429)'),
        (ok(b'<html></html>', Content_Type='text/html'), 'web page'),
    ],
    ids=['busy', 'too many', 'another page'],
)
def test_what_could_not_be_listed_is_asked_for_again_just_as_it_was(
    site: GridSite, view: View, parts: layout.Parts, answer: Any, why: str
) -> None:
    site.instead['sort=Oldest'] = answer
    status = Turn(parts, view, events.choose_filters, '{"sort": "Oldest"}').over()
    assert why in status and 'data-repeat-load' in status
    site.instead.clear()
    status = paging._on_repeat(parts)(HERE, view)[parts.status]
    assert 'data-repeat-load' not in status
    assert view.gallery is not None and view.gallery.query.sort == 'Oldest'


def test_a_wait_that_was_given_up_can_be_begun_again(
    site: GridSite, view: View, parts: layout.Parts
) -> None:
    site.instead['cursor=2'] = (STALL,)
    turn = Turn(parts, view, events.go_next)
    until(site.server.stalled.is_set)
    view.waits.give_up()
    assert 'data-repeat-load' in turn.over()
    site.server.release.set()
    site.instead.clear()
    assert view.trail.page_number == 1
    paging._on_repeat(parts)(HERE, view)
    assert view.trail.page_number == 2


def test_words_whose_search_failed_are_searched_for_again(
    site: GridSite, view: View, parts: layout.Parts
) -> None:
    site.instead['/api/v1/models'] = ok(b'{}', status=503, Retry_After='200')
    told = paging._on_turn(parts, opening.open_pasted)(HERE, 'paper horizons', '', view)
    assert 'data-repeat-load' in told[parts.status]
    site.instead['/api/v1/models'] = ok(b'{"items": [], "metadata": {}}')
    told = paging._on_repeat(parts)(HERE, view)
    assert 'paper horizons' in told[parts.status] and 'data-repeat-load' not in told[parts.status]


@pytest.mark.parametrize(
    ('link', 'status'), [('/posts/7', 404), ('/posts/7', 401), ('nothing/at/all', 0)]
)
def test_what_would_fail_again_is_not_offered_again(
    site: GridSite, view: View, parts: layout.Parts, link: str, status: int
) -> None:
    if status:
        site.instead['postId=7'] = ok(b'{}', status=status)
    shown = paging._on_turn(parts, events.open_source)(HERE, site.server.url + link, '', view)
    assert 'cg-problem' in shown[parts.status] and 'data-repeat-load' not in shown[parts.status]


def test_a_page_of_another_site_gives_up_nothing(view: View) -> None:
    stranger = type(
        'Asked', (), {'client': HERE.client, 'headers': {'sec-fetch-site': 'cross-site'}}
    )
    with pytest.raises(Exception, match='site'):
        paging._on_cancel(view, stranger)  # type: ignore[arg-type]
    assert view.waits.stop and not view.waits.stop.is_set()


def test_what_else_is_told_meanwhile_goes_where_it_went(view: View, parts: layout.Parts) -> None:
    told: list[str] = []

    def change(shown: View) -> None:
        shown.begin()
        notices.tell('download_nothing')
        notices.tell('notice_waiting', host='x', seconds=9, attempt=2, tries=5)
        raise CancelledError()

    with notices.going_to(lambda key, values: told.append(key)):
        paging._on_turn(parts, change)(ELSEWHERE, view)
    assert told == ['download_nothing']
    assert 'try 2 of 5' in view.waits.told.sentence
