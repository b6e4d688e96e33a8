"""Models in a real browser, on each gradio that a host has."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_VERSION_ID, load_gallery_models
from tests.support.browsing import (
    WAIT,
    load,
    needs_chromium,
    part,
    pictures,
    tab_at,
)
from tests.support.environments import PINS
from tests.support.models import put
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp

pytestmark = needs_chromium

LORA = load_gallery_models()[1]
EVIL = '<img src=x onerror=alert(1)>'


@pytest.fixture(scope='module', params=[*PINS, 'here'], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    running_demo: DemoServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    """The app beside the stand-in, with a folder of models that holds two."""
    home = tmp_path_factory.mktemp('home')
    folder = home / 'webui' / 'models'
    (folder / 'Stable-diffusion').mkdir(parents=True)
    put(folder / 'Lora' / 'mine.safetensors', LORA.versions[1].files[0].content)
    put(folder / 'Lora' / f'{EVIL}.safetensors')
    (home / 'settings.json').write_text(json.dumps({'models_folder': str(folder)}))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('CIVITAI_BASE_URL', running_demo.url)
        patched.setenv('CIVITAI_TOKEN', DEMO_KEY)
        given = '--port', '0', '--downloads', str(home / 'kept')
        running = RunningApp(prepared_with(request.param), home, *given)
        yield running
        assert running.stop() == 0


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with tab_at(browser, app.url) as tab:
        yield tab


def choose_one_made_by(tab: Page, demo: DemoServer, version_id: int) -> None:
    """Open the gallery of a version, and its first picture."""
    load(tab, f'{demo.url}/model-versions/{version_id}')
    expect(pictures(tab).first).to_be_visible(timeout=WAIT)
    pictures(tab).first.click()
    expect(states(tab).first).to_be_visible(timeout=WAIT)


def states(tab: Page) -> Any:
    """What is said of each of a picture's models."""
    return part(tab, 'details').locator('.cg-have')


def rows(tab: Page) -> Any:
    return part(tab, 'models_list').locator('li')


def open_list(tab: Page) -> None:
    tab.get_by_text('Models on this machine', exact=True).first.click()


def test_a_model_that_is_not_here_is_got_and_the_list_leads_to_galleries(
    page: Page, app: RunningApp, running_demo: DemoServer
) -> None:
    dialogs: list[object] = []
    errors: list[str] = []
    page.on('pageerror', lambda error: errors.append(str(error)))
    page.on('dialog', lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    choose_one_made_by(page, running_demo, OPENING_VERSION_ID)
    expect(states(page).first).to_have_text('unknown')
    open_list(page)
    part(page, 'models_scan').get_by_role('button', name='Scan').click()
    expect(part(page, 'models_scan').locator('.cg-good')).to_contain_text('2 model', timeout=WAIT)
    expect(rows(page)).to_have_count(2, timeout=WAIT)
    expect(part(page, 'models_list')).to_contain_text(EVIL)
    expect(states(page).first).to_have_text('not here', timeout=WAIT)

    part(page, 'details').get_by_role('button', name='Get').first.click()
    asked = part(page, 'details').locator('.cg-ask')
    expect(asked).to_contain_text('Stable-diffusion', timeout=WAIT)
    expect(asked).to_contain_text('MiB')
    asked.get_by_role('button', name='Cancel').click()
    expect(asked).to_have_count(0, timeout=WAIT)
    part(page, 'details').get_by_role('button', name='Get').first.click()
    asked.get_by_role('button', name='Get').click()
    state = part(page, 'jobs').locator('.cg-state').first
    expect(state).to_have_text('complete', timeout=WAIT)
    expect(states(page).first).to_have_text('have it', timeout=WAIT)
    kept = app.home / 'webui' / 'models' / 'Stable-diffusion'
    assert list(kept.glob('*.safetensors'))

    expect(rows(page)).to_have_count(3, timeout=WAIT)
    part(page, 'models_search').locator('textarea, input').last.fill('gouache')
    expect(rows(page)).to_have_count(1, timeout=WAIT)
    rows(page).locator('.cg-chip').first.click()  # anywhere in the row
    expect(part(page, 'title')).to_contain_text('Gouache Weather', timeout=WAIT)
    assert dialogs == [] and errors == []


def test_a_link_of_a_model_opens_its_gallery_here(page: Page, running_demo: DemoServer) -> None:
    choose_one_made_by(page, running_demo, OPENING_VERSION_ID)
    link = part(page, 'details').locator('.cg-resources a[data-cg-source]').first
    address = str(link.get_attribute('data-cg-source'))
    source = part(page, 'source').locator('textarea, input').last
    source.fill('something else')
    link.click()
    expect(source).to_have_value(address)
    expect(part(page, 'details').locator('a')).to_have_count(0, timeout=WAIT)  # nothing is chosen
    expect(pictures(page).first).to_be_visible(timeout=WAIT)
    expect(part(page, 'title')).to_contain_text('Paper Horizons', timeout=WAIT)
    assert len(page.context.pages) == 1


@pytest.mark.parametrize('app', ['here', '3.41.2'], indirect=True)
def test_who_is_not_the_owner_sees_nothing_of_models(
    browser: Browser, app: RunningApp, running_demo: DemoServer
) -> None:
    context = browser.new_context(extra_http_headers={'X-Forwarded-For': '203.0.113.7'})
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    tab.goto(app.url)
    load(tab, f'{running_demo.url}/model-versions/{OPENING_VERSION_ID}')
    expect(pictures(tab).first).to_be_visible(timeout=WAIT)
    pictures(tab).first.click()
    expect(part(tab, 'details')).to_contain_text('Resources used', timeout=WAIT)
    expect(tab.get_by_text('Models on this machine', exact=True)).to_be_hidden()
    expect(states(tab)).to_have_count(0)
    expect(tab.locator('[data-models]')).to_have_count(0)
    context.close()
