"""Where the API key goes and where it never does; which addresses are fetched and followed."""

from __future__ import annotations

import logging
import re
import threading
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import responses

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import API, KEY, PICTURE, at_home, patient
from tests.support.scripted_server import STALL, Answer, Request, ScriptedServer, head, ok, redirect

BEARER = f'Bearer {KEY}'
DATA = ok(b'{"fine": true}')
DOWNLOAD = 'https://civitai.com/api/download/models/5'
STORAGE = 'https://storage.example.com/model?X-Amz-Signature=abc'


def keys_sent(server: ScriptedServer) -> list[str | None]:
    """The Authorization header of each request that arrived."""
    return [request.headers.get('authorization') for request in server.requests]


# -- to whom ------------------------------------------------------------------------------------

NEVER_SENT = [
    pytest.param('https://civitai.com:8443/api/v1/images', id='another port'),
    pytest.param('https://api.civitai.com/api/v1/images', id='a sub-domain'),
    pytest.param('https://www.civitai.com/api/v1/images', id='with www'),
    pytest.param('https://civitai.red/api/v1/images', id='the sister site'),
    pytest.param(PICTURE, id='the picture host'),
    pytest.param('https://b2.civitai.com/file/model', id='storage'),
]


@pytest.mark.parametrize('url', NEVER_SENT)
def test_other_hosts_are_asked_without_the_key(wire: Any, url: str) -> None:
    wire.add(responses.GET, url, json={})
    client, _ = patient(api_key=KEY)
    assert client.get_json(url) == {}
    assert 'Authorization' not in wire.calls[0].request.headers


NEVER_ASKED = [
    pytest.param('http://civitai.com/api/v1/images', id='http instead of https'),
    pytest.param('https://civitai.com@example.org/api/v1/images', id='host as user info'),
    pytest.param('https://user:pass@civitai.com/api/v1/images', id='user info'),
    pytest.param('https://civitai.com./api/v1/images', id='trailing dot'),
    pytest.param('https://civitai.com.example.org/api', id='host as prefix'),
    pytest.param('https://notcivitai.com/api/v1/images', id='host as suffix'),
    pytest.param('https://example.org/api/v1/images', id='a stranger'),
    pytest.param('https://104.18.22.206/api/v1/images', id='an address'),
    pytest.param('https://127.0.0.1/api/v1/images', id='loopback'),
    pytest.param('https://localhost/api/v1/images', id='localhost'),
    pytest.param('https://[::1]/api/v1/images', id='loopback of IPv6'),
    pytest.param('https://civitai.com\\@example.org/', id='backslash'),
    pytest.param('https://civitai.com\t/api', id='tab'),
    pytest.param('https://civitai.com:0/api', id='port 0'),
    pytest.param('https://ⓒivitai.com/api', id='letters that only look so'),
]


@pytest.mark.parametrize('url', NEVER_ASKED)
def test_these_are_not_asked_at_all(wire: Any, url: str) -> None:
    wire.add(responses.GET, url.replace('\t', ''), json={})
    client, waits = patient(api_key=KEY)
    with pytest.raises(errors.UrlRefusedError):
        client.fetch_json(url)
    assert len(wire.calls) == 0 and waits == []


def test_the_configured_host_gets_the_key_whatever_the_spelling(wire: Any) -> None:
    wire.add(responses.GET, API, json={})
    wire.add(responses.GET, API.replace('.com/', '.com:443/'), json={})
    client, _ = patient(api_key=KEY)
    for url in (API, 'HTTPS://CIVITAI.COM/api/v1/images', 'https://civitai.com:443/api/v1/images'):
        assert client.get_json(url) == {}
    assert [call.request.headers['Authorization'] for call in wire.calls] == [BEARER] * 3


