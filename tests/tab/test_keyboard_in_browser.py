"""The gallery without a mouse, on each gradio that a host has."""

from __future__ import annotations

import io
import re
from typing import Any, Callable, Iterator

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import (
    WAIT,
    load,
    needs_chromium,
    part,
    pictures,
    tab_at,
)
from tests.support.environments import PINS
from tests.support.grid_site import GridSite
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp, app_of

pytestmark = needs_chromium

COUNT = 6
SETTINGS = {'gallery_rows': 2, 'gallery_columns': 3, 'http_max_retries': 0, 'http_retry_delay': 0}


@pytest.fixture(scope='module')
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        yield made


@pytest.fixture(scope='module', params=['here', *PINS], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    site: GridSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    prepared, home = prepared_with(request.param), tmp_path_factory.mktemp('home')
    with app_of(prepared, site.server.url, home, SETTINGS) as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url) as tab:
        tab.wait_for_function('window.civitaiGalleryFocus && window.civitaiGalleryStart')
        yield tab


def focused(tab: Page, role: Any, name: str) -> None:
    """Wait until what has the focus is of that role and name, and see that it looks so."""
    has = tab.locator(':focus')
    expect(has).to_have_accessible_name(re.compile(name), timeout=WAIT)
    expect(has).to_have_role(role)
    assert role == 'dialog' or is_seen(tab), name  # that lies over all else


def is_seen(tab: Page) -> bool:
    """What has the focus is in view, and looks other than without."""
    box = tab.locator(':focus').bounding_box()
    size = tab.viewport_size
    assert box and size
    left, top = max(box['x'] - 6, 0), max(box['y'] - 6, 0)
    right = min(box['x'] + box['width'] + 6, size['width'])
    bottom = min(box['y'] + box['height'] + 6, size['height'])
    if right <= left or bottom <= top:
        return False
    clip: Any = {'x': left, 'y': top, 'width': right - left, 'height': bottom - top}
    with_focus = shot(tab, clip)
    tab.evaluate('() => { window.had = document.activeElement; window.had.blur(); }')
    without = shot(tab, clip)
    tab.evaluate('() => window.had.focus({preventScroll: true})')
    changed = ImageChops.difference(with_focus, without).convert('L').point(lambda v: v > 60)
    return sum(map(bool, changed.tobytes())) >= 60


def shot(tab: Page, clip: Any) -> Image.Image:
    return Image.open(io.BytesIO(tab.screenshot(clip=clip, animations='disabled'))).convert('RGB')


