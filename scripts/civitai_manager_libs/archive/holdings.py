"""The model files on this disk: which each one is, and whether it is still as it was looked at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Collection, Iterable, Iterator, Sequence

from .database import Database
from .saved import is_as_noted

_AT_ONCE = 500
_COLUMNS = 'path, kind, bytes, changed_ns, sha256, tensors, version_id, model_id, told_by, asked_at'
# Who told which version a file is of: a file beside it, the site by its hash, or by that of its
# tensors, which several files may have; or we fetched it.
BESIDE, HASH, TENSORS, FETCHED = 'beside', 'hash', 'tensors', 'fetched'


@dataclass(frozen=True, slots=True)
class Holding:
    """A model file as it was last looked at: `size` in bytes, `changed_ns` when it was written.

    `kind` is that of the folder it is in. `sha256` is of all of it, `tensors` of what follows the
    header of a safetensors file; lower case, '' if not reckoned. `version_id` and `model_id` are 0
    if nobody knows, `told_by` says who does; `asked_at`: when the site was last asked, 0 never.
    """

    path: Path
    kind: str
    size: int
    changed_ns: int
    sha256: str = ''
    tensors: str = ''
    version_id: int = 0
    model_id: int = 0
    told_by: str = ''
    asked_at: float = 0.0

    @property
    def is_there(self) -> bool:
        """Whether the same file is there still, as its size and time tell."""
        return is_as_noted(self.path, self.size, self.changed_ns)

    @property
    def autov2(self) -> str:
        """What a WebUI calls a checkpoint by."""
        return self.sha256[:10]

    @property
    def autov3(self) -> str:
        """What a WebUI calls a LoRA by."""
        return self.tensors[:12]


def stem_of(name: str) -> str:
    """Return the name of a file as it is compared: without its ending, in small letters."""
    return os.path.splitext(name)[0].lower()


def note(db: Database, found: Iterable[Holding], seen_at: float) -> None:
    """Note these files, seen at this time. Raises StorageError."""
    rows = [
        (
            os.fsencode(one.path),
            stem_of(one.path.name).encode('utf-8', 'replace').decode(),
            one.kind,
            one.size,
            one.changed_ns,
            one.sha256,
            one.tensors,
            one.version_id,
            one.model_id,
            one.told_by,
            one.asked_at,
            seen_at,
        )
        for one in found
    ]
    with db.writing() as connection:
        connection.executemany(
            f'INSERT OR REPLACE INTO holdings VALUES ({", ".join("?" * 12)})', rows
        )


def at(db: Database, paths: Collection[Path]) -> dict[Path, Holding]:
    """Return what is noted of the files at these paths. Raises StorageError."""
    rows = _among(db, 'path', [os.fsencode(path) for path in paths])
    return {one.path: one for one in rows}


def of_versions(db: Database, ids: Sequence[int]) -> list[Holding]:
    """Return the files that are of one of these versions. Raises StorageError."""
    return _among(db, 'version_id', [number for number in ids if number])


def called(db: Database, stems: Sequence[str]) -> list[Holding]:
    """Return the files with these names, as `stem_of` gives them. Raises StorageError."""
    return _among(db, 'stem', [stem for stem in stems if stem])


def hashed(db: Database, beginning: str) -> list[Holding]:
    """Return the files whose hash, of all or of the tensors, begins so, in lower case."""
    found: list[Holding] = []
    with db.reading() as connection:
        for column in ('sha256', 'tensors'):
            asked = f'SELECT {_COLUMNS} FROM holdings WHERE {column} >= ? AND {column} < ?'
            rows = connection.execute(asked, (beginning, f'{beginning}g')).fetchall()
            found += map(_holding, rows)
    return list(dict.fromkeys(found))


def _among(db: Database, column: str, values: Sequence[Any]) -> list[Holding]:
    found: list[Holding] = []
    with db.reading() as connection:
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            asked = (
                f'SELECT {_COLUMNS} FROM holdings WHERE {column} IN ({", ".join("?" * len(some))})'
            )
            found += map(_holding, connection.execute(asked, some).fetchall())
    return found


def every(db: Database, where: str = '1', values: Sequence[Any] = ()) -> Iterator[Holding]:
    """Yield all files by path, some at a time. `where` is one of the constants of this module.

    What is noted of them in the meantime counts. Raises StorageError.
    """
    last = b''
    while True:
        asked = f'SELECT {_COLUMNS} FROM holdings WHERE path > ? AND ({where}) ORDER BY path'
        with db.reading() as connection:
            rows = connection.execute(f'{asked} LIMIT {_AT_ONCE}', (last, *values)).fetchall()
        if not rows:
            return
        yield from map(_holding, rows)
        last = rows[-1][0]


def latest(db: Database, count: int) -> list[Holding]:
    """Return the files of known versions that were written last. Raises StorageError."""
    asked = f'SELECT {_COLUMNS} FROM holdings WHERE {KNOWN} ORDER BY changed_ns DESC, path LIMIT ?'
    with db.reading() as connection:
        return list(map(_holding, connection.execute(asked, (count,)).fetchall()))


NOT_HASHED = "sha256 = ''"
# With a hash, of no known version, and not asked for since ?.
NOT_KNOWN = "sha256 != '' AND version_id = 0 AND asked_at < ?"
KNOWN = 'version_id != 0'
# Of several files with the same bytes.
TWINS = (
    "sha256 != '' AND sha256 IN (SELECT sha256 FROM holdings GROUP BY sha256 HAVING count(*) > 1)"
)


def totals(db: Database, where: str = '1', values: Sequence[Any] = ()) -> tuple[int, int]:
    """Return how many such files there are, and how many bytes they have. Raises StorageError."""
    with db.reading() as connection:
        asked = f'SELECT count(*), coalesce(sum(bytes), 0) FROM holdings WHERE {where}'
        count, size = connection.execute(asked, values).fetchone()
    return int(count), int(size)


def forget(db: Database, paths: Iterable[Path]) -> None:
    """Forget files that are not there any more. Raises StorageError."""
    with db.writing() as connection:
        rows = [(os.fsencode(path),) for path in paths]
        connection.executemany('DELETE FROM holdings WHERE path = ?', rows)


def saw(db: Database, paths: Iterable[Path], seen_at: float) -> None:
    """Note that these files were there at this time, unchanged. Raises StorageError."""
    with db.writing() as connection:
        rows = [(seen_at, os.fsencode(path)) for path in paths]
        connection.executemany('UPDATE holdings SET seen_at = ? WHERE path = ?', rows)


def forget_unseen(db: Database, folder: Path, seen_at: float) -> int:
    """Forget what was in `folder`, or below it, and was not seen since this time; how many it was.

    Raises StorageError.
    """
    below = os.fsencode(os.path.join(folder, ''))
    with db.writing() as connection:
        done = connection.execute(
            'DELETE FROM holdings WHERE path >= ? AND path < ? AND seen_at < ?',
            (below, below[:-1] + bytes((below[-1] + 1,)), seen_at),
        )
        return int(done.rowcount)


def _holding(row: Sequence[Any]) -> Holding:
    return Holding(Path(os.fsdecode(row[0])), *row[1:])
