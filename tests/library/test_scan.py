"""A scan knows every model file of the folders, and reads again only what has changed."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs import host
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.holdings import Holding
from scripts.civitai_manager_libs.errors import CancelledError
from scripts.civitai_manager_libs.library import arrival, scan
from tests.support.models import put, safetensors

never = threading.Event()


def look(db: Database, folder: Path, kind: str = 'LORA') -> scan.Found:
    return scan.look(db, {folder: kind}, never)


def names(db: Database) -> list[str]:
    return sorted(one.path.name for one in holdings.every(db))


def at(db: Database, path: Path) -> Holding:
    return holdings.at(db, [path])[path]


def test_all_models_are_found_however_deep_and_nothing_else(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / 'Lora'
    put(folder / 'a.safetensors')
    put(folder / 'deep' / 'er' / 'B.CKPT')
    for other in ('c.png', 'd.json', '.hidden.safetensors', 'e.safetensors.part', 'f'):
        put(folder / other)
    (folder / 'g.safetensors').mkdir()
    (folder / 'h.safetensors').symlink_to(folder / 'nowhere')

    assert look(db, folder) == scan.Found(2, 2)
    assert ['B.CKPT', 'a.safetensors'] == names(db)
    assert at(db, folder / 'a.safetensors').kind == 'LORA'
    assert look(db, folder) == scan.Found(2, 0)


def test_what_is_changed_is_looked_at_again_and_what_is_gone_forgotten(
    db: Database, tmp_path: Path
) -> None:
    for name in ('a.pt', 'b.pt', 'c.pt'):
        put(tmp_path / 'x' / name)
    put(tmp_path / 'xy' / 'd.pt')
    scan.look(db, {tmp_path / 'x': 'VAE', tmp_path / 'xy': 'VAE'}, never)
    put(tmp_path / 'x' / 'a.pt', b'another')
    (tmp_path / 'x' / 'b.pt').unlink()

    assert look(db, tmp_path / 'x') == scan.Found(2, 1, gone=1)
    assert ['a.pt', 'c.pt', 'd.pt'] == names(db)


def test_a_folder_inside_another_has_its_own_kind(db: Database, tmp_path: Path) -> None:
    put(tmp_path / 'models' / 'a.pt')
    put(tmp_path / 'models' / 'VAE' / 'b.pt')
    folders = {tmp_path / 'models': 'Checkpoint', tmp_path / 'models' / 'VAE': 'VAE'}
    for order in (folders, dict(reversed(folders.items()))):
        scan.look(db, order, never)
        assert {'a.pt': 'Checkpoint', 'b.pt': 'VAE'} == {
            one.path.name: one.kind for one in holdings.every(db)
        }


def test_a_link_in_a_circle_ends_and_one_to_another_disk_is_followed(
    db: Database, tmp_path: Path
) -> None:
    folder, disk = tmp_path / 'Lora', tmp_path / 'disk'
    put(folder / 'a.pt')
    put(disk / 'b.pt')
    (folder / 'round').symlink_to(folder)
    (folder / 'disk').symlink_to(disk)
    (disk / 'back').symlink_to(folder)
    assert look(db, folder).files == 2


LINKS_TO_NOWHERE = [
    pytest.param({'x.safetensors': 'y', 'y': 'x.safetensors'}, id='in a circle'),
    pytest.param({'x': 'x'}, id='to itself'),
    pytest.param({'x.pt': 'x.pt/y'}, id='below itself'),
    pytest.param({'x.pt': 'm0.pt/y'}, id='below a file'),
    pytest.param({'x.pt': 'n' * 300}, id='to a name that none can have'),
    pytest.param({'x.pt': 'nowhere'}, id='to nothing'),
]


@pytest.mark.parametrize('links', LINKS_TO_NOWHERE)
def test_a_link_that_leads_nowhere_leaves_all_else(
    db: Database, tmp_path: Path, links: dict[str, str]
) -> None:
    for number in range(20):
        put(tmp_path / f'm{number}.pt')
    put(tmp_path / 'in' / 'deep.pt')
    look(db, tmp_path)
    (tmp_path / 'm7.pt').unlink()
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
        (tmp_path / 'in' / name).symlink_to(target)
    assert look(db, tmp_path) == scan.Found(20, 0, gone=1)


def test_an_entry_that_cannot_be_looked_at_leaves_all_else(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('a.pt', 'b.pt', 'c.pt'):
        put(tmp_path / name)
    look(db, tmp_path)
    real = os.scandir

    class Barred:
        """An entry whose target nobody may look at, as in another person's folder."""

        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path = entry.name, entry.path

        def is_dir(self) -> bool:
            raise PermissionError(13, 'no')

    @contextmanager
    def scandir(path: str) -> Iterator[Any]:
        with real(path) as entries:
            yield (Barred(one) if one.name == 'b.pt' else one for one in list(entries))

    monkeypatch.setattr(os, 'scandir', scandir)
    found = look(db, tmp_path)
    assert (found.files, found.gone, found.unreadable) == (2, 0, (tmp_path / 'b.pt',))
    assert ['a.pt', 'b.pt', 'c.pt'] == names(db)


