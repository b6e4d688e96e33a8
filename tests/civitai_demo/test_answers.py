"""What is refused, what may be cached, and who may ask."""

from __future__ import annotations

import json

import pytest
import requests

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID
from tests.support.demo import IMAGES, KEY, MODELS, OPENING, cdn, get, items, of_container, urls_in

PUBLIC = 'public, s-maxage=300, stale-while-revalidate=150'
PRIVATE = 'max-age=0, private, no-cache'


# -- complaints


@pytest.mark.parametrize(
    ('query', 'path', 'code'),
    [
        pytest.param('limit=201', ['limit'], 'too_big', id='limit-too-big'),
        pytest.param('limit=-1', ['limit'], 'too_small', id='limit-too-small'),
        pytest.param('limit=many', ['limit'], 'custom', id='limit-no-number'),
        pytest.param('modelId=1&modelId=2', ['modelId'], 'invalid_type', id='repeated'),
        pytest.param('period=Fortnight', ['period'], 'invalid_value', id='period'),
        pytest.param('sort=newest', ['sort'], 'invalid_value', id='case-of-sort'),
        pytest.param('nsfw=x', ['nsfw'], 'invalid_union', id='case-of-nsfw'),
        pytest.param('withMeta=maybe', ['withMeta'], 'invalid_union', id='boolean'),
        pytest.param('username=Noor-Vale', ['username'], 'invalid_format', id='username'),
        pytest.param('baseModels=Pony,SDXL', ['baseModels', 1], 'invalid_value', id='base-model'),
    ],
)
def test_bad_parameters_are_a_zod_error(
    demo: DemoServer, query: str, path: list[str | int], code: str
) -> None:
    answer = get(demo, f'{IMAGES}?{query}')
    assert answer.status_code == 400
    error = answer.json()['error']
    issues = json.loads(error['message'])
    assert error['name'] == 'ZodError'
    assert [(issue['path'], issue['code']) for issue in issues] == [(path, code)]


@pytest.mark.parametrize(
    ('path', 'status', 'body'),
    [
        pytest.param(
            f'{IMAGES}?page=11&limit=100',
            429,
            {'error': 'You\'ve requested too many pages, please use cursors instead'},
            id='too-deep',
        ),
        pytest.param(
            f'{IMAGES}?modelId={OPENING_MODEL_ID}&username=nobody',
            404,
            {'message': 'User not found'},
            id='unknown-user-on-the-database',
        ),
        pytest.param(
            f'{IMAGES}?cursor=feed:1:2',
            400,
            {'message': 'This cursor can no longer be continued; start again without it'},
            id='foreign-cursor',
        ),
        pytest.param(
            f'{IMAGES}?cursor=spoilt', 400, {'message': 'Invalid cursor: spoilt'}, id='bad-cursor'
        ),
        pytest.param(
            f'{IMAGES}?modelId={OPENING_MODEL_ID}&cursor={"9" * 5000}',
            400,
            {'message': f'Invalid cursor: {"9" * 5000}'},
            id='absurd-cursor',
        ),
        pytest.param(
            f'{IMAGES}?modelId={OPENING_MODEL_ID}&sort=Random',
            400,
            {'message': 'Random sort requires a collectionId'},
            id='random',
        ),
        pytest.param(
            f'{MODELS}/0',
            400,
            {'error': '✖ Too small: expected number to be >=1\n  → at id'},
            id='model-id-too-small',
        ),
        pytest.param(
            f'{MODELS}/{"9" * 5000}',
            400,
            {'error': '✖ Too big: expected number to be <=2147483647\n  → at id'},
            id='absurd-model-id',
        ),
        pytest.param(
            f'/api/download/models/{"9" * 5000}',
            404,
            {'error': 'File not found'},
            id='absurd-download',
        ),
        pytest.param('/api/v1/posts/1', 404, {'error': 'Post not found'}, id='post'),
        pytest.param(
            '/api/v1/model-versions/by-hash/0123456789',
            404,
            {'error': 'Model not found'},
            id='hash',
        ),
        pytest.param(
            '/api/v1/collections/1', 404, {'error': 'Collection not found'}, id='collection'
        ),
        pytest.param(f'{MODELS}/999', 404, {'error': 'No model with id 999'}, id='model'),
        pytest.param(
            f'{MODELS}/2147483648',
            400,
            {'error': '✖ Too big: expected number to be <=2147483647\n  → at id'},
            id='model-id-too-big',
        ),
        pytest.param('/api/v1/model-versions/999', 404, {'error': 'Model not found'}, id='version'),
        pytest.param(f'{MODELS}?favorites=true', 401, {'error': 'Unauthorized'}, id='favorites'),
        pytest.param(
            f'{MODELS}?query=x&page=1',
            400,
            {'error': 'Cannot use page param with query search. Use cursor-based pagination.'},
            id='query-and-page',
        ),
        pytest.param('/api/v1/me', 401, {'error': 'Unauthorized'}, id='me'),
        pytest.param('/api/download/models/9', 404, {'error': 'File not found'}, id='download'),
    ],
)
def test_other_complaints(demo: DemoServer, path: str, status: int, body: object) -> None:
    answer = get(demo, path)
    assert (answer.status_code, answer.json()) == (status, body)
    assert 'Retry-After' not in answer.headers


