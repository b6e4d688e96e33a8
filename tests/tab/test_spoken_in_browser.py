"""What a screen reader is given to say while the gallery is used."""

from __future__ import annotations

import re
import threading
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

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
from tests.support.scripted_server import Answer, kept, ok

pytestmark = needs_chromium

COUNT = 4
SETTINGS = {'gallery_rows': 1, 'gallery_columns': 4, 'http_max_retries': 0, 'http_retry_delay': 0}
# Takes down what becomes part of a region that was there before, and what is a region itself; the
# one is spoken, of the other nobody knows.
LISTEN = """() => {
    const regions = '[role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off])';
    window.spoken = [];
    window.tooLate = [];
    const known = new WeakSet(document.querySelectorAll(regions));
    const clean = (node) => node.textContent.replace(/\\s+/g, ' ').trim();
    new MutationObserver((changes) => {
        for (const change of changes) for (const node of change.addedNodes) {
            const element = node.nodeType === 1 ? node : node.parentElement;
            const own = element === node
                ? [node, ...node.querySelectorAll(regions)].filter((one) => one.matches(regions))
                : [];
            for (const one of own) if (!known.has(one)) {
                const isToast = one.closest('.toast-body');  // gradio's own, once each
                if (clean(one)) window[isToast ? 'spoken' : 'tooLate'].push(clean(one));
                known.add(one);
            }
            const within = change.target.nodeType === 1 && change.target.closest(regions);
            if (within && clean(node)) window.spoken.push(clean(node));
        }
    }).observe(document.body, {subtree: true, childList: true});
}"""


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture(scope='module')
def app(
    prepared: Prepared, site: GridSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with app_of(prepared, site.server.url, tmp_path_factory.mktemp('home'), SETTINGS) as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url) as tab:
        tab.wait_for_function('window.civitaiGallerySpoken && window.civitaiGalleryFoot')
        expect(part(tab, 'select').locator('[role=status]')).to_have_count(1, timeout=WAIT)
        tab.evaluate(LISTEN)
        yield tab


def says(tab: Page, *wanted: str) -> None:
    """Wait until the last of these is spoken; each was once, in this order, and nothing else."""
    tab.wait_for_function(
        'wanted => window.spoken.some((one) => one.startsWith(wanted))', arg=wanted[-1]
    )
    said = tab.evaluate('window.spoken.splice(0)')
    # "Loading" may be over before it is drawn
    said = [one for one in said if not one.startswith('Loading')]
    assert len(said) == len(wanted), said
    for one, beginning in zip(said, wanted):
        assert one.startswith(beginning), said


def test_each_event_is_spoken_once_and_none_is_missed(page: Page, site: GridSite) -> None:
    load(page, 'https://example.com/models/1')
    says(page, '"https://example.com/models/1" is not on Civitai')
    site.instead['/p4/'] = ok(b'busy', status=500)
    load(page, site.link)
    says(page, 'Warning', '3 pictures.')
    site.instead.clear()
    page.locator('.cg-again').nth(3).click()
    says(page, '4 pictures.')
    for number in (1, 2):
        pictures(page).nth(number - 1).click()
        says(page, f'Shown: Picture {number} of {COUNT}, @ana')
    page.keyboard.press('f')
    says(page, f'Picture 2 of {COUNT}')
    page.keyboard.press('ArrowRight')
    says(page, f'Picture 3 of {COUNT}')
    link = part(page, 'details').locator('a[href*="/images/"]')
    expect(link).to_have_attribute('href', re.compile('/images/3$'), timeout=WAIT)
    expect(page.locator('.cg-below [data-cg-copy]').first).to_be_attached(timeout=WAIT)
    page.keyboard.press('Escape')
    part(page, 'details').locator('[data-cg-copy]').first.click()
    says(page, 'Copied')
    page.keyboard.press('n')
    says(page, f'{COUNT} pictures.')
    page.keyboard.press('p')
    says(page, f'{COUNT} pictures.')
    page.locator('.cg-tick').first.click()
    says(page, '1 selected')
    page.locator('.cg-tick').first.click()
    page.locator('[data-pick=mode]').click()
    may_come = threading.Event()

    def late() -> Answer:
        may_come.wait(WAIT / 1000)
        return kept(ok(jpeg(1), Content_Type='image/jpeg'))

    site.instead['original'] = late
    part(page, 'download_page').click()
    page.wait_for_function("window.spoken.some((one) => one.startsWith('Downloading'))")
    may_come.set()
    says(page, 'Downloading', f'{COUNT} saved')
    assert page.evaluate('window.tooLate') == []
