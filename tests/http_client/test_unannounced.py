"""Bodies of which nobody said where they end: kept only when the bytes, or a second one, tell."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs import errors
from tests.support.endings import LIVE, PROVING, SILENT, TELLING, WALKED
from tests.support.network import at_home, files_in, patient
from tests.support.scripted_server import CLOSE, Answer, ScriptedServer, chunked, head, ok

SURE = {**TELLING, **PROVING, **WALKED}
UNSURE = {**LIVE, **SILENT}
ALL = {**SURE, **UNSURE}


def until_close(body: bytes) -> bytes:
    return head(200) + body


def called_identity(body: bytes) -> bytes:
    return head(200, {'Transfer-Encoding': 'identity'}) + body


def of_old(body: bytes) -> bytes:
    return until_close(body).replace(b'HTTP/1.1', b'HTTP/1.0').replace(CLOSE, b'')


def with_no_number(body: bytes) -> bytes:
    return head(200, {'Content-Length': 'unknown'}) + body


def packed(body: bytes) -> bytes:
    return head(200, {'Content-Encoding': 'gzip'}) + gzip.compress(body)


WAYS = [packed, until_close, called_identity, of_old, with_no_number]


def fetched(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *answers: Answer, **options: int
) -> tuple[bytes, list[float]]:
    """What is kept of these answers, and the waits."""
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient(**options)
        saved = client.fetch_file(f'{server.url}/file', folder / 'file')
    assert files_in(folder) == ['file']
    return saved.read_bytes(), waits


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('whole', ALL.values(), ids=ALL)
def test_a_body_that_broke_off_unannounced_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: Callable[[bytes], bytes], whole: bytes
) -> None:
    found, waits = fetched(monkeypatch, tmp_path, way(whole[: len(whole) * 2 // 3]), ok(whole))
    assert found == whole and waits == [0.5]


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('whole', SURE.values(), ids=SURE)
def test_what_proves_its_end_is_fetched_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: Callable[[bytes], bytes], whole: bytes
) -> None:
    found, waits = fetched(monkeypatch, tmp_path, way(whole))
    assert found == whole and waits == []


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('whole', UNSURE.values(), ids=UNSURE)
def test_what_cannot_prove_its_end_is_kept_when_it_comes_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: Callable[[bytes], bytes], whole: bytes
) -> None:
    found, waits = fetched(monkeypatch, tmp_path, way(whole), way(whole))
    assert found == whole and waits == [0.5]


@pytest.mark.parametrize('whole', SILENT.values(), ids=SILENT)
def test_a_length_that_differs_each_time_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, whole: bytes
) -> None:
    answers = [until_close(whole[:size]) for size in (3000, 4000, 3500)]
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=2)
        with pytest.raises(errors.BodyIncompleteError, match='without its end'):
            client.fetch_file(f'{server.url}/file', tmp_path / 'file')
    assert waits == [0.5, 1.0] and files_in(tmp_path) == []


CUT = {name: whole[:-5] for name, whole in {**TELLING, **PROVING, **WALKED, **LIVE}.items()}
CUT |= {
    'png behind another': WALKED['png in tEXt'].rpartition(b'IDAT')[0][:-8],
    'gif in a block': WALKED['gif'][:-3],
    'jpeg behind its thumbnail': WALKED['jpeg'].partition(b'\xff\xda')[0],
    'mp4 without its index': PROVING['mp4, index last'].partition(b'moov')[0][:-4],
    'zip without its directory': PROVING['zip'].partition(b'PK\1\2')[0],
}


@pytest.mark.parametrize('cut', CUT.values(), ids=CUT)
def test_what_says_that_it_is_short_is_never_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: bytes
) -> None:
    with ScriptedServer(until_close(cut)) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=2)
        with pytest.raises(errors.BodyIncompleteError, match='without its end'):
            client.fetch_file(f'{server.url}/file', tmp_path / 'file')
    assert waits == [0.5, 1.0] and files_in(tmp_path) == []


CERTAIN = {
    'length': ok,
    'chunks': chunked,
    'chunks with a space': lambda body: chunked(body).replace(b'chunked\r\n', b'Chunked \r\n'),
    'packed': lambda body: ok(gzip.compress(body), Content_Encoding='gzip'),
    'packed, chunks': lambda body: chunked(gzip.compress(body), Content_Encoding='gzip'),
}


@pytest.mark.parametrize('way', CERTAIN.values(), ids=CERTAIN)
@pytest.mark.parametrize('whole', ALL.values(), ids=ALL)
def test_an_end_that_was_announced_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: Callable[[bytes], bytes], whole: bytes
) -> None:
    found, waits = fetched(monkeypatch, tmp_path, way(whole))
    assert found == whole and waits == []


@pytest.mark.parametrize('whole', SILENT.values(), ids=SILENT)
def test_the_rest_that_fills_the_range_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, whole: bytes
) -> None:
    size, cut = len(whole), 2000
    span = {'Content-Range': f'bytes {cut}-{size - 1}/{size}', 'ETag': '"v1"'}
    answers = ok(whole[:cut], length=size, ETag='"v1"'), head(206, span) + whole[cut:]
    found, waits = fetched(monkeypatch, tmp_path, *answers)
    assert found == whole and waits == [0.5]


def test_a_whole_file_of_which_nothing_is_missing_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = SILENT['anything']
    gone = chunked(whole, end=False, ETag='"v1"')
    done = ok(b'', status=416, Content_Range=f'bytes */{len(whole)}')
    found, waits = fetched(monkeypatch, tmp_path, gone, done)
    assert found == whole and waits == [0.5]


@pytest.mark.parametrize('length', ['', 'as long as all'])
def test_a_packed_body_that_ends_between_two_members_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: str
) -> None:
    """Each member has an end of its own, and nothing tells that another should follow."""
    whole = SURE['png']
    first, second = gzip.compress(whole[:-20]), gzip.compress(whole[-20:])
    named = {'Content-Encoding': 'gzip'}
    if length:
        named['Content-Length'] = str(len(first + second))
    found, waits = fetched(monkeypatch, tmp_path, head(200, named) + first, ok(whole))
    assert found == whole and waits == [0.5]


def test_a_packed_body_shorter_than_its_length_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = SILENT['anything']
    first, second = gzip.compress(whole[:1000]), gzip.compress(whole[1000:])
    cut = ok(first, length=len(first + second), Content_Encoding='gzip')
    found, waits = fetched(monkeypatch, tmp_path, cut, ok(whole))
    assert found == whole and waits == [0.5]
