"""Whole galleries in the tab, without a browser: the form, the panel, the orders it sends."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator
from urllib.parse import unquote

import gradio as gr
import pytest

from civitai_demo.api import gate, scenarios
from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from scripts.civitai_manager_libs import setting, util
from scripts.civitai_manager_libs.archive import jobs as kept
from scripts.civitai_manager_libs.archive.models import ModelJob
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai import basemodels
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import beginning, queue
from scripts.civitai_manager_libs.downloads.modeljobs import ModelStanding
from scripts.civitai_manager_libs.downloads.standing import (
    ELSEWHERE,
    FAILED,
    INTERRUPTED,
    Failure,
    Standing,
    link_of,
)
from scripts.civitai_manager_libs.downloads.wanted import Wanted, as_kept
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import (
    begun_markup,
    components,
    events,
    foot,
    job_failures,
    job_panel,
    jobs,
    jobs_markup,
    loading,
    paging,
    thumbnails,
    wishes,
)
from scripts.civitai_manager_libs.tab.filters import Filters
from scripts.civitai_manager_libs.tab.jobs_markup import Viewer
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.view import Begun, View

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = f'/models/{OPENING_MODEL_ID}'
VERSION = f'{MODEL}?modelVersionId={OPENING_VERSION_ID}'
PATIENCE = 30


def visitor(**headers: str) -> Any:
    client = SimpleNamespace(host='127.0.0.1', port=1)
    return SimpleNamespace(headers={'host': '127.0.0.1:7860', **headers}, client=client)


HERE = visitor()
FROM_AFAR = visitor(**{'x-forwarded-for': '203.0.113.7'})
OTHER_SITE = visitor(**{'sec-fetch-site': 'cross-site'})


@pytest.fixture(autouse=True)
def own_queue(monkeypatch: pytest.MonkeyPatch, client: CivitaiHttpClient) -> Iterator[None]:
    """A queue of this test's own, which has ended afterwards."""
    made = queue.JobQueue()
    monkeypatch.setattr(queue, '_queue', made)
    yield
    made.end()


@pytest.fixture(scope='module')
def parts() -> Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


@pytest.fixture
def view(demo: DemoServer) -> View:
    opened = View()
    events.open_source(opened, demo.url + MODEL)
    return opened


