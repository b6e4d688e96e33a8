"""Whether items are what was asked for, by what they tell."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.civitai_manager_libs.civitai.belonging import contradicts, is_same, unproven


@pytest.mark.parametrize(
    ('asked', 'item', 'foreign'),
    [
        pytest.param({'postId': '7'}, {'postId': 7}, False, id='the post'),
        pytest.param({'postId': '7'}, {'postId': 8}, True, id='another post'),
        pytest.param({'postId': '7'}, {'postId': 77}, True, id='a post that begins the same'),
        pytest.param({'postId': '7'}, {'postId': None}, False, id='no post told'),
        pytest.param({'postId': '7'}, {}, False, id='no such field'),
        pytest.param({'username': 'Fox'}, {'username': 'fox'}, False, id='the user, other case'),
        pytest.param({'username': 'Fox'}, {'username': 'fox2'}, True, id='another user'),
        pytest.param({'username': 'Fox'}, {'username': None}, False, id='no user told'),
        pytest.param({'username': 'Fox'}, {'username': 'unknown'}, False, id='user unknown to it'),
        pytest.param(
            {'username': 'Fox', 'userId': '3'}, {'username': 'Elk'}, True, id='by id and name'
        ),
        pytest.param({'userId': '3'}, {'username': 'Elk'}, False, id='a name says nothing of ids'),
        pytest.param({'userId': '3'}, {'userId': 4}, True, id='another id of a user'),
        pytest.param({'userId': '3'}, {'user': {'id': 4}}, True, id='a user in a field of its own'),
        pytest.param({'type': 'video'}, {'type': 'image'}, True, id='another type'),
        pytest.param({'type': 'video'}, {'type': 'video'}, False, id='the type'),
        pytest.param({'tags': '5,6'}, {'tags': [{'id': 6}]}, False, id='one of the tags'),
        pytest.param({'tags': '5,6'}, {'tags': [{'id': 7}]}, True, id='another tag'),
        pytest.param({'tags': '5,6'}, {'tags': []}, False, id='no tags told'),
        pytest.param({'baseModels': 'Pony'}, {'baseModel': 'SD 1.5'}, True, id='another base'),
        pytest.param({'baseModels': 'Pony'}, {'baseModel': ''}, False, id='no base told'),
        pytest.param(
            {'baseModels': 'SD 1.5,Pony'}, {'baseModel': 'IllustriousPony'}, False, id='glued bases'
        ),
        pytest.param(
            {'baseModels': 'Pony', 'modelId': '4'}, {'baseModel': 'SD 1.5'}, False, id='first base'
        ),
        pytest.param({'modelId': '4'}, {'modelId': 5}, True, id='another model'),
        pytest.param({'modelVersionId': '4'}, {'modelVersionIds': [5]}, False, id='versions'),
        pytest.param(
            {'postId': '7', 'type': 'video'}, {'postId': 7, 'type': 'image'}, True, id='one of two'
        ),
        pytest.param({'postId': '7'}, {'postId': {'x': [1.5]}}, False, id='garbage'),
        pytest.param({'sort': 'Newest', 'limit': '20'}, {'sort': 'Oldest'}, False, id='no filter'),
    ],
)
def test_an_item_is_foreign_if_it_says_so(
    asked: dict[str, str], item: dict[str, Any], foreign: bool
) -> None:
    assert contradicts(item, asked) is foreign


VERSION = {'modelVersionId': '4'}


@pytest.mark.parametrize(
    ('asked', 'items', 'doubted'),
    [
        pytest.param(VERSION, [{'modelVersionIds': []}], True, id='none carries the version'),
        pytest.param(VERSION, [{'modelVersionIds': [5]}], True, id='all carry others'),
        pytest.param(
            VERSION, [{'modelVersionIds': []}, {'modelVersionIds': [9, 4]}], False, id='one does'
        ),
        pytest.param(
            VERSION, [{'modelVersionIds': [], 'modelVersionId': 4}], False, id='posted to it'
        ),
        pytest.param(VERSION, [{'id': 1}], False, id='a server that tells of nothing'),
        pytest.param(VERSION, [{'postId': 1}], True, id='a server without that field'),
        pytest.param({'postId': '7'}, [{'postId': None}], True, id='no post told'),
        pytest.param({'postId': '7'}, [{'postId': None}, {'postId': 7}], False, id='post told'),
        pytest.param({'username': 'a'}, [{'username': None}], True, id='no user told'),
        pytest.param({'userId': '3'}, [{'username': 'a'}] * 2, True, id='all of one user'),
        pytest.param({'userId': '3'}, [{'username': 'a'}, {'username': 'b'}], True, id='of two'),
        pytest.param({'userId': '3', 'username': 'a'}, [{'username': 'A'}], False, id='by name'),
        pytest.param({'modelId': '4'}, [{'modelVersionIds': [9]}], True, id='a model'),
        pytest.param({'tags': '5'}, [{'tags': [{'id': 5}]}], False, id='tags told'),
        pytest.param({'tags': '5'}, [{'tags': []}], True, id='no tags told'),
        pytest.param({'tags': '5'}, [{'postId': 1}], True, id='no field for tags'),
        pytest.param({'type': 'video'}, [{'type': 'video'}], False, id='the type'),
        pytest.param(
            {'modelId': '4', 'modelVersionId': '9', 'baseModels': 'Pony'},
            [{'modelVersionIds': [9], 'baseModel': ''}],
            True,
            id='no base told of a version',
        ),
        pytest.param({'modelId': '4', 'baseModels': 'P'}, [{'modelId': 4}], False, id='first base'),
        pytest.param(VERSION, [], False, id='nothing at all'),
    ],
)
def test_a_filter_is_doubted_if_nothing_shows_that_it_was_obeyed(
    asked: dict[str, str], items: list[dict[str, Any]], doubted: bool
) -> None:
    assert bool(unproven(items, asked)) is doubted


def listed(*numbers: int) -> dict[str, Any]:
    return {'items': [{'id': number} for number in numbers]}


@pytest.mark.parametrize(
    ('one', 'other', 'same'),
    [
        pytest.param(listed(1, 2, 3), listed(1, 2, 3), True, id='alike'),
        pytest.param(listed(*range(24)), listed(*range(5, 29)), True, id='some came in between'),
        pytest.param(listed(1, 2, 3), listed(4, 5, 6), False, id='nothing in common'),
        pytest.param(listed(1), listed(*range(24)), False, id='the only one, among the newest'),
        pytest.param(listed(), listed(), False, id='nothing'),
        pytest.param(listed(1), None, False, id='no answer'),
        pytest.param(listed(1), {'items': None}, False, id='garbage'),
    ],
)
def test_two_answers_are_one_list_if_most_pictures_are_in_both(
    one: object, other: object, same: bool
) -> None:
    assert is_same(one, other) is same
