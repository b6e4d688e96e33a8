"""The stand-in Civitai, asked over a real socket."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections import Counter
from typing import Any, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from PIL import Image

from civitai_demo.api.encoding import Transform, render
from civitai_demo.api.scenarios import DEMO_KEY, SCENARIOS, picture_is_chosen
from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID, USERS
from tests.support.paths import ROOT

KEY = {'Authorization': f'Bearer {DEMO_KEY}'}
IMAGES, MODELS = '/api/v1/images', '/api/v1/models'
OPENING = f'{IMAGES}?modelVersionId={OPENING_VERSION_ID}'
DOWNLOAD = f'/api/download/models/{OPENING_VERSION_ID}'
WHOLE_VIDEO = 'transcode=true,original=true,quality=100'
PUBLIC = 'public, s-maxage=300, stale-while-revalidate=150'
PRIVATE = 'max-age=0, private, no-cache'
USER_COMMENT, EXIF_POINTER = 0x9286, 0x8769


@pytest.fixture(scope='module')
def site() -> Iterator[DemoServer]:
    """One server for all tests that change nothing about it."""
    with DemoServer() as demo:
        yield demo


@pytest.fixture
def stormy(site: DemoServer) -> Iterator[DemoServer]:
    """The same server, in fair weather again afterwards and with an empty record before."""
    site.requests.clear()
    yield site
    site.scenario = ''


def get(site: DemoServer, path: str, **options: Any) -> requests.Response:
    address = path if path.startswith('http') else f'{site.url}{path}'
    return requests.get(address, timeout=20, **options)


def items(site: DemoServer, path: str) -> list[dict[str, Any]]:
    answer = get(site, path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()['items']
    return found


def walk(site: DemoServer, path: str) -> list[dict[str, Any]]:
    """All items of all pages."""
    found: list[dict[str, Any]] = []
    while path:
        page = get(site, path).json()
        found += page['items']
        assert len(found) <= 700, 'the pages run in circles'
        path = page['metadata'].get('nextPage', '')
    return found


def opened(answer: requests.Response) -> Image.Image:
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def resized(url: str, transforms: str) -> str:
    return url.replace('original=true', transforms)


def of_container(container: str, source: str = 'webui') -> dict[str, Any]:
    """Facts of some picture stored as `container`, made by `source`."""
    return next(
        {'uuid': picture.uuid, 'size': (picture.width, picture.height), 'picture': picture}
        for picture in load_catalog().pictures
        if picture.container == container and picture.generation.source == source
    )


def cdn(uuid: str, transforms: str = 'original=true', ending: str = 'jpeg') -> str:
    return f'/xG1nkqKTMzGDvpLrqFT7WA/{uuid}/{transforms}/{uuid}.{ending}'


# -- pages and filters of /images


@pytest.mark.parametrize(
    'query',
    [
        pytest.param('browsingLevel=31&limit=200', id='search'),
        pytest.param('browsingLevel=31&limit=37&sort=Newest', id='search-newest'),
        pytest.param('browsingLevel=31&limit=53&sort=Oldest', id='search-oldest'),
        pytest.param(f'modelId={OPENING_MODEL_ID}&browsingLevel=31&limit=29', id='database'),
        pytest.param(
            f'modelId={OPENING_MODEL_ID}&browsingLevel=31&limit=29&sort=Oldest',
            id='database-oldest',
        ),
    ],
)
def test_following_the_cursor_shows_everything_once(site: DemoServer, query: str) -> None:
    found = [item['id'] for item in walk(site, f'{IMAGES}?{query}')]
    pictures = load_catalog().pictures
    if 'modelId' in query:
        versions = [v.id for v in load_catalog().models[0].versions]
        pictures = tuple(p for p in pictures if set(p.version_ids) & set(versions))
    assert len(found) == len(set(found)) == len(pictures)
    assert set(found) == {picture.id for picture in pictures}


def test_the_next_page_repeats_the_question_on_the_host_that_was_asked(site: DemoServer) -> None:
    query = f'modelVersionId={OPENING_VERSION_ID}&limit=5&sort=Newest&withMeta=true'
    metadata = get(site, f'http://localhost:{site.port}{IMAGES}?{query}').json()['metadata']
    following = urlsplit(metadata['nextPage'])
    assert following.netloc == f'localhost:{site.port}'
    assert parse_qs(following.query) == {**parse_qs(query), 'cursor': [metadata['nextCursor']]}


def test_the_last_page_names_no_other(site: DemoServer) -> None:
    assert get(site, f'{IMAGES}?imageId={load_catalog().pictures[0].id}').json()['metadata'] == {}


def test_a_page_number_counts_only_on_the_database_path(site: DemoServer) -> None:
    database = f'{IMAGES}?modelId={OPENING_MODEL_ID}&limit=5'
    ten = items(site, f'{IMAGES}?modelId={OPENING_MODEL_ID}&limit=10')
    assert items(site, f'{database}&page=1') + items(site, f'{database}&page=2') == ten
    assert items(site, f'{OPENING}&limit=5&page=1') == items(site, f'{OPENING}&limit=5&page=2')
    metadata = get(site, f'{OPENING}&limit=5&page=2').json()['metadata']
    assert (metadata['currentPage'], metadata['pageSize']) == (2, 5)
    assert 'page=3' in metadata['nextPage']


@pytest.mark.parametrize(
    ('query', 'levels'),
    [
        pytest.param('', {1}, id='default'),
        pytest.param('browsingLevel=0', {1}, id='zero-is-the-default'),
        pytest.param('browsingLevel=3', {1, 2}, id='mask'),
        pytest.param('browsingLevel=20', {4, 16}, id='mask-with-gaps'),
        pytest.param('browsingLevel=31', {0, 1, 2, 4, 8, 16}, id='everything'),
        pytest.param('nsfw=None', {1}, id='none'),
        pytest.param('nsfw=Soft', {1, 2}, id='soft'),
        pytest.param('nsfw=Mature', {1, 2, 4}, id='mature'),
        pytest.param('nsfw=X', {0, 1, 2, 4, 8, 16}, id='x'),
        pytest.param('nsfw=true', {4, 8, 16}, id='true'),
        pytest.param('nsfw=false', {1}, id='false'),
        pytest.param('nsfw=YES', {4, 8, 16}, id='yes'),
        pytest.param('nsfw=0', {1}, id='no'),
        pytest.param('nsfw=Blocked', set(), id='blocked'),
        pytest.param('nsfw=X&browsingLevel=2', {2}, id='the-mask-wins'),
    ],
)
def test_levels(site: DemoServer, query: str, levels: set[int]) -> None:
    found = walk(site, f'{IMAGES}?limit=200&{query}')
    assert {item['browsingLevel'] for item in found} == levels
    names = {0: 'None', 1: 'None', 2: 'Soft', 4: 'Mature', 8: 'X', 16: 'X'}
    assert all(item['nsfwLevel'] == names[item['browsingLevel']] for item in found)
    assert all(item['nsfw'] is (item['browsingLevel'] > 1) for item in found)


@pytest.mark.parametrize('query', ['', 'nsfw=false', 'nsfw=Blocked', 'browsingLevel=0'])
def test_the_database_too_shows_level_one_unless_asked_for_more(
    site: DemoServer, query: str
) -> None:
    database = f'{IMAGES}?limit=200&modelId={OPENING_MODEL_ID}'
    assert {item['browsingLevel'] for item in walk(site, f'{database}&{query}')} == {1}
    assert {item['browsingLevel'] for item in walk(site, f'{database}&nsfw=Soft')} == {1, 2}


@pytest.mark.parametrize('limit', [0, 1, 200])
def test_limits_up_to_200_are_obeyed(site: DemoServer, limit: int) -> None:
    assert len(items(site, f'{IMAGES}?limit={limit}')) == limit


def test_the_catalogue_is_large_and_varied(site: DemoServer) -> None:
    found = walk(site, f'{IMAGES}?limit=200&browsingLevel=31')
    assert len(found) == 600
    assert len({item['username'] for item in found}) == 12


def test_filters_by_post_user_kind_and_period(site: DemoServer) -> None:
    everything = walk(site, f'{IMAGES}?limit=200&browsingLevel=31')
    sample = everything[7]
    name = sample['username'] if '-' not in sample['username'] else 'HanaMori'
    number = next(user.id for user in USERS if user.name == 'Noor-Vale')
    cases = [
        (f'postId={sample["postId"]}', lambda item: item['postId'] == sample['postId']),
        (f'username={name.upper()}', lambda item: item['username'] == name),
        (f'userId={number}', lambda item: item['username'] == 'Noor-Vale'),
        ('type=video', lambda item: item['type'] == 'video'),
    ]
    for query, fits in cases:
        found = walk(site, f'{IMAGES}?limit=200&browsingLevel=31&{query}')
        expected = {item['id'] for item in everything if fits(item)}
        assert expected and {item['id'] for item in found} == expected, query
    week = walk(site, f'{IMAGES}?limit=200&browsingLevel=31&period=Week')
    assert 0 < len(week) < len(everything)
    pair = [everything[3]['id'], everything[9]['id']]
    listed = items(site, f'{IMAGES}?ids={pair[0]},{pair[1]},1&browsingLevel=31')
    assert {item['id'] for item in listed} == set(pair)


def test_orders(site: DemoServer) -> None:
    def sums(item: dict[str, Any]) -> int:
        stats = item['stats']
        return sum(stats[f'{kind}Count'] for kind in ('cry', 'laugh', 'like', 'heart'))

    liked = [sums(item) for item in items(site, f'{OPENING}&limit=50')]
    assert liked == sorted(liked, reverse=True)
    fresh = [item['createdAt'] for item in items(site, f'{OPENING}&limit=50&sort=Newest')]
    assert fresh == sorted(fresh, reverse=True)
    old = [item['createdAt'] for item in items(site, f'{OPENING}&limit=50&sort=Oldest')]
    assert old == sorted(old)


def test_meta_is_flat_from_the_index_and_wrapped_from_the_database(site: DemoServer) -> None:
    item = items(site, f'{OPENING}&limit=1&withMeta=true')[0]
    flat, number = item['meta'], item['id']
    assert flat['prompt'] and flat['steps'] and flat['seed'] and flat['cfgScale']
    one = f'{IMAGES}?imageId={number}&withMeta=true'
    assert items(site, one)[0]['meta'] == {'id': number, 'meta': flat}
    assert items(site, f'{one}&flatMeta=true')[0]['meta'] == flat
    nested = items(site, f'{OPENING}&limit=1&withMeta=true&flatMeta=false')[0]
    assert nested['meta'] == {'id': number, 'meta': flat}
    assert items(site, f'{OPENING}&limit=1')[0]['meta'] is None


def test_some_settings_are_nobodys_business(site: DemoServer) -> None:
    found = walk(site, f'{IMAGES}?limit=200&withMeta=true')
    silent = [item for item in found if item['meta'] is None]
    assert 0 < len(silent) < len(found) / 3
    assert any('comfy' in (item['meta'] or {}) for item in found)
    assert any('civitaiResources' in (item['meta'] or {}) for item in found)


@pytest.mark.parametrize('sort', ['Most Reactions', 'Newest'])
def test_the_opening_gallery_fills_pages_and_begins_with_prompts(
    site: DemoServer, sort: str
) -> None:
    assert OPENING_PATH == f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'
    query = f'{OPENING}&browsingLevel=1&withMeta=true&limit=24&sort={sort}'
    first = items(site, query)
    assert len(first) == 24
    assert all(item['meta']['prompt'] and item['type'] == 'image' for item in first)
    assert len(walk(site, query)) >= 90


# -- complaints


@pytest.mark.parametrize(
    ('query', 'name', 'code'),
    [
        pytest.param('limit=201', 'limit', 'too_big', id='limit-too-big'),
        pytest.param('limit=-1', 'limit', 'too_small', id='limit-too-small'),
        pytest.param('limit=many', 'limit', 'invalid_type', id='limit-no-number'),
        pytest.param('modelId=1&modelId=2', 'modelId', 'invalid_type', id='repeated'),
        pytest.param('period=Fortnight', 'period', 'invalid_value', id='period'),
        pytest.param('sort=newest', 'sort', 'invalid_value', id='case-of-sort'),
        pytest.param('nsfw=x', 'nsfw', 'invalid_value', id='case-of-nsfw'),
        pytest.param('withMeta=maybe', 'withMeta', 'invalid_value', id='boolean'),
        pytest.param('username=Noor-Vale', 'username', 'invalid_format', id='username'),
        pytest.param('baseModels=SDXL', 'baseModels', 'invalid_value', id='base-model'),
    ],
)
def test_bad_parameters_are_a_zod_error(site: DemoServer, query: str, name: str, code: str) -> None:
    answer = get(site, f'{IMAGES}?{query}')
    assert answer.status_code == 400
    error = answer.json()['error']
    issues = json.loads(error['message'])
    assert error['name'] == 'ZodError'
    assert [(issue['path'], issue['code']) for issue in issues] == [([name], code)]


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
def test_other_complaints(site: DemoServer, path: str, status: int, body: object) -> None:
    answer = get(site, path)
    assert (answer.status_code, answer.json()) == (status, body)
    assert 'Retry-After' not in answer.headers


def test_unknown_things_are_an_empty_page_to_the_index(site: DemoServer) -> None:
    assert items(site, f'{IMAGES}?username=nobody') == []
    assert items(site, f'{IMAGES}?modelVersionId=9') == []
    assert items(site, f'{IMAGES}?imageId=9') == []


def test_a_wrong_verb_is_refused(site: DemoServer) -> None:
    answer = requests.post(f'{site.url}{MODELS}', timeout=20)
    assert (answer.status_code, answer.json()) == (405, {'error': 'Method not allowed'})


# -- caching


def test_answers_may_be_cached_by_all_and_asked_for_again_by_tag(site: DemoServer) -> None:
    answer = get(site, f'{OPENING}&limit=3')
    assert answer.headers['Cache-Control'].startswith('public, s-maxage=300')
    again = get(site, f'{OPENING}&limit=3', headers={'If-None-Match': answer.headers['ETag']})
    assert (again.status_code, again.content) == (304, b'')
    assert get(site, MODELS).headers['Cache-Control'].startswith('public')
    assert get(site, MODELS, headers=KEY).headers['Cache-Control'].endswith('private, no-cache')


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
    site: DemoServer, path: str, anonymous: str, with_key: str
) -> None:
    assert get(site, path).headers['Cache-Control'] == anonymous
    assert get(site, path, headers=KEY).headers['Cache-Control'] == with_key


def test_pictures_may_be_kept_for_good(site: DemoServer) -> None:
    path = cdn(of_container('webp')['uuid'], 'width=96')
    first = get(site, path)
    assert first.headers['Cache-Control'] == 'public, max-age=31536000, immutable'
    for sent in (first.headers['ETag'], f'W/{first.headers["ETag"]}', '*'):
        again = get(site, path, headers={'If-None-Match': sent})
        assert (again.status_code, again.content) == (304, b'')
    assert get(site, path, headers={'If-None-Match': '"other"'}).content == first.content


def test_web_pages_of_others_may_ask(site: DemoServer) -> None:
    for path in (IMAGES, MODELS, '/api/v1/model-versions/by-hash'):
        asked = requests.options(f'{site.url}{path}', timeout=20)
        assert (asked.status_code, asked.content) == (200, b'')
        assert asked.headers['Access-Control-Allow-Origin'] == '*'


# -- posts and lists


def test_a_post_tells_its_pictures_in_the_order_they_were_uploaded(site: DemoServer) -> None:
    everything = walk(site, f'{IMAGES}?limit=200&browsingLevel=31')
    sizes = Counter(item['postId'] for item in everything)
    number = max(sizes, key=lambda one: sizes[one])
    post = get(site, f'/api/v1/posts/{number}').json()
    own = [item for item in everything if item['postId'] == number]
    assert [image['id'] for image in post['images']] == sorted(item['id'] for item in own)
    assert len(own) > 3
    assert {image['postId'] for image in post['images']} == {number} == {post['id']}
    assert {image['meta'] for image in post['images']} == {None}
    assert {image['username'] for image in post['images']} == {post['user']['username']}
    assert post['nsfwLevel'] == sum({item['browsingLevel'] for item in own})
    assert post['title'] and post['tags'] and post['modelVersionId']


def test_creators_are_counted_page_by_page(site: DemoServer) -> None:
    first = get(site, '/api/v1/creators?limit=5').json()
    assert first['metadata']['totalItems'] == 12
    assert first['metadata']['totalPages'] == 3
    assert 'prevPage' not in first['metadata']
    names = [item['username'] for item in walk(site, '/api/v1/creators?limit=5')]
    assert sorted(names) == sorted(user.name for user in USERS)
    counts = {item['username']: item.get('modelCount') for item in walk(site, '/api/v1/creators')}
    assert counts['MapleLantern'] == 1
    assert counts['Noor-Vale'] is None
    found = items(site, '/api/v1/creators?query=maple')[0]
    assert [model['creator']['username'] for model in items(site, found['link'])] == [
        'MapleLantern'
    ]
    last = get(site, '/api/v1/creators?limit=5&page=3').json()['metadata']
    assert 'nextPage' not in last and last['prevPage'].endswith('page=2')


def test_tags_lead_to_models_and_are_not_counted(site: DemoServer) -> None:
    first = get(site, '/api/v1/tags?limit=4').json()
    assert first['metadata']['totalItems'] == 0
    found = walk(site, '/api/v1/tags?limit=4')
    assert len(found) > 4
    assert {'base model', 'landscapes'} <= {tag['name'] for tag in found}
    assert all(set(tag) == {'name', 'link'} for tag in found)
    for tag in found:
        assert all(tag['name'] in model['tags'] for model in items(site, tag['link']))


@pytest.mark.parametrize('path', ['/api/v1/creators', '/api/v1/tags'])
@pytest.mark.parametrize('query', ['limit=201', 'limit=0', 'page=0', 'limit=x'])
def test_bad_parameters_of_lists_are_a_bare_list(site: DemoServer, path: str, query: str) -> None:
    answer = get(site, f'{path}?{query}')
    assert answer.status_code == 400
    assert [issue['path'] for issue in answer.json()] == [[query.partition('=')[0]]]


def test_enums_name_what_the_other_routes_understand(site: DemoServer) -> None:
    words = get(site, '/api/v1/enums').json()
    assert {item['type'] for item in items(site, MODELS)} <= set(words['ModelType'])
    assert set(words['ActiveBaseModel']) < set(words['BaseModel'])
    for name in words['BaseModel']:
        assert get(site, f'{IMAGES}?baseModels={name}&limit=1').status_code == 200
    for name in words['ModelType']:
        assert get(site, f'{MODELS}?types={name}').status_code == 200


def test_collections_are_listed_but_not_what_is_in_them(site: DemoServer) -> None:
    found = walk(site, '/api/v1/collections?limit=1&nsfw=true')
    assert len({item['id'] for item in found}) == len(found) == 4
    assert {item['nsfwLevel'] for item in items(site, '/api/v1/collections')} == {1}
    cursor = get(site, '/api/v1/collections?limit=1').json()['metadata']['nextCursor']
    assert isinstance(cursor, int)
    one = get(site, f'/api/v1/collections/{cursor}').json()
    assert one['id'] == cursor and 'tags' in one and 'images' not in one
    assert opened(get(site, one['coverImageUrl']))
    followed = '/api/v1/collections?sort=Most Followers'
    assert items(site, followed)[0]['name'] == 'Flat and quiet'
    assert get(site, f'{followed}&cursor=1288').status_code == 400
    assert [one['name'] for one in items(site, '/api/v1/collections?query=skies')] == [
        'Skies to keep'
    ]


# -- models


def test_the_list_of_models_pages_and_filters(site: DemoServer) -> None:
    everything = items(site, MODELS)
    assert len(everything) >= 3
    assert all(len(model['modelVersions']) >= 2 for model in everything)
    assert {'Checkpoint', 'LORA', 'TextualInversion'} <= {model['type'] for model in everything}
    assert walk(site, f'{MODELS}?limit=2') == everything
    assert {m['type'] for m in items(site, f'{MODELS}?types=LORA&types=LoCon')} == {'LORA', 'LoCon'}
    assert [m['name'] for m in items(site, f'{MODELS}?query=gouache')] == ['Gouache Weather']
    assert get(site, f'{MODELS}?types=LORA,LoCon').status_code == 400
    assert get(site, f'{MODELS}?browsingLevel=31').status_code == 400


def test_previews_are_level_one_unless_asked_for_more(site: DemoServer) -> None:
    def levels(path: str) -> set[int]:
        versions = [version for model in items(site, path) for version in model['modelVersions']]
        return {image['nsfwLevel'] for version in versions for image in version['images']}

    assert levels(MODELS) == {1}
    assert levels(f'{MODELS}?nsfw=true') > {1, 2}


def test_one_model_leaves_out_what_is_empty(site: DemoServer) -> None:
    versions = get(site, f'{MODELS}/{OPENING_MODEL_ID}').json()['modelVersions']
    assert all(value not in (None, []) for version in versions for value in version.values())
    assert 'trainedWords' not in versions[0] and 'description' not in versions[1]
    listed = items(site, f'{MODELS}?limit=1')[0]['modelVersions'][0]
    assert listed['trainedWords'] == []


def test_a_version_is_found_by_id_and_by_any_hash(site: DemoServer) -> None:
    version = get(site, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()
    assert (version['id'], version['modelId']) == (OPENING_VERSION_ID, OPENING_MODEL_ID)
    assert version['images'][0]['meta']['prompt']
    for value in version['files'][0]['hashes'].values():
        found = get(site, f'/api/v1/model-versions/by-hash/{value.lower()}')
        assert found.json() == version


BY_HASH = '/api/v1/model-versions/by-hash'


def sha256_of(site: DemoServer, version: int) -> str:
    files = get(site, f'/api/v1/model-versions/{version}').json()['files']
    return str(files[0]['hashes']['SHA256'])


def test_many_hashes_are_looked_up_at_once(site: DemoServer) -> None:
    wanted = [sha256_of(site, 420101), '0' * 64, sha256_of(site, 431702).lower()]
    found = requests.post(f'{site.url}{BY_HASH}', json=wanted, timeout=20).json()
    assert [version['id'] for version in found] == [420101, 431702]
    assert found[0] == get(site, '/api/v1/model-versions/420101').json()


@pytest.mark.parametrize('body', ['', '{}', '["short"]', json.dumps(['0' * 64] * 101)])
def test_a_list_of_hashes_is_expected(site: DemoServer, body: str) -> None:
    answer = requests.post(f'{site.url}{BY_HASH}', data=body, timeout=20)
    assert answer.status_code == 400
    assert 'SHA256' in answer.json()['error']


def urls_in(value: Any) -> Iterator[str]:
    """Every address anywhere in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from urls_in(part)
    elif isinstance(value, str) and value.startswith('http'):
        yield value


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
def test_addresses_name_the_host_that_was_asked(site: DemoServer, route: str) -> None:
    base = f'http://localhost:{site.port}'
    found = list(urls_in(get(site, f'{base}/api/v1/{route}').json()))
    assert found and all(url.startswith(f'{base}/') for url in found)


