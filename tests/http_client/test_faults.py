"""What a network and a server can do wrong: what becomes of it, in which words, at which cost.

The same for each: nothing under the final name unless it is whole, no temporary file left, no more
requests than the budget, and a connection that is fit for the next request or not used any more.
"""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import tracemalloc
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import WHOLE, Authority, Work
from tests.support.network import at_home, files_in, patient
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Flood,
    Request,
    ScriptedServer,
    Trickle,
    chunked,
    head,
    kept,
    ok,
    redirect,
)

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
DAY = 86_400
LENGTH = {'Content-Length': str(len(WHOLE))}
PAGE = b'<!DOCTYPE html><html><title>Down</title></html>'
DATA = kept(ok(b'{"items": [1]}'))
PICTURE = kept(ok(WHOLE))

Ask = Callable[[CivitaiHttpClient, str], object]


def as_json(client: CivitaiHttpClient, url: str) -> object:
    return client.fetch_json(url)


# -- the table ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """What a server does for ever, and what is to become of it.

    With two further tries there are three requests and two waits if the fault may pass.
    What trickles and floods ends well after some seconds, for whom it took too long by then.
    `reused`: the connection is good for the next request; None: it may be or not.
    """

    answer: Answer
    error: type[errors.CivitaiError]
    key: str
    words: str
    requests: int = 3
    waits: tuple[float, ...] = (0.5, 1.0)
    reused: bool | None = False
    options: Mapping[str, Any] = field(default_factory=lambda: {'max_retries': 2})


def lost(answer: Answer, key: str = 'error_connection', words: str = 'No connection to') -> Fault:
    return Fault(answer, errors.ConnectionFailedError, key, words)


def no_http(answer: Answer) -> Fault:
    return lost(answer, 'error_not_http', 'no answer of a web server')


def garbled(answer: Answer) -> Fault:
    return lost(answer, 'error_garbled', 'cannot be understood')


def cut(answer: Answer, key: str = 'error_incomplete', words: str = 'broke off') -> Fault:
    return Fault(answer, errors.BodyIncompleteError, key, words)


def late(answer: Answer, key: str = 'error_timeout', words: str = 'took too long') -> Fault:
    options = {'max_retries': 1, 'timeout': 0.25}
    return Fault(answer, errors.TimedOutError, key, words, 2, (0.5,), options=options)


def busy(status: int) -> Fault:
    answer = kept(ok(PAGE, status=status))
    words = f'Civitai is busy ({status})'
    return Fault(answer, errors.ServerBusyError, 'error_busy', words, reused=True)


def final(
    answer: Answer,
    error: type[errors.CivitaiError],
    key: str,
    words: str,
    *,
    requests: int = 1,
    reused: bool | None = True,
) -> Fault:
    return Fault(answer, error, key, words, requests, (), reused)


def loop(location: str) -> Fault:
    answer = kept(redirect(location))
    return final(answer, errors.UrlRefusedError, 'error_redirects', 'circles')


def unfitting(status: int) -> Fault:
    """An answer to another question; where a body may not follow, there is none."""
    body = b'' if status == 304 else WHOLE
    answer = kept(ok(body, status=status))
    words = f'does not fit what was asked for ({status})'
    return final(answer, errors.AnswerError, 'error_unfitting', words, reused=None)


def empty(status: int) -> Fault:
    answer = kept(ok(b'', status=status))
    return final(answer, errors.AnswerError, 'error_empty', 'was empty', reused=None)


def refusal(status: int, error: type[errors.CivitaiError], key: str) -> Fault:
    body = json.dumps({'error': 'the reason'}).encode()
    return final(kept(ok(body, status=status)), error, key, 'the reason')


# As some answer whom they do not want; the status is all that is told.
PICTURE_OF_AN_ERROR = {
    f'{status} with a picture': final(
        kept(ok(WHOLE, status=status)),
        errors.BadRequestError,
        'error_bad_request',
        f'did not accept the request ({status}).',
    )
    for status in (402, 416, 599, 600, 999)
}
ANYWHERE = {
    **PICTURE_OF_AN_ERROR,
    'reset before the headers': lost((RESET,)),
    'closed before the headers': lost(b''),
    'reset in the headers': lost((b'HTTP/1.1 200 OK\r\nContent-Le', RESET)),
    'closed in the headers': cut(b'HTTP/1.1 200 OK\r\nContent-Le', 'error_empty', 'was empty'),
    'reset in the body': cut((head(200, LENGTH), WHOLE[:10_000], RESET)),
    'body shorter than announced': cut(ok(WHOLE[:-5000], length=len(WHOLE))),
    'body shorter by one byte': cut(ok(WHOLE[:-1], length=len(WHOLE))),
    'chunks without an end': cut(chunked(WHOLE, end=False)),
    'chunk cut': cut(chunked(WHOLE, end=False)[:-500]),
    'size of a chunk garbled': cut(head(200, {'Transfer-Encoding': 'chunked'}) + b'zz\r\nabc'),
    'empty': cut(ok(b''), 'error_empty', 'was empty'),
    'no web server': no_http(b'SSH-2.0-OpenSSH_9.6\r\n'),
    'page without a status line': no_http(PAGE),
    'picture without a status line': no_http(WHOLE),
    'settings of HTTP/2': no_http(b'\0\0\x06\4\0\0\0\0\0\0\3\0\0\0\x80'),
    'preface of HTTP/2': no_http(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'HTTP/2 in words': no_http(b'HTTP/2 200 OK\r\n\r\n' + WHOLE),
    'a status of two digits': no_http(b'HTTP/1.1 099 Soon\r\n\r\n'),
    'a status of four digits': no_http(b'HTTP/1.1 1000 Much\r\n\r\n'),
    'status line garbled': no_http(b'HTTP/1.1 abc\r\n\r\n'),
    'status line without end': no_http((Flood(b'x' * 65536),)),
    'a thousand headers': no_http(head(200, {f'X-{n}': 'bomb' for n in range(1000)})),
    'headers without end': no_http((b'HTTP/1.1 200 OK\r\n', Flood(b'X-Bomb: x\r\n' * 1000))),
    'header of a megabyte': no_http(head(200, {'X-Bomb': 'x' * 2**20})),
    'silence before the headers': late((STALL,)),
    'silence in the headers': late((b'HTTP/1.1 200 OK\r\nContent-Le', STALL)),
    'silence before the body': late((head(200, LENGTH), STALL)),
    'silence in the body': late((head(200, LENGTH), WHOLE[:10_000], STALL)),
    'headers that trickle': late((Trickle(head(200, LENGTH)), WHOLE)),
    'interim answers without end': garbled((Flood(b'HTTP/1.1 100 Continue\r\n\r\n' * 100),)),
    'eleven interim answers': garbled(b'HTTP/1.1 103 Early Hints\r\n\r\n' * 11 + ok(WHOLE)),
    'two lengths': garbled(head(200, {**LENGTH, 'content-length': '5'}) + WHOLE),
    'two lengths in a line': garbled(head(200, {'Content-Length': f'5, {len(WHOLE)}'}) + WHOLE),
    'a length and a word': garbled(head(200, {**LENGTH, 'content-length': 'no'}) + WHOLE),
    'a length of 5000 digits': garbled(head(200, {'Content-Length': '9' * 5000}) + WHOLE),
    'a length of 16 digits': garbled(head(200, {'Content-Length': '1' * 16}) + WHOLE),
    'body that trickles': late(
        (head(200, LENGTH), Trickle(WHOLE[:100]), WHOLE[100:]), 'error_too_slow', 'so slowly'
    ),
    '204': empty(204),
    '205': empty(205),
    **{str(status): unfitting(status) for status in (206, 207, 226, 300, 302, 304, 305)},
    **{str(status): busy(status) for status in (425, 500, 502, 503, 504, 507)},
    **{str(status): busy(status) for status in (520, 521, 522, 523, 524, 525, 526, 527, 529, 530)},
    '400': refusal(400, errors.BadRequestError, 'error_bad_request'),
    '401': refusal(401, errors.KeyNeededError, 'error_key_needed'),
    '403': refusal(403, errors.ForbiddenError, 'error_forbidden'),
    '404': refusal(404, errors.NotFoundError, 'error_not_found'),
    '410': refusal(410, errors.GoneError, 'error_gone'),
    '451': refusal(451, errors.RegionBlockedError, 'error_region'),
    '404 with an endless body': final(
        (head(404), Flood(b'x' * 65536)),
        errors.NotFoundError,
        'error_not_found',
        '(404)',
        reused=False,
    ),
    '404 whose body breaks off': final(
        (head(404, LENGTH), b'{"err', RESET),
        errors.NotFoundError,
        'error_not_found',
        '(404)',
        reused=False,
    ),
    'redirects in a circle': final(
        kept(redirect('?again')), errors.UrlRefusedError, 'error_redirects', 'circles', requests=2
    ),
    'redirect to itself': loop(''),
    'redirect to itself, elsewhere in it': loop('#there'),
    'redirect to no address': final(
        kept(redirect('http://[')), errors.UrlRefusedError, 'error_url_malformed', 'web address'
    ),
    'redirect to another protocol': final(
        kept(redirect('file:///etc/passwd')),
        errors.UrlRefusedError,
        'error_url_malformed',
        'web address',
    ),
}

WRONG = errors.WrongContentError
ANYWHERE['gzip without its end'] = Fault(
    kept(ok(gzip.compress(WHOLE)[:-20], Content_Encoding='gzip')),
    errors.BodyIncompleteError,
    'error_incomplete',
    'broke off',
    reused=None,
)
FOR_FILES = {
    'page as a success': final(
        kept(ok(PAGE)), WRONG, 'error_page_for_file', 'web page came instead', reused=None
    ),
    'error as a success': final(
        kept(ok(b'{"error": "log in"}')), WRONG, 'error_message_for_file', 'log in', reused=None
    ),
    'something else as a success': final(
        kept(ok(b'%PDF-1.7')), WRONG, 'error_not_a_picture', 'neither a picture', reused=None
    ),
}
FOR_DATA = {
    'page as a success': final(kept(ok(PAGE)), WRONG, 'error_page_for_data', 'web page instead'),
    'no JSON': final(kept(ok(b'{"items": [')), WRONG, 'error_not_json', 'cannot be read'),
}

CASES = [
    *(pytest.param(fault, 'file', id=f'file-{name}') for name, fault in ANYWHERE.items()),
    *(pytest.param(fault, 'file', id=f'file-{name}') for name, fault in FOR_FILES.items()),
    *(pytest.param(fault, 'data', id=f'data-{name}') for name, fault in ANYWHERE.items()),
    *(pytest.param(fault, 'data', id=f'data-{name}') for name, fault in FOR_DATA.items()),
]
PASSING = [case for case in CASES if case.values[0].waits]  # type: ignore[union-attr]

PATHS = {'file': '/original=true/a.png', 'data': '/api/v1/images'}


def asking(kind: str, folder: Path) -> Ask:
    """How a file or data is asked for; a file is to be whole when no error comes."""

    def as_file(client: CivitaiHttpClient, url: str) -> object:
        assert client.fetch_file(url, folder / 'a.png').read_bytes() == WHOLE
        return {'items': [1]}

    return as_file if kind == 'file' else as_json


@pytest.mark.parametrize(('fault', 'kind'), CASES)
def test_a_fault_that_lasts_is_named_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault, kind: str
) -> None:
    with ScriptedServer(fault.answer) as server:
        at_home(monkeypatch, server)
        client, waits = patient(**fault.options)
        url = f'{server.url}{PATHS[kind]}'
        with pytest.raises(errors.CivitaiError) as caught:
            asking(kind, tmp_path)(client, url)
    assert (type(caught.value), caught.value.key) == (fault.error, fault.key)
    assert fault.words in caught.value.user_message
    assert str(client.failure_for(url)) == caught.value.user_message
    assert len(server.requests) == fault.requests and waits == list(fault.waits)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(('fault', 'kind'), PASSING)
def test_a_fault_that_passes_costs_one_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault, kind: str
) -> None:
    good = PICTURE if kind == 'file' else DATA
    with ScriptedServer(fault.answer, good) as server:
        at_home(monkeypatch, server)
        client, waits = patient(**fault.options)
        assert asking(kind, tmp_path)(client, f'{server.url}{PATHS[kind]}') == {'items': [1]}
    assert len(server.requests) == 2 and waits == [0.5]
    assert files_in(tmp_path) == (['a.png'] if kind == 'file' else [])


@pytest.mark.parametrize(('fault', 'kind'), CASES)
def test_after_a_fault_the_next_requests_find_a_good_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault, kind: str
) -> None:
    def answer(request: Request) -> Answer:
        good = PICTURE if kind == 'file' else DATA
        return good if 'good' in request.target else fault.answer

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient(**{**fault.options, 'max_retries': 0})
        ask, url = asking(kind, tmp_path), f'{server.url}{PATHS[kind]}'
        with pytest.raises(fault.error):
            ask(client, url)
        assert ask(client, f'{url}?good=1') == ask(client, f'{url}?good=2') == {'items': [1]}
    *_, bad, good, next_good = server.connections
    assert good == next_good
    assert fault.reused is None or (bad == good) is fault.reused


# -- no answer at all ---------------------------------------------------------------------------


def failed(
    client: CivitaiHttpClient, url: str, folder: Path, error: type[errors.CivitaiError], key: str
) -> errors.CivitaiError:
    """The error of a download that must fail so and leave nothing."""
    with pytest.raises(errors.CivitaiError) as caught:
        client.fetch_file(url, folder / 'a.png')
    assert (type(caught.value), caught.value.key) == (error, key)
    assert [name for name in files_in(folder) if not name.endswith('.pem')] == []
    return caught.value


def test_a_refused_connection_may_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ScriptedServer(PICTURE) as server:
        pass
    at_home(monkeypatch, server)
    client, waits = patient(max_retries=2)
    url = f'{server.url}/a.png'
    error = failed(client, url, tmp_path, errors.ConnectionFailedError, 'error_connection')
    assert 'No connection to 127.0.0.1' in error.user_message and waits == [0.5, 1.0]


def test_an_unknown_name_may_become_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def unknown(host: str, *_: Any, **__: Any) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', unknown)
    monkeypatch.setattr(setting, 'civitai_base_url', 'http://nowhere.test')
    client, waits = patient(max_retries=2)
    url = 'http://nowhere.test/a.png'
    error = failed(client, url, tmp_path, errors.ConnectionFailedError, 'error_unknown_host')
    assert 'nowhere.test' in error.user_message
    assert asked == ['nowhere.test'] * 3 and waits == [0.5, 1.0]


def fill_backlog(listener: socket.socket, stack: ExitStack) -> None:
    """Connect until `listener`, which accepts nobody, does not even answer any more."""
    for _ in range(8):
        caller = stack.enter_context(socket.socket())
        caller.setblocking(False)
        caller.connect_ex(listener.getsockname())


def test_a_machine_that_does_not_answer_is_a_time_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(('127.0.0.1', 0), backlog=0))
        fill_backlog(listener, stack)
        url = f'http://127.0.0.1:{listener.getsockname()[1]}'
        monkeypatch.setattr(setting, 'civitai_base_url', url)
        client, waits = patient(timeout=0.2, max_retries=1)
        error = failed(client, f'{url}/a.png', tmp_path, errors.TimedOutError, 'error_timeout')
    assert 'took too long' in error.user_message and waits == [0.5]


# -- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def issuer() -> Authority:
    return Authority()


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, issuer: Authority) -> Authority:
    """An authority that nothing outside the test makes trusted."""
    for variable in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
        monkeypatch.delenv(variable, raising=False)
    return issuer


UNTRUSTED = [
    pytest.param({'expired': True}, 'error_tls_expired', 'has expired', id='expired'),
    pytest.param({'name': 'x.test'}, 'error_tls_other_host', 'another host', id='other host'),
]


@pytest.mark.parametrize(('flaw', 'key', 'words'), UNTRUSTED)
def test_a_flawed_certificate_is_final(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    flaw: dict[str, Any],
    key: str,
    words: str,
) -> None:
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(PICTURE, tls=authority.certificate(**flaw)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        error = failed(client, f'{server.url}/a.png', tmp_path, errors.TlsFailedError, key)
    assert words in error.user_message and waits == []
    assert server.opened == 1 and server.requests == []


def test_an_unknown_issuer_is_final_and_says_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    with ScriptedServer(PICTURE, tls=authority.certificate()) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        error = failed(client, f'{server.url}/a', tmp_path, errors.TlsFailedError, 'error_tls')
    assert 'of 127.0.0.1 is not trusted' in error.user_message
    assert 'http_ca_bundle' in error.user_message
    assert waits == [] and server.opened == 1 and server.requests == []


def test_an_own_authority_is_trusted_once_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(PICTURE, tls=authority.certificate()) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        for name in ('a.png', 'b.png', 'c.png'):
            saved = client.fetch_file(f'{server.url}/{name}', tmp_path / name)
            assert saved.read_bytes() == WHOLE
    assert waits == [] and server.connections == [0, 0, 0]


@pytest.mark.parametrize('variable', ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'])
def test_an_own_authority_of_the_environment_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority, variable: str
) -> None:
    monkeypatch.setenv(variable, authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(PICTURE, tls=authority.certificate()) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.download_file(f'{server.url}/a.png', tmp_path / 'a.png')


def test_a_body_cut_under_tls_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    short = ok(WHOLE[:10_000], length=len(WHOLE))
    endless = (head(200), WHOLE[:10_000], RESET)  # no length: TLS itself must tell the cut
    with ScriptedServer(short, endless, PICTURE, tls=authority.certificate()) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == [0.5, 1.0]
    assert files_in(tmp_path) == ['a.png', 'ca.pem']


def test_https_does_not_lead_to_http(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    monkeypatch.setattr(setting, 'http_ca_bundle', authority.write_to(tmp_path / 'ca.pem'))
    with ScriptedServer(PICTURE) as plain:
        leading = kept(redirect(f'{plain.url}/a.png'))
        with ScriptedServer(leading, PICTURE, tls=authority.certificate()) as server:
            at_home(monkeypatch, server)
            client, waits = patient()
            key, url = 'error_url_not_https', f'{server.url}/a.png'
            error = failed(client, url, tmp_path, errors.UrlRefusedError, key)
            assert client.download_file(f'{server.url}/b.png', tmp_path / 'b.png')
    assert 'without encryption' in error.user_message
    assert plain.requests == [] and waits == [] and server.connections == [0, 0]


# -- what does no harm --------------------------------------------------------------------------

EVIL = b'\x89PNG\r\n\x1a\n evil'
NAMES = 'filename="模型 酒.png"'.encode()  # its bytes, read as latin-1, hold a line end
DISPOSITIONS = {
    'UTF-8 as it is': NAMES,
    'latin-1': 'filename="Prüfung.png"'.encode('latin-1'),
    'percent coded': b"filename*=UTF-8''%E6%A8%A1%E5%9E%8B.png",
    'broken coding': b"filename*=UTF-9'%%%E6",
    'mail coding': b'filename="=?utf-8?B?5qih5Z6L?="',
    'a way out of the folder': b'filename="../../evil.png"',
    'control characters': b'filename="a\x00\x1b[31m\x85b.png"',
}
HARMLESS: dict[str, Answer] = {
    'longer than announced': kept(ok(WHOLE + b'x' * 100, length=len(WHOLE))),
    'much longer than announced': kept(ok(WHOLE + b'x' * 100_000, length=len(WHOLE))),
    'another answer behind it': kept(ok(WHOLE + ok(EVIL), length=len(WHOLE))),
    'more behind the last chunk': kept(chunked(WHOLE) + ok(EVIL)),
    'an interim answer first': kept(b'HTTP/1.1 100 Continue\r\n\r\n' + ok(WHOLE)),
    **{
        f'name in {name}': kept(
            b'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; %s\r\nContent-Length: %d\r\n\r\n'
            % (value, len(WHOLE))
            + WHOLE
        )
        for name, value in DISPOSITIONS.items()
    },
}


@pytest.mark.parametrize('answer', HARMLESS.values(), ids=HARMLESS)
def test_an_odd_answer_does_no_harm_to_this_or_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    def play(request: Request) -> Answer:
        return kept(ok(WHOLE[::-1])) if 'good' in request.target else answer

    with ScriptedServer(handler=play) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=0)
        saved = client.fetch_file(f'{server.url}/odd', tmp_path / 'folder' / 'a.png')
        assert saved.read_bytes() == WHOLE
        for name in ('b.bin', 'c.bin'):
            saved = client.fetch_file(f'{server.url}/good/{name}', tmp_path / 'folder' / name)
            assert saved.read_bytes() == WHOLE[::-1]
    assert waits == [] and files_in(tmp_path / 'folder') == ['a.png', 'b.bin', 'c.bin']
    assert files_in(tmp_path) == [f'folder/{name}' for name in ('a.png', 'b.bin', 'c.bin')]


@pytest.mark.parametrize('value', DISPOSITIONS.values(), ids=DISPOSITIONS)
def test_the_length_behind_an_odd_name_still_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: bytes
) -> None:
    opening = b'HTTP/1.1 200 OK\r\nContent-Disposition: %s\r\nContent-Length: %d\r\n\r\n'
    with ScriptedServer(opening % (value, len(WHOLE)) + WHOLE[:10_000]) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0)
        url = f'{server.url}/a.png'
        failed(client, url, tmp_path, errors.BodyIncompleteError, 'error_incomplete')


def test_a_slow_body_has_the_time_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # about 13 KiB a second for some 1.5 s, with a time-out of a quarter second
    slow = (head(200, LENGTH), Trickle(WHOLE, size=400))
    with ScriptedServer(slow) as server:
        at_home(monkeypatch, server)
        client, waits = patient(timeout=0.25)
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == [] and len(server.requests) == 1


REDIRECTS = {
    'relative to the folder': 'b.png',
    'relative upwards': '../b.png',
    'relative to the root': '/b.png',
    'a query alone': '?b.png',
    'without a scheme': '//127.0.0.1:{port}/b.png',
    'absolute': 'http://127.0.0.1:{port}/b.png',
}


@pytest.mark.parametrize('location', REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_is_followed_on_the_same_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, location: str
) -> None:
    def answer(request: Request) -> Answer:
        if 'b.png' in request.target:
            return PICTURE
        return kept(redirect(location.format(port=server.port)))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/folder/a.png', tmp_path / 'a.png')
        assert saved.read_bytes() == WHOLE
    assert waits == [] and server.connections == [0, 0]


def test_a_redirect_to_another_origin_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(PICTURE) as other, ScriptedServer(handler=lambda _: leading) as server:
        leading = kept(redirect(f'{other.url}/b.png'))
        at_home(monkeypatch, server)
        client, waits = patient()
        for name in ('a.png', 'b.png'):
            saved = client.fetch_file(f'{server.url}/{name}', tmp_path / name)
            assert saved.read_bytes() == WHOLE
    assert waits == [] and server.connections == other.connections == [0, 0]


# -- a picture without its end ------------------------------------------------------------------

GIF = b'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0'
WEBP = b'RIFF' + (500).to_bytes(4, 'little') + b'WEBPVP8 ' + bytes(400)
ENDLESS = {
    'png': WHOLE[:-12],
    'jpeg': b'\xff\xd8\xff\xe0\x00\x10JFIF' + bytes(3000),
    'gif': GIF,
    'webp': WEBP,
}
WHOLE_ONES = {
    'png': WHOLE,
    'jpeg': ENDLESS['jpeg'] + b'\xff\xd9',
    'jpeg with more behind its end': ENDLESS['jpeg'] + b'\xff\xd9' + b'a second picture' * 9,
    'gif': GIF + b';',
    'webp': WEBP + bytes(96),
    'video': b'\0\0\0\x18ftypisom' + bytes(40),
}


@pytest.mark.parametrize('body', WHOLE_ONES.values(), ids=WHOLE_ONES)
def test_a_picture_with_its_end_is_fetched_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes
) -> None:
    with ScriptedServer(ok(body)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        client.fetch_file(f'{server.url}/a', tmp_path / 'a.jpeg')
    assert waits == [] and (tmp_path / 'a.jpeg').read_bytes() == body


@pytest.mark.parametrize('body', ENDLESS.values(), ids=ENDLESS)
def test_a_picture_that_comes_twice_without_its_end_is_kept_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
) -> None:
    with caplog.at_level(logging.WARNING), ScriptedServer(kept(ok(body))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        client.fetch_file(f'{server.url}/a', tmp_path / 'a.jpeg')
        assert client.failure_for(f'{server.url}/a') is None
    assert waits == [0.5] and server.connections == [0, 0]
    assert files_in(tmp_path) == ['a.jpeg'] and (tmp_path / 'a.jpeg').read_bytes() == body
    assert [record.levelname for record in caplog.records] == ['WARNING']


def test_a_picture_that_gets_its_end_the_second_time_is_kept_without_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), ScriptedServer(ok(WHOLE[:-12]), PICTURE) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/a', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == [0.5] and caplog.records == []


def test_a_picture_that_never_comes_twice_the_same_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = [ok(WHOLE[:size]) for size in (9000, 8000, 7000)]
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=2)
        url = f'{server.url}/a.png'
        error = failed(client, url, tmp_path, errors.BodyIncompleteError, 'error_no_end')
    assert 'without its end' in error.user_message
    assert waits == [0.5, 1.0] and len(server.requests) == 3


# -- bombs --------------------------------------------------------------------------------------


def bomb(opening: bytes = b'') -> bytes:
    """`opening` and a gibibyte of zeros in about a megabyte of gzip, without its check sum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(opening + bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + mebibyte * 1023


BOMBS = {
    'file': ('file', bomb(WHOLE), 'gzip', 48),
    'file, packed twice': ('file', gzip.compress(bomb(WHOLE)), 'gzip, gzip', 48),
    'data': ('data', bomb(b'["'), 'gzip', 256),
    'data, packed twice': ('data', gzip.compress(bomb(b'["')), 'gzip, gzip', 256),
}


@pytest.mark.parametrize(('kind', 'body', 'coding', 'mebibytes'), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_dropped_with_little_memory(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    body: bytes,
    coding: str,
    mebibytes: int,
) -> None:
    with ScriptedServer(ok(body, Content_Encoding=coding), DATA) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        tracemalloc.start()
        try:
            with pytest.raises(errors.WrongContentError) as caught:
                asking(kind, tmp_path)(client, f'{server.url}{PATHS[kind]}')
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert client.fetch_json(f'{server.url}/api/v1/models') == {'items': [1]}
    assert caught.value.key == 'error_too_large' and 'too large' in caught.value.user_message
    assert waits == [] and len(server.requests) == 2 and files_in(tmp_path) == []
    assert peak < mebibytes * 2**20


# -- asked to slow down -------------------------------------------------------------------------

NEVER = None


def at_once(client: CivitaiHttpClient, function: Callable[[], object]) -> object:
    """What `function` returns or raises, which is not to wait for hours because of an answer."""
    with Work(function) as work:
        if work.goes_on(5):
            client.close()
    if work.error is not None:
        raise work.error
    return work.result


SLOW_DOWN = [
    pytest.param('7', [7.0], [7.0], id='seconds'),
    pytest.param('0', [0.5], [0.5], id='at once'),
    pytest.param('Tue, 14 Nov 2023 22:14:00 GMT', [40.0], [40.0], id='a date'),
    pytest.param('Tue, 14 Nov 2023 22:13:00 GMT', [0.5], [0.5], id='a date in the past'),
    pytest.param('120', [120.0], [120.0], id='the longest'),
    pytest.param('121', NEVER, NEVER, id='longer than the longest'),
    pytest.param(str(DAY), NEVER, NEVER, id='a day'),
    pytest.param('Wed, 15 Nov 2023 22:13:20 GMT', NEVER, NEVER, id='a date in a day'),
    pytest.param('9' * 5000, NEVER, NEVER, id='for ever'),
    pytest.param(None, [0.5], NEVER, id='missing'),
    pytest.param('soon', [0.5], NEVER, id='a word'),
]


@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize(('value', 'of_files', 'of_data'), SLOW_DOWN)
def test_a_refusal_for_haste_is_sat_out_or_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    value: str | None,
    of_files: list[float] | None,
    of_data: list[float] | None,
    kind: str,
) -> None:
    named = {} if value is None else {'Retry_After': value}
    refused = kept(ok(b'{"error": "not so fast"}', status=429, **named))
    expected = of_files if kind == 'file' else of_data
    with ScriptedServer(refused, PICTURE if kind == 'file' else DATA) as server:
        at_home(monkeypatch, server)
        client, waits = patient(clock=lambda: NOW)
        ask, url = asking(kind, tmp_path), f'{server.url}{PATHS[kind]}'
        if expected is None:
            with pytest.raises(errors.RateLimitedError) as caught:
                ask(client, url)
            assert '(429)' in caught.value.user_message and 'not so fast' in str(caught.value)
            assert (caught.value.key, caught.value.status) == ('error_rate_limited', 429)
            assert '(429)' in str(client.failure_for(url)) and files_in(tmp_path) == []
        assert at_once(client, lambda: ask(client, url)) == {'items': [1]}
    assert waits == (expected or []) and server.connections == [0, 0]


def test_a_refusal_for_haste_is_no_try(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slower, broken = kept(ok(b'', status=429, Retry_After='40')), kept(ok(b'', status=500))
    answers = [slower] * 3 + [broken] + [slower] * 2 + [PICTURE]
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=1)
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and len(server.requests) == len(answers)
    assert waits == [40.0] * 3 + [0.5] + [40.0] * 2


def test_ten_refusals_for_haste_in_a_row_are_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(kept(ok(b'', status=429, Retry_After='40'))) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=2)
        url = f'{server.url}/a.png'
        failed(client, url, tmp_path, errors.RateLimitedError, 'error_rate_limited')
    assert len(server.requests) == 10 and waits == [40.0] * 9


