"""What axe-core finds on the page of the app, state by state, in light and dark."""

from __future__ import annotations

import re
import shutil
from typing import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import WAIT, load, needs_chromium, part, pictures, speak
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of
from tests.support.scripted_server import STALL, ok

pytestmark = needs_chromium

COUNT = 6
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 3, 'http_max_retries': 3, 'http_retry_delay': 0}
GRAVE = {'serious', 'critical'}


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


def faults(tab: Page) -> list[str]:
    """What is wrong with what is ours on the page; what gradio puts around it is left out."""
    expect(tab.locator('[data-pressed]')).to_have_count(0, timeout=WAIT)  # it is dimmed so long
    found = Axe().run(tab, context={'include': [['[id^=civitai_gallery]']]})
    return [
        f'{fault["id"]}: {node["html"][:200]}'
        for fault in found.response['violations']
        if fault['impact'] in GRAVE
        for node in fault['nodes']
    ]


def faults_of_jobs(tab: Page, app: RunningApp, site: GridSite) -> dict[str, list[str]]:
    """The same, state by state of a whole gallery, whose form is open."""
    seen = {}
    begun, panel = part(tab, 'begun'), part(tab, 'jobs')
    site.instead['p4/original'] = ok(b'busy', status=500)
    site.instead['p5/original'] = (STALL,)
    part(tab, 'whole_start').click()
    expect(begun).to_contain_text(re.compile(r'[1-9]\d* of \d+ pictures'), timeout=WAIT)
    seen['a job that runs'] = faults(tab)
    begun.get_by_role('button', name='Pause').click()
    expect(begun).to_contain_text('paused', timeout=WAIT)
    seen['a job that rests'] = faults(tab)
    del site.instead['p5/original']
    begun.get_by_role('button', name='Resume').click()
    expect(begun).to_contain_text('1 failed', timeout=WAIT)
    panel.locator('.cg-failures summary').click()
    expect(panel.locator('.cg-failures img')).to_be_visible()
    seen['a job that failed'] = faults(tab)
    site.instead.clear()
    panel.get_by_role('button', name='Try picture 4 again').click()
    expect(begun).to_contain_text(' complete', timeout=WAIT)
    expect(panel.locator('.cg-failures')).to_have_count(0, timeout=WAIT)
    seen['a job that ended'] = faults(tab)
    panel.get_by_role('button', name='Remove from list').click()
    expect(panel.locator('[data-job]')).to_have_count(0, timeout=WAIT)
    shutil.rmtree(app.home / 'kept')
    return seen


def test_nobody_is_shut_out_of_the_chinese_page(
    browser: Browser, app: RunningApp, site: GridSite
) -> None:
    context = browser.new_context(reduced_motion='reduce')
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(app.url)
    speak(tab, 'zh_TW', 'zh-TW')
    load(tab, site.link)
    expect(pictures(tab)).to_have_count(COUNT, timeout=WAIT)
    pictures(tab).first.click()
    expect(part(tab, 'details')).to_contain_text('@ana', timeout=WAIT)
    for panel in ('models', 'settings', 'cache'):
        part(tab, panel).locator('button').first.click()
    expect(part(tab, 'settings_save')).to_be_visible(timeout=WAIT)
    found = faults(tab)
    part(tab, 'settings').locator('button').first.click()  # as it was
    speak(tab, 'en', 'en')
    context.close()
    assert found == []


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_nobody_is_shut_out(browser: Browser, app: RunningApp, site: GridSite, theme: str) -> None:
    context = browser.new_context(
        viewport={'width': 1280, 'height': 900}, reduced_motion='reduce'
    )  # a colour on its way to another one has a contrast of its own
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(f'{app.url}?__theme={theme}')
    expect(part(tab, 'status')).to_contain_text('Paste a Civitai link', timeout=WAIT)
    seen = {'start': faults(tab)}
    load(tab, site.link)
    expect(pictures(tab)).to_have_count(COUNT, timeout=WAIT)
    seen['grid'] = faults(tab)
    pictures(tab).first.click()
    expect(part(tab, 'details')).to_contain_text('@ana', timeout=WAIT)
    seen['a picture'] = faults(tab)
    tab.keyboard.press('f')
    expect(part(tab, 'lightbox')).to_be_visible(timeout=WAIT)
    seen['lightbox'] = faults(tab)
    tab.keyboard.press('Escape')
    tab.keyboard.press('?')
    expect(tab.get_by_role('dialog', name='Keys')).to_be_visible(timeout=WAIT)
    seen['keys'] = faults(tab)
    tab.keyboard.press('Escape')
    for panel in ('models', 'settings', 'cache'):
        part(tab, panel).locator('button').first.click()
    part(tab, 'download_whole').click()
    expect(part(tab, 'whole_start')).to_be_visible(timeout=WAIT)
    expect(part(tab, 'settings_save')).to_be_visible(timeout=WAIT)
    seen['panels'] = faults(tab)
    seen |= faults_of_jobs(tab, app, site)
    context.close()
    assert {state: found for state, found in seen.items() if found} == {}
