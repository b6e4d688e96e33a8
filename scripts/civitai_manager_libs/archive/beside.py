"""Files that we wrote beside pictures, so that they are known again as ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterable, Iterator, Mapping

from . import jobs, pictures
from .database import Database

_AT_ONCE = 200


def note(db: Database, written: Mapping[Path, str]) -> None:
    """Note what was written, by its path the SHA256 of its content. Raises StorageError."""
    rows = [(os.fsencode(path.absolute()), sha256) for path, sha256 in written.items()]
    with db.writing() as connection:
        connection.executemany('INSERT OR REPLACE INTO beside VALUES (?, ?)', rows)


def known(db: Database, paths: Iterable[Path]) -> set[str]:
    """Return the SHA256 of what was written to these paths. Raises StorageError."""
    ask = 'SELECT sha256 FROM beside WHERE path = ?'
    with db.reading() as connection:
        rows = (connection.execute(ask, (os.fsencode(p.absolute()),)).fetchone() for p in paths)
        return {row[0] for row in rows if row}


def of_job(db: Database, job_id: int) -> Iterator[list[tuple[jobs.Listed, str]]]:
    """Yield the pictures that a job kept, some at a time, by place.

    Each with what became of the prompt that was to go into it, see `saved.SavedFile`. Of a job that
    begins anew none, as all come again once Civitai has answered. Raises StorageError.
    """
    last = 0
    while True:
        with db.reading() as connection:
            rows = connection.execute(
                "SELECT place, listed.picture_id, lane, state, path, coalesce(embedded, '') "
                'FROM listed LEFT JOIN saved USING (path) WHERE job_id = ? AND place > ? '
                f"AND state IN ('{jobs.SAVED}', '{jobs.ALREADY}') "
                'AND NOT (SELECT begins_anew FROM jobs WHERE jobs.id = job_id) '
                f'ORDER BY place LIMIT {_AT_ONCE}',
                (job_id, last),
            ).fetchall()
            images = pictures.find(db, [row[1] for row in rows])
        if not rows:
            return
        yield [
            (jobs.Listed(place, images[number], lane, state, os.fsdecode(path)), embedded)
            for place, number, lane, state, path, embedded in rows
            if number in images
        ]
        last = rows[-1][0]
