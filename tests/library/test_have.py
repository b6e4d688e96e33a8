"""A person is told which of a picture's models are here, and what is only a guess."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai.resources import Resource, resources
from scripts.civitai_manager_libs.library import arrival, have, scan, told
from scripts.civitai_manager_libs.library.have import State
from tests.support.models import put

never = threading.Event()


@pytest.fixture
def lora(db: Database, tmp_path: Path) -> holdings.Holding:
    """A LoRA called Gouache_v3, of version 20 as a file beside it says, hashed."""
    path = tmp_path / 'Lora' / 'Gouache_v3.safetensors'
    put(path, json={'modelVersionId': 20, 'modelId': 10})
    scan.look(db, {path.parent: 'LORA'}, never)
    scan.hash_files(db, never)
    return holdings.at(db, [path])[path]


def wanted(name: str = '', kind: str = 'lora', digest: str = '', version: int = 0) -> Resource:
    return Resource(name, kind, 0.8, digest, version or None)


def of(db: Database, resource: Resource) -> tuple[State, str]:
    [found] = have.have(db, [resource])
    assert found.resource == resource
    assert bool(found.files) == (found.state in (State.HERE, State.MAYBE))
    return found.state, found.by


def test_it_is_here_by_its_version(db: Database, lora: holdings.Holding) -> None:
    assert of(db, wanted(version=20)) == (State.HERE, 'version')
    assert of(db, wanted('Another name', version=20)) == (State.HERE, 'version')


def test_of_a_file_that_the_site_does_not_list_what_lies_beside_it_is_a_guess(
    db: Database, lora: holdings.Holding
) -> None:
    """It was replaced on the site, or spoiled here."""
    listed: dict[str, Any] = {'id': 1, 'name': 'a.ckpt', 'hashes': {'SHA256': 'A' * 64}}
    told.keep(told.VERSION, {20: {'id': 20, 'modelId': 10, 'files': [listed]}})
    assert of(db, wanted(version=20)) == (State.MAYBE, 'name')
    listed['hashes'] = {'SHA256': lora.sha256.upper()}
    told.keep(told.VERSION, {20: {'id': 20, 'modelId': 10, 'files': [listed]}})
    assert of(db, wanted(version=20)) == (State.HERE, 'version')


@pytest.mark.parametrize('length', [10, 12, 64])
@pytest.mark.parametrize('of_what', ['sha256', 'tensors'])
def test_it_is_here_by_any_of_its_hashes(
    db: Database, lora: holdings.Holding, of_what: str, length: int
) -> None:
    digest = getattr(lora, of_what)[:length]
    assert of(db, wanted(digest=digest)) == (State.HERE, 'hash')
    assert of(db, wanted('Another name', digest=digest, version=999)) == (State.HERE, 'hash')


@pytest.mark.parametrize(
    'name', ['Gouache_v3', 'gouache_V3', 'Gouache_v3.safetensors', 'style\\Gouache_v3.safetensors']
)
def test_by_a_name_it_is_a_guess(db: Database, lora: holdings.Holding, name: str) -> None:
    assert of(db, wanted(name)) == (State.MAYBE, 'name')


@pytest.mark.parametrize(
    'resource',
    [
        pytest.param(wanted(version=21), id='another version'),
        pytest.param(wanted('Gouache_v3', version=21), id='another version of that name'),
        pytest.param(wanted('Gouache_v3', kind='checkpoint'), id='another kind of that name'),
        pytest.param(wanted('Gouache'), id='a part of the name'),
        pytest.param(wanted('Gouache%'), id='a pattern'),
        pytest.param(wanted(digest='0123456789ab'), id='another hash'),
        pytest.param(wanted(digest='e3b0c4'), id='a short hash'),
    ],
)
def test_what_is_not_here_is_said_to_be_so(
    db: Database, lora: holdings.Holding, resource: Resource
) -> None:
    assert of(db, resource) == (State.NOT_HERE, '')


def test_a_checkpoint_of_that_name_and_another_hash_is_another(
    db: Database, tmp_path: Path
) -> None:
    put(tmp_path / 'Paper.ckpt')
    scan.look(db, {tmp_path: 'Checkpoint'}, never)
    scan.hash_files(db, never)
    assert of(db, wanted('Paper', 'checkpoint', '0123456789')) == (State.NOT_HERE, '')
    assert of(db, wanted('Paper', 'checkpoint')) == (State.MAYBE, 'name')


def test_before_anybody_looked_nothing_is_known(db: Database, tmp_path: Path) -> None:
    assert of(db, wanted(version=20)) == (State.UNKNOWN, '')
    put(tmp_path / 'a.ckpt')
    scan.look(db, {tmp_path: 'Checkpoint'}, never)
    assert of(db, wanted(version=20)) == (State.UNKNOWN, ''), 'it may be that file'
    scan.hash_files(db, never)
    assert of(db, wanted(version=20)) == (State.NOT_HERE, '')


def test_a_model_that_was_fetched_does_not_make_the_others_known(
    db: Database, tmp_path: Path
) -> None:
    path = tmp_path / 'Lora' / 'a.safetensors'
    digest = put(path)
    arrival.note(db, path, {'id': 20, 'modelId': 10}, kind='LORA', sha256=digest)
    assert of(db, wanted(version=20)) == (State.HERE, 'version')
    assert of(db, wanted(version=21)) == (State.UNKNOWN, ''), 'nobody looked'
    scan.look(db, {path.parent: 'LORA'}, never)
    assert of(db, wanted(version=21)) == (State.NOT_HERE, '')


def test_where_nothing_was_found_nothing_is_here(db: Database, tmp_path: Path) -> None:
    scan.look(db, {tmp_path: 'Checkpoint'}, never)
    assert of(db, wanted(version=20)) == (State.NOT_HERE, '')


@pytest.mark.parametrize(
    ('resource', 'source'),
    [
        (wanted('a', version=20), 'https://civitai.com/model-versions/20'),
        (wanted('a', digest='0123456789ab'), '0x0123456789ab'),
        (wanted('a', digest='e3b0c4'), ''),
        (wanted('a'), ''),
    ],
)
def test_what_is_lacking_is_asked_for_by_the_best_that_is_known_of_it(
    db: Database, resource: Resource, source: str
) -> None:
    [found] = have.have(db, [resource])
    assert found.is_lacking and found.source == source


def test_a_file_that_was_deleted_is_not_here(db: Database, lora: holdings.Holding) -> None:
    lora.path.unlink()
    assert of(db, wanted('Gouache_v3', version=20)) == (State.NOT_HERE, '')


def test_the_models_of_a_picture_are_told_as_its_settings_name_them(
    db: Database, lora: holdings.Holding
) -> None:
    meta = {
        'prompt': 'a mill <lora:Gouache_v3:0.8>',
        'Model': 'Paper',
        'Lora hashes': f'Gouache_v3: {lora.autov3}',
        'civitaiResources': [{'type': 'lora', 'modelVersionId': 21}],
    }
    states = {one.resource.name: one.state for one in have.have(db, resources(meta))}
    assert states == {
        'Gouache_v3': State.HERE,
        'Paper': State.NOT_HERE,
        '': State.NOT_HERE,
    }


def test_a_local_file_leads_to_its_gallery(db: Database, lora: holdings.Holding) -> None:
    setting.civitai_base_url = 'https://civitai.com'
    assert have.gallery_link(lora) == 'https://civitai.com/models/10?modelVersionId=20'


@pytest.mark.parametrize('answer', [{'modelId': 10}, {'modelId': 'x'}, [], None], ids=repr)
def test_a_model_that_is_only_kept_is_linked_too(db: Database, tmp_path: Path, answer: Any) -> None:
    path = tmp_path / 'a.pt'
    put(path, json={'modelVersionId': 20})
    scan.look(db, {tmp_path: 'VAE'}, never)
    told.keep(told.VERSION, {20: answer})
    found = have.gallery_link(holdings.at(db, [path])[path])
    assert found == (
        'https://civitai.com/models/10?modelVersionId=20' if answer == {'modelId': 10} else ''
    )


def test_files_with_the_same_bytes_are_told_but_not_names_of_one(
    db: Database, tmp_path: Path
) -> None:
    for name, content in {'a': 'same', 'b': 'same', 'c': 'larger twins', 'd': 'x'}.items():
        put(tmp_path / f'{name}.pt', content.encode())
    put(tmp_path / 'deep' / 'e.pt', b'larger twins')
    os.link(tmp_path / 'd.pt', tmp_path / 'f.pt')
    (tmp_path / 'g.pt').symlink_to(tmp_path / 'd.pt')
    scan.look(db, {tmp_path: 'VAE'}, never)
    scan.hash_files(db, never)
    assert [[one.path.name for one in some] for some in have.duplicates(db)] == [
        ['c.pt', 'e.pt'],
        ['a.pt', 'b.pt'],
    ]
    (tmp_path / 'b.pt').unlink()
    assert len(have.duplicates(db)) == 1
