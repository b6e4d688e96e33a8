"""A gallery listed from both its ends, where one listing does not reach so far. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping, Sequence

from ..archive import jobs
from ..civitai.gallery import GalleryImage, GalleryQuery

OTHER_END_OF = 'other_end_of'  # in a query: the number of the lane that this one is to meet
_OTHER_END = {'Newest': 'Oldest', 'Oldest': 'Newest'}


def other_end(query: GalleryQuery) -> GalleryQuery:
    """Return the query for what lies too deep for `query`."""
    return replace(query, sort=_OTHER_END.get(query.sort, 'Oldest'))


def to_meet(query: GalleryQuery, lane: jobs.Lane) -> dict[str, int]:
    """Return what is kept with it, where it meets the listing of `lane`: where both go by date."""
    return {OTHER_END_OF: lane.number} if query.sort in _OTHER_END else {}


def have_met(
    lane: jobs.Lane, told: Sequence[GalleryImage], known: Mapping[int, int], is_last: bool
) -> bool:
    """Tell whether `lane` has come to where the listing from the first end has ended.

    `told` is its page, `known` which lane told each first, by id. Single pictures may be told early
    by both, so it takes more than half of them; of the last page to be had, the last one.
    """
    origin = lane.query.get(OTHER_END_OF)
    if not origin:
        return False
    by = [known.get(image.id) for image in told]
    if is_last and by and by[-1] == origin:
        return True
    alone = [one for one in by if one in (None, origin, lane.number)]
    return 2 * alone.count(origin) > len(alone)
