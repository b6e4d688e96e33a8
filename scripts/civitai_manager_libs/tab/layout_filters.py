"""The components that say what is to be seen of a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from . import filters_markup
from .markup import PREFIX, label


@dataclass(frozen=True)
class FilterParts:
    """The row of filters, and what goes between it and the server out of sight.

    row has the boxes, told what they show of the gallery on show. What the browser wants is in
    wanted when it presses button, and what the address of its page names is in address when it
    presses open_address.
    """

    row: Any
    version: Any
    told: Any
    wanted: Any
    button: Any
    address: Any
    open_address: Any


def make() -> FilterParts:
    """Make the row inside the Blocks at hand; its boxes are HTML, so that they stay quiet."""
    with gr.Row(elem_id=f'{PREFIX}_see'):
        row = gr.HTML(filters_markup.row(), elem_id=f'{PREFIX}_filters')
        version = gr.Dropdown(
            choices=[],
            value=None,
            label=label('version'),
            visible=False,
            interactive=True,
            elem_id=f'{PREFIX}_version',
        )
        gr.HTML(filters_markup.to_settings(), elem_id=f'{PREFIX}_to_settings')
    with gr.Column(elem_id=f'{PREFIX}_filters_hidden'):
        told = gr.HTML('', elem_id=f'{PREFIX}_filters_told')
        wanted = gr.HTML('', elem_id=f'{PREFIX}_filters_wanted')
        button = gr.Button('', elem_id=f'{PREFIX}_filters_button')
        address = gr.HTML('', elem_id=f'{PREFIX}_address_wanted')
        opening = gr.Button('', elem_id=f'{PREFIX}_address_button')
    return FilterParts(row, version, told, wanted, button, address, opening)
