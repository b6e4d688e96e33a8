"""The API routes about people: who a key belongs to, users, rights, the vault, articles."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..world.articles import ARTICLES, Article
from ..world.catalog import load_catalog
from ..world.entries import USERS
from .accounts import Account
from .complaints import zod_error
from .image_bodies import iso_time
from .model_bodies import Body
from .models import read_id
from .query import QueryReader
from .replies import (
    PRIVATE_CACHE,
    ApiError,
    account,
    base_url,
    json_reply,
    mixed_cache,
)
from .words import ARTICLE_SORTS


def show_me(request: Request) -> Response:
    """GET /api/v1/me: who the key belongs to."""
    who = _known(request)
    body = {'id': who.id, 'username': who.name, 'tier': 'free', 'status': 'active'}
    return json_reply(request, {**body, 'isMember': False, 'subscriptions': []}, PRIVATE_CACHE)


def _known(request: Request) -> Account:
    who = account(request)
    if who is None:
        raise ApiError(401, {'error': 'Unauthorized'})
    return who


def list_users(request: Request) -> Response:
    """GET /api/v1/users: by ids, or up to five whose name begins with `query`.

    Complaints stand here without an `error` around them.
    """
    reader = QueryReader(request.query_params)
    reader.number('limit', 1, 200)
    reader.number('page', 0)
    ids, start = reader.numbers('ids'), (reader.text('query') or '').casefold()
    reader.check(zod_error)
    found = [user for user in USERS if user.id in ids]
    if 'ids' not in request.query_params:
        found = [user for user in USERS if start and user.name.casefold().startswith(start)][:5]
    items = [{'id': user.id, 'username': user.name, 'avatarNsfw': 'None'} for user in found]
    return json_reply(request, {'items': items})


def check_permissions(request: Request) -> Response:
    """GET /api/v1/permissions/check: which versions anybody may generate with."""
    reader = QueryReader(request.query_params)
    ids = reader.numbers('entityIds')
    reader.choice('entityType', ('ModelVersion',))
    reader.choice('permission', ('Generate',))
    reader.numeric('userId')
    if reader.issues or 'entityIds' not in request.query_params:
        raise ApiError(400, {'error': 'Could not parse provided model versions array.'})
    known = {number: load_catalog().version(number) for number in ids}
    body = {str(n): pair is not None and not pair[1].paid_until for n, pair in known.items()}
    return json_reply(request, body)


def show_vault(request: Request) -> Response:
    """GET /api/v1/vault/get and /all: nobody here is a member, so there is none."""
    _known(request)
    return json_reply(request, {'vault': None}, PRIVATE_CACHE)


def check_vault(request: Request) -> Response:
    """GET /api/v1/vault/check-vault: which versions are kept there."""
    _known(request)
    reader = QueryReader(request.query_params)
    ids = reader.numbers('modelVersionIds')
    if reader.issues or 'modelVersionIds' not in request.query_params:
        raise ApiError(400, {'error': 'Could not parse provided model versions array.'})
    rows = [{'modelVersionId': number, 'vaultItem': None} for number in ids]
    return json_reply(request, rows, PRIVATE_CACHE)


def toggle_vault(request: Request) -> Response:
    """POST /api/v1/vault/toggle-version: for members only."""
    _known(request)
    reader = QueryReader(request.query_params)
    reader.number('modelVersionId')
    if reader.issues or 'modelVersionId' not in request.query_params:
        raise ApiError(400, {'error': 'Could not parse provided model version'})
    raise ApiError(400, {'message': 'MEMBERSHIP_REQUIRED'})


def list_articles(request: Request) -> Response:
    """GET /api/v1/articles: newest first, or best liked."""
    reader = QueryReader(request.query_params)
    limit, cursor = reader.number('limit', 1, 100) or 100, reader.text('cursor') or ''
    words, sort = (reader.text('query') or '').casefold(), reader.choice('sort', ARTICLE_SORTS)
    tags, name = reader.numbers('tags'), (reader.text('username') or '').casefold()
    reader.flag('nsfw')
    reader.check()
    found = [
        article
        for article in ARTICLES
        if words in article.title.casefold()
        and (not tags or bool({number for number, _ in article.tags} & set(tags)))
        and name in ('', article.user.name.casefold())
    ]
    if sort in ARTICLE_SORTS[:4]:
        found.sort(key=lambda article: -article.likes)
    start = _article_at(found, cursor)
    metadata: Body = {}
    if start + limit < len(found):
        following = found[start + limit]
        metadata['nextCursor'] = f'{int(following.published.timestamp() * 1000)}|{following.id}'
        again = request.url.include_query_params(cursor=metadata['nextCursor']).query
        metadata['nextPage'] = f'{base_url(request)}{request.url.path}?{again}'
    items = [_article_body(article) for article in found[start : start + limit]]
    return json_reply(request, {'items': items, 'metadata': metadata}, mixed_cache(request))


def _article_at(found: list[Article], cursor: str) -> int:
    """Where a page begins; raises ApiError 400 for what is no cursor of this list."""
    if not cursor:
        return 0
    parts = cursor.split('|')
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ApiError(400, {'error': 'Invalid cursor'})
    ids = [str(article.id) for article in found]
    return ids.index(parts[1]) if parts[1] in ids else len(ids)


def show_article(request: Request) -> Response:
    """GET /api/v1/articles/{id}: with its text."""
    number = read_id(request)
    found = next((article for article in ARTICLES if article.id == number), None)
    if found is None:
        raise ApiError(404, {'message': f'No article with id {number}'})
    body = {**_article_body(found), 'content': f'<p>{found.text}</p>'}
    return json_reply(request, body, mixed_cache(request))


def _article_body(article: Article) -> Body:
    return {
        'id': article.id,
        'title': article.title,
        'nsfwLevel': 1,
        'publishedAt': iso_time(article.published),
        'status': 'Published',
        'tags': [{'id': number, 'name': name} for number, name in article.tags],
        'user': {'id': article.user.id, 'username': article.user.name},
        'stats': {'likeCount': article.likes, 'commentCount': 0, 'viewCount': article.likes * 31},
    }
