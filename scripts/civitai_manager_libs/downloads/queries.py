"""What a lane of a job asks for, as it is kept in the archive. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..archive import jobs
from ..civitai.gallery import GalleryQuery

_FIELDS = frozenset(GalleryQuery.__dataclass_fields__)


def kept_query(query: GalleryQuery) -> dict[str, Any]:
    """Return `query` as an object of JSON."""
    return asdict(query)


def query_of(lane: jobs.Lane) -> GalleryQuery:
    """Return the query that `kept_query` gave for `lane`."""
    values = {name: value for name, value in lane.query.items() if name in _FIELDS}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return GalleryQuery(**{**values, **lists})
