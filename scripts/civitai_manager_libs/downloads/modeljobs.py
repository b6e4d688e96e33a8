"""The model files of this process, fetched one after another in the background."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Sequence

from .. import notices, setting
from ..archive import jobs, models as model_jobs, place
from ..archive.database import Database
from ..archive.models import ModelJob
from ..civitai.modelfiles import Choice
from ..errors import CancelledError
from ..http_client import background, get_http_client
from . import getting
from .getting import Planned
from .line import JobLine
from .running import RATE_SECONDS, Run


@dataclass(frozen=True)
class ModelStanding:
    """How the job of a model file stands, for a person; sentences are in the setting's language.

    `state` is one of archive.jobs, or of `standing`: INTERRUPTED, ELSEWHERE, FAILED. `trouble` is
    why it failed last, '' if it did not. `ahead` is how many come before one that waits. Only of
    one that runs here: `rate` (bytes a second, lately), `seconds_left` (None if nobody can say),
    `waiting`, and `is_settling`: the file is there, what belongs beside it is yet to come.
    """

    job: ModelJob
    state: str
    trouble: str = ''
    ahead: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    waiting: str = ''
    is_settling: bool = False

    @property
    def job_id(self) -> int:
        """The number of the job."""
        return self.job.id


class RunningModel(Run):
    """A model file that is being fetched here: how fast, and what it waits for."""

    def __init__(self, job_id: int) -> None:
        super().__init__(job_id)
        self.job: ModelJob | None = None
        self._came: deque[tuple[float, int]] = deque()  # when, how many bytes were there

    def told(self, job: ModelJob) -> None:
        """Take over how far it is."""
        self.job = job
        self._came.append((time.monotonic(), job.done))
        while len(self._came) > 2 and self._came[1][0] < time.monotonic() - RATE_SECONDS:
            self._came.popleft()

    @property
    def rate(self) -> float:
        """Bytes a second, lately."""
        came = list(self._came)
        if len(came) < 2:
            return 0.0
        return (came[-1][1] - came[0][1]) / max(time.monotonic() - came[0][0], 0.001)


class ModelQueue(JobLine):
    """Fetches model files one after another."""

    # -- what a person wants -----------------------------------------------------------------------

    def plan(self, version_id: int, choice: Choice = Choice(), **wishes: Any) -> Planned:
        """Return what would be fetched, and where to, as `getting.plan`. Raises CivitaiError."""
        return getting.plan(get_http_client().for_a_person(), version_id, choice, **wishes)

    def add(self, planned: Planned, takes_suspect: bool = False) -> int:
        """Have what is `planned` fetched; return the id of the job, at once.

        A job for the same that has not ended is gone on with. Raises StorageError.
        """
        db = place.archive()
        with self._lock:
            job_id = getting.begin(db, planned, takes_suspect)
            is_at_it = self._now is not None and self._now.job_id == job_id
        if is_at_it:  # with what lies beside the file, maybe
            self._let_end(db)
        with self._lock:
            if not jobs.is_held(db, job_id):
                self._put(db, job_id)
        return job_id

    def cancel(self, job_id: int) -> None:
        """Have a job end, and take away what came of its file. Raises CivitaiError."""
        super().cancel(job_id)
        getting.abandon(place.archive(), job_id)

    def forget(self, job_id: int) -> None:
        """Take a job off the list; a file that is whole stays. Raises CivitaiError."""
        self.cancel(job_id)
        super().forget(job_id)

    def standing(self) -> list[ModelStanding]:
        """Return how all jobs stand, the oldest first. Raises StorageError."""
        db = place.archive()
        return [self._standing(db, job) for job in model_jobs.every(db)]

    # -- inside ------------------------------------------------------------------------------------

    def _every(self, db: Database) -> Sequence[jobs.Job]:
        return model_jobs.every(db)

    def _begun(self, job_id: int) -> Run:
        return RunningModel(job_id)

    def _run(self, db: Database, now: Run, job: jobs.Job) -> None:
        assert isinstance(now, RunningModel)
        try:
            with notices.going_to(now.noticed), background.work(), suppress(CancelledError):
                getting.run(db, get_http_client(), job.id, now.stop, now.told)
        finally:
            now.note_end(db)

    def _standing(self, db: Database, job: ModelJob) -> ModelStanding:
        now, state = self._now, self._state(db, job)
        if isinstance(now, RunningModel) and now.job_id == job.id and now.job is not None:
            if state == jobs.RUNNING and not now.job.has_come:
                rate, here = now.rate, now.job
                left = (here.size - here.done) / rate if rate and here.size else None
                return ModelStanding(here, state, '', 0, rate, left, now.waiting)
        cause = None if job.state == jobs.ENDED else self._troubles.get(job.id) or job.cause
        why = cause.message_in(setting.language) if cause else ''
        is_settling = state == jobs.RUNNING and job.has_come
        ahead = self._ahead_of(job.id)
        return ModelStanding(job, state, why, ahead, is_settling=is_settling)


_queue = ModelQueue()


def model_queue() -> ModelQueue:
    """Return the queue of this process."""
    return _queue
