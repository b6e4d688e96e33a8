"""The gallery inside a WebUI, on the versions of gradio that WebUIs pin and on the newest."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import load_gallery_models
from tests.support.browsing import (
    WAIT,
    chosen,
    go,
    load,
    needs_chromium,
    nothing_is_chosen,
    other_pictures,
    part,
    pictures,
    sources,
    until,
)
from tests.support.environments import interpreter
from tests.support.models import put
from tests.support.paths import ROOT
from tests.support.visitor import SOMEBODY_ELSE, Visitor

SHIPPED = ('scripts', 'img', 'javascript', 'install.py', 'style.css')
KEY = 'demo-key'
# A model file of the WebUI, of which what another tool wrote beside it tells the version.
LORA, LORA_VERSION = 'gouache.v2.safetensors', load_gallery_models()[1].versions[1].id
SENT = 20_000
UNKNOWN_MODEL = 999_999_999
# What the tab says where the site is in such a state; what is not there is asked for once only.
TROUBLES = {
    'key-needed': 'API key',
    'html': 'page',
    '451': 'not available in your country',
    '': 'does not know this',
}
HANDLERS = (
    'listing version pictures tell select send on_open begin_keeping follow end '
    '_open_folder _save_key _remove_key _clear '
    'opened start _order panel'
).split()

# Which of the events that gradio 3 numbers take a choice in the grid, and learn more of it then.
CHOICE_EVENTS = """() => {
    const {components, dependencies} = window.gradio_config, name = 'civitai_gallery_choose_button';
    const button = components.find((part) => part.props.elem_id === name).id;
    const chosen = dependencies.findIndex((event) => event.targets.flat().includes(button));
    return [chosen, dependencies.findIndex((event) =>
        event.trigger_after === chosen && event.backend_fn)];
}"""

pytestmark = needs_chromium


def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return int(probe.getsockname()[1])


class Webui:
    """A running stand-in WebUI with the gallery among its extensions."""

    def __init__(self, root: Path, gradio: str, base_url: str, *flags: str) -> None:
        self.root, self.port = root, free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        mine = root / 'extensions' / 'civitai-gallery'
        mine.mkdir(parents=True)
        put(root / 'models' / 'Lora' / LORA, civitai_info={'id': LORA_VERSION})
        for name in SHIPPED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, mine / name)
        environment = {
            **os.environ,
            'CIVITAI_BASE_URL': base_url,
            'CIVITAI_GALLERY_HOME': str(self.beside('home')),
            'XDG_CONFIG_HOME': str(self.beside('config')),
        }
        self.log = (root / 'log.txt').open('w')
        run = [interpreter(gradio), str(ROOT / 'tests' / 'hosts' / 'webui' / 'run.py')]
        self.process = subprocess.Popen(
            [*run, '--root', str(root), '--port', str(self.port), *flags],
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.wait_for('ready', 1)

    def beside(self, name: str) -> Path:
        """A folder outside the WebUI's own, every file of which it serves."""
        return self.root.with_name(f'{self.root.name}-{name}')

    def wait_for(self, line: str, times: int) -> None:
        """Wait until the program has printed `line` so often."""
        deadline = time.monotonic() + 180
        while self.text().count(line) < times:
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.05)

    def text(self) -> str:
        return (self.root / 'log.txt').read_text()

    def reload(self, *tabs: Page) -> None:
        """What the button Reload UI does, which takes the page away too.

        On gradio 3 and Python below 3.12 closing hangs where an event begins at that very moment:
        `wait_for` loses that it was cancelled, and who joins the queue waits without end then.
        """
        for tab in tabs:
            tab.goto('about:blank')
        before = self.text().count('ready')
        requests.get(f'{self.url}/_reload', timeout=30)
        self.wait_for('ready', before + 1)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()


HOSTS = {
    'a1111-1.10 gradio 3.41.2': ('3.41.2', ()),
    'sd.next gradio 3.43.2': ('3.43.2', ('--sdnext',)),
    'forge gradio 4.40.0': ('4.40.0', ('--forge',)),
    'newest gradio': ('newest', ()),
    'a1111-1.6 gradio 3.41.2': ('3.41.2', ('--old-names',)),
}
# The older AUTOMATIC1111 is the other one but for the name of the module that sends.
DIFFERENT = {name: host for name, host in HOSTS.items() if 'a1111-1.6' not in name}
where_sending_is_no_matter = pytest.mark.parametrize(
    'webui', DIFFERENT.values(), ids=DIFFERENT, indirect=True
)
# No WebUI has the newest gradio yet, which makes parts of a page only when they are looked at.
REAL = {name: host for name, host in DIFFERENT.items() if 'newest' not in name}


@pytest.fixture(scope='module', params=HOSTS.values(), ids=HOSTS)
def webui(
    request: Any, running_demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Webui]:
    gradio, flags = request.param
    running = Webui(tmp_path_factory.mktemp('webui'), gradio, running_demo.url, *flags)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, webui: Webui) -> Iterator[Page]:
    context = browser.new_context(viewport={'width': 1400, 'height': 1000})
    yield opened(context.new_page(), webui)
    context.close()


