"""Which model of Civitai a file is of that the lists of a WebUI show; nobody is asked."""

from __future__ import annotations

import os
from pathlib import Path

from .. import setting
from ..archive import holdings
from ..archive.database import Database
from ..archive.holdings import Holding
from ..civitai import urls
from ..errors import SourceError
from . import have, naming, neighbours, places

_MOST_CHARACTERS = 4096


def gallery_of(db: Database, name: str, path: str) -> str:
    """Return the address of the gallery of a model file, as the list of a WebUI tells it.

    `name` is what the list calls it, `path` where it says that the file is, perhaps in small
    letters, '' if it does not. The last scan knows it, or what lies beside it does.
    Raises SourceError if neither does, StorageError.
    """
    name, path = name[:_MOST_CHARACTERS], path[:_MOST_CHARACTERS]
    found = _at(db, path) if path else _called(db, name)
    links = {link for one in found if (link := _link(one))}
    if len(links) == 1:
        return links.pop()
    told = _told_beside(path) if path and not links else ''
    if told:
        return told
    is_asked = found and all(one.asked_at and not one.version_id for one in found)
    key = 'card_not_known' if is_asked else 'card_unknown'
    raise SourceError(key, name=urls.shown(name or Path(path).name))


def _called(db: Database, name: str) -> list[Holding]:
    stems = dict.fromkeys((name.lower(), holdings.stem_of(name)))
    return [one for one in holdings.called(db, list(stems)) if one.is_there]


def _at(db: Database, path: str) -> list[Holding]:
    wanted = {path.lower()}
    if places.is_read_from(path):
        wanted.add(os.path.realpath(path).lower())  # as a scan goes about it
    called = _called(db, os.path.basename(path))
    return [one for one in called if str(one.path).lower() in wanted]


def _link(one: Holding) -> str:
    return have.gallery_link(one) or _page(one.version_id, 0)


def _page(version_id: int, model_id: int) -> str:
    base = setting.civitai_base_url
    if not version_id:
        return ''
    if not model_id:
        return urls.page_url(base, 'model-versions', version_id)
    return f'{urls.page_url(base, "models", model_id)}?modelVersionId={version_id}'


def _told_beside(path: str) -> str:
    """What other tools wrote beside a model file that was not scanned yet."""
    file = Path(path)
    is_model = file.suffix.lower() in naming.MODEL_ENDINGS and places.is_read_from(path)
    if not is_model or not file.is_file():
        return ''
    told = neighbours.told_of(file)
    return _page(told.version_id, told.model_id) if told.fits(file.stat().st_size) else ''
