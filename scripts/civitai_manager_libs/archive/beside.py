"""Files that we wrote beside pictures, so that they are known again as ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterable, Mapping

from .database import Database


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
