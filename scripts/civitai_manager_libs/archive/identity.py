"""Whether a job is there still: another may have its number, where the archive was lost."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import Any, Iterator

from ..errors import CancelledError
from .database import Database


def new_mark() -> str:
    """Return what tells a job from all others, in whatever archive."""
    return secrets.token_hex(8)


def is_there(db: Database, job_id: int, mark: str) -> bool:
    """Tell whether the job that was made with `mark` is in the archive. Raises StorageError."""
    with db.reading() as connection:
        return _is_in(connection, job_id, mark)


@contextmanager
def noting(db: Database, job_id: int, mark: str) -> Iterator[None]:
    """Have all that is noted of a job inside count, or nothing.

    Raises CancelledError if it was removed: whoever still works on it is to end. An empty `mark`
    is of whichever job has the number. Raises StorageError.
    """
    with db.writing() as connection:
        check_there(connection, job_id, mark)
        yield


def check_there(connection: Any, job_id: int, mark: str = '') -> None:
    """Raise CancelledError if a job was removed."""
    if not _is_in(connection, job_id, mark):
        raise CancelledError


def _is_in(connection: Any, job_id: int, mark: str) -> bool:
    row = connection.execute('SELECT mark FROM jobs WHERE id = ?', (job_id,)).fetchone()
    return row is not None and mark in ('', row[0])
