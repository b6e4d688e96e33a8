"""Words in the box for links, without a browser: what is asked, shown and left as it was."""

from __future__ import annotations

import html
import json
import re
import threading
from types import SimpleNamespace
from typing import Any, Callable

import gradio as gr
import pytest

from civitai_demo.server import OPENING_PATH, DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.api import models
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import components, events, finding, home, opening, paging
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.loading import State
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grid_site import GridSite, jpeg
from tests.support.grids import filled, loading_of
from tests.support.network import at_home
from tests.support.scripted_server import Request, ScriptedServer, ok
from tests.tab.test_paging import changes

pytestmark = pytest.mark.usefixtures('downloads')

EVIL = '"><img src=x onerror=alert(1)>'


def visitor(**headers: str) -> Any:
    client = SimpleNamespace(host='127.0.0.1', port=1)
    return SimpleNamespace(headers={'host': '127.0.0.1:7860', **headers}, client=client)


HERE, OTHER_SITE = visitor(), visitor(**{'sec-fetch-site': 'cross-site'})


@pytest.fixture(scope='module')
def parts() -> Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


@pytest.fixture
def load(parts: Parts) -> Callable[..., dict[Any, Any]]:
    """What pressing Load changes."""
    loading = paging._on_turn(parts, opening.open_pasted)

    def pressed(view: View, text: object, request: Any = HERE) -> dict[Any, Any]:
        return changes(loading(request, text, '', view))

    return pressed


def links(markup: str) -> list[str]:
    """What the cards open."""
    return re.findall(r'cg-card-open" href="[^"]*" data-cg-source="([^"]*)"', markup)


def test_words_bring_cards_that_open_galleries(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    told = load(view, 'paper')
    card = told[parts.start.found]
    assert links(card) == [f'{demo.url}/models/4201']
    for word in ('Paper Horizons XL', 'Checkpoint', 'SDXL 1.0', '@MapleLantern'):
        assert word in card
    assert '1 model.' in told[parts.status] and parts.grid not in told
    load(view, links(card)[0])
    assert view.gallery is not None and view.gallery.model is not None
    assert view.gallery.model.id == 4201


def test_the_pictures_of_the_cards_come_by_the_way_of_the_grid(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    card = load(view, 'paper')[parts.start.found]
    loading = loading_of(view, view.search.grid)
    assert loading.wait(30) and not loading.failed
    (small,) = loading.smalls
    assert view.given and f'picture/{view.given.secret}/{small.name}' in card
    assert small.level == 1 and not re.search(r'src="http', card)


def test_a_gallery_takes_the_place_of_the_cards_and_cards_leave_the_gallery_as_it_is(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    events.open_source(view, demo.url + OPENING_PATH)
    filled(view)
    gallery, page = view.gallery, view.page
    assert parts.grid not in load(view, 'gouache')
    assert view.gallery is gallery and view.page is page
    assert load(view, demo.url + '/models/4452')[parts.start.found] == ''


def test_more_is_brought_as_long_as_there_is_more(
    demo: DemoServer,
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, 'FOUND_AT_ONCE', 4)
    view, more = View(), paging._on_turn(parts, finding.find_more)
    told = load(view, 'a')
    assert len(links(told[parts.start.found])) == 4 and 'data-cg-more' in told[parts.start.found]
    told = changes(more(HERE, view))
    assert len(set(links(told[parts.start.found]))) == 6
    assert 'data-cg-more' not in told[parts.start.found]
    asked = len(demo.requests)
    more(HERE, view)
    assert len(demo.requests) == asked and len(view.search.page.models) == 6


def test_a_search_that_finds_nothing_says_so_and_what_to_do(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    told = load(View(), 'nobody called a model so')
    assert 'no model by “nobody called a model so”' in told[parts.status]
    assert 'fewer words' in told[parts.start.found] and not links(told[parts.start.found])


@pytest.mark.parametrize('typed', ['https://civitai.con/models/4201', 'civitai.com/model/4201'])
def test_a_link_with_a_slip_of_the_keys_is_told_and_not_searched_for(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]], typed: str
) -> None:
    told = load(View(), typed)
    assert 'cg-problem' in told[parts.status] and demo.requests == []
    assert told[parts.start.found] == ''


@pytest.mark.parametrize('typed', ['{}', '"{}"', 'Authorization: Bearer {}', 'paper {}'])
def test_a_key_in_the_box_is_sent_nowhere_and_its_place_is_told(
    demo: DemoServer,
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    caplog: pytest.LogCaptureFixture,
    typed: str,
) -> None:
    key = '0123456789abcdef' * 2
    told = load(View(), typed.format(key))
    assert 'looks like an API key' in told[parts.status] and demo.requests == []
    assert 'data-show="key"' in told[parts.status]
    assert key not in str(told) and key not in caplog.text


BEFORE = 'Still the models found before'


@pytest.mark.parametrize('typed', ['gouache', 'civitai.com/model/4201', '/models/4452'])
def test_what_fails_says_why_and_leaves_what_was_found_marked_as_from_before(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]], typed: str
) -> None:
    view = View()
    assert BEFORE not in load(view, 'paper')[parts.start.found]
    demo.scenario = '451'
    told = load(view, demo.url + typed if typed.startswith('/') else typed)
    assert 'cg-problem' in told[parts.status]
    assert BEFORE in told[parts.start.found] and 'Models for “paper”' in told[parts.start.found]
    assert links(told[parts.start.found]) == [f'{demo.url}/models/4201']
    demo.scenario = ''
    assert BEFORE not in load(view, 'gouache')[parts.start.found]


