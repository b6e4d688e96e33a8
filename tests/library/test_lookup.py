"""Files are known by their hashes, many at once; nothing else of them leaves this machine."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import responses

from civitai_demo.server import DemoServer
from civitai_demo.world.models import load_gallery_models
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.holdings import Holding
from scripts.civitai_manager_libs.errors import CancelledError, CivitaiError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, background
from scripts.civitai_manager_libs.library import have, lookup, scan, told
from tests.support.models import put

BASE = 'https://civitai.com/api/v1'
IDS, BODIES = f'{BASE}/model-versions/by-hash/ids', f'{BASE}/model-versions/by-hash'
never = threading.Event()


@pytest.fixture
def folder(db: Database, tmp_path: Path) -> Path:
    return tmp_path / 'Lora'


def found(db: Database, folder: Path) -> None:
    scan.look(db, {folder: 'LORA'}, never)
    scan.hash_files(db, never)


def at(db: Database, path: Path) -> Holding:
    return holdings.at(db, [path])[path]


def version(number: int, sha256: str, **more: Any) -> dict[str, Any]:
    model = {'name': f'Model {number}', 'type': 'LORA'}
    files = [{'id': 1, 'hashes': {'SHA256': sha256.upper()}}]
    return {'id': number, 'modelId': number + 1, 'model': model, 'files': files, **more}


def test_every_file_of_the_site_is_known_and_nothing_but_hashes_is_told(
    demo: DemoServer, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    expected = {}
    for model in load_gallery_models():
        for one in model.versions:
            for file in one.files:
                path = folder / f'private {file.id}.safetensors'
                put(path, file.content)
                expected[path] = (one.id, model.id)
    put(folder / 'my own secret.safetensors')
    found(db, folder)

    assert lookup.identify(db, client, never) == len(expected)
    assert {path: (at(db, path).version_id, at(db, path).model_id) for path in expected} == expected
    own = at(db, folder / 'my own secret.safetensors')
    assert (own.version_id, own.asked_at > 0) == (0, True)
    asked = [request.path for request in demo.requests]
    assert not [path for path in asked if 'private' in path or 'secret' in path]
    assert len(asked) <= 3
    assert lookup.identify(db, client, never) == 0
    assert len(demo.requests) == len(asked), 'what is not known is asked for once in a week'


def test_where_a_model_belongs_is_asked_for_a_hundred_at_a_time(
    demo: DemoServer, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    model = load_gallery_models()[1]
    for one in model.versions:
        put(folder / f'{one.id}.safetensors', json=json.dumps({'modelVersionId': one.id}))
    scan.look(db, {folder: 'LORA'}, never)
    demo.requests.clear()
    lookup.describe(db, client, never)
    assert len(demo.requests) == 1
    local = at(db, folder / f'{model.versions[0].id}.safetensors')
    assert local.model_id == model.id
    link = f'{demo.url}/models/{model.id}?modelVersionId={model.versions[0].id}'
    assert have.gallery_link(local) == link
    kept = told.kept(told.VERSION, [model.versions[0].id])[model.versions[0].id]
    assert isinstance(kept, dict)
    assert kept['baseModel'] == model.versions[0].base_model and kept['files']
    lookup.describe(db, client, never)
    assert len(demo.requests) == 1


def test_ten_thousand_are_asked_for_at_once(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> None:
    some = [
        Holding(tmp_path / f'{number}.ckpt', 'Checkpoint', 1, 1, f'{number:064x}')
        for number in range(1, 10_011)
    ]
    holdings.note(db, some, 1.0)

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        sent = json.loads(request.body)
        assert len(sent) <= 10_000 and all(len(one) == 64 for one in sent)
        rows = [{'modelVersionId': int(one, 16), 'modelId': 5, 'hash': one} for one in sent]
        return 200, {}, json.dumps(rows)

    wire.add_callback('POST', IDS, answer)
    assert lookup.identify(db, client, never) == 10_010
    assert len(wire.calls) == 2
    assert at(db, tmp_path / '77.ckpt').version_id == 77


def test_of_several_versions_with_one_file_the_oldest_counts(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    sha256 = put(folder / 'a.ckpt')
    found(db, folder)
    rows = [{'modelVersionId': n, 'modelId': n + 1, 'hash': sha256} for n in (30, 20, 25)]
    wire.post(IDS, json=rows)
    lookup.identify(db, client, never)
    assert (at(db, folder / 'a.ckpt').version_id, at(db, folder / 'a.ckpt').model_id) == (20, 21)


@pytest.mark.parametrize('status', [400, 404, 405])
def test_a_site_that_knows_no_ids_is_asked_for_versions(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    db: Database,
    folder: Path,
    status: int,
) -> None:
    sha256 = put(folder / 'a.ckpt')
    put(folder / 'b.ckpt')
    found(db, folder)
    images = [{'url': 'https://undefined/x.jpeg'}]
    wire.post(IDS, status=status, json={'error': 'no'})
    wire.post(BODIES, json=[None, version(20, sha256, images=images), 'x'])
    assert lookup.identify(db, client, never) == 1
    assert at(db, folder / 'a.ckpt').told_by == holdings.HASH
    kept = told.kept(told.VERSION, [20])[20]
    assert isinstance(kept, dict) and 'images' not in kept


def test_a_site_that_takes_one_hash_at_a_time_is_asked_so(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    sha256 = put(folder / 'a.ckpt')
    found(db, folder)
    wire.post(IDS, status=404)
    wire.post(BODIES, status=404)
    wire.get(f'{BODIES}/{sha256.upper()}', json=version(20, sha256))
    assert lookup.identify(db, client, never) == 1


def test_what_was_published_with_another_header_is_known_by_its_tensors(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    put(folder / 'a.safetensors')
    found(db, folder)
    local = at(db, folder / 'a.safetensors')
    wire.post(IDS, json=[])
    wire.post(BODIES, json=[])
    hashes = {'SHA256': 'AB' * 32, 'AutoV3': local.autov3.upper()}
    answer = version(20, '', files=[{'id': 1, 'hashes': hashes}])
    wire.get(f'{BODIES}/{local.autov3.upper()}', json=answer)
    assert lookup.identify(db, client, never) == 1
    assert at(db, local.path).told_by == holdings.TENSORS


UNFOUNDED = [
    pytest.param({'files': []}, id='no files'),
    pytest.param({'files': None}, id='none told'),
    pytest.param({'files': 'HASH'}, id='no list'),
    pytest.param({'files': [{'id': 1}, None, 'HASH', {'hashes': 'HASH'}]}, id='no hashes'),
    pytest.param({'files': [{'id': 1, 'hashes': {'AutoV3': 'AB' * 6}}]}, id='of another file'),
    pytest.param({'files': [{'id': 1, 'hashes': {'AutoV3': ['HASH']}}]}, id='an odd hash'),
    pytest.param({'files': [{'id': 1, 'hashes': {'AutoV3': '0' * 12}}]}, id='of nothing'),
    pytest.param({'files': [], 'hash': 'HASH', 'name': 'HASH'}, id='elsewhere'),
    pytest.param({'id': 0}, id='no id'),
]


@pytest.mark.parametrize('changed', UNFOUNDED)
@pytest.mark.parametrize('by_tensors', [True, False], ids=['AutoV3', 'SHA256'])
def test_an_answer_without_the_hash_that_was_asked_for_tells_nothing(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    db: Database,
    folder: Path,
    changed: dict[str, Any],
    by_tensors: bool,
) -> None:
    path = folder / ('a.safetensors' if by_tensors else 'a.ckpt')
    sha256 = put(path)
    found(db, folder)
    digest = at(db, path).autov3 if by_tensors else sha256
    answer = json.dumps(version(31, digest) | changed).replace('HASH', digest.upper())
    wire.post(IDS, json=[])
    if by_tensors:
        wire.post(BODIES, json=[])
    else:
        wire.post(BODIES, status=404)
    wire.get(f'{BODIES}/{digest.upper()}', body=answer, content_type='application/json')
    assert lookup.identify(db, client, never) == 0
    assert (at(db, path).version_id, at(db, path).asked_at > 0) == (0, True)
    assert not told.kept(told.VERSION, [31])


@pytest.mark.parametrize(
    'rows',
    [
        [{'modelVersionId': 20, 'modelId': 21, 'hash': 'f' * 64}],
        [{'modelVersionId': -1, 'modelId': 21, 'hash': 'HASH'}],
        [{'modelVersionId': '20', 'hash': 'HASH'}],
        [{'modelVersionId': True, 'hash': 'HASH'}],
        [{'hash': 'HASH'}, None, 7, [], {'modelVersionId': 20, 'hash': ['HASH']}],
    ],
    ids=repr,
)
def test_an_odd_answer_tells_nothing(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    db: Database,
    folder: Path,
    rows: list[Any],
) -> None:
    sha256 = put(folder / 'a.ckpt')
    found(db, folder)
    wire.post(IDS, json=json.loads(json.dumps(rows).replace('HASH', sha256.upper())))
    wire.post(BODIES, json=[])
    assert lookup.identify(db, client, never) == 0
    assert at(db, folder / 'a.ckpt').version_id == 0


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param({'status': 401, 'json': {'error': 'no'}}, id='not without a key'),
        pytest.param({'status': 403, 'body': '<html>challenge</html>'}, id='barred'),
        pytest.param({'status': 503, 'json': {'error': 'busy'}}, id='busy'),
        pytest.param({'body': '<html>log in</html>'}, id='a page of a hotel'),
        pytest.param({'json': {'error': 'x'}}, id='no list'),
    ],
)
def test_where_civitai_is_not_reached_nobody_is_asked_a_thousand_times(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    db: Database,
    folder: Path,
    answer: dict[str, Any],
) -> None:
    put(folder / 'a.ckpt')
    found(db, folder)
    wire.post(IDS, **answer)
    with pytest.raises(CivitaiError):
        lookup.identify(db, client, never)
    assert {call.request.url for call in wire.calls} == {IDS}
    assert at(db, folder / 'a.ckpt').asked_at == 0, 'it is asked for again the next time'


def test_what_is_known_until_it_is_stopped_counts(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    sha256 = put(folder / 'a.safetensors')
    put(folder / 'b.safetensors')
    found(db, folder)
    stop = threading.Event()

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        stop.set()
        return 200, {}, '[]'

    wire.post(IDS, json=[{'modelVersionId': 20, 'modelId': 21, 'hash': sha256}])
    wire.add_callback('POST', BODIES, answer)
    with pytest.raises(CancelledError):
        lookup.identify(db, client, stop)
    assert at(db, folder / 'a.safetensors').version_id == 20
    assert [call.request.url for call in wire.calls] == [IDS, BODIES]


def test_what_a_person_waits_for_goes_first(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, folder: Path
) -> None:
    sha256 = put(folder / 'a.ckpt')
    found(db, folder)
    seen: list[bool] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        seen.append(background.is_here())
        return 200, {}, json.dumps([{'modelVersionId': 20, 'modelId': 21, 'hash': sha256}])

    wire.add_callback('POST', IDS, answer)
    lookup.identify(db, client, never)
    assert seen == [True] and not background.is_here()
