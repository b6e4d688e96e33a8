"""Model information, kept on disk so that a name is known without asking again."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, cast

from . import setting
from .civitai import urls
from .errors import StorageError
from .http_client import get_http_client
from .store import files

log = logging.getLogger(__name__)


def get_model_info(model_id: int | str) -> dict[str, Any] | None:
    """Return what is known of a model, asking Civitai if need be; None if nothing is.

    Only `name` may be relied on.
    """
    number = str(model_id).strip()
    if not re.fullmatch(r'[0-9]{1,10}', number):
        return None
    path = Path(setting.data_folder) / 'models' / f'{int(number)}.json'
    info = _checked(files.read_json(path))
    if info is None:
        address = urls.api_url(setting.civitai_base_url, f'models/{int(number)}')
        info = _checked(get_http_client().get_json(address))
        if info is not None:
            _keep(path, info)
    return info


def _checked(info: object) -> dict[str, Any] | None:
    """`info` if it is a model's and has a name."""
    named = isinstance(info, dict) and isinstance(info.get('name'), str) and info['name']
    return cast('dict[str, Any]', info) if named else None


def _keep(path: Path, info: dict[str, Any]) -> None:
    try:
        files.write_json(path, info)
    except StorageError as error:
        log.warning('Model information could not be kept: %s', error)
