"""The scenario `tab`: how soon pictures are seen in our app, beside a bare page with the same ones.

The page is nothing but the 24 `img` of the stand-in's own CDN, so nothing can be faster. Both are
opened in turn by one headless Chromium, whose clock tells all moments but one: when the list of
the pictures was there, which the stand-in tells.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

from playwright.sync_api import Browser, Page, sync_playwright

from civitai_demo.server import OPENING_PATH, DemoServer

from .origin import ROOT

LATENCIES = 0.1, 0.4  # seconds
PICTURES = 24
WAIT = 60_000
_PART = '#civitai_gallery_{}'
_CHROMIUM = 'chromium', 'chromium-browser', 'google-chrome'
# Notes when each picture of the grid was drawn, and the last click; in milliseconds since 1970.
_WATCH = """() => {
    window.seen = [];
    document.addEventListener('load', (event) => {
        const item = event.target.closest && event.target.closest('.thumbnail-item');
        if (item) window.seen.push(Date.now());
    }, true);
    document.addEventListener('click', () => { window.began = Date.now(); }, true);
}"""
_BARE = """<script>
    window.seen = []; window.began = Date.now();
    document.addEventListener('load', (event) => {
        if (event.target.tagName === 'IMG') seen.push(Date.now());
    }, true);
</script>"""
_TOLD = """() => document.querySelector('#civitai_gallery_details a') && Date.now()"""
_CHOSEN = """() => [...document.querySelectorAll('#civitai_gallery_preview img')]
    .some(image => image.complete && image.naturalWidth > 450) && Date.now()"""

Rows = dict[tuple[str, float], list[tuple[float, float]]]


def section(rounds: int, say: Callable[[str], None]) -> str:
    """Measure, and return the part of the page with the figures; seconds, medians of `rounds`."""
    rows: Rows = {}
    with sync_playwright() as playwright, DemoServer() as site, _app(site.url) as (url, home):
        found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
        browser = playwright.chromium.launch(executable_path=found, args=['--no-sandbox'])
        for latency in LATENCIES:
            for number in range(rounds + 1):
                measured = _round(browser, site, url, home, latency)
                for name, figures in measured.items() if number else ():  # the first warms up
                    rows.setdefault((name, latency), []).append(figures)
                say(f'tab, {latency * 1000:g} ms, round {number} of {rounds}')
        browser.close()
    return _table(rows)


@contextmanager
def _app(site: str) -> Iterator[tuple[str, Path]]:
    """Our app in a process of its own; its address and its data folder."""
    with tempfile.TemporaryDirectory(prefix='civitai-gallery-bench-') as folder:
        kept = {name: value for name, value in os.environ.items() if 'CIVITAI' not in name}
        process = subprocess.Popen(
            [sys.executable, str(ROOT / 'civitai_gallery.py'), 'app', '--port', '0'],
            env={**kept, 'CIVITAI_BASE_URL': site, 'CIVITAI_GALLERY_HOME': folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            told = re.search(r'http://\S+', process.stdout.readline())
            assert told, 'the app did not start'
            yield told[0], Path(folder)
        finally:
            process.terminate()
            process.wait(30)


def _round(
    browser: Browser, site: DemoServer, url: str, home: Path, latency: float
) -> dict[str, tuple[float, float]]:
    """Seconds to the first and to all pictures, by what was done."""
    shutil.rmtree(home / 'picture_cache', ignore_errors=True)
    site.latency, measured = latency, {}
    with _page(browser) as tab:
        tab.goto(url)
        tab.locator(_PART.format('load')).last.wait_for()
        tab.evaluate(_WATCH)
        source = tab.locator(_PART.format('source')).last.locator('textarea, input')
        source.fill(site.url + OPENING_PATH)
        with _listing(site) as listed:
            tab.locator(_PART.format('load')).last.click()
            seen = _seen(tab)
        measured['listing there'] = _between(listed[0], seen)
        addresses = _pictures_asked(site)
        tab.wait_for_timeout(2000 + 4000 * latency)  # the next page is fetched ahead
        for button, name in (('next', 'Next, fetched ahead'), ('prev', 'Previous')):
            tab.evaluate('() => { window.seen.length = 0; }')
            tab.locator(_PART.format(button)).last.click()
            measured[name] = _between(_began(tab), _seen(tab))
        tab.locator('.thumbnail-item').nth(3).click()
        told = [
            tab.wait_for_function(condition, timeout=WAIT, polling=20).json_value()
            for condition in (_TOLD, _CHOSEN)
        ]
        measured['click: text, large picture'] = _between(_began(tab), [m / 1000 for m in told])
    with _page(browser) as tab:
        images = ''.join(f'<img src="{address}">' for address in addresses)
        tab.set_content(_BARE + images, wait_until='commit')
        measured['bare page'] = _between(_began(tab), _seen(tab))
    return measured


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={'width': 1280, 'height': 720})
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    yield tab
    context.close()


def _seen(tab: Page) -> list[float]:
    """Wait for all pictures; the moments in seconds since 1970 at which each was drawn."""
    tab.wait_for_function(f'window.seen && window.seen.length >= {PICTURES}', polling=20)
    return [moment / 1000 for moment in tab.evaluate('window.seen')]


def _began(tab: Page) -> float:
    return float(tab.evaluate('window.began')) / 1000


def _between(began: float, seen: list[float]) -> tuple[float, float]:
    return min(seen) - began, max(seen) - began


@contextmanager
def _listing(site: DemoServer) -> Iterator[list[float]]:
    """When the answer to the next question for pictures has gone out, in seconds since 1970."""
    moments: list[float] = []
    site.requests.clear()

    def watch() -> None:
        while not any(record.path == '/api/v1/images' for record in list(site.requests)):
            time.sleep(0.001)
        moments.append(time.time() + site.latency)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    yield moments
    watching.join()


def _pictures_asked(site: DemoServer) -> list[str]:
    """The addresses of the small pictures that were asked for first."""
    paths = [record.path for record in site.requests if 'width=450' in record.path]
    return [site.url + path for path in dict.fromkeys(paths)][:PICTURES]


def _table(rows: Rows) -> str:
    lines = [
        '## The tab',
        '',
        f'Seconds to the first and to all {PICTURES} pictures, medians; *x bare*: beside the bare '
        'page with the same pictures in the same round.',
        '',
        '| latency | what | first | all | x bare: first | all |',
        '| --- | --- | --- | --- | --- | --- |',
    ]
    for (name, latency), figures in sorted(rows.items(), key=lambda row: row[0][1]):
        bare = _medians(rows['bare page', latency])
        first, last = _medians(figures)
        ratios: tuple[Any, Any] = ('', '')
        if name == 'listing there':
            ratios = f'{first / bare[0]:.2f}', f'{last / bare[1]:.2f}'
        cells = f'{first:.2f} | {last:.2f} | {ratios[0]} | {ratios[1]}'
        lines.append(f'| {latency * 1000:g} ms | {name} | {cells} |')
    return '\n'.join(lines) + '\n'


def _medians(figures: list[tuple[float, float]]) -> tuple[float, float]:
    first, last = zip(*figures)
    return statistics.median(first), statistics.median(last)
