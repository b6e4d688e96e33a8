"""Ctrl-C and SIGTERM: the command line ends soon, whatever it waits for, and leaves whole files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs import ending
from scripts.civitai_manager_libs.cli import main
from tests.support.faults import PATIENCE, WHOLE
from tests.support.network import at_home, files_in
from tests.support.paths import ROOT
from tests.support.scripted_server import STALL, Answer, ScriptedServer, head, ok
from tests.support.settings_sandbox import fresh_client, sandbox
from tests.support.small_site import small_site

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

ENDED_WITHIN = 10  # asked for are moments; a silent server would hold it up for minutes

LENGTH = {'Content-Length': str(len(WHOLE))}
IN_PROCESS = (
    'import signal, sys\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
    'from scripts.civitai_manager_libs.cli import main\n'
    'sys.exit(main.main(sys.argv[1:]))'
)
LAUNCHER = (
    'import signal, sys\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
    'import civitai_gallery\n'
    'sys.exit(civitai_gallery.main(["download", *sys.argv[1:]]))'
)

each_signal = pytest.mark.parametrize(
    ('number', 'code'),
    [
        pytest.param(signal.SIGINT, 130, id='Ctrl-C'),
        pytest.param(signal.SIGTERM, 143, id='SIGTERM'),
    ],
)

# Where a server falls silent.
SILENT: dict[str, dict[str, Answer]] = {
    'asked for the list': {'/api/v1/images': (STALL,)},
    'in the list': {'/api/v1/images': (head(200, {'Content-Length': '999'}), b'{"it', STALL)},
    'asked for each picture': {'/original=true/': (STALL,)},
    'asked for one picture': {'/102/': (STALL,)},
    'in one picture': {'/102/': (head(200, LENGTH), WHOLE[:9000], STALL)},
    'in an error': {'/102/': (head(404, LENGTH), b'{"er', STALL)},
}


def start(program: str, server: ScriptedServer, *argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-c', program, *argv],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_BASE_URL': server.url, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding='utf-8',
    )


def ended(process: subprocess.Popen[str], seconds: float = ENDED_WITHIN) -> tuple[int, str, str]:
    """Wait for the end of `process`: its code, and what it said."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, out, err


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@each_signal
@pytest.mark.parametrize('program', [IN_PROCESS, LAUNCHER], ids=['module', 'launcher'])
@pytest.mark.parametrize('instead', SILENT.values(), ids=SILENT)
def test_it_ends_soon_while_a_server_is_silent(
    tmp_path: Path, instead: dict[str, Answer], program: str, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / 'pictures'
    with small_site(instead=instead) as server:
        process = start(program, server, f'{server.url}/posts/1', '--to', str(folder))
        assert server.stalled.wait(PATIENCE)
        process.send_signal(number)
        ended_with, out, err = ended(process)
    assert (ended_with, out) == (code, '') and err.startswith('Stopped') and err.count('\n') == 1
    assert all((folder / name).read_bytes() for name in files_in(folder))
    assert not [name for name in files_in(folder) if '.part' in name]


@each_signal
@pytest.mark.parametrize('sources', [1, 2])
def test_json_tells_what_was_saved(
    tmp_path: Path, number: signal.Signals, code: int, sources: int
) -> None:
    folder = tmp_path / 'pictures'
    with small_site(instead={f'/{sources}02/': (STALL,)}) as server:
        links = [f'{server.url}/posts/{n}' for n in range(1, sources + 1)]
        process = start(IN_PROCESS, server, *links, '--to', str(folder), '--json')
        assert server.stalled.wait(PATIENCE)
        wait_until(lambda: len(list(folder.glob('[!.]*'))) == 3 * sources - 1)
        process.send_signal(number)
        ended_with, out, err = ended(process)
    told = json.loads(out)
    last = told if sources == 1 else told['sources'][-1]
    assert (ended_with, err, told['reason'], last['reason']) == (code, '') + ('interrupted',) * 2
    assert (last['saved'], last['failed'], len(last['files'])) == (2, 1, 2)
    assert (last['failures'], last['left']) == ([], 1), 'what was stopped did not fail'
    assert len(files_in(folder)) == 3 * sources - 1


@each_signal
@pytest.mark.parametrize('sources', [1, 2])
@pytest.mark.parametrize('quiet', [[], ['--quiet']], ids=['', 'quiet'])
def test_in_a_pipe_it_says_what_was_kept_and_how_it_goes_on(
    tmp_path: Path, number: signal.Signals, code: int, sources: int, quiet: list[str]
) -> None:
    folder = tmp_path / 'pictures'
    with small_site(instead={f'/{sources}02/': (STALL,)}) as server:
        links = [f'{server.url}/posts/{n}' for n in range(1, sources + 1)]
        process = start(IN_PROCESS, server, *links, '--to', str(folder), *quiet)
        assert server.stalled.wait(PATIENCE)
        wait_until(lambda: len(list(folder.glob('[!.]*'))) == 3 * sources - 1)
        process.send_signal(number)
        ended_with, _, err = ended(process)
    [line] = err.splitlines()
    assert ended_with == code and 'Stopped. 2 saved' in line and str(folder) in line
    assert f'`resume {sources}` goes on' in line


@each_signal
def test_what_never_began_is_not_gone_on_with(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with small_site(instead={'/api/v1/models': (STALL,)}) as server:
        process = start(IN_PROCESS, server, f'{server.url}/models/1', '--to', str(tmp_path))
        assert server.stalled.wait(PATIENCE)
        process.send_signal(number)
        ended_with, out, err = ended(process)
    assert (ended_with, out) == (code, '') and err.startswith('Stopped') and 'resume' not in err


NAMES_WITHOUT_ANSWER = (
    'import socket, threading\n'
    'def ask(*given, **more):\n'
    '    print("asked", flush=True)\n'
    '    threading.Event().wait()\n'
    'socket.getaddrinfo = ask\n'
)


def with_grace(seconds: float) -> str:
    return f'from scripts.civitai_manager_libs import ending\nending.GRACE_SECONDS = {seconds}\n'


@each_signal
def test_it_ends_though_something_cannot_be_stopped(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with small_site() as server:
        program = NAMES_WITHOUT_ANSWER + with_grace(0.5) + IN_PROCESS
        process = start(program, server, f'{server.url}/posts/1', '--to', str(tmp_path))
        assert process.stdout is not None and process.stdout.readline() == 'asked\n'
        process.send_signal(number)
        assert ended(process, PATIENCE)[0] == code


@each_signal
def test_the_second_time_it_ends_at_once(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with small_site() as server:
        program = NAMES_WITHOUT_ANSWER + with_grace(600) + IN_PROCESS
        process = start(program, server, f'{server.url}/posts/1', '--to', str(tmp_path))
        assert process.stdout is not None and process.stdout.readline() == 'asked\n'

        def asked_again() -> bool:  # two that come at the same time are one
            process.send_signal(number)
            return process.poll() is not None

        wait_until(asked_again)
        assert ended(process)[0] == code


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path, number: signal.Signals) -> None:
    ignoring = f'import signal\nsignal.signal({int(number)}, signal.SIG_IGN)\n'
    program = ignoring + '\n'.join(IN_PROCESS.splitlines()[2:])
    with small_site(instead={'/102/': (STALL, ok(WHOLE))}) as server:
        link = f'{server.url}/posts/1'
        process = start('import sys\n' + program, server, link, '--to', str(tmp_path / 'new'))
        assert server.stalled.wait(PATIENCE)
        process.send_signal(number)
        server.release.set()
        code, out, err = ended(process, PATIENCE)
    assert (code, err) == (0, '') and '3 saved' in out


def test_who_sits_at_the_terminal_is_told_what_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / 'pictures'
    controller, terminal = os.openpty()
    with small_site(instead={'/102/': (STALL,)}) as server:
        process = subprocess.Popen(
            [sys.executable, '-c', IN_PROCESS, f'{server.url}/posts/1', '--to', str(folder)],
            cwd=ROOT,
            env={**os.environ, 'CIVITAI_BASE_URL': server.url, 'PYTHONPATH': str(ROOT)},
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        assert server.stalled.wait(PATIENCE)
        wait_until(lambda: len(list(folder.glob('[!.]*'))) == 2)
        process.send_signal(signal.SIGINT)
        shown = b''
        with contextlib.suppress(OSError):  # how Linux tells that the other side was closed
            while piece := os.read(controller, 1000):
                shown += piece
        os.close(controller)
        assert process.wait(ENDED_WITHIN) == 130
    assert b'2/3' in shown and b'3/3' not in shown, 'what was stopped is not counted'
    last = shown.decode().splitlines()[-1]
    assert last.startswith('Stopped. 2 saved, 0 there already') and str(folder) in last


def test_afterwards_signals_are_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [signal.getsignal(number) for number in ending.ENDING]
    fresh_client(monkeypatch)
    with sandbox(tmp_path / 'home'), small_site() as server:
        at_home(monkeypatch, server)
        assert main.main([f'{server.url}/posts/1', '--to', str(tmp_path / 'new')]) == 0
    assert [signal.getsignal(number) for number in ending.ENDING] == before


def test_it_runs_in_any_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_client(monkeypatch)
    codes: list[int] = []
    with sandbox(tmp_path / 'home'), small_site() as server:
        at_home(monkeypatch, server)
        argv = [f'{server.url}/posts/1', '--to', str(tmp_path / 'new')]
        thread = threading.Thread(target=lambda: codes.append(main.main(argv)))
        thread.start()
        thread.join(PATIENCE)
    assert codes == [0]
