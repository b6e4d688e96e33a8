"""Models in the tab, without a browser: of a picture, as jobs, and those on this machine."""

from __future__ import annotations

import html
import re
import shutil
import time
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import gradio as gr
import pytest
from fastapi import FastAPI

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_VERSION_ID, load_gallery_models
from scripts.civitai_manager_libs import host, setting, util
from scripts.civitai_manager_libs.access import owner
from scripts.civitai_manager_libs.archive import answers, models as model_jobs
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import getting, modeljobs, queue
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.library import inventory
from scripts.civitai_manager_libs.tab import components, job_panel, jobs, models, needed, webui
from scripts.civitai_manager_libs.tab.generation import Made
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.view import View
from tests.support.model_site import FILE, VERSION, ModelSite, tensors
from tests.support.models import put

pytestmark = pytest.mark.usefixtures('downloads')

PATIENCE = 30
EVIL = '<img src=x onerror="alert(1)">'
LORA = load_gallery_models()[1]
CHECKPOINT_LINK = f'/model-versions/{OPENING_VERSION_ID}'
Usage = namedtuple('Usage', 'total used free')


def visitor(**headers: str) -> Any:
    client = SimpleNamespace(host='127.0.0.1', port=1)
    return SimpleNamespace(headers={'host': '127.0.0.1:7860', **headers}, client=client)


HERE = visitor()
FROM_AFAR = visitor(**{'x-forwarded-for': '203.0.113.7'})
OTHER_SITE = visitor(**{'sec-fetch-site': 'cross-site'})


@pytest.fixture(autouse=True)
def own_lines(monkeypatch: pytest.MonkeyPatch, client: CivitaiHttpClient) -> Iterator[None]:
    """Queues and a scan of this test's own, which have ended afterwards."""
    made = queue.JobQueue(), modeljobs.ModelQueue()
    scanning = inventory.Scanning()
    monkeypatch.setattr(queue, '_queue', made[0])
    monkeypatch.setattr(modeljobs, '_queue', made[1])
    monkeypatch.setattr(inventory, '_scanning', scanning)
    yield
    for one in (*made, scanning):
        one.end()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    """A folder of models in the layout of AUTOMATIC1111, that the setting names."""
    made = tmp_path / 'webui' / 'models'
    (made / 'Stable-diffusion').mkdir(parents=True)
    setting.models_folder = str(made)
    return made


@pytest.fixture(scope='module')
def parts() -> Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


def made_with(*resources: dict[str, object]) -> Made:
    """A picture that was made with these models, in the words of the site."""
    return Made(
        GalleryImage(7, 'https://image.civitai.com/x/7.jpeg', meta={'resources': list(resources)})
    )


def version(number: int, name: str = 'a model', kind: str = 'lora') -> dict[str, object]:
    return {'type': kind, 'name': name, 'modelVersionId': number}


def looking_at(made: Made) -> View:
    """A tab of the owner's in which this picture is chosen."""
    view = View(selected=made.image)
    view.models.may_have = True
    needed.details(view, made)
    return view


@pytest.fixture
def view() -> View:
    """A tab of the owner's, with a picture made by the checkpoint and the LoRA of the stand-in."""
    lora = version(LORA.versions[1].id, 'Gouache')
    return looking_at(made_with(version(OPENING_VERSION_ID, 'Paper', 'checkpoint'), lora))


@pytest.fixture
def site() -> Iterator[ModelSite]:
    """A site with one model file."""
    with ModelSite(tensors(40_000)) as made:
        setting.civitai_base_url = made.url
        yield made


def ordered(
    parts: Parts, view: View, order: object, request: Any = HERE, **fields: str
) -> dict[str, Any]:
    """What the components show once an order was given, by their names in the page."""
    given = (fields.get(name, '') for name in ('search', 'kind', 'base'))
    told = models._on_order(parts)(request, order, view, *given)
    return {part.elem_id.removeprefix('civitai_gallery_'): value for part, value in told.items()}


def details(view: View) -> str:
    """What the owner is told of the chosen picture now."""
    assert view.models.made is not None
    return needed.details(view, view.models.made)


def states(view: View) -> list[str]:
    """What is said of each of its models."""
    return re.findall(r'cg-have [^>]*>([^<]*)<', details(view))


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, job_panel.panel(HERE, View())
        time.sleep(0.02)


