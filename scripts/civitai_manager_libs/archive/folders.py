"""The plain list of folders that files were saved to, which outlives the archive beside it.

A line each: the folder, or an object with it where files may be called by numbers that are no ids.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..store import private

NAME = 'archive_folders.jsonl'


def real(folder: Path) -> Path:
    """Return the one name that a folder has, whatever it was called: absolute, without links."""
    try:
        return Path(os.path.realpath(folder))
    except (OSError, ValueError):  # no system has such a name
        return folder.absolute()


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two names are of one folder, which need not be there."""
    return os.path.normcase(real(one)) == os.path.normcase(real(other))


def note(archive: Path, folder: Path, numbers_are_ids: bool = True) -> None:
    """Add `folder`, unless it is there, to the list beside `archive`. Raises StorageError."""
    path, absolute = archive.with_name(NAME), str(folder.absolute())
    value = absolute if numbers_are_ids else {'folder': absolute, 'numbers': 'no ids'}
    with private.locked(path):
        known = _lines(archive)
        if value not in known:
            # a line each, in ASCII: a name may hold a line end, or half a character
            private.write(path, ''.join(json.dumps(one) + '\n' for one in [*known, value]))


def read(archive: Path) -> list[Path]:
    """Return the folders in the list, the first noted first; lines that are broken are left out."""
    return list(dict.fromkeys(Path(_folder(one)) for one in _lines(archive)))


def numbered_otherwise(archive: Path) -> set[Path]:
    """Return those folders in which a name that is a number need not be an id."""
    return {Path(_folder(one)) for one in _lines(archive) if not isinstance(one, str)}


def _lines(archive: Path) -> list[object]:
    try:
        lines = private.read_text(archive.with_name(NAME)).splitlines()
    except (OSError, ValueError):
        return []
    return [value for value in map(_value, lines) if _folder(value)]


def _value(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _folder(value: object) -> str:
    folder = value.get('folder') if isinstance(value, dict) else value
    return folder if isinstance(folder, str) else ''
