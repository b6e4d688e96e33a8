"""Proxies: tunnels and SOCKS bring whole files, end when asked to, and are named in trouble."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from hypothesis import given, strategies as st

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, proxies
from tests.support.faults import PATIENCE, STOPPED_WITHIN, WHOLE, Authority, Work, deaf
from tests.support.network import files_in, patient
from tests.support.proxies import SocksProxy, TunnelProxy
from tests.support.scripted_server import STALL, Answer, ScriptedServer, Trickle, head, kept, ok

LOGIN = 'me:hidden'
LENGTH = {'Content-Length': str(len(WHOLE))}


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Authority:
    """Somebody who issues certificates and is trusted."""
    trusted = Authority()
    monkeypatch.setattr(setting, 'http_ca_bundle', trusted.write_to(tmp_path / 'ca.pem'))
    return trusted


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Iterator[ScriptedServer]:
    """An https Civitai that has a file."""
    with ScriptedServer(kept(ok(WHOLE)), tls=authority.certificate()) as server:
        monkeypatch.setattr(setting, 'civitai_base_url', server.url)
        yield server


def asking(folder: Path, **options: Any) -> Callable[[], object]:
    """A function that asks Civitai for a file, once."""
    client, _ = patient(max_retries=0, **options.pop('client', {}))
    url = f'{setting.civitai_base_url}/original=true/a.png'
    return lambda: client.fetch_file(url, folder / 'a.png', **options)


def failure_of(work: Callable[[], object]) -> errors.CivitaiError:
    with pytest.raises(errors.CivitaiError) as caught:
        work()
    assert 'hidden' not in f'{caught.value!r} {caught.value}'
    return caught.value


# -- tunnels --------------------------------------------------------------------------------------


@pytest.mark.parametrize('by', ['environment', 'setting'])
@pytest.mark.parametrize('login', ['', LOGIN], ids=['open', 'with a login'])
@pytest.mark.parametrize('is_https', [False, True], ids=['http', 'https'])
def test_a_tunnel_brings_a_whole_file(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    site: ScriptedServer,
    is_https: bool,
    login: str,
    by: str,
) -> None:
    tls = authority.certificate() if is_https else None
    with TunnelProxy(login=login, tls=tls) as proxy:
        if by == 'setting':
            monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        else:
            monkeypatch.setenv('HTTPS_PROXY', proxy.url)
        work = asking(tmp_path)
        work()
        work()
    assert (tmp_path / 'a.png').read_bytes() == WHOLE
    assert proxy.wishes == [f'127.0.0.1:{site.port}'] and len(site.requests) == 2
    assert not [r for r in site.requests if 'proxy-authorization' in r.headers]


def test_plain_http_goes_through_an_https_proxy(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setattr(setting, 'civitai_base_url', 'http://civitai.test')
    with ScriptedServer(ok(b'{}'), tls=authority.certificate()) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        client, _ = patient()
        assert client.fetch_json('http://civitai.test/api/v1/images') == {}
    assert proxy.targets == ['http://civitai.test/api/v1/images']


def test_a_wrong_host_behind_a_tunnel_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    with ScriptedServer(ok(WHOLE), tls=authority.certificate('other.example')) as server:
        monkeypatch.setattr(setting, 'civitai_base_url', server.url)
        with TunnelProxy() as proxy:
            monkeypatch.setattr(setting, 'http_proxy', proxy.url)
            failure = failure_of(asking(tmp_path))
    assert isinstance(failure, errors.TlsFailedError) and '127.0.0.1' in str(failure)
    assert 'belongs to another host' in str(failure)


# What a proxy answers to CONNECT: what is told, and whether asking again may help.
TUNNEL_ANSWERS: dict[str, tuple[Answer, str, bool]] = {
    'forbidden': (ok(b'no', status=403), r'refuses the way to 127\.0\.0\.1 \(403\)', True),
    'unknown to it': (ok(b'no', status=502), r'refuses the way to 127\.0\.0\.1 \(502\)', True),
    'a login': (ok(b'who', status=407), r'without a login \(407\)', False),
    'nothing': ((), 'proxy does not answer', True),
    'half a line': (b'HTTP/1.1 20', 'proxy does not answer', True),
    'something else': (b'220 mail.example ESMTP\r\n', 'proxy does not answer', True),
    'a redirect': (ok(b'', status=302, Location='http://login'), r'\(302\)', True),
}


@pytest.mark.parametrize(
    ('answer', 'words', 'may_pass'), TUNNEL_ANSWERS.values(), ids=TUNNEL_ANSWERS
)
def test_a_proxy_that_opens_no_tunnel_is_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    site: ScriptedServer,
    answer: Answer,
    words: str,
    may_pass: bool,
) -> None:
    with TunnelProxy(answer=answer) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', f'http://{LOGIN}@127.0.0.1:{proxy.port}')
        client, waits = patient()
        with pytest.raises(errors.ConnectionFailedError, match=words) as caught:
            client.fetch_file(f'{site.url}/a.png', tmp_path / 'a.png')
    assert bool(waits) is may_pass and 'hidden' not in str(caught.value)
    assert site.requests == []


def test_an_https_proxy_that_is_not_trusted_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer
) -> None:
    with TunnelProxy(tls=Authority().certificate()) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        failure = failure_of(asking(tmp_path))
    assert 'encryption that the proxy speaks' in str(failure)


def test_an_https_proxy_that_speaks_plain_http_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer
) -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        address = f'https://127.0.0.1:{listener.getsockname()[1]}'
        monkeypatch.setattr(setting, 'http_proxy', address)
        with Work(asking(tmp_path)) as work:
            with listener.accept()[0] as caller:
                assert caller.recv(100)
                caller.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
                work.seconds_to_end()
    assert 'If it speaks none, write http://' in str(work.error)


BAD_ADDRESSES = ['ftp://127.0.0.1:1', 'http://', 'http://[::1', 'http://127.0.0.1:port', '://']


@pytest.mark.parametrize('address', BAD_ADDRESSES)
def test_an_address_that_is_none_of_a_proxy_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    monkeypatch.setenv('HTTPS_PROXY', address)
    client, waits = patient()
    with pytest.raises(errors.ConnectionFailedError, match='address of the proxy cannot be used'):
        client.fetch_json('https://civitai.com/api/v1/images')
    assert waits == []


# -- stopping and time-outs -----------------------------------------------------------------------

LETTERS = Trickle(ok(b''), seconds=0.2)
SITE_HELD_UP = (head(200, LENGTH), WHOLE[:10_000], STALL)


def held_up(kind: str, stack: ExitStack, authority: Authority) -> tuple[str, Callable[[], Any]]:
    """A proxy that holds up a request in one way; its address, and how to wait until it does."""
    if kind == 'does not answer who connects':
        return 'http://{}:{}'.format(*stack.enter_context(deaf())), lambda: True
    if kind.startswith('SOCKS'):
        answer: Answer = (
            (STALL,) if kind == 'SOCKS, silent' else (Trickle(b'\5\0' * 90, seconds=0.2),)
        )
        socks = stack.enter_context(SocksProxy(answer=answer))
        return socks.url(), lambda: socks.stalled.wait(PATIENCE)
    if kind == 'leaves the handshake with itself open':
        listener = stack.enter_context(socket.create_server(('127.0.0.1', 0)))
        callers: list[Any] = []  # so that they stay open
        address = f'https://127.0.0.1:{listener.getsockname()[1]}'
        return address, lambda: callers.append(listener.accept()) is None
    tls = authority.certificate() if kind.startswith('https') else None
    answer = {
        'is silent': (STALL,),
        'answers letter by letter': (LETTERS,),
        'https, answers letter by letter': (LETTERS,),
        'leaves the handshake in the tunnel open': (ok(b''), STALL),
        'https, leaves the handshake in the tunnel open': (ok(b''), STALL),
    }[kind]
    proxy = stack.enter_context(TunnelProxy(answer=answer, tls=tls))
    return proxy.url, lambda: proxy.stalled.wait(PATIENCE)


KINDS = [
    'does not answer who connects',
    'is silent',
    'answers letter by letter',
    'leaves the handshake in the tunnel open',
    'leaves the handshake with itself open',
    'https, answers letter by letter',
    'https, leaves the handshake in the tunnel open',
    'SOCKS, silent',
    'SOCKS, byte by byte',
]


@pytest.mark.parametrize('kind', KINDS)
def test_a_request_that_a_proxy_holds_up_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    site: ScriptedServer,
    kind: str,
) -> None:
    cancel = threading.Event()
    with ExitStack() as stack:
        address, is_held_up = held_up(kind, stack, authority)
        monkeypatch.setattr(setting, 'http_proxy', address)
        with Work(asking(tmp_path, cancel=cancel)) as work:
            assert is_held_up()
            assert work.goes_on(0.2), work.error
            cancel.set()
            assert work.seconds_to_end() < STOPPED_WITHIN
    assert isinstance(work.error, errors.CancelledError)
    assert files_in(tmp_path) == ['ca.pem']


@pytest.mark.parametrize('kind', KINDS)
def test_a_proxy_has_no_more_time_than_a_site(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    site: ScriptedServer,
    kind: str,
) -> None:
    with ExitStack() as stack:
        address, _ = held_up(kind, stack, authority)
        monkeypatch.setattr(setting, 'http_proxy', address)
        with Work(asking(tmp_path, client={'timeout': 0.4})) as work:
            assert work.seconds_to_end() < 0.4 + 2 * STOPPED_WITHIN
    assert isinstance(work.error, (errors.TimedOutError, errors.ConnectionFailedError)), work.error


@pytest.mark.parametrize('kind', ['http', 'https', 'socks'])
def test_a_body_by_a_proxy_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority, kind: str
) -> None:
    cancel = threading.Event()
    with ScriptedServer(SITE_HELD_UP, tls=authority.certificate()) as server, ExitStack() as stack:
        monkeypatch.setattr(setting, 'civitai_base_url', server.url)
        if kind == 'socks':
            address = stack.enter_context(SocksProxy()).url()
        else:
            tls = authority.certificate() if kind == 'https' else None
            address = stack.enter_context(TunnelProxy(tls=tls)).url
        monkeypatch.setattr(setting, 'http_proxy', address)
        with Work(asking(tmp_path, cancel=cancel)) as work:
            assert server.stalled.wait(PATIENCE)
            assert work.goes_on(0.1)
            cancel.set()
            assert work.seconds_to_end() < STOPPED_WITHIN
    assert isinstance(work.error, errors.CancelledError)
    assert files_in(tmp_path) == ['ca.pem']


# -- NO_PROXY -------------------------------------------------------------------------------------

EXEMPT = [
    ('civitai.com', '*', True),
    ('civitai.com', 'localhost, *', True),
    ('civitai.com', '', False),
    ('civitai.com', ', ,', False),
    ('civitai.com', 'civitai.com', True),
    ('civitai.com', 'CIVITAI.com', True),
    ('civitai.com', 'example.org civitai.com', True),
    ('image.civitai.com', 'civitai.com', True),
    ('image.civitai.com', '.civitai.com', True),
    ('image.civitai.com', '*.civitai.com', True),
    ('notcivitai.com', 'civitai.com', False),
    ('civitai.com', 'image.civitai.com', False),
    ('civitai.com', 'civitai.com:443', True),
    ('civitai.com', 'civitai.com:8443', False),
    ('10.1.2.3', '10.0.0.0/8', True),
    ('11.1.2.3', '10.0.0.0/8', False),
    ('10.1.2.3', '10.1.2.3', True),
    ('10.1.2.3', '10.1.2.3:443', True),
    ('10.1.2.3', '2.3', False),
    ('10.1.2.3', 'fd00::/8', False),
    ('fd00::1', 'fd00::/8', True),
    ('fd00::1', '[fd00::]/8', False),
    ('fe80::1', 'fd00::/8', False),
    ('fd00::1', 'fd00::1', True),
    ('fd00::1', '[fd00::1]', True),
    ('fd00::1', '[fd00::1]:443', True),
    ('fd00::1', '[fd00::1]:80', False),
    ('civitai.com', 'fd00::/8,::1,[::1],10.0.0.0/99,fd00::/999,/,:,[,]', False),
    ('civitai.com', 'fd00::/8,civitai.com', True),
]


@pytest.mark.parametrize(('host', 'no_proxy', 'expected'), EXEMPT)
def test_whom_no_proxy_exempts(host: str, no_proxy: str, expected: bool) -> None:
    assert proxies.is_exempt(host, 443, no_proxy) is expected


@given(st.text(), st.text(), st.integers(0, 65535))
def test_no_list_of_exemptions_is_an_error(host: str, no_proxy: str, port: int) -> None:
    assert proxies.is_exempt(host, port, no_proxy) in (True, False)


@pytest.mark.parametrize('no_proxy', ['fd00::/8,::1', '[::1],,fe80::/10', '10.0.0.0/99', 'a/b:c'])
def test_exemptions_for_others_leave_the_proxy_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer, no_proxy: str
) -> None:
    with TunnelProxy() as proxy:
        monkeypatch.setenv('HTTPS_PROXY', proxy.url)
        monkeypatch.setenv('NO_PROXY', no_proxy)
        asking(tmp_path)()
    assert len(proxy.wishes) == 1


# -- SOCKS ----------------------------------------------------------------------------------------


@pytest.mark.parametrize('login', ['', LOGIN], ids=['open', 'with a login'])
@pytest.mark.parametrize('variable', ['HTTPS_PROXY', 'ALL_PROXY', 'all_proxy', ''])
def test_socks_brings_a_whole_file(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    site: ScriptedServer,
    variable: str,
    login: str,
) -> None:
    with SocksProxy(login=login) as proxy:
        if variable:
            monkeypatch.setenv(variable, proxy.url())
        else:
            monkeypatch.setattr(setting, 'http_proxy', proxy.url())
        work = asking(tmp_path)
        work()
        work()
    assert (tmp_path / 'a.png').read_bytes() == WHOLE
    assert proxy.wishes == [f'127.0.0.1:{site.port}'] and len(site.requests) == 2


# Who looks a name up; desktops write `socks`.
LOOK_UPS = {'socks5h': 'civitai.test', 'socks': 'civitai.test', 'socks5': '127.0.0.1'}


@pytest.mark.parametrize(('scheme', 'asked'), LOOK_UPS.items(), ids=LOOK_UPS)
def test_who_looks_the_name_up(monkeypatch: pytest.MonkeyPatch, scheme: str, asked: str) -> None:
    real = socket.getaddrinfo

    def ours(host: Any, *rest: Any, **named: Any) -> Any:
        return real('127.0.0.1' if host == 'civitai.test' else host, *rest, **named)

    monkeypatch.setattr(socket, 'getaddrinfo', ours)
    with ScriptedServer(ok(b'{}')) as server:
        url = f'http://civitai.test:{server.port}'
        monkeypatch.setattr(setting, 'civitai_base_url', url)
        with SocksProxy(hosts={'civitai.test': '127.0.0.1'}) as proxy:
            monkeypatch.setenv('ALL_PROXY', proxy.url(scheme))
            client, _ = patient(max_retries=0)
            assert client.fetch_json(f'{url}/api/v1/images') == {}
    assert proxy.wishes == [f'{asked}:{server.port}'] and server.targets == ['/api/v1/images']


SOCKS_REFUSALS = {
    'not allowed': (2, r'no way to 127\.0\.0\.1 \(0x02: .*not allowed'),
    'no such machine': (4, r'no way to 127\.0\.0\.1 \(0x04: Host unreachable'),
    'nobody listens': (5, r'no way to 127\.0\.0\.1 \(0x05: Connection refused'),
}


@pytest.mark.parametrize(('number', 'words'), SOCKS_REFUSALS.values(), ids=SOCKS_REFUSALS)
def test_what_socks_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer, number: int, words: str
) -> None:
    with SocksProxy(refusal=number) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url())
        with pytest.raises(errors.ConnectionFailedError, match=words):
            asking(tmp_path)()


@pytest.mark.parametrize('login', ['', 'me:wrong'], ids=['none', 'a wrong one'])
def test_socks_with_a_login_that_is_not_right_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer, login: str
) -> None:
    with SocksProxy(login=LOGIN) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url(login=login))
        client, waits = patient()
        with pytest.raises(errors.ConnectionFailedError, match='without the right login'):
            client.fetch_file(f'{site.url}/a.png', tmp_path / 'a.png')
    assert waits == []


@pytest.mark.parametrize('answer', [b'HTTP/1.1 400 Bad Request\r\n\r\n', ()], ids=['http', 'none'])
def test_what_speaks_no_socks_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer, answer: Answer
) -> None:
    with SocksProxy(answer=answer) as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url())
        assert 'proxy does not answer' in str(failure_of(asking(tmp_path)))


@pytest.mark.parametrize('address', ['socks5://127.0.0.1:1', 'socks5h://proxy.invalid:1'])
def test_a_socks_proxy_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer, address: str
) -> None:
    monkeypatch.setattr(setting, 'http_proxy', address)
    assert 'proxy does not answer' in str(failure_of(asking(tmp_path)))


@pytest.mark.parametrize('scheme', ['socks', 'socks4', 'socks4a', 'socks5', 'socks5h'])
def test_without_pysocks_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    monkeypatch.setattr(proxies, 'socks', None)
    monkeypatch.setenv('ALL_PROXY', f'{scheme}://127.0.0.1:1')
    client, waits = patient()
    with pytest.raises(errors.ConnectionFailedError) as caught:
        client.fetch_json('https://civitai.com/api/v1/images')
    for sentence in (caught.value.user_message, caught.value.message_in('zh_TW')):
        assert '-m pip install PySocks' in sentence and 'http_proxy' in sentence
    assert waits == []


def test_a_closed_client_leaves_no_connection_to_a_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: ScriptedServer
) -> None:
    client = CivitaiHttpClient()
    with TunnelProxy() as proxy:
        monkeypatch.setattr(setting, 'http_proxy', proxy.url)
        client.fetch_file(f'{site.url}/a.png', tmp_path / 'a.png')
        client.close()
        proxy.done.wait(PATIENCE)
        assert proxy.done.is_set()
