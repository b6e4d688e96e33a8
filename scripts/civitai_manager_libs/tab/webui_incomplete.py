"""The tab where a WebUI lacks a package we need: it says what to run."""

from __future__ import annotations

import logging
import sys
from typing import Any, Sequence

import gradio as gr

from .. import host, texts

log = logging.getLogger(__name__)


def register(packages: Sequence[str]) -> None:
    """Register a tab that asks for `packages`."""
    command = f'"{sys.executable}" -m pip install {" ".join(packages)}'
    sentences = [
        texts.text('packages_missing', language, command=command) for language in texts.LANGUAGES
    ]
    log.error(sentences[0])

    def tab() -> list[tuple[Any, str, str]]:
        with gr.Blocks(analytics_enabled=False) as blocks:
            gr.Textbox('\n\n'.join(sentences), show_label=False, interactive=False, lines=6)
        return [(blocks, 'Civitai Gallery', 'civitai_gallery')]

    host.WebuiHost().register(tab, lambda: None)
