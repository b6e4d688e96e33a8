"""Which of the models that a person has went on: newer versions, files that changed or are gone.

By the day of publication and not by the order a creator gave. Of another base model a newer version
is not an update; it is told beside.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Mapping

from ..api import lookups
from ..archive import holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..civitai import meta as meta_of, modelfiles
from ..errors import CancelledError, CivitaiError
from ..http_client import CivitaiHttpClient, background
from . import told
from .lookup import ASKING
from .scan import Progress, Tell

log = logging.getLogger(__name__)

# So many files are looked at together.
AT_ONCE = 100


@dataclass(frozen=True)
class Newer:
    """A later version; `free_at`: when it is for all, in seconds since 1970, 0 now, inf never.

    `is_offered`: it can be downloaded at all.
    """

    id: int
    name: str
    base_model: str
    published: str
    free_at: float = 0.0
    is_offered: bool = True

    def is_early(self, now: float) -> bool:
        """Whether it is only for those who pay, or who wait."""
        return self.free_at > now


@dataclass(frozen=True)
class Standing:
    """How a local file stands beside what the site has of its model.

    `newer` are later versions of the same base model, the latest first, `others` those of other
    bases. `is_gone`: the site has the model no more; `is_withdrawn`: not this version;
    `is_changed`: the version has other files now. All false and empty where nobody asked yet.
    """

    holding: Holding
    title: str = ''
    base_model: str = ''
    newer: tuple[Newer, ...] = ()
    others: tuple[Newer, ...] = ()
    is_gone: bool = False
    is_withdrawn: bool = False
    is_changed: bool = False


def refresh(
    db: Database, client: CivitaiHttpClient, stop: threading.Event, tell: Tell | None = None
) -> None:
    """Ask what the site has of all models that a person has, many at once, unless it is fresh.

    Raises CivitaiError where Civitai cannot be reached, CancelledError once `stop` is set.
    """
    known = {one.model_id for one in holdings.every(db, holdings.KNOWN) if one.model_id}
    ids = sorted(known - told.kept(told.MODEL, known, fresh=True).keys())
    with background.work():
        client = client.until(stop)
        for start in range(0, len(ids), lookups.MOST_MODELS):
            some = ids[start : start + lookups.MOST_MODELS]
            found = lookups.models(client, some) if len(some) > 1 else {}
            told.keep(told.MODEL, found)
            told.keep(told.GONE, dict.fromkeys(found, False))
            for model_id in some:
                if stop.is_set():
                    raise CancelledError
                if model_id not in found:  # the list lacks some that are there
                    _ask_for(client, model_id)
            if tell:
                tell(Progress(ASKING, start + len(some), len(ids)))


def _ask_for(client: CivitaiHttpClient, model_id: int) -> None:
    try:
        model = lookups.model(client, model_id)
    except CivitaiError as error:
        if error.transient or isinstance(error, CancelledError):
            raise
        log.warning('Model %d could not be asked for: %s', model_id, error)
        return
    told.keep(told.GONE, {model_id: model is None})
    if model is not None:
        told.keep(told.MODEL, {model_id: model})


def standings(db: Database) -> list[Standing]:
    """Return how all files stand that are there, by what is kept; nobody is asked.

    Of one whose version nobody knows there is no more than the file. Raises StorageError.
    """
    found = [one for one in holdings.every(db) if one.is_there]
    here, now = {0, *(one.version_id for one in found)}, time.time()
    gone = told.kept(told.GONE, {one.model_id for one in found})
    standings = []
    for start in range(0, len(found), AT_ONCE):  # the answers of all of them may be very large
        some = found[start : start + AT_ONCE]
        models = told.kept(told.MODEL, {one.model_id for one in some})
        for one in some:
            is_gone = gone.get(one.model_id) is True
            standings.append(_standing(one, _mapping(models.get(one.model_id)), is_gone, here, now))
    return standings


def latest(db: Database, count: int) -> list[Standing]:
    """Return at most `count` files whose versions are known, one of each model, the newest first.

    Which versions came later is not looked at. Nobody is asked. Raises StorageError.
    """
    of_each: dict[int, Holding] = {}
    for one in holdings.latest(db, 4 * count):
        if one.is_there:
            of_each.setdefault(one.model_id or -one.version_id, one)
    some = list(of_each.values())[:count]
    models = told.kept(told.MODEL, {one.model_id for one in some})
    every = (_standing(one, _mapping(models.get(one.model_id)), False, set(), 0) for one in some)
    return [one for one in every if one.title]


def _standing(
    holding: Holding, model: Mapping[str, object], is_gone: bool, here: set[int], now: float
) -> Standing:
    versions = {
        lookups.number(v.get('id')): v for v in meta_of.mappings(model.get('modelVersions'))
    }
    own = versions.get(holding.version_id) or _version(holding.version_id)
    base = meta_of.as_text(own.get('baseModel'))
    later = [
        one
        for number, one in versions.items()
        if number not in here
        and is_published(one, now)
        and is_later(one, {**own, 'id': holding.version_id})
    ]
    newest = [_newer(one) for one in sorted(later, key=cmp_to_key(_order), reverse=True)]
    return Standing(
        holding,
        _title(model, own),
        base,
        tuple(one for one in newest if not base or one.base_model == base),
        tuple(one for one in newest if base and one.base_model != base),
        is_gone,
        bool(versions and holding.version_id not in versions and not is_gone),
        is_changed(holding, versions.get(holding.version_id)),
    )


def _version(number: int) -> Mapping[str, object]:
    return _mapping(told.kept(told.VERSION, [number]).get(number) if number else None)


def _mapping(found: object) -> Mapping[str, object]:
    return found if isinstance(found, Mapping) else {}


def is_published(version: Mapping[str, object], now: float) -> bool:
    """Tell whether a version is out; `now` is in seconds since 1970.

    Creators, whose key it may be, are told of drafts and of what is to come as well. Where nothing
    is said of that, it is out.
    """
    is_out = meta_of.as_text(version.get('status')).lower() in ('', 'published')
    when = modelfiles.moment(version.get('publishedAt'))
    return is_out and (math.isinf(when) or when <= now)


def is_later(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Tell whether a version came after the other: was published, else made, else numbered so."""
    moments = _moment(one), _moment(other)
    if math.inf not in moments and moments[0] != moments[1]:
        return moments[0] > moments[1]
    return lookups.number(one.get('id')) > lookups.number(other.get('id'))


