"""The page before a gallery: what the browser keeps, models on this machine, examples."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from .. import widgets
from ..archive.place import archive
from ..errors import StorageError
from ..library import updates
from . import browser_start, marking, needed, start_markup
from .layout import Parts

log = logging.getLogger(__name__)

# Of the models on this machine; the list of all stands below.
MODELS_SHOWN = 8


def wire_page(parts: Parts, blocks: Any) -> None:
    """Show where to begin when the page opens, with their models to their owner."""

    def opened(request: gr.Request) -> str:
        models = _models() if needed.may_have_models(request) else ()
        return start_markup.home(models, marking.may_mark(request))

    widgets.on(
        blocks.load,
        opened,
        outputs=[parts.start.home],
        show_progress='hidden',
        js=browser_start.WATCH_START,
    )


def _models() -> list[updates.Standing]:
    try:
        return updates.latest(archive(), MODELS_SHOWN)
    except StorageError as error:
        log.warning('%s', error)
        return []
