"""The functions the gallery lives by, over a real socket where bytes matter."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from PIL import Image

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import (
    civitai_gallery_action as action,
    ishortcut,
    setting,
    util,
)
from scripts.civitai_manager_libs.civitai import urls
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.gradio_event import Progress
from tests.support.network import png
from tests.support.settings_sandbox import set_process_client

PNG = b'\x89PNG\r\n\x1a\n' + b'\0' * 64


class Fetcher:
    """The least a collaborator may be: `download_file(url, path) -> bool`."""

    def __init__(self, failing: tuple[str, ...] = (), writes: bool = True) -> None:
        self.failing = set(failing)
        self.writes = writes
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def download_file(self, url: str, path: str) -> bool:
        with self._lock:
            self.asked.append(url)
        if url in self.failing:
            return False
        if self.writes:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Path(path).write_bytes(PNG)
        return True


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    shown: list[tuple[str, float]] = []

    def warning(message: str, duration: float = 10) -> None:
        shown.append((message, duration))

    monkeypatch.setattr(action.gr, 'Warning', warning)
    return shown


@pytest.fixture
def folders(downloads: Path) -> SimpleNamespace:
    """Where the picture cache and downloads will be."""
    return SimpleNamespace(cache=Path(setting.shortcut_gallery_folder), downloads=downloads)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, downloads: Path) -> Any:
    """Put a collaborator in the place of the client of this process."""

    def put(client: Any) -> Any:
        set_process_client(monkeypatch, client)
        return client

    return put


def originals(demo: DemoServer, count: int = 12) -> list[str]:
    query = {'modelVersionId': 420102, 'limit': count, 'browsingLevel': 1, 'type': 'image'}
    data = action.get_http_client().get_json(urls.api_url(demo.url, 'images', query))
    return [item['url'] for item in data['items']]


def downloaded(demo: DemoServer, scenario: str, count: int) -> list[str]:
    """Pictures that were asked for in one go while the stand-in played `scenario`."""
    wanted = originals(demo, count)
    demo.scenario = scenario
    action.download_images(wanted)
    return wanted


def everything_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())


# -- one picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize('good', [True, False], ids=['success', 'failure'])
def test_single_image_is_exactly_what_the_client_says(use: Any, tmp_path: Path, good: bool) -> None:
    use(Fetcher(failing=() if good else ('u',)))
    target = tmp_path / 'x.png'
    assert action._download_single_image('u', str(target)) is good
    assert target.exists() is good


def test_one_client_serves_the_process() -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(action.get_http_client())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(client is found[0] for client in found)


# -- download_images -----------------------------------------------------------------------------


def test_pictures_land_in_the_cache_and_open(demo: DemoServer, folders: SimpleNamespace) -> None:
    wanted = originals(demo)
    action.download_images(wanted)
    for url in wanted:
        with Image.open(setting.get_image_url_to_gallery_file(url)) as picture:
            picture.load()
    assert len(everything_in(folders.cache)) == len(wanted)


def test_a_second_run_fetches_nothing(demo: DemoServer) -> None:
    wanted = originals(demo)
    action.download_images(wanted)
    asked = len(demo.requests)
    action.download_images(wanted)
    assert len(demo.requests) == asked


ODD = [
    pytest.param(b'', id='empty'),
    pytest.param(b'<!doctype html><title>Log in</title>', id='a web page'),
    pytest.param(b'{"error": "busy"}', id='an error message'),
    pytest.param(bytes(2000), id='zeros'),
]


@pytest.mark.parametrize('odd', [*ODD, pytest.param(None, id='half')])
def test_what_is_no_whole_picture_is_fetched_into_the_cache_again(
    demo: DemoServer, folders: SimpleNamespace, odd: bytes | None
) -> None:
    wanted = originals(demo, 4)
    action.download_images(wanted)
    path = Path(setting.get_image_url_to_gallery_file(wanted[1]))
    whole, asked = path.read_bytes(), len(demo.requests)
    path.write_bytes(whole[: len(whole) // 2] if odd is None else odd)
    paths, _, _ = action.gallery_loading(wanted, Progress())
    assert path.read_bytes() == whole and len(demo.requests) == asked + 1
    assert paths[1] == str(path) and len(everything_in(folders.cache)) == 4


def test_an_odd_file_in_the_cache_is_not_shown_where_the_picture_cannot_be_had(
    demo: DemoServer, toasts: list[tuple[str, float]]
) -> None:
    wanted = originals(demo, 2)
    action.download_images(wanted)
    Path(setting.get_image_url_to_gallery_file(wanted[0])).write_bytes(b'<html>')
    demo.scenario = '503'
    paths, _, _ = action.gallery_loading(wanted, Progress())
    assert paths[0] == setting.no_card_preview_image
    assert paths[1] == setting.get_image_url_to_gallery_file(wanted[1])


@pytest.mark.parametrize('odd', ODD)
def test_an_odd_file_that_is_handed_over_is_neither_shown_nor_kept(
    use: Any,
    folders: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    toasts: list[tuple[str, float]],
    odd: bytes,
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    folders.cache.mkdir()
    path = folders.cache / 'mine.png'
    path.write_bytes(odd)
    assert action.gallery_loading([str(path)], Progress())[0] == [setting.no_card_preview_image]
    assert action.download_user_gallery_images(1, [str(path)]) is not None
    assert everything_in(folders.downloads) == []
    assert [message.partition(':')[0] for message, _ in toasts] == ['1 of 1 pictures failed'] * 2


def test_partial_failure_keeps_the_rest_and_tells_how_many_why_and_what_to_do(
    demo: DemoServer, folders: SimpleNamespace, toasts: list[tuple[str, float]]
) -> None:
    wanted = downloaded(demo, 'cdn-404', 40)
    there = [u for u in wanted if os.path.isfile(setting.get_image_url_to_gallery_file(u))]
    missing = len(wanted) - len(there)
    assert 0 < missing < len(wanted)
    assert len(everything_in(folders.cache)) == len(there)
    ((message, seconds),) = toasts
    assert message.startswith(f'{missing} of {len(wanted)} pictures failed')
    assert '404' in message and seconds == 3


def test_the_cause_of_most_of_very_many_failures_is_told(
    client: CivitaiHttpClient, toasts: list[tuple[str, float]]
) -> None:
    """Those that failed first have long left the client's memory when the report is made."""
    wanted = [f'https://image.civitai.com/b/{number}.jpeg' for number in range(2400)]

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        return 403 if int(Path(request.path_url).stem) < 1300 else 410, {}, ''

    with responses.RequestsMock() as wire:
        wire.add_callback(responses.GET, re.compile('https://image.civitai.com/.*'), answer)
        action.download_images(wanted)
    assert toasts[0][0].startswith('2400 of 2400 pictures failed: Civitai refuses access (403)')