def scanned(parts: Parts, view: View, is_empty: bool = False) -> dict[str, Any]:
    """Scan, and return what the page shows when that is over; where nothing is that is at once."""
    ordered(parts, view, 'list')
    assert 'data-moves' in ordered(parts, view, 'scan')['models_scan'] or is_empty
    until(lambda: inventory.scanning().progress is None)
    return ordered(parts, view, '')


def until_got(number: int = 1) -> None:
    """Wait until the job has done all that belongs to it."""
    until(
        lambda: job_state(number) == 'complete'
        and 'data-moves' not in job_panel.panel(HERE, View())
    )


def job_state(number: int) -> str:
    card = job_panel.panel(HERE, View()).split(f'data-job="{number}"')[1].split('</article>')[0]
    found = re.search(r'cg-state [^>]*>([^<]*)<', card)
    assert found is not None
    return found[1]


# --- of a picture ---------------------------------------------------------------------------------


def test_before_a_scan_nothing_is_known_and_nobody_is_asked(view: View, demo: DemoServer) -> None:
    assert states(view) == ['unknown', 'unknown']
    assert '“Scan”' in details(view) and demo.requests == []


def test_after_a_scan_each_model_is_here_not_here_or_guessed_by_its_name(
    parts: Parts, demo: DemoServer, folder: Path
) -> None:
    put(folder / 'Lora' / 'renamed.safetensors', LORA.versions[1].files[0].content)
    put(folder / 'Lora' / 'Harbor_v1.safetensors')
    made = made_with(
        version(LORA.versions[1].id), version(999, 'another'), {'type': 'lora', 'name': 'Harbor_v1'}
    )
    view = looking_at(made)
    told = scanned(parts, view)
    assert states(view) == ['have it', 'not here', 'have it? A file is called so']
    assert 'have it' in told['details'], 'it is told without a click'
    assert str(folder / 'Lora' / 'renamed.safetensors') in details(view)
    assert details(view).count('data-models="get ') == 1


def test_a_model_is_got_once_its_size_type_and_folder_were_said_yes_to(
    parts: Parts, view: View, demo: DemoServer, folder: Path
) -> None:
    setting.save_api_key(DEMO_KEY)
    [first, _] = re.findall(r'data-models="(get [^"]*)"', details(view))
    asked = ordered(parts, view, first)['details']
    place = folder / 'Stable-diffusion'
    assert str(place) in asked and 'MiB' in asked and 'Checkpoint · SDXL 1.0' in asked
    assert model_jobs.every(archive()) == [] and list(place.iterdir()) == []
    [take] = re.findall(r'data-models="(take [^"]*)"', asked)
    told = ordered(parts, view, take)
    assert 'data-job="1"' in told['jobs'] and 'data-models="take' not in told['details']
    until_got()
    assert 'data-came="1"' in job_panel.panel(HERE, View())
    assert list(place.glob('*.safetensors')) and states(view) == ['have it', 'unknown']


def test_what_is_not_wanted_is_not_fetched(parts: Parts, view: View, demo: DemoServer) -> None:
    ordered(parts, view, f'get {demo.url}{CHECKPOINT_LINK}')
    assert 'cg-ask' not in ordered(parts, view, 'drop')['details']
    assert model_jobs.every(archive()) == []


def test_another_picture_is_not_asked_about_the_model_of_the_one_before(
    parts: Parts, view: View, demo: DemoServer
) -> None:
    assert 'cg-ask' in ordered(parts, view, f'get {demo.url}{CHECKPOINT_LINK}')['details']
    other = Made(GalleryImage(8, 'https://image.civitai.com/x/8.jpeg', meta=made_with().image.meta))
    assert 'cg-ask' not in needed.details(view, other)


@pytest.mark.parametrize(
    ('facts', 'words'),
    [
        ({'model': {'name': 'a', 'mode': 'Archived'}}, 'was archived'),
        ({'model': {'name': 'a', 'mode': 'TakenDown'}}, 'taken down'),
        ({'usageControl': 'Generation'}, 'download'),
        ({'paidAccess': {'endsAt': '2999-01-01T00:00:00Z'}}, '2999-01-01'),
        ({'files': []}, 'lists no file'),
    ],
    ids=['archived', 'taken down', 'not for download', 'early access', 'no file'],
)
def test_what_cannot_be_had_is_said_in_its_own_sentence(
    parts: Parts, site: ModelSite, facts: dict[str, object], words: str
) -> None:
    site.facts = facts
    view = looking_at(made_with(version(VERSION)))
    told = ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')['details']
    assert words in told and 'cg-problem' in told and 'data-models="take' not in told
    assert 'cg-problem' not in re.sub(
        r'cg-have cg-problem', '', ordered(parts, view, 'drop')['details']
    )


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    parts: Parts, site: ModelSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: Usage(10**6, 10**6, 1000))
    view = looking_at(made_with(version(VERSION)))
    told = ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')['details']
    assert 'MiB' in told and 'cg-problem' in told and 'data-models="take' not in told


