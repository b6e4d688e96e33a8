"""File and folder names made from what strangers wrote."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st
from pathvalidate import is_valid_filename

from scripts.civitai_manager_libs.store.names import (
    MAX_FOLDER_UNITS,
    MAX_NAME_BYTES,
    MAX_STEM_UNITS,
    folder_name,
    picture_stem,
    picture_stems,
    safe_name,
)
from scripts.civitai_manager_libs.store.parts import new_name

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


# -- paths that Windows takes --------------------------------------------------------------------

LONG = ['x' * 300, '模型' * 100, '🏳' * 100, 'é' * 300, 'e\u0301' * 300, 'con ' * 60, '. x' * 100]


def units(name: str) -> int:
    return len(name.encode('utf-16-le')) // 2


@pytest.mark.parametrize('text', LONG, ids=ascii)
def test_the_path_of_a_picture_is_short_enough_for_windows(text: str) -> None:
    base = 'C:' + '\\d' * 49  # 100 characters
    stem = picture_stem(f'https://example.org/{text}.png')
    folder = f'{base}\\{folder_name(text)}\\user_gallery_images'
    assert units(folder) < 248, 'for a folder it is less'
    for leaf in (f'{stem}.odd-99.jpeg', f'{UUID}.odd-99.jpeg', f'{new_name(".webm")}'):
        assert units(f'{folder}\\{leaf}') < 260


@settings(deadline=None)
@given(HOSTILE)
@example('🏳' * 100)
@example('a' * 59 + '🏳')
@example('a' * 59 + ' b')
def test_every_text_gives_a_short_legal_folder_name(text: str) -> None:
    name = folder_name(text)
    assert is_valid_filename(name, platform='universal') and not is_device(name)
    assert 0 < units(name) <= MAX_FOLDER_UNITS and name == name.strip(' .')
    assert folder_name(name) == name == safe_name(name)
    assert units(picture_stem(f'https://x/{name}')) <= MAX_STEM_UNITS


@pytest.mark.parametrize('text', ['Paper Horizons XL', '紙の地平線', 'a' * 60, 'é' * 60])
def test_a_folder_name_that_is_short_enough_is_as_it_always_was(text: str) -> None:
    assert folder_name(text) == safe_name(text) == text


@pytest.mark.parametrize(
    ('last', 'former'),
    [('photo', []), ('n' * 300, ['n' * 100]), ('n' * 60, ['n' * 60]), ('n' * 39, [])],
    ids=lambda value: str(value)[:9],
)
def test_what_a_picture_was_called_by_earlier_versions_is_known(
    last: str, former: list[str]
) -> None:
    url = f'https://example.org/{last}.png'
    now, *before = picture_stems(url)
    assert now == picture_stem(url)
    assert [stem[:-9] for stem in before] == former
    assert {stem[-9:] for stem in before} <= {now[-9:]}
