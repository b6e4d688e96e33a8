"""Whole galleries of a server that tells them as a test says: it changes, stalls or trickles."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.civitai_manager_libs.archive import jobs, places
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.downloads import beginning, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import at_home, png
from tests.support.scripted_server import (
    STALL,
    Answer,
    Request,
    ScriptedServer,
    Trickle,
    head,
    kept,
    ok,
)


class Gallery:
    """A gallery: `page` answers for a cursor, `post` for what is known of a post.

    `meanwhile` is called before each picture.
    """

    def __init__(self) -> None:
        self.server = ScriptedServer(handler=self._answer)
        self.page: Callable[[str], Answer] = lambda cursor: self.told([])
        self.meanwhile: Callable[[], None] = lambda: None
        self.post: Callable[[], Answer] = lambda: kept(ok(b'{}', status=404))
        self.picture = ok(png(2000), Content_Type='image/png')

    def told(self, numbers: Any, cursor: str = '') -> Answer:
        """A page with these pictures."""
        items = [
            {
                'id': number,
                'url': f'{self.server.url}/key/{number}/original=true/{number}.png',
                'type': 'image',
                'browsingLevel': 1,
                'username': 'wren',
                'postId': 5,
            }
            for number in numbers
        ]
        metadata = {'nextCursor': cursor} if cursor else {}
        return kept(ok(json.dumps({'items': items, 'metadata': metadata}).encode()))

    def _answer(self, request: Request) -> Answer:
        parts = urlsplit(request.target)
        if parts.path == '/api/v1/images':
            return self.page(parse_qs(parts.query).get('cursor', [''])[0])
        if '/original=true/' in parts.path:
            self.meanwhile()
            return kept(self.picture)
        if parts.path.startswith('/api/v1/posts/'):
            return self.post()
        return kept(ok(b'{"error": "No such thing"}', status=404))


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    found = Gallery()
    with found.server as server:
        at_home(monkeypatch, server)
        yield found
        server.release.set()


@pytest.fixture
def begin(gallery: Gallery, client: CivitaiHttpClient, db: Database, tmp_path: Path) -> Any:
    """Begin the job that keeps the gallery, or take it up."""
    wanted = Wanted(f'{gallery.server.url}/user/wren', levels=31)
    return lambda: beginning.begin(db, client, wanted, tmp_path / 'kept')


def test_what_comes_again_behind_what_is_new_is_fetched_in_the_same_run(
    gallery: Gallery, begin: Any, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> None:
    """Old pictures keep their places, so these lie before those that are fetched already."""
    old, new = range(1, 21), range(101, 141)
    gallery.page = lambda cursor: gallery.told(old)
    assert whole.run(db, client, begin(), threading.Event(), at_once=3)
    for path in list((tmp_path / 'kept').iterdir())[:10]:
        path.unlink()
    gallery.page = lambda cursor: gallery.told(old) if cursor else gallery.told(new, 'b')

    def wait_for_the_end_of_the_listing() -> None:
        end = time.monotonic() + 10
        while jobs.lanes(db, 1)[0].state == jobs.OPEN and time.monotonic() < end:
            time.sleep(0.01)

    gallery.meanwhile = wait_for_the_end_of_the_listing
    report = whole.run(db, client, begin(), threading.Event(), at_once=3)

    assert report is not None
    assert (True, 0) == (report.is_complete, report.progress.count(jobs.TO_DO))
    assert 60 == len(list((tmp_path / 'kept').iterdir()))


def test_what_was_listed_before_and_is_missing_counts_once_however_slow_the_listing_is(
    gallery: Gallery, begin: Any, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> None:
    gallery.page = lambda cursor: gallery.told([1, 2])
    assert whole.run(db, client, begin(), threading.Event())
    (tmp_path / 'kept' / '1.png').unlink()
    was_asked = threading.Event()
    gallery.meanwhile = was_asked.set

    def page(cursor: str) -> Answer:
        if was_asked.wait(0.5):
            end = time.monotonic() + 5
            while jobs.progress(db, 1).count(jobs.TO_DO) and time.monotonic() < end:
                time.sleep(0.01)
        return gallery.told([1, 2])

    gallery.page = page
    report = whole.run(db, client, begin(), threading.Event())

    assert report is not None and report.is_complete
    counted = report.progress.count(jobs.SAVED), report.progress.count(jobs.ALREADY)
    assert (1, (1, 1)) == (report.saved_now, counted)


STANDING_STILL: dict[str, Answer] = {
    'before its first byte': (STALL,),
    'in its middle': (head(200, {'Content-Length': '999'}), b'{"it', STALL),
    'byte by byte': (head(200, {'Content-Length': '99999'}), Trickle(b' ' * 99999, 1, 0.2)),
}


@pytest.mark.parametrize('at', ['', 'b'], ids=['the first page', 'a page behind'])
@pytest.mark.parametrize('answer', STANDING_STILL.values(), ids=STANDING_STILL)
def test_a_job_that_is_stopped_waits_for_no_page(
    answer: Answer,
    at: str,
    gallery: Gallery,
    begin: Any,
    client: CivitaiHttpClient,
    db: Database,
) -> None:
    reached = threading.Event()

    def page(cursor: str) -> Answer:
        if cursor != at:
            return gallery.told([1, 2], 'b')
        reached.set()
        return answer

    gallery.page = page
    assert_stopped_in_time(db, client, begin(), reached)


def test_a_job_that_is_stopped_waits_for_no_place_in_a_post(
    gallery: Gallery, client: CivitaiHttpClient, db: Database, tmp_path: Path
) -> None:
    reached = threading.Event()

    def post() -> Answer:
        reached.set()
        return (STALL,)

    gallery.page = lambda cursor: gallery.told([1, 2])
    gallery.post = post
    wanted = Wanted(f'{gallery.server.url}/posts/5', levels=31, template='{position}')
    job = beginning.begin(db, client, wanted, tmp_path / 'kept')
    assert_stopped_in_time(db, client, job, reached)
    assert not list((tmp_path / 'kept').rglob('*.png'))


def assert_stopped_in_time(
    db: Database, client: CivitaiHttpClient, job: int, reached: threading.Event
) -> None:
    stop = threading.Event()
    ended: list[whole.JobReport | None] = []
    thread = threading.Thread(
        target=lambda: ended.append(whole.run(db, client, job, stop)), daemon=True
    )
    thread.start()
    assert reached.wait(10)
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert [jobs.STOPPED] == [report.job.state for report in ended if report]


def test_a_picture_whose_name_another_program_took_is_kept_under_another_in_the_same_run(
    gallery: Gallery,
    client: CivitaiHttpClient,
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It took the name while the disk was slow with ours."""
    folder, settled = tmp_path / 'kept', os.fsync
    wanted = Wanted(f'{gallery.server.url}/user/wren', levels=31, template='{index}')
    job = beginning.begin(db, client, wanted, folder)

    def slow(handle: int) -> None:
        if folder.is_dir() and not (folder / '2.png').exists():
            (folder / '2.png').write_bytes(png(3000))
        settled(handle)

    gallery.page = lambda cursor: gallery.told(range(11, 14))
    monkeypatch.setattr(os, 'fsync', slow)
    report = whole.run(db, client, job, threading.Event(), at_once=1)

    assert report is not None
    assert (True, 3) == (report.is_complete, report.progress.count(jobs.SAVED))
    assert ['1.png', '2-12.png', '2.png', '3.png'] == sorted(one.name for one in folder.iterdir())
    assert (folder / '2.png').read_bytes() == png(3000)