@pytest.mark.parametrize('target', ['..', '../LORA', '../LORA/deep', '../../models'])
@pytest.mark.parametrize('at', ['VAE', 'VAE/deep', 'LORA', 'Checkpoint'])
def test_a_file_has_the_kind_and_path_of_its_own_folder_whichever_links_lead_there(
    db: Database, tmp_path: Path, at: str, target: str
) -> None:
    models = tmp_path / 'models'
    kinds = ('LORA', 'VAE', 'Checkpoint')
    files = {models / kind / 'deep' / f'{kind}.pt': kind for kind in kinds}
    for path in files:
        put(path)
    (models / at / 'up').symlink_to(models / 'VAE' / target)
    folders = {models / kind: kind for kind in kinds}
    for order in (folders, dict(reversed(folders.items()))):
        assert scan.look(db, order, never).files == 3
        assert {one.path: one.kind for one in holdings.every(db)} == files


def test_a_file_that_was_fetched_is_there_whichever_links_lead_to_it(
    db: Database, tmp_path: Path
) -> None:
    path = tmp_path / 'LORA' / 'a.pt'
    put(path)
    arrival.note(db, path, {'id': 20, 'modelId': 10}, kind='LORA')
    (tmp_path / 'VAE').mkdir()
    (tmp_path / 'VAE' / 'up').symlink_to('..')
    folders = {tmp_path / 'LORA': 'LORA', tmp_path / 'VAE': 'VAE'}
    assert scan.look(db, folders, never) == scan.Found(1, 0)
    assert at(db, path).version_id == 20


def test_where_a_folder_cannot_be_read_nothing_is_forgotten(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / 'a.pt')
    put(tmp_path / 'in' / 'b.pt')
    look(db, tmp_path)
    real = os.scandir

    def refused(path: Any) -> Any:
        if str(path).endswith('in'):
            raise PermissionError(13, 'no')
        return real(path)

    monkeypatch.setattr(os, 'scandir', refused)
    found = look(db, tmp_path)
    assert (found.files, found.gone, found.unreadable) == (1, 0, (tmp_path / 'in',))
    assert ['a.pt', 'b.pt'] == names(db)


