"""Names for files that a person keeps: whoever comes first has one, and it is never replaced."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import StorageError
from . import files

if sys.platform != 'win32':
    import fcntl


def claim(part: Path, final: Path) -> bool:
    """Give the finished file `part` the name `final` unless something has it: then False.

    A power cut leaves the whole file under that name, or none. Raises StorageError, also where a
    folder has the name.
    """
    with files.explained(final.parent):
        _settle(part)
        try:
            _take(part, final)
        except FileExistsError:
            if final.is_dir():
                raise StorageError('error_target_is_no_file', name=final.name) from None
            return False
    _settle_folder(final.parent)
    return True


def _take(part: Path, final: Path) -> None:
    """Rename `part`. Raises FileExistsError if there is `final`, and OSError."""
    if sys.platform == 'win32':
        os.rename(part, final)  # which replaces nothing there
        return
    try:
        os.link(part, final)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, or a file that others own
        _take_in_turn(part, final)
    else:
        with suppress(OSError):  # it has its name; who made the part takes it away
            os.unlink(part)


def _take_in_turn(part: Path, final: Path) -> None:
    """The same where the system cannot look and rename at once: all who do so wait in turn."""
    if sys.platform == 'win32':
        return
    handle = os.open(final.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no locks either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.lexists(final):
            raise FileExistsError(final)
        os.rename(part, final)
    finally:
        os.close(handle)


def _settle_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk, if its file system promises so much."""
    if sys.platform != 'win32':  # where a folder cannot be opened
        with suppress(OSError):
            _settle(folder, os.O_RDONLY)


def _settle(path: Path, mode: int = os.O_RDWR) -> None:
    """Wait until what was written to `path` is on the disk, about half a millisecond."""
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    except OSError as error:
        # a file system that knows no such thing is no reason to lose the file, a broken one is
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
