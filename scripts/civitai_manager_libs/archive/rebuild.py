"""What can be known again after the archive was lost, out of the folders with the files."""

from __future__ import annotations

import logging
import os
import re
from itertools import islice
from pathlib import Path
from typing import Collection, Iterator

from ..store import files, media
from . import folders, saved
from .database import Database

log = logging.getLogger(__name__)

_AT_ONCE = 100
_ID = re.compile(r'[1-9][0-9]{0,17}')


def rebuild(db: Database) -> int:
    """Note the pictures that lie in the known folders again; return how many there are.

    Their names tell which they are: an id, or what `store.names.picture_stem` gives. That jobs are
    lost is for the caller to say. Raises StorageError.
    """
    odd = folders.numbered_otherwise(db.path)
    known = sorted(folders.read(db.path), key=lambda folder: folder in odd)
    found = (one for folder in known for one in _in(folder, odd))
    count = 0
    while some := list(islice(found, _AT_ONCE)):
        saved.note(db, some)
        count += len(some)
    db.recovered()
    return count


def _in(folder: Path, odd: Collection[Path]) -> Iterator[saved.SavedFile]:
    for inside, _, names in os.walk(folder):
        above = (Path(inside), *Path(inside).parents)
        are_ids = not any(one in odd for one in above)
        for path in (Path(inside, name) for name in sorted(names)):
            if path.suffix.lower() not in media.MEDIA_SUFFIXES:
                continue
            seen = files.look(path)
            if seen is None or not seen.is_whole:
                continue
            is_number = bool(_ID.fullmatch(path.stem))
            number = int(path.stem) if is_number and are_ids else 0
            try:
                yield saved.found(path, '' if is_number else path.stem, number)
            except OSError as error:
                log.warning('%s cannot be read: %s', path, error)
