"""The whole scan: found, hashed, asked for; by who waits for it, or in the background.

It is a person who begins it, and only then anything is asked of Civitai. Whether that person may is
for the caller to see to: it reads all folders of models, so it is the owner's.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterator

from .. import forks
from ..archive.database import Database
from ..archive.place import archive
from ..errors import CancelledError, CivitaiError, StorageError
from ..http_client import CivitaiHttpClient, get_http_client
from ..store import files, private
from . import lookup, places, scan, updates
from .digests import let_others_go_first
from .scan import Found, Progress, Tell

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inventory:
    """What a scan did: what it `found`, how many files it `hashed`, how many became `known`.

    `unasked` is why Civitai was not asked, or not to the end; None if it was, or was not to be.
    """

    found: Found
    hashed: int = 0
    known: int = 0
    unasked: CivitaiError | None = None


def run(
    db: Database,
    client: CivitaiHttpClient,
    stop: threading.Event,
    tell: Tell | None = None,
    *,
    asking: bool = True,
    updating: bool = False,
) -> Inventory:
    """Scan the folders of models; `asking`: ask Civitai by hashes which versions they are of.

    `updating`: and what it has of their models by now.

    `tell` hears how far it is, now and then, from one thread at a time. Raises StorageError if that
    cannot be noted or another program is at it, CancelledError once `stop` is set.
    """
    with _alone(db):
        found = scan.look(db, places.read_from(), stop, tell)
        hashed = scan.hash_files(db, stop, tell)
        if not asking:
            return Inventory(found, hashed)
        known = 0
        try:
            known = lookup.identify(db, client, stop, tell)
            lookup.describe(db, client, stop, tell)
            if updating:
                updates.refresh(db, client, stop, tell)
        except (CancelledError, StorageError):
            raise
        except CivitaiError as error:
            return Inventory(found, hashed, known, error)
        return Inventory(found, hashed, known)


@contextmanager
def _alone(db: Database) -> Iterator[None]:
    """Keep other programs and threads from doing the same at once. Raises StorageError."""
    lock = db.path.with_name('models.lock')
    with files.explained(lock.parent):
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = private.hold(lock)
    if handle is None:
        raise StorageError('error_scan_elsewhere')
    try:
        yield
    finally:
        private.let_go(lock, handle)


class Scanning:
    """The scan of this process, in the background; for all threads.

    `progress` is how far it is, None while none is at work; `result` and `error` what became of the
    last one.
    """

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.result: Inventory | None = None
        self.error: CivitaiError | None = None
        self._lock = forks.Lock()
        self._stop = forks.Event()
        self._thread: threading.Thread | None = None
        forks.renew_in_children(self)

    def renew(self) -> None:
        """Leave the scan to the parent, whose threads are at it."""
        self.progress, self._thread, self._stop = None, None, forks.Event()

    def begin(self, *, asking: bool = True, updating: bool = False) -> bool:
        """Begin a scan as `run` does it, at once; False if one is at work."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return False
            self.progress, self.result, self.error = Progress(scan.LOOKING), None, None
            self._stop = forks.Event()
            self._thread = threading.Thread(
                target=self._run,
                args=(self._stop, asking, updating),
                name='civitai-scan',
                daemon=True,
            )
            self._thread.start()
        return True

    def end(self, seconds: float = 3.0) -> None:
        """Stop the scan, and wait until it has ended, so many seconds at the most."""
        thread = self._thread
        self._stop.set()
        if thread is not None:
            thread.join(seconds)

    def _run(self, stop: threading.Event, asking: bool, updating: bool) -> None:
        let_others_go_first()
        try:
            self.result = run(
                archive(),
                get_http_client(),
                stop,
                self._heard,
                asking=asking,
                updating=updating,
            )
        except CivitaiError as error:
            self.error = error
            log.log(
                logging.INFO if isinstance(error, CancelledError) else logging.WARNING, '%s', error
            )
        finally:
            self.progress = None

    def _heard(self, now: Progress) -> None:
        self.progress = now


_scanning = Scanning()


def scanning() -> Scanning:
    """Return the scan of this process."""
    return _scanning
