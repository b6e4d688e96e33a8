"""What a person keeps of the gallery on show: begun, followed to its end, tried again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

from .. import civitai_gallery_action as action, setting, texts, widgets
from ..civitai.gallery import GalleryImage
from ..downloads.plan import Outcome, aside_message
from ..errors import CivitaiError, SourceError
from ..store.cache import MIB
from . import keeping
from .view import View

# A picture that did not come, and why, None where nobody knows.
Failed = tuple[GalleryImage, CivitaiError | None]


@dataclass(frozen=True)
class Step:
    """How far a download is: `done` of `total`, and what to say; mood as in a notice.

    folder: where its files are, once it is over; not for everybody's eyes.
    """

    message: str
    done: int
    total: int
    mood: str = 'busy'
    folder: str = ''


def begin(view: View, images: Sequence[GalleryImage]) -> Step:
    """Begin to keep the originals of these pictures of the gallery on show; return the first step.

    Raises CivitaiError where there is nothing to keep or no folder to keep it in, or while another
    download of this tab runs.
    """
    _start(view, view.gallery.folder_name if view.gallery else '', images, ())
    return _step(keeping.Progress(0, len(images), 0.0, ''))


def begin_chosen(view: View, grid: object, places: object) -> Step:
    """The same for the pictures at `places` of the grid called `grid`."""
    if str(grid) != str(view.listed):  # another gallery may be shown by now
        raise SourceError('picture_unknown')
    return begin(view, keeping.chosen(view.shown.get(str(grid), ()), places))


def begin_again(view: View, place: int = -1) -> Step:
    """Try again what failed, all of it or what is at `place` there; return the first step.

    Raises CivitaiError as `begin`.
    """
    failed = view.failed
    wanted = failed[place : place + 1] if place >= 0 else failed
    left = tuple(one for one in failed if one not in wanted)
    images = [image for image, _ in wanted]
    _start(view, view.kept_as, images, left)
    return _step(keeping.Progress(0, len(images), 0.0, ''))


def _start(
    view: View, name: str, images: Sequence[GalleryImage], failed: tuple[Failed, ...]
) -> None:
    if view.is_keeping:
        raise SourceError('keeping_busy')
    if not images or not name:
        raise SourceError('nothing_to_download')
    begun = keeping.begin(name, images)
    view.kept_in, view.kept_as = str(Path(begun.folder) / action.USER_GALLERY_FOLDER), name
    view.keeping, view.failed = begun, failed


def steps(view: View) -> Iterator[Step]:
    """Yield each step of the download that runs, the last of which sums up."""
    now = view.keeping
    if now is None or now.is_followed:
        return
    now.is_followed = True
    yield _step(keeping.Progress(0, len(now.images), 0.0, ''))
    for progress in now.steps():
        yield _step(progress)
    view.failed += tuple(
        (now.images[place], result.error)
        for place, result in now.found.items()
        if result.outcome is Outcome.FAILED
    )
    yield _summed_up(now, view.kept_in)


def _step(now: keeping.Progress) -> Step:
    told = [texts.text('progress_picture', setting.language, done=now.done, total=now.total)]
    told += [rate_told(now.rate)] if now.rate else []
    message = ' · '.join(filter(None, [now.waiting, *told]))
    return Step(message, now.done, now.total)


def _summed_up(now: keeping.Keeping, folder: str) -> Step:
    report = now.report
    counts = {'saved': report.count(Outcome.SAVED), 'skipped': report.count(Outcome.SKIPPED)}
    key = 'download_summary' if counts['skipped'] else 'download_all_saved'
    key = 'download_stopped' if now.stop.is_set() else key
    message = texts.text(key, setting.language, **counts)
    aside, failures = aside_message(report, setting.language), action.failure_message(report)
    if failures:
        widgets.toast(failures)
    total, mood = len(now.images), 'problem' if failures else 'good'
    if key == 'download_stopped':
        mood = 'calm'
    told = texts.sentences((message, aside, *now.notes, failures), setting.language)
    return Step(told, len(report.results), total, mood, folder)


def rate_told(rate: float) -> str:
    """Say so many bytes a second."""
    if rate < 0.1 * MIB:
        return texts.text('job_rate_slow', setting.language, kib=round(rate / 1024))
    return texts.text('job_rate', setting.language, mib=f'{rate / MIB:.1f}')
