"""What the figures were taken with: versions and cores, nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from typing import Sequence

from scripts import civitai_manager_libs as library

from .clients import gallery_dl

PACKAGES = ('requests', 'urllib3', 'gradio')


def facts() -> dict[str, str]:
    """Name and version of everything that took part; 'absent' for what is not installed."""
    found = {
        'Civitai Gallery': library.__version__,
        'cores': str(os.cpu_count()),
        'system': platform.system(),
        'Python': platform.python_version(),
    }
    found |= {name: metadata.version(name) for name in PACKAGES}
    programs = {'curl': _program('curl'), 'aria2': _program('aria2c'), 'gallery-dl': gallery_dl()}
    return found | {name: _version(start) for name, start in programs.items()}


def _program(name: str) -> Sequence[str] | None:
    found = shutil.which(name)
    return [found] if found else None


def _version(start: Sequence[str] | None) -> str:
    if not start:
        return 'absent'
    said = subprocess.run([*start, '--version'], capture_output=True, text=True).stdout
    number = re.search(r'\d+(\.\d+)+', said)
    return number[0] if number else 'of unknown version'
