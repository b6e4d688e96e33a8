"""Posts, creators, tags, collections and people."""

from __future__ import annotations

from collections import Counter

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.models import USERS
from tests.support.demo import IMAGES, MODELS, get, items, opened, walk


def test_a_post_tells_its_pictures_in_the_order_they_were_uploaded(demo: DemoServer) -> None:
    everything = walk(demo, f'{IMAGES}?limit=200&browsingLevel=31')
    sizes = Counter(item['postId'] for item in everything)
    number = max(sizes, key=lambda one: sizes[one])
    post = get(demo, f'/api/v1/posts/{number}').json()
    own = [item for item in everything if item['postId'] == number]
    assert [image['id'] for image in post['images']] == sorted(item['id'] for item in own)
    assert len(own) > 3
    assert {image['postId'] for image in post['images']} == {number} == {post['id']}
    assert {image['meta'] for image in post['images']} == {None}
    assert {image['username'] for image in post['images']} == {post['user']['username']}
    assert post['nsfwLevel'] == sum({item['browsingLevel'] for item in own})
    assert post['title'] and post['tags'] and post['modelVersionId']


def test_creators_are_counted_page_by_page(demo: DemoServer) -> None:
    first = get(demo, '/api/v1/creators?limit=5').json()
    assert first['metadata']['totalItems'] == 12
    assert first['metadata']['totalPages'] == 3
    assert 'prevPage' not in first['metadata']
    names = [item['username'] for item in walk(demo, '/api/v1/creators?limit=5')]
    assert sorted(names) == sorted(user.name for user in USERS)
    counts = {item['username']: item.get('modelCount') for item in walk(demo, '/api/v1/creators')}
    assert counts['MapleLantern'] == 1
    assert counts['Noor-Vale'] is None
    found = items(demo, '/api/v1/creators?query=maple')[0]
    assert [model['creator']['username'] for model in items(demo, found['link'])] == [
        'MapleLantern'
    ]
    last = get(demo, '/api/v1/creators?limit=5&page=3').json()['metadata']
    assert 'nextPage' not in last and last['prevPage'].endswith('page=2')


def test_tags_lead_to_models_and_are_not_counted(demo: DemoServer) -> None:
    first = get(demo, '/api/v1/tags?limit=4').json()
    assert first['metadata']['totalItems'] == 0
    found = walk(demo, '/api/v1/tags?limit=4')
    assert len(found) > 4
    assert {'base model', 'landscapes'} <= {tag['name'] for tag in found}
    assert all(set(tag) == {'name', 'link'} for tag in found)
    for tag in found:
        assert all(tag['name'] in model['tags'] for model in items(demo, tag['link']))


@pytest.mark.parametrize('path', ['/api/v1/creators', '/api/v1/tags'])
@pytest.mark.parametrize('query', ['limit=201', 'limit=0', 'page=0', 'limit=x'])
def test_bad_parameters_of_lists_are_a_bare_list(demo: DemoServer, path: str, query: str) -> None:
    answer = get(demo, f'{path}?{query}')
    assert answer.status_code == 400
    assert [issue['path'] for issue in answer.json()] == [[query.partition('=')[0]]]


def test_enums_name_what_the_other_routes_understand(demo: DemoServer) -> None:
    words = get(demo, '/api/v1/enums').json()
    assert {item['type'] for item in items(demo, MODELS)} <= set(words['ModelType'])
    assert set(words['ActiveBaseModel']) < set(words['BaseModel'])
    for name in words['BaseModel']:
        assert get(demo, f'{IMAGES}?baseModels={name}&limit=1').status_code == 200
    for name in words['ModelType']:
        assert get(demo, f'{MODELS}?types={name}').status_code == 200


def test_collections_are_listed_but_not_what_is_in_them(demo: DemoServer) -> None:
    found = walk(demo, '/api/v1/collections?limit=1&nsfw=true')
    assert len({item['id'] for item in found}) == len(found) == 4
    assert {item['nsfwLevel'] for item in items(demo, '/api/v1/collections')} == {1}
    cursor = get(demo, '/api/v1/collections?limit=1').json()['metadata']['nextCursor']
    assert isinstance(cursor, int)
    one = get(demo, f'/api/v1/collections/{cursor}').json()
    assert one['id'] == cursor and 'tags' in one and 'images' not in one
    assert opened(get(demo, one['coverImageUrl']))
    followed = '/api/v1/collections?sort=Most Followers'
    assert items(demo, followed)[0]['name'] == 'Flat and quiet'
    assert get(demo, f'{followed}&cursor=1288').status_code == 400
    assert [one['name'] for one in items(demo, '/api/v1/collections?query=skies')] == [
        'Skies to keep'
    ]


def test_people_are_found_by_the_beginning_of_their_name_or_by_id(demo: DemoServer) -> None:
    (found,) = items(demo, '/api/v1/users?query=noor')
    assert found['username'] == 'Noor-Vale'
    assert items(demo, f'/api/v1/users?ids={found["id"]}') == [found]
