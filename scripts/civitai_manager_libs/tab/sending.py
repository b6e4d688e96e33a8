"""What a WebUI is sent: the original of a picture, and its infotext."""

from __future__ import annotations

from .. import civitai_gallery_action as action, setting
from ..civitai import urls
from ..errors import CivitaiError, SourceError
from . import events, generation, offline
from .view import View


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
