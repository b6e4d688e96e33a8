"""Pages of a gallery: nothing foreign in them, and no end in silence."""

from __future__ import annotations

import json
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from scripts.civitai_manager_libs import api, setting
from scripts.civitai_manager_libs.civitai.gallery import CursorTrail, GalleryQuery, ImagePage
from scripts.civitai_manager_libs.civitai.source import parse_source
from scripts.civitai_manager_libs.errors import NotFoundError, ServerBusyError, WrongContentError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

BASE = 'https://civitai.com'
Question = dict[str, str]
Item = dict[str, Any]


def item(number: int, **told: Any) -> Item:
    """An item as the search index writes it, with what matters here."""
    url = f'https://image.civitai.com/k/{number}/original=true/{number}.jpeg'
    usual = {'type': 'image', 'browsingLevel': 1, 'postId': 1000 + number, 'username': 'somebody'}
    return {'id': number, 'url': url, **usual, 'modelVersionIds': [], 'baseModel': '', **told}


EVERYBODY = [item(n, username=f'user{n}', modelVersionIds=[9000 + n]) for n in range(1, 21)]


class Site:
    """An /api/v1/images whose items a function makes out of the question; it notes questions."""

    def __init__(self, wire: responses.RequestsMock, answer: Callable[[Question], Any]) -> None:
        self.asked: list[Question] = []
        self._answer_to = answer
        wire.add_callback(responses.GET, f'{BASE}/api/v1/images', self._answer)

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        question = dict(parse_qsl(urlsplit(str(request.url)).query))
        self.asked.append(question)
        found = self._answer_to(question)
        if isinstance(found, int):
            return found, {}, '{"error": "no"}'
        body = found if isinstance(found, dict) else {'items': found, 'metadata': {}}
        return 200, {}, json.dumps(body)


def first_page(client: CivitaiHttpClient, query: GalleryQuery) -> ImagePage:
    return api.read_page(client, query, CursorTrail())


def ids(page: ImagePage) -> list[int]:
    return [image.id for image in page.images]


def key_of(page: ImagePage) -> str:
    return page.stopped.key if page.stopped else ''


# --- nothing foreign -------------------------------------------------------------------------


@pytest.mark.parametrize(
    'query',
    [
        pytest.param(GalleryQuery(version_id=5), id='version'),
        pytest.param(GalleryQuery(model_id=5), id='model'),
        pytest.param(GalleryQuery(post_id=5), id='post'),
        pytest.param(GalleryQuery(username='left_long_ago'), id='user'),
        pytest.param(GalleryQuery(user_id=5), id='user by id'),
        pytest.param(GalleryQuery(user_id=5, username='Noor-Vale'), id='user of an odd name'),
        pytest.param(GalleryQuery(type='video'), id='type'),
        pytest.param(GalleryQuery(base_models=('Pony',)), id='base model'),
        pytest.param(GalleryQuery(username='left_long_ago', type='image'), id='two filters'),
    ],
)
def test_everybodys_pictures_are_nobodys_gallery(
    wire: responses.RequestsMock, client: CivitaiHttpClient, query: GalleryQuery
) -> None:
    """Also with a cursor that would lead through all of them."""
    site = Site(wire, lambda asked: {'items': EVERYBODY, 'metadata': {'nextCursor': 'more'}})
    page = first_page(client, query)
    assert (ids(page), page.foreign, page.next_cursor) == ([], 20, '')
    assert key_of(page) == 'listing_foreign'
    assert len(site.asked) <= 2


@pytest.mark.parametrize(
    ('query', 'field', 'name'),
    [
        (GalleryQuery(version_id=5), 'modelVersionIds', 'modelVersionId'),
        (GalleryQuery(model_id=5), 'modelVersionIds', 'modelId'),
        (GalleryQuery(post_id=5), 'postId', 'postId'),
        (GalleryQuery(username='left_long_ago'), 'username', 'username'),
        (GalleryQuery(user_id=5), 'username', 'userId'),
        (GalleryQuery(type='video'), 'type', 'type'),
        (GalleryQuery(base_models=('Pony',)), 'baseModel', 'baseModels'),
        (GalleryQuery(tags=(7,)), 'tags', 'tags'),
    ],
    ids=['version', 'model', 'post', 'user', 'user by id', 'type', 'base model', 'tags'],
)
@pytest.mark.parametrize('told', ['absent', 'null'])
@pytest.mark.parametrize('obeyed', [True, False], ids=['obeyed', 'dropped'])
def test_a_filter_that_no_picture_tells_of_is_seen_by_what_comes_without_it(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    query: GalleryQuery,
    field: str,
    name: str,
    told: str,
    obeyed: bool,
) -> None:
    def silent(*numbers: int) -> list[Item]:
        plain = [{k: v for k, v in item(n).items() if k != field} for n in numbers]
        return [{**one, field: None} for one in plain] if told == 'null' else plain

    ours, others = silent(101, 102), silent(1, 2, 3, 4)
    site = Site(wire, lambda asked: ours if obeyed and name in asked else others)
    page = first_page(client, query)
    assert (ids(page), key_of(page)) == (([101, 102], '') if obeyed else ([], 'listing_foreign'))
    assert len(site.asked) == 2


