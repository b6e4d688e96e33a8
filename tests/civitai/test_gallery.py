"""Pages of a gallery out of whatever Civitai answers, what is asked for, and the way through."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.gallery import (
    ALL_LEVELS,
    CEILINGS,
    UNKNOWN_LEVEL,
    CursorTrail,
    GalleryImage,
    GalleryQuery,
    ImagePage,
    is_allowed,
    parse_image,
    parse_level,
    parse_page,
)
from scripts.civitai_manager_libs.civitai.models import ModelVersion, parse_model
from scripts.civitai_manager_libs.errors import WrongContentError

URL = 'https://image.civitai.com/key/1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10/original=true/a.jpeg'


def new_item(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An item as today's servers send it."""
    item = {
        'id': number,
        'url': URL,
        'hash': 'U7D]o8~q00Rj',
        'width': 832,
        'height': 1216,
        'nsfwLevel': 'None',
        'type': 'image',
        'nsfw': False,
        'browsingLevel': 1,
        'createdAt': '2026-07-30T18:01:02.345Z',
        'postId': 77,
        'stats': {
            'cryCount': 1,
            'laughCount': 2,
            'likeCount': 30,
            'dislikeCount': 0,
            'heartCount': 4,
            'commentCount': 5,
        },
        'meta': {'prompt': 'a quiet harbour', 'seed': 7},
        'username': 'quiet_harbor',
        'baseModel': 'SDXL 1.0',
        'modelVersionIds': [420102],
        'thumbnail': None,
    }
    return {**item, **changes}


