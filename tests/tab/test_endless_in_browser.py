"""A grid that grows, in a real browser: what is there keeps its place."""

from __future__ import annotations

import re
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import WAIT, load, needs_chromium, part, pictures, tab_at
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of

pytestmark = needs_chromium

COUNT = 6
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 3, 'gallery_endless': True}


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT, pages=3)
    with made.server:
        yield made


@pytest.fixture(scope='module')
def app(
    prepared: Prepared, site: GridSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with app_of(prepared, site.server.url, tmp_path_factory.mktemp('home'), SETTINGS) as running:
        yield running


def drawn(tab: Page, count: int) -> None:
    """Wait until so many pictures of the grid can be seen."""
    tab.wait_for_function(
        """count => count === [...document.querySelectorAll('.cg-cell[data-state=there] img')]
            .filter(image => image.complete && image.naturalWidth).length""",
        arg=count,
        timeout=WAIT,
    )


def test_the_next_page_comes_below_and_what_is_there_stays(
    browser: Browser, app: RunningApp, site: GridSite
) -> None:
    context = browser.new_context(viewport={'width': 1280, 'height': 720})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(app.url)
    load(page, site.link)
    drawn(page, COUNT)
    more = part(page, 'next')
    expect(more).to_have_text('Load more ›', timeout=WAIT)
    pictures(page).nth(1).click()
    link = part(page, 'details').locator('a[href$="/images/2"]').first
    expect(link).to_be_attached(timeout=WAIT)
    page.evaluate("window.first = document.querySelector('.thumbnail-item')")
    for count in (2 * COUNT, 3 * COUNT):
        more.click()
        drawn(page, count)
        expect(part(page, 'status')).to_contain_text(f'{count} pictures.', timeout=WAIT)
    assert page.evaluate("window.first === document.querySelector('.thumbnail-item')")
    expect(page.locator('.thumbnail-item.selected')).to_have_attribute('data-index', '1')
    expect(link).to_be_attached()
    expect(more).to_be_disabled()
    places = page.locator('#civitai_gallery_grid .thumbnail-item')
    assert [int(item.get_attribute('data-index') or -1) for item in places.all()] == list(
        range(3 * COUNT)
    )
    pictures(page).nth(14).click()
    expect(part(page, 'details').locator('a[href$="/images/15"]').first).to_be_attached(
        timeout=WAIT
    )
    page.keyboard.press('ArrowLeft')
    assert page.evaluate('document.activeElement.dataset.index') == '13'
    expect(part(page, 'page_info')).to_contain_text(re.compile('1.3'))
    load(page, f'{site.link}?sort=Oldest')
    drawn(page, COUNT)
    context.close()


def test_pressed_twice_it_leaves_no_page_out(
    browser: Browser, app: RunningApp, site: GridSite
) -> None:
    with tab_at(browser, app.url) as page:
        load(page, site.link)
        drawn(page, COUNT)
        more = part(page, 'next')
        expect(part(page, 'status')).to_contain_text(f'{COUNT} pictures.', timeout=WAIT)
        more.dblclick()
        drawn(page, 2 * COUNT)
        expect(part(page, 'status')).to_contain_text(f'{2 * COUNT} pictures.', timeout=WAIT)
        more.evaluate('button => { button.click(); button.click(); }')
        drawn(page, 3 * COUNT)
        expect(more).to_be_disabled()
        places = page.locator('#civitai_gallery_grid .thumbnail-item')
        indexes = [item.get_attribute('data-index') for item in places.all()]
        assert indexes == [str(index) for index in range(3 * COUNT)]
