"""The bar below the grid: turning the page, choosing several pictures, keeping them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from . import foot_markup
from .markup import PREFIX, label


@dataclass(frozen=True)
class FootParts:
    """What else is in the bar; each has the element id `civitai_gallery_<name>`.

    begun tells of the whole gallery that was begun here; select is HTML that offers to choose
    several; cancel stops a download. Out of sight: chosen_grid
    and chosen_places hold what was chosen, for the button keep_chosen, again_place which of the
    failed ones again_one tries again.
    """

    begun: Any
    select: Any
    cancel: Any
    chosen_grid: Any
    chosen_places: Any
    keep_chosen: Any
    again_place: Any
    again_one: Any


def make() -> dict[str, Any]:
    """Make the bar inside the column of the grid; return its components by their names."""
    with gr.Column(elem_id=f'{PREFIX}_foot'):
        keeps = gr.HTML('', elem_id=f'{PREFIX}_keeps')
        kept_here = gr.HTML('', elem_id=f'{PREFIX}_kept_here')
        begun = gr.HTML('', elem_id=f'{PREFIX}_begun')
        with gr.Row(elem_id=f'{PREFIX}_foot_bar'):
            with gr.Row(elem_id=f'{PREFIX}_turn'):
                first, previous = button('first'), button('prev')
                info = gr.HTML('', elem_id=f'{PREFIX}_page_info')
                following = button('next')
            select = gr.HTML(foot_markup.select(), elem_id=f'{PREFIX}_select')
            with gr.Row(elem_id=f'{PREFIX}_keep'):
                download = button('download_page', variant='primary')
                cancel = button('cancel', interactive=True, visible=False, variant='stop')
                retry = button('retry_page', interactive=True, visible=False)
                whole = button('download_whole')
                folder = button('open_folder', interactive=True, visible=False)
    return {
        'first': first,
        'prev': previous,
        'page_info': info,
        'next': following,
        'keeps': keeps,
        'kept_here': kept_here,
        'download_page': download,
        'retry_page': retry,
        'download_whole': whole,
        'open_folder': folder,
        'foot': FootParts(begun, select, cancel, *_out_of_sight()),
    }


def _out_of_sight() -> tuple[Any, ...]:
    with gr.Column(elem_id=f'{PREFIX}_foot_hidden'):
        return (
            gr.HTML('', elem_id=f'{PREFIX}_chosen_grid'),
            gr.HTML('', elem_id=f'{PREFIX}_chosen_places'),
            gr.Button('', elem_id=f'{PREFIX}_keep_chosen_button'),
            gr.HTML('', elem_id=f'{PREFIX}_again_place'),
            gr.Button('', elem_id=f'{PREFIX}_again_one_button'),
        )


def button(name: str, *, interactive: bool = False, **wanted: Any) -> Any:
    """Make the button `name`, which cannot be pressed yet."""
    return gr.Button(
        label(name), elem_id=f'{PREFIX}_{name}', interactive=interactive, min_width=90, **wanted
    )