def test_what_found_nothing_is_not_told_of_as_models_from_before(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    assert links(load(view, 'nosuchword')[parts.start.found]) == []
    told = load(view, '@nobodyhere')
    assert 'cg-problem' in told[parts.status] and 'nosuchword' in told[parts.start.found]
    assert BEFORE not in told[parts.start.found]


def test_a_search_that_fails_marks_the_gallery_as_from_before_until_another_comes(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    load(view, demo.url + OPENING_PATH)
    demo.scenario = '451'
    assert 'Still the gallery from before' in load(view, 'paper')[parts.title]
    demo.scenario = ''
    assert 'Still the gallery' not in load(view, 'paper')[parts.title]


def test_what_was_closed_does_not_come_back_with_a_link_that_is_refused(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    view = View()
    load(view, demo.url + OPENING_PATH)
    filled(view)
    load(view, 'paper')
    told = home._on_close(parts)(HERE, view)
    assert f'{len(view.page.images)} pictures.' in told[parts.status]
    told = load(view, 'civitai.com/model/4201')
    assert told[parts.start.found] == '' and 'Still the gallery' in told[parts.title]
    told = home._on_close(parts)(HERE, view)
    assert not changes(told).get(parts.status)  # why it was refused stays


def test_nothing_is_searched_for_a_page_of_another_site(
    demo: DemoServer, parts: Parts, load: Callable[..., dict[Any, Any]]
) -> None:
    told = load(View(), 'paper', OTHER_SITE)
    assert 'cg-problem' in told[parts.status] and demo.requests == []


def site_of(*items: dict[str, Any], wait: Callable[[], object] = lambda: None) -> ScriptedServer:
    """A site whose search finds these models, and calls `wait` before it answers."""

    def answer(request: Request) -> bytes:
        wait()
        return ok(json.dumps({'items': items, 'metadata': {}}).encode())

    return ScriptedServer(handler=answer)


def model(number: int, **more: Any) -> dict[str, Any]:
    return {'id': number, 'name': f'model {number}', 'type': 'LORA', 'nsfwLevel': 1, **more}


def test_hostile_words_of_a_site_are_nothing_but_text(
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    client: CivitaiHttpClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = [{'id': 9, 'name': EVIL, 'baseModel': EVIL, 'images': [{'url': EVIL}]}]
    evil = {'name': EVIL, 'type': EVIL, 'creator': {'username': EVIL}, 'modelVersions': versions}
    with site_of(model(7, **evil)) as site:
        at_home(monkeypatch, site)
        drawn = load(View(), f'words {EVIL}')[parts.start.found]
    assert '<img src=x' not in drawn and html.escape(EVIL) in drawn


def test_models_above_the_ceiling_are_not_shown_and_that_is_said(
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    client: CivitaiHttpClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = {'id': 1, 'url': 'https://image.civitai.com/x/1/original=true/1.jpeg', 'nsfwLevel': 8}
    versions = [{'id': 9, 'name': 'v1', 'images': [picture]}]
    view = View()
    with site_of(model(7, modelVersions=versions), model(8, nsfwLevel=24)) as site:
        at_home(monkeypatch, site)
        told = load(view, 'words')
    assert links(told[parts.start.found]) == [f'{setting.civitai_base_url}/models/7']
    assert '1 above your maturity ceiling (PG)' in told[parts.status]
    assert [one.name for one in loading_of(view, view.search.grid).smalls] == ['']
    assert '<img' not in told[parts.start.found]  # nothing that looks like a failure


def test_what_comes_late_does_not_take_the_place_of_what_was_asked_for_since(
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    demo: DemoServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view, late = View(), dict[Any, Any]()
    asked, hold = threading.Event(), threading.Event()
    with site_of(model(7), wait=lambda: (asked.set(), hold.wait(30))) as slow:
        at_home(monkeypatch, slow)
        first = threading.Thread(target=lambda: late.update(load(view, 'slow words')))
        first.start()
        assert asked.wait(30)
        setting.civitai_base_url = demo.url
        load(view, 'paper')
        hold.set()
        first.join(30)
    assert not late and view.search.words == 'paper'


def test_the_pictures_of_the_gallery_come_on_while_models_are_shown(
    load: Callable[..., dict[Any, Any]],
    client: CivitaiHttpClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, view, hold = GridSite(4), View(), threading.Event()

    def late() -> bytes:
        hold.wait(30)
        return ok(jpeg(1), Content_Type='image/jpeg')

    site.instead['/key/'] = late
    site.instead['/api/v1/models'] = ok(json.dumps({'items': [model(7)], 'metadata': {}}).encode())
    with site.server:
        at_home(monkeypatch, site.server)
        load(view, site.link)
        for words in ('one', 'another', 'a third', 'a fourth'):
            load(view, words)
        hold.set()
        loading = loading_of(view)
        assert loading.wait(30) and len(loading.places(State.THERE)) == 4


def test_a_cursor_that_was_there_before_leads_nowhere(
    parts: Parts,
    load: Callable[..., dict[Any, Any]],
    client: CivitaiHttpClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circle = {'items': [model(7)], 'metadata': {'nextCursor': '24'}}
    with ScriptedServer(handler=lambda request: ok(json.dumps(circle).encode())) as site:
        at_home(monkeypatch, site)
        view, more = View(), paging._on_turn(parts, finding.find_more)
        assert 'data-cg-more' in load(view, 'words')[parts.start.found]
        drawn = changes(more(HERE, view))[parts.start.found]
        assert 'data-cg-more' not in drawn and len(links(drawn)) == 1