def test_the_key_follows_the_setting_to_another_host(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = 'https://civitai.red/api/v1/images'
    wire.add(responses.GET, API, json={})
    wire.add(responses.GET, red, json={})
    client, _ = patient(api_key=KEY)
    monkeypatch.setattr(setting, 'civitai_base_url', 'https://civitai.red')
    client.get_json(red)
    client.get_json(API)
    sent = [call.request.headers.get('Authorization') for call in wire.calls]
    assert sent == [BEARER, None]


def test_hosts_the_user_trusts_are_asked_without_the_key(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = 'https://pictures.example.org/a.png'
    wire.add(responses.GET, url, json={})
    client, _ = patient(api_key=KEY)
    assert client.get_json(url) is None
    monkeypatch.setattr(setting, 'extra_hosts', 'other.example, Pictures.Example.ORG')
    assert client.get_json(url) == {}
    assert 'Authorization' not in wire.calls[0].request.headers


def test_trust_does_not_open_the_private_network(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting, 'extra_hosts', 'localhost,127.0.0.1,plain.example')
    client, _ = patient()
    for url in ('https://localhost/a', 'https://127.0.0.1/a', 'http://plain.example/a'):
        assert client.get_json(url) is None
    assert len(wire.calls) == 0


# -- through redirects --------------------------------------------------------------------------


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_a_redirect_to_storage_is_followed_without_the_key(wire: Any, status: int) -> None:
    wire.add(responses.GET, DOWNLOAD, status=status, headers={'Location': STORAGE})
    wire.add(responses.GET, STORAGE, body=b'weights')
    client, _ = patient(api_key=KEY)
    response = client.get_stream(DOWNLOAD)
    assert response is not None and response.content == b'weights'
    first, second = [call.request for call in wire.calls]
    assert first.headers['Authorization'] == BEARER
    assert 'Authorization' not in second.headers and second.url == STORAGE


def test_a_relative_redirect_at_home_keeps_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {'/api/v1/models/1': '../models/2', '/api/v1/models/2': '//HOST/api/v1/models/3?x'}

    def answer(request: Request) -> Answer:
        place = places.get(request.target)
        host = request.headers['host']
        return redirect(place.replace('HOST', host)) if place else DATA

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key=KEY)
        assert client.get_json(f'{server.url}/api/v1/models/1') == {'fine': True}
    assert server.targets == ['/api/v1/models/1', '/api/v1/models/2', '/api/v1/models/3?x']
    assert keys_sent(server) == [BEARER] * 3


HOME, MIRROR, LOCAL = 'https://civitai.com', 'https://mirror.civitai.com', 'http://127.0.0.1:7000'
KEPT = [
    pytest.param(HOME, '/other', id='a path'),
    pytest.param(HOME, '?page=2', id='a query'),
    pytest.param(HOME, '//civitai.com/other', id='the same host'),
    pytest.param(HOME, 'https://CIVITAI.com/other', id='upper case'),
    pytest.param(HOME, 'HTTPS://civitai.com/other', id='scheme in upper case'),
    pytest.param(HOME, 'https://civitai.com:443/other', id='its port spelled out'),
    pytest.param(HOME, 'https://civitai.com:/other', id='an empty port'),
    pytest.param(HOME, 'https://civitai.com?@example.com/', id='@ in the query'),
    pytest.param(HOME, 'https://civitai.com#@example.com/', id='@ in the fragment'),
    pytest.param(f'{HOME}:443', 'https://civitai.com/other', id='its port in the setting'),
    pytest.param(LOCAL, 'http://127.0.0.1:7000/other', id='the same address'),
]
LOST = [
    pytest.param(HOME, 'https://civitai.com:8443/other', id='another port'),
    pytest.param(HOME, 'https://civitai.com:80/other', id='the port of http'),
    pytest.param(HOME, 'https://api.civitai.com/other', id='a sub-domain'),
    pytest.param(HOME, 'https://www.civitai.com/other', id='www'),
    pytest.param(MIRROR, 'https://civitai.com/other', id='the parent domain'),
    pytest.param(MIRROR, 'https://other.civitai.com/other', id='a sister'),
    pytest.param(HOME, 'https://civitai.com./other', id='trailing dot'),
    pytest.param(HOME, 'https://civitai.com.example.com/other', id='home as prefix'),
    pytest.param(HOME, 'https://notcivitai.com/other', id='home as suffix'),
    pytest.param(HOME, 'https://civitai.co/other', id='one letter less'),
    pytest.param(HOME, 'https://xn--cvitai-t4a.com/other', id='punycode look-alike'),
    pytest.param(HOME, 'https://xn--civitai.com-2i0k/other', id='punycode that holds home'),
    pytest.param(HOME, 'https://104.18.22.206/other', id='its own address'),
    pytest.param(HOME, 'https://[2606:4700::6812:16ce]/other', id='its own IPv6 address'),
    pytest.param(HOME, '//storage.example.com/civitai.com', id='home in the path'),
    pytest.param(LOCAL, 'http://localhost:7000/other', id='this machine by name'),
    pytest.param(LOCAL, 'http://127.0.0.2:7000/other', id='this machine, another address'),
    pytest.param(LOCAL, 'http://127.1:7000/other', id='this machine, short'),
    pytest.param(LOCAL, 'http://2130706433:7000/other', id='this machine as a number'),
    pytest.param(LOCAL, 'http://[::1]:7000/other', id='this machine by IPv6'),
    pytest.param(LOCAL, 'http://[::ffff:127.0.0.1]:7000/other', id='IPv4 inside IPv6'),
    pytest.param(LOCAL, 'https://127.0.0.1:7000/other', id='https instead of http'),
    pytest.param(LOCAL, 'http://127.0.0.1/other', id='without the port'),
]


def sent_along(wire: Any, monkeypatch: pytest.MonkeyPatch, base: str, *places: str) -> list[Any]:
    """The Authorization of each request, where the API at `base` leads from place to place."""
    monkeypatch.setattr(setting, 'civitai_base_url', base)
    left = iter(places)

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        place = next(left, '')
        return (302, {'Location': place}, '') if place else (200, {}, '{}')

    wire.add_callback(responses.GET, re.compile(''), answer)
    client, _ = patient(api_key=KEY)
    assert client.get_json(f'{base}/api/v1/images') == {}
    return [call.request.headers.get('Authorization') for call in wire.calls]


@pytest.mark.parametrize(('base', 'place'), KEPT)
def test_a_redirect_that_stays_at_home_keeps_the_key(
    wire: Any, monkeypatch: pytest.MonkeyPatch, base: str, place: str
) -> None:
    assert sent_along(wire, monkeypatch, base, place) == [BEARER, BEARER]


@pytest.mark.parametrize(('base', 'place'), LOST)
def test_a_redirect_that_leaves_home_loses_the_key_for_good(
    wire: Any, monkeypatch: pytest.MonkeyPatch, base: str, place: str
) -> None:
    back = f'{base}/api/v1/images'
    assert sent_along(wire, monkeypatch, base, place, back) == [BEARER, None, None]


def test_over_two_strangers_and_back_nobody_gets_the_key(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ['/on', 'https://a.example.com/', 'https://b.example.com/', API, '/last']
    sent = sent_along(wire, monkeypatch, HOME, *places)
    assert sent == [BEARER, BEARER, None, None, None, None]


def test_parameters_are_not_added_again_after_a_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(redirect('/api/v1/next?limit=1'), DATA) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.get_json(f'{server.url}/api/v1/images', {'limit': 1}) == {'fine': True}
    assert server.targets == ['/api/v1/images?limit=1', '/api/v1/next?limit=1']


def test_another_port_is_another_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(DATA) as other, ScriptedServer(redirect(f'{other.url}/file')) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key=KEY)
        assert client.get_json(f'{server.url}/api/v1/images') == {'fine': True}
    assert (keys_sent(server), keys_sent(other)) == ([BEARER], [None])


def test_the_key_is_not_given_back_on_the_way_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_answer(request: Request) -> Answer:
        return redirect(f'{home.url}/again')

    with ScriptedServer(handler=other_answer) as other:
        with ScriptedServer(redirect(f'{other.url}/there'), DATA) as home:
            at_home(monkeypatch, home)
            client, _ = patient(api_key=KEY)
            assert client.get_json(f'{home.url}/api/v1/images') == {'fine': True}
    assert home.targets == ['/api/v1/images', '/again']
    assert keys_sent(home) == [BEARER, None] and keys_sent(other) == [None]


def test_a_retry_starts_with_the_key_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(ok(b'', status=503), DATA) as other:
        with ScriptedServer(redirect(f'{other.url}/there')) as home:
            at_home(monkeypatch, home)
            client, _ = patient(api_key=KEY)
            assert client.get_json(f'{home.url}/api/v1/images') == {'fine': True}
    assert keys_sent(home) == [BEARER, BEARER] and keys_sent(other) == [None, None]


BAD_PLACES = [
    pytest.param('http://storage.example.com/model', 'without encryption', id='http'),
    pytest.param('https://127.0.0.1/latest', 'private network', id='loopback'),
    pytest.param('https://localhost/latest', 'private network', id='localhost'),
    pytest.param('https://10.0.0.1/latest', 'private network', id='private'),
    pytest.param('https://169.254.169.254/latest', 'private network', id='cloud metadata'),
    pytest.param('https://[fd00::1]/latest', 'private network', id='private IPv6'),
    pytest.param('https://[::ffff:127.0.0.1]/', 'private network', id='IPv4 inside IPv6'),
    pytest.param('https://2130706433/latest', 'private network', id='loopback as a number'),
    pytest.param('https://0x7f.1/latest', 'private network', id='loopback in hexadecimal'),
    pytest.param('https://①②⑦.0.0.1/latest', 'not a usable', id='loopback in circles'),
    pytest.param('https://[::7f00:1]/', 'private network', id='IPv4 at the end of IPv6'),
    pytest.param('https://[::ffff:0:7f00:1]/', 'private network', id='IPv4 translated'),
    pytest.param('https://[64:ff9b::7f00:1]/', 'private network', id='IPv4 behind NAT64'),
    pytest.param('https://[2002:7f00:1::]/', 'private network', id='IPv4 inside 6to4'),
    pytest.param('https://[fec0::1]/', 'private network', id='site-local'),
    pytest.param('https://[ff02::1]/', 'private network', id='everybody on the link'),
    pytest.param('https://224.0.0.1/', 'private network', id='everybody'),
    pytest.param('http://civitai.com/api/v1/me', 'without encryption', id='home by http'),
    pytest.param('https://user@storage.example.com/', 'not a usable', id='user info'),
    pytest.param('https://me:word@civitai.com/', 'not a usable', id='user info and home'),
    pytest.param('https://@civitai.com/', 'not a usable', id='empty user info'),
    pytest.param('https://:@civitai.com/', 'not a usable', id='empty user and password'),
    pytest.param('https://civitai.com@example.com/', 'not a usable', id='home as user info'),
    pytest.param('https://civitai.com:443@example.com/', 'not a usable', id='with its port'),
    pytest.param('https://civitai.com%40example.com/', 'not a usable', id='user info escaped'),
    pytest.param('https://civitai.com\\@example.com/', 'not a usable', id='backslash'),
    pytest.param('https://civitai.com%2Eexample.com/', 'not a usable', id='escaped dot'),
    pytest.param('https://civitai.com。example.com/', 'not a usable', id='ideographic dot'),
    pytest.param('https://cıvitai.com/', 'not a usable', id='i without its dot'),
    pytest.param('https://ｃivitai.com/', 'not a usable', id='wide letter'),
    pytest.param('https://civitai.com:٤٤٣/', 'not a usable', id='Arabic digits'),
    pytest.param('https://civitai.com:+443/', 'not a usable', id='signed port'),
    pytest.param('ftp://storage.example.com/model', 'not a usable', id='ftp'),
    pytest.param('file:///etc/passwd', 'not a usable', id='file'),
    pytest.param('http://[bad', 'not a usable', id='no address'),
    pytest.param('https://*.example.com/', 'not a usable', id='no host name'),
    pytest.param('https://' + 'a' * 64 + '.com/', 'not a usable', id='label too long'),
    pytest.param('https://storage..example.com/', 'not a usable', id='empty label'),
]


@pytest.mark.parametrize(('place', 'sentence'), BAD_PLACES)
def test_redirects_do_not_lead_to_such_places(wire: Any, place: str, sentence: str) -> None:
    # headers are latin-1 on the wire
    location = place.encode('utf-8').decode('latin-1')
    wire.add(responses.GET, DOWNLOAD, status=302, headers={'Location': location})
    wire.add_passthru('https://')  # nothing there resolves: a request would fail as unreachable
    client, waits = patient(api_key=KEY)
    with pytest.raises(errors.UrlRefusedError, match=sentence):
        client.fetch_stream(DOWNLOAD)
    assert len(wire.calls) == 1 and waits == []


def test_a_redirect_in_unreadable_letters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b'HTTP/1.1 302 Found\r\nLocation: /caf\xe9\r\nContent-Length: 0\r\n\r\n'
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        with pytest.raises(errors.UrlRefusedError):
            client.fetch_stream(f'{server.url}/file')


def test_a_redirect_may_use_other_alphabets_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Answer:
        place = '/檔案 1'.encode('utf-8').decode('latin-1')
        return DATA if request.target.startswith('/%') else redirect(place)

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.get_json(f'{server.url}/start') == {'fine': True}
    assert server.targets == ['/start', '/%E6%AA%94%E6%A1%88%201']


def test_a_site_at_home_may_lead_to_http_and_private_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(DATA) as other:
        place = f'http://localhost:{other.port}/file'
        with ScriptedServer(redirect(place)) as server:
            at_home(monkeypatch, server)
            client, _ = patient(api_key=KEY)
            assert client.get_json(f'{server.url}/api/v1/images') == {'fine': True}
    assert keys_sent(other) == [None]


def test_a_circle_of_redirects_ends_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(redirect('/api/v1/images')) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.CivitaiError, match='in circles'):
            client.fetch_json(f'{server.url}/api/v1/images')
    assert len(server.requests) == 1 and waits == []


