"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import logging
import os
import shutil
import stat
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from typing import BinaryIO, Iterator

from ..errors import StorageError
from . import ends, media, names, parts
from .reasons import reason

log = logging.getLogger(__name__)

# So much of a file is read at once where it is looked at: all of most small pictures.
LOOK_BYTES = 64 * 1024

_AT_ONCE = getattr(os, 'O_NONBLOCK', 0)
_reclaimed: set[str] = set()


@contextmanager
def part_file(target: str | Path) -> Iterator[Path]:
    """Give a path beside `target` to write to; on success it takes the final name, else it is gone.

    A target that is a draft itself is written to as it is. For the rest see `draft`. Raises
    StorageError with the cause if the disk or folder refuses.
    """
    with part_name(str(Path(target))) as part:
        yield Path(part)


@contextmanager
def part_name(target: str) -> Iterator[str]:
    """The same with plain names.

    For many thousands of files: Python notes the names in a `Path` in a table that only grows.
    """
    part = target if parts.is_part(os.path.basename(target)) else _new_part(target)
    with ExitStack() as stack:
        stack.callback(_discard, part)
        yield part
        if part != target:
            place(part, target)
        stack.pop_all()


@contextmanager
def draft(target: str | Path, suffix: str = '') -> Iterator[Path]:
    """Give a path beside `target`, ending in `suffix`, to write to; what stays there is removed.

    Makes parent folders, and clears the folder of what killed processes left behind. The name is
    unique, so that two writers of one target never mix.
    Raises StorageError if the folder cannot be made or `target` is one.
    """
    part = _new_part(str(Path(target)), suffix)
    try:
        yield Path(part)
    finally:
        _discard(part)


def _new_part(target: str, suffix: str = '') -> str:
    """A path beside `target` that nothing has, in a folder that is there and cleared."""
    folder = os.path.dirname(target)
    if folder and not os.path.isdir(folder):
        with explained(folder):
            os.makedirs(folder, exist_ok=True)
    if os.path.isdir(target):
        raise StorageError('error_target_is_folder', name=os.path.basename(target) or target)
    if folder not in _reclaimed:
        _reclaimed.add(folder)
        reclaim(folder or os.curdir)
    return os.path.join(folder, parts.new_name(suffix))


def _discard(part: str) -> None:
    # a file that cannot be removed must not hide why we are here
    with suppress(OSError, ValueError):
        os.unlink(part)


def place(part: str | Path, final: str | Path) -> None:
    """Give the finished file `part` its final name. Raises StorageError.

    A file or link of that name is replaced, anything else stays and is an error. A power cut may
    leave an empty file.
    """
    with explained(os.path.dirname(final) or os.curdir):
        if not _is_replaceable(final):
            raise StorageError('error_target_is_no_file', name=os.path.basename(final))
        os.replace(part, final)


def _is_replaceable(path: str | Path) -> bool:
    """Tell whether `path` is free, a file, or a link to whatever."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def link_or_copy(source: Path, target: Path) -> None:
    """Give the bytes of `source` the name `target` too, which is free. Raises StorageError."""
    with explained(target.parent):
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, target)


def reclaim(folder: str | Path) -> None:
    """Remove from `folder` the part files of processes that are no more. Never raises."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if parts.is_part(entry.name)]
        now = _time_in(folder) if found else 0.0
        for entry in found:
            with suppress(OSError):
                age = now - entry.stat(follow_symlinks=False).st_mtime
                if parts.is_abandoned(entry.name, age):
                    os.unlink(entry.path)


def _time_in(folder: str | Path) -> float:
    """What time it is for the disk that `folder` is on; another machine's clock may be wrong."""
    with suppress(OSError):
        os.utime(folder)
    return os.stat(folder).st_mtime


