"""The routes that the pictures of a grid come from: whom they answer, and with what."""

from __future__ import annotations

import asyncio
import html
import os
import re
import threading
import time
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urljoin

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gradio.routes import App
from starlette.routing import Mount

from scripts.civitai_manager_libs import setting, widgets
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import cache
from scripts.civitai_manager_libs.tab import events, grid_markup, loading, routes, thumbnails
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grid_site import GridSite, jpeg
from tests.support.grids import filled, loading_of
from tests.support.network import png
from tests.support.scripted_server import STALL

SECONDS = 30


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


@pytest.fixture(scope='module')
def host() -> Iterator[str]:
    """The address of a page of gradio with our routes."""
    with gr.Blocks() as blocks:
        gr.HTML('')
    yield widgets.launch(blocks, prepare=routes.serve).rstrip('/')
    blocks.close()


def ask(host: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f'{host}/civitai-gallery/{path}', headers=headers, timeout=SECONDS)


def secret_of(view: View) -> str:
    assert view.given is not None
    return view.given.secret


def addresses(view: View) -> list[str]:
    """The paths of the small pictures of the page, below the route."""
    return [f'picture/{secret_of(view)}/{one.name}' for one in loading_of(view).smalls]


def test_a_picture_that_was_given_is_served_as_what_it_is(host: str, view: View) -> None:
    filled(view)
    for number, address in enumerate(addresses(view), start=1):
        answer = ask(host, address)
        assert answer.status_code == 200 and answer.content == jpeg(number)
        assert answer.headers['content-type'] == 'image/jpeg'
        assert answer.headers['x-content-type-options'] == 'nosniff'
        assert answer.headers['cache-control'] == 'private, max-age=604800, immutable'
        assert answer.headers['cross-origin-resource-policy'] == 'same-origin'


def test_the_bytes_tell_the_type_whatever_the_name(host: str, view: View) -> None:
    filled(view)
    one = Path(setting.shortcut_gallery_folder) / loading_of(view).smalls[0].name
    one.write_bytes(png())
    assert ask(host, addresses(view)[0]).headers['content-type'] == 'image/png'
    for content in (b'<html><script>alert(1)</script>', b'<svg onload="x"/>', b'', b'\0' * 99):
        one.write_bytes(content)
        assert ask(host, addresses(view)[0]).status_code == 404


@pytest.mark.parametrize(
    'name',
    [
        '..%2f..%2fsettings.json',
        '%2e%2e/settings.json',
        '../../config',
        'CACHEDIR.TAG',
        '{name}%00',
        '{name}%20',
        '{name}.html',
        '0{name}',
        '{upper}',
        '{other}',
        '%2fetc%2fpasswd',
        'C:%5cWindows',
        '.',
        '%f0%9f%98%80',
        'x' * 5000,
    ],
    ids=lambda name: name[:30],
)
def test_no_other_name_is_served(host: str, view: View, name: str) -> None:
    filled(view)
    folder, known = Path(setting.shortcut_gallery_folder), loading_of(view).smalls[0].name
    other = cache.picture_name('http://elsewhere/never-given.jpeg')
    (folder / other).write_bytes(jpeg(1))
    asked = name.format(name=known, upper=known.upper(), other=other)
    answer = ask(host, f'picture/{secret_of(view)}/{asked}')
    assert answer.status_code == 404 and b'JFIF' not in answer.content


@pytest.mark.skipif(os.name == 'nt', reason='links need a right there')
def test_a_link_in_the_cache_leads_nowhere(host: str, view: View, tmp_path: Path) -> None:
    filled(view)
    one = Path(setting.shortcut_gallery_folder) / loading_of(view).smalls[0].name
    (tmp_path / 'secret.jpeg').write_bytes(jpeg(1))
    one.unlink()
    one.symlink_to(tmp_path / 'secret.jpeg')
    assert ask(host, addresses(view)[0]).status_code == 404


@pytest.mark.parametrize('secret', ['', 'x', 'x' * 5000, '..', '%00', '{other}'])
def test_only_the_tab_that_was_given_a_picture_gets_it(
    host: str, site: GridSite, view: View, secret: str
) -> None:
    filled(view)
    other = View()
    events.open_source(other, site.link)
    events.go_next(other)
    filled(other)
    asked = secret.format(other=secret_of(other))
    one = loading_of(view).smalls[0]
    for path in (f'picture/{asked}/{one.name}', f'grid/{asked}/99'):
        assert ask(host, path).status_code in (404, 307)


