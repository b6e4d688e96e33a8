"""Small files that only their owner may read: one writer at a time, readers see them whole.

The lock is a file beside the one to be written. The system frees it when its holder dies, however
it dies, and who frees it takes the file away.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable, Iterator, TypeVar

from .. import forks
from ..errors import StorageError
from .reasons import reason

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

T = TypeVar('T')

ENCODING = 'utf-8-sig'  # some editors put a byte order mark first
MAX_JSON_BYTES = 1_000_000
UNREADABLE = (OSError, ValueError, RecursionError)

PATIENCE_SECONDS = 10.0
WINDOWS_SECONDS = 2.0
PAUSE_SECONDS = 0.005


class _Handles:
    """The locks that this process has. Its children let go of them, or they would keep them."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Have none; those of the parent stay locked as long as that has them."""
        while self.open:
            with suppress(OSError):
                os.close(self.open.pop())


_handles = _Handles()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other threads and programs that want to write `path` out until the block ends.

    Raises StorageError if one of them does not end, or the folder cannot be written.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    lock = path.with_name(f'{path.name}.lock')
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        while (handle := hold(lock)) is None:
            if time.monotonic() > end:
                raise StorageError('error_locked', folder=str(path))
            time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        let_go(lock, handle)


def hold(lock: Path) -> int | None:
    """Lock the file `lock`, which is made, until this process ends; None if another one has it.

    Returns what `let_go` takes. Raises OSError.
    """
    flags = os.O_CREAT | os.O_RDWR | getattr(os, 'O_NOFOLLOW', 0)
    handle = _patiently(lambda: os.open(lock, flags, 0o600))
    _handles.open.add(handle)
    if _try_lock(handle) and _is_at(lock, handle):
        return handle
    _handles.open.discard(handle)
    os.close(handle)
    return None


def let_go(lock: Path, handle: int) -> None:
    """Free the lock and take it away, unless it is that of the process that forked this one."""
    if handle not in _handles.open:
        return
    with suppress(OSError):  # on Windows it goes after it is closed, if nobody has it by then
        lock.unlink()
    with suppress(OSError):
        if sys.platform == 'win32':
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_UN)
    _handles.open.discard(handle)
    os.close(handle)
    if sys.platform == 'win32':
        with suppress(OSError):
            lock.unlink()


def write(path: Path, content: str) -> None:
    """Replace the file at `path`, whole or not at all. To be called inside `locked(path)`.

    `content` is ASCII. Raises StorageError.
    """
    part = path.with_name(f'.{path.name}.{secrets.token_hex(8)}.part')
    try:
        for left in path.parent.glob(f'.{path.name}.*.part'):  # by a writer that was killed
            left.unlink(missing_ok=True)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, 'w', encoding='ascii') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a power cut leaves the old file or the new one
        _patiently(lambda: os.replace(part, path))
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise _not_written(path, error) from error


def remove(path: Path) -> None:
    """Remove the file at `path` if it is there. Raises StorageError."""
    with _explained(path):
        _patiently(lambda: path.unlink(missing_ok=True))


def read_text(path: Path) -> str:
    """Return the content of `path`. Raises OSError, ValueError."""
    return _patiently(path.read_bytes).decode(ENCODING)


def read_json(path: Path) -> dict[str, object]:
    """Return the object a JSON file holds, {} if there is no file. Raises one of UNREADABLE."""
    if not path.is_file():
        return {}
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError('too large')
    content = json.loads(read_text(path))
    if not isinstance(content, dict):
        raise ValueError('not a JSON object')
    return content


def write_json(path: Path, content: dict[str, object]) -> None:
    """Replace the JSON file at `path`, as `write` does. Raises StorageError."""
    try:
        # in ASCII, because a text may hold half a character that UTF-8 cannot write
        write(path, json.dumps(content, indent=2))
    except RecursionError as error:
        raise _not_written(path, error) from error


def keep_aside(path: Path) -> Path:
    """Move the file to the first free `<stem>.broken-N<suffix>` beside it, which is returned.

    To be called inside `locked(path)`. Raises OSError.
    """
    number = 1
    while (aside := path.with_name(f'{path.stem}.broken-{number}{path.suffix}')).exists():
        number += 1
    _patiently(lambda: os.replace(path, aside))
    return aside


def _not_written(path: Path, error: Exception) -> StorageError:
    return StorageError(folder=str(path), reason=reason(error))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_written(path, error) from error


def _patiently(action: Callable[[], T]) -> T:
    """Do what Windows forbids while somebody else has the file open, which is never for long."""
    end = time.monotonic() + WINDOWS_SECONDS
    while True:
        try:
            return action()
        except PermissionError:
            if sys.platform != 'win32' or time.monotonic() > end:
                raise
        time.sleep(PAUSE_SECONDS)


def _is_at(lock: Path, handle: int) -> bool:
    """Tell whether the open file is still the one at `lock`: its last holder took it away."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(lock))
    except OSError:
        return False


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == 'win32':
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a network folder without locks: better to go on than to refuse for ever
    return True