def _moment(version: Mapping[str, object]) -> float:
    return modelfiles.moment(version.get('publishedAt') or version.get('createdAt'))


def _order(one: Mapping[str, object], other: Mapping[str, object]) -> int:
    return 1 if is_later(one, other) else -1


def _newer(version: Mapping[str, object]) -> Newer:
    offered = modelfiles.parse_offered(version)
    return Newer(
        offered.id,
        offered.name,
        offered.base_model,
        meta_of.as_text(version.get('publishedAt')),
        offered.paid_until,
        bool(offered.files) and offered.usage in ('', 'Download'),
    )


def _title(model: Mapping[str, object], version: Mapping[str, object]) -> str:
    of_version = version.get('model')
    name = meta_of.as_text(model.get('name')) or (
        meta_of.as_text(of_version.get('name')) if isinstance(of_version, Mapping) else ''
    )
    return ' · '.join(filter(None, (name, meta_of.as_text(version.get('name')))))


def is_changed(holding: Holding, version: Mapping[str, object] | None) -> bool:
    """Tell whether the site lists hashes of the version, but none of the file that came as it."""
    if version is None or not holding.sha256:
        return False
    of_files = modelfiles.listed_hashes(version)
    listed = {one['SHA256'] for one in of_files if 'SHA256' in one}
    tensors = {one['AutoV3'] for one in of_files if 'AutoV3' in one}
    return bool(listed) and holding.sha256 not in listed and holding.autov3 not in tensors
