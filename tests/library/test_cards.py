"""The cards of a WebUI show a model, and keep what a person wrote there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, strategies as some

from scripts.civitai_manager_libs.host import layouts
from scripts.civitai_manager_libs.library import cards

VERSION = {
    'id': 20,
    'modelId': 10,
    'baseModel': 'SDXL 1.0',
    'trainedWords': ['gouache weather', 'matte paint'],
    'description': '<p>Trained <b>anew</b>.</p>',
}


def fields(kind: str = 'LORA', layout: layouts.Layout = layouts.A1111, **changed: Any) -> Any:
    return cards.fields({**VERSION, **changed}, {}, kind, layout)


@pytest.mark.parametrize(
    ('base', 'in_a1111', 'in_forge'),
    [
        ('SD 1.5', 'SD1', 'SD1'),
        ('SD 1.5 LCM', 'SD1', 'SD1'),
        ('SD 2.1 768', 'SD2', 'SD2'),
        ('SDXL 1.0', 'SDXL', 'SDXL'),
        ('SDXL Lightning', 'SDXL', 'SDXL'),
        ('Pony', 'SDXL', 'SDXL'),
        ('Illustrious', 'SDXL', 'SDXL'),
        ('NoobAI', 'SDXL', 'SDXL'),
        ('Pony V7', None, None),
        ('Flux.1 D', None, 'Flux'),
        ('Flux.2 D', None, None),
        ('SD 3.5', None, None),
        ('', None, None),
        (7, None, None),
    ],
)
def test_the_base_is_called_as_the_host_calls_it(
    base: object, in_a1111: str | None, in_forge: str | None
) -> None:
    assert fields(baseModel=base).get('sd version') == in_a1111
    assert fields(baseModel=base, layout=layouts.FORGE).get('sd version') == in_forge


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['gouache weather', 'matte paint'], 'gouache weather, matte paint'),
        (['a, b', 'c'], 'a, b || c'),
        (['a,', ' ', 'b'], 'a, b'),
        ([None, {'x': 1}, 'b'], 'b'),
        ([], None),
        ('text', None),
        (None, None),
    ],
    ids=repr,
)
def test_trained_words_are_what_a_click_adds(words: object, text: str | None) -> None:
    assert fields(trainedWords=words).get('activation text') == text


def test_only_a_lora_is_called_by_words_and_weight() -> None:
    assert set(fields()) - set(fields('Checkpoint')) == {
        'activation text',
        'preferred weight',
        'sd version',
    }
    assert fields('DoRA') == fields('LoCon') == fields()


@pytest.mark.parametrize(
    ('html', 'text'),
    [
        ('<p>One</p><p>Two &amp; <b>three</b></p>', 'One\nTwo & three'),
        ('plain', 'plain'),
        ('a<br/>b<ul><li>c</li><li>d</li></ul>', 'a\nb\nc\nd'),
        ('<script>evil()</script>x<style>p {}</style>', 'x'),
        ('<p>unfinished', 'unfinished'),
        ('a &lt; b', 'a < b'),
        ('</script></style>x', 'x'),
        ('<p>two\n  lines</p>', 'two lines'),
        ('a<!-- <p>b</p> -->c --> d', 'ac --> d'),
        ('a<!-- unfinished', 'a'),
        ('a < b > c <3', 'a < b > c <3'),
        ('<a title="1 > 0" href=\'>\'>one</a> <IMG src="x" />two', 'one two'),
        ('<a href="x>one</a>', 'one'),
        ('<script>if (a<b) "<p>"</script >x', 'x'),
        ('<pre><script-like>x</pre>', 'x'),
        ('a<![foo[ x ]]>b', 'ab'),
        ('a<!DOCTYPE [>b<?php?>c</>d</ >e', 'abcde'),
        ('a<![CDATA[b', 'a'),
        ('a&#xd800;&#99999999;&#65;', 'a\ufffd\ufffdA'),
        ('&lt;b&gt;', '<b>'),
        ('', None),
        (None, None),
        ({'html': 1}, None),
    ],
    ids=repr,
)
def test_a_description_is_told_in_plain_words(html: object, text: str | None) -> None:
    assert fields(description=html).get('description') == text


@given(some.text('<>!-/?[]&#;x"\' apscript\n', max_size=80))
def test_any_description_has_words(html: str) -> None:
    assert isinstance(cards.plain_text(html), str)


@pytest.mark.parametrize(
    'piece',
    ['<a ', '<a "', '<a \'"', '<', '</', '<!', '<!--', '<!-->', '<![', '<?', '<script>', '<p', '&']
    + ['&#', '&#1', '<a b="', "<a b='<", '-->', '<style', '</p ', '<a =', '<a/', '""', '&lt'],
)
def test_a_description_takes_no_longer_than_it_is_long(piece: str) -> None:
    html = piece * (200_000 // len(piece))
    begun = time.process_time()
    cards.plain_text(html)
    assert time.process_time() - begun < 5, 'the time grows with the square of the length'


def test_a_number_that_is_no_character_is_left_out() -> None:
    assert cards.plain_text(f'a&#{"9" * 5000};b&#x{"f" * 5000};c') == 'abc'


def test_a_long_description_is_cut_and_the_models_own_goes_first() -> None:
    told = cards.fields(VERSION, {'description': f'<p>{"long " * 5000}</p>'}, 'LORA')
    text = str(told['description'])
    assert text.startswith('long long') and text.endswith('…') and len(text) == 2000


@pytest.mark.parametrize('value', ['20', -1, True, None, 10**20, [1]], ids=repr)
def test_only_an_id_is_written_as_one(value: object) -> None:
    told = fields(id=value, modelId=value)
    assert told.get('modelVersionId') in (None, 20)


def merged(content: bytes, told: dict[str, Any]) -> Any:
    found = cards.merged(content, told)
    return None if found is None else json.loads(found)


HAND = {'activation text': 'mine', 'preferred weight': 0.7, 'notes': 'ünïcode 水', 'x': [1, None]}


def test_what_a_person_wrote_stays_and_what_is_empty_is_filled_in() -> None:
    there = json.dumps({**HAND, 'description': '', 'sd version': None}).encode()
    told = {'activation text': 'theirs', 'description': 'd', 'sd version': 'SDXL', 'modelId': 3}
    result = merged(there, told)
    assert result == {**HAND, 'description': 'd', 'sd version': 'SDXL', 'modelId': 3}
    assert list(result)[:4] == list(HAND)


def test_a_weight_of_nothing_is_no_empty_one() -> None:
    assert merged(b'{"preferred weight": 0}', {'preferred weight': 0.5}) is None


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'{"id": 1, "modelVersions": [{"id": 2}]}', id='that of SD.Next'),
        pytest.param(b'{"description": "d"', id='broken'),
        pytest.param(b'[]', id='no object'),
        pytest.param(b'"text"', id='text'),
        pytest.param(b'{"a": 1, "a": 2}', id='a key twice'),
        pytest.param(b'{"x": {"a": 1, "a": 2}}', id='a key twice, further in'),
        pytest.param(b'{"weight": 1e400}', id='a number too large'),
        pytest.param(b'{"weight": 0.12345678901234567890123}', id='a number of many digits'),
        pytest.param(b'{"weight": NaN}', id='no number'),
        pytest.param(b'{"n": ' + b'9' * 5000 + b'}', id='a number of thousands of digits'),
        pytest.param(b'{"a": "\xff"}', id='no UTF-8'),
        pytest.param(b'[' * 100_000, id='very deep'),
        pytest.param(b'{"modelId": 3}', id='nothing to add'),
    ],
)
def test_what_could_lose_something_is_left_alone(content: bytes) -> None:
    assert cards.merged(content, {'modelId': 3}) is None


def test_a_mark_of_byte_order_is_no_reason_to_leave_it_alone() -> None:
    assert merged(b'\xef\xbb\xbf{"a": 1}', {'b': 2}) == {'a': 1, 'b': 2}


values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
names = some.sampled_from(['description', 'activation text', 'sd version', 'modelId', 'notes'])


@given(some.dictionaries(names | some.text(), values, max_size=8), some.booleans())
def test_nothing_of_a_hand_written_file_is_lost(there: dict[str, Any], is_ascii: bool) -> None:
    content = json.dumps(there, ensure_ascii=is_ascii).encode('utf-8', 'surrogatepass')
    result = cards.merged(content, fields())
    if result is None:
        return
    found = json.loads(result)
    for name, value in there.items():
        if value not in (None, '', [], {}) or name not in fields():
            assert json.dumps(found[name]) == json.dumps(value)
    assert list(found)[: len(there)] == list(there)
