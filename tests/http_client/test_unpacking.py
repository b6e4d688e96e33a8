"""Packed bodies that go on and on and bring nothing."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
from urllib3.response import HTTPResponse

from scripts.civitai_manager_libs import errors
from tests.support.faults import WHOLE
from tests.support.network import at_home, files_in, patient
from tests.support.scripted_server import STALL, Answer, ScriptedServer, Step, Trickle, head, ok

PACKED, EMPTY = gzip.compress(WHOLE), gzip.compress(b'')
GZIP = head(200, {'Content-Encoding': 'gzip'})
DEFLATE = head(200, {'Content-Encoding': 'deflate'})


def flushed(data: bytes, size: int) -> bytes:
    """gzip that was sent off every `size` bytes."""
    packer = zlib.compressobj(wbits=31)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b''.join(
        packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces
    ) + packer.flush(zlib.Z_FINISH)


# Nothing more comes behind the last of these, and the connection stays open; before read1, urllib3
# waits until so much has come that it could not tell.
OPEN: tuple[Step, ...] = (STALL,) if hasattr(HTTPResponse, 'read1') else ()
PADDED: dict[str, Answer] = {
    'zeros': (GZIP, PACKED + bytes(9), *OPEN),
    'zeros, later': (GZIP, PACKED, bytes(1), *OPEN),
    'anything': (GZIP, PACKED + b'padding', *OPEN),
    'half a mark': (GZIP, PACKED + b'\x1f\x9d', *OPEN),
    'behind two parts': (
        GZIP,
        gzip.compress(WHOLE[:99]) + gzip.compress(WHOLE[99:]) + b'\0',
        *OPEN,
    ),
    'deflate': (DEFLATE, zlib.compress(WHOLE) + b'\0', *OPEN),
    'two codings': (
        head(200, {'Content-Encoding': 'deflate, gzip'}),
        gzip.compress(zlib.compress(WHOLE)) + b'\0',
        *OPEN,
    ),
}


@pytest.mark.parametrize('answer', PADDED.values(), ids=PADDED)
def test_padding_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client, waits = patient(timeout=1.0)
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == []


HONEST = {
    'many parts': b''.join(gzip.compress(WHOLE[at : at + 60]) for at in range(0, len(WHOLE), 60)),
    'an empty part at the end': PACKED + EMPTY,
    'sent off often': flushed(WHOLE, 20),
    'a name': PACKED[:3] + b'\x08' + PACKED[4:10] + b'a.png\0' + PACKED[10:],
}


@pytest.mark.parametrize('packed', HONEST.values(), ids=HONEST)
def test_what_is_packed_in_small_parts_is_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, packed: bytes
) -> None:
    with ScriptedServer(ok(packed, Content_Encoding='gzip')) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == []


def test_parts_may_come_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = gzip.compress(b'{"items"') + gzip.compress(b': [1]}')
    with ScriptedServer((GZIP, Trickle(parts, seconds=0.005))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.fetch_json(f'{server.url}/api/v1/images') == {'items': [1]}
    assert waits == []


NOTHING = {
    'empty parts': EMPTY * 100_000,
    'empty parts behind the file': PACKED + EMPTY * 100_000,
    'parts of a byte': PACKED + gzip.compress(b'x') * 100_000,
    'empty blocks': flushed(b'', 1)[:10] + b'\0\0\0\xff\xff' * 400_000,
    'a name without end': PACKED[:3] + b'\x08' + PACKED[4:10] + b'x' * 2_000_000,
}


@pytest.mark.parametrize('packed', NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize('coding', ['gzip', 'gzip, gzip'])
def test_what_unpacks_to_next_to_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, packed: bytes, coding: str
) -> None:
    body = gzip.compress(packed) if ',' in coding else packed
    with ScriptedServer(ok(body, Content_Encoding=coding)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError, match='next to nothing'):
            client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert waits == [] and files_in(tmp_path) == []
