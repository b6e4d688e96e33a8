"""Words to search models by, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from scripts.civitai_manager_libs.civitai.words import MAX_WORDS, words_in

BASE = 'https://civitai.com'
KEY = '0123456789abcdef' * 2

WORDS = [
    ('paper', 'paper'),
    ('  paper \n horizons ', 'paper horizons'),
    ('"paper horizons"', 'paper horizons'),
    ('SDXL 1.0', 'SDXL 1.0'),
    ('Mr.Robot', 'Mr.Robot'),
    ('Re:Zero', 'Re:Zero'),
    ('black/white', 'black/white'),
    ('水彩 風景', '水彩 風景'),
    ('модель', 'модель'),
    ('deadbeef', 'deadbeef'),
    ('4201 paper', '4201 paper'),
    ('epiCRealism v5', 'epiCRealism v5'),
    ('detail_tweaker', 'detail_tweaker'),
    ('hello?', 'hello'),
    ('<b>bold</b>', 'b>bold</b'),
    ('https://civitai.com/search/models?sortBy=models_v9&query=paper%20horizons', 'paper horizons'),
    ('civitai.com/search/models?query=水彩', '水彩'),
    ('https://civitai.red/models?query=paper+horizons&types=LORA', 'paper horizons'),
    ('https://civitai.com/search/models?query=4201', '4201'),
]


@pytest.mark.parametrize(('text', 'words'), WORDS, ids=[repr(text) for text, _ in WORDS])
def test_words_are_words(text: str, words: str) -> None:
    assert words_in(text, BASE) == words


# Right ones, and those with a slip of the keys.
LINKS = (
    'https://civitai.com/models/4201',
    'https://civitai.com/models/4201?query=paper',
    'https://civitai.com/search/models?query=',
    'https://civitai.com/search/models?query=%0b',
    'https://civitai.com/search/images?query=paper',
    'https://example.com/search/models?query=paper',
    'https://cvitai.com/models/4201',
    'htps://civitai.com/models/4201',
    'https:/civitai.com/models/4201',
    'https//civitai.com/models/4201',
    'civitai.con/models/4201',
    'civitai.com/model/4201',
    'civitaicom/models/4201',
    'civitai.com',
    'cvitai.com',
    'CIVITAI.COM',
    'www.civitai',
    'models/4201',
    '/models/4201',
    'see models/4201',
    'model-versions/x',
    'user/wren_ash',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'C:\\models\\4201',
    '../models',
    'paper https://civitai.com/models/abc',
    'huggingface.co/a/b',
    '?modelVersionId=5',
    '127.0.0.1:7000/models/x',
)


@pytest.mark.parametrize('text', LINKS)
def test_a_link_with_a_slip_of_the_keys_is_not_searched_for(text: str) -> None:
    assert words_in(text, BASE) == ''


@pytest.mark.parametrize(
    'text',
    [
        '',
        ' \n',
        '4201',
        '-5',
        '4.5',
        '99999999999',
        '???',
        '4201 4317',
        'urn:air:sdxl:lora:civitai:328553@368189',
        'urn:air:sdxl:lora:huggingface:1@2',
        'civitai:1@2',
        '@wren_ash',
        '@two words',
        '879DB523C3',
        'ab' * 32,
        KEY,
        KEY.upper(),
        f'Bearer {KEY}',
        f'token={KEY}',
        f'Bearer{KEY}',
        f'key{KEY}x',
        f'0x{KEY}',
        f'{KEY[:16]} {KEY[16:]}',
        f'cat {KEY[:20]}\n{KEY[20:]}',
        f'{KEY[:5]}\u200b{KEY[5:]}',
        ''.join(chr(ord(one) + 0xFEE0) for one in KEY),
        f'paper {KEY}',
        f'https://civitai.com/search/models?query={KEY}',
        'word ' * 100,
        'x' * 3000,
        'a\x1b[31mb',
        'half \ud800 of one',
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_named_otherwise_or_too_long_is_not_searched_for(text: str) -> None:
    assert words_in(text, BASE) == ''


def test_the_configured_host_is_an_address_too() -> None:
    assert words_in('localhost:7000 paper', 'http://localhost:7000') == ''


@given(st.text(max_size=300))
def test_any_text_gives_one_short_line(text: str) -> None:
    words = words_in(text, BASE)
    assert len(words) <= MAX_WORDS and words == ' '.join(words.split())