def test_eight_redirects_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(*(redirect(f'/next{n}') for n in range(8)), DATA) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.get_json(f'{server.url}/api/v1/images') == {'fine': True}


def test_the_body_of_a_redirect_may_be_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = head(302, {'Location': '/next', 'Content-Length': str(10**12)}) + b'x' * 100_000
    with ScriptedServer((endless, STALL), DATA) as server:
        at_home(monkeypatch, server)
        client, waits = patient(timeout=20)
        assert client.get_json(f'{server.url}/api/v1/images') == {'fine': True}
    assert waits == []


# -- what else could carry or show a key --------------------------------------------------------


def test_netrc_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hosts = ('machine 127.0.0.1', 'machine localhost', 'default')
    line = ''.join(f'{host} login me password wrong\n' for host in hosts)
    for name in ('.netrc', '_netrc', 'elsewhere'):
        (tmp_path / name).write_text(line)
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('USERPROFILE', str(tmp_path))
    for named in (False, True):
        if named:
            monkeypatch.setenv('NETRC', str(tmp_path / 'elsewhere'))
        with ScriptedServer(DATA) as other:
            with ScriptedServer(redirect(f'http://localhost:{other.port}/x')) as server:
                at_home(monkeypatch, server)
                patient(api_key=KEY)[0].get_json(f'{server.url}/api/v1/images')
                patient(api_key='')[0].get_json(f'{server.url}/api/v1/images')
        assert keys_sent(server) == [BEARER, None] and keys_sent(other) == [None, None]


