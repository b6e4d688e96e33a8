"""Where a page of pictures begins and how the next one is asked for. Decisions only, no I/O.

A cursor takes the form of the engine that answers: the database writes the id of the first picture
not yet shown, the search index `<offset>|<unix ms>`, the feed `feed:<unix ms>:<id>`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Sequence

from ..world.catalog import NOW

DATABASE, SEARCH, FEED = 'database', 'search', 'feed'
FOREIGN_CURSOR = 'This cursor cannot be continued with these filters'
DEAD_CURSOR = 'This cursor can no longer be continued; start again without it'
# Even, as the empty pages know an odd moment for their own.
NOW_MS = int(NOW.timestamp() * 1000)

_OFFSET = re.compile(r'([0-9]{1,9})\|([0-9]{1,15})')
_NUMBER = re.compile(r'[0-9]{1,18}')
_FEED = re.compile(r'feed:([0-9]{1,15}):([0-9]{1,18})')


class CursorError(ValueError):
    """A cursor that cannot be followed; the text is Civitai's."""


@dataclass(frozen=True)
class Walk:
    """The ids a query finds, in order, and what its cursors depend on.

    `oldest_first` tells the direction of the ids on the database; `filters` is any text that
    changes whenever the query asks for other pictures.
    """

    ids: Sequence[int]
    limit: int
    engine: str
    oldest_first: bool
    filters: str


@dataclass(frozen=True)
class Page:
    """The part of the ids on a page (`end` exclusive) and the cursor after it, '' at the end."""

    start: int
    end: int
    following: str


def page_at(walk: Walk, cursor: str, scenario: str) -> Page:
    """The page at `cursor` ('': the first) under `scenario`; raises CursorError."""
    start = start_at(walk, cursor, scenario) if cursor else 0
    if scenario == 'empty-page' and cursor:
        second = _second_try(walk, cursor)
        if second:
            return Page(start, start, second)
    return page_from(walk, start, scenario)


def page_from(walk: Walk, start: int, scenario: str) -> Page:
    """The page that begins at position `start`."""
    end = min(len(walk.ids), start + walk.limit)
    if walk.limit and end < len(walk.ids):
        return Page(start, end, cursor_to(walk, end, scenario))
    if scenario == 'repeated-cursor' and 0 < walk.limit < len(walk.ids):
        return Page(start, end, cursor_to(walk, walk.limit, scenario))
    return Page(start, end, '')


def start_at(walk: Walk, cursor: str, scenario: str) -> int:
    """The position a cursor leads to; raises CursorError."""
    if cursor.startswith('feed:'):
        return _feed_start(walk, cursor)
    offset = _OFFSET.fullmatch(cursor)
    if offset and (walk.engine != DATABASE or scenario == 'offset-cursors'):
        return int(offset[1])
    if walk.engine == DATABASE and _NUMBER.fullmatch(cursor):
        number = int(cursor)
        if walk.oldest_first:
            return sum(one < number for one in walk.ids)
        # By Civitai's source the cursor names the first picture not shown, yet the next page
        # begins below it: one picture is lost.
        lost = scenario == 'lossy'
        return sum(one >= number if lost else one > number for one in walk.ids)
    raise CursorError(f'Invalid cursor: {cursor}')


def cursor_to(walk: Walk, position: int, scenario: str) -> str:
    """The cursor that leads to `position`."""
    if walk.engine == FEED:
        return f'feed:{_stamp(walk.filters)}:{walk.ids[position]}'
    if walk.engine == SEARCH or scenario == 'offset-cursors':
        return f'{position}|{NOW_MS}'
    return str(walk.ids[position])


def _feed_start(walk: Walk, cursor: str) -> int:
    found = _FEED.fullmatch(cursor)
    if walk.engine != FEED or not found:
        raise CursorError(DEAD_CURSOR)
    if int(found[1]) != _stamp(walk.filters):
        raise CursorError(FOREIGN_CURSOR)
    if int(found[2]) not in walk.ids:
        raise CursorError(DEAD_CURSOR)
    return walk.ids.index(int(found[2]))


def _stamp(filters: str) -> int:
    """The moment in a feed cursor; here it betrays the filters the cursor was made for."""
    return NOW_MS - int(hashlib.sha256(filters.encode()).hexdigest()[:7], 16)


def _second_try(walk: Walk, cursor: str) -> str:
    """Another cursor to the same place, or '' if `cursor` is such a one already."""
    offset = _OFFSET.fullmatch(cursor)
    if offset:
        moment = int(offset[2])
        return '' if moment % 2 else f'{offset[1]}|{moment + 1}'
    # No two pictures have neighbouring ids, so a number beside an id leads to the same place.
    number = int(cursor)
    return str(number - 1 if walk.oldest_first else number + 1) if number in walk.ids else ''
