"""Going on with a transfer that broke off: only where it is certain that it is the same file."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs import errors
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import (
    RESET,
    Answer,
    Request,
    ScriptedServer,
    chunked,
    head,
    honest,
    kept,
    ok,
    outside,
    part_of,
    redirect,
)

# Two files of one length without a stretch that both have, so that a mixture is seen.
# Whole kibibytes: with urllib3 2.0 a break takes the last piece of less than one with it.
OLD, NEW = (random.Random(seed).randbytes(300 * 1024) for seed in (1, 2))
CUT = 200_000
TAG = '"first"'
DATE = 'Tue, 14 Nov 2023 22:13:20 GMT'
SECONDS_LATER, HOURS_LATER = 'Tue, 14 Nov 2023 22:13:59 GMT', 'Wed, 15 Nov 2023 10:00:00 GMT'

Play = Callable[[Request], Answer]


def broken(body: bytes = OLD, size: int = CUT, **headers: str) -> bytes:
    """An answer that ends after `size` bytes of `body`."""
    return ok(body[:size], length=len(body), **headers)


def ranges(server: ScriptedServer) -> list[int | None]:
    """The first byte each request asked for, None for all of them."""
    asked = [request.headers.get('range') for request in server.requests]
    assert all(value is None or value.startswith('bytes=') and value[-1] == '-' for value in asked)
    return [int(value[6:-1]) if value else None for value in asked]


def fetched(
    monkeypatch: pytest.MonkeyPatch, folder: Path, server: ScriptedServer, **options: int
) -> tuple[bytes, list[float]]:
    """What is in the file that `server` sends in the end, and the waits."""
    at_home(monkeypatch, server)
    client, waits = patient(**options)
    saved = client.fetch_file(f'{server.url}/model.bin', folder / 'model.bin')
    assert files_in(folder) == ['model.bin']
    return saved.read_bytes(), waits


# -- the rest is asked for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'validator'), [('ETag', TAG), ('Last-Modified', DATE)], ids=['ETag', 'date']
)
@pytest.mark.parametrize('end', ['closed', 'reset', 'chunk'])
def test_only_the_rest_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, validator: str, end: str
) -> None:
    named = {name: validator, 'Content-Length': str(len(OLD)), 'Date': HOURS_LATER}
    first: dict[str, Answer] = {
        'closed': head(200, named) + OLD[:CUT],
        'reset': (head(200, named), OLD[:CUT], RESET),
        'chunk': chunked(
            OLD[:CUT], end=False, Date=HOURS_LATER, **{name.replace('-', '_'): validator}
        ),
    }

    def play(request: Request) -> Answer:
        if len(server.requests) == 1:
            return first[end]
        return honest(request, OLD, validator, name)

    with ScriptedServer(handler=play) as server:
        body, waits = fetched(monkeypatch, tmp_path, server)
    assert body == OLD and waits == [0.5]
    start = ranges(server)[1]
    assert start is not None and 0 < start <= CUT
    if end == 'closed':
        assert start == CUT  # nothing that came is fetched twice
    assert server.requests[1].headers['if-range'] == validator
    assert 'range' not in server.requests[0].headers


def test_a_transfer_that_breaks_off_again_and_again_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        answer = honest(request, OLD, TAG)
        opening, _, body = answer.partition(b'\r\n\r\n')
        return opening + b'\r\n\r\n' + body[:70_000]

    with ScriptedServer(handler=play) as server:
        body, waits = fetched(monkeypatch, tmp_path, server, max_retries=4)
    assert body == OLD and waits == [0.5, 1.0, 2.0, 4.0]
    assert ranges(server) == [None, 70_000, 140_000, 210_000, 280_000]


def test_a_picture_goes_on_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    picture = png(100_000)

    def play(request: Request) -> Answer:
        first = len(server.requests) == 1
        return broken(picture, 50_000, ETag=TAG) if first else honest(request, picture, TAG)

    with ScriptedServer(handler=play) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        client.fetch_file(f'{server.url}/a.jpeg', tmp_path / 'a.png')
    assert (tmp_path / 'a.png').read_bytes() == picture and waits == [0.5]
    assert ranges(server) == [None, 50_000]


def test_the_rest_may_look_like_a_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = OLD[:CUT] + b'<html><body>' + OLD[CUT:]

    def play(request: Request) -> Answer:
        return broken(body, ETag=TAG) if len(server.requests) == 1 else honest(request, body, TAG)

    with ScriptedServer(handler=play) as server:
        assert fetched(monkeypatch, tmp_path, server)[0] == body
    assert ranges(server) == [None, CUT]


def test_progress_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def play(request: Request) -> Answer:
        return broken(ETag=TAG) if len(server.requests) == 1 else honest(request, OLD, TAG)

    with ScriptedServer(handler=play) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        client.fetch_file(
            f'{server.url}/model.bin', tmp_path / 'a.bin', lambda *counts: told.append(counts)
        )
    assert told == sorted(told) and told[-1] == (len(OLD), len(OLD))
    assert {total for _, total in told} == {len(OLD)}


def test_a_redirect_on_the_way_is_no_hindrance(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def store(request: Request) -> Answer:
        return broken(ETag=TAG) if len(storage.requests) == 1 else honest(request, OLD, TAG)

    with ScriptedServer(handler=store) as storage:
        with ScriptedServer(redirect(f'{storage.url}/signed')) as server:
            assert fetched(monkeypatch, tmp_path, server)[0] == OLD
    assert ranges(storage) == [None, CUT] and len(server.requests) == 2


def test_an_error_in_between_forgets_nothing_that_would_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        number = len(server.requests)
        busy = kept(ok(b'', status=503))
        return {1: broken(ETag=TAG), 2: busy}.get(number, honest(request, OLD, TAG))

    with ScriptedServer(handler=play) as server:
        body, waits = fetched(monkeypatch, tmp_path, server)
    assert body == OLD and waits == [0.5, 1.0]
    assert ranges(server) == [None, CUT, CUT]


# -- everything is there ------------------------------------------------------------------------


def test_a_range_behind_the_end_of_a_whole_file_means_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole_but_cut = chunked(OLD, end=False, ETag=TAG)
    with ScriptedServer(whole_but_cut, kept(outside(len(OLD), ETag=TAG))) as server:
        body, waits = fetched(monkeypatch, tmp_path, server)
    assert body == OLD and waits == [0.5] and ranges(server) == [None, len(OLD)]


NOT_DONE = {
    'of another length': outside(len(OLD) + 1, ETag=TAG),
    'without a length': ok(b'', status=416, Content_Range='bytes */*', ETag=TAG),
    'without a word': ok(b'', status=416, ETag=TAG),
    'of a file that changed': outside(len(OLD), ETag='"second"'),
}


@pytest.mark.parametrize('answer', NOT_DONE.values(), ids=NOT_DONE)
def test_any_other_refusal_of_a_range_starts_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    def play(request: Request) -> Answer:
        if 'range' in request.headers:
            return answer
        return chunked(OLD, end=False, ETag=TAG) if len(server.requests) == 1 else ok(NEW)

    with ScriptedServer(handler=play) as server:
        assert fetched(monkeypatch, tmp_path, server)[0] == NEW
    assert ranges(server) == [None, len(OLD), None]


# -- starting over ------------------------------------------------------------------------------


@pytest.mark.parametrize('body', [OLD, NEW, NEW[:1000]], ids=['same', 'changed', 'shorter'])
def test_a_whole_answer_to_a_range_starts_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes
) -> None:
    with ScriptedServer(broken(ETag=TAG), ok(body)) as server:
        found, waits = fetched(monkeypatch, tmp_path, server)
    assert found == body and waits == [0.5] and ranges(server) == [None, CUT]


def test_a_file_that_changed_meanwhile_starts_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        first = len(server.requests) == 1
        return broken(ETag=TAG) if first else honest(request, NEW, '"second"')

    with ScriptedServer(handler=play) as server:
        found, waits = fetched(monkeypatch, tmp_path, server)
    assert found == NEW and waits == [0.5]
    assert server.requests[1].headers['if-range'] == TAG


def test_the_new_name_counts_once_the_file_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        number = len(server.requests)
        cut = {1: broken(ETag=TAG), 2: broken(NEW, 100_000, ETag='"second"')}
        return cut.get(number, honest(request, NEW, '"second"'))

    with ScriptedServer(handler=play) as server:
        assert fetched(monkeypatch, tmp_path, server)[0] == NEW
    assert ranges(server) == [None, CUT, 100_000]
    assert [r.headers.get('if-range') for r in server.requests] == [None, TAG, '"second"']


SIZE = len(OLD)
UNFIT = {
    'from the start': part_of(NEW, 0, ETag=TAG),
    'from a little earlier': part_of(NEW, CUT - 1, ETag=TAG),
    'from a little later': part_of(NEW, CUT + 1, ETag=TAG),
    'of a longer file': ok(
        NEW[CUT:], status=206, Content_Range=f'bytes {CUT}-{SIZE}/{SIZE + 1}', ETag=TAG
    ),
    'of a file that changed': part_of(NEW, CUT, ETag='"second"'),
    'without a word': ok(NEW[CUT:], status=206, ETag=TAG),
    'of no length': ok(NEW[CUT:], status=206, Content_Range='bytes */*', ETag=TAG),
    'in other units': ok(NEW[CUT:], status=206, Content_Range='pages 1-2/3', ETag=TAG),
    'garbled': ok(NEW[CUT:], status=206, Content_Range='bytes x-y/z', ETag=TAG),
    'in several parts': ok(
        b'--x\r\n\r\n' + NEW[CUT:] + b'--x--',
        status=206,
        Content_Type='multipart/byteranges; boundary=x',
        ETag=TAG,
    ),
    'packed': ok(
        gzip.compress(NEW[CUT:]),
        status=206,
        Content_Range=f'bytes {CUT}-{SIZE - 1}/{SIZE}',
        Content_Encoding='gzip',
        ETag=TAG,
    ),
}


@pytest.mark.parametrize('answer', UNFIT.values(), ids=UNFIT)
def test_a_part_that_does_not_fit_starts_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    def play(request: Request) -> Answer:
        if 'range' in request.headers:
            return answer
        return broken(ETag=TAG) if len(server.requests) == 1 else ok(NEW, ETag=TAG)

    with ScriptedServer(handler=play) as server:
        found, waits = fetched(monkeypatch, tmp_path, server, max_retries=2)
    assert found == NEW and ranges(server) == [None, CUT, None]
    assert waits in ([0.5], [0.5, 1.0])  # at once, or as after any try that failed


def test_a_part_longer_than_the_rest_is_no_danger(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        if 'range' not in request.headers:
            return broken(ETag=TAG)
        span = f'bytes {CUT}-{SIZE - 1}/{SIZE}'
        return ok(OLD[CUT:] + NEW, length=SIZE - CUT, status=206, Content_Range=span, ETag=TAG)

    with ScriptedServer(handler=play) as server:
        assert fetched(monkeypatch, tmp_path, server)[0] == OLD


NAMELESS: dict[str, Answer] = {
    'without a name': broken(),
    'with a weak name': broken(ETag='W/"first"'),
    'with a name without quotes': broken(ETag='first'),
    'with an empty name': broken(ETag=''),
    'with a weak name and a date': broken(ETag='W/"first"', Last_Modified=DATE, Date=HOURS_LATER),
    'with a date of just now': broken(Last_Modified=DATE, Date=SECONDS_LATER),
    'with a date to come': broken(Last_Modified=HOURS_LATER, Date=DATE),
    'with a date, at a time nobody tells': broken(Last_Modified=DATE),
    'packed': ok(
        gzip.compress(OLD)[:100_000],
        length=len(gzip.compress(OLD)),
        Content_Encoding='gzip',
        ETag=TAG,
    ),
    'before its first byte': (head(200, {'Content-Length': str(SIZE), 'ETag': TAG}), RESET),
}


@pytest.mark.parametrize('answer', NAMELESS.values(), ids=NAMELESS)
def test_without_certainty_everything_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    with ScriptedServer(answer, answer, ok(NEW)) as server:
        found, waits = fetched(monkeypatch, tmp_path, server)
    assert found == NEW and waits == [0.5, 1.0]
    assert ranges(server) == [None, None, None]
    assert not [request for request in server.requests if 'if-range' in request.headers]


# -- what is refused, and what is left ----------------------------------------------------------

PAGE = b'<!DOCTYPE html><html><title>Log in</title></html>'


def test_a_page_in_place_of_the_rest_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(broken(ETag=TAG), ok(PAGE)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        with pytest.raises(errors.WrongContentError, match='web page came instead'):
            client.fetch_file(f'{server.url}/model.bin', tmp_path / 'model.bin')
    assert files_in(tmp_path) == [] and ranges(server) == [None, CUT]


@pytest.mark.parametrize('answer', [broken(ETag=TAG), broken()], ids=['named', 'nameless'])
def test_nothing_is_left_when_patience_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes
) -> None:
    def play(request: Request) -> Answer:
        return answer if len(server.requests) == 1 else (RESET,)

    with ScriptedServer(handler=play) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=2)
        assert not client.download_file(f'{server.url}/model.bin', tmp_path / 'model.bin')
    assert files_in(tmp_path) == [] and waits == [0.5, 1.0] and len(server.requests) == 3


def test_a_later_fetch_starts_from_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ScriptedServer(broken(ETag=TAG), ok(NEW, ETag=TAG)) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0)
        assert not client.download_file(f'{server.url}/model.bin', tmp_path / 'model.bin')
        assert client.download_file(f'{server.url}/model.bin', tmp_path / 'model.bin')
    assert (tmp_path / 'model.bin').read_bytes() == NEW and ranges(server) == [None, None]


def test_what_the_tests_take_for_an_honest_server_is_one() -> None:
    def asked(method: str = 'GET', **headers: str) -> bytes:
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        return honest(Request(method, '/', named), b'0123456789', TAG)

    assert asked().endswith(b'\r\n\r\n0123456789') and b' 200 ' in asked()
    assert asked('HEAD').endswith(b'\r\n\r\n') and b'Content-Length: 10' in asked('HEAD')
    rest = asked(range='bytes=4-', if_range=TAG)
    assert b' 206 ' in rest and b'Content-Range: bytes 4-9/10\r\n' in rest
    assert rest.endswith(b'\r\n\r\n456789')
    assert b' 200 ' in asked(range='bytes=4-', if_range='"other"')
    behind = asked(range='bytes=10-', if_range=TAG)
    assert b' 416 ' in behind and b'Content-Range: bytes */10\r\n' in behind


# -- what contradicts itself is no rest ---------------------------------------------------------


def surplus(body: bytes, coded: bool) -> bytes:
    """The rest of OLD and 500 bytes more, without a length."""
    span = {'Content-Range': f'bytes {CUT}-{len(body) - 1}/{len(body)}', 'ETag': TAG}
    data = body[CUT:] + bytes(500)
    if not coded:
        return head(206, span) + data
    return head(206, {**span, 'Transfer-Encoding': 'chunked'}) + (
        b'%x\r\n%s\r\n0\r\n\r\n' % (len(data), data)
    )


@pytest.mark.parametrize(
    'second',
    [outside(CUT), outside(CUT, ETag=TAG), surplus(OLD, False), surplus(OLD, True)],
    ids=['nothing missing', 'nothing missing, same tag', 'more', 'more, in chunks'],
)
def test_an_answer_that_contradicts_the_first_starts_it_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, second: bytes
) -> None:
    with ScriptedServer(broken(ETag=TAG), second, ok(OLD, ETag=TAG)) as server:
        found, _ = fetched(monkeypatch, tmp_path, server)
    assert found == OLD and len(ranges(server)) == 3 and ranges(server)[2] is None
