"""The cards of a WebUI's own lists of models: each opens the gallery of its model in our tab.

`javascript/civitai_gallery_cards.js` puts a button on each; what it says is a name and a path, and
it is the owner's to ask about them.
"""

from __future__ import annotations

from typing import Any, Callable

import gradio as gr

from .. import widgets
from ..archive.place import archive
from ..errors import CivitaiError
from ..library import named
from . import browser, markup, needed
from .layout import Parts


def bind(parts: Parts) -> None:
    """Bind what a card presses: the link of its gallery is looked up, then opened as if pasted."""
    start = parts.start
    found = widgets.on(
        start.card_button.click,
        _on_card(parts),
        inputs=[start.card_name, start.card_path],
        outputs=[start.card_link, parts.status],
        show_progress='hidden',
        js=browser.start.TAKE_CARD,
    )
    widgets.on(found.then, None, inputs=[start.card_link], js=browser.start.OPEN_CARD)


def _on_card(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def card(request: gr.Request, name: Any, path: Any) -> dict[Any, Any]:
        try:
            needed.refuse_others(request)
            link = named.gallery_of(archive(), str(name or ''), str(path or ''))
        except CivitaiError as error:
            problem = markup.problem(error)
            return {parts.start.card_link: '', parts.status: problem}
        return {parts.start.card_link: link, parts.status: gr.update()}

    return card
