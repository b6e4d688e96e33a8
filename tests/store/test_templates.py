"""Names after a person's pattern: what the pattern says, and never a path that leads elsewhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.store import names
from scripts.civitai_manager_libs.store.templates import DEFAULT, FIELDS, parse

patiently = settings(deadline=None, database=None)

VALUES: dict[str, Any] = {
    'id': 4711,
    'uuid': '0b7c1d2e-1111-4222-8333-0123456789ab',
    'username': 'wren_ash',
    'post_id': 55,
    'position': 3,
    'created': datetime(2025, 3, 9, 14, 5),
    'model': 'Meadow/Dusk',
    'version': 'v2.0',
    'base_model': 'SD 1.5',
    'seed': 98765,
    'index': 12,
    'level': 'PG-13',
}

NAMES = {
    'the default': (DEFAULT, '4711'),
    'folders': ('{username}/{created:%Y}/{created:%m}/{id}', 'wren_ash/2025/03/4711'),
    'a date without a form': ('{created} {id}', '2025-03-09 4711'),
    'numbers with zeros': ('{index:04d}', '0012'),
    'numbers with zeros, short': ('{index:04}', '0012'),
    'text around': ('a picture of {username} ({id})', 'a picture of wren_ash (4711)'),
    'a value with a slash makes no folder': ('{model}/{id}', 'MeadowDusk/4711'),
    'nothing unique gets the id': ('{username}', 'wren_ash-4711'),
    'a seed may come twice': ('{seed}', '98765-4711'),
    'uuid': ('{uuid}', '0b7c1d2e-1111-4222-8333-0123456789ab'),
    'braces': ('{{{id}}}', '{4711}'),
    'spaces around': ('  {id} ', '4711'),
    'all of it': (
        '{model}/{version}/{base_model}/{level}/{post_id}-{position}-{id}',
        'MeadowDusk/v2.0/SD 1.5/PG-13/55-3-4711',
    ),
}


@pytest.mark.parametrize('pattern, expected', NAMES.values(), ids=NAMES)
def test_a_pattern_makes_a_name(pattern: str, expected: str) -> None:
    assert expected == str(parse(pattern).path(VALUES))


def test_what_is_not_known_is_said_so() -> None:
    nothing = {'id': 7, 'seed': None, 'username': '', 'created': None}

    assert 'unknown-unknown-unknown-7' == str(parse('{seed}-{username}-{created:%Y}').path(nothing))


LONG = {'id': 4711, 'model': 'm' * 300, 'username': '界' * 300}


@pytest.mark.parametrize('pattern', ['{model}', '{model} {id}', '{model}/{username}/{id}'])
def test_a_long_name_is_cut_and_stays_that_of_one_picture(pattern: str) -> None:
    one, other = (parse(pattern).path({**LONG, 'id': number}) for number in (4711, 4712))

    assert one != other
    assert all(len(part) <= names.MAX_FOLDER_UNITS for part in one.parts)
    assert len(one.name) <= names.MAX_STEM_UNITS


@pytest.mark.parametrize('pattern', ['{seed}{id}', '{id}{seed}', '{id}{seed}-{username}'])
def test_values_that_touch_are_not_taken_for_an_id(pattern: str) -> None:
    one, other = ({**VALUES, 'seed': 1, 'id': 11}, {**VALUES, 'seed': 11, 'id': 1})
    assert parse(pattern).path(one) != parse(pattern).path(other)


@pytest.mark.parametrize(
    'pattern, expected',
    [('{id}', True), ('{username}', True), ('{index}', False), ('{index} {id}', True)],
)
def test_a_pattern_tells_whether_its_names_are_those_of_pictures(
    pattern: str, expected: bool
) -> None:
    assert parse(pattern).names_pictures is expected


WRONG = {
    'an unknown field': ('{artist}', 'template_field'),
    'no name of a field': ('{}', 'template_field'),
    'a place': ('{0}', 'template_field'),
    'an attribute': ('{id.__class__}', 'template_field'),
    'an item': ('{id[0]}', 'template_field'),
    'a conversion': ('{id!r}', 'template_form'),
    'a form of huge width': ('{id:999999999d}', 'template_form'),
    'a form of a text': ('{username:>9}', 'template_form'),
    'a form in a form': ('{id:{index}}', 'template_form'),
    'an open brace': ('{id', 'template_braces'),
    'a closed brace': ('id}', 'template_braces'),
    'nothing': ('', 'template_empty'),
    'an absolute path': ('/etc/{id}', 'template_empty'),
    'an absolute path behind a blank': (' /etc/{id}', 'template_empty'),
    'a folder of a network': ('//host/share/{id}', 'template_empty'),
    'the same of Windows': ('\\\\host\\share\\{id}', 'template_elsewhere'),
    'the root of a drive': ('\\{id}', 'template_elsewhere'),
    'a drive': ('C:/pictures/{id}', 'template_elsewhere'),
    'a drive of Windows': ('d:\\pictures\\{id}', 'template_elsewhere'),
    'a drive without a path': ('C:{id}', 'template_elsewhere'),
    'the folder of a person': ('~/{id}', 'template_elsewhere'),
    'the folder of another': ('~wren/{id}', 'template_elsewhere'),
    'the folder above': ('../{id}', 'template_elsewhere'),
    'above, with blanks': (' .. /{id}', 'template_elsewhere'),
    'above, in the middle': ('{username}/../../{id}', 'template_elsewhere'),
    'above, at the end': ('{id}/..', 'template_elsewhere'),
    'above, as Windows writes it': ('..\\{id}', 'template_elsewhere'),
    'above, behind one of Windows': ('{model}\\..\\{id}', 'template_elsewhere'),
    'the same folder': ('./{id}', 'template_elsewhere'),
    'more dots': ('.../{id}', 'template_elsewhere'),
    'a blank folder': ('a/ /{id}', 'template_empty'),
    'blanks': ('   ', 'template_empty'),
    'a blank name': ('{username}/ ', 'template_empty'),
    'a folder at the end': ('{username}/', 'template_empty'),
    'an empty folder': ('a//{id}', 'template_empty'),
    'too deep': ('a/b/c/d/e/{id}', 'template_long'),
    'too long': ('a' * 201, 'template_long'),
}


@pytest.mark.parametrize('pattern, key', WRONG.values(), ids=WRONG)
def test_a_wrong_pattern_is_refused_with_the_reason(pattern: str, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(pattern)

    assert key == caught.value.key


HOSTILE = [
    '..',
    '../..',
    '/',
    '\\',
    'C:\\x',
    'CON',
    '.',
    ' ',
    '\0',
    '\u202e',
    'a\nb',
    '~',
    '\ud800',
]


FINE = {
    'dots in a name': ('v1.0/{id}', 'v1.0/4711'),
    'dots beside a field': ('{id}..', '4711'),
    'a tilde in a name': ('a~b/{id}', 'a~b/4711'),
    'a hidden folder': ('.kept/{id}', None),
}


@pytest.mark.parametrize('pattern, expected', FINE.values(), ids=FINE)
def test_what_only_looks_like_a_way_out_is_fine(pattern: str, expected: str | None) -> None:
    path = parse(pattern).path(VALUES)
    assert '4711' == path.name and expected in (None, str(path))


@pytest.mark.parametrize('value', HOSTILE)
@pytest.mark.parametrize(
    'pattern', ['{username}/{id}', '{username}/{username}', '..{username}/{id}']
)
def test_no_value_leads_elsewhere(pattern: str, value: str) -> None:
    path = parse(pattern).path({'id': 1, 'username': value})

    assert 2 == len(path.parts)
    assert not set(path.parts) & {'', '.', '..'} and not path.is_absolute()
    assert all(part == names.safe_name(part) for part in path.parts)


@patiently
@given(
    st.lists(st.sampled_from([*(f'{{{f}}}' for f in FIELDS), '/', ' ', '.', 'x']), min_size=1),
    st.text(),
    st.integers(1, 2**31),
)
def test_every_pattern_makes_safe_names_or_is_refused(
    pieces: list[str], value: str, number: int
) -> None:
    try:
        pattern = parse(''.join(pieces))
    except SourceError:
        return
    values = {**dict.fromkeys(FIELDS, value), 'id': number, 'index': number, 'uuid': number}
    path = pattern.path(values)

    assert not path.is_absolute()
    assert all(part == names.safe_name(part) for part in path.parts)
    assert path != pattern.path({**values, 'id': number + 1, 'index': number + 1, 'uuid': 0})


def test_a_path_is_relative() -> None:
    assert PurePosixPath('wren_ash/4711') == parse('{username}/{id}').path(VALUES)