def press(tab: Page, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def go_to(tab: Page, what: str, key: str = 'Tab') -> list[str]:
    """Press Tab until the focus is within `what`; return what has had the focus by then."""
    seen: list[str] = []
    for _ in range(40):
        press(tab, key)
        if tab.evaluate('what => Boolean(document.activeElement.closest(what))', what):
            return seen
        seen.append(tab.evaluate('document.activeElement.outerHTML'))
    raise AssertionError((what, seen))


def is_told_of(tab: Page, number: int) -> None:
    link = part(tab, 'details').locator('a[href*="/images/"]')
    expect(link).to_have_attribute('href', re.compile(f'/images/{number}$'), timeout=WAIT)


def is_on_page(tab: Page, number: int) -> None:
    expect(part(tab, 'page_info')).to_contain_text(f'Page {number}', timeout=WAIT)
    expect(part(tab, 'status')).to_contain_text(f'{COUNT} pictures.', timeout=WAIT)


# How far below the bar at the top of the window the first picture begins.
BELOW_BAR = """() => {
    const of = (what) => document.querySelector(what).getBoundingClientRect();
    return of('#civitai_gallery_grid .thumbnail-item').top - of('#civitai_gallery_status').bottom;
}"""


def test_a_page_is_seen_from_its_first_row_on(page: Page, site: GridSite) -> None:
    page.set_viewport_size({'width': 1280, 'height': 400})
    load(page, site.link)
    is_on_page(page, 1)
    page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    assert page.evaluate(BELOW_BAR) < 0
    part(page, 'next').click()
    is_on_page(page, 2)
    page.wait_for_function(f'0 <= ({BELOW_BAR})() && ({BELOW_BAR})() < 20')
    page.evaluate('scrollBy(0, -5)')
    before = page.evaluate('scrollY')
    page.evaluate('document.activeElement.blur()')
    press(page, 'p')
    is_on_page(page, 1)
    assert page.evaluate('scrollY') == before


def test_the_whole_way_without_a_mouse(page: Page, app: RunningApp, site: GridSite) -> None:
    press(page, '/')
    focused(page, 'textbox', 'link')
    page.keyboard.type(site.link)
    press(page, 'Enter')
    is_on_page(page, 1)
    focused(page, 'textbox', 'link')

    # -- through the grid, which is one stop
    grid = '#civitai_gallery_grid'
    go_to(page, grid)
    focused(page, 'button', f'Picture 1 of {COUNT}')
    press(page, 'Tab', 'Shift+Tab', 'ArrowRight')
    focused(page, 'button', f'Picture 2 of {COUNT}')
    press(page, 'ArrowLeft', 'End', 'Home', 'Enter')
    is_told_of(page, 1)
    focused(page, 'button', f'Picture 1 of {COUNT}')
    press(page, 'Enter')
    focused(page, 'dialog', 'The chosen picture')
    press(page, 'ArrowRight')
    is_told_of(page, 2)
    press(page, 'Tab')
    focused(page, 'button', 'Previous picture')
    press(page, 'Escape')
    focused(page, 'button', f'Picture 2 of {COUNT}')
    press(page, 'n')
    is_on_page(page, 2)
    focused(page, 'button', f'Picture 1 of {COUNT}')
    press(page, 'p')
    is_on_page(page, 1)
    focused(page, 'button', f'Picture 1 of {COUNT}')
    press(page, 'd')
    expect(part(page, 'kept_here')).to_contain_text('6 saved', timeout=WAIT)
    focused(page, 'button', f'Picture 1 of {COUNT}')
    press(page, '?')
    focused(page, 'button', 'Close')
    press(page, 'Escape')
    focused(page, 'button', f'Picture 1 of {COUNT}')

    # -- several of them
    press(page, ' ', 'ArrowRight', ' ')
    expect(page.locator('.cg-tick[aria-checked="true"]')).to_have_count(2)
    focused(page, 'button', f'Picture 2 of {COUNT}')
    go_to(page, '[data-pick=send]')
    focused(page, 'button', 'Download selected')
    press(page, 'Enter')
    focused(page, 'button', 'Select')
    expect(part(page, 'kept_here')).to_contain_text('2 there already', timeout=WAIT)

    # -- what is to be seen
    go_to(page, '#civitai_gallery_sort', 'Shift+Tab')
    focused(page, 'combobox', 'Sort')
    press(page, 'o')
    expect(part(page, 'title')).to_contain_text('Oldest', timeout=WAIT)
    is_on_page(page, 1)
    focused(page, 'combobox', 'Sort')
    go_to(page, '#civitai_gallery_with_prompt')
    focused(page, 'checkbox', 'With prompt')
    press(page, ' ')
    expect(pictures(page)).to_have_count(COUNT // 2, timeout=WAIT)
    focused(page, 'checkbox', 'With prompt')
    go_to(page, '[data-unfilter]')
    press(page, 'Enter')
    expect(pictures(page)).to_have_count(COUNT, timeout=WAIT)
    focused(page, 'button', f'Picture 1 of {COUNT}')

    # -- what is pressed and gone with that
    go_to(page, '#civitai_gallery_next')
    press(page, 'Enter')
    is_on_page(page, 2)
    focused(page, 'button', 'Prev')
    go_to(page, '#civitai_gallery_download_page')
    press(page, 'Enter')
    expect(part(page, 'kept_here')).to_contain_text('6 saved', timeout=WAIT)
    focused(page, 'button', 'Download page')

    # -- to the settings, which stand at the end of the page
    go_to(page, '#civitai_gallery_to_settings', 'Shift+Tab')
    press(page, 'Enter')
    expect(part(page, 'settings').locator('.label-wrap').first).to_be_focused(timeout=WAIT)
    go_to(page, '#civitai_gallery_settings')
    expect(part(page, 'settings_save')).to_be_visible()