def test_pictures_of_one_user_are_not_for_that_those_of_another(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    """Somebody may have posted all of the newest ones."""
    Site(wire, lambda asked: [item(1, username='busy'), item(2, username='busy')])
    page = first_page(client, GalleryQuery(user_id=77))
    assert (ids(page), key_of(page)) == ([], 'listing_foreign')


@pytest.mark.parametrize(
    'query',
    [
        GalleryQuery(version_id=9, user_id=77),
        GalleryQuery(post_id=9, user_id=77),
        GalleryQuery(version_id=9, type='image'),
        GalleryQuery(username='wren', tags=(7,)),
    ],
    ids=['of a version', 'of a post', 'type', 'tags'],
)
def test_a_small_gallery_may_be_the_same_without_a_filter(
    wire: responses.RequestsMock, client: CivitaiHttpClient, query: GalleryQuery
) -> None:
    """All that was posted there may be of one user or kind."""
    told = {'username': 'wren', 'modelVersionIds': [9], 'postId': 9, 'type': None}
    Site(wire, lambda asked: [item(1, **told), item(2, **told)])
    page = first_page(client, query)
    assert (ids(page), key_of(page)) == ([1, 2], '')


def test_a_user_known_by_name_and_id_needs_no_comparison(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    site = Site(wire, lambda asked: [item(1, username='Noor-Vale')])
    page = first_page(client, GalleryQuery(user_id=77, username='Noor-Vale'))
    assert (ids(page), len(site.asked)) == ([1], 1)


def test_tags_are_asked_for_and_what_has_others_is_left_out(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    found = [item(1, tags=[{'id': 7, 'name': 'x'}]), item(2, tags=[{'id': 8, 'name': 'y'}])]
    site = Site(wire, lambda asked: found if 'withTags' in asked else [])
    page = first_page(client, GalleryQuery(tags=(7,)))
    assert (ids(page), page.foreign, len(site.asked)) == ([1], 1, 1)


@pytest.mark.parametrize(
    ('query', 'right', 'wrong'),
    [
        (GalleryQuery(post_id=5), {'postId': 5}, {'postId': 6}),
        (GalleryQuery(username='Fox'), {'username': 'fox'}, {'username': 'elk'}),
        (GalleryQuery(user_id=3, username='Fox'), {'username': 'fox'}, {'username': 'elk'}),
        (GalleryQuery(type='video'), {'type': 'video'}, {'type': 'audio'}),
        (GalleryQuery(base_models=('Pony',)), {'baseModel': 'Pony'}, {'baseModel': 'SD 1.5'}),
    ],
    ids=['post', 'user', 'user by id', 'type', 'base model'],
)
def test_what_is_foreign_among_the_rest_is_left_out_and_counted(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    query: GalleryQuery,
    right: Item,
    wrong: Item,
) -> None:
    site = Site(wire, lambda asked: [item(1, **right), item(2, **wrong), item(3, **right)])
    page = first_page(client, query)
    assert (ids(page), page.foreign, page.stopped) == ([1, 3], 1, None)
    assert len(site.asked) == 1, 'what the items tell needs no further question'


def test_a_version_that_no_picture_carries_is_believed_if_others_come_without_it(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    ours = [item(n, modelVersionIds=[]) for n in (101, 102, 103)]
    site = Site(wire, lambda asked: ours if 'modelVersionId' in asked else EVERYBODY)
    page = first_page(client, GalleryQuery(version_id=5, sort='Newest'))
    assert (ids(page), page.foreign, page.stopped) == ([101, 102, 103], 0, None)
    first, second = site.asked
    assert second == {name: value for name, value in first.items() if name != 'modelVersionId'}


def test_a_version_that_one_picture_carries_needs_no_comparison(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    site = Site(wire, lambda asked: [item(1), item(2, modelVersionIds=[8, 5]), item(3)])
    assert ids(first_page(client, GalleryQuery(version_id=5))) == [1, 2, 3]
    assert len(site.asked) == 1


@pytest.mark.parametrize('trouble', [400, 404, 503])
def test_a_comparison_that_fails_takes_nothing_away(
    wire: responses.RequestsMock, client: CivitaiHttpClient, trouble: int
) -> None:
    Site(wire, lambda asked: [item(1), item(2)] if 'modelVersionId' in asked else trouble)
    page = first_page(client, GalleryQuery(version_id=5))
    assert (ids(page), page.stopped) == ([1, 2], None)


def test_a_filter_that_is_lost_on_the_way_ends_the_gallery(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    def answer(asked: Question) -> Any:
        if 'cursor' in asked:
            return {'items': EVERYBODY, 'metadata': {'nextCursor': 'c'}}
        return {'items': [item(101, username='fox')], 'metadata': {'nextCursor': 'b'}}

    Site(wire, answer)
    page = api.read_pages(client, GalleryQuery(username='fox'), 500)
    assert (ids(page), page.foreign, key_of(page)) == ([101], 20, 'listing_foreign')


BROKEN = [None, 5, {'id': 'x'}, {'id': 7}, {**item(8), 'url': None}, {**item(9), 'id': 0}]


@pytest.mark.parametrize('right', [[item(1)], []], ids=['among others', 'alone'])
def test_what_cannot_be_read_is_left_out_and_counted(
    wire: responses.RequestsMock, client: CivitaiHttpClient, right: list[Item]
) -> None:
    Site(wire, lambda asked: [*BROKEN, *right])
    page = first_page(client, GalleryQuery())
    assert (len(page.images), page.unreadable, page.foreign) == (len(right), len(BROKEN), 0)
    assert not page.is_nothing


# --- a model that is gone ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ('link', 'asked_for', 'route'),
    [
        ('/models/42', ('modelId', '42'), 'models/42'),
        ('/models/42?modelVersionId=8', ('modelVersionId', '8'), 'models/42'),
        ('/model-versions/8', ('modelVersionId', '8'), 'model-versions/8'),
    ],
)
@pytest.mark.parametrize('status', [404, 410])
def test_pictures_of_a_model_that_is_gone_are_listed(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    link: str,
    asked_for: tuple[str, str],
    route: str,
    status: int,
) -> None:
    wire.get(f'{BASE}/api/v1/{route}', status=status, json={'error': 'No model with that id'})
    Site(wire, lambda asked: [item(1)] if asked_for in asked.items() else EVERYBODY)
    gallery = api.open_gallery(client, parse_source(BASE + link, BASE))
    assert gallery.is_orphan and gallery.folder_name.split()[-1] in link
    assert ids(first_page(client, gallery.query)) == [1]


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param([], id='no pictures'),
        pytest.param(EVERYBODY, id='those of everybody'),
        pytest.param([{'id': 1, 'url': 'https://image.civitai.com/k/1/x=1/1.png'}], id='untold'),
        pytest.param(503, id='no answer'),
    ],
)
def test_a_model_that_is_gone_without_pictures_is_not_found(
    wire: responses.RequestsMock, client: CivitaiHttpClient, answer: Any
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', status=404, json={'error': 'No model with id 42'})
    Site(wire, lambda asked: answer)
    with pytest.raises(NotFoundError, match='No model with id 42'):
        api.open_gallery(client, parse_source('42', BASE))


def test_an_answer_about_another_model_is_refused(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', json={'id': 43, 'name': 'Another', 'modelVersions': []})
    with pytest.raises(WrongContentError, match='not a model'):
        api.open_gallery(client, parse_source('42', BASE))


# --- no end in silence -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('metadata', 'key'),
    [
        pytest.param({}, '', id='the end'),
        pytest.param({'nextCursor': None, 'nextPage': None}, '', id='null at the end'),
        pytest.param(None, '', id='no metadata'),
        pytest.param({'nextCursor': {'after': 5}}, 'listing_cursor', id='an object'),
        pytest.param({'nextCursor': ['a']}, 'listing_cursor', id='a list'),
        pytest.param({'nextCursor': 1.5}, 'listing_cursor', id='a fraction'),
        pytest.param({'nextCursor': True}, 'listing_cursor', id='a boolean'),
        pytest.param({'nextCursor': '\ud800'}, 'listing_cursor', id='half a character'),
        pytest.param({'nextCursor': 'c' * 20_000}, 'listing_cursor', id='a very long one'),
        pytest.param(
            {'nextPage': f'{BASE}/api/v1/images?cursor=' + 'c' * 20_000},
            'listing_cursor',
            id='a very long one in an address',
        ),
        pytest.param(['a'], 'listing_cursor', id='metadata of another form'),
        pytest.param({'nextPage': f'{BASE}/api/v1/images?page=2'}, 'listing_next_page', id='page'),
        pytest.param({'nextPage': {'page': 2}}, 'listing_next_page', id='a page as an object'),
        pytest.param({'nextPage': 'https://[broken'}, 'listing_next_page', id='a broken address'),
    ],
)
def test_why_a_gallery_ends_is_told(
    wire: responses.RequestsMock, client: CivitaiHttpClient, metadata: Any, key: str
) -> None:
    Site(wire, lambda asked: {'items': [item(1, postId=7)], 'metadata': metadata})
    setting.gallery_columns, setting.gallery_rows = 1, 1
    page = api.read_pages(client, GalleryQuery(post_id=7), 50)
    assert (ids(page), key_of(page), page.next_cursor) == ([1], key, '')


def test_an_address_of_a_next_page_with_a_cursor_is_followed(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    address = 'https://elsewhere.example/api/v1/images?token=geheim&cursor=24%7C17&limit=1'

    def answer(asked: Question) -> Any:
        if asked.get('cursor') == '24|17':
            return [item(2, postId=7)]
        return {'items': [item(1, postId=7)], 'metadata': {'nextPage': address}}

    site = Site(wire, answer)
    page = api.read_pages(client, GalleryQuery(post_id=7), 50)
    assert (ids(page), page.stopped) == ([1, 2], None)
    assert all('token' not in asked for asked in site.asked)


@pytest.mark.parametrize(
    ('way', 'key', 'found'),
    [
        pytest.param({'': 'a', 'a': 'a'}, 'listing_circle', [1, 2], id='a cursor that stays'),
        pytest.param({'': 'a', 'a': 'b', 'b': 'a'}, 'listing_circle', [1, 2, 3], id='a circle'),
    ],
)
def test_cursors_in_a_circle_are_told_of_and_what_came_is_kept(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    way: dict[str, str],
    key: str,
    found: list[int],
) -> None:
    numbers = {cursor: number for number, cursor in enumerate(way, start=1)}

    def answer(asked: Question) -> Any:
        cursor = asked.get('cursor', '')
        metadata = {'nextCursor': way[cursor]}
        return {'items': [item(numbers[cursor], postId=7)], 'metadata': metadata}

    Site(wire, answer)
    page = api.read_pages(client, GalleryQuery(post_id=7), 50)
    assert (ids(page), key_of(page)) == (found, key)


def answers_then(count: int, then: Any) -> Callable[[Question], Any]:
    """`count` answers with a picture of post 7 each, and `then` for every question after them."""

    def answer(asked: Question) -> Any:
        number = int(asked.get('cursor', '0'))
        if number >= count:
            return then(number) if callable(then) else then
        metadata = {'nextCursor': number + 1}
        return {'items': [item(number + 1, postId=7)], 'metadata': metadata}

    return answer


@pytest.mark.parametrize('as_posted', [False, True], ids=['any gallery', 'a post'])
@pytest.mark.parametrize('status', [400, 401, 404, 451, 503])
def test_what_was_listed_before_a_failure_is_kept(
    wire: responses.RequestsMock, client: CivitaiHttpClient, status: int, as_posted: bool
) -> None:
    Site(wire, answers_then(3, status))
    wire.get(f'{BASE}/api/v1/posts/7', json={'id': 7, 'images': []})
    query = GalleryQuery(post_id=7, as_posted=as_posted)
    page = api.read_pages(client, query, 50)
    assert ids(page) == [1, 2, 3] and page.stopped is not None
    assert page.stopped.status == status


def test_what_is_enough_is_no_failure(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    Site(wire, answers_then(3, 503))
    page = api.read_pages(client, GalleryQuery(post_id=7), 3)
    assert (ids(page), page.stopped) == ([1, 2, 3], None)


def test_a_failure_before_anything_was_listed_is_raised(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    Site(wire, answers_then(0, 503))
    with pytest.raises(ServerBusyError):
        api.read_pages(client, GalleryQuery(post_id=7), 50)


def test_empty_answers_in_a_row_are_told_of(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    empty = {'items': []}
    Site(wire, answers_then(2, lambda n: {**empty, 'metadata': {'nextCursor': n + 1}}))
    page = api.read_pages(client, GalleryQuery(post_id=7), 50)
    assert (ids(page), key_of(page)) == ([1, 2], 'listing_empty')


@pytest.mark.parametrize(
    ('came', 'key'), [([1, 2, 3], ''), ([1, 3], 'absent_images'), ([], 'absent_images')]
)
def test_pictures_asked_for_by_their_ids_that_do_not_come_are_told_of(
    wire: responses.RequestsMock, client: CivitaiHttpClient, came: list[int], key: str
) -> None:
    Site(wire, lambda asked: [item(number) for number in came])
    page = api.read_pages(client, GalleryQuery(ids=(1, 2, 3)), 50)
    assert (ids(page), key_of(page)) == (came, key)
