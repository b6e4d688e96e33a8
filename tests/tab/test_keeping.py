"""Keeping the page on show, and trying again what failed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.tab import components, events
from scripts.civitai_manager_libs.tab.view import View
from tests.support.gradio_event import ELSEWHERE

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
    *_, last = events.download_page(view)
    failed, total = len(view.failed), setting.page_size()
    assert last.mood == 'problem' and 0 < failed < total and kept(view) == total - failed
    assert {image.id for image, _ in view.failed} < {image.id for image in view.page.images}
    assert all(cause is not None for _, cause in view.failed)
    demo.scenario = ''
    fetched(demo)
    *_, last = events.download_page(view, again=True)
    assert fetched(demo) == failed and f'{failed} saved' in last.message
    assert view.failed == () and kept(view) == total


def test_what_failed_is_tried_again_though_another_page_is_shown(
    demo: DemoServer, view: View
) -> None:
    demo.scenario = 'truncated'
    list(events.download_page(view))
    failed, folder = len(view.failed), view.kept_in
    demo.scenario = ''
    events.open_source(view, '4317')
    *_, last = events.download_page(view, again=True)
    assert f'{failed} saved' in last.message and view.kept_in == folder
    assert kept(view) == setting.page_size()


def test_where_nothing_failed_nothing_is_tried_again(view: View) -> None:
    with pytest.raises(SourceError):
        list(events.download_page(view, again=True))


def test_the_end_is_told_beside_the_button_with_each_failure(demo: DemoServer, view: View) -> None:
    with gr.Blocks():
        parts = components.build()
    demo.scenario = 'truncated'
    told: dict[Any, Any] = {}
    for step in components._on_download(parts, again=False)(HERE, view):
        told |= step
    here = told[parts.kept_here]
    for image, _ in view.failed:
        assert f'/images/{image.id}"' in here
    assert 'broke off' in here and view.kept_in in here
    assert told[parts.retry_page]['visible'] is True
    demo.scenario = ''
    for step in components._on_download(parts, again=True)(HERE, view):
        told |= step
    assert '<details' not in told[parts.kept_here]
    assert told[parts.retry_page]['visible'] is False


@pytest.mark.parametrize('scenario', ['', 'truncated'])
def test_the_folder_is_told_to_be_copied_on_the_owners_machine_only(
    demo: DemoServer, view: View, downloads: Path, scenario: str
) -> None:
    demo.scenario = scenario
    *_, here = components._download(HERE, view)
    assert f'<code class="cg-path">{view.kept_in}</code>' in here
    *_, there = components._download(ELSEWHERE, view)
    assert 'saved' in there and str(downloads) not in there