def test_what_the_ceiling_forbids_by_now_is_not_served(
    host: str, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(view)
    loading_of(view).smalls[0].level = 4
    assert ask(host, addresses(view)[0]).status_code == 404
    monkeypatch.setattr(setting, 'gallery_maturity_ceiling', 'R')
    assert ask(host, addresses(view)[0]).status_code == 200


def test_a_tab_that_was_closed_gets_nothing(host: str, view: View) -> None:
    filled(view)
    known = addresses(view)[0]
    view.given = None
    assert ask(host, known).status_code == 404


def test_pages_before_the_last_few_are_forgotten(host: str, view: View) -> None:
    filled(view)
    known = addresses(view)[0]
    for turn in (events.go_next, events.go_first, events.go_next):
        turn(view)
        filled(view)
        assert ask(host, known).status_code == 200
    for _ in range(2):
        events.go_next(view)  # there is none, so the same page comes once more
        filled(view)
    assert ask(host, known).status_code == 404


# -- what is on its way ----------------------------------------------------------------------------


def test_a_picture_on_its_way_is_asked_for_again_later(
    host: str, site: GridSite, view: View
) -> None:
    site.instead['/p1/'] = (STALL,)
    thumbnails.show(view)
    assert site.server.stalled.wait(SECONDS)
    answer = ask(host, addresses(view)[0])
    assert answer.status_code == 503 and answer.headers['retry-after'] == '1'
    assert answer.headers['cache-control'] == 'no-store'
    site.server.release.set()


def test_the_browser_is_told_of_a_picture_as_soon_as_it_is_there(
    host: str, site: GridSite, view: View
) -> None:
    site.instead['/p1/'] = (STALL,)
    name = thumbnails.show(view)
    assert site.server.stalled.wait(SECONDS)
    address, known, there = f'grid/{secret_of(view)}/{name}', 0, set[int]()
    while len(there) < site.count - 1:
        told = ask(host, f'{address}?known={known}').json()
        known, there = told['known'], set(told['there'])
    assert there == set(range(1, site.count)) and not told['over']
    threading.Timer(0.3, site.server.release.set).start()
    told = ask(host, f'{address}?known={known}').json()
    assert told['known'] > known


@pytest.mark.parametrize('known', ['', '-1', 'x', '9' * 99, '²', '0'])
def test_who_knows_nothing_is_told_at_once(host: str, view: View, known: str) -> None:
    name = filled(view)
    told = ask(host, f'grid/{secret_of(view)}/{name}?known={known}').json()
    assert told['there'] == list(range(6)) and told['over'] and told['failed'] == {}


@pytest.mark.parametrize('grid', ['99', '%2e%2e', 'x', '1%00'])
def test_of_another_grid_nothing_is_told(host: str, view: View, grid: str) -> None:
    filled(view)
    assert ask(host, f'grid/{secret_of(view)}/{grid}').status_code == 404


def test_many_who_wait_hold_up_nobody(host: str, site: GridSite, view: View) -> None:
    """More than there are threads in the host's pool."""
    site.instead['/p1/'] = (STALL,)
    name = thumbnails.show(view)
    assert site.server.stalled.wait(SECONDS)
    found = loading_of(view)
    while len(found.places(loading.State.THERE)) < site.count - 1:
        time.sleep(0.01)
    address = f'{host}/civitai-gallery/grid/{secret_of(view)}/{name}?known={found.changes}'
    before = threading.active_count()  # the tests before may have left some

    async def waits() -> None:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(timeout=SECONDS, limits=limits) as asking:
            waiting = [asyncio.create_task(asking.get(address)) for _ in range(100)]
            await asyncio.sleep(0.5)
            threads = threading.active_count() - before
            others = await asking.get(f'{host}/config')
            assert others.status_code == 200 and not any(task.done() for task in waiting)
            site.server.release.set()
            answers = await asyncio.gather(*waiting)
            assert {answer.status_code for answer in answers} == {200} and threads < 50

    asyncio.run(waits())


# -- what is always there --------------------------------------------------------------------------


@pytest.mark.parametrize('name', grid_markup.CARDS)
def test_our_own_cards_are_served(host: str, name: str) -> None:
    answer = ask(host, f'card/{name}')
    assert answer.content == (setting.ROOT / 'img' / name).read_bytes()
    assert answer.headers['content-type'] == 'image/png'


@pytest.mark.parametrize('name', ['', 'x.png', '..%2fsetup.cfg', 'no_preview.png%00', 'icon.svg'])
def test_nothing_else_of_the_program_is(host: str, name: str) -> None:
    assert ask(host, f'card/{name}').status_code == 404


# -- who is logged in ------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def locked() -> Iterator[str]:
    """A page that asks for a login."""
    with gr.Blocks() as blocks:
        gr.HTML('')
    login = {'auth': ('ana', 'secret')}
    yield widgets.launch(blocks, prepare=routes.serve, **login).rstrip('/')
    blocks.close()


def test_where_a_login_is_set_it_is_asked_for(locked: str, view: View) -> None:
    name = filled(view)
    paths = [addresses(view)[0], f'grid/{secret_of(view)}/{name}', 'card/no_preview.png']
    assert [ask(locked, path).status_code for path in paths] == [401] * 3
    with httpx.Client(base_url=locked, timeout=SECONDS) as ana:
        assert ana.post('/login', data={'username': 'ana', 'password': 'secret'}).status_code == 200
        answers = [ana.get(f'/civitai-gallery/{path}') for path in paths]
        assert [answer.status_code for answer in answers] == [200] * 3


@pytest.mark.parametrize('path', ['/below', '/below/', '/below/?__theme=dark'])
def test_below_a_path_of_the_host_the_addresses_of_the_page_are_right(
    path: str, view: View
) -> None:
    filled(view)
    with gr.Blocks() as blocks:
        gr.HTML('')
    outer = FastAPI()
    gr.mount_gradio_app(outer, blocks, '/below')
    (inner,) = (one.app for one in outer.router.routes if isinstance(one, Mount))
    routes.serve(inner)
    with TestClient(outer) as browser:
        page = browser.get(path)
        assert page.status_code == 200
        given = grid_markup.grid(view, str(view.listed))
        sources = re.findall(r'<img[^>]* src="([^"]+)"', given)
        assert len(sources) == len(view.page.images)
        for number, source in enumerate(sources, start=1):
            assert browser.get(urljoin(str(page.url), html.unescape(source))).content == jpeg(
                number
            )


def test_a_host_that_asks_for_no_login_in_the_usual_way_gets_no_routes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app: Any = App()
    known = len(app.router.routes)
    routes.serve(app)
    assert len(app.router.routes) == known
    assert 'the pictures are not served' in caplog.text
