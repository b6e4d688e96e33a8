"""The bar below the grid: several pictures kept, watched, stopped, marked as saved."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Iterator

import gradio as gr
import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import media
from scripts.civitai_manager_libs.tab import (
    components,
    downloading,
    events,
    foot,
    grid_markup,
    job_panel,
    jobs,
    keeping,
    layout,
)
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE, HERE
from tests.support.grid_site import GridSite
from tests.support.grids import filled
from tests.support.kept import download_page, kept_page, pressed
from tests.support.scripted_server import STALL, head, ok

pytestmark = pytest.mark.usefixtures('downloads', 'client')

COUNT = 6


@pytest.fixture
def parts() -> layout.Parts:
    with gr.Blocks():
        return components.build()


@pytest.fixture
def site() -> Iterator[GridSite]:
    made = GridSite(COUNT)
    with made.server:
        setting.civitai_base_url = made.server.url
        setting.extra_hosts = '127.0.0.1'
        yield made
        made.server.release.set()


@pytest.fixture
def view(site: GridSite) -> View:
    """A tab that shows the first page."""
    opened = View(may_see_saved=True)
    events.open_source(opened, site.link)
    assert filled(opened)
    return opened


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


# -- several ---------------------------------------------------------------------------------------


def test_those_chosen_are_kept_and_no_others(view: View, site: GridSite) -> None:
    downloading.begin_chosen(view, str(view.listed), '4,1,1')
    *_, last = downloading.steps(view)
    assert last.message.startswith('2 saved') and len(names_in(view.kept_in)) == 2
    assert view.keeping and view.keeping.kept_ids == [2, 5]
    assert {one.split('/')[2] for one in site.asked('original=true')} == {'p2', 'p5'}


@pytest.mark.parametrize(
    ('grid', 'places'),
    [
        ('', '0'),
        ('99', '0'),
        ('../1', '0'),
        (None, ''),
        (None, '6'),
        (None, '-1'),
        (None, '0,'),
        (None, '0,x'),
        (None, '²'),
        (None, '0 1'),
        (None, '9' * 6),
        (None, ','.join(['0'] * 2000)),
        (None, ['0']),
        (None, None),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_no_browser_of_ours_says_keeps_nothing(view: View, grid: Any, places: Any) -> None:
    with pytest.raises(SourceError) as caught:
        downloading.begin_chosen(view, str(view.listed) if grid is None else grid, places)
    assert caught.value.key == 'picture_unknown' and view.keeping is None


def test_places_of_a_grid_that_is_not_on_show_any_more_keep_nothing(view: View) -> None:
    before = str(view.listed)
    events.go_next(view)
    filled(view)
    with pytest.raises(SourceError):
        downloading.begin_chosen(view, before, '0')
    assert view.keeping is None


# -- watched and stopped ---------------------------------------------------------------------------


def test_one_that_is_stopped_ends_at_once_and_leaves_whole_files(
    view: View, site: GridSite, parts: layout.Parts
) -> None:
    slow = head(200, {'Content-Type': 'image/jpeg', 'Content-Length': '500000'}), b'\xff\xd8', STALL
    site.instead['p3/original'] = site.instead['p5/original'] = slow
    told: list[Any] = []
    steps = foot._on_follow(parts)(HERE, view)
    begun = foot._on_begin(parts, foot._page)(HERE, view)
    assert begun[parts.foot.cancel]['visible'] and not begun[parts.download_page]['visible']
    for step in steps:
        told.append(step[parts.kept_here])
        if f'{COUNT - 2}/{COUNT}' in str(told[-1]):
            break
    assert site.server.stalled.wait(20)
    before = time.monotonic()
    foot._cancel(HERE, view)
    *_, last = steps
    assert time.monotonic() - before < 0.3 + 0.5  # the half for a busy machine
    assert 'Stopped: 4 saved' in last[parts.kept_here] and 'role' not in last[parts.kept_here]
    ended = foot._on_end(parts)(HERE, view)
    assert not ended[parts.foot.cancel]['visible'] and ended[parts.download_page]['visible']
    assert view.keeping is not None
    view.keeping._thread.join(20)
    left = [Path(view.kept_in) / name for name in names_in(view.kept_in)]
    pictures = [path for path in left if path.suffix in media.IMAGE_SUFFIXES]
    assert len(pictures) == 4 and view.failed == ()
    assert all(path.read_bytes().endswith(b'\xff\xd9') for path in pictures)


def test_how_fast_it_is_is_told(view: View, site: GridSite) -> None:
    steps = list(download_page(view))
    assert [step.done for step in steps] == [*range(COUNT + 1), COUNT]
    assert 'iB/s' in steps[-2].message and 'iB/s' not in steps[-1].message


def test_a_wait_that_the_site_asks_for_is_told_while_it_lasts(
    view: View, site: GridSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = CivitaiHttpClient(max_retries=4)
    monkeypatch.setattr(events.action, 'get_http_client', lambda: client)
    site.instead['original=true'] = ok(b'', status=429, Retry_After='30')
    downloading.begin(view, view.page.images)
    told = next(step for step in downloading.steps(view) if 'asks us to wait' in step.message)
    assert told.mood == 'busy' and f'0/{COUNT}' in told.message
    assert view.keeping is not None
    view.keeping.stop.set()
    view.keeping._thread.join(20)


def test_two_downloads_of_one_tab_do_not_run_at_once(view: View, site: GridSite) -> None:
    site.instead['original=true'] = (STALL,)
    downloading.begin(view, view.page.images)
    with pytest.raises(SourceError) as caught:
        downloading.begin_chosen(view, str(view.listed), '0')
    assert caught.value.key == 'keeping_busy'
    assert view.keeping is not None
    view.keeping.stop.set()
    assert list(downloading.steps(view)) and list(downloading.steps(view)) == []


def test_the_panel_of_jobs_shows_it_to_who_may_stop_it(view: View, site: GridSite) -> None:
    site.instead['original=true'] = (STALL,)
    downloading.begin(view, view.page.images)
    assert view.keeping is not None
    number = view.keeping.number
    shown = job_panel.panel(HERE, View())
    assert f'data-order="stop {number}"' in shown and 'data-moves' in shown
    assert f'0 of {COUNT} pictures' in shown
    assert f'stop {number}' not in job_panel.panel(ELSEWHERE, View())
    with pytest.raises(SourceError):
        jobs._carry_out(ELSEWHERE, View(), f'stop {number}')
    assert not view.keeping.stop.is_set()
    jobs._carry_out(HERE, View(), f'stop {number}')
    list(downloading.steps(view))
    view.keeping._thread.join(20)
    assert keeping.under_way() == [] and f'stop {number}' not in job_panel.panel(HERE, View())


def test_a_stranger_stops_nothing(view: View, site: GridSite) -> None:
    site.instead['original=true'] = (STALL,)
    downloading.begin(view, view.page.images)
    other: Any = type(HERE)(
        client=HERE.client, headers={**HERE.headers, 'sec-fetch-site': 'cross-site'}
    )
    with pytest.raises(SourceError):
        foot._cancel(other, view)
    assert view.keeping is not None and not view.keeping.stop.is_set()
    view.keeping.stop.set()
    list(downloading.steps(view))


# -- what failed -----------------------------------------------------------------------------------


def test_what_failed_stays_with_its_picture_its_cause_and_a_way_to_try_again(
    view: View, site: GridSite, parts: layout.Parts
) -> None:
    site.instead['p2/original'] = site.instead['p5/original'] = ok(b'busy', status=500)
    here = kept_page(parts, HERE, view)[parts.kept_here]
    assert here.count('<img class="cg-mini" src="civitai-gallery/picture/') == 2
    assert 'data-again-one="0"' in here and 'data-again-one="1"' in here and '500' in here
    refused = pressed(parts, HERE, view, downloading.begin_chosen, '99', '0')
    assert refused[parts.retry_page]['visible'] and 'data-again-one="1"' in refused[parts.kept_here]
    site.instead.pop('p5/original')
    again = pressed(parts, HERE, view, foot._again_one, '1')
    assert [image.id for image, _ in view.failed] == [2]
    assert again[parts.retry_page]['visible'] and 'data-again-one="1"' not in again[parts.kept_here]


def test_a_picture_that_needs_a_key_leads_to_its_field(
    view: View, site: GridSite, parts: layout.Parts
) -> None:
    site.instead['p2/original'] = ok(b'no', status=401)
    site.instead['p5/original'] = ok(b'busy', status=500)
    here = kept_page(parts, HERE, view)[parts.kept_here]
    assert here.count('data-show="key"') == 1


# -- saved already ---------------------------------------------------------------------------------


def test_cells_tell_what_is_saved_already(view: View, site: GridSite) -> None:
    name = str(view.listed)
    assert ' data-kept=""' not in grid_markup.grid(view, name)
    downloading.begin_chosen(view, name, '0,2')
    list(downloading.steps(view))
    shown = grid_markup.grid(view, name)
    assert shown.count(' data-kept=""') == 2
    assert len(re.findall(r'aria-label="[^"]*, Saved', shown)) == 2
    assert 'data-picture="1" data-kept=""' in shown and 'data-picture="3" data-kept=""' in shown
    next(Path(view.kept_in).glob('*.jp*g')).unlink()
    assert grid_markup.grid(view, name).count(' data-kept=""') == 1


def test_strangers_are_not_told_what_is_saved(view: View, site: GridSite) -> None:
    list(download_page(view))
    view.may_see_saved = False
    assert ' data-kept=""' not in grid_markup.grid(view, str(view.listed))
