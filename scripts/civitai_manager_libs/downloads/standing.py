"""How far the job of a whole gallery is, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from ..archive import jobs
from .wanted import Wanted


@dataclass(frozen=True)
class JobReport:
    """How far a job is, or what became of it.

    Of this run: `size` (bytes fetched), `seconds`, and `aside`, where files are now that had a
    picture's name without being it.
    """

    job: jobs.Job
    wanted: Wanted
    progress: jobs.Progress
    size: int = 0
    seconds: float = 0.0
    aside: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether each picture wanted is there, or gone with proof, and nothing is unknown."""
        left = self.progress.count(jobs.TO_DO) + self.progress.count(jobs.FAILED)
        return self.is_all_known and not left

    @property
    def is_all_known(self) -> bool:
        """Whether all that is wanted was listed."""
        progress, limit = self.progress, self.wanted.limit
        listed = progress.is_listed or (limit and progress.found >= limit)
        return bool(listed) and not progress.gaps
