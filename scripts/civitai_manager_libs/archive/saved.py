"""Files that a person keeps: which picture each one is, and whether it is still there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ..civitai import inside
from ..store import embedded
from ..store.files import sha256_of
from . import folders
from .database import Database

_AT_ONCE = 500
_FOLDERS_AT_ONCE = 1000
_COLUMNS = 'path, stem, picture_id, bytes, changed_ns, sha256, came_sha256, embedded'
_NOTE = f'INSERT OR REPLACE INTO saved ({_COLUMNS}, saved_at) VALUES ({", ".join("?" * 9)})'


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file as it was when it was saved: `size` in bytes, `changed_ns` when it was written.

    `stem` says what its address alone says it is (see `store.names.picture_stem`), `picture_id` the
    picture's id, 0 if nobody knew it. `came` is the SHA-256 of the bytes as they came, '' if nobody
    knows. `embedded` is the name of what became of the prompt that was to go in (see
    `store.carriers.Embedded`), '' if none was.
    """

    path: Path
    stem: str
    picture_id: int
    size: int
    changed_ns: int
    sha256: str
    came: str
    embedded: str = ''

    @property
    def is_there(self) -> bool:
        """Whether the same file is there still, as its size and time tell."""
        return is_as_noted(self.path, self.size, self.changed_ns)


def is_as_noted(path: Path | bytes, size: int, changed_ns: int) -> bool:
    """Tell whether a file is at `path` that has this size in bytes, written at this time."""
    try:
        now = os.stat(path)
    except (OSError, ValueError):
        return False
    return (now.st_size, now.st_mtime_ns) == (size, changed_ns)


def looked_at(path: Path, stem: str, picture_id: int = 0, came: str = '') -> SavedFile:
    """Return what is to be noted of the file at `path`; it is read whole. Raises OSError.

    Where nobody knows what bytes came, they are taken to be as they are.
    """
    with path.open('rb', buffering=0) as file:
        found = sha256_of(file)
        now = os.fstat(file.fileno())
    return _noted(path, stem, picture_id, now, found, came or found)


def found(path: Path, stem: str, picture_id: int = 0) -> SavedFile:
    """The same for a file of which nothing was noted; it is read whole. Raises OSError.

    Where it tells how it was made, that may be of ours, so nobody knows what bytes came: then
    `came` is ''.
    """
    there = looked_at(path, stem, picture_id)
    return replace(there, came='') if inside.own_text(embedded.texts(path)) else there


def with_digest(path: Path, stem: str, picture_id: int, sha256: str, came: str) -> SavedFile:
    """The same for a file that was read just now, and has that SHA-256. Raises OSError."""
    return _noted(path, stem, picture_id, os.stat(path), sha256, came)


def _noted(
    path: Path, stem: str, picture_id: int, now: os.stat_result, sha256: str, came: str
) -> SavedFile:
    size, changed_ns = now.st_size, now.st_mtime_ns
    return SavedFile(path.absolute(), stem, picture_id, size, changed_ns, sha256, came)


def note(db: Database, files: Iterable[SavedFile]) -> None:
    """Note these files as saved. Raises StorageError."""
    now = time.time()
    rows = [
        (os.fsencode(f.path), f.stem, f.picture_id, f.size, f.changed_ns, f.sha256, f.came)
        + (f.embedded, now)
        for f in files
    ]
    with db.writing() as connection:
        connection.executemany(_NOTE, rows)


def of_picture(db: Database, picture_id: int, stem: str) -> list[SavedFile]:
    """Return the files that are there and this picture, by its id or by its address.

    What was moved, changed or deleted by hand is forgotten. Raises StorageError.
    """
    return of_pictures(db, {picture_id: stem}).get(picture_id, [])


def of_pictures(db: Database, stems: Mapping[int, str]) -> dict[int, list[SavedFile]]:
    """The same for many pictures, by id; `stems` says what the address of each says it is."""
    by_stem: dict[str, list[int]] = {}
    for number, stem in stems.items():
        if stem:
            by_stem.setdefault(stem, []).append(number)
    found: dict[int, list[SavedFile]] = {}
    lost = []
    for one in _called(db, [number for number in stems if number], [*by_stem]):
        if one.is_there:
            by_id = [one.picture_id] if one.picture_id in stems else []
            for number in dict.fromkeys([*by_id, *by_stem.get(one.stem, ())]):
                found.setdefault(number, []).append(one)
        else:
            lost.append(one.path)
    if lost:
        forget(db, lost)
    return found


