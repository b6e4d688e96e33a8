"""A saved gallery in the tab: its pages, its pictures, and how these were made.

Everything is read on this computer. Where a picture lies is looked up anew each time.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .. import setting
from ..archive.saved import SavedFile
from ..civitai import urls
from ..civitai.gallery import CursorTrail, GalleryImage
from ..civitai.source import GallerySource
from ..downloads import offline, presence
from ..downloads.offline import SavedGallery
from ..errors import CivitaiError, SourceError
from . import filters, generation, marking
from .filters import Filters
from .larger import LARGE_WIDTH
from .view import Grown, View

STILL_WIDTH = 450
_NUMBER = re.compile(r'[1-9][0-9]{0,17}')


def open_job(view: View, job: object) -> None:
    """Show the first page of what a job kept, all of it. Raises CivitaiError."""
    open_page(view, job, CursorTrail(), Filters())


def open_page(view: View, job: object, trail: CursorTrail, chosen: Filters) -> int:
    """Show a page of what a job kept, the first if `trail`, of whatever origin, leads to none.

    Return the turn. Raises CivitaiError.
    """
    turn = view.begin()
    if not _NUMBER.fullmatch(str(job)):
        raise SourceError('job_unknown')
    _check_allowed(view)
    saved, way = offline.of_job(int(str(job))), trail.cursors[1:]
    is_way = all(map(_NUMBER.fullmatch, way)) and list(way) == sorted(way, key=int)
    show(view, turn, saved, trail if is_way else CursorTrail(), chosen)
    return turn


def show_instead(
    view: View, turn: int, source: GallerySource, why: CivitaiError, wanted: Filters, asked: str
) -> bool:
    """Show what was kept of a gallery that cannot be had now; False if there is nothing.

    The address of the page goes on to say what was `asked` for.
    """
    if not view.may_see_saved or not isinstance(why, offline.UNREACHABLE):
        return False
    saved = offline.instead_of(source, why)
    if saved is not None:
        show(view, turn, replace(saved, asked=asked), CursorTrail(), wanted)
    return saved is not None


def go(
    view: View,
    turn: int,
    saved: SavedGallery,
    trail: CursorTrail,
    wanted: Filters | None = None,
) -> None:
    """Show a page of a saved gallery, with other filters if some are wanted.

    Raises CivitaiError.
    """
    _check_allowed(view)
    show(view, turn, saved, trail, wanted or view.filters.chosen)


def _check_allowed(view: View) -> None:
    if not view.may_see_saved:
        raise SourceError('saved_not_from_here')


def show(view: View, turn: int, saved: SavedGallery, trail: CursorTrail, chosen: Filters) -> None:
    """Show a page of `saved`, unless another was asked for meanwhile. Raises StorageError."""
    saved, page = offline.read_page(saved, trail)
    if trail.page_number > 1 and not (page.images or page.hidden or saved.missing):  # the end
        trail = CursorTrail()
        saved, page = offline.read_page(saved, trail)
    with view.having_say(turn) as has_say:
        if not has_say:
            return
        page, left = filters.sifted(page, chosen, is_saved=True)
        view.filters.chosen, view.filters.left, view.grown = chosen, left, Grown()
        view.gallery, view.saved, view.trail = None, saved, trail
        view.page = marking.seen(view, page)
        view.selected, view.lost, view.problem, view.is_of_before = None, (), None, False
        view.listed = turn  # last, as others read it first


def small_address(saved: SavedGallery, image: GalleryImage) -> str:
    """What a small still of `image` is called in the picture cache, '' if there can be none.

    Raises StorageError.
    """
    file = None if image.is_audio else offline.find(saved, image)
    return _address(image, file) if file else ''


def small_file(saved: SavedGallery, image: GalleryImage) -> str:
    """Where a small still of `image` is; the placeholder if there is none. Raises StorageError."""
    file = offline.find(saved, image)
    return _still(image, file) if file else setting.no_card_preview_image


def _still(image: GalleryImage, file: SavedFile) -> str:
    if image.is_audio:
        return setting.audio_card_image
    cached = setting.get_image_url_to_gallery_file(_address(image, file))
    if presence.is_there(cached):
        return cached
    return offline.still(file, STILL_WIDTH) or setting.no_card_preview_image


def _address(image: GalleryImage, file: SavedFile) -> str:
    """What the small still is called in the picture cache: of a video only Civitai makes one."""
    if image.is_video:
        return urls.thumbnail_url(image.url, STILL_WIDTH, video=True)
    return offline.still_address(file, STILL_WIDTH)


def note_selected(view: View, saved: SavedGallery, image: GalleryImage) -> None:
    """Note what is shown of a chosen picture, so that it stays in the picture cache.

    Raises StorageError.
    """
    file = None if image.is_audio else offline.find(saved, image)
    if file is not None:
        large = offline.still_address(file, LARGE_WIDTH)
        view.sees('selected', [_address(image, file), large, offline.copy_address(file)])


def original(view: View, saved: SavedGallery, image: GalleryImage) -> str:
    """Return a copy of the file to send. Raises SourceError if it is not there, StorageError."""
    file = offline.find(saved, image)
    if file is None:
        raise SourceError('saved_missing')
    view.sees('sent', [offline.copy_address(file)])
    return offline.copy(file)


def learned(saved: SavedGallery, image: GalleryImage) -> generation.Made:
    """Return what the archive and the file tell of how `image` was made. Raises StorageError."""
    file = offline.find(saved, image)
    return generation.learned_offline(image, Path(file.path) if file else None)
