"""A scan finds, hashes and asks; in the background too, one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest
import responses

from civitai_demo.server import DemoServer
from civitai_demo.world.models import load_gallery_models
from scripts.civitai_manager_libs import host, setting
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai.resources import Resource
from scripts.civitai_manager_libs.errors import CancelledError, StorageError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.library import arrival, have, inventory, scan, updates
from scripts.civitai_manager_libs.store import private
from tests.support.models import put
from tests.support.paths import ROOT

never = threading.Event()
LORA = load_gallery_models()[1]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of models in the layout of A1111, that the setting names."""
    folder = tmp_path / 'webui' / 'models'
    (folder / 'Stable-diffusion').mkdir(parents=True)
    setting.models_folder = str(folder)
    return folder


@pytest.fixture
def scanning() -> Iterator[inventory.Scanning]:
    made = inventory.Scanning()
    yield made
    made.end()


def test_models_of_the_site_are_known_by_their_hashes_alone(
    demo: DemoServer, client: CivitaiHttpClient, db: Database, models: Path
) -> None:
    version = LORA.versions[0]
    put(models / 'Lora' / 'renamed by me.safetensors', version.files[0].content)
    put(models / 'VAE' / 'my own.pt')
    stages: list[str] = []
    result = inventory.run(db, client, never, lambda now: stages.append(now.stage))
    assert (result.found.files, result.hashed, result.known, result.unasked) == (2, 2, 1, None)
    assert list(dict.fromkeys(stages)) == ['looking', 'hashing', 'asking']
    [found] = have.have(db, [Resource('', 'lora', 1.0, '', version.id)])
    assert found.state is have.State.HERE
    assert have.gallery_link(found.files[0]).endswith(f'{LORA.id}?modelVersionId={version.id}')


def test_nobody_is_asked_where_that_is_not_wanted(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, models: Path
) -> None:
    put(models / 'Lora' / 'a.safetensors')
    assert inventory.run(db, client, never, asking=False).hashed == 1
    assert len(wire.calls) == 0


def test_without_a_network_what_could_be_done_counts(
    wire: responses.RequestsMock, client: CivitaiHttpClient, db: Database, models: Path
) -> None:
    put(models / 'Lora' / 'a.safetensors')
    result = inventory.run(db, client, never)
    assert result.hashed == 1 and result.unasked is not None
    assert 'network' in result.unasked.user_message


def test_two_programs_do_not_scan_at_once(
    client: CivitaiHttpClient, db: Database, models: Path
) -> None:
    db.path.parent.mkdir(parents=True, exist_ok=True)
    lock = db.path.with_name('models.lock')
    handle = private.hold(lock)
    assert handle is not None
    with pytest.raises(StorageError, match='already'):
        inventory.run(db, client, never, asking=False)
    private.let_go(lock, handle)
    inventory.run(db, client, never, asking=False)


def until_over(scanning: inventory.Scanning) -> None:
    deadline = time.monotonic() + 20
    while scanning.progress is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_scan_in_the_background_tells_what_it_did(
    demo: DemoServer, client: CivitaiHttpClient, models: Path, scanning: inventory.Scanning
) -> None:
    put(models / 'Lora' / 'a.safetensors')
    assert scanning.begin() and scanning.progress is not None
    until_over(scanning)
    assert scanning.error is None and scanning.result is not None
    assert scanning.result.found.files == 1
    assert scanning.begin(asking=False)
    until_over(scanning)
    assert scanning.result.found.fresh == 0


def test_a_scan_in_the_background_tells_which_models_went_on_if_that_is_wanted(
    demo: DemoServer, client: CivitaiHttpClient, models: Path, scanning: inventory.Scanning
) -> None:
    older = LORA.versions[1]
    put(models / 'Lora' / 'mine.safetensors', older.files[0].content)
    scanning.begin()
    until_over(scanning)
    assert [one.newer for one in updates.standings(archive())] == [()]
    scanning.begin(updating=True)
    until_over(scanning)
    [found] = updates.standings(archive())
    assert scanning.error is None and LORA.versions[0].id in [one.id for one in found.newer]


