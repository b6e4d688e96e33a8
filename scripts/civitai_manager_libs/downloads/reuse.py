"""Pictures that were saved before: used again instead of fetched, and noted for the next time."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping

from .. import notices
from ..archive import saved
from ..archive.database import Database
from ..civitai.gallery import GalleryImage
from ..errors import StorageError
from ..store import files, names
from ..store.embed import Embedded
from . import elsewhere
from .annotating import Annotator, looked_at
from .plan import DownloadJob, DownloadResult, Fetch, Outcome

log = logging.getLogger(__name__)


def bring(there: Iterable[Path], path: str) -> Path | None:
    """Link or copy to `path` the first of the files `there` that can be, and return that."""
    for known in there:
        try:
            files.link_or_copy(known, Path(path))
        except StorageError as error:
            log.info('%s cannot be used again: %s', known, error)
        else:
            return known
    return None


class Shelf:
    """What the archive knows, beside downloads that need no archive.

    One that cannot be used is logged and stands in the way of nothing. `images` are the pictures by
    their addresses, as far as they are known; `annotator` writes into those and beside them.
    """

    def __init__(
        self,
        archive: Callable[[], Database],
        images: Mapping[str, GalleryImage],
        annotator: Annotator,
    ) -> None:
        self._archive = archive
        self._images = images
        self._annotator = annotator
        self._used_again: dict[str, str] = {}  # by address, the SHA256 of the bytes as they came
        self._finished: dict[str, saved.SavedFile] = {}  # by address too, as drafts

    def before(self, fetch: Fetch) -> Fetch:
        """Return what looks here first, and has `fetch` fetch what is not here."""

        def look_first(url: str, path: str) -> bool:
            try:
                known = self._known(url) if path else {}
            except StorageError as error:
                log.warning('Not looked up in the archive: %s', error)
                known = {}
            found = bring(known, path)
            if found is None:
                return fetch(url, path)
            self._used_again[url] = known[found]
            return True

        return look_first

    def finish(self, job: DownloadJob, part: Path, final: Path) -> None:
        """Write into `part` what is to be in it before it is called `final`, then beside that."""
        image = self._images.get(job.url)
        if image is None:
            return
        if part == final:
            told = self._finished.get(job.url)
            outcome = Embedded.__members__.get(told.embedded) if told else None
            self._annotator.write_beside(image, final, outcome)
            return
        draft = self._annotator.embed(image, part)
        with suppress(OSError):
            stem, came = names.picture_stem(job.url), self._used_again.get(job.url)
            self._finished[job.url] = looked_at(part, image.id, stem, draft, came)

    def noted(
        self, results: Iterable[tuple[int, DownloadResult]]
    ) -> Iterator[tuple[int, DownloadResult]]:
        """Yield `results`, each file noted; one that was used again was there already.

        Once all are there it is told what could not be written into them or beside them.
        """
        self._annotator.expect(list(self._images.values()))
        try:
            for position, result in results:
                if result.outcome is not Outcome.FAILED:
                    self._note(result)
                is_old = result.outcome is Outcome.SAVED and result.job.url in self._used_again
                yield position, replace(result, outcome=Outcome.SKIPPED) if is_old else result
        finally:
            self._annotator.end()
        for key, count in self._annotator.causes.items():
            notices.tell(key, count=count)

    def _known(self, url: str) -> dict[Path, str]:
        number = self._id_of(url)
        as_came = not self._annotator.embeds
        return elsewhere.find(self._archive(), {number: url}, (), as_came=as_came).get(number, {})

    def _id_of(self, url: str) -> int:
        return self._images[url].id if url in self._images else 0

    def _seen(self, result: DownloadResult, stem: str, number: int) -> saved.SavedFile:
        """What is to be noted of a file, of which nothing is. Raises OSError."""
        url, path = result.job.url, Path(result.path)
        if result.outcome is Outcome.SAVED and url in self._finished:
            return replace(self._finished[url], path=path.absolute())  # it was only renamed since
        if result.outcome is Outcome.SKIPPED:
            return saved.found(path, stem, number)
        return saved.looked_at(path, stem, number)

    def _note(self, result: DownloadResult) -> None:
        url, path = result.job.url, Path(result.path)
        number = self._id_of(url)
        try:
            db = self._archive()
            stem = names.picture_stem(url)
            known = {one.path: one for one in saved.of_picture(db, number, stem)}
            there = known.get(path.absolute())
            if there is None:
                there = self._seen(result, stem, number)
                saved.note(db, [there])
            if url in self._images:
                outcome = Embedded.__members__.get(there.embedded)
                self._annotator.complete(self._images[url], path, outcome)
            self._annotator.keep()
        except (OSError, StorageError) as error:
            log.warning('%s is not noted in the archive: %s', path, error)
