"""Opening galleries and reading them page by page, on a fake wire and against the stand-in."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from civitai_demo.api.image_bodies import media_url, tags_of
from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import NOW, Picture, load_catalog
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID, USERS
from scripts.civitai_manager_libs import api, setting
from scripts.civitai_manager_libs.civitai.gallery import CursorTrail, GalleryQuery, ImagePage
from scripts.civitai_manager_libs.civitai.source import GallerySource, parse_source
from scripts.civitai_manager_libs.errors import (
    BadRequestError,
    CivitaiError,
    ConnectionFailedError,
    ForbiddenError,
    GoneError,
    KeyNeededError,
    NotFoundError,
    RateLimitedError,
    RegionBlockedError,
    ServerBusyError,
    SourceError,
    WrongContentError,
)
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

BASE = 'https://civitai.com'


class Feed:
    """An /api/v1/images that answers by cursor with (ids, next cursor), and remembers questions."""

    def __init__(self, wire: responses.RequestsMock, answers: dict[str, tuple[list[int], Any]]):
        self.answers = answers
        self.asked: list[dict[str, str]] = []
        wire.add_callback(responses.GET, f'{BASE}/api/v1/images', self._answer)

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        question = dict(parse_qsl(urlsplit(str(request.url)).query))
        self.asked.append(question)
        return 200, {}, self.body(question.get('cursor', ''))

    def body(self, cursor: str) -> str:
        numbers, following = self.answers[cursor]
        return json.dumps(page_body(numbers, following))

    @property
    def cursors(self) -> list[str]:
        return [question.get('cursor', '') for question in self.asked]


def page_body(numbers: list[int], following: Any = None, level: int = 1) -> dict[str, Any]:
    items = [
        {'id': number, 'url': f'https://image.civitai.com/k/{number}/original=true/{number}.jpeg'}
        | {'browsingLevel': level, 'type': 'image'}
        for number in numbers
    ]
    return {'items': items, 'metadata': {} if following is None else {'nextCursor': following}}


def ids(page: ImagePage) -> list[int]:
    return [image.id for image in page.images]


def walk(client: CivitaiHttpClient, query: GalleryQuery, most: int = 50) -> list[list[int]]:
    """The ids of every page, from the first to the last."""
    pages, trail = [], CursorTrail()
    while len(pages) < most:
        page = api.read_page(client, query, trail)
        pages.append(ids(page))
        if not trail.can_go_to(page.next_cursor):
            return pages
        trail = trail.forward(page)
    raise AssertionError('the gallery does not end')


# --- reading pages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('answers', 'pages'),
    [
        pytest.param({'': ([1, 2], None)}, [[1, 2]], id='one page'),
        pytest.param({'': ([], None)}, [[]], id='nothing at all'),
        pytest.param(
            {'': ([1], 'a'), 'a': ([2], 'b'), 'b': ([3], None)}, [[1], [2], [3]], id='three pages'
        ),
        pytest.param({'': ([1], 17), '17': ([2], None)}, [[1], [2]], id='number as cursor'),
        pytest.param(
            {'': ([1], '24|17 &='), '24|17 &=': ([2], None)}, [[1], [2]], id='odd letters in cursor'
        ),
        pytest.param(
            {'': ([1], 'a'), 'a': ([], 'b'), 'b': ([], 'c'), 'c': ([2], None)},
            [[1], [2]],
            id='empty answers that lead on are no pages',
        ),
        pytest.param({'': ([], 'a'), 'a': ([], None)}, [[]], id='empty answers to the end'),
        pytest.param(
            {'': ([1, 2], 'a'), 'a': ([2, 3], 'b'), 'b': ([1, 4], None)},
            [[1, 2], [3], [4]],
            id='what was shown is not shown again',
        ),
        pytest.param(
            {'': ([1, 2], 'a'), 'a': ([2, 1], 'b'), 'b': ([3], None)},
            [[1, 2], [3]],
            id='an answer of known pictures only is no page',
        ),
        pytest.param({'': ([1], 'a'), 'a': ([2], 'a')}, [[1], [2]], id='a cursor that stays'),
        pytest.param(
            {'': ([1], 'a'), 'a': ([2], 'b'), 'b': ([3], 'a')},
            [[1], [2], [3]],
            id='cursors in a circle',
        ),
        pytest.param({'': ([], 'a'), 'a': ([], 'b'), 'b': ([], 'a')}, [[]], id='an empty circle'),
        pytest.param(
            {'': ([1], 'a'), 'a': ([], 'b'), 'b': ([2], 'c'), 'c': ([1, 2], 'b')},
            [[1], [2], []],
            id='a circle through an empty answer',
        ),
    ],
)
def test_a_walk_shows_every_picture_once_and_ends(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    answers: dict[str, tuple[list[int], Any]],
    pages: list[list[int]],
) -> None:
    Feed(wire, answers)
    assert walk(client, GalleryQuery(version_id=5)) == pages


def test_every_question_of_a_walk_differs_in_its_cursor_only(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    feed = Feed(wire, {'': ([1], 'a'), 'a': ([], 'b'), 'b': ([2], None)})
    query = GalleryQuery(version_id=5, limit=7)
    walk(client, query)
    assert feed.asked == [query.parameters(cursor) for cursor in ('', 'a', 'b')]


def test_going_back_shows_the_page_as_it_was(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    Feed(wire, {'': ([1, 2], 'a'), 'a': ([3], 'b'), 'b': ([4], None)})
    query, trail = GalleryQuery(version_id=5), CursorTrail()
    first = api.read_page(client, query, trail)
    trail = trail.forward(first)
    second = api.read_page(client, query, trail)
    trail = trail.forward(second).back()
    assert api.read_page(client, query, trail) == second
    assert api.read_page(client, query, trail.back()) == first


def test_empty_answers_are_followed_only_so_far(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    numbers = range(1000)
    feed = Feed(wire, {'': ([], '0')} | {str(n): ([], str(n + 1)) for n in numbers})
    page = api.read_page(client, GalleryQuery(version_id=5), CursorTrail())
    assert len(feed.asked) == api.MAX_EMPTY_ANSWERS
    assert page.images == ()
    assert page.next_cursor == str(api.MAX_EMPTY_ANSWERS - 1), 'a person may go on from there'


def test_pictures_above_the_ceiling_are_hidden_and_counted_over_empty_answers(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    address = f'{BASE}/api/v1/images'
    wire.get(address, json=page_body([1, 2], 'a', level=16))
    wire.get(address, json=page_body([3], 'b', level=4))
    wire.get(address, json=page_body([4]))
    page = api.read_page(client, GalleryQuery(version_id=5), CursorTrail())
    assert (ids(page), page.hidden) == ([4], 3)


def test_an_answer_for_one_picture_that_holds_it_shows_it(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    feed = Feed(wire, {'': ([7], None)})
    assert walk(client, GalleryQuery(image_id=7)) == [[7]]
    assert feed.asked[0]['imageId'] == '7'


def test_an_answer_for_one_picture_that_holds_others_shows_nothing_and_is_not_followed(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    feed = Feed(wire, {'': ([1, 2, 3], 'a'), 'a': ([4], 'b'), 'b': ([7], None)})
    assert walk(client, GalleryQuery(image_id=7)) == [[]]
    assert feed.cursors == ['']


def test_only_the_picture_asked_for_is_counted_as_hidden(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    wire.get(f'{BASE}/api/v1/images', json=page_body([1, 2, 7], level=16))
    page = api.read_page(client, GalleryQuery(image_id=7), CursorTrail())
    assert (page.images, page.hidden) == ((), 1)


def test_a_page_of_more_than_was_asked_for_is_cut_and_told(
    wire: responses.RequestsMock, client: CivitaiHttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Feed(wire, {'': (list(range(1, 30_001)), 'a'), 'a': ([30_001], None)})
    query = GalleryQuery(version_id=5, limit=24)
    page = api.read_page(client, query, CursorTrail())
    assert (ids(page), page.surplus, page.next_cursor) == (list(range(1, 25)), 29_976, 'a')
    assert '29976 pictures more than the 24 asked for' in caplog.text
    trail = CursorTrail().forward(page)
    following = api.read_page(client, query, trail)
    assert (ids(following), following.surplus) == ([30_001], 0)
    assert feed.cursors == ['', 'a']


def test_what_was_left_out_is_counted_over_empty_answers(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    address = f'{BASE}/api/v1/images'
    wire.get(address, json=page_body([1, 2, 3], 'a', level=16))
    wire.get(address, json=page_body([4, 5, 6]))
    page = api.read_page(client, GalleryQuery(version_id=5, limit=2), CursorTrail())
    assert (ids(page), page.hidden, page.surplus) == ([4, 5], 2, 2)


def test_the_picture_asked_for_is_found_among_any_number(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    Feed(wire, {'': (list(range(1, 300)), 'a')})
    page = api.read_page(client, GalleryQuery(image_id=299, limit=20), CursorTrail())
    assert (ids(page), page.surplus) == ([299], 0)


# --- the order of a post ---------------------------------------------------------------------


def open_post(client: CivitaiHttpClient, path: str = '/posts/7', limit: int = 20) -> GalleryQuery:
    return replace(open_source(client, BASE + path).query, limit=limit)


@pytest.mark.parametrize(
    ('status', 'answer', 'pages'),
    [
        pytest.param(
            200, {'images': [{'id': n} for n in (4, 1, 5, 3, 2)]}, [[4, 1], [5, 3], [2]], id='told'
        ),
        pytest.param(
            200, {'images': [{'id': 5}, {'id': 9}]}, [[5, 1], [2, 3], [4]], id='the first are told'
        ),
        pytest.param(
            200, {'images': [None, {'id': None}, {}, 4]}, [[1, 2], [3, 4], [5]], id='garbage'
        ),
        pytest.param(200, {'images': None}, [[1, 2], [3, 4], [5]], id='null'),
        pytest.param(200, [], [[1, 2], [3, 4], [5]], id='a list'),
        pytest.param(404, {'error': 'Post not found'}, [[1, 2], [3, 4], [5]], id='no such route'),
        pytest.param(403, {'error': 'Forbidden'}, [[1, 2], [3, 4], [5]], id='refused'),
    ],
)
def test_the_pictures_of_a_post_come_as_they_were_posted_else_by_id(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    status: int,
    answer: object,
    pages: list[list[int]],
) -> None:
    feed = Feed(wire, {'': ([3, 5], 'a'), 'a': ([], 'b'), 'b': ([2, 1, 4], None)})
    wire.get(f'{BASE}/api/v1/posts/7', status=status, json=answer)
    assert walk(client, open_post(client, limit=2)) == pages
    assert feed.asked[0].items() >= {'postId': '7', 'limit': '200'}.items()


def test_an_order_that_was_asked_for_is_kept_in_a_post_too(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    feed = Feed(wire, {'': ([3, 5, 2], None)})
    assert walk(client, open_post(client, '/images?postId=7&sort=Newest')) == [[3, 5, 2]]
    assert feed.asked[0]['sort'] == 'Newest' and len(wire.calls) == 1


def test_one_picture_has_no_order_to_ask_for(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    Feed(wire, {'': ([3], None)})
    assert walk(client, open_post(client)) == [[3]]
    assert len(wire.calls) == 1


def test_a_server_without_an_end_is_not_asked_for_a_whole_post(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    feed = Feed(wire, {'': ([0], '1')} | {str(n): ([n], str(n + 1)) for n in range(1, 99)})
    page = api.read_page(client, open_post(client), CursorTrail())
    assert len(page.images) <= 1 and page.next_cursor
    assert len(feed.asked) < 10


def test_what_is_hidden_in_a_post_is_counted_once(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    safe, mature = page_body([1, 2, 3]), page_body([4, 5], level=16)
    body = {'items': safe['items'] + mature['items'], 'metadata': {}}
    wire.get(f'{BASE}/api/v1/images', json=body)
    wire.get(f'{BASE}/api/v1/posts/7', json={'images': []})
    query, trail = open_post(client, limit=2), CursorTrail()
    first = api.read_page(client, query, trail)
    second = api.read_page(client, query, trail.forward(first))
    assert (first.hidden, second.hidden) == (2, 0)


# --- opening galleries -----------------------------------------------------------------------

MODEL = {'id': 42, 'name': 'Paper: Horizons', 'modelVersions': [{'id': 9, 'name': 'v2'}, {'id': 8}]}


def open_source(client: CivitaiHttpClient, text: str) -> api.Gallery:
    return api.open_gallery(client, parse_source(text, setting.civitai_base_url))


@pytest.mark.parametrize(
    ('source', 'version_id', 'named'),
    [
        pytest.param('42', 9, 'v2', id='the newest version'),
        pytest.param(f'{BASE}/models/42?modelVersionId=8', 8, '', id='a listed version'),
        pytest.param(f'{BASE}/models/42?modelVersionId=5', 5, None, id='an unlisted version'),
        pytest.param(f'{BASE}/api/v1/model-versions/8', 8, '', id='a version alone'),
        pytest.param('urn:air:sdxl:lora:civitai:42@8', 8, '', id='AIR'),
    ],
)
def test_a_models_gallery(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    source: str,
    version_id: int,
    named: str | None,
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', json=MODEL)
    wire.get(f'{BASE}/api/v1/model-versions/8', json={'id': 8, 'modelId': 42})
    gallery = open_source(client, source)
    assert (gallery.query.model_id, gallery.query.version_id) == (42, version_id)
    assert (gallery.version.name if gallery.version else None) == named
    assert gallery.folder_name == 'Paper: Horizons'


def test_a_version_of_another_model_is_refused(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    """Its pictures would come under the name of a model that they do not belong to."""
    wire.get(f'{BASE}/api/v1/models/42', json=MODEL)
    wire.get(f'{BASE}/api/v1/model-versions/5', json={'id': 5, 'modelId': 43})
    with pytest.raises(SourceError, match='version 5 belongs to model 43, not to 42'):
        open_source(client, f'{BASE}/models/42?modelVersionId=5')


@pytest.mark.parametrize('answer', [404, 503, 200], ids=['unknown', 'busy', 'of the model'])
def test_an_unlisted_version_is_taken_at_its_word_unless_another_model_has_it(
    wire: responses.RequestsMock, client: CivitaiHttpClient, answer: int
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', json=MODEL)
    own = {'id': 5, 'modelId': 42}
    wire.get(f'{BASE}/api/v1/model-versions/5', status=answer, json=own)
    assert open_source(client, f'{BASE}/models/42?modelVersionId=5').query.version_id == 5


def test_the_gallery_of_another_version_of_the_model(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', json=MODEL)
    gallery = open_source(client, '42').of_version(8)
    assert gallery.version is not None and gallery.version.id == 8
    assert gallery.query.parameters()['modelVersionId'] == '8'


def test_a_model_without_versions_is_asked_for_as_a_whole(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', json={'id': 42, 'name': 'N'})
    gallery = open_source(client, '42')
    assert gallery.version is None
    assert gallery.query.parameters()['modelId'] == '42'


@pytest.mark.parametrize(
    ('source', 'parameter', 'folder'),
    [
        ('https://civitai.com/posts/77', {'postId': '77'}, 'post 77'),
        ('https://civitai.com/images/88', {'imageId': '88'}, 'image 88'),
        ('https://civitai.com/user/quiet_harbor', {'username': 'quiet_harbor'}, 'user quiet_'),
    ],
)
def test_a_gallery_without_a_model_is_opened_without_asking(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    source: str,
    parameter: dict[str, str],
    folder: str,
) -> None:
    gallery = open_source(client, source)
    assert len(wire.calls) == 0
    assert gallery.query.parameters().items() >= parameter.items()
    assert gallery.folder_name.startswith(folder)
    assert gallery.model is None and gallery.version is None


@pytest.mark.parametrize('name', ['Noor-Vale', 'noor-vale', 'a&b=c', '名前', 'two words'])
def test_a_user_with_an_odd_name_is_looked_up(
    wire: responses.RequestsMock, client: CivitaiHttpClient, name: str
) -> None:
    others = [{'id': 1, 'username': f'{name}2'}, {'id': 2, 'username': None}, 'garbage']
    found = {'items': [*others, {'id': 3, 'username': name}]}
    question = responses.matchers.query_param_matcher({'query': name})
    wire.get(f'{BASE}/api/v1/users', json=found, match=[question])
    source = GallerySource('user', username=name)
    query = api.open_gallery(client, source).query
    assert query.parameters().items() >= {'userId': '3', 'sort': 'Newest'}.items()
    assert 'username' not in query.parameters()


@pytest.mark.parametrize(
    'answer',
    [
        {'items': []},
        {'items': [{'id': 1, 'username': 'Noor-Valery'}]},
        {'items': [{'id': None, 'username': 'Noor-Vale'}]},
        {'items': None},
        {},
        [],
    ],
    ids=repr,
)
def test_an_unknown_user_is_named(
    wire: responses.RequestsMock, client: CivitaiHttpClient, answer: object
) -> None:
    wire.get(f'{BASE}/api/v1/users', json=answer)
    with pytest.raises(NotFoundError, match='no user called Noor-Vale'):
        api.open_gallery(client, GallerySource('user', username='Noor-Vale'))


def test_page_size_and_maturity_are_those_of_the_settings(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    setting.gallery_columns, setting.gallery_rows = 3, 5
    setting.gallery_maturity_ceiling = 'R'
    asked = open_source(client, 'https://civitai.com/posts/77').query.parameters()
    assert (asked['limit'], asked['browsingLevel']) == ('15', '7')


@pytest.mark.parametrize('answer', [[], 'x', {}, {'modelId': None}, {'modelId': '42'}])
def test_a_version_whose_model_is_not_told_is_an_error(
    wire: responses.RequestsMock, client: CivitaiHttpClient, answer: object
) -> None:
    wire.get(f'{BASE}/api/v1/model-versions/8', json=answer)
    with pytest.raises(WrongContentError, match='not a model'):
        open_source(client, f'{BASE}/api/v1/model-versions/8')


# --- what goes wrong -------------------------------------------------------------------------

ZOD = {
    'error': {
        'name': 'ZodError',
        'message': '[{"code":"too_big","path":["limit"],"message":"Too big: at most 200"}]',
    }
}


@pytest.mark.parametrize(
    ('status', 'body', 'kind', 'words'),
    [
        (400, ZOD, BadRequestError, 'did not accept the request (400)'),
        (400, ZOD, BadRequestError, 'limit: Too big: at most 200'),
        (400, {'message': 'Invalid cursor: x'}, BadRequestError, 'Invalid cursor: x'),
        (401, {'error': 'Unauthorized'}, KeyNeededError, 'CIVITAI_TOKEN'),
        (403, {'error': 'Forbidden'}, ForbiddenError, 'refuses access (403)'),
        (404, {'error': 'No model with id 42'}, NotFoundError, 'No model with id 42'),
        (410, {'error': 'Model archived'}, GoneError, 'archived'),
        (429, {'error': 'too many pages'}, RateLimitedError, 'Wait a few minutes'),
        (451, {'error': 'x', 'code': 'REGION_BLOCKED'}, RegionBlockedError, 'country or region'),
        (500, {'error': 'x'}, ServerBusyError, 'busy (500)'),
        (503, {'error': 'Server busy'}, ServerBusyError, 'Try again in a minute'),
        (524, {'error': 'x'}, ServerBusyError, 'busy (524)'),
        (200, ['no model'], WrongContentError, 'not a model'),
    ],
)
def test_an_error_answer_is_an_error_with_a_sentence(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    status: int,
    body: object,
    kind: type[CivitaiError],
    words: str,
) -> None:
    wire.get(f'{BASE}/api/v1/models/42', status=status, json=body)
    with pytest.raises(kind) as raised:
        open_source(client, '42')
    assert words in raised.value.user_message
    assert raised.value.message_in('zh_TW') != raised.value.user_message


# --- against the stand-in --------------------------------------------------------------------


@pytest.mark.parametrize(('ceiling', 'levels'), [('PG', {1}), ('XXX', {0, 1, 2, 4, 8, 16})])
def test_a_full_walk_of_the_opening_gallery_shows_every_picture_once(
    demo: DemoServer, client: CivitaiHttpClient, ceiling: str, levels: set[int]
) -> None:
    setting.gallery_maturity_ceiling = ceiling
    gallery = open_source(client, demo.url + OPENING_PATH)
    shown = [number for page in walk(client, gallery.query) for number in page]
    expected = {
        picture.id
        for picture in load_catalog().pictures
        if OPENING_VERSION_ID in picture.version_ids and picture.level in levels
    }
    assert len(shown) == len(set(shown))
    assert set(shown) == expected


def test_the_database_path_is_walked_to_its_end_too(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    pages = walk(client, GalleryQuery(model_id=OPENING_MODEL_ID))
    shown = [number for page in pages for number in page]
    assert len(shown) == len(set(shown)) > 100
    with_meta = api.read_page(client, GalleryQuery(model_id=OPENING_MODEL_ID), CursorTrail())
    assert any('prompt' in image.meta for image in with_meta.images)


def some_picture() -> tuple[int, int]:
    """Id and post of a picture anybody may see."""
    picture = next(p for p in load_catalog().pictures if p.level == 1)
    return picture.id, picture.post_id


def test_every_kind_of_source_opens_and_shows_pictures(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    number, post = some_picture()
    for source in (
        str(OPENING_MODEL_ID),
        f'{demo.url}/models/{OPENING_MODEL_ID}/paper-horizons',
        f'https://civitai.com/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}',
        f'https://www.civitai.red/models/{OPENING_MODEL_ID}',
        f'{demo.url}/api/v1/model-versions/{OPENING_VERSION_ID}',
        f'{demo.url}/api/download/models/{OPENING_VERSION_ID}',
        f'urn:air:sdxl:checkpoint:civitai:{OPENING_MODEL_ID}@{OPENING_VERSION_ID}',
        f'{demo.url}/api/v1/images?modelVersionId={OPENING_VERSION_ID}',
        f'{demo.url}/user/{USERS[0].name}',
        f'{demo.url}/user/{USERS[0].name}/images',
        f'{demo.url}/user/Noor-Vale',
        f'{demo.url}/posts/{post}',
        f'{demo.url}/images/{number}',
    ):
        page = api.read_page(client, open_source(client, source).query, CursorTrail())
        assert page.images, source
        assert all(image.level == 1 for image in page.images), source
    assert {record.host for record in demo.requests} == {urlsplit(demo.url).netloc}


FOX = USERS[-1].name
TAG = 492952
NARROWED: list[tuple[str, Callable[[Picture], bool]]] = [
    ('/images', lambda p: p.kind == 'image'),
    ('/videos', lambda p: p.kind == 'video'),
    (f'/images?tags={TAG}', lambda p: p.kind == 'image' and TAG in dict(tags_of(p))),
    (f'/api/v1/images?tags={TAG}', lambda p: TAG in dict(tags_of(p))),
    ('/images?baseModels=Pony', lambda p: p.kind == 'image' and p.version.base_model == 'Pony'),
    (
        '/images?baseModels=Pony&baseModels=Illustrious&period=Year',
        lambda p: p.kind == 'image' and p.version.base_model in ('Pony', 'Illustrious'),
    ),
    (f'/user/{FOX}', lambda p: p.user.name == FOX),
    (f'/user/{FOX}/posts', lambda p: p.user.name == FOX),
    (f'/user/{FOX}/images', lambda p: p.user.name == FOX and p.kind == 'image'),
    (f'/user/{FOX}/videos', lambda p: p.user.name == FOX and p.kind == 'video'),
    ('/user/Noor-Vale/images', lambda p: p.user.name == 'Noor-Vale' and p.kind == 'image'),
    (f'/images?username={FOX}', lambda p: p.user.name == FOX),
    (f'/images?userId={USERS[-1].id}', lambda p: p.user.name == FOX),
    (
        f'/images?modelVersionId={OPENING_VERSION_ID}&username={FOX}',
        lambda p: p.user.name == FOX and OPENING_VERSION_ID in p.version_ids,
    ),
    (
        f'/videos?modelId={OPENING_MODEL_ID}&modelVersionId={OPENING_VERSION_ID}',
        lambda p: p.kind == 'video' and OPENING_VERSION_ID in p.version_ids,
    ),
]


@pytest.mark.parametrize(('path', 'wanted'), NARROWED, ids=[path for path, _ in NARROWED])
def test_what_was_asked_for_is_what_comes(
    demo: DemoServer, client: CivitaiHttpClient, path: str, wanted: Callable[[Picture], bool]
) -> None:
    shown = [n for page in walk(client, open_source(client, demo.url + path).query) for n in page]
    expected = {p.id for p in load_catalog().pictures if p.level == 1 and wanted(p)}
    assert expected and set(shown) == expected and len(shown) == len(expected)


def test_a_post_of_the_stand_in_comes_as_it_was_posted(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    posts = {p.post_id for p in load_catalog().pictures}
    post = max(posts, key=lambda n: sum(p.level == 1 for p in load_catalog().in_post(n)))
    expected = [p.id for p in load_catalog().in_post(post) if p.level == 1]
    assert walk(client, open_source(client, f'{demo.url}/posts/{post}').query) == [expected]
    assert len(expected) > 3


def test_the_order_and_the_time_of_a_link_are_obeyed(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    link = f'{demo.url}/user/{FOX}/images?sort=Oldest&period=Month'
    shown = [number for page in walk(client, open_source(client, link).query) for number in page]
    recent = [
        p.id
        for p in reversed(load_catalog().pictures)
        if p.user.name == FOX and p.kind == 'image' and p.level == 1
        if NOW - p.created <= timedelta(days=30)
    ]
    assert recent and shown == recent


def test_pictures_that_are_named_one_by_one_come_and_no_others(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    safe = [p.id for p in load_catalog().pictures if p.level == 1][5:60]
    link = f'{demo.url}/api/v1/images?ids={",".join(map(str, safe))}'
    shown = [number for page in walk(client, open_source(client, link).query) for number in page]
    assert sorted(shown) == sorted(safe)


def test_a_server_that_ignores_a_list_of_ids_is_told_of(
    wire: responses.RequestsMock, client: CivitaiHttpClient
) -> None:
    wire.get(f'{BASE}/api/v1/images', json=page_body([1, 2, 3], 'a'))
    query = open_source(client, f'{BASE}/api/v1/images?ids=2,9').query
    with pytest.raises(WrongContentError, match='does not list pictures by their ids'):
        api.read_page(client, query, CursorTrail())


@pytest.mark.parametrize('path', ['mini/{id}', 'by-hash/{hash}', 'by-hash/{sha}'])
def test_a_version_is_found_by_what_names_it(
    demo: DemoServer, client: CivitaiHttpClient, path: str
) -> None:
    version = load_catalog().models[0].versions[0]
    hashes = requests.get(f'{demo.url}/api/v1/model-versions/{version.id}', timeout=20).json()
    named = hashes['files'][0]['hashes']
    path = path.format(id=version.id, hash=named['AutoV2'], sha=named['SHA256'].lower())
    gallery = open_source(client, f'{demo.url}/api/v1/model-versions/{path}')
    assert gallery.version is not None and gallery.version.id == version.id
    assert gallery.query.model_id == version.model_id


@pytest.mark.parametrize(
    'path',
    ['/models?query=a', '/tag/sea', '/search/models?query=a', f'/user/{FOX}/models', '/models'],
)
def test_a_list_of_models_is_no_gallery_and_nothing_is_asked(
    demo: DemoServer, client: CivitaiHttpClient, path: str
) -> None:
    with pytest.raises(SourceError, match='list of models, not a gallery; open one'):
        open_source(client, demo.url + path)
    assert demo.requests == []


def test_the_file_name_of_a_preview_opens_its_picture(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    picture = next(p for p in load_catalog().pictures if p.level == 1 and p.kind == 'image')
    link = media_url(demo.url, picture, 'width=450', str(picture.id))
    assert walk(client, open_source(client, link).query) == [[picture.id]]


def test_an_image_link_shows_that_image_alone(demo: DemoServer, client: CivitaiHttpClient) -> None:
    number, _ = some_picture()
    assert walk(client, open_source(client, f'{demo.url}/images/{number}').query) == [[number]]


def test_an_unknown_name_of_plain_letters_has_an_empty_gallery(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    assert walk(client, open_source(client, f'{demo.url}/user/nobody').query) == [[]]


@pytest.mark.parametrize(
    ('scenario', 'source', 'kind', 'words'),
    [
        ('', '999', NotFoundError, 'deleted, unpublished, or the link is wrong'),
        ('', 'https://civitai.com/model-versions/999', NotFoundError, 'Model not found'),
        ('', 'https://civitai.com/user/Noor-Void', NotFoundError, 'no user called Noor-Void'),
        ('key-needed', '4201', KeyNeededError, 'valid API key (401)'),
        ('451', '4201', RegionBlockedError, 'not available in your country'),
        ('429-no-retry-after', '4201', RateLimitedError, 'Wait a few minutes'),
        ('429', '4201', RateLimitedError, 'Wait a few minutes'),
        ('503', '4201', ServerBusyError, 'busy (503). Try again in a minute'),
        ('html', '4201', WrongContentError, 'web page instead of data'),
    ],
)
def test_what_the_stand_in_refuses_is_explained(
    demo: DemoServer,
    client: CivitaiHttpClient,
    scenario: str,
    source: str,
    kind: type[CivitaiError],
    words: str,
) -> None:
    demo.scenario = scenario
    with pytest.raises(kind) as raised:
        open_source(client, source)
    assert words in raised.value.user_message


@pytest.mark.parametrize('scenario', ['503:2', '429:1'])
def test_a_passing_trouble_is_sat_out(
    demo: DemoServer, client: CivitaiHttpClient, scenario: str
) -> None:
    demo.scenario = scenario
    assert open_source(client, '4201').query.model_id == 4201


def test_with_the_key_what_needs_one_opens(demo: DemoServer, client: CivitaiHttpClient) -> None:
    demo.scenario = 'key-needed'
    setting.civitai_api_key = 'demo-key'
    assert open_source(client, '4201').model is not None


def test_a_site_that_is_not_there_is_an_error_with_a_sentence(client: CivitaiHttpClient) -> None:
    with DemoServer() as gone:
        setting.civitai_base_url = gone.url
    with pytest.raises(ConnectionFailedError, match='No connection to 127.0.0.1'):
        open_source(client, '4201')