def test_a_path_that_is_none_of_ours_is_the_cause(
    use: Any, tmp_path: Path, toasts: list[tuple[str, float]]
) -> None:
    use(Fetcher())
    (tmp_path / 'secret.png').write_bytes(PNG)
    action.gallery_loading([str(tmp_path / 'secret.png')], Progress())
    assert 'neither a web address nor a picture of the picture cache' in toasts[0][0]


def test_busy_site_is_named_with_what_to_do(
    demo: DemoServer, toasts: list[tuple[str, float]]
) -> None:
    downloaded(demo, '503', 3)
    ((message, _),) = toasts
    assert message.startswith('3 of 3 pictures failed: Civitai is busy (503). Try again in a min')


def test_truncated_pictures_leave_nothing_behind(
    demo: DemoServer, folders: SimpleNamespace, toasts: list[tuple[str, float]]
) -> None:
    downloaded(demo, 'truncated', 40)
    for name in everything_in(folders.cache):
        with Image.open(folders.cache / name) as picture:
            picture.load()
    assert len(toasts) == 1 and 'broke off' in toasts[0][0]


def test_web_page_in_place_of_a_picture_is_not_kept(
    demo: DemoServer, folders: SimpleNamespace, toasts: list[tuple[str, float]]
) -> None:
    downloaded(demo, 'html', 4)
    assert everything_in(folders.cache) == []
    assert 'web page' in toasts[0][0]


def test_counts_are_logged(use: Any, caplog: pytest.LogCaptureFixture, toasts: Any) -> None:
    caplog.set_level('INFO')
    use(Fetcher(failing=('b',)))
    action.download_images(['a'])
    action.download_images(['a', 'b', 'c'])
    assert 'pictures: 1 saved, 1 skipped, 1 failed' in caplog.text


