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
from typing import Callable, Iterator, Mapping, Sequence

from playwright.sync_api import Browser, Page, sync_playwright

from civitai_demo.api.scenarios import SILENT_SECONDS
from civitai_demo.server import OPENING_PATH, DemoServer

from .due import Verdict
from .origin import ROOT
from .report import markdown

NAME = 'tab'
LATENCIES = 0.1, 0.4  # seconds
# Of another gallery, as the silent one may still come into the cache of the one before.
_SILENT_PATH = '/models/4201?modelVersionId=420101'
PICTURES = 24
WAIT = 60_000
PART = '#civitai_gallery_{}'
_CHROMIUM = 'chromium', 'chromium-browser', 'google-chrome', 'chromium-headless-shell'
# Notes when each picture was drawn first, the last click, and when what was chosen was told of and
# seen large; in milliseconds since 1970.
_WATCH = """() => {
    window.seen = {};
    document.addEventListener('load', (event) => {
        const item = event.target.closest && event.target.closest('.thumbnail-item');
        if (item) window.seen[item.dataset.index] ??= Date.now();
    }, true);
    document.addEventListener('click', () => { window.began = Date.now(); }, true);
    const look = () => {
        if (document.querySelector('#civitai_gallery_details a')) window.told ??= Date.now();
        if ([...document.querySelectorAll('#civitai_gallery_preview img')]
            .some(image => image.complete && image.naturalWidth > 450)) window.large ??= Date.now();
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
    document.addEventListener('load', look, true);
}"""
_BARE = """<script>
    window.seen = {}; window.began = Date.now();
    document.addEventListener('load', (event) => {
        if (event.target.tagName === 'IMG') window.seen[event.target.src] ??= Date.now();
    }, true);
</script>"""
_CHOSEN = '() => window.told && window.large && [window.told, window.large]'

_LISTED, _SILENT, _BARE_PAGE = 'listing there', 'one of them silent: the others', 'bare page'
_OVER_BARE, _OVER_ALL_WELL = 1.6, 1.15

# Seconds to the first and to all pictures, of each round, by what was done and the latency.
Runs = Mapping[tuple[str, float], Sequence[tuple[float, float]]]


def play(rounds: int, say: Callable[[str], None]) -> Runs:
    """Measure; the first round of each latency only warms up."""
    runs: dict[tuple[str, float], list[tuple[float, float]]] = {}
    with chromium() as browser, DemoServer() as site, app(site.url) as (url, home):
        for latency in LATENCIES:
            for number in range(rounds + 1):
                measured = _round(browser, site, url, home, latency)
                for name, figures in measured.items() if number else ():
                    runs.setdefault((name, latency), []).append(figures)
                say(f'{NAME}, {latency * 1000:g} ms, round {number} of {rounds}')
    return runs


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
        browser = playwright.chromium.launch(executable_path=found, args=['--no-sandbox'])
        yield browser
        browser.close()


@contextmanager
def app(site: str) -> Iterator[tuple[str, Path]]:
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
    with _gallery(browser, site, url, OPENING_PATH) as (tab, listed):
        measured[_LISTED] = _between(listed, _seen(tab))
        addresses = _pictures_asked(site)
        tab.wait_for_timeout(2000 + 4000 * latency)  # the next page is fetched ahead
        for button, name in (('next', 'Next, fetched ahead'), ('prev', 'Previous')):
            tab.evaluate('() => { window.seen = {}; }')
            tab.locator(PART.format(button)).last.click()
            measured[name] = _between(_began(tab), _seen(tab))
        tab.locator('.thumbnail-item').nth(3).click()
        told = tab.wait_for_function(_CHOSEN, timeout=WAIT, polling=20).json_value()
        measured['click: text, large picture'] = tuple(
            moment / 1000 - _began(tab) for moment in told
        )
    site.scenario = 'silent:1'
    with _gallery(browser, site, url, _SILENT_PATH) as (tab, listed):
        measured[_SILENT] = _between(listed, _seen(tab, PICTURES - 1))
    site.scenario = ''
    with page(browser) as tab:
        images = ''.join(f'<img src="{address}">' for address in addresses)
        tab.set_content(_BARE + images, wait_until='commit')
        measured[_BARE_PAGE] = _between(_began(tab), _seen(tab))
    time.sleep(SILENT_SECONDS)  # else the next round has two that are silent
    return measured


@contextmanager
def _gallery(
    browser: Browser, site: DemoServer, url: str, path: str
) -> Iterator[tuple[Page, float]]:
    """A new tab of the app that shows the gallery at `path` of the site; when that was listed."""
    with page(browser) as tab:
        tab.goto(url)
        tab.locator(PART.format('load')).last.wait_for()
        tab.evaluate(_WATCH)
        source = tab.locator(PART.format('source')).last.locator('textarea, input')
        source.fill(site.url + path)
        with _listing(site) as listed:
            tab.locator(PART.format('load')).last.click()
        yield tab, listed[0]


@contextmanager
def page(browser: Browser) -> Iterator[Page]:
    """A tab of its own on a desk."""
    context = browser.new_context(viewport={'width': 1280, 'height': 720})
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    yield tab
    context.close()


def _seen(tab: Page, count: int = PICTURES) -> list[float]:
    """Wait for `count` pictures; the moments in seconds since 1970 at which each was drawn."""
    seen = 'Object.values(window.seen || {})'
    tab.wait_for_function(f'{seen}.length >= {count}', polling=20)
    return [moment / 1000 for moment in tab.evaluate(seen)]


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


def section(runs: Runs) -> list[str]:
    """The paragraphs of the page about the tab."""
    rows = []
    for (name, latency), rounds in sorted(runs.items(), key=lambda run: run[0][1]):
        first, last = _medians(rounds)
        rows.append(
            {
                'latency': f'{latency * 1000:g} ms',
                'what': name,
                'first': f'{first:.2f} s',
                'all': f'{last:.2f} s',
            }
        )
    told = (
        f'Medians of the time to the first and to all {PICTURES} pictures of a page of the app in '
        f'Chromium. `{_BARE_PAGE}` is nothing but the same pictures, from the CDN.'
    )
    return ['## The tab', told, markdown(rows)] if rows else []


def verdicts(runs: Runs) -> list[Verdict]:
    """What is due of the tab: beside the bare page, and beside itself where one is silent."""
    return [
        _verdict(text, runs, what, beside, place, ceiling)
        for text, what, beside, place, ceiling in (
            ('Tab, first picture: at most 1.6x the bare page', _LISTED, _BARE_PAGE, 0, _OVER_BARE),
            ('Tab, all pictures: at most 1.6x the bare page', _LISTED, _BARE_PAGE, 1, _OVER_BARE),
            (
                'Tab, one of 24 silent: the other 23 at most 1.15x all where none is',
                *(_SILENT, _LISTED, 1, _OVER_ALL_WELL),
            ),
        )
    ]


def _verdict(text: str, runs: Runs, what: str, beside: str, place: int, ceiling: float) -> Verdict:
    ratios = {
        latency: _medians(runs[what, latency])[place] / _medians(runs[beside, latency])[place]
        for latency in LATENCIES
        if (what, latency) in runs
    }
    seen = ', '.join(f'{latency * 1000:g} ms {ratio:.2f}x' for latency, ratio in ratios.items())
    met = all(ratio <= ceiling for ratio in ratios.values()) if ratios else None
    return Verdict(text, seen, met)


def _medians(rounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    first, last = zip(*rounds)
    return statistics.median(first), statistics.median(last)
