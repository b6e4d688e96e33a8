"""What a job kept, page by page: each picture with its file, as long as that is there."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterator

from ..civitai.gallery import GalleryImage, is_allowed
from ..store import files
from . import jobs, pictures, saved
from .database import Database

_AT_ONCE = 100
_IS_KEPT = f"state IN ('{jobs.SAVED}', '{jobs.ALREADY}')"


@dataclass(frozen=True)
class KeptPicture:
    """A picture of a job and its file, whose path has no links left in it."""

    image: GalleryImage
    file: saved.SavedFile


@dataclass(frozen=True)
class KeptPage:
    """Some pictures of a job; `following` is the place behind which the next begins, 0: none does.

    Left out are `hidden` pictures, above the maturity ceiling, and `missing` ones, whose file was
    moved, changed or deleted, or does not lie in the job's folder.
    """

    pictures: tuple[KeptPicture, ...] = ()
    following: int = 0
    hidden: int = 0
    missing: int = 0


def count(db: Database, job_id: int) -> int:
    """Return how many pictures a job kept. Raises StorageError."""
    with db.reading() as connection:
        ask = f'SELECT count(*) FROM listed WHERE job_id = ? AND {_IS_KEPT}'
        return int(connection.execute(ask, (job_id,)).fetchone()[0])


def page(db: Database, job: jobs.Job, after: int, limit: int, levels: int) -> KeptPage:
    """Return the pictures of `job` behind place `after`, at most `limit` of those in `levels`.

    Raises StorageError.
    """
    found: list[KeptPicture] = []
    hidden = missing = 0
    for place, image, path in _kept(db, job.id, after):
        if not is_allowed(image.level, levels):
            hidden += 1
            continue
        file = _served(db, job.folder, path)
        if file is None:
            missing += 1
        elif len(found) == limit:
            return KeptPage(tuple(found), place - 1, hidden, missing)
        else:
            found.append(KeptPicture(image, file))
    return KeptPage(tuple(found), 0, hidden, missing)


def find(db: Database, job: jobs.Job, picture_id: int) -> saved.SavedFile | None:
    """Return the file of one picture of `job`, None if it is not there. Raises StorageError."""
    with db.reading() as connection:
        row = connection.execute(
            f'SELECT path FROM listed WHERE job_id = ? AND picture_id = ? AND {_IS_KEPT}',
            (job.id, picture_id),
        ).fetchone()
    return _served(db, job.folder, os.fsdecode(row[0])) if row else None


def _kept(db: Database, job_id: int, after: int) -> Iterator[tuple[int, GalleryImage, str]]:
    """Yield place, picture and path of what a job kept behind place `after`."""
    while True:
        with db.reading() as connection:
            rows = connection.execute(
                'SELECT place, picture_id, path FROM listed '
                f'WHERE job_id = ? AND place > ? AND {_IS_KEPT} ORDER BY place LIMIT {_AT_ONCE}',
                (job_id, after),
            ).fetchall()
            images = pictures.find(db, [row[1] for row in rows])
        if not rows:
            return
        for place, number, path in rows:
            if number in images:
                yield place, images[number], os.fsdecode(path)
        after = rows[-1][0]


def _served(db: Database, folder: Path, path: str) -> saved.SavedFile | None:
    """Return the file at `path` if it is the one that was noted, and lies in `folder`."""
    noted = saved.at(db, Path(path))
    if noted is None or not noted.is_there or not files.is_inside(path, folder):
        return None
    real = Path(os.path.realpath(path))
    kind = files.media_type(real)
    return None if kind is None else replace(noted, path=real)
