"""Whole galleries from the command line: which pictures, under which names, and what is said."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from civitai_demo.api.image_bodies import tags_of
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import Picture, load_catalog
from scripts.civitai_manager_libs import setting, texts
from scripts.civitai_manager_libs.cli import main, screens
from tests.support.network import files_in
from tests.support.settings_sandbox import fresh_client

MODEL, VERSION = 4703, 470302
PAGE = f'/models/{MODEL}?modelVersionId={VERSION}'
OF_VERSION = [one for one in load_catalog().pictures if VERSION in one.version_ids]
SAFE = [one for one in OF_VERSION if one.level == 1]
NEWEST = sorted(SAFE, key=lambda one: one.created, reverse=True)
MIDDLE = NEWEST[len(NEWEST) // 2].created.isoformat()


class Run(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        """The report, which is all that stdout holds."""
        report: dict[str, Any] = json.loads(self.out)
        return report


Command = Callable[..., Run]


@pytest.fixture
def run(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a word of the command line; an argument may be a mere path of the stand-in."""

    def carry_out(*argv: object, word: str = 'download') -> Run:
        fresh_client(monkeypatch)
        said = [f'{demo.url}{one}' if str(one).startswith('/models') else str(one) for one in argv]
        try:
            code = main.main(said, word)
        except SystemExit as end:
            code = int(end.code or 0)
        return Run(code, *capsys.readouterr())

    return carry_out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'kept'


def ids(pictures: list[Picture]) -> set[str]:
    return {str(one.id) for one in pictures}


def kept(folder: Path) -> set[str]:
    return {path.stem for path in folder.rglob('*.*')}


def test_without_a_limit_all_is_kept_and_it_is_complete(run: Command, folder: Path) -> None:
    done = run(PAGE, '--to', folder, '--json', '--sidecar', 'none')
    assert (done.code, done.told['complete']) == (0, True)
    assert kept(folder) == ids(SAFE)
    assert done.told['found'] == done.told['saved'] == len(SAFE)
    assert done.told['bytes'] == sum(path.stat().st_size for path in folder.iterdir())
    assert done.told['seconds'] > 0 and done.told['gaps'] == []
    assert done.out.count('\n') == 1


def test_a_model_without_a_version_is_all_its_versions(run: Command, folder: Path) -> None:
    model = load_catalog().model(MODEL)
    assert model is not None and len(model.versions) > 1
    numbers = {version.id for version in model.versions}
    expected = [p for p in load_catalog().pictures if p.level == 1 and numbers & set(p.version_ids)]
    assert run(f'/models/{MODEL}', '--to', folder).code == 0
    assert kept(folder) == ids(expected)


FILTERS: dict[str, tuple[list[str], list[Picture]]] = {
    'a limit': (['--limit', '5', '--sort', 'newest'], NEWEST[:5]),
    'since': (['--since', MIDDLE], [p for p in NEWEST if p.created.isoformat() >= MIDDLE]),
    'until': (['--until', MIDDLE], [p for p in NEWEST if p.created.isoformat() < MIDDLE]),
    'a type': (['--type', 'video'], [p for p in SAFE if p.kind == 'video']),
    'with a prompt': (
        ['--with-prompt'],
        [p for p in SAFE if (p.generation.meta() or {}).get('prompt')],
    ),
    'a level': (
        ['--level', 'r', '--type', 'image'],
        [p for p in OF_VERSION if p.level in (1, 2, 4) and p.kind == 'image'],
    ),
    'an order': (['--sort', 'most-reactions', '--limit', '3'], []),
}


@pytest.mark.parametrize('words, expected', FILTERS.values(), ids=FILTERS)
def test_only_what_is_asked_for_is_kept_and_that_is_said(
    run: Command, folder: Path, words: list[str], expected: list[Picture]
) -> None:
    done = run(PAGE, '--to', folder, *words)
    assert (done.code, done.err) == (0, '')
    assert kept(folder) == ids(expected) if expected else len(kept(folder)) == 3
    said = [word for word in words if word.startswith('--') and word != '--level']
    assert all(word in done.out for word in said)


