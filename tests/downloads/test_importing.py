"""What img2dataset kept comes back into the archive, and nothing that its tables only say."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pyarrow
import pyarrow.parquet
import pytest

from scripts.civitai_manager_libs.archive import pictures, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import checking, elsewhere, importing
from scripts.civitai_manager_libs.errors import CancelledError, CivitaiError
from tests.support.pictures import drawn

PNG = drawn('PNG')
Row = dict[str, Any]


def url_of(number: int) -> str:
    return f'https://image.civitai.com/key/{number}/original=true/{number}.jpeg'


class Kept:
    """A folder as img2dataset leaves it, with one shard of so many pictures."""

    def __init__(self, folder: Path, count: int = 1) -> None:
        self.table = folder / '00000.parquet'
        self.shard = folder / '00000'
        self.shard.mkdir(parents=True)
        self.rows = [self.row(number) for number in range(1, count + 1)]
        for row in self.rows:
            self.file(row).write_bytes(PNG)

    @staticmethod
    def row(number: int, **more: object) -> Row:
        """As it writes them, with the types that it gave them."""
        told = {
            'id': number,
            'username': 'wren',
            'caption': 'fog',
            'url': url_of(number),
            'key': f'{number:09d}',
            'status': 'success',
            'error_message': None,
            'width': None,
            'sha256': hashlib.sha256(PNG).hexdigest(),
        }
        return {**told, **more}

    def file(self, row: Row) -> Path:
        """Where it is: whatever its bytes are, they are called .jpg."""
        return self.shard / f'{row["key"]}.jpg'

    def write(self) -> Path:
        """Write the table."""
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(self.rows), self.table)
        return self.table


@pytest.fixture
def kept(db: Database, tmp_path: Path) -> Kept:
    pictures.note(db, [GalleryImage(n, url_of(n), level=1) for n in range(1, 4)])
    return Kept(tmp_path / 'far')


def taken_in(db: Database, table: Path) -> importing.Account:
    account = importing.Account()
    importing.take_in(db, table, account, threading.Event())
    return account


def test_what_was_kept_is_known_where_it_is(db: Database, kept: Kept) -> None:
    account = taken_in(db, kept.write())
    path = kept.file(kept.rows[0])
    (file,) = saved.of_pictures(db, {1: ''})[1]
    assert account.counts == {'kept': 1} and account.is_complete
    assert (file.path, file.came, file.is_there) == (path, hashlib.sha256(PNG).hexdigest(), True)


def test_a_download_finds_it_and_verify_looks_after_it(db: Database, kept: Kept) -> None:
    taken_in(db, kept.write())
    path = kept.file(kept.rows[0])
    assert list(elsewhere.find(db, {1: url_of(1)}, ())[1]) == [path]
    assert [one.state.value for one in checking.check(db, kept.shard)] == ['good']
    path.write_bytes(PNG[:-1] + b'x')
    assert [one.state.value for one in checking.check(db, kept.shard)] == ['changed']


def test_taken_in_again_it_is_known_already(db: Database, kept: Kept) -> None:
    taken_in(db, kept.write())
    assert taken_in(db, kept.table).counts == {'already': 1}


def test_many_rows_are_all_looked_at(db: Database, tmp_path: Path) -> None:
    pictures.note(db, [GalleryImage(n, url_of(n)) for n in range(1, 501)])
    kept = Kept(tmp_path / 'far', 500)
    assert taken_in(db, kept.write()).counts == {'kept': 500}


def test_failures_are_counted_by_what_caused_them(db: Database, kept: Kept) -> None:
    failed = {'status': 'failed_to_download', 'sha256': None}
    kept.rows += [
        kept.row(2, error_message='HTTP Error 429: Too Many Requests', **failed),
        kept.row(3, error_message='HTTP Error 429: Slow down', **failed),
        kept.row(2, error_message='timed out', **failed),
        kept.row(3, error_message='<urlopen http://u:p@host/?token=abcdef123>', **failed),
        kept.row(3, error_message=None, **failed),
        kept.row(3, **{**failed, 'status': None}),
    ]
    account = taken_in(db, kept.write())
    assert account.counts == {'kept': 1, 'failed': 6} and not account.is_complete
    assert account.causes['HTTP 429'] == 2 and account.causes['timed out'] == 1
    assert 'abcdef123' not in str(account.causes) and 'u:p' not in str(account.causes)


def test_any_number_of_causes_takes_little_room(db: Database, kept: Kept) -> None:
    kept.rows = [kept.row(1, status='failed_to_download', error_message=str(n)) for n in range(999)]
    account = taken_in(db, kept.write())
    assert sum(account.causes.values()) == 999 and len(account.causes) <= 101


def to_a_link(kept: Kept) -> None:
    path = kept.file(kept.rows[0])
    os.replace(path, kept.table.parent.parent / 'secret.png')
    path.symlink_to(kept.table.parent.parent / 'secret.png')


def to_a_linked_folder(kept: Kept) -> None:
    os.replace(kept.shard, kept.table.parent.parent / 'elsewhere')
    kept.shard.symlink_to(kept.table.parent.parent / 'elsewhere')


def told(**more: object) -> Callable[[Kept], None]:
    return lambda kept: kept.rows[0].update(more)


def cut(kept: Kept) -> None:
    kept.file(kept.rows[0]).write_bytes(PNG[:-20])
    kept.rows[0]['sha256'] = hashlib.sha256(PNG[:-20]).hexdigest()


def is_a_page(kept: Kept) -> None:
    kept.file(kept.rows[0]).write_bytes(b'<html>')
    kept.rows[0]['sha256'] = hashlib.sha256(b'<html>').hexdigest()


HOSTILE: dict[str, tuple[str, Callable[[Kept], None]]] = {
    'a picture nobody knows': ('unknown', told(id=999)),
    'no id': ('unknown', told(id=None)),
    'an id below 0': ('unknown', told(id=-1)),
    'half an id': ('unknown', told(id=1.5)),
    'an id of words': ('unknown', told(id='one')),
    'an id that is true': ('unknown', told(id=True)),
    'the address of another': ('other_address', told(url=url_of(2))),
    'no address': ('other_address', told(url=None)),
    'an address of another type': ('other_address', told(url=5)),
    'a path up': ('elsewhere', told(key='../../secret')),
    'an absolute path': ('elsewhere', told(key='/etc/passwd')),
    'no key': ('elsewhere', told(key=None)),
    'an empty key': ('elsewhere', told(key='')),
    'a key that is a number': ('elsewhere', told(key=1)),
    'digits of another alphabet': ('elsewhere', told(key='１')),
    'a link': ('elsewhere', to_a_link),
    'a linked folder': ('elsewhere', to_a_linked_folder),
    'no hash': ('no_hash', told(sha256=None)),
    'a hash that is none': ('no_hash', told(sha256='abc')),
    'a hash of another type': ('no_hash', told(sha256=b'\xff')),
    'made smaller': ('not_as_it_came', told(sha256='0' * 64)),
    'half a picture': ('no_picture', cut),
    'a page of text': ('no_picture', is_a_page),
}


@pytest.mark.parametrize('why, spoil', HOSTILE.values(), ids=HOSTILE)
def test_a_row_that_is_not_to_be_believed_is_refused_alone(
    why: str, spoil: Callable[[Kept], None], db: Database, kept: Kept
) -> None:
    before = kept.file(kept.rows[0])
    spoil(kept)
    row = kept.rows.pop()
    # of this type all rows of a table are; the one that is good is in another
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), kept.table)
    account = taken_in(db, kept.table)
    assert account.refusals == {f'import_{why}': 1} and account.counts == {'refused': 1}
    assert saved.of_pictures(db, {1: '', 2: ''}) == {} and saved.at(db, before) is None


def test_after_a_row_that_was_refused_the_others_are_taken_in(
    db: Database, tmp_path: Path, kept: Kept
) -> None:
    three = Kept(tmp_path / 'three', 3)
    three.rows[1]['key'] = '../1'
    account = taken_in(db, three.write())
    assert account.counts == {'kept': 2, 'refused': 1}


def test_one_file_is_not_two_pictures(db: Database, kept: Kept) -> None:
    kept.rows.append({**kept.row(2), 'key': kept.rows[0]['key']})
    account = taken_in(db, kept.write())
    assert account.counts == {'kept': 1, 'refused': 1}
    assert account.refusals == {'import_of_another': 1}


def test_files_are_left_where_and_as_they_are(db: Database, kept: Kept) -> None:
    kept.write()
    before = {p: p.stat().st_mtime_ns for p in kept.table.parent.rglob('*')}
    taken_in(db, kept.table)
    assert {p: p.stat().st_mtime_ns for p in kept.table.parent.rglob('*')} == before


@pytest.mark.parametrize('has_tar, outcome', [(False, 'missing'), (True, 'packed')])
def test_what_is_not_beside_its_table_is_told(
    has_tar: bool, outcome: str, db: Database, kept: Kept
) -> None:
    kept.file(kept.rows[0]).unlink()
    if has_tar:
        kept.shard.with_suffix('.tar').write_bytes(b'')
    assert taken_in(db, kept.write()).counts == {outcome: 1}


def no_table(kept: Kept) -> None:
    kept.table.write_bytes(b'PAR1 no table')


def no_columns(kept: Kept) -> None:
    kept.rows = [{'url': 'x'}]
    kept.write()


@pytest.mark.parametrize('spoil', [no_table, no_columns])
def test_what_is_no_table_of_it_is_told_by_its_path(
    spoil: Callable[[Kept], None], db: Database, kept: Kept
) -> None:
    spoil(kept)
    with pytest.raises(CivitaiError) as caught:
        taken_in(db, kept.table)
    assert str(kept.table) in str(caught.value)


def test_it_can_be_stopped(db: Database, kept: Kept) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        importing.take_in(db, kept.write(), importing.Account(), stop)


def test_an_account_of_nothing_is_complete() -> None:
    assert importing.Account().is_complete and Counter() == importing.Account().counts
