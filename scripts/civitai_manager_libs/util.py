"""Small helpers that other code knows by name."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import notices, setting
from .civitai import urls
from .errors import CivitaiError
from .store import files, names

log = logging.getLogger(__name__)

# An opener that has not given up by then has something open; some run as long as that is.
OPENER_SECONDS = 5.0


def printD(*words: object) -> None:
    """Write a line to the log."""
    log.info(' '.join(str(word) for word in words))


def is_url_or_filepath(text: str) -> str | None:
    """Tell what `text` is: 'url' (http or https), 'filepath' (it exists here), else None."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        if parts.scheme in ('http', 'https') and parts.netloc:
            return 'url'
        return 'filepath' if os.path.exists(text) else None
    except ValueError:  # a broken [IPv6] address, a NUL in a path
        return None


def make_download_image_folder(name: str) -> str:
    """Make and return the folder that pictures of the model called `name` are downloaded to.

    One that an earlier version made under a longer name goes on being used.
    Raises StorageError if it cannot be made.
    """
    downloads = setting.download_folder()
    folder, former = downloads / names.folder_name(name), downloads / names.safe_name(name)
    if former != folder and os.path.isdir(former):
        return str(former)
    with files.explained(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def download_image_safe(url: str, path: str, client: Any, show_error: bool = True) -> bool:
    """Save the picture at `url` as `path` by the `download_file` of `client`; True if it is there.

    Never raises. A failure is logged, and told if `show_error`.
    """
    if not (url and path and client):
        return False
    saved, cause = False, None
    try:
        saved = bool(client.download_file(url, path))
        tell = getattr(client, 'failure_for', None)
        cause = tell(url) if tell and not saved else None
    except CivitaiError as error:
        cause = error
    printD(f'{"saved" if saved else "failed"}: {urls.redact(url)}')
    if not saved and show_error:
        why = (cause or CivitaiError('error_see_log')).message_in(setting.language)
        notices.tell('download_failed', name=os.path.basename(path), cause=why)
    return saved


def open_folder(path: str) -> bool:
    """Show the folder at `path` in the desktop's file browser; False if none opened.

    Waits a few seconds at most for the desktop's opener to say so.
    """
    folder = Path(path).absolute()  # a relative one could look like an option
    if not path or not folder.is_dir():
        return False
    try:
        if sys.platform == 'win32':
            os.startfile(folder)
        else:
            return _opened_by('open' if sys.platform == 'darwin' else 'xdg-open', folder)
    except OSError as error:
        log.warning('The file browser did not open: %s', error)
        return False
    return True


def _opened_by(opener: str, folder: Path) -> bool:
    """Run a program that opens folders; tell whether it did. Raises OSError if there is none."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([opener, str(folder)], stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        code = process.wait(OPENER_SECONDS)
    except subprocess.TimeoutExpired:
        # somebody must take note of its end, or it stays in the list of processes
        threading.Thread(target=process.wait, daemon=True).start()
        return True
    if code:
        log.warning('The file browser did not open: %s ended with %d', opener, code)
    return code == 0
