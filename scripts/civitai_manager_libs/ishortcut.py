"""Model information, kept on disk so that a name is known without asking again."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Collection, Mapping, cast

from . import api, setting
from .civitai import urls
from .civitai.versions import KnownVersion, parse_version
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


def known_versions(ids: Collection[int]) -> list[KnownVersion]:
    """Return what is known of each of these versions, asking Civitai for the rest; never raises."""
    folder = Path(setting.data_folder) / 'versions'
    found = {number: parse_version(files.read_json(folder / f'{number}.json')) for number in ids}
    unknown = [number for number, version in found.items() if version is None]
    if unknown:
        for number, data in api.fetch_versions(get_http_client(), unknown).items():
            found[number] = parse_version(data)
            if found[number] is not None:
                _keep(folder / f'{number}.json', data)
    return [version for version in found.values() if version is not None]


def _checked(info: object) -> dict[str, Any] | None:
    """`info` if it is a model's and has a name."""
    named = isinstance(info, dict) and isinstance(info.get('name'), str) and info['name']
    return cast('dict[str, Any]', info) if named else None


def _keep(path: Path, info: Mapping[str, object]) -> None:
    try:
        files.write_json(path, info)
    except StorageError as error:
        log.warning('Model information could not be kept: %s', error)
