"""GET /api/v1/images: filters, order, cursors and both shapes of `meta`."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from .catalog import NOW, Catalog, Picture, load_catalog
from .models import model_id_of
from .palettes import PALETTES
from .prompts import LIGHTS
from .query import QueryReader
from .replies import ApiError, base_url, json_reply
from .scenarios import CDN_KEY

ALL_LEVELS = 31
NSFW_MASKS = {'None': 1, 'Soft': 3, 'Mature': 7, 'X': 31, 'Blocked': 0, 'true': 28, 'false': 1}
LEVEL_NAMES = {0: 'None', 1: 'None', 2: 'Soft', 4: 'Mature', 8: 'X', 16: 'X', 32: 'Blocked'}
PERIODS = {'Day': 1, 'Week': 7, 'Month': 30, 'Year': 365, 'AllTime': None}
SORTS = ('Most Reactions', 'Most Comments', 'Most Collected', 'Newest', 'Oldest', 'Random')
BASE_MODELS = (
    'SD 1.4',
    'SD 1.5',
    'SD 2.1',
    'SDXL 1.0',
    'Pony',
    'Illustrious',
    'NoobAI',
    'Flux.1 S',
    'Flux.1 D',
    'Other',
)
# The search index says when a picture was scanned, a little after the upload.
SCAN_TIME = timedelta(seconds=41)
TOO_MANY_PAGES = 'You\'ve requested too many pages, please use cursors instead'


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
    with_meta: bool
    with_tags: bool
    flat_meta: bool

    @property
    def on_database(self) -> bool:
        """Whether the database answers, not the search index: half the behaviour hangs on it."""
        return uses_database(self.image_id, self.ids, self.model_id, self.version_id)


def uses_database(image_id: int, ids: tuple[int, ...], model_id: int, version_id: int) -> bool:
    """One image, listed ids, or a model without a version: the database."""
    return bool(image_id or ids or (model_id and not version_id))


def read_query(request: Request) -> ImageQuery:
    """The checked query; raises ApiError: 400 as a ZodError, 429 for too deep pages."""
    reader = QueryReader(request.query_params)
    limit = reader.number('limit', 0, 200)
    page = reader.number('page', 0)
    image_id, ids = reader.number('imageId') or 0, reader.numbers('ids')
    model_id, version_id = reader.number('modelId') or 0, reader.number('modelVersionId') or 0
    on_database = uses_database(image_id, ids, model_id, version_id)
    nsfw = reader.choice('nsfw', tuple(NSFW_MASKS))
    level = reader.number('browsingLevel')
    flat = reader.flag('flatMeta')
    query = ImageQuery(
        limit=100 if limit is None else limit,
        page=page or 0,
        cursor=reader.text('cursor') or '',
        post_id=reader.number('postId') or 0,
        model_id=model_id,
        version_id=version_id,
        image_id=image_id,
        ids=ids,
        username=reader.text('username', r'[A-Za-z0-9_]*') or '',
        user_id=reader.number('userId') or 0,
        days=PERIODS[reader.choice('period', tuple(PERIODS)) or 'AllTime'],
        sort=reader.choice('sort', SORTS) or 'Most Reactions',
        mask=level_mask(level, nsfw, on_database),
        kind=reader.choice('type', ('image', 'video', 'audio')),
        base_models=reader.comma_list('baseModels', BASE_MODELS),
        tags=reader.numbers('tags'),
        with_meta=bool(reader.flag('withMeta')),
        with_tags=bool(reader.flag('withTags')),
        flat_meta=not on_database if flat is None else flat,
    )
    reader.check()
    if query.page * query.limit > 1000:
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
        and (not query.tags or bool(set(query.tags) & {number for number, _ in _tags(picture)}))
    )


def start_of_page(found: list[Picture], query: ImageQuery) -> int:
    """Where in `found` the page begins; raises ApiError 400 for a cursor that cannot be read."""
    if not query.cursor:
        return (query.page - 1) * query.limit if query.page and query.on_database else 0
    if query.on_database and query.cursor.isascii() and query.cursor.isdigit():
        first = int(query.cursor)
        newest_first = query.sort != 'Oldest'
        passed = [p for p in found if (p.id > first if newest_first else p.id < first)]
        return len(passed)
    offset = re.fullmatch(r'(\d{1,9})\|(\d+)', query.cursor)
    if offset and not query.on_database:
        return int(offset[1])
    if query.cursor.startswith('feed:'):
        gone = 'This cursor can no longer be continued; start again without it'
        raise ApiError(400, {'message': gone})
    raise ApiError(400, {'message': f'Invalid cursor: {query.cursor}'})


def list_images(request: Request) -> Response:
    """One page of pictures."""
    query = read_query(request)
    found = find_pictures(load_catalog(), query)
    start = start_of_page(found, query)
    page = found[start : start + query.limit]
    metadata: dict[str, object] = {}
    if query.page:
        metadata = {'currentPage': query.page, 'pageSize': query.limit}
    end = start + query.limit
    if query.limit and end < len(found):
        milliseconds = int(NOW.timestamp() * 1000)
        cursor = str(found[end].id) if query.on_database else f'{end}|{milliseconds}'
        metadata['nextCursor'] = cursor
        metadata['nextPage'] = next_page(request, query, cursor)
    base = base_url(request)
    body = {'items': [item_body(picture, query, base) for picture in page], 'metadata': metadata}
    return json_reply(request, body)


def next_page(request: Request, query: ImageQuery, cursor: str) -> str:
    """The address of the following page: all parameters again, on the caller's host."""
    counts = bool(query.page) and not query.cursor
    change = ('page', str(query.page + 1)) if counts else ('cursor', cursor)
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != change[0]]
    return f'{base_url(request)}{request.url.path}?{urlencode([*kept, change])}'


