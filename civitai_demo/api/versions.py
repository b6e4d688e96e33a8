"""The API routes about versions of models: by id, by hash, many at once, in brief."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import load_catalog
from ..world.entries import Model, Version
from . import complaints
from .complaints import Issue
from .files import ListedFile, primary_file
from .image_bodies import iso_time
from .model_bodies import Body, air_of, single_version_body
from .models import read_id
from .query import QueryReader
from .replies import ApiError, account, base_url, json_reply, mixed_cache, scenario_of
from .scenarios import version_under

MANY_BODIES, MANY_IDS = 100, 10_000
FREE_TRIALS = 10


def show_version(request: Request) -> Response:
    """GET /api/v1/model-versions/{id}."""
    found = load_catalog().version(read_id(request))
    if found is None:
        raise ApiError(404, {'error': 'Model not found'})
    body = single_version_body(load_catalog(), *found, base_url(request))
    body = version_under(scenario_of(request), body)
    return json_reply(request, body, mixed_cache(request))


def show_version_in_brief(request: Request) -> Response:
    """GET /api/v1/model-versions/mini/{id}: what the site's generator asks of a version.

    `modelFileId` chooses the file, else it is the one that the caller's preferences choose.
    """
    number, reader = read_id(request), QueryReader(request.query_params)
    file_id = reader.number('modelFileId', 1) or 0
    reader.refuse('epoch', 'number')
    reader.check(complaints.prettified)
    found = load_catalog().version(number)
    if found is None:
        raise ApiError(404, {'error': 'Model not found'})
    model, version = found
    own, who = [ListedFile(file) for file in version.files], account(request)
    chosen = primary_file(own, who.preferences if who else None)
    if file_id:
        chosen = next((listed for listed in own if listed.file.id == file_id), None)
    if chosen is None:
        reason = f'Model file {file_id} not found in version {number}'
        raise ApiError(404, {'error': reason if file_id else 'Missing model file'})
    body = _brief(model, version, chosen, file_id, base_url(request))
    return json_reply(request, body, mixed_cache(request))


def _brief(model: Model, version: Version, chosen: ListedFile, file_id: int, base: str) -> Body:
    file = chosen.file
    address = f'{base}/api/download/models/{version.id}?fileId={file.id}'
    body: Body = {
        'air': air_of(model, version, file.kind, file_id),
        'versionName': version.name,
        'modelName': model.name,
        'userId': model.creator.id,
        'baseModel': version.base_model,
        'availability': 'Public',
        'publishedAt': iso_time(version.published),
        'size': len(file.content) / 1024,
        'fileType': file.kind,
        'fileName': file.name,
        'hashes': dict(file.hashes),
        'downloadUrls': [address],
        'format': file.format,
        'canGenerate': version.covered,
        'isFeatured': False,
        'requireAuth': version.key_needed,
        'checkPermission': version.paid_until is not None,
        'additionalResourceCharge': False,
        'minor': False,
        'sfwOnly': False,
        'fees': [],
        'payoutEnabled': True,
    }
    if version.paid_until:
        body['earlyAccessEndsAt'] = iso_time(version.paid_until)
        body['freeTrialLimit'] = FREE_TRIALS
    return body


def show_version_by_hash(request: Request) -> Response:
    """GET /api/v1/model-versions/by-hash/{hash}: any kind of hash, any case."""
    found = _versions_of_hash(str(request.path_params['hash']))
    if not found:
        raise ApiError(404, {'error': 'Model not found'})
    body = single_version_body(load_catalog(), *found[0], base_url(request))
    return json_reply(request, body, 'public, s-maxage=3600, stale-while-revalidate=1800')


async def list_versions_by_hash(request: Request) -> Response:
    """POST /api/v1/model-versions/by-hash: the versions of up to 100 SHA256, unknown ones left out.

    Under `undefined-urls` its addresses begin with `https://undefined/`, as Civitai's did.
    """
    hashes = _hashes_in(await request.body(), MANY_BODIES)
    base = 'https://undefined' if scenario_of(request) else base_url(request)
    found = [pair for one in hashes for pair in _versions_of_hash(one, 'SHA256')]
    return json_reply(request, [single_version_body(load_catalog(), *pair, base) for pair in found])


async def list_ids_by_hash(request: Request) -> Response:
    """POST /api/v1/model-versions/by-hash/ids: whose files up to 10,000 SHA256 are."""
    hashes = _hashes_in(await request.body(), MANY_IDS)
    rows = [
        {'modelVersionId': version.id, 'modelId': model.id, 'hash': one.upper()}
        for one in hashes
        for model, version in _versions_of_hash(one, 'SHA256')
    ]
    return json_reply(request, rows)


def _hashes_in(body: bytes, most: int) -> list[str]:
    """The hashes in a JSON list; raises ApiError 400 if there is one that is none, or too many."""
    try:
        sent: object = json.loads(body)
    except ValueError:
        sent = None
    issues: list[Issue] = []
    found: list[str] = []
    if not isinstance(sent, list):
        issues.append(complaints.wrong_type((), 'array', _type_of(sent, body)))
        sent = []
    elif len(sent) > most:
        issues.append({'code': 'custom', 'path': [], 'message': 'Too many hashes'})
    for index, one in enumerate(sent):
        if not isinstance(one, str):
            issues.append(complaints.wrong_type((index,), 'string', _type_of(one, body)))
        elif len(one) != 64:
            issues.append({'code': 'custom', 'path': [index], 'message': 'Invalid hash'})
        else:
            found.append(one)
    if issues:
        listed = json.dumps(issues, indent=2)
        advice = f'Request must include an array of SHA256 Hashes. {listed}'
        raise ApiError(400, {'error': advice})
    return found


def _type_of(value: object, body: bytes) -> str:
    """What JavaScript calls the type of a value."""
    if value is None:
        return 'null' if body else 'undefined'
    names = {dict: 'object', list: 'array', str: 'string', bool: 'boolean'}
    return names.get(type(value), 'number')


def _versions_of_hash(text: str, kind: str = '') -> list[tuple[Model, Version]]:
    """The versions with a file of this hash (of one `kind`), the oldest first.

    The zeros that stand for a file nobody could read are no hash.
    """
    wanted = text.upper()
    if not wanted.strip('0'):
        return []
    found = [
        (model, version)
        for model in load_catalog().models
        for version in model.versions
        for file in version.files
        if wanted in ([file.hashes.get(kind)] if kind else file.hashes.values())
    ]
    return sorted(found, key=lambda pair: (pair[1].published, pair[1].id))
