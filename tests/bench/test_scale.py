"""`scale-test` walks the whole way and says what it saw, here with a program in another's place.

The program keeps what it is told in the folders and tables of the real img2dataset.
"""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path

import pytest

if sys.platform == 'win32':
    pytest.skip('a script is no program there', True)

from bench import scale
from scripts.civitai_manager_libs.downloads import exporting
from tests.support.paths import ROOT

PROGRAM = '''#!{python}
import hashlib, json, os, pathlib, sys, urllib.request
import pyarrow, pyarrow.parquet

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
output = pathlib.Path(given['--output_folder'])
lines = pathlib.Path(given['--url_list']).read_text(encoding='utf-8').splitlines()
count = int(given['--number_sample_per_shard'])
for shard in range(0, len(lines), count):
    folder = output / f'{{shard // count:05d}}'
    folder.mkdir(parents=True)
    rows = []
    for place, line in enumerate(lines[shard : shard + count]):
        row = json.loads(line)
        content = urllib.request.urlopen(row['url']).read()
        key = f'{{shard + place:09d}}'
        told = {{name: row[name] for name in ('url', 'caption', 'id', 'username', 'page', 'meta')}}
        told |= {{'key': key, 'status': 'success', 'error_message': None}}
        told['sha256'] = hashlib.sha256(content).hexdigest()
        {spoil}
        (folder / f'{{key}}.jpg').write_bytes(content)
        (folder / f'{{key}}.json').write_text(json.dumps(told))
        rows.append(told)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), f'{{folder}}.parquet')
'''


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that has all that is required."""
    programs = tmp_path / 'env' / 'bin'
    programs.mkdir(parents=True)
    for name, value in {'ENVIRONMENT': programs.parent, '_PROGRAMS': programs}.items():
        monkeypatch.setattr(scale, name, value)
    monkeypatch.setattr(scale, '_INSTALLED', programs.parent / 'installed')
    (programs.parent / 'installed').write_text(scale.REQUIREMENTS.read_text(encoding='utf-8'))
    return programs.parent


def put(environment: Path, spoil: str = 'pass') -> None:
    """Put a program there that does `spoil` to each picture before it is written."""
    program = environment / 'bin' / 'img2dataset'
    program.write_text(PROGRAM.format(python=sys.executable, spoil=spoil))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_it_walks_there_and_back(environment: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(environment)
    assert scale.main([]) == 0
    out = capfd.readouterr().out
    for distributor in scale.DISTRIBUTORS:
        assert f'--distributor {distributor}' in out
    assert out.count('each the same bytes as its original') == 2
    assert out.endswith('download: 40 there already, none fetched\n')


SPOILT = {
    'encoded anew': ("content += b'x'", 'is not the original'),
    'one lost': ("if shard == place == 0: continue", 'did not keep 1 pictures'),
    'failed': ("sys.exit('no disk')", 'img2dataset ended with 1: no disk'),
    'hash of another': ("told['sha256'] = '0' * 64", 'import-table'),
}


@pytest.mark.parametrize('spoil, says', SPOILT.values(), ids=SPOILT)
def test_what_is_not_as_it_should_be_is_told(
    spoil: str, says: str, environment: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(environment, spoil)
    assert scale.main([]) == 1
    err = capfd.readouterr().err
    assert says in err and 'Traceback' not in err


def test_no_column_of_img2dataset_is_asked_for_twice() -> None:
    its_own = 'key status error_message width height original_width original_height sha256'.split()
    said = scale.options_for(Path('a'), Path('b'), 'ray', 10)
    extra = set(re.findall(r'"(\w+)"', said[said.index('--save_additional_columns') + 1]))
    assert extra < set(exporting.COLUMNS) and not extra & {*its_own, 'url', 'caption'}


def test_the_page_shows_the_options_that_are_run() -> None:
    page = (ROOT / 'docs' / 'scale.md').read_text(encoding='utf-8')
    said = scale.options_for(Path('a'), Path('b'), 'ray', 10)
    places = {'--url_list', '--output_folder', '--number_sample_per_shard', '--retries'}
    for name, value in zip(said[::2], said[1::2]):
        if name not in places and name not in {'--processes_count', '--thread_count'}:
            assert f'{name} {value}' in page or f"{name} '{value}'" in page, name


def test_versions_are_pinned() -> None:
    lines = scale.REQUIREMENTS.read_text(encoding='utf-8').splitlines()
    pins = [line for line in lines if not line.startswith('#')]
    assert pins and all(re.fullmatch(r'[\w-]+==[\d.]+', line) for line in pins)
