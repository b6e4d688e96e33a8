"""What we take from a WebUI, and what we do without one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from scripts.civitai_manager_libs import host, setting


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of a WebUI, as far as folders and options go."""
    paths, shared, modules = (ModuleType(name) for name in ('paths', 'shared', 'modules'))
    values = SimpleNamespace()
    vars(paths).update(data_path='/webui', models_path='/webui/models')
    vars(shared).update(opts=values, cmd_opts=SimpleNamespace(ckpt_dir='/big/disk', vae_dir=None))
    vars(modules).update(paths=paths, shared=shared)
    monkeypatch.setitem(sys.modules, 'modules', modules)
    monkeypatch.setitem(sys.modules, 'modules.paths', paths)
    monkeypatch.setitem(sys.modules, 'modules.shared', shared)
    return values


def test_alone_there_is_no_webui() -> None:
    found = host.detect()
    assert isinstance(found, host.StandaloneHost)
    assert not found.send_targets() and found.option('gallery_rows') is None
    assert found.model_folder('LORA') is None


def test_downloads_go_to_the_hosts_outputs(webui: SimpleNamespace) -> None:
    assert setting.download_folder() == Path('/webui/outputs/download-images')
    setting.download_images_folder = '/elsewhere'
    assert setting.download_folder() == Path('/elsewhere')


@pytest.mark.parametrize(
    ('kind', 'folder'),
    [
        ('Checkpoint', '/big/disk'),
        ('VAE', '/webui/models/VAE'),
        ('LORA', '/webui/models/Lora'),
        ('TextualInversion', '/webui/embeddings'),
        ('Workflows', None),
    ],
)
def test_model_folders_are_the_hosts_own(
    webui: SimpleNamespace, kind: str, folder: str | None
) -> None:
    assert host.detect().model_folder(kind) == (folder and Path(folder))


def test_options_of_the_host_count_if_they_are_usable(webui: SimpleNamespace) -> None:
    webui.civitai_gallery_gallery_rows = 2.0  # its number field gives floats
    webui.civitai_gallery_gallery_columns = 99
    webui.civitai_gallery_language = 'zh_TW'
    webui.civitai_gallery_civitai_base_url = 'https://evil.example'
    before = setting.civitai_base_url
    setting.refresh()
    assert (setting.gallery_rows, setting.gallery_columns) == (2, 6)
    assert setting.language == 'zh_TW' and setting.civitai_base_url == before


def test_the_environment_wins_over_the_host(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_LANG', 'en')
    webui.civitai_gallery_language = 'zh_TW'
    setting.refresh()
    assert setting.language == 'en'
