"""What is too large to be true: refused with its cause, nothing kept, little read."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import bodies
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import Answer, ScriptedServer, chunked, head, ok

MB = 1_000_000
THUMBNAIL = '/bucket/5a5b/width=450,optimized=true/5a5b.jpeg'
ORIGINAL = '/bucket/5a5b/original=true/5a5b.jpeg'
BLOCK = bytes(MB)


def refused(
    monkeypatch: pytest.MonkeyPatch, folder: Path, path: str, *answers: Answer
) -> errors.CivitaiError:
    """The final error of a download into `folder` that leaves nothing."""
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError) as caught:
            client.fetch_file(server.url + path, folder / 'a.png')
        assert len(server.requests) == 1
    assert waits == [] and files_in(folder) == []
    return caught.value


def long_picture(megabytes: int) -> list[bytes]:
    return [png()[:-12], *[BLOCK] * megabytes]


TOO_LONG = [
    pytest.param(head(200, {'Content-Length': str(50 * MB + 1)}) + png(), id='says so'),
    pytest.param(chunked(*long_picture(51)), id='does not say'),
    pytest.param((head(200), *long_picture(51)), id='ends with the connection'),
]


@pytest.mark.parametrize('answer', TOO_LONG)
def test_a_thumbnail_over_50_mb_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    error = refused(monkeypatch, tmp_path, THUMBNAIL, answer)
    assert 'more than 50 MB' in error.user_message


def test_anything_over_50_mb_is_refused_in_the_picture_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path))
    error = refused(monkeypatch, tmp_path, ORIGINAL, chunked(*long_picture(51)))
    assert 'more than 50 MB' in error.user_message


def test_so_it_is_however_the_path_of_the_picture_cache_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', f'{tmp_path}/./')
    with ScriptedServer(head(200, {'Content-Length': str(50 * MB + 1)}) + png()) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert not client.download_file(server.url + ORIGINAL, f'{tmp_path}//./a.png')
    assert files_in(tmp_path) == []


def test_an_original_may_be_larger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = png(51 * MB)
    with ScriptedServer(ok(body)) as server:
        at_home(monkeypatch, server)
        assert patient()[0].download_file(server.url + ORIGINAL, tmp_path / 'a.png')
    assert (tmp_path / 'a.png').stat().st_size == len(body)


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param(head(200, {'Content-Length': str(64 * MB + 1)}) + b'[', id='says so'),
        pytest.param((head(200), b'[', *[b' ' * MB] * 65), id='does not say'),
        pytest.param(
            ok(gzip.compress(b' ' * (65 * MB), 1), Content_Encoding='gzip'), id='unpacks to it'
        ),
    ],
)
def test_json_over_64_mb_is_refused(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError, match='more than 64 MB'):
            client.fetch_json(f'{server.url}/api/v1/images')
    assert waits == []


def test_json_of_many_megabytes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data: Any = {'items': ['x' * 1000] * 10_000}
    with ScriptedServer(ok(json.dumps(data).encode())) as server:
        at_home(monkeypatch, server)
        assert patient()[0].get_json(f'{server.url}/api/v1/images') == data


MANY = 2_000_001
UNFOLDING = {
    'lists': b'[' + b'[],' * MANY + b'0]',
    'objects': b'[' + b'{"a":{}},' * MANY + b'0]',
    'items': b'{"items":[' + b'{"id":1,"url":""},' * MANY + b'{}],"metadata":{}}',
    'numbers': b'[' + b'0,' * MANY + b'0]',
    'keys': b'{' + b'"":0,' * MANY + b'"":0}',
    'inside an object': b'{"error":{"issues":[' + b'{},' * MANY + b'{}]}}',
    'deep lists': b'[' * 101 + b']' * 101,
    'deep objects': b'{"a":' * 101 + b'0' + b'}' * 101,
    'behind a long string': b'["' + b',\\"[' * 100_000 + b'",' + b'[],' * MANY + b'0]',
}


@pytest.mark.parametrize('packed', [False, True], ids=['plain', 'packed'])
@pytest.mark.parametrize('text', UNFOLDING.values(), ids=UNFOLDING)
def test_json_that_unfolds_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: bytes, packed: bool
) -> None:
    coding = {'Content_Encoding': 'gzip'} if packed else {}
    with ScriptedServer(ok(gzip.compress(text, 1) if packed else text, **coding)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        url = f'{server.url}/api/v1/images'
        with pytest.raises(errors.WrongContentError, match='more than 2,000,000 values'):
            client.fetch_json(url)
        assert client.post_json(url, {}) is None
    assert waits == []


def test_json_that_unfolds_to_too_much_costs_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b'[' + b'[],' * 20_000_000 + b'0]')
    with ScriptedServer(ok(bomb, Content_Encoding='gzip')) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        tracemalloc.start()
        try:
            assert client.get_json(f'{server.url}/api/v1/images') is None
            assert tracemalloc.get_traced_memory()[1] < 100 * MB
        finally:
            tracemalloc.stop()


def test_an_error_that_unfolds_to_too_much_is_known_by_its_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = gzip.compress(b'{"error":[' + b'[],' * 20_000_000 + b'"x"]}')
    with ScriptedServer(ok(bomb, status=404, Content_Encoding='gzip')) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        tracemalloc.start()
        try:
            with pytest.raises(errors.NotFoundError):
                client.fetch_json(f'{server.url}/api/v1/images')
            assert tracemalloc.get_traced_memory()[1] < 20 * MB
        finally:
            tracemalloc.stop()


GRAPH = {str(n): {'inputs': {'a': [n, 0], 'b': 'x, "y"'}, 'class_type': 'K'} for n in range(300)}


def test_a_page_of_whole_workflows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    meta = {'comfy': json.dumps({'prompt': GRAPH}), 'workflow': {'prompt': GRAPH}}
    data = {'items': [{'id': n, 'meta': meta} for n in range(200)], 'metadata': {}}
    answer = ok(gzip.compress(json.dumps(data).encode(), 1), Content_Encoding='gzip')
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        assert patient()[0].get_json(f'{server.url}/api/v1/images') == data


@pytest.mark.parametrize(
    ('text', 'is_read'),
    [
        pytest.param('{"a": "ü 😀"}'.encode(), True, id='UTF-8'),
        pytest.param('\ufeff{"a": "ü 😀"}'.encode(), True, id='UTF-8 with a mark'),
        pytest.param('{"a": "ü 😀"}'.encode('utf-16'), False, id='UTF-16'),
    ],
)
def test_json_is_read_as_utf_8_alone(
    monkeypatch: pytest.MonkeyPatch, text: bytes, is_read: bool
) -> None:
    with ScriptedServer(ok(text)) as server:
        at_home(monkeypatch, server)
        found = patient()[0].get_json(f'{server.url}/api/v1/images')
    assert found == ({'a': 'ü 😀'} if is_read else None)


def huge_png(width: int, height: int) -> bytes:
    whole = png()
    return whole[:16] + width.to_bytes(4, 'big') + height.to_bytes(4, 'big') + whole[24:]


def huge_jpeg(width: int, height: int, metadata: int = 0) -> bytes:
    comment = b'\xff\xfe' + (metadata + 2).to_bytes(2, 'big') + bytes(metadata)
    frame = b'\xff\xc2\x00\x11\x08' + height.to_bytes(2, 'big') + width.to_bytes(2, 'big')
    return b'\xff\xd8' + comment + frame + bytes(30) + b'\xff\xd9'


def huge_webp(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little')
    return b'RIFF' + (22).to_bytes(4, 'little') + b'WEBPVP8X' + bytes(8) + canvas


def huge_gif(width: int, height: int) -> bytes:
    return b'GIF89a' + width.to_bytes(2, 'little') + height.to_bytes(2, 'little') + b'\0\0\0;'


@pytest.mark.parametrize(
    'picture',
    [
        pytest.param(huge_png(100_000, 100_000), id='png'),
        pytest.param(huge_webp(100_000, 100_000), id='webp'),
        pytest.param(huge_jpeg(65_000, 65_000), id='jpeg'),
        pytest.param(huge_jpeg(65_000, 65_000, 60_000), id='jpeg behind long metadata'),
        pytest.param(huge_gif(65_000, 65_000), id='gif'),
    ],
)
def test_a_picture_of_absurd_size_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: bytes
) -> None:
    error = refused(monkeypatch, tmp_path, ORIGINAL, ok(picture))
    assert 'too many for any program to open' in error.user_message
    assert '65000 x 65000' in str(error) or '100000 x 100000' in str(error)


@pytest.mark.parametrize(
    'picture',
    [huge_png(20_000, 20_000), huge_jpeg(20_000, 20_000), huge_webp(20_000, 20_000)],
    ids=['png', 'jpeg', 'webp'],
)
def test_a_large_picture_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: bytes
) -> None:
    with ScriptedServer(ok(picture)) as server:
        at_home(monkeypatch, server)
        assert patient()[0].download_file(server.url + ORIGINAL, tmp_path / 'a.png')
    assert (tmp_path / 'a.png').read_bytes() == picture


@pytest.mark.parametrize('path', [THUMBNAIL, ORIGINAL])
def test_a_gzip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str) -> None:
    bomb = gzip.compress(png()[:-12] + bytes(bodies.MAX_CODED_BYTES), 1)
    error = refused(monkeypatch, tmp_path, path, ok(bomb, Content_Encoding='gzip'))
    assert 'too large to be true' in error.user_message
