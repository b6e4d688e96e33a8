"""The tab of a WebUI that lacks a package we need, or has too old a one: it says what to run."""

from __future__ import annotations

import importlib
import logging
import re
import sys
from typing import Any, Sequence

import gradio as gr

from .. import host, texts

log = logging.getLogger(__name__)

# As in requirements.txt. Those that a host brings itself are never changed by us: `install.py`.
NEEDED = (
    'requests>=2.31,<3',
    'urllib3>=1.26.16,<3',
    'platformdirs>=4,<5',
    'pathvalidate>=3,<4',
)
# Those that `install.py` adds work in any version that a host may have.
_AGE_MATTERS = ('requests', 'urllib3')


def lacking() -> list[str]:
    """Return those of `NEEDED` that cannot be imported here or are too old."""
    return [requirement for requirement in NEEDED if not _is_met(requirement)]


def _is_met(requirement: str) -> bool:
    name, lowest = requirement.split(',')[0].split('>=')
    try:
        version = getattr(importlib.import_module(name), '__version__', '')
    except ImportError:
        return False
    return name not in _AGE_MATTERS or _numbers(version) >= _numbers(lowest)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r'\d+', version)[:3]]


def register(packages: Sequence[str]) -> None:
    """Register a tab that asks for `packages`, requirements as pip reads them."""
    wanted = ' '.join(f'"{package}"' for package in packages)
    command = f'"{sys.executable}" -m pip install {wanted}'
    sentences = [
        texts.text('packages_missing', language, command=command) for language in texts.LANGUAGES
    ]
    log.error(sentences[0])

    def tab() -> list[tuple[Any, str, str]]:
        with gr.Blocks(analytics_enabled=False) as blocks:
            gr.Textbox('\n\n'.join(sentences), show_label=False, interactive=False, lines=6)
        return [(blocks, 'Civitai Gallery', 'civitai_gallery')]

    host.WebuiHost().register(tab, lambda: None)
