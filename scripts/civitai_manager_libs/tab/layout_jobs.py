"""The components for whole galleries: what is wanted, and the panel of jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from .. import widgets
from . import wishes
from .markup import PREFIX, label

# The widths, in pixels, that fields have at least.
_USUAL, _WIDER, _LONG = 120, 160, 186
_WIDTHS = {
    **dict.fromkeys(('since', 'until'), _WIDER),
    **dict.fromkeys(('sort', 'base_model', 'tag'), _LONG),
}


@dataclass(frozen=True)
class JobParts:
    """The components for whole galleries; each has the element id `civitai_gallery_<name>`.

    whole is the block with the fields and told above them, answer stands below it; jobs is the
    panel, and jobs_button what the panel presses out of sight, with its order; saved_button to show
    what a job kept.
    """

    whole: Any
    told: Any
    versions: Any
    fields: list[Any]
    start: Any
    close: Any
    answer: Any
    jobs: Any
    order: Any
    jobs_button: Any
    saved_button: Any


def make_form() -> dict[str, Any]:
    """Make what a whole gallery is asked for with, closed, inside the Blocks at hand."""
    with gr.Column(visible=False, elem_id=f'{PREFIX}_whole') as whole:
        told = gr.HTML('', elem_id=f'{PREFIX}_whole_told')
        versions = gr.Radio(
            choices=[],
            value=None,
            label=label('whole_versions'),
            visible=False,
            interactive=True,
            elem_id=f'{PREFIX}_whole_versions',
        )
        with gr.Row():
            fields = [_field(field) for field in wishes.FIELDS]
        with gr.Row(elem_id=f'{PREFIX}_whole_buttons'):
            start = gr.Button(
                label('whole_start'), variant='primary', elem_id=f'{PREFIX}_whole_start'
            )
            close = gr.Button(label('whole_close'), elem_id=f'{PREFIX}_whole_close')
    answer = gr.HTML('', elem_id=f'{PREFIX}_whole_answer')
    return {
        'whole': whole,
        'told': told,
        'versions': versions,
        'fields': fields,
        'start': start,
        'close': close,
        'answer': answer,
    }


def make_panel(form: dict[str, Any]) -> JobParts:
    """Make the panel of jobs inside the Blocks at hand; return it with the form."""
    jobs = gr.HTML('', elem_id=f'{PREFIX}_jobs')
    with gr.Column(elem_id=f'{PREFIX}_jobs_hidden'):
        order = gr.Textbox('', show_label=False, elem_id=f'{PREFIX}_jobs_order')
        button = gr.Button('', elem_id=f'{PREFIX}_jobs_button')
        saved = gr.Button('', elem_id=f'{PREFIX}_saved_button')
    return JobParts(**form, jobs=jobs, order=order, jobs_button=button, saved_button=saved)


def _field(field: wishes.Field) -> Any:
    shown: dict[str, Any] = {
        'label': label(f'whole_{field.name}'),
        'interactive': True,
        'elem_id': f'{PREFIX}_whole_{field.name}',
        'min_width': _WIDTHS.get(field.name, _USUAL),
    }
    if field.is_switch:
        return widgets.component(gr.Checkbox, value=empty(field), **shown)
    if field.choices:
        choices = [label('whole_any'), *field.choices]
        return widgets.component(gr.Dropdown, choices=choices, value=empty(field), **shown)
    hint = label(f'whole_{field.name}_hint')
    return widgets.component(gr.Textbox, value=empty(field), placeholder=hint, max_lines=1, **shown)


def empty(field: wishes.Field) -> str | bool:
    """What a field holds that nobody filled in."""
    if field.is_switch:
        return False
    return label('whole_any') if field.choices else ''
