"""The components of the gallery, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import gradio as gr

from .. import host, widgets
from . import layout_filters, layout_foot, layout_jobs, layout_models, markup
from .layout_filters import FilterParts
from .layout_foot import FootParts
from .layout_jobs import JobParts
from .layout_models import ModelParts
from .markup import PREFIX, label
from .view import View


@dataclass(frozen=True)
class Parcel:
    """What is sent next: a picture, its infotext, and the id of the host's button to press."""

    image: Any
    text: Any
    button: Any


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
    """What tells of a listing that takes long; the page presses look and cancel out of sight."""

    told: Any
    look: Any
    cancel: Any


@dataclass(frozen=True)
class Parts:
    """The components of one gallery; each has the element id `civitai_gallery_<name>`.

    status tells of the page, sent of what is sent: none overwrites another. kept_here tells of the
    download where its buttons are, kept says the same to who hears instead of seeing.
    keeps says whose pictures the buttons of the download keep, where that could be mistaken, or why
    they keep none. left tells what the page leaves out, where its pictures would be.
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
    video: Any
    infotext: Any
    details: Any
    send: list[Any]
    parcel: Parcel
    sent: Any
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
    waits: Waits


def make(source: str) -> Parts:
    """Make the components inside the Blocks at hand; `source` is what the box for links holds."""
    view = gr.State(View())
    with gr.Row(elem_id=f'{PREFIX}_bar'):
        source_box = gr.Textbox(
            source,
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
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            grid_side = _grid_side()
        with gr.Column(scale=2, min_width=320):
            picture_side = _picture_side()
    panels: dict[str, Any] = {
        'whole': layout_jobs.make_panel(grid_side.pop('form')),
        'models': layout_models.make(),
        'waits': long,
    }
    sides = {**grid_side, **picture_side, **panels, 'filters': seen, 'version': seen.version}
    return Parts(view, source_box, load, status, kept, **sides)


def _grid_side() -> dict[str, Any]:
    title = gr.HTML('', elem_id=f'{PREFIX}_title')
    grid = gr.HTML('', elem_id=f'{PREFIX}_grid')
    left = gr.HTML('', elem_id=f'{PREFIX}_left')
    bridge = _bridge()
    foot = layout_foot.make()
    form = layout_jobs.make_form()
    return {
        'title': title,
        'grid': grid,
        'left': left,
        'bridge': bridge,
        **foot,
        'form': form,
    }


def _waits() -> Waits:
    told = gr.HTML('', elem_id=f'{PREFIX}_waits')
    with gr.Column(elem_id=f'{PREFIX}_waits_hidden'):
        look = gr.Button('', elem_id=f'{PREFIX}_waits_button')
        cancel = gr.Button('', elem_id=f'{PREFIX}_cancel_button')
    return Waits(told, look, cancel)


def _bridge() -> Bridge:
    with gr.Column(elem_id=f'{PREFIX}_bridge'):
        return Bridge(
            grid=gr.HTML('', elem_id=f'{PREFIX}_bridge_grid'),
            place=gr.HTML('', elem_id=f'{PREFIX}_bridge_place'),
            click=gr.HTML('', elem_id=f'{PREFIX}_bridge_click'),
            choose=gr.Button('', elem_id=f'{PREFIX}_choose_button'),
            again=gr.Button('', elem_id=f'{PREFIX}_again_button'),
        )


def _picture_side() -> dict[str, Any]:
    with gr.Column(elem_id=f'{PREFIX}_preview'):
        image = widgets.picture(show_label=False, height=480, elem_id=f'{PREFIX}_image')
        video = gr.Video(visible=False, show_label=False, elem_id=f'{PREFIX}_video')
    infotext = widgets.textbox_with_copy(
        label=label('infotext'),
        placeholder=label('infotext_placeholder'),
        lines=6,
        max_lines=14,
        interactive=False,
        elem_id=f'{PREFIX}_infotext',
    )
    targets = host.detect().send_targets()
    with gr.Row():
        send = [layout_foot.button(f'send_{target}') for target in targets]
    sent = gr.HTML('', elem_id=f'{PREFIX}_sent')
    parcel = _parcel(targets)
    for target, button in zip(targets, send):
        if target in host.TEXT_ONLY:
            host.detect().bind_send(target, button, infotext, None)
    details = gr.HTML('', elem_id=f'{PREFIX}_details')
    return {
        'send': send,
        'parcel': parcel,
        'sent': sent,
        'image': image,
        'video': video,
        'infotext': infotext,
        'details': details,
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
