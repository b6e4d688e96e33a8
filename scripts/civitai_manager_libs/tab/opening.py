"""Opening what was pasted, and what the address of the app's page names."""

from __future__ import annotations

from dataclasses import replace

from .. import api, setting
from ..civitai.gallery import CursorTrail, ImagePage
from ..civitai.source import parse_source
from ..errors import BadRequestError, CivitaiError, SourceError
from . import address, events, filters, finding, offline
from .address import Address
from .ahead import Pages
from .filters import Filters, LeftOut
from .view import Grown, View


def open_pasted(view: View, pasted: str, kept: object = '') -> None:
    """Show what was pasted: the models that words find, or a gallery.

    Raises CivitaiError and leaves `view` as it was.
    """
    words = finding.words_of(pasted)
    if words:
        finding.search(view, words)
    else:
        events.open_source(view, pasted, kept)


def open_first(view: View, pasted: str, kept: object, here: object) -> None:
    """Show what the address `here` names, else what was `pasted`. Raises CivitaiError."""
    if address.read(here) is None:
        open_pasted(view, pasted, kept)
    else:
        open_address(view, here)


def open_address(view: View, here: object) -> None:
    """Show what the address `here` names: models that words find, a gallery, what was kept of one,
    or where one begins.

    Raises CivitaiError and leaves `view` as it was.
    """
    asked = address.read(here)
    if asked is None:
        _begin(view, here)
    elif asked.source:
        _open_gallery(view, asked)
    elif asked.saved:
        turn = offline.open_page(view, asked.saved, asked.trail, asked.filters)
        _note_page(view, turn, asked)
    else:
        words = finding.words_of(asked.words)
        if not words:
            raise SourceError('address_no_words')
        finding.search_again(view, words, asked.page)


def _begin(view: View, here: object) -> None:
    """Show where one begins, if `here` is empty."""
    turn = view.begin()
    if str(here or '').strip('?'):
        raise SourceError('source_empty')
    with view.having_say(turn) as has_say:
        if not has_say:
            return
        view.pages.stop()
        view.pages, view.trail, view.page, view.grown = Pages(), CursorTrail(), ImagePage(), Grown()
        view.gallery = view.saved = view.selected = view.problem = None
        view.filters.left, view.picture.left_out = LeftOut(), 0
        view.lost, view.is_of_before = (), False
        view.listed = turn


def _open_gallery(view: View, asked: Address) -> None:
    """Show a gallery; its first page where the one named is not to be had, or what was saved of it
    if Civitai is out of reach.

    Filters that this browser keeps do not count: who shared it saw it without them.
    """
    turn, gallery = view.begin(), _on_show(view, asked)
    source = parse_source(asked.source, setting.civitai_base_url)
    chosen = filters.in_force(source, asked.filters)
    if gallery is not None:
        _show(view, turn, gallery, asked, chosen)
        return
    try:
        gallery = api.open_gallery(events.client(view.waits.stop), source)
        gallery = gallery.of_every_version() if asked.is_of_every_version else gallery
        _show(view, turn, gallery, asked, chosen)
    except CivitaiError as error:
        named = address.written(replace(asked, source=address.link_of(source)))
        if not offline.show_instead(view, turn, source, error, chosen, named):
            raise


def _show(view: View, turn: int, gallery: api.Gallery, asked: Address, chosen: Filters) -> None:
    """Show the page of `gallery` that is asked for, or the first."""
    if gallery.query.levels != chosen.levels:
        gallery = gallery.of_levels(chosen.levels)
    trail = _known_way(view, asked.trail)
    try:
        events.show_page(view, turn, gallery, trail, chosen)
    except BadRequestError:  # a way does not lead there for ever
        if trail.page_number == 1:
            raise
        events.show_page(view, turn, gallery, CursorTrail(), chosen)
    _note_page(view, turn, asked)


def _note_page(view: View, turn: int, asked: Address) -> None:
    if view.trail.page_number != asked.page:
        view.noted = (turn, 'page_not_there')


def _on_show(view: View, asked: Address) -> api.Gallery | None:
    """The gallery on show if it is the one that is asked for: its pages are known."""
    now = address.read(address.of_gallery(view))
    same = now and (now.source, now.is_of_every_version) == (
        asked.source,
        asked.is_of_every_version,
    )
    return view.gallery if same else None


def _known_way(view: View, trail: CursorTrail) -> CursorTrail:
    """`trail` with what was shown on the way, if this tab went that way itself."""
    count = trail.page_number
    if view.trail.cursors[:count] != trail.cursors:
        return trail
    return CursorTrail(trail.cursors, view.trail.shown[: count - 1])