@pytest.mark.parametrize(
    'given', [None, [], [None], [''], [3], ['\0'], ['x' * 5000]], ids=lambda v: repr(v)[:12]
)
def test_odd_lists_never_raise(use: Any, toasts: Any, given: Any) -> None:
    use(Fetcher(failing=('\0', 'x' * 5000)))
    action.download_images(given)


def test_a_fetcher_that_raises_costs_only_its_own_picture(
    use: Any, toasts: list[tuple[str, float]]
) -> None:
    class Raising(Fetcher):
        def download_file(self, url: str, path: str) -> bool:
            if url == 'b':
                raise RuntimeError('boom')
            return super().download_file(url, path)

    use(Raising())
    action.download_images(['a', 'b', 'c'])
    assert os.path.isfile(setting.get_image_url_to_gallery_file('a'))
    assert os.path.isfile(setting.get_image_url_to_gallery_file('c'))
    assert toasts[0][0].startswith('1 of 3 pictures failed')


def test_outside_an_event_nothing_is_printed_or_warned(
    use: Any, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    use(Fetcher(failing=('a',)))
    action.download_images(['a'])
    assert capsys.readouterr().out == '' and not recwarn.list


def test_unwritable_cache_is_a_cause_a_person_can_read(
    demo: DemoServer, folders: SimpleNamespace, toasts: list[tuple[str, float]]
) -> None:
    wanted = originals(demo, 2)
    folders.cache.write_text('a file where the folder should be')
    action.download_images(wanted)
    assert str(folders.cache) in toasts[0][0]


def bodies_of(size: int) -> Any:
    class Large(Fetcher):
        def download_file(self, url: str, path: str) -> bool:
            saved = super().download_file(url, path)
            with open(path, 'ab') as file:
                file.write(bytes(size))
            return saved

    return Large()


@pytest.mark.parametrize(
    'load',
    [
        action.download_images,
        action.download_images_with_progress,
        lambda urls: action.download_images_batch(urls, 2),
        lambda urls: action.gallery_loading(urls, Progress()),
    ],
    ids=['plainly', 'with progress', 'in batches', 'as a gallery'],
)
def test_the_picture_cache_keeps_to_its_bound_and_what_was_asked_for_last(
    use: Any, folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, load: Any
) -> None:
    use(bodies_of(100_000))
    monkeypatch.setattr(setting, 'shortcut_gallery_max_mib', 1)
    (folders.cache / 'kept').mkdir(parents=True)
    (folders.cache / 'kept' / 'mine.png').write_bytes(bytes(3_000_000))
    for page in range(5):
        wanted = [f'{page} {number}' for number in range(4)]
        load(wanted)
        assert all(os.path.isfile(setting.get_image_url_to_gallery_file(url)) for url in wanted)
        assert sum(f.stat().st_size for f in folders.cache.iterdir() if f.is_file()) <= 2**20
    load(['one'] * 3 + [f'large {number}' for number in range(20)])
    assert len(everything_in(folders.cache)) == 22, 'a page is never too large to be shown'
    load(['one'])
    assert 'kept/mine.png' in everything_in(folders.cache)
    assert sum(f.stat().st_size for f in folders.cache.iterdir() if f.is_file()) <= 2**20


# -- with progress, in batches -------------------------------------------------------------------


@pytest.mark.parametrize(
    ('language', 'message'), [('en', 'Downloading picture 1/3'), ('zh_TW', '下載圖片 1/3')]
)
def test_progress_comes_once_per_picture_in_the_callers_thread(
    use: Any, monkeypatch: pytest.MonkeyPatch, language: str, message: str
) -> None:
    use(Fetcher())
    monkeypatch.setattr(setting, 'language', language)
    calls: list[tuple[int, int, str, int]] = []
    action.download_images_with_progress(
        ['a', 'b', 'c'], lambda *said: calls.append((*said, threading.get_ident()))
    )
    assert [call[:2] for call in calls] == [(1, 3), (2, 3), (3, 3)]
    assert calls[0][2] == message
    assert {call[3] for call in calls} == {threading.get_ident()}


def test_batches_read_the_setting_at_call_time(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    busiest: list[int] = []
    running: set[str] = set()
    lock = threading.Lock()
    together = threading.Barrier(2)

    class Counting(Fetcher):
        def download_file(self, url: str, path: str) -> bool:
            with lock:
                running.add(url)
                busiest.append(len(running))
            together.wait(timeout=30)  # both of a batch are under way, or this breaks
            with lock:
                running.discard(url)
            return super().download_file(url, path)

    fetcher = use(Counting())
    monkeypatch.setattr(setting, 'gallery_download_batch_size', 2)
    action.download_images_batch(['a', 'b', 'c', 'd'])
    assert sorted(fetcher.asked) == ['a', 'b', 'c', 'd'] and max(busiest) == 2


# -- gallery_loading -----------------------------------------------------------------------------


def test_gallery_gets_a_path_for_every_picture_in_order(demo: DemoServer) -> None:
    wanted, progress = originals(demo), Progress()
    paths, same, when = action.gallery_loading(wanted, progress)
    assert paths == same == [setting.get_image_url_to_gallery_file(url) for url in wanted]
    assert all(os.path.isfile(path) for path in paths)
    assert isinstance(when, datetime.datetime)
    assert progress.descriptions == ['Loading pictures']


def test_failed_pictures_become_the_placeholder_in_their_place(
    use: Any, toasts: list[tuple[str, float]]
) -> None:
    use(Fetcher(failing=('b',)))
    paths, _, _ = action.gallery_loading(['a', 'b', 'c', 'b'], Progress())
    assert paths[1] == paths[3] == setting.no_card_preview_image
    assert paths[0] == setting.get_image_url_to_gallery_file('a') and os.path.isfile(paths[2])
    assert toasts[0][0].startswith('2 of 4 pictures failed')


def test_a_fetcher_may_claim_success_without_a_file(use: Any) -> None:
    use(Fetcher(writes=False))
    paths, _, _ = action.gallery_loading(['a'], Progress())
    assert paths == [setting.get_image_url_to_gallery_file('a')]


@pytest.mark.parametrize('empty', [None, [], ()], ids=repr)
def test_nothing_to_load_hides(use: Any, empty: Any) -> None:
    paths, same, update = action.gallery_loading(empty, Progress())
    assert (paths, same) == (None, None)
    assert update['visible'] is False


def test_placeholder_is_a_picture() -> None:
    with Image.open(setting.no_card_preview_image) as picture:
        picture.load()


def test_a_path_is_used_only_from_the_picture_cache(
    use: Any, folders: SimpleNamespace, tmp_path: Path, toasts: Any
) -> None:
    folders.cache.mkdir()
    mine, secret = folders.cache / 'mine.png', tmp_path / 'secret.png'
    mine.write_bytes(PNG)
    secret.write_bytes(PNG)
    link = folders.cache / 'link.png'
    link.symlink_to(secret)
    sneaky = str(folders.cache / '..' / 'secret.png')
    fetcher = use(Fetcher())
    given = [str(mine), str(secret), str(link), sneaky, '/etc/passwd']
    paths, _, _ = action.gallery_loading(given, Progress())
    assert paths == [str(mine)] + [setting.no_card_preview_image] * 4
    assert fetcher.asked == []


# -- download_user_gallery_images ----------------------------------------------------------------


def test_user_gallery_is_kept_under_the_models_name_with_the_extension_of_the_bytes(
    demo: DemoServer, folders: SimpleNamespace
) -> None:
    wanted = originals(demo, 20)
    folder = action.download_user_gallery_images(4201, wanted)
    assert folder == str(folders.downloads / 'Paper Horizons XL')
    kept = everything_in(folders.downloads)
    assert len(kept) == 20
    extensions = set()
    for name in kept:
        assert name.startswith('Paper Horizons XL/user_gallery_images/')
        with Image.open(folders.downloads / name) as picture:
            picture.load()
            extensions.add((Path(name).suffix, picture.format))
    assert extensions <= {('.png', 'PNG'), ('.jpg', 'JPEG'), ('.webp', 'WEBP')}
    assert len(extensions) > 1


def test_user_gallery_again_fetches_only_what_is_missing(
    demo: DemoServer, folders: SimpleNamespace
) -> None:
    wanted = originals(demo, 6)
    action.download_user_gallery_images(4201, wanted)
    gone = folders.downloads / everything_in(folders.downloads)[0]
    gone.unlink()
    before = len(demo.requests)
    action.download_user_gallery_images('4201', wanted)
    assert gone.exists() and len(demo.requests) == before + 1


def test_what_an_earlier_version_kept_under_longer_names_is_there(
    use: Any, folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher, name = use(Fetcher()), 'A model with a very long name, ' * 4
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': name})
    digest = hashlib.sha256(f'https://x/{"n" * 200}.png'.encode()).hexdigest()[:8]
    former = folders.downloads / name.strip() / 'user_gallery_images'
    former.mkdir(parents=True)
    for stem in ('0a1b2c3d-0000-4000-8000-00000000000f', f'{"n" * 100}-{digest}'):
        (former / f'{stem}.png').write_bytes(png())
    before = everything_in(folders.downloads)
    wanted = [
        'https://x/0a1b2c3d-0000-4000-8000-00000000000f/a/b.jpeg',
        f'https://x/{"n" * 200}.png',
    ]
    assert action.download_user_gallery_images(1, wanted) == str(former.parent)
    assert fetcher.asked == [] and everything_in(folders.downloads) == before


def test_a_video_that_comes_as_a_still_is_asked_for_elsewhere(
    demo: DemoServer, folders: SimpleNamespace
) -> None:
    query = {'type': 'video', 'limit': 3, 'browsingLevel': 31}
    data = action.get_http_client().get_json(urls.api_url(demo.url, 'images', query))
    demo.scenario = 'video-as-webp'
    action.download_user_gallery_images(4201, [item['url'] for item in data['items']])
    kept = everything_in(folders.downloads)
    assert len(kept) == 3 and all(name.endswith('.mp4') for name in kept)
    assert all((folders.downloads / name).read_bytes()[4:8] == b'ftyp' for name in kept)


@pytest.mark.parametrize('model_id', [None, '', 0, 999999, '../../x', 'abc'], ids=repr)
def test_unknown_model_gives_none_and_a_toast(
    demo: DemoServer, folders: SimpleNamespace, toasts: list[tuple[str, float]], model_id: Any
) -> None:
    assert action.download_user_gallery_images(model_id, ['a']) is None
    assert not folders.downloads.exists()
    assert 'name of this model' in toasts[0][0]


@pytest.mark.parametrize(
    'name',
    ['../../etc', '/abs', 'C:\\x', 'CON', 'a/b\\c', '.hidden', 'x\0y', '\u202egnp.exe', 'n' * 400],
    ids=lambda name: ascii(name)[:16],
)
def test_model_names_never_leave_the_folder(
    use: Any, folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': name})
    folder = action.download_user_gallery_images(
        1, ['https://x/../../a.png', '..%2f..', 'a/../b.png']
    )
    assert folder is not None and Path(folder).resolve().parent == folders.downloads.resolve()
    assert all('user_gallery_images' in kept for kept in everything_in(folders.downloads))
    assert len(everything_in(folders.downloads)) == 3


def test_two_pictures_of_one_name_do_not_overwrite_each_other(
    use: Any, folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    action.download_user_gallery_images(1, ['https://h/a/x.png', 'https://h/b/x.png'])
    assert len(everything_in(folders.downloads)) == 2


def test_cached_files_are_copied_and_others_refused(
    use: Any,
    folders: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    toasts: list[tuple[str, float]],
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    folders.cache.mkdir()
    (folders.cache / 'mine.png').write_bytes(PNG)
    (tmp_path / 'secret.png').write_bytes(b'secret')
    given = [str(folders.cache / 'mine.png'), str(tmp_path / 'secret.png')]
    action.download_user_gallery_images(1, given)
    (kept,) = everything_in(folders.downloads)
    assert (folders.downloads / kept).read_bytes() == PNG
    assert toasts[0][0].startswith('1 of 2')


def test_folder_that_cannot_be_made_is_told(
    use: Any, folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, toasts: Any
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    folders.downloads.write_text('a file where the folder should be')
    assert action.download_user_gallery_images(1, ['a']) is None
    assert str(folders.downloads) in toasts[0][0]


def test_swapped_helpers_are_used(
    use: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(Fetcher())
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    monkeypatch.setattr(util, 'make_download_image_folder', lambda name: str(tmp_path / 'own'))
    asked: list[str] = []
    monkeypatch.setattr(
        action, '_download_single_image', lambda u, p: bool(asked.append(u)) or True
    )
    assert action.download_user_gallery_images(1, ['a', 'b']) == str(tmp_path / 'own')
    assert (tmp_path / 'own' / 'user_gallery_images').is_dir() and sorted(asked) == ['a', 'b']


# -- pre_loading ---------------------------------------------------------------------------------


def finished_threads() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and 'pre_load' in thread.name:
            thread.join(timeout=30)


def test_pre_loading_fills_the_cache_with_the_following_page(
    demo: DemoServer, folders: SimpleNamespace
) -> None:
    def page(cursor: int) -> str:
        return urls.api_url(
            demo.url, 'images', {'modelVersionId': 420102, 'limit': 5 + cursor, 'browsingLevel': 1}
        )

    paging = {'totalPages': 2, 'totalPageUrls': [page(0), page(1)]}
    action.pre_loading(page(0), paging)
    finished_threads()
    assert len(everything_in(folders.cache)) == 6
    action.pre_loading(page(1), paging)  # the last one has none after it
    action.pre_loading(page(0), None)  # without paging: that page itself
    finished_threads()
    assert len(everything_in(folders.cache)) == 6


def test_pre_loading_failures_are_told_at_the_next_event(
    demo: DemoServer, toasts: list[tuple[str, float]]
) -> None:
    address = urls.api_url(
        demo.url, 'images', {'modelVersionId': 420102, 'limit': 40, 'browsingLevel': 1}
    )
    demo.scenario = 'cdn-404'
    action.pre_loading(address, None)
    finished_threads()
    assert toasts == []
    demo.scenario = ''
    action.download_images([])
    assert 'of 40 pictures failed' in toasts[0][0]
    action.download_images([])
    assert len(toasts) == 1


def test_pre_loading_leaves_out_what_will_not_be_shown(use: Any) -> None:
    class Listing(Fetcher):
        def get_json(self, url: str) -> Any:
            levels = {'safe': 1, 'mature': 8, 'unrated': 0}
            return {'items': [{'url': n, 'browsingLevel': v} for n, v in levels.items()]}

    fetcher = use(Listing())
    action.pre_loading('page', None)
    finished_threads()
    assert fetcher.asked == ['safe']


def test_pre_loading_leaves_out_what_is_foreign_or_cannot_be_seen(use: Any) -> None:
    class Listing(Fetcher):
        def get_json(self, url: str) -> Any:
            items = [
                {'url': 'ours', 'postId': 7},
                {'url': 'foreign', 'postId': 8},
                {'url': 'a sound', 'postId': 7, 'type': 'audio'},
            ]
            return {'items': items}

    fetcher = use(Listing())
    action.pre_loading('https://civitai.com/api/v1/images?postId=7&limit=9', None)
    finished_threads()
    assert fetcher.asked == ['ours']


def test_pre_loading_with_the_least_of_fetchers_is_harmless(use: Any) -> None:
    use(Fetcher())
    action.pre_loading('page', None)
    finished_threads()


def test_a_bar_that_does_not_iterate_costs_no_picture(use: Any) -> None:
    use(Fetcher())
    bar = SimpleNamespace(tqdm=lambda iterable, desc: ())
    assert len(action.gallery_loading(['a', 'b'], bar)[0]) == 2


def test_pre_loading_a_page_that_does_not_come_is_harmless(demo: DemoServer) -> None:
    for address in ('a', 'https://example.com/x', f'{demo.url}/api/v1/models/999999'):
        action.pre_loading(address, None)
    finished_threads()


# -- GalleryDownloadManager ----------------------------------------------------------------------


def test_manager_retries_remembers_and_tries_again_with_its_own_client(
    use: Any, tmp_path: Path
) -> None:
    first = use(Fetcher(failing=('bad',)))
    manager = action.GalleryDownloadManager()
    use(Fetcher())
    target = str(tmp_path / 'x.png')
    assert manager.download_with_retry('good', target) is True
    assert manager.download_with_retry('bad', target, max_retries=1) is False
    assert first.asked == ['good', 'bad', 'bad']
    assert manager.failed_downloads == [('bad', target)]
    manager.retry_failed_downloads()
    assert manager.failed_downloads == [('bad', target)]
    first.failing.clear()
    manager.retry_failed_downloads()
    assert manager.failed_downloads == []
