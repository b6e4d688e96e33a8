"""What we ask Civitai: an address and a client in, a value out. Everything raises CivitaiError."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import Collection

from . import setting
from .civitai import urls
from .civitai.gallery import (
    MAX_LIMIT,
    PERIODS,
    SORTS,
    CursorTrail,
    GalleryImage,
    GalleryQuery,
    ImagePage,
    parse_page,
)
from .civitai.models import Model, ModelVersion, parse_model
from .civitai.source import GallerySource
from .civitai.versions import MOST_VERSIONS, versions_in
from .errors import AnswerError, NotFoundError, SourceError, TransferError, WrongContentError
from .http_client import CivitaiHttpClient

log = logging.getLogger(__name__)

# A filter applied after the fetch can empty many answers in a row; somewhere it must end.
MAX_EMPTY_ANSWERS = 20
# Far more pictures than anybody posts at once; a server that ignores postId would go on for ever.
MAX_ANSWERS_OF_A_POST = 5
# Versions that no list has, asked for one by one while somebody waits.
MAX_SINGLE_VERSIONS = 20


@dataclass(frozen=True)
class Gallery:
    """A gallery ready to be read: the query for it and, for a model's, what it belongs to."""

    source: GallerySource
    query: GalleryQuery
    model: Model | None = None

    @property
    def version(self) -> ModelVersion | None:
        """The version whose gallery this is, None if it is not a model's."""
        versions = self.model.versions if self.model else ()
        return next((v for v in versions if v.id == self.query.version_id), None)

    def of_version(self, version_id: int) -> Gallery:
        """The gallery of another version of the same model."""
        return replace(self, query=replace(self.query, version_id=version_id))

    def of_levels(self, levels: int) -> Gallery:
        """The same gallery with another mask of maturity levels."""
        return replace(self, query=replace(self.query, levels=levels))

    @property
    def folder_name(self) -> str:
        """What a folder with these pictures is called, before it is made safe."""
        if self.model:
            return self.model.name
        source = self.source
        name = source.username or source.user_id or source.number or ' '.join(map(str, source.tags))
        kind = 'videos' if source.kind == 'images' and source.type == 'video' else source.kind
        return f'{kind} {name}'.strip()


def open_gallery(client: CivitaiHttpClient, source: GallerySource) -> Gallery:
    """Return the gallery that `source` means, with the settings' page size and maturity."""
    if source.kind == 'models':
        raise SourceError('source_model_list')
    query = _named(client, source, _narrowed(source))
    if source.kind not in ('model', 'version'):
        return Gallery(source, query)
    model_id, wanted = source.number, source.version_id
    if source.kind == 'version':
        model_id, wanted = find_version(client, source)
    model = fetch_model(client, model_id)
    listed = [version.id for version in model.versions]
    if wanted not in listed:
        # a version may be unlisted (early access, say) and still have pictures
        wanted = wanted or next(iter(listed), 0)
    return Gallery(source, replace(query, model_id=model.id, version_id=wanted), model)


def _narrowed(source: GallerySource) -> GalleryQuery:
    """The query for what can be told of `source` without asking.

    A user's newest come first, and a post's pictures as they were posted.
    """
    usual = {'user': 'Newest', 'post': 'Oldest'}.get(source.kind, SORTS[0])
    return GalleryQuery(
        version_id=source.version_id,
        user_id=source.user_id,
        post_id=source.number if source.kind == 'post' else 0,
        image_id=source.number if source.kind == 'image' else 0,
        ids=source.ids,
        limit=setting.page_size(),
        levels=setting.maturity_levels(),
        sort=source.sort or usual,
        period=source.period or PERIODS[0],
        type=source.type,
        tags=source.tags,
        base_models=source.base_models,
        as_posted=source.kind == 'post' and not source.sort,
    )


def fetch_model(client: CivitaiHttpClient, model_id: int) -> Model:
    """Return the model with its versions."""
    return parse_model(
        client.fetch_json(urls.api_url(setting.civitai_base_url, f'models/{model_id}'))
    )


def fetch_versions(client: CivitaiHttpClient, ids: Collection[int]) -> dict[int, dict[str, object]]:
    """Return what Civitai says of each of these versions, by id; what it does not know is absent.

    All are asked for at once, and singly what that leaves open, such as versions that are not
    listed; so many at most. Where the network fails, what was found until then is returned.
    """
    wanted = list(dict.fromkeys(ids))[:MOST_VERSIONS]
    found: dict[int, dict[str, object]] = {}
    try:
        if len(wanted) > 1:
            found = _versions_at_once(client, wanted)
        for number in [one for one in wanted if one not in found][:MAX_SINGLE_VERSIONS]:
            if (data := _version(client, number)) is not None:
                found[number] = data
    except TransferError as error:
        log.warning('Not all models of a picture could be asked for: %s', error)
    return found


def _versions_at_once(client: CivitaiHttpClient, ids: list[int]) -> dict[int, dict[str, object]]:
    address = urls.api_url(setting.civitai_base_url, 'models')
    asked = {
        'modelVersionIds': ','.join(map(str, ids)),
        'limit': str(MOST_VERSIONS),
        'nsfw': 'true',  # else all that is not for everybody would be missing
    }
    try:
        listed = versions_in(client.fetch_json(address, asked))
    except (AnswerError, WrongContentError):
        return {}  # not every server knows this question
    return {number: one for one in listed for number in ids if one['id'] == number}


