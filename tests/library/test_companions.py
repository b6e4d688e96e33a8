"""Files beside a model are found by the tools that people use, each by its own rules."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import responses

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.host import layouts
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.library import companions
from tests.support.pictures import drawn

CDN = 'https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA'
PNG = drawn('PNG')
UUIDS = [f'{number:08d}-0000-4000-8000-000000000000' for number in range(9)]


def picture(number: int, level: int = 1, kind: str = 'image') -> dict[str, Any]:
    ending = 'mp4' if kind == 'video' else 'jpeg'
    address = f'{CDN}/{UUIDS[number]}/original=true/{UUIDS[number]}.{ending}'
    return {'url': address, 'nsfwLevel': level, 'type': kind}


VERSION: dict[str, Any] = {
    'id': 20,
    'modelId': 10,
    'name': 'v3',
    'baseModel': 'SDXL 1.0',
    'trainedWords': ['gouache weather'],
    'description': '<p>Trained anew.</p>',
    'model': {'name': 'Gouache Weather', 'type': 'LORA', 'nsfw': False, 'poi': False},
    'files': [{'id': 1, 'name': 'a.safetensors', 'type': 'Model', 'hashes': {'SHA256': 'AB'}}],
    'images': [picture(1, 16), picture(2), picture(3)],
    'downloadUrl': 'https://civitai.com/api/download/models/20',
}
MODEL = {'id': 10, 'creator': {'username': 'wren'}, 'tags': ['sky'], 'description': '<p>M</p>'}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / 'Lora' / 'a.b.safetensors'
    path.parent.mkdir()
    path.write_bytes(b'tensors')
    return path


@pytest.fixture
def site(wire: responses.RequestsMock) -> responses.RequestsMock:
    """The CDN: whatever is asked for is a PNG."""
    wire.get(re.compile(f'{CDN}/.*'), body=PNG, content_type='image/png')
    return wire


def write(
    path: Path, client: CivitaiHttpClient, version: dict[str, Any] = VERSION, **more: Any
) -> dict[str, companions.Companion]:
    options = {'kind': 'LORA', 'layout': layouts.A1111} | more
    return {one.ending: one for one in companions.write(path, version, MODEL, client, **options)}


# --- the readers, as the tools do it ---------------------------------------------------------


def helper_reads(path: Path) -> Any:
    """Civitai Helper: the information of a model, by the name of its file."""
    with open(os.path.splitext(path)[0] + '.civitai.info', encoding='utf-8') as file:
        return json.load(file)


def webui_reads(path: Path) -> Any:
    """AUTOMATIC1111 and Forge: user metadata, which has to be an object."""
    with open(os.path.splitext(path)[0] + '.json', encoding='utf8') as file:
        found = json.load(file)
    assert isinstance(found, dict)
    return found


def webui_shows(path: Path, samples_format: str = 'png') -> str | None:
    """AUTOMATIC1111 and Forge: the preview on a card."""
    base = os.path.splitext(path)[0]
    endings = {'png', 'jpg', 'jpeg', 'webp', 'gif', samples_format}
    candidates = [f'{base}{part}.{one}' for one in endings for part in ('', '.preview')]
    return next(filter(os.path.isfile, candidates), None)


def manager_shows(path: Path) -> str | None:
    """ComfyUI-Lora-Manager."""
    order = '.webp .preview.webp .preview.png .preview.jpeg .preview.jpg .preview.mp4 .png .jpeg'
    base = os.path.splitext(path)[0]
    return next(filter(os.path.exists, (base + one for one in order.split())), None)


def test_each_tool_finds_what_it_reads(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    found = write(model, client, sha256='ab' * 32)

    info = helper_reads(model)
    assert {**info, 'model': VERSION['model'], 'creator': 0} == {**VERSION, 'creator': 0}
    assert info['model'] == {**VERSION['model'], 'tags': ['sky'], 'description': '<p>M</p>'}
    assert info['creator'] == {'username': 'wren'}
    assert webui_reads(model) == {
        'description': 'M',
        'sd version': 'SDXL',
        'activation text': 'gouache weather',
        'preferred weight': 0,
        'modelId': 10,
        'modelVersionId': 20,
        'sha256': 'AB' * 32,
    }
    shown = webui_shows(model)
    assert shown == manager_shows(model) == str(found['.preview'].path)
    assert Path(shown or '').read_bytes() == PNG
    assert Path(shown or '').name == 'a.b.preview.png'
    assert all(one.is_new and not one.error for one in found.values())


def test_the_preview_is_a_still_under_the_ceiling(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    write(model, client)
    assert [UUIDS[2]] == [(call.request.url or '').split('/')[4] for call in site.calls]


@pytest.mark.parametrize(
    ('images', 'ceiling', 'chosen'),
    [
        pytest.param([picture(1, kind='video'), picture(2)], 'PG', 2, id='a picture first'),
        pytest.param([picture(1, kind='video')], 'PG', 1, id='else the still of a video'),
        pytest.param([picture(1, 16), picture(2, 4)], 'R', 2, id='another ceiling'),
        pytest.param([picture(1, 2)], 'PG', 0, id='nothing so tame'),
        pytest.param([picture(1, 0)], 'PG', 0, id='nobody said how tame'),
        pytest.param([picture(1, 32)], 'XXX', 0, id='blocked'),
        pytest.param([], 'PG', 0, id='no pictures'),
        pytest.param(None, 'PG', 0, id='nothing'),
        pytest.param([None, 'x', {'url': 7}, picture(2)], 'PG', 2, id='odd ones'),
        pytest.param(
            [{'url': 'file:///etc/passwd', 'nsfwLevel': 1}], 'PG', 0, id='no address at all'
        ),
        pytest.param(
            [{'url': f'https://undefined/{UUIDS[1]}/x.jpeg', 'nsfwLevel': 1}, picture(2)],
            'PG',
            2,
            id='a fault of the site',
        ),
    ],
)
def test_which_picture_is_the_preview(
    model: Path,
    client: CivitaiHttpClient,
    site: responses.RequestsMock,
    images: Any,
    ceiling: str,
    chosen: int,
) -> None:
    setting.gallery_maturity_ceiling = ceiling
    found = write(model, client, {**VERSION, 'images': images})['.preview']
    asked = [call.request.url or '' for call in site.calls]
    assert [UUIDS[chosen]] * bool(chosen) == [url.split('/')[4] for url in asked]
    assert (found.path is not None, found.error) == (bool(chosen), None)
    if images and images[0] == picture(1, kind='video') and chosen == 1:
        assert 'anim=false' in asked[0]


@pytest.mark.parametrize(
    ('name', 'ending'),
    [
        ('model_info_file', '.civitai.info'),
        ('model_json_file', '.json'),
        ('model_preview_file', '.preview'),
    ],
)
def test_each_has_its_setting(
    model: Path,
    client: CivitaiHttpClient,
    site: responses.RequestsMock,
    name: str,
    ending: str,
) -> None:
    setattr(setting, name, False)
    assert ending not in write(model, client)
    assert len(list(model.parent.iterdir())) == 3
    assert not list(model.parent.glob(f'*{ending}*'))


@pytest.mark.parametrize('layout', [layouts.SDNEXT, layouts.COMFYUI], ids=lambda one: one.name)
def test_a_program_that_means_something_else_by_the_name_gets_no_json(
    model: Path,
    client: CivitaiHttpClient,
    site: responses.RequestsMock,
    layout: layouts.Layout,
) -> None:
    assert '.json' not in write(model, client, layout=layout)
    assert not model.with_name('a.b.json').exists()


@pytest.mark.parametrize(
    'name',
    [
        *(
            f'a.b{part}.{one}'
            for part in ('', '.preview')
            for one in 'png jpg jpeg webp gif'.split()
        ),
        'a.b.preview.mp4',
    ],
)
def test_a_preview_that_somebody_chose_stays(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock, name: str
) -> None:
    own = model.with_name(name)
    own.write_bytes(b'mine')
    found = write(model, client)['.preview']
    assert (found.path, found.is_new, own.read_bytes()) == (own, False, b'mine')
    assert not site.calls


@pytest.mark.parametrize('content', [b'{"id": 20, "mine": 1}', b'{"skeleton_file": true}', b'x'])
def test_information_that_another_tool_wrote_stays(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock, content: bytes
) -> None:
    info = model.with_name('a.b.civitai.info')
    info.write_bytes(content)
    assert not write(model, client)['.civitai.info'].is_new
    assert info.read_bytes() == content


def test_files_of_other_tools_are_never_touched(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    others = [model.with_name(f'a.b{one}') for one in ('.metadata.json', '.cm-info.json', '.txt')]
    for other in others:
        other.write_text('{}')
        os.utime(other, (1, 1))
    write(model, client)
    assert {(other.read_text(), other.stat().st_mtime) for other in others} == {('{}', 1)}


def test_what_somebody_wrote_on_a_card_is_added_to(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    card = model.with_name('a.b.json')
    card.write_text('{"notes": "mine", "activation text": "my words"}')
    card.chmod(0o640)
    assert write(model, client)['.json'].is_new
    told = webui_reads(model)
    assert (told['notes'], told['activation text'], told['sd version']) == (
        'mine',
        'my words',
        'SDXL',
    )
    assert stat.S_IMODE(card.stat().st_mode) == 0o640


def test_a_card_behind_a_link_is_written_where_it_is(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock, tmp_path: Path
) -> None:
    real, card = tmp_path / 'mine.json', model.with_name('a.b.json')
    real.write_text('{"notes": "mine"}')
    card.symlink_to(real)
    write(model, client)
    assert card.is_symlink() and json.loads(real.read_text())['sd version'] == 'SDXL'


def test_what_somebody_writes_at_the_same_moment_stays(
    model: Path,
    client: CivitaiHttpClient,
    site: responses.RequestsMock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card, real = model.with_name('a.b.json'), shutil.copymode

    def meanwhile(*paths: Any) -> None:
        real(*paths)
        card.write_text('{"notes": "later"}')

    card.write_text('{"notes": "first"}')
    monkeypatch.setattr(shutil, 'copymode', meanwhile)
    assert not write(model, client)['.json'].is_new
    assert card.read_text() == '{"notes": "later"}'
    assert not [one for one in model.parent.iterdir() if one.name.startswith('.')]


@pytest.mark.parametrize('content', ['{"modelVersions": []}', '{"broken', '', '[1]'])
def test_a_card_of_another_meaning_is_left_alone(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock, content: str
) -> None:
    card = model.with_name('a.b.json')
    card.write_text(content)
    found = write(model, client)['.json']
    assert (found.is_new, found.error, card.read_text()) == (False, None, content)


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param({'status': 404, 'json': {'error': 'no'}}, id='gone'),
        pytest.param({'body': '<html><body>log in</body></html>'}, id='a page'),
        pytest.param({'body': b'\0' * 999}, id='no picture'),
        pytest.param({'body': b'\0\0\0\x18ftypmp42' + b'\0' * 99}, id='a video'),
    ],
)
def test_a_preview_that_cannot_be_had_fails_nothing_else(
    model: Path, client: CivitaiHttpClient, wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.get(re.compile(f'{CDN}/.*'), **answer)
    found = write(model, client)
    assert found['.preview'].error is not None and found['.preview'].path is None
    assert helper_reads(model)['id'] == 20 and webui_reads(model)['modelId'] == 10
    assert sorted(one.name for one in model.parent.iterdir()) == [
        'a.b.civitai.info',
        'a.b.json',
        'a.b.safetensors',
    ]


def test_where_the_first_picture_is_gone_the_next_is_taken(
    model: Path, client: CivitaiHttpClient, wire: responses.RequestsMock
) -> None:
    wire.get(re.compile(f'{CDN}/{UUIDS[2]}/.*'), status=404)
    wire.get(re.compile(f'{CDN}/{UUIDS[3]}/.*'), body=PNG)
    assert write(model, client)['.preview'].error is None


def test_a_full_disk_fails_each_by_itself(
    model: Path,
    client: CivitaiHttpClient,
    site: responses.RequestsMock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', full)
    found = write(model, client)
    assert [bool(found[one].error) for one in ('.civitai.info', '.json', '.preview')] == [
        True,
        True,
        False,
    ]
    assert sorted(one.suffix for one in model.parent.iterdir()) == ['.png', '.safetensors']


@pytest.mark.parametrize('kind', ['Workflows', 'Checkpoint'])
def test_a_file_that_is_json_itself_is_no_card(
    tmp_path: Path, client: CivitaiHttpClient, site: responses.RequestsMock, kind: str
) -> None:
    workflow = tmp_path / 'flow.json'
    workflow.write_text('{"nodes": []}')
    assert '.json' not in write(workflow, client, kind=kind, layout=None)
    assert workflow.read_text() == '{"nodes": []}'
    assert helper_reads(workflow)['id'] == 20


@pytest.mark.parametrize('kind', ['VAE', 'Training Data', 'Upscaler'])
def test_what_no_host_has_a_card_of_gets_none(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock, kind: str
) -> None:
    assert '.json' not in write(model, client, kind=kind)


def test_a_key_that_a_server_says_again_is_not_written(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    setting.civitai_api_key = key = '0123456789abcdef-secret'
    write(model, client, {**VERSION, 'name': key, 'description': f'echo {key}'})
    write(model.with_name('c.safetensors'), client, {**VERSION, 'description': f'echo {key}'})
    texts = [one.read_bytes() for one in model.parent.iterdir()]
    assert len(texts) == 7 and not [text for text in texts if key.encode() in text]


def test_half_a_letter_is_written_all_the_same(
    model: Path, client: CivitaiHttpClient, site: responses.RequestsMock
) -> None:
    write(model, client, {**VERSION, 'name': 'half \ud83d'})
    assert helper_reads(model)['name'] == 'half \ud83d'
