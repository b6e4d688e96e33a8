"""Which models a picture was made with, as far as its `meta` tells."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Iterator, Mapping

from . import meta as meta_of

_MOST_RESOURCES = 200


@dataclass(frozen=True)
class Resource:
    """Something a picture was made with; at least one of name, hash and version_id is known.

    kind: 'checkpoint', 'lora', 'embedding', 'vae', 'upscaler' or 'other'. hash: lower-case hex of
    any of the usual lengths, '' if unknown. version_id: Civitai's id of the model version.
    """

    name: str
    kind: str
    weight: float | None
    hash: str
    version_id: int | None


# What the WebUI's VAE choice says if no file is chosen.
_NO_NAMES = {'None', 'Automatic'}
_HASH = re.compile(r'[0-9a-f]{6,64}')
_FILE_TYPE = re.compile(r'\.(?:safetensors|sft|ckpt|pth?|bin|gguf)$')

_KINDS = {'model': 'checkpoint', 'embed': 'embedding', 'textualinversion': 'embedding'}
_KINDS.update(dict.fromkeys(('lora', 'locon', 'dora', 'lycoris'), 'lora'))
_KINDS.update((kind, kind) for kind in ('checkpoint', 'embedding', 'vae', 'upscaler'))


def _resource(entry: Mapping[str, object]) -> Resource:
    told = meta_of.site_entry(entry)
    name = meta_of.as_text(entry.get('name')) or meta_of.as_text(entry.get('modelName'))
    digest = meta_of.as_text(entry.get('hash')).lower()
    weight = meta_of.as_number(told.get('weight'))
    return Resource(
        name=(
            ''
            if name in _NO_NAMES or 'modelVersionId' in told and meta_of.AIR.match(name)
            else name
        ),
        kind=_KINDS.get(str(told.get('type')).lower(), 'other'),
        weight=None if weight is None else float(weight),
        hash=digest if _HASH.fullmatch(digest) else '',
        version_id=int(meta_of.whole_text(told.get('modelVersionId')) or 0) or None,
    )


def _entries(meta: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """All that `meta` says about models, in the form of its `resources`."""
    main = {'model': meta.get('Model'), 'vae': meta.get('VAE')}
    for kind, name in main.items():
        yield {'type': kind, 'name': name}
    for key, found in meta_of.all_hashes(meta).items():
        kind, _, name = key.partition(':')
        yield {'type': kind, 'name': name or main.get(kind), 'hash': found}
    for key in ('resources', 'civitaiResources', 'additionalResources'):
        yield from meta_of.mappings(meta.get(key))
    for key, kind in (('models', 'model'), ('vaes', 'vae'), ('upscalers', 'upscaler')):
        names = meta.get(key)
        for name in names if isinstance(names, list) else ():
            yield {'type': kind, 'name': name}


def _same(one: Resource, other: Resource) -> bool:
    if one.version_id and one.version_id == other.version_id:
        return True
    # a short hash is the start of the long one
    if one.hash and other.hash and one.hash[:10] == other.hash[:10]:
        return True
    stems = [_FILE_TYPE.sub('', re.split(r'[\\/]', r.name.lower())[-1]) for r in (one, other)]
    return one.kind == other.kind and stems[0] == stems[1] != ''


def _joined(alike: list[Resource]) -> Resource:
    """One of several that are the same: of each field the first that says something."""
    columns = zip(*(astuple(one) for one in alike))
    return Resource(*(next((v for v in c if v not in ('', None, 'other')), c[0]) for c in columns))


def resources(meta: Mapping[str, object] | None) -> list[Resource]:
    """Return what a picture was made with, as far as its `meta` tells, each thing once.

    Entries with the same version id, hash, or kind and name are one; what one leaves open the
    other fills in. Values of a wrong type are passed over. Never raises.
    """
    merged: list[Resource] = []
    for entry in islice(_entries(meta_of.opened(meta)), _MOST_RESOURCES):
        new = _resource(entry)
        if not (new.name or new.hash or new.version_id):
            continue
        at = len(merged)
        while same := [old for old in merged if _same(old, new)]:
            at = min(at, merged.index(same[0]))
            merged = [old for old in merged if old not in same]
            new = _joined([*same, new])
        merged.insert(at, new)
    return merged
