"""Many downloads at once: a bounded pool, one failure never stops the rest."""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Callable, Generic, Iterable, Iterator, Sequence, TypeVar
from urllib.parse import urlsplit

from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..errors import CivitaiError, StorageError
from ..http_client.slots import Slots
from ..store import cache, files, media, names
from . import presence
from .keeping import keep
from .plan import BatchReport, DownloadJob, DownloadResult, Fetch, Outcome

log = logging.getLogger(__name__)

T = TypeVar('T')

# What a file of a kind is usually called, and may be called.
_EXTENSIONS = {
    'image': ('.jpeg', media.IMAGE_SUFFIXES),
    'video': ('.mp4', media.VIDEO_SUFFIXES),
}

# Results are taken some together: waking up for each of hundreds a second costs time of its own.
GATHER_SECONDS = 0.005
# A wait without end would not hear Ctrl-C on Windows, nor the end of the program.
HEARTBEAT_SECONDS = 1.0
# How long Ctrl-C waits for part files to be cleared away; what stops at all has stopped by then.
GRACE_SECONDS = 2.0


def run(work: Callable[[T], bool], jobs: Iterable[T], concurrency: int) -> Iterator[tuple[T, bool]]:
    """Yield (job, its outcome) as they finish, `concurrency` at once, pulling jobs as needed.

    `work` runs in threads; what it raises is logged and counts as False. Closing the iterator
    drops what has not begun, stops the requests of what has and waits for it. So does Ctrl-C,
    which waits for what does not stop for `GRACE_SECONDS` only.
    """
    source, outstanding = iter(jobs), 0
    crew: _Crew[T] = _Crew(work, concurrency)
    patience = None
    try:
        while True:
            for job in islice(source, 2 * concurrency - outstanding):
                crew.give(job)
                outstanding += 1
            if not outstanding:
                return
            for done in crew.finished(outstanding > concurrency):
                outstanding -= 1
                yield done
    except GeneratorExit:
        crew.unwanted.set()
        raise
    except KeyboardInterrupt:
        crew.unwanted.set()
        patience = GRACE_SECONDS
        raise
    finally:
        crew.end(patience)


class _Unwanted(threading.Event):
    """Set once nobody waits for results any more: by `set`, or because the program is over.

    The interpreter waits for our threads, so that no file is left half-written; when who called
    is the main thread, or one that nobody waits for, they must not go on for long then.
    """

    def __init__(self) -> None:
        super().__init__()
        caller = threading.current_thread()
        self._ends_with_program = caller is threading.main_thread() or caller.daemon

    def is_set(self) -> bool:
        return super().is_set() or (
            self._ends_with_program and not threading.main_thread().is_alive()
        )


class _Crew(Generic[T]):
    """Threads that work on jobs, `places` at once, and more while some can only wait.

    They hand over by queues: waiting for a set of futures takes more time than the work.
    """

    def __init__(self, work: Callable[[T], bool], places: int) -> None:
        self._done: SimpleQueue[tuple[T, bool]] = SimpleQueue()
        self._todo: SimpleQueue[tuple[T] | None] = SimpleQueue()
        self._work = work
        self._places = places
        self.unwanted = _Unwanted()
        self._slots = Slots(places, self._hire, self.unwanted)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._has_ended = False

    def give(self, job: T) -> None:
        """Have `job` done; it comes out of `finished`."""
        self._todo.put((job,))
        if len(self._threads) < self._places:
            self._hire()

    def finished(self, more_to_come: bool) -> Iterator[tuple[T, bool]]:
        """Yield what is done, one at least; while there is enough to do, some together."""
        while True:
            with suppress(Empty):
                done = self._done.get(timeout=HEARTBEAT_SECONDS)
                break
        yield done
        if more_to_come:
            time.sleep(GATHER_SECONDS)
        with suppress(Empty):
            while True:
                yield self._done.get_nowait()

    def end(self, patience: float | None) -> None:
        """Drop what has not begun; wait for the rest, `patience` seconds at most if given."""
        with self._lock:
            self._has_ended = True
        with suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in self._threads:
            self._todo.put(None)
        deadline = None if patience is None else time.monotonic() + patience
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _hire(self) -> None:
        with self._lock:
            if self._has_ended or len(self._threads) >= 2 * self._places:
                return
            name = f'civitai-gallery_{len(self._threads)}'
            thread = threading.Thread(target=self._labour, name=name, daemon=False)
            try:
                thread.start()
            except RuntimeError:  # no more threads: those that there are do it
                if not self._threads:
                    raise
            else:
                self._threads.append(thread)

    def _labour(self) -> None:
        while (item := self._next()) is not None:
            with self._slots.taken():
                outcome = _guarded(self._work, item[0])
            self._done.put((item[0], outcome))

    def _next(self) -> tuple[T] | None:
        """Wait for a job, None once there are no more."""
        while not self.unwanted.is_set():
            with suppress(Empty):
                return self._todo.get(timeout=HEARTBEAT_SECONDS)
        return None


def _guarded(work: Callable[[T], bool], job: T) -> bool:
    try:
        return bool(work(job))
    except Exception:  # a rim: one bad picture must not stop the others
        log.exception('A download failed in an unexpected way')
        return False


