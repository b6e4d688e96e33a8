"""A whole gallery as one job: listed and fetched at once, gone on with after any stop."""

from __future__ import annotations

import math
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, Sequence

from .. import notices, setting
from ..archive import folders, identity, jobs, pictures, places, saved
from ..archive.database import Database
from ..errors import (
    BarredError,
    CancelledError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    StorageError,
)
from ..http_client import CivitaiHttpClient, background
from . import batch, elsewhere
from .annotating import NOTHING_CAN_BE_SAVED, Manner
from .bringing import Bringer
from .listing import Ahead, Listing
from .naming import Naming
from .plan import DownloadJob, DownloadResult, Outcome
from .standing import JobReport
from .wanted import as_kept

_AT_ONCE = 200
_PLANNED_AT_ONCE = 25  # the threads are to have enough to do meanwhile
_TOLD_SECONDS = 0.2  # to count what is in which state takes a while where there is much
_GONE = (ForbiddenError, NotFoundError, GoneError)
_STATES = {Outcome.SAVED: jobs.SAVED, Outcome.SKIPPED: jobs.ALREADY, Outcome.FAILED: jobs.FAILED}

Told = Callable[[JobReport], None]


def _silent(report: JobReport) -> None:
    """Tell nobody."""


def run(
    db: Database,
    client: CivitaiHttpClient,
    job_id: int,
    stop: threading.Event,
    told: Told = _silent,
    at_once: int = 0,
    is_listing_only: bool = False,
    refreshes: bool = False,
) -> JobReport | None:
    """Carry a job out as far as it goes; None if another program is at it.

    It is the same to begin, to go on after a stop or a kill, and to find that all is there.
    `told` hears how far it is, in this thread. `at_once` pictures are fetched, 0: as many as the
    setting says; none where it `is_listing_only`. What stands beside pictures is written anew if it
    `refreshes`. What a person waits for goes before all of it.
    Raises StorageError if nothing can be kept.
    """
    job = jobs.find(db, job_id)
    if job is None:
        return None
    with jobs.held(db, job_id) as is_mine:
        if not is_mine:
            return None
        with identity.noting(db, job_id, job.mark):
            jobs.set_state(db, job_id, jobs.RUNNING)
            places.miss(db, job_id)
        work = _Run(db, client, job, stop, told, at_once, refreshes)
        if is_listing_only:
            return work.carry_out(lambda: None)
        work.note_folder()
        with background.work():
            return work.carry_out(work.fetch_waiting)


def planned(
    db: Database, client: CivitaiHttpClient, job: jobs.Job
) -> Iterator[tuple[jobs.Listed, DownloadJob]]:
    """Yield the pictures of `job` that are still to be fetched, with where each would be kept.

    Raises StorageError.
    """
    naming = Naming(db, client, job)
    for one in places.every_listed(db, job.id, jobs.TO_DO):
        yield one, naming.plan(one)


