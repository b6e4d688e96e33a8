"""A grid that grows: the next page comes below what is there, where the settings want that."""

from __future__ import annotations

from .. import setting
from ..civitai.gallery import CursorTrail
from .view import View

# A grid of so many pictures grows no further: the page after it begins a new one.
MOST_SHOWN = 600


def will_grow(view: View) -> bool:
    """Tell whether the next page comes below the pictures that are there."""
    has_room = len(view.page.images) + setting.page_size() <= MOST_SHOWN
    return bool(setting.gallery_endless and view.gallery and view.page.images and has_room)


def first_way(view: View) -> CursorTrail:
    """The way to the first page of the grid."""
    count = view.trail.page_number - view.grown.pages
    return CursorTrail(view.trail.cursors[:count], view.trail.shown[: count - 1])
