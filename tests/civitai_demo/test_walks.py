"""Scenarios of pages: where a walk from page to page may go wrong."""

from __future__ import annotations

import re

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID
from tests.support.demo import IMAGES, OPENING, get, items

SEARCH_WALK = f'{OPENING}&browsingLevel=31&limit=40'
DATABASE_WALK = f'{IMAGES}?modelId={OPENING_MODEL_ID}&browsingLevel=31&limit=40'
WALKS = {
    'search': SEARCH_WALK,
    'search-oldest': f'{SEARCH_WALK}&sort=Oldest',
    'database': DATABASE_WALK,
    'database-oldest': f'{DATABASE_WALK}&sort=Oldest',
}
every_walk = pytest.mark.parametrize('path', WALKS.values(), ids=WALKS)


def pages(demo: DemoServer, path: str) -> list[tuple[list[int], str]]:
    """Of each page the ids and the cursor after it; ends at a cursor that came before."""
    found: list[tuple[list[int], str]] = []
    while path:
        page = get(demo, path).json()
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
    demo: DemoServer, scenario: str, path: str, form: str
) -> None:
    expected = ids_on(pages(demo, path))
    demo.scenario = scenario
    found = pages(demo, path)
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
def test_a_feed_cursor_belongs_to_its_filters(demo: DemoServer, change: str, status: int) -> None:
    demo.scenario = 'feed-cursors'
    cursor = get(demo, OPENING).json()['metadata']['nextCursor']
    answer = get(demo, f'{OPENING}&cursor={cursor}{change}')
    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {'message': 'This cursor cannot be continued with these filters'}
        assert answer.headers['Cache-Control'] == 'no-store'


def test_a_feed_cursor_may_come_to_an_end(demo: DemoServer) -> None:
    demo.scenario = 'feed-cursors:1'
    following = get(demo, OPENING).json()['metadata']['nextPage']
    answer = get(demo, following)
    assert answer.status_code == 400
    assert 'start again without it' in answer.json()['message']


@every_walk
def test_an_empty_page_in_the_middle_is_not_the_end(demo: DemoServer, path: str) -> None:
    fair = pages(demo, path)
    demo.scenario = 'empty-page'
    found = pages(demo, path)
    assert ids_on(found) == ids_on(fair)
    empty = [index for index, (numbers, cursor) in enumerate(found) if not numbers and cursor]
    assert empty == list(range(1, 2 * len(fair) - 1, 2))


@every_walk
def test_the_last_page_repeats_a_cursor(demo: DemoServer, path: str) -> None:
    fair = pages(demo, path)
    demo.scenario = 'repeated-cursor'
    found = pages(demo, path)
    assert [numbers for numbers, _ in found] == [numbers for numbers, _ in fair]
    assert found[-1][1] == found[0][1] != ''
    again = get(demo, f'{path}&cursor={found[-1][1]}').json()['items']
    assert [item['id'] for item in again] == found[1][0]


def test_a_single_page_has_no_cursor_to_repeat(demo: DemoServer) -> None:
    demo.scenario = 'repeated-cursor'
    page = get(demo, f'{IMAGES}?modelVersionId=470301&limit=200').json()
    assert page['items'] and page['metadata'] == {}


def test_the_lossy_database_drops_a_picture_between_two_pages(demo: DemoServer) -> None:
    fair = {name: ids_on(pages(demo, path)) for name, path in WALKS.items()}
    demo.scenario = 'lossy'
    found = pages(demo, WALKS['database'])
    lost = set(fair['database']) - set(ids_on(found))
    assert lost == {int(cursor) for _, cursor in found if cursor}
    assert len(lost) == len(found) - 1 > 3
    for name in ('search', 'search-oldest', 'database-oldest'):
        assert ids_on(pages(demo, WALKS[name])) == fair[name]


@pytest.mark.parametrize('path', [SEARCH_WALK, DATABASE_WALK], ids=['search', 'database'])
def test_fields_may_be_null_or_missing(demo: DemoServer, path: str) -> None:
    fair = items(demo, f'{path}&withMeta=true')
    demo.scenario = 'null-fields'
    found = items(demo, f'{path}&withMeta=true')
    assert [item['id'] for item in found] == [item['id'] for item in fair]
    for field in 'meta hash width height username baseModel postId stats'.split():
        states = {'absent' if field not in item else item[field] is None for item in found}
        assert states == {'absent', True, False}, field
    counts = {tuple(item['stats'].values()) for item in found if item.get('stats')}
    assert any(None in some for some in counts) and {len(some) for some in counts} == {3, 6}
    assert any(one == other for one, other in zip(found, fair))
    assert all(item['url'] and item['browsingLevel'] is not None for item in found)
