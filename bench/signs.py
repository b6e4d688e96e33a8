"""The scenario `signs`: how soon something is seen of what a person does in our app.

Each action has its sign, what a person sees first of it: a line, a frame, a button that changed.
The browser's own clock tells when it was pressed and when the sign was there, looked at once a
frame.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from playwright.sync_api import Locator, Page

from civitai_demo.server import OPENING_PATH, DemoServer

from .due import Verdict
from .report import markdown
from .tab import PART, WAIT, app, chromium, page

NAME = 'signs'
LATENCY = 0.4  # seconds that each answer of the site takes
DUE = 0.1  # seconds
_SETTLED = 1500  # milliseconds until the next action, so that none is seen in the one before
# On the window and before all else of the page, as some of ours stop what they heard.
_LISTEN = """for (const kind of ['click', 'change', 'keydown'])
    window.addEventListener(kind, () => { window.actedAt ??= performance.now(); }, true);"""
_WATCH = """(sign) => {
    const find = (what) => [...document.querySelectorAll('#civitai_gallery_' + what)].pop();
    const seen = (node) => Boolean(node && node.checkVisibility({visibilityProperty: true}));
    const pressed = (what) =>
        Boolean(find(what).closest('[data-pressed]') || find(what).querySelector('[data-pressed]'));
    const is = new Function('find', 'seen', 'pressed', 'return ' + sign);
    if (is(find, seen, pressed)) throw new Error('it is there already: ' + sign);
    window.actedAt = undefined;
    window.signAt = undefined;
    const look = () => {
        if (window.actedAt && is(find, seen, pressed)) window.signAt = performance.now();
        else requestAnimationFrame(look);
    };
    look();
}"""
_ASKS = "find('status_page').dataset.waits"
_TURNS = f"{_ASKS} && 'isOld' in find('grid').dataset"
_MARK = "find('details').querySelector('.cg-mark').ariaPressed"
_SAVES = "find('kept_here').dataset.waits"

# Seconds until the sign of each action, by its name.
Runs = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Action:
    """What a person does, and its sign: an expression that is true once it is seen."""

    name: str
    does: Callable[[Page], Any]
    sign: str


def _part(tab: Page, name: str, within: str = '') -> Locator:
    part = tab.locator(PART.format(name)).last
    return part.locator(within).first if within else part


def _press(name: str, within: str = '') -> Callable[[Page], None]:
    return lambda tab: _part(tab, name, within).click()


def _key(name: str) -> Callable[[Page], None]:
    return lambda tab: tab.keyboard.press(name)


def _load(text: str) -> Callable[[Page], None]:
    def loading(tab: Page) -> None:
        _part(tab, 'source', 'textarea, input').fill(text)
        _part(tab, 'load').click()

    return loading


def _pick(what: str) -> Callable[[Page], None]:
    return _press('select', f'[data-pick={what}]')


def _sort(tab: Page) -> None:
    tab.locator('[data-filter=sort]').select_option(index=1)


ACTIONS = (
    Action('Next', _press('next'), f"{_TURNS} || /Page 2/.test(find('page_info').innerText)"),
    Action('Previous', _press('prev'), f"{_TURNS} || /Page 1/.test(find('page_info').innerText)"),
    Action('a filter', _sort, _TURNS),
    Action(
        'a picture',
        _press('grid', '.thumbnail-item >> nth=3'),
        "find('grid').querySelectorAll('.thumbnail-item')[3].matches('.selected')",
    ),
    Action('favourite', _press('details', '.cg-mark'), f"{_MARK} === 'true'"),
    Action('favourite: taken back', _press('details', '.cg-mark'), f"{_MARK} === 'false'"),
    Action('copy', _press('details', '[data-cg-copy]'), "/Copied/.test(find('details').innerText)"),
    Action('lightbox', _press('preview', 'img'), "find('lightbox') && find('lightbox').open"),
    Action('lightbox: next', _key('ArrowRight'), "/\\b5 of/.test(find('lightbox').innerText)"),
    Action('lightbox: closed', _key('Escape'), "!find('lightbox').open"),
    Action('Select', _pick('mode'), "seen(find('select').querySelector('[data-pick=all]'))"),
    Action('all on the page', _pick('all'), "find('grid').querySelector('.cg-picked')"),
    Action('download of these', _pick('send'), _SAVES),
    Action('download of the page', _press('download_page'), _SAVES),
    Action('whole gallery: form', _press('download_whole'), "pressed('download_whole')"),
    Action('whole gallery: begun', _press('whole_start'), "pressed('whole_start')"),
    Action('whole gallery: paused', _press('begun', '[data-order]'), "pressed('begun')"),
    Action('settings', _press('settings', 'button'), "seen(find('settings_save'))"),
    Action('settings saved', _press('settings_save'), "pressed('settings_save')"),
    Action('a user', _load('@MapleLantern'), _ASKS),
    Action('words', _load('paper'), _ASKS),
)


def play(rounds: int, say: Callable[[str], None]) -> Runs:
    """Measure; the first round only warms up."""
    runs: dict[str, list[float]] = {}
    with chromium() as browser, DemoServer() as site, app(site.url) as (url, _):
        site.latency = LATENCY
        for number in range(rounds + 1):
            with page(browser) as tab:
                tab.add_init_script(_LISTEN)
                tab.goto(url)
                _load(site.url + OPENING_PATH)(tab)
                tab.locator('[data-pick=mode]:enabled').wait_for()
                for action in ACTIONS:
                    seconds = _until_sign(tab, action)
                    if number:
                        runs.setdefault(action.name, []).append(seconds)
            say(f'{NAME}, round {number} of {rounds}')
    return runs


def _until_sign(tab: Page, action: Action) -> float:
    """Do it; the seconds until its sign."""
    tab.wait_for_function('!window.civitaiGalleryWaits', timeout=WAIT)
    tab.wait_for_timeout(_SETTLED)
    tab.evaluate(_WATCH, action.sign)
    action.does(tab)
    tab.wait_for_function('window.signAt', timeout=WAIT, polling=20)
    return float(tab.evaluate('window.signAt - window.actedAt')) / 1000


def section(runs: Runs) -> list[str]:
    """The paragraphs of the page about the signs."""
    rows = [
        {
            'what is done': name,
            'until something is seen of it': f'{statistics.median(seconds) * 1000:.0f} ms',
            'longest': f'{max(seconds) * 1000:.0f} ms',
        }
        for name, seconds in runs.items()
    ]
    told = (
        f'What a person does in the app, while each answer of the site takes {LATENCY:g} s, and '
        'how soon the browser shows something of it; medians.'
    )
    return ['## What is done in the tab', told, markdown(rows)] if rows else []


def verdicts(runs: Runs) -> list[Verdict]:
    """What is due: each action is seen at once."""
    medians = {name: statistics.median(seconds) for name, seconds in runs.items()}
    slowest = max(medians, key=medians.__getitem__, default='')
    return [
        Verdict(
            f'Tab, each action is seen within {DUE:g} s',
            f'slowest: {slowest}, {medians[slowest]:.2f} s' if slowest else '',
            medians[slowest] <= DUE if slowest else None,
        )
    ]
