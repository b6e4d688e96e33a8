"""Packed bodies that go on and on and bring nothing, and texts that take much room once read."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from pathlib import Path

import pytest
from urllib3.response import HTTPResponse

from scripts.civitai_manager_libs import errors
from tests.support.faults import WHOLE
from tests.support.network import at_home, files_in, patient
from tests.support.scripted_server import STALL, Answer, ScriptedServer, Step, Trickle, head, ok

MB = 1_000_000
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


# -- JSON whose text takes several bytes for each character ---------------------------------------

LONG = 'x' * 1000
WIDE = {
    'one emoji': '😀',
    'one Chinese character': '世',
    'one emoji, escaped': r'\ud83d\ude00',
    'one emoji, escaped in capitals': r'\uD83D\uDE00',
    'one Chinese character, escaped': r'\u4e16',
}


def page(megabytes: int, mark: str) -> bytes:
    """A list of texts, of so many megabytes, one of them `mark`."""
    items = ['"%s"' % LONG] * (megabytes * MB // 1003)
    items[len(items) // 2] = f'"{mark}"'
    return ('[%s]' % ','.join(items)).encode()


@pytest.mark.parametrize('mark', WIDE.values(), ids=WIDE)
@pytest.mark.parametrize('is_one_text', [False, True], ids=['many texts', 'one text'])
def test_a_long_text_of_wide_characters_takes_little_memory(
    monkeypatch: pytest.MonkeyPatch, mark: str, is_one_text: bool
) -> None:
    half = b'x' * (31 * MB)
    body = b'["%s%s%s"]' % (half, mark.encode(), half) if is_one_text else page(63, mark)
    with ScriptedServer(ok(body)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        tracemalloc.start()
        try:
            with pytest.raises(errors.WrongContentError, match='too large to be true'):
                client.fetch_json(f'{server.url}/api/v1/images')
            assert tracemalloc.get_traced_memory()[1] < 100 * MB
        finally:
            tracemalloc.stop()
    assert waits == []


@pytest.mark.parametrize('mark', ['😀', r'\ud83d\ude00', '世', 'é', 'a'])
def test_a_page_of_twenty_megabytes_is_read_in_any_language(
    monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    body = page(20, mark)
    with ScriptedServer(ok(body)) as server:
        at_home(monkeypatch, server)
        tracemalloc.start()
        try:
            found = patient()[0].fetch_json(f'{server.url}/api/v1/images')
            assert tracemalloc.get_traced_memory()[1] < 200 * MB
        finally:
            tracemalloc.stop()
    assert json.loads(f'"{mark}"') in found


def test_a_mark_between_two_pieces_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    body = page(30, r'\ud83d\ude00')
    at = body.index(rb'\ud')
    for cut in range(at, at + 5):
        pieces = body[:cut], Trickle(body[cut : cut + 1]), body[cut + 1 :]
        with ScriptedServer((head(200), *pieces)) as server:
            at_home(monkeypatch, server)
            with pytest.raises(errors.WrongContentError, match='more than 24 MB'):
                patient()[0].fetch_json(f'{server.url}/api/v1/images')


# -- what is no JSON, or was cut ------------------------------------------------------------------

NO_NUMBERS = {
    'no number': b'{"items": [NaN]}',
    'without end': b'{"items": [], "a": Infinity}',
    'without end, below': b'[-Infinity]',
    'alone': b'NaN',
    'too large': b'{"a": 1e999}',
    'too large, below': b'{"a": -1.5E+400}',
}


@pytest.mark.parametrize('body', NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_number_that_is_none_is_no_json(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    with ScriptedServer(ok(body)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.WrongContentError, match='cannot be read'):
            client.fetch_json(f'{server.url}/api/v1/images')
    assert waits == []


@pytest.mark.parametrize('cut', [b'1', b'-12', b'0.5', b'1e1', b' 7'])
def test_a_number_may_go_on_where_nobody_said_its_length(
    monkeypatch: pytest.MonkeyPatch, cut: bytes
) -> None:
    with ScriptedServer(head(200) + cut, head(200) + cut + b'5', ok(b'125')) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.fetch_json(f'{server.url}/api/v1/images') == 125
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize('body', [b'12\n', b'"12"', b'[12]', b'{"a": 1}', b'true', b'null '])
def test_what_has_its_own_end_needs_no_length(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    with ScriptedServer(head(200) + body) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.fetch_json(f'{server.url}/api/v1/images') == json.loads(body)
    assert waits == []
