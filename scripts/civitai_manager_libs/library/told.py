"""What Civitai said of models and versions, kept in the archive: new for a day, of use for ever."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Collection, Mapping

from .. import setting
from ..api import lookups
from ..archive import answers
from ..archive.place import archive
from ..errors import CivitaiError, StorageError
from ..http_client import CivitaiHttpClient
from ..store import files

log = logging.getLogger(__name__)

MODEL, VERSION, GONE = answers.MODEL, answers.VERSION, answers.GONE
FRESH_SECONDS = 24 * 3600.0
# Where each kind was kept before there was an archive.
_FORMER_FOLDERS = {MODEL: 'models', VERSION: 'versions'}


def kept(kind: str, ids: Collection[int], *, fresh: bool = False) -> dict[int, object]:
    """Return the answers that are kept, by id; `fresh`: only what was said within a day.

    Never raises. What earlier versions kept as files moves into the archive.
    """
    since = time.time() - FRESH_SECONDS if fresh else 0.0
    try:
        _move_former(kind, ids)
        return answers.kept(archive(), kind, ids, since)
    except StorageError as error:
        log.warning('Model information that is kept cannot be read: %s', error)
        return _former(kind, ids)


def _move_former(kind: str, ids: Collection[int]) -> None:
    """Have what was kept as files in the archive, unless there is something newer."""
    former = _former(kind, ids)
    if former:
        there = answers.kept(archive(), kind, former)
        answers.keep(archive(), kind, {n: v for n, v in former.items() if n not in there})


def _former(kind: str, ids: Collection[int]) -> dict[int, object]:
    folder = Path(setting.data_folder) / _FORMER_FOLDERS.get(kind, '')
    if kind not in _FORMER_FOLDERS or not folder.is_dir():
        return {}
    found = {one: files.read_json(folder / f'{one}.json') for one in ids}
    return {number: data for number, data in found.items() if data is not None}


def keep(kind: str, found: Mapping[int, object]) -> None:
    """Keep these answers, by id, as of now; never raises. What is no JSON cannot be kept."""
    try:
        answers.keep(archive(), kind, found)
    except (StorageError, TypeError, ValueError, RecursionError) as error:
        log.warning('Model information could not be kept: %s', error)


def model(client: CivitaiHttpClient, model_id: int) -> Mapping[str, object]:
    """Return what Civitai says of a model, asked if need be; {} if nothing. Never raises."""
    found = kept(MODEL, [model_id], fresh=True).get(model_id)
    if not isinstance(found, Mapping):
        try:
            found = lookups.model(client, model_id)
            keep(GONE, {model_id: found is None})
        except CivitaiError as error:
            log.info('The model could not be asked for: %s', error)
        if isinstance(found, Mapping):
            keep(MODEL, {model_id: found})
        else:
            found = kept(MODEL, [model_id]).get(model_id)
    return found if isinstance(found, Mapping) else {}


def model_of(
    version: Mapping[str, object], client: CivitaiHttpClient | None = None
) -> Mapping[str, object]:
    """Return what is known of the model of a `version`, an answer of the API.

    That answer tells little of it. `client`: Civitai is asked for the rest. Never raises.
    """
    own = version.get('model')
    own = own if isinstance(own, Mapping) else {}
    model_id = lookups.number(version.get('modelId'))
    if not model_id:
        return own
    more = model(client, model_id) if client else kept(MODEL, [model_id]).get(model_id)
    return {**own, **more} if isinstance(more, Mapping) else own
