"""Pictures that a tab keeps: by a thread of its own, watched and stopped from anywhere."""

from __future__ import annotations

import itertools
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterator, Mapping, Sequence

from .. import civitai_gallery_action as action, forks, notices, setting, texts
from ..archive import saved
from ..archive.place import archive
from ..civitai.gallery import GalleryImage
from ..downloads import crew
from ..downloads.plan import BatchReport, DownloadResult, Outcome
from ..downloads.running import WAITS, Speeds, Waiting
from ..errors import CancelledError, CivitaiError, SourceError, StorageError
from ..store import names

# How often it is looked whether somebody stopped it, and whether a wait is over. Seconds.
LOOK_SECONDS = 0.1
# How long who stopped it waits for what is under way to end.
GRACE_SECONDS = 0.15

_PLACES = re.compile(r'\d{1,5}(?:,\d{1,5}){0,999}')
_numbers = itertools.count(1)
_under_way: dict[int, Keeping] = {}


@dataclass(frozen=True)
class Progress:
    """How far a download is: `done` of `total`, at `rate` bytes a second.

    waiting is the sentence that says what is waited for, '' if nothing.
    """

    done: int
    total: int
    rate: float
    waiting: str


class Keeping:
    """Pictures of the gallery called `name` that are being kept.

    is_followed tells that somebody watches. `begin` gets what stops them, and returns their folder
    and the results to come. Raises what that raises.
    """

    def __init__(
        self,
        name: str,
        images: Sequence[GalleryImage],
        begin: Callable[[threading.Event], tuple[str, Iterator[tuple[int, DownloadResult]]]],
    ) -> None:
        self.name = name
        self.images = tuple(images)
        self.stop = forks.Event()
        self.folder, self._results = begin(self.stop)
        self.number = next(_numbers)
        self.notes: list[str] = []
        self.is_followed = False
        self._found: dict[int, DownloadResult] = {}
        self._told: SimpleQueue[bool] = SimpleQueue()  # True: one more is done; False: all is over
        self._waits, self._speeds = Waiting(), Speeds()
        self._size = 0
        self._is_whole = True
        self._thread = threading.Thread(
            target=self._work, name='civitai-gallery-keeping', daemon=True
        )
        _under_way[self.number] = self
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return not self._thread.is_alive()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        rate, _ = self._speeds.now
        return Progress(len(self._found), len(self.images), rate, self._waits.sentence)

    @property
    def found(self) -> dict[int, DownloadResult]:
        """What became of the pictures, by their places among all; those cut off are left out."""
        found = sorted(self._found.items())
        return {place: one for place, one in found if not isinstance(one.error, CancelledError)}

    @property
    def report(self) -> BatchReport:
        """The same as a report."""
        return BatchReport(tuple(self.found.values()))

    @property
    def kept_ids(self) -> list[int]:
        """The ids of the pictures that are there."""
        found = self.found.items()
        return [self.images[at].id for at, one in found if one.outcome is not Outcome.FAILED]

    def steps(self) -> Iterator[Progress]:
        """Yield how far it is, once for each picture and when another wait is told, to its end.

        One that is stopped ends within moments. Raises CivitaiError for what nobody foresaw.
        """
        done, waiting = 0, ''
        while True:
            if self.stop.is_set():
                self._thread.join(GRACE_SECONDS)
                return
            try:
                if not self._told.get(timeout=LOOK_SECONDS):
                    break
                done += 1
                waiting = self.progress.waiting
            except Empty:
                if self.progress.waiting == waiting:
                    continue
                waiting = self.progress.waiting
            now = self.progress
            yield Progress(done, now.total, now.rate, now.waiting)
        if not self._is_whole:
            raise CivitaiError('error_see_log')

    def _work(self) -> None:
        self._is_whole = crew.guarded(self._keep, self._results)
        _under_way.pop(self.number, None)
        self._told.put(False)

    def _keep(self, results: Iterator[tuple[int, DownloadResult]]) -> bool:
        with suppress(CancelledError), notices.going_to(self._noticed):
            for place, result in results:
                self._found[place] = result
                if result.outcome is Outcome.SAVED:
                    with suppress(OSError):
                        self._size += os.path.getsize(result.path)
                self._speeds.told(self._size, len(self._found))
                self._told.put(True)
        return True

    def _noticed(self, key: str, values: Mapping[str, Any]) -> None:
        if key in WAITS:
            self._waits.noticed(key, values)
        else:
            self.notes.append(texts.text(key, setting.language, **values))


def begin(name: str, images: Sequence[GalleryImage]) -> Keeping:
    """Begin to keep the originals of `images` in the folder of the gallery called `name`.

    Raises StorageError if there can be none.
    """
    return Keeping(name, images, lambda stop: action.keep_images(name, images, stop))


def under_way() -> list[Keeping]:
    """All that this program keeps now, the newest first."""
    return sorted(_under_way.values(), key=lambda one: -one.number)


def stop(number: int) -> bool:
    """Stop one of them by its number; tell whether there was such a one."""
    found = _under_way.get(number)
    if found is not None:
        found.stop.set()
    return found is not None


def chosen(images: Sequence[GalleryImage], places: object) -> tuple[GalleryImage, ...]:
    """Return those of `images` at `places`, as the browser says them: "0,3,4".

    Raises SourceError for what are no such places.
    """
    text = str(places)
    numbers = [int(one) for one in text.split(',')] if _PLACES.fullmatch(text) else []
    if not numbers or max(numbers) >= len(images):
        raise SourceError('picture_unknown')
    return tuple(images[place] for place in sorted(set(numbers)))


def saved_ids(images: Sequence[GalleryImage]) -> frozenset[int]:
    """Return the ids of those of `images` that are saved, as far as the archive knows."""
    try:
        stems = {image.id: names.picture_stem(image.url) for image in images}
        return frozenset(saved.of_pictures(archive(), stems)) if stems else frozenset()
    except StorageError:
        return frozenset()
