"""Jobs of this process, one after another in the background: begun, stopped, gone on with.

A job is noted in the archive first, so nothing is lost with the process: what did not end stands as
interrupted then, and goes on when told.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Sequence

from .. import forks, setting
from ..archive import jobs, place
from ..archive.database import Database
from ..errors import CivitaiError
from .running import Run
from .standing import ELSEWHERE, INTERRUPTED, state_of

log = logging.getLogger(__name__)

# How long somebody waits who stops a job, or ends the program, until it has stopped.
PATIENCE_SECONDS = 3.0


class JobLine:
    """Carries out jobs one after another, in one thread at a time; for all threads.

    What is not possible is refused with a CivitaiError whose sentence says why. Which jobs these
    are, and how one is carried out, is said by who inherits from it.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock()
        self._waiting: list[int] = []
        self._now: Run | None = None
        self._thread: threading.Thread | None = None
        self._troubles: dict[int, CivitaiError] = {}
        self._has_begun = self._is_over = self._is_watched = False
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the jobs to the parent, whose threads are at them."""
        self._waiting, self._now, self._thread = [], None, None
        self._is_watched = False

    # -- for who inherits ------------------------------------------------------------------------

    def _every(self, db: Database) -> Sequence[jobs.Job]:
        """All jobs of this kind, the oldest first."""
        raise NotImplementedError

    def _begun(self, job_id: int) -> Run:
        """What stands for a job that is to run now."""
        raise NotImplementedError

    def _run(self, db: Database, now: Run, job: jobs.Job) -> None:
        """Carry `job` out until its end, or until `now` is to stop. Raises CivitaiError."""
        raise NotImplementedError

    def _forgotten(self, job_id: int) -> None:
        """Forget what is known of a job that was taken off the list."""

    # -- what a person wants -----------------------------------------------------------------------

    def resume(self, job_id: int) -> None:
        """Have a job go on that rests for whatever reason. Raises CivitaiError."""
        db = place.archive()
        self._let_end(db)
        with self._lock:
            if not self._is_ours(job_id):
                self._check_free(db, job_id)
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
            self._forgotten(job_id)

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
            for job in self._every(db):
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

    def _job(self, db: Database, job_id: int) -> jobs.Job | None:
        return next((job for job in self._every(db) if job.id == job_id), None)

    def _is_ours(self, job_id: int) -> bool:
        """Whether this process runs the job or is going to."""
        now = self._now
        runs = now is not None and now.job_id == job_id and not now.stop.is_set()
        return runs or job_id in self._waiting

    def _let_end(self, db: Database) -> None:
        """Wait for a run that is noted as ended: it lets go of its job a moment later."""
        with self._lock:
            now, thread = self._now, self._thread
        job = self._job(db, now.job_id) if now is not None else None
        if thread is not None and job is not None and job.state == jobs.ENDED:
            thread.join(PATIENCE_SECONDS)

    def _check_free(self, db: Database, job_id: int) -> None:
        """Raise CivitaiError if there is no such job, or somebody is at it."""
        job = self._job(db, job_id)
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
            now = self._now = self._begun(self._waiting.pop(0))
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

    def _carry_out(self, now: Run) -> None:
        """Carry a job out, then the next one, whatever became of it."""
        db = place.archive()
        try:
            job = self._job(db, now.job_id)
            # another program may have done with it, or a person
            if job is not None and job.state in (jobs.WAITING, jobs.RUNNING):
                self._run(db, now, job)
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
            with self._lock:  # it may have been put in line, or have ended, since it was read
                is_ours, state = self._is_ours(job.id), jobs.state_now(db, job.id)
            return state if is_ours or state not in (jobs.WAITING, '') else INTERRUPTED
        state = state_of(db, job)
        return ELSEWHERE if state == jobs.RUNNING else state
