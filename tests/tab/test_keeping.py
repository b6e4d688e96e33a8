"""Keeping the page on show, and trying again what failed."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.tab import components, events, paging
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE
from tests.support.kept import download_page, kept_page

pytestmark = pytest.mark.usefixtures('downloads')

HERE: Any = SimpleNamespace(
    headers={'host': '127.0.0.1:7860'}, client=SimpleNamespace(host='127.0.0.1', port=1)
)


@pytest.fixture
def view(demo: DemoServer) -> View:
    opened = View()
    events.open_source(opened, demo.url + '/models/4201?modelVersionId=420102')
    demo.requests.clear()
    return opened


def kept(view: View) -> int:
    return len(list(Path(view.kept_in).iterdir()))


def fetched(demo: DemoServer) -> int:
    count = sum('original=true' in entry.path for entry in demo.requests)
    demo.requests.clear()
    return count


def test_only_what_failed_is_tried_again(demo: DemoServer, view: View) -> None:
    demo.scenario = 'truncated'
    *_, last = download_page(view)
    failed, total = len(view.failed), setting.page_size()
    assert last.mood == 'problem' and 0 < failed < total and kept(view) == total - failed
    assert {image.id for image, _ in view.failed} < {image.id for image in view.page.images}
    assert all(cause is not None for _, cause in view.failed)
    demo.scenario = ''
    fetched(demo)
    *_, last = download_page(view, again=True)
    assert fetched(demo) == failed and f'{failed} saved' in last.message
    assert view.failed == () and kept(view) == total


def test_what_failed_is_tried_again_though_another_page_is_shown(
    demo: DemoServer, view: View
) -> None:
    demo.scenario = 'truncated'
    list(download_page(view))
    failed, folder = len(view.failed), view.kept_in
    demo.scenario = ''
    events.open_source(view, '4317')
    *_, last = download_page(view, again=True)
    assert f'{failed} saved' in last.message and view.kept_in == folder
    assert kept(view) == setting.page_size()


def test_where_nothing_failed_nothing_is_tried_again(view: View) -> None:
    with pytest.raises(SourceError):
        list(download_page(view, again=True))


def test_the_end_is_told_beside_the_button_with_each_failure(demo: DemoServer, view: View) -> None:
    with gr.Blocks():
        parts = components.build()
    demo.scenario = 'truncated'
    told = kept_page(parts, HERE, view)
    here = told[parts.kept_here]
    for image, _ in view.failed:
        assert f'/images/{image.id}"' in here
    assert 'broke off' in here and view.kept_in in here
    assert told[parts.retry_page]['visible'] is True
    demo.scenario = ''
    told = kept_page(parts, HERE, view, again=True)
    assert '<details' not in told[parts.kept_here]
    assert told[parts.retry_page]['visible'] is False


@pytest.mark.parametrize('scenario', ['', 'truncated'])
def test_the_folder_is_told_to_be_copied_on_the_owners_machine_only(
    demo: DemoServer, view: View, downloads: Path, scenario: str
) -> None:
    with gr.Blocks():
        parts = components.build()
    demo.scenario = scenario
    here = kept_page(parts, HERE, view)
    path = f'<code class="cg-path">{view.kept_in}</code>'
    assert path in here[parts.kept] and path in here[parts.kept_here]
    there = kept_page(parts, ELSEWHERE, view)
    told = there[parts.kept] + there[parts.kept_here]
    assert 'saved' in told and str(downloads) not in told


# -- with nobody to ask ----------------------------------------------------------------------------

KNOWN = {'Civitai', 'Paper', 'Horizons', 'Dusk'}


def words_of(html: str) -> set[str]:
    """The English words a person reads in `html`: no names, no addresses, no paths."""
    text = re.sub(r'<code.*?</code>|<small.*?</small>|<[^>]*>', ' ', html)
    seen = re.sub(r'https?://\S+|127\.0\.0\.1\S*', ' ', text)
    return set(re.findall(r'[A-Za-z]{3,}', seen)) - KNOWN


@pytest.fixture
def gone_away(client: CivitaiHttpClient) -> View:
    """A view of a page whose site has been turned off since."""
    opened = View()
    with DemoServer() as site:
        setting.civitai_base_url = site.url
        events.open_source(opened, site.url + '/models/4201?modelVersionId=420102')
    return opened


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pops up."""
    told: list[str] = []
    monkeypatch.setattr(gr, 'Warning', lambda message, **_: told.append(message))
    return told


def test_a_page_that_nobody_brings_names_the_cause_of_each_picture(
    gone_away: View, toasts: list[str]
) -> None:
    with gr.Blocks():
        parts = components.build()
    told = kept_page(parts, HERE, gone_away)
    here = told[parts.kept_here]
    assert here.count('<li>') == len(gone_away.page.images) == here.count('No connection to 1') - 1
    assert all(f'/images/{image.id}"' in here for image in gone_away.page.images)
    assert told[parts.retry_page]['visible'] is True
    (toast,) = toasts
    assert 'No connection to' in toast


def test_all_of_it_is_told_in_the_language_of_the_settings(
    gone_away: View, toasts: list[str]
) -> None:
    setting.language = 'zh_TW'
    with gr.Blocks():
        parts = components.build()
    told: list[str] = []
    for change, *given in ((events.go_next,), (events.open_source, '4452'), (events.go_first,)):
        step = paging._on_turn(parts, change)(HERE, *given, gone_away)
        told += [value for value in step.values() if isinstance(value, str)]
    kept_told = kept_page(parts, HERE, gone_away)
    told += [kept_told[parts.kept], kept_told[parts.kept_here]]
    assert any('無法連線' in one for one in told) and toasts
    assert set().union(*map(words_of, [*told, *toasts])) == set()
