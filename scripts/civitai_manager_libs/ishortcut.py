"""Model information, kept on disk so that a name is known without asking again."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Collection, Mapping, cast

from . import api, setting
from .archive import answers
from .archive.place import archive
from .civitai import urls
from .civitai.versions import KnownVersion, parse_version
from .errors import StorageError
from .http_client import get_http_client
from .store import files

log = logging.getLogger(__name__)

# Where each kind was kept before there was an archive.
_FORMER_FOLDERS = {answers.MODEL: 'models', answers.VERSION: 'versions'}


def get_model_info(model_id: int | str) -> dict[str, Any] | None:
    """Return what is known of a model, asking Civitai if need be; None if nothing is.

    Only `name` may be relied on.
    """
    number = str(model_id).strip()
    if not re.fullmatch(r'[0-9]{1,10}', number):
        return None
    info = _checked(_kept(answers.MODEL, [int(number)]).get(int(number)))
    if info is None:
        address = urls.api_url(setting.civitai_base_url, f'models/{int(number)}')
        info = _checked(get_http_client().get_json(address))
        if info is not None:
            _keep(answers.MODEL, {int(number): info})
    return info


def known_versions(ids: Collection[int], *, asking: bool = True) -> list[KnownVersion]:
    """Return what is known of each of these versions; never raises.

    `asking`: Civitai is asked for the rest.
    """
    kept = _kept(answers.VERSION, ids)
    found = {number: parse_version(kept.get(number)) for number in ids}
    unknown = [number for number, version in found.items() if version is None]
    if unknown and asking:
        told = api.fetch_versions(get_http_client(), unknown)
        found.update((number, parse_version(data)) for number, data in told.items())
        _keep(answers.VERSION, {n: data for n, data in told.items() if found[n] is not None})
    return [version for version in found.values() if version is not None]


def _checked(info: object) -> dict[str, Any] | None:
    """`info` if it is a model's and has a name."""
    named = isinstance(info, dict) and isinstance(info.get('name'), str) and info['name']
    return cast('dict[str, Any]', info) if named else None


def _kept(kind: str, ids: Collection[int]) -> dict[int, object]:
    """What the archive has, with what earlier versions kept as files, which moves into it."""
    try:
        found = answers.kept(archive(), kind, ids)
    except StorageError as error:
        log.warning('Model information that is kept cannot be read: %s', error)
        found = {}
    folder = Path(setting.data_folder) / _FORMER_FOLDERS[kind]
    former = {one: files.read_json(folder / f'{one}.json') for one in ids if one not in found}
    moving = {number: data for number, data in former.items() if data is not None}
    if moving:
        _keep(kind, moving)
    return {**found, **moving}


def _keep(kind: str, found: Mapping[int, object]) -> None:
    try:
        answers.keep(archive(), kind, found)
    except StorageError as error:
        log.warning('Model information could not be kept: %s', error)
