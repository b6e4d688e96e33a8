"""The larger pictures of a grid: by a route, by their place, brought when they are asked for."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import gradio as gr
import httpx
import pytest

from scripts.civitai_manager_libs import setting, widgets
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import events, routes, serving, thumbnails
from scripts.civitai_manager_libs.tab.larger import Key, Size
from scripts.civitai_manager_libs.tab.serving import Span
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grid_site import GridSite, jpeg
from tests.support.grids import filled
from tests.support.scripted_server import STALL, ok

SECONDS = 30
# The beginning of a film of kind "isom", then bytes of no meaning.
FILM = b'\0\0\0\x18ftypisom\0\0\x02\0isomiso2' + bytes(range(256)) * 8000


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
    filled(opened)
    return opened


@pytest.fixture(scope='module')
def host() -> Iterator[str]:
    """The address of a page of gradio with our routes."""
    with gr.Blocks() as blocks:
        gr.HTML('')
    yield widgets.launch(blocks, prepare=routes.serve).rstrip('/')
    blocks.close()


def ask(host: str, view: View, path: str, **headers: str) -> httpx.Response:
    """Ask for a path in which {secret} and {grid} are those of the tab."""
    assert view.given is not None
    named = path.format(secret=view.given.secret, grid=view.listed)
    return httpx.get(f'{host}/civitai-gallery/{named}', headers=headers, timeout=SECONDS)


def test_each_size_comes_when_it_is_asked_for_and_once(
    host: str, site: GridSite, view: View
) -> None:
    assert not site.asked('width=1200') and not site.asked('/p2/original')
    for _ in range(2):
        for size in ('large', 'original'):
            answer = ask(host, view, f'{size}/{{secret}}/{{grid}}/1')
            assert answer.status_code == 200 and answer.content == jpeg(2)
            assert answer.headers['content-type'] == 'image/jpeg'
            assert answer.headers['x-content-type-options'] == 'nosniff'
            assert answer.headers['cache-control'] == 'private, max-age=604800, immutable'
    assert len(site.asked('width=1200')) == len(site.asked('/p2/original')) == 1


@pytest.mark.parametrize(
    'path',
    [
        'large/{secret}/{grid}/6',
        'large/{secret}/{grid}/-1',
        'large/{secret}/{grid}/999999',
        'large/{secret}/{grid}/%C2%B2',
        'large/{secret}/{grid}/1%00',
        'large/{secret}/99/1',
        'large/{secret}/..%2f1/1',
        'huge/{secret}/{grid}/1',
        'large/other/{grid}/1',
        'large/%00/{grid}/1',
        'large/..%2f..%2f/{grid}/1',
    ],
)
def test_what_the_tab_was_not_given_is_not_served(host: str, view: View, path: str) -> None:
    answer = ask(host, view, path)
    assert answer.status_code == 404 and b'JFIF' not in answer.content


def test_what_the_ceiling_forbids_by_now_is_not_served(
    host: str, site: GridSite, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = view.page.images
    view.page = replace(view.page, images=(replace(first, level=4), *others))
    filled(view)
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 404
    assert not site.asked('width=1200')
    monkeypatch.setattr(setting, 'gallery_maturity_ceiling', 'R')
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 200


def test_one_that_failed_says_why_and_comes_when_it_is_asked_for_again(
    host: str, site: GridSite, view: View
) -> None:
    site.instead['width=1200'] = ok(b'busy', status=500)
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 404
    asked = len(site.asked('width=1200'))
    told = ask(host, view, 'large/{secret}/{grid}/0?why')
    assert '500' in told.text and told.headers['content-type'].startswith('text/plain')
    assert len(site.asked('width=1200')) == asked
    site.instead.clear()
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 200


def test_one_that_is_silent_holds_up_none_of_the_others(
    host: str, site: GridSite, view: View
) -> None:
    site.instead['/p1/width=1200'] = (STALL,)
    waits = threading.Thread(target=ask, args=(host, view, 'large/{secret}/{grid}/0'))
    waits.start()
    assert site.server.stalled.wait(SECONDS)
    for place in range(1, 6):
        assert ask(host, view, f'large/{{secret}}/{{grid}}/{place}').status_code == 200
    assert waits.is_alive()
    site.server.release.set()
    waits.join(SECONDS)
    assert not waits.is_alive()


def test_what_is_not_near_any_more_is_not_waited_for(site: GridSite, view: View) -> None:
    assert view.picture.larger
    site.instead['width=1200'] = (STALL,)
    large = [
        view.picture.larger.bring(Key(str(view.listed), place, Size.LARGE)) for place in range(6)
    ]
    assert all(large) and not any(one.stop.is_set() for one in large if one)
    events.go_next(view)
    thumbnails.show(view)
    view.picture.larger.bring(Key(str(view.listed), 0, Size.LARGE))
    assert [one.stop.is_set() for one in large if one] == [True] + [False] * 5
    site.server.release.set()


def test_a_picture_that_the_cache_let_go_is_fetched_anew(
    host: str, site: GridSite, view: View
) -> None:
    for _ in range(2):
        assert ask(host, view, 'large/{secret}/{grid}/0').content == jpeg(1)
        for kept in Path(setting.shortcut_gallery_folder).glob('*.jpeg'):
            kept.unlink()
    assert len(site.asked('/p1/width=1200')) == 2


# -- parts of a video ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('asked', 'span'),
    [
        ('', (0, 100)),
        ('bytes=0-', (0, 100)),
        ('bytes=10-19', (10, 20)),
        ('bytes=90-999', (90, 100)),
        ('bytes=-10', (90, 100)),
        ('bytes=-999', (0, 100)),
        ('bytes=99-', (99, 100)),
        ('bytes=100-', None),
        ('bytes=-0', None),
        ('bytes=20-10', (0, 100)),
        ('bytes=0-9,20-29', (0, 100)),
        ('lines=0-9', (0, 100)),
        ('bytes=-', (0, 100)),
        ('bytes=x-9', (0, 100)),
        ('bytes=' + '9' * 99 + '-', (0, 100)),
    ],
)
def test_a_range_is_read_as_the_standard_says(asked: str, span: tuple[int, int] | None) -> None:
    assert serving.span_of(asked, 100) == (Span(*span, 100) if span else None)


@pytest.fixture
def film(site: GridSite, view: View) -> View:
    """The tab with a video in its first place."""
    site.instead['/p1/'] = ok(FILM, Content_Type='video/mp4')
    first, *others = view.page.images
    url = first.url.replace('.jpeg', '.mp4')
    view.page = replace(view.page, images=(replace(first, kind='video', url=url), *others))
    filled(view)
    return view


@pytest.mark.parametrize(
    ('asked', 'status', 'part'),
    [
        ('', 200, slice(None)),
        ('bytes=0-', 200, slice(None)),
        ('bytes=4-7', 206, slice(4, 8)),
        ('bytes=1000000-', 206, slice(1000000, None)),
        ('bytes=-8', 206, slice(-8, None)),
    ],
)
def test_a_video_comes_in_the_parts_that_a_browser_asks_for(
    host: str, film: View, asked: str, status: int, part: slice
) -> None:
    answer = ask(host, film, 'large/{secret}/{grid}/0', Range=asked)
    assert answer.status_code == status and answer.content == FILM[part]
    assert answer.headers['content-type'] == 'video/mp4'
    assert answer.headers['accept-ranges'] == 'bytes'
    if status == 206:
        start, end, _ = part.indices(len(FILM))
        assert answer.headers['content-range'] == f'bytes {start}-{end - 1}/{len(FILM)}'


def test_behind_its_end_a_video_has_nothing(host: str, film: View) -> None:
    answer = ask(host, film, 'large/{secret}/{grid}/0', Range=f'bytes={len(FILM)}-')
    assert answer.status_code == 416
    assert answer.headers['content-range'] == f'bytes */{len(FILM)}'


@pytest.mark.parametrize('content', [b'<html><script>alert(1)</script>', b'<svg/>', b'MZ' * 99])
def test_what_is_no_picture_by_its_bytes_is_not_served(
    host: str, site: GridSite, view: View, content: bytes
) -> None:
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 200
    for kept in Path(setting.shortcut_gallery_folder).glob('*.jpeg'):
        kept.write_bytes(content)
    assert ask(host, view, 'large/{secret}/{grid}/0').status_code == 404


# -- who is logged in ------------------------------------------------------------------------------


def test_where_a_login_is_set_it_is_asked_for(view: View) -> None:
    with gr.Blocks() as blocks:
        gr.HTML('')
    login = {'auth': ('ana', 'secret')}
    locked = widgets.launch(blocks, prepare=routes.serve, **login).rstrip('/')
    assert ask(locked, view, 'large/{secret}/{grid}/0').status_code == 401
    blocks.close()
