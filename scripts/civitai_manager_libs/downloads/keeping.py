"""One file that a person keeps: it has its name only when it is what it should be."""

from __future__ import annotations

import copy
import filecmp
import os
from dataclasses import replace
from pathlib import Path
from typing import Callable, Hashable, Optional

from .. import forks
from ..civitai import urls
from ..errors import AnswerError, CancelledError, CivitaiError, WrongContentError
from ..http_client import slots
from ..http_client.single_flight import SingleFlight
from ..store import claims, files, suffixes
from . import presence
from .originals import bring, has
from .plan import DownloadJob, DownloadResult, Fetch, Outcome

# Does what is left to be done to a whole file, first before it has the name that comes second, and
# once more when it has: then both are that name.
Finish = Optional[Callable[[Path, Path], None]]

_never = forks.Event()
# Two that want one file at the same time, in whatever batches, fetch it once.
_single: SingleFlight[DownloadResult] = SingleFlight()


def shared(job: DownloadJob, what: Hashable, work: Callable[[], DownloadResult]) -> DownloadResult:
    """Have `work` done for `job`, unless another thread is at `what` just now: then its outcome.

    That another address failed, or brought a still where `job` wants a video, is no outcome of
    `job`: then it is tried. Raises CivitaiError.
    """
    while True:
        result, is_mine = _single.run(what, lambda: _told(job, work), slots.stop_here(_never))
        if not is_mine and not _answers(result, job):
            continue
        if result.error is not None:
            raise copy.copy(result.error)
        if is_mine:
            return result
        outcome = Outcome.SKIPPED if result.outcome is Outcome.SAVED else result.outcome
        return replace(result, job=job, outcome=outcome, aside=())


def _told(job: DownloadJob, work: Callable[[], DownloadResult]) -> DownloadResult:
    """What `work` returns, or why it failed, so that who waits can tell whose failure it is."""
    try:
        return work()
    except CancelledError:
        raise
    except CivitaiError as error:
        # a copy has no traceback, which would keep buffers and answers alive with it
        return DownloadResult(job, Outcome.FAILED, job.path, copy.copy(error))


def _answers(result: DownloadResult, job: DownloadJob) -> bool:
    """Tell whether what became of another job for the same file is what becomes of `job`."""
    if result.job.url == job.url and result.job.wanted == job.wanted:
        return True
    return result.outcome is not Outcome.FAILED and result.job.does_for(job)


def keep(job: DownloadJob, fetch: Fetch, finish: Finish = None) -> DownloadResult:
    """Fetch `job` under a name of no meaning, look at it, and give it the name it is to have.

    The name gets the extension of the bytes. Raises CivitaiError.
    """
    return shared(job, kept_as(job), lambda: _kept(job, fetch, finish))


def kept_as(job: DownloadJob) -> Hashable:
    """Return what tells the file that `job` is kept as from others: its extension is not known."""
    return os.path.splitext(os.path.abspath(job.path))[0]


def _kept(job: DownloadJob, fetch: Fetch, finish: Finish) -> DownloadResult:
    final = Path(job.path)
    lying = [] if job.is_free else suffixes.in_the_way(final.parent, final.stem)
    for there in lying:
        if there.is_file() and presence.is_there(there, wanted=job.wanted):  # somebody was faster
            return DownloadResult(job, Outcome.SKIPPED, str(there))
    with files.draft(final, final.suffix) as part:
        if not _brought(job, fetch, part):
            return DownloadResult(job, Outcome.FAILED, job.path)
        if not part.is_file():  # a fetch that somebody put in the place of ours may do so
            return DownloadResult(job, Outcome.SAVED, job.path)
        return _placed(job, part, lying, finish)


def _placed(job: DownloadJob, part: Path, lying: list[Path], finish: Finish) -> DownloadResult:
    """Give `part` its name, and what is there in its place a name aside.

    `lying` is what was there before; who was faster since then has the same bytes and so the same
    name, and to look for one name of every spelling again asks the system dozens of times.
    """
    final, seen = Path(job.path), files.look(part)
    kind = seen.kind if seen else None
    right = final.with_suffix(kind.extension) if kind else final
    if right.is_dir():
        right = final
    aside: tuple[str, ...] = ()
    finish = finish if seen is not None else None
    is_finished = False
    while True:
        others = [one for one in dict.fromkeys([*lying, right]) if _is_in_the_way(one)]
        for other in others:
            if presence.is_there(other, wanted=job.wanted) or _is_same(other, part):
                # somebody else was faster, or this odd file is what there is
                presence.vouch(other, final.stem)
                return DownloadResult(job, Outcome.SKIPPED, str(other), aside=aside)
        aside += tuple(str(files.set_aside(other)) for other in others)
        if finish is not None and not is_finished:
            finish(part, right)
            is_finished = True
        if claims.claim(part, right):  # else somebody was faster than this look
            break
    if finish is not None:
        finish(right, right)
    if seen is None or not seen.is_whole:
        presence.vouch(right, final.stem)
    return DownloadResult(job, Outcome.SAVED, str(right), aside=aside)


def _is_in_the_way(path: Path) -> bool:
    return os.path.lexists(path) and not path.is_dir()


def _is_same(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _brought(job: DownloadJob, fetch: Fetch, part: Path) -> bool:
    """Fetch `job` as `part`; ask elsewhere if a still came in place of a video or a sound.

    Civitai's CDN sometimes answers the original of a video with a picture of one frame. The last
    other address is asked with the usual patience.
    """
    if not bring(job, fetch, str(part)):
        return False
    if _will_do(part, job):
        return True
    key = 'error_still_for_video' if job.wanted == 'video' else 'error_not_audio'
    wrong = WrongContentError(key, url=urls.redact(job.url))
    elsewhere = _elsewhere(job)
    if any(has(url, fetch, str(part)) and _will_do(part, job) for url in elsewhere[:-1]):
        return True
    try:
        came = any(fetch(url, str(part)) for url in elsewhere[-1:])
    except (AnswerError, WrongContentError) as error:
        if error.transient:
            raise
        raise wrong from error  # that there is nothing elsewhere is not what a person asked
    if not came or not _will_do(part, job):
        raise wrong
    return True


def _elsewhere(job: DownloadJob) -> tuple[str, ...]:
    """Where else what moves or sounds may be had."""
    last = (urls.video_original_url(job.url),) if job.wanted == 'video' else ()
    return urls.other_originals(job.url, job.wanted) or last


def _will_do(path: Path, job: DownloadJob) -> bool:
    """Tell whether the file at `path` can be what is wanted; what is not known may be anything."""
    if not job.refuses_stills:
        return True
    kind = files.media_type(path)
    return kind is None or kind.will_do(job.wanted)
