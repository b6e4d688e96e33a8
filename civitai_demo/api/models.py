"""The API routes about models."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import load_catalog
from .model_bodies import Body, Wish, model_body
from .model_query import cursor_to, find_models, read_model_query, start_of
from .replies import ApiError, account, base_url, json_reply, mixed_cache, signed_in

LARGEST_ID = 2147483647


def list_models(request: Request) -> Response:
    """GET /api/v1/models: one page of models."""
    catalog, query = load_catalog(), read_model_query(request)
    found = find_models(catalog, query, signed_in(request))
    start = start_of(catalog, found, query)
    end = start + query.limit
    metadata: Body = {}
    if query.counts_pages:
        metadata = {'currentPage': query.page, 'pageSize': query.limit}
    if query.limit and end < len(found):
        following = cursor_to(catalog, found, end, query)
        again = request.url.include_query_params(cursor=following).query
        if query.counts_pages:
            again = request.url.include_query_params(page=query.page + 1).query
        metadata['nextCursor'] = following
        metadata['nextPage'] = f'{base_url(request)}{request.url.path}?{again}'
    who = account(request)
    wish = Wish(
        base_url(request),
        listed=True,
        nsfw='nsfw' in query.flags,
        preferences=who.preferences if who else {},
        version_ids=query.version_ids,
        base_models=query.base_models,
        primary_only='primaryFileOnly' in query.flags,
        generating='supportsGeneration' in query.flags,
    )
    items = [model_body(catalog, model, wish) for model in found[start:end]]
    return json_reply(request, {'items': items, 'metadata': metadata}, mixed_cache(request))


def show_model(request: Request) -> Response:
    """GET /api/v1/models/{id}: one model with all previews."""
    number = read_id(request)
    model = load_catalog().model(number)
    if model is None:
        raise ApiError(404, {'error': f'No model with id {number}'})
    body = model_body(load_catalog(), model, Wish(base_url(request), listed=False))
    return json_reply(request, body, mixed_cache(request))


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
