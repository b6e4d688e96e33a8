"""The gallery tab: components and wiring only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator

import gradio as gr

from .. import host, setting, widgets
from ..errors import CivitaiError
from . import events, generation, markup
from .events import View
from .markup import PREFIX, label


@dataclass(frozen=True)
class Parts:
    """The components of one gallery; each has the element id `civitai_gallery_<name>`."""

    view: Any
    source: Any
    load: Any
    status: Any
    title: Any
    version: Any
    grid: Any
    first: Any
    prev: Any
    next: Any
    page_info: Any
    image: Any
    video: Any
    infotext: Any
    details: Any
    send: list[Any]
    download_page: Any
    open_folder: Any


def build(source: str = '') -> Parts:
    """Make the gallery inside the Blocks at hand; `source` is what it opens on."""
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
    status = gr.HTML(markup.notice(label('status_start')), elem_id=f'{PREFIX}_status')
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            grid_side = _grid_side()
        with gr.Column(scale=2, min_width=320):
            picture_side = _picture_side()
    parts = Parts(view, source_box, load, status, **grid_side, **picture_side)
    _wire(parts)
    return parts


def _grid_side() -> dict[str, Any]:
    with gr.Row(elem_id=f'{PREFIX}_head'):
        with gr.Column(scale=1, min_width=200):
            title = gr.HTML('', elem_id=f'{PREFIX}_title')
        with gr.Column(scale=1, min_width=200):
            version = gr.Dropdown(
                choices=[],
                value=None,
                label=label('version'),
                visible=False,
                interactive=True,
                elem_id=f'{PREFIX}_version',
            )
    grid = widgets.picture_grid(
        show_label=False,
        columns=setting.gallery_columns,
        height='auto',
        object_fit='cover',
        elem_id=f'{PREFIX}_grid',
    )
    with gr.Row(elem_id=f'{PREFIX}_turn'):
        first = _button('first')
        previous = _button('prev')
        info = gr.HTML('', elem_id=f'{PREFIX}_page_info')
        following = _button('next')
    with gr.Row():
        download = _button('download_page', variant='primary')
        folder = _button('open_folder', interactive=True, visible=False)
    return {
        'title': title,
        'version': version,
        'grid': grid,
        'first': first,
        'prev': previous,
        'page_info': info,
        'next': following,
        'download_page': download,
        'open_folder': folder,
    }


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
    with gr.Row():
        send = [_send_button(target, infotext, image) for target in host.detect().send_targets()]
    details = gr.HTML('', elem_id=f'{PREFIX}_details')
    return {
        'send': send,
        'image': image,
        'video': video,
        'infotext': infotext,
        'details': details,
    }


def _send_button(target: str, infotext: Any, image: Any) -> Any:
    button = _button(f'send_{target}')
    host.detect().bind_send(target, button, infotext, image)
    return button


def _button(name: str, *, interactive: bool = False, **wanted: Any) -> Any:
    return gr.Button(
        label(name), elem_id=f'{PREFIX}_{name}', interactive=interactive, min_width=90, **wanted
    )


def _wire(parts: Parts) -> None:
    turns: tuple[tuple[Any, Callable[..., None], list[Any]], ...] = (
        (parts.load.click, events.open_source, [parts.source]),
        (parts.source.submit, events.open_source, [parts.source]),
        (parts.version.input, events.choose_version, [parts.version]),
        (parts.first.click, events.go_first, []),
        (parts.prev.click, events.go_previous, []),
        (parts.next.click, events.go_next, []),
    )
    for event, change, inputs in turns:
        _turn(parts, event, change, inputs)
    widgets.on(
        parts.grid.select,
        _on_select(parts),
        inputs=[parts.view],
        outputs=[parts.image, parts.video, parts.infotext, parts.details, *parts.send],
        show_progress='hidden',
    )
    widgets.on(
        parts.download_page.click,
        _download,
        inputs=[parts.view],
        outputs=[parts.status],
        show_progress='hidden',
        trigger_mode='once',
    )
    widgets.on(
        parts.open_folder.click,
        _open_folder,
        inputs=[parts.view],
        outputs=[parts.status],
        show_progress='hidden',
    )


def wire_page(parts: Parts, blocks: Any, *, opening: bool) -> None:
    """Bind what happens when the page opens; `opening`: load what the source box holds."""

    def on_open(request: gr.Request) -> dict[Any, Any]:
        return {
            parts.open_folder: gr.update(visible=widgets.is_owner(request)),
            parts.grid: gr.update(columns=setting.gallery_columns),
        }

    outputs = [parts.open_folder, parts.grid]
    widgets.on(blocks.load, on_open, outputs=outputs, show_progress='hidden')
    if opening:
        _turn(parts, blocks.load, events.open_source, [parts.source])


def _turn(parts: Parts, event: Any, change: Callable[..., None], inputs: list[Any]) -> None:
    """Bind `event` to `change` what is shown: the listing first, then its pictures."""
    listed = widgets.on(
        event,
        _on_turn(parts, change),
        inputs=[*inputs, parts.view],
        outputs=_shown_parts(parts),
        show_progress='hidden',
    )
    loaded = widgets.on(listed.then, _on_pictures(parts), inputs=[parts.view], outputs=[parts.grid])
    widgets.on(
        loaded.then, events.load_ahead, inputs=[parts.view], outputs=[], show_progress='hidden'
    )


def _shown_parts(parts: Parts) -> list[Any]:
    return [
        parts.status,
        parts.title,
        parts.version,
        parts.first,
        parts.prev,
        parts.next,
        parts.page_info,
        parts.download_page,
        parts.image,
        parts.video,
        parts.infotext,
        parts.details,
        *parts.send,
    ]


def _on_turn(parts: Parts, change: Callable[..., None]) -> Callable[..., Iterator[Any]]:
    def listing(request: gr.Request, *inputs: Any) -> Iterator[dict[Any, Any]]:
        *given, view = inputs
        yield {parts.status: markup.notice(label('status_loading'), 'busy')}
        turn = view.turn + 1  # every change begins one
        try:
            widgets.refuse_strangers(request)
            change(view, *given)
        except CivitaiError as error:
            problem = markup.notice(error.message_in(setting.language), 'problem')
            after = {**_controls(parts, view), parts.status: problem}
        else:
            after = {**_controls(parts, view), **_unselected(parts)}
        if view.turn <= turn:  # else a later one has the say
            yield after

    return listing


def _controls(parts: Parts, view: View) -> dict[Any, Any]:
    """What the components around the grid show for `view`."""
    gallery, pictures = view.gallery, bool(view.page.images)
    model = gallery.model if gallery else None
    labels = [version.label for version in model.versions] if model else []
    chosen = gallery.version.label if gallery and gallery.version else None
    back = view.trail.page_number > 1
    return {
        parts.status: markup.page_status(view),
        parts.title: markup.title(gallery),
        parts.version: gr.update(choices=labels, value=chosen, visible=bool(labels)),
        parts.first: gr.update(interactive=back),
        parts.prev: gr.update(interactive=back),
        parts.next: gr.update(interactive=events.has_next(view)),
        parts.page_info: markup.page_info(view),
        parts.download_page: gr.update(interactive=pictures),
    }


def _unselected(parts: Parts) -> dict[Any, Any]:
    """No picture chosen."""
    return {
        **_showing(parts, None, False),
        parts.infotext: '',
        parts.details: '',
        **{button: gr.update(interactive=False) for button in parts.send},
    }


def _on_pictures(parts: Parts) -> Callable[..., Any]:
    def pictures(view: View, progress: gr.Progress = gr.Progress()) -> Any:
        paths = events.load_thumbnails(view, progress)
        if paths is None:
            return gr.update()
        return widgets.grid_update(events.showable(paths), setting.gallery_columns)

    return pictures


def _showing(parts: Parts, path: str | None, is_video: bool) -> dict[Any, Any]:
    """A picture or a video, or neither, in the place of both."""
    places = ((parts.image, not is_video), (parts.video, is_video))
    return {p: gr.update(value=path if shown else None, visible=shown) for p, shown in places}


def _how_made(parts: Parts, made: generation.Made, has_still: bool) -> dict[Any, Any]:
    """What is known of how a picture was made, and where it can be sent with that."""
    sendable = [gr.update(interactive=able) for able in events.sendable(made.image, has_still)]
    return {
        parts.infotext: events.generation_text(made.image),
        parts.details: markup.details(made.image, made.searched),
        **dict(zip(parts.send, sendable)),
    }


def _on_select(parts: Parts) -> Callable[..., Iterator[Any]]:
    def select(view: View, event: gr.SelectData) -> Iterator[dict[Any, Any]]:
        image = events.select(view, event.index)
        (small,) = events.showable([setting.get_image_url_to_gallery_file(events.thumbnail(image))])
        has_still = small != setting.no_card_preview_image
        yield {
            **_showing(parts, small, False),
            **_how_made(parts, generation.Made(image), has_still),
        }
        large = events.load_preview(image)
        if large and view.selected is image:
            yield _showing(parts, events.showable([large])[0], image.is_video)
        made = generation.learned(image)
        if view.selected is image:
            yield _how_made(parts, made, has_still)

    return select


def _download(request: gr.Request, view: View) -> Iterator[str]:
    try:
        widgets.refuse_strangers(request)
        for step in events.download_page(view):
            yield markup.step(step)
    except CivitaiError as error:
        yield markup.notice(error.message_in(setting.language), 'problem')


def _open_folder(view: View, request: gr.Request) -> str:
    return markup.notice(events.open_kept_folder(view, request))
