"""The page before a gallery: what the browser keeps, models on this machine, examples.

And the way back there, or to the gallery, from models that were found.
"""

from __future__ import annotations

import logging
from typing import Any, Callable

import gradio as gr

from .. import widgets
from ..archive.place import archive
from ..errors import StorageError
from ..library import updates
from . import browser, filters_markup, finding, marking, markup, needed, start_markup
from .layout import Parts, as_it_opens
from .view import View

log = logging.getLogger(__name__)

# Of the models on this machine; the list of all stands below.
MODELS_SHOWN = 8


def bind(parts: Parts) -> None:
    """Bind what takes away the models that were found; the browser has hidden them by then."""
    widgets.on(
        parts.start.close_button.click,
        _on_close(parts),
        inputs=[parts.view],
        outputs=[parts.filters.told, parts.status],
        show_progress='hidden',
    )


def _on_close(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def close(request: gr.Request, view: View) -> dict[Any, Any]:
        widgets.refuse_strangers(request)
        finding.close(view)
        status = gr.update() if view.is_of_before else markup.page_status(view)
        return {parts.filters.told: filters_markup.told(view), parts.status: status}

    return close


def wire_page(parts: Parts, blocks: Any) -> None:
    """Show where to begin when the page opens, with their models to their owner."""

    def opened(request: gr.Request) -> str:
        models = _models() if needed.may_have_models(request) else ()
        return start_markup.home(models, marking.may_mark(request))

    as_it_opens(parts, blocks, opened, browser.start.WATCH_START, outputs=[parts.start.home])


def _models() -> list[updates.Standing]:
    try:
        return updates.latest(archive(), MODELS_SHOWN)
    except StorageError as error:
        log.warning('%s', error)
        return []
