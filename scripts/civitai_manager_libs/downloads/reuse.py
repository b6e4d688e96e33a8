"""Pictures that were saved before: used again instead of fetched, and noted for the next time."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping

from ..archive import saved
from ..archive.database import Database
from ..errors import StorageError
from ..store import files, names
from . import elsewhere
from .plan import DownloadResult, Fetch, Outcome

log = logging.getLogger(__name__)


def bring(there: Iterable[Path], path: str) -> bool:
    """Link or copy to `path` the first of the files `there` that can be; False if none can."""
    for known in there:
        try:
            files.link_or_copy(known, Path(path))
        except StorageError as error:
            log.info('%s cannot be used again: %s', known, error)
        else:
            return True
    return False


class Shelf:
    """What the archive knows, beside downloads that need no archive.

    One that cannot be used is logged and stands in the way of nothing. `ids` has the ids of the
    pictures by their addresses, as far as they are known.
    """

    def __init__(self, archive: Callable[[], Database], ids: Mapping[str, int]) -> None:
        self._archive = archive
        self._ids = ids
        self._used_again: set[str] = set()

    def before(self, fetch: Fetch) -> Fetch:
        """Return what looks here first, and has `fetch` fetch what is not here."""

        def look_first(url: str, path: str) -> bool:
            try:
                found = bool(path) and bring(self._known(url), path)
            except StorageError as error:
                log.warning('Not looked up in the archive: %s', error)
                found = False
            if found:
                self._used_again.add(url)
            return found or fetch(url, path)

        return look_first

    def noted(
        self, results: Iterable[tuple[int, DownloadResult]]
    ) -> Iterator[tuple[int, DownloadResult]]:
        """Yield `results`, each file noted; one that was used again was there already."""
        for position, result in results:
            if result.outcome is not Outcome.FAILED:
                self._note(result)
            is_old = result.outcome is Outcome.SAVED and result.job.url in self._used_again
            yield position, replace(result, outcome=Outcome.SKIPPED) if is_old else result

    def _known(self, url: str) -> list[Path]:
        number = self._ids.get(url, 0)
        return elsewhere.find(self._archive(), {number: url}, ()).get(number, [])

    def _note(self, result: DownloadResult) -> None:
        url, path = result.job.url, Path(result.path)
        number = self._ids.get(url, 0)
        try:
            db = self._archive()
            stem = names.picture_stem(url)
            known = saved.of_picture(db, number, stem)
            if path.absolute() not in [one.path for one in known]:
                saved.note(db, [saved.looked_at(path, stem, number)])
        except (OSError, StorageError) as error:
            log.warning('%s is not noted in the archive: %s', path, error)
