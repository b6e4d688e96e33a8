"""Tables: what other programs read in them, whatever strangers wrote, and never half of one."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Callable, Mapping, Sequence

import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest

from scripts.civitai_manager_libs.errors import CivitaiError, StorageError, WrongContentError
from scripts.civitai_manager_libs.store import parquet, tables
from scripts.civitai_manager_libs.store.parquet import Row
from tests.support.network import files_in

COLUMNS = {'caption': str, 'id': int}
ODD = {
    'a comma': 'fog, harbour',
    'quotes': 'the "old" harbour',
    'lines': 'fog\nharbour\r\nsea',
    'a line end of Unicode': 'fog\u2028harbour',
    'Chinese': '海邊的港口',
    'an emoji': '🌊',
    'nothing': '',
    'a backslash': 'fog \\(sea\\)',
    'the largest id': 'x',
}
FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '=cmd|"/c calc"!A1', '-x, "y"']


def written(form: str, *rows: Row) -> bytes:
    file = io.BytesIO()
    with tables.writer(form, file, COLUMNS) as write:
        for row in rows:
            write([row])
    return file.getvalue()


def with_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode('utf-8'), newline='')))


def with_json(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.decode('utf-8').split('\n') if line]


def with_parquet(content: bytes) -> Sequence[Mapping[str, object]]:
    found: list[dict[str, object]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return found


READERS: dict[str, Callable[[bytes], Sequence[Mapping[str, object]]]] = {
    'csv': with_csv,
    'jsonl': with_json,
    'parquet': with_parquet,
}
each_form = pytest.mark.parametrize('form', tables.FORMATS)


@each_form
@pytest.mark.parametrize('text', ODD.values(), ids=ODD)
def test_a_reader_finds_what_was_written(form: str, text: str) -> None:
    read = READERS[form](written(form, {'caption': text, 'id': 2**63 - 1}))
    kept = text.replace('\r\n', '\n')  # the line end of all our texts
    assert [(row['caption'], int(str(row['id']))) for row in read] == [(kept, 2**63 - 1)]


@pytest.mark.parametrize('text', [text for text in ODD.values() if text])
def test_what_img2dataset_reads_with_finds_it_too(text: str) -> None:
    row: Row = {'caption': text, 'id': 7}
    kept = {'caption': text.replace('\r\n', '\n'), 'id': 7}
    lines = pyarrow.json.read_json(io.BytesIO(written('jsonl', row)))
    newlines = pyarrow.csv.ParseOptions(newlines_in_values=True)
    cells = pyarrow.csv.read_csv(io.BytesIO(written('csv', row)), parse_options=newlines)
    assert lines.to_pylist() == cells.to_pylist() == [kept]


@pytest.mark.parametrize('text', FORMULAS)
def test_a_spreadsheet_computes_nothing_that_strangers_wrote(text: str) -> None:
    (row,) = with_csv(written('csv', {'caption': text, 'id': 1}))
    assert row['caption'].startswith("'") and row['id'] == '1'


@pytest.mark.parametrize('form', ['jsonl', 'parquet'])
@pytest.mark.parametrize('text', ['=1+1', '-1', '@someone', "'quoted'"])
def test_what_only_programs_read_is_exact(form: str, text: str) -> None:
    (row,) = READERS[form](written(form, {'caption': text, 'id': 1}))
    assert row['caption'] == text


@each_form
def test_half_a_character_spoils_no_table(form: str) -> None:
    (row,) = READERS[form](written(form, {'caption': 'fog \udc80', 'id': 1}))
    assert row['caption'] == 'fog ?'


@each_form
def test_a_table_of_nothing_can_be_read(form: str) -> None:
    assert list(READERS[form](written(form))) == []


def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / 'new' / 'table.jsonl'
    with tables.file_for(target) as file:
        file.write(b'{}\n')
        assert not target.exists()
    assert files_in(tmp_path / 'new') == ['table.jsonl'] and target.read_bytes() == b'{}\n'


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / 'table.jsonl'
    target.write_bytes(b'before')
    with pytest.raises(KeyError), tables.file_for(target) as file:
        file.write(b'half')
        raise KeyError
    assert files_in(tmp_path) == ['table.jsonl'] and target.read_bytes() == b'before'


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError), tables.file_for(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == 'win32', reason='links need rights there')
def test_a_link_stays_one_and_what_it_means_is_written(tmp_path: Path) -> None:
    link, target = tmp_path / 'link', tmp_path / 'table.jsonl'
    target.write_bytes(b'before')
    link.symlink_to(target)
    with tables.file_for(link) as file:
        file.write(b'{}\n')
    assert link.is_symlink() and target.read_bytes() == b'{}\n'


@pytest.mark.skipif(not Path('/dev/fd').exists(), reason='open files have no names there')
def test_an_open_file_is_written_to_by_its_name(tmp_path: Path) -> None:
    with (tmp_path / 'table.jsonl').open('wb') as opened:
        link = tmp_path / 'link'
        link.symlink_to(f'/dev/fd/{opened.fileno()}')
        with tables.file_for(link) as file:
            file.write(b'{}\n')
        opened.seek(0, 2)
        opened.write(b'more')
    assert b'{}\nmore' == (tmp_path / 'table.jsonl').read_bytes() and link.is_symlink()


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such pipes')
def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'a.parquet')
    with pytest.raises(WrongContentError):
        list(parquet.rows(tmp_path / 'a.parquet', ['id']))


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such pipes')
@each_form
def test_a_pipe_is_written_to(form: str, tmp_path: Path) -> None:
    pipe, read = tmp_path / 'pipe', list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with tables.file_for(pipe) as file, tables.writer(form, file, COLUMNS) as write:
        write([{'caption': 'fog', 'id': 1}])
    reader.join()
    assert READERS[form](read[0])[0]['caption'] == 'fog'


@pytest.mark.parametrize('form', ['csv', 'jsonl'])
def test_only_parquet_needs_pyarrow(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    tables.check(form)
    with pytest.raises(CivitaiError, match='-m pip install pyarrow'):
        tables.check('parquet')


def test_rows_of_parquet_are_read_some_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / 'table.parquet'
    path.write_bytes(written('parquet', *({'caption': 'x', 'id': n} for n in range(500))))
    groups = list(parquet.rows(path, ['id', 'other']))
    assert [row['id'] for some in groups for row in some] == list(range(500))
    assert len(groups) > 1 and set(groups[0][0]) == {'id'}


NO_PARQUET = {
    'nothing': (b'', 'no whole Parquet table'),
    'its beginning': (b'PA', 'no whole Parquet table'),
    'its mark alone': (b'PAR1', 'no whole Parquet table'),
    'rubbish between its marks': (b'PAR1' + bytes(99) + b'PAR1', 'no whole Parquet table'),
    'JSON lines': (b'{"a": 1}\n', 'Only Parquet'),
    'CSV': (b'url,caption\n', 'Only Parquet'),
    'a picture': (b'\x89PNG\r\n', 'Only Parquet'),
}


@pytest.mark.parametrize('content, says', NO_PARQUET.values(), ids=NO_PARQUET)
def test_what_is_no_parquet_is_told_by_its_path(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / '00000.parquet'
    path.write_bytes(content)
    with pytest.raises(CivitaiError) as caught:
        list(parquet.rows(path, ['id']))
    told = caught.value.message_in('en')
    assert str(path) in told and says in told
