"""The components that show the chosen picture, and those it is sent from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import gradio as gr

from .. import host, widgets
from . import layout_foot, picture_markup
from .markup import PREFIX, label


@dataclass(frozen=True)
class Parcel:
    """What is sent next: a picture, its infotext, and the id of the host's button to press."""

    image: Any
    text: Any
    button: Any


@dataclass(frozen=True)
class Marking:
    """Out of sight: what the browser orders for a picture, and the buttons it presses.

    show_hidden shows the pictures that the owner has hidden, or leaves them out again,
    favourites shows the favourites.
    """

    order: Any
    mark: Any
    show_hidden: Any
    favourites: Any


def make() -> dict[str, Any]:
    """Make them inside the column at hand; each by its name in `layout.Parts`."""
    with gr.Column(elem_id=f'{PREFIX}_preview'):
        image = gr.HTML('', elem_id=f'{PREFIX}_image')
    targets = host.detect().send_targets()
    with gr.Row(elem_id=f'{PREFIX}_send'):
        send = [layout_foot.button(f'send_{target}') for target in targets]
    sent = gr.HTML('', elem_id=f'{PREFIX}_sent')
    details = gr.HTML('', elem_id=f'{PREFIX}_details')
    infotext = widgets.textbox_with_copy(
        label=label('infotext'),
        placeholder=label('infotext_placeholder'),
        lines=4,
        max_lines=14,
        interactive=False,  # browser.picture makes it one that can be read by all
        elem_id=f'{PREFIX}_infotext',
    )
    with gr.Column(elem_id=f'{PREFIX}_picture_hidden'):
        # as the page opens a busy gradio 3 loses what its events answer
        words = gr.HTML(picture_markup.words(), elem_id=f'{PREFIX}_words')
        marks = Marking(
            order=gr.HTML('', elem_id=f'{PREFIX}_mark_order'),
            mark=gr.Button('', elem_id=f'{PREFIX}_mark_button'),
            show_hidden=gr.Button('', elem_id=f'{PREFIX}_show_hidden_button'),
            favourites=gr.Button('', elem_id=f'{PREFIX}_favourites_button'),
        )
    parcel = _parcel(targets)
    for target, pressed in zip(targets, send):
        if target in host.TEXT_ONLY:
            host.detect().bind_send(target, pressed, infotext, None)
    return {
        'image': image,
        'infotext': infotext,
        'details': details,
        'send': send,
        'parcel': parcel,
        'sent': sent,
        'words': words,
        'marks': marks,
    }


def _parcel(targets: Sequence[str]) -> Parcel:
    """Make what the host sends from; style.css hides it, as newer gradio leaves out the invisible.

    The host sends what a component holds at the click, so each of its buttons is pressed by us
    when the original is there.
    """
    with gr.Column(elem_id=f'{PREFIX}_parcel'):
        image = widgets.picture(show_label=False, elem_id=f'{PREFIX}_parcel_image')
        text = gr.Textbox('', show_label=False, elem_id=f'{PREFIX}_parcel_text')
        button = gr.HTML('', elem_id=f'{PREFIX}_parcel_button')
        for target in targets:
            if target not in host.TEXT_ONLY:
                for with_text in (True, False):
                    pressed = gr.Button(target, elem_id=host_button(target, with_text))
                    given = text if with_text else None
                    host.detect().bind_send(target, pressed, given, image)
    return Parcel(image, text, button)


def host_button(target: str, with_text: bool) -> str:
    """The element id of the hidden button by which the host sends a picture to `target`.

    One for a picture alone, because from an empty infotext a WebUI makes the person's last prompt.
    """
    return f'{PREFIX}_host_{target}' + ('_text' if with_text else '')