@pytest.mark.parametrize('by', ['name', 'NAME', 'id'])
def test_a_tag_is_taken_by_its_id_or_its_name(run: Command, folder: Path, by: str) -> None:
    tags = Counter(tag for picture in SAFE for tag in tags_of(picture))
    number, name = next(tag for tag, times in tags.items() if times < len(SAFE))
    expected = [picture for picture in SAFE if (number, name) in tags_of(picture)]
    given = {'name': name, 'NAME': name.upper(), 'id': str(number)}[by]
    assert run(PAGE, '--to', folder, '--tag', given).code == 0
    assert kept(folder) == ids(expected)
    assert 0 < len(expected) < len(SAFE)


def test_files_are_called_as_was_asked(run: Command, folder: Path) -> None:
    name = '{model}/{index:03d} {id}'
    assert run(PAGE, '--to', folder, '--limit', 2, '--name', name).code == 0
    assert [path.rpartition(' ')[0] for path in files_in(folder)] == [
        'Northern Nights/001',
        'Northern Nights/002',
    ]


WRONG = {
    'a time': ['--since', 'yesterday'],
    'times in the wrong order': ['--since', '2025-02-01', '--until', '2025-01-01'],
    'a type': ['--type', 'text'],
    'an order': ['--sort', 'Random'],
    'a period': ['--period', 'Century'],
    'a name': ['--name', '{nothing}'],
    'a name that leads elsewhere': ['--name', '../{id}'],
    'a name of a drive': ['--name', 'C:/{id}'],
    'a name of nothing': ['--name', ' /{id}'],
    'a name of braces': ['--name', '{id'],
    'a number': ['--concurrency', '0'],
    'too many': ['--concurrency', '65'],
    'an empty tag': ['--tag', ''],
    'a list that is not there': ['--from', '/no/such/list'],
}


@pytest.mark.parametrize('words', WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_wrong_usage_told_in_a_sentence(
    demo: DemoServer, run: Command, folder: Path, words: list[str]
) -> None:
    done = run(PAGE, '--to', folder, *words)
    assert (done.code, done.out) == (2, '')
    usage, sentence = done.err.splitlines()
    assert usage.startswith('usage: ') and len(sentence) > 20
    assert demo.requests == [] and not folder.exists()


@pytest.mark.parametrize(
    ('encoding', 'before'),
    [
        ('utf-8', ''),
        ('utf-8-sig', '\ufeff'),
        ('utf-16', '\ufeff'),
        ('utf-16-le', '\ufeff'),
        ('utf-16-be', '\ufeff'),
        ('utf-32', ''),
    ],
)
def test_sources_come_from_a_file_and_through_a_pipe(
    demo: DemoServer,
    run: Command,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
    before: str,
) -> None:
    pages = [f'{demo.url}/images/{picture.id}' for picture in SAFE[:4]]
    listed = tmp_path / 'links.txt'
    mark = before if encoding.endswith('e') else ''
    listed.write_bytes(f'{mark}# mine\n\n{pages[0]}\r\n  {pages[1]}  \r\n'.encode(encoding))
    monkeypatch.setattr(sys, 'stdin', io.StringIO(f'{before}{pages[2]}\r\n\n#{pages[0]}'))
    done = run(pages[3], '-', '--from', listed, '--to', folder, '--json')
    assert (done.code, len(done.told['sources'])) == (0, 4)
    assert kept(folder) == ids(SAFE[:4])
    assert (done.told['saved'], done.told['complete']) == (4, True)


NO_TEXT = {
    'another encoding': 'https://civitai.com/images/1 # größe'.encode('latin-1'),
    'utf-16 without a mark': '4201'.encode('utf-16-le'),
    'half of utf-16': b'\xff\xfe4\x002',
    'a picture': b'\x89PNG\r\n\x1a\n\0\0',
}


@pytest.mark.parametrize('content', NO_TEXT.values(), ids=NO_TEXT)
@pytest.mark.parametrize('piped', [False, True], ids=['file', 'pipe'])
def test_a_list_that_is_no_text_is_told_in_a_sentence(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, piped: bool
) -> None:
    listed = tmp_path / 'links.txt'
    listed.write_bytes(content)
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(content), encoding='utf-8'))
    done = run(*(['-'] if piped else ['--from', listed]))
    assert done.code == 2 and 'UTF-8' in done.err and 'Error' not in done.err


