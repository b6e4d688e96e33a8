"""A job is found again as it was left, by whatever program and whenever that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.civitai_manager_libs.archive import jobs
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.places import (
    add_lanes,
    have_done_again,
    main_cause,
    note_outcomes,
)
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage, ImagePage
from scripts.civitai_manager_libs.errors import (
    CancelledError,
    CivitaiError,
    NotFoundError,
    StorageError,
)
from tests.support.forking import ended, fork
from tests.support.paths import ROOT


def pictures(*numbers: int) -> list[GalleryImage]:
    return [GalleryImage(n, f'https://image.civitai.com/k/{n}/x.jpeg') for n in numbers]


@pytest.fixture
def job(db: Database, tmp_path: Path) -> int:
    return jobs.make(db, {'source': 'models/1'}, tmp_path / 'kept', [{'v': 1}, {'v': 2}])


def page(db: Database, job: int, lane: int, *numbers: int, cursor: str = '') -> int:
    found = pictures(*numbers)
    return jobs.note_page(
        db, job, jobs.lanes(db, job)[lane - 1], ImagePage(tuple(found)), found, cursor
    )


def places(db: Database, job: int, state: str = jobs.TO_DO) -> list[tuple[int, int]]:
    return [(one.place, one.image.id) for one in jobs.listed(db, job, state, 0, 100)]


def test_a_job_is_found_as_it_was_made(db: Database, job: int, tmp_path: Path) -> None:
    found = jobs.find(Database(db.path), job)

    assert found is not None
    assert ({'source': 'models/1'}, tmp_path / 'kept', jobs.WAITING) == (
        found.asked,
        found.folder,
        found.state,
    )
    assert [(1, {'v': 1}), (2, {'v': 2})] == [
        (lane.number, lane.query) for lane in jobs.lanes(db, job)
    ]


def test_pictures_keep_the_place_where_they_were_first_seen(db: Database, job: int) -> None:
    news = [
        page(db, job, 1, 11, 12, cursor='c1'),
        page(db, job, 2, 12, 13, cursor='c2'),
        page(db, job, 1, 12, 11, 14),
    ]

    assert [2, 1, 1] == news
    assert [(1, 11), (2, 12), (3, 13), (4, 14)] == places(db, job)
    first, second = jobs.lanes(db, job)
    assert ('', 2, 5, jobs.AT_END) == (first.cursor, first.pages, first.items, first.state)
    assert ('c2', jobs.OPEN) == (second.cursor, second.state)


def test_only_what_was_wanted_of_a_page_is_a_part_of_the_job(db: Database, job: int) -> None:
    lane = jobs.lanes(db, job)[0]
    jobs.note_page(db, job, lane, ImagePage(tuple(pictures(1, 2, 3)), hidden=4), pictures(2), 'c')

    assert [(1, 2)] == places(db, job)
    assert (3, 4) == (jobs.lanes(db, job)[0].items, jobs.progress(db, job).hidden)


def test_how_far_a_job_is_can_be_told(db: Database, job: int) -> None:
    page(db, job, 1, 1, 2, 3, 4)
    page(db, job, 2)
    one, two, three, _ = jobs.listed(db, job, jobs.TO_DO, 0, 10)
    none = NotFoundError(status=404, detail='none')
    one = replace(one, state=jobs.SAVED, path='/k/1.png')
    two, three = replace(two, state=jobs.FAILED, cause=none), replace(three, state=jobs.GONE)
    note_outcomes(db, job, [one, two, three])

    told = jobs.progress(db, job)
    assert (4, 1, 1, 1, 1, True) == (
        told.found,
        *(told.count(state) for state in (jobs.SAVED, jobs.FAILED, jobs.GONE, jobs.TO_DO)),
        told.is_listed,
    )
    [failed] = jobs.listed(db, job, jobs.FAILED, 0, 10)
    assert failed.cause is not None
    assert NotFoundError(status=404, detail='none').user_message == failed.cause.user_message
    assert ('/k/1.png', 1) == (
        jobs.listed(db, job, jobs.SAVED, 0, 9)[0].path,
        failed.tries,
    )


def test_of_what_failed_the_cause_of_most_is_known(db: Database, job: int) -> None:
    assert main_cause(db, job) == (None, 0)
    page(db, job, 1, 1, 2, 3, 4)
    whys = (CancelledError(), NotFoundError(status=404), NotFoundError(status=404))
    some = zip(jobs.listed(db, job, jobs.TO_DO, 0, 10), whys)
    done = [replace(one, state=jobs.FAILED, cause=why) for one, why in some]
    note_outcomes(db, job, done)
    cause, count = main_cause(db, job)
    assert isinstance(cause, NotFoundError) and count == 2


def test_what_failed_can_be_done_again(db: Database, job: int) -> None:
    page(db, job, 1, 1, 2)
    for one in jobs.listed(db, job, jobs.TO_DO, 0, 10):
        state = jobs.FAILED if one.place == 1 else jobs.SAVED
        note_outcomes(db, job, [replace(one, state=state)])

    assert 1 == have_done_again(db, job)
    assert [(1, 1)] == places(db, job)


def test_a_gap_is_told_once_with_its_cause(db: Database, job: int) -> None:
    lane = jobs.lanes(db, job)[0]
    for _ in range(2):
        jobs.note_gap(db, job, lane, StorageError('error_disk_full', folder='/k'))

    gaps = jobs.progress(db, job).gaps
    assert [StorageError('error_disk_full', folder='/k').user_message] == [
        gap.user_message for gap in gaps
    ]
    assert StorageError is type(gaps[0])


def test_a_lane_may_go_on_elsewhere(db: Database, job: int) -> None:
    page(db, job, 1, 1, cursor='expired')
    jobs.set_lane(db, job, jobs.lanes(db, job)[0], jobs.OPEN, '')
    jobs.add_lane(db, job, {'sort': 'Oldest'})

    found = jobs.lanes(db, job)
    assert ('', jobs.OPEN) == (found[0].cursor, found[0].state)
    assert (3, {'sort': 'Oldest'}) == (found[2].number, found[2].query)


def test_a_job_that_is_removed_takes_its_list_along(db: Database, job: int) -> None:
    page(db, job, 1, 1, 2)
    jobs.note_gap(db, job, jobs.lanes(db, job)[0], CivitaiError())
    other = jobs.make(db, {}, db.path.parent, [{}])
    jobs.remove(db, job)

    assert [other] == [one.id for one in jobs.every(db)]
    assert not jobs.progress(db, job).is_listed
    with db.reading() as connection:
        for table in ('lanes', 'listed', 'gaps'):
            ask = f'SELECT count(*) FROM {table} WHERE job_id = ?'
            assert (0,) == connection.execute(ask, (job,)).fetchone()


HOLDER = """
import sys, time
from pathlib import Path
from scripts.civitai_manager_libs.archive import jobs, places
from scripts.civitai_manager_libs.archive.database import Database
db = Database(Path(sys.argv[1]))
with jobs.held(db, int(sys.argv[2])) as mine:
    jobs.set_state(db, int(sys.argv[2]), jobs.RUNNING)
    print(mine, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no SIGKILL')
def test_a_job_is_worked_on_by_one_program_until_that_ends_however(db: Database, job: int) -> None:
    program = [sys.executable, '-c', HOLDER, str(db.path), str(job)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert 'True' == other.stdout.readline().strip()
        with jobs.held(db, job) as mine:
            assert not mine
        assert jobs.is_held(db, job)
        other.send_signal(signal.SIGKILL)

    assert not jobs.is_held(db, job)
    found = jobs.find(db, job)
    assert found is not None and jobs.RUNNING == found.state
    with jobs.held(db, job) as mine:
        assert mine


FORKER = HOLDER.replace(
    'print(mine, flush=True)', 'if os.fork() == 0: print(os.getpid(), flush=True)'
).replace('import sys', 'import os, sys')


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')
def test_a_child_that_outlives_a_killed_program_holds_no_job(db: Database, job: int) -> None:
    program = [sys.executable, '-c', FORKER, str(db.path), str(job)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        child = int(other.stdout.readline())
        try:
            assert jobs.is_held(db, job)
            other.send_signal(signal.SIGKILL)
            other.wait()
            assert not jobs.is_held(db, job)
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')
def test_a_child_that_ends_frees_no_job_of_its_parent(db: Database, job: int) -> None:
    with ExitStack() as stack:
        assert stack.enter_context(jobs.held(db, job))
        child = fork(lambda: not stack.close())
        assert 0 == ended(child)
        assert jobs.is_held(db, job)


def test_the_number_of_a_removed_job_never_comes_again(db: Database) -> None:
    job = jobs.make(db, {}, db.path.parent, [{}])
    [lane] = jobs.lanes(db, job)
    jobs.remove(db, job)
    assert jobs.make(db, {}, db.path.parent, [{}]) > job

    for late in (
        lambda: jobs.note_page(db, job, lane, ImagePage(), [], 'c'),
        lambda: jobs.note_gap(db, job, lane, NotFoundError()),
        lambda: jobs.add_lane(db, job, {}),
    ):
        with pytest.raises(CancelledError):
            late()


def test_listings_that_a_job_has_not_are_added(db: Database) -> None:
    job = jobs.make(db, {}, db.path.parent, [{'version_id': 1, 'tags': ()}])
    add_lanes(db, job, [{'version_id': 1, 'tags': ()}, {'version_id': 2, 'tags': ()}])
    assert [1, 2] == [lane.query['version_id'] for lane in jobs.lanes(db, job)]


def test_a_listing_whose_version_has_another_name_by_now_is_not_added_again(db: Database) -> None:
    job = jobs.make(db, {}, db.path.parent, [{'version_id': 1, 'model': 'Dusk', 'version': 'v1'}])
    add_lanes(db, job, [{'version_id': 1, 'model': 'Dusk XL', 'version': 'v1.0'}])
    assert [1] == [lane.query['version_id'] for lane in jobs.lanes(db, job)]
