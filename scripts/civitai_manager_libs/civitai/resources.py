"""Which models a picture was made with, as far as its `meta` tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Iterator

from . import comfy, meta as meta_of

_MOST_RESOURCES = 200


@dataclass(frozen=True)
class Resource:
    """Something a picture was made with; at least one of name, hash and version_id is known.

    name: of the file, as a rule. kind: 'checkpoint', 'lora', 'embedding', 'vae', 'upscaler' or
    'other'. hash: lower-case hex of any of the usual lengths, '' if unknown. version_id: Civitai's
    id of the model version. title: what the site calls it, '' if nobody asked.
    """

    name: str
    kind: str
    weight: float | None
    hash: str
    version_id: int | None
    title: str = ''


# What the WebUI's choices say if no file is chosen.
_NO_NAMES = {'None', 'Automatic', 'Use same checkpoint'}
_FILE_TYPE = re.compile(r'\.(?:safetensors|sft|ckpt|pth?|bin|gguf)$', re.IGNORECASE)
_TAG = re.compile(r'<(lora|lyco|hypernet):([^<>:\n]+)(?::([^<>\n]*))?>', re.IGNORECASE)
_TAG_WEIGHT = re.compile(r'(?:^|unet=)\s*(-?[0-9.]{1,9})\s*(?=:|$)')
# 'name [hash]' of the WebUI and 'name(hash)' of the Additional Networks extension
_NAME_AND_HASH = re.compile(r'(.*?)\s*[\[(]([0-9a-fA-F]{6,64})[\])]', re.DOTALL)

_KINDS = {'model': 'checkpoint', 'embed': 'embedding', 'textualinversion': 'embedding'}
_KINDS.update(dict.fromkeys(('lora', 'lyco', 'locon', 'dora', 'lycoris'), 'lora'))
_KINDS.update((kind, kind) for kind in ('checkpoint', 'embedding', 'vae', 'upscaler'))
# Checkpoints beside the one that `Model` names.
FURTHER_CHECKPOINTS = ('Refiner', 'Hires checkpoint')


def file_name(path: str) -> str:
    """The name of a file without its folders."""
    return re.split(r'[\\/]', path)[-1].strip()


def stem(path: str) -> str:
    """The name of a model's file without folders and extension."""
    return _FILE_TYPE.sub('', file_name(path)).strip()


def _resource(entry: Mapping[str, object]) -> Resource:
    told = meta_of.site_entry(entry)
    name = meta_of.as_text(entry.get('name')) or meta_of.as_text(entry.get('modelName'))
    weight = meta_of.as_number(told.get('weight'))
    return Resource(
        name=(
            ''
            if name in _NO_NAMES or 'modelVersionId' in told and meta_of.AIR.match(name)
            else name
        ),
        kind=_KINDS.get(str(told.get('type')).lower(), 'other'),
        weight=None if weight is None else float(weight),
        hash=meta_of.hash_of(entry.get('hash')),
        version_id=int(meta_of.whole_text(told.get('modelVersionId')) or 0) or None,
        title=meta_of.as_text(entry.get('title')),
    )


def _entries(meta: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """All that `meta` says about models, in the form of its `resources`."""
    main = {'model': meta.get('Model'), 'vae': meta.get('VAE')}
    for kind, name in main.items():
        if name:
            yield {'type': kind, 'name': name}
    for key, found in meta_of.all_hashes(meta).items():
        kind, _, name = key.partition(':')
        if kind == 'refiner':
            yield {'type': 'model', 'name': _named(meta.get('Refiner')).get('name'), 'hash': found}
        else:
            yield {'type': kind, 'name': name or main.get(kind), 'hash': found}
    for key in ('resources', 'civitaiResources', 'additionalResources'):
        yield from meta_of.mappings(meta.get(key))
    for key, kind in (('models', 'model'), ('vaes', 'vae'), ('upscalers', 'upscaler')):
        names = meta.get(key)
        for name in names if isinstance(names, list) else ():
            yield {'type': kind, 'name': name}
    yield from _webui_entries(meta)


def _webui_entries(meta: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """What the settings and the prompt of a WebUI say besides."""
    for key in FURTHER_CHECKPOINTS:
        if key in meta:
            yield {'type': 'model', **_named(meta[key])}
    if 'Refiner hash' in meta:
        yield {'type': 'model', **_named(meta.get('Refiner')), 'hash': meta['Refiner hash']}
    if 'Hypernet' in meta:
        weight = meta.get('Hypernet strength')
        yield {'type': 'hypernet', **_named(meta['Hypernet']), 'weight': weight}
    weights = meta.get('Lora weights')
    for name, weight in weights.items() if isinstance(weights, Mapping) else ():
        yield {'type': 'lora', 'name': name, 'weight': weight}
    if meta_of.as_text(meta.get('AddNet Enabled')) != 'False':
        for number in (one for one in range(1, 6) if f'AddNet Model {one}' in meta):
            model = _named(meta[f'AddNet Model {number}'])
            weight = meta.get(f'AddNet Weight {number}', meta.get(f'AddNet Weight A {number}'))
            kind = meta.get(f'AddNet Module {number}', 'lora')
            yield {'type': kind, **model, 'weight': weight}
    for kind, name, weight in tags(meta.get('prompt')):
        yield {'type': kind, 'name': name, 'weight': weight}


def _named(value: object) -> dict[str, object]:
    """The name and the hash in a text like 'name [hash]'."""
    text = meta_of.as_text(value)
    both = _NAME_AND_HASH.fullmatch(text)
    return {'name': both[1], 'hash': both[2]} if both else {'name': text}


def tags(prompt: object) -> list[tuple[str, str, str]]:
    """Kind, name and weight of what a prompt calls by tags like `<lora:NAME:0.8>`."""
    found = islice(_TAG.finditer(prompt), _MOST_RESOURCES) if isinstance(prompt, str) else ()
    weights = ((tag, _TAG_WEIGHT.search(tag[3] or '1')) for tag in found)
    return [(tag[1].lower(), tag[2].strip(), one[1] if one else '') for tag, one in weights]


def _same(one: Resource, other: Resource) -> bool:
    if one.version_id and one.version_id == other.version_id:
        return True
    # a short hash is the start of the long one
    if one.hash and other.hash and one.hash[:10] == other.hash[:10]:
        return True
    stems = [stem(resource.name.lower()) for resource in (one, other)]
    return one.kind == other.kind and stems[0] == stems[1] != ''


def _joined(alike: list[Resource]) -> Resource:
    """One of several that are the same: of each field the first that says something."""
    columns = zip(*(astuple(one) for one in alike))
    return Resource(*(next((v for v in c if v not in ('', None, 'other')), c[0]) for c in columns))


def resources(meta: Mapping[str, object] | None) -> list[Resource]:
    """Return what a picture was made with, as far as its `meta` tells, each thing once.

    A ComfyUI graph is read too. Entries with the same version id, hash, or kind and name are one;
    what one leaves open the other fills in. Values of a wrong type are passed over. Never raises.
    """
    merged: list[Resource] = []
    entries = _entries(comfy.completed(meta_of.opened(meta)))
    for entry in islice(entries, _MOST_RESOURCES):
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
