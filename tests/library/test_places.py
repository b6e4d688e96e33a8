"""A model file goes where the program that uses it looks for files of its kind."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.errors import SourceError, StorageError
from scripts.civitai_manager_libs.library import places

Webui = Callable[..., SimpleNamespace]


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Webui:
    """Modules of a WebUI in `tmp_path`, with these command line options and settings."""

    def made(options: dict[str, Any], **settings: Any) -> SimpleNamespace:
        paths, shared, modules = (ModuleType(name) for name in ('paths', 'shared', 'modules'))
        vars(paths).update(data_path=str(tmp_path), models_path=str(tmp_path / 'models'))
        vars(shared).update(opts=SimpleNamespace(**settings), cmd_opts=SimpleNamespace(**options))
        vars(modules).update(paths=paths, shared=shared)
        monkeypatch.setitem(sys.modules, 'modules', modules)
        monkeypatch.setitem(sys.modules, 'modules.paths', paths)
        monkeypatch.setitem(sys.modules, 'modules.shared', shared)
        return SimpleNamespace(paths=paths, shared=shared)

    return made


def place(
    model_type: str, file_type: str = 'Model', name: str = 'a.safetensors', base: str = 'SDXL 1.0'
) -> places.Place:
    return places.place_for(
        {'id': 1, 'type': file_type, 'name': name}, {'baseModel': base}, {'type': model_type}
    )


KINDS = [
    'Checkpoint',
    'LORA',
    'LoCon',
    'DoRA',
    'TextualInversion',
    'Hypernetwork',
    'VAE',
    'Controlnet',
    'Upscaler',
]
IN_A1111 = dict(
    zip(
        KINDS,
        'models/Stable-diffusion models/Lora models/Lora models/Lora embeddings '
        'models/hypernetworks models/VAE models/ControlNet models/ESRGAN'.split(),
    )
)
IN_SDNEXT = IN_A1111 | {'TextualInversion': 'models/embeddings', 'Controlnet': 'models/control'}
IN_COMFYUI = dict(
    zip(
        KINDS,
        'checkpoints loras loras loras embeddings hypernetworks vae controlnet '
        'upscale_models'.split(),
    )
)


@pytest.mark.parametrize(
    ('options', 'settings', 'expected'),
    [
        pytest.param({}, {}, IN_A1111, id='A1111'),
        pytest.param({'text_encoder_dir': None}, {}, IN_A1111, id='Forge'),
        pytest.param({}, {'unet_dir': '', 'te_dir': ''}, IN_SDNEXT, id='SD.Next'),
    ],
)
@pytest.mark.parametrize('kind', KINDS)
def test_in_a_webui_each_kind_has_the_folder_that_it_reads(
    webui: Webui,
    tmp_path: Path,
    options: dict[str, Any],
    settings: dict[str, Any],
    expected: dict[str, str],
    kind: str,
) -> None:
    webui(options, **settings)
    assert place(kind).folder == tmp_path / expected[kind]


@pytest.mark.parametrize(
    ('option', 'kind'),
    [
        ('ckpt_dir', 'Checkpoint'),
        ('lora_dir', 'LoCon'),
        ('embeddings_dir', 'TextualInversion'),
        ('vae_dir', 'VAE'),
        ('hypernetwork_dir', 'Hypernetwork'),
        ('esrgan_models_path', 'Upscaler'),
        ('controlnet_dir', 'Controlnet'),
    ],
)
@pytest.mark.parametrize('is_setting', [False, True], ids=['command line', 'settings'])
def test_the_hosts_own_option_counts(
    webui: Webui, option: str, kind: str, is_setting: bool
) -> None:
    values = {option: '/big/disk'}
    webui({} if is_setting else values, **(values if is_setting else {}))
    assert place(kind).folder == Path('/big/disk')


@pytest.mark.parametrize(
    ('model_type', 'file_type', 'name', 'in_forge', 'in_sdnext', 'in_comfyui'),
    [
        ('Checkpoint', 'VAE', 'a.pt', 'VAE', 'VAE', 'vae'),
        ('Checkpoint', 'Text Encoder', 'a.sft', 'text_encoder', 'Text-encoder', 'text_encoders'),
        ('Checkpoint', 'Text Encoders', 'a.sft', 'text_encoder', 'Text-encoder', 'text_encoders'),
        ('TextEncoder', 'Model', 'a.sft', 'text_encoder', 'Text-encoder', 'text_encoders'),
        ('Checkpoint', 'Diffusion Model', 'a.sft', 'Stable-diffusion', 'UNET', 'diffusion_models'),
        ('Checkpoint', 'Model', 'a.gguf', 'Stable-diffusion', 'UNET', 'diffusion_models'),
        ('UNet', 'Model', 'a.safetensors', 'Stable-diffusion', 'UNET', 'diffusion_models'),
        ('Checkpoint', 'Config', 'a.yaml', 'Stable-diffusion', 'Stable-diffusion', 'checkpoints'),
        ('Checkpoint', 'Pruned Model', 'a.ckpt', *['Stable-diffusion'] * 2, 'checkpoints'),
        ('TextualInversion', 'Negative', 'a-neg.pt', '../embeddings', 'embeddings', 'embeddings'),
        ('Workflows', 'Workflow', 'a.json', 'Workflows', 'workflows', '../user/default/workflows'),
        ('Workflows', 'Archive', 'a.zip', 'Workflows', 'workflows', '../user/default/workflows'),
        ('Poses', 'Archive', 'a.zip', 'Poses', 'Poses', 'Poses'),
        ('LLM', 'Model', 'a.safetensors', 'Other', 'Other', 'Other'),
        ('LORA', 'Model', 'prompts.TXT', 'Other', 'Other', 'Other'),
        ('TextualInversion', 'Config', 'words.json', 'Other', 'Other', 'Other'),
        ('DoRA', 'Other', 'a.md', 'Other', 'Other', 'Other'),
        ('LORA', 'Workflow', 'a.json', 'Workflows', 'workflows', '../user/default/workflows'),
        ('SomethingNew', 'Model', 'a.safetensors', 'Other', 'Other', 'Other'),
        ('../../evil', 'Model', 'a.safetensors', 'Other', 'Other', 'Other'),
    ],
)
def test_what_a_file_is_counts_before_what_its_model_is(
    webui: Webui,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model_type: str,
    file_type: str,
    name: str,
    in_forge: str,
    in_sdnext: str,
    in_comfyui: str,
) -> None:
    models = tmp_path / 'models'
    (models / 'checkpoints').mkdir(parents=True)
    setting.models_folder = str(models)
    found = place(model_type, file_type, name).folder
    assert found.resolve() == (models / in_comfyui).resolve()
    for options, settings, folder in (
        ({'text_encoder_dir': None}, {}, in_forge),
        ({}, {'unet_dir': ''}, in_sdnext),
    ):
        webui(options, **settings)
        found = place(model_type, file_type, name).folder
        assert found.resolve() == (models / folder).resolve()


@pytest.mark.parametrize(
    ('model_type', 'file_type', 'name', 'kind'),
    [
        ('LORA', 'Training Data', 'a_trainingData.zip', 'Training Data'),
        ('Checkpoint', 'Archive', 'a.zip', 'Archive'),
        ('LORA', 'Model', 'images.ZIP', 'Archive'),
    ],
)
def test_what_is_no_model_goes_to_no_folder_of_models(
    webui: Webui, downloads: Path, model_type: str, file_type: str, name: str, kind: str
) -> None:
    webui({})
    assert place(model_type, file_type, name).folder == downloads / 'models' / kind


@pytest.mark.parametrize(
    ('base', 'folder'),
    [
        ('SD 1.5', 'Stable-diffusion'),
        ('SDXL Lightning', 'Stable-diffusion'),
        ('Illustrious', 'Stable-diffusion'),
        ('', 'Stable-diffusion'),
        ('Flux.1 D', 'UNET'),
        ('SD 3.5 Large', 'UNET'),
        ('Qwen', 'UNET'),
    ],
)
def test_sdnext_has_checkpoints_of_newer_bases_elsewhere(
    webui: Webui, tmp_path: Path, base: str, folder: str
) -> None:
    webui({}, unet_dir='')
    assert place('Checkpoint', base=base).folder == tmp_path / 'models' / folder
    assert place('LORA', base=base).folder == tmp_path / 'models' / 'Lora'


@pytest.mark.parametrize('is_there', [True, False])
def test_the_folder_of_an_extension_counts_where_there_is_the_extension(
    webui: Webui, tmp_path: Path, is_there: bool
) -> None:
    webui({})
    extension = tmp_path / 'extensions' / 'sd-dynamic-prompts'
    if is_there:
        extension.mkdir(parents=True)
    expected = extension / 'wildcards' if is_there else tmp_path / 'models' / 'Wildcards'
    assert place('Wildcards', 'Archive', 'a.zip').folder == expected


@pytest.mark.parametrize(
    ('sign', 'expected'),
    [
        pytest.param('checkpoints', IN_COMFYUI, id='ComfyUI'),
        pytest.param('loras', IN_COMFYUI, id='ComfyUI, by another folder'),
        pytest.param('Stable-diffusion', IN_A1111, id='A1111'),
        pytest.param('text_encoder', IN_A1111, id='Forge'),
        pytest.param('Text-encoder', IN_SDNEXT, id='SD.Next'),
        pytest.param('', IN_A1111, id='new'),
    ],
)
@pytest.mark.parametrize('kind', KINDS)
def test_a_folder_of_models_is_laid_out_as_its_program_expects(
    tmp_path: Path, sign: str, expected: dict[str, str], kind: str
) -> None:
    models = tmp_path / 'models'
    (models / sign).mkdir(parents=True)
    setting.models_folder = str(models)
    folder = expected[kind]
    root = models if expected is IN_COMFYUI else tmp_path
    assert place(kind).folder == root / folder
    assert str(root / folder) in place(kind).sentence()


@pytest.mark.parametrize(
    ('there', 'folder'),
    [
        (['checkpoints'], 'text_encoders'),
        (['checkpoints', 'clip'], 'clip'),
        (['checkpoints', 'clip', 'text_encoders'], 'text_encoders'),
    ],
)
def test_an_older_comfyui_has_its_former_folders(
    tmp_path: Path, there: list[str], folder: str
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    setting.models_folder = str(tmp_path)
    assert place('TextEncoder').folder == tmp_path / folder


def test_models_on_a_disk_of_their_own_have_their_embeddings_with_them(tmp_path: Path) -> None:
    disk = tmp_path / 'disk'
    (disk / 'Lora').mkdir(parents=True)
    setting.models_folder = str(disk)
    assert place('TextualInversion').folder == disk / 'embeddings'


def test_without_a_folder_of_models_they_go_to_the_downloads_and_that_is_said(
    downloads: Path,
) -> None:
    found = place('LORA')
    assert found.folder == downloads / 'models' / 'LORA'
    assert str(found.folder) in found.sentence() and 'models_folder' in found.sentence()
    assert str(found.folder) in found.sentence('zh_TW')
    assert not downloads.exists()


def test_a_folder_of_models_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    setting.models_folder = str(tmp_path / 'unplugged')
    with pytest.raises(StorageError, match='unplugged.*is not there'):
        place('LORA')
    assert not (tmp_path / 'unplugged').exists()


HOSTILE = ['..', '../../etc', '/etc', 'C:\\Windows', 'CON', 'a/b\\c', '\u202egpj', '\0', '~', '']


@pytest.mark.parametrize('creator', HOSTILE, ids=repr)
def test_subfolders_stay_inside_whatever_they_are_called(downloads: Path, creator: str) -> None:
    setting.model_folder_template = '{base_model}/by {creator}/{creator}'
    root = downloads / 'models' / 'LORA'
    found = places.place_for(
        {'id': 1}, {'baseModel': 'SD 1.5'}, {'type': 'LORA', 'creator': {'username': creator}}
    )
    assert found.root == root
    inside = found.folder.relative_to(root).parts
    assert inside[0] == 'SD 1.5' and len(inside) == 3
    assert not {'..', '.', ''} & set(inside)
    assert not any(set(part) & set('/\\:\0\u202e') for part in inside)


def test_subfolders_are_called_after_what_is_known(downloads: Path) -> None:
    setting.model_folder_template = '{kind}/{base_model}/{creator}/{model} - {version}'
    found = places.place_for(
        {'type': 'VAE'}, {'name': 'v1'}, {'type': 'Checkpoint', 'name': 'Paper & Ink'}
    )
    below = 'VAE/unknown/unknown/Paper & Ink - v1'
    assert found.folder == downloads / 'models' / 'VAE' / below


def test_a_pattern_that_cannot_be_used_is_said(downloads: Path) -> None:
    setting.model_folder_template = '{nothing}'
    with pytest.raises(SourceError, match='{creator}'):
        place('LORA')


def test_models_are_read_from_all_folders_of_the_host_that_are_there(
    webui: Webui, tmp_path: Path, downloads: Path
) -> None:
    webui({'lora_dir': str(tmp_path / 'disk')})
    there = {
        tmp_path / 'disk': 'LORA',
        tmp_path / 'models' / 'LyCORIS': 'LORA',
        tmp_path / 'models' / 'VAE': 'VAE',
        tmp_path / 'embeddings': 'TextualInversion',
        downloads / 'models' / 'Checkpoint': 'Checkpoint',
    }
    for folder in there:
        folder.mkdir(parents=True)
    assert places.read_from() == there


def test_models_of_a_comfyui_are_read_from_its_former_folders_too(tmp_path: Path) -> None:
    for name in ('checkpoints', 'unet', 'diffusion_models', 'configs'):
        (tmp_path / name).mkdir()
    setting.models_folder = str(tmp_path)
    assert places.read_from() == {
        tmp_path / 'checkpoints': 'Checkpoint',
        tmp_path / 'diffusion_models': 'UNet',
        tmp_path / 'unet': 'UNet',
    }
