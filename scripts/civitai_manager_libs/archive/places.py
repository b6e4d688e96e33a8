"""The places that pictures have in a job; what of it is to be done again."""

from __future__ import annotations

import json
import os
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ..errors import CivitaiError
from . import causes, jobs, saved
from .database import Database

_AT_ONCE = 200


def note_outcomes(db: Database, job_id: int, done: Sequence[jobs.Listed]) -> None:
    """Note what became of pictures of a job, all together. Raises StorageError."""
    rows = [
        (one.state, os.fsencode(one.path), causes.kept(one.cause) if one.cause else '')
        + (job_id, one.place)
        for one in done
    ]
    with db.writing() as connection:
        connection.executemany(
            'UPDATE listed SET state = ?, path = ?, cause = ?, tries = tries + 1 '
            'WHERE job_id = ? AND place = ?',
            rows,
        )


def begin_anew(db: Database, job_id: int, queries: Sequence[Mapping[str, Any]]) -> None:
    """Have a job list `queries` from their beginnings. Pictures that come again keep their places.

    What was listed before stays known until `leave_former`. Raises StorageError.
    """
    with db.writing() as connection:
        for table in ('lanes', 'gaps', 'shortlist'):
            connection.execute(f'DELETE FROM {table} WHERE job_id = ?', (job_id,))
        for query in queries:
            jobs.add_lane(db, job_id, query)
        connection.execute('UPDATE jobs SET begins_anew = 1 WHERE id = ?', (job_id,))
        jobs.set_state(db, job_id, jobs.WAITING)


def main_cause(db: Database, job_id: int) -> tuple[CivitaiError | None, int]:
    """Return why most of what failed in a job did, and how many. Raises StorageError."""
    ask = (
        'SELECT cause, count(*) FROM listed WHERE job_id = ? AND state = ? '
        'GROUP BY cause ORDER BY count(*) DESC, cause LIMIT 1'
    )
    with db.reading() as connection:
        found = connection.execute(ask, (job_id, jobs.FAILED)).fetchone()
    return (causes.told(found[0]), int(found[1])) if found else (None, 0)


def begins_anew(db: Database, job_id: int) -> bool:
    """Tell whether what is listed of a job is of before. Raises StorageError."""
    with db.reading() as connection:
        ask = 'SELECT begins_anew FROM jobs WHERE id = ?'
        return bool((connection.execute(ask, (job_id,)).fetchone() or [0])[0])


def leave_former(db: Database, job_id: int) -> None:
    """Have a job that begins anew keep no more than the places of what it listed before.

    To be called once Civitai has answered. Raises StorageError.
    """
    with db.writing() as connection:
        ask = 'UPDATE jobs SET begins_anew = 0 WHERE id = ? AND begins_anew'
        if connection.execute(ask, (job_id,)).rowcount:
            connection.execute(
                "UPDATE listed SET state = ?, path = x'', tries = 0, cause = '' WHERE job_id = ?",
                (jobs.PAST, job_id),
            )


def lanes_of(db: Database, job_id: int, ids: Iterable[int]) -> dict[int, int]:
    """Return which lane listed each of these pictures first, by id. Raises StorageError."""
    ask = 'SELECT lane FROM listed WHERE job_id = ? AND picture_id = ? AND state != ?'
    with db.reading() as connection:
        found = ((one, connection.execute(ask, (job_id, one, jobs.PAST)).fetchone()) for one in ids)
        return {one: int(row[0]) for one, row in found if row}


def miss(db: Database, job_id: int) -> int:
    """Have the files of a job done again that are not there as they were; return how many.

    They were moved, deleted or changed by hand, or cut short by a disk. Raises StorageError.
    """
    with db.writing() as connection:
        noted = connection.execute(
            'SELECT place, path, bytes, changed_ns FROM listed LEFT JOIN saved USING (path) '
            'WHERE job_id = ? AND state IN (?, ?)',
            (job_id, jobs.SAVED, jobs.ALREADY),
        )
        lost = [(jobs.TO_DO, job_id, place) for place, *file in noted if not _is_there(*file)]
        connection.executemany('UPDATE listed SET state = ? WHERE job_id = ? AND place = ?', lost)
    return len(lost)


def _is_there(path: bytes, size: int | None, changed_ns: int | None) -> bool:
    """Whether the file at `path` is the one of which `size` and time were noted, if they were."""
    if size is None or changed_ns is None:
        return os.path.exists(path)
    return saved.is_as_noted(path, size, changed_ns)


def open_again(db: Database, job_id: int) -> int:
    """Have lanes that broke go on where that was, and forget why; return how much there is to do.

    Those that left out what could not be read, or was too much, begin again. Raises StorageError.
    """
    with db.writing() as connection:
        connection.execute(
            'UPDATE lanes SET state = ? WHERE job_id = ? AND state = ?',
            (jobs.OPEN, job_id, jobs.BROKEN),
        )
        anew = connection.execute(
            "UPDATE lanes SET state = ?, cursor = '', pages = 0, items = 0, hidden = 0, "
            'surplus = 0, foreign_ = 0, unreadable = 0, undated = 0 '
            'WHERE job_id = ? AND (unreadable > 0 OR surplus > 0)',
            (jobs.OPEN, job_id),
        ).rowcount
        gaps = connection.execute('DELETE FROM gaps WHERE job_id = ?', (job_id,)).rowcount
        return anew + gaps


def have_done_again(
    db: Database, job_id: int, gone: bool = False, picture_id: int | None = None
) -> int:
    """Have the pictures of a job that failed fetched again; return how many these are.

    With `gone` those too that Civitai said it had no more; with `picture_id` that one alone. Raises
    StorageError.
    """
    states = (jobs.FAILED, jobs.GONE if gone else jobs.FAILED)
    with db.writing() as connection:
        return connection.execute(
            'UPDATE listed SET state = ? WHERE job_id = ? AND state IN (?, ?) '
            'AND picture_id = coalesce(?, picture_id)',
            (jobs.TO_DO, job_id, *states, picture_id),
        ).rowcount


def ask_otherwise(db: Database, job_id: int, asked: Mapping[str, Any]) -> None:
    """Note what is asked of a job now: the same pictures, kept in another manner."""
    with db.writing() as connection:
        connection.execute('UPDATE jobs SET asked = ? WHERE id = ?', (json.dumps(asked), job_id))


def add_lanes(db: Database, job_id: int, queries: Sequence[Mapping[str, Any]]) -> None:
    """Add those of `queries` that a job has no listing for. Raises StorageError."""
    with db.writing():
        known = [_asked(lane.query) for lane in jobs.lanes(db, job_id)]
        for query in queries:
            if _asked(query) not in known:
                jobs.add_lane(db, job_id, query)


def _asked(query: Mapping[str, Any]) -> object:
    """What a listing asks, as it is kept: without what its model and version were called then."""
    beside = ('model', 'version', jobs.RIVALS)
    return json.loads(json.dumps({name: query[name] for name in query if name not in beside}))


def every_listed(db: Database, job_id: int, state: str) -> Iterator[jobs.Listed]:
    """Yield all pictures of a job that are in `state`, by place. Raises StorageError."""
    last = 0
    while some := jobs.listed(db, job_id, state, last, _AT_ONCE):
        yield from some
        last = some[-1].place
