"""Turning the page: what the gallery shows is listed first, then its pictures come."""

from __future__ import annotations

from typing import Any, Callable

import gradio as gr

from .. import widgets
from ..errors import CivitaiError
from . import (
    browser,
    endless,
    events,
    favourites,
    filters_markup,
    finding,
    foot_markup,
    grid_markup,
    job_panel,
    marking,
    markup,
    needed,
    offline,
    opening,
    picture,
    picture_markup,
    start_markup,
    thumbnails,
    versions,
    waits,
)
from .layout import Parts
from .markup import label
from .view import Begun, View, new_event

# A link as it was given, with the filters that the browser keeps.
_AS_KEPT = (browser.turns.AS_GIVEN, browser.filters.KEPT)
# What only turns the page; all else shows another gallery.
_OTHER_PAGES = (
    events.go_first,
    events.go_previous,
    events.go_next,
    events.show_hidden,
    finding.find_more,
)


def bind(parts: Parts) -> None:
    """Bind everything that changes what is shown."""
    loading = _on_turn(parts, opening.open_pasted)
    for event in (parts.load.click, parts.source.submit):
        _bind_turn(parts, event, loading, [parts.source, parts.filters.wanted], *_AS_KEPT)
    turns: tuple[tuple[Any, Callable[..., None], list[Any]], ...] = (
        (parts.first.click, events.go_first, []),
        (parts.prev.click, events.go_previous, []),
        (parts.next.click, events.go_next, []),
    )
    for event, change, inputs in turns:
        turned = _bind_turn(parts, event, _on_turn(parts, change), inputs)
        widgets.on(turned.then, None, js=browser.turns.SHOW_TOP)
    filtering = _on_turn(parts, events.choose_filters)
    wanted, pressed = parts.filters.wanted, parts.filters.button.click
    _bind_turn(parts, pressed, filtering, [wanted], browser.filters.CHOSEN)
    _bind_turn(parts, parts.version.input, _on_version(parts), [parts.version])
    browse = _on_turn(parts, offline.open_job, widgets.refuse_jobs)
    pressed, chosen = parts.whole.saved_button.click, browser.turns.SAVED_CHOSEN
    _bind_turn(parts, pressed, browse, [parts.whole.order], chosen)
    _bind_turn(parts, parts.marks.show_hidden.click, _on_turn(parts, events.show_hidden), [])
    liked = _on_turn(parts, favourites.open_favourites, marking.refuse_others)
    _bind_turn(parts, parts.marks.favourites.click, liked, [])
    more = _bind_turn(parts, parts.start.more_button.click, _on_turn(parts, finding.find_more), [])
    widgets.on(more.then, None, js=browser.start.MORE_FOUND)
    _bind_again(parts)
    _bind_waits(parts)


def bind_address(parts: Parts, event: Any, *, is_opening: bool) -> None:
    """Have what the address of the page names shown, and followed, from `event` on.

    `is_opening`: where it names nothing, show what the box for links holds.
    """
    widgets.on(event, None, js=browser.address.watch(is_opening))
    see, open_address = parts.filters, _on_turn(parts, opening.open_address)
    pressed = see.open_address.click
    _bind_turn(parts, pressed, open_address, [see.address], browser.address.WANTED)
    if is_opening:
        first, given = _on_turn(parts, opening.open_first), [parts.source, see.wanted, see.address]
        _bind_turn(parts, event, first, given, *_AS_KEPT, browser.address.HERE)


