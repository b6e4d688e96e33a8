"""A chosen picture: shown with how it was made, and sent to another tab of the host."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import gradio as gr

from .. import forks, host, setting, widgets
from ..civitai.gallery import GalleryImage
from ..errors import CivitaiError
from . import browser, browser_grid, events, generation, layout, markup, needed, offline, sending
from .layout import Parts
from .markup import label
from .view import View

# Held from asking whether a click is the last one until it counts; another could come in between.
_choosing = forks.Lock()


def bind(parts: Parts) -> None:
    """Bind what happens when a picture of the grid is clicked, and when it is sent.

    What is there is shown at once; the large picture and what is learned of it come as they can.
    """
    bridge = parts.bridge
    chosen = widgets.on(
        bridge.choose.click,
        _on_select(parts),
        inputs=[parts.view, bridge.grid, bridge.place, bridge.click],
        outputs=places(parts),
        show_progress='hidden',
        js=browser_grid.TAKE_CHOICE,
    )
    widgets.on(chosen.then, None, js=browser_grid.CHOICE_TAKEN)
    told = [parts.infotext, parts.details, *parts.send]
    for handler, outputs in (
        (_on_chosen(parts), [parts.image, parts.video]),
        (_on_told(parts), told),
    ):
        widgets.on(
            chosen.then, handler, inputs=[parts.view], outputs=outputs, show_progress='hidden'
        )
    for target, button in zip(host.detect().send_targets(), parts.send):
        if target not in host.TEXT_ONLY:
            _bind_send(parts, target, button)


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
    widgets.on(packed.then, None, inputs=[parcel.button], js=browser.PRESS)


def none(parts: Parts) -> dict[Any, Any]:
    """What the components of `places` show when no picture is chosen."""
    return {
        **_showing(parts, None, False),
        parts.infotext: '',
        parts.details: '',
        parts.sent: '',
        **{button: gr.update(interactive=False) for button in parts.send},
    }


def places(parts: Parts) -> list[Any]:
    """The components that tell of the chosen picture."""
    return [parts.image, parts.video, parts.infotext, parts.details, parts.sent, *parts.send]


def _showing(parts: Parts, path: str | None, is_video: bool) -> dict[Any, Any]:
    """A picture or a video, or neither, in the place of both."""
    places = ((parts.image, not is_video), (parts.video, is_video))
    return {p: gr.update(value=path if shown else None, visible=shown) for p, shown in places}


def _how_made(parts: Parts, view: View, made: generation.Made, has_still: bool) -> dict[Any, Any]:
    """What is known of how a picture was made, and where it can be sent with that."""
    sendable = [gr.update(interactive=able) for able in events.sendable(made.image, has_still)]
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
        small, has_still = _small(view, image)
        return {
            **_showing(parts, small, False),
            **_how_made(parts, view, generation.Made(image), has_still),
            parts.sent: '',
        }

    return select


def _small(view: View, image: GalleryImage) -> tuple[str, bool]:
    """The small still of a picture as gradio shows it, and whether it is one."""
    path = offline.small_file(view.saved, image) if view.saved else events.small_file(image)
    (small,) = events.showable([path])
    return small, small != setting.no_card_preview_image


def _on_chosen(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def large(view: View) -> dict[Any, Any]:
        """Show the chosen picture large, if it is still chosen when it comes."""
        image, saved = view.selected, view.saved
        if image is not None:
            path = offline.large_file(view, saved, image) if saved else events.load_preview(image)
            if path and view.selected is image:
                return _showing(parts, events.showable([path])[0], image.is_video)
        return {parts.image: gr.update()}

    return large


def _on_told(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def learned(view: View) -> dict[Any, Any]:
        """Tell what more can be learned of the chosen picture, in the same way."""
        image, saved = view.selected, view.saved
        if image is not None:
            made = offline.learned(saved, image) if saved else generation.learned(image)
            _, has_still = _small(view, image)
            if view.selected is image:
                return _how_made(parts, view, made, has_still)
        return {parts.details: gr.update()}

    return learned


def _on_send(parts: Parts, target: str) -> Callable[..., Iterator[Any]]:
    parcel = parts.parcel

    def send(view: View) -> Iterator[dict[Any, Any]]:
        yield {parts.sent: markup.notice(label('send_waits'), 'busy'), parcel.button: ''}
        try:
            original, text = sending.parcel(view)
        except CivitaiError as error:
            yield {parts.sent: markup.notice(error.message_in(setting.language), 'problem')}
        else:
            yield {
                parcel.image: original,
                parcel.text: text,
                parcel.button: layout.host_button(target, bool(text)),
                parts.sent: '',
            }

    return send
