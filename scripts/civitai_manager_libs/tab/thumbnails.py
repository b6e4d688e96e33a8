"""The small pictures of a page: begun when it is listed, shown one by one, tried again."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Callable, Sequence

from .. import civitai_gallery_action as action, setting, widgets
from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..downloads import presence
from ..downloads.offline import SavedGallery
from ..downloads.plan import DownloadResult, Outcome, failed_message
from ..errors import CivitaiError, SourceError, StorageError
from ..store import cache, files, opening
from . import offline
from .loading import Given, Loading, Small, State
from .view import View

log = logging.getLogger(__name__)

_STATES = {
    Outcome.SAVED: State.THERE,
    Outcome.SKIPPED: State.THERE,
    Outcome.FAILED: State.FAILED,
}


def address(image: GalleryImage) -> str:
    """The address of a small still of `image`."""
    return urls.thumbnail_url(image.url, action.THUMBNAIL_WIDTH, video=image.is_video)


def show(view: View) -> str:
    """Give the tab a grid of the page, and begin to load its pictures; return the grid's name.

    What loads for the grids before it stops. '' and `view.problem`: none can be shown.
    """
    name, images = str(view.listed), view.page.images
    try:
        _check_cache()
        addresses = _addresses(view)
    except CivitaiError as error:
        view.fails(error)
        return ''
    view.sees('page', [one for one in addresses if one])
    smalls = [_small(image, one) for image, one in zip(images, addresses)]
    loading = Loading(smalls, _bringing(view, images, addresses))
    loading.begin(loading.places(State.COMING))
    view.shows(name, images, loading)
    return name


def show_beside(view: View, name: str, images: Sequence[GalleryImage | None]) -> None:
    """Give the tab a grid of these pictures, which are not of its gallery; None: a place without.

    What loads for such a grid before it stops. Raises StorageError if none can be shown.
    """
    _check_cache()
    addresses = [address(image) if image else '' for image in images]
    view.sees('beside', [one for one in addresses if one])
    smalls = [
        _small(image, one) if image else Small('', 0, State.THERE)
        for image, one in zip(images, addresses)
    ]
    loading = Loading(smalls, _fetching(addresses))
    loading.begin(loading.places(State.COMING))
    view.given = view.given or Given()
    view.given.give_beside(name, loading)


def _check_cache() -> None:
    """Mark the picture cache as ours. Raises StorageError if it is somebody else's folder."""
    try:
        setting.claim_picture_cache()
    except StorageError as error:
        if cache.refusal(Path(setting.shortcut_gallery_folder)):
            raise
        log.warning('The picture cache is not marked: %s', error)  # it may still be read


def _addresses(view: View) -> list[str]:
    """What the small still of each picture of the page is called, '' for one that has none.

    Raises StorageError.
    """
    if view.saved is not None:
        saved = view.saved
        return [offline.small_address(saved, image) for image in view.page.images]
    return ['' if image.is_audio else address(image) for image in view.page.images]


def _small(image: GalleryImage, one: str) -> Small:
    if not one:
        missing = State.FAILED, SourceError('saved_missing')
        return Small('', image.level, *((State.THERE,) if image.is_audio else missing))
    path = setting.get_image_url_to_gallery_file(one)
    is_there = presence.is_there(path)
    if is_there:
        setting.picture_cache().shown(path)
    return Small(os.path.basename(path), image.level, State.THERE if is_there else State.COMING)


def _fetching(addresses: Sequence[str]) -> Callable[[Loading, list[int]], None]:
    def fetch(loading: Loading, places: list[int]) -> None:
        def told(position: int, result: DownloadResult) -> None:
            if not loading.stop.is_set():  # else what was stopped would seem to have failed
                loading.settle(places[position], _STATES[result.outcome], result.error)

        action.load_pictures([addresses[place] for place in places], loading.stop, told)

    return fetch


def _bringing(
    view: View, images: tuple[GalleryImage, ...], addresses: list[str]
) -> Callable[[Loading, list[int]], None]:
    saved = view.saved

    def make(loading: Loading, places: list[int]) -> None:
        for place in places:
            if saved is None or loading.stop.is_set():
                return
            loading.settle(place, *_made(saved, images[place]))

    return _fetching(addresses) if saved is None else make


def _made(saved: SavedGallery, image: GalleryImage) -> tuple[State, CivitaiError | None]:
    """Have the small still of a saved picture made; tell whether it is there, or why not."""
    try:
        is_there = offline.small_file(saved, image) != setting.no_card_preview_image
    except CivitaiError as error:
        return State.FAILED, error
    return (State.THERE, None) if is_there else (State.FAILED, SourceError('saved_no_still'))


def try_again(view: View, grid: str, place: int) -> None:
    """Bring the picture at `place` of a grid once more, if it failed or cannot be shown.

    Raises SourceError if there is none.
    """
    loading = view.given.grid(grid) if view.given else None
    images = view.shown.get(grid, ())
    if loading is None or not 0 <= place < len(images):
        raise SourceError('picture_unknown')
    one = loading.smalls[place]
    if one.state is State.FAILED or (one.state is State.THERE and _is_dropped(one.name)):
        loading.begin([place])


def _is_dropped(name: str) -> bool:
    """Tell whether a file of the picture cache is gone; one that cannot be shown goes now."""
    path = os.path.join(setting.shortcut_gallery_folder, name)
    seen = files.look(path)
    if name and seen and not (seen.is_whole and opening.opens(Path(path))):
        setting.picture_cache().drop(path)
    return not os.path.lexists(path)


def load(view: View) -> bool:
    """Wait for the pictures of the page, whatever becomes of them; False: no longer wanted.

    Why some did not come is in `view.lost` then, and told by a toast.
    """
    listed, waited = view.listed, None
    loading = view.given.grid(str(listed)) if view.given else None
    while view.given is not None and loading is not None and loading is not waited:
        loading.wait()
        waited, loading = loading, view.given.grid(str(listed))  # it may have been shown anew
    if loading is None or listed != view.listed or loading.stop.is_set():
        return False
    lost = loading.failed
    if lost and lost != view.lost:
        widgets.toast(failed_message(lost, len(loading.smalls), setting.language))
    view.lost = lost
    return True
