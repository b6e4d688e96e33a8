"""What lies beside a model file, so that the tools that people use know it. Each by its setting.

Nothing that is there is replaced. What cannot be written is told, and never fails the model.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping

from .. import setting
from ..errors import CivitaiError
from ..host.layouts import Layout
from ..http_client import CivitaiHttpClient
from ..store import claims, files
from . import cards, neighbours, previews

log = logging.getLogger(__name__)

# What the answer about a model tells and readers of `.civitai.info` look for in its `model`.
_OF_MODEL = (
    'name type nsfw poi description tags allowNoCredit allowCommercialUse allowDerivatives '
    'allowDifferentLicense'.split()
)


@dataclass(frozen=True)
class Companion:
    """What became of one: `path` where it is now, None if there is none; `error`: why it failed."""

    ending: str
    path: Path | None = None
    is_new: bool = False
    error: CivitaiError | None = None


def write(
    path: Path,
    version: Mapping[str, object],
    model: Mapping[str, object],
    client: CivitaiHttpClient,
    *,
    kind: str,
    layout: Layout | None = None,
    sha256: str = '',
) -> list[Companion]:
    """Write what belongs beside the model file at `path`, of a `version` of a `model` of the API.

    `model` may be the little that the answer about the version tells of it. `kind` is that of the
    file (`library.kinds`), `layout` that of the program that reads it, `sha256` what was reckoned
    of it, '' if nothing was. The preview comes last: it alone needs the network. Never raises.
    """
    version, model = _without_key(version), _without_key(model)
    found = []
    if setting.model_info_file:
        found.append(_tried(neighbours.INFO, lambda: _info(path, version, model)))
    has_card = kind in cards.KINDS and (layout is None or layout.reads_user_metadata)
    if setting.model_json_file and has_card and path.suffix.lower() != neighbours.USER:
        told = cards.fields(version, model, kind, layout, sha256)
        found.append(_tried(neighbours.USER, lambda: _card(path, told)))
    if setting.model_preview_file:
        found.append(_tried('.preview', lambda: _preview(path, version, client)))
    return found


def _tried(ending: str, work: Callable[[], tuple[Path | None, bool]]) -> Companion:
    try:
        path, is_new = work()
    except CivitaiError as error:
        log.warning('A %s file could not be made: %s', ending, error)
        return Companion(ending, error=error)
    return Companion(ending, path, is_new)


def info(version: Mapping[str, object], model: Mapping[str, object]) -> dict[str, object]:
    """Return a version as `.civitai.info` has it: as its own answer, with more of its model."""
    own = version.get('model')
    own = dict(own) if isinstance(own, Mapping) else {}
    more = {name: model[name] for name in _OF_MODEL if model.get(name) is not None}
    found = {**version, 'model': {**more, **own}}
    if not neighbours.number(found.get('modelId')) and neighbours.number(model.get('id')):
        found['modelId'] = model['id']
    if 'creator' not in found and isinstance(model.get('creator'), Mapping):
        found['creator'] = model['creator']
    return found


def _info(
    path: Path, version: Mapping[str, object], model: Mapping[str, object]
) -> tuple[Path | None, bool]:
    final = neighbours.beside(path, neighbours.INFO)
    if os.path.lexists(final):
        return final, False
    return final, _put(cards.written(info(version, model)), final)


def _card(path: Path, told: Mapping[str, object]) -> tuple[Path | None, bool]:
    final = neighbours.beside(path, neighbours.USER)
    if not os.path.lexists(final):
        content = cards.merged(b'', told)
        return (final, _put(content, final)) if content else (None, False)
    real = Path(os.path.realpath(final))  # through a link, which stays one
    with files.explained(final.parent), files.opened(real) as file:
        before = file.read(neighbours.MOST_BYTES + 1)
    content = cards.merged(before, told) if 0 < len(before) <= neighbours.MOST_BYTES else None
    if content is None:
        return final, False
    with files.draft(real) as part, files.explained(real.parent):
        part.write_bytes(content)
        shutil.copymode(real, part)
        if real.read_bytes() != before:  # somebody writes to it just now
            return final, False
        files.place(part, real)
    return final, True


def _preview(
    path: Path, version: Mapping[str, object], client: CivitaiHttpClient
) -> tuple[Path | None, bool]:
    there = previews.existing(path)
    if there is not None:
        return there, False
    made = previews.fetch(path, version, client)
    return made, made is not None


def _without_key(told: Mapping[str, object]) -> Mapping[str, object]:
    """A server may say again what it was sent, and WebUIs serve what lies beside a model."""
    key, text = setting.civitai_api_key, json.dumps(told)
    if not key or key not in text:
        return told
    without: Mapping[str, object] = json.loads(text.replace(key, '***'))
    return without


def _put(content: bytes, final: Path) -> bool:
    """Write a new file; False if something came there in the meantime. Raises StorageError."""
    with files.draft(final) as part:
        with files.explained(final.parent):
            part.write_bytes(content)
        return claims.claim(part, final)