def test_a_pipe_of_windows_is_read(
    demo: DemoServer, run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f'{demo.url}/images/{SAFE[0].id}'
    pipe = io.TextIOWrapper(io.BytesIO(f'{page}\r\n'.encode('utf-16')), encoding='utf-8')
    monkeypatch.setattr(sys, 'stdin', pipe)
    assert run('-', '--to', folder).code == 0 and kept(folder) == {str(SAFE[0].id)}


def test_an_empty_list_is_wrong_usage(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO('# nothing\n'))
    done = run('-')
    assert done.code == 2 and 'SOURCE' in done.err


def test_without_a_folder_each_source_gets_its_own(
    demo: DemoServer, run: Command, downloads: Path
) -> None:
    picture = SAFE[0]
    done = run(PAGE, f'{demo.url}/images/{picture.id}', '--limit', 1)
    assert done.code == 0
    found = {path.split('/')[0] for path in files_in(downloads)}
    assert found == {'Northern Nights', f'image {picture.id}'}


def test_what_is_not_there_leaves_no_folder(demo: DemoServer, run: Command, folder: Path) -> None:
    done = run(f'{demo.url}/user/nobodyatall', '--to', folder)
    assert done.code == 1 and 'nobodyatall' in done.err and not folder.exists()


@pytest.mark.parametrize('words', [[], ['--json']], ids=['text', 'json'])
def test_a_dry_run_lists_and_counts_and_keeps_nothing(
    demo: DemoServer, run: Command, folder: Path, words: list[str]
) -> None:
    run(PAGE, '--to', folder, '--limit', 2, '--sort', 'newest')
    before = files_in(folder)
    demo.requests.clear()
    done = run(PAGE, '--to', folder, '--dry-run', *words)
    assert (done.code, done.err) == (0, '')
    assert files_in(folder) == before
    assert not [one for one in demo.requests if 'original=true' in one.path]
    if words:
        told = done.told
        assert (told['found'], told['already'], told['complete']) == (len(SAFE), 2, True)
        assert told['left'] == len(SAFE) - 2
        paths = told['files']
    else:
        *paths, last = done.out.splitlines()
        counts = f'{len(SAFE)} found: {len(SAFE) - 2} would be saved and 2 are there already'
        assert counts in last and 'Nothing was kept' in last
    assert {Path(path).stem for path in paths} == ids(SAFE) - ids(NEWEST[:2])
    assert [row['state'] for row in run('--json', word='jobs').told] == ['ended']  # type: ignore


@pytest.mark.parametrize('words', [[], ['--json']], ids=['text', 'json'])
def test_a_dry_run_promises_no_endings(
    demo: DemoServer, run: Command, folder: Path, words: list[str]
) -> None:
    done = run(PAGE, '--to', folder, '--dry-run', *words)
    assert 'only then is its ending known' in done.out
    run(PAGE, '--to', folder)
    again = run(PAGE, '--to', folder, '--dry-run', *words)
    assert 'ending' not in again.out, 'nothing is foretold where nothing is left to fetch'


@pytest.mark.parametrize(
    'words, watched, shown',
    [
        ([], True, 20),
        ([], False, len(SAFE)),
        (['--verbose'], True, len(SAFE)),
        (['--limit', '20'], True, 20),
        (['--quiet'], True, 20),
    ],
    ids=['terminal', 'pipe', 'verbose', 'few', 'quiet'],
)
def test_a_dry_run_does_not_bury_what_it_says(
    run: Command,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    watched: bool,
    shown: int,
) -> None:
    assert len(SAFE) > 21
    level = logging.getLogger().level
    monkeypatch.setattr(sys.stdout, 'isatty', lambda: watched)
    done = run(PAGE, '--to', folder, '--dry-run', *words)
    logging.getLogger().setLevel(level)
    lines = done.out.splitlines()
    paths = [line for line in lines if line.startswith(str(folder))]
    assert len(paths) == len(set(paths)) == shown
    left = [line for line in lines if f'{len(SAFE) - 20} more' in line and '--verbose' in line]
    assert bool(left) is (shown < len(SAFE) and '--limit' not in words)
    if '--quiet' not in words:
        assert 'Nothing was kept' in lines[-1]


def test_quiet_tells_problems_only(demo: DemoServer, run: Command, folder: Path) -> None:
    assert run(PAGE, '--to', folder, '--limit', 2, '--quiet') == (0, '', '')
    demo.scenario = 'truncated'
    done = run(PAGE, '--to', folder, '--quiet')
    assert done.code == 1 and done.out == '' and 'broke off' in done.err


def test_what_takes_long_is_told_while_it_runs(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, 'FIRST_LINE', 0)
    monkeypatch.setattr(screens, 'FIRST_EVENT', 0)
    plain = run(PAGE, '--to', folder, '--limit', 20)
    assert plain.code == 0 and ' found on 1 pages' in plain.err
    events = [json.loads(line) for line in run(PAGE, '--to', folder, '--json').err.splitlines()]
    assert events and {event['event'] for event in events} == {'progress'}
    assert all(event['found'] for event in events[1:])


@pytest.mark.parametrize('columns', [80, 160])
def test_bars_move_on_a_terminal_and_go_away(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setenv('COLUMNS', str(columns))
    done = run(PAGE, '--to', folder)
    assert done.code == 0 and f'/{len(SAFE)}' in done.err and ' left' in done.err
    assert f'{len(SAFE)} saved' in done.out


@pytest.mark.parametrize('language', texts.LANGUAGES)
@pytest.mark.parametrize('word', main.TAKES)
def test_help_tells_each_option_in_the_language_of_the_person(
    run: Command, word: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('COLUMNS', '200')
    setting.save({'language': language})
    done = run('--help', word=word)
    assert (done.code, done.err) == (0, '')
    said = ' '.join(done.out.split())
    assert texts.text(f'help_{word}', language)[:40] in said
    assert f'python civitai_gallery.py {word}' in said


def test_each_try_is_told_where_that_is_wanted(
    demo: DemoServer, run: Command, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger().level
    demo.scenario = '503:1'
    try:
        assert run(PAGE, '--to', folder, '--limit', 1, '--verbose').code == 0
        assert 'Again in' in caplog.text
    finally:
        logging.getLogger().setLevel(level)


OF = {
    'a model': (f'/models/{MODEL}', 'Northern Nights'),
    'a version': (PAGE, 'Northern Nights'),
    'a user': (f'/user/{SAFE[0].user.name}', SAFE[0].user.name),
    'an image': (f'/images/{SAFE[0].id}', f'/images/{SAFE[0].id}'),
}


@pytest.mark.parametrize('page, title', OF.values(), ids=OF)
def test_the_list_of_jobs_says_what_each_is_of(
    demo: DemoServer, run: Command, folder: Path, page: str, title: str
) -> None:
    run(f'{demo.url}{page}', '--to', folder, '--limit', 1)
    assert title in run(word='jobs').out.split('  ')[2]
    [row] = run('--json', word='jobs').told  # type: ignore[misc]
    assert title in row['title'] and row['source']


MADE_WITH = Counter(one.version.base_model for one in SAFE).most_common(1)[0][0]


@pytest.mark.parametrize(
    'spelled', [MADE_WITH.lower(), MADE_WITH.upper(), MADE_WITH.replace(' ', '-')]
)
def test_a_base_model_is_known_in_any_spelling(run: Command, folder: Path, spelled: str) -> None:
    done = run(PAGE, '--to', folder, '--base-model', spelled, '--json')
    assert (done.code, done.told['asked']['base_model']) == (0, MADE_WITH)
    assert done.told['found'] > 0


@pytest.mark.parametrize(
    'given, near', [('SDXL 1.1', 'SDXL 1.0'), ('ponny', 'Pony'), ('Flux1.D', 'Flux.1 D')]
)
@pytest.mark.parametrize('page', [PAGE, f'/models/{MODEL}'], ids=['a version', 'a model'])
@pytest.mark.parametrize('dry', [[], ['--dry-run']], ids=['', 'dry'])
def test_of_an_unknown_base_model_the_nearest_are_named(
    run: Command, folder: Path, given: str, near: str, page: str, dry: list[str]
) -> None:
    done = run(page, '--to', folder, '--base-model', given, *dry)
    assert (done.code, done.out) == (2, '') and not folder.exists()
    assert given in done.err and near in done.err and '400' not in done.err
    assert done.err.count('\n') == 1
    assert run('--json', word='jobs').told == []


def test_one_that_is_new_to_us_is_asked_for(demo: DemoServer, run: Command, folder: Path) -> None:
    run(PAGE, '--to', folder, '--base-model', 'Flux 9 Next')
    assert [one for one in demo.requests if one.path == '/api/v1/images']
