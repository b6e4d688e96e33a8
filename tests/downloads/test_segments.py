"""One large file over several connections, whatever the storage does."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.downloads import arrival, pieces, segments
from scripts.civitai_manager_libs.downloads.leftover import Expected
from scripts.civitai_manager_libs.downloads.segments import Brought
from scripts.civitai_manager_libs.errors import (
    BodyIncompleteError,
    CancelledError,
    CivitaiError,
    StorageError,
    TransferError,
    WrongContentError,
)
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import partial
from tests.support.model_site import ModelSite, asked_range, tensors
from tests.support.network import files_in
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    head,
    ok,
    part_of,
)

KIB = 1024
SIZE = 2048 * KIB
CONTENT = tensors(SIZE)


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large for these tests."""
    monkeypatch.setattr(arrival, 'SEGMENTED_BYTES', 256 * KIB)
    monkeypatch.setattr(arrival, 'HALVED_SECONDS', 0.0)
    monkeypatch.setattr(segments, 'PROGRESS_BYTES', 16 * KIB)
    monkeypatch.setattr(segments, 'STATE_SECONDS', 0.0)
    monkeypatch.setattr(pieces, 'LEAST_HALVED', 256 * KIB)


@pytest.fixture
def site(client: CivitaiHttpClient) -> Iterator[ModelSite]:
    with ModelSite(CONTENT) as running:
        setting.civitai_base_url = running.url
        yield running


def expected(site: ModelSite, size: int | None = None) -> Expected:
    sha256 = (site.listed_hash or '').lower()
    length = len(site.content) if size is None else size
    return Expected(site.file_name, '1/2', length, sha256, tolerance=1024)


def fetched(
    site: ModelSite,
    client: CivitaiHttpClient,
    target: Path,
    stop: threading.Event | None = None,
    **options: object,
) -> Brought:
    """Fetch the file of `site` as far as it comes; see that all of it is there and right."""
    with partial.held(target) as part:
        brought = segments.fetch(
            client,
            site.download_url,
            part,
            expected(site),
            stop or threading.Event(),
            **options,  # type: ignore[arg-type]
        )
        assert part.path.read_bytes() == site.content
    assert brought.size == len(site.content)
    assert brought.sha256 == hashlib.sha256(site.content).hexdigest()
    return brought


