"""What a person thinks of pictures: those that are favourites, and those not to be seen again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Collection

from ..civitai.gallery import GalleryImage
from . import pictures
from .database import Database

FAVOURITE, HIDDEN = 'favourite', 'hidden'
KINDS = (FAVOURITE, HIDDEN)
_AT_ONCE = 500


@dataclass(frozen=True)
class Marks:
    """Which pictures, by id, are marked as what."""

    favourites: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()


def put(db: Database, image: GalleryImage, kind: str, is_so: bool) -> None:
    """Mark `image` as one of KINDS, or no longer. Raises StorageError.

    What is known of it is noted too, so that it can be shown when its gallery is gone.
    """
    with db.writing() as connection:
        if is_so:
            pictures.note(db, [image])
            ask = 'INSERT OR IGNORE INTO marks (picture_id, kind, at) VALUES (?, ?, ?)'
            connection.execute(ask, (image.id, kind, time.time()))
        else:
            ask = 'DELETE FROM marks WHERE picture_id = ? AND kind = ?'
            connection.execute(ask, (image.id, kind))


def of(db: Database, ids: Collection[int]) -> Marks:
    """Return how the pictures of these ids are marked. Raises StorageError."""
    found: dict[str, set[int]] = {kind: set() for kind in KINDS}
    numbers = [*ids]
    with db.reading() as connection:
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            places = ', '.join('?' * len(some))
            ask = f'SELECT picture_id, kind FROM marks WHERE picture_id IN ({places})'
            for number, kind in connection.execute(ask, some):
                found.setdefault(kind, set()).add(number)
    return Marks(frozenset(found[FAVOURITE]), frozenset(found[HIDDEN]))


def favourites(db: Database, start: int, limit: int) -> list[GalleryImage]:
    """Return at most `limit` favourites, the newest first, but for the first `start` of them.

    Raises StorageError.
    """
    with db.reading() as connection:
        rows = connection.execute(
            'SELECT picture_id FROM marks WHERE kind = ? ORDER BY at DESC, picture_id '
            'LIMIT ? OFFSET ?',
            (FAVOURITE, limit, start),
        ).fetchall()
        ids = [row[0] for row in rows]
        known = pictures.find(db, ids)
    return [known[number] for number in ids if number in known]


def count(db: Database) -> int:
    """Return how many favourites there are. Raises StorageError."""
    with db.reading() as connection:
        ask = 'SELECT count(*) FROM marks WHERE kind = ?'
        return int(connection.execute(ask, (FAVOURITE,)).fetchone()[0])
