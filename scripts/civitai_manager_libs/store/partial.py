"""Part files that outlive their process: what came of a large file, gone on with after a kill.

Beside `<name>` lie `<name>.civitai-part`, which may have holes, and `.civitai-part.json`, which
says what is known of it. Who writes there holds a lock, which the system frees with its process.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Iterator, Mapping

from ..errors import StorageError
from . import claims, files, private

ENDING = '.civitai-part'
# No part or state has such a name on its own account, so this is how much a name has to leave.
LONGEST_ENDING = len(f'{ENDING}.json')
_OURS = re.compile(rf'\.({re.escape(ENDING[1:])}(?:\.json|\.lock)?)\Z', re.IGNORECASE)
_PLAIN = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)


def unlike_a_part(name: str) -> str:
    """Return `name`, changed as little as may be if what lies beside a part is called so."""
    return _OURS.sub(r'_\1', name)


class Partial:
    """What is there of the file that is to be `target`; see `held`. All raises StorageError."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ENDING)
        self._state = target.with_name(f'{target.name}{ENDING}.json')

    def known(self) -> dict[str, object]:
        """Return what was noted of it, {} if nothing was or the bytes are not there."""
        noted = files.read_json(self._state)
        return noted if isinstance(noted, dict) and self.path.is_file() else {}

    def note(self, known: Mapping[str, object]) -> None:
        """Note what is known of it from now on, whole or not at all."""
        files.write_json(self._state, known)

    def forget(self) -> None:
        """Have nothing known of it."""
        with files.explained(self.target.parent):
            self._state.unlink(missing_ok=True)

    def open(self) -> FileIO:
        """Open it for reading and writing, made if need be; a link or pipe in its place is none."""
        with files.explained(self.target.parent):
            return FileIO(str(self.path), 'r+', opener=self._opened)

    def _opened(self, path: str, flags: int) -> int:
        handle = os.open(path, flags | os.O_CREAT | _PLAIN, 0o666)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        raise StorageError('error_target_is_no_file', name=self.path.name)

    def settle(self) -> None:
        """Wait until what was written is on the disk, where the system promises so much."""
        with files.explained(self.target.parent), self.open() as file:
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Leave nothing of it, nor of what is known."""
        for path in (self.path, self._state):
            with suppress(OSError):
                path.unlink()

    def become(self, final: Path) -> bool:
        """Give it, which is finished, the name `final` unless something has that: then False."""
        if not claims.claim(self.path, final):
            return False
        with suppress(OSError):
            self._state.unlink()
        return True


@contextmanager
def held(target: Path, patience: float = 0.0) -> Iterator[Partial]:
    """Give what is there of `target`, for this thread alone until the block ends.

    Makes the folder. Raises StorageError, after `patience` seconds `model_busy` where another
    program or thread has it.
    """
    lock = target.with_name(f'{target.name}{ENDING}.lock')
    end = time.monotonic() + patience
    with files.explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        while (handle := private.hold(lock)) is None:
            if time.monotonic() >= end:
                raise StorageError('model_busy', name=target.name)
            time.sleep(private.PAUSE_SECONDS)
    try:
        yield Partial(target)
    finally:
        private.let_go(lock, handle)
