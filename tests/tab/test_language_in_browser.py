"""The language of the page of the app, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from civitai_demo.server import OPENING_PATH, DemoServer
from tests.support.browsing import (
    WAIT,
    go,
    load,
    needs_chromium,
    part,
    pictures,
    sources,
    speak,
    tab_at,
)
from tests.support.english_left import english_left
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of

pytestmark = needs_chromium

COUNT = 6
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 3}


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture
def app(
    prepared: Prepared, site: GridSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with app_of(prepared, site.server.url, tmp_path_factory.mktemp('home'), SETTINGS) as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url, 900) as tab:
        yield tab


def labels(tab: Page) -> list[str]:
    """What a button, a placeholder, a heading, a filter and a status say."""
    source = part(tab, 'source').locator('textarea, input')
    return [
        part(tab, 'load').inner_text(),
        str(source.get_attribute('placeholder')),
        part(tab, 'settings').locator('button').first.inner_text(),
        part(tab, 'jobs').locator('h3').first.inner_text(),
        part(tab, 'filters').locator('label').first.inner_text().split('\n')[0],
        part(tab, 'status').inner_text(),
    ]


def test_a_language_that_is_saved_is_that_of_the_page_at_once(page: Page, site: GridSite) -> None:
    load(page, site.link)
    expect(pictures(page)).to_have_count(COUNT, timeout=WAIT)
    go(page, 'next', 'Page 2')
    expect(part(page, 'status')).to_contain_text('Live from', timeout=WAIT)
    english, shown = labels(page), [source.rpartition('/')[2] for source in sources(page)]
    speak(page, 'zh_TW', 'zh-TW')
    expect(part(page, 'page_info')).to_contain_text('第 2 頁', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('即時取自', timeout=WAIT)
    assert [source.rpartition('/')[2] for source in sources(page)] == shown
    chinese = labels(page)
    assert all(re.search('[\u4e00-\u9fff]', label) for label in chinese)
    speak(page, 'en', 'en')
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('Live from', timeout=WAIT)
    assert labels(page) == english


def states(tab: Page, site: str) -> Iterator[str]:
    """Go through all that the page can show; yield the name of each."""
    load(tab, 'https://example.com/models/1')
    expect(part(tab, 'status')).to_contain_text('example.com', timeout=WAIT)
    yield 'a link of another site'
    load(tab, f'{site}/models/999999')
    expect(part(tab, 'status')).to_contain_text('404', timeout=WAIT)
    yield 'a model that is not there'
    load(tab, 'paper')
    expect(part(tab, 'found').locator('.cg-card')).to_have_count(1, timeout=WAIT)
    yield 'a search'
    load(tab, site + OPENING_PATH)
    expect(pictures(tab)).to_have_count(COUNT, timeout=WAIT)
    yield 'a grid'
    pictures(tab).first.click()
    expect(part(tab, 'details').locator('a').first).to_be_visible(timeout=WAIT)
    yield 'a picture'
    tab.keyboard.press('f')
    expect(part(tab, 'lightbox')).to_be_visible()
    yield 'the lightbox'
    tab.keyboard.press('Escape')
    tab.keyboard.press('?')
    expect(part(tab, 'keys')).to_be_visible()
    yield 'the keys'
    tab.keyboard.press('Escape')
    part(tab, 'download_page').click()
    expect(part(tab, 'kept_here').locator('.cg-good')).to_be_visible(timeout=WAIT)
    yield 'a download'
    part(tab, 'download_whole').click()
    expect(part(tab, 'whole_start')).to_be_visible(timeout=WAIT)
    assert part(tab, 'whole_with_prompt').bounding_box()['height'] < 60  # its words in one line
    yield 'the form for a whole gallery'
    part(tab, 'whole_start').click()
    expect(part(tab, 'jobs').locator('[data-order*=forget]')).to_be_visible(timeout=WAIT)
    yield 'a job that is done'
    for panel in ('models', 'settings', 'settings_more', 'cache'):
        part(tab, panel).locator('button').first.click()
        expect(part(tab, panel).locator('.block, button').last).to_be_visible(timeout=WAIT)
        yield panel
    part(tab, 'key_save').click()
    expect(part(tab, 'key_status')).to_contain_text('欄位是空的', timeout=WAIT)
    yield 'an empty key'
    part(tab, 'key_remove').click()
    expect(part(tab, 'key_status').locator('.cg-good')).to_be_visible(timeout=WAIT)
    yield 'no key'


def test_no_english_of_ours_is_left_on_the_chinese_page(
    browser: Browser, prepared: Prepared, running_demo: DemoServer, tmp_path: Path
) -> None:
    with app_of(prepared, running_demo.url, tmp_path, SETTINGS) as app:
        context = browser.new_context(viewport={'width': 1280, 'height': 900})
        tab = context.new_page()
        tab.set_default_timeout(WAIT)
        tab.goto(app.url)
        expect(part(tab, 'home')).to_contain_text('Paper Horizons', timeout=WAIT)
        assert len(english_left(tab)) > 20
        speak(tab, 'zh_TW', 'zh-TW')
        expect(part(tab, 'home')).to_contain_text('範例', timeout=WAIT)
        left = {'the start': english_left(tab)}
        left |= {name: english_left(tab) for name in states(tab, running_demo.url)}
        context.close()
    assert {name: found for name, found in left.items() if found} == {}
