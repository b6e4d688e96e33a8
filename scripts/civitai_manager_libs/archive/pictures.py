"""Pictures as galleries listed them."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import Any, Collection, Iterable, Sequence

from .. import setting
from ..civitai import meta as meta_of, urls
from ..civitai.gallery import GalleryImage
from ..store import names
from .database import Database

# Tags are told when they are asked for only, comments count while it is listed, and the item is
# for those who want all of it.
_PASSING = ('tags', 'comments', 'item')
_COLUMNS = tuple(field.name for field in fields(GalleryImage) if field.name not in _PASSING)
_LARGEST = 2**63 - 1
_SELECTED = ', '.join(_COLUMNS)
_AT_ONCE = 500  # SQLite takes so many values in one question, and more only in newer versions
_NEWER = ', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name not in ('id', 'meta'))
_NOTE = f"""
INSERT INTO pictures ({_SELECTED}, item, stem, seen_at)
VALUES ({', '.join('?' * len(_COLUMNS))}, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET {_NEWER}, stem = excluded.stem, seen_at = excluded.seen_at,
    meta = CASE excluded.meta WHEN '{{}}' THEN pictures.meta ELSE excluded.meta END,
    item = CASE excluded.item WHEN '{{}}' THEN pictures.item ELSE excluded.item END
"""


def note(db: Database, images: Iterable[GalleryImage]) -> None:
    """Note that `images` were listed just now. Generation data once had stays if it is not told.

    Raises StorageError.
    """
    now = time.time()
    rows = [
        (*(_value(image, name) for name in (*_COLUMNS, 'item')), names.picture_stem(image.url), now)
        for image in images
    ]
    with db.writing() as connection:
        connection.executemany(_NOTE, rows)


def note_gone(db: Database, ids: Collection[int], is_gone: bool = True) -> None:
    """Note that Civitai has the files of these pictures no more, or has. Raises StorageError."""
    with db.writing() as connection:
        rows = [(is_gone, one, is_gone) for one in ids]
        connection.executemany(
            'UPDATE pictures SET is_gone = ? WHERE id = ? AND is_gone != ?', rows
        )


def find(db: Database, ids: Sequence[int]) -> dict[int, GalleryImage]:
    """Return the pictures of these ids that were ever listed, by id. Raises StorageError."""
    found: dict[int, GalleryImage] = {}
    with db.reading() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            some = tuple(ids[start : start + _AT_ONCE])
            marks = ', '.join('?' * len(some))
            rows = connection.execute(
                f'SELECT {_SELECTED} FROM pictures WHERE id IN ({marks})', some
            )
            found.update((row[0], _image(row)) for row in rows)
    return found


def items(db: Database, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return all that Civitai said of these pictures, under its own names, by id.

    Raises StorageError.
    """
    found: dict[int, dict[str, Any]] = {}
    with db.reading() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            some = tuple(ids[start : start + _AT_ONCE])
            marks = ', '.join('?' * len(some))
            ask = f'SELECT id, item, meta FROM pictures WHERE id IN ({marks})'
            for number, item, meta in connection.execute(ask, some):
                told = json.loads(meta)
                found[number] = {**json.loads(item), **({'meta': told} if told else {})}
    return found


def gone(db: Database, ids: Collection[int]) -> set[int]:
    """Return those of `ids` that were noted as gone. Raises StorageError."""
    with db.reading() as connection:
        ask = 'SELECT is_gone FROM pictures WHERE id = ?'
        return {one for one in ids if (connection.execute(ask, (one,)).fetchone() or (0,))[0]}


def _value(image: GalleryImage, name: str) -> object:
    value = getattr(image, name)
    if name == 'url':
        value = urls.kept(value, setting.civitai_api_key)
    if isinstance(value, int):
        return min(value, _LARGEST)
    if isinstance(value, str):
        return meta_of.clean(value)
    key = setting.civitai_api_key  # a server may say to us what we sent to it
    return json.dumps(value).replace(key, '***') if key else json.dumps(value)


def _image(row: Sequence[Any]) -> GalleryImage:
    values = dict(zip(_COLUMNS, row))
    return GalleryImage(**{**values, 'meta': json.loads(values['meta'])})
