"""The archive of this process: one, in the data folder."""

from __future__ import annotations

import logging
from pathlib import Path

from .. import notices, setting
from .database import Database
from .rebuild import rebuild

log = logging.getLogger(__name__)

NAME = 'archive.sqlite'

_opened: dict[Path, Database] = {}


def archive() -> Database:
    """Return the archive. One that was lost is built anew as far as that goes, and that is told.

    Raises StorageError.
    """
    path = Path(setting.data_folder) / NAME
    database = _opened.setdefault(path, Database(path))
    if database.was_lost:
        notices.tell('notice_archive_rebuilt', count=rebuild(database))
    return database


def close() -> None:
    """Let the archive go, so that nothing of it stays in memory; it is opened when needed."""
    for database in _opened.values():
        database.close()
