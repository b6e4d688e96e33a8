"""The plain list of folders that files were saved to, which outlives the archive beside it."""

from __future__ import annotations

import json
from pathlib import Path

from ..store import private

NAME = 'archive_folders.jsonl'


def note(archive: Path, folder: Path) -> None:
    """Add `folder`, unless it is there, to the list beside `archive`. Raises StorageError."""
    path = archive.with_name(NAME)
    absolute = str(folder.absolute())
    with private.locked(path):
        known = [str(one) for one in read(archive)]
        if absolute not in known:
            # a line each, in ASCII: a name may hold a line end, or half a character
            private.write(path, ''.join(json.dumps(one) + '\n' for one in [*known, absolute]))


def read(archive: Path) -> list[Path]:
    """Return the folders in the list, the first noted first; lines that are broken are left out."""
    try:
        lines = private.read_text(archive.with_name(NAME)).splitlines()
    except (OSError, ValueError):
        return []
    return [Path(one) for one in map(_folder, lines) if one]


def _folder(line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return ''
    return value if isinstance(value, str) else ''
