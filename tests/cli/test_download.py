"""The command line: pictures of a link on disk, and what it says when that does not work."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
import responses
from PIL import Image

import civitai_gallery
from civitai_demo.api.scenarios import CDN, DEMO_KEY, part_of, picture_is_chosen
from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import OPENING_VERSION_ID
from scripts.civitai_manager_libs import http_client, setting
from scripts.civitai_manager_libs.cli import main
from scripts.civitai_manager_libs.downloads import wanted
from scripts.civitai_manager_libs.store import media
from tests.support.network import png
from tests.support.paths import ROOT
from tests.support.pictures import MOVIE
from tests.support.scripted_server import Request, ScriptedServer, ok
from tests.support.settings_sandbox import fresh_client

EXTENSIONS = {'.png': 'PNG', '.jpg': 'JPEG', '.webp': 'WEBP', '.gif': 'GIF'}


class Run(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Run]

NOTHING = 'No pictures found up to your maturity ceiling (PG).'
BEYOND = '(--level R asks for more)'


@pytest.fixture
def download(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line in this process, each time with a client that remembers nothing."""

    def run(*argv: str) -> Run:
        fresh_client(monkeypatch)
        try:
            code = main.main([str(word) for word in argv])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        return Run(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'new' / 'my pictures ü'


def in_order(folder: Path) -> list[Path]:
    """All files of `folder`, each of them whole and named by its bytes."""
    found = sorted(folder.iterdir())
    for path in found:
        if path.suffix == '.mp4':
            assert media.sniff(path.read_bytes()) == media.MP4
            continue
        with Image.open(path) as picture:
            assert picture.format == EXTENSIONS[path.suffix]
            picture.load()
    return found


def cdn_requests(demo: DemoServer) -> list[str]:
    return [record.path for record in demo.requests if part_of(record.path) == CDN]


def requests_for_pages(demo: DemoServer) -> int:
    return sum(record.path == '/api/v1/images' for record in demo.requests)


# --- downloads -------------------------------------------------------------------------------


def test_one_page_is_kept_with_the_extensions_of_the_bytes(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 24)
    assert (done.code, done.err) == (0, '')
    files = in_order(folder)
    assert len(files) == 24
    assert len({path.suffix for path in files}) > 1, 'the names of the addresses say .jpeg only'
    assert '24 saved' in done.out and str(folder) in done.out


def test_originals_with_their_generation_data_are_kept(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    download(demo.url + OPENING_PATH, '--to', folder, '--limit', 12)
    assert all('/original=true/' in path for path in cdn_requests(demo))
    texts = [Image.open(path).info.get('parameters', '') for path in folder.glob('*.png')]
    assert any('Steps: ' in text for text in texts)


@pytest.mark.parametrize(('limit', 'pages'), [(1, 1), (24, 1), (25, 2), (50, 3)])
def test_a_limit_is_kept_over_as_many_pages_as_it_takes(
    demo: DemoServer,
    download: Command,
    folder: Path,
    limit: int,
    pages: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wanted, 'MAX_LIMIT', 24)
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', limit)
    assert done.code == 0
    assert len(in_order(folder)) == limit == len(cdn_requests(demo))
    assert requests_for_pages(demo) == pages


def test_many_pictures_are_listed_at_once(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    assert download(demo.url + OPENING_PATH, '--to', folder, '--limit', 50).code == 0
    assert len(in_order(folder)) == 50 and requests_for_pages(demo) == 1


def test_a_limit_above_all_there_is_keeps_all(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    version = next(m for m in load_catalog().models if m.id == 4452).versions[0]
    expected = [p for p in load_catalog().pictures if version.id in p.version_ids and p.level == 1]
    done = download(f'{demo.url}/model-versions/{version.id}', '--to', folder, '--limit', 9999)
    assert done.code == 0
    assert {path.stem for path in in_order(folder)} == {str(picture.id) for picture in expected}


@pytest.mark.parametrize('source', ['image', 'post', 'model id'])
def test_other_links_are_kept_too(
    demo: DemoServer, download: Command, folder: Path, source: str
) -> None:
    picture = next(p for p in load_catalog().pictures if p.level == 1)
    link = {
        'image': f'{demo.url}/images/{picture.id}',
        'post': f'{demo.url}/posts/{picture.post_id}',
        'model id': str(OPENING_VERSION_ID // 100),
    }[source]
    assert download(link, '--to', folder, '--limit', 24).code == 0
    assert in_order(folder)
    if source == 'image':
        assert [path.stem for path in in_order(folder)] == [str(picture.id)]


def test_what_a_front_page_shows_is_kept(demo: DemoServer, download: Command, folder: Path) -> None:
    page = f'"{demo.url}/videos?sort=Newest&period=Year",'
    done = download(page, '--to', folder, '--limit', 3, '--sidecar', 'none')
    newest = [p.id for p in load_catalog().pictures if p.level == 1 and p.kind == 'video'][:3]
    assert done.code == 0
    assert {path.name for path in in_order(folder)} == {f'{number}.mp4' for number in newest}


@pytest.mark.parametrize(
    ('link', 'words'),
    [
        ('/user/lumen_fox/models', 'This is a list of models, not a gallery'),
        ('/user/lumen_fox/images?section=reactions', 'the pictures of other people'),
        ('/collections/5', 'which pictures are in a collection'),
        ('/images?sort=Random', '"Random" is nothing that Civitai knows as sort'),
        ('/models/4201\nhttps://civitai.com/models/4202', 'Paste one at a time'),
        (f'/xG1/{"0" * 8}-0000-4000-8000-{"0" * 12}/original=true/a.jpeg', 'of a picture file'),
    ],
)
def test_what_is_no_gallery_is_refused_with_the_reason_and_nothing_is_asked(
    demo: DemoServer, download: Command, folder: Path, link: str, words: str
) -> None:
    done = download(demo.url + link, '--to', folder)
    assert (done.code, done.out) == (2, '') and words in done.err
    assert demo.requests == []


def test_a_folder_of_a_name_too_long_is_told(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    done = download(demo.url + OPENING_PATH, '--to', folder / ('z' * 300), '--limit', 2)
    assert done.code == 1 and 'too long' in ' '.join((done.out + done.err).split())


def test_the_second_time_everything_is_skipped_and_no_picture_is_fetched(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    first = download(demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 24)
    before = {path: path.read_bytes() for path in in_order(folder)}
    demo.requests.clear()
    second = download(demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 24)
    assert cdn_requests(demo) == []
    assert {path: path.read_bytes() for path in in_order(folder)} == before
    report = json.loads(second.out)
    assert (second.code, report['saved'], report['skipped']) == (0, 0, 24)
    assert report['files'] == json.loads(first.out)['files']


def test_a_missing_picture_is_fetched_alone(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    words = (demo.url + OPENING_PATH, '--to', folder, '--limit', 24)
    download(*words)
    lost = in_order(folder)[3]
    lost.unlink()
    demo.requests.clear()
    assert '1 saved, 23 there already' in download(*words).out
    uuid = next(p.uuid for p in load_catalog().pictures if p.id == int(lost.stem))
    assert [uuid in path for path in cdn_requests(demo)] == [True]
    assert lost.exists()


@pytest.mark.parametrize('words', [['--json'], []], ids=['json', 'text'])
def test_what_is_no_whole_picture_is_fetched_again_and_kept_aside(
    demo: DemoServer, download: Command, folder: Path, words: list[str]
) -> None:
    download(demo.url + OPENING_PATH, '--to', folder, '--limit', 6)
    before = {path: path.read_bytes() for path in in_order(folder)}
    empty, half, page, *_ = before
    empty.write_bytes(b'')
    half.write_bytes(before[half][:-20])
    page.write_bytes(b'<html>Log in</html>')
    demo.requests.clear()
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 6, *words)
    assert done.code == 0 and len(cdn_requests(demo)) == 3
    assert all(path.read_bytes() == content for path, content in before.items())
    aside = sorted(path for path in folder.iterdir() if path not in before)
    assert [path.name for path in aside] == [
        f'{path.stem}.odd-1{path.suffix}' for path in sorted((empty, half, page))
    ]
    assert 'kept aside: 3, such as' in done.err
    if words:
        report = json.loads(done.out)
        assert sorted(report['kept_aside']) == [str(path) for path in aside]
        assert (report['saved'], report['skipped']) == (3, 3)


def test_other_files_in_the_folder_stay(demo: DemoServer, download: Command, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / 'notes.txt').write_text('mine')
    assert download(demo.url + OPENING_PATH, '--to', folder, '--limit', 2).code == 0
    assert (folder / 'notes.txt').read_text() == 'mine'


def test_the_report_as_json_counts_and_lists_in_the_order_of_the_gallery(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    done = download(demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 5)
    report = json.loads(done.out)
    assert {key: report[key] for key in ('saved', 'skipped', 'failed')} == {
        'saved': 5,
        'skipped': 0,
        'failed': 0,
    }
    assert report['folder'] == str(folder)
    assert report['failures'] == []
    version = load_catalog().version(OPENING_VERSION_ID)
    assert version is not None
    best = [p.id for p in load_catalog().posted_to(version[1]) if p.level == 1][:5]
    assert [int(Path(path).stem) for path in report['files']] == best
    assert sorted(report['files']) == [str(path) for path in in_order(folder)]


def test_a_gallery_without_pictures_says_so(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    done = download(f'{demo.url}/images?tags=1', '--to', folder)
    assert (done.code, done.out.strip(), done.err) == (0, f'{NOTHING} {BEYOND}', '')
    done = download(f'{demo.url}/images?tags=1', '--to', folder, '--json')
    assert json.loads(done.out)['files'] == []


def test_a_gallery_of_empty_answers_without_end_ends_and_says_so(
    download: Command, folder: Path
) -> None:
    setting.civitai_base_url = 'https://civitai.com'
    asked: list[str] = []

    def nothing(request: Any) -> tuple[int, dict[str, str], str]:
        asked.append(request.url)
        assert len(asked) < 1000, 'it does not end'
        return 200, {}, json.dumps({'items': [], 'metadata': {'nextCursor': str(len(asked))}})

    with responses.RequestsMock() as wire:
        wire.add_callback(responses.GET, 'https://civitai.com/api/v1/images', nothing)
        done = download('https://civitai.com/posts/7', '--to', folder)
    assert (done.code, done.out.strip()) == (1, f'{NOTHING} {BEYOND}')
    assert 'answers without pictures in a row' in done.err


@pytest.mark.parametrize(
    ('kind', 'ending', 'name'), [('video', '.jpeg', '.mp4'), ('image', '.mp4', '.png')]
)
def test_what_civitai_says_it_is_counts_not_how_the_address_ends(
    download: Command, folder: Path, kind: str, ending: str, name: str
) -> None:
    uuid = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'

    def answer(request: Request) -> bytes:
        if '/api/' not in request.target:
            return ok(MOVIE if 'transcode' in request.target else png())
        url = f'{server.url}/b/{uuid}/width=450/1{ending}'
        item = {'id': 1, 'url': url, 'type': kind, 'browsingLevel': 1}
        return ok(json.dumps({'items': [item], 'metadata': {}}).encode())

    with ScriptedServer(handler=answer) as server:
        setting.civitai_base_url = server.url
        argv = ('--to', folder, '--json', '--sidecar', 'none')
        done = download(f'{server.url}/posts/7', *argv)
    assert (done.code, json.loads(done.out)['files']) == (0, [str(folder / f'1{name}')])
    assert [path.name for path in folder.iterdir()] == [f'1{name}']


# --- trouble ---------------------------------------------------------------------------------


@pytest.mark.parametrize('scenario', ['503:3', '429:2', '429:4'])
def test_a_passing_trouble_is_sat_out(
    demo: DemoServer, download: Command, folder: Path, scenario: str
) -> None:
    demo.scenario = scenario
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 6)
    assert (done.code, done.err) == (0, '')
    assert len(in_order(folder)) == 6


@pytest.mark.parametrize(
    ('scenario', 'cause', 'advice'),
    [
        ('503', 'Civitai is busy (503).', 'Try again in a minute.'),
        ('429', 'slow down (429)', 'Wait a few minutes'),
        ('429-no-retry-after', 'slow down (429)', 'Wait a few minutes'),
        ('html', 'a web page instead of data', 'try again later'),
        ('key-needed', 'asks for a valid API key (401)', 'CIVITAI_TOKEN'),
        ('451', 'not available in your country or region (451)', ''),
    ],
)
def test_when_nothing_can_be_asked_one_line_says_why_and_what_to_do(
    demo: DemoServer, download: Command, folder: Path, scenario: str, cause: str, advice: str
) -> None:
    demo.scenario = scenario
    done = download(demo.url + OPENING_PATH, '--to', folder)
    assert (done.code, done.out) == (1, '')
    assert cause in done.err and advice in done.err
    assert done.err.count('\n') == 1
    assert not folder.parent.exists(), 'nothing is made before something was listed'

    as_json = download(demo.url + OPENING_PATH, '--to', folder, '--json')
    assert (as_json.code, as_json.err) == (1, done.err)
    assert json.loads(as_json.out) == {'error': done.err.strip(), 'reason': 'failed'}


def test_some_failures_are_named_and_the_rest_is_kept_whole(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    words = (demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 24)
    demo.scenario, cause = 'truncated', 'broke off before the end. Try again.'
    done = download(*words)
    report = json.loads(done.out)
    asked = [path for path in cdn_requests(demo) if picture_is_chosen(path)]
    expected = {path for path in asked if '/original=true/' in path}
    assert done.code == 1
    assert 0 < report['failed'] == len(expected) < 24
    assert report['saved'] == 24 - report['failed']
    assert sorted(report['files']) == [str(path) for path in in_order(folder)]
    assert {failure['url'] for failure in report['failures']} == {demo.url + p for p in expected}
    lines = done.err.splitlines()
    assert len(lines) == report['failed']
    for line, failure in zip(lines, report['failures']):
        assert line.startswith(f'{failure["id"]} {demo.url}/images/{failure["id"]}: ')
        assert cause in line and cause in failure['error']

    demo.scenario = ''
    again = download(*words)
    assert (again.code, json.loads(again.out)['saved']) == (0, report['failed'])
    assert len(in_order(folder)) == 24


def test_what_civitai_has_no_more_is_told_and_no_failure(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    demo.scenario = 'cdn-404'
    words = (demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 24)
    done = download(*words)
    report = json.loads(done.out)
    asked = cdn_requests(demo)
    expected = {path.split('/')[2] for path in asked if picture_is_chosen(path)}
    expected.discard('civitai-media-cache')
    assert (done.code, report['failed'], report['reason']) == (0, 0, 'complete')
    assert 0 < report['gone'] == len(expected) == 24 - report['saved']
    assert f'not kept: {len(expected)}, such as' in done.err
    demo.requests.clear()
    assert json.loads(download(*words).out)['gone'] == len(expected)
    assert cdn_requests(demo) == [], 'it is remembered'


def test_a_failed_picture_is_told_in_plain_words_too(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    demo.scenario = 'truncated'
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 24)
    failed = len(done.err.splitlines())
    assert f'{24 - failed} saved, 0 there already, {failed} failed' in done.out
    assert 'Not complete.' in done.out


@pytest.mark.parametrize(
    ('source', 'words'),
    [
        ('', 'Paste a Civitai link first'),
        ('   ', 'Paste a Civitai link first'),
        ('garbage', 'nothing this gallery can open'),
        ('https://example.org/models/1', 'not on Civitai (example.org)'),
        ('https://civitai.com/articles/1', 'nothing this gallery can open'),
        ('99999999999', 'not a number Civitai uses'),
        ('javascript:alert(1)', 'nothing this gallery can open'),
        ('x' * 5000, 'nothing this gallery can open'),
    ],
    ids=lambda value: value[:30],
)
def test_a_source_that_is_none_is_refused_without_asking_anybody(
    demo: DemoServer, download: Command, folder: Path, source: str, words: str
) -> None:
    done = download(source, '--to', folder)
    assert (done.code, done.out) == (2, '')
    assert words in done.err and len(done.err) < 600
    assert demo.requests == []
    assert not folder.exists()


@pytest.mark.parametrize(
    ('source', 'words'),
    [
        ('999', '(404): it was deleted, unpublished, or the link is wrong'),
        ('https://civitai.com/model-versions/999', '404'),
        ('https://civitai.com/user/Noor-Void', 'no user called Noor-Void'),
    ],
)
def test_what_civitai_does_not_know_is_told(
    demo: DemoServer, download: Command, folder: Path, source: str, words: str
) -> None:
    done = download(source, '--to', folder)
    assert (done.code, done.out) == (1, '')
    assert words in done.err


@pytest.mark.parametrize('below', ['', 'below', 'far/below'])
def test_a_file_in_the_way_of_the_folder_is_told_and_stays(
    demo: DemoServer, download: Command, tmp_path: Path, below: str
) -> None:
    in_the_way = tmp_path / 'file'
    in_the_way.write_text('mine')
    done = download(demo.url + OPENING_PATH, '--to', in_the_way / below)
    assert (done.code, done.out) == (1, '')
    assert str(in_the_way) in done.err and 'cannot be written' in done.err
    assert 'Choose another folder' in done.err
    assert in_the_way.read_text() == 'mine'
    assert demo.requests == [], 'nothing is asked when nothing can be kept'


def test_a_folder_in_the_way_of_a_picture_fails_that_picture_alone(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    first = json.loads(
        download(demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 3).out
    )
    for path in in_order(folder):
        path.unlink()
    blocked = folder / f'{Path(first["files"][0]).stem}.jpeg'
    blocked.mkdir()
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 3)
    assert done.code == 1
    assert f'{blocked.name} is a folder' in done.err
    assert '2 saved, 0 there already, 1 failed' in done.out


@pytest.mark.parametrize('limit', ['0', '-1', '1.5', 'many', '', '９', '1e3', '9' * 5000])
def test_a_limit_that_is_no_number_above_0_is_wrong_usage(
    demo: DemoServer, download: Command, folder: Path, limit: str
) -> None:
    done = download(demo.url + OPENING_PATH, '--to', folder, f'--limit={limit}')
    assert (done.code, done.out) == (2, '')
    assert '--limit' in done.err and 'number above 0' in done.err
    assert demo.requests == [] and not folder.exists()


@pytest.mark.parametrize(
    'argv', [[], ['--to', 'x'], ['4201', '--to'], ['4201', '--to', 'x', '--fast']]
)
def test_wrong_usage_is_told_with_the_usage(download: Command, argv: list[str]) -> None:
    done = download(*argv)
    assert done.code == 2
    assert done.err.startswith('usage:') and 'SOURCE' in done.err and '--to DIR' in done.err


@pytest.mark.parametrize('to', ['', '  '], ids=repr)
def test_a_folder_without_a_name_is_wrong_usage(
    demo: DemoServer,
    download: Command,
    to: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    done = download(demo.url + OPENING_PATH, f'--to={to}')
    assert done.code == 2 and '--to' in done.err
    assert list((tmp_path / 'here').iterdir()) == []


def test_a_tilde_is_the_home_folder_and_somebody_unknowns_is_just_a_name(
    demo: DemoServer, download: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('HOME', 'USERPROFILE'):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert download(demo.url + OPENING_PATH, '--to', '~/kept', '--limit', 1).code == 0
    assert len(in_order(tmp_path / 'kept')) == 1
    assert download(demo.url + OPENING_PATH, '--to', '~no_such_user/x', '--limit', 1).code == 0
    assert len(in_order(tmp_path / '~no_such_user' / 'x')) == 1


# --- key and settings ------------------------------------------------------------------------


def write_key() -> None:
    setting.api_key_file().parent.mkdir(parents=True, exist_ok=True)
    setting.api_key_file().write_text(DEMO_KEY)


@pytest.mark.parametrize('scenario', ['key-needed', 'cdn-404', '451'])
def test_the_key_opens_what_needs_one_and_is_never_shown(
    demo: DemoServer,
    download: Command,
    folder: Path,
    scenario: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_key()
    demo.scenario = scenario
    done = download(demo.url + OPENING_PATH, '--to', folder, '--json', '--limit', 24)
    assert done.code == (1 if scenario == '451' else 0)
    asked = [record for record in demo.requests if part_of(record.path) != CDN]
    assert {record.headers.get('authorization') for record in asked} == {f'Bearer {DEMO_KEY}'}
    for text in (done.out, done.err, caplog.text, *(record.query for record in demo.requests)):
        assert DEMO_KEY not in text


def test_a_token_in_the_pasted_link_is_not_shown_and_goes_nowhere(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    done = download('https://example.org/x?token=geheim', '--to', folder)
    assert done.code == 2 and 'geheim' not in done.err
    download(f'{demo.url}/models/4201?token=geheim', '--to', folder, '--limit', 1)
    assert not [record for record in demo.requests if 'geheim' in record.query]


def test_the_settings_file_is_obeyed(demo: DemoServer, download: Command, folder: Path) -> None:
    setting.settings_file().write_text('{"language": "zh_TW", "gallery_maturity_ceiling": "R"}')
    done = download(demo.url + OPENING_PATH, '--to', folder, '--limit', 4)
    assert len(in_order(folder)) == 4 and 'R' in done.out
    assert not done.out.isascii()
    assert '找不到' in download('999', '--to', folder).err


# --- as a process of its own -----------------------------------------------------------------

IN_PROCESS = (
    'import signal, sys\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
    'from scripts.civitai_manager_libs.cli import main\n'
    'sys.exit(main.main(sys.argv[1:]))'
)


def start(demo: DemoServer, command: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={
            **os.environ,
            'CIVITAI_BASE_URL': demo.url,
            'CIVITAI_GALLERY_HOME': setting.data_folder,
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding='utf-8',
    )


def ended(process: subprocess.Popen[str]) -> Run:
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return Run(process.returncode, out, err)


def test_the_launcher_downloads(demo: DemoServer, folder: Path) -> None:
    needed = civitai_gallery.read_requirements(ROOT / 'requirements.txt')
    if civitai_gallery.unmet(needed, sys.path):
        pytest.skip('The launcher would set up an environment with the packages it needs.')
    command = ['civitai_gallery.py', 'download', demo.url + OPENING_PATH, '--to', str(folder)]
    done = ended(start(demo, [*command, '--limit', '4', '--json']))
    assert (done.code, done.err) == (0, '')
    assert json.loads(done.out)['files'] and len(in_order(folder)) == 4


@pytest.mark.parametrize('words', [['--json'], []], ids=['json', 'text'])
def test_a_narrow_terminal_still_gets_the_report(
    demo: DemoServer, tmp_path: Path, words: list[str]
) -> None:
    folder = tmp_path / '名前 ü'
    command = ['-c', IN_PROCESS, demo.url + OPENING_PATH, '--to', str(folder), '--limit', '2']
    narrow = {'PYTHONIOENCODING': 'ascii', 'CIVITAI_GALLERY_LANG': 'zh_TW'}
    done = ended(start(demo, [*command, *words], **narrow))
    assert (done.code, done.err) == (0, '')
    assert len(in_order(folder)) == 2
    if words:
        assert json.loads(done.out)['folder'] == str(folder)


def test_a_broken_settings_file_is_told_and_the_download_goes_on(
    demo: DemoServer, folder: Path
) -> None:
    setting.settings_file().write_text('{broken')
    command = ['-c', IN_PROCESS, demo.url + OPENING_PATH, '--to', str(folder), '--limit', '2']
    done = ended(start(demo, command))
    assert done.code == 0
    assert 'settings.json is not usable' in done.err and 'settings.broken-1.json' in done.err


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == 'win32', reason='there is no such signal')
def test_ctrl_c_ends_waiting_downloads_at_once_and_leaves_nothing_half_done(
    demo: DemoServer, folder: Path
) -> None:
    setting.settings_file().write_text('{"http_retry_delay": 60}')
    demo.scenario = 'truncated'  # about every fourth now waits for its second try
    command = [demo.url + OPENING_PATH, '--to', str(folder), '--limit', '24']
    process = start(demo, ['-c', IN_PROCESS, *command])
    try:
        wait_until(lambda: len(set(cdn_requests(demo))) == 24, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, '') and '`resume 1` goes on' in err
    assert set(Counter(cdn_requests(demo)).values()) == {1}
    for path in folder.iterdir():
        assert media.sniff(path.read_bytes()), path
        Image.open(io.BytesIO(path.read_bytes())).load()


@pytest.mark.skipif(sys.platform == 'win32', reason='there is no such signal')
def test_ctrl_c_ends_a_waiting_question(demo: DemoServer, folder: Path) -> None:
    setting.settings_file().write_text('{"http_retry_delay": 60}')
    demo.scenario = '503'
    process = start(demo, ['-c', IN_PROCESS, demo.url + OPENING_PATH, '--to', str(folder)])
    try:
        wait_until(lambda: len(demo.requests) == 1, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, '') and err.startswith('Stopped before anything')


def test_in_this_process_there_is_one_client(demo: DemoServer) -> None:
    assert http_client.get_http_client() is http_client.get_http_client()


def test_nothing_below_the_ceiling_is_said_so(
    demo: DemoServer, download: Command, folder: Path
) -> None:
    adult = next(picture for picture in load_catalog().pictures if picture.level == 8)
    run = download(f'{demo.url}/images/{adult.id}', '--to', folder)
    assert NOTHING in run.out
    assert run.code == 0 and list(folder.iterdir()) == []