@pytest.fixture
def slow(view: View, demo: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The stand-in, which takes its time from now on until its scenario is another one."""
    monkeypatch.setattr(gate, 'SLOW_SECONDS', 0.5)
    demo.scenario = 'slow'
    return demo


def started(parts: Parts, view: View, request: Any = HERE, **given: object) -> dict[Any, Any]:
    """What the components show once the form was filled in so and sent."""
    told: dict[Any, Any] = {}
    values = [given.get(field.name) for field in wishes.FIELDS]
    for step in jobs._on_start(parts)(request, view, given.get('versions'), *values):
        told |= step
    return told


def ordered(request: Any, order: Any) -> str:
    """What is told of an order, and the panel as it is then."""
    shown, _, told = jobs._order(request, View(), order)
    return f'{told if isinstance(told, str) else ""}{shown}'


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, job_panel.panel(HERE, View())
        time.sleep(0.02)


def stands(number: int) -> str:
    """The state of a job as the panel shows it."""
    card = job_panel.panel(HERE, View()).split(f'data-job="{number}"')[1].split('</article>')[0]
    found = re.search(r'cg-state [^>]*>([^<]*)<', card)
    assert found is not None
    return found[1]


def test_a_whole_gallery_is_kept_and_the_panel_says_so(
    parts: Parts, view: View, downloads: Path
) -> None:
    told = started(parts, view, limit='7')
    assert 'Job 1 has begun' in told[parts.foot.begun] and told[parts.whole.answer] == ''
    assert 'data-moves' in told[parts.foot.begun] and 'data-moves' in told[parts.whole.jobs]
    assert told[parts.whole.whole]['visible'] is False
    until(lambda: stands(1) == 'complete')
    shown = job_panel.panel(HERE, View())
    assert 'found <b>7</b>' in shown and 'data-moves' not in shown
    assert 'At most: 7' in shown and str(downloads / 'Paper Horizons XL') in shown
    assert len(list((downloads / 'Paper Horizons XL').iterdir())) == 7


def test_where_it_was_begun_a_job_tells_how_it_goes_and_how_it_ended(
    parts: Parts, view: View, demo: DemoServer, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.scenario = 'silent'  # the pictures, not what lists them
    opened: list[str] = []
    monkeypatch.setattr(util, 'open_folder', lambda folder: bool(opened.append(folder) or True))
    started(parts, view, limit='7')

    def line(order: str = '') -> str:
        return jobs._order(HERE, view, order)[1]

    until(lambda: ' of 7 pictures' in line())
    assert 'data-moves' in line() and 'data-order="cancel 1"' in line()
    assert jobs._order(HERE, view, 'pause 1')[-1] == ''  # it is told where the job is
    until(lambda: 'paused' in line())
    assert 'data-order="resume 1"' in line() and 'data-moves' not in line()
    demo.scenario = ''
    line('resume 1')
    until(lambda: 'cg-good' in line())
    assert 'data-moves' not in line() and 'data-order="open 1"' in line()
    assert str(downloads / 'Paper Horizons XL') in jobs._order(HERE, view, 'open 1')[-1]
    assert opened == [str(downloads / 'Paper Horizons XL')]
    assert 'cg-problem' in jobs._order(FROM_AFAR, view, 'open 1')[-1] and len(opened) == 1
    monkeypatch.setattr(util, 'open_folder', lambda folder: False)
    for told in (jobs._order(HERE, view, 'open 1')[-1], foot._open_folder(view, HERE)[0]):
        assert 'cg-problem' in told and 'could not be opened here' in told
    assert line('hide 1') == '' and line() == gr.update() and stands(1) == 'complete'


def reopened(parts: Parts, view: View, link: str) -> Any:
    """What is told of the job begun here once `link` is loaded."""
    return paging._on_turn(parts, events.open_source)(HERE, link, '', view).get(parts.foot.begun)


def test_a_page_that_is_opened_anew_tells_of_the_job_that_was_begun_for_its_gallery(
    parts: Parts, view: View, demo: DemoServer
) -> None:
    started(parts, view, limit='2')
    until(lambda: stands(1) == 'complete')
    anew = View()
    nothing = gr.update()
    assert jobs._order(HERE, anew, 'recall 7,1')[1] == nothing, 'no gallery is on show'
    assert reopened(parts, anew, demo.url + '/models/4452') is None
    assert 'data-begun="1"' in reopened(parts, anew, demo.url + VERSION)
    assert reopened(parts, anew, demo.url + '/models/4452') == ''
    assert '2 saved' in reopened(parts, anew, demo.url + MODEL)

    late = View()  # the gallery comes first, what was begun here behind it
    assert reopened(parts, late, demo.url + MODEL) is None
    assert jobs._order(HERE, late, '')[1] == nothing, 'others have not begun it'
    assert 'data-begun="1"' in jobs._order(HERE, late, 'recall 1')[1]
    assert jobs._order(HERE, late, 'hide 1')[1] == ''
    assert reopened(parts, late, demo.url + MODEL) is None


def test_a_line_that_was_closed_brings_up_none_of_before(
    parts: Parts, view: View, demo: DemoServer
) -> None:
    for number in (1, 2):
        started(parts, view, limit=str(1 + number))
        until(lambda: stands(number) == 'complete')
    assert 'data-begun="2"' in jobs._order(HERE, view, '')[1]
    assert jobs._order(HERE, view, 'hide 2')[1] == ''
    reopened(parts, view, demo.url + '/models/4452')
    assert not reopened(parts, view, demo.url + VERSION)


@pytest.mark.parametrize('order', ['recall', 'recall x', 'recall 1,', 'recall ' + '1,' * 10 + '1'])
def test_what_is_no_job_is_not_recalled(view: View, order: str) -> None:
    assert 'cg-problem' in jobs._order(HERE, view, order)[-1] and view.begun_here == ()


def test_a_job_that_stopped_says_why_where_it_was_begun() -> None:
    job = replace(JOB, state=kept.STOPPED, trouble='No room is left.', saved=2, found=9)
    html = begun_markup.line(job, '', Viewer(True))
    assert 'No room is left.' in html and 'data-order="resume 3"' in html
    failed = replace(
        JOB,
        state=kept.ENDED,
        is_listed=True,
        found=25,
        saved=24,
        failed=1,
        failures=(Failure(GalleryImage(1, ''), '', 'It <broke> off.'),),
    )
    html = begun_markup.line(failed, '', Viewer(True))
    assert '24 saved, 1 failed' in html and 'It &lt;broke&gt; off.' in html
    assert 'data-order="retry 3"' in html and 'data-order="open' not in html
    assert 'retry' not in begun_markup.line(failed, '', Viewer())


def test_the_line_of_an_ended_job_goes_with_its_gallery_and_that_of_one_that_runs_stays(
    parts: Parts, view: View
) -> None:
    for moves in (True, False):
        view.begun = Begun(4, 'Job 4 has begun.', moves)
        gone = paging._of_before(parts, HERE, view)
        assert (parts.foot.begun in gone) is not moves
        assert view.begun.job_id == (4 if moves else 0)


@pytest.mark.parametrize(
    ('versions', 'count'), [('all', 2), ('one', 1)], ids=['all versions', 'the one on show']
)
def test_as_many_versions_are_kept_as_were_chosen(
    parts: Parts, view: View, versions: str, count: int
) -> None:
    by_name = dict(zip(('all', 'one'), wishes.versions_offered(view)))
    started(parts, view, versions=by_name[versions], limit='1')
    assert len(kept.lanes(archive(), 1)) == count


@pytest.mark.parametrize(
    ('given', 'words'),
    [({'since': 'yesterday'}, 'is no time'), ({'limit': 'x'}, 'no number'), ({'level': 'X'}, 'PG')],
    ids=lambda value: str(value),
)
def test_what_cannot_be_used_begins_nothing_and_loses_nothing(
    parts: Parts, view: View, demo: DemoServer, given: dict[str, object], words: str
) -> None:
    seen = len(demo.requests)
    told = started(parts, view, **given)
    assert words in told[parts.whole.answer] and 'cg-problem' in told[parts.whole.answer]
    assert set(told) == {parts.whole.answer}  # the form is left as it is
    assert kept.every(archive()) == [] and len(demo.requests) == seen


@pytest.mark.parametrize(
    ('given', 'named'),
    [('sdxl', 'SDXL 1.0'), ('Pony, ponny', 'Pony'), ('Flux 9 Next', 'Flux')],
)
def test_a_base_model_that_civitai_refuses_gets_the_nearest_names_in_the_form(
    parts: Parts, view: View, given: str, named: str
) -> None:
    told = started(parts, view, base_model=given)
    answer = told[parts.whole.answer]
    wrong = given.split(', ')[-1]
    assert f'no base model called &quot;{wrong}&quot;' in answer and named in answer
    assert 'cg-problem' in answer and '400' not in answer
    assert set(told) == {parts.whole.answer} and kept.every(archive()) == []


def test_a_job_for_a_base_model_that_civitai_refuses_says_so_once(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    asked = Wanted(demo.url + MODEL, levels=1, base_models=('sdxl',))
    number = beginning.begin(archive(), client, asked, None)
    ordered(HERE, f'resume {number}')
    until(lambda: stands(number) == 'not complete')
    html = job_panel.panel(HERE, View())
    assert html.count('no base model called &quot;sdxl&quot;') == 1 and 'SDXL 1.0' in html
    assert '400' not in html


def test_a_base_model_that_only_civitai_knows_is_asked_for(
    parts: Parts, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basemodels, '_BY_PLAIN_NAME', {'pony': 'Pony'})
    told = started(parts, view, base_model='SDXL 1.0', limit='1')
    assert 'Job 1 has begun' in told[parts.foot.begun]


def test_where_nothing_is_shown_there_is_nothing_to_keep(parts: Parts) -> None:
    assert 'Paste a Civitai link' in started(parts, View())[parts.whole.answer]


def test_the_form_says_the_level_and_closes_again(parts: Parts, view: View) -> None:
    setting.gallery_maturity_ceiling = 'PG-13'
    open_or_close = jobs._on_open(parts.whole)
    shown = open_or_close(view)
    assert shown[parts.whole.whole]['visible'] is True
    assert 'PG-13' in shown[parts.whole.told] and 'Paper Horizons XL' in shown[parts.whole.told]
    assert shown[parts.whole.versions]['value'] == 'All 2 versions'
    assert open_or_close(view)[parts.whole.whole]['visible'] is False


def opened_form(parts: Parts, view: View) -> dict[str, Any]:
    """What the form sets its fields to as it is opened, by their names."""
    shown = jobs._on_open(parts.whole)(view)
    assert shown[parts.whole.whole]['visible'] is True
    pairs = zip(wishes.FIELDS, parts.whole.fields)
    return {field.name: shown[part]['value'] for field, part in pairs if part in shown}


EMPTY = {'limit': '', 'type': 'any', 'since': '', 'until': '', 'sort': 'any', 'period': 'any'}
EMPTY |= {'base_model': '', 'tag': '', 'with_prompt': False, 'level': 'PG'}


@pytest.mark.parametrize('link', ['/models/4317', '/user/lumen_fox', '/posts/21005174'])
def test_another_gallery_begins_with_a_closed_and_empty_form(
    parts: Parts, view: View, link: str
) -> None:
    assert opened_form(parts, view) == EMPTY
    told = paging._on_turn(parts, events.open_source)(HERE, setting.civitai_base_url + link, view)
    assert told[parts.whole.whole]['visible'] is False and told[parts.whole.answer] == ''
    assert opened_form(parts, view) == EMPTY


def test_the_form_of_the_same_model_keeps_what_was_filled_in(parts: Parts, view: View) -> None:
    assert opened_form(parts, view) == EMPTY
    jobs._on_open(parts.whole)(view)  # closed
    events.open_source(view, setting.civitai_base_url + VERSION)
    assert opened_form(parts, view) == {}


def test_the_form_says_what_the_filters_above_the_grid_say_and_the_job_keeps_to_the_form(
    parts: Parts, view: View
) -> None:
    setting.gallery_maturity_ceiling = 'R'
    chosen = Filters(level='PG-13', sort='Newest', period='Year', type='image', with_prompt=True)
    events.choose_filters(view, json.dumps(chosen.as_told()))
    shown = jobs._on_open(parts.whole)(view)
    fields = dict(zip((field.name for field in wishes.FIELDS), parts.whole.fields))
    given = {name: shown[part]['value'] for name, part in fields.items()}
    assert given == EMPTY | {
        'level': 'PG-13',
        'sort': 'Newest',
        'period': 'Year',
        'type': 'image',
        'with_prompt': True,
    }
    assert 'Type: Pictures · Sort: Newest' in shown[parts.whole.told]
    jobs._on_open(parts.whole)(view)  # closed
    assert opened_form(parts, view) == {}  # what a person made of it stays
    started(parts, view, **{**given, 'period': 'any', 'limit': '1'})
    (job,) = kept.every(archive())
    wanted = as_kept(job.asked)
    assert (wanted.sort, wanted.period, wanted.type, wanted.with_prompt) == (
        ('Newest', '', 'image', True)
    )
    assert wanted.levels == 3 and 'period' not in wanted.source


def test_levels_that_the_settings_allow_now_stand_in_the_form(parts: Parts, view: View) -> None:
    opened_form(parts, view)
    jobs._on_open(parts.whole)(view)
    setting.gallery_maturity_ceiling = 'R'
    assert opened_form(parts, view)['level'] == 'R'


def test_names_of_files_are_those_of_the_setting(parts: Parts, view: View, downloads: Path) -> None:
    setting.gallery_name_template = '{username}/{id}'
    started(parts, view, limit='2')
    until(lambda: stands(1) == 'complete')
    assert all(path.is_dir() for path in (downloads / 'Paper Horizons XL').iterdir())


# -- orders --------------------------------------------------------------------------------------


def waiting_job(client: CivitaiHttpClient, demo: DemoServer, **wanted: Any) -> int:
    """A job that the command line made and left."""
    return beginning.begin(archive(), client, Wanted(demo.url + VERSION, levels=1, **wanted), None)


def test_a_job_of_the_command_line_is_shown_and_gone_on_with(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    number = waiting_job(client, demo, limit=3)
    assert stands(number) == 'interrupted' and 'data-moves' not in job_panel.panel(HERE, View())
    ordered(HERE, f'resume {number}')
    until(lambda: stands(number) == 'complete')


@pytest.mark.parametrize('language', ['en', 'zh_TW'])
def test_all_that_can_be_asked_for_is_told_of_a_job(
    language: str, client: CivitaiHttpClient, demo: DemoServer
) -> None:
    setting.language = language
    dates = {'since': '2020-01-01', 'until': '2030-01-01'}
    chosen = {'type': 'image', 'with_prompt': True, 'sort': 'Newest', 'period': 'Year'}
    words = {'base_models': ('SDXL 1.0',), 'tags': (7,), 'tag_names': ('fog',)}
    files = {'template': '{uuid}', 'embeds': True, 'sidecars': ('json', 'caption')}
    waiting_job(client, demo, limit=5, **dates, **chosen, **words, **files)

    told = job_panel.panel(HERE, View())
    as_above = {'en': ('Sort: Newest', 'Type: Pictures'), 'zh_TW': ('排序：最新', '類型：圖片')}
    for word in ('SDXL 1.0', '{uuid}', 'json,caption', *as_above[language], '7,fog'):
        assert word in told


def test_a_job_rests_and_goes_on_as_it_is_told(parts: Parts, view: View, slow: DemoServer) -> None:
    started(parts, view, limit='60')
    assert 'paused' in ordered(HERE, 'pause 1') and stands(1) == 'paused'
    slow.scenario = ''
    ordered(HERE, 'resume 1')
    until(lambda: stands(1) == 'complete')
    ordered(HERE, 'forget 1')
    assert kept.every(archive()) == []


def test_what_failed_is_told_with_its_cause_and_tried_again(
    parts: Parts, view: View, demo: DemoServer
) -> None:
    demo.scenario = 'truncated'
    started(parts, view, limit='12')
    until(lambda: stands(1) == 'not complete')
    shown = job_panel.panel(HERE, View())
    (failed,) = {one.failed for one in queue.job_queue().standing()}
    assert f'Failed pictures: {failed}' in shown and 'broke off' in shown and '/images/' in shown
    demo.scenario = ''
    ordered(HERE, 'retry 1')
    until(lambda: stands(1) == 'complete')


def test_of_many_that_failed_all_can_be_seen_and_tried_again(
    parts: Parts, view: View, demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, '_SOME_PICTURES', frozenset())
    monkeypatch.setattr(setting, 'http_max_retries', 0)
    demo.scenario = 'truncated'
    started(parts, view, limit='25')
    until(lambda: stands(1) == 'not complete')

    def listed(order: str, seen: View, asker: Any = HERE) -> tuple[int, str]:
        panel, _, told = jobs._order(asker, seen, order)
        return panel.count('<li><'), f'{panel}{told}'

    count, html = listed('', view)
    assert '25 failed: The transfer broke off before the end. Try again. “Retry failed”' in html
    assert count == 20 and 'and 5 more' in html and 'data-order="more 1"' in html
    assert 'data-order="retry 1">Try all 25 again<' in html
    assert listed('more 1', view)[0] == listed('', view)[0] == 25
    assert 'data-order="more 1"' not in listed('', view)[1]
    afar = View()
    assert listed('', afar)[0] == 20, 'what another tab unfolded is its own'
    count, html = listed('more 1', afar, FROM_AFAR)
    assert count == 25 and 'data-order' not in html, 'who may only look sees them all'
    assert 'cg-problem' in jobs._order(OTHER_SITE, View(), 'more 1')[-1]
    demo.scenario = ''
    ordered(HERE, 'retry 1')
    until(lambda: stands(1) == 'complete')


@pytest.mark.parametrize(
    'order',
    [
        'pause',
        'pause 0',
        'pause 99',
        'explode 1',
        'end 1',
        'pause 1 2',
        'again 1',
        'more 99',
        'pause -1',
        'pause ١',
    ]
    + [7, ['pause 1'], {'pause': 1}, 'pause 99999999999999999999999', '<b>'],
    ids=repr,
)
def test_an_order_that_is_none_is_refused(
    demo: DemoServer, client: CivitaiHttpClient, order: Any
) -> None:
    number = waiting_job(client, demo)
    shown = ordered(HERE, order)
    assert 'cg-problem' in shown.split('<article')[0] and stands(number) == 'interrupted'


@pytest.mark.parametrize('nothing', ['', None], ids=repr)
def test_no_order_only_looks(nothing: Any) -> None:
    assert 'cg-problem' not in ordered(HERE, nothing)


# -- what is told of a job that was asked for ----------------------------------------------------


@pytest.fixture
def other_job(parts: Parts, view: View, slow: DemoServer) -> Iterator[View]:
    """A job that is at work until `slow` is so no more; a view of another gallery."""
    setting.gallery_max_concurrent_downloads = 1  # it takes long even so
    started(parts, view)
    until(lambda: stands(1) == 'running')
    other = View()
    events.open_source(other, slow.url + '/models/4317')
    yield other


def test_a_job_behind_others_says_so_and_behind_how_many(
    parts: Parts, other_job: View, demo: DemoServer, client: CivitaiHttpClient
) -> None:
    told = started(parts, other_job, limit='1')[parts.foot.begun]
    assert 'Job 2 waits behind other jobs (1 at' in told and 'has begun' not in told
    number = waiting_job(client, demo, limit=1)
    assert f'Job {number} waits behind other jobs (2 at' in ordered(HERE, f'resume {number}')
    assert 'jobs before it: 2<' in job_panel.panel(HERE, View())
    again = started(parts, other_job, limit='1')[parts.foot.begun]
    assert 'Job 2 waits behind other jobs (1 at' in again
    ordered(HERE, 'cancel 2')
    assert f'Job {number} waits behind other jobs (1 at' in ordered(HERE, f'resume {number}')


def test_one_that_is_asked_for_again_says_what_that_does(
    parts: Parts, view: View, slow: DemoServer
) -> None:
    setting.gallery_max_concurrent_downloads = 1  # it takes long even so
    started(parts, view, limit='7')
    assert 'Job 1 has begun' in view.begun.told
    started(parts, view, limit='7')
    assert 'Job 1 is at it already' in view.begun.told
    assert 'Job 1 is paused' in ordered(HERE, 'pause 1')
    started(parts, view, limit='7')
    assert 'Job 1 goes on' in view.begun.told
    assert 'Job 1 is cancelled. Its files stay' in ordered(HERE, 'cancel 1')
    slow.scenario = ''
    assert 'Job 1 goes on' in ordered(HERE, 'resume 1')
    until(lambda: stands(1) == 'complete')
    started(parts, view, limit='7')
    assert 'Job 1 looks again' in view.begun.told
    until(lambda: stands(1) == 'complete')
    assert 'Its files stay' in ordered(HERE, 'forget 1')


def test_what_became_of_an_order_is_told_where_the_panel_does_not_overwrite_it(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    number = waiting_job(client, demo, limit=1)
    *_, told = jobs._order(HERE, View(), f'forget {number}')
    assert 'files stay' in told
    assert jobs._order(HERE, View(), '')[-1] == gr.update()


# -- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize('request_', [FROM_AFAR, OTHER_SITE], ids=['far away', 'other site'])
def test_who_may_not_begins_and_ends_nothing(
    parts: Parts, view: View, demo: DemoServer, client: CivitaiHttpClient, request_: Any
) -> None:
    number = waiting_job(client, demo)
    told = started(parts, view, request_)
    assert 'cg-problem' in told[parts.whole.answer] and len(kept.every(archive())) == 1
    for action in ('pause', 'resume', 'cancel', 'retry', 'forget'):
        assert 'cg-problem' in ordered(request_, f'{action} {number}')
    assert stands(number) == 'interrupted'
    assert 'data-order' not in job_panel.panel(
        request_, View()
    ) and 'data-order' in job_panel.panel(HERE, View())


def test_where_the_files_are_is_told_on_the_owners_machine_only(
    demo: DemoServer, client: CivitaiHttpClient, downloads: Path
) -> None:
    waiting_job(client, demo)
    folder = str(downloads / 'Paper Horizons XL')
    assert f'<code class="cg-path">{folder}</code>' in job_panel.panel(HERE, View())
    setting.gallery_jobs_of_others = True
    for request in (FROM_AFAR, OTHER_SITE):
        assert str(downloads) not in job_panel.panel(request, View())


def test_others_may_where_the_owner_says_so(parts: Parts, view: View) -> None:
    setting.gallery_jobs_of_others = True
    assert 'Job 1' in started(parts, view, FROM_AFAR, limit='1')[parts.foot.begun]
    assert 'data-order' in job_panel.panel(FROM_AFAR, View())


# -- what is shown -------------------------------------------------------------------------------

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
ALL, POST = 'https://civitai.com/images?types=image', 'https://civitai.com/posts/7'
LINK = 'https://civitai.com/models/1'
JOB = Standing(3, LINK, '/home/me/Some model', 'PG', {}, kept.RUNNING, link=LINK)


def shown(job: Standing) -> str:
    return jobs_markup.panel([job], 0, '', Viewer(True))


def test_words_from_outside_are_only_words() -> None:
    failure = Failure(GalleryImage(1, EVIL), f'https://civitai.com/{EVIL}', EVIL)
    evil = replace(
        JOB,
        source=f'https://civitai.com/{EVIL}',
        link=f'https://civitai.com/{EVIL}',
        folder=f'/home/{EVIL}',
        level=EVIL,
        asked={'tag': EVIL},
        gaps=(EVIL,),
        failed=1,
        failures=(failure,),
        trouble=EVIL,
        waiting=EVIL,
    )
    for state in (kept.RUNNING, kept.ENDED):
        html = jobs_markup.panel([replace(evil, state=state)], 0, '', Viewer(True, True))
        assert '<script' not in html and '<img' not in html and '&lt;script' in html


def test_what_failed_has_its_small_picture_where_it_is_here_and_can_be_tried_again() -> None:
    address = 'https://image.civitai.com/key/{0}/original=true/{0}.jpeg'
    here, away = (GalleryImage(one, address.format(one), level=1) for one in (11, 12))
    path = Path(setting.get_image_url_to_gallery_file(thumbnails.address(here)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'small')
    failures = tuple(
        Failure(one, f'https://civitai.com/images/{one.id}', '') for one in (here, away)
    )
    job = replace(JOB, state=kept.ENDED, found=2, failed=2, failures=failures)
    view = View()
    smalls = job_failures.small(view, failures)
    assert list(smalls) == [11] and smalls == job_failures.small(view, failures)
    *_, secret, name = smalls[11].split('/')
    given = loading.of_tab(secret)
    found = given.find(unquote(name)) if given else None
    assert found is not None and found[1].level == 1 and name == path.name
    html = jobs_markup.panel([job], 0, '', Viewer(True), smalls=smalls)
    assert re.findall(r'<img[^>]* src="([^"]*)"', html) == [smalls[11]]
    assert html.count('class="cg-mini"') == 2 and 'image.civitai.com' not in html
    assert 'data-order="again 3 11"' in html and 'data-order="again 3 12"' in html
    assert 'again 3' not in jobs_markup.panel([job], 0, '', Viewer(), smalls=smalls)


def test_jobs_that_ended_before_the_last_few_are_folded_and_those_that_go_on_are_not() -> None:
    ended = [replace(JOB, job_id=number, state=kept.ENDED) for number in range(20, 3, -1)]
    going = [replace(JOB, job_id=2, state=kept.PAUSED), replace(JOB, job_id=1)]
    html = jobs_markup.panel([*ended, *going], 5, '', Viewer(True))
    open_, folded = html.split('<details class="cg-earlier"')
    assert re.findall('data-job="([0-9]+)"', open_) == ['20', '19', '18', '2', '1']
    assert len(re.findall('data-job=', folded)) == 14
    assert 'Earlier jobs (19)' in folded and 'not shown: 5' in folded
    assert 'cg-earlier' not in jobs_markup.panel([*ended[:3], *going], 0, '', Viewer(True))


def test_what_goes_on_stands_above_what_is_over(
    client: CivitaiHttpClient, demo: DemoServer
) -> None:
    for number, state in ((1, kept.PAUSED), (2, kept.CANCELLED), (3, kept.STOPPED)):
        waiting_job(client, demo, limit=number)
        kept.set_state(archive(), number, state)
    html = job_panel.panel(HERE, View())
    assert re.findall('data-job="([0-9]+)"', html) == ['3', '1', '2']


def test_a_panel_that_was_drawn_later_has_a_higher_number() -> None:
    numbers = [
        int(re.findall(r'data-number="(\d+)"', job_panel.panel(HERE, View()))[0]) for _ in range(3)
    ]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize('source', ['javascript:alert(1)', 'urn:air:x', ''])
def test_what_is_no_address_is_no_link(source: str) -> None:
    link = link_of(source, [])
    assert link == '' and '<a ' not in shown(replace(JOB, source=source, link=link))


@pytest.mark.parametrize(
    ('state', 'orders'),
    [
        (kept.WAITING, 'pause cancel'),
        (kept.RUNNING, 'pause cancel'),
        (ELSEWHERE, ''),
        (kept.PAUSED, 'resume cancel'),
        (INTERRUPTED, 'resume cancel'),
        (kept.STOPPED, 'resume forget'),
        (kept.CANCELLED, 'resume forget'),
        (kept.ENDED, 'retry forget'),
    ],
)
def test_a_job_offers_what_can_be_done_with_it(state: str, orders: str) -> None:
    html = shown(replace(JOB, state=state, failed=1))
    assert re.findall(r'data-order="(\w+) 3"', html) == orders.split()
    assert ('data-moves' in html) is (state in (kept.WAITING, kept.RUNNING, ELSEWHERE))


def test_no_button_moves_as_the_first_pictures_come_or_the_last() -> None:
    def buttons(**change: Any) -> list[tuple[str, str]]:
        html = jobs_markup.panel([replace(JOB, **change)], 0, '', Viewer(True, True, True))
        return re.findall(r'<button( disabled)? type[^>]*>([^<]*)<', html)

    after = [('', name) for name in ('Browse', 'Open folder', 'Pause', 'Cancel')]
    assert buttons() == [(' disabled', name) for _, name in after[:2]] + after[2:]
    assert buttons(found=9, saved=1) == after
    ended = buttons(found=9, saved=9, state=kept.ENDED, is_complete=True)
    assert ended[:2] == after[:2]
    assert [name for _, name in buttons(state=kept.ENDED, is_complete=True)] == ['Remove from list']


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({}, 'Looking what there is'),
        ({'found': 9, 'saved': 4}, '4 of 9 pictures found so far'),
        ({'found': 9, 'saved': 4, 'is_listed': True}, '4 of 9 pictures'),
        ({'rate': 3 * 2**20}, '3.0 MiB/s'),
        ({'rate': 20.4 * 2**10}, '20 KiB/s'),
        ({'seconds_left': 20.4}, 'about 20 s left'),
        ({'seconds_left': 600.0}, 'about 10 min left'),
        ({'waiting': 'Civitai asks us to wait'}, 'Civitai asks us to wait'),
        ({'gone': 2}, 'gone <b>2</b>'),
        ({'already': 3}, 'already there <b>3</b>'),
        ({'gaps': ('page 4',)}, 'Not everything could be listed: page 4'),
        ({'trouble': 'The disk is full'}, 'The disk is full'),
        ({'hidden': 5}, 'above level PG: 5'),
        ({'asked': {'with_prompt': True}}, 'Only with a prompt'),
        ({'failed': 50, 'failures': ()}, 'and 50 more'),
        (
            {'state': kept.ENDED, 'failed': 9, 'main_cause': 'No <room>.', 'main_count': 7},
            '9 failed, 7 of them: No &lt;room&gt;. “Retry failed” tries',
        ),
    ],
)
def test_what_is_known_of_a_job_is_said(change: dict[str, Any], words: str) -> None:
    assert words in shown(replace(JOB, **change))


@pytest.mark.parametrize(
    ('change', 'is_offered'),
    [
        ({}, False),
        ({'found': 5, 'saved': 5}, False),
        ({'found': 5, 'failed': 1}, True),
        ({'gaps': ('page 4',)}, True),
        ({'found': 5, 'gone': 5, 'is_complete': True}, False),
    ],
    ids=['nothing-known', 'not-all-listed', 'failed', 'gap', 'gone'],
)
def test_again_is_offered_only_where_something_can_be_tried(
    change: dict[str, Any], is_offered: bool
) -> None:
    assert ('data-order="retry' in shown(replace(JOB, state=kept.ENDED, **change))) is is_offered


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'failed': 3}, 'not complete</span> <span class="cg-why">3 failed<'),
        ({'gaps': ('page 4',)}, 'not complete</span> <span class="cg-why">not all of it'),
        ({'failed': 3, 'gaps': ('page 4',)}, '3 failed, not all of it could be listed<'),
        ({'saved': 172, 'gone': 46, 'found': 218, 'is_complete': True}, '>complete</span>'),
        (
            {'saved': 172, 'gone': 46, 'found': 218, 'is_complete': True},
            '172 of 218 pictures kept · 46 gone from Civitai',
        ),
        ({'found': 9, 'already': 4, 'saved': 2, 'failed': 3}, '6 of 9 pictures kept'),
        ({'state': kept.WAITING, 'ahead': 2}, 'waits its turn</span> <span class="cg-why">jobs be'),
        ({'name': 'Paper Horizons · v2', 'link': JOB.source}, '>Paper Horizons · v2</a>'),
        ({'name': EVIL}, '&lt;script'),
        (dict.fromkeys(('source', 'name', 'link'), ALL), '>Pictures on Civitai</a>'),
        (dict.fromkeys(('source', 'name', 'link'), POST), '>Post 7</a>'),
        (dict.fromkeys(('source', 'name', 'link'), 'http://['), '>http://[</a>'),
    ],
)
def test_the_head_of_a_job_says_what_it_is_of_and_how_it_ended(
    change: dict[str, Any], words: str
) -> None:
    assert words in shown(replace(JOB, **{'state': kept.ENDED, **change}))


def test_a_job_that_found_nothing_says_why_and_does_not_look_well_done(
    parts: Parts, view: View
) -> None:
    started(parts, view, tag='nobody-uses-this-tag', limit='2')
    until(lambda: stands(1) == 'nothing found')
    html = job_panel.panel(HERE, View())
    assert 'left out by the filters' in html and 'cg-good' not in html
    assert ' of 0 ' not in html and 'data-order="forget 1"' in html
    assert 'data-order="retry' not in html


def test_a_job_whose_pictures_are_all_gone_says_so_and_does_not_look_well_done(
    parts: Parts, view: View, demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, '_SOME_PICTURES', frozenset())
    demo.scenario = 'cdn-404'
    started(parts, view, limit='3')
    until(lambda: stands(1) == 'all gone')
    panel, line, _ = jobs._order(HERE, view, '')
    for html in (panel, line):
        assert 'Nothing saved. Gone from Civitai: 3 of 3.' in html
        assert 'cg-good' not in html and '>complete<' not in html
    (job,) = queue.job_queue().standing()
    assert job.is_complete and jobs_markup.state_of(replace(job, saved=1, gone=2)) == 'complete'


def test_jobs_of_the_same_gallery_are_told_apart_at_a_glance() -> None:
    asked: list[dict[str, Any]] = [{'limit': 5}, {'since': '2025-01-31', 'tag': 'cat'}, {}]
    cards = [shown(replace(JOB, asked=one)).split('<details')[0] for one in asked]
    assert 'At most: 5' in cards[0] and 'Since: 2025-01-31 · Tags: cat' in cards[1]
    assert len(set(cards)) == 3 and all('Up to level: PG' in card for card in cards)
    other = shown(replace(JOB, level='R')).split('<details')[0]
    assert other != cards[2] and 'Up to level: R' in other


def test_one_that_has_not_begun_tells_no_counts() -> None:
    html = shown(replace(JOB, state=kept.WAITING, ahead=1))
    assert '<progress' not in html and ' of 0' not in html and '<b>0</b>' not in html


@pytest.mark.parametrize('failed', [0, 3])
def test_what_has_ended_has_no_bar_that_looks_full(failed: int) -> None:
    assert '<progress' not in shown(replace(JOB, state=kept.ENDED, found=9, failed=failed))


def test_it_is_told_when_a_job_was_at_work_last() -> None:
    when = time.mktime((2026, 11, 26, 2, 40, 0, 0, 0, -1))
    assert '>2026-11-26 02:40<' in shown(replace(JOB, state=kept.ENDED, changed_at=when))
    assert '>since 2026-11-26 02:40<' in shown(replace(JOB, changed_at=when))


def test_what_is_removed_or_cancelled_says_that_files_stay() -> None:
    assert 'title="Takes it off this list. The files stay' in shown(replace(JOB, state=kept.ENDED))
    assert 'title="Ends it as it is. The files stay' in shown(JOB)


def test_the_bar_grows_to_what_is_known(parts: Parts) -> None:
    assert '<progress aria' in shown(JOB)  # nobody knows
    assert 'value="4" max="9"' in shown(replace(JOB, found=9, saved=4))
    assert 'value="4" max="20"' in shown(replace(JOB, found=9, saved=4, limit=20))
    complete = replace(JOB, state=kept.ENDED, is_complete=True, found=9, saved=9)
    assert '<progress' not in shown(complete)


def test_very_many_jobs_are_not_all_shown(
    demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    for number in range(job_panel._MOST_SHOWN + 2):
        kept.make(archive(), Wanted('1').kept(), tmp_path / str(number), [])
    html = job_panel.panel(HERE, View())
    assert html.count('<article') == job_panel._MOST_SHOWN and 'not shown: 2' in html


def test_an_archive_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    setting.data_folder = str(tmp_path / 'file' / 'none')
    assert 'cg-problem' in job_panel.panel(HERE, View())


def test_a_model_that_would_not_come_another_time_has_failed_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, why = tmp_path / 'paper.safetensors', 'The site lists another hash.'
    job = ModelJob(7, {}, tmp_path, kept.STOPPED, 0.0, 0.0, title='Paper', path=path)
    for language, word in (('en', 'failed'), ('zh_TW', '失敗')):
        monkeypatch.setattr(setting, 'language', language)
        html = jobs_markup.panel([ModelStanding(job, FAILED, why)], 0, '', Viewer(True))
        assert f'>{word}<' in html and why in html
        assert re.findall(r'data-order="(\w+) 7"', html) == ['retry', 'forget']
