"""What JSON would unfold to, counted while its text comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.http_client.unfolding import MAX_DEPTH, MAX_VALUES, Unfolding


def counted(text: bytes, size: int = 1_000_000) -> tuple[int, int]:
    """Values and depth of `text`, which comes in pieces of `size` bytes."""
    unfolding = Unfolding()
    for at in range(0, len(text), size):
        unfolding.add(text[at : at + size])
    return unfolding.values, unfolding.depth


def expected(data: Any) -> tuple[int, int]:
    """The same, from the data: a container, and each further member of one, counts as one."""
    if not isinstance(data, (list, dict)):
        return 0, 0
    inside = [expected(one) for one in (data.values() if isinstance(data, dict) else data)]
    values = 1 + max(0, len(inside) - 1) + sum(one for one, _ in inside)
    return values, 1 + max((depth for _, depth in inside), default=0)


TEXTS = {
    'number': '5',
    'empty list': '[]',
    'nested': '[[[]], {"a": {"b": [1, 2]}}]',
    'marks in a string': '["[{,", ",,,", "]]"]',
    'a quotation in a string': r'["\",[", "\\", "\\\",{", "a\\\\"]',
    'marks in a key': '{"a,[{": 1, "\\"": [2]}',
    'other characters': '["é,[", "∢,[", "😀,["]',
    'escaped characters': r'["\u0022,[", "\u005c", "\n,"]',
}


@pytest.mark.parametrize('size', [1, 2, 3, 7, 1000])
@pytest.mark.parametrize('text', TEXTS.values(), ids=TEXTS)
def test_what_stands_in_strings_is_not_counted(text: str, size: int) -> None:
    assert counted(text.encode(), size) == expected(json.loads(text))


NASTY = st.text(st.sampled_from('"\\,[]{}:aé∢😀\n'), max_size=12)
DATA = st.recursive(
    st.none() | st.integers() | NASTY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NASTY, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(DATA, st.booleans(), st.integers(1, 9))
def test_the_count_is_right_for_any_json(data: Any, is_ascii: bool, size: int) -> None:
    text = json.dumps(data, ensure_ascii=is_ascii).encode('utf-8', 'surrogatepass')
    assert counted(text, size) == expected(data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_counted(text: bytes) -> None:
    values, depth = counted(text, 7)
    assert values >= 0 and depth >= 0


def test_where_it_is_too_much() -> None:
    wide, deep = Unfolding(), Unfolding()
    wide.add(b'[' + b',' * (MAX_VALUES - 1))
    deep.add(b'[' * MAX_DEPTH)
    assert not wide.is_too_much and not deep.is_too_much
    wide.add(b',')
    deep.add(b'{')
    assert wide.is_too_much and deep.is_too_much
