"""The whole galleries of this process, kept one after another in the background."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Mapping, Sequence

from .. import notices, setting, texts
from ..archive import jobs, place, places, saved
from ..archive.database import Database
from ..http_client import get_http_client
from . import beginning, presence, whole
from .line import JobLine
from .running import Run, Running
from .standing import ELSEWHERE, Standing, standing_of, unwritten_told
from .wanted import Wanted

# How often it is asked how a job stands that another program is at.
LOOK_AGAIN_SECONDS = 1.0


class JobQueue(JobLine):
    """Keeps whole galleries one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._unwritten: dict[int, Mapping[str, int]] = {}  # see JobReport
        self._known: dict[int, tuple[object, float, Standing]] = {}

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

    def retry(self, job_id: int) -> None:
        """Have what failed in a job done again, pictures and pages. Raises CivitaiError."""
        db = place.archive()
        self._let_end(db)
        with self._lock:
            self._check_free(db, job_id)
            beginning.again(db, job_id)
            self._put(db, job_id)

    def retry_one(self, job_id: int, picture_id: int) -> None:
        """Have one picture that failed in a job fetched again. Raises CivitaiError."""
        db = place.archive()
        self._let_end(db)
        with self._lock:
            self._check_free(db, job_id)
            places.have_done_again(db, job_id, picture_id=picture_id)
            self._put(db, job_id)

    def standing(self) -> list[Standing]:
        """Return how all jobs stand, the oldest first; cheap enough for twice a second.

        Raises StorageError.
        """
        db = place.archive()
        return [self._standing(db, job) for job in jobs.every(db)]

    # -- inside -----------------------------------------------------------------------------------

    def _every(self, db: Database) -> Sequence[jobs.Job]:
        return jobs.every(db)

    def _begun(self, job_id: int) -> Run:
        return Running(job_id)

    def _forgotten(self, job_id: int) -> None:
        self._known.pop(job_id, None)

    def _run(self, db: Database, now: Run, job: jobs.Job) -> None:
        assert isinstance(now, Running)
        presence.check_writable(job.folder)
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
        if isinstance(now, Running) and now.job_id == job.id and state == jobs.RUNNING:
            told = now.standing(db, state)
            if told is not None:
                return told
        at, known = time.monotonic(), self._known.get(job.id)
        what = (state, job.state, job.changed_at, texts.spoken(setting.language))
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


_queue = JobQueue()


def job_queue() -> JobQueue:
    """Return the queue of this process."""
    return _queue
