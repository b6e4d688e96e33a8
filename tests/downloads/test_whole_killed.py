"""A job that was killed, however often and whenever, ends as one that never was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from scripts.civitai_manager_libs.archive import jobs
from scripts.civitai_manager_libs.archive.database import Database
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

VERSION = 431702
KILLS = 20
SCRIPT = """
import sys, threading
from pathlib import Path
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.downloads import beginning, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import get_http_client
setting.civitai_base_url, page, path, folder = sys.argv[1:5]
setting.gallery_max_concurrent_downloads = 4
db = Database(Path(path))
wanted = Wanted(setting.civitai_base_url + page, levels=31)
known, client = jobs.every(db), get_http_client()
job = known[0].id if known else beginning.begin(db, client, wanted, Path(folder))
print('begins', flush=True)
report = whole.run(db, client, job, threading.Event())
print('other' if report is None else report.is_complete, flush=True)
"""


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(latency=0.02) as server:
        yield server


def start(demo: DemoServer, tmp_path: Path) -> 'subprocess.Popen[str]':
    page = f'/models/4317?modelVersionId={VERSION}'
    where = [str(tmp_path / 'archive.sqlite'), str(tmp_path / 'kept')]
    return subprocess.Popen(
        [sys.executable, '-c', SCRIPT, demo.url, page, *where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def expected() -> set[int]:
    return {one.id for one in load_catalog().pictures if VERSION in one.version_ids}


def kept(tmp_path: Path) -> dict[int, Path]:
    folder = tmp_path / 'kept'
    files = folder.iterdir() if folder.is_dir() else ()
    return {int(path.stem): path for path in files if not path.name.startswith('.')}


def fetched(demo: DemoServer) -> list[int]:
    """The ids of the pictures that were asked for since it was last looked."""
    by_uuid = load_catalog().by_uuid
    paths = [one.path for one in demo.requests if 'original=true' in one.path]
    demo.requests.clear()
    return [by_uuid[path.split('/')[2]].id for path in paths]


def test_twenty_kills_lose_and_repeat_nothing(demo: DemoServer, tmp_path: Path) -> None:
    dice, halfway = random.Random(7), 0
    for _ in range(KILLS):
        whole_before = set(kept(tmp_path))
        with start(demo, tmp_path) as child:
            assert child.stdout is not None
            assert 'begins' == child.stdout.readline().strip()
            try:
                child.wait(dice.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
        assert not whole_before & set(fetched(demo))
        halfway += 0 < len(kept(tmp_path)) < len(expected())
    assert halfway  # else nothing was tried here
    whole_before = set(kept(tmp_path))
    with start(demo, tmp_path) as child:
        out, _ = child.communicate()

    assert ['begins', 'True'] == out.split()
    assert not whole_before & set(fetched(demo))
    assert expected() == set(kept(tmp_path))
    assert not [name for name in os.listdir(tmp_path / 'kept') if name.startswith('.')]


def test_two_programs_do_a_job_once(demo: DemoServer, tmp_path: Path) -> None:
    with start(demo, tmp_path) as one:
        assert one.stdout is not None
        one.stdout.readline()
        with start(demo, tmp_path) as other:
            told = [child.communicate()[0].split()[-1] for child in (one, other)]

    assert told in (['True', 'other'], ['True', 'True'])
    asked = fetched(demo)
    assert len(asked) == len(set(asked))
    assert expected() == set(kept(tmp_path))
    database = Database(tmp_path / 'archive.sqlite')
    assert [jobs.ENDED] == [job.state for job in jobs.every(database)]
    database.close()
