"""Model files that are fetched: jobs like those of galleries, with numbers of the same row.

Their states and locks are those of `jobs`.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import CivitaiError
from . import causes, identity
from .database import Database
from .jobs import WAITING, Job

_COLUMNS = (
    'j.id, j.asked, j.folder, j.state, j.made_at, j.changed_at, j.mark, m.version_id, m.file_id, '
    'm.takes_suspect, m.title, m.path, m.size, m.done, m.sha256, m.is_verified, m.cause'
)


@dataclass(frozen=True)
class ModelJob(Job):
    """The job of one model file, which is to be, or is, at `path`.

    `title` is for a person. `done` bytes of `size` are there. `sha256` is known when all is there,
    and `is_verified` whether that is what the site lists. `cause` is why it failed last.
    """

    version_id: int = 0
    file_id: int = 0
    takes_suspect: bool = False
    title: str = ''
    path: Path = Path()
    size: int = 0
    done: int = 0
    sha256: str = ''
    is_verified: bool = False
    cause: CivitaiError | None = None

    @property
    def has_come(self) -> bool:
        """Whether its file is there, though what belongs beside it may be missing."""
        return bool(self.sha256) and 0 < self.size == self.done and self.path.is_file()


def make(
    db: Database,
    version_id: int,
    file_id: int,
    path: Path,
    *,
    title: str,
    size: int,
    takes_suspect: bool = False,
) -> int:
    """Make the job that fetches a file as `path`; return its id. Raises StorageError."""
    now = time.time()
    with db.writing() as connection:
        number = connection.execute(
            'INSERT INTO jobs (asked, folder, state, made_at, changed_at, mark) '
            'VALUES (?, ?, ?, ?, ?, ?)',
            (json.dumps({'model_version': version_id}), os.fsencode(path.parent.absolute()))
            + (WAITING, now, now, identity.new_mark()),
        ).lastrowid
        connection.execute(
            'INSERT INTO models (job_id, version_id, file_id, takes_suspect, title, path, size) '
            'VALUES (?, ?, ?, ?, ?, ?, ?)',
            (number, version_id, file_id, takes_suspect, title)
            + (os.fsencode(path.absolute()), size),
        )
    assert number is not None
    return number


def find(db: Database, job_id: int) -> ModelJob | None:
    """Return the model's job of that id, None if there is none. Raises StorageError."""
    return next(iter(_jobs(db, 'WHERE j.id = ?', job_id)), None)


def every(db: Database) -> list[ModelJob]:
    """Return all jobs that fetch models, the oldest first. Raises StorageError."""
    return _jobs(db, 'ORDER BY j.id')


def of_file(db: Database, version_id: int, file_id: int) -> list[ModelJob]:
    """Return the jobs that fetch one file of a version. Raises StorageError."""
    return _jobs(db, 'WHERE m.version_id = ? AND m.file_id = ? ORDER BY j.id', version_id, file_id)


def _jobs(db: Database, which: str, *values: int) -> list[ModelJob]:
    with db.reading() as connection:
        rows = connection.execute(
            f'SELECT {_COLUMNS} FROM jobs AS j JOIN models AS m ON m.job_id = j.id {which}', values
        ).fetchall()
    return [_job(*row) for row in rows]


def _job(number: int, asked: str, folder: bytes, *rest: object) -> ModelJob:
    state, made_at, changed_at, mark, version, file, suspect, title, path, *counts = rest
    size, done, sha256, is_verified, cause = counts
    return ModelJob(
        number,
        json.loads(asked),
        Path(os.fsdecode(folder)),
        str(state),
        float(str(made_at)),
        float(str(changed_at)),
        str(mark),
        int(str(version)),
        int(str(file)),
        bool(suspect),
        str(title),
        Path(os.fsdecode(path)),  # type: ignore[arg-type]
        int(str(size)),
        int(str(done)),
        str(sha256),
        bool(is_verified),
        causes.told(str(cause)),
    )


def note_progress(db: Database, job_id: int, done: int, size: int) -> None:
    """Note how far a file is. Raises StorageError, CancelledError if the job was removed."""
    with db.writing() as connection:
        identity.check_there(connection, job_id)
        connection.execute(
            'UPDATE models SET done = ?, size = ? WHERE job_id = ?', (done, size, job_id)
        )


def note_path(db: Database, job_id: int, path: Path) -> None:
    """Note that a file gets another name, as its own was taken. Raises StorageError."""
    with db.writing() as connection:
        identity.check_there(connection, job_id)
        connection.execute(
            'UPDATE models SET path = ? WHERE job_id = ?', (os.fsencode(path.absolute()), job_id)
        )


def note_kept(db: Database, job_id: int, path: Path, size: int, sha256: str, good: bool) -> None:
    """Note that a file is there, and whether it is `good`: what the site lists."""
    with db.writing() as connection:
        identity.check_there(connection, job_id)
        connection.execute(
            'UPDATE models SET path = ?, size = ?, done = ?, sha256 = ?, is_verified = ?, '
            "cause = '' WHERE job_id = ?",
            (os.fsencode(path.absolute()), size, size, sha256, good, job_id),
        )


def note_failure(db: Database, job_id: int, cause: CivitaiError) -> None:
    """Note why a file did not come. Raises StorageError."""
    with db.writing() as connection:
        connection.execute(
            'UPDATE models SET cause = ? WHERE job_id = ?', (causes.kept(cause), job_id)
        )


def allow_suspect(db: Database, job_id: int) -> None:
    """Note that somebody wants a file though a scan failed. Raises StorageError."""
    with db.writing() as connection:
        connection.execute('UPDATE models SET takes_suspect = 1 WHERE job_id = ?', (job_id,))
