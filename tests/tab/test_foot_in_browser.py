"""The bar below the grid in a real browser: in reach, several chosen, watched, stopped."""

from __future__ import annotations

import re
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
    tab_at,
)
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of
from tests.support.scripted_server import STALL, ok

pytestmark = needs_chromium

COUNT = 12
SETTINGS = {'gallery_rows': 3, 'gallery_columns': 4, 'http_max_retries': 3, 'http_retry_delay': 0}


# The buttons of the bar stand in so many rows, the last of which is as wide as the bar.
IN_FULL_ROWS = """(rows) => {
    const foot = document.querySelector('#civitai_gallery_foot');
    const boxes = [...foot.querySelectorAll('button')].map((one) => one.getBoundingClientRect())
        .filter((box) => box.width);
    const middles = boxes.map((box) => (box.top + box.bottom) / 2).sort((a, b) => a - b);
    const found = 1 + middles.slice(1).filter((one, i) => one - middles[i] > 12).length;
    const end = Math.max(...boxes.map((box) => box.right));
    return found === rows && Math.abs(end - foot.getBoundingClientRect().right) < 2;
}"""


@pytest.fixture(scope='module')
def served() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture(scope='module')
def app(
    prepared: Prepared, served: GridSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with app_of(prepared, served.server.url, tmp_path_factory.mktemp('home'), SETTINGS) as running:
        yield running


@pytest.fixture
def site(served: GridSite) -> Iterator[GridSite]:
    served.server.release.clear()
    yield served
    served.instead.clear()
    served.server.release.set()


@pytest.fixture
def page(browser: Browser, app: RunningApp, site: GridSite) -> Iterator[Page]:
    """A page with the gallery on it."""
    with tab_at(browser, app.url) as tab:
        load(tab, site.link)
        expect(pictures(tab)).to_have_count(COUNT, timeout=WAIT)
        expect(part(tab, 'status')).to_contain_text(f'{COUNT} pictures', timeout=WAIT)
        yield tab


def kept(app: RunningApp) -> list[str]:
    return sorted(one.name for one in (app.home / 'kept').rglob('*.jp*g'))


def test_the_bar_is_in_reach_and_covers_nothing_that_has_the_focus(page: Page) -> None:
    for width, height in ((1280, 720), (390, 844), (360, 640)):
        page.set_viewport_size({'width': width, 'height': height})
        for name in ('next', 'download_page', 'download_whole'):
            box = part(page, name).bounding_box()
            assert box and 0 <= box['x'] and box['x'] + box['width'] <= width, (width, name)
            assert box['y'] + box['height'] <= height, (width, name)
    expect(part(page, 'open_folder')).to_be_visible(timeout=WAIT)
    for width, rows in ((1920, 1), (1280, 1), (768, 2), (390, 2), (360, 2)):
        page.set_viewport_size({'width': width, 'height': 720})
        page.wait_for_function(IN_FULL_ROWS, arg=rows)
    page.set_viewport_size({'width': 1280, 'height': 480})
    pictures(page).first.click()
    page.keyboard.press('End')
    page.keyboard.press('Home')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('ArrowDown')
    focused = page.locator(':focus').bounding_box()
    bar = part(page, 'foot').bounding_box()
    assert focused and bar and focused['y'] + focused['height'] <= bar['y'] + 1


def test_several_are_chosen_by_ticks_ranges_and_keys_and_kept(page: Page, app: RunningApp) -> None:
    picked = page.locator('.cg-tick[aria-checked="true"]')
    send = page.locator('[data-pick="send"]')
    expect(send).to_be_hidden()
    page.get_by_role('button', name='Select', exact=True).click()
    pictures(page).nth(1).click()
    pictures(page).nth(3).click(modifiers=['Shift'])
    expect(picked).to_have_count(3)
    expect(part(page, 'details').locator('a')).to_have_count(0)  # no picture was opened
    page.keyboard.press('ArrowRight')
    page.keyboard.press(' ')
    expect(picked).to_have_count(4)
    page.keyboard.press(' ')
    expect(picked).to_have_count(3)
    expect(send).to_have_text('Download selected (3)')
    for name in ('download_page', 'download_whole'):  # they keep others than those
        expect(part(page, name)).to_be_hidden()
    assert part(page, 'foot').bounding_box()['height'] < 60
    page.get_by_role('button', name='All on this page').click()
    expect(picked).to_have_count(COUNT)
    page.get_by_role('button', name='None').click()
    expect(picked).to_have_count(0)
    page.locator('.cg-tick').nth(0).click()
    page.locator('.cg-tick').nth(5).click()
    send.click()
    expect(part(page, 'kept_here')).to_contain_text('2 saved', timeout=WAIT)
    expect(page.locator('.cg-cell[data-kept]')).to_have_count(2)
    assert page.locator('.cg-cell[data-kept]').last.get_attribute('data-picture') == '6'
    expect(picked).to_have_count(0)
    assert len(kept(app)) == 2
    pictures(page).nth(2).click()  # and now a click opens a picture again
    link = part(page, 'details').locator('a[href*="/images/"]')
    expect(link).to_have_attribute('href', re.compile('/images/3$'), timeout=WAIT)


def test_a_download_is_watched_stopped_and_tried_again_where_it_was_begun(
    page: Page, app: RunningApp, site: GridSite
) -> None:
    for name in kept(app):
        next((app.home / 'kept').rglob(name)).unlink()
    site.instead['p4/original'] = ok(b'busy', status=500)
    site.instead['p8/original'] = (STALL,)
    part(page, 'download_page').click()
    told = part(page, 'kept_here')
    expect(told).to_contain_text(f'{COUNT - 1}/{COUNT}', timeout=WAIT)
    expect(part(page, 'jobs')).to_contain_text(f'{COUNT - 1} of {COUNT} pictures', timeout=WAIT)
    expect(part(page, 'download_page')).to_be_hidden()
    page.evaluate("""() => {
        const told = document.querySelector('#civitai_gallery_kept_here');
        window.stopped = new Promise((done) => {
            const look = () => {
                if (/Stopped/.test(told.textContent)) done(performance.now() - window.pressed);
                else setTimeout(look, 5);
            };
            look();
        });
        document.addEventListener('click', () => { window.pressed = performance.now(); }, true);
    }""")
    part(page, 'cancel').click()
    seconds = page.evaluate('window.stopped') / 1000
    assert seconds < 0.3 + 1.0  # what the busy machine may add
    expect(told).to_contain_text(f'{COUNT - 2} saved')
    expect(part(page, 'cancel')).to_be_hidden(timeout=WAIT)
    failure = told.locator('.cg-failures li')
    expect(failure).to_have_count(1)
    expect(failure).to_contain_text('500')
    expect(failure.locator('img')).to_be_visible()
    assert failure.locator('img').evaluate('image => image.naturalWidth') > 0
    load(page, site.link.replace('ana', 'bob'))
    expect(told).to_contain_text('Not saved of user ana: 1', timeout=WAIT)
    expect(failure).to_be_visible()
    site.instead.clear()
    failure.get_by_role('button', name='Try picture 4 again').click()
    expect(told).to_contain_text('1 saved', timeout=WAIT)
    expect(failure).to_have_count(0)
    expect(part(page, 'retry_page')).to_be_hidden()
    assert len(kept(app)) == COUNT - 1


def test_where_a_key_is_asked_for_a_button_leads_to_its_field(page: Page, site: GridSite) -> None:
    site.instead['/api/v1/images'] = ok(b'{}', status=401)
    load(page, f'{site.server.url}/user/bob')
    page.get_by_role('button', name='Enter a key').click()
    expect(part(page, 'api_key').locator('input')).to_be_focused(timeout=WAIT)


def test_a_button_that_was_pressed_shows_it_until_there_is_an_answer(page: Page) -> None:
    at_rest(page)
    whole = part(page, 'download_whole')
    with held(page, '**/queue/join**') as asked:
        whole.click()
        expect(whole).to_have_attribute('data-pressed', '', timeout=WAIT)
        expect(whole).to_have_css('opacity', '0.6')
        assert asked, 'nothing was asked'
    expect(part(page, 'whole_told')).to_be_visible(timeout=WAIT)
    expect(whole).not_to_have_attribute('data-pressed', '')
    expect(whole).to_have_css('opacity', '1')


def test_the_settings_are_one_press_away_from_the_box_for_links(page: Page) -> None:
    button, panel = part(page, 'to_settings').locator('button'), part(page, 'settings')
    title, saves = panel.locator('.label-wrap').first, part(page, 'settings_save')
    for way in (button.click, lambda: button.press('Enter')):
        way()  # the second time it is open already, and stays so
        expect(title).to_be_focused(timeout=WAIT)
        expect(saves).to_be_visible()
        expect(title).to_be_in_viewport()
        page.evaluate('scrollTo(0, 0)')
    page.set_viewport_size({'width': 390, 'height': 844})
    fold = page.locator('.cg-fold').bounding_box()
    for _ in range(2):  # folded and not
        box = button.bounding_box()
        assert box['y'] == fold['y'] and box['width'] >= 44 and box['x'] + box['width'] <= 390
        assert box['x'] >= fold['x'] + fold['width']
        page.locator('.cg-fold').click()
