"""The components for where one begins: the page before a gallery, and what a search found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from .markup import PREFIX, label


@dataclass(frozen=True)
class StartParts:
    """The components for a beginning; each has the element id `civitai_gallery_<name>`.

    home stands where no gallery does, found has the models of a search; more_button and
    close_button are what its page presses out of sight. So is card_button by a card of a WebUI,
    with card_name and card_path; card_link is the answer.
    """

    home: Any
    found: Any
    more_button: Any
    close_button: Any
    card_name: Any
    card_path: Any
    card_button: Any
    card_link: Any


def make(home: str) -> StartParts:
    """Make the components inside the Blocks at hand; `home` is what the first one shows."""
    shown = gr.HTML(home, elem_id=f'{PREFIX}_home')
    found = gr.HTML('', elem_id=f'{PREFIX}_found')
    with gr.Column(elem_id=f'{PREFIX}_start_hidden'):
        more = gr.Button('', elem_id=f'{PREFIX}_more_button')
        close = gr.Button('', elem_id=f'{PREFIX}_close_button')
        name = gr.Textbox('', show_label=False, elem_id=f'{PREFIX}_card_name')
        path = gr.Textbox('', show_label=False, elem_id=f'{PREFIX}_card_path')
        # javascript/ takes the words for its own buttons from this one
        card = gr.Button(label('card_open'), elem_id=f'{PREFIX}_card_button')
        link = gr.HTML('', elem_id=f'{PREFIX}_card_link')
    return StartParts(shown, found, more, close, name, path, card, link)
