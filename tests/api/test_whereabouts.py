"""Whether what an empty gallery belongs to is there at all."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from scripts.civitai_manager_libs import api
from scripts.civitai_manager_libs.civitai.gallery import GalleryQuery
from scripts.civitai_manager_libs.civitai.source import GallerySource
from scripts.civitai_manager_libs.errors import NotFoundError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

BASE = 'https://civitai.com/api/v1'
PICTURE = {'id': 7, 'url': 'https://image.civitai.com/k/7/original=true/7.jpeg', 'type': 'image'}
ADULT = {**PICTURE, 'browsingLevel': 16}

USER = GalleryQuery(username='Fox_1')
NUMBER = GalleryQuery(user_id=3)
POST, IMAGE = GalleryQuery(post_id=7), GalleryQuery(image_id=7)

FULL = [{'id': n, 'username': f'fox_1{n}'} for n in range(1, 6)]
NO_POST, NO_ROUTE = (404, {'error': 'Post not found'}), (404, {'error': 'Not here'})


def said(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    query: GalleryQuery,
    answer: tuple[int, Any],
    above: list[Any],
) -> str:
    """What is said of the empty gallery of `query`; `above` is what Civitai has of any level."""
    status, body = answer
    for route in ('users', 'posts/7'):
        wire.get(f'{BASE}/{route}', status=status, json=body)
    all_levels = responses.matchers.query_param_matcher({'browsingLevel': '31'}, strict_match=False)
    wire.get(f'{BASE}/images', json={'items': above, 'metadata': {}}, match=[all_levels])
    try:
        api.check_there(client, api.Gallery(GallerySource('images'), query))
    except NotFoundError as error:
        assert error.message_in('zh_TW') != error.user_message
        return error.user_message
    return ''


@pytest.mark.parametrize(
    ('query', 'answer'),
    [
        pytest.param(USER, (200, {'items': [{'id': 3, 'username': 'fox_1'}]}), id='user'),
        pytest.param(NUMBER, (200, {'items': [{'id': 3, 'username': 'x'}]}), id='user by id'),
        pytest.param(POST, (200, {'id': 7, 'images': []}), id='post'),
        pytest.param(GalleryQuery(tags=(5,)), NO_ROUTE, id='nobody in particular'),
    ],
)
def test_what_is_there_is_not_missed(
    wire: responses.RequestsMock, client: CivitaiHttpClient, query: GalleryQuery, answer: Any
) -> None:
    assert said(wire, client, query, answer, []) == ''


@pytest.mark.parametrize(
    ('query', 'answer', 'words'),
    [
        pytest.param(USER, (200, {'items': []}), 'no user called Fox_1:', id='user'),
        pytest.param(
            USER, (200, {'items': FULL[:4]}), 'no user called Fox_1:', id='others begin so'
        ),
        pytest.param(NUMBER, (200, {'items': []}), 'no user called 3:', id='user by id'),
        pytest.param(POST, NO_POST, 'no post 7:', id='post'),
    ],
)
def test_what_civitai_does_not_know_is_said_to_be_unknown(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    query: GalleryQuery,
    answer: Any,
    words: str,
) -> None:
    assert words in said(wire, client, query, answer, [ADULT])


UNTOLD = [
    pytest.param(USER, NO_ROUTE, id='user, no such route'),
    pytest.param(USER, (200, {'items': FULL}), id='user, perhaps behind others'),
    pytest.param(USER, (200, {'items': None}), id='user, garbage'),
    pytest.param(NUMBER, (503, {}), id='user by id, busy'),
    pytest.param(POST, NO_ROUTE, id='post, no such route'),
    pytest.param(POST, (200, {'id': 8}), id='post, another one'),
    pytest.param(POST, (403, {}), id='post, refused'),
    pytest.param(IMAGE, NO_ROUTE, id='image'),
]


@pytest.mark.parametrize(('query', 'answer'), UNTOLD)
def test_where_nobody_tells_unknown_and_hidden_are_both_named(
    wire: responses.RequestsMock, client: CivitaiHttpClient, query: GalleryQuery, answer: Any
) -> None:
    words = said(wire, client, query, answer, [])
    assert 'knows no ' in words and ', or hides ' in words


@pytest.mark.parametrize(('query', 'answer'), UNTOLD)
def test_what_has_pictures_above_the_ceiling_is_there(
    wire: responses.RequestsMock, client: CivitaiHttpClient, query: GalleryQuery, answer: Any
) -> None:
    assert said(wire, client, query, answer, [ADULT]) == ''
