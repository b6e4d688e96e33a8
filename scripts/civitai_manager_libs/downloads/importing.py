"""What img2dataset kept, taken into the archive by the tables that it wrote beside its files.

A table was written elsewhere and is believed in nothing that can be looked at here: each file lies
in the folder of its shard, is whole, and has the SHA-256 of the bytes that came.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

from ..archive import pictures, saved
from ..archive.database import Database
from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..errors import CancelledError, WrongContentError
from ..store import files, names, parquet, suffixes

# Its own columns; `id` is ours, which it hands on.
_COLUMNS = ('key', 'status', 'error_message', 'url', 'sha256', 'id')
# What became of a row. MISSING: the file is not there; PACKED: it is inside a tar.
OUTCOMES = 'kept', 'already', 'failed', 'missing', 'packed', 'refused'
KEPT, ALREADY, FAILED, MISSING, PACKED, REFUSED = OUTCOMES
_KEY = re.compile(r'[0-9]{1,30}')
_SHA256 = re.compile(r'[0-9a-f]{64}')
_STATUS = re.compile(r'HTTP Error ([0-9]{3})')
_MOST_CAUSES = 100
_OTHER = '...'


@dataclass
class Account:
    """What became of the rows, by the names above; why some failed or were refused, and how often.

    Causes are words of img2dataset, those of `refusals` keys of sentences (`import_...`).
    """

    counts: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether each picture of the tables is kept here."""
        return not any(self.counts[name] for name in (FAILED, MISSING, PACKED, REFUSED))

    def failed(self, message: object) -> None:
        """Count a picture that img2dataset could not keep."""
        self.counts[FAILED] += 1
        said = _STATUS.search(message) if isinstance(message, str) else None
        cause = f'HTTP {said[1]}' if said else urls.shown(str(message or '?'))
        is_room = cause in self.causes or len(self.causes) < _MOST_CAUSES
        self.causes[cause if is_room else _OTHER] += 1


class _Refused(Exception):
    """Why a row is not believed: the key of a sentence."""


class _NotThere(Exception):
    """The file of a row is not there: MISSING or PACKED."""


def take_in(db: Database, table: Path, account: Account, stop: threading.Event) -> None:
    """Note the files of one table in the archive, and count each row in `account`.

    No file is written, moved or renamed. Raises WrongContentError if it is no table of
    img2dataset with our ids, StorageError, CancelledError once `stop` is set.
    """
    for some in parquet.rows(table, _COLUMNS):
        if stop.is_set():
            raise CancelledError
        missing = [name for name in _COLUMNS if name not in some[0]]
        if missing:
            raise WrongContentError('table_foreign', name=table, columns=', '.join(missing))
        numbers = [_number(row['id']) for row in some if _number(row['id'])]
        known = pictures.find(db, numbers)
        found: dict[Path, saved.SavedFile] = {}
        for row in some:
            _count(db, table, row, known, found, account)
        saved.note(db, found.values())


def _count(
    db: Database,
    table: Path,
    row: Mapping[str, object],
    known: Mapping[int, GalleryImage],
    found: dict[Path, saved.SavedFile],
    account: Account,
) -> None:
    """Say what became of one row; a file that is to be noted gets among those `found`."""
    if row['status'] != 'success':
        account.failed(row['error_message'])
        return
    try:
        image = _picture(row, known)
        path = _path(table, row['key'])
        noted = found.get(path) or saved.at(db, path)
        if noted is not None and noted.is_there:
            if noted.picture_id != image.id:
                raise _Refused('import_of_another')
            account.counts[ALREADY] += 1
            return
        found[path] = _looked_at(path, image, row['sha256'])
        account.counts[KEPT] += 1
    except _Refused as why:
        account.counts[REFUSED] += 1
        account.refusals[str(why)] += 1
    except _NotThere as what:
        account.counts[str(what)] += 1


def _picture(row: Mapping[str, object], known: Mapping[int, GalleryImage]) -> GalleryImage:
    """The picture that a row names, by its id and its address."""
    image, url = known.get(_number(row['id'])), row['url']
    if image is None:
        raise _Refused('import_unknown')
    if not isinstance(url, str) or names.picture_stem(url) != names.picture_stem(image.url):
        raise _Refused('import_other_address')
    return image


def _number(value: object) -> int:
    """The id that a cell holds, 0 if it is none."""
    if isinstance(value, str) and re.fullmatch('[1-9][0-9]{0,17}', value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return value
    return 0


def _path(table: Path, key: object) -> Path:
    """The file of that `key` in the folder of its shard, which is called as its table is."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _Refused('import_elsewhere')
    folder = table.absolute().with_suffix('')
    called = suffixes.pictures_called(folder, key)
    if not called:
        raise _NotThere(PACKED if folder.with_suffix('.tar').is_file() else MISSING)
    if len(called) > 1 or called[0].is_symlink() or not files.is_inside(called[0], folder.parent):
        raise _Refused('import_elsewhere')
    return called[0]


def _looked_at(path: Path, image: GalleryImage, sha256: object) -> saved.SavedFile:
    """What is to be noted of the file, if it is what the table says that came."""
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _Refused('import_no_hash')
    seen = files.look(path)
    if seen is None or not seen.is_whole:
        raise _Refused('import_no_picture')
    try:
        file = saved.looked_at(path, names.picture_stem(image.url), image.id)
    except OSError:
        raise _Refused('import_no_picture') from None
    if file.sha256 != sha256:
        raise _Refused('import_not_as_it_came')
    return file