def test_refusals_for_haste_that_do_not_come_in_a_row_are_sat_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slower, broken = kept(ok(b'', status=429, Retry_After='40')), kept(ok(b'', status=500))
    answers = [slower] * 6 + [broken] + [slower] * 6 + [PICTURE]
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=1)
        assert client.download_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert len(server.requests) == len(answers)


def test_waits_after_refusals_without_a_time_grow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(*[kept(ok(b'', status=429))] * 5, PICTURE) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=1)
        assert client.download_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0]


# -- failures that are remembered ---------------------------------------------------------------


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize('status', [404, 410])
def test_what_is_not_there_is_not_asked_for_again_for_five_minutes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, kind: str
) -> None:
    clock = Clock()
    gone = kept(ok(b'{"error": "no such thing"}', status=status))
    with ScriptedServer(gone, PICTURE if kind == 'file' else DATA) as server:
        at_home(monkeypatch, server)
        client, waits = patient(clock=clock)
        ask, url = asking(kind, tmp_path), f'{server.url}{PATHS[kind]}'
        told = []
        for seconds in (0, 1, 298):
            clock.now += seconds
            with pytest.raises(errors.AnswerError) as caught:
                ask(client, url)
            told.append((type(caught.value), caught.value.status, str(caught.value)))
            assert str(client.failure_for(url)) == str(caught.value)
        assert len(set(told)) == 1 and 'no such thing' in told[0][2]
        assert len(server.requests) == 1 and files_in(tmp_path) == []
        clock.now += 2
        assert ask(client, url) == ask(client, url) == {'items': [1]}
    assert len(server.requests) == 3 and waits == []


