"""Bodies packed in a way that nobody asked for: unpacked or refused, never kept as they came."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import errors
from tests.support.faults import WHOLE
from tests.support.network import at_home, files_in, patient
from tests.support.scripted_server import ScriptedServer, head, kept, ok

JSON = b'{"items": [1]}'
PACKED = gzip.compress

# What the header says, and what of it is told.
UNKNOWN = {
    'br': ('br', 'br'),
    'zstd': ('zstd', 'zstd'),
    'compress': ('compress', 'compress'),
    'x-compress': ('x-compress', 'x-compress'),
    'of nobody': ('xpress', 'xpress'),
    'a long name': ('x' * 5000, 'x' * 20),
    'capitals and spaces': ('  BR ', 'br'),
    'behind gzip': ('gzip, br', 'br'),
    'before gzip': ('zstd,gzip', 'zstd'),
    'among nothing': (', ,br,,', 'br'),
    'with identity': ('identity, br', 'br'),
}
FOR_THE_WAY = {
    'gzip': 'gzip',
    'gzip in chunks': 'gzip, chunked',
    'of nobody': 'xpress',
    'twice in chunks': 'chunked, chunked',
}


@pytest.mark.parametrize(('coding', 'told'), UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize('name', ['a.png', 'm.safetensors', 'm.yaml'])
def test_a_file_is_not_kept_as_it_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str, told: str, name: str
) -> None:
    with ScriptedServer(ok(PACKED(WHOLE), Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError, match='packed in a way') as caught:
            client.fetch_file(f'{server.url}/{name}', tmp_path / name)
    assert f'({told})' in caught.value.user_message
    assert waits == [] and files_in(tmp_path) == []


@pytest.mark.parametrize('coding', [coding for coding, _ in UNKNOWN.values()], ids=UNKNOWN)
def test_data_and_streams_are_refused_as_well(monkeypatch: pytest.MonkeyPatch, coding: str) -> None:
    answer = kept(ok(PACKED(JSON), Content_Encoding=coding))
    with ScriptedServer(answer, answer, kept(ok(JSON))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        url = f'{server.url}/api/v1/images'
        for ask in (client.fetch_json, client.fetch_stream):
            with pytest.raises(errors.WrongContentError, match='packed in a way'):
                ask(url)
        assert client.fetch_json(url) == {'items': [1]}
    assert waits == []


@pytest.mark.parametrize('coding', FOR_THE_WAY.values(), ids=FOR_THE_WAY)
def test_what_is_packed_for_the_way_is_refused_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str
) -> None:
    body = PACKED(WHOLE)
    framed = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body) if 'chunked' in coding else body
    with ScriptedServer(head(200, {'Transfer-Encoding': coding}) + framed) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError, match='packed in a way'):
            client.fetch_file(f'{server.url}/m.bin', tmp_path / 'm.bin')
    assert waits == [] and files_in(tmp_path) == []


@pytest.mark.parametrize('coding', [coding for coding, _ in UNKNOWN.values()], ids=UNKNOWN)
def test_an_error_is_known_by_its_status_all_the_same(
    monkeypatch: pytest.MonkeyPatch, coding: str
) -> None:
    with ScriptedServer(ok(b'\x0b\x02\x80{}\x03', status=404, Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        with pytest.raises(errors.NotFoundError) as caught:
            client.fetch_json(f'{server.url}/api/v1/images')
    assert caught.value.detail == ''


KNOWN = {
    'nothing': ('', WHOLE),
    'identity': ('identity', WHOLE),
    'identity in capitals': (' Identity ', WHOLE),
    'commas': (', ,', WHOLE),
    'gzip': ('gzip', PACKED(WHOLE)),
    'capitals and spaces': ('  GZip ', PACKED(WHOLE)),
    'x-gzip': ('x-gzip', PACKED(WHOLE)),
    'deflate, with identity': ('deflate , identity', zlib.compress(WHOLE)),
    'gzip, then deflate': ('gzip,deflate', zlib.compress(PACKED(WHOLE))),
}


@pytest.mark.parametrize(('coding', 'body'), KNOWN.values(), ids=KNOWN)
def test_what_is_known_is_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str, body: bytes
) -> None:
    with ScriptedServer(ok(body, Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/m.bin', tmp_path / 'm.bin')
    assert saved.read_bytes() == WHOLE and waits == []


@pytest.mark.parametrize('coding', ['identity', ' Identity ', ','])
def test_a_body_that_is_not_packed_has_its_length(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str
) -> None:
    told = {'Content_Encoding': coding, 'ETag': '"v1"'}
    cut = ok(WHOLE[:10_000], length=len(WHOLE), **told)
    with ScriptedServer(cut, ok(WHOLE, **told)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        seen: list[int] = []
        client.fetch_file(f'{server.url}/m.bin', tmp_path / 'm.bin', lambda _, n: seen.append(n))
    assert set(seen) == {len(WHOLE)} and waits == [0.5]
    assert server.requests[1].headers['range'] == 'bytes=10000-'
