"""The server itself, its web pages, and the command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests

from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID
from tests.support.demo import IMAGES, get, opened
from tests.support.paths import ROOT


def test_requests_are_remembered(demo: DemoServer) -> None:
    get(demo, f'http://localhost:{demo.port}/?a=b', headers={'X-Mark': 'here'})
    (record,) = demo.requests
    assert (record.method, record.path, record.query) == ('GET', '/', 'a=b')
    assert record.host == f'localhost:{demo.port}'
    assert record.headers['x-mark'] == 'here'


def test_both_names_of_this_computer_are_answered(demo: DemoServer) -> None:
    for host in ('127.0.0.1', 'localhost'):
        assert get(demo, f'http://{host}:{demo.port}/').status_code == 200


def test_small_answers_are_sent_at_once(demo: DemoServer) -> None:
    """Else each of several on one connection waits 40 ms until the one before is acknowledged."""
    times = []
    with requests.Session() as session:
        for _ in range(20):
            began = time.monotonic()
            assert session.get(f'{demo.url}/nothing', timeout=20).status_code == 404
            times.append(time.monotonic() - began)
    assert min(times[4:]) < 0.03  # the first ones never wait


def test_stopping_waits_for_nobody() -> None:
    outcomes: list[object] = []

    def ask(url: str) -> None:
        try:
            outcomes.append(requests.get(url, timeout=20).status_code)
        except requests.ConnectionError:
            outcomes.append('hung up')

    with DemoServer(latency=600) as demo, requests.Session() as idle:
        patient = threading.Thread(target=ask, args=(f'{demo.url}/',))
        patient.start()
        while not demo.requests:
            patient.join(0.01)
        demo.latency = 0
        assert idle.get(demo.url, timeout=20).status_code == 200
    patient.join(10)
    assert outcomes in (['hung up'], [500])
    with pytest.raises(requests.ConnectionError):
        requests.get(demo.url, timeout=5)


def test_two_servers_do_not_share_a_port(demo: DemoServer) -> None:
    with pytest.raises(OSError):
        DemoServer(port=demo.port).start()


@pytest.mark.parametrize(
    'path',
    [
        '/',
        OPENING_PATH,
        f'/models/{OPENING_MODEL_ID}/paper-horizons',
        '/user/HanaMori',
        '/images',
        '/images?tags=492952',
    ],
)
def test_links_lead_somewhere(demo: DemoServer, path: str) -> None:
    page = get(demo, path)
    assert page.status_code == 200
    links = set(re.findall(r'href="([^"]+)"', page.text))
    pictures = re.findall(r'src="([^"]+)"', page.text)
    assert links and pictures
    assert all(get(demo, link.replace('&amp;', '&')).status_code == 200 for link in links)
    assert opened(get(demo, pictures[0])).width == 320


@pytest.mark.parametrize(
    'path', ['/nowhere', '/models/9', '/images/x', '/posts/1', '/user/%3Cscript%3E']
)
def test_dead_ends_say_so(demo: DemoServer, path: str) -> None:
    page = get(demo, path)
    assert page.status_code == 404
    assert 'Nothing here' in page.text and '<script' not in page.text


# -- the command line


def command(*options: str) -> subprocess.Popen[str]:
    def hear_interrupts() -> None:
        # A test run in the background of a shell script has them switched off.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, '-m', 'civitai_demo', *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts if os.name == 'posix' else None,
    )


@pytest.mark.skipif(os.name != 'posix', reason='sends SIGINT to a child')
def test_the_command_serves_until_interrupted() -> None:
    with command('--port', '0', '--scenario', '503:1') as process:
        assert process.stdout is not None and process.stderr is not None
        found = re.search(r'http://127\.0\.0\.1:\d+', process.stdout.readline())
        assert found is not None
        seen = [requests.get(f'{found[0]}{IMAGES}?limit=1', timeout=20) for _ in range(2)]
        assert [answer.status_code for answer in seen] == [503, 200]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert (process.stdout.read(), process.stderr.read()) == ('', '')


@pytest.mark.parametrize(
    ('options', 'status', 'words'),
    [
        pytest.param(['--scenario', 'weather'], 2, 'key-needed', id='scenario'),
        pytest.param(['--port', '70000'], 2, 'not a port', id='port'),
        pytest.param(['--latency', 'long'], 2, 'number of seconds', id='latency'),
        pytest.param(['--latency', 'nan'], 2, 'number of seconds', id='no latency'),
        pytest.param(['--scenario', '503:0'], 2, 'number of requests', id='never'),
    ],
)
def test_the_command_explains_wrong_options(options: list[str], status: int, words: str) -> None:
    with command(*options) as process:
        out, problem = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, '')
    assert words in problem and 'Traceback' not in problem


def test_a_taken_port_is_one_clear_line(demo: DemoServer) -> None:
    with command('--port', str(demo.port)) as process:
        out, problem = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, '')
    assert problem.splitlines() == [
        f'Port {demo.port} is taken. Choose another with --port; 0 means any free one.'
    ]


@pytest.mark.skipif(os.name != 'posix', reason='there is no such signal')
def test_the_command_ends_when_it_is_told_to() -> None:
    with command('--port', '0') as process:
        assert process.stdout is not None and process.stderr is not None
        assert 'Ctrl-C ends' in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
        assert (process.stdout.read(), process.stderr.read()) == ('', '')


@pytest.mark.parametrize('package', ['uvicorn', 'starlette', 'PIL'])
@pytest.mark.parametrize(
    ('options', 'code', 'words'),
    [
        pytest.param([], 3, 'python civitai_gallery.py demo', id='start'),
        pytest.param(['--port', '70000'], 2, 'not a port', id='wrong usage'),
        pytest.param(['--help'], 0, '403-no-access', id='help'),
    ],
)
def test_without_its_packages_the_command_still_has_something_to_say(
    package: str, options: list[str], code: int, words: str
) -> None:
    program = (
        f'import runpy, sys\nsys.modules[{package!r}] = None\nsys.argv[1:] = {options!r}\n'
        'runpy.run_module("civitai_demo", run_name="__main__")'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code
    assert words in done.stdout + done.stderr and 'Traceback' not in done.stderr
    if code == 3:
        assert done.stdout == '' and done.stderr.count('\n') == 1 and package in done.stderr


def test_importing_opens_and_draws_nothing() -> None:
    watch = (
        'import sys, socket\n'
        'from PIL import Image\n'
        'import starlette.applications, starlette.routing, uvicorn\n'
        'def refuse(*a, **k): raise AssertionError("work at import")\n'
        'socket.socket = Image.new = Image.open = refuse\n'
        'import civitai_demo.server, civitai_demo.__main__, civitai_demo.drawing.clip\n'
        'from civitai_demo.world import catalog, models\n'
        'made = catalog.load_catalog.cache_info(), models.load_models.cache_info()\n'
        'print(*(cache.currsize for cache in made))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', watch], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ('0 0\n', '')
