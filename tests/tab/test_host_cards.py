"""The cards of a WebUI's own lists, without a browser: what they open, and for whom."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.tab import components, host_cards
from scripts.civitai_manager_libs.tab.layout import Parts
from tests.support.models import put


def visitor(**headers: str) -> Any:
    client = SimpleNamespace(host='127.0.0.1', port=1)
    return SimpleNamespace(headers={'host': '127.0.0.1:7860', **headers}, client=client)


STRANGERS = {
    'from afar': visitor(**{'x-forwarded-for': '203.0.113.7'}),
    'a page of another site': visitor(**{'sec-fetch-site': 'cross-site'}),
}


@pytest.fixture(scope='module')
def parts() -> Parts:
    """The components of the page, which no test changes; making them takes long."""
    with gr.Blocks():
        return components.build()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A LoRA, of which another tool told the version."""
    (tmp_path / 'models' / 'Stable-diffusion').mkdir(parents=True)
    file = tmp_path / 'models' / 'Lora' / 'mine.safetensors'
    put(file, civitai_info={'id': 70, 'modelId': 7})
    setting.models_folder, setting.civitai_base_url = (
        str(tmp_path / 'models'),
        'https://civitai.com',
    )
    return str(file)


def test_a_card_opens_the_gallery_of_its_model(parts: Parts, path: str) -> None:
    told = host_cards._on_card(parts)(visitor(), 'mine', path)
    assert told[parts.start.card_link] == 'https://civitai.com/models/7?modelVersionId=70'
    assert told[parts.status] == gr.update()


@pytest.mark.parametrize('who', STRANGERS.values(), ids=list(STRANGERS))
def test_a_stranger_learns_nothing_of_models(parts: Parts, path: str, who: Any) -> None:
    for name, told_path in (('mine', path), ('nobody', '/nowhere')):
        told = host_cards._on_card(parts)(who, name, told_path)
        assert told[parts.start.card_link] == '' and 'cg-problem' in told[parts.status]
        assert name not in told[parts.status]


@pytest.mark.parametrize(('name', 'where'), [('mine', ''), ('<b>x', None), (None, None), (7, {})])
def test_of_what_nobody_knows_it_is_said_what_to_do(
    parts: Parts, path: str, name: Any, where: Any
) -> None:
    told = host_cards._on_card(parts)(visitor(), name, where)
    assert told[parts.start.card_link] == '' and 'press Scan' in told[parts.status]
    assert '<b>' not in told[parts.status]
