"""Which model files there are: found in their folders, known by what lies beside them, hashed.

What was looked at before and has the same size and time is not looked at again, so that a scan that
was stopped goes on where it was. Nothing is asked of anybody here.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Mapping

from .. import host
from ..archive import answers, holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..errors import CancelledError, StorageError
from . import neighbours, walking
from .digests import SAFETENSORS, Digests, Reckoner
from .kinds import LORAS

log = logging.getLogger(__name__)

LOOKING, HASHING = 'looking', 'hashing'
_AT_ONCE = 100
_TELL_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a scan is: at `done` of `total` files, of so many bytes; a total of 0 is unknown."""

    stage: str
    done: int = 0
    total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Found:
    """What a look at the folders found: `files` in all, `fresh` of them new or changed since.

    `gone` were noted and are there no more. `unreadable` are folders that could not be looked into,
    `folders` those that were to be.
    """

    files: int = 0
    fresh: int = 0
    gone: int = 0
    unreadable: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = field(default=(), compare=False)


def look(
    db: Database, folders: Mapping[Path, str], stop: threading.Event, tell: Tell | None = None
) -> Found:
    """Note the model files in `folders`, with the kind of each, and below them.

    Raises StorageError if that cannot be noted, CancelledError once `stop` is set.
    """
    begun, unreadable = time.time(), list[Path]()
    count = fresh = 0
    batch: list[os.DirEntry[str]] = []
    kinds: dict[str, str] = {}
    for entry, kind in walking.model_files(folders, unreadable):
        if stop.is_set():
            raise CancelledError
        batch.append(entry)
        kinds[entry.path] = kind
        if len(batch) == _AT_ONCE:
            fresh += _noted(db, batch, kinds, begun)
            count += len(batch)
            batch, kinds = [], {}
            if tell:
                tell(Progress(LOOKING, count))
    fresh += _noted(db, batch, kinds, begun)
    count += len(batch)
    answers.keep(db, answers.LOOKED, {0: True})
    # what may be somewhere that we could not look is not gone
    gone = 0 if unreadable else sum(holdings.forget_unseen(db, one, begun) for one in folders)
    if tell:
        tell(Progress(LOOKING, count, count))
    return Found(count, fresh, gone, tuple(unreadable), tuple(folders))


def _noted(
    db: Database, entries: list[os.DirEntry[str]], kinds: Mapping[str, str], now: float
) -> int:
    """Note these files as seen; how many of them are new or changed."""
    known = holdings.at(db, [Path(entry.path) for entry in entries])
    same, fresh, better = [], [], []
    for entry in entries:
        path = Path(entry.path)
        try:
            there = entry.stat()
        except OSError:  # gone since
            continue
        old = known.get(path)
        if old and (old.size, old.changed_ns) == (there.st_size, there.st_mtime_ns):
            if old.version_id:
                same.append(path)
            else:  # another tool may know by now
                better.append(_told(replace(old, kind=kinds[entry.path])))
        else:
            new = Holding(path, kinds[entry.path], there.st_size, there.st_mtime_ns)
            fresh.append(_told(new))
    holdings.saw(db, same, now)
    holdings.note(db, [*better, *fresh], now)
    return len(fresh)


def _told(holding: Holding) -> Holding:
    """The same with what lies beside the file says of it, if that can be."""
    told = neighbours.told_of(holding.path)
    if not told.version_id or not told.fits(holding.size):
        return holding
    return replace(
        holding, version_id=told.version_id, model_id=told.model_id, told_by=holdings.BESIDE
    )


def hash_files(db: Database, stop: threading.Event, tell: Tell | None = None) -> int:
    """Reckon the hashes that are not known yet, first of files that nobody knows; how many it was.

    Each counts as soon as it is there. A file that cannot be read is left out. What the program
    around noted counts as well. Raises StorageError, CancelledError once `stop` is set.
    """
    count, size = holdings.totals(db, holdings.NOT_HASHED)
    telling = Telling(tell, count, size)
    done = 0
    with Reckoner(stop) as reckoner:
        for of_whom in ('version_id = 0', 'version_id != 0'):
            where = f'{holdings.NOT_HASHED} AND {of_whom}'
            for holding in holdings.every(db, where):
                if stop.is_set():
                    raise CancelledError
                found = _hashed(holding, reckoner, telling)
                telling.file(holding)
                if found is not None:
                    holdings.note(db, [found], time.time())
                    done += 1
    return done


def _hashed(holding: Holding, reckoner: Reckoner, telling: Telling) -> Holding | None:
    if not holding.is_there:
        return None
    kept, tensors = host.detect().kept_hashes(holding.path, holding.kind)
    # pictures name a LoRA by the hash of its tensors
    is_by_tensors = holding.kind in LORAS and holding.path.suffix.lower() in SAFETENSORS
    if kept and (tensors or not is_by_tensors):
        return replace(holding, sha256=kept, tensors=tensors)
    try:
        found: Digests = reckoner.digests(holding.path, telling.block)
    except StorageError as error:
        log.warning('%s', error)
        return None
    if (found.size, found.changed_ns) != (holding.size, holding.changed_ns):
        return None
    return replace(holding, sha256=found.sha256, tensors=found.tensors)


class Telling:
    """Tells how far the hashes of `total` files of `size` bytes are, not too often."""

    def __init__(self, tell: Tell | None, total: int, size: int) -> None:
        self._tell = tell
        self._now = Progress(HASHING, 0, total, 0, size)
        self._begun = 0  # bytes before the file at hand
        self._told_at = 0.0

    def block(self, count: int) -> None:
        """So many bytes more are done."""
        self._now = replace(self._now, bytes_done=self._now.bytes_done + count)
        if self._tell and time.monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = time.monotonic()
            self._tell(self._now)

    def file(self, holding: Holding) -> None:
        """One is done, whoever did it."""
        self._begun += holding.size
        self._now = replace(self._now, done=self._now.done + 1, bytes_done=self._begun)
        if self._tell:
            self._tell(self._now)
