"""Where one begins, in a real browser: words, favourites, what was recent, links inside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from civitai_demo.server import OPENING_PATH, DemoServer
from tests.support.browsing import (
    WAIT,
    held,
    load,
    needs_chromium,
    part,
    pictures,
    tab_at,
)
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of

pytestmark = needs_chromium

EVIL = '<img src=x onerror=alert(1)>'


@pytest.fixture(scope='module')
def app(
    prepared: Prepared, running_demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The app beside the stand-in."""
    home = tmp_path_factory.mktemp('home')
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('CIVITAI_BASE_URL', running_demo.url)
        running = RunningApp(prepared, home, '--port', '0', '--downloads', str(home / 'kept'))
        yield running
        assert running.stop() == 0


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url) as tab:
        yield tab


def source(tab: Page) -> Any:
    return part(tab, 'source').locator('textarea, input').last


def entries(tab: Page, name: str) -> Any:
    """What a list of the page before a gallery offers."""
    return part(tab, 'home').locator(f'[data-cg-list={name}] li')


def test_words_lead_to_cards_and_those_to_galleries_and_back(
    page: Page, running_demo: DemoServer
) -> None:
    load(page, 'paper')
    card = part(page, 'found').locator('.cg-card')
    expect(card).to_have_count(1, timeout=WAIT)
    expect(part(page, 'home')).to_be_hidden()
    expect(part(page, 'filters')).to_be_hidden()
    expect(part(page, 'to_settings')).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('#civitai_gallery_found .cg-cell img').naturalWidth > 200",
        timeout=WAIT,
    )
    card.locator('.cg-card-open').press('Enter')
    expect(part(page, 'title')).to_contain_text('Paper Horizons XL', timeout=WAIT)
    expect(pictures(page).first).to_be_visible(timeout=WAIT)
    expect(part(page, 'found')).to_be_hidden()
    expect(source(page)).to_have_value(f'{running_demo.url}/models/4201')

    part(page, 'title').get_by_role('link', name='@MapleLantern').click()  # whose model it is
    expect(part(page, 'title').locator('h2')).to_contain_text('MapleLantern', timeout=WAIT)
    expect(part(page, 'title')).not_to_contain_text('Paper Horizons', timeout=WAIT)
    part(page, 'title').get_by_role('button', name='Where to begin').click()
    expect(part(page, 'filters')).to_be_visible()
    entries(page, 'recent').get_by_role('link', name='Search: paper').click()
    expect(card).to_have_count(1, timeout=WAIT)
    expect(part(page, 'filters')).to_be_hidden()
    page.locator('body').press('f')  # a gallery that is not seen hears no keys
    expect(page.locator('dialog[open]')).to_have_count(0)
    assert len(page.context.pages) == 1


def test_the_address_names_what_was_searched_for_on_the_way_back_and_forward_and_for_others(
    page: Page, browser: Browser, app: RunningApp, running_demo: DemoServer
) -> None:
    cards, begin = part(page, 'found').locator('.cg-card'), part(page, 'home')
    title, filters = part(page, 'title'), part(page, 'filters')
    expect(begin.get_by_role('link').first).to_be_visible(timeout=WAIT)
    load(page, 'paper')
    expect(cards).to_have_count(1, timeout=WAIT)
    expect(filters).to_be_hidden()
    expect(page).to_have_url(f'{app.url}?words=paper', timeout=WAIT)
    cards.locator('.cg-card-open').click()
    expect(page).to_have_url(re.compile('source='), timeout=WAIT)
    expect(part(page, 'version')).to_be_visible(timeout=WAIT)
    page.go_back()
    expect(cards).to_have_count(1, timeout=WAIT)
    expect(source(page)).to_have_value('paper', timeout=WAIT)
    expect(filters).to_be_hidden()
    page.go_forward()
    expect(title).to_contain_text('Paper Horizons XL', timeout=WAIT)
    expect(filters).to_be_visible()
    page.go_back()
    expect(cards).to_have_count(1, timeout=WAIT)
    page.go_back()
    expect(begin.get_by_role('link').first).to_be_visible(timeout=WAIT)
    expect(source(page)).to_have_value('', timeout=WAIT)
    assert page.url == app.url
    page.go_forward()
    page.reload()
    expect(cards).to_have_count(1, timeout=WAIT)
    expect(source(page)).to_have_value('paper', timeout=WAIT)

    load(page, f'{running_demo.url}/models/4452')
    expect(title).to_contain_text('Quiet Geometry', timeout=WAIT)
    load(page, 'gouache')
    expect(page).to_have_url(f'{app.url}?words=gouache', timeout=WAIT)
    load(page, 'https://example.com/models/1')
    expect(part(page, 'found')).to_contain_text('Still the models found before', timeout=WAIT)
    expect(page).to_have_url(f'{app.url}?words=gouache')
    with tab_at(browser, page.url) as other:
        found = part(other, 'found')
        expect(found).to_contain_text('Gouache Weather', timeout=WAIT)
        expect(found).not_to_contain_text('Still the models')
    part(page, 'found').get_by_role('button', name='Close').click()
    expect(title).to_contain_text('Still the gallery from before')
    expect(page).to_have_url(re.compile('source=.*4452'), timeout=WAIT)
    page.go_back()
    expect(part(page, 'found')).to_contain_text('Gouache Weather', timeout=WAIT)
    expect(part(page, 'found')).not_to_contain_text('Still the models', timeout=WAIT)


