"""The app as a program: what it connects to, what it offers to others, taken ports."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import gradio as gr
import pytest
import requests

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.ending import ExitCode
from scripts.civitai_manager_libs.http_client import get_http_client
from scripts.civitai_manager_libs.tab import app
from tests.support.paths import ROOT
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp
from tests.support.scripted_server import ScriptedServer, ok
from tests.support.settings_sandbox import set_process_client

# Python imports a module of this name at every start; this one writes down whom we talk to.
WATCH = """
import json, os, sys
def watch(event, args, to=open(os.environ['WATCHED'], 'a', buffering=1)):
    if event == 'socket.getaddrinfo':
        to.write(json.dumps(str(args[0])) + '\\n')
    elif event == 'socket.connect' and isinstance(args[1], tuple):
        to.write(json.dumps(str(args[1][0])) + '\\n')
sys.addaudithook(watch)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The app without a word, watched; (its URL, the list of hosts it talked to)."""
    (tmp_path / 'sitecustomize.py').write_text(WATCH)
    watched = tmp_path / 'watched.txt'
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'civitai_gallery.py'), '--port', '7980'],
        env={**os.environ, 'PYTHONPATH': str(tmp_path), 'WATCHED': str(watched)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r'http://\S+', process.stdout.readline())
    assert found
    yield found.group(), watched
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.returncode == 0


def test_starting_talks_to_nobody_outside_and_offers_no_api(running: tuple[str, Path]) -> None:
    url, watched = running
    assert requests.get(url, timeout=30).status_code == 200
    offered = requests.get(url + 'gradio_api/info', timeout=30).json()
    assert offered == {'named_endpoints': {}, 'unnamed_endpoints': {}}
    for path in ('monitoring', 'monitoring/summary'):  # gradio would print a secret address
        assert requests.get(url + path, timeout=30).status_code in (403, 404)
    hosts = {json.loads(line) for line in watched.read_text().splitlines()}
    assert hosts and hosts <= {'127.0.0.1', 'localhost', '::1', '0.0.0.0', 'None'}


def test_what_gradio_would_take_an_address_to_name_does_not_keep_the_page_away(
    running: tuple[str, Path],
) -> None:
    url, _ = running
    for query in ('page=x', 'page=2&p=x', 'p%61ge=x', 'deep_link=x', 'page=%FF&%00', '&=%&page'):
        answer = requests.get(f'{url}?{query}', timeout=30)
        assert answer.status_code == 200 and 'civitai_gallery_source' in answer.text
        assert '"deep_link_state":"none"' in answer.text.replace(' ', '')


# What desktops and companies set. Nobody listens at port 9.
PROXIES = {
    'http': {'HTTP_PROXY': 'http://127.0.0.1:9', 'HTTPS_PROXY': 'http://127.0.0.1:9'},
    'SOCKS as desktops write it': {'all_proxy': 'socks://127.0.0.1:9/'},
    'none that is understood': {'HTTP_PROXY': 'ftp://[nowhere', 'ALL_PROXY': '://'},
    'a network of IPv6 exempted': {'NO_PROXY': 'fd00::/8,::1/128,[::1],10.0.0.0/8,.example.org'},
    'all of it': {
        'HTTP_PROXY': 'http://127.0.0.1:9',
        'ALL_PROXY': 'socks5://127.0.0.1:9',
        'no_proxy': 'fd00::/8',
    },
}


@pytest.mark.parametrize('variables', PROXIES.values(), ids=PROXIES)
def test_a_proxy_of_the_environment_does_not_keep_the_app_from_starting(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'civitai_gallery.py'), '--port', '7990'],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        found = re.search(r'http://\S+', process.stdout.readline())
        assert found, process.stderr.read()
        assert requests.get(found.group(), timeout=30).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_proxy_of_the_environment_is_still_for_civitai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting, 'civitai_base_url', 'http://civitai.test')
    set_process_client(monkeypatch, None)
    with ScriptedServer(ok(b'{}')) as proxy:
        monkeypatch.setenv('HTTP_PROXY', proxy.url)
        port = app.free_port('127.0.0.1', 7990)
        assert port is not None
        url = app.serve('', '127.0.0.1', port)
        try:
            assert requests.get(url, timeout=30, proxies={'http': ''}).status_code == 200
            assert get_http_client().get_json('http://civitai.test/api/v1/images') == {}
            assert 'NO_PROXY' not in os.environ and 'no_proxy' not in os.environ
        finally:
            gr.close_all()
    assert proxy.targets == ['http://civitai.test/api/v1/images']


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        found = app.free_port('127.0.0.1', port)
    assert found is not None and found > port


def test_any_port_is_one_that_nobody_listens_on() -> None:
    found = [app.free_port(host, 0) for host in ('127.0.0.1', '0.0.0.0', '::1', '::')]
    assert all(port and 1024 <= port <= 65535 for port in found)


def test_a_port_that_only_gradio_could_not_use_is_passed_over() -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert app.free_port('::1', port) != port


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (['--port', '-5'], '-5'),
        (['--port', '70000'], '70000'),
        (['--port', '65536'], '65536'),
        (['--port', str(10**30)], '65535'),
        (['--source', '\udcff'], '--source'),
        (['--downloads', 'a\udcffb'], '--downloads'),
        (['--host', '127.0.0.1\ud800'], '--host'),
        (['--allow-host', 'fine.example', '--allow-host', '\udcff'], '--allow-host'),
        (['--allow-host', ''], '--allow-host'),
        (['--allow-host', 'two words'], '--allow-host'),
        (['--allow-host', 'https://gallery.example'], '--allow-host'),
        (['--allow-host', '*.example'], '--allow-host'),
    ],
    ids=repr,
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert app.main(arguments) == ExitCode.USAGE == 2
    said = capsys.readouterr().err
    assert told in said and said.count('\n') == 1


@pytest.mark.parametrize(
    ('host', 'shown', 'family'),
    [
        ('::1', '[::1]', socket.AF_INET6),
        ('[::1]', '[::1]', socket.AF_INET6),
        ('::', '[::1]', socket.AF_INET6),
        ('0.0.0.0', '127.0.0.1', socket.AF_INET),
        ('0', '127.0.0.1', socket.AF_INET),
        ('localhost', 'localhost', socket.AF_INET),
    ],
)
def test_the_printed_address_is_one_to_open(
    prepared: Prepared, tmp_path: Path, host: str, shown: str, family: socket.AddressFamily
) -> None:
    running = RunningApp(prepared, tmp_path, '--host', host, '--port', '0')
    try:
        assert re.fullmatch(rf'http://{re.escape(shown)}:[1-9]\d*/', running.url)
        assert requests.get(running.url, timeout=30).status_code == 200
    finally:
        assert running.stop() == 0


def own_address() -> str:
    """The address by which other machines would reach this one; loopback if none could."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('203.0.113.7', 9))  # sends nothing
        except OSError:
            return '127.0.0.1'
        return str(probe.getsockname()[0])


