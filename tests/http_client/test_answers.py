"""The words of the other side, out of every form an error body comes in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.http_client import answers

ISSUES = [
    {'code': 'invalid_value', 'values': ['Day', 'Week'], 'path': ['period'], 'message': 'pick one'},
    {'code': 'too_big', 'path': ['ids', 3], 'message': 'at most 200'},
]

BODIES = [
    pytest.param({'error': 'Come back later.'}, 'Come back later.', id='error'),
    pytest.param({'message': 'No such user'}, 'No such user', id='message'),
    pytest.param(
        {'error': 'Unauthorized', 'message': 'You have to log in'},
        'Unauthorized: You have to log in',
        id='error and message',
    ),
    pytest.param({'error': 'Oh', 'message': 'Oh', 'code': 'X'}, 'Oh', id='the same twice'),
    pytest.param({'error': 'None here', 'code': 'NOT_FOUND'}, 'None here', id='error and code'),
    pytest.param(
        {'error': 'insufficient_scope', 'error_description': 'The key may not read this'},
        'insufficient_scope: The key may not read this',
        id='scope',
    ),
    pytest.param(
        {'error': {'name': 'ZodError', 'message': json.dumps(ISSUES, indent=2)}},
        'period: pick one; ids.3: at most 200',
        id='issues as text inside a message',
    ),
    pytest.param(
        {'error': {'name': 'ZodError', 'issues': ISSUES}},
        'period: pick one; ids.3: at most 200',
        id='issues as a list',
    ),
    pytest.param(ISSUES, 'period: pick one; ids.3: at most 200', id='issues alone'),
    pytest.param([{'path': [], 'message': 'wrong'}], 'wrong', id='an issue of nothing special'),
    pytest.param(
        {'error': '✖ Too big: expected <=10\n  → at id'},
        '✖ Too big: expected ‹=10 → at id',
        id='several lines with markup',
    ),
    pytest.param({'error': None, 'message': 'yes'}, 'yes', id='null'),
    pytest.param({'error': 5, 'message': ['a', 'b']}, 'a; b', id='a list of words'),
    pytest.param({'error': '[not json'}, '[not json', id='looks like JSON'),
    pytest.param({'detail': 'unknown form'}, '', id='unknown form'),
    pytest.param({}, '', id='empty object'),
    pytest.param([], '', id='empty list'),
    pytest.param(None, '', id='null alone'),
    pytest.param(5, '', id='a number'),
    pytest.param('just text', 'just text', id='a text'),
]


@pytest.mark.parametrize(('body', 'words'), BODIES)
def test_the_sites_own_words(body: object, words: str) -> None:
    assert answers.site_words(json.dumps(body).encode()) == words


PLAIN = [
    pytest.param(b'upstream timed out', 'upstream timed out', id='plain text'),
    pytest.param(b'  error code: 1015 \n', 'error code: 1015', id='space around'),
    pytest.param(b'', '', id='empty'),
    pytest.param(b'<!DOCTYPE html><html>Sorry</html>', '', id='page'),
    pytest.param(b'\n<html>', '', id='page after a line'),
    pytest.param(b'{"error": "cut', '', id='cut JSON'),
    pytest.param(b'[1, 2', '', id='cut list'),
    pytest.param(b'[' * 50_000, '', id='too deep'),
    pytest.param('{"error": "模型不存在"}'.encode(), '模型不存在', id='another alphabet'),
]


@pytest.mark.parametrize(('body', 'words'), PLAIN)
def test_words_that_are_no_json(body: bytes, words: str) -> None:
    assert answers.site_words(body) == words


def test_long_words_are_cut() -> None:
    words = answers.site_words(json.dumps({'error': 'word ' * 1000}).encode())
    assert len(words) == answers.MAX_WORDS and words.endswith('…')


def test_a_message_folded_into_itself_ends() -> None:
    body = 'deep'
    for _ in range(12):
        body = json.dumps({'error': body})
    assert answers.site_words(body.encode()) == ''


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.sampled_from(['error', 'message', 'issues', 'path', 'x']), inner),
    ),
)


@settings(deadline=None)
@given(st.one_of(st.binary(), JSON.map(lambda data: json.dumps(data).encode())))
def test_any_body_gives_one_harmless_line(body: bytes) -> None:
    words = answers.site_words(body)
    assert words == '' or words.isprintable()
    assert len(words) <= answers.MAX_WORDS and not {'<', '>'} & set(words)


def test_a_message_without_end_says_nothing() -> None:
    long = b'{"error": "' + b'x' * answers.MAX_BYTES + b'"}'
    assert answers.site_words(long) == ''
    assert answers.site_words(b'word ' * 100_000).startswith('word word')


def test_a_path_without_end_is_no_harm() -> None:
    deep: object = 'x'
    for _ in range(900):
        deep = [deep]
    body = json.dumps([{'path': [deep] * 20, 'message': 'm'}]).encode()
    assert len(answers.site_words(body)) <= answers.MAX_WORDS


def test_a_secret_is_not_repeated_however_json_writes_it() -> None:
    escaped = ''.join(f'\\u{ord(letter):04x}' for letter in 'sk-0123')
    assert (
        answers.site_words(f'{{"error": "bad key {escaped}"}}'.encode(), 'sk-0123') == 'bad key ***'
    )


REPEATED = [
    ('token=geheim1 is old', 'token=*** is old'),
    ('bad address http://x/?apikey=geheim1&page=2', 'bad address http://x/?apikey=***&page=2'),
    ('at https://bob:geheim1@x/y', 'at https://***@x/y'),
    ('Signature = geheim1', 'Signature = ***'),
]


@pytest.mark.parametrize('words, told', REPEATED)
@pytest.mark.parametrize('form', ['text', 'json'])
def test_what_is_called_a_secret_is_not_repeated(words: str, told: str, form: str) -> None:
    body = json.dumps({'error': words}) if form == 'json' else words
    assert answers.site_words(body.encode()) == told
