"""What a person thinks of pictures is kept, with the pictures themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs.archive import marks
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.marks import FAVOURITE, HIDDEN, Marks
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / 'archive.sqlite')
    yield database
    database.close()


def picture(number: int) -> GalleryImage:
    url = f'https://image.civitai.com/key/{number}/original=true/{number}.jpeg'
    return GalleryImage(number, url, meta={'prompt': f'p{number}'})


def test_a_mark_is_put_and_taken_away_as_often_as_one_likes(db: Database) -> None:
    for _ in range(2):
        marks.put(db, picture(1), FAVOURITE, True)
        marks.put(db, picture(1), HIDDEN, True)
        marks.put(db, picture(2), HIDDEN, True)
    assert marks.of(db, [1, 2, 3]) == Marks(frozenset({1}), frozenset({1, 2}))
    for _ in range(2):
        marks.put(db, picture(1), HIDDEN, False)
    assert marks.of(db, [1, 2, 3]) == Marks(frozenset({1}), frozenset({2}))
    assert marks.of(db, []) == Marks()


def test_favourites_are_told_as_they_were_the_newest_first(db: Database) -> None:
    for number in (3, 1, 2):
        marks.put(db, picture(number), FAVOURITE, True)
    marks.put(db, picture(4), HIDDEN, True)
    assert marks.favourites(db, 0, 9) == [picture(2), picture(1), picture(3)]
    assert marks.favourites(db, 1, 1) == [picture(1)]
    assert marks.count(db) == 3


def test_many_pictures_are_asked_about_at_once(db: Database) -> None:
    marks.put(db, picture(1999), FAVOURITE, True)
    assert marks.of(db, range(1, 2000)).favourites == {1999}
