"""Favourites, and pictures that are not to be seen again: of the owner alone, on this machine."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from .. import widgets
from ..archive import marks
from ..archive.place import archive
from ..civitai.gallery import GalleryImage, ImagePage
from ..errors import SourceError, StorageError
from .view import View

log = logging.getLogger(__name__)

# What the browser orders: a kind, whether it is to be so, and the place in a grid.
_ORDER = re.compile(r'(favourite|hidden) ([01]) ([0-9]{1,9}) ([0-9]{1,5})')


def refuse_others(request: Any) -> None:
    """Raise SourceError unless who asks is the owner."""
    widgets.refuse_strangers(request)
    if not widgets.is_owner(request):
        raise SourceError('marks_not_from_here')


def may_mark(request: Any) -> bool:
    """Tell whether `refuse_others` lets who asks pass."""
    return widgets.lets_pass(refuse_others, request)


def seen(view: View, page: ImagePage) -> ImagePage:
    """Return `page` without what the owner has hidden, if it is the owner who looks.

    How its pictures are marked is noted in `view`.
    """
    ours = view.picture
    ours.marks, ours.left_out = marks.Marks(), 0
    if not ours.may_mark:
        return page
    try:
        ours.marks = marks.of(archive(), [image.id for image in page.images])
    except StorageError as error:
        log.warning('%s', error)
        return page
    left = tuple(image for image in page.images if image.id not in ours.marks.hidden)
    if ours.shows_hidden or len(left) == len(page.images):
        return page
    ours.left_out = len(page.images) - len(left)
    return replace(page, images=left)


def carry_out(view: View, order: object) -> GalleryImage:
    """Carry out an order of the browser; return the picture. Raises SourceError, StorageError."""
    found = _ORDER.fullmatch(str(order))
    images = view.shown.get(found[3], ()) if found else ()
    if found is None or int(found[4]) >= len(images):
        raise SourceError('picture_unknown')
    image, kind, is_so = images[int(found[4])], found[1], found[2] == '1'
    marks.put(archive(), image, kind, is_so)
    before = view.picture.marks
    of_kind = before.favourites if kind == marks.FAVOURITE else before.hidden
    now = of_kind | {image.id} if is_so else of_kind - {image.id}
    changed = {'favourites' if kind == marks.FAVOURITE else 'hidden': now}
    view.picture.marks = replace(before, **changed)
    return image
