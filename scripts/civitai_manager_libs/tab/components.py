"""The gallery: its components, and what happens when they are used."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import gradio as gr

from .. import setting, widgets
from ..errors import CivitaiError
from . import (
    browser_filters,
    browser_grid,
    events,
    filters_markup,
    jobs,
    layout,
    markup,
    models,
    paging,
    picture,
)
from .layout import Parts
from .view import View


def build(source: str = '') -> Parts:
    """Make the gallery inside the Blocks at hand; `source` is what it opens on."""
    parts = layout.make(source)
    paging.bind(parts)
    picture.bind(parts)
    _bind_keeping(parts)
    jobs.bind(parts)
    models.bind(parts)
    return parts


def _bind_keeping(parts: Parts) -> None:
    for button, again in ((parts.download_page, False), (parts.retry_page, True)):
        widgets.on(
            button.click,
            _on_download(parts, again),
            inputs=[parts.view],
            outputs=[parts.kept, parts.kept_here, parts.retry_page],
            show_progress='hidden',
            trigger_mode='once',
        )
    widgets.on(
        parts.open_folder.click,
        _open_folder,
        inputs=[parts.view],
        outputs=[parts.kept],
        show_progress='hidden',
    )


def wire_page(parts: Parts, blocks: Any, *, opening: bool = False, is_ours: bool = False) -> None:
    """Bind what happens when the page opens; `opening`: load what the source box holds.

    `is_ours`: the address of the page is ours, and names what is on show.
    """

    def on_open(request: gr.Request) -> dict[Any, Any]:
        return {parts.open_folder: gr.update(visible=widgets.is_owner(request))}

    widgets.on(
        blocks.load,
        on_open,
        outputs=[parts.open_folder],
        show_progress='hidden',
        js=browser_grid.WATCH_GRID,
    )
    widgets.on(
        blocks.load,
        filters_markup.row,
        outputs=[parts.filters.row],
        show_progress='hidden',
        js=browser_filters.WATCH_FILTERS,
    )
    jobs.wire_page(parts, blocks)
    models.wire_page(parts, blocks)
    if is_ours:
        paging.bind_address(parts, blocks.load, is_opening=opening)


def _on_download(parts: Parts, again: bool) -> Callable[..., Iterator[Any]]:
    def download(request: gr.Request, view: View) -> Iterator[dict[Any, Any]]:
        # said with every step: gradio 6 loses what a step says if the next one comes right behind
        # it and leaves that out
        no_retry = {parts.retry_page: gr.update(visible=False)}
        yield no_retry
        for told in _download(request, view, again):
            yield {parts.kept: told, parts.kept_here: told, **no_retry}
        yield {
            parts.kept_here: told + markup.failures_of(view),
            parts.retry_page: gr.update(visible=bool(view.failed)),
        }

    return download


def _download(request: gr.Request, view: View, again: bool = False) -> Iterator[str]:
    try:
        widgets.refuse_strangers(request)
        for step in events.download_page(view, again):
            yield markup.step(step, widgets.may_see_paths(request))
    except CivitaiError as error:
        yield markup.notice(error.message_in(setting.language), 'problem')


def _open_folder(view: View, request: gr.Request) -> str:
    return markup.notice(events.open_kept_folder(view, request))
