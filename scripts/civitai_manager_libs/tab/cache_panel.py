"""How large the picture cache is, and a button that empties it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .. import setting, widgets
from ..access.owner import Finding
from ..store import cache
from . import markup, temporary
from .markup import PREFIX, label


def build(blocks: Any) -> None:
    """Make the part of the settings about the picture cache; `blocks` is the page it is on."""
    with gr.Accordion(label('cache_title'), open=False, elem_id=f'{PREFIX}_cache'):
        state = gr.HTML('', elem_id=f'{PREFIX}_cache_status')
        clear = gr.Button(label('cache_clear'), elem_id=f'{PREFIX}_cache_clear')
    widgets.on(clear.click, _clear, outputs=[state], show_progress='hidden')
    widgets.on(blocks.load, _size, outputs=[state], show_progress='hidden')


def _size() -> str:
    size = setting.picture_cache().size()
    return markup.notice(
        label('cache_size', size=_mib(size), limit=setting.shortcut_gallery_max_mib)
    )


def _clear(request: gr.Request) -> str:
    """Remove the pictures that nobody looks at; only for the owner."""
    if widgets.asked_by(request) is not Finding.OWNER:
        return markup.notice(label('cache_not_from_here'), 'problem')
    left = setting.picture_cache().clear(cache.on_screen.names())
    temporary.clear()
    return markup.notice(label('cache_cleared', size=_mib(left)), 'good')


def _mib(size: int) -> str:
    return f'{size / cache.MIB:.1f}'
