"""The gallery inside a WebUI: its tab, and its section on the settings page."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from .. import host, notices, setting, widgets
from ..downloads.modeljobs import model_queue
from ..downloads.queue import job_queue
from ..errors import StorageError
from ..setting.kinds import Setting, Value
from . import browser, cache_panel, components, routes, settings_panel
from .markup import label

log = logging.getLogger(__name__)


def register() -> None:
    """Have the WebUI call us when it builds its page. Reload UI calls this again."""
    host.WebuiHost().take_log_of(logging.getLogger(__name__.split('.')[0]))
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
        widgets.on(blocks.load, None, js=browser.turns.TAKE_OWN_LOOKS)
        components.wire_page(parts, blocks)
        settings_panel.build_key(blocks)
        cache_panel.build(blocks)
    return [(blocks, 'Civitai Gallery', 'civitai_gallery')]


def started(_: Any, app: Any) -> None:
    """Serve pictures, have each request told apart by its owner from now on, and jobs go on."""
    routes.serve(app)
    widgets.seal(app)
    job_queue().begin()
    model_queue().begin()


def settings() -> None:
    """Put on the WebUI's settings page what every visitor may change there.

    What the environment decides is not there. The defaults are ours, so they are made before what
    the WebUI says is taken over: SD.Next keeps only what differs from them.
    """
    offered = [i for i in setting.SETTINGS if not i.owner_only and not setting.is_fixed(i)]
    defaults = [getattr(setting, item.name) for item in offered]
    setting.refresh()  # the language of the labels too
    options = [_option(item, default) for item, default in zip(offered, defaults)]
    host.WebuiHost().add_options('Civitai Gallery', options)


def _option(item: Setting, default: Value) -> host.Option:
    arguments: dict[str, Any] = {'info': label(f'setting_{item.name}_help')}
    if item.choices:
        control, arguments['choices'] = gr.Dropdown, settings_panel.choices(item)
    elif isinstance(item.default, bool):
        control = gr.Checkbox
    else:
        # a slider has a field for the exact number, and keeps that in its bounds before the host
        # gets it: a number field would make the host refuse all settings of the page
        control = gr.Slider
        arguments |= {'minimum': item.minimum, 'maximum': item.maximum, 'step': item.step}
    title = label(f'setting_{item.name}')
    return host.Option(item.name, default, title, control, arguments, item.fits)
