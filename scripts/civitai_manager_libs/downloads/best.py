"""The best pictures of all versions of a model, for a job that keeps no more than its limit."""

from __future__ import annotations

from typing import Sequence

from ..archive import jobs, shortlist
from ..archive.database import Database
from ..civitai.gallery import GalleryImage, GalleryQuery, ImagePage
from .wanted import worth


def note_page(
    db: Database,
    job_id: int,
    lane: jobs.Lane,
    query: GalleryQuery,
    page: ImagePage,
    wanted: Sequence[GalleryImage],
    limit: int,
) -> bool:
    """Note those of `wanted`, of a `page`, that are among the best `limit` of the job so far.

    Tells whether more of them may stand behind that page. Raises StorageError.
    """
    sort = str(lane.query[jobs.RIVALS])
    turns = {image.id: turn for turn, image in enumerate(page.images, lane.items)}
    found = [shortlist.Candidate(one.id, worth(one, sort), turns[one.id]) for one in wanted]
    shortlist.note(db, job_id, lane.number, found, limit)
    if query.sort != sort or not page.images:  # one that begins at the other end tells its worst
        return True
    # what follows is worth less than the half of them, whatever single wrong values there are
    middle = sorted(worth(one, sort) for one in page.images)[len(page.images) // 2]
    return shortlist.has_room(db, job_id, limit, middle, lane.items + len(page.images))