def _version(client: CivitaiHttpClient, number: int) -> dict[str, object] | None:
    address = urls.api_url(setting.civitai_base_url, f'model-versions/{number}')
    try:
        data = client.fetch_json(address)
    except (AnswerError, WrongContentError):
        return None
    return data if isinstance(data, dict) and data.get('id') == number else None


def find_version(client: CivitaiHttpClient, source: GallerySource) -> tuple[int, int]:
    """Return the ids of the model and the version that `source`, a version, means."""
    path = (
        f'model-versions/by-hash/{source.hash}'
        if source.hash
        else f'model-versions/{source.number}'
    )
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, path))
    found = data if isinstance(data, dict) else {}
    model_id, version_id = found.get('modelId'), source.number or found.get('id')
    if not isinstance(model_id, int) or not isinstance(version_id, int):
        raise WrongContentError('error_not_a_model')
    return model_id, version_id


def _named(client: CivitaiHttpClient, source: GallerySource, query: GalleryQuery) -> GalleryQuery:
    """`query` for the user that `source` names, if any.

    Civitai takes names of letters, digits and _ only, of others their id.
    """
    username = source.username
    if not username or source.user_id or re.fullmatch(r'[A-Za-z0-9_]+', username):
        return replace(query, username=username)
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, 'users', {'query': username}))
    found = data.get('items') if isinstance(data, dict) else None
    for user in found if isinstance(found, list) else ():
        if isinstance(user, dict) and str(user.get('username')).lower() == username.lower():
            if isinstance(user.get('id'), int):
                return replace(query, user_id=user['id'])
    raise NotFoundError('error_no_such_user', username=username)


def whoami(client: CivitaiHttpClient) -> str:
    """Return the name of the user whose API key is set. Raises KeyNeededError if it is not good."""
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, 'me'))
    return str(data.get('username') or '') if isinstance(data, dict) else ''


def fetch_page(client: CivitaiHttpClient, query: GalleryQuery, cursor: str = '') -> ImagePage:
    """Return one answer of /api/v1/images, with no more pictures than were asked for."""
    address = urls.api_url(setting.civitai_base_url, 'images')
    answer = client.fetch_json(address, query.parameters(cursor))
    wanted = (query.image_id,) if query.image_id else query.ids
    page = parse_page(answer, query.levels, wanted, query.limit)
    if page.surplus:
        log.warning('%d pictures more than the %d asked for; left out', page.surplus, query.limit)
    return page


def read_page(client: CivitaiHttpClient, query: GalleryQuery, trail: CursorTrail) -> ImagePage:
    """Return the page at the end of `trail`, without pictures shown before it.

    Empty answers that lead on are followed; a cursor that was there before ends the gallery.
    """
    if query.as_posted:
        return _read_post(client, replace(query, as_posted=False), trail)
    page, hidden, surplus, asked = ImagePage(), 0, 0, set(trail.cursors)
    cursor = trail.cursor
    for _ in range(MAX_EMPTY_ANSWERS):
        page = fetch_page(client, query, cursor).without(trail.seen)
        hidden, surplus = hidden + page.hidden, surplus + page.surplus
        cursor = page.next_cursor
        if cursor in asked:
            page = replace(page, next_cursor='')
            break
        asked.add(cursor)
        if page.images or not cursor:
            break
    return replace(page, hidden=hidden, surplus=surplus)


def _read_post(client: CivitaiHttpClient, query: GalleryQuery, trail: CursorTrail) -> ImagePage:
    """Return the page at the end of `trail` of a post, in the order of its author.

    The pages are cut here, out of the whole post; one of too many answers stays as it comes.
    """
    found: list[GalleryImage] = []
    hidden, way = 0, CursorTrail()
    for _ in range(MAX_ANSWERS_OF_A_POST):
        page = read_page(client, replace(query, limit=MAX_LIMIT), way)
        found += page.images
        hidden += page.hidden
        if not way.can_go_to(page.next_cursor):
            break
        way = way.forward(page)
    else:
        return read_page(client, query, trail)
    order = _order_of_post(client, query.post_id) if len(found) > 1 else {}
    found.sort(key=lambda image: (order.get(image.id, len(order)), image.id))
    start = query.limit * (trail.page_number - 1)
    end = start + query.limit
    following = str(end) if end < len(found) else ''
    return ImagePage(tuple(found[start:end]), following, 0 if start else hidden)


def _order_of_post(client: CivitaiHttpClient, post_id: int) -> dict[int, int]:
    """Return the place of each of the first pictures of a post by id, {} if nobody says."""
    try:
        data = client.fetch_json(urls.api_url(setting.civitai_base_url, f'posts/{post_id}'))
    except (AnswerError, TransferError, WrongContentError):
        return {}  # not every server has this route, and the pictures are there
    listed = data.get('images') if isinstance(data, dict) else None
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return {
        item['id']: place for place, item in enumerate(items) if isinstance(item.get('id'), int)
    }
