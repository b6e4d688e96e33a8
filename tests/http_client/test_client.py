"""What the client asks, what a refusal says, proxies, and what it remembers."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from typing import Any

import pytest
import responses

from scripts.civitai_manager_libs import errors, http_client, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import API, at_home, patient
from tests.support.scripted_server import RESET, STALL, ScriptedServer, head, ok, redirect
from tests.support.settings_sandbox import set_process_client

GOOD = ok(b'{"items": [1]}')
PACKED = gzip.compress(b'{"items": [1]}')


# -- what is asked ------------------------------------------------------------------------------


def test_json_is_asked_for_with_our_own_name_and_gzip(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(ok(PACKED, Content_Encoding='gzip')) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        found = client.get_json(f'{server.url}/api/v1/images', {'limit': 3, 'cursor': '5|6'})
    assert found == {'items': [1]}
    (request,) = server.requests
    assert request.target == '/api/v1/images?limit=3&cursor=5%7C6'
    assert 'gzip' in request.headers['accept-encoding']
    assert request.headers['user-agent'].startswith('CivitaiGallery/')


def test_the_user_agent_names_no_browser() -> None:
    name = str(CivitaiHttpClient().session.headers['User-Agent']).lower()
    browsers = ('mozilla', 'chrome', 'safari', 'firefox', 'opera', 'edge')
    assert not [browser for browser in browsers if browser in name]


def test_post_sends_json_and_keeps_it_through_a_307(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(redirect('/api/v1/other', 307), GOOD) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.post_json(f'{server.url}/api/v1/x', {'hashes': ['a']}) == {'items': [1]}
    assert [request.method for request in server.requests] == ['POST', 'POST']
    assert [json.loads(request.body) for request in server.requests] == [{'hashes': ['a']}] * 2


@pytest.mark.parametrize('status', [301, 302, 303])
def test_post_is_not_turned_into_something_else_by_a_redirect(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with ScriptedServer(redirect('/elsewhere', status)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert client.post_json(f'{server.url}/api/v1/x', {}) is None
    assert server.targets == ['/api/v1/x'] and waits == []


CIRCULAR: list[object] = []
CIRCULAR.append(CIRCULAR)
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    'data',
    [{1, 2}, {'a': b'x'}, {(1, 2): 3}, object(), float('nan'), [float('inf')], CIRCULAR, DEEP],
    ids=['a set', 'bytes', 'a key', 'an object', 'nan', 'infinity', 'circular', 'deep'],
)
def test_what_is_no_json_is_not_sent_and_the_cause_is_told(
    monkeypatch: pytest.MonkeyPatch, data: object
) -> None:
    with ScriptedServer(GOOD) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        url = f'{server.url}/api/v1/x'
        assert client.post_json(url, data) is None
        problem = client.failure_for(url)
        assert problem is not None and 'no JSON' in problem.user_message
        assert client.post_json(url, {'a': 1}) == {'items': [1]}
        assert client.failure_for(url) is None
    assert server.targets == ['/api/v1/x'] and waits == []


def test_no_cookie_is_ever_sent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(ok(b'{}', Set_Cookie='session=1; Path=/')) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        client.get_json(f'{server.url}/api/v1/images')
        client.get_json(f'{server.url}/api/v1/images')
    assert ['cookie' in request.headers for request in server.requests] == [False, False]


# -- refusals -------------------------------------------------------------------------------------

FINAL = [
    (400, {'error': {'name': 'ZodError', 'message': '[{"path":["sort"],"message":"bad"}]'}}),
    (401, {'error': 'Unauthorized', 'message': 'you need to be logged in'}),
    (403, {'error': 'Early Access', 'message': 'not yet for all'}),
    (404, {'message': 'No such model'}),
    (410, {'error': 'Model archived'}),
    (451, {'error': 'not in your region', 'code': 'REGION_BLOCKED'}),
]
WORDS = ['sort: bad', 'you need to be logged in', 'not yet for all', 'No such model']
WORDS += ['Model archived', 'not in your region']


@pytest.mark.parametrize(
    ('status', 'body', 'words'), [(*row, words) for row, words in zip(FINAL, WORDS)]
)
def test_a_refusal_is_final_and_keeps_the_sites_words(
    wire: Any, status: int, body: object, words: str
) -> None:
    wire.add(responses.GET, API, status=status, json=body)
    client, waits = patient()
    with pytest.raises(errors.AnswerError) as caught:
        client.fetch_json(API)
    assert waits == [] and len(wire.calls) == 1
    assert caught.value.status == status and words in caught.value.user_message
    assert words in caught.value.message_in('zh_TW')


def test_a_refusal_without_usable_words_still_has_a_sentence(wire: Any) -> None:
    wire.add(responses.GET, API, status=403, body='<!DOCTYPE html><html>Just a moment...</html>')
    client, _ = patient()
    client.get_json(API)
    failure = client.failure_for(API)
    assert failure is not None and failure.detail == ''
    assert failure.user_message.startswith('Civitai refuses access (403)')


def test_a_refusal_whose_body_breaks_off_is_still_that_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer((head(404, {'Content-Length': '99'}), b'{"err', RESET)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        client.get_json(f'{server.url}/api/v1/models/1')
        failure = client.failure_for(f'{server.url}/api/v1/models/1')
    assert isinstance(failure, errors.NotFoundError) and waits == []


def test_only_the_beginning_of_a_long_error_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = (head(404, {'Content-Length': str(10**9)}), b'x' * 100_000, STALL)
    with ScriptedServer(endless) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        client.get_json(f'{server.url}/api/v1/models/1')
        failure = client.failure_for(f'{server.url}/api/v1/models/1')
    assert isinstance(failure, errors.NotFoundError)


# -- proxies ------------------------------------------------------------------------------------

PROXIED = 'http://civitai.test'


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A proxy, with a Civitai configured that only it could reach."""
    monkeypatch.setattr(setting, 'civitai_base_url', PROXIED)
    with ScriptedServer(GOOD) as proxy:
        yield proxy


