"""Statuses that say something about the connection or the way, not about what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.civitai_manager_libs import errors, setting
from tests.support.faults import WHOLE
from tests.support.network import API, at_home, patient
from tests.support.scripted_server import (
    CLOSE,
    Answer,
    Request,
    ScriptedServer,
    head,
    kept,
    ok,
    part_of,
    redirect,
)

DONE_WITH_IT = [408, 421]
JSON = ok(b'{"items": [1]}')


def only_the_first(server: ScriptedServer, status: int) -> Answer:
    """Every connection is good for one question; further ones get `status`."""
    *before, this = server.connections
    return kept(ok(b'{"error": "idle"}', status=status) if this in before else JSON)


@pytest.mark.parametrize('status', DONE_WITH_IT)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_a_connection_the_server_is_done_with_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, status: int, method: str
) -> None:
    with ScriptedServer(handler=lambda _: only_the_first(server, status)) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=0)
        for _ in range(3):
            body = {'a': 1} if method == 'POST' else None
            url = f'{server.url}/api/v1/images'
            assert client.fetch_json(url, method=method, json_data=body) == {'items': [1]}
    assert waits == [] and server.connections == [0, 0, 1, 1, 2]
    assert len({request.body for request in server.requests}) == 1


def test_a_file_is_asked_for_again_on_a_fresh_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(request: Request) -> Answer:
        *before, this = server.connections
        return ok(b'', status=408) if this in before else kept(ok(WHOLE))

    with ScriptedServer(handler=play) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=0)
        for name in ('a.png', 'b.png'):
            saved = client.fetch_file(f'{server.url}/{name}', tmp_path / name)
            assert saved.read_bytes() == WHOLE
    assert waits == [] and server.connections == [0, 0, 1]


@pytest.mark.parametrize('status', DONE_WITH_IT)
def test_on_a_fresh_connection_it_passes_like_a_busy_site(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answer = kept(ok(b'', status=status))
    with ScriptedServer(answer, answer, kept(JSON)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.fetch_json(f'{server.url}/api/v1/images') == {'items': [1]}
    assert waits == [0.5, 1.0] and server.connections == [0, 1, 2]


@pytest.mark.parametrize('status', DONE_WITH_IT)
def test_where_it_lasts_it_is_told(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with ScriptedServer(kept(JSON), kept(ok(b'', status=status))) as server:
        at_home(monkeypatch, server)
        client, waits = patient(max_retries=1)
        url = f'{server.url}/api/v1/images'
        client.fetch_json(url)
        with pytest.raises(errors.ServerBusyError) as caught:
            client.fetch_json(url)
    assert caught.value.status == status and str(status) in caught.value.user_message
    assert waits == [0.5] and server.connections == [0, 0, 1, 2]


# -- 203: whole, and changed on the way ----------------------------------------------------------


def test_an_answer_that_was_changed_on_the_way_is_good(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = ok(b'{"items": [1]}', status=203), ok(WHOLE, status=203)
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.fetch_json(f'{server.url}/api/v1/images') == {'items': [1]}
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == []


def test_an_answer_that_was_changed_on_the_way_is_not_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cut = ok(WHOLE[:10_000], length=len(WHOLE), status=203, ETag='"v1"')
    with ScriptedServer(cut, ok(WHOLE, ETag='"v1"')) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == [0.5]
    assert 'range' not in server.requests[1].headers


def test_the_rest_may_come_whole_and_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cut = ok(WHOLE[:10_000], length=len(WHOLE), ETag='"v1"')
    with ScriptedServer(cut, ok(WHOLE, status=203)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        saved = client.fetch_file(f'{server.url}/a.png', tmp_path / 'a.png')
    assert saved.read_bytes() == WHOLE and waits == [0.5]
    assert 'range' in server.requests[1].headers


# -- what a proxy says ---------------------------------------------------------------------------

LOGIN = {
    'with a page': ok(b'<html>log in</html>', status=407, Proxy_Authenticate='Basic'),
    'with JSON': ok(b'{"error": "words of the proxy"}', status=407),
    'with nothing': ok(b'', status=407),
    'behind an early hint': b'HTTP/1.1 103 Early Hints\r\n\r\n' + ok(b'', status=407),
    'old': head(407).replace(b'HTTP/1.1', b'HTTP/1.0').replace(CLOSE, b''),
}


@pytest.mark.parametrize('answer', LOGIN.values(), ids=LOGIN)
@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_a_proxy_that_wants_a_login_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes, scheme: str
) -> None:
    base = 'http://civitai.test' if scheme == 'http' else 'https://civitai.com'
    monkeypatch.setattr(setting, 'civitai_base_url', base)
    with ScriptedServer(answer) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url.replace('://', '://me:secret@'))
        client, waits = patient()
        for ask in (
            lambda: client.fetch_json(f'{base}/api/v1/images'),
            lambda: client.fetch_file(f'{base}/a.png', tmp_path / 'a.png'),
        ):
            with pytest.raises(errors.ProxyLoginError) as caught:
                ask()
            assert caught.value.status == 407
            told = caught.value.user_message
            assert 'proxy' in told and 'login (407)' in told and 'http_proxy' in told
            assert 'Civitai says' not in told and 'secret' not in told
    assert waits == [] and len(proxy.requests) == 2


@pytest.mark.parametrize('status', [403, 502, 503])
def test_a_proxy_that_leads_nowhere_is_told_with_its_status(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with ScriptedServer(ok(b'', status=status)) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        client, waits = patient(max_retries=1)
        with pytest.raises(errors.ConnectionFailedError) as caught:
            client.fetch_json(API)
    assert f'refuses the way to civitai.com ({status})' in caught.value.user_message
    assert caught.value.status == status and waits == [0.5]


# -- answers to another question ------------------------------------------------------------------


@pytest.mark.parametrize('headers', [{'Range': 'bytes=5-'}, {'range': 'bytes=5-'}])
def test_a_part_comes_to_who_asked_for_it_alone(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    with ScriptedServer(kept(part_of(WHOLE, 5))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with client.fetch_stream(f'{server.url}/a.png', headers) as response:
            assert response.status_code == 206 and response.content == WHOLE[5:]
        with pytest.raises(errors.AnswerError, match=r'does not fit .*\(206\)'):
            client.fetch_stream(f'{server.url}/a.png')
    assert waits == []


@pytest.mark.parametrize('status', [201, 202])
def test_what_a_question_made_is_an_answer(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with ScriptedServer(ok(b'{"id": 5}', status=status)) as server:
        at_home(monkeypatch, server)
        assert patient()[0].post_json(f'{server.url}/api/v1/images', {'a': 1}) == {'id': 5}


def test_a_circle_of_addresses_is_told_when_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {'/a': '/b', '/b': '/c', '/c': '/b#again'}
    with ScriptedServer(handler=lambda request: kept(redirect(ways[request.target]))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.UrlRefusedError, match='in circles'):
            client.fetch_stream(f'{server.url}/a')
    assert server.targets == ['/a', '/b', '/c'] and waits == []


def test_a_way_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(handler=lambda request: kept(redirect(f'{request.target}1'))) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.UrlRefusedError, match='in circles'):
            client.fetch_stream(f'{server.url}/a')
    assert len(server.requests) == 9 and waits == []
