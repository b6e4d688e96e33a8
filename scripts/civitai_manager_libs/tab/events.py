"""What happens in the gallery tab: events change the `View` of a browser tab."""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .. import api, civitai_gallery_action as action, host, setting, texts, util, widgets
from ..civitai.gallery import CursorTrail, GalleryImage, ImagePage
from ..civitai.source import parse_source
from ..downloads.running import Waiting
from ..errors import CivitaiError, SourceError
from ..http_client import CivitaiHttpClient
from ..store import cache
from . import (
    address,
    endless,
    filters,
    generation,
    larger,
    marking,
    offline,
    temporary,
    thumbnails,
    versions,
    waits,
)
from .address import Address
from .ahead import Pages
from .filters import Filters
from .view import Grown, View


def open_source(view: View, pasted: str, kept: object = '') -> None:
    """Show the first page of what was pasted, or what was saved of it if Civitai is out of reach.

    `kept` are the filters that the browser keeps, see `filters.read`. Raises CivitaiError and
    leaves `view` as it was.
    """
    turn, wanted = view.begin(), filters.read(kept)
    source = filters.wished(parse_source(pasted or '', setting.civitai_base_url), wanted)
    try:
        gallery = api.open_gallery(client(view.waits.stop), source)
        show_page(view, turn, gallery, CursorTrail(), filters.in_force(source, wanted))
    except CivitaiError as error:
        asked = address.written(Address(address.link_of(source), filters=wanted))
        if not offline.show_instead(view, turn, source, error, wanted, asked):
            raise


def choose_filters(view: View, told: object) -> None:
    """Show the gallery as other filters have it: its first page, or this one if Civitai is asked
    for the same. Raises CivitaiError.
    """
    turn, wanted = view.begin(), filters.read(told)
    if view.saved is not None:
        offline.go(view, turn, view.saved, view.trail, wanted)
        return
    gallery = view.gallery
    if gallery is None:
        raise SourceError('source_empty')
    wishes = {name: getattr(wanted, name) for name in filters.IN_LINKS}
    other = gallery.wishing(**wishes).of_levels(wanted.levels)
    if other.query == gallery.query:
        show_page(view, turn, gallery, endless.first_way(view), wanted)
    else:
        show_page(view, turn, other, CursorTrail(), wanted)


def client(stop: threading.Event | None = None) -> CivitaiHttpClient:
    """The client for what a person waits for, until `stop` is set.

    One that was put in its place knows no patience.
    """
    client = action.get_http_client()
    if not isinstance(client, CivitaiHttpClient):
        return client
    return client.for_a_person().until(stop) if stop else client.for_a_person()


def is_other_version(view: View, label: object) -> bool:
    """Tell whether `label` is not of the version that is shown, or on its way to be.

    The box of gradio 6 tells its choice whenever it is left.
    """
    return label != (view.version or versions.shown(view) or None)


def choose_version(view: View, label: str) -> None:
    """Show the first page of another version of the model, or of all, if it is another.

    Raises CivitaiError.
    """
    if not is_other_version(view, label):
        return
    turn, gallery = view.begin(), view.gallery
    model = gallery.model if gallery else None
    chosen = next((v for v in model.versions if v.label == label), None) if model else None
    if gallery is None or (chosen is None and label not in versions.offered(view)):
        raise SourceError('version_unknown')
    view.version = label
    try:
        other = gallery.of_version(chosen.id) if chosen else gallery.of_every_version()
        show_page(view, turn, other, CursorTrail())
    finally:
        with view.having_say(turn) as has_say:
            if has_say:
                view.version = ''


def go_first(view: View) -> None:
    """Show the first page again, asked for anew if it is the one on show. Raises CivitaiError."""
    if view.trail.page_number == 1:
        view.pages.stop()
        view.pages = Pages()
    _go(view, CursorTrail())


def go_previous(view: View) -> None:
    """Show the page before those on show. Raises CivitaiError."""
    _go(view, endless.first_way(view).back())


def go_next(view: View) -> None:
    """Show the page after this one, or below it. Raises CivitaiError."""
    _go(view, view.trail.forward(view.page), grows=endless.will_grow(view))


def show_hidden(view: View) -> None:
    """Show what the owner has hidden of this page, or leave it out again. Raises CivitaiError."""
    view.picture.shows_hidden = not view.picture.shows_hidden
    further = view.grown.pages
    turn = _go(view, endless.first_way(view))
    with suppress(CivitaiError):  # what came below stays there, as far as it is still to be had
        for _ in range(further):
            if view.gallery is None or view.listed != turn:
                return
            show_page(view, turn, view.gallery, view.trail.forward(view.page), grows=True)
    with view.having_say(turn) as has_say:
        if has_say:
            view.grown = replace(view.grown, before=0)  # all of it is drawn


def _go(view: View, trail: CursorTrail, grows: bool = False) -> int:
    turn = view.begin()
    if view.saved is not None:
        offline.go(view, turn, view.saved, trail)
    elif view.gallery is None:
        raise SourceError('source_empty')
    else:
        show_page(view, turn, view.gallery, trail, grows=grows)
    return turn