def item_body(picture: Picture, query: ImageQuery, base: str) -> dict[str, object]:
    """One entry of `items`."""
    database = query.on_database
    detected = picture.detected_ids
    base_model = picture.version.base_model if detected else '' if not database else None
    reactions = picture.reactions
    body: dict[str, object] = {
        'id': picture.id,
        'url': media_url(base, picture, 'original=true'),
        'hash': blur_hash(picture),
        'width': picture.width,
        'height': picture.height,
        'nsfwLevel': LEVEL_NAMES[picture.level],
        'type': picture.kind,
        'nsfw': LEVEL_NAMES[picture.level] != 'None',
        'browsingLevel': picture.level,
        'createdAt': iso_time(picture.created + (timedelta() if database else SCAN_TIME)),
        'postId': picture.post_id,
        'stats': {
            'cryCount': reactions.cry,
            'laughCount': reactions.laugh,
            'likeCount': reactions.like,
            'dislikeCount': 0,
            'heartCount': reactions.heart,
            'commentCount': reactions.comment,
        },
        'meta': _meta(picture, query),
        'username': picture.user.name,
        'baseModel': base_model,
        'modelVersionIds': list(picture.version_ids if database else detected),
        'thumbnail': _thumbnail(picture, base),
    }
    if query.with_tags:
        body['tags'] = [{'id': number, 'name': name} for number, name in _tags(picture)]
    return body


def _meta(picture: Picture, query: ImageQuery) -> object:
    if not query.with_meta:
        return None
    meta = picture.generation.meta()
    return meta if query.flat_meta else {'id': picture.id, 'meta': meta}


def _thumbnail(picture: Picture, base: str) -> object:
    if picture.kind != 'video':
        return None
    still = f'{base}/{CDN_KEY}/{picture.uuid}/anim=false,transcode=true,optimized=true'
    return {'url': f'{still}/{picture.uuid}.jpeg', 'width': picture.width, 'height': picture.height}


def _tags(picture: Picture) -> list[tuple[int, str]]:
    names = (
        picture.composition,
        PALETTES[picture.palette].name,
        LIGHTS[picture.seed % len(LIGHTS)],
    )
    return [(random.Random(name).randrange(1_000, 900_000), name) for name in names]


def media_url(base: str, picture: Picture, transforms: str, name: str = '') -> str:
    """The address of a picture on the CDN; `name` (without ending) is free, default the uuid."""
    last = f'{name or picture.uuid}.{picture.ending}'
    return f'{base}/{CDN_KEY}/{picture.uuid}/{transforms}/{last}'


def blur_hash(picture: Picture) -> str:
    """A BlurHash of one component: the middle colour of the picture's palette."""
    digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'
    red, green, blue = PALETTES[picture.palette].shade(0.5)
    colour, text = red << 16 | green << 8 | blue, ''
    for _ in range(4):
        colour, digit = divmod(colour, 83)
        text = digits[digit] + text
    return f'00{text}'


def iso_time(moment: datetime) -> str:
    """A UTC time as Civitai writes it, with milliseconds and Z."""
    return f'{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z'