def test_a_proxys_password_goes_to_the_proxy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(DATA) as other:
        with ScriptedServer(redirect(f'http://localhost:{other.port}/x')) as proxy:
            monkeypatch.setattr(setting, 'civitai_base_url', 'http://127.0.0.1:9')
            monkeypatch.setattr(setting, 'http_proxy', f'http://me:hidden@127.0.0.1:{proxy.port}')
            monkeypatch.setenv('NO_PROXY', 'localhost')
            client, _ = patient(api_key=KEY)
            assert client.get_json('http://127.0.0.1:9/api/v1/images') == {'fine': True}
    sent = [r.headers.get('proxy-authorization') for r in (*proxy.requests, *other.requests)]
    assert sent == ['Basic bWU6aGlkZGVu', None]
    assert keys_sent(other) == [None]


@pytest.mark.parametrize('name', ['Authorization', 'authorization', 'AUTHORIZATION'])
def test_an_authorization_of_the_caller_does_not_get_through(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with ScriptedServer(DATA) as server:
        at_home(monkeypatch, server)
        for key in (KEY, ''):
            client, _ = patient(api_key=key)
            response = client.get_stream(f'{server.url}/file', {name: 'Bearer other'})
            assert response is not None
            response.close()
    assert keys_sent(server) == [BEARER, None]


def test_what_is_personal_does_not_follow_a_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {'Cookie': 's=1', 'Proxy-Authorization': 'Basic abc', 'X-Asked': 'yes'}
    with ScriptedServer(DATA) as stranger, ScriptedServer(redirect(f'{stranger.url}/x')) as server:
        at_home(monkeypatch, server)
        response = patient()[0].get_stream(f'{server.url}/file', mine)
        assert response is not None
        response.close()
    sent = stranger.requests[0].headers
    assert sent['x-asked'] == 'yes' and not {'cookie', 'proxy-authorization'} & sent.keys()


def test_the_key_can_be_changed_and_removed(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting, 'civitai_api_key', 'of-the-setting')
    wire.add(responses.GET, API, json={})
    client, _ = patient()
    client.get_json(API)
    client.update_api_key(' new-key\n')
    client.get_json(API)
    client.update_api_key('')
    client.get_json(API)
    sent = [call.request.headers.get('Authorization') for call in wire.calls]
    assert sent == ['Bearer of-the-setting', 'Bearer new-key', None]


UNUSABLE = ['two words', 'line\nbreak', 'schlüssel', '\x00', 'tab\tinside', '密鑰']


@pytest.mark.parametrize('key', UNUSABLE)
def test_a_key_no_header_can_carry_is_refused(wire: Any, key: str) -> None:
    wire.add(responses.GET, API, json={})
    client, _ = patient(api_key=KEY)
    with pytest.raises(errors.SourceError, match='cannot be an API key'):
        client.update_api_key(key)
    client.get_json(API)
    assert wire.calls[0].request.headers['Authorization'] == BEARER  # the old one stays


@pytest.mark.parametrize('key', UNUSABLE)
def test_a_key_found_unusable_later_is_named_and_pictures_still_come(
    wire: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(setting, 'civitai_api_key', key)
    wire.add(responses.GET, PICTURE, body=b'\xff\xd8\xff')
    client, waits = patient()
    assert client.get_json(API) is None and waits == []
    assert 'cannot be an API key' in str(client.failure_for(API))
    response = client.get_stream(PICTURE)
    assert response is not None and response.content == b'\xff\xd8\xff'


def test_the_key_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    echo = ok(f'{{"error": "bad key {KEY}"}}'.encode(), status=401)
    answers: list[Answer] = [ok(b'', status=503), (b'',), echo]
    with caplog.at_level(logging.DEBUG), ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key=KEY)
        with pytest.raises(errors.KeyNeededError) as caught:
            client.fetch_json(f'{server.url}/api/v1/me')
        shown = [repr(client), str(client), repr(caught.value), str(caught.value), caplog.text]
        shown += [repr(client.failure_for(f'{server.url}/api/v1/me')), repr(caught.value.values)]
        shown += traceback.format_exception(caught.value)
    assert keys_sent(server) == [BEARER] * 3
    assert not [text for text in shown if KEY in text]
    assert 'bad key ***' in str(caught.value)


def test_secrets_in_addresses_are_not_logged(wire: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = f'{DOWNLOAD}?type=Model&token={KEY}'
    wire.add(responses.GET, DOWNLOAD, status=404)
    client, _ = patient()
    with caplog.at_level(logging.INFO):
        client.get_json(url)
    failure = client.failure_for(url)
    assert failure is not None and failure.url == f'{DOWNLOAD}?type=Model&token=***'
    assert KEY not in caplog.text and 'type=Model' in caplog.text


def test_a_changed_key_reaches_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(DATA) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient(api_key='old')
        client.update_api_key('new')
        threads = [
            threading.Thread(target=client.get_json, args=(f'{server.url}/api/v1/images',))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert keys_sent(server) == ['Bearer new'] * 8


ECHOES = ['no such file: {}', '{{"error": "{} is unknown"}}', '/a.png?token={}']


@pytest.mark.parametrize('echo', ECHOES)
@pytest.mark.parametrize(
    'given', ['?token=geheim-1', '?X-Amz-Signature=geh%2Feim-1', '?a=1;key=geheim-1']
)
@pytest.mark.parametrize('status', [200, 400, 403])
def test_a_token_of_an_address_is_not_in_what_the_server_is_said_to_say(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    echo: str,
    given: str,
    status: int,
) -> None:
    caplog.set_level(logging.INFO)
    token = unquote(given.rpartition('=')[2])
    body = echo.format(token).encode() if status != 200 else f'{{"error": "{token}"}}'.encode()
    with ScriptedServer(ok(body, status=status)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        with pytest.raises(errors.CivitaiError) as caught:
            client.fetch_file(f'{server.url}/a.png{given}', tmp_path / 'a.png')
    assert '***' in caught.value.detail
    for said in (caught.value.user_message, caplog.text):
        assert token not in said and given.rpartition('=')[2] not in said
