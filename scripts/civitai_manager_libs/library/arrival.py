"""A model file that has come: its companions, its place in the archive, the lists of the host."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Mapping

from .. import host
from ..api import lookups
from ..archive import holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..civitai import modelfiles
from ..errors import CancelledError, StorageError
from ..host.layouts import Layout
from ..http_client import CivitaiHttpClient
from . import companions, told
from .companions import Companion

log = logging.getLogger(__name__)


def settle(
    db: Database,
    client: CivitaiHttpClient,
    path: Path,
    version: Mapping[str, object],
    *,
    kind: str,
    layout: Layout | None = None,
    sha256: str = '',
    stop: threading.Event | None = None,
) -> list[Companion]:
    """Do what is to be done for a file that came as one of `version`, an answer of the API.

    `kind`, `layout` and `sha256` are as in `companions.write`. Raises CancelledError if `stop` is
    set before all is there; what is missing then is done by another call. Nothing else is raised:
    the file is there.
    """
    told.keep(told.VERSION, {lookups.number(version.get('id')): version})
    note(db, path, version, kind=kind, sha256=sha256)
    model = told.model_of(version, client)
    if stop is not None and stop.is_set():  # what is written with less than is known would stay so
        raise CancelledError
    found = companions.write(path, version, model, client, kind=kind, layout=layout, sha256=sha256)
    host.detect().refresh_models(kind)
    if any(isinstance(one.error, CancelledError) for one in found):
        raise CancelledError
    return found


def note(
    db: Database, path: Path, version: Mapping[str, object], *, kind: str, sha256: str = ''
) -> None:
    """Note that the file is here, and which one it is, without a scan. Never raises."""
    real = Path(os.path.realpath(path.parent), path.name)
    try:
        there = os.stat(real)
        holding = Holding(
            real,
            kind,
            there.st_size,
            there.st_mtime_ns,
            sha256.lower(),
            _listed_tensors(version, sha256),
            version_id=lookups.number(version.get('id')),
            model_id=lookups.number(version.get('modelId')),
            told_by=holdings.FETCHED,
        )
        holdings.note(db, [holding], time.time())
    except (OSError, StorageError) as error:
        log.warning('%s is not noted among the models: %s', path.name, error)


def _listed_tensors(version: Mapping[str, object], sha256: str) -> str:
    """The hash by which pictures name a LoRA, as far as the site tells it of this very file."""
    of_files = modelfiles.listed_hashes(version) if sha256 else []
    own = (one for one in of_files if one.get('SHA256') == sha256.lower())
    return next(own, {}).get('AutoV3', '')