def test_a_scan_in_the_background_is_one_and_can_be_stopped(
    client: CivitaiHttpClient,
    models: Path,
    scanning: inventory.Scanning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = models / 'Lora' / 'huge.safetensors'
    put(path, b'')
    with path.open('ab') as file:
        file.truncate(2**40)  # takes no room, and longer than anybody waits
    assert scanning.begin(asking=False)
    deadline = time.monotonic() + 20
    while not (scanning.progress and scanning.progress.bytes_done):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not scanning.begin()
    scanning.end()
    assert scanning.progress is None and scanning.result is None
    assert isinstance(scanning.error, CancelledError)


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux has an order of threads')
def test_a_scan_in_the_background_lets_all_others_go_first(
    client: CivitaiHttpClient,
    models: Path,
    scanning: inventory.Scanning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def order() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    put(models / 'Lora' / 'a.safetensors')
    seen, before = list[int](), order()
    monkeypatch.setattr(
        host.StandaloneHost, 'kept_hashes', lambda *_: seen.append(order()) or ('', '')
    )
    scanning.begin(asking=False)
    until_over(scanning)
    assert seen == [max(before, 10)] and order() == before


def test_a_program_that_ends_waits_for_no_scan(models: Path) -> None:
    path = models / 'Lora' / 'huge.ckpt'
    put(path, b'')
    with path.open('ab') as file:
        file.truncate(2**40)
    code = (
        'import time\n'
        'from scripts.civitai_manager_libs import setting\n'
        'from scripts.civitai_manager_libs.library import inventory\n'
        f'setting.models_folder = {str(models)!r}\n'
        'inventory.scanning().begin(asking=False)\n'
        'while not inventory.scanning().progress.bytes_done: time.sleep(0.01)\n'
    )
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, timeout=30, check=True)


def test_a_folder_that_is_not_there_is_told(
    client: CivitaiHttpClient, tmp_path: Path, scanning: inventory.Scanning
) -> None:
    setting.models_folder = str(tmp_path / 'unplugged')
    scanning.begin()
    until_over(scanning)
    assert scanning.error is not None and 'unplugged' in scanning.error.user_message


def test_a_file_that_came_is_known_and_has_its_companions_at_once(
    demo: DemoServer, client: CivitaiHttpClient, models: Path
) -> None:
    setting.gallery_maturity_ceiling = 'XXX'
    version = LORA.versions[0]
    answer = client.fetch_json(f'{demo.url}/api/v1/model-versions/{version.id}')
    path = models / 'Lora' / 'a.safetensors'
    sha256 = put(path, version.files[0].content)
    found = arrival.settle(archive(), client, path, answer, kind='LORA', sha256=sha256.upper())
    assert not [one.error for one in found if one.error]
    assert {one.ending for one in found} == {'.civitai.info', '.json', '.preview'}
    [known] = holdings.of_versions(archive(), [version.id])
    assert (known.path, known.sha256, known.told_by) == (path, sha256, holdings.FETCHED)
    for digest in (sha256[:12], version.files[0].hashes['AutoV3'].lower()):
        [told] = have.have(archive(), [Resource('', 'lora', 1.0, digest, None)])
        assert told.state is have.State.HERE, 'as pictures name it'
    scan.look(archive(), {models: 'LORA'}, never)
    [same] = holdings.of_versions(archive(), [version.id])
    assert (same.sha256, same.told_by) == (sha256, holdings.FETCHED)


def test_a_file_that_came_by_a_link_is_noted_where_a_scan_finds_it(
    demo: DemoServer, client: CivitaiHttpClient, models: Path, tmp_path: Path
) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    (models / 'Lora').symlink_to(disk)
    put(models / 'Lora' / 'a.safetensors')
    arrival.note(archive(), models / 'Lora' / 'a.safetensors', {'id': 20}, kind='LORA')
    [known] = holdings.of_versions(archive(), [20])
    assert known.path == disk / 'a.safetensors'
    assert inventory.run(archive(), client, never, asking=False).found.fresh == 0