def test_an_address_that_cannot_be_opened_is_one_to_go_back_to(
    page: Page, app: RunningApp, running_demo: DemoServer
) -> None:
    running_demo.scenario = 'html'
    page.goto(f'{app.url}?words=paper')
    expect(part(page, 'status')).to_contain_text('page', timeout=WAIT)
    expect(source(page)).to_have_value('paper', timeout=WAIT)
    running_demo.scenario = ''
    load(page, 'gouache')
    expect(page).to_have_url(f'{app.url}?words=gouache', timeout=WAIT)
    page.go_back()
    expect(page).to_have_url(f'{app.url}?words=paper')
    expect(part(page, 'found')).to_contain_text('Paper Horizons', timeout=WAIT)


def test_what_is_typed_while_an_address_is_opened_stays(
    page: Page, app: RunningApp, running_demo: DemoServer
) -> None:
    running_demo.latency = 1.5
    page.goto(f'{app.url}?words=paper')
    part(page, 'waits').wait_for(state='attached')
    page.wait_for_function('window.civitaiGalleryWaits', timeout=WAIT)
    source(page).press_sequentially('mine')
    running_demo.latency = 0
    expect(page.locator('.cg-card')).to_have_count(1, timeout=WAIT)
    page.wait_for_function('!window.civitaiGalleryWaits', timeout=WAIT)
    expect(source(page)).to_have_value(re.compile('mine'))


def test_however_fast_one_goes_back_the_history_stays_as_it_was(
    browser: Browser,
    prepared_with: Callable[[str], Prepared],
    running_demo: DemoServer,
    tmp_path: Path,
) -> None:
    """gradio 3 drops what is pressed while it is busy."""
    site = running_demo.url
    with (
        app_of(prepared_with('3.41.2'), site, tmp_path, {}) as app,
        tab_at(browser, app.url) as tab,
    ):
        load(tab, 'paper')
        ways = [re.compile('words=paper')]
        for link, way in (
            ('/models/4201', r'4201(?!.*p=)'),
            ('', 'p=2'),
            ('/user/Noor-Vale', 'Noor'),
        ):
            expect(tab).to_have_url(ways[-1], timeout=WAIT)
            load(tab, site + link) if link else part(tab, 'next').click()
            ways.append(re.compile(way))
        expect(tab).to_have_url(ways[-1], timeout=WAIT)
        tab.evaluate("""async () => {
            for (let step = 0; step < 3; step += 1) {
                history.back();
                await new Promise((done) => setTimeout(done, 150));
            }
        }""")
        expect(part(tab, 'found').locator('.cg-card')).to_have_count(1, timeout=WAIT)
        expect(tab).to_have_url(ways[0])
        for way in ways[1:]:
            tab.go_forward()
            expect(tab).to_have_url(way, timeout=WAIT)
            tab.wait_for_function('!window.civitaiGalleryWaits', timeout=WAIT)
        expect(part(tab, 'title')).to_contain_text('Noor-Vale', timeout=WAIT)


