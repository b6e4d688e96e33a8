"""`export` and `import-table` on the command line: what is written where, and how it is told."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pyarrow
import pyarrow.parquet
import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from tests.support.annotated_site import META, AnnotatedSite, item
from tests.support.faults import PATIENCE
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.scripted_server import STALL, Answer, kept, ok
from tests.support.settings_sandbox import fresh_client


class Run(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Run]


@pytest.fixture
def site() -> Iterator[AnnotatedSite]:
    site = AnnotatedSite(item(1), item(2, 'mp4'), item(3, 'jpeg', meta=None))
    with site.server:
        yield site


@pytest.fixture
def run(site: AnnotatedSite, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Command:
    """Run a word of the command line, for which the site is Civitai."""

    def carry_out(word: str, *argv: object) -> Run:
        setting.civitai_base_url = site.server.url
        fresh_client(monkeypatch)
        try:
            code = main.main([str(one) for one in argv], word)
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfdbinary.readouterr()
        return Run(code, out.decode(), err.decode())

    return carry_out


def ids_in(lines: str) -> list[int]:
    return [json.loads(line)['id'] for line in lines.splitlines()]


def test_a_link_gives_the_pictures_of_its_listing(run: Command, site: AnnotatedSite) -> None:
    code, out, err = run('export', site.post)
    assert (code, ids_in(out)) == (0, [1, 3]) and '2 pictures.' in err
    assert json.loads(out.splitlines()[0])['caption'] == 'a teal harbour, 海'
    assert not site.asked('/original=true/'), 'no picture is fetched'


@pytest.mark.parametrize('form', ['jsonl', 'csv'])
def test_a_terminal_is_not_steered_by_what_strangers_wrote(
    run: Command, site: AnnotatedSite, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    site.items[0]['meta'] = {**META, 'prompt': 'red \x9b31m\x1b[31m harbour \u202egnp.exe 海'}
    argv = 'export', site.post, '--format', form
    piped = run(*argv).out
    assert '\x9b31m' in piped and '\u202e' in piped  # a program gets what was written
    monkeypatch.setattr(sys.stdout, 'isatty', lambda: True)
    shown = run(*argv).out
    assert 'red ?31m' in shown and '?gnp.exe 海' in shown
    assert not set('\x9b\x1b\u202e') & set(shown)


def test_videos_are_there_for_who_asks(run: Command, site: AnnotatedSite) -> None:
    assert ids_in(run('export', site.post, '--type', 'video').out) == [2]


@pytest.mark.parametrize(
    'argv, expected',
    [
        pytest.param(['--limit', '1'], [1], id='a number'),
        pytest.param(['--with-prompt'], [1], id='a prompt'),
        pytest.param(['--sort', 'newest', '--level', 'PG'], [1, 3], id='an order'),
    ],
)
def test_filters_are_those_of_download(
    argv: list[str], expected: list[int], run: Command, site: AnnotatedSite
) -> None:
    assert ids_in(run('export', site.post, *argv).out) == expected


def test_a_folder_gives_what_is_kept_without_asking_anybody(
    run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    folder = tmp_path / 'kept'
    assert run('download', site.post, '--to', folder).code == 0
    site.server.requests.clear()
    code, out, _ = run('export', folder)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, [row['file'] for row in rows]) == (
        0,
        [str(folder / n) for n in ('1.png', '3.jpg')],
    )
    assert all(len(row['sha256']) == 64 for row in rows) and not site.server.requests


def test_a_listing_names_the_files_that_are_here(
    run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    run('download', site.post, '--to', tmp_path / 'kept')
    out = run('export', site.post).out
    assert json.loads(out.splitlines()[0])['file'] == str(tmp_path / 'kept' / '1.png')


@pytest.mark.parametrize('how', [shutil.move, shutil.copytree], ids=['moved', 'copied'])
@pytest.mark.parametrize('embeds', ['--embed', '--no-embed'])
def test_a_folder_elsewhere_is_known_once_its_gallery_was_downloaded_to_it(
    how: Callable[[Path, Path], object],
    embeds: str,
    run: Command,
    site: AnnotatedSite,
    tmp_path: Path,
) -> None:
    assert run('download', site.post, '--to', tmp_path / 'kept', embeds).code == 0
    how(tmp_path / 'kept', tmp_path / 'new')
    ended = run('export', tmp_path / 'new')
    assert ended.code == 2 and f'--to {tmp_path / "new"}' in ended.err
    site.server.requests.clear()
    assert run('download', site.post, '--to', tmp_path / 'new', embeds).code == 0
    assert not site.asked('/original=true/')
    rows = [json.loads(line) for line in run('export', tmp_path / 'new').out.splitlines()]
    assert [row['file'] for row in rows] == [str(tmp_path / 'new' / n) for n in ('1.png', '3.jpg')]


def test_a_base_model_that_there_is_not_costs_no_table(
    run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    run('download', site.post, '--to', tmp_path / 'kept')
    (tmp_path / 'v.csv').write_bytes(b'before')
    argv = ('--base-model', 'SDXL', '--output', tmp_path / 'v.csv')
    code, out, err = run('export', tmp_path / 'kept', *argv)
    assert (code, out) == (2, '') and 'nearest names are' in err and 'SDXL 1.0' in err
    assert (tmp_path / 'v.csv').read_bytes() == b'before'


NOTHING_FITS = {
    'a link': ['POST', '--since', '2099-01-01'],
    'a folder': ['kept', '--base-model', 'Pony'],
    'a folder without videos': ['kept', '--type', 'video'],
}


@pytest.mark.parametrize('name', ['v.csv', 'new.parquet'])
@pytest.mark.parametrize('argv', NOTHING_FITS.values(), ids=NOTHING_FITS)
def test_where_no_picture_fits_no_file_is_written(
    argv: list[str],
    name: str,
    run: Command,
    site: AnnotatedSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run('download', site.post, '--to', 'kept', '--type', 'image')
    (tmp_path / 'v.csv').write_bytes(b'before')
    given = [site.post if one == 'POST' else one for one in argv]
    code, out, err = run('export', *given, '--output', name)
    assert (code, out) == (0, '') and f'No picture that fits was found, so {name} was not' in err
    assert (tmp_path / 'v.csv').read_bytes() == b'before' and not Path('new.parquet').exists()
    told = json.loads(run('export', *given, '--output', name, '--json').out)
    assert (told['rows'], told['reason'], told['complete']) == (0, 'complete', True)


def test_a_pipe_gets_an_empty_table_where_no_picture_fits(
    run: Command, site: AnnotatedSite
) -> None:
    code, out, err = run('export', site.post, '--since', '2099-01-01', '--format', 'csv')
    assert (code, list(csv.DictReader(io.StringIO(out)))) == (0, []) and out.startswith('url,')
    assert '0 pictures' in err


FORMS = {'.jsonl': 'jsonl', '.csv': 'csv', '.CSV': 'csv', '.parquet': 'parquet', '': 'jsonl'}


@pytest.mark.parametrize('ending, form', FORMS.items(), ids=FORMS)
def test_the_name_of_the_file_says_the_format(
    ending: str, form: str, run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    target = tmp_path / f'table{ending}'
    code, out, _ = run('export', site.post, '--output', target)
    assert code == 0 and out == f'2 pictures in {target}.\n'
    content = target.read_bytes()
    read = {
        'jsonl': lambda: [json.loads(line) for line in content.splitlines()],
        'csv': lambda: list(csv.DictReader(io.StringIO(content.decode()))),
        'parquet': lambda: pyarrow.parquet.read_table(target).to_pylist(),
    }
    assert [int(row['id']) for row in read[form]()] == [1, 3]


def test_who_says_the_format_may_call_the_file_anything(
    run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    target = tmp_path / 'table.txt'
    assert run('export', site.post, '--output', target, '--format', 'jsonl').code == 0
    assert ids_in(target.read_text('utf-8')) == [1, 3]


def test_a_program_is_told_apart_from_the_table(
    run: Command, site: AnnotatedSite, tmp_path: Path
) -> None:
    code, out, err = run('export', site.post, '--json')
    told = json.loads(err)
    assert ids_in(out) == [1, 3]
    assert (code, told['rows'], told['reason'], told['complete']) == (0, 2, 'complete', True)
    _, out, err = run('export', site.post, '--json', '--output', tmp_path / 'a.csv')
    assert json.loads(out)['format'] == 'csv' and err == ''


WRONG = {
    'nothing that is there': (['no-such'], 2, 'nor a folder'),
    'a folder of others': (['.'], 2, 'Nothing in . was kept'),
    'an order of a folder': (['.', '--sort', 'newest'], 2, 'a folder has no --sort'),
    'another site': (['https://example.com/models/1'], 2, ''),
    'a format': (['1', '--format', 'xlsx'], 2, 'none of: jsonl, csv, parquet'),
    'a format by its file': (['1', '--output', 'a.xlsx'], 2, 'jsonl, csv, parquet'),
    'a compressed file': (['1', '--output', 'a.csv.gz'], 2, '.gz'),
    'JSON that is not JSON lines': (['1', '--output', 'a.json'], 2, '--format'),
    'two formats': (['1', '--output', 'a.csv', '--format', 'jsonl'], 2, '.csv'),
    'two formats, hidden': (['1', '--output', '.csv', '--format', 'parquet'], 2, '.csv'),
    'a file in no folder': (['1', '--output', 'no/such/a.csv'], 2, 'no/such'),
    'a file below a file': (['1', '--output', f'{__file__}/a.csv'], 2, 'test_tables.py'),
    'a folder as output': (['POST', '--output', '.'], 1, ''),
    'a gallery that is not there': (['URL/models/999'], 1, ''),
}


@pytest.mark.parametrize('argv, code, says', WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_told_and_nothing_written(
    argv: list[str],
    code: int,
    says: str,
    run: Command,
    site: AnnotatedSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    given = [site.post if a == 'POST' else a.replace('URL', site.server.url) for a in argv]
    ended = run('export', *given)
    assert (ended.code, ended.out) == (code, '') and ended.err.strip() and says in ended.err
    assert files_in(tmp_path / 'here') == []


def test_a_listing_that_breaks_off_gives_a_table_that_is_told_as_incomplete(
    run: Command, site: AnnotatedSite
) -> None:
    site.metadata['nextCursor'] = 'further'
    site.instead['cursor=further'] = kept(ok(b'{"error": "no"}', status=400))
    code, out, err = run('export', site.post, '--json')
    told = json.loads(err.splitlines()[-1])
    assert (code, ids_in(out), told['reason'], told['complete']) == (1, [1, 3], 'incomplete', False)
    assert len(told['gaps']) == 1


def test_files_that_are_gone_are_told(run: Command, site: AnnotatedSite, tmp_path: Path) -> None:
    run('download', site.post, '--to', tmp_path / 'kept')
    (tmp_path / 'kept' / '1.png').unlink()
    code, out, err = run('export', tmp_path / 'kept')
    assert (code, ids_in(out)) == (0, [3]) and 'deleted: 1 files' in err


def test_parquet_without_pyarrow_says_how_to_get_it(
    run: Command, site: AnnotatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    for ended in (run('export', site.post, '--format', 'parquet'), run('import-table', ROOT)):
        assert ended.code == 1 and '-m pip install pyarrow' in ended.err and not ended.out
    assert not site.server.requests


PROGRAM = (
    'import signal, sys\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
    'from scripts.civitai_manager_libs.cli import main\n'
    'sys.exit(main.main(sys.argv[1:], "export"))'
)


def start(site: AnnotatedSite, *argv: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-c', PROGRAM, *map(str, argv)],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_BASE_URL': site.server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')
@pytest.mark.parametrize('number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_leaves_nothing(number: int, code: int, site: AnnotatedSite, tmp_path: Path) -> None:
    silent: Answer = (STALL,)
    site.instead['/api/v1/images'] = silent
    target = tmp_path / 'out' / 'table.csv'
    target.parent.mkdir()
    process = start(site, site.post, '--output', target)
    assert site.server.stalled.wait(PATIENCE)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, '') and 'Nothing was written' in err
    assert files_in(target.parent) == []


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such pipes')
def test_a_reader_that_leaves_early_is_told_in_one_line(site: AnnotatedSite) -> None:
    site.items[:] = [item(n) for n in range(1, 2000)]
    process = start(site, site.post)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(30) == 1 and len(err.splitlines()) == 1
    assert 'program that read the table stopped reading' in err
    process.stderr.close()


@pytest.mark.skipif(sys.platform == 'win32', reason='no shell of that kind')
def test_where_stdout_is_closed_it_is_told_in_one_line(site: AnnotatedSite) -> None:
    done = subprocess.run(
        ['sh', '-c', 'exec "$@" >&-', 'sh', sys.executable, '-c', PROGRAM, site.post],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_BASE_URL': site.server.url},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='there is no such device')
@pytest.mark.parametrize('is_named', [True, False], ids=['a file', 'stdout'])
def test_a_full_disk_is_told_in_one_line(is_named: bool, site: AnnotatedSite) -> None:
    with open('/dev/full', 'wb') as full:
        process = subprocess.run(
            [
                sys.executable,
                '-c',
                PROGRAM,
                site.post,
                '--output',
                '/dev/full' if is_named else '-',
            ],
            cwd=ROOT,
            env={**os.environ, 'CIVITAI_BASE_URL': site.server.url},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert 'disk is full' in process.stderr and 'Traceback' not in process.stderr
    assert process.returncode == 1


# --- import-table --------------------------------------------------------------------------------


@pytest.fixture
def fetched(run: Command, site: AnnotatedSite, tmp_path: Path) -> Path:
    """A folder as img2dataset leaves it, made of a table that was written here."""
    folder = tmp_path / 'far'
    (folder / '00000').mkdir(parents=True)
    rows = [json.loads(line) for line in run('export', site.post).out.splitlines()]
    for place, row in enumerate(rows):
        content = site.bytes_of(row['id'])
        (folder / '00000' / f'{place:09d}.jpg').write_bytes(content)
        told = {name: row[name] for name in ('id', 'url', 'caption', 'page', 'username', 'meta')}
        rows[place] = {**told, 'key': f'{place:09d}', 'status': 'success', 'error_message': None}
        rows[place]['sha256'] = site.sha256_of(row['id'])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / '00000.parquet')
    return folder


def as_folder(folder: Path) -> Path:
    return folder


def as_file(folder: Path) -> Path:
    return folder / '00000.parquet'


def as_pattern(folder: Path) -> Path:
    return folder / '*.parquet'


@pytest.mark.parametrize('named', [as_folder, as_file, as_pattern])
def test_what_was_kept_elsewhere_is_not_fetched_again(
    named: Callable[[Path], Path], run: Command, site: AnnotatedSite, fetched: Path, tmp_path: Path
) -> None:
    code, out, err = run('import-table', named(fetched))
    assert (code, err) == (0, '') and '2 pictures taken in, 0 known already' in out
    argv = (site.post, '--to', tmp_path / 'kept', '--type', 'image')
    assert run('download', *argv).code == 0
    assert not site.asked('/original=true/') and files_in(tmp_path / 'kept') == ['1.png', '3.jpg']
    assert run('verify', fetched).code == 0


def test_a_program_is_told_what_came_of_each_row(run: Command, fetched: Path) -> None:
    told = json.loads(run('import-table', fetched, '--json').out)
    expected = {'tables': 1, 'kept': 2, 'failed': 0, 'refused': 0, 'reason': 'complete'}
    assert {name: told[name] for name in expected} == expected


def test_one_table_that_is_none_stops_no_other(run: Command, fetched: Path) -> None:
    (fetched / '00001.parquet').write_bytes(b'PAR1')
    code, out, err = run('import-table', fetched)
    assert code == 1 and '2 pictures taken in' in out and '00001.parquet is no whole' in err


@pytest.mark.parametrize('form', ['csv', 'jsonl'])
def test_only_parquet_is_taken_in(
    form: str, run: Command, site: AnnotatedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'far').mkdir()
    run('export', site.post, '--output', f'far/pictures.{form}')
    code, _, err = run('import-table', f'far/pictures.{form}')
    assert code == 1 and f'far/pictures.{form}' in err and 'Only Parquet' in err


def test_what_failed_there_is_told_with_the_way_on(run: Command, fetched: Path) -> None:
    table = pyarrow.parquet.read_table(fetched / '00000.parquet')
    rows = table.to_pylist()
    rows[0].update(status='failed_to_download', error_message='HTTP Error 503: Busy')
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), fetched / '00000.parquet')
    code, out, err = run('import-table', fetched)
    assert code == 1 and 'Failed there: 1, HTTP 503' in err and '`download`' in out


@pytest.mark.parametrize('name', ['no-such', 'no-such/*.parquet', ''])
def test_where_there_is_no_table_usage_is_told(name: str, run: Command, tmp_path: Path) -> None:
    given = tmp_path / name
    code, out, err = run('import-table', given)
    assert (code, out) == (2, '') and 'usage:' in err and 'no table' in err
