"""What is to be seen, in a real browser: the row of filters, what is kept, the address, waits."""

from __future__ import annotations

import re
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import WAIT, load, needs_chromium, part, pictures
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of
from tests.support.scripted_server import ok

pytestmark = needs_chromium

COUNT = 8
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 4, 'gallery_maturity_ceiling': 'R'}


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT, pages=4)
    with made.server:
        yield made


@pytest.fixture(scope='module')
def app(
    prepared: Prepared, site: GridSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with app_of(prepared, site.server.url, tmp_path_factory.mktemp('home'), SETTINGS) as running:
        yield running


def opened(tab: Page, app: RunningApp) -> Page:
    tab.set_default_timeout(WAIT)
    tab.goto(app.url)
    expect(part(tab, 'load')).to_be_visible(timeout=WAIT)
    expect(part(tab, 'level').locator('option:not([hidden])')).to_have_count(3, timeout=WAIT)
    return tab


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(viewport={'width': 1280, 'height': 720})
    yield opened(context.new_page(), app)
    context.close()


def shown(tab: Page, count: int, status: str) -> None:
    """Wait until the grid has so many pictures, and the status says so."""
    expect(pictures(tab)).to_have_count(count, timeout=WAIT)
    expect(part(tab, 'status')).to_contain_text(status, timeout=WAIT)


def test_what_was_chosen_is_kept_in_this_browser_and_nowhere_else(
    browser: Browser, page: Page, app: RunningApp, site: GridSite
) -> None:
    part(page, 'period').select_option('Week')  # with nothing to be loaded yet
    usual = part(page, 'sort').locator('option').first
    expect(usual).to_have_text('Default order')
    load(page, site.link)
    shown(page, COUNT, '8 pictures.')
    expect(usual).to_have_text('Newest (default)', timeout=WAIT)
    assert site.asked('period=Week') and not site.asked('sort=Oldest')
    part(page, 'sort').focus()
    part(page, 'sort').select_option('Oldest')
    expect(part(page, 'title')).to_contain_text('Oldest', timeout=WAIT)
    expect(part(page, 'sort')).to_be_focused()
    part(page, 'level').select_option('PG')
    expect(page.locator('#civitai_gallery_grid[data-is-old]')).to_have_count(0, timeout=WAIT)
    assert site.asked('browsingLevel=1&')
    opened(page, app)
    expect(part(page, 'sort')).to_have_value('Oldest')
    asked = len(site.asked('period=Week'))
    load(page, f'{site.link}?sort=Newest')
    shown(page, COUNT, '8 pictures.')
    latest = site.asked('period=Week')[asked:]
    assert latest and all('sort=Newest' in a and 'browsingLevel=1&' in a for a in latest)
    expect(part(page, 'sort')).to_have_value('Newest')
    other = browser.new_context()
    expect(part(opened(other.new_page(), app), 'sort')).to_have_value('')
    other.close()


def test_what_has_no_prompt_is_hidden_said_and_shown_again_on_the_same_page(
    page: Page, site: GridSite
) -> None:
    load(page, site.link)
    shown(page, COUNT, '8 pictures.')
    part(page, 'next').click()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    part(page, 'with_prompt').check()
    shown(page, COUNT // 2, 'no prompt: 4.')
    expect(part(page, 'left')).to_contain_text('4 of 8 hidden: With prompt only')
    part(page, 'left').get_by_role('button', name='Show').click()
    shown(page, COUNT, '8 pictures.')
    expect(part(page, 'with_prompt')).not_to_be_checked()
    expect(part(page, 'page_info')).to_contain_text('Page 2')
    expect(part(page, 'left').locator('.cg-left')).to_have_count(0)


def test_on_a_phone_the_filters_are_behind_one_button(page: Page, site: GridSite) -> None:
    page.set_viewport_size({'width': 390, 'height': 844})
    fold = page.get_by_role('button', name='Filters')
    expect(part(page, 'sort')).to_be_hidden()
    fold.click()
    expect(fold).to_have_attribute('aria-expanded', 'true')
    part(page, 'sort').select_option('Oldest')
    part(page, 'with_prompt').check()
    expect(fold).to_have_text('Filters (2)')
    wide = page.evaluate('document.documentElement.scrollWidth')
    assert wide <= 390
    fold.click()
    expect(part(page, 'sort')).to_be_hidden()


def is_on_page(tab: Page, number: int) -> None:
    expect(part(tab, 'page_info')).to_contain_text(f'Page {number}', timeout=WAIT)
    at = f'&p={number}&' if number > 1 else '^(?!.*&p=)'
    expect(tab).to_have_url(re.compile(at), timeout=WAIT)


def first_of(tab: Page) -> str:
    return str(pictures(tab).first.get_attribute('data-src'))


def test_the_address_names_what_is_on_show_for_reload_back_and_others(
    browser: Browser, page: Page, app: RunningApp, site: GridSite
) -> None:
    page.goto(f'{app.url}?own=1')
    load(page, site.link)
    is_on_page(page, 1)
    first = first_of(page)
    for number in (2, 3):
        part(page, 'next').click()
        is_on_page(page, number)
    third = first_of(page)
    assert 'own=1' in page.url
    page.reload()
    is_on_page(page, 3)
    assert first_of(page) != first and third.rpartition('/')[2] == first_of(page).rpartition('/')[2]
    expect(part(page, 'source').locator('textarea, input')).to_have_value(re.compile('/user/ana'))
    part(page, 'with_prompt').check()
    expect(page).to_have_url(re.compile('prompt=1'), timeout=WAIT)
    page.go_back()
    shown(page, COUNT, '8 pictures.')
    expect(part(page, 'with_prompt')).not_to_be_checked()
    page.go_back()
    is_on_page(page, 2)
    page.go_forward()
    is_on_page(page, 3)
    other = browser.new_context().new_page()
    other.goto(page.url)
    is_on_page(other, 3)
    part(other, 'prev').click()
    is_on_page(other, 2)
    other.context.close()


def test_an_address_that_cannot_be_opened_says_why_and_stays(page: Page, app: RunningApp) -> None:
    named = f'{app.url}?source=https%3A%2F%2Fexample.com%2Fmodels%2F1&level=XXX'
    page.goto(named)
    expect(part(page, 'status').locator('.cg-problem')).to_be_visible(timeout=WAIT)
    expect(page).to_have_url(named)
    expect(part(page, 'level')).to_have_value('R')


def test_what_a_listing_waits_for_is_said_and_can_be_given_up(page: Page, site: GridSite) -> None:
    load(page, site.link)
    shown(page, COUNT, '8 pictures.')
    site.instead['sort=Oldest'] = ok(b'{"error": "busy"}', status=503, Retry_After='20')
    try:
        part(page, 'sort').select_option('Oldest')
        waits = part(page, 'waits')
        expect(waits).to_contain_text('asks us to wait', timeout=WAIT)
        waits.get_by_role('button', name='Cancel').click()
        expect(part(page, 'status')).to_contain_text('Stopped.', timeout=WAIT)
        expect(waits.locator('.cg-notice')).to_have_count(0, timeout=WAIT)
        expect(part(page, 'title')).to_contain_text('Still the gallery from before')
        expect(part(page, 'sort')).to_have_value('')
        expect(pictures(page)).to_have_count(COUNT)
        assert 'Oldest' not in page.evaluate("localStorage.getItem('civitai_gallery_filters')")
    finally:
        site.instead.clear()
    part(page, 'status').get_by_role('button', name='Try again').focus()
    page.keyboard.press('Enter')  # what was chosen then, not what the boxes show
    expect(part(page, 'sort')).to_have_value('Oldest', timeout=WAIT)
    shown(page, COUNT, '8 pictures.')
