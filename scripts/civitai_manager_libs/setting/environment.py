"""What the environment of this process says of settings."""

from __future__ import annotations

import logging
import os
from typing import Callable

import platformdirs

from ..civitai import keys

log = logging.getLogger(__name__)

APP_NAME = 'civitai-gallery'


def variable(name: str) -> str:
    """Return an environment variable; Windows and env files leave quotes around the value on."""
    return keys.unquoted(os.environ.get(name, ''))


def chosen(name: str, default: str, is_good: Callable[[str], bool]) -> str:
    """Return the variable `name`, `default` if it is unset; a bad one is named and ignored."""
    value = variable(name)
    if value and not is_good(value):
        log.warning('%s is not usable and is ignored; using %r', name, default)
    return value if value and is_good(value) else default


def data_folder() -> str:
    """Return the full path of the folder that all data of ours is kept in."""
    given = variable('CIVITAI_GALLERY_HOME')
    if given:
        return os.path.abspath(os.path.expanduser(given))
    return str(platformdirs.user_data_path(APP_NAME, appauthor=False))
