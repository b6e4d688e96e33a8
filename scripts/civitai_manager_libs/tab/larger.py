"""The larger pictures of the grids of one browser tab: each brought when it is asked for."""

from __future__ import annotations

import os
import weakref
from collections import OrderedDict
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from .. import civitai_gallery_action as action, forks, setting
from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..downloads import offline, presence
from ..downloads.offline import SavedGallery
from ..downloads.plan import DownloadResult, Outcome
from ..errors import CivitaiError, SourceError
from .loading import GRIDS_KEPT, Loading, Small, State, stop_all

LARGE_WIDTH, VIDEO_WIDTH = 1200, 720
# A picture and its neighbours; what was asked for before them is not waited for any more.
_BROUGHT_AT_ONCE = 6


class Size(str, Enum):
    """LARGE: to be shown, and of a video a short one. ORIGINAL: as it was posted."""

    LARGE = 'large'
    ORIGINAL = 'original'


class Key(NamedTuple):
    """Which larger picture: the grid's name, the place in it, and the size."""

    grid: str
    place: int
    size: Size


def address(image: GalleryImage, size: Size = Size.LARGE) -> str:
    """The address of `image` in that size."""
    if size is Size.ORIGINAL:
        return urls.original_url(image.url)
    if image.is_video:
        return urls.video_preview_url(image.url, VIDEO_WIDTH)
    return urls.thumbnail_url(image.url, LARGE_WIDTH)


class Larger:
    """The larger pictures that one browser tab may ask for: those of the last grids it was given.

    Any thread may ask.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[str, tuple[tuple[GalleryImage, ...], SavedGallery | None]]
        self._pages = OrderedDict()
        self._brought: OrderedDict[Key, Loading] = OrderedDict()
        self._lock = forks.Lock()
        weakref.finalize(self, stop_all, self._brought)

    def give(
        self,
        secret: str,
        grid: str,
        images: tuple[GalleryImage, ...],
        saved: SavedGallery | None,
    ) -> None:
        """Note that the tab that knows `secret` is given `images` as `grid`.

        saved: whose pictures they are, None if Civitai has them.
        """
        _tabs[secret] = self
        with self._lock:
            self._pages[grid] = images, saved
            while len(self._pages) > GRIDS_KEPT:
                gone, _ = self._pages.popitem(last=False)
                for key in [key for key in self._brought if key.grid == gone]:
                    self._brought.pop(key).stop.set()

    def find(self, grid: str, place: int) -> GalleryImage | None:
        """The picture at that place, None if the tab was not given such."""
        images, _ = self._pages.get(grid, ((), None))
        return images[place] if 0 <= place < len(images) else None

    def known(self, key: Key) -> Loading | None:
        """How far the one that was asked for last is, None if it was not asked for."""
        return self._brought.get(key)

    def bring(self, key: Key) -> Loading | None:
        """Return how far that picture is, which is on its way by then; None if there is no such.

        One that failed, or was stopped, is tried anew.
        """
        image = self.find(key.grid, key.place)
        if image is None or image.is_audio:
            return None
        with self._lock:
            before = self._brought.get(key)
            if before is not None and (before.smalls[0].state is not State.FAILED):
                if not before.stop.is_set() and _is_still_there(before.smalls[0]):
                    self._brought.move_to_end(key)
                    return before
            saved = self._pages[key.grid][1] if key.grid in self._pages else None
            begun = self._brought[key] = _begun(image, saved, key.size)
            self._brought.move_to_end(key)
            while len(self._brought) > _BROUGHT_AT_ONCE:
                self._brought.popitem(last=False)[1].stop.set()
        return begun


def _is_still_there(one: Small) -> bool:
    """False for a picture that the cache has let go since."""
    if one.state is not State.THERE:
        return True
    return os.path.isfile(Path(setting.shortcut_gallery_folder) / one.name)


def _begun(image: GalleryImage, saved: SavedGallery | None, size: Size) -> Loading:
    wanted = '' if saved else address(image, size)
    path = setting.get_image_url_to_gallery_file(wanted) if wanted else ''
    one = Small(os.path.basename(path), image.level)

    def fetch(loading: Loading, places: list[int]) -> None:
        def told(position: int, result: DownloadResult) -> None:
            if not loading.stop.is_set():
                is_lost = result.outcome is Outcome.FAILED
                state = State.FAILED if is_lost else State.THERE
                loading.settle(0, state, result.error)

        action.load_pictures([wanted], loading.stop, told)

    def make(loading: Loading, places: list[int]) -> None:
        try:
            assert saved is not None
            found = _made(saved, image, size)
        except CivitaiError as error:
            loading.settle(0, State.FAILED, error)
        else:
            one.name = os.path.basename(found)
            loading.settle(0, State.THERE)

    made = Loading([one], make if saved else fetch)
    if path and presence.is_there(path):
        setting.picture_cache().shown(path)
        made.settle(0, State.THERE)
    else:
        made.begin([0])
    return made


def _made(saved: SavedGallery, image: GalleryImage, size: Size) -> str:
    """Where a saved picture is in the cache, in that size. Raises SourceError, StorageError."""
    file = offline.find(saved, image)
    if file is None:
        raise SourceError('saved_missing')
    if size is Size.ORIGINAL or image.is_video:
        return offline.copy(file)
    return offline.still(file, LARGE_WIDTH) or offline.copy(file)


_tabs: weakref.WeakValueDictionary[str, Larger] = weakref.WeakValueDictionary()


def of_tab(secret: str) -> Larger | None:
    """The larger pictures of the tab that knows `secret`, None if there is no such tab any more."""
    return _tabs.get(secret)
