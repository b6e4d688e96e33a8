"""Interpreters with what WebUIs pin, made once and kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

from filelock import FileLock

OURS = 'requests platformdirs pathvalidate'
# What the tests of the wire need beside it.
TESTED_WITH = 'pytest responses hypothesis trustme playwright PySocks'
# With these pins plain gradio runs as it does inside AUTOMATIC1111, SD.Next and Forge. Each line
# is one run of pip: SD.Next puts newer packages beside gradio than that asks for.
PINS = {
    '3.41.2': 'gradio==3.41.2 gradio_client==0.5.0 fastapi==0.94.0 starlette==0.26.1 '
    'pydantic==1.10.27 httpx==0.24.1 huggingface_hub<0.26 numpy==1.26.2 pillow==9.5.0 ' + OURS,
    '3.43.2': '--no-deps gradio==3.43.2 gradio_client==0.5.0\n'
    'urllib3==1.26.19 fastapi==0.124.4 pydantic==2.13.4 httpx==0.28.1 huggingface_hub==1.23.0 '
    'numpy==2.1.2 pandas==2.3.1 pillow==12.2.0 aiofiles altair ffmpy importlib-resources '
    'matplotlib orjson pydub python-multipart semantic-version uvicorn websockets '
    f'{OURS} {TESTED_WITH}',
    '4.40.0': 'gradio==4.40.0 gradio_client==1.2.0 fastapi==0.104.1 starlette==0.27.0 '
    'pydantic==2.8.2 httpx==0.24.1 huggingface_hub<0.26 numpy==1.26.2 pillow==9.5.0 ' + OURS,
}
# Other people's programs for the site, each in the version whose calls were read.
FOREIGN_CLIENTS = 'gallery-dl==1.32.18 civitapy==0.1.3 civitdl==2.2.0 pycivitai==0.2.0'
# Their readers of what is written in pictures; piexif is that of AUTOMATIC1111 and SD.Next.
FOREIGN_READERS = 'sd-parsers==0.6 piexif==1.1.3 Pillow>=10.1,<14'
# The pinned numpy has wheels for these.
PYTHONS = ('python3.11', 'python3.10')


def interpreter(gradio: str) -> str:
    """Return a Python that has `gradio` (a key of PINS), or this one for any other name."""
    if gradio not in PINS:
        return sys.executable
    return _made(f'gradio-{gradio}', PINS[gradio], _base_python)


def with_foreign_clients() -> str:
    """Return a Python that has other people's clients of the site, and nothing of ours."""
    return _made('foreign-clients', FOREIGN_CLIENTS, lambda: sys.executable)


def with_foreign_readers() -> str:
    """Return a Python that has other people's readers of prompts, and nothing of ours."""
    return _made('foreign-readers', FOREIGN_READERS, lambda: sys.executable)


def _made(name: str, wanted: str, base: Callable[[], str]) -> str:
    """The Python of the environment `name`, made with the packages `wanted` where that is due."""
    cache = Path(os.environ.get('CIVITAI_GALLERY_TEST_CACHE') or Path.home() / '.cache')
    folder = cache / 'civitai-gallery-tests' / name
    python, stamp = folder / 'bin' / 'python', folder / 'pins.txt'
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f'{name}.lock')):  # tests run side by side
        if not stamp.is_file() or stamp.read_text() != wanted:
            subprocess.run([base(), '-m', 'venv', '--clear', str(folder)], check=True)
            pip = [str(python), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
            for packages in wanted.splitlines():
                subprocess.run([*pip, *packages.split()], check=True)
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
