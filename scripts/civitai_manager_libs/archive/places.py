"""The places that pictures have in a job: given once, and kept when it lists all anew."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from . import jobs
from .database import Database


def begin_anew(db: Database, job_id: int, queries: Sequence[Mapping[str, Any]]) -> None:
    """Have a job list `queries` from their beginnings. Pictures that come again keep their places.

    Raises StorageError.
    """
    with db.writing() as connection:
        for table in ('lanes', 'gaps'):
            connection.execute(f'DELETE FROM {table} WHERE job_id = ?', (job_id,))
        connection.execute(
            "UPDATE listed SET state = ?, path = x'', tries = 0, cause = '' WHERE job_id = ?",
            (jobs.PAST, job_id),
        )
        for query in queries:
            jobs.add_lane(db, job_id, query)
        jobs.set_state(db, job_id, jobs.WAITING)


def lanes_of(db: Database, job_id: int, ids: Iterable[int]) -> dict[int, int]:
    """Return which lane listed each of these pictures first, by id. Raises StorageError."""
    ask = 'SELECT lane FROM listed WHERE job_id = ? AND picture_id = ? AND state != ?'
    with db.reading() as connection:
        found = ((one, connection.execute(ask, (job_id, one, jobs.PAST)).fetchone()) for one in ids)
        return {one: int(row[0]) for one, row in found if row}
