"""What `models missing` does: which models a picture needs, and which of them are not here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Sequence

from .. import api, setting, texts
from ..archive.place import archive
from ..civitai import infotext, inside, meta as meta_of, modelfiles, urls, versions
from ..civitai.gallery import ALL_LEVELS
from ..civitai.pasted import NUMBER
from ..civitai.resources import Resource, resources
from ..civitai.source import parse_source
from ..errors import SourceError, StorageError
from ..http_client import CivitaiHttpClient
from ..library import have
from ..library.have import Have
from ..store import embedded, files
from . import fetching, reports, running
from .fetching import Wish
from .running import Manner, Work

_MOST_BYTES = 8_000_000
_TEXTS = frozenset({'.txt', '.json'})


def missing(given: str, is_to_get: bool, manner: Manner) -> int:
    """Tell which models a picture needs and which are here; fetch those that are not, if asked."""
    found: list[Have] = []

    def look(work: Work) -> reports.Report:
        found.extend(_needed(work, given))
        return _report(found)

    report, number = reports.done('missing', manner, look)
    wanted = [one for one in found if one.is_lacking and one.source] if is_to_get else []
    wishes = [Wish(one.source, label=_name(one.resource)) for one in wanted]
    if number or not wishes:
        return reports.tell(report, number, manner)
    if not manner.as_json:  # else one object tells of all
        reports.tell(report, 0, manner)
    tasks = [fetching.task_of(one, False) for one in wishes]
    code = running.carry_out(tasks, manner, True, report.told)
    is_lacking = len(wishes) < sum(one.is_lacking for one in found)
    return max(code, int(is_lacking))


def _needed(work: Work, given: str) -> list[Have]:
    """Whether what the picture needs is here. Raises CivitaiError."""
    client = work.client.until(work.stop)
    told, ids = _made_with(client, given)
    ids = list(dict.fromkeys([*ids, *versions.asked_for(told)]))
    asked = api.fetch_versions(client, ids) if ids else {}
    known = filter(None, (versions.parse_version(one) for one in asked.values()))
    return have.have(archive(), resources(versions.named(told, list(known))))


def _made_with(client: CivitaiHttpClient, given: str) -> tuple[Mapping[str, object], Sequence[int]]:
    """How a picture was made, a file here or one of Civitai's, and the ids of versions beside that.

    Raises CivitaiError.
    """
    path = Path(given).expanduser()
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        return _meta_in(path), ()
    address = given.strip()
    if NUMBER.fullmatch(address):  # of a picture here, not of a model
        address = f'{setting.civitai_base_url.rstrip("/")}/images/{address}'
    unusable = SourceError('cli_missing_source', given=urls.shown(given))
    try:
        source = parse_source(address, setting.civitai_base_url)
    except SourceError as error:
        raise unusable if error.key == 'source_unknown' else error from None
    if source.kind != 'image':
        raise unusable
    query = api.GalleryQuery(image_id=source.number, levels=ALL_LEVELS)
    page = api.fetch_page(client, query)
    if not page.images:
        api.check_there(client, api.open_gallery(client, source).of_levels(ALL_LEVELS))
        return {}, ()
    [image, *_] = page.images
    listed = image.item.get('modelVersionIds')  # which is told where the rest is hidden, too
    found = map(modelfiles.whole, listed if isinstance(listed, list) else ())
    return image.meta, [number for number in found if number]


def _meta_in(path: Path) -> Mapping[str, object]:
    if path.suffix.lower() not in _TEXTS:
        return inside.meta_in(embedded.texts(path))
    with files.explained(path.parent), path.open('rb') as file:
        text = _decoded(file.read(_MOST_BYTES))
    if path.suffix.lower() == '.txt':
        return infotext.decode(text)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise StorageError('cli_missing_no_json', name=path.name) from None
    own = said.get('meta') if isinstance(said, Mapping) else None
    return meta_of.opened(own if own is not None else said)


def _decoded(data: bytes) -> str:
    """A text in whichever form of Unicode, which its first bytes tell, or in Latin-1."""
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return embedded.decoded(data)


def _report(found: Sequence[Have]) -> reports.Report:
    lacking = sum(one.is_lacking for one in found)
    lines = [_line(one) for one in found] or [_text('cli_missing_nothing')]
    told = {'resources': [_row(one) for one in found], 'missing': lacking}
    return reports.Report(told, lines, [], bool(found) and not lacking)


def _line(one: Have) -> str:
    paths = ', '.join(str(file.path) for file in one.files)
    key = f'cli_need_{one.state.name.lower()}'
    kind = _text(f'resource_{one.resource.kind}')
    return _text(key, kind=kind, name=_name(one.resource), paths=paths)


def _name(resource: Resource) -> str:
    return resource.title or resource.name or resource.hash or str(resource.version_id)


def _row(one: Have) -> dict[str, Any]:
    resource = one.resource
    return {
        'kind': resource.kind,
        'name': resource.name,
        'title': resource.title,
        'weight': resource.weight,
        'hash': resource.hash,
        'version_id': resource.version_id or 0,
        'state': one.state.name.lower(),
        'by': one.by,
        'paths': [str(file.path) for file in one.files],
    }


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