class explained:  # a class, because one made by contextlib takes twice the time
    """Turn an OSError inside into a StorageError that says what to do about it.

    So is a ValueError: what Python says about a name that no system takes (a zero byte, say).
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise storage_error(error, self._folder) from error
        if isinstance(error, ValueError):
            shown = ''.join(c if c.isprintable() else '?' for c in str(self._folder))
            raise StorageError(folder=shown, reason=reason(error)) from error


def storage_error(error: OSError, folder: str | Path) -> StorageError:
    """Return the StorageError for what the system said about writing into `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError('error_disk_full', folder=str(folder))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError('error_not_writable', folder=str(folder))
    return StorageError(folder=str(folder), reason=reason(error))


def check_space(folder: str | Path, size: int) -> None:
    """Raise StorageError if `folder`, which exists, has no room for `size` bytes."""
    with explained(folder):
        if shutil.disk_usage(folder).free < size:
            raise StorageError('error_disk_full', folder=str(folder))


def opened(path: Path) -> BufferedReader:
    """Open the file at `path` for reading. Raises OSError, also for what is no file.

    A pipe or a device in its place could hold us up for ever.
    """
    return open(path, 'rb', opener=_open_a_file)


def _open_a_file(path: str, flags: int) -> int:
    handle = os.open(path, flags | _AT_ONCE)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def read_json(path: Path) -> object:
    """Return the content of a JSON file, None if it is missing or unreadable."""
    try:
        with opened(path) as file:
            return json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON, whole or not at all. Raises StorageError."""
    # in ASCII, because text from outside may hold half a character that UTF-8 cannot write
    content = json.dumps(data)
    with part_file(path) as part, explained(path.parent):
        part.write_text(content, encoding='ascii')


@dataclass(frozen=True)
class Look:
    """What can be seen of a file at once: its first bytes, its size, what is told of its end."""

    head: bytes
    size: int
    end: ends.End

    @property
    def kind(self) -> media.MediaType | None:
        """What it begins like."""
        return media.sniff(self.head)

    @property
    def is_whole(self) -> bool:
        """Whether it begins like something known, and does not tell that its end is missing."""
        return self.kind is not None and self.end is not ends.End.SHORT


def look(path: str | Path) -> Look | None:
    """Look at the file at `path`; None if it cannot be read."""
    with suppress(OSError, ValueError), FileIO(path, opener=_open_a_file) as file:
        return look_into(file)
    return None


def look_into(file: FileIO | BinaryIO) -> Look:
    """Look at an open file, which stands at its beginning. Raises OSError."""
    beginning = file.read(LOOK_BYTES) or b''
    size = file.seek(0, os.SEEK_END)

    def read(at: int, count: int) -> bytes:
        if min(at + count, size) <= len(beginning):  # read already
            return beginning[at : at + count]
        file.seek(at)
        return file.read(count) or b''

    return Look(beginning[: media.HEAD_BYTES], size, ends.end_of(read, size))


def sha256_of(file: FileIO) -> str:
    """Read an open file to its end; return the SHA-256 of that. Raises OSError."""
    digest = hashlib.sha256()
    while block := file.read(LOOK_BYTES):  # more would be kept by each thread that reads
        digest.update(block)
    return digest.hexdigest()


def media_type(path: Path) -> media.MediaType | None:
    """Return what the file at `path` is from its first bytes, None if unreadable or neither."""
    seen = look(path)
    return seen.kind if seen else None


def has_short_names(path: str) -> bool:
    """Tell whether each name in `path` is as short as file systems want it."""
    is_windows = os.name == 'nt'  # which counts letters
    sizes = (len(one if is_windows else os.fsencode(one)) for one in Path(path).parts)
    return max(sizes, default=0) <= names.MOST_NAME_BYTES


def is_inside(path: str | Path, folder: str | Path) -> bool:
    """Tell whether `path`, with links and dots resolved, lies under `folder`."""
    try:
        return Path(path).resolve().is_relative_to(Path(folder).resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def set_aside(path: Path) -> Path:
    """Rename a file to the first free NAME.odd-N.EXTENSION; return where it is now.

    Raises StorageError.
    """
    with explained(path.parent):
        for number in itertools.count(1):
            aside = path.with_name(f'{path.stem}.odd-{number}{path.suffix}')
            with suppress(FileExistsError):
                os.close(os.open(aside, os.O_CREAT | os.O_EXCL))  # nobody else takes it now
                break
        os.replace(path, aside)
    log.warning('%s is no whole picture; it is kept as %s', path, aside.name)
    return aside
