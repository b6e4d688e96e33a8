"""The public collections of the stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from .entries import USERS, User


@dataclass(frozen=True)
class Collection:
    """What somebody gathered; `kind` is `Image` or `Model`, `level` a mask."""

    id: int
    name: str
    description: str | None
    kind: str
    level: int
    count: int
    followers: int
    user: User
    tags: tuple[str, ...] = ()


COLLECTIONS = (
    Collection(1303, 'Skies to keep', 'Clouds and light.', 'Image', 1, 64, 12, USERS[2], ('sky',)),
    Collection(1288, 'Flat and quiet', None, 'Image', 1, 31, 230, USERS[5], ('poster', 'geometry')),
    Collection(1251, 'Night work', 'After midnight.', 'Image', 7, 18, 87, USERS[9]),
    Collection(1204, 'My base models', None, 'Model', 1, 2, 41, USERS[7], ('base model',)),
)
