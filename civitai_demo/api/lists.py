"""The smaller API routes: posts, creators, tags, enums and collections."""

from __future__ import annotations

from typing import Sequence

from starlette.requests import Request
from starlette.responses import Response

from ..drawing.palettes import PALETTES
from ..world.catalog import Picture, load_catalog
from ..world.collections import COLLECTIONS, Collection
from ..world.entries import USERS
from .image_bodies import ItemShape, iso_time, item_body, media_url, tags_of
from .complaints import bare_list
from .model_bodies import Body, avatar_url, level_mask
from .models import read_id
from .query import QueryReader
from .replies import ApiError, base_url, json_reply, mixed_cache
from .words import ACTIVE_BASE_MODELS, BASE_MODEL_TYPES, BASE_MODELS, FILE_TYPES, MODEL_TYPES


def show_post(request: Request) -> Response:
    """GET /api/v1/posts/{id}: a post with its pictures of every level, in post order."""
    number = read_id(request)
    pictures = load_catalog().in_post(number)
    if not pictures:
        raise ApiError(404, {'error': 'Post not found'})
    first, base = pictures[0], base_url(request)
    tags = sorted({pair for picture in pictures for pair in tags_of(picture)})
    body: Body = {
        'id': number,
        'title': _post_title(first),
        'detail': f'<p>Made for {first.version.name}.</p>' if len(pictures) > 1 else None,
        'nsfwLevel': level_mask(pictures),
        'publishedAt': iso_time(pictures[-1].created),
        'modelVersionId': first.version.id,
        'user': {'id': first.user.id, 'username': first.user.name},
        'tags': [{'id': tag, 'name': name} for tag, name in tags],
        'images': [
            item_body(picture, ItemShape(database=True), base) for picture in pictures[:100]
        ],
    }
    return json_reply(request, body, mixed_cache(request))


def _post_title(first: Picture) -> str:
    if first.kind == 'audio':
        return 'A recording'
    return f'{PALETTES[first.palette].name} {first.composition}'.capitalize()


def list_creators(request: Request) -> Response:
    """GET /api/v1/creators: who has an account here, and how many models."""
    catalog, base = load_catalog(), base_url(request)
    items: list[Body] = []
    for user in USERS:
        count = sum(model.creator is user for model in catalog.models)
        item: Body = {'username': user.name}
        if count:
            item['modelCount'] = count
        item['link'] = f'{base}/api/v1/models?username={user.name}'
        items.append({**item, 'image': avatar_url(catalog, user, base)})
    return _numbered_page(request, items, 'username', counted=True)


def list_tags(request: Request) -> Response:
    """GET /api/v1/tags: the tags of models; without ids, and the totals are not counted."""
    base = base_url(request)
    names = sorted({tag for model in load_catalog().models for tag in model.tags})
    items: list[Body] = [
        {'name': name, 'link': f'{base}/api/v1/models?tag={name}'} for name in names
    ]
    return _numbered_page(request, items, 'name', counted=False)


def _numbered_page(request: Request, items: list[Body], key: str, *, counted: bool) -> Response:
    """The page of `items` whose `key` holds the query; errors are a bare list of complaints."""
    reader = QueryReader(request.query_params)
    limit, page = reader.number('limit', 1, 200) or 20, reader.number('page', 1) or 1
    words = (reader.text('query') or '').casefold()
    reader.check(bare_list)
    found = [item for item in items if words in str(item[key]).casefold()]
    end = page * limit
    # Of a search Civitai knows only that there is more, and of tags not even that.
    total = min(len(found), end + 1) if words else len(found)
    metadata: Body = {
        'totalItems': total if counted else 0,
        'currentPage': page,
        'pageSize': limit,
        'totalPages': -(-total // limit) if counted else 1,
    }
    if end < len(found):
        metadata['nextPage'] = _page_url(request, page + 1)
    if page > 1:
        metadata['prevPage'] = _page_url(request, page - 1)
    return json_reply(request, {'items': found[end - limit : end], 'metadata': metadata})


def _page_url(request: Request, page: int) -> str:
    query = request.url.include_query_params(page=page).query
    return f'{base_url(request)}{request.url.path}?{query}'


def show_enums(request: Request) -> Response:
    """GET /api/v1/enums: the words that other routes understand."""
    body: dict[str, Sequence[str]] = {
        'ModelType': MODEL_TYPES,
        'ModelFileType': FILE_TYPES,
        'ActiveBaseModel': ACTIVE_BASE_MODELS,
        'BaseModel': BASE_MODELS,
        'BaseModelType': BASE_MODEL_TYPES,
    }
    return json_reply(request, body)


def list_collections(request: Request) -> Response:
    """GET /api/v1/collections: public collections, newest or most followed first."""
    reader = QueryReader(request.query_params)
    limit, cursor = reader.number('limit', 1, 100) or 100, reader.number('cursor')
    words, nsfw = (reader.text('query') or '').casefold(), bool(reader.flag('nsfw'))
    followed = reader.choice('sort', ('Newest', 'Most Followers')) == 'Most Followers'
    reader.check()
    if followed and cursor is not None:
        raise ApiError(400, {'error': 'Cannot use cursor with Most Followers'})
    found = [
        collection
        for collection in COLLECTIONS
        if words in collection.name.casefold()
        and (nsfw or collection.level == 1)
        and (cursor is None or collection.id <= cursor)
    ]
    found.sort(key=lambda one: -(one.followers if followed else one.id))
    metadata: Body = {}
    if limit < len(found) and not followed:
        following = found[limit].id
        query = request.url.include_query_params(cursor=following).query
        metadata['nextCursor'] = following
        metadata['nextPage'] = f'{base_url(request)}{request.url.path}?{query}'
    base = base_url(request)
    items = [{**_collection_body(one, base), 'itemCount': one.count} for one in found[:limit]]
    return json_reply(request, {'items': items, 'metadata': metadata}, mixed_cache(request))


def show_collection(request: Request) -> Response:
    """GET /api/v1/collections/{id}: one collection with its tags; no route tells what is in it."""
    number = read_id(request)
    found = next((one for one in COLLECTIONS if one.id == number), None)
    if found is None:
        raise ApiError(404, {'error': 'Collection not found'})
    tags = [{'id': 700 + index, 'name': name} for index, name in enumerate(found.tags)]
    body = {**_collection_body(found, base_url(request)), 'tags': tags}
    return json_reply(request, body, mixed_cache(request))


def _collection_body(collection: Collection, base: str) -> Body:
    cover = next(
        p
        for p in load_catalog().pictures
        if p.level == 1 and p.user is collection.user and p.kind == 'image'
    )
    return {
        'id': collection.id,
        'name': collection.name,
        'description': collection.description,
        'type': collection.kind,
        'nsfwLevel': collection.level,
        'read': 'Public',
        'isPublic': True,
        'coverImageUrl': media_url(base, cover, 'original=true'),
        'user': {'id': collection.user.id, 'username': collection.user.name},
    }
