"""File and folder names made from what strangers wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathvalidate import is_valid_filename

from scripts.civitai_manager_libs.names import MAX_NAME_BYTES, picture_stem, safe_name

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
]


@pytest.mark.parametrize(('text', 'name'), NAMES, ids=[repr(text) for text, _ in NAMES])
def test_names_keep_what_is_harmless(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.parametrize(
    'device', ['CON', 'con', 'NUL', 'COM1', 'LPT9', 'AUX.txt', 'CON .', 'nul. ']
)
def test_names_of_devices_are_changed(device: str) -> None:
    name = safe_name(device)
    assert name and is_valid_filename(name, platform='universal')


@settings(deadline=None)
@given(st.text(max_size=400))
@example('CON .')
@example('é' * 300)
@example('a' * 199 + ' b')
@example('~')
def test_every_text_gives_a_legal_name(text: str) -> None:
    name = safe_name(text)
    assert is_valid_filename(name, platform='universal')
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


@settings(deadline=None)
@given(st.text(max_size=400))
@example('http://[')
@example('https://a/%2e%2e/%2e%2e%2f')
@example('https://a/' + '界' * 300 + '.png')
def test_every_address_gives_a_legal_stem(url: str) -> None:
    name = picture_stem(url) + '.jpeg'
    assert is_valid_filename(name, platform='universal') and Path(name).name == name
    assert len(name.encode('utf-8')) <= 255
