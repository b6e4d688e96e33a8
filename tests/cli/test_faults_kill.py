"""Killed at any moment: no broken file under a final name, and the next run goes on from there."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from civitai_demo.api.scenarios import CDN, part_of
from civitai_demo.server import OPENING_PATH, DemoServer
from scripts.civitai_manager_libs.store import names, parts
from tests.support.paths import ROOT

ROUNDS = 50
PICTURES = 40
SEED = 20231114

# Imports the library once. For each line `SECONDS FOLDER` a child downloads the gallery to that
# folder and is killed after so long (0: never); the answer is its exit code and how long it took.
DRIVER = """
import os, signal, sys, time
from scripts.civitai_manager_libs.cli import main as cli
source, limit = sys.argv[1:]
for line in sys.stdin:
    seconds, folder = line.rstrip('\\n').split(' ', 1)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        with open(os.devnull, 'w') as nowhere:
            os.dup2(nowhere.fileno(), 1)
            how = ['--to', folder, '--limit', limit, '--name', '{uuid}', '--no-embed']
            os._exit(cli.main([source, *how]))
    if float(seconds):
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), time.monotonic() - began, flush=True)
"""


class Driver:
    """The process whose children are killed."""

    def __init__(self, demo: DemoServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-c', DRIVER, demo.url + OPENING_PATH, str(PICTURES)],
            cwd=ROOT,
            env={**os.environ, 'CIVITAI_BASE_URL': demo.url, 'PYTHONPATH': str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding='utf-8',
        )

    def run(self, folder: Path, seconds: float = 0.0) -> tuple[int, float]:
        """Download to `folder`, killed after `seconds` if given; the exit code and the duration."""
        assert self._process.stdin and self._process.stdout
        print(seconds, folder, file=self._process.stdin, flush=True)
        code, duration = self._process.stdout.readline().split()
        return int(code), float(duration)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def asked(demo: DemoServer) -> list[str]:
    """The picture of each request, in order."""
    return [names.picture_stem(r.path) for r in demo.requests if part_of(r.path) == CDN]


def served(demo: DemoServer) -> dict[str, bytes]:
    """What the server sends for each picture that was asked for."""
    paths = {r.path for r in demo.requests if part_of(r.path) == CDN}
    found: dict[str, bytes] = {}
    for path in paths:
        with urllib.request.urlopen(demo.url + path) as answer:
            found[names.picture_stem(path)] = answer.read()
    return found


def finished(folder: Path) -> list[Path]:
    """The files under final names."""
    return sorted(path for path in folder.glob('*') if not path.name.startswith('.'))


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob('*') if parts.is_part(path.name)]


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such signal')
def test_runs_that_are_killed_leave_whole_files_and_the_next_run_finishes_them(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    folder = tmp_path / 'pictures'
    with DemoServer(latency=0.02) as demo, Driver(demo) as driver:
        driver.run(tmp_path / 'first')  # the server draws each picture at its first request
        shutil.rmtree(tmp_path / 'first')  # else all would be linked from there
        code, duration = driver.run(tmp_path / 'second')
        whole = served(demo)
        assert code == 0 and len(whole) == PICTURES
        (tmp_path / 'second').rename(tmp_path / 'moved')
        killed = at_work = interrupted = 0
        for number in range(ROUNDS):
            # spread over the time a run takes that finds some there, the order by chance
            moment = (number * 17 % ROUNDS + chance.random()) / ROUNDS * duration * 0.7
            code, _ = driver.run(folder, max(moment, 0.001))
            killed += code < 0
            interrupted += bool(leftovers(folder))
            broken = [p.name for p in finished(folder) if p.read_bytes() != whole[p.stem]]
            assert broken == [], f'round {number}, killed after {moment:.3f} s'
            at_work += 0 < len(finished(folder)) < PICTURES
            for path in finished(folder):  # so that there is always something to do
                if chance.random() < 0.7 and number < ROUNDS - 1:
                    path.unlink()
        # most were killed at work, and some while a file was under way
        assert killed > ROUNDS / 2 and at_work > ROUNDS / 4 and interrupted > 0

        # whatever the last kill left, some are there for the last run and some are not
        for path in finished(folder)[1:2]:
            path.unlink()
        for path in finished(tmp_path / 'moved')[:1]:
            shutil.copy(path, folder)
        there = {path.stem for path in finished(folder)}
        demo.requests.clear()
        code, _ = driver.run(folder)
    assert code == 0 and leftovers(folder) == []
    assert {path.stem: path.read_bytes() for path in finished(folder)} == whole
    assert 0 < len(there) < PICTURES
    assert sorted(asked(demo)) == sorted(whole.keys() - there)
