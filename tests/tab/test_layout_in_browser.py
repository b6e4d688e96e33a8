"""Where things stand in a real browser, from a phone to a wide screen: nothing over another."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import WAIT, load, needs_chromium, part, pictures
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of

pytestmark = needs_chromium

COUNT = 6
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 3, 'http_max_retries': 0, 'http_retry_delay': 0}
SIZES = (
    (360, 740),
    (390, 844),
    (768, 1024),
    (1024, 768),
    (1280, 720),
    (1920, 1080),
    (2560, 1440),
)
# What of each control can be seen is compared with that of each other. What sticks lies over what
# moves, and parts of one cell, of the chosen picture and of a field of gradio's over each other.
FAULTS = """() => {
    const dialog = document.querySelector('dialog[open]'), faults = [];
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth) faults.push('as wide as ' + page.scrollWidth);
    const controls = 'button, a[href], input, select, textarea, summary';
    const ours = [...document.querySelectorAll(controls)].filter((node) =>
        (dialog ? node.closest('dialog[open]') : !node.closest('dialog'))
        && node.closest('[id^=civitai_gallery]'));
    const seen = (node) => {
        let {left, top, right, bottom} = node.getBoundingClientRect();
        const style = getComputedStyle(node);
        if (style.visibility === 'hidden' || style.opacity === '0') return null;
        for (let one = node.parentElement; one; one = one.parentElement) {
            if (getComputedStyle(one).overflow === 'visible') continue;
            const box = one.getBoundingClientRect();
            [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
            [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
        }
        return right - left > 2 && bottom - top > 2 ? {left, top, right, bottom} : null;
    };
    const boxes = ours.map((node) => [node, seen(node)]).filter(([, box]) => box);
    const within = (a, b, what) => a.closest(what) === b.closest(what);
    const layer = '#civitai_gallery_foot, #civitai_gallery_status, .cg-under';
    const one = '.cg-cell, .cg-picture, .cg-card, .form, label, #civitai_gallery_infotext';
    const name = (node) => (node.id || node.className) + ' ' + node.textContent.trim().slice(0, 30);
    boxes.forEach(([node, box], place) => {
        const {left, right} = node.getBoundingClientRect();
        if (left < -1 || right > innerWidth + 1) faults.push('outside: ' + name(node));
        for (const [other, its] of boxes.slice(0, place)) {
            if (!within(node, other, layer)) continue;
            if (node.contains(other) || other.contains(node)) continue;
            if (node.closest(one) && within(node, other, one)) continue;
            const over = Math.min(box.right, its.right) - Math.max(box.left, its.left);
            const below = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
            if (over > 1 && below > 1) faults.push(name(node) + ' over ' + name(other));
        }
    });
    return faults;
}"""


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture(scope='module', params=['here', '3.41.2'], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    site: GridSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    prepared, home = prepared_with(request.param), tmp_path_factory.mktemp('home')
    with app_of(prepared, site.server.url, home, SETTINGS) as running:
        yield running


def faults(tab: Page, state: str) -> list[str]:
    """What is wrong in this state, in windows of all sizes."""
    found = []
    for width, height in SIZES:
        tab.set_viewport_size({'width': width, 'height': height})
        tab.evaluate(
            '() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))'
        )
        found += [f'{state}, {width}: {fault}' for fault in tab.evaluate(FAULTS)]
    return found


def test_nothing_lies_over_another_and_nothing_is_beside_the_page(
    browser: Browser, app: RunningApp, site: GridSite
) -> None:
    tab = browser.new_context(reduced_motion='reduce').new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(app.url)
    expect(part(tab, 'home').get_by_role('link').first).to_be_visible(timeout=WAIT)
    found = faults(tab, 'start')
    load(tab, site.link)
    expect(part(tab, 'status')).to_contain_text(f'{COUNT} pictures.', timeout=WAIT)
    found += faults(tab, 'grid')
    part(tab, 'download_page').click()
    expect(part(tab, 'kept_here')).to_contain_text('6 ', timeout=WAIT)
    tab.locator('[data-pick=mode]').click()
    pictures(tab).first.click()
    found += faults(tab, 'some chosen')
    tab.locator('[data-pick=mode]').click()
    pictures(tab).nth(2).click()
    expect(part(tab, 'details').locator('.cg-prose')).to_be_visible(timeout=WAIT)
    found += faults(tab, 'picture')
    tab.keyboard.press('f')
    expect(part(tab, 'lightbox')).to_be_visible()
    found += faults(tab, 'lightbox')
    tab.keyboard.press('Escape')
    load(tab, 'https://example.com/' + 'so-long-a-link/' * 12)
    expect(part(tab, 'status').locator('.cg-problem')).to_be_visible(timeout=WAIT)
    found += faults(tab, 'error')
    part(tab, 'models').get_by_text('Models on this machine').first.click()
    expect(tab.locator('#civitai_gallery_models_search').last).to_be_visible(timeout=WAIT)
    found += faults(tab, 'models')
    tab.context.close()
    assert found == []


def test_links_signs_and_buttons_have_the_room_and_colour_to_be_read(
    browser: Browser, app: RunningApp, site: GridSite
) -> None:
    tab = browser.new_context(viewport={'width': 390, 'height': 844}).new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(f'{app.url}?__theme=light')
    load(tab, site.link)
    expect(part(tab, 'status')).to_contain_text(f'{COUNT} pictures.', timeout=WAIT)
    box = part(tab, 'source').bounding_box()
    assert box['width'] > 300
    sign = tab.locator('.cg-badges span').first
    assert sign.evaluate('node => getComputedStyle(node).color') == 'rgb(255, 255, 255)'
    tab.set_viewport_size({'width': 768, 'height': 1024})
    expect(part(tab, 'open_folder')).to_be_visible(timeout=WAIT)
    buttons = [part(tab, name) for name in ('next', 'download_page', 'open_folder')]
    rows = {round(button.bounding_box()['y'] / 20) for button in buttons}
    assert len(rows) == 2, rows
    tab.context.close()
