"""Going on with a body that broke off: decisions as data."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.http_client.resume import Course, Held, validator

TAG, DATE = '"v1"', 'Tue, 14 Nov 2023 22:13:20 GMT'
HELD = Held(100, TAG)
DATED = Held(100, DATE)


@pytest.mark.parametrize(
    ('held', 'headers'),
    [
        pytest.param(HELD, {'Range': 'bytes=100-', 'If-Range': TAG}, id='with a tag'),
        pytest.param(DATED, {'Range': 'bytes=100-', 'If-Range': DATE}, id='with a date'),
        pytest.param(Held(), {}, id='nothing there'),
        pytest.param(Held(100), {}, id='nobody could tell whether it fits'),
        pytest.param(Held(0, TAG), {}, id='named, but empty'),
    ],
)
def test_what_is_asked_for(held: Held, headers: dict[str, str]) -> None:
    assert held.range_headers() == headers


ANSWERS = [
    pytest.param(HELD, 200, {}, Course.WHOLE, id='the whole again'),
    pytest.param(HELD, 200, {'Content-Range': 'bytes 100-199/200'}, Course.WHOLE, id='200 is 200'),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 100-199/200'}, Course.REST, id='the rest'),
    pytest.param(
        Held(100, TAG, 200), 206, {'Content-Range': 'bytes 100-199/200'}, Course.REST, id='as said'
    ),
    pytest.param(
        Held(100, TAG, 201), 206, {'Content-Range': 'bytes 100-199/200'}, Course.USELESS, id='total'
    ),
    pytest.param(
        HELD, 416, {'Content-Range': 'bytes */100', 'ETag': '"v2"'}, Course.USELESS, id='416, tag'
    ),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 100-199/*'}, Course.REST, id='no total'),
    pytest.param(
        HELD, 206, {'Content-Range': 'bytes 100-199/200', 'ETag': TAG}, Course.REST, id='same tag'
    ),
    pytest.param(
        HELD, 206, {'Content-Range': 'bytes 100-199/200', 'ETag': '"v2"'}, Course.USELESS, id='tag'
    ),
    pytest.param(
        DATED,
        206,
        {'Content-Range': 'bytes 100-199/200', 'Last-Modified': DATE, 'ETag': 'W/"1"'},
        Course.REST,
        id='same date',
    ),
    pytest.param(
        DATED,
        206,
        {'Content-Range': 'bytes 100-199/200', 'Last-Modified': 'Tue, 14 Nov 2023 23:13:20 GMT'},
        Course.USELESS,
        id='another date',
    ),
    pytest.param(HELD, 206, {}, Course.USELESS, id='no range said'),
    pytest.param(
        HELD,
        206,
        {'Content-Range': 'bytes 100-199/200', 'Content-Length': '50'},
        Course.USELESS,
        id='shorter than its range',
    ),
    pytest.param(
        Held(100, TAG, 300),
        206,
        {'Content-Range': 'bytes 100-199/*'},
        Course.USELESS,
        id='not all *',
    ),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 0-199/200'}, Course.USELESS, id='too early'),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 101-199/200'}, Course.USELESS, id='too late'),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 100-150/200'}, Course.USELESS, id='not all'),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 100-99/100'}, Course.REST, id='none left'),
    pytest.param(HELD, 206, {'Content-Range': 'items 100-199/200'}, Course.USELESS, id='no bytes'),
    pytest.param(HELD, 206, {'Content-Range': 'bytes 100-' + '9' * 99}, Course.USELESS, id='huge'),
    pytest.param(
        HELD,
        206,
        {'Content-Range': 'bytes 100-199/200', 'Content-Encoding': 'gzip'},
        Course.USELESS,
        id='packed',
    ),
    pytest.param(HELD, 416, {'Content-Range': 'bytes */100'}, Course.DONE, id='all is there'),
    pytest.param(HELD, 416, {'Content-Range': 'bytes */90'}, Course.USELESS, id='now shorter'),
    pytest.param(
        Held(100, TAG, 100), 416, {'Content-Range': 'bytes */100'}, Course.DONE, id='all, as said'
    ),
    pytest.param(
        Held(100, TAG, 300), 416, {'Content-Range': 'bytes */100'}, Course.USELESS, id='not all 416'
    ),
    pytest.param(HELD, 416, {}, Course.USELESS, id='refused without a word'),
    pytest.param(
        Held(100), 206, {'Content-Range': 'bytes 100-199/200'}, Course.USELESS, id='not asked'
    ),
]


@pytest.mark.parametrize(('held', 'status', 'headers', 'course'), ANSWERS)
def test_what_an_answer_means(
    held: Held, status: int, headers: dict[str, str], course: Course
) -> None:
    assert held.course(status, headers) is course


def dated(date: str, changed: str = DATE, **more: str) -> dict[str, str]:
    return {'Date': date, 'Last-Modified': changed, **more}


LONG_AFTER = 'Wed, 15 Nov 2023 10:00:00 GMT'
NAMES = {
    'tag': (dated(LONG_AFTER, ETag=TAG), TAG),
    'tag, no date': ({'ETag': TAG}, TAG),
    'weak tag': ({'ETag': 'W/"v1"'}, ''),
    'weak tag in small letters': ({'ETag': 'w/"v1"'}, ''),
    'weak tag, date': (dated(LONG_AFTER, ETag='W/"v1"'), ''),
    'no tag at all': ({'ETag': 'unquoted'}, ''),
    'tag without its end': ({'ETag': '"v1'}, ''),
    'empty tag, date': (dated(LONG_AFTER, ETag=' '), DATE),
    'date long ago': (dated(LONG_AFTER), DATE),
    'date of a minute ago': (dated('Tue, 14 Nov 2023 22:14:20 GMT'), DATE),
    'date of almost a minute ago': (dated('Tue, 14 Nov 2023 22:14:19 GMT'), ''),
    'date of the same second': (dated(DATE), ''),
    'date in the future': (dated('Mon, 13 Nov 2023 00:00:00 GMT'), ''),
    'date, nobody knows how old': ({'Last-Modified': DATE}, ''),
    'date of another zone': (dated('Tue, 14 Nov 2023 23:13:20 +0100'), ''),
    'date of no zone': (dated('Tue, 14 Nov 2023 22:13:50'), ''),
    'no date': (dated(LONG_AFTER, 'yesterday'), ''),
    'no date of the answer': (dated('now'), ''),
    'no such year': (dated('Mon, 01 Jan 99999999999 00:00:00 GMT'), ''),
    'packed': ({'ETag': TAG, 'Content-Encoding': 'gzip'}, ''),
    'not packed': ({'ETag': TAG, 'Content-Encoding': 'Identity'}, TAG),
    'nothing': ({}, ''),
}


@pytest.mark.parametrize(('headers', 'name'), NAMES.values(), ids=NAMES)
def test_what_names_the_bytes(headers: dict[str, str], name: str) -> None:
    assert validator(headers) == name


def test_what_was_changed_on_the_way_has_no_name() -> None:
    assert validator({'ETag': TAG}, 203) == ''


@pytest.mark.parametrize(
    ('value', 'end'),
    [('bytes 100-199/200', 200), ('bytes 100-199/*', 200), ('bytes */200', 0), ('', 0)],
)
def test_where_the_rest_ends(value: str, end: int) -> None:
    assert HELD.end({'Content-Range': value}) == end
