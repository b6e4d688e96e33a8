"""The API key as it is kept: a file that only its owner may read."""

from __future__ import annotations

import logging
from pathlib import Path

from ..civitai import keys
from ..errors import SourceError
from ..store import private

log = logging.getLogger(__name__)


def read(path: Path) -> str:
    """Return the key in the file at `path`, '' if there is none that can be used."""
    try:
        if not path.is_file():
            return ''
        path.chmod(0o600)
        return keys.usable_key(private.read_text(path))
    except (OSError, ValueError) as error:
        log.warning('The API key file %s is not readable: %s', path, error)
    except SourceError as error:
        log.warning('The API key file %s does not hold a key: %s', path, error)
    return ''
