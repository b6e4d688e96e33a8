"""Models that a search found, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ..errors import WrongContentError
from . import fields, meta as meta_of
from .following import following
from .gallery import CEILINGS, GalleryImage, is_allowed, parse_image
from .models import Model, parse_model

# Where levels above PG-13 begin: for whom these are hidden, a model for adults is as well.
_FOR_ADULTS = CEILINGS['R'] - CEILINGS['PG-13']


@dataclass(frozen=True)
class FoundModel:
    """A model, and one of its pictures that may be shown, None if there is none."""

    model: Model
    picture: GalleryImage | None = None

    @property
    def base_model(self) -> str:
        """The base model of the version that its page shows first, '' if that is not said."""
        return self.model.versions[0].base_model if self.model.versions else ''


@dataclass(frozen=True)
class FoundPage:
    """Some of the models that were found, and the cursor of those that follow ('' at the end).

    hidden counts those left out because of the maturity ceiling, unreadable those of which no
    model can be made.
    """

    models: tuple[FoundModel, ...] = ()
    next_cursor: str = ''
    hidden: int = 0
    unreadable: int = 0

    def and_then(self, other: FoundPage) -> FoundPage:
        """This page and the `other` one, which follows it, as one; each model once."""
        once = {found.model.id: found for found in (*other.models, *self.models)}
        order = dict.fromkeys(found.model.id for found in (*self.models, *other.models))
        return FoundPage(
            tuple(once[number] for number in order),
            other.next_cursor,
            self.hidden + other.hidden,
            self.unreadable + other.unreadable,
        )


def parse_found(data: object, levels: int, limit: int) -> FoundPage:
    """Return the page in an answer of /api/v1/models, of at most `limit` models.

    Models with nothing within `levels`, and their pictures that are not, are left out: the site's
    own filter knows but two steps. Raises WrongContentError if `data` is no such answer.
    """
    if not isinstance(data, dict) or not isinstance(data.get('items'), list):
        raise WrongContentError('error_not_models')
    shown: dict[int, FoundModel] = {}
    items = data['items'][:limit]
    hidden = unreadable = 0
    for item in items:
        try:
            model = parse_model(item)
        except WrongContentError:
            unreadable += 1
            continue
        if not _may_be_shown(item, levels):
            hidden += 1
        else:
            shown.setdefault(model.id, FoundModel(model, _picture(item, levels)))
    cursor, _ = following(data.get('metadata'))
    return FoundPage(tuple(shown.values()), cursor, hidden, unreadable)


def _may_be_shown(item: Mapping[str, Any], levels: int) -> bool:
    mask = fields.whole(item.get('nsfwLevel'))
    if item.get('nsfw') is True and not levels & _FOR_ADULTS:
        return False
    return not mask or bool(mask & levels)


def _picture(item: Mapping[str, Any], levels: int) -> GalleryImage | None:
    """The first picture that may be shown, the still of a video where there is nothing else."""
    listed = [
        {'id': item['id'], **one}  # some answers leave that of a picture out
        for version in meta_of.mappings(item.get('modelVersions'))
        for one in meta_of.mappings(version.get('images'))
    ]
    read = (parse_image(one) for one in listed)
    seen = [one for one in read if one and not one.is_audio and is_allowed(one.level, levels)]
    return next((one for one in seen if not one.is_video), next(iter(seen), None))
