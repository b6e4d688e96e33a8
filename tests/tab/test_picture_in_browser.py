"""One picture in a real browser: in the panel beside the grid, and in the lightbox."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import (
    WAIT,
    at_rest,
    held,
    load,
    needs_chromium,
    part,
    pictures,
    until,
)
from tests.support.grid_site import GridSite, jpeg
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of
from tests.support.scripted_server import Answer, kept, ok

pytestmark = needs_chromium

COUNT = 4
SETTINGS = {'gallery_rows': 1, 'gallery_columns': 4, 'http_max_retries': 0, 'http_retry_delay': 0}
# With a prompt, as every second one has.
FIRST = 1


@pytest.fixture(scope='module')
def served() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture
def site(served: GridSite) -> Iterator[GridSite]:
    """The site, on which nothing is odd to begin with."""
    yield served
    served.instead.clear()


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('home')


@pytest.fixture(scope='module')
def app(prepared: Prepared, served: GridSite, home: Path) -> Iterator[RunningApp]:
    with app_of(prepared, served.server.url, home, SETTINGS) as running:
        yield running


def opened(tab: Page, app: RunningApp, site: GridSite, home: Path) -> Page:
    """The first page of the gallery, with nothing in the picture cache before."""
    for one in (home / 'picture_cache').glob('*.jpeg'):
        one.unlink()
    tab.set_default_timeout(WAIT)
    tab.goto(app.url)
    expect(part(tab, 'load')).to_be_visible()
    load(tab, site.link)
    expect(tab.locator('.cg-cell[data-state="there"]')).to_have_count(COUNT, timeout=WAIT)
    return tab


@pytest.fixture
def page(browser: Browser, app: RunningApp, site: GridSite, home: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={'width': 1280, 'height': 720})
    yield opened(context.new_page(), app, site, home)
    context.close()


@pytest.fixture
def phone(browser: Browser, app: RunningApp, site: GridSite, home: Path) -> Iterator[Page]:
    context = browser.new_context(
        viewport={'width': 390, 'height': 844}, has_touch=True, is_mobile=True
    )
    yield opened(context.new_page(), app, site, home)
    context.close()


def is_told_of(tab: Page, number: int) -> None:
    link = part(tab, 'details').locator('a[href*="/images/"]')
    expect(link).to_have_attribute('href', re.compile(f'/images/{number}$'), timeout=WAIT)


def lightbox(tab: Page) -> object:
    return tab.get_by_role('dialog', name='The chosen picture, large')


def shows(tab: Page, number: int) -> None:
    """Wait until the lightbox shows the large picture of that number."""
    expect(tab.locator('.cg-caption')).to_contain_text('@ana', timeout=WAIT)
    tab.wait_for_function(
        """place => {
            const image = document.querySelector('dialog[open] .cg-zoomed img.cg-large');
            return image && image.naturalWidth && image.src.endsWith('/' + place);
        }""",
        arg=str((number - 1) % COUNT),
        timeout=WAIT,
    )


def test_a_click_shows_the_small_picture_at_once_and_the_texts_apart(
    page: Page, site: GridSite
) -> None:
    may_come = threading.Event()

    def late() -> Answer:
        may_come.wait(WAIT / 1000)
        return kept(ok(jpeg(1), Content_Type='image/jpeg'))

    site.instead['/p1/width=1200'] = late
    small = pictures(page).first.get_attribute('src')
    seen = page.evaluate("""() => {
        document.querySelector('.thumbnail-item').click();
        const panel = document.querySelector('#civitai_gallery_image');
        return getComputedStyle(panel).getPropertyValue('--cg-veil');
    }""")
    assert small and small in seen
    is_told_of(page, FIRST)
    stage = part(page, 'image')
    expect(stage.locator('.cg-small')).to_have_js_property('naturalWidth', 300)
    expect(stage.locator('.cg-large')).to_have_js_property('naturalWidth', 0)
    may_come.set()
    expect(stage.locator('.cg-large')).to_have_js_property('naturalWidth', 300, timeout=WAIT)
    told = part(page, 'details')
    expect(told.locator('.cg-prose')).to_have_text('picture 1')
    expect(told.get_by_role('row', name='Steps 20')).to_be_visible()
    away = told.locator('a[href*="/images/"]')
    expect(away).to_have_attribute('rel', 'noopener noreferrer')
    box = part(page, 'infotext').locator('textarea')
    expect(box).to_be_enabled()
    expect(box).not_to_be_editable()
    box.focus()
    assert page.evaluate('document.activeElement.value').startswith('picture 1\nSteps: 20')


@pytest.mark.parametrize('has_clipboard', [True, False], ids=['https', 'http'])
def test_each_text_is_copied_with_and_without_a_clipboard(
    page: Page, site: GridSite, has_clipboard: bool
) -> None:
    page.evaluate(
        """has => {
            window.copied = [];
            const clipboard = {writeText: async (text) => { window.copied.push(text); }};
            const value = has ? clipboard : undefined;
            Object.defineProperty(navigator, 'clipboard', {value, configurable: true});
            document.execCommand = (order) => {
                window.copied.push(document.activeElement.value);
                return order === 'copy';
            };
        }""",
        has_clipboard,
    )
    pictures(page).first.click()
    is_told_of(page, FIRST)
    for button in part(page, 'details').locator('[data-cg-copy]').all():
        button.click()
        expect(button).to_have_text('Copied')
    prompt, settings = page.evaluate('window.copied')
    assert prompt == 'picture 1' and settings.startswith('Steps: 20, ')


def test_the_lightbox_leads_through_the_gallery_and_gives_the_focus_back(
    page: Page, site: GridSite
) -> None:
    pictures(page).nth(1).dblclick()
    expect(lightbox(page)).to_be_visible()
    shows(page, 2)
    expect(lightbox(page)).to_have_attribute('aria-modal', 'true')
    for key, number in (('ArrowLeft', 1), ('ArrowRight', 2), ('ArrowRight', 3), ('ArrowRight', 4)):
        page.keyboard.press(key)
        shows(page, number)
        is_told_of(page, number)
    for key in ('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab'):
        page.keyboard.press(key)
        assert page.evaluate("Boolean(document.activeElement.closest('dialog'))"), key
    for _ in range(2):  # behind the last one the next page begins, and there the second one counts
        page.keyboard.press('ArrowRight')
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    shows(page, COUNT + 2)
    second = re.compile(r'[?&]p=2\b')
    expect(page).to_have_url(second, timeout=WAIT)  # else there is nothing to go back to
    page.keyboard.press('d')
    expect(page.locator('.cg-told')).to_have_text('1 saved.', timeout=WAIT)
    page.keyboard.press('ArrowLeft')
    shows(page, COUNT + 1)
    page.keyboard.press('ArrowLeft')
    expect(part(page, 'page_info')).to_contain_text('Page 1', timeout=WAIT)
    shows(page, COUNT)
    page.keyboard.press('Escape')
    expect(lightbox(page)).to_have_count(0)
    assert page.evaluate('document.activeElement.dataset.index') == str(COUNT - 1)
    page.keyboard.press('Enter')
    expect(lightbox(page)).to_be_visible()
    expect(page).not_to_have_url(second, timeout=WAIT)
    page.go_back()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    expect(lightbox(page)).to_have_count(0)


def test_the_lightbox_hears_the_keys_also_where_nothing_has_the_focus(
    page: Page, site: GridSite
) -> None:
    pictures(page).nth(1).dblclick()
    expect(lightbox(page)).to_be_visible()
    page.evaluate('document.activeElement.blur()')
    assert page.evaluate('document.activeElement === document.body')
    page.keyboard.press('ArrowRight')
    shows(page, 3)
    page.keyboard.press('Tab')
    assert page.evaluate("Boolean(document.activeElement.closest('dialog'))")
    page.keyboard.press('?')
    listed = page.get_by_role('dialog', name='Keys')
    expect(listed).to_be_visible()
    page.keyboard.press('ArrowRight')  # not while the list lies over it
    page.keyboard.press('?')
    expect(listed).to_have_count(0)
    shows(page, 3)
    for key, number, first in (('n', 2, COUNT + 1), ('p', 1, COUNT)):
        page.keyboard.press(key)
        expect(part(page, 'page_info')).to_contain_text(f'Page {number}', timeout=WAIT)
        shows(page, first)


def test_a_picture_is_looked_at_nearer_and_in_full_size(page: Page, site: GridSite) -> None:
    pictures(page).first.click()
    is_told_of(page, FIRST)
    part(page, 'image').locator('.cg-open').click()
    shows(page, 1)
    scale = (
        "() => new DOMMatrix(getComputedStyle(document.querySelector('.cg-zoomed')).transform).a"
    )
    page.locator('.cg-stage').dblclick(position={'x': 300, 'y': 200})
    assert page.evaluate(scale) == 2.5
    page.mouse.wheel(0, -200)
    page.wait_for_function(f'({scale})() > 2.5')
    page.keyboard.press('0')
    assert page.evaluate(scale) == 1
    assert not site.asked('/p1/original')
    lightbox(page).get_by_role('button', name='Full size').click()
    expect(page.locator('.cg-original')).to_be_visible(timeout=WAIT)
    expect(page.locator('.cg-told')).to_contain_text('300×200')
    assert len(site.asked('/p1/original')) == 1


def test_where_the_large_one_does_not_come_the_small_one_stays_and_it_is_said(
    page: Page, site: GridSite
) -> None:
    site.instead['/p3/width=1200'] = ok(b'busy', status=500)
    pictures(page).nth(2).dblclick()
    expect(page.locator('.cg-told')).to_contain_text('this is the small one', timeout=WAIT)
    expect(page.locator('.cg-told')).to_contain_text('500')
    expect(page.locator('.cg-zoomed .cg-small')).to_have_js_property('naturalWidth', 300)


def test_on_a_phone_a_tap_opens_it_with_the_text_below(phone: Page, site: GridSite) -> None:
    pictures(phone).first.tap()
    expect(lightbox(phone)).to_be_visible()
    shows(phone, FIRST)
    below = phone.locator('.cg-below')
    expect(below.locator('.cg-prose')).to_have_text('picture 1', timeout=WAIT)
    expect(below.get_by_role('button', name='Copy the whole generation data')).to_be_visible()
    phone.evaluate("""() => {
        const stage = document.querySelector('.cg-stage');
        const send = (name, x, target = stage) => target.dispatchEvent(new PointerEvent(name,
            {pointerId: 7, pointerType: 'touch', clientX: x, clientY: 300, bubbles: true}));
        send('pointerdown', 300);
        send('pointermove', 200);
        send('pointerup', 120);
    }""")
    shows(phone, 2)
    is_told_of(phone, 2)
    phone.get_by_role('button', name='Close (Esc)').tap()
    expect(lightbox(phone)).to_have_count(0)


def test_the_keys_do_what_their_list_says(page: Page, site: GridSite) -> None:
    page.evaluate('document.activeElement.blur()')
    page.keyboard.press('ArrowRight')
    assert page.evaluate('document.activeElement.dataset.index') == '0'
    page.keyboard.press('?')
    listed = page.get_by_role('dialog', name='Keys')
    expect(listed).to_contain_text('Next and previous page')
    page.keyboard.press('n')  # not while something lies over the page
    page.keyboard.press('Escape')
    expect(listed).to_have_count(0)
    expect(part(page, 'page_info')).to_contain_text('Page 1')
    page.keyboard.press('n')
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    expect(page.locator('.cg-cell[data-state="there"]')).to_have_count(COUNT, timeout=WAIT)
    page.keyboard.press('p')
    expect(part(page, 'page_info')).to_contain_text('Page 1', timeout=WAIT)
    page.keyboard.press('f')
    shows(page, 1)
    page.keyboard.press('f')
    expect(lightbox(page)).to_have_count(0)
    part(page, 'source').locator('textarea, input').focus()
    page.keyboard.press('?')
    page.keyboard.press('n')
    expect(part(page, 'source').locator('textarea, input')).to_have_value(re.compile(r'\?n$'))
    assert not page.locator('dialog[open]').count()


def test_the_last_press_of_a_mark_is_seen_whatever_answers_come_to_those_before(
    page: Page,
) -> None:
    pictures(page).nth(3).click()
    is_told_of(page, 4)
    star = part(page, 'details').locator('[data-cg-mark^=favourite]')
    expect(star).to_have_attribute('aria-pressed', 'false')
    with held(page, '**/queue/join**') as asked:
        for is_so in ('true', 'false', 'true'):
            page.keyboard.press('s')
            expect(star).to_have_attribute('aria-pressed', is_so)
        until(page, lambda: bool(asked))
        page.evaluate("""() => {
            window.seen = new Set();
            new MutationObserver(() => setTimeout(() => {
                for (const one of document.querySelectorAll('#civitai_gallery_details .cg-mark'))
                    if (/^favourite/.test(one.dataset.cgMark)) seen.add(one.ariaPressed);
            })).observe(document.body, {subtree: true, childList: true, attributes: true});
        }""")
    page.wait_for_function(
        '() => !civitaiGalleryPicture.orders.length && !civitaiGalleryPicture.sent'
    )
    at_rest(page)
    assert page.evaluate('[...seen]') == ['true']
    expect(page.locator('.cg-cell').nth(3)).to_have_attribute('data-favourite', '')
    page.keyboard.press('s')
    expect(star).to_have_attribute('aria-pressed', 'false')


def test_a_favourite_is_starred_in_its_cell(page: Page, site: GridSite) -> None:
    pictures(page).nth(1).click()
    is_told_of(page, 2)
    cell = page.locator('.cg-cell').nth(1)
    expect(cell.locator('.cg-star')).to_be_hidden()
    item = cell.locator('.thumbnail-item')
    for key, name in (('s', ', Favourite'), ('s', ', @ana')):
        page.keyboard.press(key)
        expect(item).to_have_attribute('aria-label', re.compile(f'{name}$'), timeout=WAIT)
        expect(cell.locator('.cg-star')).to_be_visible(visible=name == ', Favourite')
    part(page, 'details').get_by_role('button', name='Hide').click()
    expect(cell).to_have_attribute('data-hidden', '', timeout=WAIT)
    expect(item).to_have_attribute('aria-label', re.compile(', Hidden$'))
    page.keyboard.press('n')
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    page.keyboard.press('p')
    expect(part(page, 'left')).to_contain_text('1 hidden by you.', timeout=WAIT)
    expect(pictures(page)).to_have_count(COUNT - 1)
    part(page, 'left').get_by_role('button', name='Show').click()
    expect(pictures(page)).to_have_count(COUNT, timeout=WAIT)
    pictures(page).nth(1).click()
    hides = part(page, 'details').locator('[data-cg-mark^=hidden]')
    expect(hides).to_have_text('Hidden', timeout=WAIT)
    expect(hides).to_have_attribute('aria-pressed', 'true', timeout=WAIT)
    hides.click()
    expect(hides).to_have_attribute('aria-pressed', 'false', timeout=WAIT)
    expect(hides).to_have_text('Hide', timeout=WAIT)
    expect(item).to_have_attribute('aria-label', re.compile(', @ana$'))
