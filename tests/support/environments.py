"""Interpreters with what WebUIs pin, made once and kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

# With these pins plain gradio runs as it does inside AUTOMATIC1111 and Forge.
PINS = {
    '3.41.2': 'gradio==3.41.2 gradio_client==0.5.0 fastapi==0.94.0 starlette==0.26.1 '
    'pydantic==1.10.27 httpx==0.24.1 huggingface_hub<0.26 numpy==1.26.2 pillow==9.5.0',
    '4.40.0': 'gradio==4.40.0 gradio_client==1.2.0 fastapi==0.104.1 starlette==0.27.0 '
    'pydantic==2.8.2 httpx==0.24.1 huggingface_hub<0.26 numpy==1.26.2 pillow==9.5.0',
}
OURS = 'requests platformdirs pathvalidate'
# What SD.Next pins, and what the tests of the wire need beside it.
OLD_URLLIB3 = (
    'urllib3==1.26.19 requests platformdirs pathvalidate PySocks fastapi uvicorn pillow '
    'pytest responses hypothesis trustme playwright'
)
# The pinned numpy has wheels for these.
PYTHONS = ('python3.11', 'python3.10')


def interpreter(gradio: str) -> str:
    """Return a Python that has `gradio` (a key of PINS), or this one for any other name."""
    if gradio not in PINS:
        return sys.executable
    return _made(f'gradio-{gradio}', f'{PINS[gradio]} {OURS}', _base_python)


def with_old_urllib3() -> str:
    """Return a Python that has the oldest urllib3 that a WebUI pins, and runs tests of the wire."""
    return _made('urllib3-1.26.19', OLD_URLLIB3, lambda: sys.executable)


def _made(name: str, wanted: str, base: Callable[[], str]) -> str:
    """The Python of the environment `name`, made with the packages `wanted` where that is due."""
    cache = Path(os.environ.get('CIVITAI_GALLERY_TEST_CACHE') or Path.home() / '.cache')
    folder = cache / 'civitai-gallery-tests' / name
    python, stamp = folder / 'bin' / 'python', folder / 'pins.txt'
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([base(), '-m', 'venv', '--clear', str(folder)], check=True)
        pip = [str(python), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
        subprocess.run([*pip, *wanted.split()], check=True)
        stamp.write_text(wanted)
    return str(python)


def _base_python() -> str:
    """A Python for which the old pins have wheels."""
    if sys.version_info[:2] in ((3, 10), (3, 11)):
        return sys.executable
    for name in PYTHONS:
        try:
            if subprocess.run([name, '--version'], capture_output=True).returncode == 0:
                return name
        except OSError:
            continue
    raise RuntimeError(f'the walk in old WebUIs needs one of {", ".join(PYTHONS)}')
