"""The articles of the stand-in, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .entries import USERS, User, moment


@dataclass(frozen=True)
class Article:
    """What somebody wrote; `tags` are (id, name)."""

    id: int
    title: str
    text: str
    published: datetime
    likes: int
    user: User
    tags: tuple[tuple[int, str], ...]


_GUIDE, _COLOUR = (811, 'guide'), (812, 'colour')

ARTICLES = (
    Article(
        2104,
        'Paper, light and patience',
        'How the landscapes of this place are cut.',
        moment('2025-10-02'),
        64,
        USERS[0],
        (_GUIDE,),
    ),
    Article(
        2071,
        'Naming colours',
        'A list of colours that prompts understand.',
        moment('2025-06-19'),
        118,
        USERS[3],
        (_GUIDE, _COLOUR),
    ),
)
