"""The panel of jobs in a real browser, on each gradio that a host has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocket, WebSocketRoute, expect

from civitai_demo.api import gate
from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from tests.support.browsing import (
    WAIT,
    load,
    needs_chromium,
    part,
    tab_at,
    until,
)
from tests.support.environments import PINS
from tests.support.paths import ROOT
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp

pytestmark = needs_chromium

GALLERY, NAME = '/models/4703', 'Northern Nights'
VERSION = f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'
PICTURES = 50  # of it, both versions, up to PG
IDLE_SECONDS = 3
# Which of the events that gradio 3 numbers asks for the panel.
PANEL_EVENT = """() => {
    const {components, dependencies} = window.gradio_config;
    const button = components.find((part) => part.props.elem_id === 'civitai_gallery_jobs_button');
    return dependencies.findIndex((event) => event.targets.flat().includes(button.id));
}"""
# How often the page asks how the jobs stand.
COUNT_QUESTIONS = """() => {
    window.questions = 0;
    document.querySelector('#civitai_gallery_jobs_button')
        .addEventListener('click', () => { window.questions += 1; });
}"""
SETTINGS = {'gallery_max_concurrent_downloads': 2, 'http_retry_delay': 0, 'http_max_retries': 3}


@pytest.fixture(scope='module', params=[*PINS, 'here'], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    running_demo: DemoServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    """The app beside the stand-in, slow enough that a job can be seen to move."""
    home = tmp_path_factory.mktemp('home')
    (home / 'settings.json').write_text(json.dumps(SETTINGS))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('CIVITAI_BASE_URL', running_demo.url)
        folder = str(home / 'kept')
        given = '--port', '0', '--downloads', folder
        running = RunningApp(prepared_with(request.param), home, *given)
        yield running
        assert running.stop() == 0


@pytest.fixture
def page(browser: Browser, app: RunningApp, running_demo: DemoServer) -> Iterator[Page]:
    running_demo.scenario = ''
    with tab_at(browser, app.url) as tab:
        shown(tab, running_demo.url + GALLERY, NAME)
        yield tab


def shown(tab: Page, link: str, name: str) -> None:
    """Load a gallery, and wait until it is there."""
    load(tab, link)
    expect(part(tab, 'title')).to_contain_text(name, timeout=WAIT)
    expect(part(tab, 'status').locator('.cg-busy')).to_have_count(0, timeout=WAIT)


def field(tab: Page, name: str) -> Any:
    return part(tab, f'whole_{name}').locator('input, textarea').last


def job(tab: Page, number: int) -> Any:
    """The job of that number in the panel."""
    return part(tab, 'jobs').locator(f'[data-job="{number}"]')


def stands(tab: Page, number: int, state: str) -> None:
    """Wait until the job is in `state`."""
    expect(job(tab, number).locator('.cg-state')).to_have_text(state, timeout=WAIT)


def press(tab: Page, number: int, name: str) -> None:
    job(tab, number).get_by_role('button', name=name).click()


def done(tab: Page, number: int) -> int:
    found = re.search(r'(\d+) of', job(tab, number).inner_text())
    return int(found[1]) if found else 0


def started(tab: Page, **given: str) -> None:
    """Fill the form in and send it."""
    if not part(tab, 'whole').is_visible():
        part(tab, 'download_whole').click()
    for name, value in given.items():
        field(tab, name).fill(value)
    part(tab, 'whole_start').click()


def test_a_whole_gallery_is_begun_watched_paused_and_ends_complete(
    page: Page, app: RunningApp, running_demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, 'SLOW_SECONDS', 1.0)
    begun = part(page, 'begun')
    started(page, since='yesterday', limit='500')
    expect(part(page, 'whole_answer')).to_contain_text('is no time', timeout=WAIT)
    expect(field(page, 'limit')).to_have_value('500')
    running_demo.scenario = 'slow'  # or it might be over before it is looked at
    started(page, since='', limit='')
    expect(begun).to_contain_text('#1 ' + NAME, timeout=WAIT)
    stands(page, 1, 'running')
    page.evaluate(COUNT_QUESTIONS)
    page.wait_for_function('window.questions > 4', timeout=15 * 1000)  # about one a second
    page.wait_for_function(
        """() => /[1-9]\\d* of/.test(document.querySelector('#civitai_gallery_jobs').innerText)""",
        timeout=WAIT,
    )
    before = done(page, 1)
    page.wait_for_function(
        """before => Number(/(\\d+) of/.exec(
            document.querySelector('#civitai_gallery_jobs').innerText)[1]) > before""",
        arg=before,
        timeout=WAIT,
    )
    expect(begun).to_contain_text(re.compile(r'running .*[1-9]\d* of'), timeout=WAIT)
    begun.get_by_role('button', name='Pause').click()
    stands(page, 1, 'paused')
    expect(begun).to_contain_text('paused', timeout=WAIT)
    expect(begun.get_by_role('button', name='Resume')).to_be_focused()
    assert 0 < done(page, 1) < PICTURES
    running_demo.scenario = ''
    page.reload()
    stands(page, 1, 'paused')
    expect(begun).to_contain_text('paused', timeout=WAIT)
    press(page, 1, 'Resume')
    stands(page, 1, 'complete')
    kept = [one for one in (app.home / 'kept' / NAME).iterdir() if one.suffix != '.json']
    assert len(kept) == PICTURES
    assert_idle(page)


def assert_idle(tab: Page) -> None:
    """A page on which nothing moves asks its server for nothing."""
    tab.wait_for_timeout(1000)  # for what is on its way
    asked: list[str] = []
    tab.on('request', lambda request: asked.append(request.url))
    tab.on('websocket', lambda line: asked.append(line.url))
    tab.wait_for_timeout(1000 * IDLE_SECONDS)
    assert asked == []


def test_another_gallery_begins_with_an_empty_form_and_one_that_fails_is_no_other(
    page: Page, running_demo: DemoServer
) -> None:
    part(page, 'download_whole').click()
    expect(part(page, 'whole_told')).to_be_in_viewport(timeout=WAIT)
    expect(part(page, 'whole_start')).to_be_in_viewport(ratio=1, timeout=WAIT)
    field(page, 'limit').fill('7')
    field(page, 'tag').fill('cat')
    load(page, running_demo.url + '/models/999999999')
    expect(part(page, 'keeps')).to_contain_text('download “' + NAME, timeout=WAIT)
    expect(field(page, 'limit')).to_have_value('7')
    shown(page, running_demo.url + '/models/4452', 'Quiet Geometry')
    expect(part(page, 'keeps')).to_be_hidden()
    expect(part(page, 'whole')).to_be_hidden()
    part(page, 'download_whole').click()
    expect(part(page, 'whole_told')).to_contain_text('Quiet Geometry', timeout=WAIT)
    for name, value in (('limit', ''), ('tag', ''), ('level', 'PG'), ('sort', 'any')):
        expect(field(page, name)).to_have_value(value)


def test_where_it_was_begun_a_job_is_told_of_to_its_end_and_then_it_is_quiet(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo.url + VERSION, 'Paper Horizons')
    marked = page.locator('.cg-cell[data-kept]')
    expect(marked).to_have_count(0)
    started(page, limit='5')
    begun = part(page, 'begun')
    expect(begun).to_contain_text('5 saved', timeout=WAIT)
    expect(begun.get_by_role('button', name='Open folder')).to_be_visible()
    expect(begun.get_by_role('button', name='Pause')).to_have_count(0)
    expect(marked).to_have_count(5)
    assert_idle(page)
    page.reload()
    shown(page, running_demo.url + VERSION, 'Paper Horizons')
    expect(begun).to_contain_text('5 saved', timeout=WAIT)
    shown(page, running_demo.url + GALLERY, NAME)
    expect(begun).to_be_hidden()
    shown(page, running_demo.url + VERSION, 'Paper Horizons')
    begun.get_by_role('button', name='Close').click()
    expect(begun).to_be_hidden(timeout=WAIT)
    page.reload()
    shown(page, running_demo.url + VERSION, 'Paper Horizons')
    expect(begun).to_be_hidden()


@pytest.mark.parametrize('app', ['3.41.2'], indirect=True)
def test_an_order_that_is_given_while_the_panel_is_asked_for_is_carried_out(page: Page) -> None:
    started(page, limit='1')
    newest = part(page, 'jobs').locator('article').first
    expect(newest.locator('.cg-state')).to_have_text('complete', timeout=WAIT)
    number = newest.get_attribute('data-job')
    remove = newest.get_by_role('button', name='Remove from list')
    remove.evaluate("""(button) => {
            document.querySelector('#civitai_gallery_jobs_button').click();
            button.click();
        }""")
    expect(part(page, 'jobs').locator(f'[data-job="{number}"]')).to_have_count(0, timeout=WAIT)


@pytest.mark.parametrize('app', ['3.41.2'], indirect=True)
def test_an_answer_that_comes_after_a_newer_one_does_not_stay(page: Page) -> None:
    open_lines: list[WebSocket] = []

    def opened(line: WebSocket) -> None:
        open_lines.append(line)
        line.on('close', lambda closed: open_lines.remove(line))

    page.on('websocket', opened)
    started(page, limit='2')
    expect(part(page, 'begun')).to_contain_text('complete', timeout=WAIT)
    newest = part(page, 'jobs').locator('article').first
    expect(newest.locator('.cg-state')).to_have_text('complete', timeout=WAIT)
    expect(page.locator('[data-moves]')).to_have_count(0, timeout=WAIT)
    until(page, lambda: not open_lines)  # what is pressed while it is being asked is dropped
    number = newest.get_attribute('data-job')
    panel = page.evaluate(PANEL_EVENT)
    asked: list[WebSocketRoute] = []
    answers: dict[int, tuple[WebSocketRoute, str | bytes]] = {}

    def between(line: WebSocketRoute) -> None:
        """Of two answers about the panel, let the older one come behind the newer one."""
        server = line.connect_to_server()

        def asks(message: str | bytes) -> None:
            if line not in asked and json.loads(message).get('fn_index') == panel:
                asked.append(line)
            server.send(message)

        def answered(message: str | bytes) -> None:
            number = re.search(r'data-number=\W*(\d+)', str(message))
            if line not in asked[:2] or not number:
                line.send(message)
                return
            answers[int(number[1])] = line, message
            if len(answers) == 2:
                for _, (late, told) in sorted(answers.items(), reverse=True):
                    late.send(told)

        line.on_message(asks)
        server.on_message(answered)
        server.on_close(lambda code, reason: None)

    page.route_web_socket(re.compile('queue/join'), between)
    newest.get_by_role('button', name='Remove from list').evaluate("""(button) => {
            document.querySelector('#civitai_gallery_jobs_button').click();
            button.click();
        }""")
    gone = part(page, 'jobs').locator(f'[data-job="{number}"]')
    until(page, lambda: len(asked) > 2)  # it is asked once more, for what is so now
    expect(gone).to_have_count(0, timeout=WAIT)


@pytest.mark.parametrize('app', ['here'], indirect=True)
def test_what_failed_is_unfolded_and_tried_again(page: Page, running_demo: DemoServer) -> None:
    shown(page, running_demo.url + '/models/4452', 'Quiet Geometry')
    running_demo.scenario = 'truncated'
    started(page, limit='12')
    newest = part(page, 'jobs').locator('article').first
    expect(newest.locator('.cg-state')).to_have_text('not complete', timeout=WAIT)
    number = int(newest.get_attribute('data-job') or 0)
    job(page, number).locator('.cg-failures summary').click()
    expect(job(page, number).locator('.cg-failures a').first).to_be_visible()
    expect(job(page, number).locator('.cg-failures')).to_contain_text('broke off')
    small = job(page, number).locator('.cg-failures img').first
    assert small.evaluate('image => image.decode().then(() => image.naturalWidth)') > 0
    running_demo.scenario = ''
    failed = job(page, number).locator('.cg-failures li')
    before = failed.count()
    job(page, number).get_by_role('button', name=re.compile('^Try picture')).first.click()
    expect(failed).to_have_count(before - 1, timeout=WAIT)
    press(page, number, 'Retry failed')
    stands(page, number, 'complete')
    press(page, number, 'Remove from list')
    expect(job(page, number)).to_have_count(0, timeout=WAIT)


@pytest.mark.parametrize('app', ['here'], indirect=True)
def test_a_page_is_kept_and_what_failed_tried_again_beside_the_button(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo.url + '/models/4588', 'Silk & Light')
    running_demo.scenario = 'truncated'
    part(page, 'download_page').click()
    expect(part(page, 'kept_here')).to_contain_text('failed', timeout=WAIT)
    running_demo.scenario = ''
    part(page, 'retry_page').click()
    saved = re.compile(r'\b[1-9][0-9]* saved\.')  # and none that was there
    expect(part(page, 'kept_here')).to_contain_text(saved, timeout=WAIT)
    expect(part(page, 'kept_here').locator('details')).to_have_count(0)
    expect(part(page, 'retry_page')).to_be_hidden()


@pytest.mark.parametrize('app', ['here'], indirect=True)
def test_a_job_of_the_command_line_is_shown(
    page: Page, app: RunningApp, running_demo: DemoServer, tmp_path: Path
) -> None:
    words = ['download', f'{running_demo.url}/posts/21005174', '--to', str(tmp_path / 'mine')]
    environment = {'CIVITAI_GALLERY_HOME': str(app.home), 'CIVITAI_BASE_URL': running_demo.url}
    subprocess.run(
        [sys.executable, str(ROOT / 'civitai_gallery.py'), *words, '--limit', '2'],
        env={**os.environ, **environment},
        check=True,
    )
    page.reload()
    mine = part(page, 'jobs').locator('article', has_text='mine').first
    expect(mine.locator('.cg-state')).to_have_text('complete', timeout=WAIT)
    expect(mine).to_contain_text('found 2')
