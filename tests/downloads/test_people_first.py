"""What a person clicks is not behind the jobs that keep whole galleries in the same process."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Iterator

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from scripts.civitai_manager_libs import api, setting
from scripts.civitai_manager_libs.archive import jobs
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai.gallery import GalleryQuery
from scripts.civitai_manager_libs.downloads import beginning, crew, wanted, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, background
from tests.support.faults import PATIENCE, Work
from tests.support.network import at_home, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

VERSION = f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'
JOBS = 6
CLICKS = 3
BURST = 5  # of the API's budget


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Jobs:
    """Jobs that keep the same gallery, each in a folder of its own, all at once."""

    def __init__(self, demo: DemoServer, client: CivitaiHttpClient, db: Database, to: Path):
        self.demo, self.client, self.db, self.folder = demo, client, db, to
        self.stop = threading.Event()

    def running(
        self, count: int, at_once: int = 0, is_listing_only: bool = False, limit: int = 0
    ) -> ExitStack:
        """Have so many run, as a context that stops them at its end."""
        asked = Wanted(self.demo.url + VERSION, levels=31, limit=limit)
        gallery = beginning.opened(self.client, asked)
        begun = [
            beginning.begin_with(self.db, gallery, asked, self.folder / str(n))
            for n in range(count)
        ]
        self.demo.requests.clear()
        stack = ExitStack()
        for job in begun:
            stack.enter_context(Work(lambda job=job: self._run(job, at_once, is_listing_only)))
        stack.callback(self.stop.set)
        return stack

    def _run(self, job: int, at_once: int, is_listing_only: bool) -> None:
        whole.run(
            self.db,
            self.client,
            job,
            self.stop,
            at_once=at_once,
            is_listing_only=is_listing_only,
        )

    def asked(self, part: str) -> int:
        return sum(part in one.path for one in self.demo.requests)


@pytest.fixture
def several(
    demo: DemoServer, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> Iterator[Jobs]:
    yield Jobs(demo, client, db, tmp_path / 'kept')
    demo.latency = 0.0


def test_a_page_is_opened_within_a_turn_while_jobs_list(
    several: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, 'MAX_LIMIT', 2)  # so that there are many pages
    with several.running(JOBS, is_listing_only=True):
        until(lambda: several.asked('/api/v1/images') > BURST)
        for _ in range(CLICKS):
            before = several.asked('/api/v1/images')
            page = api.fetch_page(
                several.client, GalleryQuery(version_id=OPENING_VERSION_ID, limit=10)
            )
            assert page.images
            # ours, that which was under way, and one that may have come since
            assert several.asked('/api/v1/images') - before <= 3 < JOBS


def test_the_jobs_go_on_when_nobody_clicks_any_more(several: Jobs) -> None:
    with several.running(2, limit=8):
        api.fetch_page(several.client, GalleryQuery(version_id=OPENING_VERSION_ID, limit=10))
        until(lambda: all(job.state == jobs.ENDED for job in jobs.every(several.db)))
    assert [len(list((several.folder / str(n)).iterdir())) for n in range(2)] == [8, 8]


def test_a_picture_is_not_behind_those_of_a_job(several: Jobs, tmp_path: Path) -> None:
    setting.gallery_max_concurrent_downloads = 1
    shown = api.fetch_page(
        several.client, GalleryQuery(version_id=OPENING_VERSION_ID, limit=CLICKS)
    ).images
    with several.running(1, at_once=16):
        several.demo.latency = 0.1
        until(lambda: several.asked('original=true') > 3)
        for number, image in enumerate(shown):
            before = several.asked('original=true')
            assert several.client.download_file(image.url, tmp_path / f'{number}.jpeg')
            assert several.asked('original=true') - before <= 3, 'sixteen of the job waited'


@pytest.mark.parametrize('places', [1, 4])
def test_a_person_gets_the_next_place_that_a_job_gives_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, places: int
) -> None:
    """With a crew on both sides: the threads of the job's have its mark."""
    monkeypatch.setattr(setting, 'gallery_max_concurrent_downloads', places)
    order: list[str] = []
    go_on = threading.Semaphore(0)

    def answer(request: Request) -> Answer:
        order.append(request.target.split('/')[1])
        go_on.acquire(timeout=PATIENCE)
        return kept(ok(png()))

    def fetch(url: str) -> bool:
        return client.download_file(url, tmp_path / url.rpartition('//')[2].replace('/', '_'))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client = CivitaiHttpClient()

        def batch(who: str, count: int) -> list[bool]:
            urls = [f'{server.url}/{who}/{number}.png' for number in range(count)]
            return [saved for _, saved in crew.run(fetch, urls, 2 * places)]

        def in_background() -> list[bool]:
            with background.work():
                return batch('job', 4 * places)

        with Work(in_background) as job:
            until(lambda: len(order) == places)
            with Work(lambda: batch('person', places)) as person:
                host = next(iter(client._exchange._throttle._hosts.values()))
                until(lambda: len(host.waiting) == places)
                go_on.release(places)
                until(lambda: len(order) == 2 * places)
                go_on.release(4 * places)
    assert job.result == [True] * 4 * places and person.result == [True] * places
    assert order[:places] == ['job'] * places
    assert order[places : 2 * places] == ['person'] * places
