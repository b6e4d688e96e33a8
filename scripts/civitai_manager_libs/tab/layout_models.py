"""The components for the models on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from .. import widgets
from . import markup
from .markup import PREFIX, label


@dataclass(frozen=True)
class ModelParts:
    """The components for models; each has the element id `civitai_gallery_<name>`.

    models is the block of all that is seen, which only the owner does; search, kind and base say
    which of them are listed. button is what the page presses out of sight, with its order.
    """

    models: Any
    scan: Any
    search: Any
    kind: Any
    base: Any
    listed: Any
    order: Any
    button: Any


def make() -> ModelParts:
    """Make the components inside the Blocks at hand; nobody sees them yet."""
    with gr.Accordion(
        label('models_title'), open=False, visible=False, elem_id=f'{PREFIX}_models'
    ) as models:
        scan = gr.HTML('', elem_id=f'{PREFIX}_models_scan')
        with gr.Row(elem_id=f'{PREFIX}_models_filters'):
            search = widgets.component(
                gr.Textbox,
                value='',
                label=label('models_search'),
                max_lines=1,
                interactive=True,
                elem_id=f'{PREFIX}_models_search',
                min_width=200,
            )
            kind = _filter('kind')
            base = _filter('base')
        waits = markup.notice(label('models_reading'), 'busy')
        listed = gr.HTML(waits, elem_id=f'{PREFIX}_models_list')
    with gr.Column(elem_id=f'{PREFIX}_models_hidden'):
        order = gr.Textbox('', show_label=False, elem_id=f'{PREFIX}_models_order')
        button = gr.Button('', elem_id=f'{PREFIX}_models_button')
    return ModelParts(models, scan, search, kind, base, listed, order, button)


def _filter(name: str) -> Any:
    return widgets.component(
        gr.Dropdown,
        choices=[label('models_any')],
        value=label('models_any'),
        label=label(f'models_{name}'),
        interactive=True,
        elem_id=f'{PREFIX}_models_{name}',
        min_width=140,
    )
