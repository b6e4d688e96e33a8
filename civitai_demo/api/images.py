"""GET /api/v1/images: filters, order, cursors and both shapes of `meta`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import NOW, Catalog, Picture, load_catalog
from ..world.entries import model_id_of
from .cursors import DATABASE, FEED, SEARCH, CursorError, Walk, page_at, page_from
from .image_bodies import ItemShape, item_body, tags_of
from .model_query import TOO_MANY_PAGES
from .query import QueryReader
from .replies import ApiError, base_url, json_reply, scenario_of
from .scenarios import with_gaps
from .words import BASE_MODELS, IMAGE_SORTS, MEDIA_TYPES

ALL_LEVELS = 31
NSFW_MASKS = {'None': 1, 'Soft': 3, 'Mature': 7, 'X': 31, 'Blocked': 0, 'true': 28, 'false': 1}
PERIODS = {'Day': 1, 'Week': 7, 'Month': 30, 'Year': 365, 'AllTime': None}
_USERNAME_ADVICE = 'The "username" field can only contain letters, numbers, and _.'


@dataclass(frozen=True)
class ImageQuery:
    """What a caller asks for, checked."""

    limit: int
    page: int
    cursor: str
    post_id: int
    model_id: int
    version_id: int
    image_id: int
    ids: tuple[int, ...]
    username: str
    user_id: int
    days: int | None
    sort: str
    mask: int
    kind: str | None
    base_models: tuple[str, ...]
    tags: tuple[int, ...]
    shape: ItemShape

    @property
    def counts_pages(self) -> bool:
        """Whether `page` is looked at: a cursor beats it."""
        return bool(self.page and not self.cursor)

    @property
    def on_database(self) -> bool:
        """Whether the database answers, not the search index: half the behaviour hangs on it."""
        return self.shape.database


def uses_database(image_id: int, ids: tuple[int, ...], model_id: int, version_id: int) -> bool:
    """One image, listed ids, or a model without a version: the database."""
    return bool(image_id or ids or (model_id and not version_id))


def read_query(request: Request) -> ImageQuery:
    """The checked query; raises ApiError: 400 as a ZodError, 429 for too deep pages."""
    reader = QueryReader(request.query_params)
    limit = reader.numeric('limit', 0, 200)
    page = reader.numeric('page')
    image_id, ids = reader.numeric('imageId') or 0, reader.positive_numbers('ids')
    model_id, version_id = reader.numeric('modelId') or 0, reader.numeric('modelVersionId') or 0
    on_database = uses_database(image_id, ids, model_id, version_id)
    nsfw = reader.choice_or_flag('nsfw', tuple(NSFW_MASKS))
    level = reader.number('browsingLevel')
    flat = reader.flag('flatMeta')
    query = ImageQuery(
        limit=100 if limit is None else limit,
        page=page or 0,
        cursor=reader.text('cursor') or '',
        post_id=reader.numeric('postId') or 0,
        model_id=model_id,
        version_id=version_id,
        image_id=image_id,
        ids=ids,
        username=reader.text('username', r'[A-Za-z0-9_]*', _USERNAME_ADVICE) or '',
        user_id=reader.numeric('userId') or 0,
        days=PERIODS[reader.choice('period', tuple(PERIODS)) or 'AllTime'],
        sort=reader.choice('sort', IMAGE_SORTS) or 'Most Reactions',
        mask=level_mask(level, nsfw, on_database),
        kind=reader.choice('type', MEDIA_TYPES),
        base_models=reader.comma_list('baseModels', BASE_MODELS),
        tags=reader.numbers('tags'),
        shape=ItemShape(
            on_database,
            with_meta=bool(reader.flag('withMeta')),
            with_tags=bool(reader.flag('withTags')),
            flat_meta=not on_database if flat is None else flat,
        ),
    )
    reader.check()
    if query.counts_pages and query.page * query.limit > 1000:
        raise ApiError(429, {'error': TOO_MANY_PAGES})
    if query.sort == 'Random' and on_database:
        raise ApiError(400, {'message': 'Random sort requires a collectionId'})
    return query


def level_mask(level: int | None, nsfw: str | None, on_database: bool) -> int:
    """The bits of the levels asked for: `browsingLevel` wins over `nsfw`; the default is 1."""
    if level is not None:
        return level or 1
    mask = NSFW_MASKS[nsfw or 'None']
    return mask or (1 if on_database else 0)


def level_shown(level: int, mask: int) -> bool:
    """Whether a level lies in a mask; unrated pictures need every level to be asked for."""
    return bool(level & mask) or (level == 0 and mask & ALL_LEVELS == ALL_LEVELS)


def find_pictures(catalog: Catalog, query: ImageQuery) -> list[Picture]:
    """The pictures of the query in order; ApiError 404 for an unknown user (database only)."""
    known = {picture.user.name.casefold() for picture in catalog.pictures}
    if query.on_database and query.username and query.username.casefold() not in known:
        raise ApiError(404, {'message': 'User not found'})
    found = [picture for picture in catalog.pictures if _matches(picture, query)]
    if query.sort == 'Oldest':
        return found[::-1]
    weights: dict[str, Callable[[Picture], int]] = {
        'Most Reactions': lambda picture: -picture.reactions.total,
        'Most Comments': lambda picture: -picture.reactions.comment,
        'Most Collected': lambda picture: -picture.reactions.collected,
    }
    if query.sort in weights and not query.on_database:
        found.sort(key=weights[query.sort])
    return found


def _matches(picture: Picture, query: ImageQuery) -> bool:
    versions = picture.version_ids
    of_model = query.model_id in [model_id_of(version) for version in versions]
    age = NOW - picture.created
    return (
        level_shown(picture.level, query.mask)
        and (not query.image_id or picture.id == query.image_id)
        and (not query.ids or picture.id in query.ids)
        and (not query.post_id or picture.post_id == query.post_id)
        and (not query.version_id or query.version_id in versions)
        and (not query.model_id or bool(query.version_id) or of_model)
        and (not query.username or picture.user.name.casefold() == query.username.casefold())
        and (not query.user_id or picture.user.id == query.user_id)
        and (query.days is None or age <= timedelta(days=query.days))
        and (query.kind is None or picture.kind == query.kind)
        and (not query.base_models or picture.version.base_model in query.base_models)
        and (not query.tags or bool(set(query.tags) & {number for number, _ in tags_of(picture)}))
    )


def list_images(request: Request) -> Response:
    """One page of pictures."""
    query, scenario = read_query(request), scenario_of(request)
    found = find_pictures(load_catalog(), query)
    walk = walk_of(found, query, scenario)
    try:
        if query.counts_pages and query.on_database:
            page = page_from(walk, (query.page - 1) * query.limit, scenario)
        else:
            page = page_at(walk, query.cursor, scenario)
    except CursorError as error:
        raise ApiError(400, {'message': str(error)}) from error
    metadata: dict[str, object] = {}
    if query.counts_pages:
        metadata = {'currentPage': query.page, 'pageSize': query.limit}
    if page.following:
        metadata['nextCursor'] = page.following
        metadata['nextPage'] = next_page(request, query, page.following)
    base = base_url(request)
    items = [item_body(picture, query.shape, base) for picture in found[page.start : page.end]]
    if scenario == 'null-fields':
        items = [with_gaps(item, found[page.start + i].id) for i, item in enumerate(items)]
    return json_reply(request, {'items': items, 'metadata': metadata})


def walk_of(found: list[Picture], query: ImageQuery, scenario: str) -> Walk:
    """What the cursors of a query depend on; the feed takes most of the search index's work."""
    engine = DATABASE if query.on_database else SEARCH
    on_feed = not query.post_id and query.sort != 'Random'
    if scenario == 'feed-cursors' and engine == SEARCH and on_feed:
        engine = FEED
    filters = repr(replace(query, limit=0, page=0, cursor='', shape=ItemShape()))
    return Walk(
        [picture.id for picture in found], query.limit, engine, query.sort == 'Oldest', filters
    )


def next_page(request: Request, query: ImageQuery, cursor: str) -> str:
    """The address of the following page: all parameters again, on the caller's host."""
    change = ('page', str(query.page + 1)) if query.counts_pages else ('cursor', cursor)
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != change[0]]
    return f'{base_url(request)}{request.url.path}?{urlencode([*kept, change])}'
