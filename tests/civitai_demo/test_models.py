"""Models, their versions, and the files behind them."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlsplit

import pytest
import requests

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from tests.support.demo import BY_HASH, DOWNLOAD, KEY, MODELS, get, items, sha256_of, walk


def test_the_list_of_models_pages_and_filters(demo: DemoServer) -> None:
    everything = items(demo, MODELS)
    assert len(everything) >= 3
    assert all(len(model['modelVersions']) >= 2 for model in everything)
    assert {'Checkpoint', 'LORA', 'TextualInversion'} <= {model['type'] for model in everything}
    assert walk(demo, f'{MODELS}?limit=2') == everything
    assert {m['type'] for m in items(demo, f'{MODELS}?types=LORA&types=LoCon')} == {'LORA', 'LoCon'}
    assert [m['name'] for m in items(demo, f'{MODELS}?query=gouache')] == ['Gouache Weather']
    assert get(demo, f'{MODELS}?types=LORA,LoCon').status_code == 400
    assert get(demo, f'{MODELS}?browsingLevel=31').status_code == 400


def test_previews_are_level_one_unless_asked_for_more(demo: DemoServer) -> None:
    def levels(path: str) -> set[int]:
        versions = [version for model in items(demo, path) for version in model['modelVersions']]
        return {image['nsfwLevel'] for version in versions for image in version['images']}

    assert levels(MODELS) == {1}
    assert levels(f'{MODELS}?nsfw=true') > {1, 2}


def test_one_model_leaves_out_what_is_empty(demo: DemoServer) -> None:
    versions = get(demo, f'{MODELS}/{OPENING_MODEL_ID}').json()['modelVersions']
    assert all(value not in (None, []) for version in versions for value in version.values())
    assert 'trainedWords' not in versions[0] and 'description' not in versions[1]
    listed = items(demo, f'{MODELS}?limit=1')[0]['modelVersions'][0]
    assert listed['trainedWords'] == []


def test_a_version_is_found_by_id_and_by_any_hash(demo: DemoServer) -> None:
    version = get(demo, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()
    assert (version['id'], version['modelId']) == (OPENING_VERSION_ID, OPENING_MODEL_ID)
    assert version['images'][0]['meta']['prompt']
    for value in version['files'][0]['hashes'].values():
        found = get(demo, f'/api/v1/model-versions/by-hash/{value.lower()}')
        assert found.json() == version


def test_many_hashes_are_looked_up_at_once(demo: DemoServer) -> None:
    wanted = [sha256_of(demo, 420101), '0' * 64, sha256_of(demo, 431702).lower()]
    found = requests.post(f'{demo.url}{BY_HASH}', json=wanted, timeout=20).json()
    assert [version['id'] for version in found] == [420101, 431702]
    assert found[0] == get(demo, '/api/v1/model-versions/420101').json()


@pytest.mark.parametrize('body', ['', '{}', '["short"]', json.dumps(['0' * 64] * 101)])
def test_a_list_of_hashes_is_expected(demo: DemoServer, body: str) -> None:
    answer = requests.post(f'{demo.url}{BY_HASH}', data=body, timeout=20)
    assert answer.status_code == 400
    assert 'SHA256' in answer.json()['error']


# -- model files


@pytest.mark.parametrize(
    ('asked', 'sent'), [('127.0.0.1', 'localhost'), ('localhost', '127.0.0.1')]
)
def test_a_download_leads_to_another_host_that_wants_no_key(
    demo: DemoServer, asked: str, sent: str
) -> None:
    address = f'http://{asked}:{demo.port}{DOWNLOAD}'
    answer = get(demo, address, headers=KEY, allow_redirects=False)
    target = answer.headers['Location']
    assert (answer.status_code, answer.headers['Cache-Control']) == (307, 'no-store, max-age=0')
    assert urlsplit(target).netloc == f'{sent}:{demo.port}'
    delivered = get(demo, target)
    assert 'filename="paperHorizonsXL_v20.safetensors"' in delivered.headers['Content-Disposition']
    assert get(demo, target, headers=KEY).status_code == 400
    assert get(demo, target.replace('Signature=', 'Signature=0')).status_code == 403


def test_a_file_id_chooses_the_file(demo: DemoServer) -> None:
    files = get(demo, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()['files']
    full = next(file for file in files if not file.get('primary'))
    data = get(demo, f'{DOWNLOAD}?fileId={full["id"]}', headers=KEY).content
    assert hashlib.sha256(data).hexdigest().upper() == full['hashes']['SHA256']
    assert get(demo, f'{DOWNLOAD}?fileId=5', headers=KEY).status_code == 404
    assert get(demo, f'{DOWNLOAD}?fileId=five').status_code == 400


@pytest.mark.parametrize(
    ('sent', 'status', 'piece'),
    [
        pytest.param({'Range': 'bytes=0-0'}, 206, slice(0, 1), id='probe'),
        pytest.param({'Range': 'bytes=1000-'}, 206, slice(1000, None), id='the-rest'),
        pytest.param({'Range': 'bytes=-10'}, 206, slice(-10, None), id='the-end'),
        pytest.param({'Range': 'bytes=99999999-'}, 416, slice(0, 0), id='outside'),
        pytest.param({'Range': 'bytes=5-', 'If-Range': '"old"'}, 200, slice(None), id='changed'),
        pytest.param({'Range': 'lines=1-2'}, 200, slice(None), id='unknown-unit'),
    ],
)
def test_files_come_in_pieces(
    demo: DemoServer, sent: dict[str, str], status: int, piece: slice
) -> None:
    target = get(demo, DOWNLOAD, headers=KEY, allow_redirects=False).headers['Location']
    whole = get(demo, target)
    answer = get(demo, target, headers=sent)
    assert (answer.status_code, answer.content) == (status, whole.content[piece])
    assert answer.headers['ETag'] == whole.headers['ETag']
    if status == 206:
        size = len(whole.content)
        start, end, _ = piece.indices(size)
        assert answer.headers['Content-Range'] == f'bytes {start}-{end - 1}/{size}'
