"""Galleries that are kept whole: what was asked for, how far each is, what is missing.

A job has lanes, each one listing with its cursor, and the list of all pictures that these gave, in
the order they were first seen. Who works on a job holds its lock, which the system frees when that
program ends, however it ends: so a job of state RUNNING that nobody holds was interrupted. One that
was CANCELLED is gone on with only if somebody asks for that very one.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from ..civitai.gallery import GalleryImage, ImagePage
from ..errors import CivitaiError
from ..store import files, private
from . import causes, identity, pictures
from .database import Database

# Of a job.
WAITING, RUNNING, PAUSED, STOPPED, ENDED = 'waiting', 'running', 'paused', 'stopped', 'ended'
CANCELLED = 'cancelled'
# Of a lane: it goes on, its end was told, or something stands in the way (see `gaps`).
OPEN, AT_END, BROKEN = 'open', 'at_end', 'broken'
# Of a picture: to be fetched, or what became of it.
TO_DO, SAVED, ALREADY, FAILED, GONE = 'to_do', 'saved', 'already', 'failed', 'gone'
# Not listed since the job began anew; only its place is kept, see `places`.
PAST = 'past'
# In the query of a lane that is one of several, of which the best are kept: best by this sort.
RIVALS = 'rivals'
LOOK_SECONDS = 0.1
_OF_GALLERIES = 'id NOT IN (SELECT job_id FROM models)'  # see `models`
_COUNTS = 'pages', 'items', 'hidden', 'surplus', 'foreign', 'unreadable', 'undated'  # of lanes


@dataclass(frozen=True)
class Job:
    """A job: `asked` is what a person asked for, in words of the program that asked.

    Another may have its `id` once the archive was lost, but not its `mark`.
    """

    id: int
    asked: Mapping[str, Any]
    folder: Path
    state: str
    made_at: float
    changed_at: float
    mark: str = ''


@dataclass(frozen=True)
class Lane:
    """One listing of a job: what is asked, the cursor of the page that follows, counts so far.

    `hidden`, `surplus`, `foreign` and `unreadable` pictures were left out, see ImagePage, and
    `undated` ones, because a time was asked for.
    """

    number: int
    query: Mapping[str, Any]
    cursor: str = ''
    pages: int = 0
    items: int = 0
    hidden: int = 0
    surplus: int = 0
    foreign: int = 0
    unreadable: int = 0
    undated: int = 0
    state: str = OPEN


@dataclass(frozen=True)
class Listed:
    """A picture of a job: its place in it from 1, the lane that listed it, what became of it."""

    place: int
    image: GalleryImage
    lane: int
    state: str = TO_DO
    path: str = ''
    tries: int = 0
    cause: CivitaiError | None = None


@dataclass(frozen=True)
class Progress:
    """How far a job is: pictures by state, and the totals of its lanes.

    `rivals` is the sort by which the best of several lanes are kept, '' if all of each are.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    pages: int = 0
    items: int = 0
    hidden: int = 0
    surplus: int = 0
    foreign: int = 0
    unreadable: int = 0
    undated: int = 0
    gaps: tuple[CivitaiError, ...] = ()
    is_listed: bool = False
    rivals: str = ''

    def count(self, state: str) -> int:
        """How many pictures are in `state`."""
        return self.states.get(state, 0)

    @property
    def found(self) -> int:
        """How many pictures were listed."""
        return sum(count for state, count in self.states.items() if state != PAST)


def make(
    db: Database, asked: Mapping[str, Any], folder: Path, queries: Sequence[Mapping[str, Any]]
) -> int:
    """Make a job with a lane for each of `queries`; return its id. Raises StorageError."""
    now = time.time()
    with db.writing() as connection:
        number = connection.execute(
            'INSERT INTO jobs (asked, folder, state, made_at, changed_at, mark) '
            'VALUES (?, ?, ?, ?, ?, ?)',
            (json.dumps(asked), os.fsencode(folder.absolute()), WAITING, now, now)
            + (identity.new_mark(),),
        ).lastrowid
        assert number is not None
        for query in queries:
            _add_lane(connection, number, query)
    return number


