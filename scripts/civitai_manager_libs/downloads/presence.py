"""Whether a file under a picture's name is that picture: its bytes say so, or a fetch did.

Some originals lack the mark that ends their kind, however often they are fetched. What a fetch
brought as whole is noted by name and size, so that it is not fetched again at every run.
"""

from __future__ import annotations

import errno
import logging
import os
import unicodedata
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Iterable

from .. import forks, setting
from ..errors import StorageError
from ..store import files, private, suffixes

log = logging.getLogger(__name__)

MAX_NOTES = 5000
_FOLDERS_AT_ONCE = 64

_lock = forks.Lock()


def is_there(path: str | Path, *, wanted: str = '') -> bool:
    """Tell whether the file at `path` is whole, and can be what Civitai calls `wanted`."""
    seen = files.look(path)
    if seen is None or seen.kind is None or not seen.kind.will_do(wanted):
        return False
    return seen.is_whole or _notes().get(Path(path).stem) == seen.size


def find(folder: Path, stem: str, *, wanted: str = '') -> Path | None:
    """Return the file in `folder` called `stem` that is there, whatever its extension, or None."""
    return suffixes.existing_picture(folder, stem, partial(is_there, wanted=wanted))


class Glance:
    """What lay in folders when they were first looked at: a quick no for most names.

    To look for one name of every spelling asks the system dozens of times.
    """

    def __init__(self) -> None:
        self._stems = lru_cache(_FOLDERS_AT_ONCE)(_stems)

    def among(self, folder: str, stems: Iterable[str]) -> list[str]:
        """Return those of `stems` that files in `folder` were called then."""
        lying = self._stems(folder)
        return [stem for stem in stems if hash(_spelled(stem)) in lying] if lying else []


def _stems(folder: str) -> frozenset[int]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(hash(_spelled(os.path.splitext(one.name)[0])) for one in entries)
    except OSError:
        return frozenset()


def _spelled(stem: str) -> str:
    """What names have in common that some systems take for one."""
    return unicodedata.normalize('NFC', stem).casefold()


def vouch(path: str | Path, stem: str = '') -> None:
    """Note that the file at `path`, just fetched, is all there is of what is called `stem`.

    Without `stem` that is the name it has. Nothing is noted of what is whole by its bytes, or no
    picture at all. Never raises.
    """
    seen = files.look(path)
    if seen is None or seen.is_whole or seen.kind is None:
        return
    stem = stem or Path(path).stem
    try:
        with _lock, private.locked(_file()):
            notes = _notes()
            notes.pop(stem, None)
            kept = dict(islice(notes.items(), max(0, len(notes) - MAX_NOTES + 1), None))
            files.write_json(_file(), {**kept, stem: seen.size})
    except StorageError as error:
        log.warning('%s may be fetched again: %s', stem, error)


def _file() -> Path:
    return Path(setting.data_folder) / 'fetched_as_they_are.json'


def _notes() -> dict[str, int]:
    stored = files.read_json(_file())
    return stored if isinstance(stored, dict) else {}


def check_writable(folder: Path) -> None:
    """Raise StorageError if `folder` cannot be made or written. Nothing is made."""
    whole = folder.absolute()
    with files.explained(folder):
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.stat(whole)  # says so of a name that no system takes
        if not files.has_short_names(str(whole)):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        there = next(one for one in (whole, *whole.parents) if one.exists())
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
