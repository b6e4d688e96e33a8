"""The model files in folders, and below them."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Iterator, Mapping

from . import naming

log = logging.getLogger(__name__)


def model_files(
    folders: Mapping[Path, str], unreadable: list[Path]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield the model files in `folders`, each once, with the kind of the innermost one it is in.

    Folders that cannot be looked into are put into `unreadable`.
    """
    seen: set[tuple[int, int]] = set()
    roots = {os.path.realpath(folder): kind for folder, kind in folders.items()}
    # the innermost first, so that what is in it has its kind
    waiting = sorted(roots.items(), key=lambda one: one[0].count(os.sep))
    while waiting:
        folder, kind = waiting.pop()
        try:
            there = os.stat(folder)
            if (there.st_dev, there.st_ino) in seen:  # a link may lead in a circle
                continue
            seen.add((there.st_dev, there.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir():
                        waiting.append((entry.path, roots.get(entry.path, kind)))
                    elif _is_model(entry):
                        yield entry, kind
        except (OSError, ValueError) as error:
            log.warning('The folder %s cannot be read: %s', folder, error)
            unreadable.append(Path(folder))


def _is_model(entry: os.DirEntry[str]) -> bool:
    return (
        os.path.splitext(entry.name)[1].lower() in naming.MODEL_ENDINGS
        and not entry.name.startswith('.')
        and entry.is_file()
    )
