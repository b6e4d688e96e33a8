"""What a person wants to see of any gallery: read from the browser, put on a link, kept to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Collection, Mapping

from .. import setting
from ..civitai import basemodels, meta as meta_of
from ..civitai.gallery import (
    CEILINGS,
    PERIODS,
    SORTS,
    TYPES,
    GalleryImage,
    ImagePage,
    ceiling_of,
    is_allowed,
)
from ..civitai.source import GallerySource

# What a link can name too; the rest is ours alone.
IN_LINKS = ('sort', 'period', 'type', 'base_models')
_CHOICES: Mapping[str, Collection[str]] = {
    'level': tuple(CEILINGS),
    'sort': SORTS,
    'period': PERIODS,
    'type': TYPES,
}
# Those that mean something where nobody is asked.
OF_SAVED = frozenset({'level', 'type', 'base_models', 'with_prompt'})
_LONGEST_TEXT, _LONGEST_NAME, _MOST_NAMES = 4000, 60, 20


@dataclass(frozen=True)
class Filters:
    """What is to be seen; '', () and False leave it to the link and to the settings.

    level is the name of a ceiling, which never lifts that of the settings; base_models are names
    of which a picture has one. Civitai cannot be asked for what is with_prompt, so that is looked
    for in each page.
    """

    level: str = ''
    sort: str = ''
    period: str = ''
    type: str = ''
    base_models: tuple[str, ...] = ()
    with_prompt: bool = False

    @property
    def levels(self) -> int:
        """The mask of maturity levels that may be shown now."""
        allowed = setting.maturity_levels()
        return CEILINGS.get(self.level, allowed) & allowed

    @property
    def ceiling(self) -> str:
        """The name of the highest level that may be shown now."""
        return ceiling_of(self.levels)

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The names of those that leave something out, beside the level."""
        return tuple(
            name
            for name in ('period', 'type', 'base_models', 'with_prompt')
            if getattr(self, name) and getattr(self, name) != PERIODS[0]
        )

    def without(self, name: str) -> Filters:
        """The same with nothing said of `name`."""
        return replace(self, **{name: getattr(Filters(), name)})

    def as_told(self) -> dict[str, Any]:
        """The same for the browser, as `read` reads it."""
        period = '' if self.period == PERIODS[0] else self.period
        told = {'level': self.ceiling, 'period': period, 'base_models': ','.join(self.base_models)}
        return {**asdict(self), **told}


@dataclass(frozen=True)
class LeftOut:
    """What a page does not show of the `total` that was listed: how many, by the filter's name."""

    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def and_then(self, other: LeftOut) -> LeftOut:
        """What this page and the `other` one do not show."""
        return LeftOut(self.total + other.total, Counter(self.counts) + Counter(other.counts))


@dataclass
class FilterView:
    """What one browser tab wants to see, and what it therefore does not see of its page."""

    chosen: Filters = field(default_factory=Filters)
    left: LeftOut = field(default_factory=LeftOut)


def read(told: object) -> Filters:
    """Return the filters in what a browser tells, of whatever origin; what is none is left out."""
    text = str(told or '')
    try:
        given = json.loads(text) if len(text) <= _LONGEST_TEXT else None
    except (ValueError, RecursionError):
        given = None
    return of_values(given) if isinstance(given, dict) else Filters()


def of_values(given: Mapping[str, object]) -> Filters:
    """Return the filters that these values are, of unknown origin; what is none is left out."""
    chosen: dict[str, Any] = {
        name: value
        for name, known in _CHOICES.items()
        if isinstance(value := given.get(name), str) and value in known
    }
    names = given.get('base_models')
    return Filters(
        **chosen,
        base_models=_names(names) if isinstance(names, str) else (),
        with_prompt=given.get('with_prompt') is True,
    )


def _names(text: str) -> tuple[str, ...]:
    """The names of base models between commas, those that Civitai may know."""
    names = [name.strip() for name in text.split(',')][:_MOST_NAMES]
    good = (name for name in names if name and name.isprintable() and len(name) <= _LONGEST_NAME)
    return tuple(dict.fromkeys(map(basemodels.exact_name, good)))


def usable_for(source: GallerySource) -> frozenset[str]:
    """The names of the filters that mean something for what `source` names.

    Of a single picture there is nothing to choose, a post is as its author made it, and the
    pictures of a version have its base model.
    """
    if source.kind == 'image' or source.ids:
        return frozenset({'level'})
    if source.kind == 'post':
        return frozenset({'level', 'type', 'with_prompt'})
    every = {'level', 'with_prompt', *IN_LINKS}
    return frozenset(every - {'base_models'} if source.kind in ('model', 'version') else every)


def wished(source: GallerySource, kept: Filters) -> GallerySource:
    """Return `source` with what was `kept` of other galleries, where it says nothing itself."""
    usable = usable_for(source).intersection(IN_LINKS)
    wishes = {name: getattr(kept, name) for name in usable if not getattr(source, name)}
    return replace(source, **wishes)


def in_force(source: GallerySource, kept: Filters) -> Filters:
    """Return the filters that a gallery has whose link is `source`, with what was `kept`."""
    prompt = kept.with_prompt and 'with_prompt' in usable_for(source)
    named = {name: getattr(source, name) for name in IN_LINKS}
    return Filters(level=kept.level, with_prompt=prompt, **named)


def sifted(
    page: ImagePage, chosen: Filters, *, is_saved: bool = False
) -> tuple[ImagePage, LeftOut]:
    """Return `page` without what is not wanted of it, and what that is.

    is_saved: Civitai was not asked for it, so all that a picture tells of itself is looked at.
    """
    checks = _OF_SAVED if is_saved else _OF_LISTED
    why = [next((name for name, fits in checks if not fits(i, chosen)), '') for i in page.images]
    counts = Counter({'level': page.hidden})
    counts.update(filter(None, why))
    images = tuple(image for image, left_out in zip(page.images, why) if not left_out)
    left = LeftOut(len(page.images) + page.hidden, {k: n for k, n in counts.items() if n})
    return replace(page, images=images), left


def _has_prompt(image: GalleryImage, chosen: Filters) -> bool:
    return not chosen.with_prompt or bool(meta_of.as_text(image.meta.get('prompt')))


def _is_of_base(image: GalleryImage, chosen: Filters) -> bool:
    names, told = chosen.base_models, image.base_model.casefold()
    return not names or any(name.casefold() in told for name in names)


# By the name of a filter: whether a picture is as it says.
_OF_LISTED: tuple[tuple[str, Callable[[GalleryImage, Filters], bool]], ...] = (
    ('with_prompt', _has_prompt),
)
_OF_SAVED = (
    ('level', lambda image, chosen: is_allowed(image.level, chosen.levels)),
    ('type', lambda image, chosen: chosen.type in ('', image.kind)),
    ('base_models', _is_of_base),
    *_OF_LISTED,
)
