"""The app as a program ends when it is told to, also in the middle of downloads."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

import civitai_gallery
from tests.support.faults import PATIENCE, WHOLE
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.prepared import Prepared
from tests.support.scripted_server import STALL, Answer, ScriptedServer, head

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

ENDED_WITHIN = 20  # asked for are moments; a silent server would hold it up for minutes

# The app, in which somebody loads pictures. What prefetches is a daemon thread, what a press of a
# button starts is none.
APP = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from scripts.civitai_manager_libs import civitai_gallery_action as action
from scripts.civitai_manager_libs.tab import app
base, daemon = sys.argv[1:]
addresses = [[f'{base}/{number}.png' for number in range(3)]]
threading.Thread(target=action.download_images, args=addresses, daemon=daemon == 'daemon').start()
sys.exit(app.main(['--port', '7990']))
"""

DEMO = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import civitai_gallery
sys.exit(civitai_gallery.main(['demo', *sys.argv[1:]]))
"""

SILENT: dict[str, Answer] = {
    'asked': (STALL,),
    'in a picture': (head(200, {'Content-Length': str(len(WHOLE))}), WHOLE[:9000], STALL),
}


@pytest.mark.parametrize(
    ('number', 'code'),
    [pytest.param(signal.SIGINT, 0, id='Ctrl-C'), pytest.param(signal.SIGTERM, 143, id='SIGTERM')],
)
@pytest.mark.parametrize('thread', ['daemon', 'other'])
@pytest.mark.parametrize('answer', SILENT.values(), ids=SILENT)
def test_the_app_ends_soon_while_a_server_is_silent(
    prepared: Prepared,
    tmp_path: Path,
    answer: Answer,
    thread: str,
    number: signal.Signals,
    code: int,
) -> None:
    with ScriptedServer(answer) as server:
        environment = {**os.environ, 'CIVITAI_BASE_URL': server.url}
        with prepared.start(APP, server.url, thread, environment=environment) as process:
            assert 'http://' in process.stdout.readline()
            assert server.stalled.wait(PATIENCE)
            process.send_signal(number)
            _, err = process.communicate(timeout=ENDED_WITHIN)
    assert process.returncode == code
    assert 'Traceback' not in err
    assert set(files_in(tmp_path / 'picture_cache')) <= {'CACHEDIR.TAG'}


@pytest.mark.parametrize(
    ('number', 'code'),
    [pytest.param(signal.SIGINT, 0, id='Ctrl-C'), pytest.param(signal.SIGTERM, 143, id='SIGTERM')],
)
def test_so_does_the_demo(prepared: Prepared, number: signal.Signals, code: int) -> None:
    needed = civitai_gallery.read_requirements(ROOT / 'requirements.txt')
    if civitai_gallery.unmet(needed, sys.path):
        pytest.skip('The launcher would set up an environment with the packages it needs.')
    with prepared.start(DEMO, '--port', '7995', environment=os.environ) as process:
        assert 'http://' in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(ENDED_WITHIN) == code
