"""What a search for models found, out of an answer of the site."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.civitai_manager_libs.civitai.found import FoundPage, parse_found
from scripts.civitai_manager_libs.errors import WrongContentError

PG, R, ALL = 1, 7, 31
URL = 'https://image.civitai.com/x/{}/original=true/{}.jpeg'


def picture(number: int, level: int = 1, kind: str = 'image', **more: Any) -> dict[str, Any]:
    address = URL.format(number, number)
    return {'id': number, 'url': address, 'nsfwLevel': level, 'type': kind, **more}


def item(number: int = 7, *pictures: dict[str, Any], **more: Any) -> dict[str, Any]:
    version = {'id': 70, 'name': 'v2', 'baseModel': 'SDXL 1.0', 'images': list(pictures)}
    return {
        'id': number,
        'name': 'Paper',
        'type': 'LORA',
        'nsfw': False,
        'nsfwLevel': 1,
        'creator': {'username': 'wren_ash', 'image': None},
        'modelVersions': [version],
        **more,
    }


def found(*items: Any, levels: int = PG, limit: int = 24, **metadata: Any) -> FoundPage:
    return parse_found({'items': list(items), 'metadata': metadata}, levels, limit)


def test_a_card_has_name_kind_base_model_creator_and_a_picture() -> None:
    (card,) = found(item(7, picture(1))).models
    assert (card.model.id, card.model.name, card.model.kind) == (7, 'Paper', 'LORA')
    assert (card.base_model, card.model.creator) == ('SDXL 1.0', 'wren_ash')
    assert card.picture and card.picture.id == 1


PICTURES = {
    'the first that may be shown': ([picture(1, 8), picture(2), picture(3)], PG, 2),
    'none that is above the ceiling': ([picture(1, 2), picture(2, 16)], PG, 0),
    'none of unknown level': ([picture(1, 0)], R, 0),
    'of unknown level where all is allowed': ([picture(1, 0)], ALL, 1),
    'a still rather than a video': ([picture(1, 1, 'video'), picture(2)], PG, 2),
    'the still of a video where there is nothing else': ([picture(1, 1, 'video')], PG, 1),
    'no sound': ([picture(1, 1, 'audio')], PG, 0),
    'no file of this machine': ([{'id': 1, 'url': '/etc/passwd', 'nsfwLevel': 1}], PG, 0),
    'of a network path': ([{'id': 1, 'url': '\\\\evil\\x.png', 'nsfwLevel': 1}], PG, 0),
    'one without an id of its own': ([{**picture(1), 'id': None}], PG, 0),
}


@pytest.mark.parametrize(('pictures', 'levels', 'expected'), PICTURES.values(), ids=list(PICTURES))
def test_the_picture_of_a_card_is(
    pictures: list[dict[str, Any]], levels: int, expected: int
) -> None:
    (card,) = found(item(7, *pictures), levels=levels).models
    assert (card.picture.id if card.picture else 0) == expected


def test_a_picture_whose_id_is_left_out_is_shown_all_the_same() -> None:
    listed = picture(1)
    del listed['id']
    (card,) = found(item(7, listed)).models
    assert card.picture and card.picture.url == listed['url']


HIDDEN = {
    'nothing within the ceiling': (item(nsfwLevel=28), PG, 1),
    'for adults': (item(nsfw=True, nsfwLevel=31), 3, 1),
    'for adults, and allowed': (item(nsfw=True, nsfwLevel=31), R, 0),
    'something within the ceiling': (item(nsfwLevel=29), PG, 0),
    'a site that does not tell': (item(nsfwLevel=None), PG, 0),
}


@pytest.mark.parametrize(('one', 'levels', 'count'), HIDDEN.values(), ids=list(HIDDEN))
def test_models_above_the_ceiling_are_left_out_and_counted(
    one: dict[str, Any], levels: int, count: int
) -> None:
    page = found(one, levels=levels)
    assert (page.hidden, len(page.models)) == (count, 1 - count)


def test_what_is_no_model_is_counted_and_the_others_stay() -> None:
    page = found(item(1), 'x', None, {'id': 'y'}, {}, item(2))
    assert [one.model.id for one in page.models] == [1, 2] and page.unreadable == 4


def test_no_more_than_was_asked_for_is_taken() -> None:
    assert len(found(*(item(n) for n in range(1, 100)), limit=5).models) == 5


@pytest.mark.parametrize(
    ('metadata', 'cursor'),
    [({}, ''), ({'nextCursor': '24'}, '24'), ({'nextCursor': 24}, '24'), ({'nextCursor': []}, '')],
)
def test_a_cursor_leads_on(metadata: dict[str, Any], cursor: str) -> None:
    assert found(item(), **metadata).next_cursor == cursor


def test_pages_are_put_together_and_no_model_comes_twice() -> None:
    first, second = found(item(1), item(2), nextCursor='2'), found(item(2), item(3))
    both = first.and_then(second)
    assert [one.model.id for one in both.models] == [1, 2, 3] and both.next_cursor == ''


@pytest.mark.parametrize('answer', [None, [], 'x', {}, {'items': None}, {'items': {}}])
def test_anything_else_is_no_answer(answer: object) -> None:
    with pytest.raises(WrongContentError):
        parse_found(answer, PG, 24)
