"""A saved gallery in the tab, without a browser: shown from this computer, and nobody is asked."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import gradio as gr
import pytest
from PIL import Image

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.downloads import beginning, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import files
from scripts.civitai_manager_libs.tab import (
    address,
    components,
    events,
    job_panel,
    offline,
    opening,
    paging,
    picture,
    sending,
    versions,
)
from scripts.civitai_manager_libs.tab.larger import LARGE_WIDTH, Key, Size
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.loading import State
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE, HERE
from tests.support.grids import files_shown
from tests.support.kept import download_page

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201'
VERSION, OTHER_VERSION = f'{MODEL}?modelVersionId=420102', f'{MODEL}?modelVersionId=420101'
USER, POST = '/user/lumen_fox', '/posts/21005174'
AIR, HASH = 'urn:air:sdxl:checkpoint:civitai:4201@420102', 'c205ad3a96'
OF_HASH = '/models/4588?modelVersionId=458802'
EVIL = '"><script>alert(1)</script>'


@pytest.fixture(scope='module')
def parts() -> Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


def kept(
    demo: DemoServer,
    client: CivitaiHttpClient,
    link: str,
    folder: Path | None = None,
    **wanted: Any,
) -> jobs.Job:
    """Keep a gallery; then the stand-in forgets that it was asked."""
    given = demo.url + link if link.startswith('/') else link
    asked = Wanted(given, **{'levels': 1, 'limit': 30, **wanted})
    number = beginning.begin(archive(), client, asked, folder)
    whole.run(archive(), client, number, threading.Event())
    demo.requests.clear()
    job = jobs.find(archive(), number)
    assert job is not None
    return job


@pytest.fixture
def job(demo: DemoServer, client: CivitaiHttpClient) -> jobs.Job:
    return kept(demo, client, VERSION)


def turned(parts: Parts, view: View, change: Any, *given: Any, request: Any = HERE) -> Any:
    """What the components show after a turn, and what is told in the end."""
    check = {'check': paging.widgets.refuse_jobs} if change is offline.open_job else {}
    steps = [paging._on_turn(parts, change, **check)(request, *given, view)]
    steps.append(paging._on_loaded(parts)(view))
    told: dict[Any, Any] = {}
    for step in steps:
        told |= {one: value for one, value in step.items() if value not in (gr.update(), None)}
    return told


def browsing(parts: Parts, job: jobs.Job) -> View:
    view = View()
    turned(parts, view, offline.open_job, str(job.id))
    return view


def test_all_that_a_job_kept_is_shown_whatever_was_filtered_before(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = View()
    turned(parts, view, offline.open_job, str(job.id))
    turned(parts, view, events.choose_filters, '{"type": "video"}')
    assert not view.page.images
    turned(parts, view, offline.open_job, str(job.id))
    assert len(view.page.images) == 24


def test_what_a_job_kept_is_shown_page_by_page_and_marked(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id))
    paths = files_shown(view)
    assert len(paths) == setting.page_size() == 24
    for path in paths:
        assert files.is_inside(path, setting.shortcut_gallery_folder)
        with Image.open(path) as still:
            assert still.width == 450
    mark = shown[parts.title]
    assert 'Saved gallery, shown from this computer; 30 pictures' in mark
    assert re.search(r'kept on \d{4}-\d\d-\d\d', mark) and 'Paper Horizons XL' in mark
    for button in (parts.download_page, parts.download_whole, parts.prev):
        assert shown[button]['interactive'] is False
    first = [image.id for image in view.page.images]

    following = turned(parts, view, events.go_next)
    rest = [image.id for image in view.page.images]
    assert following[parts.grid].count('thumbnail-item') == 6 and not set(first) & set(rest)
    assert following[parts.next]['interactive'] is False and 'Saved' in following[parts.title]
    turned(parts, view, events.go_previous)
    assert [image.id for image in view.page.images] == first
    assert demo.requests == []


def clicked(parts: Parts, view: View, place: int) -> Any:
    (name,) = list(view.shown)[-1:]
    told: dict[Any, Any] = picture._on_select(parts)(view, name, str(place))
    later = picture._on_told(parts)(view)
    return told | {one: value for one, value in later.items() if value != gr.update()}


def shown_large(view: View) -> str:
    """The file in the picture cache by which the chosen picture is shown large."""
    assert view.picture.larger
    brought = view.picture.larger.bring(Key(view.picture.grid, view.picture.place, Size.LARGE))
    assert brought and brought.wait(60) and brought.smalls[0].state is State.THERE
    return os.path.join(setting.shortcut_gallery_folder, brought.smalls[0].name)


def test_a_chosen_picture_is_shown_with_how_it_was_made(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = browsing(parts, job)
    place = next(n for n, image in enumerate(view.page.images) if image.meta.get('prompt'))
    told = clicked(parts, view, place)
    assert str(view.page.images[place].meta['prompt'])[:30] in told[parts.infotext]
    assert f'/{view.picture.grid}/{place}"' in told[parts.image]
    with Image.open(shown_large(view)) as large:
        assert large.width <= LARGE_WIDTH
    assert demo.requests == []


def test_how_a_picture_was_made_is_read_from_its_file_where_the_archive_does_not_know(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient
) -> None:
    view = browsing(parts, kept(demo, client, VERSION, embeds=True))
    place = next(n for n, image in enumerate(view.page.images) if image.meta.get('prompt'))
    prompt = str(view.page.images[place].meta['prompt'])
    with archive().writing() as connection:
        connection.execute("UPDATE pictures SET meta = '{}', item = '{}'")
    view = View()
    [job] = jobs.every(archive())
    turned(parts, view, offline.open_job, str(job.id))

    assert not view.page.images[place].meta
    assert prompt[:30] in clicked(parts, view, place)[parts.infotext]
    assert demo.requests == []


def test_a_picture_of_a_saved_gallery_is_sent_as_it_was_kept(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = browsing(parts, job)
    image = events.select(view, 0)
    path, text = sending.parcel(view)
    (mine,) = job.folder.glob(f'{image.id}.*')
    assert Path(path).read_bytes() == mine.read_bytes() and Path(path) != mine
    assert text == events.generation_text(image) or not image.meta
    assert demo.requests == []


def test_videos_are_played_from_the_file(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient
) -> None:
    job = kept(demo, client, '/models/4201', type='video', limit=2)
    view = browsing(parts, job)
    told = clicked(parts, view, 0)
    (mine,) = job.folder.glob(f'{view.page.images[0].id}.*')
    assert (
        '<video ' in told[parts.image] and Path(shown_large(view)).read_bytes() == mine.read_bytes()
    )
    assert demo.requests == []


def test_what_is_not_there_any_more_is_counted_and_not_fetched(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = browsing(parts, job)
    image = events.select(view, 0)
    (mine,) = job.folder.glob(f'{image.id}.*')
    mine.unlink()
    with pytest.raises(SourceError, match='moved, changed or deleted'):
        sending.parcel(view)
    shown = turned(parts, view, events.go_first)
    assert 'or not in the folder of the job: 1' in shown[parts.status]
    assert image.id not in [one.id for one in view.page.images] and demo.requests == []


def test_pictures_above_the_ceiling_of_now_are_not_shown_and_that_is_said(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient
) -> None:
    setting.gallery_maturity_ceiling = 'XXX'
    job = kept(demo, client, VERSION, levels=31, limit=0)
    view = browsing(parts, job)
    mature = next(image for image in _all_pages(view) if image.level > 1)
    setting.gallery_maturity_ceiling = 'PG'
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id))
    assert all(image.level == 1 for image in _all_pages(view))
    assert 'above your maturity ceiling (PG)' in shown[parts.status]
    view.selected = mature  # clicked before the ceiling was lowered
    with pytest.raises(SourceError):
        sending.parcel(view)


@pytest.mark.parametrize(
    ('given', 'name', 'link'),
    [
        ('4452', 'Quiet Geometry', '/models/4452'),
        (AIR, 'Paper Horizons XL · v2.0 Dusk', VERSION),
        (HASH, 'Silk & Light 1.5 · Final', OF_HASH),
        ('@lumen_fox', 'lumen_fox', USER),
    ],
)
def test_it_has_its_own_name_and_its_link_whatever_its_folder_and_what_it_was_asked_for_by(
    parts: Parts,
    demo: DemoServer,
    client: CivitaiHttpClient,
    tmp_path: Path,
    given: str,
    name: str,
    link: str,
) -> None:
    job = kept(demo, client, given, folder=tmp_path / 'wp', limit=2)
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id))
    assert f'>{escape(name)}</a>' in shown[parts.title] and 'data-cg-star=' in shown[parts.title]
    assert view.shown_name == name
    assert f'data-cg-source="{demo.url}{link}"' in shown[parts.keeps]
    panel = job_panel.panel(HERE, view)
    named = f'target="_blank" rel="noreferrer">{escape(name)}</a>'
    assert f'<a href="{demo.url}{link}" {named}' in panel


def _all_pages(view: View) -> list[Any]:
    found = list(view.page.images)
    while events.has_next(view):
        events.go_next(view)
        found += view.page.images
    return found


def test_a_gallery_can_be_loaded_again_afterwards(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = browsing(parts, job)
    shown = turned(parts, view, events.open_source, demo.url + MODEL)
    assert view.saved is None and 'Saved gallery' not in shown[parts.title]
    assert shown[parts.download_whole]['interactive'] is True


def test_why_nothing_can_be_downloaded_of_a_saved_gallery_is_said_until_another_is_loaded(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = View()
    said = turned(parts, view, offline.open_job, str(job.id))[parts.keeps]
    assert 'from this computer' in said and 'load its link' in said and 'data-cg-source=' in said
    assert '/models/4201?modelVersionId=420102' in said
    said = turned(parts, view, events.open_source, demo.url + MODEL)[parts.keeps]
    assert said == ''


def test_nothing_is_downloaded_from_a_saved_gallery(parts: Parts, job: jobs.Job) -> None:
    with pytest.raises(SourceError):
        list(download_page(browsing(parts, job)))


# -- instead of a gallery that cannot be had -------------------------------------------------------


@pytest.mark.parametrize(
    ('saved', 'link'),
    [
        (VERSION, VERSION),
        (MODEL, VERSION),
        (MODEL, MODEL),
        (VERSION, MODEL),
        (MODEL, '/api/v1/images?modelVersionId=420102'),
        (USER, USER),
        (USER, '/user/LUMEN_FOX'),
        (POST, POST),
    ],
)
def test_the_saved_gallery_is_shown_where_civitai_is_out_of_reach(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient, saved: str, link: str
) -> None:
    job = kept(demo, client, saved)
    demo.scenario = '503'
    view = View()
    shown = turned(parts, view, events.open_source, demo.url + link)
    assert view.saved is not None and view.saved.job.id == job.id
    mark = shown[parts.title]
    assert 'Civitai is busy' in mark and 'Shown instead: Saved gallery' in mark
    assert 'thumbnail-item' in shown[parts.grid]


@pytest.mark.parametrize(
    ('scenario', 'why'),
    [('503', 'busy'), ('429', 'slow down'), ('html', 'web page'), ('451', 'your country')],
)
def test_why_it_is_shown_is_said(
    parts: Parts, demo: DemoServer, job: jobs.Job, scenario: str, why: str
) -> None:
    demo.scenario = scenario
    shown = turned(parts, View(), events.open_source, demo.url + VERSION)
    mark = shown[parts.title].lower()
    assert why in mark and 'shown instead: saved gallery' in mark


def test_of_several_saved_galleries_the_one_of_nothing_else_is_shown_then_the_largest(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    kept(demo, client, MODEL, limit=9)
    small = kept(demo, client, VERSION, limit=3, sort='Newest')
    large = kept(demo, client, VERSION, limit=5, sort='Oldest')
    demo.scenario = '503'
    view = View()
    turned(parts, view, events.open_source, demo.url + VERSION)
    assert view.saved is not None and view.saved.job.id == large.id != small.id


def test_so_it_is_where_nobody_listens(parts: Parts, job: jobs.Job) -> None:
    setting.civitai_base_url = 'http://127.0.0.1:9'
    view = View()
    shown = turned(parts, view, events.open_source, '4201')
    assert 'Shown instead: Saved gallery' in shown[parts.title]


@pytest.mark.parametrize('link', [OTHER_VERSION, '/models/4588', USER, POST, '/images'])
def test_another_gallery_is_not_shown_instead(
    parts: Parts, demo: DemoServer, job: jobs.Job, link: str
) -> None:
    demo.scenario = '503'
    view = View()
    shown = turned(parts, view, events.open_source, demo.url + link)
    assert view.saved is None and 'cg-problem' in shown[parts.status]


@pytest.mark.parametrize('link', ['/models/99999999', 'garbage'])
def test_what_civitai_says_of_a_gallery_counts(demo: DemoServer, job: jobs.Job, link: str) -> None:
    view = View(may_see_saved=True)
    with pytest.raises(CivitaiError):
        events.open_source(view, demo.url + link)
    assert view.saved is None


# -- the address of the page -----------------------------------------------------------------------


def ids(view: View) -> list[int]:
    return [image.id for image in view.page.images]


def reloaded(parts: Parts, view: View, request: Any = HERE) -> View:
    """What another browser tab shows at the address of the page that `view` shows."""
    other = View()
    turned(parts, other, opening.open_address, address.of_view(view), request=request)
    return other


def test_a_saved_gallery_its_page_and_its_filters_are_named_by_the_address(
    parts: Parts, demo: DemoServer, job: jobs.Job
) -> None:
    view = browsing(parts, job)
    assert address.of_view(view) == f'saved={job.id}&level=PG'
    turned(parts, view, events.go_next)
    assert parse_qs(address.of_view(view))['p'] == ['2']
    chosen = {'type': 'image', 'base_models': 'Pony,SDXL 1.0', 'with_prompt': True, 'level': 'PG'}
    turned(parts, view, events.choose_filters, json.dumps({**chosen, 'sort': 'Oldest'}))
    other = reloaded(parts, view)
    assert ids(other) == ids(view) and other.trail.page_number == 2
    assert other.filters.chosen == replace(view.filters.chosen, sort='', level='')
    assert address.of_view(other) == address.of_view(view)
    turned(parts, other, events.go_previous)
    turned(parts, view, events.go_previous)
    assert ids(other) == ids(view) != [] and demo.requests == []


@pytest.mark.parametrize(
    'way',
    ['p=2', 'p=2&at=x', 'p=2&at=99999', 'p=2&at=%D9%A1', 'p=3&at=24&at=12', 'p=2&at=' + '9' * 30],
)
def test_a_way_through_a_saved_gallery_that_leads_nowhere_is_not_gone_and_that_is_said(
    parts: Parts, job: jobs.Job, way: str
) -> None:
    view = View()
    shown = turned(parts, view, opening.open_address, f'saved={job.id}&{way}')
    assert ids(view) == ids(browsing(parts, job)) and view.trail.page_number == 1
    assert 'here is the first one' in shown[parts.status]


@pytest.mark.parametrize('job_id', ['99', '0', '01', '-1', '1 OR 1=1', '١', '9' * 30, EVIL])
def test_an_address_of_a_job_that_is_none_is_told_of_and_the_gallery_stays(
    parts: Parts, job: jobs.Job, job_id: str
) -> None:
    view = browsing(parts, job)
    before = view.page
    shown = turned(parts, view, opening.open_address, urlencode({'saved': job_id}))
    assert 'There is no such job any more' in shown[parts.status] and view.page is before
    assert view.is_of_before and '<script' not in shown[parts.status]


def test_an_address_shows_no_saved_gallery_to_others(parts: Parts, job: jobs.Job) -> None:
    view, named = View(), address.of_view(browsing(parts, job))
    setting.gallery_jobs_of_others = True
    turned(parts, view, opening.open_address, named, request=ELSEWHERE)
    before = view.page
    assert before.images
    setting.gallery_jobs_of_others = False
    for job_id in (job.id, 99):  # nor which there are
        asked = f'saved={job_id}'
        shown = turned(parts, view, opening.open_address, asked, request=ELSEWHERE)
        assert 'only on the computer' in shown[parts.status]
        assert view.page is before and view.is_of_before


@pytest.mark.parametrize('link', [VERSION, MODEL, f'{MODEL}?sort=Oldest'])
def test_the_address_of_what_is_shown_instead_is_that_of_what_was_asked_for(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient, link: str
) -> None:
    kept(demo, client, MODEL)
    view = View()
    turned(parts, view, events.open_source, demo.url + link, '{"with_prompt": true}')
    demo.scenario = 'html'
    instead = View()
    turned(parts, instead, events.open_source, demo.url + link, '{"with_prompt": true}')
    assert instead.saved and instead.saved.why
    turned(parts, instead, events.go_next)
    again = reloaded(parts, instead)
    assert again.saved and again.saved.why and again.trail.page_number == 1
    assert address.of_view(again) == address.of_view(instead)
    demo.scenario = ''
    later = reloaded(parts, again)
    assert later.saved is None and ids(later) == ids(view)


def test_the_way_and_the_versions_that_were_asked_for_stay_in_the_address_meanwhile(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient
) -> None:
    kept(demo, client, MODEL)
    view = View()
    turned(parts, view, events.open_source, demo.url + VERSION)
    turned(parts, view, events.choose_version, versions.offered(view)[0])
    turned(parts, view, events.go_next)
    demo.scenario = 'html'
    instead = reloaded(parts, view)
    assert instead.saved and address.of_view(instead) == address.of_view(view)
    other = reloaded(parts, instead, ELSEWHERE)
    assert other.saved is None and other.gallery is None
    turned(parts, instead, events.choose_filters, '{"with_prompt": true}')
    assert parse_qs(address.of_view(instead))['prompt'] == ['1']
    demo.scenario = ''
    assert ids(reloaded(parts, instead)) and 'versions=all' in address.of_view(view)


# -- who may ---------------------------------------------------------------------------------------


def test_others_see_no_saved_gallery(parts: Parts, demo: DemoServer, job: jobs.Job) -> None:
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id), request=ELSEWHERE)
    assert view.saved is None and 'cg-problem' in shown[parts.status]
    demo.scenario = '503'
    shown = turned(parts, view, events.open_source, demo.url + VERSION, request=ELSEWHERE)
    assert view.saved is None and 'cg-problem' in shown[parts.status]
    assert 'data-saved' not in job_panel.panel(ELSEWHERE, View())
    assert f'data-saved="{job.id}"' in job_panel.panel(HERE, View())


def test_others_turn_no_page_of_one(parts: Parts, job: jobs.Job) -> None:
    view = browsing(parts, job)
    before = view.page
    shown = turned(parts, view, events.go_next, request=ELSEWHERE)
    assert view.page is before and 'only on the computer' in shown[parts.status]


def test_others_see_one_where_the_owner_says_so(parts: Parts, job: jobs.Job) -> None:
    setting.gallery_jobs_of_others = True
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id), request=ELSEWHERE)
    assert 'thumbnail-item' in shown[parts.grid]
    assert f'data-saved="{job.id}"' in job_panel.panel(ELSEWHERE, view)


@pytest.mark.parametrize(
    'chosen', ['', '0', '99', '-1', '1 2', '١', '../1', 7.5, None, ['1'], {'job': 1}], ids=repr
)
def test_a_job_that_is_none_is_refused(parts: Parts, job: jobs.Job, chosen: Any) -> None:
    view = View()
    shown = turned(parts, view, offline.open_job, chosen)
    assert view.saved is None and 'cg-problem' in shown[parts.status]


def test_a_file_that_leads_elsewhere_is_not_served(
    parts: Parts, job: jobs.Job, tmp_path: Path
) -> None:
    secret = tmp_path / 'secret.png'
    Image.new('RGB', (600, 600), 'red').save(secret)
    mine = next(job.folder.iterdir())
    mine.unlink()
    mine.symlink_to(secret)
    view = View()
    turned(parts, view, offline.open_job, str(job.id))
    assert mine.stem not in {str(image.id) for image in _all_pages(view)}
    served = Path(setting.shortcut_gallery_folder).iterdir()
    assert secret.read_bytes() not in [path.read_bytes() for path in served]


def test_nothing_is_put_into_a_folder_that_is_no_picture_cache(
    parts: Parts, job: jobs.Job, tmp_path: Path
) -> None:
    folder = tmp_path / 'somebodys'
    folder.mkdir()
    (folder / 'letter.txt').touch()
    setting.shortcut_gallery_folder = str(folder)
    view = View()
    shown = turned(parts, view, offline.open_job, str(job.id))
    assert 'cg-problem' in shown[parts.status]
    view.selected = view.page.images[0]
    with pytest.raises(CivitaiError):
        sending.parcel(view)
    assert [path.name for path in folder.iterdir()] == ['letter.txt']


def test_words_from_outside_are_only_words(
    parts: Parts, demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    folder = tmp_path / EVIL.replace('/', '')
    number = jobs.make(archive(), {'source': f'https://civitai.com/{EVIL}'}, folder, [])
    shown = turned(parts, View(), offline.open_job, str(number))
    assert '<script' not in shown[parts.title] + shown[parts.keeps]
    assert 'None of the pictures' in shown[parts.status]
