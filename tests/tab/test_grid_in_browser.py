"""The grid in a real browser: pictures as they come, clicks, keys, what failed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.support.browsing import (
    WAIT,
    load,
    needs_chromium,
    part,
    pictures,
    tab_at,
)
from tests.support.grid_site import GridSite, jpeg
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of
from tests.support.scripted_server import STALL, ok

pytestmark = needs_chromium

COUNT = 8
# What the page asks about the pictures of its grid.
NEWS = '**/civitai-gallery/grid/**'
PICTURES = '**/civitai-gallery/picture/**'
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 4, 'http_max_retries': 3, 'http_retry_delay': 0}


@pytest.fixture(scope='module')
def served() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture
def site(served: GridSite) -> Iterator[GridSite]:
    """The site, on which nothing is odd to begin with."""
    served.server.release.clear()
    yield served
    served.instead.clear()
    served.server.release.set()


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('home')


@pytest.fixture(scope='module')
def app(prepared: Prepared, served: GridSite, home: Path) -> Iterator[RunningApp]:
    with app_of(prepared, served.server.url, home, SETTINGS) as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp, site: GridSite, home: Path) -> Iterator[Page]:
    """A page of its own, and a picture cache with nothing in it."""
    for kept in (home / 'picture_cache').glob('*.jpeg'):
        kept.unlink()
    with tab_at(browser, app.url) as tab:
        expect(part(tab, 'load')).to_be_visible()
        yield tab


def cells(tab: Page, state: str = '') -> object:
    return tab.locator('.cg-cell' + (f'[data-state="{state}"]' if state else ''))


def drawn(tab: Page, count: int) -> None:
    """Wait until so many pictures of the grid can be seen."""
    tab.wait_for_function(
        """count => count === [...document.querySelectorAll('.cg-cell[data-state=there] img')]
            .filter(image => image.complete && image.naturalWidth === 300).length""",
        arg=count,
        timeout=WAIT,
    )


def is_told_of(tab: Page, number: int) -> None:
    link = part(tab, 'details').locator('a[href*="/images/"]')
    expect(link).to_have_attribute('href', re.compile(f'/images/{number}$'), timeout=WAIT)


def test_all_others_are_seen_while_one_is_silent(page: Page, site: GridSite) -> None:
    site.instead['/p3/'] = (STALL,)
    load(page, site.link)
    drawn(page, COUNT - 1)
    assert site.server.stalled.is_set()
    coming = page.locator('.cg-cell[data-state="coming"]')
    expect(coming).to_have_count(1)
    expect(coming.locator('.thumbnail-item')).to_have_attribute('data-index', '2')
    box = coming.bounding_box()
    assert box and box['width'] / box['height'] == pytest.approx(2 / 3, abs=0.02)
    coming.click()  # a picture can be chosen before it is there
    is_told_of(page, 3)
    part(page, 'next').click()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    drawn(page, COUNT)


def test_what_the_browser_cannot_draw_says_so_and_is_brought_anew(
    page: Page, site: GridSite
) -> None:
    site.instead['/p2/'] = ok(jpeg(2)[:300], Content_Type='image/jpeg')
    load(page, site.link)
    failed = page.locator('.cg-cell[data-state="failed"]')
    expect(failed.locator('.cg-cause')).to_contain_text('damaged', timeout=WAIT)
    expect(failed.locator('.thumbnail-item')).to_have_attribute('data-index', '1')
    site.instead.clear()
    failed.hover()
    failed.get_by_role('button', name='Try again').click()
    drawn(page, COUNT)


def test_the_first_is_seen_without_news_of_it(page: Page, site: GridSite) -> None:
    site.instead['/p1/'] = (STALL,)
    first, held = page.locator('.cg-cell').first, list[Route]()
    page.route(NEWS, lambda question: held.append(question))
    page.route(PICTURES, lambda route: route.fulfill(body=jpeg(1), content_type='image/jpeg'))
    load(page, site.link)
    expect(first).to_have_attribute('data-state', 'there', timeout=WAIT)
    expect(first.locator('img')).to_be_visible()
    assert site.server.stalled.is_set()
    page.unroute(NEWS)
    for question in held:
        question.continue_()


def test_what_was_asked_for_too_early_is_asked_for_again(page: Page, site: GridSite) -> None:
    refused: list[Route] = []

    def answer(asked: Route) -> None:
        if refused:
            asked.continue_()
        else:
            refused.append(asked)
            asked.fulfill(status=503)

    page.route(PICTURES, answer)
    load(page, site.link)
    drawn(page, COUNT)
    assert refused


def test_a_click_on_the_old_grid_shows_what_it_shows(page: Page, site: GridSite) -> None:
    site.instead['cursor=2'] = (STALL,)
    load(page, site.link)
    drawn(page, COUNT)
    part(page, 'next').click()
    expect(page.locator('#civitai_gallery_grid[data-is-old]').last).to_be_visible()
    expect(part(page, 'status_page')).to_have_attribute('data-waits', re.compile('Loading'))
    pictures(page).nth(4).click()
    expect(page.locator('.thumbnail-item.selected')).to_have_attribute('data-index', '4')
    is_told_of(page, 5)
    site.server.release.set()
    expect(page.locator('#civitai_gallery_grid[data-is-old]')).to_have_count(0, timeout=WAIT)


def test_what_failed_says_why_and_comes_when_it_is_tried_again(page: Page, site: GridSite) -> None:
    site.instead['/p2/'] = ok(b'busy', status=500)
    load(page, site.link)
    failed = page.locator('.cg-cell[data-state="failed"]')
    expect(failed).to_have_count(1, timeout=WAIT)
    expect(failed.locator('.cg-cause')).to_contain_text('500')
    expect(part(page, 'status')).to_contain_text('1 of 8 pictures failed', timeout=WAIT)
    again = failed.get_by_role('button', name='Try again')
    again.click()
    expect(failed).to_have_count(1, timeout=WAIT)
    site.instead.clear()
    again.click()
    drawn(page, COUNT)
    expect(part(page, 'status')).to_contain_text('8 pictures.', timeout=WAIT)


@pytest.mark.parametrize('comes', ['before it is asked for', 'when it is there'])
def test_an_old_answer_does_not_fail_what_is_tried_again(
    page: Page, site: GridSite, comes: str
) -> None:
    site.instead['/p2/'] = ok(b'busy', status=500)
    load(page, site.link)
    failed = page.locator('.cg-cell[data-state="failed"]')
    expect(failed.locator('.cg-cause')).to_contain_text('500', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('1 of 8 pictures failed', timeout=WAIT)
    site.instead.clear()
    orders: list[Route] = []
    old: list[tuple[Route, APIResponse]] = []

    def order(route: Route) -> None:
        route.continue_() if old else orders.append(route)

    def news(route: Route) -> None:
        old.append((route, route.fetch()))
        if comes.startswith('before'):
            route.fulfill(response=old[0][1])
        for held in orders:
            held.continue_()

    page.route('**/queue/join**', order)
    page.route(NEWS, news, times=1)
    failed.get_by_role('button', name='Try again').click()
    expect(part(page, 'status')).to_contain_text('8 pictures.', timeout=WAIT)
    [(route, answer)] = old
    assert answer.json()['failed']
    if comes.startswith('when'):
        route.fulfill(response=answer)
    drawn(page, COUNT)


def test_a_picture_that_got_lost_between_server_and_page_is_asked_for_again(
    page: Page, site: GridSite
) -> None:
    lost: list[str] = []

    def some(route: object) -> None:
        address = route.request.url  # type: ignore[attr-defined]
        if address in lost:
            route.continue_()  # type: ignore[attr-defined]
        else:
            lost.append(address)
            route.abort()  # type: ignore[attr-defined]

    page.route('**/civitai-gallery/picture/**', some)
    load(page, site.link)
    drawn(page, COUNT)
    assert len(lost) == COUNT


def test_no_cell_shows_a_picture_of_the_page_before(page: Page, site: GridSite) -> None:
    load(page, site.link)
    drawn(page, COUNT)
    page.evaluate("""() => {
        window.items = [...document.querySelectorAll('.thumbnail-item')];
        window.items[3].click();
    }""")
    page.route('**/civitai-gallery/picture/**', lambda route: None)  # never answered
    part(page, 'next').click()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    expect(pictures(page)).to_have_count(COUNT)
    assert not page.evaluate('window.items.some(item => item.isConnected)')
    seen = 'image => Boolean(image.naturalWidth)'
    assert not any(image.evaluate(seen) for image in pictures(page).all())
    expect(page.locator('.thumbnail-item.selected')).to_have_count(0)
    page.unroute_all(behavior='ignoreErrors')


def focused(tab: Page) -> int:
    """The place of the picture that has the focus."""
    return int(str(tab.evaluate('document.activeElement.dataset.index')))


def test_the_keys_lead_through_the_grid(page: Page, site: GridSite) -> None:
    load(page, site.link)
    drawn(page, COUNT)
    assert page.locator('.thumbnail-item[tabindex="0"]').count() == 1
    pictures(page).first.click()
    is_told_of(page, 1)
    for key, place in (
        ('ArrowRight', 1),
        ('ArrowLeft', 0),
        ('ArrowLeft', 0),
        ('End', COUNT - 1),
        ('ArrowRight', COUNT - 1),
        ('Home', 0),
    ):
        page.keyboard.press(key)
        assert focused(page) == place, key
    rows = page.evaluate("""() => [...document.querySelectorAll('.thumbnail-item')]
        .map(item => Math.round(item.getBoundingClientRect().top))""")
    page.keyboard.press('ArrowDown')
    below = focused(page)
    assert rows[below] == min(row for row in rows if row > rows[0])
    expect(page.locator('.thumbnail-item.selected')).to_have_attribute('data-index', '0')
    page.keyboard.press('Enter')
    is_told_of(page, below + 1)
    pressed = page.locator('.thumbnail-item[aria-pressed="true"]')
    expect(pressed).to_have_attribute('data-index', str(below))
    page.keyboard.press('ArrowUp')
    assert rows[focused(page)] == rows[0]
    assert page.locator('.thumbnail-item[tabindex="0"]').count() == 1
    page.keyboard.press('Tab')
    assert page.evaluate("!document.activeElement.closest('#civitai_gallery_grid')")


@pytest.mark.parametrize('width', [360, 390, 768, 1280, 1920])
def test_cells_keep_proportions_and_cover_nothing(page: Page, site: GridSite, width: int) -> None:
    page.set_viewport_size({'width': width, 'height': 720})
    load(page, site.link)
    drawn(page, COUNT)
    boxes = page.evaluate("""() => [...document.querySelectorAll('.cg-cell')].map(cell => {
        const box = cell.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom];
    })""")
    for number, (left, top, right, bottom) in enumerate(boxes, start=1):
        wanted = 3 / 2 if number % 2 == 0 else 2 / 3
        assert (right - left) / (bottom - top) == pytest.approx(wanted, rel=0.03), (width, number)
        assert 0 <= left and right <= width
    for one in range(COUNT):
        for other in range(one):
            a, b = boxes[one], boxes[other]
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], (one, other)


def test_a_page_that_was_seen_is_there_at_once_and_asks_the_site_nothing(
    page: Page, site: GridSite
) -> None:
    load(page, site.link)
    drawn(page, COUNT)
    first = [image.get_attribute('src') for image in pictures(page).all()]
    part(page, 'next').click()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    drawn(page, COUNT)
    asked = len(site.server.targets)
    part(page, 'prev').click()
    expect(part(page, 'page_info')).to_contain_text('Page 1', timeout=WAIT)
    drawn(page, COUNT)
    assert [image.get_attribute('src') for image in pictures(page).all()] == first
    assert len(site.server.targets) == asked
