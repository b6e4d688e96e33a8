"""GET /api/v1/models: what is asked for, which models answer, in which order, from where on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Callable, Sequence

from starlette.requests import Request

from ..world.catalog import NOW, Catalog
from ..world.entries import USERS, Model
from .model_bodies import COMMERCIAL_USE, comment_count, level_mask
from .query import QueryReader, whole_number
from .replies import ApiError, signed_in
from .words import (
    AVAILABILITIES,
    CHECKPOINT_TYPES,
    COMMERCIAL_USES,
    FILE_FORMATS,
    MODEL_SORTS,
    MODEL_STATUSES,
    MODEL_TYPES,
    PERIODS,
)

TOO_MANY_PAGES = 'You\'ve requested too many pages, please use cursors instead'
NO_PAGES = 'Cannot use page param with query search. Use cursor-based pagination.'
# Typed as boolean, number or list but never converted from text: sending them is a 400.
_UNSENDABLE = {
    'boolean': 'allowNoCredit allowDerivatives allowDifferentLicense pending disablePoi '
    'disableMinor isFeatured poiOnly minorOnly',
    'number': 'browsingLevel collectionId collectionTagId',
    'array': 'excludedModelIds excludedUserIds excludedTagIds excludedImageIds '
    'collectionItemStatus',
}
_DAYS = {'Day': 1, 'Week': 7, 'Month': 30, 'Year': 365}

# What models are sorted by, larger first; the id decides between equals.
OrderKey = Callable[[Catalog, Model], tuple[int, ...]]


@dataclass(frozen=True)
class ModelQuery:
    """What a caller asks for, checked."""

    limit: int
    page: int
    cursor: str
    words: str
    tag: str
    username: str
    types: tuple[str, ...]
    ids: tuple[int, ...]
    version_ids: tuple[int, ...]
    base_models: tuple[str, ...]
    checkpoint_type: str
    sort: str
    days: int | None
    formats: tuple[str, ...]
    uses: tuple[str, ...]
    availability: str
    flags: frozenset[str]

    @property
    def counts_pages(self) -> bool:
        """Whether `page` is looked at: a cursor beats it."""
        return bool(self.page and not self.cursor)


_FLAGS = (
    'nsfw primaryFileOnly favorites hidden needsReview earlyAccess paidAccess onSale '
    'supportsGeneration fromPlatform followed newCreators archived'
).split()


def read_model_query(request: Request) -> ModelQuery:
    """The checked query; raises ApiError: 400 as a ZodError, 401, 429 for too deep pages."""
    params = request.query_params
    if not signed_in(request) and ('favorites' in params or 'hidden' in params):
        raise ApiError(401, {'error': 'Unauthorized'})
    reader = QueryReader(params)
    limit = reader.number('limit', 0, 100)
    period = reader.choice('period', PERIODS) or 'AllTime'
    published = reader.choice('periodMode', ('stats', 'published')) != 'stats'
    slug = re.sub('[^a-z0-9_]', '', (reader.text('username') or '').replace(' ', '_', 1).lower())
    tag = reader.text('tag')
    query = ModelQuery(
        limit=100 if limit is None else limit,
        page=reader.number('page', 1) or 0,
        cursor=reader.text('cursor') or '',
        words=(reader.text('query') or '').casefold(),
        tag=reader.text('tagname') or tag or '',
        username=slug or (reader.text('user') or '').lower(),
        types=reader.choices('types', MODEL_TYPES),
        ids=reader.numbers('ids'),
        version_ids=reader.numbers('modelVersionIds'),
        base_models=tuple(name for name in params.getlist('baseModels') if name),
        checkpoint_type=reader.choice('checkpointType', CHECKPOINT_TYPES) or '',
        sort=reader.choice('sort', MODEL_SORTS) or MODEL_SORTS[0],
        days=_DAYS.get(period) if published else None,
        formats=reader.array('fileFormats', FILE_FORMATS, single=False),
        uses=reader.array('allowCommercialUse', COMMERCIAL_USES, single=True),
        availability=reader.choice('availability', AVAILABILITIES) or '',
        flags=frozenset(name for name in _FLAGS if reader.flag(name)),
    )
    reader.choices('status', MODEL_STATUSES)
    reader.number('rating')
    for expected, names in _UNSENDABLE.items():
        for name in names.split():
            reader.refuse(name, expected)
    reader.check()
    _check_paging(query)
    return query


def _check_paging(query: ModelQuery) -> None:
    if query.counts_pages and query.page * query.limit > 1000:
        raise ApiError(429, {'error': TOO_MANY_PAGES})
    if query.words and query.page:
        raise ApiError(400, {'error': NO_PAGES})
    if query.availability == 'Private' and not query.username:
        raise ApiError(401, {'message': 'You are not authorized to perform this action'})


def find_models(catalog: Catalog, query: ModelQuery, key: bool) -> list[Model]:
    """The models of the query in order; `key`: the caller has one. ApiError 404: unknown user."""
    users = {user.name.lower() for user in USERS}
    if query.username and query.username not in users:
        raise ApiError(404, {'message': 'User not found'})
    found = [model for model in catalog.models if _matches(catalog, model, query, key)]
    if query.words:
        return found  # as the search finds them
    return sorted(found, key=lambda model: _place(catalog, model, query.sort))


def _matches(catalog: Catalog, model: Model, query: ModelQuery, key: bool) -> bool:
    versions, flags = model.versions, query.flags
    tags = {tag for one in catalog.models for tag in one.tags}
    formats = {file.format for one in versions for file in one.files if file.kind == 'Model'}
    level = level_mask([p for one in versions for p in catalog.posted_to(one)]) or 1
    return (
        query.words in model.name.casefold()
        and bool(level & (31 if 'nsfw' in flags else 1))
        and (not query.username or model.creator.name.lower() == query.username)
        and (not query.types or model.kind in query.types)
        and (bool(query.words) or not query.ids or model.id in query.ids)
        and (not query.version_ids or any(one.id in query.version_ids for one in versions))
        # A tag that nobody knows is left out of account.
        and (query.tag not in tags or query.tag in model.tags)
        and (not query.base_models or any(v.base_model in query.base_models for v in versions))
        and _has_checkpoint_type(model, query)
        and (query.days is None or NOW - model.newest <= timedelta(days=query.days))
        and (not query.formats or bool(formats & set(query.formats)))
        and (not query.uses or bool(set(query.uses) & set(COMMERCIAL_USE)))
        and query.availability in ('', 'Public')
        and _has_flags(model, flags, key)
    )


def _has_checkpoint_type(model: Model, query: ModelQuery) -> bool:
    """The type of checkpoint says nothing of other models, and nothing if none was asked for."""
    asked = not query.types or 'Checkpoint' in query.types
    if not query.checkpoint_type or not asked or model.kind != 'Checkpoint':
        return True
    return model.checkpoint_type == query.checkpoint_type


def _has_flags(model: Model, flags: frozenset[str], key: bool) -> bool:
    """Whether a model has what the flags want; of those about a person, who has no favourites,
    follows and hides nobody, some count with a key only."""
    versions = model.versions
    nothing = {'paidAccess', 'onSale', 'newCreators'} | ({'followed', 'hidden'} if key else set())
    return (
        not flags & nothing
        and ('archived' in flags or model.mode != 'Archived')
        and ('earlyAccess' not in flags or any(version.paid_until for version in versions))
        and ('fromPlatform' not in flags or any(version.trained_here for version in versions))
        and ('supportsGeneration' not in flags or any(version.covered for version in versions))
    )


def _likes(catalog: Catalog, model: Model) -> tuple[int, ...]:
    return model.downloads // 9, model.downloads


def _collected(catalog: Catalog, model: Model) -> int:
    pictures = (p for version in model.versions for p in catalog.posted_to(version))
    return sum(picture.reactions.collected for picture in pictures)


def _pictures(catalog: Catalog, model: Model) -> int:
    return sum(len(catalog.posted_to(version)) for version in model.versions)


_ORDERS: dict[str, OrderKey] = {
    'Highest Rated': _likes,
    'Most Liked': _likes,
    'Most Downloaded': lambda catalog, model: (model.downloads, model.downloads // 9),
    'Most Discussed': lambda catalog, model: (comment_count(model), model.downloads // 9),
    'Most Collected': lambda catalog, model: (_collected(catalog, model), model.downloads // 9),
    'Most Images': lambda catalog, model: (_pictures(catalog, model), model.downloads // 9),
    'Newest': lambda catalog, model: (_moment(model),),
    'Oldest': lambda catalog, model: (_moment(model),),
}


def _moment(model: Model) -> int:
    return int(model.newest.timestamp() * 1000)


def _place(catalog: Catalog, model: Model, sort: str) -> tuple[int, ...]:
    """What puts a model in its place: smaller comes first."""
    values = _ORDERS[sort](catalog, model)
    if sort == 'Oldest':
        return (*values, model.id)
    return (*(-value for value in values), -model.id if sort == 'Newest' else model.id)


def cursor_to(catalog: Catalog, found: Sequence[Model], position: int, query: ModelQuery) -> str:
    """The cursor that leads to `position`: an offset of a search, else what the model has."""
    if query.words:
        return str(position)
    return '|'.join(str(abs(part)) for part in _place(catalog, found[position], query.sort))


def start_of(catalog: Catalog, found: Sequence[Model], query: ModelQuery) -> int:
    """Where the page begins; raises ApiError 400 for a cursor of another order."""
    if not query.cursor:
        return (query.page - 1) * query.limit if query.page else 0
    if query.words:
        return whole_number(query.cursor)
    parts, wanted = query.cursor.split('|'), len(_place(catalog, catalog.models[0], query.sort))
    if len(parts) != wanted:
        advice = f'expected {wanted} value(s) for this sort, received {len(parts)}'
        raise ApiError(400, {'message': f'Invalid cursor: {advice}'})
    for part in parts:
        if not re.match(r'[0-9]{1,18}', part):
            words = f'unparseable numeric value "{part}"'
            raise ApiError(400, {'message': f'Invalid cursor: {words}'})
    places = ['|'.join(str(abs(n)) for n in _place(catalog, m, query.sort)) for m in found]
    return places.index(query.cursor) if query.cursor in places else len(found)