def _bind_turn(
    parts: Parts,
    event: Any,
    listing: Callable[..., dict[Any, Any]],
    inputs: list[Any],
    *said: str,
) -> Any:
    """Bind `event` to a listing, that to its pictures, and those to what there is to tell.

    Return the listing.

    The browser sends `said` as the first of the `inputs`.

    No listing is a generator: where two of its yields reach the browser in one piece, gradio 6
    loses of the first what the second leaves out. So the browser itself says "Loading".

    A listing brings the grid, whose pictures are on their way by then; the browser asks for each as
    it comes, and what became of all is told in the end.
    """
    given = [*inputs, parts.view]
    listed = widgets.on(
        event,
        listing,
        inputs=given,
        outputs=_changing(parts),
        show_progress='hidden',
        js=browser.turns.begin_turn(len(given), label('status_loading'), *said),
    )
    widgets.on(listed.then, None, js=browser.turns.END_WAIT)
    _bind_telling(parts, listed.then)
    return listed


def _bind_again(parts: Parts) -> None:
    """Bind what brings a picture of the grid once more."""
    bridge = parts.bridge
    begun = widgets.on(
        bridge.again.click,
        _on_again,
        inputs=[parts.view, bridge.grid, bridge.place],
        show_progress='hidden',
        js=browser.grid.TAKE_AGAIN,
    )
    widgets.on(begun.then, None, js=browser.grid.FOLLOW)
    _bind_telling(parts, begun.then)


def _bind_waits(parts: Parts) -> None:
    """Bind what tells of a listing that takes long, ends it, repeats it, or tells of its page."""
    _bind_turn(parts, parts.waits.repeat.click, _on_repeat(parts), [])
    _bind_telling(parts, parts.waits.settle.click)
    for button, handler in ((parts.waits.look, markup.waits), (parts.waits.cancel, _on_cancel)):
        widgets.on(
            button.click,
            handler,
            inputs=[parts.view],
            outputs=[parts.waits.told],
            show_progress='hidden',
        )


