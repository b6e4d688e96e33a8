"""The route of pictures: pages, filters and orders."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID, USERS
from tests.support.demo import IMAGES, OPENING, get, items, walk


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
def test_following_the_cursor_shows_everything_once(demo: DemoServer, query: str) -> None:
    found = [item['id'] for item in walk(demo, f'{IMAGES}?{query}')]
    pictures = load_catalog().pictures
    if 'modelId' in query:
        versions = [v.id for v in load_catalog().models[0].versions]
        pictures = tuple(p for p in pictures if set(p.version_ids) & set(versions))
    assert len(found) == len(set(found)) == len(pictures)
    assert set(found) == {picture.id for picture in pictures}


def test_the_next_page_repeats_the_question_on_the_host_that_was_asked(demo: DemoServer) -> None:
    query = f'modelVersionId={OPENING_VERSION_ID}&limit=5&sort=Newest&withMeta=true'
    metadata = get(demo, f'http://localhost:{demo.port}{IMAGES}?{query}').json()['metadata']
    following = urlsplit(metadata['nextPage'])
    assert following.netloc == f'localhost:{demo.port}'
    assert parse_qs(following.query) == {**parse_qs(query), 'cursor': [metadata['nextCursor']]}


def test_the_last_page_names_no_other(demo: DemoServer) -> None:
    assert get(demo, f'{IMAGES}?imageId={load_catalog().pictures[0].id}').json()['metadata'] == {}


def test_a_page_number_counts_only_on_the_database_path(demo: DemoServer) -> None:
    database = f'{IMAGES}?modelId={OPENING_MODEL_ID}&limit=5'
    ten = items(demo, f'{IMAGES}?modelId={OPENING_MODEL_ID}&limit=10')
    assert items(demo, f'{database}&page=1') + items(demo, f'{database}&page=2') == ten
    assert items(demo, f'{OPENING}&limit=5&page=1') == items(demo, f'{OPENING}&limit=5&page=2')
    metadata = get(demo, f'{OPENING}&limit=5&page=2').json()['metadata']
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
def test_levels(demo: DemoServer, query: str, levels: set[int]) -> None:
    found = walk(demo, f'{IMAGES}?limit=200&{query}')
    assert {item['browsingLevel'] for item in found} == levels
    names = {0: 'None', 1: 'None', 2: 'Soft', 4: 'Mature', 8: 'X', 16: 'X'}
    assert all(item['nsfwLevel'] == names[item['browsingLevel']] for item in found)
    assert all(item['nsfw'] is (item['browsingLevel'] > 1) for item in found)


@pytest.mark.parametrize('query', ['', 'nsfw=false', 'nsfw=Blocked', 'browsingLevel=0'])
def test_the_database_too_shows_level_one_unless_asked_for_more(
    demo: DemoServer, query: str
) -> None:
    database = f'{IMAGES}?limit=200&modelId={OPENING_MODEL_ID}'
    assert {item['browsingLevel'] for item in walk(demo, f'{database}&{query}')} == {1}
    assert {item['browsingLevel'] for item in walk(demo, f'{database}&nsfw=Soft')} == {1, 2}


@pytest.mark.parametrize('limit', [0, 1, 200])
def test_limits_up_to_200_are_obeyed(demo: DemoServer, limit: int) -> None:
    assert len(items(demo, f'{IMAGES}?limit={limit}')) == limit


def test_filters_by_post_user_kind_and_period(demo: DemoServer) -> None:
    everything = walk(demo, f'{IMAGES}?limit=200&browsingLevel=31')
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
        found = walk(demo, f'{IMAGES}?limit=200&browsingLevel=31&{query}')
        expected = {item['id'] for item in everything if fits(item)}
        assert expected and {item['id'] for item in found} == expected, query
    week = walk(demo, f'{IMAGES}?limit=200&browsingLevel=31&period=Week')
    assert 0 < len(week) < len(everything)
    pair = [everything[3]['id'], everything[9]['id']]
    listed = items(demo, f'{IMAGES}?ids={pair[0]},{pair[1]},1&browsingLevel=31')
    assert {item['id'] for item in listed} == set(pair)


def test_orders(demo: DemoServer) -> None:
    def sums(item: dict[str, Any]) -> int:
        stats = item['stats']
        return sum(stats[f'{kind}Count'] for kind in ('cry', 'laugh', 'like', 'heart'))

    liked = [sums(item) for item in items(demo, f'{OPENING}&limit=50')]
    assert liked == sorted(liked, reverse=True)
    fresh = [item['createdAt'] for item in items(demo, f'{OPENING}&limit=50&sort=Newest')]
    assert fresh == sorted(fresh, reverse=True)
    old = [item['createdAt'] for item in items(demo, f'{OPENING}&limit=50&sort=Oldest')]
    assert old == sorted(old)


def test_meta_is_flat_from_the_index_and_wrapped_from_the_database(demo: DemoServer) -> None:
    item = items(demo, f'{OPENING}&limit=1&withMeta=true')[0]
    flat, number = item['meta'], item['id']
    assert flat['prompt'] and flat['steps'] and flat['seed'] and flat['cfgScale']
    one = f'{IMAGES}?imageId={number}&withMeta=true'
    assert items(demo, one)[0]['meta'] == {'id': number, 'meta': flat}
    assert items(demo, f'{one}&flatMeta=true')[0]['meta'] == flat
    nested = items(demo, f'{OPENING}&limit=1&withMeta=true&flatMeta=false')[0]
    assert nested['meta'] == {'id': number, 'meta': flat}
    assert items(demo, f'{OPENING}&limit=1')[0]['meta'] is None
