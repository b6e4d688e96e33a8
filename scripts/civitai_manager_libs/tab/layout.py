"""The components of the gallery, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import gradio as gr

from .. import widgets
from . import (
    layout_filters,
    layout_foot,
    layout_jobs,
    layout_models,
    layout_picture,
    layout_start,
    markup,
    start_markup,
)
from .layout_filters import FilterParts
from .layout_foot import FootParts
from .layout_jobs import JobParts
from .layout_models import ModelParts
from .layout_picture import Marking, Parcel
from .layout_start import StartParts
from .markup import PREFIX, label
from .view import View


@dataclass(frozen=True)
class Bridge:
    """Out of sight: what the browser says of a picture of the grid, and the buttons it presses.

    grid is the name of the grid, place that of the picture in it, click the number of the click.
    choose shows the picture, again brings it once more.
    """

    grid: Any
    place: Any
    click: Any
    choose: Any
    again: Any


@dataclass(frozen=True)
class Waits:
    """What tells of a listing that takes long; the page presses the buttons out of sight.

    settle tells of the page once more, where what was told of it did not come; repeat asks once
    more for what could not be listed, reopen for what is there as the page opens.
    """

    told: Any
    look: Any
    cancel: Any
    settle: Any
    repeat: Any
    reopen: Any


@dataclass(frozen=True)
class Parts:
    """The components of one gallery; each has the element id `civitai_gallery_<name>`.

    status tells of the page, sent of what is sent: none overwrites another. kept_here tells of the
    download where its buttons are, kept says the same to who hears instead of seeing.
    words are those the browser says itself.
    keeps says whose pictures the buttons of the download keep, where that could be mistaken, or why
    they keep none. left tells what the page leaves out, where its pictures would be,
    more has the cells that come below those of the grid.
    """

    view: Any
    source: Any
    load: Any
    status: Any
    kept: Any
    title: Any
    version: Any
    grid: Any
    bridge: Bridge
    first: Any
    prev: Any
    next: Any
    page_info: Any
    image: Any
    infotext: Any
    details: Any
    send: list[Any]
    parcel: Parcel
    sent: Any
    words: Any
    marks: Marking
    keeps: Any
    download_page: Any
    download_whole: Any
    open_folder: Any
    kept_here: Any
    retry_page: Any
    foot: FootParts
    whole: JobParts
    models: ModelParts
    filters: FilterParts
    left: Any
    more: Any
    waits: Waits
    start: StartParts


def make(source: str) -> Parts:
    """Make the components inside the Blocks at hand; `source` is what the box for links holds."""
    view = gr.State(View())
    with gr.Row(elem_id=f'{PREFIX}_bar'):
        source_box = gr.Textbox(
            source,
            label=label('source_label'),
            show_label=False,
            container=False,
            placeholder=label('source_placeholder'),
            elem_id=f'{PREFIX}_source',
            scale=8,
        )
        load = gr.Button(label('load'), variant='primary', elem_id=f'{PREFIX}_load', scale=1)
    seen = layout_filters.make()
    with gr.Column(elem_id=f'{PREFIX}_status'):
        start = markup.notice(label('status_start'))
        status = gr.HTML(start, elem_id=f'{PREFIX}_status_page')
        long = _waits()
        kept = gr.HTML('', elem_id=f'{PREFIX}_status_kept')
    beginning = layout_start.make(start_markup.home())
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            grid_side = _grid_side()
        with gr.Column(scale=2, min_width=320, elem_id=f'{PREFIX}_side'):
            picture_side = layout_picture.make()
    panels: dict[str, Any] = {
        'whole': layout_jobs.make_panel(grid_side.pop('form')),
        'models': layout_models.make(),
        'waits': long,
        'start': beginning,
    }
    sides = {**grid_side, **picture_side, **panels, 'filters': seen, 'version': seen.version}
    return Parts(view, source_box, load, status, kept, **sides)


def _grid_side() -> dict[str, Any]:
    title = gr.HTML('', elem_id=f'{PREFIX}_title')
    grid = gr.HTML('', elem_id=f'{PREFIX}_grid')
    left = gr.HTML('', elem_id=f'{PREFIX}_left')
    more = gr.HTML('', elem_id=f'{PREFIX}_more')
    bridge = _bridge()
    foot = layout_foot.make()
    form = layout_jobs.make_form()
    return {
        'title': title,
        'grid': grid,
        'left': left,
        'more': more,
        'bridge': bridge,
        **foot,
        'form': form,
    }


def _waits() -> Waits:
    told = gr.HTML('', elem_id=f'{PREFIX}_waits')
    with gr.Column(elem_id=f'{PREFIX}_waits_hidden'):
        look = gr.Button('', elem_id=f'{PREFIX}_waits_button')
        cancel = gr.Button('', elem_id=f'{PREFIX}_cancel_button')
        settle = gr.Button('', elem_id=f'{PREFIX}_settle_button')
        repeat = gr.Button('', elem_id=f'{PREFIX}_repeat_button')
        reopen = gr.Button('', elem_id=f'{PREFIX}_reopen_button')
    return Waits(told, look, cancel, settle, repeat, reopen)


def _bridge() -> Bridge:
    with gr.Column(elem_id=f'{PREFIX}_bridge'):
        return Bridge(
            grid=gr.HTML('', elem_id=f'{PREFIX}_bridge_grid'),
            place=gr.HTML('', elem_id=f'{PREFIX}_bridge_place'),
            click=gr.HTML('', elem_id=f'{PREFIX}_bridge_click'),
            choose=gr.Button('', elem_id=f'{PREFIX}_choose_button'),
            again=gr.Button('', elem_id=f'{PREFIX}_again_button'),
        )


def as_it_opens(
    parts: Parts, blocks: Any, function: Callable[..., Any], js: str, **wanted: Any
) -> None:
    """Have `function` answer as the page opens, and once more where its answer does not come.

    `js` goes before the first. A busy gradio 3 loses what its events answer then (seen in SD.Next).
    """
    widgets.on(blocks.load, function, show_progress='hidden', js=js, **wanted)
    widgets.on(parts.waits.reopen.click, function, show_progress='hidden', **wanted)
