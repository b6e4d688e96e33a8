"""The demo as a person sees it: `python civitai_gallery.py demo` in a real browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, TimeoutError as TooLate, expect

from tests.support.browsing import (
    WAIT,
    chosen,
    go,
    load,
    needs_chromium,
    other_pictures,
    part,
    pictures,
    sources,
)
from tests.support.paths import ROOT

pytestmark = needs_chromium


LARGE_PICTURE = """() => [...document.querySelectorAll('#civitai_gallery_preview img')]
    .some(image => image.complete && image.naturalWidth > 450)"""


class Demo:
    """A running demo: its URL, its home folder, its process."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / 'civitai_gallery.py'), 'demo', *arguments],
            cwd=home,
            env={**os.environ, 'CIVITAI_GALLERY_HOME': str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=(home / 'stderr.txt').open('w'),
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r'http://\S+', self.line)
        assert found, (home / 'stderr.txt').read_text()
        self.url = found.group()

    def stop(self) -> str:
        """End it as Ctrl-C does; return what else it printed."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=30)
        return rest


@pytest.fixture(scope='module')
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp('demo with spaces ñ 圖'))
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    yield from opened(browser, demo)


def opened(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(viewport={'width': 1400, 'height': 1000})
    context.grant_permissions(['clipboard-read', 'clipboard-write'])
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(demo.url)
    expect(pictures(tab)).to_have_count(24, timeout=WAIT)
    yield tab
    context.close()


def test_the_demo_opens_on_a_gallery_of_pictures(page: Page) -> None:
    page.wait_for_function(
        """() => [...document.querySelectorAll('#civitai_gallery_grid .thumbnail-item img')]
                .every(image => image.complete && image.naturalWidth > 100)""",
        timeout=WAIT,
    )
    expect(part(page, 'title')).to_contain_text('Paper Horizons XL')
    expect(part(page, 'page_info')).to_have_text(re.compile('Page 1'))
    expect(part(page, 'status')).to_contain_text('24 pictures')
    expect(part(page, 'first')).to_be_disabled()
    expect(part(page, 'prev')).to_be_disabled()


def test_every_script_of_the_page_can_be_read(page: Page) -> None:
    """gradio leaves one that cannot be read away, and says so to nobody but the console."""
    unread = page.evaluate("""() => window.gradio_config.dependencies
        .map((event) => event.js).filter(Boolean).flatMap((script) => {
            try { new Function('return (' + script + ')'); return []; }
            catch (error) { return [`${error}: ${script.slice(0, 200)}`]; }
        })""")
    assert unread == []


def test_nothing_is_asked_of_the_internet(browser: Browser, demo: Demo) -> None:
    context = browser.new_context()
    hosts: set[str] = set()
    context.on('request', lambda request: hosts.add(urlsplit(request.url).hostname or ''))
    tab = context.new_page()
    tab.goto(demo.url)
    expect(pictures(tab)).to_have_count(24, timeout=WAIT)
    context.close()
    assert hosts - {''} <= {'127.0.0.1', 'localhost'}


def test_pages_turn_forth_and_back(page: Page) -> None:
    first = sources(page)
    go(page, 'next', 'Page 2')
    assert not set(first) & set(sources(page))
    go(page, 'prev', 'Page 1')
    assert sources(page) == first
    go(page, 'next', 'Page 2')
    go(page, 'first', 'Page 1')
    assert sources(page) == first


@pytest.mark.parametrize(
    'presses, gap',
    [(2, 0), (5, 60), (5, 400)],
    ids=['twice at once', 'five times, fast', 'five times'],
)
def test_however_fast_the_pages_are_turned_the_last_one_is_shown(
    page: Page, presses: int, gap: int
) -> None:
    expect(part(page, 'status')).to_contain_text('24 pictures.', timeout=WAIT)
    press_quickly(page, '#civitai_gallery_next', presses, gap)
    settled(page)


def test_what_is_told_of_a_page_and_gets_lost_is_asked_for_again(page: Page) -> None:
    telling = page.evaluate("""() => {
        const {components, dependencies} = window.gradio_config;
        const status = components.find(one => one.props.elem_id === 'civitai_gallery_status_page');
        return dependencies.filter(one => one.outputs.join() === String(status.id)
            && one.targets.some(([, event]) => event === 'then')).map(one => one.id);
    }""")
    lost: list[Route] = []

    def lose(route: Route) -> None:
        if route.request.post_data_json['fn_index'] in telling:
            lost.append(route)
            route.fulfill(json={'event_id': 'of nobody'})
        else:
            route.continue_()

    page.route('**/queue/join**', lose)
    part(page, 'next').click()
    expect(part(page, 'page_info')).to_contain_text('Page 2', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('24 pictures.', timeout=WAIT)
    assert len(lost) == 1


def test_what_is_told_as_the_page_opens_and_gets_lost_is_asked_for_again(
    browser: Browser, demo: Demo
) -> None:
    context = browser.new_context()
    tab = context.new_page()
    lost: list[Route] = []

    def lose(route: Route) -> None:
        lost.append(route)
        route.fulfill(json={'event_id': 'of nobody'})

    tab.route('**/queue/join**', lose)
    tab.goto(demo.url)
    expect(part(tab, 'load')).to_be_visible(timeout=WAIT)
    tab.wait_for_function('window.civitaiGalleryStart && window.civitaiGalleryJobs', timeout=WAIT)
    tab.unroute('**/queue/join**')
    assert lost and not part(tab, 'models').is_visible()
    expect(part(tab, 'models')).to_be_visible(timeout=WAIT)
    expect(part(tab, 'jobs').locator('[data-number]')).to_have_count(1, timeout=WAIT)
    expect(part(tab, 'open_folder')).to_be_visible()
    context.close()


def press_quickly(tab: Page, selector: str, times: int, gap: int) -> None:
    """Press what `selector` finds, the first `times` of them or the only one so often."""
    tab.evaluate(
        """async ([selector, times, gap]) => {
            for (let time = 0; time < times; time++) {
                const found = document.querySelectorAll(selector);
                found[Math.min(time, found.length - 1)].dispatchEvent(
                    new MouseEvent("click", {bubbles: true, composed: true, detail: 1}));
                if (gap) await new Promise(done => setTimeout(done, gap));
            }
        }""",
        [selector, times, gap],
    )


def settled(tab: Page) -> None:
    """Wait until the grid shows what the status tells, and that has stayed so for a while."""
    settles = """() => {
        const part = name => document.querySelector('#civitai_gallery_' + name);
        const told = /^(\\d+) pictures?[.]/.exec(part('status').innerText.trim());
        const shown = document.querySelectorAll('#civitai_gallery_grid .thumbnail-item img');
        const good = told && shown.length === Number(told[1])
            && !part('status').querySelector('.cg-busy, [data-waits]')
            && !/Page 1\\b/.test(part('page_info').innerText);
        window.goodSince = good ? window.goodSince || performance.now() : 0;
        return good && performance.now() - window.goodSince > 800;
    }"""
    try:
        tab.wait_for_function(settles, timeout=WAIT)
    except TooLate:
        seen = [part(tab, name).inner_html() for name in ('status', 'page_info', 'waits')]
        raise AssertionError([*seen, tab.evaluate('window.civitaiGalleryWaits')]) from None


@pytest.mark.parametrize('gap', [0, 60, 150], ids=lambda gap: f'{gap} ms apart')
def test_however_fast_pictures_are_clicked_the_last_one_is_told_of(page: Page, gap: int) -> None:
    link = part(page, 'details').locator('a[href*="/images/"]')
    wanted = chosen(page, 9)
    for _ in range(2):
        pictures(page).first.click()
        expect(link).not_to_have_attribute('href', re.compile(f'/{wanted}$'), timeout=WAIT)
        press_quickly(page, '#civitai_gallery_grid .thumbnail-item', 10, gap)
        expect(link).to_have_attribute('href', re.compile(f'/{wanted}$'), timeout=WAIT)


def test_another_version_shows_other_pictures(page: Page) -> None:
    first = sources(page)
    part(page, 'version').locator('input').click()
    page.get_by_role('option').last.click()
    other_pictures(page, first)
    assert not set(first) & set(sources(page))


def test_leaving_the_box_of_versions_shows_no_other_page(page: Page) -> None:
    go(page, 'next', 'Page 2')
    chosen(page, 3)
    part(page, 'version').locator('input').click()
    page.keyboard.press('Tab')
    part(page, 'source').locator('textarea, input').click()
    go(page, 'next', 'Page 3')


def test_a_picture_shows_large_with_its_infotext_to_copy(page: Page) -> None:
    pictures(page).nth(2).click()
    preview = part(page, 'preview').locator('img').first
    expect(preview).to_be_visible(timeout=WAIT)
    page.wait_for_function(LARGE_PICTURE, timeout=WAIT)
    box = part(page, 'infotext').locator('textarea')
    expect(box).to_have_value(re.compile(r'\nSteps: \d+, Sampler: '), timeout=WAIT)
    expect(part(page, 'details')).to_contain_text('checkpoint')
    part(page, 'infotext').locator('button').first.click()
    copied = page.evaluate('navigator.clipboard.readText()')
    assert copied == box.input_value()


def test_what_reaches_the_browser_in_one_piece_is_shown_whole(page: Page) -> None:
    def held(route: Route) -> None:
        route.fulfill(response=route.fetch())

    page.route('**/queue/data*', held)
    go(page, 'next', 'Page 2')
    expect(part(page, 'download_page')).to_be_enabled(timeout=WAIT)
    pictures(page).nth(2).click()
    page.wait_for_function(LARGE_PICTURE, timeout=WAIT)
    page.unroute_all(behavior='ignoreErrors')


def test_a_page_is_downloaded_whole(page: Page, demo: Demo) -> None:
    part(page, 'download_page').click()
    expect(part(page, 'status')).to_contain_text('saved', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('user_gallery_images')
    folder = demo.home / 'downloads' / 'Paper Horizons XL' / 'user_gallery_images'
    kept = sorted(folder.iterdir())
    assert len(kept) == 24
    for path in kept:
        with Image.open(path) as picture:
            picture.load()
        assert not path.name.startswith('.')
    part(page, 'download_page').click()
    expect(part(page, 'status')).to_contain_text('0 saved, 24 there already', timeout=WAIT)


@pytest.mark.parametrize(
    ('pasted', 'message'),
    [
        ('', 'Paste a Civitai link'),
        ('what is this', 'what is this'),
        ('https://example.com/models/1', 'not on Civitai'),
        ('999999', '404'),
    ],
    ids=['empty', 'garbage', 'other-site', 'unknown-model'],
)
def test_a_bad_link_gets_a_message_and_loses_nothing(page: Page, pasted: str, message: str) -> None:
    before = sources(page)
    load(page, pasted)
    expect(part(page, 'status')).to_contain_text(message, timeout=WAIT)
    expect(part(page, 'status').locator('.cg-problem')).to_be_visible()
    expect(pictures(page)).to_have_count(24)
    assert sources(page) == before


def test_two_people_do_not_share_a_page(browser: Browser, demo: Demo, page: Page) -> None:
    mine = sources(page)
    for other in opened(browser, demo):
        go(other, 'next', 'Page 2')
        go(other, 'next', 'Page 3')
        expect(part(page, 'page_info')).to_have_text(re.compile('Page 1'))
        go(page, 'next', 'Page 2')
        assert not set(sources(page)) & set(sources(other))
    assert sources(page) != mine


def test_the_folder_button_is_for_this_machine_only(
    browser: Browser, demo: Demo, page: Page
) -> None:
    expect(part(page, 'open_folder')).to_be_visible()
    context = browser.new_context(extra_http_headers={'X-Forwarded-For': '203.0.113.7'})
    tab = context.new_page()
    tab.goto(demo.url)
    expect(pictures(tab)).to_have_count(24, timeout=WAIT)
    expect(part(tab, 'open_folder')).to_have_count(0)
    context.close()


def test_missing_pictures_are_placeholders_and_a_toast_says_why(
    browser: Browser, tmp_path: Path
) -> None:
    nowhere = 'http://127.0.0.1:9'  # a proxy of the user's does not concern the demo
    demo = Demo(tmp_path, '--scenario', 'cdn-404', CIVITAI_GALLERY_LANG='zh_TW', HTTP_PROXY=nowhere)
    try:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(demo.url)
        toast = tab.locator('.toast-body').filter(has_text='404')
        expect(toast.first).to_be_visible(timeout=WAIT)
        expect(toast.first).to_contain_text('張圖片中有')
        expect(pictures(tab)).to_have_count(24, timeout=WAIT)
        placeholders = [src for src in sources(tab) if 'no_preview' in src]
        assert 0 < len(placeholders) < 24
        expect(part(tab, 'download_page')).to_have_text('下載此頁')
        context.close()
    finally:
        rest = demo.stop()
    assert rest == '' and demo.line.count('http://') == 1
    assert demo.process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.process.pid, 0)