class _Run:
    """One run of a job."""

    def __init__(
        self,
        db: Database,
        client: CivitaiHttpClient,
        job: jobs.Job,
        stop: threading.Event,
        told: Told,
        at_once: int = 0,
        refreshes: bool = False,
    ) -> None:
        self._db = db
        self._client = client.until(stop)
        self._job = job
        self._noting = partial(identity.noting, db, job.id, job.mark)
        self._is_there = partial(identity.is_there, db, job.id, job.mark)
        self._stop = stop
        self._told = told
        self._given = at_once
        self._wanted = as_kept(job.asked)
        self._naming = Naming(db, self._client, job)
        former = elsewhere.former_folders(job.folder, jobs.lanes(db, job.id))
        manner = Manner(self._wanted.embeds, self._wanted.sidecars, refreshes)
        self._bringer = Bringer(db, self._client, former, manner, stop)
        self._is_complete_beside = manner.is_nothing
        self._files: list[saved.SavedFile] = []  # to be noted
        self._were_gone: set[int] = set()  # ids
        self._size = self._saved = self._done = 0
        self._aside: list[str] = []
        self._trouble: StorageError | None = None
        self._told_at = -math.inf
        self._began = time.monotonic()
        self._ahead = Ahead()
        self._listing = Listing(db, job.id, self._wanted, self._client, stop, self._ahead, job.mark)

    def carry_out(self, fetch: Callable[[], None]) -> JobReport:
        """List, and `fetch` what is listed, until all is done or it is stopped."""
        listing, here = self._listing, notices.here()

        def list_all() -> None:
            with notices.going_to(here):
                listing.run()

        thread = threading.Thread(target=list_all, name='civitai-gallery-listing', daemon=True)
        thread.start()
        state = jobs.STOPPED
        try:
            if not places.begins_anew(self._db, self._job.id):  # else all of it comes again
                fetch()  # what is left of a run before
            while not self._trouble and self._ahead.next_page(self._stop, self._tell_now_and_then):
                fetch()
            self._fetch_passed_over(fetch)
            is_cut_off = self._stop.is_set() or self._trouble
            state = jobs.STOPPED if is_cut_off else jobs.ENDED
        except CancelledError:
            pass  # the job was removed
        finally:
            was_stopped = self._stop.is_set()
            self._ahead.halt()
            self._bringer.annotator.end()
            if state != jobs.ENDED and not self._trouble:
                self._stop.set()
            thread.join()
            state = jobs.STOPPED if listing.failure else state
            # what a person said of it meanwhile, that it is paused, stays
            cut_off = (jobs.RUNNING,) if state == jobs.STOPPED else ()
            with suppress(CancelledError), self._noting():
                jobs.set_state(self._db, self._job.id, state, instead_of=cut_off)
        if listing.failure:
            raise listing.failure
        if not was_stopped and not self._is_there():
            raise StorageError('error_archive_damaged', folder=str(self._db.path.parent))
        report = self._report()
        self._told(report)
        return report

    def _fetch_passed_over(self, fetch: Callable[[], None]) -> None:
        """Fetch what came again at its old place, behind which the stream was already."""
        done = -1
        while done < self._done and not (self._stop.is_set() or self._trouble):
            done = self._done
            fetch()

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told_at > _TOLD_SECONDS:
            self._told_at = time.monotonic()
            self._told(self._report())

    def _report(self) -> JobReport:
        job = jobs.find(self._db, self._job.id) or self._job
        seconds = time.monotonic() - self._began
        progress = jobs.progress(self._db, job.id) if self._is_there() else jobs.Progress()
        return JobReport(
            job,
            self._wanted,
            progress,
            self._size,
            seconds,
            tuple(self._aside),
            self._trouble,
            self._saved,
            self._naming.were_places_unknown,
            self._bringer.annotator.causes,
        )

    def note_folder(self) -> None:
        """Note where files go, beside the archive. Raises StorageError."""
        by_index = not self._naming.template.names_pictures
        folders.note(self._db.path, self._job.folder, numbers_are_ids=not by_index)

    def fetch_waiting(self) -> None:
        """Fetch all pictures that are listed and not there, in one stream over the pages."""
        while not self._fetched(self._places()):
            pass

    def _places(self) -> int:
        return self._given or setting.gallery_max_concurrent_downloads

    def _fetched(self, at_once: int) -> bool:
        """Fetch them; False if that was left off because more or fewer are to be at once now."""
        bringer = self._bringer
        keeping = batch.keep_each(self._waiting(), bringer.bring, at_once, bringer.finish)
        with closing(keeping) as groups:
            for group in groups:
                self._note(group)
                self._tell_now_and_then()
                if self._trouble:
                    return True
                if at_once != self._places() and not self._stop.is_set():
                    return False
        return True

    def _waiting(self) -> Iterator[tuple[jobs.Listed, DownloadJob]]:
        """Yield the pictures to fetch; those that are known to be gone are noted so.

        Before them come those that are there and lack something beside them.
        """
        if not self._is_complete_beside:
            for one in self._bringer.lacking(self._job.id):
                if self._stop.is_set():
                    return
                yield one, replace(
                    batch.image_job(one.image, one.path), path=one.path, present=True
                )
            self._is_complete_beside = True
        last = 0
        while some := jobs.listed(self._db, self._job.id, jobs.TO_DO, last, _AT_ONCE):
            for start in range(0, len(some), _PLANNED_AT_ONCE):
                for pair in self._planned(some[start : start + _PLANNED_AT_ONCE]):
                    if self._stop.is_set():
                        return
                    yield pair
            last = some[-1].place
            self._ahead.pass_on()

    def _planned(self, some: Sequence[jobs.Listed]) -> list[tuple[jobs.Listed, DownloadJob]]:
        """Plan these, and look where they may lie; the threads would wait for each other to ask."""
        gone = pictures.gone(self._db, [one.image.id for one in some])
        self._were_gone |= gone
        lost = [one for one in some if one.image.id in gone and not one.tries]
        with self._noting():
            states = [replace(one, state=jobs.GONE) for one in lost]
            places.note_outcomes(self._db, self._job.id, states)
        found = [
            (one, self._naming.plan(one)) for one in some if one.image.id not in gone or one.tries
        ]
        self._bringer.expect(found)
        return found

    def _note(self, group: Sequence[tuple[jobs.Listed, DownloadResult]]) -> None:
        """Note what became of pictures, together: each transaction takes a while."""
        with self._noting():
            done = [one for one in (self._ended(*pair) for pair in group) if one is not None]
            places.note_outcomes(self._db, self._job.id, done)
            saved.note(self._db, self._files)
            self._bringer.annotator.keep()
        self._done += len(done)
        self._files.clear()

    def _ended(self, one: jobs.Listed, result: DownloadResult) -> jobs.Listed | None:
        """Return a picture with what became of it, None if it is still to be done.

        Its file is among those to be noted.
        """
        if one.state in (jobs.SAVED, jobs.ALREADY):
            return None  # it was there, and only what stands beside it was looked after
        state, path = _STATES[result.outcome], Path(result.path)
        was_saved_before = self._bringer.forget(one)
        self._aside += result.aside
        if state == jobs.FAILED and self._stop.is_set():
            return None  # it was cut off
        is_new_there = result.outcome is Outcome.SKIPPED and not result.job.present
        by_its_name = self._naming.template.names_pictures
        if is_new_there and not self._naming.is_picture(one, path, by_its_name):
            self._naming.look_again()  # another program gave this name away meanwhile
            return None
        if isinstance(result.error, StorageError) and result.error.key in NOTHING_CAN_BE_SAVED:
            self._trouble = result.error
            return None
        if was_saved_before and state == jobs.SAVED:
            state = jobs.ALREADY
        if isinstance(result.error, _GONE) and not isinstance(result.error, BarredError):
            state = jobs.GONE
        if state in (jobs.SAVED, jobs.ALREADY):
            with suppress(OSError):
                if known := self._bringer.note_of(one, result):
                    self._files.append(known)
                    self._size += known.size if state == jobs.SAVED else 0
        self._saved += state == jobs.SAVED
        if state == jobs.GONE or one.image.id in self._were_gone:
            pictures.note_gone(self._db, [one.image.id], state == jobs.GONE)
        return replace(one, state=state, path=result.path, cause=result.error)