BESIDE = [
    pytest.param({'civitai_info': {'id': 20, 'modelId': 10}}, (20, 10), id='.civitai.info'),
    pytest.param({'json': {'modelVersionId': 20, 'modelId': 10}}, (20, 10), id='.json'),
    pytest.param({'json': {'modelVersionId': '20'}}, (20, 0), id='an id as text'),
    pytest.param(
        {'metadata_json': {'civitai': {'id': 20, 'modelId': 10}}}, (20, 10), id='.metadata.json'
    ),
    pytest.param({'cm__info_json': {'VersionId': 20, 'ModelId': 10}}, (20, 10), id='.cm-info.json'),
    pytest.param(
        {'civitai_info': {'id': 0, 'skeleton_file': True}, 'json': {'modelVersionId': 20}},
        (20, 0),
        id='a skeleton tells nothing',
    ),
    pytest.param(
        {'civitai_info': {'id': 20}, 'json': {'modelVersionId': 21}}, (20, 0), id='the surest'
    ),
    *(
        pytest.param({'civitai_info': {'id': value}}, (0, 0), id=repr(value))
        for value in ('', '-1', -1, 0, True, 1.5, 2**31, None, [20], {'id': 20}, '２０', 'x' * 99)
    ),
    pytest.param({'civitai_info': '{"id": 20'}, (0, 0), id='broken'),
    pytest.param({'civitai_info': '[{"id": 20}]'}, (0, 0), id='no object'),
    pytest.param({'civitai_info': '[' * 100_000}, (0, 0), id='very deep'),
    pytest.param({'civitai_info': '{"id": ' + '9' * 5000 + '}'}, (0, 0), id='a long number'),
    pytest.param({'metadata_json': {'civitai': [20]}}, (0, 0), id='an odd shape'),
    pytest.param({'civitai_info': '\ufeff{"id": 20}'}, (20, 0), id='a mark of byte order'),
    pytest.param(
        {'civitai_info': {'id': 20, 'files': [{'sizeKB': 1.0}, {'sizeKB': 5000.5}]}},
        (20, 0),
        id='a size that fits',
    ),
    pytest.param(
        {'civitai_info': {'id': 20, 'files': [{'sizeKB': 5000}]}}, (0, 0), id='of another file'
    ),
    pytest.param(
        {'civitai_info': {'id': 20, 'files': [{'sizeKB': 'x'}, {'sizeKB': float('inf')}, 7]}},
        (20, 0),
        id='sizes that are none',
    ),
]


@pytest.mark.parametrize(('beside', 'told'), BESIDE)
def test_what_other_tools_know_is_known(
    db: Database, tmp_path: Path, beside: dict[str, object], told: tuple[int, int]
) -> None:
    path = tmp_path / 'a.safetensors'
    put(path, **beside)
    look(db, tmp_path)
    found = at(db, path)
    assert (found.version_id, found.model_id) == told
    assert found.told_by == (holdings.BESIDE if told[0] else '')


def test_what_another_tool_wrote_since_is_known_too(db: Database, tmp_path: Path) -> None:
    path = tmp_path / 'a.safetensors'
    put(path)
    look(db, tmp_path)
    path.with_name('a.civitai.info').write_text('{"id": 20}')
    assert look(db, tmp_path) == scan.Found(1, 0)
    assert at(db, path).version_id == 20


def test_a_file_in_place_of_a_pipe_holds_nobody_up(db: Database, tmp_path: Path) -> None:
    put(tmp_path / 'a.safetensors')
    os.mkfifo(tmp_path / 'a.civitai.info')
    os.mkfifo(tmp_path / 'b.safetensors')
    assert look(db, tmp_path) == scan.Found(1, 1)


def hashed(db: Database) -> int:
    return scan.hash_files(db, never)


def test_hashes_are_reckoned_once(db: Database, tmp_path: Path) -> None:
    path = tmp_path / 'a.safetensors'
    sha256 = put(path)
    look(db, tmp_path)
    assert [1, 0] == [hashed(db), hashed(db)]
    found = at(db, path)
    assert (found.sha256, found.autov2) == (sha256, sha256[:10])
    assert len(found.autov3) == 12
    look(db, tmp_path)
    assert at(db, path) == found
    new = put(path, safetensors(b'others', 'longer'))
    look(db, tmp_path)
    assert at(db, path).sha256 == ''
    assert hashed(db) == 1 and at(db, path).sha256 == new


