"""Bytes that look whole and are not; hosts that say not to come back today."""

from __future__ import annotations

import gzip
import ssl
import tracemalloc
import zlib
from pathlib import Path

import pytest
import requests
import responses

from scripts.civitai_manager_libs import errors
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import API, at_home, files_in, patient, png
from tests.support.scripted_server import Answer, ScriptedServer, chunked, head, ok

VIDEO = b'\0\0\0\x18ftypmp42\0\0\0\0mp42isom' + bytes(range(256)) * 40
SIZE, CUT = len(VIDEO), 5000
PACKED = gzip.compress(VIDEO)
BEGUN = ok(VIDEO[:CUT], length=SIZE, ETag='"v1"')


def rest(body: bytes, **headers: str) -> bytes:
    """A 206 that promises the rest and sends `body`, to the end of the connection."""
    named = {'Content-Range': f'bytes {CUT}-{SIZE - 1}/{SIZE}', 'ETag': '"v1"', **headers}
    return head(206, named) + body


BROKEN = [
    pytest.param(
        BEGUN, rest(VIDEO[CUT : CUT + 1000], **{'Content-Length': '1000'}), id='shorter than said'
    ),
    pytest.param(
        chunked(VIDEO[:CUT], end=False, ETag='"v1"'), rest(VIDEO[CUT : CUT + 1000]), id='rest cut'
    ),
    pytest.param(
        ok(PACKED[:-9], Content_Encoding='gzip'),
        ok(PACKED[:-9], Content_Encoding='gzip'),
        id='packed, framed well',
    ),
    pytest.param(
        chunked(PACKED[:-9], Content_Encoding='gzip'),
        chunked(PACKED[:-9], Content_Encoding='gzip'),
        id='packed in chunks',
    ),
]


@pytest.mark.parametrize(('first', 'then'), BROKEN)
def test_what_is_not_all_there_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: Answer, then: Answer
) -> None:
    with ScriptedServer(first, then, ok(VIDEO)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.download_file(f'{server.url}/a.mp4', tmp_path / 'a.mp4')
    assert (tmp_path / 'a.mp4').read_bytes() == VIDEO and files_in(tmp_path) == ['a.mp4']
    assert waits == [0.5, 1.0]


def test_the_rest_without_a_length_is_whole_when_the_range_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(BEGUN, rest(VIDEO[CUT:])) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.download_file(f'{server.url}/a.mp4', tmp_path / 'a.mp4')
    assert (tmp_path / 'a.mp4').read_bytes() == VIDEO and waits == [0.5]


@pytest.mark.parametrize(
    'body',
    [
        pytest.param(PACKED, id='one part'),
        pytest.param(gzip.compress(VIDEO[:99]) + gzip.compress(VIDEO[99:]), id='two parts'),
        pytest.param(PACKED + bytes(64), id='padding behind it'),
    ],
)
def test_a_packed_file_is_unpacked_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes
) -> None:
    with ScriptedServer(ok(body, Content_Encoding='gzip')) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.download_file(f'{server.url}/a.mp4', tmp_path / 'a.mp4')
    assert (tmp_path / 'a.mp4').read_bytes() == VIDEO and waits == []


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ('body', 'coding'),
    [
        pytest.param(zlib.compress(VIDEO), 'deflate', id='deflate'),
        pytest.param(bare_deflate(VIDEO), 'deflate', id='deflate without its frame'),
        pytest.param(gzip.compress(PACKED), 'gzip, gzip', id='twice'),
        pytest.param(zlib.compress(PACKED), 'GZIP , Deflate', id='two ways'),
        pytest.param(VIDEO, 'identity', id='not at all'),
    ],
)
def test_other_ways_of_packing_are_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes, coding: str
) -> None:
    with ScriptedServer(ok(body, Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.download_file(f'{server.url}/a.mp4', tmp_path / 'a.mp4')
    assert (tmp_path / 'a.mp4').read_bytes() == VIDEO and waits == []


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param(ok(zlib.compress(VIDEO)[:-9], Content_Encoding='deflate'), id='deflate cut'),
        pytest.param(ok(PACKED, Content_Encoding=', '.join(['gzip'] * 999)), id='many times'),
    ],
)
def test_what_cannot_be_unpacked_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=1)
        with pytest.raises(errors.BodyIncompleteError):
            client.fetch_file(f'{server.url}/a.mp4', tmp_path / 'a.mp4')
    assert files_in(tmp_path) == []


@pytest.mark.parametrize('status', [200, 404])
@pytest.mark.parametrize('coding', ['gzip', 'gzip, gzip', 'deflate'])
def test_a_bomb_costs_little_memory_wherever_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str, status: int
) -> None:
    zeros = bytes(10**8)
    packed = zlib.compress(zeros) if coding == 'deflate' else gzip.compress(zeros)
    bomb = gzip.compress(packed) if coding == 'gzip, gzip' else packed
    with ScriptedServer(ok(bomb, status=status, Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        tracemalloc.start()
        try:
            assert not client.download_file(f'{server.url}/model.bin', tmp_path / 'model.bin')
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()
    assert files_in(tmp_path) == []


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_host_that_says_not_today_is_not_asked_for_each_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock()
    with ScriptedServer(ok(b'', status=429, Retry_After='86400')) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient(sleep=lambda seconds: None, clock=clock)
        for number in range(100):
            url = f'{server.url}/original=true/{number}.png'
            assert not client.download_file(url, tmp_path / f'{number}.png')
            assert '429' in str(client.failure_for(url))
        assert len(server.requests) == 1
        clock.now += 31
        client.download_file(f'{server.url}/another.png', tmp_path / 'another.png')
        assert len(server.requests) == 2, 'after a while somebody may look again'
    assert files_in(tmp_path) == []


def test_who_asks_again_for_the_same_is_not_held_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(ok(b'', status=429, Retry_After='86400'), ok(png())) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        url = f'{server.url}/original=true/a.png'
        assert not client.download_file(url, tmp_path / 'a.png')
        assert client.download_file(url, tmp_path / 'a.png')
        assert client.download_file(f'{server.url}/b.png', tmp_path / 'b.png'), 'open again'


def test_an_address_that_speaks_of_certificates_is_no_reason_to_distrust() -> None:
    cut = ssl.SSLEOFError(8, 'EOF occurred in violation of protocol')
    told = requests.exceptions.SSLError(f'Max retries exceeded with url: /my_certificate ({cut!r})')
    told.__cause__ = cut
    client, waits = patient(max_retries=1)
    with responses.RequestsMock() as site:
        site.add(responses.GET, API, body=told)
        with pytest.raises(errors.ConnectionFailedError):
            client.fetch_json(API)
    assert waits == [0.5]
