"""The gallery: its components, and what happens when they are used."""

from __future__ import annotations

from typing import Any

from .. import widgets
from . import (
    browser,
    filters_markup,
    foot,
    home,
    host_cards,
    jobs,
    layout,
    models,
    paging,
    picture,
)
from .layout import Parts


def build(source: str = '') -> Parts:
    """Make the gallery inside the Blocks at hand; `source` is what it opens on."""
    parts = layout.make(source)
    paging.bind(parts)
    host_cards.bind(parts)
    picture.bind(parts)
    foot.bind(parts)
    jobs.bind(parts)
    home.bind(parts)
    models.bind(parts)
    return parts


def wire_page(parts: Parts, blocks: Any, *, opening: bool = False, is_ours: bool = False) -> None:
    """Bind what happens when the page opens; `opening`: load what the source box holds.

    `is_ours`: the address of the page is ours, and names what is on show.
    """
    widgets.on(blocks.load, None, js=browser.language.speaks(is_ours))
    widgets.on(blocks.load, None, js=browser.grid.WATCH_GRID)
    foot.wire_page(parts, blocks)
    widgets.on(
        blocks.load,
        filters_markup.row,
        outputs=[parts.filters.row],
        show_progress='hidden',
        js=browser.filters.WATCH_FILTERS,
    )
    watches = (
        browser.waits.WATCH_WAITS,
        browser.endless.WATCH_MORE,
        browser.focus.WATCH_FOCUS,
        browser.pressed.WATCH_PRESSED,
        browser.spoken.WATCH_SPOKEN,
    )
    for script in watches:
        widgets.on(blocks.load, None, js=script)
    picture.wire_page(parts, blocks)
    jobs.wire_page(parts, blocks)
    models.wire_page(parts, blocks)
    home.wire_page(parts, blocks)
    if is_ours:
        paging.bind_address(parts, blocks.load, is_opening=opening)