def add_lane(db: Database, job_id: int, query: Mapping[str, Any]) -> None:
    """Add one listing more to a job. Raises StorageError."""
    with db.writing() as connection:
        _add_lane(connection, job_id, query)


def _add_lane(connection: Any, job_id: int, query: Mapping[str, Any]) -> None:
    identity.check_there(connection, job_id)
    connection.execute(
        'INSERT INTO lanes (job_id, number, query) '
        'SELECT ?, 1 + coalesce(max(number), 0), ? FROM lanes WHERE job_id = ?',
        (job_id, json.dumps(query), job_id),
    )


def find(db: Database, job_id: int) -> Job | None:
    """Return the gallery's job of that id, None if there is none. Raises StorageError."""
    return next(iter(_jobs(db, f'WHERE id = ? AND {_OF_GALLERIES}', job_id)), None)


def every(db: Database) -> list[Job]:
    """Return all jobs that keep galleries, the oldest first. Raises StorageError."""
    return _jobs(db, f'WHERE {_OF_GALLERIES} ORDER BY id')


def _jobs(db: Database, which: str, *values: int) -> list[Job]:
    with db.reading() as connection:
        rows = connection.execute(
            f'SELECT id, asked, folder, state, made_at, changed_at, mark FROM jobs {which}', values
        ).fetchall()
    return [
        Job(number, json.loads(asked), Path(os.fsdecode(folder)), *rest)
        for number, asked, folder, *rest in rows
    ]


def state_now(db: Database, job_id: int) -> str:
    """Return the state of a job of any kind, '' if there is none. Raises StorageError."""
    with db.reading() as connection:
        found = connection.execute('SELECT state FROM jobs WHERE id = ?', (job_id,)).fetchone()
    return found[0] if found else ''


def set_state(db: Database, job_id: int, state: str, instead_of: Sequence[str] = ()) -> bool:
    """Note what a job is doing now; tell whether that is new. Raises StorageError.

    With `instead_of` only if it is in one of these states: what others noted meanwhile stays.
    """
    among = f' AND state IN ({", ".join("?" * len(instead_of))})' if instead_of else ''
    with db.writing() as connection:
        ask = f'UPDATE jobs SET state = ?, changed_at = ? WHERE id = ?{among}'
        changed = connection.execute(ask, (state, time.time(), job_id, *instead_of))
        return bool(changed.rowcount)


def remove(db: Database, job_id: int) -> None:
    """Forget a job and its list; its files stay. Raises StorageError."""
    with db.writing() as connection:
        connection.execute('DELETE FROM jobs WHERE id = ?', (job_id,))


@contextmanager
def held(db: Database, job_id: int, patience: float = LOOK_SECONDS) -> Iterator[bool]:
    """Keep all others from working on a job until the block ends; False: another one does.

    One that only looks has it for a moment, which `patience` (seconds) is for. Raises StorageError.
    """
    lock = db.path.with_name(f'{db.path.stem}.job-{job_id}.lock')
    deadline = time.monotonic() + patience
    with files.explained(lock.parent):
        while (handle := private.hold(lock)) is None and time.monotonic() < deadline:
            time.sleep(private.PAUSE_SECONDS)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            private.let_go(lock, handle)


def is_held(db: Database, job_id: int) -> bool:
    """Tell whether somebody works on a job, in whatever program. Raises StorageError."""
    with held(db, job_id, patience=0) as is_free:
        return not is_free


def lanes(db: Database, job_id: int) -> list[Lane]:
    """Return the lanes of a job. Raises StorageError."""
    with db.reading() as connection:
        rows = connection.execute(
            'SELECT number, query, cursor, pages, items, hidden, surplus, foreign_, unreadable, '
            'undated, state FROM lanes WHERE job_id = ? ORDER BY number',
            (job_id,),
        ).fetchall()
    return [Lane(number, json.loads(query), *rest) for number, query, *rest in rows]


