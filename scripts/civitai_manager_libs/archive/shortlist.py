"""The best pictures of several listings, for a job that keeps no more than its limit.

Each listing tells its best first. What a picture is worth decides, and where that is the same, how
early its listing told it: of listings that tell no worth each has its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from . import jobs
from .database import Database

_ORDER = 'ORDER BY worth DESC, turn, lane'


@dataclass(frozen=True)
class Candidate:
    """A picture, what it is worth, and how many its listing told before it."""

    picture_id: int
    worth: float
    turn: int


def note(db: Database, job_id: int, lane: int, candidates: Iterable[Candidate], most: int) -> None:
    """Note what a lane told; none but the best `most` of the job are kept. Raises StorageError."""
    with db.writing() as connection:
        connection.executemany(
            'INSERT OR IGNORE INTO shortlist (job_id, picture_id, lane, worth, turn) '
            'VALUES (?, ?, ?, ?, ?)',
            [(job_id, one.picture_id, lane, one.worth, one.turn) for one in candidates],
        )
        connection.execute(
            'DELETE FROM shortlist WHERE job_id = ? AND picture_id IN '
            f'(SELECT picture_id FROM shortlist WHERE job_id = ? {_ORDER} LIMIT -1 OFFSET ?)',
            (job_id, job_id, most),
        )


def has_room(db: Database, job_id: int, most: int, worth: float, turn: int) -> bool:
    """Tell whether what has this `worth` and `turn` could be one of the best `most`.

    Raises StorageError.
    """
    with db.reading() as connection:
        last = connection.execute(
            f'SELECT worth, turn FROM shortlist WHERE job_id = ? {_ORDER} LIMIT 1 OFFSET ?',
            (job_id, most - 1),
        ).fetchone()
    return last is None or (-worth, turn) < (-last[0], last[1])


def choose(db: Database, job_id: int, lanes: Iterable[jobs.Lane], most: int) -> None:
    """Have a job of `most` pictures keep its shortlist, the best first, and no others of `lanes`.

    Those that it keeps already stay as they are. Raises StorageError.
    """
    others = 'picture_id NOT IN (SELECT picture_id FROM shortlist WHERE job_id = ?)'
    with db.writing() as connection:
        connection.executemany(
            f'UPDATE listed SET state = ? WHERE job_id = ? AND lane = ? AND {others}',
            [(jobs.PAST, job_id, lane.number, job_id) for lane in lanes],
        )
        ask = f'SELECT count(*) FROM listed WHERE job_id = ? AND state != ? AND {others}'
        kept = connection.execute(ask, (job_id, jobs.PAST, job_id)).fetchone()[0]
        connection.execute(
            'INSERT INTO listed (job_id, place, picture_id, lane, state) '
            'SELECT job_id, (SELECT coalesce(max(place), 0) FROM listed WHERE job_id = ?) '
            f'+ row_number() OVER ({_ORDER}), picture_id, lane, ? '
            f'FROM shortlist WHERE job_id = ? {_ORDER} LIMIT ? '
            'ON CONFLICT (job_id, picture_id) '
            'DO UPDATE SET state = excluded.state, lane = excluded.lane WHERE state = ?',
            (job_id, jobs.TO_DO, job_id, max(0, most - kept), jobs.PAST),
        )