def test_the_key_has_an_owner(site: DemoServer) -> None:
    assert get(site, '/api/v1/me', headers=KEY).json()['username'] == 'demo_visitor'
    assert get(site, '/api/v1/me', headers={'Authorization': 'Bearer x'}).status_code == 401


def test_people_are_found_by_the_beginning_of_their_name_or_by_id(site: DemoServer) -> None:
    (found,) = items(site, '/api/v1/users?query=noor')
    assert found['username'] == 'Noor-Vale'
    assert items(site, f'/api/v1/users?ids={found["id"]}') == [found]


# -- model files


def test_every_file_is_what_its_facts_say(site: DemoServer) -> None:
    for model in load_catalog().models:
        for version in get(site, f'{MODELS}/{model.id}').json()['modelVersions']:
            for file in version['files']:
                data = get(site, file['downloadUrl']).content
                digest = hashlib.sha256(data).hexdigest().upper()
                assert digest == file['hashes']['SHA256']
                assert digest.startswith(file['hashes']['AutoV2'])
                assert f'{zlib.crc32(data):08X}' == file['hashes']['CRC32']
                assert file['sizeKB'] * 1024 == len(data)
                header = json.loads(data[8 : 8 + int.from_bytes(data[:8], 'little')])
                ends = [part['data_offsets'][1] for key, part in header.items() if key[0] != '_']
                assert 8 + int.from_bytes(data[:8], 'little') + max(ends) == len(data)


