"""File and folder names made from what strangers wrote."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st
from pathvalidate import is_valid_filename

from scripts.civitai_manager_libs.store.names import MAX_NAME_BYTES, picture_stem, safe_name

UUID = '0a1b2c3d-0000-4000-8000-00000000000f'

NAMES = [
    ('Dream Model', 'Dream Model'),
    ('模型 v2', '模型 v2'),
    ('a/b\\c', 'abc'),
    ('../../etc/passwd', 'etcpasswd'),
    ('..', 'unnamed'),
    ('.hidden', 'hidden'),
    ('trailing. . ', 'trailing'),
    ('a:b*c?d"e<f>g|h', 'abcdefgh'),
    ('line\nbreak\x00\x1b', 'line break'),
    ('photo\u202egnp.exe', 'photognp.exe'),
    ('wide\u3000and\xa0hard\u2028spaces', 'wide and hard spaces'),
    ('', 'unnamed'),
    ('   ', 'unnamed'),
    ('///', 'unnamed'),
    ('\ud800', 'unnamed'),
    ('cafe\u0301', 'caf\u00e9'),
    ('ze\u200bro \u2066width\u2069\ufeff', 'zero width'),
    ('\u3164\u115f\u2800\ufe0f', 'unnamed'),
    ('C:\\Windows\\system32', 'CWindowssystem32'),
    ('\\\\server\\share', 'servershare'),
    ('\\\\?\\C:\\x', 'Cx'),
]


@pytest.mark.parametrize(('text', 'name'), NAMES, ids=[repr(text) for text, _ in NAMES])
def test_names_keep_what_is_harmless(text: str, name: str) -> None:
    assert safe_name(text) == name


DEVICES = frozenset(
    ('CON', 'PRN', 'AUX', 'NUL', 'CONIN$', 'CONOUT$', 'CLOCK$')
    + tuple(f'{port}{digit}' for port in ('COM', 'LPT') for digit in '0123456789¹²³')
)
LIMIT = 255


def is_device(name: str) -> bool:
    """As Windows reads a name: up to the first dot, without the spaces before it."""
    return name.partition('.')[0].rstrip(' ').upper() in DEVICES


def fits(name: str) -> bool:
    """Whether a name is short enough in bytes, in UTF-16, and where accents are kept apart."""
    apart = unicodedata.normalize('NFD', name)
    return len(name.encode('utf-8')) <= LIMIT and len(apart.encode('utf-16-le')) // 2 <= LIMIT


@pytest.mark.parametrize(
    'ending', ['', '.', ' ', '.txt', ' .txt', '.tar.gz', ':', '\u200b.txt', '/', '. . .', ':stream']
)
@pytest.mark.parametrize('device', sorted(DEVICES))
def test_names_of_devices_are_changed(device: str, ending: str) -> None:
    for text in (device + ending, device.lower() + ending):
        for name in (safe_name(text), picture_stem(f'https://example.org/{text}') + '.png'):
            assert name and is_valid_filename(name, platform='universal')
            assert not is_device(name)


@pytest.mark.parametrize('text', ['Context', 'NULL', 'COM12', 'auxiliary.x', 'CON-1', 'My CON'])
def test_names_that_only_begin_like_a_device_stay(text: str) -> None:
    assert safe_name(text) == text


@pytest.mark.parametrize(
    'text', ['ᾂ', 'ΐ', '각', '\u0958', '🏳', 'e\u0301', 'ﷺ', '\u0344'], ids=ascii
)
def test_a_long_name_fits_however_its_letters_are_counted(text: str) -> None:
    assert fits(safe_name(text * 300) + '.x' * 5)
    assert fits(picture_stem(f'https://example.org/{text * 300}.png') + '.jpeg')


# Any character, halves of characters too, and what is dangerous somewhere.
DANGEROUS = st.sampled_from(
    '.. . / \\ : CON nul com¹ lpt1 .txt ~ - $ % %2e %2f C: \\\\ ?: * ? " < > | \0 \n \x7f'
    ' \u202e \u200b \ud83d \ude00 \ufeff \u3164 e\u0301 é ᾂ 각 ／ ․ ﬁ ß İ \U0001f600'.split(' ')
)
HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=400),
    st.lists(st.one_of(DANGEROUS, st.just(' '), st.text(max_size=3)), max_size=80).map(''.join),
)


@settings(deadline=None)
@given(HOSTILE)
@example('CON .')
@example('é' * 300)
@example('a' * 199 + ' b')
@example('~')
def test_every_text_gives_a_legal_name(text: str) -> None:
    name = safe_name(text)
    assert is_valid_filename(name, platform='universal')
    assert is_valid_filename(name, platform='windows') and not is_device(name) and fits(name)
    assert unicodedata.is_normalized('NFC', name)
    assert 0 < len(name.encode('utf-8')) <= MAX_NAME_BYTES
    assert Path(name).name == name and name not in ('.', '..')
    assert name.isprintable() and name == name.strip(' .')
    assert safe_name(name) == name


def test_another_word_can_stand_for_nothing() -> None:
    assert safe_name('///', 'model') == 'model'


STEMS = [
    (f'https://image.civitai.com/b/{UUID}/original=true/{UUID}.jpeg', UUID),
    (f'https://image.civitai.com/b/{UUID.upper()}/width=450/4201.jpeg', UUID),
    (f'https://image.civitai.com/b/{UUID}/original=true/..%2F..%2Fevil.png', UUID),
    (f'https://example.org/{UUID}.png?x=1', UUID),
]


@pytest.mark.parametrize(('url', 'stem'), STEMS)
def test_a_picture_of_civitai_is_called_by_its_id(url: str, stem: str) -> None:
    assert picture_stem(url) == stem


def test_pictures_of_one_name_do_not_collide() -> None:
    first = picture_stem('https://example.org/a/photo.png')
    second = picture_stem('https://example.org/b/photo.png')
    assert first.startswith('photo-') and second.startswith('photo-') and first != second
    assert first == picture_stem('https://example.org/a/photo.png')


def folded(name: str) -> str:
    """A name as a file system sees it for which neither case nor the coding of accents counts."""
    return unicodedata.normalize('NFD', unicodedata.normalize('NFD', name).casefold())


SIMILAR = [
    ('photo', 'Photo'),
    ('caf\u00e9', 'cafe\u0301'),
    ('caf\u00e9', 'caf%C3%A9'),
    ('ß', 'ss'),
    ('K', '\u212a'),
    ('a b', 'a%20b'),
    ('a', 'a.'),
    ('..%2fa', 'a'),
    ('x' * 300 + '1', 'x' * 300 + '2'),
]


@pytest.mark.parametrize(('one', 'other'), SIMILAR, ids=ascii)
def test_similar_addresses_do_not_share_a_file(one: str, other: str) -> None:
    stems = [folded(picture_stem(f'https://example.org/{name}.png')) for name in (one, other)]
    assert stems[0] != stems[1]


@settings(deadline=None)
@given(HOSTILE)
@example('http://[')
@example('https://a/%2e%2e/%2e%2e%2f')
@example('https://a/' + '界' * 300 + '.png')
def test_every_address_gives_a_legal_stem(url: str) -> None:
    name = picture_stem(url) + '.jpeg'
    assert is_valid_filename(name, platform='universal') and Path(name).name == name
    assert not is_device(name) and fits(name)
