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

import pytest
import requests

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.ending import ExitCode
from scripts.civitai_manager_libs.tab import app
from tests.support.paths import ROOT

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
    hosts = {json.loads(line) for line in watched.read_text().splitlines()}
    assert hosts and hosts <= {'127.0.0.1', 'localhost', '::1', '0.0.0.0', 'None'}


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        found = app.free_port('127.0.0.1', port)
    assert found is not None and found > port


def test_no_free_port_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, 'PORTS_TRIED', 1)
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert app.main(['--port', str(port)]) == ExitCode.CANNOT_START
    assert f'No free port from {port}' in capsys.readouterr().err


@pytest.mark.parametrize('host', ['999.1.1.1', '203.0.113.7'])
def test_an_address_that_is_not_ours_is_said(capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert app.main(['--host', host]) == ExitCode.CANNOT_START
    assert host in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('')
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path / 'file' / 'cache'))
    assert app.main([]) == ExitCode.CANNOT_START
    assert str(tmp_path / 'file') in capsys.readouterr().err
