"""Which versions the files are of that no file beside them tells: Civitai is asked by their hashes.

Nothing but hashes and ids leaves this machine, and only when a person asked for it. What a person
waits for goes first.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from itertools import islice
from typing import Iterator, Mapping, Sequence, TypeVar

from .. import api
from ..api import lookups
from ..archive import holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..errors import CancelledError, CivitaiError
from ..http_client import CivitaiHttpClient, background
from . import told
from .scan import Progress, Tell

log = logging.getLogger(__name__)

ASKING = 'asking'
# What the site did not know it may know later.
AGAIN_SECONDS = 7 * 24 * 3600.0
# By the hash of the tensors each is a question of its own; more go into the next scan.
MOST_BY_TENSORS = 200

T = TypeVar('T')


def identify(
    db: Database, client: CivitaiHttpClient, stop: threading.Event, tell: Tell | None = None
) -> int:
    """Ask which versions the files are of that have a hash and are not known; how many are now.

    What is known counts at once; what nobody knows is asked for again after a week. Raises
    CivitaiError where Civitai cannot be reached, CancelledError once `stop` is set.
    """
    before = time.time() - AGAIN_SECONDS
    total, _ = holdings.totals(db, holdings.NOT_KNOWN, [before])
    done = known = 0
    waiting = holdings.every(db, holdings.NOT_KNOWN, [before])
    by_tensors = MOST_BY_TENSORS
    with background.work():
        client = client.until(stop)
        for some in _batches(waiting, lookups.MOST_IDS):
            known += _by_sha256(db, client, some)
            left = [one for one in _as_noted(db, some) if not one.version_id]
            for one in left:
                if stop.is_set():
                    raise CancelledError
                if one.tensors and by_tensors:
                    by_tensors -= 1
                    known += _by_tensors(db, client, one)
                elif not one.tensors:
                    _note(db, [one])
            done += len(some)
            if tell:
                tell(Progress(ASKING, done, total))
    return known


def _batches(found: Iterator[T], size: int) -> Iterator[list[T]]:
    while some := list(islice(found, size)):
        yield some


def _as_noted(db: Database, some: Sequence[Holding]) -> list[Holding]:
    found = holdings.at(db, [one.path for one in some])
    return list(found.values())


def _by_sha256(db: Database, client: CivitaiHttpClient, some: Sequence[Holding]) -> int:
    """Ask for many at once, first for ids alone, then for what that leaves open."""
    hashes = list(dict.fromkeys(one.sha256 for one in some))
    ids: dict[str, tuple[int, int]] = {}
    try:
        ids = lookups.ids_by_hash(client, hashes)
    except CivitaiError as error:
        if not lookups.is_unknown_question(error):
            raise
        log.info('Civitai does not tell ids by hashes: %s', error)
    known = _take(db, some, ids)
    left = [one for one in hashes if one not in ids]
    for start in range(0, len(left), lookups.MOST_VERSIONS):
        found = _versions(client, left[start : start + lookups.MOST_VERSIONS])
        told.keep(told.VERSION, {lookups.number(v.get('id')): v for v in found.values()})
        known += _take(db, some, {one: _ids_of(version) for one, version in found.items()})
    return known


def _take(db: Database, some: Sequence[Holding], ids: Mapping[str, tuple[int, int]]) -> int:
    """Note of which versions the files are that have these hashes; how many that is."""
    known = [one for one in some if one.sha256 in ids]
    _note(db, [_known(one, *ids[one.sha256], holdings.HASH) for one in known])
    return len(known)


def _versions(client: CivitaiHttpClient, hashes: list[str]) -> dict[str, Mapping[str, object]]:
    try:
        return lookups.versions_by_hash(client, hashes)
    except CivitaiError as error:
        if not lookups.is_unknown_question(error):
            raise
    found = ((one, lookups.version_of_hash(client, one)) for one in hashes)
    return {one: version for one, version in found if version is not None}


def _by_tensors(db: Database, client: CivitaiHttpClient, holding: Holding) -> int:
    """Ask by the hash of the tensors, which a file keeps when its header is written anew."""
    version = lookups.version_of_hash(client, holding.autov3)
    if version is None:
        _note(db, [holding])
        return 0
    told.keep(told.VERSION, {lookups.number(version.get('id')): version})
    _note(db, [_known(holding, *_ids_of(version), holdings.TENSORS)])
    return 1


def _ids_of(version: Mapping[str, object]) -> tuple[int, int]:
    return lookups.number(version.get('id')), lookups.number(version.get('modelId'))


def _known(holding: Holding, version_id: int, model_id: int, told_by: str) -> Holding:
    return replace(holding, version_id=version_id, model_id=model_id, told_by=told_by)


def _note(db: Database, some: Sequence[Holding]) -> None:
    now = time.time()
    holdings.note(db, [replace(one, asked_at=now) for one in some], now)


def describe(
    db: Database, client: CivitaiHttpClient, stop: threading.Event, tell: Tell | None = None
) -> None:
    """Ask what the known versions are called and where they belong, many at once; it is kept.

    Raises CivitaiError where that cannot be noted, CancelledError once `stop` is set.
    """
    total, _ = holdings.totals(db, holdings.KNOWN)
    done = 0
    with background.work():
        client = client.until(stop)
        for some in _batches(holdings.every(db, holdings.KNOWN), lookups.MOST_VERSIONS):
            if stop.is_set():
                raise CancelledError
            ids = list(dict.fromkeys(one.version_id for one in some))
            lacking = [one for one in ids if one not in told.kept(told.VERSION, ids)]
            told.keep(told.VERSION, api.fetch_versions(client, lacking) if lacking else {})
            _note_models(db, some, told.kept(told.VERSION, ids))
            done += len(some)
            if tell:
                tell(Progress(ASKING, done, total))


def _note_models(db: Database, some: Sequence[Holding], kept: Mapping[int, object]) -> None:
    """Note of which models the versions are, where nobody told before."""
    fresh = []
    for one in some:
        version = kept.get(one.version_id)
        model_id = lookups.number(version.get('modelId')) if isinstance(version, Mapping) else 0
        if model_id and model_id != one.model_id:
            fresh.append(replace(one, model_id=model_id))
    holdings.note(db, fresh, time.time())