def test_unknown_things_are_an_empty_page_to_the_index(demo: DemoServer) -> None:
    assert items(demo, f'{IMAGES}?username=nobody') == []
    assert items(demo, f'{IMAGES}?modelVersionId=9') == []
    assert items(demo, f'{IMAGES}?imageId=9') == []


def test_a_wrong_verb_is_refused(demo: DemoServer) -> None:
    answer = requests.post(f'{demo.url}{MODELS}', timeout=20)
    assert (answer.status_code, answer.json()) == (405, {'error': 'Method not allowed'})


# -- caching


def test_answers_may_be_cached_by_all_and_asked_for_again_by_tag(demo: DemoServer) -> None:
    answer = get(demo, f'{OPENING}&limit=3')
    assert answer.headers['Cache-Control'].startswith('public, s-maxage=300')
    again = get(demo, f'{OPENING}&limit=3', headers={'If-None-Match': answer.headers['ETag']})
    assert (again.status_code, again.content) == (304, b'')
    assert get(demo, MODELS).headers['Cache-Control'].startswith('public')
    assert get(demo, MODELS, headers=KEY).headers['Cache-Control'].endswith('private, no-cache')


@pytest.mark.parametrize(
    ('path', 'anonymous', 'with_key'),
    [
        pytest.param(f'{IMAGES}?limit=201', PUBLIC, PUBLIC, id='public'),
        pytest.param(f'{MODELS}/999', PUBLIC, PRIVATE, id='mixed'),
        pytest.param('/api/v1/posts/1', PUBLIC, PRIVATE, id='post'),
        pytest.param(f'{IMAGES}?cursor=x', 'no-store', 'no-store', id='behind-the-route'),
    ],
)
def test_errors_may_be_cached_like_the_route_they_come_from(
    demo: DemoServer, path: str, anonymous: str, with_key: str
) -> None:
    assert get(demo, path).headers['Cache-Control'] == anonymous
    assert get(demo, path, headers=KEY).headers['Cache-Control'] == with_key


def test_pictures_may_be_kept_for_good(demo: DemoServer) -> None:
    path = cdn(of_container('webp')['uuid'], 'width=96')
    first = get(demo, path)
    assert first.headers['Cache-Control'] == 'public, max-age=31536000, immutable'
    for sent in (first.headers['ETag'], f'W/{first.headers["ETag"]}', '*'):
        again = get(demo, path, headers={'If-None-Match': sent})
        assert (again.status_code, again.content) == (304, b'')
    assert get(demo, path, headers={'If-None-Match': '"other"'}).content == first.content


def test_web_pages_of_others_may_ask(demo: DemoServer) -> None:
    for path in (IMAGES, MODELS, '/api/v1/model-versions/by-hash'):
        asked = requests.options(f'{demo.url}{path}', timeout=20)
        assert (asked.status_code, asked.content) == (200, b'')
        assert asked.headers['Access-Control-Allow-Origin'] == '*'


# -- who asks, and where


@pytest.mark.parametrize(
    'route',
    [
        'images?limit=5&type=video',
        'models?limit=1',
        'models/4201',
        'model-versions/420102',
        'creators',
        'tags',
        'collections',
    ],
)
def test_addresses_name_the_host_that_was_asked(demo: DemoServer, route: str) -> None:
    base = f'http://localhost:{demo.port}'
    found = list(urls_in(get(demo, f'{base}/api/v1/{route}').json()))
    assert found and all(url.startswith(f'{base}/') for url in found)


def test_the_key_has_an_owner(demo: DemoServer) -> None:
    assert get(demo, '/api/v1/me', headers=KEY).json()['username'] == 'demo_visitor'
    assert get(demo, '/api/v1/me', headers={'Authorization': 'Bearer x'}).status_code == 401