def _called(db: Database, ids: Sequence[int], stems: Sequence[str]) -> list[SavedFile]:
    """The files noted as one of these pictures, the oldest note first."""
    rows: dict[bytes, tuple[Any, ...]] = {}
    with db.reading() as connection:
        for name, values in (('picture_id', ids), ('stem', stems)):
            for start in range(0, len(values), _AT_ONCE):
                some = values[start : start + _AT_ONCE]
                among = f'{name} IN ({_marks(len(some))})'
                asked = f'SELECT {_COLUMNS}, saved_at FROM saved WHERE {among}'
                rows.update((row[0], row) for row in connection.execute(asked, some))
    return [_saved(row[:-1]) for row in sorted(rows.values(), key=itemgetter(-1))]


def at(db: Database, path: Path) -> SavedFile | None:
    """Return what is noted of the file at `path`, None if nothing is. Raises StorageError."""
    with db.reading() as connection:
        row = connection.execute(
            f'SELECT {_COLUMNS} FROM saved WHERE path = ?', (os.fsencode(path),)
        ).fetchone()
    return _saved(row) if row else None


def forget(db: Database, paths: Iterable[Path]) -> None:
    """Forget files that are not there any more. Raises StorageError."""
    with db.writing() as connection:
        rows = [(os.fsencode(path),) for path in paths]
        connection.executemany('DELETE FROM saved WHERE path = ?', rows)


def in_folder(db: Database, folder: Path) -> Iterator[SavedFile]:
    """Yield the files noted in `folder` and below it, by path, whatever it was called then.

    Raises StorageError.
    """
    wanted = os.path.normcase(folders.real(folder))

    @lru_cache(maxsize=_FOLDERS_AT_ONCE)
    def is_inside(name: bytes) -> bool:
        inside = os.path.normcase(folders.real(Path(os.fsdecode(name))))
        return inside == wanted or inside.startswith(os.path.join(wanted, ''))

    last = b''
    while True:  # some at a time: others may write in between
        with db.reading() as connection:
            rows = connection.execute(
                f'SELECT {_COLUMNS} FROM saved WHERE path > ? ORDER BY path LIMIT {_AT_ONCE}',
                (last,),
            ).fetchall()
        if not rows:
            return
        yield from (_saved(row) for row in rows if is_inside(os.path.dirname(row[0])))
        last = rows[-1][0]


def size_of_job(db: Database, job_id: int) -> int:
    """Return how many bytes the files have that a job saved itself. Raises StorageError."""
    with db.reading() as connection:
        return int(
            connection.execute(
                'SELECT coalesce(sum(bytes), 0) FROM listed JOIN saved USING (path) '
                "WHERE job_id = ? AND state = 'saved'",
                (job_id,),
            ).fetchone()[0]
        )


def last_of_job(db: Database, job_id: int) -> float:
    """Return when the last file of a job was saved, in seconds since 1970; 0 if none was."""
    with db.reading() as connection:
        ask = (
            'SELECT coalesce(max(saved_at), 0) FROM listed JOIN saved USING (path) WHERE job_id = ?'
        )
        return float(connection.execute(ask, (job_id,)).fetchone()[0])


def same_bytes(db: Database, job_id: int, most: int) -> tuple[int, list[int]]:
    """Return of how many pictures of a job the bytes came for another picture too, and some ids.

    That other one may have been saved by any job. Raises StorageError.
    """
    found = (
        'FROM listed JOIN saved USING (picture_id) WHERE job_id = ? AND saved.path = listed.path '
        "AND saved.came_sha256 != '' "
        'AND EXISTS (SELECT 1 FROM saved AS other WHERE other.came_sha256 = saved.came_sha256 '
        'AND other.picture_id NOT IN (0, saved.picture_id))'
    )
    with db.reading() as connection:
        count = connection.execute(f'SELECT count(*) {found}', (job_id,)).fetchone()[0]
        ask = f'SELECT picture_id {found} ORDER BY place LIMIT ?'
        return count, [row[0] for row in connection.execute(ask, (job_id, most))]


def _saved(row: Sequence[Any]) -> SavedFile:
    return SavedFile(Path(os.fsdecode(row[0])), *row[1:])


def _marks(count: int) -> str:
    return ', '.join('?' * count)