def old_item(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An item as servers sent it years ago: no type, no browsingLevel, numbers as text in meta."""
    item = {
        'id': number,
        'url': URL,
        'hash': None,
        'width': 512,
        'height': 768,
        'nsfw': False,
        'nsfwLevel': 'None',
        'createdAt': '2023-04-11T15:33:12.500Z',
        'postId': 123,
        'stats': {'cryCount': 0, 'laughCount': 0, 'likeCount': 2, 'heartCount': 1},
        'meta': {'prompt': 'a boat', 'Size': '512x768'},
        'username': 'someone',
    }
    return {**item, **changes}


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in names}


def answer(*items: object, **metadata: object) -> dict[str, Any]:
    return {'items': list(items), 'metadata': metadata}


def ids(page: ImagePage) -> list[int]:
    return [image.id for image in page.images]


# --- items -----------------------------------------------------------------------------------


def test_an_item_of_today_keeps_what_it_says() -> None:
    assert parse_image(new_item(11)) == GalleryImage(
        id=11,
        url=URL,
        kind='image',
        width=832,
        height=1216,
        level=1,
        username='quiet_harbor',
        post_id=77,
        base_model='SDXL 1.0',
        created_at='2026-07-30T18:01:02.345Z',
        reactions=42,
        meta={'prompt': 'a quiet harbour', 'seed': 7},
    )


def test_an_item_of_years_ago_is_a_picture_with_its_meta() -> None:
    image = parse_image(old_item(5))
    assert image is not None
    assert (image.kind, image.level, image.reactions) == ('image', 1, 3)
    assert image.meta == {'prompt': 'a boat', 'Size': '512x768'}


LEAST = GalleryImage(id=1, url=URL)


@pytest.mark.parametrize(
    'item',
    [
        pytest.param({'id': 1, 'url': URL}, id='all absent'),
        pytest.param({'id': '1', 'url': URL}, id='id as text'),
        pytest.param(
            {key: None for key in new_item()} | {'id': 1, 'url': URL},
            id='all null',
        ),
        pytest.param(
            {key: [{}] for key in new_item()} | {'id': 1, 'url': URL},
            id='all of a wrong type',
        ),
        pytest.param(
            new_item(width=-5, height=float('nan'), postId=float('inf'), stats={'likeCount': None})
            | {'meta': None, 'username': None, 'baseModel': None, 'createdAt': 5, 'type': ''}
            | {'browsingLevel': None, 'nsfwLevel': None, 'nsfw': None},
            id='absurd numbers',
        ),
    ],
)
def test_what_is_missing_or_absurd_counts_as_unknown(item: object) -> None:
    assert parse_image(item) == LEAST


@pytest.mark.parametrize(
    'item',
    [
        pytest.param(None, id='null'),
        pytest.param('picture', id='text'),
        pytest.param(17, id='number'),
        pytest.param([new_item()], id='list'),
        pytest.param({}, id='empty'),
        pytest.param(without(new_item(), 'id'), id='no id'),
        pytest.param(new_item(id=None), id='null id'),
        pytest.param(new_item(id=0), id='id 0'),
        pytest.param(new_item(id=-3), id='negative id'),
        pytest.param(new_item(id=True), id='boolean id'),
        pytest.param(new_item(id='x'), id='id of letters'),
        pytest.param(new_item(id='9' * 5000), id='id of 5000 digits'),
        pytest.param(without(new_item(), 'url'), id='no address'),
        pytest.param({**new_item(), 'url': r'\\evil.example\share\a.png'}, id='network path'),
        pytest.param({**new_item(), 'url': '/etc/passwd'}, id='path'),
        pytest.param(new_item(url=None), id='null address'),
        pytest.param(new_item(url=''), id='empty address'),
        pytest.param(new_item(url=['https://x']), id='address in a list'),
    ],
)
def test_an_item_without_id_or_address_is_left_out_and_the_others_stay(item: object) -> None:
    assert parse_image(item) is None
    assert ids(parse_page(answer(new_item(1), item, new_item(2)), 1)) == [1, 2]


@pytest.mark.parametrize(
    ('kind', 'is_video'),
    [('image', False), ('video', True), ('audio', False), ('hologram', False)],
)
def test_the_kind_is_what_the_server_says_even_an_unknown_one(kind: str, is_video: bool) -> None:
    image = parse_image(new_item(type=kind))
    assert image is not None
    assert (image.kind, image.is_video) == (kind, is_video)


def test_a_video_with_a_thumbnail_keeps_its_own_address() -> None:
    still = {'url': 'https://image.civitai.com/k/u/anim=false/u.jpeg', 'width': None}
    video = parse_image(new_item(type='video', url=URL.replace('.jpeg', '.mp4'), thumbnail=still))
    assert video is not None
    assert video.is_video and video.url.endswith('.mp4')


def test_an_unknown_base_model_is_kept_as_it_is() -> None:
    image = parse_image(new_item(baseModel='Model Of Tomorrow 9'))
    assert image is not None and image.base_model == 'Model Of Tomorrow 9'


def test_text_that_no_file_can_hold_is_made_harmless() -> None:
    image = parse_image(new_item(username='half \ud83d emoji', createdAt='\0now'))
    model = parse_model({'id': 1, 'name': 'half \udc00\0 emoji'})
    assert image is not None
    for text in (image.username, image.created_at, model.name):
        assert text.encode('utf-8') and '\0' not in text


@pytest.mark.parametrize(
    ('meta', 'flat'),
    [
        pytest.param({'prompt': 'p'}, {'prompt': 'p'}, id='flat'),
        pytest.param({'id': 1, 'meta': {'prompt': 'p'}}, {'prompt': 'p'}, id='nested'),
        pytest.param({'id': 1, 'meta': None}, {}, id='nested, hidden by the uploader'),
        pytest.param({'id': 1, 'meta': 'text'}, {}, id='nested garbage'),
        pytest.param({'id': 1, 'prompt': 'p'}, {'id': 1, 'prompt': 'p'}, id='flat with an id'),
        pytest.param(
            {'id': 1, 'meta': {}, 'seed': 2},
            {'id': 1, 'meta': {}, 'seed': 2},
            id='flat with both names and more',
        ),
        pytest.param({}, {}, id='empty'),
        pytest.param(None, {}, id='null'),
        pytest.param('prompt', {}, id='text'),
        pytest.param(['prompt'], {}, id='list'),
    ],
)
def test_meta_comes_out_of_its_wrapper(meta: object, flat: dict[str, Any]) -> None:
    image = parse_image(new_item(meta=meta))
    assert image is not None and image.meta == flat


# --- maturity --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('facts', 'level'),
    [
        pytest.param({'browsingLevel': 1}, 1, id='PG'),
        pytest.param({'browsingLevel': 2}, 2, id='PG-13'),
        pytest.param({'browsingLevel': 4}, 4, id='R'),
        pytest.param({'browsingLevel': 8}, 8, id='X'),
        pytest.param({'browsingLevel': 16}, 16, id='XXX'),
        pytest.param({'browsingLevel': 32}, 32, id='blocked'),
        pytest.param({'browsingLevel': 3}, 2, id='a mask counts as its highest'),
        pytest.param({'browsingLevel': 31}, 16, id='the mask of all'),
        pytest.param({'browsingLevel': 0}, UNKNOWN_LEVEL, id='not rated yet'),
        pytest.param({'browsingLevel': 0, 'nsfwLevel': 'None'}, 0, id='not rated, reads None'),
        pytest.param({'browsingLevel': -1}, UNKNOWN_LEVEL, id='negative'),
        pytest.param({'browsingLevel': 64}, UNKNOWN_LEVEL, id='a level of tomorrow'),
        pytest.param({'browsingLevel': 2**80}, UNKNOWN_LEVEL, id='absurd'),
        pytest.param({'browsingLevel': 16, 'nsfwLevel': 'None'}, 16, id='number before name'),
        pytest.param({'nsfwLevel': 'None'}, 1, id='name None'),
        pytest.param({'nsfwLevel': 'Soft'}, 2, id='name Soft'),
        pytest.param({'nsfwLevel': 'Mature'}, 4, id='name Mature'),
        pytest.param({'nsfwLevel': 'X'}, 16, id='name X may be either, so the higher'),
        pytest.param({'nsfwLevel': 'Blocked'}, 32, id='name Blocked'),
        pytest.param({'nsfwLevel': 'Spicy', 'nsfw': False}, UNKNOWN_LEVEL, id='unknown name'),
        pytest.param({'nsfwLevel': 'none'}, UNKNOWN_LEVEL, id='wrong case'),
        pytest.param({'nsfwLevel': 4}, 4, id='number in a preview'),
        pytest.param({'browsingLevel': None, 'nsfwLevel': 'Soft'}, 2, id='null then a name'),
        pytest.param({'nsfw': False}, 1, id='only the old boolean, safe'),
        pytest.param({'nsfw': True}, UNKNOWN_LEVEL, id='only the old boolean, not safe'),
        pytest.param({'browsingLevel': True}, UNKNOWN_LEVEL, id='a boolean is no level'),
        pytest.param({'nsfw': 0}, UNKNOWN_LEVEL, id='zero is no boolean'),
        pytest.param({}, UNKNOWN_LEVEL, id='nothing said'),
    ],
)
def test_the_level_is_read_from_what_there_is(facts: dict[str, Any], level: int) -> None:
    assert parse_level(facts) == level


@pytest.mark.parametrize(
    ('ceiling', 'shown'),
    [
        ('PG', {1}),
        ('PG-13', {1, 2}),
        ('R', {1, 2, 4}),
        ('X', {1, 2, 4, 8}),
        ('XXX', {0, 1, 2, 4, 8, 16}),
    ],
)
def test_a_ceiling_shows_up_to_itself_and_unknown_only_with_everything(
    ceiling: str, shown: set[int]
) -> None:
    levels = (0, 1, 2, 4, 8, 16, 32)
    assert {level for level in levels if is_allowed(level, CEILINGS[ceiling])} == shown


def test_pictures_above_the_ceiling_are_left_out_and_counted() -> None:
    page = parse_page(
        answer(
            new_item(1),
            new_item(2, browsingLevel=16, nsfwLevel='X'),
            new_item(3, browsingLevel=0),
            new_item(4, browsingLevel=2, nsfwLevel='Soft'),
            without(new_item(5), 'browsingLevel', 'nsfwLevel', 'nsfw'),
        ),
        CEILINGS['PG-13'],
    )
    assert ids(page) == [1, 4]
    assert page.hidden == 3


def test_a_picture_listed_twice_is_shown_once_where_it_came_first() -> None:
    page = parse_page(answer(new_item(3), new_item(1), new_item(3), new_item(2), new_item(1)), 1)
    assert ids(page) == [3, 1, 2]
    assert page.hidden == 0


def test_a_hidden_picture_listed_twice_is_counted_once() -> None:
    mature = new_item(9, browsingLevel=16)
    assert parse_page(answer(mature, new_item(1), mature), 1).hidden == 1


@pytest.mark.parametrize(
    ('limit', 'shown', 'surplus'), [(0, 5, 0), (5, 5, 0), (9, 5, 0), (2, 2, 3)]
)
def test_no_more_is_taken_than_was_asked_for(limit: int, shown: int, surplus: int) -> None:
    page = parse_page(answer(*map(new_item, range(1, 6))), 1, limit=limit)
    assert (ids(page), page.surplus) == (list(range(1, shown + 1)), surplus)


# --- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('metadata', 'cursor'),
    [
        pytest.param({'nextCursor': '24|1763640000000'}, '24|1763640000000', id='search'),
        pytest.param({'nextCursor': 'feed:a b:c'}, 'feed:a b:c', id='feed'),
        pytest.param({'nextCursor': 9876543}, '9876543', id='number of older servers'),
        pytest.param({'nextCursor': None, 'nextPage': None}, '', id='null'),
        pytest.param({'nextCursor': ''}, '', id='empty'),
        pytest.param({'nextCursor': {'a': 1}}, '', id='object'),
        pytest.param({'nextCursor': True}, '', id='boolean'),
        pytest.param({'nextPage': 'https://civitai.com/api/v1/images?page=2'}, '', id='absent'),
        pytest.param({}, '', id='empty metadata'),
        pytest.param(None, '', id='null metadata'),
        pytest.param('x', '', id='metadata as text'),
    ],
)
def test_the_cursor_of_what_follows_is_text_or_nothing(metadata: object, cursor: str) -> None:
    assert parse_page({'items': [], 'metadata': metadata}, 1).next_cursor == cursor


def test_a_page_without_metadata_is_the_last() -> None:
    assert parse_page({'items': [new_item(1)]}, 1) == parse_page(answer(new_item(1)), 1)


@pytest.mark.parametrize(
    'data',
    [None, 1, 'text', [], [new_item()], {}, {'items': None}, {'items': {}}, {'error': 'busy'}],
    ids=repr,
)
def test_what_is_no_gallery_is_refused_with_a_sentence(data: object) -> None:
    with pytest.raises(WrongContentError, match='not a gallery'):
        parse_page(data, 1)


def test_a_page_can_be_without_what_was_seen() -> None:
    page = parse_page(answer(new_item(1), new_item(2), nextCursor='c'), 1).without({1})
    assert ids(page) == [2]
    assert page.next_cursor == 'c'


json_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
strange_items = st.fixed_dictionaries({}, optional={key: json_values for key in new_item()})
strange_answers = st.fixed_dictionaries(
    {},
    optional={
        'items': st.lists(strange_items | json_values, max_size=5) | json_values,
        'metadata': st.fixed_dictionaries({}, optional={'nextCursor': json_values}) | json_values,
    },
)


@settings(deadline=None)
@given(data=json_values | strange_answers, levels=st.sampled_from(sorted(CEILINGS.values())))
def test_any_json_is_a_page_or_a_wrong_content_error(data: object, levels: int) -> None:
    try:
        page = parse_page(data, levels)
    except WrongContentError:
        return
    assert len(set(ids(page))) == len(page.images)
    assert all(image.id > 0 and image.url for image in page.images)
    assert all(is_allowed(image.level, levels) for image in page.images)


@settings(deadline=None)
@given(
    data=json_values | st.fixed_dictionaries({'id': st.integers(), 'modelVersions': json_values})
)
def test_any_json_is_a_model_or_a_wrong_content_error(data: object) -> None:
    try:
        model = parse_model(data)
    except WrongContentError:
        return
    assert model.name


# --- models ----------------------------------------------------------------------------------


def test_a_model_has_its_name_and_versions_newest_first() -> None:
    model = parse_model(
        {
            'id': 4201,
            'name': ' Paper\n Horizons ',
            'type': 'Checkpoint',
            'creator': {'username': 'MapleLantern', 'image': None},
            'modelVersions': [
                {'id': 420102, 'name': 'v2', 'baseModel': 'SDXL 1.0'},
                {'id': 420101, 'name': None},
                {'name': 'no id'},
                'garbage',
            ],
        }
    )
    assert (model.name, model.kind, model.creator) == (
        'Paper Horizons',
        'Checkpoint',
        'MapleLantern',
    )
    assert [version.label for version in model.versions] == ['v2 · SDXL 1.0 (#420102)', '(#420101)']


@pytest.mark.parametrize('absent', ['name', 'type', 'creator', 'modelVersions'])
def test_a_model_may_lack_anything_but_its_id(absent: str) -> None:
    full = {'id': 7, 'name': 'N', 'type': 'LORA', 'creator': {'username': 'u'}}
    assert parse_model(without(full, absent)).id == 7
    assert parse_model({**full, absent: None}).id == 7


def test_a_model_without_a_name_is_called_by_its_id() -> None:
    assert parse_model({'id': 7}).name == '7'


@pytest.mark.parametrize(
    'data', [None, [], 'x', {}, {'id': None}, {'id': 'x'}, {'id': True}], ids=repr
)
def test_what_is_no_model_is_refused_with_a_sentence(data: object) -> None:
    with pytest.raises(WrongContentError, match='not a model'):
        parse_model(data)


def test_versions_of_one_name_are_told_apart() -> None:
    assert ModelVersion(1, 'v1').label != ModelVersion(2, 'v1').label


# --- what is asked ---------------------------------------------------------------------------

ALWAYS = {
    'limit': '20',
    'sort': 'Most Reactions',
    'period': 'AllTime',
    'browsingLevel': '1',
    'withMeta': 'true',
    'flatMeta': 'true',
}


@pytest.mark.parametrize(
    ('query', 'named'),
    [
        pytest.param(GalleryQuery(), {}, id='nothing'),
        pytest.param(GalleryQuery(model_id=4), {'modelId': '4'}, id='model'),
        pytest.param(GalleryQuery(version_id=5), {'modelVersionId': '5'}, id='version'),
        pytest.param(
            GalleryQuery(model_id=4, version_id=5),
            {'modelVersionId': '5'},
            id='a version goes without its model',
        ),
        pytest.param(GalleryQuery(post_id=6), {'postId': '6'}, id='post'),
        pytest.param(GalleryQuery(image_id=7), {'imageId': '7'}, id='image'),
        pytest.param(GalleryQuery(username='ann'), {'username': 'ann'}, id='user'),
        pytest.param(
            GalleryQuery(username='ann-b', user_id=8),
            {'userId': '8'},
            id='a user by id goes without the name',
        ),
        pytest.param(GalleryQuery(levels=ALL_LEVELS), {'browsingLevel': '31'}, id='all levels'),
        pytest.param(GalleryQuery(sort='Newest'), {'sort': 'Newest'}, id='sort'),
        pytest.param(GalleryQuery(period='Week'), {'period': 'Week'}, id='period'),
        pytest.param(GalleryQuery(limit=200), {'limit': '200'}, id='as many as Civitai gives'),
        pytest.param(GalleryQuery(limit=201), {'limit': '200'}, id='more than Civitai gives'),
        pytest.param(GalleryQuery(limit=0), {'limit': '1'}, id='none'),
        pytest.param(GalleryQuery(limit=-9), {'limit': '1'}, id='less than none'),
    ],
)
def test_the_parameters_of_a_query(query: GalleryQuery, named: dict[str, str]) -> None:
    assert query.parameters() == {**ALWAYS, **named}


def test_a_cursor_changes_nothing_else_and_no_page_is_ever_sent() -> None:
    query = GalleryQuery(version_id=5)
    assert query.parameters('24|99') == {**query.parameters(), 'cursor': '24|99'}
    assert 'page' not in query.parameters('24|99')


# --- the way through -------------------------------------------------------------------------


def page_of(*numbers: int, then: str = '') -> ImagePage:
    return ImagePage(tuple(GalleryImage(n, URL) for n in numbers), then)


def test_a_trail_goes_forward_and_back() -> None:
    first = CursorTrail()
    assert (first.cursor, first.page_number, first.seen) == ('', 1, frozenset())

    second = first.forward(page_of(1, 2, then='b'))
    assert (second.cursor, second.page_number, second.seen) == ('b', 2, {1, 2})

    third = second.forward(page_of(3, then='c'))
    assert (third.cursor, third.page_number, third.seen) == ('c', 3, {1, 2, 3})

    assert third.back() == second
    assert third.back().back() == first == CursorTrail()
    assert first.back() == first


def test_the_last_page_leads_nowhere() -> None:
    trail = CursorTrail().forward(page_of(1, then='b'))
    assert not trail.can_go_to('')
    assert trail.forward(page_of(2)) == trail


@pytest.mark.parametrize('again', ['b', 'c'])
def test_a_cursor_that_was_there_before_ends_the_way(again: str) -> None:
    trail = CursorTrail().forward(page_of(1, then='b')).forward(page_of(2, then='c'))
    assert not trail.can_go_to(again)
    assert trail.forward(page_of(3, then=again)) == trail


def test_going_back_forgets_what_was_shown_after() -> None:
    trail = CursorTrail().forward(page_of(1, then='b')).forward(page_of(2, then='c')).back()
    assert trail.seen == {1}
    assert trail.can_go_to('c')


def test_values_cannot_be_changed_by_accident() -> None:
    for value in (page_of(1), page_of(1).images[0], GalleryQuery(), CursorTrail()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, 'next_cursor', 'x')


@pytest.mark.parametrize(
    'told, names',
    [
        ([{'id': 7, 'name': 'cat'}, {'id': 8, 'name': 'Big Dog'}], ('cat', 'Big Dog')),
        (['cat'], ('cat',)),
        ([{'id': 7}, {'name': 5}, None, 3], ()),
        ('cat', ()),
        (None, ()),
    ],
)
def test_tags_are_told_by_name(told: object, names: tuple[str, ...]) -> None:
    image = parse_image(new_item(tags=told))
    assert image is not None and image.tags == names


def test_tags_are_asked_for_where_they_are_wanted() -> None:
    assert GalleryQuery(with_tags=True).parameters()['withTags'] == 'true'
    assert 'withTags' not in GalleryQuery().parameters()
