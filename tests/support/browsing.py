"""What the browser tests share: Chromium, and the parts of the gallery by their ids."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from scripts.civitai_manager_libs import texts

# The first of them draws no window of its own, which takes a third of the time of the others.
BROWSERS = 'chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
QUIET = (
    '--no-sandbox --disable-gpu --no-first-run --disable-background-networking '
    '--disable-component-update --disable-sync'
).split()
WAIT = 60_000
CHOSEN = 20_000

# The README says so: without Chromium these are left out, but never in CI.
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get('CI'), reason='Chromium is not installed'
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def tab_at(browser: Browser, address: str, height: int = 720) -> Iterator[Page]:
    """A tab of its own on a desk, at `address`."""
    context = browser.new_context(viewport={'width': 1280, 'height': height})
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(address)
    yield tab
    context.close()


def part(tab: Page, name: str) -> Any:
    """A part of the gallery by its stable id, which gradio 3 gives to two nested elements."""
    return tab.locator(f'#civitai_gallery_{name}').last


def pictures(tab: Page) -> Any:
    """The pictures of the grid."""
    return tab.locator('#civitai_gallery_grid .thumbnail-item img')


def sources(tab: Page) -> list[str]:
    """The addresses of the pictures of the grid."""
    return [image.get_attribute('src') for image in pictures(tab).all()]


def until(tab: Page, is_so: Callable[[], bool]) -> None:
    """Let the page go on until `is_so`."""
    deadline = time.monotonic() + WAIT / 1000
    while not is_so():
        assert time.monotonic() < deadline
        tab.wait_for_timeout(50)


# Resolves once nothing in the page has changed for a second.
_REST = """(longest) => new Promise((resolve, reject) => {
    setTimeout(reject, longest, 'the page changes all the time');
    let clock = setTimeout(resolve, 1000);
    new MutationObserver(() => {
        clearTimeout(clock);
        clock = setTimeout(resolve, 1000);
    }).observe(document.body,
        {subtree: true, childList: true, characterData: true, attributes: true});
})"""


def at_rest(tab: Page) -> None:
    """Wait until what a page brings as it opens is all there."""
    tab.evaluate(_REST, WAIT)


@contextmanager
def held(tab: Page, what: str) -> Iterator[list[Route]]:
    """What the page asks for at `what` waits, and goes out in the end, the last one first."""
    waiting: list[Route] = []
    is_over = False

    def hold(route: Route) -> None:
        if is_over:
            route.continue_()
        else:
            waiting.append(route)

    tab.route(what, hold)
    yield waiting
    is_over = True
    for route in reversed(waiting):
        route.continue_()


def go(tab: Page, button: str, page_text: str) -> None:
    """Press a button that turns the page, and wait until the other pictures are there."""
    before = sources(tab)
    part(tab, button).click()
    expect(part(tab, 'page_info')).to_contain_text(re.compile(page_text), timeout=WAIT)
    other_pictures(tab, before)


def other_pictures(tab: Page, before: list[str]) -> None:
    """Wait until the grid shows other pictures than `before`, all of them loaded."""
    tab.wait_for_function(
        """before => {
            const now = [...document.querySelectorAll('#civitai_gallery_grid .thumbnail-item img')];
            return now.length && now[0].getAttribute('src') !== before
                && now.every(image => image.complete && image.naturalWidth);
        }""",
        arg=before[0] if before else '',
        timeout=WAIT,
    )


def load(tab: Page, text: str) -> None:
    """Paste a link and press Load."""
    part(tab, 'source').locator('textarea, input').fill(text)
    part(tab, 'load').click()


def chosen(tab: Page, place: int) -> str:
    """Click the picture at `place` of the grid; return the id of the one that opens."""
    expect(part(tab, 'details').locator('a')).to_have_count(0, timeout=WAIT)
    pictures(tab).nth(place).click()
    link = part(tab, 'details').locator('a[href*="/images/"]')
    link.wait_for(timeout=CHOSEN)
    return str(link.get_attribute('href')).rpartition('/')[2]


def nothing_is_chosen(tab: Page) -> None:
    """No picture of the grid has an outline, and nothing is told of one."""
    expect(part(tab, 'details').locator('a')).to_have_count(0, timeout=WAIT)
    expect(tab.locator('#civitai_gallery_grid .selected')).to_have_count(0, timeout=WAIT)


def speak(tab: Page, language: str, name: str) -> None:
    """Choose a language in the settings and save it; the page opens anew in it by itself."""
    part(tab, 'settings').locator('button').first.click()
    expect(part(tab, 'settings_save')).to_be_enabled(timeout=WAIT)  # the values have come
    part(tab, 'setting_language').locator('input').click()
    called = '|'.join({texts.text(f'language_{language}', one) for one in texts.LANGUAGES})
    tab.get_by_role('option', name=re.compile(f'^({called}|{language})$')).click()
    part(tab, 'settings_save').click()
    expect(tab.locator('html')).to_have_attribute('lang', name, timeout=WAIT)