@pytest.mark.parametrize('words', ['4201', EVIL.replace('=', '')], ids=['no words', 'hostile'])
def test_words_in_an_address_are_text_and_told_of_if_they_are_none(
    page: Page, app: RunningApp, words: str
) -> None:
    dialogs: list[object] = []
    page.on('dialog', lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    page.goto(f'{app.url}?{urlencode({"words": words, "p": "x", "page": "x"})}')
    expect(part(page, 'status').locator('.cg-problem')).to_be_visible(timeout=WAIT)
    expect(part(page, 'status').locator('img')).to_have_count(0)
    expect(page.locator('.toast-body')).to_have_count(0)
    assert dialogs == []


def test_an_example_opens_and_a_favourite_stays_in_this_browser(
    page: Page, browser: Browser, app: RunningApp
) -> None:
    part(page, 'home').get_by_role('link', name='Gouache Weather').click()
    star = part(page, 'title').locator('[data-cg-star]')
    expect(star).to_have_attribute('aria-pressed', 'false', timeout=WAIT)
    star.click()
    expect(star).to_have_attribute('aria-pressed', 'true')
    page.goto(app.url)
    for name in ('favourites', 'recent'):
        expect(entries(page, name)).to_have_text([re.compile('Gouache Weather')], timeout=WAIT)
    other = browser.new_context()
    stranger = other.new_page()
    stranger.goto(app.url)
    expect(part(stranger, 'home').get_by_role('link', name='Gouache Weather')).to_have_count(1)
    expect(entries(stranger, 'favourites')).to_have_count(0)
    other.close()
    entries(page, 'favourites').get_by_role('link').click()
    expect(part(page, 'title')).to_contain_text('Gouache Weather', timeout=WAIT)
    expect(star).to_have_attribute('aria-pressed', 'true', timeout=WAIT)
    begin = part(page, 'title').get_by_role('button', name='Where to begin')
    begin.click()
    expect(part(page, 'home')).to_be_visible()
    page.keyboard.press('Escape')
    expect(part(page, 'home')).to_be_hidden()
    expect(begin).to_be_focused()
    begin.click()
    entries(page, 'favourites').get_by_role('button').click()
    expect(entries(page, 'favourites')).to_have_count(0)
    expect(star).to_have_attribute('aria-pressed', 'false')


def test_favourite_pictures_are_shown_from_where_one_begins(
    page: Page, running_demo: DemoServer
) -> None:
    load(page, running_demo.url + OPENING_PATH)
    expect(pictures(page).first).to_be_visible(timeout=WAIT)
    pictures(page).first.click()
    favourite = part(page, 'details').locator('[data-cg-mark^=favourite]')
    expect(favourite).to_be_visible(timeout=WAIT)
    with held(page, '**/queue/join**') as asked:  # what comes later may well be there before
        favourite.click()
        expect(favourite).to_have_attribute('aria-pressed', 'true', timeout=WAIT)
        part(page, 'title').get_by_role('button', name='Where to begin').click()
        part(page, 'home').get_by_role('button', name='Show them').click()
        page.evaluate('new Promise((done) => requestIdleCallback(done))')
        assert asked, 'nothing was marked'
    expect(part(page, 'title').locator('h2')).to_have_text('Favourites', timeout=WAIT)
    expect(pictures(page)).to_have_count(1, timeout=WAIT)
    expect(part(page, 'home')).to_be_hidden()


def test_what_the_storage_holds_is_text_and_bounded(
    page: Page, app: RunningApp, running_demo: DemoServer
) -> None:
    dialogs: list[object] = []
    page.on('dialog', lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    load(page, running_demo.url + OPENING_PATH)
    expect(part(page, 'title').locator('[data-cg-star]')).to_have_count(1, timeout=WAIT)
    page.wait_for_function('Object.keys(localStorage).some(key => key.includes("-recent@"))')
    recent, favourites = page.evaluate("""() => {
        const key = Object.keys(localStorage).find(one => one.includes('-recent@'));
        return [key, key.replace('-recent@', '-favourites@')];
    }""")
    odd = [EVIL, None, 7, {}, ['only one'], [1, 2], ['x' * 3000, 'too long'], ['', 'empty']]
    good = [[f'javascript:alert({n})', f'{EVIL} {n}'] for n in range(300)]
    for key, kept in ((recent, json.dumps([*odd, *good])), (favourites, '{"not": "a list"')):
        page.evaluate('([key, kept]) => localStorage.setItem(key, kept)', [key, kept])
    page.goto(app.url)
    expect(entries(page, 'recent')).to_have_count(12, timeout=WAIT)
    expect(entries(page, 'recent').first.locator('a')).to_have_text(f'{EVIL} 0')
    expect(part(page, 'home').locator('img')).to_have_count(0)
    expect(entries(page, 'favourites')).to_have_count(0)
    entries(page, 'recent').first.locator('a').click()
    expect(part(page, 'status')).to_contain_text('is nothing this gallery can open', timeout=WAIT)
    expect(source(page)).to_have_value('javascript:alert(0)')
    assert dialogs == []


def test_a_key_does_not_stay_in_the_box(page: Page) -> None:
    load(page, '0123456789abcdef' * 2)
    expect(part(page, 'status_page')).to_contain_text('looks like an API key', timeout=WAIT)
    expect(source(page)).to_have_value('', timeout=WAIT)
    assert 'words' not in page.url


def test_a_slash_leads_to_the_box_unless_something_is_being_typed(page: Page) -> None:
    expect(part(page, 'home').get_by_role('link').first).to_be_visible(timeout=WAIT)
    page.wait_for_function('window.civitaiGalleryStart')
    page.locator('body').press('/')
    expect(source(page)).to_be_focused()
    expect(source(page)).to_have_value('')
    source(page).press('/')
    expect(source(page)).to_have_value('/')
    source(page).press('Escape')
    expect(source(page)).not_to_be_focused()
    part(page, 'home').get_by_role('link').first.focus()
    page.keyboard.press('Control+/')
    expect(source(page)).not_to_be_focused()