def show_page(
    view: View,
    turn: int,
    gallery: api.Gallery,
    trail: CursorTrail,
    chosen: Filters | None = None,
    grows: bool = False,
) -> None:
    """Show the page of `gallery` that `trail` leads to, with these filters (None: those of now).

    `grows`: below the pictures on show, where both are of one gallery. `turn` is the one that asked
    for it; a later one has the say. Raises CivitaiError.
    """
    chosen = chosen or view.filters.chosen
    levels = chosen.levels
    if levels != gallery.query.levels:  # cursors belong to the filter they were given for
        gallery, trail = gallery.of_levels(levels), CursorTrail()
    known = view.pages if gallery is view.gallery else Pages()
    query, stop = gallery.query, view.waits.stop
    page = known.read(query, trail, lambda: api.read_page(client(stop), query, trail), stop)
    if trail.page_number == 1 and page.is_nothing:
        api.check_there(client(stop), gallery)
    with view.having_say(turn) as has_say:
        if not has_say:
            return
        if known is not view.pages:
            view.pages.stop()
        view.pages = known
        page, left = filters.sifted(page, chosen)
        selected, grown, hidden = None, Grown(), 0
        if grows and gallery is view.gallery and trail.page_number == view.trail.page_number + 1:
            selected, hidden = view.selected, view.picture.left_out
            grown = Grown(view.grown.pages + 1, len(view.page.images))
            page, left = view.page.and_then(page), view.filters.left.and_then(left)
        view.filters.chosen, view.filters.left, view.grown = chosen, left, grown
        view.gallery, view.trail, view.selected = gallery, trail, selected
        view.page = marking.seen(view, page)
        view.picture.left_out += hidden
        view.saved, view.lost, view.problem, view.is_of_before = None, (), None, False
        view.listed = turn  # last, as others read it first


def load_ahead(view: View) -> None:
    """Begin to fetch the next page and its small pictures, to be there when they are wanted."""
    if view.gallery is None or not has_next(view):
        return
    query, trail = view.gallery.query, view.trail.forward(view.page)
    chosen, ours = view.filters.chosen, weakref.ref(view)

    def told() -> Waiting | None:
        now = ours()
        return now.waits.told if now else None

    def listed() -> ImagePage:
        with waits.heard_by(told):  # a person may wait for it by then
            return api.read_page(client(), query, trail)

    def load(page: ImagePage, stop: threading.Event) -> None:
        seen, _ = filters.sifted(page, chosen)
        stills = [thumbnails.address(image) for image in seen.images if not image.is_audio]
        action.load_pictures(stills, stop, lambda *result: None)

    view.pages.fetch(query, trail, listed, load)


def allowed_folders() -> list[str]:
    """The folders of which gradio may serve every file: our own pictures."""
    return [str(setting.ROOT / 'img')]


def showable(paths: list[str]) -> list[str]:
    """Return what gradio can show for `paths`: the placeholder for what is missing or not ours.

    The card for sounds stays as it is. Raises StorageError if gradio's folder cannot be written.
    """
    placeholder, card = setting.no_card_preview_image, setting.audio_card_image
    cached = setting.shortcut_gallery_folder
    ours = [path if cache.serves(path, cached) else None for path in paths if path != card]
    placed = temporary.shown(widgets.showable(ours, [cached], placeholder), keep=placeholder)
    left = iter(placed)
    return [card if path == card else next(left) for path in paths]


def place_in(text: object) -> int:
    """Return the place of a picture that the browser tells; -1 for what is none."""
    given = str(text)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else -1


def select(view: View, index: Any, shown: Any = None) -> GalleryImage:
    """Choose a picture by its place in the grid called `shown` (None: in the page).

    The page may be a newer one than the grid on the screen. Raises SourceError for a place that
    is none.
    """
    grid = view.page.images if shown is None else view.shown.get(str(shown), ())
    if not isinstance(index, int) or not 0 <= index < len(grid):
        raise SourceError('picture_unknown')
    view.selected = grid[index]
    view.picture.grid = str(view.listed if shown is None else shown)
    view.picture.place = index
    if view.saved is not None:
        offline.note_selected(view, view.saved, view.selected)
    elif not view.selected.is_audio:
        view.sees('selected', [thumbnails.address(view.selected), larger.address(view.selected)])
    return view.selected


def small_file(image: GalleryImage) -> str:
    """Where the small still of `image` is on this disk; a card for a sound, which has none."""
    if image.is_audio:
        return setting.audio_card_image
    return setting.get_image_url_to_gallery_file(thumbnails.address(image))


def sendable(image: GalleryImage, has_still: bool) -> list[bool]:
    """Tell for each target of the host whether `image` can be sent there.

    Some take no picture, the others need no infotext.
    """
    has_text, is_picture = bool(generation_text(image)), has_still and image.kind == 'image'
    targets = host.detect().send_targets()
    return [has_text if target in host.TEXT_ONLY else is_picture for target in targets]


def generation_text(image: GalleryImage) -> str:
    """The infotext of `image`, '' if nobody tells how it was made."""
    return generation.text(image)


def open_folder(folder: str, request: Any) -> str:
    """Open a folder on this machine for its owner; return what to tell then. Raises SourceError."""
    if not widgets.is_owner(request):
        here = widgets.is_same_machine(request)
        raise SourceError('folder_not_yours' if here else 'folder_not_here')
    if not util.open_folder(folder):
        raise SourceError('folder_not_opened', folder=folder)
    return texts.text('folder_opened', setting.language, folder=folder)


def has_next(view: View) -> bool:
    """Tell whether there is a page after this one."""
    return view.trail.can_go_to(view.page.next_cursor)
