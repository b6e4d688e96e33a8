"""What versions are called that pictures name by their ids alone, asked for beside downloads."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Callable, Collection, Iterator

from .. import api, forks
from ..archive import answers
from ..archive.database import Database
from ..civitai.versions import MOST_VERSIONS, KnownVersion, parse_version
from ..errors import CancelledError, CivitaiError, StorageError
from ..http_client import CivitaiHttpClient, background

# How long all pictures of a job together wait for names that are still asked for.
PATIENCE_SECONDS = 20.0
# Of versions that no list has; each costs a question of its own.
MOST_UNKNOWN = 20


class VersionNames:
    """Asks for names in one thread, some together, each version once; for all threads.

    What nobody can tell costs no more than `PATIENCE_SECONDS` in all, and no picture.
    """

    def __init__(self, archive: Callable[[], Database], client: CivitaiHttpClient) -> None:
        self._archive = archive
        self._client = client
        self._lock = forks.Lock()
        self._settled: dict[int, forks.Event] = {}  # by id, of all that were asked for
        self._found: dict[int, KnownVersion] = {}
        self._fresh: deque[tuple[int, object]] = deque()  # to be kept
        self._asked: SimpleQueue[tuple[list[int], forks.Event] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._unknown = 0
        self._waiting, self._waited, self._since = 0, 0.0, 0.0

    def expect(self, ids: Collection[int]) -> None:
        """Begin to find out what these versions are called."""
        with self._lock:
            unasked = [one for one in dict.fromkeys(ids) if one not in self._settled]
            if not unasked:
                return
            kept = self._kept(unasked)
            self._found.update(kept)
            is_settled = forks.Event()
            self._settled.update((one, is_settled) for one in unasked)
            rest = [one for one in unasked if one not in kept]
            if not rest:
                is_settled.set()
                return
            self._asked.put((rest, is_settled))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._ask_all, name='civitai-gallery-names', daemon=True
                )
                self._thread.start()

    def known(self, ids: Collection[int], stop: threading.Event) -> list[KnownVersion]:
        """Return what is known of these versions, waiting for it while there is patience left.

        Raises CancelledError once `stop` is set.
        """
        self.expect(ids)
        for is_settled in {self._settled[one] for one in ids}:
            with self._patience() as seconds:
                until = time.monotonic() + seconds
                while not is_settled.wait(0.1) and time.monotonic() < until:
                    if stop.is_set():
                        raise CancelledError
        return [self._found[one] for one in ids if one in self._found]

    def keep(self) -> None:
        """Keep in the archive what was told, so that it is asked once. Raises StorageError."""
        told = {}
        while self._fresh:
            number, data = self._fresh.popleft()
            told[number] = data
        if told:
            answers.keep(self._archive(), answers.VERSION, told)

    def end(self) -> None:
        """Ask for nothing more."""
        self._asked.put(None)

    def _kept(self, ids: Collection[int]) -> dict[int, KnownVersion]:
        try:
            kept = answers.kept(self._archive(), answers.VERSION, ids)
        except StorageError:  # then they are asked for
            return {}
        read = {number: parse_version(data) for number, data in kept.items()}
        return {number: version for number, version in read.items() if version}

    @contextmanager
    def _patience(self) -> Iterator[float]:
        """Give how long may be waited; what several wait at the same time counts once."""
        now = time.monotonic()
        with self._lock:
            if not self._waiting:
                self._since = now
            self._waiting += 1
            left = PATIENCE_SECONDS - self._waited - (now - self._since)
        try:
            yield left
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._waited += time.monotonic() - self._since

    def _ask_all(self) -> None:
        with background.work():
            while (first := self._asked.get()) is not None:
                together, is_last = [first], False
                while len(together) < MOST_VERSIONS and not self._asked.empty():
                    more = self._asked.get()
                    if more is None:
                        is_last = True
                        break
                    together.append(more)
                try:
                    self._ask([one for ids, _ in together for one in ids])
                finally:
                    for _, is_settled in together:
                        is_settled.set()
                if is_last:
                    return

    def _ask(self, ids: list[int]) -> None:
        for start in range(0, len(ids), MOST_VERSIONS):
            some = ids[start : start + MOST_VERSIONS]
            try:
                singly = max(0, MOST_UNKNOWN - self._unknown)
                told = api.fetch_versions(self._client, some, singly)
            except CivitaiError:
                told = {}
            self._unknown += len(some) - len(told)
            for number, data in told.items():
                version = parse_version(data)
                if version is not None:
                    self._found[number] = version
                    self._fresh.append((number, data))
