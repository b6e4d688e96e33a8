"""Whether model files are what they were, and what the site offers: each is read again, whole."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass, replace
from typing import Iterator, Mapping

from ..archive import holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..civitai import modelfiles
from ..errors import CancelledError, StorageError
from ..store import weights
from . import told
from .digests import Reckoner
from .scan import Tell, Telling


class Verdict(enum.Enum):
    """GOOD: a file that the site lists. WHOLE: as it was, but the site lists none to compare with.

    OTHER: whole, but none that the site lists of its version now. SPOILED: its bytes changed though
    nobody wrote to it. BROKEN: it cannot be what its name says. UNREADABLE: so it is.
    """

    GOOD = 'good'
    WHOLE = 'whole'
    OTHER = 'other'
    SPOILED = 'spoiled'
    BROKEN = 'broken'
    UNREADABLE = 'unreadable'


@dataclass(frozen=True)
class Checked:
    """What was found of a file; `error` why it could not be read."""

    holding: Holding
    verdict: Verdict
    error: StorageError | None = None


def verify(db: Database, stop: threading.Event, tell: Tell | None = None) -> Iterator[Checked]:
    """Read all model files that are noted, and yield what each is; nobody is asked.

    What is gone is left out. Raises StorageError, CancelledError once `stop` is set.
    """
    count, size = holdings.totals(db)
    telling = Telling(tell, count, size)
    with Reckoner(stop) as reckoner:
        for holding in holdings.every(db):
            if stop.is_set():
                raise CancelledError
            if holding.is_there:
                yield _checked(db, holding, reckoner, telling)
            telling.file(holding)


def _checked(db: Database, holding: Holding, reckoner: Reckoner, telling: Telling) -> Checked:
    try:
        found = reckoner.digests(holding.path, telling.block)
        is_broken = weights.is_broken(holding.path, holding.path.name)
    except StorageError as error:
        return Checked(holding, Verdict.UNREADABLE, error)
    except OSError:
        return Checked(holding, Verdict.UNREADABLE)
    if holding.sha256 and found.sha256 != holding.sha256:
        return Checked(holding, Verdict.SPOILED)
    if is_broken:
        return Checked(holding, Verdict.BROKEN)
    fresh = replace(holding, sha256=found.sha256, tensors=found.tensors)
    if fresh != holding:
        holdings.note(db, [fresh], time.time())
    listed = _listed(holding.version_id)
    if not listed:
        return Checked(fresh, Verdict.WHOLE)
    return Checked(fresh, Verdict.GOOD if found.sha256 in listed else Verdict.OTHER)


def _listed(version_id: int) -> set[str]:
    """The SHA256 of the files of a version, as far as Civitai said so."""
    version = told.kept(told.VERSION, [version_id]).get(version_id) if version_id else None
    of_files = modelfiles.listed_hashes(version) if isinstance(version, Mapping) else []
    return {one['SHA256'] for one in of_files if 'SHA256' in one}
