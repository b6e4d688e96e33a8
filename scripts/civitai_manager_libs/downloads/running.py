"""One job that runs in this process: how it is stopped, how fast it is, what it waits for."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import replace
from typing import Any, Mapping

from .. import forks, setting, texts
from ..archive import jobs
from ..archive.database import Database
from .standing import JobReport, Standing, told_of

RATE_SECONDS = 5.0  # the rate is that of the last seconds
WAITS = ('notice_asked_to_wait', 'notice_waiting', 'notice_refuses', 'notice_slow')


def which_try(values: Mapping[str, Any], passed: float = 0) -> str:
    """Return which try follows and when there are no more, `passed` seconds after it was told.

    '' if nobody knows. Where time ends the tries, their number is no promise.
    """
    if not values.get('attempt'):
        return ''
    if 'left' not in values:
        return texts.text('wait_try', setting.language, **values)
    left = math.ceil(values['left'] - passed)
    return texts.text('wait_try_until', setting.language, **{**values, 'left': left})


class Waiting:
    """What a job waits for, as far as that was told; a wait is forgotten once it is over."""

    def __init__(self) -> None:
        self._last: tuple[str, Mapping[str, Any], float] = ('', {}, -math.inf)

    def noticed(self, key: str, values: Mapping[str, Any]) -> None:
        """Take over what somebody who looks is told."""
        if key in WAITS:
            over = time.monotonic() + float(values.get('seconds') or 0)
            self._last = (key, values, over)

    @property
    def sentence(self) -> str:
        """The sentence that says what is waited for now, '' if nothing."""
        key, values, over = self._last
        left = math.ceil(over - time.monotonic()) if key else 0
        if left <= 0:
            return ''
        told = texts.text(key, setting.language, **{**values, 'seconds': left})
        passed = float(values['seconds']) - left
        return f'{told} {which_try(values, passed)}'.strip()


class Speeds:
    """How fast something comes, lately."""

    def __init__(self) -> None:
        self._told_at: deque[tuple[float, int, int]] = deque()  # when, bytes, pictures

    def told(self, size: int, pictures: int) -> None:
        """Take over how many bytes and pictures have come by now."""
        now = time.monotonic()
        self._told_at.append((now, size, pictures))
        while len(self._told_at) > 2 and self._told_at[1][0] < now - RATE_SECONDS:
            self._told_at.popleft()

    @property
    def now(self) -> tuple[float, float]:
        """Bytes and pictures a second; until now, so that what stands still gets slow."""
        told = list(self._told_at)
        if len(told) < 2:
            return 0.0, 0.0
        (began, size, done), (_, size_now, done_now) = told[0], told[-1]
        seconds = max(time.monotonic() - began, 0.001)
        return (size_now - size) / seconds, (done_now - done) / seconds


class Run:
    """A job that runs: `stop`, once set, has it end within moments.

    `noticed` is called by the threads of the job.
    """

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        self.stop = forks.Event()
        self._ends_as = ''
        self._waits = Waiting()

    def end_as(self, state: str) -> None:
        """Have the job end within moments, in `state`."""
        self._ends_as = state
        self.stop.set()

    def note_end(self, db: Database) -> None:
        """Note in which state the job was to end, unless it ended by itself or is to go on."""
        if self._ends_as:
            cut_off = (jobs.RUNNING, jobs.STOPPED)
            jobs.set_state(db, self.job_id, self._ends_as, instead_of=cut_off)

    def noticed(self, key: str, values: Mapping[str, Any]) -> None:
        """Take over what somebody who looks is told."""
        self._waits.noticed(key, values)

    @property
    def waiting(self) -> str:
        """The sentence that says what is waited for now, '' if nothing."""
        return self._waits.sentence


class Running(Run):
    """A whole gallery that is kept here.

    `told` is called by the threads of the job, `standing` by any.
    """

    def __init__(self, job_id: int) -> None:
        super().__init__(job_id)
        self.size_before = 0  # bytes that earlier runs saved
        self._report: JobReport | None = None
        self._speeds = Speeds()

    def told(self, report: JobReport) -> None:
        """Take over how far the job is."""
        counts = report.progress
        self._speeds.told(report.size, counts.found - counts.count(jobs.TO_DO))
        self._report = report

    def standing(self, db: Database, state: str) -> Standing | None:
        """Return how the job stands, None if it has told nothing yet. Raises StorageError."""
        report = self._report
        if report is None:
            return None
        rate, pictures = self._speeds.now
        left = report.progress.count(jobs.TO_DO)
        known = report.progress.is_listed or report.is_all_known
        return replace(
            told_of(db, report, state, self.size_before + report.size),
            rate=rate,
            seconds_left=left / pictures if known and pictures else None,
            waiting=self.waiting,
        )
