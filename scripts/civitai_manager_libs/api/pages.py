"""Reading a gallery page by page: nothing but what was asked for, and no end in silence."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import Collection

from .. import setting
from ..civitai import belonging, urls
from ..civitai.gallery import (
    MAX_LIMIT,
    CursorTrail,
    GalleryQuery,
    ImagePage,
    ceiling_of,
    parse_page,
)
from ..errors import AnswerError, NotFoundError, TransferError, WrongContentError
from ..http_client import CivitaiHttpClient

log = logging.getLogger(__name__)

# A filter applied after the fetch can empty many answers in a row; somewhere it must end.
MAX_EMPTY_ANSWERS = 20
# Far more pictures than anybody posts at once; a server that ignores postId would go on for ever.
MAX_ANSWERS_OF_A_POST = 5
# Filters that leave but the pictures of somebody or something.
_OF_ONE = frozenset('modelId modelVersionId postId username userId imageId ids'.split())


def fetch_page(
    client: CivitaiHttpClient,
    query: GalleryQuery,
    cursor: str = '',
    doubted: Collection[str] = (),
    most: int = 0,
) -> ImagePage:
    """Return one answer of /api/v1/images, with nothing but what was asked for.

    Of an answer that is too long, `most` pictures are taken, 0: as many as were asked for.

    Where nothing in the first answer shows that a filter was obeyed, and for those that are
    `doubted`, it is compared with what comes without that filter, if that is everybody's pictures:
    what is in one post may all be of one user.
    """
    address = urls.api_url(setting.civitai_base_url, 'images')
    asked = query.parameters(cursor)
    answer = client.fetch_json(address, asked)
    ids = (query.image_id,) if query.image_id else query.ids
    most = max(most, query.limit)
    page = parse_page(answer, query.levels, ids, most, query.wanted)
    if page.surplus:
        log.warning('%d pictures more than the %d asked for; left out', page.surplus, most)
    suspects = () if cursor else dict.fromkeys((*page.unproven, *doubted))
    for name in suspects if page.images or page.hidden else ():
        if _OF_ONE.intersection(asked) - {name}:
            continue
        others = _answer_without(client, address, asked, name)
        if belonging.is_same(answer, others):
            count = page.foreign + page.hidden + len(page.images)
            return ImagePage(foreign=count).ended_by(WrongContentError('listing_foreign'))
    return page


def _answer_without(
    client: CivitaiHttpClient, address: str, asked: dict[str, str], name: str
) -> object:
    """The answer to the same question without the filter `name`, None if there is none."""
    try:
        return client.fetch_json(address, {k: v for k, v in asked.items() if k != name})
    except (AnswerError, TransferError, WrongContentError) as error:
        log.warning('Whether Civitai obeyed %s could not be seen: %s', name, error)
        return None


def read_page(client: CivitaiHttpClient, query: GalleryQuery, trail: CursorTrail) -> ImagePage:
    """Return the page at the end of `trail`, without pictures shown before it.

    Empty answers that lead on are followed. What ends the gallery before its end is told in
    `stopped`: a cursor that was there before, say.
    """
    if query.as_posted:
        return _read_post(client, replace(query, as_posted=False), trail)
    page, cursor, asked = ImagePage(), trail.cursor, set(trail.cursors)
    for _ in range(MAX_EMPTY_ANSWERS):
        page = page.and_then(fetch_page(client, query, cursor).without(trail.seen))
        cursor = page.next_cursor
        if cursor and cursor in asked:
            return page.ended_by(WrongContentError('listing_circle'))
        if page.images or not cursor:
            return page if cursor else _with_absent(page, query, trail)
        asked.add(cursor)
    return replace(page, stopped=WrongContentError('listing_empty', count=MAX_EMPTY_ANSWERS))


def _with_absent(page: ImagePage, query: GalleryQuery, trail: CursorTrail) -> ImagePage:
    """The last page, which tells if it is not all that was asked for by ids."""
    shown = trail.seen | {image.id for image in page.images}
    absent = len(set(query.ids) - shown) - page.hidden
    if page.stopped or absent <= 0:
        return page
    ceiling = ceiling_of(query.levels)
    return page.ended_by(
        NotFoundError('absent_images', count=absent, total=len(query.ids), ceiling=ceiling)
    )


def read_pages(
    client: CivitaiHttpClient, query: GalleryQuery, count: int, most: float = math.inf
) -> ImagePage:
    """Return the first `count` pictures as one page, from as many pages as it takes, or `most`.

    What was listed before a failure is kept; the failure is in `stopped`. Raises CivitaiError if
    there was nothing before it.
    """
    whole, trail = ImagePage(), CursorTrail()
    while True:
        try:
            page = read_page(client, query, trail)
        except (AnswerError, TransferError, WrongContentError) as error:
            if not whole.images:
                raise
            return whole.ended_by(error)
        whole = whole.and_then(page)
        if len(whole.images) >= count:
            return replace(whole, images=whole.images[:count], stopped=None)
        following = trail.forward(page)
        if page.stopped or following is trail or trail.page_number >= most:
            return whole
        trail = following


def _read_post(client: CivitaiHttpClient, query: GalleryQuery, trail: CursorTrail) -> ImagePage:
    """Return the page at the end of `trail` of a post, in the order of its author.

    The pages are cut here, out of the whole post; one of too many answers stays as it comes.
    """
    most = MAX_ANSWERS_OF_A_POST
    whole = read_pages(client, replace(query, limit=MAX_LIMIT), most * MAX_LIMIT, most)
    if whole.next_cursor and not whole.stopped:
        return read_page(client, query, trail)
    found = list(whole.images)
    order = order_of_post(client, query.post_id) if len(found) > 1 else {}
    found.sort(key=lambda image: (order.get(image.id, len(order)), image.id))
    start = query.limit * (trail.page_number - 1)
    end = start + query.limit
    if start:
        whole = replace(whole, hidden=0, surplus=0, foreign=0, unreadable=0)
    cut = replace(whole, images=tuple(found[start:end]), next_cursor='')
    return replace(cut, next_cursor=str(end), stopped=None) if end < len(found) else cut


def order_of_post(client: CivitaiHttpClient, post_id: int) -> dict[int, int]:
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