def opened(tab: Page, webui: Webui, path: str = '') -> Page:
    """The page of a WebUI with the gallery's tab chosen."""
    tab.set_default_timeout(WAIT)
    tab.goto(webui.url + path)
    choose(tab, 'Civitai Gallery')
    expect(part(tab, 'load')).to_be_visible()
    return tab


def choose(tab: Page, title: str) -> None:
    """Choose a tab of the host; gradio 3 gives its buttons no id."""
    tab.locator('#tabs button').first.wait_for(state='attached')
    button = tab.locator(f'#tab_{title.lower().replace(" ", "_")}-button')
    if not button.count():
        button = tab.locator('#tabs button', has_text=re.compile(f'^\\s*{title}\\s*$')).first
    button.click()


def shown(tab: Page, running_demo: DemoServer) -> None:
    """Load the opening gallery."""
    load(tab, running_demo.url + OPENING_PATH)
    expect(pictures(tab)).to_have_count(24, timeout=WAIT)


def field(tab: Page, name: str) -> Any:
    return tab.locator(f'#{name}').locator('textarea, input').first


def test_a_gallery_is_browsed_and_its_settings_are_sent(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    first = sources(page)
    go(page, 'next', 'Page 2')
    assert not set(first) & set(sources(page))
    go(page, 'prev', 'Page 1')
    expect(part(page, 'send_txt2img')).to_be_disabled()
    pictures(page).nth(1).click()
    box = part(page, 'infotext').locator('textarea')
    expect(box).to_have_value(re.compile(r'\nSteps: (\d+)'), timeout=WAIT)
    page.wait_for_function(
        """() => [...document.querySelectorAll('#civitai_gallery_preview img')]
                .some(image => image.complete && image.naturalWidth > 450)""",
        timeout=WAIT,
    )
    prompt, steps = box.input_value().split('\n')[0], re.search(r'Steps: (\d+)', box.input_value())
    assert steps is not None
    part(page, 'send_txt2img').click()
    expect(field(page, 'txt2img_prompt')).to_have_value(prompt, timeout=WAIT)
    expect(field(page, 'txt2img_steps')).to_have_value(steps[1])
    expect(page.locator('#txt2img_prompt')).to_be_visible()
    for target, image in (('img2img', 'img2img_image'), ('extras', 'extras_image')):
        choose(page, 'Civitai Gallery')
        part(page, f'send_{target}').click()
        expect(page.locator(f'#{image} img').first).to_be_visible(timeout=WAIT)


# What a host's own rules for text and buttons would make otherwise; the colour is that of white.
LOOKS = {
    '#civitai_gallery_grid .cg-badges span': ('color', 'rgb(255, 255, 255)'),
    '#civitai_gallery_grid .cg-tick': ('color', 'rgb(255, 255, 255)'),
    '#civitai_gallery_select button': ('margin-bottom', '0px'),
    '#civitai_gallery_version .wrap-inner': ('padding-top', '0px'),  # as high as what is beside it
    '#civitai_gallery_first': ('font-size', '0px'),  # of its words only the sign is seen
    '#civitai_gallery_title .cg-sign': ('font-size', '21.6px'),
    '#civitai_gallery_details .cg-settings th': ('padding-top', '2px'),
    '#civitai_gallery_jobs h3': ('font-size', '16px'),
    '#civitai_gallery_lightbox .cg-previous': ('font-size', '30px'),
    '#civitai_gallery_lightbox .cg-next': ('background-color', 'rgba(0, 0, 0, 0.55)'),
}


@pytest.mark.parametrize('webui', REAL.values(), ids=REAL, indirect=True)
def test_the_looks_are_ours_whatever_the_host_does_to_text(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    chosen(page, 1)
    page.locator('#civitai_gallery_details .cg-settings').wait_for(timeout=WAIT)
    pictures(page).nth(1).dblclick()
    page.locator('#civitai_gallery_lightbox .cg-step').first.wait_for()
    seen = {
        place: page.locator(place).first.evaluate('(e, name) => getComputedStyle(e)[name]', name)
        for place, (name, _) in LOOKS.items()
    }
    assert seen == {place: value for place, (_, value) in LOOKS.items()}
    button = page.locator('#civitai_gallery_details button.cg-button').first
    line = button.evaluate('(e) => getComputedStyle(e).borderTopColor')
    behind = part(page, 'status').evaluate('(e) => getComputedStyle(e).backgroundColor')
    assert line != behind
    stage, picture = (
        page.locator(f'#civitai_gallery_lightbox .cg-{name}').first.bounding_box()
        for name in ('stage', 'zoomed > img')
    )
    assert stage == picture  # in which all of it is shown, in the middle


@pytest.mark.parametrize('webui', REAL.values(), ids=REAL, indirect=True)
@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_what_we_write_can_be_read_in_the_colours_of_the_host(
    browser: Browser, webui: Webui, running_demo: DemoServer, theme: str
) -> None:
    context = browser.new_context(viewport={'width': 1280, 'height': 900})
    tab = opened(context.new_page(), webui, f'/?__theme={theme}')
    assert bool(tab.locator('.dark').count()) == (theme == 'dark')
    # not the one that the troubles begin with: for a while it is known to be gone
    load(tab, f'{running_demo.url}/models/{UNKNOWN_MODEL - 1}')
    expect(part(tab, 'status')).to_contain_text('does not know this', timeout=WAIT)
    pale = {'an error': too_pale(tab)}
    shown(tab, running_demo)
    chosen(tab, 1)
    tab.locator('#civitai_gallery_details .cg-settings').wait_for(timeout=WAIT)
    pale['a picture'] = too_pale(tab)
    context.close()
    assert {state: found for state, found in pale.items() if found} == {}


def too_pale(tab: Page) -> list[str]:
    """What stands out too little from its ground, of our own pieces that are in sight."""
    ours = '.cg-notice, .cg-title, .cg-filters, .cg-details, .cg-home, .cg-jobs'
    place = [[part] for part in ours.split(', ') if tab.locator(f'{part}:visible').count()]
    options = {'runOnly': ['color-contrast']}
    found = Axe().run(tab, context={'include': place}, options=options)
    assert found.response['passes'], 'nothing was looked at'
    nodes = [node for fault in found.response['violations'] for node in fault['nodes']]
    return [f'{node["html"][:120]}: {node["any"][0]["message"]}' for node in nodes]


@pytest.mark.parametrize('webui', [HOSTS['sd.next gradio 3.43.2']], ids=['3.43.2'], indirect=True)
def test_the_picture_chosen_last_stays(page: Page, running_demo: DemoServer) -> None:
    shown(page, running_demo)
    choose_event, learn_event = page.evaluate(CHOICE_EVENTS)
    late: list[Any] = []
    asked: list[int] = []

    def between(line: WebSocketRoute) -> None:
        """Let what is learned of the first picture come after the second one is shown."""
        server, events = line.connect_to_server(), []

        def asks(message: str | bytes) -> None:
            number = json.loads(message).get('fn_index')
            if number in (choose_event, learn_event) and not events:
                events.append(number)
                asked.append(number)
            server.send(message)

        def answered(message: str | bytes) -> None:
            is_answer = json.loads(message)['msg'] == 'process_completed'
            if is_answer and events == [learn_event] and asked.count(learn_event) == 1:
                late.append((line, message))
                return
            line.send(message)
            if is_answer and events == [choose_event] and asked.count(choose_event) == 2:
                for before, told in late:
                    before.send(told)

        line.on_message(asks)
        server.on_message(answered)
        server.on_close(lambda code, reason: None)

    page.route_web_socket(re.compile('queue/join'), between)
    pictures(page).nth(0).click()
    until(page, lambda: late)
    pictures(page).nth(1).click()
    expect(part(page, 'image').locator('.cg-picture[data-of$=" 1"]')).to_be_visible(timeout=WAIT)
    expect(part(page, 'details').locator('[data-of$=" 1"]')).to_be_visible(timeout=WAIT)


@where_sending_is_no_matter
def test_a_picture_is_seen_alone_marked_and_read(page: Page, running_demo: DemoServer) -> None:
    shown(page, running_demo)
    pictures(page).nth(1).dblclick()
    alone = page.get_by_role('dialog', name='The chosen picture, large')
    expect(alone).to_be_visible()
    page.keyboard.press('ArrowRight')
    for place in ('#civitai_gallery_lightbox', '#civitai_gallery_image'):
        page.wait_for_function(
            """place => [...document.querySelectorAll(place + ' img.cg-large')]
                .some(image => image.naturalWidth > 450 && image.src.endsWith('/2'))""",
            arg=place,
            timeout=WAIT,
        )
    page.keyboard.press('Escape')
    expect(alone).to_have_count(0)
    expect(part(page, 'infotext').locator('textarea')).to_be_enabled(timeout=WAIT)
    cell = page.locator('#civitai_gallery_grid .cg-cell').nth(2)
    for is_so in ('', None):
        page.keyboard.press('s')
        page.wait_for_function(
            "is => document.querySelectorAll('.cg-cell')[2].getAttribute('data-favourite') === is",
            arg=is_so,
            timeout=WAIT,
        )
    page.keyboard.press('?')
    expect(page.get_by_role('dialog', name='Keys')).to_be_visible()
    page.keyboard.press('Escape')
    choose(page, 'txt2img')
    page.keyboard.press('?')
    assert not page.locator('dialog[open]').count()
    choose(page, 'Civitai Gallery')
    page.set_viewport_size({'width': 390, 'height': 844})
    cell.locator('.thumbnail-item').click()
    below = page.locator('.cg-below')
    expect(below.locator('.cg-about-picture')).to_be_visible(timeout=WAIT)
    expect(part(page, 'image')).to_be_hidden()


@where_sending_is_no_matter
def test_words_and_the_card_of_a_model_lead_to_galleries_here(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    load(page, 'quiet geometry')
    part(page, 'found').locator('.cg-card-open').click()
    expect(part(page, 'title')).to_contain_text('Quiet Geometry', timeout=WAIT)
    part(page, 'title').locator('[data-cg-star]').click()
    choose(page, 'txt2img')
    card = page.locator('#txt2img_lora_cards .card')
    card.hover()
    card.get_by_role('button', name='Open its gallery').click()
    expect(part(page, 'title')).to_contain_text('Gouache Weather', timeout=WAIT)
    expect(part(page, 'title')).to_be_visible()
    expect(pictures(page).first).to_be_visible(timeout=WAIT)
    assert not page.evaluate('window.cardsClicked')  # the host did not put it into the prompt
    part(page, 'title').locator('[data-cg-home]').click()
    favourites = part(page, 'home').locator('[data-cg-list=favourites] a')
    expect(favourites).to_have_text(['Quiet Geometry'], timeout=WAIT)
    favourites.click()
    expect(part(page, 'title')).to_contain_text('Quiet Geometry', timeout=WAIT)


def test_where_there_is_a_control_tab_it_gets_the_settings(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    has_control = bool(page.locator('#control_prompt').count())
    assert bool(page.locator('#civitai_gallery_send_control').count()) == has_control
    if has_control:
        shown(page, running_demo)
        pictures(page).nth(1).click()
        box = part(page, 'infotext').locator('textarea')
        expect(box).to_have_value(re.compile(r'\nSteps: (\d+)'), timeout=WAIT)
        part(page, 'send_control').click()
        prompt = box.input_value().split('\n')[0]
        expect(field(page, 'control_prompt')).to_have_value(prompt, timeout=WAIT)
        expect(page.locator('#control_prompt')).to_be_visible()


@where_sending_is_no_matter
def test_another_version_shows_other_pictures(page: Page, running_demo: DemoServer) -> None:
    shown(page, running_demo)
    first = sources(page)
    part(page, 'version').locator('input').click()
    page.locator('ul.options li, [role=option]').last.click()
    other_pictures(page, first)
    assert not set(first) & set(sources(page))


@where_sending_is_no_matter
def test_filters_are_obeyed_kept_and_what_they_hide_is_said(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    load(page, running_demo.url + '/models/4452')
    expect(part(page, 'status')).to_contain_text('24 pictures.', timeout=WAIT)
    first = sources(page)
    part(page, 'sort').select_option('Oldest')
    other_pictures(page, first)
    expect(part(page, 'title')).to_contain_text('Oldest')
    part(page, 'with_prompt').check()
    expect(part(page, 'left')).to_contain_text('of 24 hidden: With prompt only', timeout=WAIT)
    opened(page, webui)
    expect(part(page, 'with_prompt')).to_be_checked(timeout=WAIT)
    load(page, running_demo.url + '/models/4452')
    part(page, 'left').get_by_role('button', name='Show').click()
    expect(part(page, 'left').locator('.cg-left')).to_have_count(0, timeout=WAIT)
    part(page, 'version').locator('input').click()
    page.locator('ul.options li, [role=option]').first.click()
    expect(part(page, 'version').locator('input')).to_have_value('All 2 versions', timeout=WAIT)
    assert 'source=' not in page.url  # the address is the host's


@where_sending_is_no_matter
def test_the_place_that_was_clicked_last_can_be_clicked_on_every_page(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    first = chosen(page, 1)
    go(page, 'next', 'Page 2')
    nothing_is_chosen(page)
    second = chosen(page, 1)
    go(page, 'prev', 'Page 1')
    assert chosen(page, 1) == first != second
    for _ in range(2):
        load(page, f'{running_demo.url}/images/{first}')
        expect(part(page, 'title')).to_contain_text(first, timeout=WAIT)
        expect(pictures(page)).to_have_count(1, timeout=WAIT)
        nothing_is_chosen(page)
        assert chosen(page, 0) == first


@where_sending_is_no_matter
def test_the_page_stays_as_it_is_while_its_pictures_change(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    before = page.evaluate("""() => {
            const grid = document.querySelector('#civitai_gallery_grid');
            window.lowest = grid.offsetHeight;
            const look = () => {
                window.lowest = Math.min(window.lowest, grid.offsetHeight);
                requestAnimationFrame(look);
            };
            look();
            return grid.offsetHeight;
        }""")
    go(page, 'next', 'Page 2')
    after = page.evaluate("document.querySelector('#civitai_gallery_grid').offsetHeight")
    assert page.evaluate('window.lowest') >= min(before, after) - 20
    load(page, running_demo.url + '/models/999999')
    expect(part(page, 'status')).to_contain_text('404', timeout=WAIT)
    part(page, 'prev').click()
    small = next(p for p in load_catalog().pictures if p.level == 1)
    load(page, f'{running_demo.url}/images/{small.id}')
    expect(pictures(page)).to_have_count(1, timeout=WAIT)
    page.wait_for_function('before => window.lowest < before / 2', arg=before, timeout=WAIT)


@where_sending_is_no_matter
def test_no_picture_is_cut_off_and_the_status_stays_in_sight(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    for width in (480, 701, 800, 1000, 1155, 1280, 1920):
        page.set_viewport_size({'width': width, 'height': 700})
        cut_off = page.evaluate("""() => {
                const grid = document.querySelector('#civitai_gallery_grid');
                const place = grid.getBoundingClientRect();
                const right = Math.min(place.right, window.innerWidth);
                return [...grid.querySelectorAll('.thumbnail-item')]
                    .map(item => item.getBoundingClientRect())
                    .filter(b => b.left < place.left || b.right > right || b.width < 70).length;
            }""")
        assert cut_off == 0, width
        page.evaluate('window.scrollTo(0, 400)')
        status = part(page, 'status').bounding_box()
        assert page.evaluate('window.scrollY') > 200, width
        assert status and 0 <= status['y'] < 100 and status['height'] < 150, width
        page.evaluate('window.scrollTo(0, 0)')


def sent(tab: Page, target: str, width: int, height: int) -> None:
    """Wait until the tab of the host that takes `target` shows a picture of this very size."""
    expect(tab.locator(f'#{target}_image')).to_be_visible(timeout=WAIT)
    tab.wait_for_function(
        """([name, width, height]) => {
            const shown = [...document.querySelectorAll(`#${name}_image img`)];
            return shown.some(i => i.naturalWidth === width && i.naturalHeight === height);
        }""",
        arg=[target, width, height],
        timeout=SENT,
    )


def test_the_original_is_sent_however_soon(page: Page, running_demo: DemoServer) -> None:
    """No smaller picture that is shown, nor what was sent before."""
    catalog = load_catalog()
    shared = [p for p in catalog.pictures if p.generation.source == 'webui' and p.level == 1]
    for size in ((1216, 832), (768, 1344)):
        picture = next(p for p in shared if (p.width, p.height) == size)
        choose(page, 'Civitai Gallery')
        load(page, f'{running_demo.url}/images/{picture.id}')
        expect(part(page, 'title')).to_contain_text(str(picture.id), timeout=WAIT)
        expect(pictures(page)).to_have_count(1, timeout=WAIT)
        nothing_is_chosen(page)
        pictures(page).first.click()
        for target in ('img2img', 'inpaint', 'extras'):
            choose(page, 'Civitai Gallery')
            part(page, f'send_{target}').click()
            sent(page, target, *size)
        expect(field(page, 'img2img_prompt')).to_have_value(picture.generation.prompt)


def test_a_picture_without_infotext_is_sent_alone(page: Page, running_demo: DemoServer) -> None:
    choose(page, 'img2img')
    field(page, 'img2img_prompt').fill('my own words')
    choose(page, 'Civitai Gallery')
    silent = next(
        p for p in load_catalog().pictures if p.generation.source == 'hidden' and p.level == 1
    )
    load(page, f'{running_demo.url}/images/{silent.id}')
    expect(pictures(page)).to_have_count(1, timeout=WAIT)
    chosen(page, 0)
    part(page, 'send_img2img').click()
    sent(page, 'img2img', silent.width, silent.height)
    expect(field(page, 'img2img_prompt')).to_have_value('my own words')
    choose(page, 'Civitai Gallery')
    expect(part(page, 'send_txt2img')).to_be_disabled()


def test_no_picture_is_sent_in_place_of_an_original_that_does_not_come(
    page: Page, running_demo: DemoServer
) -> None:
    shared = (p for p in load_catalog().pictures if p.generation.source == 'webui')
    picture = next(p for p in shared if p.level == 1 and p.width == 1024)
    load(page, f'{running_demo.url}/images/{picture.id}')
    expect(pictures(page)).to_have_count(1, timeout=WAIT)
    chosen(page, 0)
    running_demo.scenario = 'html'
    try:
        part(page, 'send_extras').click()
        expect(part(page, 'sent').locator('.cg-problem')).to_be_visible(timeout=WAIT)
    finally:
        running_demo.scenario = ''
    expect(part(page, 'load')).to_be_visible()  # the host has not changed the tab
    expect(page.locator('#extras_image img')).to_have_count(0)


@where_sending_is_no_matter
def test_a_page_is_kept_in_the_hosts_outputs(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    part(page, 'download_page').click()
    expect(part(page, 'status')).to_contain_text('user_gallery_images', timeout=WAIT)
    folder = webui.root / 'outputs/download-images/Paper Horizons XL/user_gallery_images'
    kept = sorted(folder.iterdir())
    assert len(kept) == 24
    for path in kept:
        with Image.open(path) as picture:
            picture.load()


@where_sending_is_no_matter
def test_one_download_does_not_hold_up_another(
    browser: Browser, page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    context = browser.new_context()
    other = opened(context.new_page(), webui)
    for tab, model in ((page, '/models/4317'), (other, '/models/4452')):
        load(tab, running_demo.url + model)
        expect(part(tab, 'download_page')).to_be_enabled(timeout=WAIT)
        expect(pictures(tab).first).to_be_visible(timeout=WAIT)
    running_demo.scenario = 'slow'  # a page takes at least two rounds of three seconds
    try:
        part(page, 'download_page').click()
        expect(part(page, 'status')).to_contain_text('Downloading picture', timeout=WAIT)
        part(other, 'download_page').click()
        expect(part(other, 'status')).to_contain_text('Downloading picture', timeout=WAIT)
        assert 'Downloading picture' in part(page, 'status').inner_text()
        load(page, 'https://example.com/models/1')
        expect(part(page, 'status')).to_contain_text('not on Civitai', timeout=WAIT)
        assert 'Downloading picture' in part(page, 'status').inner_text()
    finally:
        running_demo.scenario = ''
    for tab in (page, other):
        expect(part(tab, 'status')).to_contain_text('user_gallery_images', timeout=WAIT)
    expect(part(page, 'status')).to_contain_text('not on Civitai')
    context.close()


@where_sending_is_no_matter
def test_some_are_chosen_and_kept_and_a_download_is_stopped_from_a_bar_that_stays_in_reach(
    page: Page, running_demo: DemoServer
) -> None:
    page.set_viewport_size({'width': 1280, 'height': 720})
    load(page, running_demo.url + '/models/4703')
    expect(pictures(page).nth(5)).to_be_visible(timeout=WAIT)
    box = part(page, 'download_page').bounding_box()
    assert box and box['y'] + box['height'] <= 720
    pictures(page).nth(0).click(modifiers=['Control'])
    pictures(page).nth(2).click(modifiers=['Shift'])
    page.locator('[data-pick="send"]').click()
    told = part(page, 'kept_here')
    expect(told).to_contain_text('3 saved', timeout=WAIT)
    expect(page.locator('.cg-cell[data-kept]')).to_have_count(3)
    running_demo.scenario = 'slow'
    try:
        part(page, 'download_page').click()
        expect(part(page, 'cancel')).to_be_visible(timeout=WAIT)
        expect(told).to_contain_text('Downloading picture', timeout=WAIT)
        part(page, 'cancel').click()
        expect(told).to_contain_text('Stopped', timeout=WAIT)
    finally:
        running_demo.scenario = ''
    expect(part(page, 'download_page')).to_be_visible(timeout=WAIT)


@where_sending_is_no_matter
def test_bad_input_gets_a_message(page: Page, running_demo: DemoServer) -> None:
    load(page, 'https://example.com/models/1')
    expect(part(page, 'status')).to_contain_text('not on Civitai', timeout=WAIT)


@where_sending_is_no_matter
def test_each_trouble_names_its_cause_and_leaves_the_gallery(
    page: Page, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    for trouble, told in TROUBLES.items():
        running_demo.scenario = trouble
        try:
            load(page, f'{running_demo.url}/models/{UNKNOWN_MODEL}')
            expect(part(page, 'status')).to_contain_text(told, timeout=WAIT)
        finally:
            running_demo.scenario = ''
        expect(part(page, 'title')).to_contain_text('Still the gallery from before')
        expect(pictures(page)).to_have_count(24)
        if trouble == 'key-needed':
            part(page, 'status').locator('[data-show=key]').click()
            expect(part(page, 'key').locator('input').first).to_be_focused()
    go(page, 'next', 'Page 2')


@where_sending_is_no_matter
def test_a_wait_is_told_and_given_up(page: Page, running_demo: DemoServer) -> None:
    shown(page, running_demo)
    running_demo.scenario = '429'
    try:
        load(page, f'{running_demo.url}/models/{UNKNOWN_MODEL}')
        waits = part(page, 'waits')
        expect(waits).to_contain_text('asks us to wait', timeout=WAIT)
        waits.get_by_role('button', name='Cancel').click()
        expect(waits.locator('.cg-notice')).to_have_count(0, timeout=WAIT)
    finally:
        running_demo.scenario = ''
    go(page, 'next', 'Page 2')


@where_sending_is_no_matter
def test_two_people_at_once_see_what_each_asked_for(
    browser: Browser, page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    context = browser.new_context()
    other = opened(context.new_page(), webui)
    other.set_viewport_size({'width': 390, 'height': 844})
    load(page, running_demo.url + OPENING_PATH)
    load(other, f'{running_demo.url}/models/4452')
    expect(pictures(page)).to_have_count(24, timeout=WAIT)
    expect(part(other, 'title')).to_contain_text('Quiet Geometry', timeout=WAIT)
    expect(pictures(other).first).to_be_visible(timeout=WAIT)
    mine = sources(page)
    go(page, 'next', 'Page 2')
    go(page, 'prev', 'Page 1')
    assert sources(page) == mine and not set(mine) & set(sources(other))
    expect(part(other, 'title')).to_contain_text('Quiet Geometry')
    pictures(page).nth(1).click()
    expect(part(page, 'details').locator('.cg-details')).to_be_visible(timeout=WAIT)
    expect(other.locator('.thumbnail-item.selected')).to_have_count(0)
    context.close()


@where_sending_is_no_matter
def test_settings_of_the_host_count_at_once(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    offered = requests.get(f'{webui.url}/sdapi/v1/options', timeout=30).json()
    ours = {name for name in offered if name.startswith('civitai_gallery_')}
    assert 'civitai_gallery_gallery_rows' in ours
    assert not [n for n in ours if 'key' in n or 'base_url' in n or 'proxy' in n or 'cache' in n]
    try:
        for rows, count in ((2, 12), (4, 24)):
            choose(page, 'Settings')
            field(page, 'setting_civitai_gallery_gallery_rows').fill(str(rows))
            page.locator('#settings_submit').click()
            expect(page.locator('#settings_result').last).to_contain_text('applied', timeout=WAIT)
            choose(page, 'Civitai Gallery')
            load(page, running_demo.url + OPENING_PATH)
            expect(pictures(page)).to_have_count(count, timeout=WAIT)
            page.reload()
            opened(page, webui)
    finally:
        (webui.root / 'config.json').unlink(missing_ok=True)


@pytest.mark.parametrize(('gradio', 'flags'), DIFFERENT.values(), ids=DIFFERENT)
def test_the_tab_is_in_the_language_of_the_host_until_one_is_chosen(
    browser: Browser,
    running_demo: DemoServer,
    tmp_path: Path,
    gradio: str,
    flags: tuple[str, ...],
) -> None:
    (tmp_path / 'config.json').write_text('{"localization": "zh-Hant_Stable"}')
    webui = Webui(tmp_path, gradio, running_demo.url, *flags)
    context = browser.new_context(viewport={'width': 1400, 'height': 1000})
    try:
        tab = opened(context.new_page(), webui)
        expect(part(tab, 'load')).to_have_text('載入')
        expect(part(tab, 'status')).to_contain_text('貼上', timeout=WAIT)
        expect(tab.locator('#tab_civitai_gallery')).to_have_attribute('lang', 'zh-TW')
        expect(tab.locator('html')).not_to_have_attribute('lang', 'zh-TW')  # it is the host's
        tab.locator('#civitai_gallery_words [data-words]').last.wait_for(state='attached')
        tab.keyboard.press('?')
        expect(tab.locator('#civitai_gallery_keys')).to_have_attribute('lang', 'zh-TW')
    finally:
        context.close()
        webui.stop()


def columns(tab: Page) -> float:
    """How many pictures stand side by side, on the average."""
    tops = {round(picture.bounding_box()['y']) for picture in pictures(tab).all()}
    return pictures(tab).count() / len(tops)


BY_HAND = {
    'civitai_gallery_language': 'klingon',
    'civitai_gallery_gallery_maturity_ceiling': ['XXX'],
    'civitai_gallery_gallery_rows': 'many',
    'civitai_gallery_gallery_columns': 99,
    'civitai_gallery_http_timeout': {},
}


@pytest.mark.parametrize(('gradio', 'flags'), DIFFERENT.values(), ids=DIFFERENT)
def test_the_settings_page_bears_anything_and_says_what_waits_for_a_reload(
    browser: Browser,
    running_demo: DemoServer,
    tmp_path: Path,
    gradio: str,
    flags: tuple[str, ...],
) -> None:
    (tmp_path / 'config.json').write_text(json.dumps(BY_HAND))
    webui = Webui(tmp_path, gradio, running_demo.url, *flags)
    context = browser.new_context(viewport={'width': 1400, 'height': 1000})
    try:
        tab = opened(context.new_page(), webui)
        shown(tab, running_demo)
        assert all(webui.text().count(f'for {name[16:]}, which is not') == 1 for name in BY_HAND)
        choose(tab, 'Settings')
        box = tab.locator('#setting_civitai_gallery_language').last
        expect(box).to_contain_text('Reload UI')
        box.locator('input').first.click()
        tab.locator('ul.options li, [role=option]').filter(
            has_text=re.compile('繁體中文|zh_TW')
        ).last.click()
        field(tab, 'setting_civitai_gallery_gallery_columns').fill('3')
        field(tab, 'setting_civitai_gallery_gallery_rows').fill('500')  # bounded on the way
        tab.locator('#settings_submit').click()
        expect(tab.locator('#settings_result').last).to_contain_text('applied', timeout=WAIT)
        choose(tab, 'Civitai Gallery')
        load(tab, 'https://example.com/models/1')
        expect(part(tab, 'status')).to_contain_text('不屬於 Civitai', timeout=WAIT)
        expect(part(tab, 'load')).to_contain_text('Load')
        load(tab, running_demo.url + OPENING_PATH)
        expect(pictures(tab)).to_have_count(3 * 16, timeout=WAIT)
        assert 1.5 < columns(tab) < 4  # each is as wide as its proportions want
        webui.reload(tab)
        expect(part(opened(tab, webui), 'load')).to_contain_text('載入')
        kept = json.loads((tmp_path / 'config.json').read_text())
        assert kept['civitai_gallery_gallery_rows'] == 16
    finally:
        context.close()
        webui.stop()


@where_sending_is_no_matter
def test_the_api_key_is_kept_apart_and_never_shown(page: Page, webui: Webui) -> None:
    page.get_by_text('API key', exact=True).first.click()
    for key, answer in (('not-a-key', '401'), (KEY, '••••')):
        part(page, 'api_key').locator('input').fill(key)
        part(page, 'key_save').click()
        expect(part(page, 'key_status')).to_contain_text(answer, timeout=WAIT)
        expect(part(page, 'api_key').locator('input')).to_have_value('')
    part(page, 'key_save').click()
    expect(part(page, 'key_status')).to_contain_text('is empty', timeout=WAIT)
    kept = webui.beside('config') / 'civitai-gallery' / 'api_key'
    assert kept.read_text() == KEY and stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert KEY not in page.content()
    assert KEY not in json.dumps(requests.get(f'{webui.url}/sdapi/v1/options', timeout=30).json())
    assert KEY not in requests.get(f'{webui.url}/config', timeout=30).text
    assert KEY not in webui.text()
    refused = requests.get(f'{webui.url}/file={kept}', timeout=30)
    assert refused.status_code in (403, 404)


@where_sending_is_no_matter
@pytest.mark.skipif(os.geteuid() != 0, reason='only root can be another account too')
def test_another_account_of_the_machine_plants_no_key(webui: Webui) -> None:
    key = webui.beside('config') / 'civitai-gallery' / 'api_key'
    before = key.read_text() if key.is_file() else ''
    visitor = Visitor(webui.url)
    answer = visitor.click('key_save', {'api_key': 'planted'}, account=SOMEBODY_ELSE)
    assert 'cg-problem' in answer and 'account' in answer
    number, _ = visitor.handler('key_save')
    with contextlib.closing(visitor.connected()) as owners:
        here = {'host': '127.0.0.1', 'port': owners.getsockname()[1]}
        forged = {'headers': {'host': f'127.0.0.1:{webui.port}'}, 'client': here}
        body = {'fn_index': number, 'data': ['planted'], 'session_hash': 'x', 'request': forged}
        for path in ('/run/predict', '/api/predict'):
            visitor.ask('POST', visitor.prefix + path, body=body, account=SOMEBODY_ELSE)
    assert (key.read_text() if key.is_file() else '') == before


@where_sending_is_no_matter
def test_none_of_our_handlers_is_offered_as_an_api(webui: Webui) -> None:
    for path in ('info', 'gradio_api/info'):
        answer = requests.get(f'{webui.url}/{path}', timeout=30)
        if answer.status_code == 200:
            offered = set(answer.json()['named_endpoints'])
            ours = {f'/{name}' for name in HANDLERS}
            assert not offered & ours
            return
    pytest.fail('the host lists no API at all')


@where_sending_is_no_matter
def test_the_panel_of_jobs_moves_and_survives_reload_ui(
    page: Page, webui: Webui, running_demo: DemoServer
) -> None:
    shown(page, running_demo)
    for limit in ('1', '40'):
        part(page, 'download_whole').click()
        part(page, 'whole_limit').locator('input, textarea').last.fill(limit)
        part(page, 'whole_start').click()
        expect(part(page, 'whole')).to_be_hidden(timeout=WAIT)
    complete = part(page, 'jobs').locator('.cg-state', has_text=re.compile('^complete$'))
    expect(complete).to_have_count(2, timeout=WAIT)
    webui.reload(page)
    opened(page, webui)
    expect(complete).to_have_count(2, timeout=WAIT)
    part(page, 'jobs').get_by_role('button', name='Remove from list').first.click()
    expect(complete).to_have_count(1, timeout=WAIT)


def test_reload_ui_works_twice(page: Page, webui: Webui, running_demo: DemoServer) -> None:
    for _ in range(2):
        webui.reload(page)
        opened(page, webui)
        shown(page, running_demo)
        go(page, 'next', 'Page 2')
    assert 'Error loading script' not in webui.text()
    assert not re.search(r'File ".*(civitai_manager_libs|civitai_gallery_tab)', webui.text())


def other_extension(root: Path) -> None:
    """One that owns our library's name, ships scripts/__init__.py and loads before us."""
    owner = root / 'extensions' / 'a-first' / 'scripts'
    (owner / 'civitai_manager_libs').mkdir(parents=True)
    (owner / '__init__.py').write_text('')
    (owner / 'civitai_manager_libs' / '__init__.py').write_text('OWNER = "first"\n')
    (owner / 'civitai_manager_libs' / 'setting.py').write_text('OWNER = "first"\n')
    (owner / 'first.py').write_text(
        'from scripts.civitai_manager_libs import setting\nprint("first has", setting.OWNER)\n'
    )


@pytest.mark.parametrize('flags', [(), ('--forge',)], ids=['a1111', 'forge'])
def test_another_extension_with_our_names_disturbs_nobody(
    browser: Browser, running_demo: DemoServer, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    other_extension(tmp_path)
    webui = Webui(tmp_path, 'newest', running_demo.url, *flags)
    try:
        webui.reload()
        context = browser.new_context()
        shown(opened(context.new_page(), webui), running_demo)
        context.close()
        assert webui.text().count('first has first') == 2
        assert 'Error loading script' not in webui.text()
    finally:
        webui.stop()


def test_without_a_package_the_tab_says_what_to_run(
    browser: Browser, running_demo: DemoServer, tmp_path: Path
) -> None:
    webui = Webui(tmp_path, 'newest', running_demo.url, '--skip-install', '--hide', 'pathvalidate')
    try:
        tab = browser.new_page()
        tab.goto(webui.url)
        choose(tab, 'Civitai Gallery')
        told = tab.locator('#tab_civitai_gallery textarea')
        expect(told).to_have_value(re.compile('-m pip install .*pathvalidate'), timeout=WAIT)
        tab.close()
    finally:
        webui.stop()
