"""The SHA256 of a file that is still coming, reckoned behind what is there."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Callable

from ..errors import CancelledError
from ..store import files

READ_BYTES = 256 * 1024
LOOK_SECONDS = 0.02


class Digest:
    """Follows a file from its beginning: `front()` tells up to where all is there.

    What came out of order is read from the cache of the system, as soon as what lies before it has
    come; so little is left to do in the end.
    """

    def __init__(self, path: Path, front: Callable[[], int], halt: threading.Event) -> None:
        self._path = path
        self._front = front
        self._halt = halt
        self._total = -1
        self._hash = hashlib.sha256()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='civitai-digest', daemon=True)
        self._thread.start()

    def of(self, total: int, stop: threading.Event) -> str:
        """Return the hash in lower case of the file, which is whole now and has `total` bytes.

        Raises CancelledError once `stop` is set, StorageError if the file cannot be read.
        """
        self._total = total
        while self._thread.is_alive():
            self._thread.join(LOOK_SECONDS)
            if stop.is_set():
                self._halt.set()
        if self._error is not None:
            with files.explained(self._path.parent):
                raise self._error
        if self._halt.is_set():
            raise CancelledError
        return self._hash.hexdigest()

    def _run(self) -> None:
        try:
            with files.opened(self._path) as file:
                at, buffer = 0, memoryview(bytearray(READ_BYTES))
                while at != self._total and not self._halt.is_set():
                    ready = self._front() - at
                    if ready < READ_BYTES and self._total < 0:
                        self._halt.wait(LOOK_SECONDS)
                        continue
                    size = file.readinto1(buffer[: min(ready, READ_BYTES)])
                    if not size:
                        raise OSError('shorter than it was')
                    self._hash.update(buffer[:size])
                    at += size
        except OSError as error:
            self._error = error