@pytest.mark.parametrize('variable', ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'])
def test_the_proxy_of_the_environment_is_used(
    proxied: ScriptedServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxied.url)
    client, _ = patient()
    assert client.get_json(f'{PROXIED}/api/v1/images') == {'items': [1]}
    assert proxied.targets == [f'{PROXIED}/api/v1/images']


def test_https_goes_through_a_tunnel_that_never_sees_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(ok(b'', status=407)) as proxy:
        monkeypatch.setenv('HTTPS_PROXY', proxy.url)
        client, _ = patient(api_key='secret', max_retries=0)
        with pytest.raises(errors.ConnectionFailedError, match='proxy does not answer'):
            client.fetch_json(API)
    (request,) = proxy.requests
    assert (request.method, request.target) == ('CONNECT', 'civitai.com:443')
    assert 'authorization' not in request.headers


def test_the_setting_wins_over_the_environment(
    proxied: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:1')
    client, _ = patient()
    monkeypatch.setattr(setting, 'http_proxy', proxied.url)
    assert client.get_json(f'{PROXIED}/api/v1/images') == {'items': [1]}
    assert len(proxied.requests) == 1


@pytest.mark.parametrize('no_proxy', ['127.0.0.1', '*', 'example.org, 127.0.0.0/8'])
@pytest.mark.parametrize('by_setting', [False, True], ids=['environment', 'setting'])
def test_no_proxy_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, by_setting: bool
) -> None:
    with ScriptedServer(GOOD) as server, ScriptedServer(ok(b'', status=502)) as proxy:
        at_home(monkeypatch, server)
        if by_setting:
            monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        else:
            monkeypatch.setenv('HTTP_PROXY', proxy.url)
        monkeypatch.setenv('NO_PROXY', no_proxy)
        client, _ = patient()
        assert client.get_json(f'{server.url}/api/v1/images') == {'items': [1]}
    assert proxy.requests == []


def test_a_proxy_that_is_not_there_is_named(
    proxied: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HTTP_PROXY', 'http://user:hidden@127.0.0.1:1')
    client, _ = patient(max_retries=0)
    with pytest.raises(errors.ConnectionFailedError, match='proxy does not answer') as caught:
        client.fetch_json(f'{PROXIED}/api/v1/images')
    assert 'hidden' not in str(caught.value)


# -- memory and sharing -------------------------------------------------------------------------


def test_a_failure_is_remembered_until_it_works(wire: Any) -> None:
    wire.add(responses.GET, API, status=403)
    wire.add(responses.GET, API, json={})
    client, _ = patient()
    assert client.failure_for(API) is None
    client.get_json(API)
    assert isinstance(client.failure_for(API), errors.ForbiddenError)
    client.get_json(API)
    assert client.failure_for(API) is None


def test_a_failure_is_logged_once_with_its_cause(
    wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire.add(responses.GET, API, status=503)
    client, _ = patient()
    with caplog.at_level(logging.WARNING):
        client.get_json(API)
    (record,) = caplog.records
    assert 'Civitai is busy (503)' in record.getMessage() and API in record.getMessage()


def test_old_failures_are_forgotten() -> None:
    client, _ = patient()
    strangers = [f'https://example.org/{number}' for number in range(2500)]
    for url in strangers:
        client.get_json(url)
    remembered = [url for url in strangers if client.failure_for(url)]
    assert remembered == strangers[-2000:]


def test_a_remembered_failure_keeps_nothing_else_alive(wire: Any) -> None:
    wire.add(responses.GET, API, status=404, json={'error': 'gone'})
    client, _ = patient()
    client.get_json(API)
    failure = client.failure_for(API)
    assert failure is not None and 'gone' in failure.user_message
    assert (failure.__traceback__, failure.__cause__, failure.__context__) == (None, None, None)


def test_the_process_has_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    set_process_client(monkeypatch, None)
    found: list[CivitaiHttpClient] = []
    threads = [
        threading.Thread(target=lambda: found.append(http_client.get_http_client()))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16 and len(set(map(id, found))) == 1


@pytest.mark.parametrize('url', ['a', '', 'http://[bad', 'file:///etc/passwd', '\ud800', 'https:x'])
def test_what_is_no_address_fails_quietly(url: str) -> None:
    client, waits = patient()
    assert client.get_json(url) is None and client.get_stream(url) is None
    assert client.post_json(url) is None and client.get_stream_response(url) is None
    assert isinstance(client.failure_for(url), errors.UrlRefusedError) and waits == []


def test_streams_carry_the_callers_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    part = (head(206, {'Content-Length': '3', 'Content-Range': 'bytes 2-4/9'}), b'cde')
    with ScriptedServer(part) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        response = client.get_stream_response(f'{server.url}/file', {'Range': 'bytes=2-4'})
        assert response is not None and response.status_code == 206
        assert b''.join(response.iter_content(2)) == b'cde'
    assert server.requests[0].headers['range'] == 'bytes=2-4'
    assert server.requests[0].headers['accept-encoding'] == 'identity'
