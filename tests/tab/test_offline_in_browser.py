"""A saved gallery in a real browser, after the site was turned off."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from civitai_demo.server import OPENING_PATH, DemoServer
from tests.support.browsing import (
    WAIT,
    chosen,
    go,
    load,
    needs_chromium,
    part,
    pictures,
    tab_at,
)
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp

pytestmark = needs_chromium

SETTINGS = {'http_retry_delay': 0, 'http_max_retries': 0, 'gallery_rows': 2}


@pytest.fixture
def site() -> Iterator[DemoServer]:
    """A stand-in of this test's own, which it turns off."""
    with DemoServer() as server:
        yield server


@pytest.fixture
def app(prepared: Prepared, site: DemoServer, tmp_path: Path) -> Iterator[RunningApp]:
    (tmp_path / 'settings.json').write_text(json.dumps(SETTINGS))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('CIVITAI_BASE_URL', site.url)
        folder = str(tmp_path / 'kept')
        running = RunningApp(prepared, tmp_path, '--port', '0', '--downloads', folder)
        yield running
        assert running.stop() == 0


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url, 800) as tab:
        yield tab


def test_a_saved_gallery_is_browsed_when_the_site_is_off(page: Page, site: DemoServer) -> None:
    link = site.url + OPENING_PATH
    load(page, link)
    expect(pictures(page)).to_have_count(12, timeout=WAIT)
    part(page, 'download_whole').click()
    part(page, 'whole_limit').locator('input, textarea').last.fill('20')
    part(page, 'whole_start').click()
    job = part(page, 'jobs').locator('[data-job="1"]')
    expect(job.locator('.cg-state')).to_have_text('complete', timeout=WAIT)

    site.stop()
    page.reload()
    job.get_by_role('button', name='Browse').click()
    mark = part(page, 'title').locator('.cg-saved')
    expect(mark).to_contain_text('shown from this computer; 20 pictures', timeout=WAIT)
    expect(pictures(page)).to_have_count(12, timeout=WAIT)
    expect(page.locator('[data-pick=mode]')).to_be_disabled()
    expect(page.locator('.cg-tick')).to_have_count(0)
    first = chosen(page, 0)
    expect(part(page, 'image').locator('img').first).to_be_visible()
    go(page, 'next', '2')
    expect(pictures(page)).to_have_count(8, timeout=WAIT)
    assert chosen(page, 0) != first
    page.reload()
    expect(pictures(page)).to_have_count(8, timeout=WAIT)
    expect(mark).to_contain_text('20 pictures')
    page.go_back()
    expect(pictures(page)).to_have_count(12, timeout=WAIT)
    page.go_forward()
    expect(pictures(page)).to_have_count(8, timeout=WAIT)
    go(page, 'prev', '1')
    assert chosen(page, 0) == first

    load(page, link)
    expect(mark).to_contain_text('Shown instead: Saved gallery', timeout=WAIT)
    expect(page).to_have_url(re.compile(r'\?source=.*4201'), timeout=WAIT)
    expect(pictures(page)).to_have_count(12, timeout=WAIT)
