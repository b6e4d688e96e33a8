"""Whether a person has what a picture was made with, and where a local file belongs on the site."""

from __future__ import annotations

import enum
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

from .. import setting
from ..archive import answers, holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..civitai import urls
from ..civitai.modellinks import parse_model_source
from ..civitai.resources import Resource, stem
from ..errors import SourceError
from . import kinds, told, updates

# Shorter ones are of other kinds of hashes, and too short to name a file.
LEAST_HASH = 10
_KINDS: Mapping[str, frozenset[str]] = {
    'checkpoint': frozenset({'Checkpoint', 'UNet'}),
    'lora': kinds.LORAS,
    'embedding': frozenset({'TextualInversion'}),
    'vae': frozenset({'VAE'}),
    'upscaler': frozenset({'Upscaler'}),
}


class State(enum.Enum):
    """HERE: it is on this disk. MAYBE: a file is called so. UNKNOWN: nobody has looked at all."""

    HERE = 'here'
    MAYBE = 'maybe'
    NOT_HERE = 'not here'
    UNKNOWN = 'unknown'


@dataclass(frozen=True)
class Have:
    """Whether a `resource` is here, as which `files`; `by` says what told so.

    That is 'version', 'hash' or 'name', of which the last is a guess; '' if it is not here.
    """

    resource: Resource
    state: State
    by: str = ''
    files: tuple[Holding, ...] = ()

    @property
    def is_lacking(self) -> bool:
        """Whether no file here is it, as far as known."""
        return self.state in (State.NOT_HERE, State.UNKNOWN)

    @property
    def source(self) -> str:
        """By what it can be asked for: a link or a hash; '' by nothing, as of just a name."""
        version, digest = self.resource.version_id, self.resource.hash
        named = []
        if version:
            named.append(urls.page_url(setting.civitai_base_url, 'model-versions', version))
        if len(digest) >= LEAST_HASH:
            named.append(f'0x{digest}')  # without that, one of digits alone could be an id
        for source in named:
            with suppress(SourceError):
                parse_model_source(source, setting.civitai_base_url)
                return source
        return ''


def have(db: Database, resources: Sequence[Resource]) -> list[Have]:
    """Tell of each of the `resources` whether it is here, by what the last scan found.

    A file that is not there any more counts no more, and one that nobody hashed yet may be any.
    Before the first scan nothing is known but what was fetched here.
    Raises StorageError.
    """
    has_looked = bool(answers.kept(db, answers.LOOKED, [0]))
    unread, _ = holdings.totals(db, holdings.NOT_HASHED)
    return [_have(db, one, is_sure=has_looked and not unread) for one in resources]


def _have(db: Database, resource: Resource, is_sure: bool) -> Have:
    by_version = holdings.of_versions(db, [resource.version_id or 0])
    if files := _there(one for one in by_version if not _is_doubtful(one)):
        return Have(resource, State.HERE, 'version', files)
    is_hash = len(resource.hash) >= LEAST_HASH
    if is_hash and (files := _there(holdings.hashed(db, resource.hash))):
        return Have(resource, State.HERE, 'hash', files)
    called = holdings.called(db, [stem(resource.name).lower()])
    called = [one for one in called if _is_of_kind(one, resource.kind)]
    called = [one for one in called if not _contradicts(one, resource)]
    if files := _there(dict.fromkeys([*by_version, *called])):
        return Have(resource, State.MAYBE, 'name', files)
    return Have(resource, State.NOT_HERE if is_sure else State.UNKNOWN)


def _there(found: Iterable[Holding]) -> tuple[Holding, ...]:
    return tuple(one for one in found if one.is_there)


def _is_doubtful(holding: Holding) -> bool:
    """Whether only what lies beside a file tells its version, and the site lists others of that.

    It may have been replaced there, or spoiled here.
    """
    if holding.told_by != holdings.BESIDE:
        return False
    version = told.kept(told.VERSION, [holding.version_id]).get(holding.version_id)
    return isinstance(version, Mapping) and updates.is_changed(holding, version)


def _is_of_kind(holding: Holding, kind: str) -> bool:
    return kind not in _KINDS or holding.kind in _KINDS[kind] or holding.kind == 'Other'


def _contradicts(holding: Holding, resource: Resource) -> bool:
    """Whether a file is known to be of another version, or a checkpoint to have another hash."""
    if resource.version_id and holding.version_id:
        return resource.version_id != holding.version_id
    is_whole = holding.kind == 'Checkpoint' and len(resource.hash) >= LEAST_HASH
    return bool(is_whole and holding.sha256 and not holding.sha256.startswith(resource.hash))


def gallery_link(holding: Holding) -> str:
    """Return the address of the gallery of a local file, '' if nobody knows which version it is."""
    model_id = holding.model_id
    if holding.version_id and not model_id:
        version = told.kept(told.VERSION, [holding.version_id]).get(holding.version_id)
        known = version.get('modelId') if isinstance(version, Mapping) else 0
        model_id = known if isinstance(known, int) else 0
    if not model_id or not holding.version_id:
        return ''
    page = urls.page_url(setting.civitai_base_url, 'models', model_id)
    return f'{page}?modelVersionId={holding.version_id}'


def duplicates(db: Database) -> list[list[Holding]]:
    """Return the files that have the same bytes, the largest first. Raises StorageError.

    Names of one file are no duplicates: they take no room.
    """
    alike: dict[str, list[Holding]] = {}
    for one in holdings.every(db, holdings.TWINS):
        if one.is_there:
            alike.setdefault(one.sha256, []).append(one)
    found = (list(_by_place(some).values()) for some in alike.values())
    groups = [some for some in found if len(some) > 1]
    return sorted(groups, key=lambda some: -some[0].size)


def _by_place(some: Sequence[Holding]) -> dict[tuple[int, int], Holding]:
    found: dict[tuple[int, int], Holding] = {}
    for one in some:
        there = os.stat(one.path)
        found.setdefault((there.st_dev, there.st_ino), one)
    return found
