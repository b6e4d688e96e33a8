"""What Civitai said of models and versions, kept in the archive: new for a day, of use for ever."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Collection, Mapping

from .. import setting
from ..archive import answers
from ..archive.place import archive
from ..errors import StorageError
from ..store import files

log = logging.getLogger(__name__)

MODEL, VERSION, GONE = answers.MODEL, answers.VERSION, answers.GONE
FRESH_SECONDS = 24 * 3600.0
# Where each kind was kept before there was an archive.
_FORMER_FOLDERS = {MODEL: 'models', VERSION: 'versions'}


def kept(kind: str, ids: Collection[int], *, fresh: bool = False) -> dict[int, object]:
    """Return the answers that are kept, by id; `fresh`: only what was said within a day.

    Never raises. What earlier versions kept as files moves into the archive.
    """
    since = time.time() - FRESH_SECONDS if fresh else 0.0
    try:
        _move_former(kind, ids)
        return answers.kept(archive(), kind, ids, since)
    except StorageError as error:
        log.warning('Model information that is kept cannot be read: %s', error)
        return _former(kind, ids)


def _move_former(kind: str, ids: Collection[int]) -> None:
    """Have what was kept as files in the archive, unless there is something newer."""
    former = _former(kind, ids)
    if former:
        there = answers.kept(archive(), kind, former)
        answers.keep(archive(), kind, {n: v for n, v in former.items() if n not in there})


def _former(kind: str, ids: Collection[int]) -> dict[int, object]:
    folder = Path(setting.data_folder) / _FORMER_FOLDERS.get(kind, '')
    if kind not in _FORMER_FOLDERS or not folder.is_dir():
        return {}
    found = {one: files.read_json(folder / f'{one}.json') for one in ids}
    return {number: data for number, data in found.items() if data is not None}


def keep(kind: str, found: Mapping[int, object]) -> None:
    """Keep these answers, by id, as of now. Never raises."""
    try:
        answers.keep(archive(), kind, found)
    except StorageError as error:
        log.warning('Model information could not be kept: %s', error)
