"""What a WebUI is sent: the original of a picture, and its infotext."""

from __future__ import annotations

import logging

from .. import civitai_gallery_action as action, setting, texts
from ..archive.place import archive
from ..civitai import resources, urls
from ..errors import CivitaiError, SourceError, StorageError
from ..library import have
from ..library.have import Have, State
from . import events, generation, offline
from .view import View

log = logging.getLogger(__name__)


def parcel(view: View) -> tuple[str, str]:
    """Return the original of the chosen picture as a file to show, and its infotext ('': none).

    Raises CivitaiError if nothing is chosen or the original cannot be had.
    """
    image = view.selected
    if image is None:
        raise SourceError('picture_unknown')
    if view.saved is not None:
        (shown,) = events.showable([offline.original(view, view.saved, image)])
        return shown, generation.text(offline.learned(view.saved, image).image)
    address = urls.original_url(image.url)
    view.sees('sent', [address])
    original = generation.original(image)
    (shown,) = events.showable([str(original)])
    if original is None or shown == setting.no_card_preview_image:
        raise action.failure_of(address) or CivitaiError('error_see_log')
    return shown, generation.text(generation.learned(image).image)


def lacks(view: View, target: str) -> str:
    """Say which models of the chosen picture the owner's machine lacks; '' for none, and to others.

    They are called as the picture calls them; no file of this machine is named. Of a `target` that
    makes no picture nothing is said.
    """
    image, made = view.selected, view.models.made
    if not view.models.may_have or image is None or target == 'extras':
        return ''
    meta = made.image.meta if made is not None and made.image.id == image.id else image.meta
    try:
        found = have.have(archive(), resources.resources(meta))
    except StorageError as error:
        log.warning('%s', error)
        return ''
    told = []
    for kind in ('checkpoint', 'lora', 'embedding', 'vae'):
        of_kind = [one for one in found if one.resource.kind == kind]
        missing = [one for one in of_kind if one.state is State.NOT_HERE]
        if missing:
            names = texts.listed(map(_name, missing), setting.language)
            told.append(_said(f'sent_lacks_{kind}', len(missing), len(of_kind), names))
    if any(one.state is State.UNKNOWN for one in found):
        told.append(texts.text('sent_unknown', setting.language))
    return texts.sentences(told, setting.language)


def _said(key: str, count: int, total: int, names: str) -> str:
    return texts.text(key, setting.language, count=count, total=total, names=names)


def _name(one: Have) -> str:
    resource = one.resource
    return resource.title or resources.stem(resource.name) or f'#{resource.version_id}'