def test_names_of_our_own_are_answered_and_those_allowed(
    prepared: Prepared, tmp_path: Path
) -> None:
    allowed = ['--allow-host', 'Gallery.example', '--allow-host', 'bücher.example']
    given = '--host', '0.0.0.0', '--port', '0', *allowed
    running = RunningApp(prepared, tmp_path, *given)
    try:
        ours = [found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)]
        names = [
            'gallery.example',
            'xn--bcher-kva.example:443',
            'localhost',
            *map(app._in_url, ours),
        ]
        assert [running.ask('GET', '/', {'Host': name})[0] for name in names] == [200] * len(names)
        for name in ('other.example', '203.0.113.7'):
            assert running.ask('GET', '/', {'Host': name})[0] == 421
    finally:
        running.stop()


def test_no_free_port_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, 'PORTS_TRIED', 1)
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert app.main(['--port', str(port)]) == ExitCode.CANNOT_START == 3
    assert f'No free port from {port}' in capsys.readouterr().err


@pytest.mark.parametrize(
    'host', ['999.1.1.1', '203.0.113.7', '2001:db8::7', ':::', '[::1', 'fe80::1', 'a' * 99, '-']
)
def test_an_address_that_is_not_ours_is_said(capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert app.main(['--host', host]) == ExitCode.CANNOT_START
    said = capsys.readouterr().err
    assert host in said and said.count('\n') == 1


def test_a_data_folder_that_cannot_be_made_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('')
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path / 'file' / 'cache'))
    assert app.main([]) == ExitCode.CANNOT_START
    assert str(tmp_path / 'file') in capsys.readouterr().err
