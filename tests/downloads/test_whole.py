"""A whole gallery is kept to its last picture, or it is said what is missing and why."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import Picture, load_catalog
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from scripts.civitai_manager_libs.archive import folders, jobs, places, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.kept import count as count_kept
from scripts.civitai_manager_libs.civitai.source import parse_source
from scripts.civitai_manager_libs.downloads import beginning, checking, standing, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.errors import CivitaiError, NotFoundError, SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

ALL = 31
MODEL = f'/models/{OPENING_MODEL_ID}'
VERSION = f'{MODEL}?modelVersionId={OPENING_VERSION_ID}'


class Keeper:
    """Keeps galleries of the stand-in, as a person would who starts jobs and looks at folders."""

    def __init__(self, demo: DemoServer, client: CivitaiHttpClient, db: Database, to: Path):
        self.demo, self.client, self.db, self.folder = demo, client, db, to

    def begin(self, page: str, folder: Path | None = None, **wanted: object) -> int:
        asked = Wanted(self.demo.url + page, **{'levels': ALL, **wanted})  # type: ignore[arg-type]
        return beginning.begin(self.db, self.client, asked, folder or self.folder)

    def run(self, job: int, stop: threading.Event | None = None) -> whole.JobReport:
        report = whole.run(self.db, self.client, job, stop or threading.Event())
        assert report is not None
        return report

    def keep(self, page: str, folder: Path | None = None, **wanted: object) -> whole.JobReport:
        return self.run(self.begin(page, folder, **wanted))

    @property
    def ids(self) -> list[int]:
        """The ids of the pictures in the folder, as the default names tell them."""
        return sorted(int(path.stem) for path in self.folder.iterdir())

    @property
    def fetched(self) -> list[str]:
        """The pictures that the stand-in was asked for since it was last looked."""
        found = [entry.path for entry in self.demo.requests if 'original=true' in entry.path]
        self.demo.requests.clear()
        return found


@pytest.fixture
def keeper(demo: DemoServer, client: CivitaiHttpClient, db: Database, tmp_path: Path) -> Keeper:
    return Keeper(demo, client, db, tmp_path / 'kept')


def of_version(version: int, levels: int = ALL) -> list[Picture]:
    found = load_catalog().pictures
    shown = [one for one in found if one.level & levels or levels == ALL]  # 0: nobody rated it
    return [one for one in shown if version in one.version_ids]


def ids(pictures: list[Picture]) -> list[int]:
    return sorted({one.id for one in pictures})


def test_a_version_is_kept_to_its_last_picture(keeper: Keeper) -> None:
    report = keeper.keep(VERSION)

    assert ids(of_version(OPENING_VERSION_ID)) == keeper.ids
    assert report.is_complete
    assert len(keeper.ids) == report.progress.found == report.progress.count(jobs.SAVED)
    assert sum(path.stat().st_size for path in keeper.folder.iterdir()) == report.size
    assert jobs.ENDED == report.job.state


def test_a_model_is_kept_with_all_its_versions(keeper: Keeper) -> None:
    model = load_catalog().model(OPENING_MODEL_ID)
    assert model is not None and len(model.versions) > 1
    expected = {one.id for version in model.versions for one in of_version(version.id)}

    report = keeper.keep(MODEL)

    assert sorted(expected) == keeper.ids
    assert report.is_complete


# -- fewer than all -------------------------------------------------------------------------------


SMALL_VERSION = 431702
SMALL = f'/models/4317?modelVersionId={SMALL_VERSION}'


QUIET_VERSION = 470302
QUIET = f'/models/4703?modelVersionId={QUIET_VERSION}'
ABSENT = {
    '/images/2147483647': 'no image 2147483647',
    '/posts/2147483647': 'no post 2147483647',
    '/user/nobody_here': 'no user called nobody_here',
    '/models/4703?modelVersionId=2147483647': '(404)',
}


def made(picture: Picture) -> str:
    return picture.created.isoformat()


NEWEST = sorted(of_version(SMALL_VERSION), key=lambda one: one.created, reverse=True)
MIDDLE = made(NEWEST[len(NEWEST) // 2])
FEWER: dict[str, tuple[dict[str, object], list[Picture]]] = {
    'a few of the newest': ({'limit': 5, 'sort': 'Newest'}, NEWEST[:5]),
    'of a level': ({'levels': 1}, of_version(SMALL_VERSION, 1)),
    'with a prompt': (
        {'with_prompt': True},
        [one for one in NEWEST if (one.generation.meta() or {}).get('prompt')],
    ),
    'videos': ({'type': 'video'}, [one for one in NEWEST if one.kind == 'video']),
    'since': ({'since': MIDDLE}, [one for one in NEWEST if made(one) >= MIDDLE]),
    'until': ({'until': MIDDLE}, [one for one in NEWEST if made(one) < MIDDLE]),
    'the oldest until': (
        {'until': MIDDLE, 'sort': 'Oldest'},
        [one for one in NEWEST if made(one) < MIDDLE],
    ),
}


@pytest.mark.parametrize('wanted, expected', FEWER.values(), ids=FEWER)
def test_only_what_is_wanted_is_kept(
    wanted: dict[str, object], expected: list[Picture], keeper: Keeper
) -> None:
    report = keeper.keep(SMALL, **wanted)

    assert ids(expected) == keeper.ids
    assert report.is_complete
    assert len(expected) == report.progress.found


def test_a_date_that_lies_behind_ends_the_listing(keeper: Keeper) -> None:
    keeper.keep(VERSION, since='2100-01-01')

    pages = [one for one in keeper.demo.requests if one.path.startswith('/api/v1/images')]
    assert 1 == len(pages)


def test_files_are_called_as_was_asked(keeper: Keeper) -> None:
    keeper.keep(SMALL, limit=3, template='{model}/{version}/{index:03d} {username}-{id}')

    found = sorted(keeper.folder.rglob('*.*'))
    assert ['001', '002', '003'] == [path.name[:3] for path in found]
    assert {'Gouache Weather/v2'} == {
        path.parent.relative_to(keeper.folder).as_posix() for path in found
    }


@pytest.mark.parametrize('is_post', [True, False], ids=['of a post', 'of a model'])
def test_the_place_in_a_post_is_told_where_a_post_was_asked_for(
    keeper: Keeper, is_post: bool
) -> None:
    catalog = load_catalog()
    post = next(p.post_id for p in catalog.pictures if len(catalog.in_post(p.post_id)) > 2)
    keeper.keep(f'/posts/{post}' if is_post else SMALL, template='{position:02d} {id}')

    order = {str(one.id): f'{n:02d}' for n, one in enumerate(catalog.in_post(post), 1)}
    told = dict(reversed(path.stem.split(' ')) for path in keeper.folder.iterdir())
    assert told == (order if is_post else dict.fromkeys(told, 'unknown'))


def test_a_gallery_gets_a_folder_of_its_own(keeper: Keeper, downloads: Path) -> None:
    job = beginning.begin(keeper.db, keeper.client, Wanted(keeper.demo.url + SMALL, limit=1), None)
    keeper.run(job)

    assert ['Gouache Weather'] == [path.name for path in downloads.iterdir()]


# -- a limit, for all versions of a model ---------------------------------------------------------


WORTH: dict[str, Callable[[Picture], float]] = {
    '': lambda one: one.created.timestamp(),
    'Newest': lambda one: one.created.timestamp(),
    'Oldest': lambda one: -one.created.timestamp(),
    'Most Reactions': lambda one: one.reactions.total,
    'Most Comments': lambda one: one.reactions.comment,
}
OF_MODEL = {
    one.id: one
    for version in load_catalog().model(OPENING_MODEL_ID).versions  # type: ignore[union-attr]
    for one in of_version(version.id)
}


def listed(keeper: Keeper, job: int, stop: threading.Event | None = None) -> list[Picture]:
    """What a job would fetch, in its order."""
    whole.run(keeper.db, keeper.client, job, stop or threading.Event(), is_listing_only=True)
    return [OF_MODEL[one.image.id] for one in places.every_listed(keeper.db, job, jobs.TO_DO)]


@pytest.mark.parametrize('limit', [1, 7, 230])
@pytest.mark.parametrize('sort', WORTH)
def test_a_limit_takes_the_best_of_all_versions(keeper: Keeper, sort: str, limit: int) -> None:
    job = keeper.begin(MODEL, limit=limit, sort=sort)

    worth = [WORTH[sort](one) for one in listed(keeper, job)]

    assert sorted(map(WORTH[sort], OF_MODEL.values()), reverse=True)[:limit] == worth


def test_where_no_order_can_be_seen_each_version_has_its_turn_and_that_is_said(
    keeper: Keeper,
) -> None:
    model = load_catalog().model(OPENING_MODEL_ID)
    assert model is not None
    job = keeper.begin(MODEL, limit=2 * len(model.versions), sort='Most Collected')

    listed(keeper, job)

    lanes = [one.lane for one in places.every_listed(keeper.db, job, jobs.TO_DO)]
    assert sorted(lanes) == sorted(2 * list(range(1, len(model.versions) + 1)))
    [found] = jobs.every(keeper.db)
    told = standing.standing_of(keeper.db, found)
    assert told.is_listed and 1 == len(told.notes)
    assert 'Most Collected' in told.notes[0] and 'each version' in told.notes[0]


def test_a_small_limit_asks_for_one_page_of_each_version(keeper: Keeper) -> None:
    listed(keeper, keeper.begin(MODEL, limit=5))

    model = load_catalog().model(OPENING_MODEL_ID)
    pages = [one for one in keeper.demo.requests if one.path.startswith('/api/v1/images')]
    assert model is not None and len(model.versions) == len(pages)


def test_a_limit_that_is_more_than_there_is_takes_all(keeper: Keeper) -> None:
    report = keeper.keep(MODEL, limit=99_999)

    assert sorted(OF_MODEL) == keeper.ids and report.is_complete


def test_the_best_are_the_same_after_a_stop(keeper: Keeper) -> None:
    job, stop = keeper.begin(MODEL, limit=9), threading.Event()

    def heard(report: whole.JobReport) -> None:
        if report.progress.pages:
            stop.set()

    whole.run(keeper.db, keeper.client, job, stop, heard)
    report = keeper.run(job)

    newest = sorted(OF_MODEL.values(), key=WORTH['Newest'])[-9:]
    assert ids(newest) == keeper.ids and report.is_complete
    kept = (jobs.SAVED, jobs.ALREADY)  # the latter may have come as it was stopped
    found = [one.place for state in kept for one in places.every_listed(keeper.db, job, state)]
    assert list(range(1, 10)) == sorted(found)


def test_what_became_one_of_the_best_comes_and_what_is_no_more_stays_on_the_disk(
    keeper: Keeper,
) -> None:
    job = keeper.begin(MODEL, limit=9)
    with keeper.db.writing() as connection:  # as if the newest had come later
        hidden = [one.id for one in sorted(OF_MODEL.values(), key=WORTH['Newest'])[-4:]]
        connection.execute('CREATE TEMP TABLE hide (id INTEGER)')
        connection.executemany('INSERT INTO hide VALUES (?)', [(one,) for one in hidden])
        connection.execute(
            'CREATE TEMP TRIGGER hiding AFTER INSERT ON shortlist BEGIN DELETE FROM shortlist '
            'WHERE picture_id = NEW.picture_id AND picture_id IN (SELECT id FROM hide); END'
        )
    keeper.run(job)
    before = keeper.ids
    with keeper.db.writing() as connection:
        connection.execute('DROP TRIGGER hiding')

    report = keeper.keep(MODEL, limit=9)

    assert job == report.job.id and report.is_complete and 9 == report.progress.found
    assert sorted({*before, *hidden}) == keeper.ids


# -- what is there already ------------------------------------------------------------------------


def test_nothing_is_fetched_twice(keeper: Keeper) -> None:
    keeper.keep(SMALL)
    keeper.fetched.clear()

    report = keeper.keep(SMALL)

    assert [] == keeper.fetched
    assert report.progress.found == report.progress.count(jobs.ALREADY) and report.is_complete


def test_another_folder_gets_what_was_saved_before(keeper: Keeper, tmp_path: Path) -> None:
    keeper.keep(SMALL)
    keeper.fetched.clear()
    other = tmp_path / 'other'

    keeper.keep(SMALL, other, template='{username}/{id}')

    assert [] == keeper.fetched
    assert keeper.ids == sorted(int(path.stem) for path in other.rglob('*.*'))


def test_a_file_that_was_deleted_comes_back(keeper: Keeper) -> None:
    keeper.keep(SMALL)
    lost = next(keeper.folder.iterdir())
    lost.unlink()
    keeper.fetched.clear()

    keeper.keep(SMALL)

    assert lost.is_file()
    assert 1 == len(keeper.fetched)


def test_another_picture_of_the_same_name_is_not_taken_for_it(keeper: Keeper) -> None:
    one = keeper.keep(VERSION, limit=4, template='{index}')
    other = keeper.keep(SMALL, limit=3, template='{index}')
    again = keeper.keep(SMALL, limit=3, template='{index}')

    assert one.is_complete and other.is_complete and again.is_complete
    assert 3 == other.progress.count(jobs.SAVED) == again.progress.count(jobs.ALREADY)
    found = [path.read_bytes() for path in keeper.folder.iterdir()]
    assert 7 == len(found) == len(set(found))


def test_what_is_noted_of_a_file_stays_when_somebody_changed_it(keeper: Keeper) -> None:
    keeper.keep(SMALL)
    one, other = sorted(keeper.folder.glob('*.png'))[:2]
    noted = saved.at(keeper.db, one)
    one.write_bytes(other.read_bytes())

    report = keeper.keep(SMALL)

    assert report.is_complete and noted is not None
    assert noted == saved.at(keeper.db, one)


def test_what_is_deleted_while_a_job_is_stopped_comes_back(keeper: Keeper) -> None:
    stop, job = threading.Event(), keeper.begin(VERSION)

    def heard(report: whole.JobReport) -> None:
        if report.progress.count(jobs.SAVED) > 2:
            stop.set()

    whole.run(keeper.db, keeper.client, job, stop, heard)
    lost = sorted(keeper.folder.iterdir())[0]
    lost.unlink()
    assert keeper.run(job).is_complete and lost.is_file()


def test_pictures_called_by_their_address_are_known(keeper: Keeper) -> None:
    """As everything before this archive was called."""
    for picture in of_version(SMALL_VERSION)[:3]:
        keeper.keep(f'/images/{picture.id}')
        [path] = [one for one in keeper.folder.iterdir() if one.stem == str(picture.id)]
        path.rename(path.with_stem(picture.uuid))
    keeper.db.close()
    keeper.db.path.unlink()
    keeper.fetched.clear()

    report = keeper.keep(SMALL)

    assert 3 == report.progress.count(jobs.ALREADY)
    fetched = keeper.fetched
    assert report.progress.found - 3 == len(fetched) == len(set(fetched))


@pytest.mark.parametrize('to', ['its own folder', 'another folder'])
def test_pictures_in_the_folder_of_a_version_without_an_archive_are_known(
    keeper: Keeper, downloads: Path, to: str
) -> None:
    keeper.keep(SMALL)
    former = downloads / 'Gouache Weather' / 'user_gallery_images'
    former.mkdir(parents=True)
    by_id = {str(picture.id): picture for picture in of_version(SMALL_VERSION)}
    for path in keeper.folder.iterdir():
        path.rename(former / f'{by_id[path.stem].uuid}{path.suffix}')
    before = {path: path.read_bytes() for path in former.iterdir()}
    keeper.db.close()
    keeper.db.path.unlink()
    keeper.fetched.clear()
    asked = Wanted(keeper.demo.url + SMALL, levels=ALL)
    folder = keeper.folder if to == 'another folder' else None

    report = keeper.run(beginning.begin(keeper.db, keeper.client, asked, folder))

    assert [] == keeper.fetched
    assert report.is_complete and len(before) == report.progress.count(jobs.ALREADY)
    assert before == {path: path.read_bytes() for path in former.iterdir()}
    kept = [path for path in report.job.folder.iterdir() if path.is_file()]
    assert ids(of_version(SMALL_VERSION)) == sorted(int(path.stem) for path in kept)


# -- a listing with faults ------------------------------------------------------------------------


@pytest.mark.parametrize(
    'scenario', ['empty-page', 'feed-cursors', 'offset-cursors', 'null-fields', '503:3', 'slow:1']
)
def test_a_listing_with_odds_is_complete_all_the_same(scenario: str, keeper: Keeper) -> None:
    keeper.demo.scenario = scenario
    report = keeper.keep(SMALL)

    assert ids(of_version(SMALL_VERSION)) == keeper.ids
    assert report.is_complete


@pytest.mark.parametrize('wanted', [{}, {'limit': 1}], ids=['all', 'with a limit'])
def test_entries_that_cannot_be_read_are_told_and_leave_it_incomplete(
    keeper: Keeper, wanted: dict[str, int]
) -> None:
    job = keeper.begin(QUIET, **wanted)
    report = keeper.run(job)
    assert report.is_complete
    with keeper.db.writing() as connection:  # as a page notes them
        connection.execute('UPDATE lanes SET unreadable = 3')

    [found] = jobs.every(keeper.db)
    told = standing.standing_of(keeper.db, found)

    assert not told.is_complete
    assert ('Entries of the listing that could not be read: 3.',) == told.gaps


NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    'a filter': ({'tag_names': ('no such tag',)}, 'looked at and left out by the filters.'),
    'a filter and a ceiling': ({'since': '2999-01-01', 'levels': 2}, 'left out by the filters'),
    'what Civitai was asked for': (
        {'period': 'Day', 'levels': 1},
        'up to your maturity ceiling (PG)',
    ),
}


@pytest.mark.parametrize('wanted, told', NOTHING.values(), ids=NOTHING)
def test_why_nothing_was_found_is_told(keeper: Keeper, wanted: dict[str, Any], told: str) -> None:
    report = keeper.keep(SMALL, **wanted)

    assert report.is_complete and not report.progress.found
    [found] = jobs.every(keeper.db)
    [note] = standing.standing_of(keeper.db, found).notes
    assert told in note
    assert str(report.progress.items) in note or not report.progress.items


def test_a_listing_that_leads_in_a_circle_is_not_complete(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('scripts.civitai_manager_libs.downloads.wanted.MAX_LIMIT', 20)
    keeper.demo.scenario = 'repeated-cursor'

    report = keeper.keep(SMALL)

    assert not report.is_complete
    assert ['listing_circle'] == [gap.key for gap in report.progress.gaps]
    assert keeper.ids


def test_pictures_that_are_gone_are_no_failures(keeper: Keeper) -> None:
    keeper.demo.scenario = 'cdn-404'
    report = keeper.keep(SMALL)

    gone = report.progress.count(jobs.GONE)
    assert gone > 0 == report.progress.count(jobs.FAILED)
    assert len(keeper.ids) == report.progress.found - gone
    assert report.is_complete


def test_pictures_that_break_off_are_failures_and_are_done_again_when_told(
    keeper: Keeper,
) -> None:
    keeper.demo.scenario = 'truncated'
    job = keeper.begin(SMALL)
    report = keeper.run(job)
    failed = report.progress.count(jobs.FAILED)
    assert failed and not report.is_complete
    assert report.progress.found - failed == len(keeper.ids)

    keeper.demo.scenario = ''
    keeper.fetched.clear()
    places.have_done_again(keeper.db, job)
    report = keeper.run(job)

    assert failed == len(keeper.fetched)
    assert report.is_complete and ids(of_version(SMALL_VERSION)) == keeper.ids


# -- stopped, and gone on with --------------------------------------------------------------------


def test_a_job_that_was_stopped_goes_on_where_it_was(keeper: Keeper) -> None:
    stop = threading.Event()
    job = keeper.begin(SMALL)

    def heard(report: whole.JobReport) -> None:
        if report.progress.count(jobs.SAVED) > 3:
            stop.set()

    report = whole.run(keeper.db, keeper.client, job, stop, heard)
    assert report is not None and not report.is_complete
    assert jobs.STOPPED == report.job.state
    first = keeper.fetched
    assert first

    report = keeper.run(job)
    again = set(first) & set(keeper.fetched)
    assert report.is_complete and ids(of_version(SMALL_VERSION)) == keeper.ids
    assert len(again) <= 16  # what was under way


def test_what_nobody_expected_is_in_the_log_and_told(
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(self: CivitaiHttpClient, *_: object, **more: object) -> object:
        raise ZeroDivisionError('nobody thought of this')

    job = keeper.begin(SMALL)
    with monkeypatch.context() as patch, pytest.raises(CivitaiError) as told:
        patch.setattr(CivitaiHttpClient, 'fetch_json', broken)
        keeper.run(job)

    assert 'error_see_log' == told.value.key
    assert 'Traceback' in caplog.text and 'nobody thought of this' in caplog.text
    assert 'nobody thought of this' not in capsys.readouterr().err
    [found] = jobs.every(keeper.db)
    assert jobs.STOPPED == found.state
    assert keeper.run(job).is_complete


@pytest.mark.parametrize('kept_bytes', [100, 0], ids=['truncated', 'emptied'])
def test_a_file_that_was_cut_short_is_fetched_again_and_kept_aside(
    keeper: Keeper, kept_bytes: int
) -> None:
    keeper.keep(SMALL)
    [job], cut = jobs.every(keeper.db), min(keeper.folder.iterdir())
    was, expected = cut.read_bytes(), keeper.ids
    cut.write_bytes(was[:kept_bytes])
    keeper.fetched

    report = keeper.run(job.id)

    assert report.is_complete
    assert was == cut.read_bytes()
    assert 1 == len(keeper.fetched)
    [aside] = map(Path, report.aside)
    assert was[:kept_bytes] == aside.read_bytes()
    aside.unlink()
    assert expected == keeper.ids


def test_a_file_that_was_changed_but_is_whole_stays_and_verify_tells(keeper: Keeper) -> None:
    keeper.keep(SMALL)
    [job], kept = jobs.every(keeper.db), sorted(keeper.folder.iterdir())
    touched, changed, *_ = [path for path in kept if path.suffix == kept[0].suffix]
    changed.write_bytes(touched.read_bytes())
    os.utime(touched, (1, 1))
    keeper.fetched

    report = keeper.run(job.id)

    assert report.is_complete and not keeper.fetched and not report.aside
    assert 2 == report.progress.count(jobs.ALREADY)
    assert touched.read_bytes() == changed.read_bytes()
    found = {one.path: one.state for one in checking.check(keeper.db, keeper.folder)}
    assert [changed] == [path for path, what in found.items() if what != checking.State.GOOD]


def unlinked(path: Path) -> None:
    for one in path.parent.glob(f'{path.name}*'):
        one.unlink()


def renamed(path: Path) -> None:
    os.replace(path, f'{path}.old')


def unlinked_with_its_folders(path: Path) -> None:
    unlinked(path)
    path.with_name(folders.NAME).unlink()


def without_the_job(path: Path) -> None:
    jobs.remove(Database(path), 1)


def without_tables(path: Path) -> None:
    other = sqlite3.connect(path, timeout=30)
    for table in ('listed', 'gaps', 'shortlist', 'lanes', 'jobs'):
        other.execute(f'DROP TABLE {table}')
    other.commit()
    other.close()


@pytest.mark.parametrize(
    'by_hand', [unlinked, renamed, unlinked_with_its_folders, without_the_job, without_tables]
)
def test_an_archive_that_is_taken_away_meanwhile_is_told_in_plain_words(
    keeper: Keeper, by_hand: Callable[[Path], None]
) -> None:
    job, done = keeper.begin(VERSION), list[int]()

    def heard(report: whole.JobReport) -> None:
        if report.progress.count(jobs.SAVED) > 2 and not done:
            done.append(1)
            by_hand(keeper.db.path)

    with pytest.raises(CivitaiError) as told:
        whole.run(keeper.db, keeper.client, job, threading.Event(), heard)

    assert 'error_archive_damaged' == told.value.key


@pytest.mark.parametrize('is_listed_first', [True, False])
def test_a_job_of_a_lost_archive_is_not_taken_for_one_of_the_same_number(
    keeper: Keeper, tmp_path: Path, is_listed_first: bool
) -> None:
    """Another program, which begins one as soon as the archive is gone."""
    anew = Keeper(keeper.demo, keeper.client, Database(keeper.db.path), tmp_path / 'other')
    job, others = keeper.begin(VERSION), list[int]()
    if is_listed_first:
        whole.run(keeper.db, keeper.client, job, threading.Event(), is_listing_only=True)

    def heard(report: whole.JobReport) -> None:
        if not others and report.progress.count(jobs.SAVED) > 2:
            unlinked(keeper.db.path)
            others.append(anew.begin(SMALL))

    with pytest.raises(CivitaiError) as told:
        whole.run(keeper.db, keeper.client, job, threading.Event(), heard)

    assert 'error_archive_damaged' == told.value.key
    assert [job] == others
    progress = jobs.progress(anew.db, job)
    assert ({}, 0, ()) == (progress.states, progress.pages, progress.gaps)
    assert [jobs.WAITING] == [one.state for one in jobs.every(anew.db)]
    assert anew.run(job).is_complete
    assert ids(of_version(SMALL_VERSION)) == anew.ids


def test_what_is_no_gallery_makes_no_job(keeper: Keeper) -> None:
    with pytest.raises(SourceError):
        keeper.begin('/articles/7')

    assert [] == jobs.every(keeper.db)
    assert not os.path.exists(keeper.folder)


def test_a_job_that_another_program_carries_out_is_left_to_it(keeper: Keeper) -> None:
    job = keeper.begin(SMALL)
    with jobs.held(Database(keeper.db.path), job):
        assert whole.run(keeper.db, keeper.client, job, threading.Event()) is None

    assert not keeper.fetched


# -- asked for again ------------------------------------------------------------------------------


def test_the_same_asked_for_again_goes_on_with_the_job_that_was_left(keeper: Keeper) -> None:
    job = keeper.begin(QUIET)
    assert job == keeper.begin(QUIET)
    assert job != keeper.begin(QUIET, limit=3)
    assert job != keeper.begin(QUIET, keeper.folder / 'below')


OTHER_NAMES: dict[str, Callable[[Path], Path]] = {
    'a dot': lambda folder: folder / '.',
    'up and down': lambda folder: folder / 'below' / '..',
    'a slash at its end': lambda folder: Path(f'{folder}{os.sep}'),
    'from here': lambda folder: Path(os.path.relpath(folder)),
    'through a link': lambda folder: folder.with_name('link'),
    'through a link above': lambda folder: folder.with_name('above') / folder.name,
}


@pytest.mark.parametrize('is_there', [True, False], ids=['there', 'not there yet'])
@pytest.mark.parametrize('is_first', [True, False], ids=['first', 'again'])
@pytest.mark.parametrize('name', OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_a_folder_by_another_name_is_the_same_job(
    keeper: Keeper, name: Callable[[Path], Path], is_first: bool, is_there: bool
) -> None:
    if is_there:
        (keeper.folder / 'below').mkdir(parents=True)
    keeper.folder.with_name('link').symlink_to(keeper.folder)
    keeper.folder.with_name('above').symlink_to(keeper.folder.parent)
    called = [keeper.folder, name(keeper.folder)]

    one, other = (keeper.begin(QUIET, folder) for folder in called[:: -1 if is_first else 1])

    assert one == other
    assert [keeper.folder] == [job.folder for job in jobs.every(keeper.db)]


def test_a_job_that_was_made_with_a_name_of_links_goes_on_by_that_name(keeper: Keeper) -> None:
    """As jobs were noted before."""
    link = keeper.folder.with_name('link')
    link.symlink_to(keeper.folder)
    job = keeper.keep(QUIET, limit=3).job.id
    with keeper.db.writing() as connection:
        connection.execute('UPDATE jobs SET folder = ?', (os.fsencode(link),))

    assert [job] * 2 == [keeper.begin(QUIET, where, limit=3) for where in (link, keeper.folder)]


@pytest.mark.parametrize('noted_as', ['kept', 'link'])
@pytest.mark.parametrize('asked_as', ['kept', 'link', 'link/.', 'kept/../kept'])
def test_a_folder_by_another_name_has_the_same_files(
    keeper: Keeper, noted_as: str, asked_as: str
) -> None:
    keeper.folder.with_name('link').symlink_to(keeper.folder)
    keeper.keep(QUIET, limit=3)
    files = sorted(keeper.folder.iterdir())
    with keeper.db.writing() as connection:  # as they were noted before
        before, after = os.fsencode(keeper.folder), os.fsencode(keeper.folder.with_name(noted_as))
        connection.execute(
            'UPDATE saved SET path = CAST(replace(path, ?, ?) AS BLOB)', (before, after)
        )
    files[0].unlink()

    found = list(checking.check(keeper.db, keeper.folder.parent / asked_as))

    assert 3 == len(found)
    assert {files[0].name: checking.State.MISSING} == {
        one.path.name: one.state for one in found if one.state is not checking.State.GOOD
    }
    assert all(one.picture_id for one in found)


def test_a_job_that_has_ended_makes_room_for_the_same_again(keeper: Keeper) -> None:
    keeper.keep(QUIET, limit=2)
    keeper.keep(QUIET, limit=2)

    assert [jobs.ENDED] == [job.state for job in jobs.every(keeper.db)]


@pytest.mark.parametrize('more', [{}, {'limit': 2}], ids=['all', 'limit'])
def test_what_a_job_kept_is_known_until_civitai_tells_anew(
    keeper: Keeper, more: dict[str, int]
) -> None:
    before = keeper.keep(SMALL, **more)
    saved_before = before.progress.count(jobs.SAVED)
    job = keeper.begin(SMALL, **more)
    keeper.demo.scenario = '400'

    failed = keeper.run(job)

    assert before.job.id == job and not failed.is_complete and failed.gaps
    assert saved_before == failed.progress.found == failed.progress.count(jobs.SAVED)
    assert saved_before == count_kept(keeper.db, job)
    keeper.demo.scenario = ''
    beginning.again(keeper.db, job)
    assert keeper.run(job).is_complete
    assert saved_before == count_kept(keeper.db, job)


def test_a_picture_keeps_its_number_when_the_gallery_has_grown(keeper: Keeper) -> None:
    """The newest come first, so those of today stand before those of yesterday."""
    wanted: dict[str, Any] = {'template': '{index}', 'sort': 'Newest', 'limit': 4}
    first = keeper.keep(f'/user/{NEWEST[0].user.name}', until=MIDDLE, **wanted)
    job = first.job.id
    numbers = {one.image.id: one.place for one in places.every_listed(keeper.db, job, jobs.SAVED)}
    assert 4 == len(numbers)
    names = sorted(keeper.folder.iterdir())
    asked = {**first.wanted.kept(), 'until': ''}  # as if there had been no more then
    with keeper.db.writing() as connection:
        connection.execute('UPDATE jobs SET asked = ?', (json.dumps(asked),))

    again = keeper.keep(f'/user/{NEWEST[0].user.name}', **wanted)

    assert job == again.job.id and 4 == again.progress.found and again.is_complete
    now = {
        one.image.id: one.place
        for state in (jobs.SAVED, jobs.ALREADY)
        for one in places.every_listed(keeper.db, job, state)
    }
    assert set(now) - set(numbers)
    assert all(now[number] == place for number, place in numbers.items() if number in now)
    assert names == [path for path in names if path.exists()]
    fresh = set(now) - set(numbers)
    assert {str(now[number]) for number in fresh} == {
        path.stem for path in set(keeper.folder.iterdir()) - set(names)
    }


def test_two_that_ask_for_the_same_at_once_get_one_job(keeper: Keeper) -> None:
    gallery = beginning.opened(keeper.client, Wanted(keeper.demo.url + QUIET))
    wanted, begun = Wanted(keeper.demo.url + QUIET), threading.Barrier(4)
    found: list[int] = []

    def ask() -> None:
        database = Database(keeper.db.path)
        begun.wait()
        found.append(beginning.begin_with(database, gallery, wanted, keeper.folder))
        database.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    with (
        keeper.db.writing()
    ):  # nobody else can write as yet, so all have looked before one makes it
        for thread in threads:
            thread.start()
        threads[0].join(0.3)
    for thread in threads:
        thread.join()
    assert 4 == len(found) and 1 == len(set(found))


def test_what_was_cut_off_is_no_failure(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, fetch = threading.Event(), CivitaiHttpClient.fetch_file

    def stopped(self: CivitaiHttpClient, url: str, path: str, **more: Any) -> Any:
        stop.set()
        return fetch(self, url, path, **more)

    job = keeper.begin(QUIET)
    with monkeypatch.context() as patch:
        patch.setattr(CivitaiHttpClient, 'fetch_file', stopped)
        report = keeper.run(job, stop)

    assert 0 == report.progress.count(jobs.FAILED) and report.progress.count(jobs.TO_DO)
    assert keeper.run(job).is_complete


@pytest.mark.parametrize('page, cause', ABSENT.items())
def test_what_is_not_there_at_all_is_a_gap(keeper: Keeper, page: str, cause: str) -> None:
    report = keeper.keep(page)

    assert not report.is_complete
    [gap] = report.progress.gaps
    assert cause in gap.user_message and isinstance(gap, NotFoundError)


def test_pictures_asked_for_by_id_that_do_not_come_are_a_gap(keeper: Keeper) -> None:
    known = of_version(QUIET_VERSION)[0].id
    report = keeper.keep(f'/api/v1/images?ids={known},2147483647')

    assert ['absent_images'] == [gap.key for gap in report.progress.gaps]
    assert [known] == keeper.ids and not report.is_complete


def test_a_listing_alone_fetches_and_makes_nothing(keeper: Keeper) -> None:
    job = keeper.begin(QUIET)
    whole.run(keeper.db, keeper.client, job, threading.Event(), is_listing_only=True)

    [found] = jobs.every(keeper.db)
    planned = [one.path for _, one in whole.planned(keeper.db, keeper.client, found)]
    assert {Path(path).stem for path in planned} == set(map(str, ids(of_version(QUIET_VERSION))))
    assert not keeper.fetched and not keeper.folder.exists()


@pytest.mark.parametrize(
    'given',
    [
        '{page}&token=geheim',
        '"{page}&api_key=geheim",',
        'look at {page}&token=geheim#gallery',
        '470302 ',
        'urn:air:sdxl:lora:civitai:4703@470302',
    ],
)
def test_no_token_of_a_link_is_kept_and_the_job_is_the_same(keeper: Keeper, given: str) -> None:
    source = given.format(page=keeper.demo.url + QUIET)
    kept = Wanted(source).kept()['source']

    assert 'geheim' not in kept
    base = keeper.demo.url
    assert parse_source(kept, base) == parse_source(source, base)
