"""The pictures of a job: each brought from where it is, with what is to be written into it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Mapping, Sequence

from .. import forks
from ..archive import beside, jobs, saved
from ..archive.database import Database
from ..errors import StorageError
from ..http_client import CivitaiHttpClient
from ..store import names
from ..store.embed import Embedded
from . import elsewhere, reuse
from .annotating import Annotator, Manner, looked_at
from .plan import DownloadJob, DownloadResult, Outcome
from .wanted import as_kept


class Bringer:
    """Brings and finishes the pictures of one job; `bring`, `finish` in any thread."""

    def __init__(
        self,
        db: Database,
        client: CivitaiHttpClient,
        former: Sequence[Path],
        manner: Manner,
        stop: threading.Event,
    ) -> None:
        self._db = db
        self._client = client
        self._former = former
        self._stop = stop
        self.annotator = Annotator(lambda: db, client, manner, stop)
        # by place, until the outcome is noted
        self._brought: dict[int, saved.SavedFile] = {}
        self._linked: dict[int, str] = {}  # the SHA-256 of the bytes as they came, '' if unknown
        self._known: dict[int, Mapping[Path, str]] = {}  # by id

    def expect(self, some: Sequence[tuple[jobs.Listed, DownloadJob]]) -> None:
        """Look where these may lie and what their models are called; all together.

        Raises StorageError.
        """
        absent = {one.image.id: job.url for one, job in some if not job.present}
        as_came = not self.annotator.embeds
        found = elsewhere.find(self._db, absent, self._former, as_came=as_came)
        self._known.update(found)
        self.annotator.expect([one.image for one, job in some if not job.present])

    def bring(self, one: jobs.Listed, url: str, path: str) -> bool:
        """Link or copy what was saved before, whatever it is called there; else fetch it."""
        known = self._known.get(one.image.id, {})
        there = reuse.bring(known, path)
        if there is not None:
            self._linked[one.place] = known[there]
            return True
        return bool(self._client.fetch_file(url, path, cancel=self._stop))

    def finish(self, one: jobs.Listed, part: Path, final: Path) -> None:
        """Write into `part` what is to be in it before it is called `final`.

        Where both are one, the picture has its name, and what is to stand beside it is written.
        """
        brought = self._brought.get(one.place)
        if part == final and brought is not None:
            self.annotator.write_beside(one.image, final, outcome_of(brought))
        elif part == final:  # it was there before
            with suppress(StorageError):
                if noted := saved.at(self._db, final):
                    self.annotator.complete(one.image, final, outcome_of(noted))
                else:  # what stands beside it may be of ours, and not noted either
                    outcome = self.annotator.foreseen(one.image, final)
                    self.annotator.write_beside(one.image, final, outcome)
        else:
            draft = self.annotator.embed(one.image, part)
            with suppress(OSError):  # here, because many threads can do so at once
                stem, came = names.picture_stem(one.image.url), self._linked.get(one.place)
                self._brought[one.place] = looked_at(part, one.image.id, stem, draft, came)

    def forget(self, one: jobs.Listed) -> bool:
        """Forget what was known of a picture that ended; tell whether it was saved before."""
        self._known.pop(one.image.id, None)
        return self._linked.pop(one.place, None) is not None

    def note_of(self, one: jobs.Listed, result: DownloadResult) -> saved.SavedFile | None:
        """Return what is to be noted of the file of a picture that is there, None if it was.

        Raises OSError.
        """
        brought, path = self._brought.pop(one.place, None), Path(result.path)
        if result.outcome is Outcome.SAVED and brought is not None:
            return replace(brought, path=path.absolute())  # it was only renamed since
        noted = saved.at(self._db, path.absolute()) if result.outcome is Outcome.SKIPPED else None
        # what is noted stays, even if somebody changed the file: `verify` tells
        if noted is not None and (result.job.present or noted.is_there):
            return None
        return saved.found(path, names.picture_stem(one.image.url), one.image.id)

    def lacking(self, job_id: int) -> Iterator[jobs.Listed]:
        """Yield the pictures that are there and lack something beside them. Raises StorageError."""
        for some in beside.of_job(self._db, job_id):
            for one, embedded in some:
                if self.annotator.lacks(Path(one.path), Embedded.__members__.get(embedded)):
                    yield one


def lacks(db: Database, client: CivitaiHttpClient, job: jobs.Job, refreshes: bool) -> bool:
    """Tell whether a run would write something beside pictures that are there.

    Raises StorageError.
    """
    wanted = as_kept(job.asked)
    manner = Manner(wanted.embeds, wanted.sidecars, refreshes)
    bringer = Bringer(db, client, (), manner, forks.Event())
    return next(bringer.lacking(job.id), None) is not None


def outcome_of(noted: saved.SavedFile | None) -> Embedded | None:
    """Return what became of the text that was to go into a file, None if none was."""
    return Embedded.__members__.get(noted.embedded) if noted else None
