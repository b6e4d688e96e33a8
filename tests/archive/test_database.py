"""The archive serves many threads and programs, and damage loses as little as can be."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs.archive import (
    answers,
    folders,
    jobs,
    marks,
    pictures,
    saved,
    schema,
)
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.marks import Marks
from scripts.civitai_manager_libs.errors import StorageError

forking = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork on Windows')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'data' / 'archive.sqlite'


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


def put(db: Database, *numbers: int) -> None:
    answers.keep(db, answers.VERSION, {number: {'id': number} for number in numbers})


def held(db: Database, *numbers: int) -> list[int]:
    return sorted(answers.kept(db, answers.VERSION, numbers))


def test_what_was_put_in_is_there_for_another_program(db: Database, path: Path) -> None:
    put(db, 1, 2)
    other = Database(path)

    assert [1, 2] == held(other, 1, 2, 3)
    other.close()


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no such modes')
def test_only_its_owner_may_read_it(db: Database, path: Path) -> None:
    put(db, 1)

    assert {0} == {file.stat().st_mode & 0o077 for file in path.parent.glob('archive.sqlite*')}


def test_a_transaction_that_fails_leaves_nothing(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.writing():
        put(db, 1)
        raise ZeroDivisionError

    assert [] == held(db, 1)


def test_many_threads_lose_nothing(db: Database) -> None:
    threads = [
        threading.Thread(target=lambda start=start: [put(db, start + n) for n in range(50)])
        for start in range(0, 400, 50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(range(400)) == held(db, *range(400))


def _write(path: Path, start: int) -> None:
    database = Database(path)
    for number in range(start, start + 100):
        put(database, number)
    database.close()


def test_two_programs_lose_nothing(db: Database, path: Path) -> None:
    spawn = multiprocessing.get_context('spawn')
    others = [spawn.Process(target=_write, args=(path, start)) for start in (0, 100)]
    for other in others:
        other.start()
    _write(path, 200)
    for other in others:
        other.join()

    assert list(range(300)) == held(db, *range(300))


@forking
def test_a_forked_process_opens_its_own(db: Database) -> None:
    put(db, 1)
    child = os.fork()
    if not child:
        put(db, 2)
        os._exit(0)

    assert (child, 0) == os.waitpid(child, 0)
    put(db, 3)
    assert [1, 2, 3] == held(db, 1, 2, 3)


# -- where WAL is not to be had -------------------------------------------------------------------


def test_a_folder_that_has_no_wal_will_do(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own locking by files is what a network folder leaves of it."""
    connect = sqlite3.connect

    def without_shared_memory(path: Path, **more: Any) -> sqlite3.Connection:
        return connect(f'{path.as_uri()}?vfs=unix-dotfile', uri=True, **more)

    monkeypatch.setattr(sqlite3, 'connect', without_shared_memory)
    put(db, 1)

    assert [1] == held(db, 1)
    assert not db.path.with_name('archive.sqlite-wal').exists()


# -- damage ---------------------------------------------------------------------------------------


def overwritten(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'this is no database ' * 400)


def torn(path: Path) -> None:
    """As a disk leaves it that lost what stands behind the first page."""
    whole = Database(path)
    put(whole, *range(2000))
    whole.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


@pytest.mark.parametrize('damage', [overwritten, torn])
def test_a_damaged_file_is_kept_aside_and_a_new_one_serves(
    damage: Any, db: Database, path: Path
) -> None:
    damage(path)
    content = path.read_bytes()

    try:
        put(db, 1)
    except StorageError:  # found only when the damaged part was read
        put(db, 1)

    assert [1] == held(db, 1)
    assert db.was_lost
    assert [content] == [file.read_bytes() for file in path.parent.glob('archive.broken-1*')]


def emptied(path: Path) -> None:
    path.write_bytes(b'')


@pytest.mark.parametrize('loss', [emptied, Path.unlink])
def test_a_file_that_is_gone_or_empty_was_lost_if_there_are_folders(
    loss: Any, db: Database, path: Path, tmp_path: Path
) -> None:
    put(db, 1)
    db.close()
    for beside in path.parent.glob('archive.sqlite-*'):
        beside.unlink()
    loss(path)
    assert not db.was_lost

    folders.note(path, tmp_path)
    db.close()
    loss(path)
    assert db.was_lost
    db.recovered()
    db.close()
    assert not db.was_lost


@pytest.mark.parametrize('ending', ['-wal', '-shm', '-journal'])
def test_rubbish_beside_the_file_costs_nothing(ending: str, db: Database, path: Path) -> None:
    put(db, 1)
    db.close()
    path.with_name(f'{path.name}{ending}').write_bytes(b'rubbish ' * 5000)

    assert [1] == held(db, 1)
    assert not db.was_lost


def test_a_page_amid_the_file_that_is_damaged_costs_the_rest_at_most_once(
    db: Database, path: Path
) -> None:
    put(db, *range(5000))
    db.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b'\xa5' * 4096
    path.write_bytes(content)
    with pytest.raises(StorageError, match='damaged'):
        held(db, *range(5000))

    assert db.was_lost
    put(db, 7)
    assert [7] == held(db, *range(5000))


def test_a_folder_in_its_place_is_told_and_stays(db: Database, path: Path) -> None:
    (path / 'mine').mkdir(parents=True)

    with pytest.raises(StorageError) as refusal:
        put(db, 1)
    assert str(path.parent) in refusal.value.user_message
    assert (path / 'mine').is_dir()


def dropped(db: Database, table: str) -> None:
    """As somebody does who looks into the file with another program."""
    with db.reading() as connection:
        connection.execute('PRAGMA foreign_keys = OFF')
        connection.execute(f'DROP TABLE {table}')
        connection.execute('PRAGMA foreign_keys = ON')


