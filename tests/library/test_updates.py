"""A person is told which models went on: by the day of publication, of the same base model."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import responses

from civitai_demo.server import DemoServer
from civitai_demo.world.models import load_gallery_models
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.errors import CivitaiError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.library import scan, told, updates
from tests.support.models import put

BASE = 'https://civitai.com/api/v1/models'
never = threading.Event()


def version(number: int, day: str = '', base: str = 'SDXL 1.0', **more: Any) -> dict[str, Any]:
    file = {'id': number, 'name': 'a.safetensors', 'hashes': {'SHA256': f'{number:064X}'}}
    told_at = {'publishedAt': f'{day}T00:00:00.000Z'} if day else {}
    return {'id': number, 'name': f'v{number}', 'baseModel': base, 'files': [file]} | told_at | more


def model(*versions: dict[str, Any], number: int = 10) -> dict[str, Any]:
    return {'id': number, 'name': 'Gouache', 'type': 'LORA', 'modelVersions': list(versions)}


@pytest.fixture
def local(db: Database, tmp_path: Path) -> Path:
    """A file of version 20 of model 10."""
    path = tmp_path / 'a.safetensors'
    put(path, json={'modelVersionId': 20, 'modelId': 10})
    scan.look(db, {tmp_path: 'LORA'}, never)
    return path


def standing(db: Database) -> updates.Standing:
    [found] = updates.standings(db)
    return found


def newer(db: Database, *versions: dict[str, Any]) -> tuple[list[int], list[int]]:
    told.keep(told.MODEL, {10: model(*versions)})
    found = standing(db)
    return [one.id for one in found.newer], [one.id for one in found.others]


OWN = version(20, '2025-05-01')


@pytest.mark.parametrize(
    ('versions', 'of_base', 'of_others'),
    [
        pytest.param([OWN], [], [], id='none'),
        pytest.param([version(21, '2025-06-01'), OWN], [21], [], id='later'),
        pytest.param([OWN, version(21, '2025-06-01')], [21], [], id='later, shown behind'),
        pytest.param([version(21, '2025-04-01'), OWN], [], [], id='earlier, of a higher number'),
        pytest.param([version(19, '2025-06-01'), OWN], [19], [], id='later, of a lower number'),
        pytest.param(
            [version(21, '2025-06-01', 'Pony'), OWN], [], [21], id='later, of another base'
        ),
        pytest.param(
            [version(21, '2025-06-01'), version(22, '2025-08-01'), OWN], [22, 21], [], id='latest'
        ),
        pytest.param(
            [version(21, createdAt='2025-06-01T00:00:00Z'), OWN], [21], [], id='made later'
        ),
        pytest.param([version(21), OWN], [21], [], id='no day, a higher number'),
        pytest.param([version(19), OWN], [], [], id='no day, a lower number'),
        pytest.param([version(21, '2025-05-01'), OWN], [21], [], id='on the same day'),
        pytest.param([version(21, 'someday'), OWN], [21], [], id='a day that is none'),
        pytest.param(
            [version(21, '2025-06-01'), version(20, '2025-05-01', '')], [21], [], id='no base told'
        ),
    ],
)
def test_what_is_newer(
    db: Database,
    local: Path,
    versions: list[dict[str, Any]],
    of_base: list[int],
    of_others: list[int],
) -> None:
    assert newer(db, *versions) == (of_base, of_others)


def test_a_version_that_is_here_as_well_is_no_update(db: Database, local: Path) -> None:
    put(local.with_name('b.safetensors'), json={'modelVersionId': 21, 'modelId': 10})
    scan.look(db, {local.parent: 'LORA'}, never)
    told.keep(told.MODEL, {10: model(version(21, '2025-06-01'), OWN)})
    assert [one.newer for one in updates.standings(db)] == [(), ()]


@pytest.mark.parametrize(
    ('more', 'is_early', 'is_offered'),
    [
        ({}, False, True),
        ({'paidAccess': {'permanent': False, 'endsAt': '2999-01-01T00:00:00Z'}}, True, True),
        ({'paidAccess': {'permanent': True, 'endsAt': None}}, True, True),
        ({'paidAccess': {'permanent': False, 'endsAt': '2001-01-01T00:00:00Z'}}, False, True),
        ({'availability': 'EarlyAccess'}, True, True),
        ({'files': []}, False, False),
        ({'usageControl': 'Generation'}, False, False),
    ],
    ids=repr,
)
def test_what_is_not_for_all_yet_is_told(
    db: Database, local: Path, more: dict[str, Any], is_early: bool, is_offered: bool
) -> None:
    told.keep(told.MODEL, {10: model(version(21, '2025-06-01', **more), OWN)})
    [found] = standing(db).newer
    assert (found.is_early(1.8e9), found.is_offered) == (is_early, is_offered)


SOON = {'paidAccess': {'permanent': False, 'endsAt': '2999-01-01T00:00:00Z'}}


@pytest.mark.parametrize('base', ['SDXL 1.0', 'Pony'])
@pytest.mark.parametrize(
    ('more', 'is_out'),
    [
        ({'status': 'Published'}, True),
        ({'status': 'published'}, True),
        ({'status': None}, True),
        ({'status': 'Published'} | SOON, True),
        ({'status': 'Draft'}, False),
        ({'status': 'Unpublished'}, False),
        ({'status': 'UnpublishedViolation'}, False),
        ({'status': 'Scheduled'}, False),
        ({'status': 'Training'}, False),
        ({'status': 'Deleted'} | SOON, False),
        ({'publishedAt': '2999-01-01T00:00:00Z'}, False),
        ({'publishedAt': '9999-12-31T23:59:59-12:00', 'status': 'Published'}, False),
        ({'publishedAt': '2999-01-01T00:00:00Z'} | SOON, False),
        ({'publishedAt': None, 'createdAt': '2025-06-01T00:00:00Z', 'status': 'Draft'}, False),
        ({'publishedAt': None, 'createdAt': '2025-06-01T00:00:00Z'}, True),
    ],
    ids=repr,
)
def test_what_is_not_out_is_no_update(
    db: Database, local: Path, base: str, more: dict[str, Any], is_out: bool
) -> None:
    of_base, of_others = newer(db, version(21, '2025-06-01', base, **more), OWN)
    assert of_base + of_others == ([21] if is_out else [])


def test_a_file_that_nobody_knows_is_listed_as_such(db: Database, local: Path) -> None:
    local.with_name('a.json').unlink()
    put(local, b'mine')
    scan.look(db, {local.parent: 'LORA'}, never)
    assert standing(db) == updates.Standing(standing(db).holding)
    local.unlink()
    assert updates.standings(db) == []


def test_a_version_that_was_taken_back_is_told(db: Database, local: Path) -> None:
    told.keep(told.MODEL, {10: model(version(21, '2025-06-01'))})
    told.keep(told.VERSION, {20: {**OWN, 'modelId': 10}})
    found = standing(db)
    assert (found.is_withdrawn, found.is_gone) == (True, False)
    assert (found.base_model, [one.id for one in found.newer]) == ('SDXL 1.0', [21])
    assert found.title == 'Gouache · v20'


def test_a_version_whose_files_were_replaced_is_told(db: Database, local: Path) -> None:
    told.keep(told.MODEL, {10: model(OWN)})
    assert not standing(db).is_changed, 'nobody knows the hash yet'
    scan.hash_files(db, never)
    assert standing(db).is_changed
    [own] = holdings.at(db, [local]).values()
    for hashes in ({'SHA256': own.sha256.upper()}, {'SHA256': 'AB' * 32, 'AutoV3': own.autov3}, {}):
        told.keep(told.MODEL, {10: model({**OWN, 'files': [{'id': 1, 'hashes': hashes}]})})
        assert not standing(db).is_changed


def test_that_a_hash_is_missing_here_and_there_makes_no_two_files_the_same(
    db: Database, local: Path
) -> None:
    put(local.with_name('b.ckpt'), b'a pickle, which has no hash of its tensors')
    put(local.with_name('b.json'), b'{"modelId": 10, "modelVersionId": 20}')
    scan.look(db, {local.parent: 'LORA'}, never)
    scan.hash_files(db, never)
    told.keep(
        told.MODEL, {10: model({**OWN, 'files': [{'id': 1, 'hashes': {'SHA256': 'AB' * 32}}]})}
    )
    assert [one.is_changed for one in updates.standings(db)] == [True, True]


@pytest.mark.parametrize('answer', [None, [], {}, {'modelVersions': 7}, {'modelVersions': [None]}])
def test_an_odd_answer_tells_nothing(db: Database, local: Path, answer: Any) -> None:
    told.keep(told.MODEL, {10: answer})
    assert standing(db) == updates.Standing(standing(db).holding)


def test_models_of_the_site_are_asked_for_at_once_and_kept_a_day(
    demo: DemoServer, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> None:
    oldest = {}
    for one in load_gallery_models():
        last = one.versions[-1]
        put(tmp_path / f'{last.id}.pt', json={'modelVersionId': last.id, 'modelId': one.id})
        oldest[last.id] = [v.id for v in one.versions[:-1] if v.base_model == last.base_model]
    scan.look(db, {tmp_path: 'LORA'}, never)
    demo.requests.clear()
    updates.refresh(db, client, never)
    assert len(demo.requests) == 1
    found = {one.holding.version_id: one for one in updates.standings(db)}
    assert {number: [new.id for new in found[number].newer] for number in oldest} == oldest
    assert not any(one.is_gone or one.is_withdrawn for one in found.values())
    updates.refresh(db, client, never)
    assert len(demo.requests) == 1


def test_models_that_are_gone_are_told_and_their_files_stay(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, local: Path
) -> None:
    put(local.with_name('b.pt'), json={'modelVersionId': 30, 'modelId': 11})
    put(local.with_name('c.pt'), json={'modelVersionId': 40, 'modelId': 12})
    scan.look(db, {local.parent: 'LORA'}, never)
    wire.get(BASE, json={'items': [model(OWN)]})
    wire.get(f'{BASE}/11', status=404, json={'error': 'No model with id 11'})
    wire.get(f'{BASE}/12', json=model(version(40), number=12))  # which the list had left out
    updates.refresh(db, client, never)
    found = {one.holding.path.name: one.is_gone for one in updates.standings(db)}
    assert found == {'a.safetensors': False, 'b.pt': True, 'c.pt': False}
    assert local.exists()


@pytest.mark.parametrize('status', [401, 403, 451])
def test_one_model_that_is_not_told_of_is_no_gone_one(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    db: Database,
    local: Path,
    status: int,
) -> None:
    wire.get(f'{BASE}/10', status=status, json={'error': 'no'})
    updates.refresh(db, client, never)
    assert not standing(db).is_gone


def test_without_a_network_what_is_kept_is_told(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, local: Path
) -> None:
    with pytest.raises(CivitaiError):
        updates.refresh(db, client, never)
    assert newer(db, version(21, '2025-06-01'), OWN) == ([21], [])
