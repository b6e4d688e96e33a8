"""The hashes of a model file, by which the site and the pictures name it."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, cast

from ..errors import CancelledError, StorageError
from ..store import files, weights

BLOCK_BYTES = 1024 * 1024
SAFETENSORS = frozenset({'.safetensors', '.sft'})
_NICENESS = 10
_OF_NOTHING = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Digests:
    """`sha256` of the whole file, `tensors` of what follows the header of a safetensors file.

    Lower case; `tensors` is '' for what is no such file, or has none. `size` in bytes and
    `changed_ns` are those of the file that was read.
    """

    sha256: str
    tensors: str
    size: int
    changed_ns: int


class Reckoner:
    """Reckons the hashes of files, one after another, in the thread that asks and one more.

    Both hashes of a file come of one reading of it, at the same time. Memory is two blocks,
    whatever the file. A context, which ends the other thread.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._pool = ThreadPoolExecutor(1, 'civitai-hashes', initializer=let_others_go_first)

    def __enter__(self) -> Reckoner:
        return self

    def __exit__(self, *reason: object) -> None:
        self._pool.shutdown()

    def digests(self, path: Path, progress: Callable[[int], None] | None = None) -> Digests:
        """Return the hashes of the file at `path`; `progress` gets the bytes of each block.

        Raises StorageError if it cannot be read or changes meanwhile, CancelledError once stopped.
        """
        with files.explained(path.parent):
            return self._read(path, progress or _nothing)

    def _read(self, path: Path, progress: Callable[[int], None]) -> Digests:
        with files.opened(path) as file:
            before = os.fstat(file.fileno())
            begin = _tensors_begin(file, path, before.st_size)
            file.seek(0)
            whole, tensors = hashlib.sha256(), hashlib.sha256()
            at, other = 0, None
            for block in self._blocks(file):
                if other is not None:
                    other.result()  # the next block takes the place of that one
                if at + len(block) > begin:
                    other = self._pool.submit(tensors.update, block[max(0, begin - at) :])
                whole.update(block)
                at += len(block)
                progress(len(block))
                if at > before.st_size:  # who writes to it may never end
                    break
            if other is not None:
                other.result()
            now = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (at, now.st_mtime_ns):
            raise StorageError('error_file_changes', name=path.name)
        found = tensors.hexdigest()
        return Digests(
            whole.hexdigest(), '' if found == _OF_NOTHING else found, at, now.st_mtime_ns
        )

    def _blocks(self, file: BinaryIO) -> Iterator[memoryview]:
        """What is in the file; of the blocks that were given, the last one stays as it is."""
        reader = cast(io.BufferedReader, file)
        for place in itertools.cycle([bytearray(BLOCK_BYTES), bytearray(BLOCK_BYTES)]):
            if self._stop.is_set():
                raise CancelledError
            count = reader.readinto(place)
            if not count:
                return
            yield memoryview(place)[:count]


def _tensors_begin(file: BinaryIO, path: Path, size: int) -> int:
    """Where the tensors begin; at the end of what is no such file, or has an impossible header."""
    found = weights.tensor_bytes(file, size) if path.suffix.lower() in SAFETENSORS else None
    return size if found is None else found


def _nothing(count: int) -> None:
    """Who does not look hears nothing."""


def let_others_go_first() -> None:
    """Have this thread work when nobody else wants to; only Linux has that for a thread alone."""
    if sys.platform == 'linux':
        with suppress(OSError):
            here = os.PRIO_PROCESS, threading.get_native_id()
            os.setpriority(*here, max(_NICENESS, os.getpriority(*here)))
