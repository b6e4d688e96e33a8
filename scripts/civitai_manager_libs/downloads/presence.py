"""Whether a file under a picture's name is that picture: its bytes say so, or a fetch did.

Some originals lack the mark that ends their kind, however often they are fetched. What a fetch
brought as whole is noted by name and size, so that it is not fetched again at every run.
"""

from __future__ import annotations

import logging
from functools import partial
from itertools import islice
from pathlib import Path

from .. import forks, setting
from ..errors import StorageError
from ..store import files, private

log = logging.getLogger(__name__)

MAX_NOTES = 5000

_lock = forks.Lock()


def is_there(path: str | Path, *, wanted: str = '') -> bool:
    """Tell whether the file at `path` is whole, and can be what Civitai calls `wanted`."""
    seen = files.look(path)
    if seen is None or seen.kind is None or not seen.kind.will_do(wanted):
        return False
    return seen.is_whole or _notes().get(Path(path).stem) == seen.size


def find(folder: Path, stem: str, *, wanted: str = '') -> Path | None:
    """Return the file in `folder` called `stem` that is there, whatever its extension, or None."""
    return files.existing_picture(folder, stem, partial(is_there, wanted=wanted))


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