FORGOTTEN = {
    '429': kept(ok(b'', status=429, Retry_After=str(DAY))),
    **{str(status): kept(ok(b'', status=status)) for status in (500, 502, 503, 504, 520, 524)},
    **{str(status): kept(ok(b'', status=status)) for status in (400, 401, 403, 451)},
    'reset': (RESET,),
    'cut': ok(WHOLE[:500], length=len(WHOLE)),
    'page': kept(ok(PAGE)),
}


@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize('answer', FORGOTTEN.values(), ids=FORGOTTEN)
def test_other_failures_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer, kind: str
) -> None:
    good = PICTURE if kind == 'file' else DATA
    with ScriptedServer(answer, answer, good) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0, clock=Clock())
        ask, url = asking(kind, tmp_path), f'{server.url}{PATHS[kind]}'
        for number in (1, 2):
            with pytest.raises(errors.CivitaiError):
                at_once(client, lambda: ask(client, url))
            assert len(server.requests) == number
        assert at_once(client, lambda: ask(client, url)) == {'items': [1]}
        assert client.failure_for(url) is None


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site that knows only what has `good` in its address, or comes with a key."""

    def answer(request: Request) -> Answer:
        known = 'good' in request.target or 'authorization' in request.headers
        return DATA if known else kept(ok(b'', status=404))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        yield server


def test_another_question_is_asked(nothing_there: ScriptedServer) -> None:
    client, _ = patient()
    url = f'{nothing_there.url}/api/v1/images'
    assert client.get_json(url, {'cursor': 'bad'}) is None
    assert client.get_json(url, {'cursor': 'bad'}) is None
    assert client.get_json(url, {'cursor': 'good'}) == {'items': [1]}
    assert client.get_json(url) is None
    assert len(nothing_there.requests) == 3


def test_what_is_not_there_is_asked_for_again_with_another_key(
    nothing_there: ScriptedServer,
) -> None:
    client, _ = patient()
    url = f'{nothing_there.url}/api/v1/images'
    assert client.get_json(url) is None
    client.update_api_key('new')
    assert client.get_json(url) == {'items': [1]}


def test_what_is_not_there_is_asked_for_again_by_another_client(
    nothing_there: ScriptedServer,
) -> None:
    for _ in range(2):
        assert patient()[0].get_json(f'{nothing_there.url}/api/v1/images') is None
    assert len(nothing_there.requests) == 2


def test_what_is_sent_is_sent_again(nothing_there: ScriptedServer) -> None:
    client, _ = patient()
    for number in range(2):
        assert client.post_json(f'{nothing_there.url}/api/v1/x', {'n': number}) is None
    assert len(nothing_there.requests) == 2


def test_what_is_not_there_is_remembered_for_all_threads(nothing_there: ScriptedServer) -> None:
    client, _ = patient()
    url = f'{nothing_there.url}/api/v1/images'
    client.get_json(url)
    threads = [threading.Thread(target=client.get_json, args=(url,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(nothing_there.requests) == 1
