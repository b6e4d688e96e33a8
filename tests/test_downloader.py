"""The functions of the downloader, over a real socket where bytes matter."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import downloader, notices, setting, util
from scripts.civitai_manager_libs.archive import place
from scripts.civitai_manager_libs.downloads.modeljobs import ModelQueue
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, get_http_client
from tests.support.demo import DOWNLOAD, get
from tests.support.network import at_home, files_in, png
from tests.support.scripted_server import STALL, Answer, ScriptedServer, Trickle, ok

FILE = f'{DOWNLOAD}?fileId=4201021'
PICTURE = png(2000)


class Fetcher:
    """The least a client may be."""

    def __init__(self, result: bool = True, content: bytes | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.result = result
        self.content = content

    def download_file(self, url: str, path: str) -> bool:
        self.asked.append((url, path))
        if self.content is not None:
            Path(path).write_bytes(self.content)
        return self.result


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(downloader.widgets, 'toast', lambda words, **_: shown.append(words))
    return shown


def swap(monkeypatch: pytest.MonkeyPatch, client: object) -> None:
    monkeypatch.setattr(downloader, 'get_download_client', lambda: client)


def test_all_ask_the_one_client_of_the_process() -> None:
    assert downloader.get_download_client() is get_http_client()


# -- one file -------------------------------------------------------------------------------------


def test_a_model_file_comes_whole(demo: DemoServer, tmp_path: Path) -> None:
    setting.civitai_api_key = DEMO_KEY
    target = tmp_path / 'new' / 'x.safetensors'
    assert downloader.download_file(demo.url + FILE, str(target)) is True
    whole = get(demo, FILE, headers={'Authorization': f'Bearer {DEMO_KEY}'}).content
    assert target.read_bytes() == whole
    assert files_in(tmp_path) == ['new/x.safetensors']


@pytest.mark.parametrize(
    'scenario', ['410', '403-no-access', 'key-needed', 'html', 'expired-signature']
)
def test_a_file_that_cannot_be_had_leaves_nothing_and_tells_nobody(
    demo: DemoServer, tmp_path: Path, toasts: list[str], scenario: str
) -> None:
    setting.civitai_api_key, demo.scenario = '' if 'key' in scenario else DEMO_KEY, scenario
    assert downloader.download_file(demo.url + FILE, str(tmp_path / 'x.safetensors')) is False
    assert files_in(tmp_path) == [] and toasts == []


def test_an_address_that_expired_on_the_way_is_asked_for_once_more(
    demo: DemoServer, tmp_path: Path
) -> None:
    setting.civitai_api_key, demo.scenario = DEMO_KEY, 'expired-signature:1'
    assert downloader.download_file(demo.url + FILE, str(tmp_path / 'x.safetensors'))
    assert [one.path for one in demo.requests].count(DOWNLOAD) == 2


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param(ok(b'<?xml version="1.0"?><Error/>'), id='xml'),
        pytest.param(ok(b'[{"code": 1}]'), id='json-list'),
        pytest.param(ok(b'{"code": 1}'), id='json'),
        pytest.param(ok(b'<p>Log in</p>'), id='markup'),
        pytest.param(ok('<html>Log in'.encode('utf-16')), id='utf-16'),
        pytest.param(ok(b' ' * 5000 + b'<html>'), id='page-after-much-space'),
        pytest.param(ok(bytes(range(256)), Content_Type='text/html'), id='page-by-its-type'),
        pytest.param(ok(bytes(range(256)), Content_Type='application/json'), id='json-by-its-type'),
    ],
)
def test_a_message_is_no_model(
    client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes
) -> None:
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        assert not downloader.download_file(f'{server.url}/x', str(tmp_path / 'x.ckpt'))
    assert files_in(tmp_path) == []


@pytest.mark.parametrize('result', [True, False])
def test_a_swapped_client_is_called_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toasts: list[str], result: bool
) -> None:
    fetcher, path = Fetcher(result), str(tmp_path / 'x')
    swap(monkeypatch, fetcher)
    assert downloader.download_file('a', path) is result
    assert downloader.download_file_gr('a', path) is result
    assert fetcher.asked == [('a', path)] * 2
    assert len(toasts) == (0 if result else 1)


def test_the_bar_is_told_how_far_it_is_up_to_the_end(demo: DemoServer, tmp_path: Path) -> None:
    setting.civitai_api_key = DEMO_KEY
    told: list[tuple[float, str]] = []
    url, path = demo.url + FILE, str(tmp_path / 'x.safetensors')
    assert downloader.download_file_gr(url, path, lambda *one: told.append(one))
    assert told[-1][0] == 1.0 and told == sorted(told, key=lambda one: one[0])
    assert all(0 <= fraction <= 1 and 'x.safetensors' in desc for fraction, desc in told)


def test_a_failure_is_shown_with_its_cause(
    demo: DemoServer, tmp_path: Path, toasts: list[str]
) -> None:
    demo.scenario = '410'
    assert not downloader.download_file_gr(demo.url + FILE, str(tmp_path / 'x.safetensors'))
    (shown,) = toasts
    assert 'x.safetensors' in shown and 'archived' in shown


# -- pictures -------------------------------------------------------------------------------------


def test_pictures_are_kept_under_the_name_of_the_model(
    client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch, downloads: Path
) -> None:
    told: list[float] = []
    with ScriptedServer(ok(PICTURE)) as server:
        at_home(monkeypatch, server)
        addresses = [f'{server.url}/{number}/a.jpeg' for number in range(3)]
        downloader.download_image_file('A/B: c', addresses, lambda part, desc: told.append(part))
    kept = files_in(downloads)
    assert len(kept) == 3 and all(path.startswith('AB c/images/') for path in kept), kept
    assert all(path.endswith('.png') for path in kept)
    assert told == [1 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize(('name', 'addresses'), [('', ['a']), ('x', [])])
def test_nothing_happens_without_a_name_or_pictures(
    downloads: Path, name: str, addresses: list[str]
) -> None:
    downloader.download_image_file(name, addresses)
    assert not downloads.exists()


STILL = {'url': 'https://image.civitai.com/b/u1/original=true/1.jpeg', 'type': 'image'}
VIDEO = {'url': 'https://image.civitai.com/b/u2/original=true/2.mp4', 'type': 'video'}


@pytest.mark.parametrize(
    ('images', 'has'),
    [
        ([], ''),
        ([{**STILL, 'nsfwLevel': 16}], ''),
        ([{**STILL, 'nsfwLevel': 16}, {**STILL, 'nsfwLevel': 1}], 'u1'),
        ([{**VIDEO, 'nsfwLevel': 1}], 'u2'),
        ([{**VIDEO, 'nsfwLevel': 1}, {**STILL, 'nsfwLevel': 1}], 'u2'),
        (None, ''),
    ],
)
def test_the_first_still_that_may_be_shown_is_the_preview(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: Any, has: str
) -> None:
    fetcher = Fetcher(content=PICTURE)
    swap(monkeypatch, fetcher)
    path = str(tmp_path / 'x.preview.png')
    assert downloader.download_preview_image(path, {'images': images}) is bool(has)
    assert [path for _, path in fetcher.asked] == [path] * bool(has)
    for url, _ in fetcher.asked:
        assert has in url and ('anim=false' in url) == (has == 'u2')


@pytest.mark.parametrize('odd', [{}, {'images': 'x'}, {'images': [None, 3, {}]}, None, 'x'])
def test_a_version_without_pictures_has_no_preview(tmp_path: Path, odd: Any) -> None:
    assert downloader.download_preview_image(str(tmp_path / 'x.png'), odd) is False


@pytest.mark.parametrize(
    ('url', 'path', 'client'),
    [('', 'x', Fetcher()), ('a', '', Fetcher()), ('a', 'x', None)],
    ids=['address', 'path', 'client'],
)
def test_a_picture_needs_address_path_and_client(url: str, path: str, client: Any) -> None:
    assert util.download_image_safe(url, path, client) is False


@pytest.mark.parametrize('is_shown', [True, False])
def test_a_picture_that_failed_is_told_if_wanted(tmp_path: Path, is_shown: bool) -> None:
    told: list[str] = []
    path = str(tmp_path / 'a.png')
    with notices.going_to(lambda key, values: told.append(f'{key} {values["name"]}')):
        assert not util.download_image_safe('a', path, Fetcher(False), is_shown)
        assert util.download_image_safe('a', path, Fetcher(True), is_shown)
    assert told == ['download_failed a.png'] * is_shown


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('entries', 'named'),
    [
        (['1:a.txt', '2:a.txt'], {'1': 'a.txt', '2': 'a (1).txt'}),
        (['1:a.txt', '2:b.txt'], {'1': 'a.txt', '2': 'b.txt'}),
        (
            ['1:a.txt', '2:a.txt', '3:a (1).txt'],
            {'1': 'a.txt', '2': 'a (2).txt', '3': 'a (1).txt'},
        ),
        (
            ['1:a.txt', '2:a.txt', '3:a.txt'],
            {'1': 'a.txt', '2': 'a (1).txt', '3': 'a (2).txt'},
        ),
        (['1:a.txt', '1:b.txt'], {'1': 'a.txt'}),
        (['1:a', '2:a'], {'1': 'a', '2': 'a (1)'}),
        (['no colon', '2:a'], {'2': 'a'}),
        (['1:a:b.txt'], {'1': 'a:b.txt'}),
        (['1:A.txt', '2:a.txt'], {'1': 'A.txt', '2': 'a (1).txt'}),
        (['1:x.vae.pt', '2:x.vae.pt'], {'1': 'x.vae.pt', '2': 'x.vae (1).pt'}),
        ([], {}),
    ],
)
def test_files_of_one_name_are_numbered(entries: list[str], named: dict[str, str]) -> None:
    assert downloader.add_number_to_duplicate_files(entries) == named


@pytest.mark.parametrize(
    ('version', 'name'),
    [
        ({'files': [{'name': 'a.pt'}, {'name': 'b.vae.pt', 'primary': True}]}, 'b.vae'),
        ({'files': [{'name': '../../b.pt', 'primary': True}]}, None),
        (
            {'id': 7, 'name': 'v1', 'model': {'name': 'A: b'}, 'files': [{'name': 'a.pt'}]},
            'A b - v1 [7]',
        ),
        ({'id': 7, 'name': 'v1', 'model': {'name': 'A'}}, 'A - v1 [7]'),
        ({}, '- []'),
        ({'files': 'x', 'model': 3}, '- []'),
    ],
)
def test_what_the_files_of_a_version_are_called(version: dict[str, Any], name: str | None) -> None:
    found = downloader.get_save_base_name(version)
    assert found == name if name else '/' not in found and '\\' not in found


# -- in the background ----------------------------------------------------------------------------


def waited(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(condition())


def test_a_download_in_the_background_is_listed_until_it_ends(
    client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manager, told = downloader.DownloadManager(), []
    answer = ok(b'\x80' * 5000)
    with ScriptedServer((answer[:-1000], STALL, answer[-1000:])) as server:
        at_home(monkeypatch, server)
        path = str(tmp_path / 'x.ckpt')
        number = manager.start(f'{server.url}/x', path, lambda *one: told.append(one))
        assert manager.list_active() == [number]
        assert server.stalled.wait(10)
        server.release.set()
        assert waited(lambda: not manager.list_active())
    assert Path(path).read_bytes() == b'\x80' * 5000
    assert told[-1] == (5000, 5000)
    assert manager.cancel(number) is False


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param((ok(b'\x80' * 1000, length=5000), STALL), id='silent'),
        pytest.param((ok(b'\x80' * 1000, length=5000), Trickle(b'\x80' * 4000)), id='slow'),
        pytest.param((STALL,), id='without an answer'),
        pytest.param((b'HTTP/1.1 200 OK\r\n', STALL), id='half a head'),
    ],
)
def test_a_cancelled_download_hangs_up_at_once_and_leaves_nothing(
    client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    manager = downloader.DownloadManager()
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        number = manager.start(f'{server.url}/x', str(tmp_path / 'x.ckpt'))
        assert server.stalled.wait(10)
        began = time.monotonic()
        assert manager.cancel(number) is True
        assert time.monotonic() - began < 1
        assert manager.list_active() == []
        assert waited(lambda: server.left == 1)
        assert waited(lambda: files_in(tmp_path) == [])
    assert manager.cancel(number) is False
    assert manager.cancel('no such') is False


def test_what_a_client_that_cannot_be_stopped_brings_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    goes_on, manager, path = threading.Event(), downloader.DownloadManager(), tmp_path / 'x'

    class Slow:
        def download_file(self, url: str, target: str) -> bool:
            goes_on.wait(10)
            Path(target).write_bytes(b'x')
            ended.set()
            return True

    ended = threading.Event()
    swap(monkeypatch, Slow())
    number = manager.start('a', str(path))
    assert manager.cancel(number) is True
    goes_on.set()
    assert ended.wait(10) and waited(lambda: not path.exists())


# -- the files of a version -----------------------------------------------------------------------


@pytest.fixture
def notes() -> Iterator[list[str]]:
    told: list[str] = []
    with notices.going_to(lambda key, values: told.append(f'{key} {values}')):
        yield told


@pytest.fixture
def own_queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelQueue]:
    queue = ModelQueue()
    monkeypatch.setattr(downloader, 'model_queue', lambda: queue)
    yield queue
    queue.end()
    place.close()


def started(*files: str, version: int | str = 481002, **folders: Any) -> str | None:
    wish = {'ms_folder': False, 'vs_folder': False, 'vs_foldername': '', 'cs_foldername': ''}
    return downloader.download_file_thread(
        list(files), version, **{**wish, 'ms_foldername': '', **folders}
    )


TWINS = '4810021:tidewaterPrints_v20.safetensors', '4810022:tidewaterPrints_v20.safetensors'


@pytest.mark.parametrize(
    ('folders', 'below'),
    [
        ({}, ''),
        ({'cs_foldername': 'mine'}, 'mine/'),
        ({'ms_folder': True, 'ms_foldername': 'Tide: water'}, 'Tide water/'),
        ({'ms_foldername': 'no', 'vs_folder': True, 'vs_foldername': 'v2'}, 'v2/'),
        (
            dict(ms_folder=True, ms_foldername='M', vs_folder=True, vs_foldername='V')
            | {'cs_foldername': 'a/b'},
            'a/b/M/V/',
        ),
        ({'cs_foldername': '../../../out'}, 'out/'),
    ],
)
def test_files_of_a_version_come_in_the_background(
    demo: DemoServer,
    own_queue: ModelQueue,
    downloads: Path,
    folders: dict[str, Any],
    below: str,
) -> None:
    setting.civitai_api_key = DEMO_KEY
    assert started(*TWINS, **folders) == 'Download started'
    assert waited(lambda: all(one.state == 'ended' for one in own_queue.standing()))
    kept = [path for path in files_in(downloads) if path.endswith('.safetensors')]
    folder = f'models/Checkpoint/{below}'
    assert len(kept) == 2 and all(path.rpartition('/')[0] + '/' == folder for path in kept), kept
    sizes = {(downloads / path).stat().st_size for path in kept}
    assert len(sizes) == 2, 'each is the file that was meant'
    assert any(path.endswith('.civitai.info') for path in files_in(downloads))


@pytest.mark.parametrize(
    ('files', 'version'),
    [
        pytest.param((), 481002, id='no-file'),
        pytest.param(('no colon',), 481002, id='nothing-to-read'),
        pytest.param(TWINS, 7, id='unknown-version'),
        pytest.param(TWINS, 'x', id='no-version'),
        pytest.param(('7:a.pt',), 481002, id='unknown-file'),
        pytest.param(('4864021:a.pt',), 486402, id='switched-off'),
    ],
)
def test_where_nothing_is_begun_a_notice_says_why(
    demo: DemoServer,
    own_queue: ModelQueue,
    downloads: Path,
    notes: list[str],
    files: tuple[str, ...],
    version: int | str,
) -> None:
    assert started(*files, version=version) is None
    assert len(notes) == 1 and own_queue.standing() == []


def test_without_a_folder_nothing_is_begun(
    demo: DemoServer, own_queue: ModelQueue, tmp_path: Path, notes: list[str]
) -> None:
    setting.models_folder = str(tmp_path / 'no such')
    assert started(*TWINS) is None
    assert len(notes) == 2 and 'no such' in notes[0]


@pytest.mark.parametrize('raises', ['client', 'callback'])
def test_what_others_raise_ends_that_download_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raises: str
) -> None:
    class Raising:
        def download_file(
            self, url: str, file_path: str, progress_callback: Callable[[int, int], None]
        ) -> bool:
            if raises == 'client':
                raise ValueError('odd')
            progress_callback(1, 2)
            return True

    def told(done: int, total: int) -> None:
        raise RuntimeError('odd')

    uncaught: list[object] = []
    monkeypatch.setattr(threading, 'excepthook', uncaught.append)
    swap(monkeypatch, Raising())
    manager = downloader.DownloadManager()
    number = manager.start('a', str(tmp_path / 'x'), told)
    assert waited(lambda: not manager.list_active())
    assert manager.cancel(number) is False
    for thread in threading.enumerate():
        if thread.name == 'civitai-download':
            thread.join(10)
    assert uncaught == []


def test_a_swapped_client_fetches_the_files_plainly(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch, downloads: Path
) -> None:
    fetcher = Fetcher()
    swap(monkeypatch, fetcher)
    assert started(TWINS[0]) == 'Download started'
    assert waited(lambda: fetcher.asked)
    (asked,) = fetcher.asked
    assert asked[0] == f'{demo.url}/api/download/models/481002?fileId=4810021'
    assert asked[1].startswith(str(downloads / 'models' / 'Checkpoint' / 'tidewaterPrints'))