def test_a_large_file_comes_in_equal_parts_from_one_address(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    fetched(site, client, tmp_path / 'x.safetensors')
    first = [one for one in site.ranges if one and one[1]]
    quarter = len(CONTENT) // 4
    assert {start // quarter for start, _ in first} >= {0, 1, 2, 3}
    assert site.asked_for_file == 1, 'the others go where it led'


@pytest.mark.parametrize('count', [1, 3, 16])
def test_as_many_connections_as_the_setting_says(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, count: int
) -> None:
    setting.model_download_segments = count

    def hook(request: Request) -> Answer | None:
        if len(site.storage.requests) > count:
            return None
        if len(site.storage.requests) == count:
            site.storage.release.set()
        return (site.honest(request)[:2000], STALL)  # until so many are open

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')
    starts = {one[0] if one else 0 for one in site.ranges[:count]}
    assert starts == {len(CONTENT) * n // count for n in range(count)}


def test_a_small_file_is_asked_for_at_once(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.content = tensors(100 * KIB)
    site.listed_hash = hashlib.sha256(site.content).hexdigest()
    fetched(site, client, tmp_path / 'x.safetensors')
    assert site.ranges == [None]


@pytest.mark.parametrize('size', [0, 100])
def test_a_file_of_unknown_size_comes_all_the_same(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, size: int
) -> None:
    with partial.held(tmp_path / 'x.safetensors') as part:
        wish = Expected(site.file_name, '1/2', size, tolerance=2**40)
        segments.fetch(client, site.download_url, part, wish, threading.Event())
        assert part.path.read_bytes() == CONTENT


def test_the_key_goes_to_the_site_and_not_to_the_storage(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    setting.civitai_api_key = 'sk-0123456789abcdef'
    fetched(site, client, tmp_path / 'x.safetensors')
    asked = [r.headers.get('authorization') for r in site._site.requests]
    assert asked == ['Bearer sk-0123456789abcdef']
    assert not any('authorization' in request.headers for request in site.storage.requests)


def test_a_storage_without_ranges_sends_it_over_one_connection(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.has_ranges = False
    fetched(site, client, tmp_path / 'x.safetensors')
    assert len(site.storage.requests) == 1


def test_parts_that_nothing_holds_together_are_not_asked_for(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.tag = ''
    fetched(site, client, tmp_path / 'x.safetensors')
    assert all(one is None or one[0] == 0 for one in site.ranges)


def test_what_breaks_off_is_gone_on_with_and_nothing_comes_twice(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    cuts = iter([100 * KIB, 200 * KIB, 50 * KIB, 300 * KIB, 120 * KIB, 80 * KIB, 90 * KIB])

    def hook(request: Request) -> Answer | None:
        size = next(cuts, 0)
        return site.cut(request, size) if size else None

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')
    conditions = {r.headers.get('if-range') for r in site.storage.requests}
    assert conditions <= {None, '"one"'} and '"one"' in conditions
    starts = [one[0] for one in site.ranges if one]
    assert len(starts) == len(set(starts)), 'no part was begun twice'


def test_breaks_that_bring_something_are_no_tries_in_vain(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    setting.model_download_segments = 1
    site.hook = lambda request: site.cut(request, 64 * KIB)
    fetched(site, client, tmp_path / 'x.safetensors')
    assert len(site.storage.requests) > 20


@pytest.mark.parametrize(
    'trouble',
    [
        pytest.param((RESET,), id='reset'),
        pytest.param(ok(b'', status=503), id='busy'),
        pytest.param(ok(b'slow down', status=429, Retry_After='1'), id='limited'),
        pytest.param(ok(b'', status=500), id='broken'),
    ],
)
def test_a_storage_that_lets_one_connection_do_all_is_enough(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, trouble: Answer
) -> None:
    site.hook = lambda _: trouble if 2 <= len(site.storage.requests) <= 9 else None
    fetched(site, client, tmp_path / 'x.safetensors')


def test_an_address_that_expired_is_asked_for_once_more(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    setting.model_download_segments = 1

    def hook(request: Request) -> Answer | None:
        if site.good == ['s1']:
            site.good = ['s2']
            return site.cut(request, 700 * KIB)
        return None

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')
    assert site.asked_for_file == 2
    assert site.ranges[-1] == (700 * KIB, len(CONTENT)), 'it went on where it was'


def test_a_storage_that_takes_no_address_is_not_asked_for_ever(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.hook = lambda request: ok(b'<?xml version="1.0"?><Error/>', status=403)
    with pytest.raises(CivitaiError) as caught:
        fetched(site, client, tmp_path / 'x.safetensors')
    assert caught.value.status == 403
    assert site.asked_for_file == 2 and len(site.storage.requests) == 2


@pytest.mark.parametrize('count', [1, 4])
def test_a_file_that_changes_meanwhile_begins_anew(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, count: int
) -> None:
    setting.model_download_segments = count
    other = tensors(SIZE, seed=2)

    def hook(request: Request) -> Answer | None:
        if site.tag == '"one"' and len(site.storage.requests) >= count:
            before = site.cut(request, 200 * KIB)
            site.content, site.tag = other, '"two"'
            site.listed_hash = hashlib.sha256(other).hexdigest()
            return before
        return None

    site.hook = hook
    assert fetched(site, client, tmp_path / 'x.safetensors').taken_over == 0


def test_a_storage_with_another_tag_each_time_sends_it_at_once(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    def hook(request: Request) -> Answer | None:
        site.tag = f'"{len(site.storage.requests)}"'
        return None

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')
    assert site.ranges[-1] is None


@pytest.mark.parametrize(
    'lie',
    [
        pytest.param(lambda s, a, b: part_of(CONTENT, a, b, ETag='"other"'), id='another-tag'),
        pytest.param(lambda s, a, b: part_of(bytes(len(CONTENT)), a, b), id='no-tag'),
        pytest.param(
            lambda s, a, b: part_of(bytes(len(CONTENT)), a, b, ETag='W/"one"'), id='weak-tag'
        ),
        pytest.param(
            lambda s, a, b: ok(
                CONTENT[a:b],
                status=206,
                ETag='"one"',
                Content_Range=f'bytes {a}-{b - 1}/{len(CONTENT) + 9}',
            ),
            id='another-length',
        ),
        pytest.param(lambda s, a, b: part_of(CONTENT, a + 1, b, ETag='"one"'), id='another-place'),
        pytest.param(lambda s, a, b: ok(CONTENT[a:b], status=206, ETag='"one"'), id='no-place'),
        pytest.param(lambda s, a, b: ok(CONTENT, ETag='"one"'), id='all-of-it'),
        pytest.param(
            lambda s, a, b: ok(b'', status=416, Content_Range='bytes */7', ETag='"one"'),
            id='nothing-there',
        ),
    ],
)
def test_no_byte_is_taken_from_an_answer_that_does_not_fit(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, lie: object
) -> None:
    def hook(request: Request) -> Answer | None:
        asked = asked_range(request)
        if asked and asked[0] and asked[1]:
            return lie(site, *asked)  # type: ignore[operator,no-any-return]
        return None

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')


def test_a_shorter_part_than_was_asked_for_is_taken_and_the_rest_asked_for(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    def hook(request: Request) -> Answer | None:
        asked = asked_range(request)
        if asked and asked[1]:
            return part_of(CONTENT, asked[0], min(asked[1], asked[0] + 100 * KIB), ETag='"one"')
        return None

    site.hook = hook
    fetched(site, client, tmp_path / 'x.safetensors')


@pytest.mark.parametrize(
    'page',
    [
        pytest.param(b'<!doctype html><title>Log in</title>', id='login-page'),
        pytest.param(b'\n\n<html><body>Sorry', id='page'),
        pytest.param(b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', id='xml'),
        pytest.param(b'<Error><Code>NoSuchKey</Code></Error>', id='xml-without-a-head'),
        pytest.param(b'{"error": "Unauthorized"}', id='json'),
        pytest.param(b'[{"code": 7}]', id='json-list'),
        pytest.param(b'\xef\xbb\xbf{"status": "ok"}', id='json-with-a-mark'),
        pytest.param(b'File not found', id='text'),
        pytest.param('找不到檔案'.encode(), id='text-of-other-letters'),
        pytest.param('找不到檔案'.encode('big5'), id='text-of-another-coding'),
        pytest.param('Accès interdit, veuillez vous connecter'.encode('latin-1'), id='latin-1'),
        pytest.param('Gehen Sie zurück – bitte'.encode('cp1252'), id='cp1252'),
        pytest.param('<html>Log in'.encode('utf-16'), id='utf-16'),
        pytest.param('\ufeff<!doctype html>'.encode('utf-16-be'), id='utf-16-be'),
        pytest.param('\ufeffLog in'.encode('utf-32-le'), id='utf-32'),
        pytest.param('{"error": "x"}'.encode('utf-16-le'), id='utf-16-without-a-mark'),
        pytest.param('<html>Log in'.encode('utf-16-be'), id='utf-16-be-without-a-mark'),
        pytest.param(b' ' * 5000 + b'<html>Log in', id='page-after-much-space'),
        pytest.param(b'\r\n\t ' * 2000, id='nothing-but-space'),
    ],
)
@pytest.mark.parametrize('name', ['a.safetensors', 'a.ckpt', 'a.gguf', 'a.zip', 'a'])
def test_a_message_is_no_model(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, page: bytes, name: str
) -> None:
    site.hook = lambda request: ok(page, ETag='"one"')
    site.listed_size = 0
    with partial.held(tmp_path / name) as part, pytest.raises(WrongContentError):
        segments.fetch(client, site.download_url, part, Expected(name, 'm'), threading.Event())


PAGE_TYPES = [
    'text/html',
    'Text/HTML; charset=utf-16',
    'application/xhtml+xml',
    'text/xml',
    'application/xml',
    'application/problem+xml',
]
JSON_TYPES = ['application/json', 'application/problem+json; charset=utf-8', 'text/json']


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        *((name, kind) for name in ('a.ckpt', 'a.yaml', 'a.json') for kind in PAGE_TYPES),
        *((name, kind) for name in ('a.ckpt', 'a.zip', 'a.yaml') for kind in JSON_TYPES),
    ],
)
def test_what_says_that_it_is_a_message_is_no_model(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, name: str, kind: str
) -> None:
    """Its bytes do not say so."""
    site.hook = lambda request: ok(bytes(range(256)), ETag='"one"', Content_Type=kind)
    with partial.held(tmp_path / name) as part, pytest.raises(WrongContentError) as caught:
        segments.fetch(client, site.download_url, part, Expected(name, 'm'), threading.Event())
    assert caught.value.key == 'model_page'
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('a.safetensors', ''),
        ('a.safetensors', 'application/octet-stream'),
        ('a.ckpt', 'binary/octet-stream'),
        ('a.ckpt', 'text/plain'),  # what servers say that do not know it
        ('a.zip', 'application/zip'),
        ('a.yaml', 'application/x-yaml'),
        ('a.yaml', 'text/plain; charset=utf-8'),
        ('a.json', 'application/json'),
        ('A.JSON', 'application/json; charset=utf-8'),
        ('a.png', 'image/png'),
        ('a.safetensors', 'nonsense'),
    ],
)
def test_any_other_type_says_nothing_against_a_file(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, name: str, kind: str
) -> None:
    body = bytes(range(256))
    site.hook = lambda request: ok(body, ETag='"one"', Content_Type=kind)
    with partial.held(tmp_path / name) as part:
        segments.fetch(client, site.download_url, part, Expected(name, 'm'), threading.Event())
        assert part.path.read_bytes() == body


@pytest.mark.parametrize('status', [200, 206])
def test_a_page_for_one_part_is_not_taken_and_the_rest_stays(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, status: int
) -> None:
    """Nor does it mean that the file has changed."""
    target = tmp_path / 'x.safetensors'
    is_login_over = threading.Event()

    def hook(request: Request) -> Answer | None:
        asked = asked_range(request)
        if is_login_over.is_set() or not asked or asked[0] < 1024 * KIB:
            return None
        start, end = asked[0], asked[1] or SIZE
        page = part_of(bytes(len(CONTENT)), start, end, ETag='"one"', Content_Type='text/html')
        return page if status == 206 else ok(b'<html>Log in', Content_Type='text/html')

    site.hook = hook
    with pytest.raises(TransferError) as caught:
        fetched(site, client, target)
    assert caught.value.key == 'model_page_for_part'
    is_login_over.set()
    assert fetched(site, client, target).taken_over >= 1000 * KIB


@pytest.mark.parametrize(
    ('name', 'body'),
    [
        ('flow.json', b'{"nodes": [], "links": []}'),
        ('flow.json', b'[{"id": 1}]'),
        ('model.yaml', b'model:\n  target: ldm\n'),
        ('words.txt', b'one\ntwo\n'),
    ],
)
def test_what_is_a_text_by_its_name_may_be_one(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, name: str, body: bytes
) -> None:
    site.hook = lambda request: ok(body, ETag='"one"')
    with partial.held(tmp_path / name) as part:
        segments.fetch(client, site.download_url, part, Expected(name, 'm'), threading.Event())
        assert part.path.read_bytes() == body


def test_what_is_there_of_a_stopped_transfer_is_not_fetched_again(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target, stop = tmp_path / 'x.safetensors', threading.Event()
    setting.model_download_segments = 2

    def hook(request: Request) -> Answer | None:
        whole = site.honest(request)
        end = whole.index(b'\r\n\r\n') + 4 + 300 * KIB
        return (whole[:end], STALL)

    site.hook = hook
    with pytest.raises(CancelledError):
        fetched(site, client, target, stop, told=lambda done, _: done >= 600 * KIB and stop.set())
    assert files_in(tmp_path) == ['x.safetensors.civitai-part', 'x.safetensors.civitai-part.json']
    site.hook = lambda request: None
    site.storage.requests.clear()
    assert fetched(site, client, target).taken_over == 600 * KIB
    assert min(one[0] for one in site.ranges if one) == 300 * KIB


def stopped_halfway(site: ModelSite, client: CivitaiHttpClient, target: Path) -> None:
    """Leave the first 300 KiB of the file of `site`, of one connection."""
    stop = threading.Event()
    setting.model_download_segments = 1
    site.hook = lambda r: (ok(CONTENT[: 300 * KIB], length=len(CONTENT), ETag=site.tag), STALL)
    with pytest.raises(CancelledError):
        fetched(site, client, target, stop, told=lambda done, _: done >= 300 * KIB and stop.set())
    site.hook = lambda request: None
    site.storage.release.set()
    site.storage.requests.clear()


@pytest.mark.parametrize(
    'change',
    [
        pytest.param({'mark': 'other'}, id='another-file'),
        pytest.param({'sha256': '0' * 64}, id='another-hash'),
        pytest.param({'size': 77}, id='another-size'),
        pytest.param({'validator': ''}, id='no-tag'),
        pytest.param({'done': [[0, 99_999_999]]}, id='more-than-there-is'),
        pytest.param({'done': 'all'}, id='nonsense'),
        pytest.param({'done': [[0, 2_000_000]]}, id='more-than-lies-there'),
    ],
)
def test_what_does_not_agree_is_not_gone_on_with(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, change: dict[str, object]
) -> None:
    target = tmp_path / 'x.safetensors'
    stopped_halfway(site, client, target)
    state = tmp_path / 'x.safetensors.civitai-part.json'
    state.write_text(json.dumps({**json.loads(state.read_text()), **change}))
    assert fetched(site, client, target).taken_over == 0
    assert site.ranges[0] is None


def test_a_file_with_another_tag_than_the_left_one_begins_anew(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target = tmp_path / 'x.safetensors'
    stopped_halfway(site, client, target)
    site.content, site.tag = tensors(SIZE, seed=3), '"three"'
    site.listed_hash = None
    state = tmp_path / 'x.safetensors.civitai-part.json'
    state.write_text(json.dumps({**json.loads(state.read_text()), 'sha256': ''}))
    assert fetched(site, client, target).taken_over == 0
    assert len(site.storage.requests) == 1, 'the answer that brings all of it is used'


def test_a_stop_ends_it_within_moments(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    stop = threading.Event()
    site.hook = lambda r: (site.honest(r)[:2000], STALL)
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    with pytest.raises(CancelledError):
        fetched(site, client, tmp_path / 'x.safetensors', stop)
    timer.join()


def test_all_files_together_come_no_faster_than_the_setting_says(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    setting.model_download_rate = 4.0
    began = time.monotonic()
    fetched(site, client, tmp_path / 'x.safetensors')
    assert time.monotonic() - began > 0.25


def test_progress_is_told_up_to_the_end(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    fetched(site, client, tmp_path / 'x.safetensors', told=lambda *one: told.append(one))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_link_in_the_place_of_the_part_is_not_written_through(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    precious = tmp_path / 'precious'
    precious.write_text('mine')
    (tmp_path / 'x.safetensors.civitai-part').symlink_to(precious)
    with pytest.raises(StorageError):
        fetched(site, client, tmp_path / 'x.safetensors')
    assert precious.read_text() == 'mine'


def test_a_storage_that_only_breaks_off_is_given_up(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.hook = lambda request: (RESET,)
    with pytest.raises(TransferError):
        fetched(site, client, tmp_path / 'x.safetensors')
    assert len(site.storage.requests) == setting.download_max_retries + 1


def test_a_body_without_length_or_end_is_not_taken_for_whole(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.hook = lambda request: (head(200, {'ETag': '"one"'}), CONTENT[:1000])
    with partial.held(tmp_path / 'x.ckpt') as part, pytest.raises(BodyIncompleteError):
        segments.fetch(client, site.download_url, part, Expected('x.ckpt', 'm'), threading.Event())


def test_what_nobody_thought_of_ends_it_and_is_not_tried_for_ever(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(threading, 'excepthook', lambda _: None)
    monkeypatch.setattr(arrival.weights, 'is_foreign', broken)
    with pytest.raises(CivitaiError) as caught:
        fetched(site, client, tmp_path / 'x.safetensors')
    assert caught.value.key == 'error_see_log'


def test_nobody_writes_any_more_once_it_has_failed(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    def told(done: int, total: int) -> None:
        raise StorageError('error_disk_full', folder='x')

    site.hook = lambda request: (site.honest(request)[:400_000], STALL)
    with pytest.raises(StorageError):
        fetched(site, client, tmp_path / 'x.safetensors', told=told)
    assert not [one for one in threading.enumerate() if one.name == 'civitai-part']
