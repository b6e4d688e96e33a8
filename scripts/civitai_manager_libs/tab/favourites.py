"""The owner's favourites as a gallery, out of the archive: Civitai is asked for their pictures."""

from __future__ import annotations

from dataclasses import dataclass

from .. import api, setting
from ..archive import marks
from ..archive.place import archive
from ..civitai.gallery import MAX_IDS, CursorTrail, GalleryQuery, ImagePage, is_allowed
from ..civitai.source import GallerySource
from ..errors import SourceError
from . import events
from .ahead import PAGES_KEPT, Pages
from .view import View


@dataclass(frozen=True)
class Favourites(api.Gallery):
    """The gallery of them; where Civitai is asked for it anew, it is asked for the newest ones."""

    @property
    def folder_name(self) -> str:
        """What a folder with these pictures is called."""
        return 'favourites'


def open_favourites(view: View) -> None:
    """Show the first page of the favourites, the newest first. Raises SourceError, StorageError."""
    turn, size, levels = view.begin(), setting.page_size(), view.filters.chosen.levels
    found = marks.favourites(archive(), 0, size * PAGES_KEPT)
    images = [image for image in found if is_allowed(image.level, levels)]
    if not images:
        raise SourceError('favourites_none')
    ids = tuple(image.id for image in images[:MAX_IDS])
    query = GalleryQuery(ids=ids, limit=size, levels=levels)
    gallery = Favourites(GallerySource('images', ids=ids), query)
    pages, trail = Pages(), CursorTrail()
    for start in range(0, len(images), size):
        end = start + size
        following = str(end) if end < len(images) else ''
        page = ImagePage(tuple(images[start:end]), following)
        pages.note(query, trail, page)
        trail = trail.forward(page)
    with view.having_say(turn) as has_say:
        if has_say:
            view.gallery, view.pages = gallery, pages
            events.show_page(view, turn, gallery, CursorTrail())