def test_files_that_nobody_knows_are_hashed_first(db: Database, tmp_path: Path) -> None:
    put(tmp_path / 'a.pt', civitai_info={'id': 20})
    put(tmp_path / 'b.pt')
    look(db, tmp_path)
    stop = threading.Event()
    done: list[scan.Progress] = []

    def heard(now: scan.Progress) -> None:
        done.append(now)
        if now.done == 1:
            stop.set()

    with pytest.raises(CancelledError):
        scan.hash_files(db, stop, heard)
    assert at(db, tmp_path / 'b.pt').sha256 and not at(db, tmp_path / 'a.pt').sha256
    assert hashed(db) == 1, 'it goes on where it was'


def test_how_far_it_is_can_be_heard(db: Database, tmp_path: Path) -> None:
    for name in ('a.pt', 'b.pt', 'c.pt'):
        put(tmp_path / name, bytes(1000))
    told: list[scan.Progress] = []
    scan.look(db, {tmp_path: 'VAE'}, never, told.append)
    assert told[-1] == scan.Progress(scan.LOOKING, 3, 3)
    scan.hash_files(db, never, told.append)
    assert told[-1] == scan.Progress(scan.HASHING, 3, 3, 3000, 3000)
    counts = [(one.done, one.bytes_done) for one in told if one.stage == scan.HASHING]
    assert counts == sorted(counts)


def test_a_file_that_went_or_cannot_be_read_leaves_the_others(db: Database, tmp_path: Path) -> None:
    for name in ('a.pt', 'b.pt', 'c.pt'):
        put(tmp_path / name)
    look(db, tmp_path)
    (tmp_path / 'a.pt').unlink()
    (tmp_path / 'b.pt').write_bytes(b'changed since')
    assert hashed(db) == 1
    assert at(db, tmp_path / 'c.pt').sha256


def test_what_the_host_noted_is_not_read_again(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / 'a.ckpt')
    look(db, tmp_path, 'Checkpoint')
    monkeypatch.setattr(
        host.StandaloneHost, 'kept_hashes', lambda self, path, kind: ('ab' * 32, '')
    )
    assert hashed(db) == 1
    assert at(db, tmp_path / 'a.ckpt').sha256 == 'ab' * 32


@pytest.mark.parametrize(
    ('kind', 'ending', 'tensors', 'is_read'),
    [
        ('LORA', '.safetensors', '', True),
        ('DoRA', '.SafeTensors', '', True),
        ('LORA', '.safetensors', 'cd' * 32, False),
        ('LORA', '.pt', '', False),
        ('Checkpoint', '.safetensors', '', False),
    ],
)
def test_a_lora_is_read_for_the_hash_that_pictures_name_it_by(
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    ending: str,
    tensors: str,
    is_read: bool,
) -> None:
    path = tmp_path / f'a{ending}'
    real = put(path)
    look(db, tmp_path, kind)
    monkeypatch.setattr(host.StandaloneHost, 'kept_hashes', lambda *_: ('ab' * 32, tensors))
    assert hashed(db) == 1
    found = at(db, path)
    assert found.sha256 == (real if is_read else 'ab' * 32)
    assert bool(found.tensors) == (is_read or bool(tensors))


def test_a_stopped_look_ends(db: Database, tmp_path: Path) -> None:
    put(tmp_path / 'a.pt')
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        scan.look(db, {tmp_path: 'VAE'}, stop)


def test_a_name_that_is_no_text_is_a_name(db: Database, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b'/\xff\xfe.pt'))
    put(path)
    look(db, tmp_path)
    assert hashed(db) == 1 and at(db, path).is_there


def test_a_file_is_there_as_long_as_it_is_the_same(db: Database, tmp_path: Path) -> None:
    path = tmp_path / 'a.pt'
    put(path)
    look(db, tmp_path)
    found = at(db, path)
    assert found.is_there and not replace(found, size=1).is_there
    os.utime(path, ns=(1, 1))
    assert not found.is_there