def test_of_a_failed_scan_it_is_warned_and_a_person_decides(
    parts: Parts, site: ModelSite, folder: Path
) -> None:
    [file] = site.version()['files']
    site.facts = {'files': [{**file, 'virusScanResult': 'Danger'}]}
    view = looking_at(made_with(version(VERSION)))
    told = ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')['details']
    assert 'Danger' in told and 'Get anyway' in told
    ordered(parts, view, f'take {VERSION} {FILE}')
    until_got()
    assert (folder / 'Stable-diffusion' / 'paper.safetensors').is_file()


def test_only_what_was_shown_is_fetched(parts: Parts, view: View, demo: DemoServer) -> None:
    told = ordered(parts, view, 'take 420102 4201021')['details']
    assert 'Press “Get” again' in told
    ordered(parts, view, f'get {demo.url}{CHECKPOINT_LINK}')
    told = ordered(parts, view, 'take 431702 4317021')['details']
    assert 'Press “Get” again' in told and model_jobs.every(archive()) == []


@pytest.mark.parametrize(
    'order',
    [
        'get',
        'get  ',
        'take 1',
        'take 0 1',
        'take 1 2 3',
        'more -1',
        'more x',
        'scan now',
        'forget 1',
    ]
    + ['list\nscan', EVIL, 'x' * 100_000],
    ids=lambda order: repr(order[:20]),
)
def test_an_order_that_no_button_gives_does_nothing(
    parts: Parts, view: View, demo: DemoServer, order: str
) -> None:
    told = ordered(parts, view, order)
    assert set(told) == {'models_scan'} and 'Load the page again' in told['models_scan']
    assert model_jobs.every(archive()) == [] and inventory.scanning().progress is None
    assert demo.requests == []


@pytest.mark.parametrize('source', ['/etc/passwd', 'https://evil.example/models/1', EVIL, '../a'])
def test_what_is_no_model_is_not_asked_for(
    parts: Parts, view: View, demo: DemoServer, source: str
) -> None:
    source = source.replace(' ', '')
    told = ordered(parts, view, f'get {source}')['details']
    assert 'cg-problem' in told and '<img src=x' not in told.replace(' ', '') and not demo.requests


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize('asker', [FROM_AFAR, OTHER_SITE], ids=['from afar', 'another site'])
@pytest.mark.parametrize('of_others', [False, True])
@pytest.mark.parametrize(
    'order', ['', 'scan', 'list', 'find', 'get 4201', 'take 420102 4201021', 'stop']
)
def test_others_than_the_owner_have_nothing_done_and_see_nothing(
    parts: Parts, view: View, demo: DemoServer, asker: Any, of_others: bool, order: str
) -> None:
    setting.gallery_jobs_of_others = of_others
    view.models.may_have = False
    told = ordered(parts, view, order, asker)
    assert set(told) == {'models_scan'} and 'cg-problem' in told['models_scan']
    assert inventory.scanning().progress is None and demo.requests == []
    assert states(view) == [] and 'data-models' not in details(view)


def test_jobs_of_models_are_shown_to_the_owner_alone_and_obey_nobody_else(
    parts: Parts, site: ModelSite
) -> None:
    setting.gallery_jobs_of_others = True
    view = looking_at(made_with(version(VERSION)))
    ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')
    ordered(parts, view, f'take {VERSION} {FILE}')
    until_got()
    assert 'data-job' not in job_panel.panel(FROM_AFAR, View())
    *_, told = jobs._order(FROM_AFAR, View(), 'forget 1')
    assert 'account that runs it' in told and model_jobs.find(archive(), 1) is not None
    shown, *_ = jobs._order(HERE, View(), 'forget 1')
    assert 'data-job' not in shown and model_jobs.find(archive(), 1) is None


# --- jobs -----------------------------------------------------------------------------------------


