"""The jobs of this process: whole galleries kept one after another, in the background.

A job that this process is asked for is noted in the archive first, so nothing is lost with the
process: what did not end stands as interrupted then, and goes on when told.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Mapping

from .. import forks, notices, setting
from ..archive import jobs, place, saved
from ..archive.database import Database
from ..errors import CivitaiError
from ..http_client import get_http_client
from . import beginning, presence, whole
from .running import Running
from .standing import ELSEWHERE, INTERRUPTED, Standing, standing_of, state_of, unwritten_told
from .wanted import Wanted

log = logging.getLogger(__name__)

# How long somebody waits who stops a job, or ends the program, until it has stopped.
PATIENCE_SECONDS = 3.0
# How often it is asked how a job stands that another program is at.
LOOK_AGAIN_SECONDS = 1.0


class JobQueue:
    """Carries out jobs one after another, in one thread at a time; for all threads.

    What is not possible is refused with a CivitaiError whose sentence says why.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock()
        self._waiting: list[int] = []
        self._now: Running | None = None
        self._thread: threading.Thread | None = None
        self._troubles: dict[int, CivitaiError] = {}
        self._unwritten: dict[int, Mapping[str, int]] = {}  # see JobReport
        self._known: dict[int, tuple[object, float, Standing]] = {}
        self._has_begun = self._is_over = self._is_watched = False
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the jobs to the parent, whose threads are at them."""
        self._waiting, self._now, self._thread = [], None, None
        self._is_watched = False

    # -- what a person wants ----------------------------------------------------------------------

    def add(self, wanted: Wanted, folder: Path | None = None) -> int:
        """Have what is `wanted` kept in `folder`; return the id of the job, at once.

        Without `folder` it is one of the gallery's own in the download folder. A job for the same
        that has not ended is gone on with. Raises CivitaiError if there is no such gallery or base
        model, which is asked of Civitai, or the folder cannot be written.
        """
        presence.check_writable(folder or setting.download_folder())
        client = get_http_client().for_a_person()
        gallery = beginning.opened(client, wanted)
        beginning.check_base_models(client, gallery, wanted)
        db = place.archive()
        self._let_end(db)
        with self._lock:
            job_id = beginning.begin_with(db, gallery, wanted, folder)
            if not jobs.is_held(db, job_id):
                self._put(db, job_id)
        return job_id

    def resume(self, job_id: int) -> None:
        """Have a job go on that rests for whatever reason. Raises CivitaiError."""
        db = place.archive()
        self._let_end(db)
        with self._lock:
            if not self._is_ours(job_id):
                self._check_free(db, job_id)
                self._put(db, job_id)

    def retry(self, job_id: int) -> None:
        """Have what failed in a job done again, pictures and pages. Raises CivitaiError."""
        db = place.archive()
        self._let_end(db)
        with self._lock:
            self._check_free(db, job_id)
            beginning.again(db, job_id)
            self._put(db, job_id)

    def pause(self, job_id: int) -> None:
        """Have a job rest until it is resumed, after a restart too. Raises CivitaiError."""
        self._end_as(job_id, jobs.PAUSED)

    def cancel(self, job_id: int) -> None:
        """Have a job end as it is: its files stay, only `resume` goes on. Raises CivitaiError."""
        self._end_as(job_id, jobs.CANCELLED)

    def forget(self, job_id: int) -> None:
        """Take a job off the list, stopped if it runs; its files stay. Raises CivitaiError."""
        self._end_as(job_id, jobs.CANCELLED)
        db = place.archive()
        with self._lock:
            self._check_free(db, job_id)
            jobs.remove(db, job_id)
            self._troubles.pop(job_id, None)
            self._known.pop(job_id, None)

    def standing(self) -> list[Standing]:
        """Return how all jobs stand, the oldest first; cheap enough for twice a second.

        Raises StorageError.
        """
        db = place.archive()
        return [self._standing(db, job) for job in jobs.every(db)]

    # -- begin and end ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Go on with what was interrupted, if the setting says so; only the first call counts.

        To be called when a program starts, and after Reload UI, which finds the jobs running.
        """
        with self._lock:
            is_first, self._has_begun = not self._has_begun, True
        if not (is_first and setting.gallery_jobs_go_on):
            return
        try:
            db = place.archive()
            for job in jobs.every(db):
                if self._state(db, job) == INTERRUPTED:
                    with self._lock:
                        self._put(db, job.id)
        except CivitaiError as error:
            log.warning('%s', error.message_in(setting.language))

    def end(self) -> None:
        """Stop for good: what runs or waits is interrupted, and goes on when told."""
        with self._lock:
            self._is_over = True
            self._waiting.clear()
            now, thread = self._now, self._thread
        if now is not None:
            now.end_as(jobs.WAITING)
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE_SECONDS)

    # -- inside -----------------------------------------------------------------------------------

    def _is_ours(self, job_id: int) -> bool:
        """Whether this process runs the job or is going to."""
        now = self._now
        runs = now is not None and now.job_id == job_id and not now.stop.is_set()
        return runs or job_id in self._waiting

    def _let_end(self, db: Database) -> None:
        """Wait for a run that is noted as ended: it lets go of its job a moment later."""
        with self._lock:
            now, thread = self._now, self._thread
        job = jobs.find(db, now.job_id) if now is not None else None
        if thread is not None and job is not None and job.state == jobs.ENDED:
            thread.join(PATIENCE_SECONDS)

    def _check_free(self, db: Database, job_id: int) -> None:
        """Raise CivitaiError if there is no such job, or somebody is at it."""
        job = jobs.find(db, job_id)
        if job is None:
            raise CivitaiError('cli_no_such_job', job=job_id)
        if self._now is not None and self._now.job_id == job_id:
            if not self._now.stop.is_set():
                raise CivitaiError('job_at_work', job=job_id)
        elif jobs.is_held(db, job_id):
            raise CivitaiError('cli_job_held', job=job_id)

    def _put(self, db: Database, job_id: int) -> None:
        """Have a job carried out when it is its turn. The lock is held."""
        if self._is_over or self._is_ours(job_id):
            return
        jobs.set_state(db, job_id, jobs.WAITING)
        self._troubles.pop(job_id, None)
        self._waiting.append(job_id)
        if self._thread is None:
            self._next()

    def _end_as(self, job_id: int, state: str) -> None:
        db = place.archive()
        with self._lock:
            now = self._now if self._now is not None and self._now.job_id == job_id else None
            if now is None:
                self._check_free(db, job_id)
            if job_id in self._waiting:
                self._waiting.remove(job_id)
            # one that has ended meanwhile stays so
            unended = (jobs.WAITING, jobs.RUNNING, jobs.PAUSED, jobs.STOPPED, jobs.CANCELLED)
            jobs.set_state(db, job_id, state, instead_of=unended)
            thread = self._thread
        if now is not None and thread is not None:
            now.end_as(state)
            thread.join(PATIENCE_SECONDS)

    def _next(self) -> None:
        """Begin with the next job, if there is one. The lock is held."""
        self._now = self._thread = None
        if self._waiting and not self._is_over:
            now = self._now = Running(self._waiting.pop(0))
            # not a daemon: the interpreter waits until part files are cleared away
            self._thread = threading.Thread(
                target=self._carry_out, args=(now,), name='civitai-gallery-job', daemon=False
            )
            self._thread.start()
            if not self._is_watched:
                self._is_watched = True
                watch = threading.Thread(
                    target=self._end_with_program, name='civitai-gallery-end', daemon=True
                )
                watch.start()

    def _end_with_program(self) -> None:
        threading.main_thread().join()
        self.end()

    def _carry_out(self, now: Running) -> None:
        """Carry a job out, then the next one, whatever became of it."""
        db = place.archive()
        try:
            job = jobs.find(db, now.job_id)
            # another program may have done with it, or a person
            if job is not None and job.state in (jobs.WAITING, jobs.RUNNING):
                presence.check_writable(job.folder)
                self._run(db, now)
        except CivitaiError as error:
            log.warning('Job %d: %s', now.job_id, error)
            self._troubles[now.job_id] = error
            with suppress(
                CivitaiError
            ):  # where even that cannot be noted, it stands as interrupted
                jobs.set_state(db, now.job_id, jobs.STOPPED, (jobs.WAITING, jobs.RUNNING))
        finally:
            with self._lock:
                if self._now is now:
                    self._next()

    def _run(self, db: Database, now: Running) -> None:
        now.size_before = saved.size_of_job(db, now.job_id)
        try:
            with notices.going_to(now.noticed):
                report = whole.run(db, get_http_client(), now.job_id, now.stop, now.told)
            if report is not None:
                self._unwritten[now.job_id] = report.unwritten
                if report.trouble is not None:
                    raise report.trouble
        finally:
            now.note_end(db)

    def _standing(self, db: Database, job: jobs.Job) -> Standing:
        now = self._now
        state = self._state(db, job)
        trouble = self._troubles.get(job.id)
        if now is not None and now.job_id == job.id and state == jobs.RUNNING:
            told = now.standing(db, state)
            if told is not None:
                return told
        at, known = time.monotonic(), self._known.get(job.id)
        what = (state, job.state, job.changed_at, setting.language)
        changes = state in (ELSEWHERE, jobs.RUNNING)
        if known is None or known[0] != what or (changes and at > known[1] + LOOK_AGAIN_SECONDS):
            known = self._known[job.id] = (what, at, standing_of(db, job))
        why = trouble.message_in(setting.language) if trouble else ''
        unwritten = unwritten_told(self._unwritten.get(job.id, {}))
        return replace(
            known[2],
            state=state,
            trouble=why,
            ahead=self._ahead_of(job.id),
            notes=(*known[2].notes, *unwritten),
        )

    def _ahead_of(self, job_id: int) -> int:
        """How many other jobs of this process come before one that waits."""
        waiting, now = list(self._waiting), self._now
        if job_id not in waiting:
            return 0
        # its own run from before may have yet to stop
        return waiting.index(job_id) + (now is not None and now.job_id != job_id)

    def _state(self, db: Database, job: jobs.Job) -> str:
        """The state of a job as it is seen from here."""
        if self._is_ours(job.id):
            return job.state
        if job.state == jobs.WAITING:
            return INTERRUPTED
        state = state_of(db, job)
        return ELSEWHERE if state == jobs.RUNNING else state


_queue = JobQueue()


def job_queue() -> JobQueue:
    """Return the queue of this process."""
    return _queue
