"""Pictures, videos and sounds by any extension: found by their stem, named by their bytes."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Callable

from . import media
from .files import explained, media_type

# Extensions as files have them: cameras and older programs write them large.
_SPELLINGS = [one for suffix in sorted(media.MEDIA_SUFFIXES) for one in (suffix, suffix.upper())]


def pictures_called(folder: Path, stem: str) -> list[Path]:
    """Return the files in `folder` that are called `stem` and like a picture, video or sound."""
    return [path for path in in_the_way(folder, stem) if path.is_file()]


def in_the_way(folder: Path, stem: str) -> list[Path]:
    """The same with what is no file: links to nothing, pipes, devices; but no folders."""
    base = os.path.join(folder, stem)
    found: dict[tuple[int, int, str], Path] = {}
    for suffix in _SPELLINGS:
        with suppress(OSError, ValueError):
            seen = os.lstat(base + suffix)
            # where case does not count, both spellings are one file
            found.setdefault((seen.st_dev, seen.st_ino, suffix.lower()), Path(base + suffix))
    return [path for path in found.values() if not path.is_dir()]


def existing_picture(
    folder: Path, stem: str, is_wanted: Callable[[Path], bool] = Path.is_file
) -> Path | None:
    """Return the first of `pictures_called` that `is_wanted`, None if none is."""
    return next(filter(is_wanted, pictures_called(folder, stem)), None)


def named_by_bytes(path: Path) -> Path:
    """Give the finished file at `path` the extension of its bytes; return where it is now.

    A file that is missing or of no known type stays as it is. Raises StorageError if another
    file has that name.
    """
    kind = media_type(path)
    if kind is None or path.suffix.lower() == kind.extension:
        return path
    right = path.with_suffix(kind.extension)
    with explained(path.parent):
        if os.path.lexists(right):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.replace(path, right)
    return right