PAGE = b'<!DOCTYPE html><html><title>Just a moment...</title></html>'
WALLS = [
    pytest.param(ok(PAGE, status=403, cf_mitigated='challenge'), 'no robot', id='challenge'),
    pytest.param(ok(b'', status=403, cf_mitigated='challenge'), 'no robot', id='no words'),
    pytest.param(ok(PAGE, status=403), 'web page (403)', id='page of a proxy'),
]


@pytest.mark.parametrize(('wall', 'told'), WALLS)
def test_who_stands_before_the_pictures_does_not_make_them_gone(
    gallery: Gallery, begin: Any, client: CivitaiHttpClient, db: Database, wall: Answer, told: str
) -> None:
    gallery.page = lambda cursor: gallery.told(range(1, 4))
    gallery.picture = wall
    report = whole.run(db, client, begin(), threading.Event(), at_once=3)

    assert report is not None
    assert (False, 3) == (report.is_complete, report.progress.count(jobs.FAILED))
    for one in places.every_listed(db, report.job.id, jobs.FAILED):
        assert one.cause is not None and told in one.cause.user_message

    gallery.picture = ok(png(2000))
    places.have_done_again(db, report.job.id)
    report = whole.run(db, CivitaiHttpClient(), begin(), threading.Event(), at_once=3)
    assert report is not None
    assert (True, 3) == (report.is_complete, report.progress.count(jobs.SAVED))


@pytest.mark.parametrize('status', [403, 404, 410])
def test_what_the_site_itself_refuses_is_gone(
    gallery: Gallery, begin: Any, client: CivitaiHttpClient, db: Database, status: int
) -> None:
    gallery.page = lambda cursor: gallery.told(range(1, 4))
    gallery.picture = ok(b'{"error": "Not available"}', status=status)
    report = whole.run(db, client, begin(), threading.Event(), at_once=3)

    assert report is not None
    assert (True, 3) == (report.is_complete, report.progress.count(jobs.GONE))


@pytest.mark.parametrize(
    ('answer', 'template', 'is_told'),
    [
        pytest.param(ok(b'{}', status=500), '{position} {id}', True, id='an error'),
        pytest.param(ok(b'[]'), '{position} {id}', True, id='no post'),
        pytest.param(ok(b'{"error": "x"}', status=404), '{position} {id}', True, id='not there'),
        pytest.param(ok(b'{"images": [{"id": 1}, {"id": 2}]}'), '{position} {id}', False, id='all'),
        pytest.param(ok(b'{"images": [{"id": 1}]}'), '{position} {id}', True, id='one'),
        pytest.param(ok(b'[]'), '{id}', False, id='no place asked for'),
    ],
)
def test_that_nobody_tells_the_place_in_a_post_is_said(
    gallery: Gallery,
    client: CivitaiHttpClient,
    db: Database,
    tmp_path: Path,
    answer: Answer,
    template: str,
    is_told: bool,
) -> None:
    gallery.page = lambda cursor: gallery.told([1, 2])
    gallery.post = lambda: kept(answer)
    wanted = Wanted(f'{gallery.server.url}/posts/5', levels=31, template=template)
    job = beginning.begin(db, client, wanted, tmp_path / 'kept')
    report = whole.run(db, client, job, threading.Event())

    assert report is not None and report.is_complete
    assert is_told == any('place' in note for note in report.notes('en'))
    names = sorted(path.stem for path in (tmp_path / 'kept').iterdir())
    assert is_told == any('unknown' in name for name in names)