@pytest.mark.parametrize(
    ('asked', 'sent'), [('127.0.0.1', 'localhost'), ('localhost', '127.0.0.1')]
)
def test_a_download_leads_to_another_host_that_wants_no_key(
    site: DemoServer, asked: str, sent: str
) -> None:
    address = f'http://{asked}:{site.port}{DOWNLOAD}'
    answer = get(site, address, allow_redirects=False)
    target = answer.headers['Location']
    assert (answer.status_code, answer.headers['Cache-Control']) == (307, 'no-store, max-age=0')
    assert urlsplit(target).netloc == f'{sent}:{site.port}'
    delivered = get(site, target)
    assert 'filename="paperHorizonsXL_v20.safetensors"' in delivered.headers['Content-Disposition']
    assert get(site, target, headers=KEY).status_code == 400
    assert get(site, target.replace('Signature=', 'Signature=0')).status_code == 403


def test_a_file_id_chooses_the_file(site: DemoServer) -> None:
    files = get(site, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()['files']
    full = next(file for file in files if not file.get('primary'))
    data = get(site, f'{DOWNLOAD}?fileId={full["id"]}').content
    assert hashlib.sha256(data).hexdigest().upper() == full['hashes']['SHA256']
    assert get(site, f'{DOWNLOAD}?fileId=5').status_code == 404
    assert get(site, f'{DOWNLOAD}?fileId=five').status_code == 400


@pytest.mark.parametrize(
    ('sent', 'status', 'piece'),
    [
        pytest.param({'Range': 'bytes=0-0'}, 206, slice(0, 1), id='probe'),
        pytest.param({'Range': 'bytes=1000-'}, 206, slice(1000, None), id='the-rest'),
        pytest.param({'Range': 'bytes=-10'}, 206, slice(-10, None), id='the-end'),
        pytest.param({'Range': 'bytes=99999999-'}, 416, slice(0, 0), id='outside'),
        pytest.param({'Range': 'bytes=5-', 'If-Range': '"old"'}, 200, slice(None), id='changed'),
        pytest.param({'Range': 'lines=1-2'}, 200, slice(None), id='unknown-unit'),
    ],
)
def test_files_come_in_pieces(
    site: DemoServer, sent: dict[str, str], status: int, piece: slice
) -> None:
    target = get(site, DOWNLOAD, allow_redirects=False).headers['Location']
    whole = get(site, target)
    answer = get(site, target, headers=sent)
    assert (answer.status_code, answer.content) == (status, whole.content[piece])
    assert answer.headers['ETag'] == whole.headers['ETag']
    if status == 206:
        size = len(whole.content)
        start, end, _ = piece.indices(size)
        assert answer.headers['Content-Range'] == f'bytes {start}-{end - 1}/{size}'


# -- pictures


@pytest.mark.parametrize(
    ('container', 'kind'), [('png', 'PNG'), ('jpeg', 'JPEG'), ('webp', 'WEBP')]
)
def test_originals_carry_their_settings_behind_one_kind_of_name(
    site: DemoServer, container: str, kind: str
) -> None:
    facts = of_container(container)
    answer = get(site, cdn(facts['uuid']))
    image = opened(answer)
    assert (image.format, image.size) == (kind, facts['size'])
    assert answer.headers['Content-Type'] == f'image/{container}'
    if container == 'png':
        text = image.info['parameters']
    else:
        comment = image.getexif().get_ifd(EXIF_POINTER)[USER_COMMENT]
        assert comment[:8] == b'UNICODE\x00'
        text = comment[8:].decode('utf-16-be')
    made = facts['picture'].generation
    assert text.startswith(made.prompt)
    assert f'Steps: {made.steps}, Sampler: {made.sampler}' in text
    assert f'Size: {image.width}x{image.height}, Model hash: ' in text


def test_a_picture_of_comfy_carries_its_graph(site: DemoServer) -> None:
    facts = of_container('png', 'comfy')
    image = opened(get(site, cdn(facts['uuid'])))
    assert 'parameters' not in image.info
    assert facts['picture'].generation.prompt in image.info['prompt']


@pytest.mark.parametrize(
    ('transforms', 'width', 'kind'),
    [
        pytest.param('width=1,optimized=true', 96, 'WEBP', id='up-to-the-first'),
        pytest.param('width=320,optimized=true', 320, 'WEBP', id='a-step'),
        pytest.param('width=450', 450, 'JPEG', id='not-optimized'),
        pytest.param('width=451,optimized=true', 512, 'WEBP', id='up-to-the-next'),
        pytest.param('width=1200,optimized=true', 832, 'WEBP', id='never-enlarged'),
        pytest.param('optimized=true', 832, 'WEBP', id='whole'),
        pytest.param('sparkle=9,width=450,fit=crop', 450, 'JPEG', id='unknown-words'),
        pytest.param('width=wide', 832, 'JPEG', id='no-number'),
    ],
)
def test_previews_have_ladder_widths_and_no_text(
    site: DemoServer, transforms: str, width: int, kind: str
) -> None:
    facts = next(
        picture
        for picture in load_catalog().pictures
        if picture.width == 832 and picture.container == 'jpeg'
    )
    image = opened(get(site, cdn(facts.uuid, transforms)))
    assert (image.format, image.width) == (kind, width)
    assert image.height == round(1216 * width / 832)
    assert not image.getexif() and 'parameters' not in image.info


def test_original_wins_over_a_width(site: DemoServer) -> None:
    uuid = of_container('png')['uuid']
    plain, both = cdn(uuid), cdn(uuid, 'width=450,original=true')
    assert get(site, both).content == get(site, plain).content
    raw = get(site, f'/file/civitai-media-cache/{uuid}/original')
    assert raw.content == get(site, plain).content


def test_an_unknown_picture_is_missing(site: DemoServer) -> None:
    assert get(site, cdn('6a09ec54-6de4-4af1-b11d-2d0d8a66d651')).status_code == 404


@pytest.mark.parametrize(
    ('transforms', 'ending', 'content_type'),
    [
        pytest.param('original=true', 'mp4', 'video/mp4', id='original'),
        pytest.param('transcode=true,width=450,optimized=true', 'mp4', 'video/mp4', id='preview'),
        pytest.param(
            'anim=false,transcode=true,width=450,optimized=true', 'jpeg', 'image/webp', id='poster'
        ),
        pytest.param('anim=false,width=450', 'mp4', 'image/jpeg', id='poster-by-anim'),
        pytest.param('transcode=true,width=450', 'jpeg', 'image/jpeg', id='poster-by-name'),
    ],
)
def test_a_video_plays_or_stands_still(
    site: DemoServer, transforms: str, ending: str, content_type: str
) -> None:
    video = items(site, f'{IMAGES}?type=video&limit=1')[0]
    answer = get(site, cdn(video['url'].split('/')[-3], transforms, ending))
    assert answer.headers['Content-Type'] == content_type
    if content_type == 'video/mp4':
        assert answer.content[4:8] == b'ftyp'
        assert answer.content.index(b'moov') < answer.content.index(b'mdat')
    else:
        assert opened(answer).size == (video['width'], video['height'])


def test_names_promise_nothing_about_videos(site: DemoServer) -> None:
    videos = walk(site, f'{IMAGES}?type=video&browsingLevel=31&limit=200')
    endings = [video['url'].rsplit('.', 1)[1] for video in videos]
    assert endings.count('jpeg') == 1 and endings.count('mp4') == len(videos) - 1 > 3
    for transforms in ('original=true', WHOLE_VIDEO):
        answers = [get(site, resized(video['url'], transforms)) for video in videos]
        assert {answer.headers['Content-Type'] for answer in answers} == {'video/mp4'}
    assert opened(get(site, videos[0]['thumbnail']['url'])).format == 'WEBP'


def test_no_two_pictures_look_alike_and_each_is_always_the_same() -> None:
    pictures = [picture for picture in load_catalog().pictures if picture.kind == 'image']
    tiny = Transform(width=96, optimized=True)
    digests = {hashlib.sha256(render(picture, tiny)[0]).digest() for picture in pictures}
    assert len(digests) == len(pictures)
    whole = Transform(original=True)
    assert all(render(picture, whole) == render(picture, whole) for picture in pictures[:12])


# -- scenarios


def spoiled(site: DemoServer, path: str, **options: Any) -> requests.Response:
    return get(site, path, allow_redirects=False, **options)


@pytest.mark.parametrize(
    ('scenario', 'status', 'retry_after', 'body'),
    [
        ('503', 503, '2', {'error': 'Server busy, please retry shortly.'}),
        ('429', 429, '2', None),
        ('429-no-retry-after', 429, None, None),
    ],
)
def test_busy_scenarios_touch_api_downloads_and_pictures(
    stormy: DemoServer, scenario: str, status: int, retry_after: str | None, body: object
) -> None:
    stormy.scenario = scenario
    for path in (OPENING, DOWNLOAD, cdn(of_container('png')['uuid'])):
        answer = spoiled(stormy, path)
        assert answer.status_code == status
        assert answer.headers.get('Retry-After') == retry_after
        assert body in (None, answer.json())
    assert get(stormy, '/').status_code == 200


def test_a_counted_scenario_ends_and_may_begin_anew(stormy: DemoServer) -> None:
    for _ in range(2):
        stormy.scenario = '503:2'
        assert get(stormy, '/').status_code == 200
        assert [get(stormy, OPENING).status_code for _ in range(4)] == [503, 503, 200, 200]


def test_slow_keeps_one_waiting(stormy: DemoServer) -> None:
    stormy.scenario = 'slow:1'
    with pytest.raises(requests.ReadTimeout):
        requests.get(f'{stormy.url}{OPENING}', timeout=0.5)
    assert get(stormy, OPENING).status_code == 200


def test_html_is_a_page_with_a_good_status(stormy: DemoServer) -> None:
    stormy.scenario = 'html'
    for path in (OPENING, cdn(of_container('png')['uuid'])):
        answer = get(stormy, path)
        assert answer.status_code == 200
        assert answer.headers['Content-Type'].startswith('text/html')
        assert answer.text.startswith('<!DOCTYPE html>')


def test_a_blocked_region(stormy: DemoServer) -> None:
    stormy.scenario = '451'
    answer = get(stormy, OPENING)
    assert (answer.status_code, answer.json()['code']) == (451, 'REGION_BLOCKED')
    assert get(stormy, cdn(of_container('png')['uuid'])).status_code == 200


def test_without_the_key_nothing_is_told(stormy: DemoServer) -> None:
    stormy.scenario = 'key-needed'
    answer = get(stormy, OPENING)
    assert (answer.status_code, answer.json()) == (401, {'error': 'Unauthorized'})
    refused = spoiled(stormy, DOWNLOAD)
    assert refused.status_code == 401
    assert 'logged in to download' in refused.json()['message']
    assert get(stormy, OPENING, headers=KEY).status_code == 200
    assert spoiled(stormy, DOWNLOAD, headers=KEY).status_code == 307
    assert spoiled(stormy, f'{DOWNLOAD}?token={DEMO_KEY}').status_code == 307
    assert get(stormy, cdn(of_container('png')['uuid'])).status_code == 200


def test_some_pictures_are_gone(stormy: DemoServer) -> None:
    stormy.scenario = 'cdn-404'
    urls = [item['url'] for item in items(stormy, f'{OPENING}&limit=20')]
    found = [get(stormy, resized(url, 'width=96')).status_code for url in urls]
    assert found == [404 if picture_is_chosen(urlsplit(url).path) else 200 for url in urls]
    assert 1 <= found.count(404) <= 12


def test_some_pictures_break_off(stormy: DemoServer, caplog: pytest.LogCaptureFixture) -> None:
    stormy.scenario = 'truncated'
    torn = 0
    for item in items(stormy, f'{OPENING}&limit=20'):
        with socket.create_connection(('127.0.0.1', stormy.port), timeout=20) as line:
            path = urlsplit(resized(item['url'], 'width=96')).path
            line.sendall(f'GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'.encode())
            with line.makefile('rb') as stream:
                head, _, body = stream.read().partition(b'\r\n\r\n')
        found = re.search(rb'content-length: (\d+)', head.lower())
        assert found is not None
        announced = int(found[1])
        torn += len(body) == announced // 2
        assert len(body) in (announced, announced // 2)
    assert 1 <= torn <= 12
    assert caplog.records == []


# -- scenarios of pages: where a walk may go wrong

SEARCH_WALK = f'{OPENING}&browsingLevel=31&limit=40'
DATABASE_WALK = f'{IMAGES}?modelId={OPENING_MODEL_ID}&browsingLevel=31&limit=40'
WALKS = {
    'search': SEARCH_WALK,
    'search-oldest': f'{SEARCH_WALK}&sort=Oldest',
    'database': DATABASE_WALK,
    'database-oldest': f'{DATABASE_WALK}&sort=Oldest',
}
every_walk = pytest.mark.parametrize('path', WALKS.values(), ids=WALKS)


def pages(site: DemoServer, path: str) -> list[tuple[list[int], str]]:
    """Of each page the ids and the cursor after it; ends at a cursor that came before."""
    found: list[tuple[list[int], str]] = []
    while path:
        page = get(site, path).json()
        cursor = page['metadata'].get('nextCursor', '')
        path = page['metadata'].get('nextPage', '')
        if cursor in [before for _, before in found]:
            path = ''
        found.append(([item['id'] for item in page['items']], cursor))
    return found


def ids_on(found: list[tuple[list[int], str]]) -> list[int]:
    return [number for numbers, _ in found for number in numbers]


@pytest.mark.parametrize(
    ('scenario', 'path', 'form'),
    [
        ('', WALKS['search'], r'\d+\|\d+'),
        ('', WALKS['database'], r'\d+'),
        ('offset-cursors', WALKS['search'], r'\d+\|\d{13}'),
        ('offset-cursors', WALKS['database'], r'\d+\|\d{13}'),
        ('offset-cursors', WALKS['database-oldest'], r'\d+\|\d{13}'),
        ('feed-cursors', WALKS['search'], r'feed:\d{13}:\d+'),
        ('feed-cursors', WALKS['search-oldest'], r'feed:\d{13}:\d+'),
        ('feed-cursors', WALKS['database'], r'\d+'),
    ],
)
def test_cursors_have_several_forms_and_all_lead_on(
    stormy: DemoServer, scenario: str, path: str, form: str
) -> None:
    expected = ids_on(pages(stormy, path))
    stormy.scenario = scenario
    found = pages(stormy, path)
    assert ids_on(found) == expected
    assert len(found) > 3
    assert all(re.fullmatch(form, cursor) for _, cursor in found[:-1])


@pytest.mark.parametrize(
    ('change', 'status'),
    [
        pytest.param('', 200, id='same'),
        pytest.param('&limit=7&withMeta=true&flatMeta=true&withTags=true', 200, id='only-the-look'),
        pytest.param('&sort=Newest', 400, id='sort'),
        pytest.param('&browsingLevel=31', 400, id='level'),
        pytest.param('&username=HanaMori', 400, id='user'),
        pytest.param('&period=Month', 400, id='period'),
    ],
)
def test_a_feed_cursor_belongs_to_its_filters(stormy: DemoServer, change: str, status: int) -> None:
    stormy.scenario = 'feed-cursors'
    cursor = get(stormy, OPENING).json()['metadata']['nextCursor']
    answer = get(stormy, f'{OPENING}&cursor={cursor}{change}')
    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {'message': 'This cursor cannot be continued with these filters'}
        assert answer.headers['Cache-Control'] == 'no-store'


def test_a_feed_cursor_may_come_to_an_end(stormy: DemoServer) -> None:
    stormy.scenario = 'feed-cursors:1'
    following = get(stormy, OPENING).json()['metadata']['nextPage']
    answer = get(stormy, following)
    assert answer.status_code == 400
    assert 'start again without it' in answer.json()['message']


@every_walk
def test_an_empty_page_in_the_middle_is_not_the_end(stormy: DemoServer, path: str) -> None:
    fair = pages(stormy, path)
    stormy.scenario = 'empty-page'
    found = pages(stormy, path)
    assert ids_on(found) == ids_on(fair)
    empty = [index for index, (numbers, cursor) in enumerate(found) if not numbers and cursor]
    assert empty == list(range(1, 2 * len(fair) - 1, 2))


@every_walk
def test_the_last_page_repeats_a_cursor(stormy: DemoServer, path: str) -> None:
    fair = pages(stormy, path)
    stormy.scenario = 'repeated-cursor'
    found = pages(stormy, path)
    assert [numbers for numbers, _ in found] == [numbers for numbers, _ in fair]
    assert found[-1][1] == found[0][1] != ''
    again = get(stormy, f'{path}&cursor={found[-1][1]}').json()['items']
    assert [item['id'] for item in again] == found[1][0]


def test_a_single_page_has_no_cursor_to_repeat(stormy: DemoServer) -> None:
    stormy.scenario = 'repeated-cursor'
    page = get(stormy, f'{IMAGES}?modelVersionId=470301&limit=200').json()
    assert page['items'] and page['metadata'] == {}


def test_the_lossy_database_drops_a_picture_between_two_pages(stormy: DemoServer) -> None:
    fair = {name: ids_on(pages(stormy, path)) for name, path in WALKS.items()}
    stormy.scenario = 'lossy'
    found = pages(stormy, WALKS['database'])
    lost = set(fair['database']) - set(ids_on(found))
    assert lost == {int(cursor) for _, cursor in found if cursor}
    assert len(lost) == len(found) - 1 > 3
    for name in ('search', 'search-oldest', 'database-oldest'):
        assert ids_on(pages(stormy, WALKS[name])) == fair[name]


# -- scenarios of pictures and files


def test_a_bad_question_on_order(stormy: DemoServer) -> None:
    stormy.scenario = '400'
    answer = get(stormy, OPENING)
    assert answer.status_code == 400
    error = answer.json()['error']
    assert error['name'] == 'ZodError'
    assert json.loads(error['message'])[0]['message'].startswith('Invalid option')
    assert get(stormy, MODELS).status_code == 200


@pytest.mark.parametrize('path', [SEARCH_WALK, DATABASE_WALK], ids=['search', 'database'])
def test_fields_may_be_null_or_missing(stormy: DemoServer, path: str) -> None:
    fair = items(stormy, f'{path}&withMeta=true')
    stormy.scenario = 'null-fields'
    found = items(stormy, f'{path}&withMeta=true')
    assert [item['id'] for item in found] == [item['id'] for item in fair]
    for field in 'meta hash width height username baseModel postId stats'.split():
        states = {'absent' if field not in item else item[field] is None for item in found}
        assert states == {'absent', True, False}, field
    counts = {tuple(item['stats'].values()) for item in found if item.get('stats')}
    assert any(None in some for some in counts) and {len(some) for some in counts} == {3, 6}
    assert any(one == other for one, other in zip(found, fair))
    assert all(item['url'] and item['browsingLevel'] is not None for item in found)


def test_a_video_may_come_as_a_still(stormy: DemoServer) -> None:
    videos = items(stormy, f'{IMAGES}?type=video&browsingLevel=31')
    picture = get(stormy, cdn(of_container('png')['uuid'])).content
    stormy.scenario = 'video-as-webp'
    for video in (videos[0], videos[-1]):
        still = opened(get(stormy, video['url']))
        assert (still.format, still.size) == ('WEBP', (video['width'], video['height']))
        assert getattr(still, 'n_frames', 1) == 1
        whole = get(stormy, resized(video['url'], WHOLE_VIDEO))
        raw = get(stormy, f'/file/civitai-media-cache/{video["url"].split("/")[4]}/original')
        for answer in (whole, raw):
            assert answer.headers['Content-Type'] == 'video/mp4'
            assert answer.content[4:8] == b'ftyp'
    assert get(stormy, cdn(of_container('png')['uuid'])).content == picture


@pytest.mark.parametrize(
    ('scenario', 'status', 'body'),
    [
        (
            '401-disabled',
            401,
            {
                'error': 'Unauthorized',
                'message': 'The creator of this asset has disabled downloads on this file',
            },
        ),
        (
            '403-early-access',
            403,
            {
                'error': 'Early Access',
                'deadline': '2025-12-04T12:00:00.000Z',
                'message': 'This asset is in Early Access. You can use Buzz access it now!',
            },
        ),
        ('403-no-access', 403, {'error': 'You do not have access to download this file'}),
        ('410', 410, {'error': 'Model archived, not available for download'}),
    ],
)
def test_a_model_file_may_not_be_had(
    stormy: DemoServer, scenario: str, status: int, body: object
) -> None:
    stormy.scenario = scenario
    for headers in ({}, KEY):
        answer = spoiled(stormy, DOWNLOAD, headers=headers)
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers['Cache-Control'] == 'no-store, max-age=0'
    assert get(stormy, OPENING).status_code == 200


def test_a_file_may_differ_from_its_hashes(stormy: DemoServer) -> None:
    fair, listed = get(stormy, DOWNLOAD).content, sha256_of(stormy, OPENING_VERSION_ID)
    stormy.scenario = 'wrong-hash:2'
    wrong = get(stormy, DOWNLOAD)
    assert wrong.status_code == 200
    assert len(wrong.content) == len(fair)
    assert hashlib.sha256(wrong.content).hexdigest().upper() != listed
    part = get(stormy, DOWNLOAD, headers={'Range': 'bytes=-8'})
    assert (part.status_code, part.content) == (206, wrong.content[-8:])
    assert hashlib.sha256(get(stormy, DOWNLOAD).content).hexdigest().upper() == listed


def test_addresses_may_name_no_host(stormy: DemoServer) -> None:
    stormy.scenario = 'undefined-urls:1'
    wanted = [sha256_of(stormy, OPENING_VERSION_ID)]
    found, fair = (
        requests.post(f'{stormy.url}{BY_HASH}', json=wanted, timeout=20).json() for _ in range(2)
    )
    urls = list(urls_in(found))
    assert urls and all(url.startswith('https://undefined/') for url in urls)
    assert [url.replace('https://undefined', stormy.url) for url in urls] == list(urls_in(fair))


# -- scenarios in general


def test_only_requests_it_applies_to_use_a_counted_scenario_up(stormy: DemoServer) -> None:
    stormy.scenario = '400:1'
    assert [get(stormy, path).status_code for path in ('/', MODELS, OPENING, OPENING)] == [
        200,
        200,
        400,
        200,
    ]


def test_the_readme_tells_every_scenario() -> None:
    text = (ROOT / 'civitai_demo' / 'README.md').read_text(encoding='utf-8')
    first_cells = [line.split('|')[1] for line in text.splitlines() if line.startswith('| `')]
    assert re.findall(r'`([^`]+)`', ' '.join(first_cells)) == list(SCENARIOS)


@pytest.mark.parametrize('name', ['weather', '503:', '503:two', ':2'])
def test_an_unknown_scenario_lists_the_known(name: str) -> None:
    with pytest.raises(ValueError) as problem:
        DemoServer(scenario=name)
    if not name.startswith('503'):
        assert all(known in str(problem.value) for known in SCENARIOS)


# -- the server itself


def test_requests_are_remembered(stormy: DemoServer) -> None:
    get(stormy, f'http://localhost:{stormy.port}/?a=b', headers={'X-Mark': 'here'})
    (record,) = stormy.requests
    assert (record.method, record.path, record.query) == ('GET', '/', 'a=b')
    assert record.host == f'localhost:{stormy.port}'
    assert record.headers['x-mark'] == 'here'


def test_both_names_of_this_computer_are_answered(site: DemoServer) -> None:
    for host in ('127.0.0.1', 'localhost'):
        assert get(site, f'http://{host}:{site.port}/').status_code == 200


def test_stopping_waits_for_nobody() -> None:
    outcomes: list[object] = []

    def ask(url: str) -> None:
        try:
            outcomes.append(requests.get(url, timeout=20).status_code)
        except requests.ConnectionError:
            outcomes.append('hung up')

    with DemoServer(latency=600) as demo, requests.Session() as idle:
        patient = threading.Thread(target=ask, args=(f'{demo.url}/',))
        patient.start()
        while not demo.requests:
            patient.join(0.01)
        demo.latency = 0
        assert idle.get(demo.url, timeout=20).status_code == 200
    patient.join(10)
    assert outcomes in (['hung up'], [500])
    with pytest.raises(requests.ConnectionError):
        requests.get(demo.url, timeout=5)


def test_two_servers_do_not_share_a_port(site: DemoServer) -> None:
    with pytest.raises(OSError):
        DemoServer(port=site.port).start()


@pytest.mark.parametrize(
    'path',
    ['/', OPENING_PATH, f'/models/{OPENING_MODEL_ID}/paper-horizons', '/user/HanaMori'],
)
def test_links_lead_somewhere(site: DemoServer, path: str) -> None:
    page = get(site, path)
    assert page.status_code == 200
    links = set(re.findall(r'href="([^"]+)"', page.text))
    pictures = re.findall(r'src="([^"]+)"', page.text)
    assert links and pictures
    assert all(get(site, link.replace('&amp;', '&')).status_code == 200 for link in links)
    assert opened(get(site, pictures[0])).width == 320


@pytest.mark.parametrize(
    'path', ['/nowhere', '/models/9', '/images/x', '/posts/1', '/user/%3Cscript%3E']
)
def test_dead_ends_say_so(site: DemoServer, path: str) -> None:
    page = get(site, path)
    assert page.status_code == 404
    assert 'Nothing here' in page.text and '<script' not in page.text


# -- the command line


def command(*options: str) -> subprocess.Popen[str]:
    def hear_interrupts() -> None:
        # A test run in the background of a shell script has them switched off.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, '-m', 'civitai_demo', *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts if os.name == 'posix' else None,
    )


@pytest.mark.skipif(os.name != 'posix', reason='sends SIGINT to a child')
def test_the_command_serves_until_interrupted() -> None:
    with command('--port', '0', '--scenario', '503:1') as process:
        assert process.stdout is not None and process.stderr is not None
        found = re.search(r'http://127\.0\.0\.1:\d+', process.stdout.readline())
        assert found is not None
        seen = [requests.get(f'{found[0]}{IMAGES}?limit=1', timeout=20) for _ in range(2)]
        assert [answer.status_code for answer in seen] == [503, 200]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert (process.stdout.read(), process.stderr.read()) == ('', '')


@pytest.mark.parametrize(
    ('options', 'status', 'words'),
    [
        pytest.param(['--scenario', 'weather'], 2, 'key-needed', id='scenario'),
        pytest.param(['--port', '70000'], 2, 'not a port', id='port'),
        pytest.param(['--latency', 'long'], 2, 'number of seconds', id='latency'),
    ],
)
def test_the_command_explains_wrong_options(options: list[str], status: int, words: str) -> None:
    with command(*options) as process:
        out, problem = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, '')
    assert words in problem and 'Traceback' not in problem


def test_a_taken_port_is_one_clear_line(site: DemoServer) -> None:
    with command('--port', str(site.port)) as process:
        out, problem = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, '')
    assert problem.splitlines() == [
        f'Port {site.port} is taken. Choose another with --port; 0 means any free one.'
    ]


def test_importing_opens_and_draws_nothing() -> None:
    watch = (
        'import sys, socket\n'
        'from PIL import Image\n'
        'import starlette.applications, starlette.routing, uvicorn\n'
        'def refuse(*a, **k): raise AssertionError("work at import")\n'
        'socket.socket = Image.new = Image.open = refuse\n'
        'import civitai_demo.server, civitai_demo.__main__, civitai_demo.drawing.clip\n'
        'from civitai_demo.world import catalog, models\n'
        'made = catalog.load_catalog.cache_info(), models.load_models.cache_info()\n'
        'print(*(cache.currsize for cache in made))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', watch], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ('0 0\n', '')
