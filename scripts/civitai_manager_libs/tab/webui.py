"""The gallery inside a WebUI: its tab, and its section on the settings page."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from .. import host, notices, setting, texts, widgets
from ..errors import StorageError
from ..setting.kinds import Setting
from . import cache_panel, components, settings_panel

log = logging.getLogger(__name__)


def register() -> None:
    """Have the WebUI call us when it builds its page. Reload UI calls this again."""
    setting.load()
    notices.sink = widgets.notice
    try:
        setting.claim_picture_cache()
    except StorageError as error:  # told again where a picture is to be kept
        log.warning('%s', error.message_in(setting.language))
    host.WebuiHost().register(tab, settings, started)


def tab() -> list[tuple[Any, str, str]]:
    """Build the tab; the WebUI shows it."""
    setting.refresh()
    with gr.Blocks(analytics_enabled=False) as blocks:
        parts = components.build()
        components.wire_page(parts, blocks, opening=False)
        settings_panel.build_key(blocks)
        cache_panel.build(blocks)
    return [(blocks, 'Civitai Gallery', 'civitai_gallery')]


def started(_: Any, app: Any) -> None:
    """Have each request to the WebUI told apart by its owner from now on."""
    widgets.seal(app)


def settings() -> None:
    """Put on the WebUI's settings page what every visitor may change there."""
    host.WebuiHost().add_options(
        'Civitai Gallery',
        [
            host.Option(
                item.name,
                getattr(setting, item.name),
                texts.text(f'setting_{item.name}', setting.language),
                _help(item),
            )
            for item in setting.SETTINGS
            if not item.owner_only and not isinstance(item.default, float)
        ],
    )


def _help(item: Setting) -> str:
    explained = texts.text(f'setting_{item.name}_help', setting.language)
    allowed = ', '.join(item.choices)
    if item.maximum:
        allowed = f'{item.minimum:g}-{item.maximum:g}'
    return f'{explained} ({allowed})' if allowed else explained
