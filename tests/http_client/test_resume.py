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


@pytest.mark.parametrize(
    ('headers', 'name'),
    [
        ({'ETag': TAG, 'Last-Modified': DATE}, TAG),
        ({'ETag': 'W/"v1"', 'Last-Modified': DATE}, DATE),
        ({'ETag': 'W/"v1"'}, ''),
        ({'ETag': 'unquoted'}, ''),
        ({'Last-Modified': DATE}, DATE),
        ({'ETag': TAG, 'Content-Encoding': 'gzip'}, ''),
        ({}, ''),
    ],
    ids=['tag', 'weak tag, date', 'weak tag', 'no tag at all', 'date', 'packed', 'nothing'],
)
def test_what_names_the_bytes(headers: dict[str, str], name: str) -> None:
    assert validator(headers) == name


@pytest.mark.parametrize(
    ('value', 'end'),
    [('bytes 100-199/200', 200), ('bytes 100-199/*', 200), ('bytes */200', 0), ('', 0)],
)
def test_where_the_rest_ends(value: str, end: int) -> None:
    assert HELD.end({'Content-Range': value}) == end
