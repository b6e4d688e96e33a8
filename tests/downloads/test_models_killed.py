"""A model file whose program was killed, however often and whenever, is whole in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.faults import small_disk
from tests.support.model_site import FILE, VERSION, ModelSite, tensors
from tests.support.network import files_in, png
from tests.support.paths import ROOT
from tests.support.scripted_server import STALL, Answer, Request, Trickle, chunked, ok

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

KIB = 1024
KILLS = 20
SCRIPT = """
import sys, threading
from pathlib import Path
from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.downloads import arrival, models, pieces, segments
from scripts.civitai_manager_libs.http_client import get_http_client
setting.civitai_base_url, target, version, file = sys.argv[1:5]
arrival.SEGMENTED_BYTES, pieces.LEAST_HALVED = 256 * 1024, 256 * 1024
segments.STATE_SECONDS, setting.http_retry_delay = 0.0, 0.05
order = models.ModelOrder(int(version), int(file), Path(target))
print('begins', flush=True)
try:
    kept = models.bring(get_http_client(), order, threading.Event())
except errors.CivitaiError as error:
    print(error.key, error)
else:
    print('there' if kept.was_there else 'fetched', kept.is_verified, kept.path.name)
"""


def command(site: ModelSite, target: Path) -> list[str]:
    return [sys.executable, '-c', SCRIPT, site.url, str(target), str(VERSION), str(FILE)]


def start(site: ModelSite, target: Path) -> 'subprocess.Popen[str]':
    return subprocess.Popen(command(site, target), cwd=ROOT, stdout=subprocess.PIPE, text=True)


def slowly(site: ModelSite, request: Request) -> Answer:
    """The honest answer, in pieces with a moment between."""
    whole = site.honest(request)
    end = whole.index(b'\r\n\r\n') + 4
    return whole[:end], Trickle(whole[end:], size=16 * KIB, seconds=0.02)


def when_written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def await_progress(child: 'subprocess.Popen[str]', state: Path, noted: int) -> None:
    """Wait until it is noted that something has come."""
    end = time.monotonic() + 20
    while child.poll() is None and when_written(state) == noted and time.monotonic() < end:
        time.sleep(0.01)


def test_twenty_kills_leave_no_wrong_file_and_lose_little(tmp_path: Path) -> None:
    content, dice = tensors(12 * 1024 * KIB), random.Random(11)
    target, halfway = tmp_path / 'x.safetensors', 0
    state = tmp_path / 'x.safetensors.civitai-part.json'
    with ModelSite(content) as site:
        site.hook = lambda request: slowly(site, request)
        for number in range(KILLS):
            noted = when_written(state)
            with start(site, target) as child:
                assert child.stdout is not None
                assert child.stdout.readline().strip() == 'begins'
                if number % 2:
                    await_progress(child, state, noted)
                try:
                    child.wait(dice.uniform(0.05, 0.2))
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
            halfway += state.exists()
        assert halfway >= 3  # else nothing was tried here
        site.hook = lambda request: None
        with start(site, target) as child:
            out, _ = child.communicate()
    assert out.split()[1:] in (['fetched', 'True', target.name], ['there', 'True', target.name])
    assert target.read_bytes() == content
    assert files_in(tmp_path) == [target.name]


def test_two_programs_fetch_a_file_once(tmp_path: Path) -> None:
    target = tmp_path / 'x.safetensors'
    with ModelSite(tensors(1024 * KIB)) as site:
        site.hook = lambda request: slowly(site, request)
        with start(site, target) as one, start(site, target) as other:
            told = [child.communicate()[0].split()[1] for child in (one, other)]
        asked = [one for one in site.ranges if one]
    assert sorted(told) == ['fetched', 'there']
    assert sum(not start for start, _ in asked) == 1
    assert files_in(tmp_path) == [target.name]


JOB_SCRIPT = """
import sys, threading
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import models, place
from scripts.civitai_manager_libs.downloads import getting
from scripts.civitai_manager_libs.http_client import get_http_client
setting.civitai_base_url, setting.models_folder, version = sys.argv[1:4]
db, client, stop = place.archive(), get_http_client(), threading.Event()
known = models.every(db)
job = known[0].id if known else getting.begin(db, getting.plan(client, int(version)))
before = models.find(db, job).state
kept = getting.run(db, client, job, stop)
print(before, kept.was_there, models.find(db, job).state, kept.path.name)
"""


def run_job(site: ModelSite, tmp_path: Path) -> 'subprocess.Popen[str]':
    return subprocess.Popen(
        [sys.executable, '-c', JOB_SCRIPT, site.url, str(tmp_path / 'models'), str(VERSION)],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_GALLERY_HOME': str(tmp_path / 'home')},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize('is_listed', [True, False], ids=['with-a-hash', 'without-a-hash'])
@pytest.mark.parametrize('asked', ['models', 'still'])
def test_what_is_killed_between_a_file_and_its_companions_writes_these_the_next_time(
    tmp_path: Path, asked: str, is_listed: bool
) -> None:
    folder = tmp_path / 'models' / 'Stable-diffusion'
    folder.mkdir(parents=True)
    with ModelSite(tensors(64 * KIB)) as site:
        picture = f'{site.storage.url}/still.png'
        site.facts = {'images': [{'url': picture, 'type': 'image', 'nsfwLevel': 1}]}
        site.listed_hash = site.listed_hash if is_listed else None

        def held_up(request: Request) -> Answer | None:
            return (STALL,) if asked in request.target else None

        site.hook = site.about = held_up
        with run_job(site, tmp_path) as child:
            end = time.monotonic() + 20
            while not site.is_stalled and time.monotonic() < end:
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
        assert 'paper.safetensors' in files_in(folder)
        assert 'paper.preview.png' not in files_in(folder)
        site.hook = lambda request: ok(png()) if 'still' in request.target else None
        site.about = lambda request: None
        with run_job(site, tmp_path) as child:
            told = child.communicate()[0].split()
        assert told == ['running', 'True', 'ended', 'paper.safetensors'], 'it had not ended'
        assert site.asked_for_file == 1
    names = ('civitai.info', 'json', 'preview.png', 'safetensors')
    assert files_in(folder) == [f'paper.{name}' for name in names]


@pytest.mark.parametrize(
    ('is_told', 'key'),
    [
        pytest.param(True, 'model_no_room', id='known-beforehand'),
        pytest.param(False, 'error_disk_full', id='noticed-while-it-comes'),
    ],
)
def test_a_full_disk_is_told_and_no_file_gets_its_name(
    tmp_path: Path, is_told: bool, key: str
) -> None:
    folder = tmp_path / 'small'
    folder.mkdir()
    words = small_disk(folder)
    if not words:
        pytest.skip('no disk can be made here')
    content = tensors(1400 * KIB)
    with ModelSite(content) as site:
        if not is_told:
            site.listed_size = 0
            site.hook = lambda request: chunked(content, ETag='"one"')
        done = subprocess.run(
            [*words, *command(site, folder / 'x.safetensors')],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert key in done.stdout, done.stdout + done.stderr
    assert 'x.safetensors' not in done.stdout.splitlines()[1:]
