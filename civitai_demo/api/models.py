"""The API routes about models, versions and people."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import load_catalog
from ..world.models import USERS, Model, Version
from .images import TOO_MANY_PAGES
from .model_bodies import Body, model_body, single_version_body
from .query import QueryReader, whole_number
from .replies import (
    PRIVATE_CACHE,
    ApiError,
    base_url,
    json_reply,
    mixed_cache,
    scenario_of,
    signed_in,
)

LARGEST_ID = 2147483647
MODEL_TYPES = (
    'Checkpoint',
    'TextualInversion',
    'Hypernetwork',
    'LORA',
    'LoCon',
    'DoRA',
    'Controlnet',
    'Upscaler',
    'VAE',
    'Workflows',
    'Other',
)
MODEL_SORTS = (
    'Highest Rated',
    'Most Downloaded',
    'Most Liked',
    'Most Discussed',
    'Most Collected',
    'Most Images',
    'Newest',
    'Oldest',
)
PERIODS = ('Day', 'Week', 'Month', 'Year', 'AllTime')
# Typed as boolean or number but never converted from text: sending them is a 400.
UNSENDABLE = {'allowNoCredit': 'boolean', 'browsingLevel': 'number', 'collectionId': 'number'}


def list_models(request: Request) -> Response:
    """GET /api/v1/models: one page of models."""
    params = request.query_params
    if not signed_in(request) and ('favorites' in params or 'hidden' in params):
        raise ApiError(401, {'error': 'Unauthorized'})
    reader = QueryReader(params)
    limit, page = reader.number('limit', 0, 100), reader.number('page', 1) or 0
    words = (reader.text('query') or '').casefold()
    name = (reader.text('username') or '').casefold()
    types, ids = reader.choices('types', MODEL_TYPES), reader.numbers('ids')
    tag, nsfw = (reader.text('tag') or '').casefold(), bool(reader.flag('nsfw'))
    cursor = reader.text('cursor') or ''
    reader.choice('sort', MODEL_SORTS)
    reader.choice('period', PERIODS)
    for refused, expected in UNSENDABLE.items():
        reader.refuse(refused, expected)
    reader.check()
    _check_paging(words, page, 100 if limit is None else limit)
    found = [
        model
        for model in load_catalog().models
        if words in model.name.casefold()
        and (not name or model.creator.name.casefold() == name)
        and (not types or model.kind in types)
        and (not ids or model.id in ids)
        and (not tag or tag in model.tags)
    ]
    return _models_page(request, found, (limit, page, cursor, bool(words)), nsfw)


def _check_paging(words: str, page: int, limit: int) -> None:
    if words and page:
        advice = 'Cannot use page param with query search. Use cursor-based pagination.'
        raise ApiError(400, {'error': advice})
    if page * limit > 1000:
        raise ApiError(429, {'error': TOO_MANY_PAGES})


def _models_page(
    request: Request, found: list[Model], paging: tuple[int | None, int, str, bool], nsfw: bool
) -> Response:
    """The page of `found` that `paging` (limit, page, cursor, searching) points at."""
    limit = 100 if paging[0] is None else paging[0]
    _, page, cursor, searching = paging
    start = (page - 1) * limit if page and not cursor else 0
    if cursor:
        last = cursor.rpartition('|')[2]
        start = whole_number(last)
        if not start and last != '0':
            raise ApiError(400, {'message': f'Invalid cursor: {cursor}'})
    end = start + limit
    metadata: Body = {'currentPage': page, 'pageSize': limit} if page else {}
    if limit and end < len(found):
        following = str(end) if searching else f'22138|364671|{end}'
        again = request.url.include_query_params(cursor=following).query
        if page and not cursor:
            again = request.url.include_query_params(page=page + 1).query
        metadata['nextCursor'] = following
        metadata['nextPage'] = f'{base_url(request)}{request.url.path}?{again}'
    base = base_url(request)
    items = [
        model_body(load_catalog(), model, base, nsfw=nsfw, listed=True)
        for model in found[start:end]
    ]
    return json_reply(request, {'items': items, 'metadata': metadata}, mixed_cache(request))


def show_model(request: Request) -> Response:
    """GET /api/v1/models/{id}: one model with all previews."""
    number = read_id(request)
    model = load_catalog().model(number)
    if model is None:
        raise ApiError(404, {'error': f'No model with id {number}'})
    body = model_body(load_catalog(), model, base_url(request), nsfw=True, listed=False)
    return json_reply(request, body, mixed_cache(request))


def show_version(request: Request) -> Response:
    """GET /api/v1/model-versions/{id}."""
    found = load_catalog().version(read_id(request))
    if found is None:
        raise ApiError(404, {'error': 'Model not found'})
    return json_reply(
        request,
        single_version_body(load_catalog(), *found, base_url(request)),
        mixed_cache(request),
    )


def show_version_by_hash(request: Request) -> Response:
    """GET /api/v1/model-versions/by-hash/{hash}: any kind of hash, any case."""
    found = _version_of_hash(str(request.path_params['hash']))
    if found is None:
        raise ApiError(404, {'error': 'Model not found'})
    body = single_version_body(load_catalog(), *found, base_url(request))
    return json_reply(request, body, 'public, s-maxage=3600, stale-while-revalidate=1800')


async def list_versions_by_hash(request: Request) -> Response:
    """POST /api/v1/model-versions/by-hash: the versions of up to 100 SHA256, unknown ones left out.

    Under `undefined-urls` its addresses begin with `https://undefined/`, as Civitai's did.
    """
    try:
        hashes = await request.json()
    except ValueError:
        hashes = None
    good = isinstance(hashes, list) and len(hashes) <= 100
    if not good or not all(isinstance(one, str) and len(one) == 64 for one in hashes):
        raise ApiError(400, {'error': '✖ Invalid input: expected up to 100 SHA256 hashes'})
    base = 'https://undefined' if scenario_of(request) else base_url(request)
    found = [pair for pair in map(_version_of_hash, hashes) if pair]
    return json_reply(request, [single_version_body(load_catalog(), *pair, base) for pair in found])


def _version_of_hash(text: str) -> tuple[Model, Version] | None:
    """The oldest version that has a file with this hash, with its model."""
    wanted = text.upper()
    for model in load_catalog().models:
        for version in reversed(model.versions):
            if any(wanted in file.hashes.values() for file in version.files):
                return model, version
    return None


def show_me(request: Request) -> Response:
    """GET /api/v1/me: who the key belongs to."""
    if not signed_in(request):
        raise ApiError(401, {'error': 'Unauthorized'})
    body = {'id': 30001, 'username': 'demo_visitor', 'tier': 'free', 'status': 'active'}
    return json_reply(request, {**body, 'isMember': False, 'subscriptions': []}, PRIVATE_CACHE)


def list_users(request: Request) -> Response:
    """GET /api/v1/users: by ids, or up to five whose name begins with `query`."""
    reader = QueryReader(request.query_params)
    ids, start = reader.numbers('ids'), (reader.text('query') or '').casefold()
    reader.check()
    found = [user for user in USERS if user.id in ids]
    if not ids:
        found = [user for user in USERS if start and user.name.casefold().startswith(start)][:5]
    items = [{'id': user.id, 'username': user.name, 'avatarNsfw': 'None'} for user in found]
    return json_reply(request, {'items': items})


def read_id(request: Request) -> int:
    """The id in the path; raises ApiError 400 outside 1 to 2147483647."""
    text = str(request.path_params['id'])
    # A handful of digits decides; Python refuses to read thousands of them.
    number = int(text[:20]) if re.fullmatch(r'-?[0-9]+', text) else None
    if number is None:
        problem = 'Invalid input: expected number, received NaN'
    elif number > LARGEST_ID:
        problem = f'Too big: expected number to be <={LARGEST_ID}'
    elif number < 1:
        problem = 'Too small: expected number to be >=1'
    else:
        return number
    raise ApiError(400, {'error': f'✖ {problem}\n  → at id'})
