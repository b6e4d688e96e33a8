"""Which model files prompts call by one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.library.namesakes import namesakes
from tests.support.models import put

CASES = [
    pytest.param('Lora/b/paper.safetensors', ['Lora/a/paper.safetensors'], True, id='sub-folders'),
    pytest.param('Lora/paper.safetensors', ['Lora/a/paper.safetensors'], True, id='one deeper'),
    pytest.param('Lora/a/paper.safetensors', ['Lora/paper.pt'], True, id='another ending'),
    pytest.param('Lora/a/Paper.safetensors', ['Lora/b/paper.safetensors'], True, id='letter case'),
    pytest.param('LyCORIS/paper.pt', ['Lora/a/paper.safetensors'], True, id='LyCORIS and LoRA'),
    pytest.param('Lora/a/paper.safetensors', ['Lora/b/paper 2.safetensors'], False, id='longer'),
    pytest.param('Lora/a/paper.safetensors', ['Lora/b/paper.json'], False, id='no model'),
    pytest.param('Lora/a/paper.safetensors', ['../embeddings/paper.pt'], False, id='another kind'),
    pytest.param('../embeddings/a/paper.pt', ['../embeddings/b/paper.pt'], True, id='embeddings'),
    pytest.param('hypernetworks/paper.pt', ['hypernetworks/a/paper.pt'], True, id='hypernetworks'),
    pytest.param(
        'Stable-diffusion/b/paper.ckpt', ['Stable-diffusion/a/paper.ckpt'], False, id='checkpoints'
    ),
    pytest.param('../elsewhere/paper.pt', ['Lora/paper.pt'], False, id='outside'),
]


@pytest.mark.parametrize(('asked', 'there', 'are_so'), CASES)
def test_prompts_do_not_tell_sub_folders_apart(
    tmp_path: Path, asked: str, there: list[str], are_so: bool
) -> None:
    models = tmp_path / 'webui' / 'models'
    for kind in ('Lora', 'LyCORIS', 'hypernetworks', 'Stable-diffusion', '../embeddings'):
        (models / kind).mkdir(parents=True)
    setting.models_folder = str(models)
    paths = [(models / one).resolve() for one in there]
    for path in paths:
        put(path)
    own = models / asked
    assert namesakes(own) == (paths if are_so else [])
    put(own)
    assert namesakes(own) == (paths if are_so else []), 'a file does not stand in its own way'


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    setting.models_folder = str(tmp_path / 'unplugged')
    assert namesakes(tmp_path / 'unplugged' / 'Lora' / 'a.pt') == []