@pytest.mark.parametrize('table', ['jobs', 'lanes', 'listed', 'pictures', 'saved', 'answers'])
def test_a_file_that_lacks_a_table_is_damaged(db: Database, path: Path, table: str) -> None:
    job = jobs.make(db, {}, path.parent, [{}])
    dropped(db, table)

    def use() -> None:
        put(db, 1)
        saved.forget(db, [path])
        pictures.gone(db, [1])
        jobs.progress(db, job)
        jobs.add_lane(db, job, {})

    with pytest.raises(StorageError) as told:
        use()

    assert 'error_archive_damaged' == told.value.key
    assert 'no such' not in told.value.user_message
    jobs.make(db, {}, path.parent, [{}])
    assert 1 == len(jobs.every(db))


def test_what_refers_to_a_job_that_is_not_in_the_file_tells_of_damage(db: Database) -> None:
    with pytest.raises(StorageError) as told, db.writing() as connection:
        connection.execute("INSERT INTO gaps VALUES (99, 1, '')")

    assert 'error_archive_damaged' == told.value.key


def test_that_it_was_lost_is_known_until_it_was_seen_to(db: Database, path: Path) -> None:
    overwritten(path)
    assert db.was_lost

    later = Database(path)
    assert later.was_lost
    later.recovered()
    assert not db.was_lost
    later.close()


def test_a_file_that_is_whole_was_never_lost(db: Database) -> None:
    assert not db.was_lost


def test_a_file_that_another_program_replaced_is_followed(db: Database, path: Path) -> None:
    put(db, 1)
    other = Database(path.with_name('other.sqlite'))
    put(other, 2)
    other.close()
    for file in path.parent.glob('archive.sqlite*'):
        file.rename(file.with_name(f'aside-{file.name}'))
    other.path.rename(path)

    assert [2] == held(db, 1, 2)


# -- the schema -----------------------------------------------------------------------------------


VERSIONS = sorted(Path(__file__).parent.glob('version_*.sql'))


def test_of_every_version_of_the_schema_an_archive_is_kept_for_these_tests() -> None:
    assert [f'version_{n}' for n in range(1, len(schema.STEPS) + 1)] == [p.stem for p in VERSIONS]


@pytest.mark.parametrize('version', VERSIONS, ids=lambda path: path.stem)
def test_an_archive_of_every_version_comes_up_to_date_with_all_in_it(
    version: Path, db: Database, path: Path
) -> None:
    path.parent.mkdir(parents=True)
    old = sqlite3.connect(path)
    old.executescript(version.read_text(encoding='utf-8'))
    old.close()

    [job] = jobs.every(db)
    assert (jobs.STOPPED, Path('/kept/wren')) == (job.state, job.folder)
    now = jobs.progress(db, job.id)
    assert {'saved': 1, 'failed': 1, 'gone': 1, 'to_do': 1} == now.states
    assert (2, 1, ['c1']) == (now.hidden, len(now.gaps), [one.cursor for one in jobs.lanes(db, 1)])
    [failed] = jobs.listed(db, job.id, jobs.FAILED, 0, 9)
    assert failed.cause is not None and '/kept' in failed.cause.user_message
    assert {'seed': 2} == failed.image.meta and {3} == pictures.gone(db, [1, 2, 3])
    assert {1: {'id': 1, 'name': 'Wren'}} == answers.kept(db, answers.MODEL, [1])
    kept = saved.at(db, Path('/kept/wren/1.jpeg'))
    assert kept and kept.came == ('cd' * 32 if kept.embedded else kept.sha256)
    if version.stem >= 'version_6':
        assert Marks(frozenset({1}), frozenset({2})) == marks.of(db, [1, 2, 3])
    put(db, 8)
    with db.reading() as connection:
        assert len(schema.STEPS) == connection.execute('PRAGMA user_version').fetchone()[0]


def test_a_step_that_fails_leaves_the_file_as_it_was(
    db: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(db, 1)
    db.close()
    steps = (*schema.STEPS, 'CREATE TABLE more (x);\nCREATE TABLE more (x);')
    monkeypatch.setattr('scripts.civitai_manager_libs.archive.database.STEPS', steps)
    with pytest.raises(StorageError):
        put(db, 2)
    monkeypatch.undo()

    assert [1] == held(db, 1, 2)


def test_a_file_of_a_newer_version_is_refused_and_kept(db: Database, path: Path) -> None:
    put(db, 1)
    with db.writing() as connection:
        connection.execute('PRAGMA user_version = 99')
    db.close()
    content = path.read_bytes()

    with pytest.raises(StorageError, match='newer version'):
        put(db, 2)
    assert content == path.read_bytes()
    assert [path.name] == [file.name for file in path.parent.glob('archive.*')]


def test_a_folder_that_cannot_be_made_is_named(db: Database, path: Path) -> None:
    path.parent.write_text('a file is in the way')

    with pytest.raises(StorageError, match=str(path.parent)):
        put(db, 1)


@pytest.mark.parametrize('mode', ['WAL', 'DELETE'])
def test_a_file_that_stays_locked_is_waited_for_once(
    db: Database, path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    patience = 3.0
    monkeypatch.setattr('scripts.civitai_manager_libs.archive.database.PATIENCE_SECONDS', patience)
    put(db, 1)
    db.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f'PRAGMA journal_mode = {mode}')
        other.execute('PRAGMA locking_mode = EXCLUSIVE')
        other.execute('BEGIN EXCLUSIVE')
        begun = time.monotonic()
        with pytest.raises(StorageError) as caught:
            held(db, 1)
        assert time.monotonic() - begun < 1.8 * patience
    assert caught.value.key == 'error_locked'
