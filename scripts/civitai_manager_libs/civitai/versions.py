"""Versions as things that pictures were made with: what their files are called, and their hashes.

The on-site generator writes version ids and no names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Mapping

from . import meta as meta_of
from .resources import stem

MOST_VERSIONS = 100  # what one question may name, and far more than a picture is made with

_KINDS = {'textualinversion': 'embed', 'hypernetwork': 'hypernet', 'checkpoint': 'checkpoint'}
_WEIGHTS = {'Model', 'Pruned Model', 'Negative', 'VAE', 'Diffusion Model', 'UNet'}
# The hash by which a WebUI finds a file of a kind, and how much of it; else the usual one.
_HASHES = {'lora': ('AutoV3', 12), 'embed': ('SHA256', 12)}
_USUAL_HASHES = (('AutoV2', 10), ('SHA256', 10))


@dataclass(frozen=True)
class KnownVersion:
    """A version by its id: title is for people, name that of its file, hash what a WebUI writes.

    kind is Civitai's type in small letters, 'embed' for an embedding; hash is '' if unknown.
    """

    id: int
    title: str
    name: str
    kind: str
    hash: str


def parse_version(data: object) -> KnownVersion | None:
    """Return the version in an answer of /api/v1/model-versions/{id}, None if it is none."""
    data = data if isinstance(data, Mapping) else {}
    model = data.get('model')
    model = model if isinstance(model, Mapping) else {}
    number, title = data.get('id'), meta_of.as_text(model.get('name'))
    if not isinstance(number, int) or isinstance(number, bool) or not title:
        return None
    kind = meta_of.as_text(model.get('type')).lower()
    kind = _KINDS.get(kind, kind)
    file = _main_file(data.get('files'))
    return KnownVersion(
        id=number,
        title=' · '.join(filter(None, (title, meta_of.as_text(data.get('name'))))),
        name=stem(meta_of.as_text(file.get('name'))) or title,
        kind=kind,
        hash=_hash(file.get('hashes'), 'lora' if kind in ('locon', 'dora') else kind),
    )


def _main_file(files: object) -> Mapping[str, object]:
    """The file that a person downloads: the first of its kind, or the one that is marked so."""
    listed = meta_of.mappings(files)
    weights = [
        file for file in listed if meta_of.as_text(file.get('type', 'Model')) in _WEIGHTS
    ] or listed
    return next((file for file in weights if file.get('primary') is True), next(iter(weights), {}))


def _hash(hashes: object, kind: str) -> str:
    hashes = hashes if isinstance(hashes, Mapping) else {}
    asked = [_HASHES[kind], *_USUAL_HASHES] if kind in _HASHES else _USUAL_HASHES
    found = (meta_of.hash_of(hashes.get(name))[:length] for name, length in asked)
    return next(filter(None, found), '')


def versions_in(data: object) -> list[dict[str, object]]:
    """Return the versions in an answer of /api/v1/models, each as its own answer would be."""
    models = data.get('items') if isinstance(data, Mapping) else None
    return [
        {
            'id': version.get('id'),
            'modelId': model.get('id'),
            'name': version.get('name'),
            'model': {'name': model.get('name'), 'type': model.get('type')},
            'files': version.get('files'),
        }
        for model in meta_of.mappings(models)
        for version in meta_of.mappings(model.get('modelVersions'))
    ]


def asked_for(meta: Mapping[str, object]) -> list[int]:
    """Return the ids of the versions that `meta` names by nothing else, each once."""
    listed = [
        meta_of.site_entry(entry)
        for key in ('civitaiResources', 'additionalResources')
        for entry in meta_of.mappings(meta.get(key))
        if meta_of.AIR.match(name := meta_of.as_text(entry.get('name'))) or not name
    ]
    listed.append(meta_of.site_entry({'name': meta.get('Model')}))
    ids = (entry.get('modelVersionId') for entry in listed)
    found = dict.fromkeys(number for number in ids if isinstance(number, int))
    return [number for number in found if number < 2**31][:MOST_VERSIONS]


def named(meta: Mapping[str, object], known: Collection[KnownVersion]) -> dict[str, object]:
    """Return `meta` with name, hash and title in each entry whose version is known."""
    by_id = {version.id: version for version in known}
    whole = dict(meta)
    for key in ('civitaiResources', 'additionalResources'):
        if entries := meta_of.mappings(meta.get(key)):
            whole[key] = [_named_entry(entry, by_id) for entry in entries]
    model = meta_of.site_entry({'name': meta.get('Model')}).get('modelVersionId')
    if isinstance(model, int) and model in by_id:
        entry = _named_entry({'modelVersionId': model}, by_id)
        whole['civitaiResources'] = [entry, *meta_of.mappings(whole.get('civitaiResources'))]
    return whole


def _named_entry(
    entry: Mapping[str, object], by_id: Mapping[int, KnownVersion]
) -> Mapping[str, object]:
    number = meta_of.site_entry(entry).get('modelVersionId')
    version = by_id.get(number) if isinstance(number, int) else None
    if version is None:
        return entry
    told = {'name': version.name, 'hash': version.hash, 'title': version.title}
    # an old weight stays, and so does a kind: the site's own words for a picture count
    return {'type': version.kind, **entry, 'modelVersionId': number, **told}
