"""Tables of pictures, for programs that train with them or fetch them on many machines.

One row a picture, some rows at a time, so that any number of them takes the same memory.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator, Mapping, TypeVar

from .. import setting
from ..archive import pictures, places, saved, jobs
from ..archive.database import Database
from ..civitai import basemodels, captions, inside, meta as meta_of, urls
from ..civitai.gallery import GalleryImage, is_allowed
from ..errors import CancelledError, UrlRefusedError
from ..store import embedded, files, names
from ..store.parquet import Row
from .wanted import Wanted

COLUMNS: Mapping[str, type] = {
    'url': str,
    'caption': str,
    'file': str,
    'id': int,
    'width': int,
    'height': int,
    'sha256': str,
    'username': str,
    'page': str,
    'meta': str,
}
_AT_ONCE = 200

T = TypeVar('T')


def row_of(image: GalleryImage, file: saved.SavedFile | None) -> Row:
    """Return the row of a picture, of which `file` is kept.

    What nobody knows is '' or 0, and so is an address that we would not fetch from: the table sends
    other machines there.
    """
    meta = meta_of.opened(image.meta)
    row: Row = {
        'url': _address(image),
        'caption': captions.caption(meta.get('prompt')),
        'file': str(file.path) if file else '',
        'id': image.id,
        'width': image.width,
        'height': image.height,
        'sha256': file.came if file else '',
        'username': image.username,
        'page': urls.page_url(setting.civitai_base_url, 'images', image.id) if image.id else '',
        'meta': json.dumps(meta, ensure_ascii=False),
    }
    key = setting.civitai_api_key  # a file was written by anybody, even by who had it in a prompt
    if not key:
        return row
    return {k: v.replace(key, '***') if isinstance(v, str) else v for k, v in row.items()}


def _address(image: GalleryImage) -> str:
    url = urls.original_url(image.url)
    try:
        urls.check_first(url, setting.civitai_base_url, setting.extra_host_names())
    except UrlRefusedError:
        return ''
    return url


def _as_kept(image: GalleryImage, file: saved.SavedFile | None) -> GalleryImage:
    """The picture with how it was made, which its file tells where the site does not."""
    if file is None or image.meta:
        return image
    return replace(image, meta=inside.meta_in(embedded.texts(file.path)))


def of_job(
    listed: Database, job_id: int, db: Database, stop: threading.Event, counts: Counter[str]
) -> Iterator[list[Row]]:
    """Yield the rows of all pictures that a job of the archive `listed` found.

    Files are those that the archive `db` knows. It gets to know the pictures too, so that what
    others do with the table can come back. `counts` gets how many rows have no address because it
    was `refused`. Raises StorageError, CancelledError once `stop` is set.
    """
    for some in _grouped(places.every_listed(listed, job_id, jobs.TO_DO), stop):
        said = pictures.items(listed, [one.image.id for one in some])
        images = [replace(one.image, item=said.get(one.image.id, {})) for one in some]
        pictures.note(db, images)
        kept = saved.of_pictures(db, {one.id: names.picture_stem(one.url) for one in images})
        pairs = ((one, next(iter(kept.get(one.id, ())), None)) for one in images)
        rows = [row_of(_as_kept(*pair), pair[1]) for pair in pairs]
        counts['refused'] += sum(not row['url'] for row in rows)
        yield rows


def of_folder(
    db: Database, folder: Path, wanted: Wanted, stop: threading.Event, counts: Counter[str]
) -> Iterator[list[Row]]:
    """Yield the rows of the pictures in `folder` that are `wanted`, by the names of their files.

    `counts` gets how many files were noted and are `missing`, of how many rows nobody knows the
    picture (`unlisted`), and how many have no address because it was `refused`. Raises
    SourceError if there is no such base model, StorageError, CancelledError once `stop` is set.
    """
    _check_base_models(db, folder, wanted, stop)
    left = wanted.limit
    for some in _grouped(saved.in_folder(db, folder), stop):
        there = [one for one in some if one.is_there]
        counts['missing'] += len(some) - len(there)
        numbers = [one.picture_id for one in there if one.picture_id]
        known = pictures.find(db, numbers)
        twins = saved.of_pictures(db, dict.fromkeys(numbers, ''))
        rows = []
        for file in there:
            image = _as_kept(known.get(file.picture_id) or _unknown(file), file)
            if _is_wanted(image, wanted) and _is_first(file, twins, folder):
                rows.append(row_of(image, file))
                counts['unlisted'] += not image.url
                counts['refused'] += bool(image.url and not rows[-1]['url'])
                if len(rows) == left:
                    yield rows
                    return
        left -= len(rows)
        yield rows


def _check_base_models(db: Database, folder: Path, wanted: Wanted, stop: threading.Event) -> None:
    """Raise SourceError for a base model that is not known here, nor of any picture in `folder`."""
    unknown = basemodels.unknown_of(wanted.base_models)
    if not unknown:
        return
    for some in _grouped(saved.in_folder(db, folder), stop):
        known = pictures.find(db, [one.picture_id for one in some if one.picture_id])
        there = {image.base_model for image in known.values()}
        unknown = [name for name in unknown if name not in there]
    if unknown:
        raise basemodels.no_such(unknown[0])


def _unknown(file: saved.SavedFile) -> GalleryImage:
    """What can be said of a picture that was never listed here."""
    kind = files.media_type(file.path)
    return GalleryImage(file.picture_id, '', kind.kind if kind else '')


def _is_wanted(image: GalleryImage, wanted: Wanted) -> bool:
    return (
        wanted.fits(image)
        and (not wanted.levels or is_allowed(image.level, wanted.levels))
        and (not wanted.type or image.kind == wanted.type)
        and (not wanted.base_models or image.base_model in wanted.base_models)
    )


def _is_first(
    file: saved.SavedFile, twins: Mapping[int, list[saved.SavedFile]], folder: Path
) -> bool:
    """Tell whether no other file of that picture stands before it in `folder`."""
    before = [one for one in twins.get(file.picture_id, ()) if one.path < file.path]
    return not any(files.is_inside(one.path.parent, folder) for one in before)


def _grouped(every: Iterable[T], stop: threading.Event) -> Iterator[list[T]]:
    one_by_one = iter(every)
    while some := list(islice(one_by_one, _AT_ONCE)):
        if stop.is_set():
            raise CancelledError
        yield some
    if stop.is_set():
        raise CancelledError