def _on_repeat(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def repeat(request: gr.Request, view: View) -> dict[Any, Any]:
        """Ask once more for just what was asked for last."""
        return view.again(request, view) if view.again else {parts.status: gr.update()}

    return repeat


def _on_cancel(view: View, request: gr.Request) -> str:
    widgets.refuse_strangers(request)
    view.waits.give_up()
    return ''


def _on_again(request: gr.Request, view: View, grid: Any, place: Any) -> None:
    widgets.refuse_strangers(request)
    thumbnails.try_again(view, str(grid), events.place_in(place))


def _bind_telling(parts: Parts, event: Any) -> None:
    widgets.on(
        event,
        _on_loaded(parts),
        inputs=[parts.view],
        outputs=[parts.status],
        show_progress='hidden',
    )


def _changing(parts: Parts) -> list[Any]:
    return [
        parts.status,
        parts.kept,
        parts.kept_here,
        parts.retry_page,
        parts.start.found,
        parts.title,
        parts.version,
        parts.grid,
        parts.more,
        parts.first,
        parts.prev,
        parts.next,
        parts.page_info,
        parts.keeps,
        parts.left,
        parts.filters.told,
        parts.download_page,
        parts.download_whole,
        parts.whole.whole,
        parts.whole.answer,
        parts.foot.begun,
        *picture.places(parts),
    ]


def _on_turn(
    parts: Parts,
    change: Callable[..., None],
    check: Callable[[Any], None] = widgets.refuse_strangers,
) -> Callable[..., dict[Any, Any]]:
    def listing(request: gr.Request, *inputs: Any) -> dict[Any, Any]:
        *given, view = inputs
        view.again = lambda asked, seen: listing(asked, *given, seen)
        before = view.gallery
        grid_before = str(view.listed)
        nothing = {parts.status: gr.update()}
        new_event()
        try:
            check(request)
            view.may_see_saved = widgets.may_have_jobs(request)
            view.models.may_have = needed.may_have_models(request)
            view.picture.may_mark = marking.may_mark(request)
            with waits.heard_by(lambda: view.waits.told):
                change(view, *given)
        except CivitaiError as error:
            if view.is_later_begun:
                return nothing
            view.waits.is_over = True
            view.is_of_before |= change not in _OTHER_PAGES
            return {**_beside(parts, view), parts.status: markup.not_listed(error)}
        with view.turning:  # what a later turn shows would be stopped by what this one does
            if view.is_later_begun:
                return nothing
            view.waits.is_over = True
            name = '' if view.finds else thumbnails.show(view)
        if view.finds:
            return {**_beside(parts, view), parts.status: start_markup.found_status(view.search)}
        if view.grown.before:
            return {**_controls(parts, view), **_grown(parts, view, name, grid_before)}
        is_other = view.gallery is not before or view.saved is not None
        return {
            **_beside(parts, view),
            parts.more: '',
            **picture.none(parts, view),
            **(_of_before(parts, request, view) if is_other else {}),
            parts.grid: grid_markup.grid(view, name),
            parts.status: markup.notice(label('status_pictures'), 'busy'),
        }

    return listing


def _beside(parts: Parts, view: View) -> dict[Any, Any]:
    """What all but the grid shows for `view`."""
    return {**_controls(parts, view), parts.start.found: start_markup.found(view)}


def _grown(parts: Parts, view: View, name: str, before: str) -> dict[Any, Any]:
    """What is shown where the grid grew: what was chosen and told stays."""
    return {
        parts.more: grid_markup.more(view, name, before),
        parts.status: markup.notice(label('status_pictures'), 'busy'),
    }


def _on_version(parts: Parts) -> Callable[..., dict[Any, Any]]:
    choosing = _on_turn(parts, events.choose_version)

    def version(request: gr.Request, label: Any, view: View) -> dict[Any, Any]:
        if events.is_other_version(view, label):
            return choosing(request, label, view)
        return {parts.status: gr.update()}

    return version


def _controls(parts: Parts, view: View) -> dict[Any, Any]:
    """What the components around the grid show for `view`."""
    gallery, pictures = view.gallery, bool(view.page.images)
    labels, chosen = versions.offered(view), versions.shown(view) or None
    back = endless.first_way(view).page_number > 1
    further = label('more' if endless.will_grow(view) else 'next')
    return {
        parts.title: start_markup.title(view),
        parts.keeps: markup.keeps(view),
        parts.left: filters_markup.left_out(view, picture_markup.hidden(view)),
        parts.filters.told: filters_markup.told(view),
        parts.version: gr.update(choices=labels, value=chosen, visible=bool(labels)),
        parts.first: gr.update(interactive=back),
        parts.prev: gr.update(interactive=back),
        parts.next: gr.update(value=further, interactive=events.has_next(view)),
        parts.page_info: markup.page_info(view),
        parts.download_page: gr.update(interactive=pictures and gallery is not None),
        parts.download_whole: gr.update(interactive=gallery is not None),
    }


def _of_before(parts: Parts, request: gr.Request, view: View) -> dict[Any, Any]:
    """Take away what was told and asked about the gallery before this one."""
    view.is_asking = False
    gone = {parts.whole.whole: gr.update(visible=False), parts.whole.answer: ''}
    if not view.is_keeping:  # what failed stays, with the name of its gallery
        left = {parts.retry_page: gr.update(visible=bool(view.failed))}
        gone |= {parts.kept: '', parts.kept_here: foot_markup.failures(view), **left}
    had = view.begun.job_id
    if not (had and view.begun.moves):
        view.begun = Begun()
        line = job_panel.begun(request, view)  # of one that was begun before for this gallery
        gone |= {parts.foot.begun: line} if line or had else {}
    return gone


def _on_loaded(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def tell(view: View) -> dict[Any, Any]:
        """Tell what there is now, and begin with what will probably be wanted next."""
        is_known = thumbnails.load(view) or view.problem is not None
        if not is_known or not view.is_settled:
            return {parts.status: gr.update()}
        if view.problem is not None:
            return {parts.status: markup.problem(view.problem)}
        events.load_ahead(view)
        return {parts.status: markup.page_status(view)}

    return tell
