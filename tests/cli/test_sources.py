"""Several sources at once: what is wrong with one stops no other, and the code is the worst."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from scripts.civitai_manager_libs.http_client.pacing import throttle
from tests.support.network import at_home, files_in
from tests.support.scripted_server import Answer, kept, ok
from tests.support.settings_sandbox import fresh_client
from tests.support.small_site import small_site

NO_PICTURE = kept(ok(b'{"error": "no"}', Content_Type='application/json'))

GOOD, GOOD_TOO = '/posts/1', '/posts/2'
EMPTY, EMPTY_TOO = '/images?tags=44', '/images?tags=55'
MISSING = '/models/404'
BAD = 'https://example.org/models/1'
HALF, NONE = '/posts/3', '/posts/4'

BUSY = kept(ok(b'', status=503, Retry_After='1'))

INSTEAD: dict[str, Answer] = {'/302/': NO_PICTURE, '/key/40': NO_PICTURE, '/701/': BUSY}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'pictures'


Download = Callable[..., tuple[int, str, str]]


@pytest.fixture
def download(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Download]:
    """Run the command line against the small site; a source may be a mere path there."""
    fresh_client(monkeypatch)
    with small_site(instead=INSTEAD) as server:
        at_home(monkeypatch, server)

        def run(sources: Sequence[str], *options: str) -> tuple[int, str, str]:
            links = [server.url + s if s.startswith('/') else s for s in sources]
            code = main.main([*links, '--to', str(folder), *options])
            return code, *capsys.readouterr()

        yield run


@pytest.mark.parametrize(
    ('sources', 'code', 'pictures'),
    [
        pytest.param([GOOD], 0, 3, id='one'),
        pytest.param([GOOD, GOOD_TOO], 0, 6, id='two'),
        pytest.param([GOOD, GOOD], 0, 3, id='one twice'),
        pytest.param([EMPTY], 0, 0, id='nothing there'),
        pytest.param([EMPTY, GOOD], 0, 3, id='nothing there and one'),
        pytest.param([HALF], 1, 2, id='half'),
        pytest.param([MISSING], 1, 0, id='unknown'),
        pytest.param([MISSING, GOOD], 1, 3, id='unknown first'),
        pytest.param([GOOD, MISSING], 1, 3, id='unknown last'),
        pytest.param([HALF, GOOD], 1, 5, id='half and one'),
        pytest.param([BAD], 2, 0, id='bad link'),
        pytest.param([BAD, GOOD], 2, 3, id='bad link first'),
        pytest.param([GOOD, BAD, GOOD_TOO], 2, 6, id='bad link between'),
        pytest.param([BAD, MISSING, HALF], 2, 2, id='all kinds'),
        pytest.param(['', GOOD], 2, 3, id='an empty one'),
        pytest.param(['0', GOOD], 2, 3, id='an id that is none'),
    ],
)
@pytest.mark.parametrize('options', [[], ['--json']], ids=['text', 'json'])
def test_what_is_wrong_with_one_stops_no_other_and_the_code_is_the_worst(
    download: Download,
    folder: Path,
    sources: list[str],
    code: int,
    pictures: int,
    options: list[str],
) -> None:
    ended, _, told = download(sources, *options)
    assert ended == code
    assert len(files_in(folder)) == pictures
    assert bool(told) is bool(code)


def test_each_that_went_wrong_is_named(download: Download) -> None:
    _, out, told = download([GOOD, BAD, MISSING])
    lines = told.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f'{BAD}: ') and 'not on Civitai' in lines[0]
    assert MISSING in lines[1] and '(404)' in lines[1]
    assert out.count('\n') == 1 and GOOD in out and '3 saved' in out


def test_a_token_in_one_of_several_links_is_not_shown(download: Download) -> None:
    links = [f'{GOOD}?token=geheim', f'{BAD}?token=geheim', 'civitai.com/x?api_key=geheim']
    for options in ([], ['--json']):
        _, out, told = download(links, *options)
        assert 'geheim' not in out + told


SECRETS = {
    'alone': 'token=geheim',
    'of another name': 'api_key=geheim',
    'in a long name': 'my_access_token_2=geheim',
    'in capitals': 'TOKEN=geheim',
    'escaped': 'token%3Dgeheim',
    'behind words': 'take this token=geheim please',
    'behind a mark': 'civitai.com/models/404#token=geheim',
    'without a question mark': 'https://civitai.com/models/x&token=geheim',
    'as a part of a path': 'https://civitai.com/models/x/token=geheim',
    'of a login': 'https://me:geheim@civitai.com/models/x',
    'of another site': 'example.org/models/1?apikey=geheim',
}


@pytest.mark.parametrize('source', SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize('options', [[], ['--json'], ['--dry-run']], ids=['', 'json', 'dry'])
def test_no_message_shows_a_secret(download: Download, source: str, options: list[str]) -> None:
    for sources in ([source], [source, GOOD]):
        _, out, told = download(sources, *options)
        assert told and 'geheim' not in out + told


@pytest.mark.parametrize(
    'word, argv',
    [
        ('jobs', ['token=geheim']),
        ('retry', ['token=geheim']),
        ('retry', ['1', 'token=geheim']),
        ('config', ['token=geheim']),
        ('verify', ['token=geheim']),
        ('download', ['--token=geheim']),
        ('download', ['1', '--since', 'key=geheim']),
        ('download', ['1', '--from', 'key=geheim']),
    ],
)
def test_wrong_usage_shows_no_secret_either(
    word: str, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main.main(argv, word)
    out, err = capsys.readouterr()
    assert err and 'geheim' not in out + err


@pytest.mark.parametrize(
    ('source', 'reason'),
    [
        pytest.param(GOOD, 'complete', id='one'),
        pytest.param(EMPTY, 'complete', id='nothing there'),
        pytest.param(HALF, 'incomplete', id='half'),
        pytest.param(NONE, 'failed', id='no picture'),
        pytest.param(MISSING, 'not_found', id='unknown'),
        pytest.param('/user/Noor-Void', 'not_found', id='no such user'),
        pytest.param(BAD, 'usage', id='bad link'),
    ],
)
def test_json_tells_the_reason(download: Download, source: str, reason: str) -> None:
    code, out, _ = download([source], '--json')
    alone = json.loads(out)
    assert alone['reason'] == reason
    assert ('error' in alone) is ('files' not in alone)

    many_code, out, _ = download([source, EMPTY_TOO], '--json')
    many: dict[str, Any] = json.loads(out)
    assert (many_code, many['reason']) == (code, reason)
    assert [part['reason'] for part in many['sources']] == [reason, 'complete']
    assert source in many['sources'][0]['source']


def test_json_of_several_has_a_report_of_each_in_their_order(
    download: Download, folder: Path
) -> None:
    _, out, _ = download([GOOD, HALF, GOOD_TOO], '--json')
    parts = json.loads(out)['sources']
    assert [(part['saved'], part['failed']) for part in parts] == [(3, 0), (2, 1), (3, 0)]
    kept_files = sorted(path for part in parts for path in part['files'])
    assert kept_files == sorted(str(path) for path in folder.iterdir())


def test_a_limit_counts_for_each(download: Download, folder: Path) -> None:
    assert download([GOOD, GOOD_TOO], '--limit', '2')[0] == 0
    assert len(files_in(folder)) == 4


def test_what_is_hidden_is_counted_in_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {'id': 1, 'url': 'https://image.civitai.com/k/1/width=1/1.png', 'browsingLevel': 16}
    page = json.dumps({'items': [item], 'metadata': {}}).encode()
    with small_site(instead={'/api/v1/images': kept(ok(page))}) as server:
        at_home(monkeypatch, server)
        code = main.main([f'{server.url}/posts/1', '--to', str(folder), '--json'])
    out, told = capsys.readouterr()
    report = json.loads(out)
    assert (code, report['hidden'], report['files'], report['reason']) == (0, 1, [], 'complete')
    assert setting.gallery_maturity_ceiling in told and ': 1.' in told


def test_a_folder_that_cannot_be_made_fails_each(download: Download, folder: Path) -> None:
    folder.write_text('mine')
    code, out, told = download([GOOD, GOOD_TOO], '--json')
    assert code == 1 and told.count(str(folder)) == 2
    assert {part['reason'] for part in json.loads(out)['sources']} == {'failed'}
    assert folder.read_text() == 'mine'


@pytest.mark.parametrize('watched', [True, False], ids=['terminal', 'pipe'])
def test_a_wait_is_told_to_who_watches(
    download: Download, monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    monkeypatch.setattr(throttle, 'TOLD_SECONDS', 0.5)
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: watched)
    code, out, err = download(['/posts/7'])
    told = [line for line in err.replace('\r', '\n').splitlines() if 'asks us to wait' in line]
    sentence = '127.0.0.1 asks us to wait (503). Going on in 1 s; what is there stays. (try 2 of 5)'
    assert told == [sentence] * watched
    assert code == 1 and '2 saved' in out
