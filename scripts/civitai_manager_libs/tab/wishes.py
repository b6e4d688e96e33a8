"""What a person fills in to have a whole gallery, made into what is wanted. Nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable

from .. import api, setting, texts
from ..civitai import basemodels, spelling
from ..civitai.gallery import CEILINGS, PERIODS, SORTS, TYPES
from ..civitai.source import GallerySource, parse_source
from ..downloads.wanted import Wanted, checked_moment, count_in, is_nothing_between, tags_in
from ..errors import SourceError
from ..store import sidecars
from .filters import IN_LINKS, Filters
from .view import View

_LONGEST = 200  # of one tag or base model
_MOST_WORDS = 50


@dataclass(frozen=True)
class Field:
    """One field of the form, called as on the command line; it offers `choices` besides "any"."""

    name: str
    choices: tuple[str, ...] = ()
    is_switch: bool = False


# In the order in which they stand.
FIELDS = (
    Field('limit'),
    Field('level', tuple(CEILINGS)),
    Field('type', TYPES),
    Field('since'),
    Field('until'),
    Field('sort', SORTS),
    Field('period', PERIODS),
    Field('base_model'),
    Field('tag'),
    Field('with_prompt', is_switch=True),
)


def versions_offered(view: View) -> list[str]:
    """Return the choices between the versions of a model, the likely one first; [] without.

    That is the version on show if somebody picked it, else all of them.
    """
    gallery = view.gallery
    if gallery is None or gallery.model is None or gallery.version is None:
        return []
    count = len(gallery.model.versions)
    if count < 2:
        return []
    all_of_them, one = _all_versions(count), _one_version(gallery.version.label)
    return [one, all_of_them] if _is_picked(gallery) else [all_of_them, one]


def subject(view: View) -> object:
    """Return what a form is filled in for: another model, or other levels, want an empty one."""
    gallery = view.gallery
    name = gallery and (gallery.model.id if gallery.model else gallery.source)
    return name, levels_offered()


def is_of(view: View, link: str) -> bool:
    """Tell whether `link` is that of the gallery on show, whatever both wish for.

    All versions of a model have each of them among them.
    """
    gallery = view.gallery
    if gallery is None:
        return False
    try:
        source = parse_source(link, setting.civitai_base_url)
    except SourceError:
        return False
    versions = source.version_id, gallery.query.version_id
    of_model = gallery.model and GallerySource('model', gallery.model.id)
    is_one = all(versions) and versions[0] != versions[1]
    return not is_one and _plain(source) in (_plain(gallery.source), of_model)


def _plain(source: GallerySource) -> GallerySource:
    nothing = {name: getattr(Filters(), name) for name in IN_LINKS}
    return replace(source, version_id=0, **nothing)


def of_filters(view: View) -> dict[str, Any]:
    """Return what the filters of the gallery on show say, by the names of the fields."""
    chosen, levels = view.filters.chosen, levels_offered()
    return {
        'level': chosen.ceiling if chosen.ceiling in levels else levels[-1],
        'type': chosen.type,
        'sort': chosen.sort,
        'period': '' if chosen.period == PERIODS[0] else chosen.period,
        'base_model': ', '.join(chosen.base_models),
        'with_prompt': chosen.with_prompt,
    }


def taken_over(view: View) -> dict[str, Any]:
    """Return what these say indeed, the level only where it is not that of the settings."""
    said = {name: value for name, value in of_filters(view).items() if value and name != 'level'}
    if view.filters.chosen.levels != setting.maturity_levels():
        said = {'level': view.filters.chosen.ceiling, **said}
    return said


def gallery_of(view: View, versions: object, kind: object = None) -> api.Gallery:
    """Return the gallery on show, with the versions that were chosen from those offered.

    What its link wished is left out, but for the type if that is `kind`, as folders are named after
    it: all of it stands in the fields. Raises SourceError without a gallery.
    """
    gallery = view.gallery
    if gallery is None:
        raise SourceError('source_empty')
    nothing = {name: getattr(Filters(), name) for name in IN_LINKS}
    gallery = gallery.wishing(**{**nothing, 'type': kind if kind == gallery.source.type else ''})
    offered = versions_offered(view)
    if not offered or gallery.version is None:
        return gallery
    chosen = versions if versions in offered else offered[0]
    is_one = chosen == _one_version(gallery.version.label)
    return gallery.of_version(gallery.version.id) if is_one else gallery.of_all_versions()


def _is_picked(gallery: api.Gallery) -> bool:
    return bool(gallery.source.version_id) or gallery.source.kind == 'version'


def _all_versions(count: int) -> str:
    return texts.text('whole_all_versions', setting.language, count=count)


def _one_version(name: str) -> str:
    return texts.text('whole_one_version', setting.language, version=name)


def levels_offered() -> list[str]:
    """Return the levels that the settings allow, the highest last."""
    allowed = setting.maturity_levels()
    return [name for name, mask in CEILINGS.items() if not mask & ~allowed]


def wanted(source: str, given: dict[str, Any]) -> Wanted:
    """Return what the fields `given`, of unknown origin, ask of `source`. Raises SourceError."""
    since, until = _moment(given.get('since')), _moment(given.get('until'))
    if is_nothing_between(since, until):
        raise SourceError('whole_no_time_between')
    tags = _words(given.get('tag'), 'tag', lambda tag: tag.removeprefix('#'))
    return Wanted(
        source,
        limit=_limit(given.get('limit')),
        since=since,
        until=until,
        levels=_levels(given.get('level')),
        type=_choice(given.get('type'), 'type', TYPES),
        with_prompt=given.get('with_prompt') is True,
        base_models=_words(given.get('base_model'), 'base_model', basemodels.exact_name),
        sort=_choice(given.get('sort'), 'sort', SORTS),
        period=_choice(given.get('period'), 'period', PERIODS),
        template=setting.gallery_name_template,
        embeds=setting.gallery_embed_infotext,
        sidecars=sidecars.chosen(setting.gallery_sidecars),
        **tags_in(tags),
    )


def _limit(given: object) -> int:
    text = _text(given)
    number = count_in(text)
    if text and not number:
        raise SourceError('whole_bad_limit', given=text[:20])
    return number


def _moment(given: object) -> str:
    text = _text(given)
    return checked_moment(text) if text else ''


def _levels(given: object) -> int:
    text = _text(given)
    if not text:
        return setting.maturity_levels()
    name = spelling.meant(text, levels_offered())
    if not name:
        raise SourceError(
            'whole_bad_level', given=text[:20], ceiling=setting.gallery_maturity_ceiling
        )
    return CEILINGS[name]


def _choice(given: object, name: str, known: Iterable[str]) -> str:
    """Return one of `known`, '' for any of them."""
    text = _text(given)
    if text in ('', *(texts.text('whole_any', language) for language in texts.LANGUAGES)):
        return ''
    if text not in known:
        raise SourceError('whole_bad_choice', field=_label(name), given=text[:20])
    return text


def _words(given: object, name: str, made: Callable[[str], str]) -> tuple[str, ...]:
    """Return the words between commas, each as `made` makes it."""
    words = [word.strip() for word in re.split(r'[,，、]', _text(given))]
    found = tuple(dict.fromkeys(made(word) for word in words if word))
    if len(found) > _MOST_WORDS or any(len(w) > _LONGEST or not w.isprintable() for w in found):
        raise SourceError('whole_bad_words', field=_label(name), most=_MOST_WORDS)
    return found


def _text(given: object) -> str:
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return '' if given is None else str(given).strip()


def _label(name: str) -> str:
    return texts.text(f'whole_{name}', setting.language)
