"""How the chosen picture was made: what the site tells, names of models, and its own file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .. import civitai_gallery_action as action, ishortcut, setting
from ..civitai import infotext, inside, urls, versions
from ..civitai.gallery import GalleryImage
from ..downloads import originals, presence
from ..store import embedded


@dataclass(frozen=True)
class Made:
    """A picture with all that could be learned of how it was made.

    searched tells whether its own file was read, so that nothing more can be learned.
    """

    image: GalleryImage
    searched: bool = False


def learned(image: GalleryImage) -> Made:
    """Return what can be learned of `image`: fetches the names of its models, or its original.

    What cannot be had is left open; nothing is raised.
    """
    meta, searched = dict(image.meta), False
    if not text(image) and image.kind == 'image':
        told, searched = _in_file(image)
        meta |= told
    return _named(image, meta, searched, asking=True)


def learned_offline(image: GalleryImage, path: Path | None) -> Made:
    """The same of a picture whose original is at `path` (None: nowhere); nobody is asked."""
    meta, searched = dict(image.meta), False
    if path is not None and not text(image) and image.kind == 'image':
        told, searched = _told_by(path)
        meta |= told
    return _named(image, meta, searched, asking=False)


def _named(image: GalleryImage, meta: dict[str, object], searched: bool, *, asking: bool) -> Made:
    asked_for = versions.asked_for(meta)
    if asked_for:
        meta = versions.named(meta, ishortcut.known_versions(asked_for, asking=asking))
    return Made(replace(image, meta=meta), searched)


def original(image: GalleryImage) -> Path | None:
    """Return the original of `image` in the picture cache, fetched if need be; None: it failed."""
    address = urls.original_url(image.url)
    path = Path(setting.get_image_url_to_gallery_file(address))
    if not presence.is_there(path):
        action.download_images([address])
    return path if presence.is_there(path) else None


def _in_file(image: GalleryImage) -> tuple[dict[str, object], bool]:
    """What the original of `image` tells, and whether it could be read.

    A copy has lost its texts, so it says nothing of what was shared.
    """
    path = original(image)
    return ({}, False) if path is None else _told_by(path)


def _told_by(path: Path) -> tuple[dict[str, object], bool]:
    is_told = embedded.can_have_texts(path) and not originals.is_copy(str(path))
    return inside.meta_in(embedded.texts(path)), is_told


def text(image: GalleryImage) -> str:
    """The infotext of `image`, '' if nobody tells how it was made."""
    return infotext.encode(image.meta, image.width or None, image.height or None)
