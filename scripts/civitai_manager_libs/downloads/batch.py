"""Many downloads at once, each with its result."""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections import deque
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Callable, Generator, Hashable, Iterable, Iterator, Sequence, TypeVar
from urllib.parse import urlsplit

from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..errors import CivitaiError, StorageError
from ..store import cache, media, names, suffixes
from . import crew, presence
from .keeping import Finish, keep, kept_as, shared
from .originals import bring
from .plan import BatchReport, DownloadJob, DownloadResult, Fetch, Outcome

log = logging.getLogger(__name__)

T = TypeVar('T')

# What a file of a kind is usually called, and may be called.
_EXTENSIONS = {
    'image': ('.jpeg', media.IMAGE_SUFFIXES),
    'video': ('.mp4', media.VIDEO_SUFFIXES),
    'audio': ('.mp3', media.AUDIO_SUFFIXES),
}


def download(
    jobs: Sequence[DownloadJob],
    fetch: Fetch,
    concurrency: int,
    stop: threading.Event | None = None,
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield (position in `jobs`, result) once for every job, as they finish.

    A file that is present is not fetched; jobs for one path share one fetch. Why one failed is
    the CivitaiError that `fetch` raised for it. Once `stop` is set, what is under way is stopped,
    and CancelledError raised.
    """
    return _carried_out(
        jobs, lambda job: _fetched(job, fetch), concurrency, lambda job: job.path, stop
    )


def keep_all(
    jobs: Sequence[DownloadJob],
    fetch: Fetch,
    concurrency: int,
    finish: Callable[[DownloadJob, Path, Path], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[int, DownloadResult]]:
    """The same for files that a person keeps, see `keep`; all get the extension of their bytes.

    Several addresses may be those of one picture: it is fetched from the first that has it.
    """
    done = _carried_out(
        jobs, lambda job: keep(job, fetch, _bound(finish, job)), concurrency, kept_as, stop
    )
    return with_right_extension(done)


def _bound(finish: Callable[[T, Path, Path], None] | None, what: T) -> Finish:
    return None if finish is None else partial(finish, what)


def keep_each(
    jobs: Iterable[tuple[T, DownloadJob]],
    fetch: Callable[[T, str, str], bool],
    concurrency: int,
    finish: Callable[[T, Path, Path], None] | None = None,
) -> Generator[list[tuple[T, DownloadResult]], None, None]:
    """Keep any number of files, pulled from `jobs` as they are needed, each beside what it is for.

    Yields together what has finished by now, so that it can be noted together. `fetch` hears what
    it fetches for, and `finish` what it finishes: of a file that is present it gets the name twice.
    Closing the iterator stops what is under way.
    """
    results: dict[int, DownloadResult] = {}

    def carry_out(pair: tuple[T, DownloadJob]) -> bool:
        what, job = pair
        if job.present:
            if finish is not None:
                finish(what, Path(job.path), Path(job.path))
            results[id(pair)] = DownloadResult(job, Outcome.SKIPPED, job.path)
        else:
            results[id(pair)] = _explained(
                job, lambda job: keep(job, partial(fetch, what), _bound(finish, what))
            )
        return True

    with closing(crew.run_in_groups(carry_out, jobs, concurrency)) as groups:
        for group in groups:
            done = []
            for pair, _ in group:
                what, job = pair
                result = results.pop(id(pair), None) or DownloadResult(
                    job, Outcome.FAILED, job.path  # it failed in an unexpected way
                )
                if result.outcome is Outcome.SKIPPED:  # what was saved has the right extension
                    result = replace(result, path=_renamed(result.path))
                done.append((what, result))
            yield done


def _carried_out(
    jobs: Sequence[DownloadJob],
    work: Callable[[DownloadJob], DownloadResult],
    concurrency: int,
    file_of: Callable[[DownloadJob], Hashable],
    stop: threading.Event | None = None,
) -> Iterator[tuple[int, DownloadResult]]:
    wanted: dict[Hashable, list[int]] = {}  # the jobs for each file
    for position, job in enumerate(jobs):
        if job.present:
            yield position, DownloadResult(job, Outcome.SKIPPED, job.path)
        else:
            wanted.setdefault(file_of(job), []).append(position)
    groups = deque(wanted.values())
    del wanted  # results take its memory now
    results: dict[int, DownloadResult] = {}  # from the threads to here

    def carry_out(positions: list[int]) -> bool:
        if len(positions) == 1:
            results[positions[0]] = _explained(jobs[positions[0]], work)
        else:
            same = [jobs[position] for position in positions]
            results.update(zip(positions, _for_one_file(same, work)))
        return True

    # Named, because Ctrl-C here would otherwise close it before the caller hears of it, and wait.
    running = crew.run(carry_out, _taken(groups), concurrency, stop)
    for positions, _ in running:
        for position in positions:
            job = jobs[position]
            result = results.pop(position, None)  # None: it failed in an unexpected way
            yield position, result or DownloadResult(job, Outcome.FAILED, job.path)


def _taken(groups: deque[T]) -> Iterator[T]:
    while groups:
        yield groups.popleft()


def _for_one_file(
    jobs: Sequence[DownloadJob], work: Callable[[DownloadJob], DownloadResult]
) -> list[DownloadResult]:
    """Carry out one job after another until the file is there, a video before a still of it."""
    tried: dict[tuple[str, str], DownloadResult] = {}
    there: DownloadResult | None = None
    for job in sorted(jobs, key=lambda job: not job.refuses_stills):
        if there is None and _attempt(job) not in tried:
            result = tried[_attempt(job)] = _explained(job, work)
            there = None if result.outcome is Outcome.FAILED else result
    if there is None:
        return [replace(tried[_attempt(job)], job=job) for job in jobs]
    again = replace(there, outcome=Outcome.SKIPPED, aside=())  # saved once, told once
    found = [again if there.job.does_for(job) else tried[_attempt(job)] for job in jobs]
    found[jobs.index(there.job)] = there
    return [replace(result, job=job) for result, job in zip(found, jobs)]


def _attempt(job: DownloadJob) -> tuple[str, str]:
    """What is not worth trying twice."""
    return job.url, job.wanted


def _fetched(job: DownloadJob, fetch: Fetch) -> DownloadResult:
    return shared(job, os.path.abspath(job.path), lambda: _fetched_now(job, fetch))


def _fetched_now(job: DownloadJob, fetch: Fetch) -> DownloadResult:
    if os.path.isfile(job.path) and presence.is_there(job.path):  # somebody was faster
        return DownloadResult(job, Outcome.SKIPPED, job.path)
    if not bring(job, fetch, job.path):
        return DownloadResult(job, Outcome.FAILED, job.path)
    presence.vouch(job.path)
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
    found: list[DownloadResult | None] = []
    for position, result in results:
        found.extend([None] * (position + 1 - len(found)))
        found[position] = result
    return BatchReport(tuple(result for result in found if result is not None))


def moving(
    bar: Iterable[object], results: Iterator[tuple[int, DownloadResult]]
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield all of `results`, whatever `bar` does, which moves on by one for each."""
    for _ in bar:
        yield from islice(results, 1)
    yield from results


def bounded(
    results: Iterable[tuple[int, DownloadResult]],
    kept: cache.PictureCache,
    limit: int,
    wanted: Sequence[DownloadJob],
) -> Iterator[tuple[int, DownloadResult]]:
    """Yield `results` in the picture cache `kept`, then bound it to `limit` bytes.

    What is `wanted` stays in it, and what is on a screen.
    """
    saved: list[str] = []
    try:
        for position, result in results:
            if result.outcome is Outcome.SAVED:
                saved.append(result.path)
            elif result.outcome is Outcome.SKIPPED:
                kept.shown(result.path)
            yield position, result
    finally:  # asking the disk between two results would hold up the threads that fetch
        kept.added(*saved)
    if not kept.fits(limit):
        names = {os.path.basename(job.path) for job in wanted}
        kept.bound(limit, names | cache.on_screen.names())


def picture_jobs(addresses: Sequence[str], folder: Path) -> list[DownloadJob]:
    """Return the jobs that keep the pictures at `addresses` in `folder`, under names that last."""
    return [_picture_job(url, '', folder) for url in addresses]


def image_jobs(images: Sequence[GalleryImage], folder: Path) -> list[DownloadJob]:
    """Return the jobs that keep the originals of `images` in `folder`, under the same names."""
    return [_picture_job(urls.original_url(image.url), image.kind, folder) for image in images]


def image_job(image: GalleryImage, final: str) -> DownloadJob:
    """Return the job that keeps the original of `image` as `final`, a path without extension."""
    url = urls.original_url(image.url)
    return DownloadJob(url, f'{final}{_extension(url, image.kind)}', kind=image.kind)


def _picture_job(url: str, kind: str, folder: Path) -> DownloadJob:
    stems = names.picture_stems(url)
    job = DownloadJob(url, str(folder / f'{stems[0]}{_extension(url, kind)}'), kind=kind)
    for stem in stems:
        there = presence.find(folder, stem, wanted=job.wanted)
        if there is not None:
            return replace(job, path=str(there), present=True)
    return job


def _extension(url: str, kind: str) -> str:
    """What a file is called before its bytes are known."""
    try:
        suffix = os.path.splitext(urlsplit(url).path)[1].lower()
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
        return str(suffixes.named_by_bytes(Path(path)))
    except StorageError as error:
        log.warning('%s keeps its extension: %s', path, error)
        return path
