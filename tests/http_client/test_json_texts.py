"""JSON whose text takes much room once read, that is none, or that was cut."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from scripts.civitai_manager_libs import errors
from tests.support.network import at_home, patient
from tests.support.scripted_server import ScriptedServer, Trickle, head, ok

MB = 1_000_000

# -- texts that take several bytes for each character ---------------------------------------------

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