def test_a_job_is_paused_resumed_cancelled_and_tried_again(parts: Parts, site: ModelSite) -> None:
    held: list[object] = [True]
    site.hook = lambda request: (b'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n') if held else None
    setting.download_max_retries = 0
    view = looking_at(made_with(version(VERSION)))
    ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')
    ordered(parts, view, f'take {VERSION} {FILE}')
    until(lambda: job_state(1) == 'stopped')
    card = job_panel.panel(HERE, View())
    assert 'cg-problem' in card and 'data-order="retry 1"' in card and 'data-moves' not in card
    assert 'paper.safetensors' in card
    jobs._order(HERE, View(), 'pause 1')
    assert job_state(1) == 'paused'
    *_, told = jobs._order(HERE, View(), 'cancel 1')
    assert job_state(1) == 'cancelled' and 'is gone' in told
    held.clear()
    jobs._order(HERE, View(), 'retry 1')
    until_got()


def test_a_job_tells_its_file_and_opens_the_folder_of_it(
    parts: Parts, site: ModelSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(util, 'open_folder', lambda folder: bool(opened.append(folder) or True))
    view = looking_at(made_with(version(VERSION)))
    ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')
    ordered(parts, view, f'take {VERSION} {FILE}')
    until_got()
    path = model_jobs.every(archive())[0].path
    panel = job_panel.panel(HERE, View())
    assert f'File <code class="cg-path">{path}<' in panel and 'data-order="open 1"' in panel
    assert str(path.parent) in jobs._order(HERE, View(), 'open 1')[-1]
    assert opened == [str(path.parent)]


def test_a_file_that_has_come_is_in_the_lists_of_the_host(
    parts: Parts, site: ModelSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[str] = []
    monkeypatch.setattr(
        host.StandaloneHost, 'refresh_models', lambda _, kind: refreshed.append(kind)
    )
    view = looking_at(made_with(version(VERSION)))
    ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')
    ordered(parts, view, f'take {VERSION} {FILE}')
    until_got()
    assert refreshed == ['Checkpoint']


def test_a_job_that_was_left_goes_on_when_a_webui_starts(
    site: ModelSite, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner.Sealing, 'at_work', owner.Sealing.at_work)
    monkeypatch.setattr(owner.Sealing, 'is_shared', owner.Sealing.is_shared)
    setting.gallery_jobs_go_on = True
    planned = modeljobs.model_queue().plan(VERSION)
    job_id = getting.begin(archive(), planned)
    webui.started(None, FastAPI())
    until_got(job_id)
    assert (folder / 'Stable-diffusion' / 'paper.safetensors').is_file()


def test_a_hostile_title_is_nothing_but_text(parts: Parts, site: ModelSite) -> None:
    site.facts = {'name': EVIL, 'model': {'name': EVIL, 'type': 'Checkpoint'}, 'baseModel': EVIL}
    site.file_name = f'{EVIL}.safetensors'.replace('/', '')
    view = looking_at(made_with({**version(VERSION), 'name': EVIL}))
    told = ordered(parts, view, f'get {site.url}/model-versions/{VERSION}')['details']
    assert html.escape(EVIL) in told and '<img' not in told
    ordered(parts, view, f'take {VERSION} {FILE}')
    until_got()
    shown = ordered(parts, view, 'list')['models_list']
    panel = job_panel.panel(HERE, View())
    assert html.escape(EVIL) in panel and '<img' not in panel
    assert html.escape(EVIL) in shown and '<img' not in shown


# --- on this machine ------------------------------------------------------------------------------


def listed(parts: Parts, view: View, order: str = 'list', **fields: str) -> list[str]:
    """The rows of the list, as they are read."""
    told = ordered(parts, view, order, **fields)['models_list']
    shown = view.models.listed if told == gr.update() else told
    rows = re.findall(r'<li.*?</li>', shown)
    return [html.unescape(re.sub(r'<[^>]*>', ' ', row)) for row in rows]


def test_the_list_is_empty_until_a_scan_was_asked_for(parts: Parts, view: View) -> None:
    assert 'No model file is known' in ordered(parts, view, 'list')['models_list']
    assert 'hashes' in models.scan_panel()


def test_local_models_are_found_by_words_kind_and_base_model(
    parts: Parts, view: View, demo: DemoServer, folder: Path
) -> None:
    put(folder / 'Lora' / 'a.safetensors', LORA.versions[1].files[0].content)
    put(folder / 'Lora' / 'a copy.safetensors', LORA.versions[1].files[0].content)
    put(folder / 'VAE' / 'my own.pt')
    told = scanned(parts, view)
    assert '3 model files' in told['models_scan'] and 'data-moves' not in told['models_scan']
    assert told['models_kind']['choices'] == ['any', 'LORA', 'VAE']
    rows = listed(parts, view)
    assert len(rows) == 3 and sum('newer: v3' in row for row in rows) == 2
    assert sum('the same file several times' in row for row in rows) == 2
    assert sum('not known to Civitai' in row for row in rows) == 1
    assert len(listed(parts, view, 'find', search='gouache COPY')) == 1
    assert len(listed(parts, view, 'find', kind='VAE')) == 1
    assert len(listed(parts, view, 'find', kind='不限')) == 3  # a page in the language of before
    assert len(listed(parts, view, base='SDXL 1.0')) == 2
    assert listed(parts, view, search='gouache', kind='VAE') == []
    gallery = f'/models/{LORA.id}?modelVersionId={LORA.versions[1].id}'
    listed(parts, view)
    assert f'<li data-cg-source="{demo.url}{gallery}">' in view.models.listed


def test_a_scan_that_finds_nothing_says_where_it_looked_and_how_to_name_another_folder(
    parts: Parts, view: View, folder: Path
) -> None:
    odd = folder.with_name('models & <b>')
    folder.rename(odd)
    setting.models_folder = str(odd)
    told = scanned(parts, view, is_empty=True)['models_scan']
    assert 'No model file was found' in told and 'cg-good' not in told
    assert f'>{html.escape(str(odd / "Stable-diffusion"))}</code>' in told
    assert 'models_folder' in told and str(folder.parent) not in str(
        ordered(parts, view, '', FROM_AFAR)
    )
    put(odd / 'Stable-diffusion' / 'a.safetensors')
    assert 'cg-good' in scanned(parts, view)['models_scan']


def test_a_scan_where_there_is_no_folder_says_that(parts: Parts, view: View) -> None:
    setting.models_folder = ''
    told = scanned(parts, view, is_empty=True)['models_scan']
    assert 'no folder of models here yet' in told and 'models_folder' in told


def test_models_that_the_site_has_no_more_are_marked(
    parts: Parts, view: View, demo: DemoServer, folder: Path
) -> None:
    put(folder / 'Lora' / 'a.safetensors', LORA.versions[1].files[0].content)
    scanned(parts, view)
    answers.keep(archive(), answers.GONE, {LORA.id: True})
    [row] = listed(parts, view)
    assert 'no longer on Civitai' in row


def test_of_many_models_a_hundred_are_shown_and_more_when_asked(
    parts: Parts, view: View, demo: DemoServer, folder: Path
) -> None:
    for number in range(230):
        put(folder / 'Lora' / f'{number:03}.safetensors')
    setting.civitai_base_url = 'http://127.0.0.1:9'  # nobody there
    told = scanned(parts, view)
    assert 'was not asked to the end' in told['models_scan']
    assert len(listed(parts, view)) == 100
    assert 'data-models="more 100"' in view.models.listed
    assert len(listed(parts, view, 'more 100')) == 200
    assert len(listed(parts, view, 'more 200')) == 230
    assert 'data-models="more' not in view.models.listed


def test_a_scan_tells_how_far_it_is_and_is_stopped(
    parts: Parts, view: View, demo: DemoServer, folder: Path
) -> None:
    path = folder / 'Lora' / 'huge.safetensors'
    put(path, b'')
    with path.open('ab') as file:
        file.truncate(2**40)  # takes no room, and longer than anybody waits
    ordered(parts, view, 'scan')
    until(lambda: 'Reading model files' in models.scan_panel())
    assert 'data-models="stop"' in models.scan_panel()
    told = ordered(parts, view, 'stop')['models_scan']
    assert 'Stopped' in told and 'data-models="scan"' in told and demo.requests == []


def test_a_model_of_a_picture_leads_to_its_gallery_here_and_to_its_page(demo: DemoServer) -> None:
    view = looking_at(made_with(version(OPENING_VERSION_ID)))
    link = f'{demo.url}{CHECKPOINT_LINK}'
    assert f'href="{link}" data-cg-source="{link}"' in details(view)
    assert f'href="{link}" target="_blank"' in details(view)
