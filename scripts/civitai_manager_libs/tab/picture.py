"""A chosen picture: shown with how it was made, and sent to another tab of the host."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import gradio as gr

from .. import forks, host, setting, widgets
from ..civitai.gallery import GalleryImage
from ..downloads import presence
from ..errors import CivitaiError
from . import (
    browser,
    events,
    generation,
    layout_picture,
    marking,
    markup,
    needed,
    offline,
    picture_markup,
    sending,
)
from .layout import Parts
from .markup import label
from .view import View

# Held from asking whether a click is the last one until it counts; another could come in between.
_choosing = forks.Lock()


def bind(parts: Parts) -> None:
    """Bind what happens when a picture of the grid is clicked, and when it is sent.

    What is there is shown at once; what is learned of it comes as it can. The large picture comes
    by a route.
    """
    bridge = parts.bridge
    chosen = widgets.on(
        bridge.choose.click,
        _on_select(parts),
        inputs=[parts.view, bridge.grid, bridge.place, bridge.click],
        outputs=places(parts),
        show_progress='hidden',
        js=browser.grid.TAKE_CHOICE,
    )
    widgets.on(chosen.then, None, js=browser.grid.CHOICE_TAKEN)
    learned = widgets.on(
        chosen.then,
        _on_told(parts),
        inputs=[parts.view],
        outputs=[parts.image, parts.infotext, parts.details, *parts.send],
        show_progress='hidden',
        js=browser.grid.LEARN,
    )
    widgets.on(learned.then, None, js=browser.grid.LEARNED)
    _bind_marking(parts)
    for target, button in zip(host.detect().send_targets(), parts.send):
        if target not in host.TEXT_ONLY:
            _bind_send(parts, target, button)
            continue
        widgets.on(  # the host itself sends then
            button.click,
            _on_text_sent(target),
            inputs=[parts.view],
            outputs=[parts.sent],
            show_progress='hidden',
        )


def _bind_marking(parts: Parts) -> None:
    marked = widgets.on(
        parts.marks.mark.click,
        _on_mark(parts),
        inputs=[parts.view, parts.marks.order],
        outputs=[parts.details, parts.sent],
        show_progress='hidden',
        js=browser.picture.TAKE_MARK,
    )
    widgets.on(marked.then, None, js=browser.picture.MARK_TAKEN)


def wire_page(parts: Parts, blocks: Any) -> None:
    """Have the browser begin when the page opens, and tell it the words it says."""

    def begin(request: gr.Request) -> dict[Any, Any]:
        may_mark = marking.may_mark(request)
        return {
            parts.words: picture_markup.words(),
            parts.image: picture_markup.nothing(may_mark),
        }

    widgets.on(
        blocks.load,
        begin,
        outputs=[parts.words, parts.image],
        show_progress='hidden',
        js=browser.picture.together(
            browser.picture.WATCH_PICTURE, browser.lightbox.WATCH_LIGHTBOX, browser.keys.WATCH_KEYS
        ),
    )


def _bind_send(parts: Parts, target: str, button: Any) -> None:
    parcel = parts.parcel
    packed = widgets.on(
        button.click,
        _on_send(parts, target),
        inputs=[parts.view],
        outputs=[parcel.image, parcel.text, parcel.button, parts.sent],
        show_progress='hidden',
        trigger_mode='once',
    )
    widgets.on(packed.then, None, inputs=[parcel.button], js=browser.turns.PRESS)


def none(parts: Parts, view: View) -> dict[Any, Any]:
    """What the components of `places` show when no picture is chosen."""
    return {
        parts.image: picture_markup.nothing(view.picture.may_mark),
        parts.infotext: '',
        parts.details: '',
        parts.sent: '',
        **{button: gr.update(interactive=False) for button in parts.send},
    }


def places(parts: Parts) -> list[Any]:
    """The components that tell of the chosen picture."""
    return [parts.image, parts.infotext, parts.details, parts.sent, *parts.send]


def _how_made(parts: Parts, view: View, made: generation.Made) -> dict[Any, Any]:
    """What is known of how a picture was made, and where it can be sent with that."""
    able = events.sendable(made.image, _has_still(view, made.image))
    sendable = [gr.update(interactive=one) for one in able]
    return {
        parts.infotext: events.generation_text(made.image),
        parts.details: needed.details(view, made),
        **dict(zip(parts.send, sendable)),
    }


def _on_select(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def select(view: View, grid: Any, place: Any, click: Any = None) -> dict[Any, Any]:
        with _choosing:
            is_last = view.is_last_click(click)
            image = events.select(view, events.place_in(place), grid) if is_last else None
        if image is None:
            return {parts.sent: gr.update()}
        return {
            parts.image: picture_markup.stage(view),
            **_how_made(parts, view, generation.Made(image)),
            parts.sent: '',
        }

    return select


def _has_still(view: View, image: GalleryImage) -> bool:
    """Tell whether there is a still of a picture, so that it can be sent."""
    path = offline.small_file(view.saved, image) if view.saved else events.small_file(image)
    return path != setting.no_card_preview_image and presence.is_there(path)


def _on_told(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def learned(view: View) -> dict[Any, Any]:
        """Tell what more can be learned of the chosen picture, in the same way."""
        image, saved = view.selected, view.saved
        if image is not None:
            made = offline.learned(saved, image) if saved else generation.learned(image)
            if view.selected is image:
                # the answer to a click before may have come after that to the last one
                stage = {parts.image: picture_markup.stage(view)}
                return {**stage, **_how_made(parts, view, made)}
        return {parts.details: gr.update()}

    return learned


def _on_mark(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def mark(request: gr.Request, view: View, order: Any) -> dict[Any, Any]:
        told: Any = ''
        try:
            marking.refuse_others(request)
            if order:
                marking.carry_out(view, order)
        except CivitaiError as error:
            told = markup.problem(error)
        made = view.models.made
        is_shown = (
            made is not None and view.selected is not None and (made.image.id == view.selected.id)
        )
        details = needed.details(view, made) if made is not None and is_shown else gr.update()
        return {parts.details: details, parts.sent: told}

    return mark


def _sent(view: View, target: str) -> str:
    """What is told of a picture that was sent; what lacks is seen in the other tab too."""
    lacking = sending.lacks(view, target)
    told = markup.sentences(label('sent_to', target=target), lacking)
    if lacking:
        widgets.toast(told, seconds=10)
    return markup.notice(told, 'problem' if lacking else 'good')


def _on_text_sent(target: str) -> Callable[..., str]:
    def sent(view: View) -> str:
        return _sent(view, target) if view.selected is not None else ''

    return sent


def _on_send(parts: Parts, target: str) -> Callable[..., Iterator[Any]]:
    parcel = parts.parcel

    def send(view: View) -> Iterator[dict[Any, Any]]:
        yield {parts.sent: markup.notice(label('send_waits'), 'busy'), parcel.button: ''}
        try:
            original, text = sending.parcel(view)
        except CivitaiError as error:
            yield {parts.sent: markup.problem(error)}
        else:
            yield {
                parcel.image: original,
                parcel.text: text,
                parcel.button: layout_picture.host_button(target, bool(text)),
                parts.sent: _sent(view, target),
            }

    return send
