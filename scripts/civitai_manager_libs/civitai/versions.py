"""Versions as things that pictures were made with: what their files are called, and their hashes.

The on-site generator writes version ids and no names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Mapping

from . import meta as meta_of, modelfiles
from .resources import resources, stem

MOST_VERSIONS = 100  # what one question may name, and far more than a picture is made with

# Where else than in an AIR the ids of versions may stand.
_LISTS = {'resources', 'civitaiResources', 'additionalResources', 'comfy'}

_KINDS = {'textualinversion': 'embed', 'hypernetwork': 'hypernet', 'checkpoint': 'checkpoint'}
_WEIGHTS = {'Model', 'Pruned Model', 'Negative', 'VAE', 'Diffusion Model', 'UNet'}
# The hash by which a WebUI finds a file of a kind, and how much of it; else the usual one.
_HASHES = {'lora': ('AutoV3', 12), 'embed': ('SHA256', 12)}
# What the answer about a version tells of its model.
_OF_MODEL = ('name', 'type', 'nsfw', 'poi', 'mode')
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
        hash=_hash(modelfiles.hashes_of(file), 'lora' if kind in ('locon', 'dora') else kind),
    )


def _main_file(files: object) -> Mapping[str, object]:
    """The file that a person downloads: the first of its kind, or the one that is marked so."""
    listed = meta_of.mappings(files)
    weights = [
        file for file in listed if meta_of.as_text(file.get('type', 'Model')) in _WEIGHTS
    ] or listed
    return next((file for file in weights if file.get('primary') is True), next(iter(weights), {}))


def _hash(hashes: Mapping[str, str], kind: str) -> str:
    asked = [_HASHES[kind], *_USUAL_HASHES] if kind in _HASHES else _USUAL_HASHES
    found = (hashes.get(name, '')[:length] for name, length in asked)
    return next(filter(None, found), '')


def versions_in(data: object) -> list[dict[str, object]]:
    """Return the versions in an answer of /api/v1/models, each as its own answer would be."""
    models = data.get('items') if isinstance(data, Mapping) else None
    return [
        {
            **version,
            'id': version.get('id'),
            'modelId': model.get('id'),
            'model': {name: model[name] for name in _OF_MODEL if name in model},
        }
        for model in meta_of.mappings(models)
        for version in meta_of.mappings(model.get('modelVersions'))
    ]


def asked_for(meta: Mapping[str, object]) -> list[int]:
    """Return the ids of the versions that `meta` names by nothing else, each once."""
    own = meta_of.opened(meta)
    if not (_LISTS & own.keys() or 'air:' in str(own).lower()):
        return []  # as of most pictures; to read all of it takes a while
    ids = [used.version_id for used in resources(own) if used.version_id and not used.name]
    return [number for number in ids if number < 2**31][:MOST_VERSIONS]


def named(meta: Mapping[str, object], known: Collection[KnownVersion]) -> dict[str, object]:
    """Return `meta` with a further entry of its resources for each version that is known."""
    told: list[Mapping[str, object]] = [
        {
            'type': version.kind,
            'modelVersionId': version.id,
            'name': version.name,
            'hash': version.hash,
            'title': version.title,
        }
        for version in known
    ]
    if not told:
        return dict(meta)
    return {**meta, 'civitaiResources': [*meta_of.mappings(meta.get('civitaiResources')), *told]}
