"""What a person wants of a gallery: which pictures, how many, under which names. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any, Callable, Mapping, Sequence

from ..civitai import meta as meta_of, urls
from ..civitai.gallery import MAX_LIMIT, GalleryImage, GalleryQuery
from ..errors import SourceError
from ..store import names, templates

_LEVEL_NAMES = {1: 'PG', 2: 'PG-13', 4: 'R', 8: 'X', 16: 'XXX'}


@dataclass(frozen=True)
class Wanted:
    """All of a gallery that fits; what was not said is 0, '' or ().

    `source` is what was pasted. `limit` counts pictures. `since` and `until` are ISO 8601, in UTC
    where no zone is named; until does not belong to it. `levels` is the mask of maturity levels.
    `tags` are ids, which Civitai is asked for; of `tag_names`, for which it cannot be asked, a
    picture has one at least.
    `template` says what files are called, see `store.templates`; whether a prompt `embeds` into
    its picture, and which `sidecars` are written, `downloads.annotating`; `said` names those of
    these two that a person said for this job, the others are the settings'.
    """

    source: str
    limit: int = 0
    since: str = ''
    until: str = ''
    levels: int = 0
    type: str = ''
    with_prompt: bool = False
    base_models: tuple[str, ...] = ()
    sort: str = ''
    period: str = ''
    tags: tuple[int, ...] = ()
    tag_names: tuple[str, ...] = ()
    template: str = templates.DEFAULT
    embeds: bool = False
    sidecars: tuple[str, ...] | None = ()
    said: tuple[str, ...] = ()

    def kept(self) -> dict[str, Any]:
        """Return this as an object of JSON, without a key or token that the source may hold."""
        return {**asdict(self), 'source': urls.redact(self.source)}

    @property
    def which(self) -> Wanted:
        """The same pictures under the same names, whatever is written into them or beside."""
        return replace(self, embeds=False, sidecars=(), said=())

    def in_manner_of(self, former: Wanted) -> Wanted:
        """The same, written as was said for it formerly where nothing is said now."""
        kept = {name: getattr(former, name) for name in former.said if name not in self.said}
        said = tuple(sorted({*former.said, *self.said}))
        return replace(self, **kept, said=said)

    def narrowed(self, query: GalleryQuery) -> GalleryQuery:
        """Return `query` with what was said here, for as many pictures at once as Civitai gives."""
        said = {
            'levels': self.levels,
            'type': self.type,
            'base_models': self.base_models,
            'sort': self.sort,
            'period': self.period,
            'tags': self.tags,
            'with_tags': bool(self.tag_names),
        }
        given = {name: value for name, value in said.items() if value}
        return replace(query, limit=MAX_LIMIT, **given)  # type: ignore[arg-type]

    def fits(self, image: GalleryImage) -> bool:
        """Tell whether `image` is one of those wanted, as far as Civitai is not asked for it."""
        if self.with_prompt and not meta_of.as_text(image.meta.get('prompt')):
            return False
        if self.tag_names and not {t.casefold() for t in image.tags}.intersection(
            name.casefold() for name in self.tag_names
        ):
            return False
        if not (self.since or self.until):
            return True
        made = moment(image.created_at)
        if made is None:
            return False
        since, until = moment(self.since), moment(self.until)
        return (since is None or made >= since) and (until is None or made < until)

    def undated(self, images: Sequence[GalleryImage]) -> int:
        """Count those left out only because nobody can read when they were made."""
        if not (self.since or self.until):
            return 0
        at_any_time = replace(self, since='', until='')
        undated = (image for image in images if moment(image.created_at) is None)
        return sum(map(at_any_time.fits, undated))

    def ends_before(self, images: Sequence[GalleryImage], sort: str) -> bool:
        """Tell whether nothing wanted can follow `images`, listed by `sort`."""
        # all of them: a single wrong date ends nothing
        dated = [made for image in images if (made := moment(image.created_at)) is not None]
        if 2 * len(dated) <= len(images):  # nothing is known of most
            return False
        since, until = moment(self.since), moment(self.until)
        if sort == 'Newest':
            return since is not None and max(dated) < since
        return sort == 'Oldest' and until is not None and min(dated) >= until


# The sorts whose order can be seen in the pictures.
SEEN_SORTS = ('Newest', 'Oldest', 'Most Reactions', 'Most Comments')


def worth(image: GalleryImage, sort: str) -> float:
    """Return a number that is the larger the earlier `image` comes in a listing by `sort`.

    It is 0 for all where the order cannot be seen in a picture.
    """
    if sort in ('Newest', 'Oldest'):
        made = moment(image.created_at)
        if made is None:
            return -math.inf
        return made.timestamp() if sort == 'Newest' else -made.timestamp()
    counts = {'Most Reactions': image.reactions - image.comments, 'Most Comments': image.comments}
    return float(counts.get(sort, 0))


def as_kept(kept: Mapping[str, Any]) -> Wanted:
    """Return what `Wanted.kept` gave, whatever version of this program it was."""
    known = {field.name for field in fields(Wanted)}
    values = {name: value for name, value in kept.items() if name in known}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Wanted(**{**values, **lists})


def moment(text: str) -> datetime | None:
    """Return the time in ISO 8601, in UTC where no zone is named; None if it is none."""
    try:
        found = datetime.fromisoformat(text.strip().replace('Z', '+00:00'))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def checked_moment(text: str) -> str:
    """Return `text` if it is a time in ISO 8601. Raises SourceError."""
    if moment(text) is None:
        raise SourceError('wanted_time', given=text[:40])
    return text.strip()


def is_nothing_between(since: str, until: str) -> bool:
    """Tell whether two times, '' for none, leave no time between them."""
    begin, end = moment(since), moment(until)
    return begin is not None and end is not None and begin >= end


def count_in(text: str) -> int:
    """Return how many pictures `text` says, a number above 0; 0 if it is none."""
    return int(text) if re.fullmatch(r'[0-9]{1,9}', text) else 0


def tags_in(words: Sequence[str]) -> dict[str, Any]:
    """Return `words` as values of Wanted: ids of tags, and names of tags."""
    is_id = re.compile(r'[1-9][0-9]{0,9}').fullmatch
    return {
        'tags': tuple(int(word) for word in words if is_id(word)),
        'tag_names': tuple(word for word in words if not is_id(word)),
    }


def name_values(
    template: templates.Template,
    image: GalleryImage,
    index: int,
    model: str = '',
    version: str = '',
    position: int = 0,
) -> dict[str, templates.Value]:
    """Return what `template` says of `image`, the picture number `index` of its job.

    `position` is its place in its post from 1, 0 if nobody tells.
    """
    values: dict[str, Callable[[], templates.Value]] = {
        'id': lambda: image.id,
        'uuid': lambda: names.picture_stem(image.url),
        'username': lambda: image.username,
        'post_id': lambda: image.post_id,
        'position': lambda: position,
        'created': lambda: moment(image.created_at),
        'model': lambda: model,
        'version': lambda: version,
        'base_model': lambda: image.base_model,
        'seed': lambda: _whole_number(image.meta.get('seed')),
        'index': lambda: index,
        'level': lambda: _LEVEL_NAMES.get(image.level, ''),
    }
    return {name: values[name]() for name in ('id', *template.fields)}


def _whole_number(value: object) -> int | None:
    number = meta_of.as_number(value)
    return number if isinstance(number, int) else None
