"""The model files in folders, and below them."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import Iterator, Mapping

from . import naming

log = logging.getLogger(__name__)

_FOLDER, _MODEL = 'folder', 'model'
# Of links in a circle, and to what no file can be called.
_NOWHERE = frozenset({errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR})


def model_files(
    folders: Mapping[Path, str], unreadable: list[Path]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield the model files in `folders`, each once, with the kind of the innermost one it is in.

    What lies in one of them itself counts as there, whichever links lead to it as well. What cannot
    be looked into is put into `unreadable`.
    """
    seen: set[tuple[int, int]] = set()
    roots = {os.path.realpath(folder): kind for folder, kind in folders.items()}
    # the innermost first, so that what is in it has its kind
    waiting = sorted(roots.items(), key=lambda one: one[0].count(os.sep))
    links: list[tuple[str, str]] = []
    while waiting or links:
        folder, kind = waiting.pop() if waiting else links.pop()
        try:
            there = os.stat(folder)
            if (there.st_dev, there.st_ino) in seen:  # a link may lead in a circle
                continue
            seen.add((there.st_dev, there.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    what = _what(entry, unreadable)
                    if what == _FOLDER:
                        further = links if entry.is_symlink() else waiting
                        further.append((entry.path, roots.get(entry.path, kind)))
                    elif what == _MODEL:
                        yield entry, kind
        except (OSError, ValueError) as error:
            log.warning('The folder %s cannot be read: %s', folder, error)
            unreadable.append(Path(folder))


def _what(entry: os.DirEntry[str], unreadable: list[Path]) -> str:
    """What is at an entry, of these two; '' if neither, as where a link leads nowhere."""
    try:
        if entry.is_dir():
            return _FOLDER
        is_called_so = os.path.splitext(entry.name)[1].lower() in naming.MODEL_ENDINGS
        is_model = is_called_so and not entry.name.startswith('.') and entry.is_file()
        return _MODEL if is_model else ''
    except OSError as error:
        if error.errno not in _NOWHERE:
            log.warning('%s cannot be looked at: %s', entry.path, error)
            unreadable.append(Path(entry.path))
        return ''