def note_page(
    db: Database,
    job_id: int,
    lane: Lane,
    page: ImagePage,
    wanted: Sequence[GalleryImage],
    cursor: str,
    undated: int = 0,
) -> int:
    """Note a `page` of `lane`: what of it is `wanted`, and where the lane goes on.

    An empty `cursor` is the end of the lane. Returns how many pictures the job did not have yet.
    Raises StorageError.
    """
    with db.writing() as connection:
        identity.check_there(connection, job_id)
        pictures.note(db, page.images)
        news = connection.executemany(
            'INSERT INTO listed (job_id, place, picture_id, lane, state) '
            'SELECT ?, 1 + coalesce(max(place), 0), ?, ?, ? FROM listed WHERE job_id = ? '
            'ON CONFLICT (job_id, picture_id) '
            'DO UPDATE SET state = excluded.state, lane = excluded.lane WHERE state = ?',
            [(job_id, image.id, lane.number, TO_DO, job_id, PAST) for image in wanted],
        ).rowcount
        connection.execute(
            'UPDATE lanes SET cursor = ?, pages = pages + 1, items = items + ?, '
            'hidden = hidden + ?, surplus = surplus + ?, foreign_ = foreign_ + ?, '
            'unreadable = unreadable + ?, undated = undated + ?, state = ? '
            'WHERE job_id = ? AND number = ?',
            (cursor, len(page.images), page.hidden, page.surplus, page.foreign, page.unreadable)
            + (undated, OPEN if cursor else AT_END, job_id, lane.number),
        )
        return max(0, news)  # -1 where nothing was carried out


def set_lane(db: Database, job_id: int, lane: Lane, state: str, cursor: str | None = None) -> None:
    """Say what became of a lane; have it go on at `cursor` if one is given. Raises StorageError."""
    with db.writing() as connection:
        connection.execute(
            'UPDATE lanes SET cursor = coalesce(?, cursor), state = ? '
            'WHERE job_id = ? AND number = ?',
            (cursor, state, job_id, lane.number),
        )


def note_gap(db: Database, job_id: int, lane: Lane, cause: CivitaiError) -> None:
    """Note that something is missing in a lane, and why; the same is noted once."""
    with db.writing() as connection:
        identity.check_there(connection, job_id)
        connection.execute(
            'INSERT OR IGNORE INTO gaps VALUES (?, ?, ?)', (job_id, lane.number, causes.kept(cause))
        )


def listed(db: Database, job_id: int, state: str, after: int, limit: int) -> list[Listed]:
    """Return pictures of a job in `state`, by place, of those behind place `after`."""
    with db.reading() as connection:
        rows = connection.execute(
            'SELECT place, picture_id, lane, state, path, tries, cause FROM listed '
            'WHERE job_id = ? AND state = ? AND place > ? ORDER BY place LIMIT ?',
            (job_id, state, after, limit),
        ).fetchall()
        images = pictures.find(db, [row[1] for row in rows])
    return [
        Listed(place, images[number], lane, now, os.fsdecode(path), tries, causes.told(cause))
        for place, number, lane, now, path, tries, cause in rows
        if number in images
    ]


def progress(db: Database, job_id: int) -> Progress:
    """Return how far a job is. Raises StorageError."""
    with db.reading() as connection:
        states = dict(
            connection.execute(
                'SELECT state, count(*) FROM listed WHERE job_id = ? GROUP BY state', (job_id,)
            ).fetchall()
        )
        rows = connection.execute(
            'SELECT cause FROM gaps WHERE job_id = ? ORDER BY rowid', (job_id,)
        ).fetchall()
    ways = lanes(db, job_id)
    return Progress(
        states,
        **{name: sum(getattr(lane, name) for lane in ways) for name in _COUNTS},
        gaps=tuple(filter(None, (causes.told(row[0]) for row in rows))),
        is_listed=bool(ways) and all(lane.state == AT_END for lane in ways),
        rivals=next((str(lane.query[RIVALS]) for lane in ways if lane.query.get(RIVALS)), ''),
    )
