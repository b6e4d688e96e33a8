"""What other tools wrote beside a model file: which version it is of. Read, never touched.

These files may come from anybody; they are believed in nothing but a number, and that is compared.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from ..store import files

MOST_BYTES = 16 * 1024 * 1024  # a whole answer about a model with many versions has some MiB
_MOST_ID = 2**31 - 1
INFO, USER, MANAGER, MATRIX = '.civitai.info', '.json', '.metadata.json', '.cm-info.json'


@dataclass(frozen=True)
class Told:
    """The version, and the model, that a file is said to be of; 0 if that is not said.

    `sizes`: how many bytes the files of that version have, where that is said too.
    """

    version_id: int = 0
    model_id: int = 0
    sizes: tuple[int, ...] = ()

    def fits(self, size: int) -> bool:
        """Tell whether a file of `size` bytes can be one of the version; sizes may be rounded."""
        return not self.sizes or any(abs(size - one) <= 1024 for one in self.sizes)


def beside(path: Path, ending: str) -> Path:
    """Return the path of the file with `ending` that belongs to the model file at `path`."""
    return Path(os.path.splitext(path)[0] + ending)


def version_told(path: Path) -> int:
    """Return the version that the files beside `path` say it is of, 0 if none does."""
    return told_of(path).version_id


def told_of(path: Path) -> Told:
    """Return what the files beside the model file at `path` say of it; the surest one counts."""
    for ending, read in _READERS:
        content = _object(beside(path, ending))
        told = read(content) if content else Told()
        if told.version_id:
            return told
    return Told()


def _object(path: Path) -> Mapping[str, object]:
    try:
        with files.opened(path) as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            return {}
        found = json.loads(content.decode('utf-8-sig'))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def number(value: object) -> int:
    """Return `value` as an id, 0 if it is none; some tools write ids as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11:
        value = int(value)
    is_id = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_ID
    return int(value) if isinstance(value, int) and is_id else 0


def _of_version(content: Mapping[str, object]) -> Told:
    """A version as the API answers it; one that a tool made up has no id."""
    listed = content.get('files')
    sizes = (
        one.get('sizeKB')
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    )
    known = tuple(
        round(one * 1024)
        for one in sizes
        if isinstance(one, (int, float)) and not isinstance(one, bool) and 0 < one < 2**40
    )
    return Told(number(content.get('id')), number(content.get('modelId')), known)


def _of_user(content: Mapping[str, object]) -> Told:
    """What people note of a model in a WebUI; other tools add the ids."""
    return Told(number(content.get('modelVersionId')), number(content.get('modelId')))


def _of_manager(content: Mapping[str, object]) -> Told:
    version = content.get('civitai')
    return _of_version(version) if isinstance(version, dict) else Told()


def _of_matrix(content: Mapping[str, object]) -> Told:
    return Told(number(content.get('VersionId')), number(content.get('ModelId')))


_READERS = ((INFO, _of_version), (USER, _of_user), (MANAGER, _of_manager), (MATRIX, _of_matrix))