def download(
    jobs: Sequence[DownloadJob], fetch: Fetch, concurrency: int
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield (position in `jobs`, result) once for every job, as they finish.

    A file that is present is not fetched; jobs for one path share one fetch. Why one failed is
    the CivitaiError that `fetch` raised for it.
    """
    return _carried_out(jobs, lambda job: _fetched(job, fetch), concurrency)


def keep_all(
    jobs: Sequence[DownloadJob], fetch: Fetch, concurrency: int
) -> Iterator[tuple[int, DownloadResult]]:
    """The same for files that a person keeps, see `keep`; all get the extension of their bytes."""
    return with_right_extension(_carried_out(jobs, lambda job: keep(job, fetch), concurrency))


def _carried_out(
    jobs: Sequence[DownloadJob], work: Callable[[DownloadJob], DownloadResult], concurrency: int
) -> Iterator[tuple[int, DownloadResult]]:
    wanted: dict[str, int] = {}
    again: dict[str, list[int]] = {}
    for position, job in enumerate(jobs):
        if job.present:
            yield position, DownloadResult(job, Outcome.SKIPPED, job.path)
        elif job.path in wanted:
            again.setdefault(job.path, []).append(position)
        else:
            wanted[job.path] = position
    results: dict[int, DownloadResult] = {}  # from the threads to here

    def carry_out(position: int) -> bool:
        results[position] = _explained(jobs[position], work)
        return True

    # Named, because Ctrl-C here would otherwise close it before the caller hears of it, and wait.
    running = run(carry_out, wanted.values(), concurrency)
    for position, _ in running:
        job = jobs[position]
        result = results.pop(position, None) or DownloadResult(job, Outcome.FAILED, job.path)
        for same in (position, *again.get(job.path, ())):
            yield same, replace(result, job=jobs[same])
            result = replace(result, aside=())  # told once


def _fetched(job: DownloadJob, fetch: Fetch) -> DownloadResult:
    if not fetch(job.url, job.path):
        return DownloadResult(job, Outcome.FAILED, job.path)
    presence.vouch(Path(job.path), Path(job.path).stem)
    return DownloadResult(job, Outcome.SAVED, job.path)


def _explained(job: DownloadJob, work: Callable[[DownloadJob], DownloadResult]) -> DownloadResult:
    """What `work` makes of `job`, with the cause if it fails."""
    try:
        return work(job)
    except CivitaiError as error:
        log.info('%s: %s', urls.redact(job.url), error)
        # a copy has no traceback, which would keep buffers and answers alive with it
        return DownloadResult(job, Outcome.FAILED, job.path, copy.copy(error))


def report(results: Iterable[tuple[int, DownloadResult]]) -> BatchReport:
    """Run `results` to their end and return them in the order of the jobs."""
    return BatchReport(tuple(result for _, result in sorted(results, key=lambda pair: pair[0])))


def bounded(
    results: Iterable[tuple[int, DownloadResult]],
    kept: cache.PictureCache,
    limit: int,
    wanted: Sequence[DownloadJob],
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield `results` in the picture cache `kept`, then bound it to `limit` bytes.

    What is `wanted` stays in it, and what is on a screen.
    """
    for position, result in results:
        if result.outcome is Outcome.SAVED:
            kept.added(result.path)
        elif result.outcome is Outcome.SKIPPED:
            kept.shown(result.path)
        yield position, result
    names = {os.path.basename(job.path) for job in wanted}
    kept.bound(limit, names | cache.on_screen.names())


def picture_jobs(addresses: Sequence[str], folder: Path) -> list[DownloadJob]:
    """Return the jobs that keep the pictures at `addresses` in `folder`, under names that last."""
    return [_picture_job(url, '', folder) for url in addresses]


def image_jobs(images: Sequence[GalleryImage], folder: Path) -> list[DownloadJob]:
    """Return the jobs that keep the originals of `images` in `folder`, under the same names."""
    return [_picture_job(urls.original_url(image.url), image.kind, folder) for image in images]


def _picture_job(url: str, kind: str, folder: Path) -> DownloadJob:
    stems = names.picture_stems(url)
    job = DownloadJob(url, str(folder / f'{stems[0]}{_extension(url, kind)}'), kind=kind)
    for stem in stems:
        there = presence.find(folder, stem, wants_video=job.wants_video)
        if there is not None:
            return replace(job, path=str(there), present=True)
    return job


def _extension(url: str, kind: str) -> str:
    """What a file is called before its bytes are known."""
    try:
        suffix = Path(urlsplit(url).path).suffix.lower()
    except ValueError:  # a broken [IPv6] address
        suffix = ''
    usual, known = _EXTENSIONS.get(kind, ('.jpeg', media.MEDIA_SUFFIXES))
    return suffix if suffix in known else usual


def with_right_extension(
    results: Iterable[tuple[int, DownloadResult]],
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield `results` with the files that are there renamed to the extension of their bytes."""
    now: dict[str, str] = {}  # several jobs may share a file, and it is renamed only once
    for position, result in results:
        if result.outcome is not Outcome.FAILED:
            if result.path not in now:
                now[result.path] = _renamed(result.path)
            result = replace(result, path=now[result.path])
        yield position, result


def _renamed(path: str) -> str:
    try:
        return str(files.named_by_bytes(Path(path)))
    except StorageError as error:
        log.warning('%s keeps its extension: %s', path, error)
        return path
