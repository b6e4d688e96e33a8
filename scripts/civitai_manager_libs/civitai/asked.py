"""The parameters of a pasted address: each that narrows a gallery down is obeyed or refused."""

from __future__ import annotations

from typing import Any, Sequence
from urllib.parse import parse_qs

from ..errors import SourceError
from . import basemodels, urls
from .gallery import PERIODS, SORTS, TYPES
from .pasted import id_in

# Filters of the site that its API has not; it would drop them and send everybody's pictures.
_ONLY_ON_THE_SITE = (
    'aspectRatio aspectRatios collectionTagId excludeCrossPosts excludedTagIds followed '
    'fromPlatform hidden hideAutoResources hideManualResources minorOnly notPublished poiOnly '
    'query remixOfId requiringMeta reviewId scheduled search tag techniques tools'
).split()
_OFF = ('false', '0', 'undefined', 'null')


class Asked:
    """Reads the query of an address; what is wrong there raises SourceError."""

    def __init__(self, query: str, given: str) -> None:
        """Read `query` of the pasted text `given`."""
        self._given = given
        self._values: dict[str, list[str]] = {}
        for name, values in parse_qs(query.replace('&amp;', '&')).items():
            filled = [value.strip() for value in values if value.strip()]
            self._values.setdefault(name.lower(), []).extend(filled)

    def text(self, name: str) -> str:
        """The value of `name`, '' if there is none."""
        return next(reversed(self._values.get(name.lower(), [''])), '')

    def number(self, name: str) -> int:
        """The id in `name`, 0 if there is none."""
        value = self.text(name)
        return id_in(value, self._given) if value else 0

    def numbers(self, name: str, most: int = 0) -> tuple[int, ...]:
        """The ids in `name`, `most` of them, which may be repeated or hold a list with commas."""
        found = tuple(dict.fromkeys(id_in(value, self._given) for value in self.listed(name)))
        if most and len(found) > most:
            raise SourceError('source_too_many', count=len(found), most=most)
        return found

    def listed(self, name: str) -> tuple[str, ...]:
        """The values of `name`, which may be repeated or hold a list with commas, each once."""
        values = (part.strip() for v in self._values.get(name.lower(), ()) for part in v.split(','))
        return tuple(dict.fromkeys(filter(None, values)))

    def choice(self, name: str, known: Sequence[str]) -> str:
        """The one value of `name` that is `known`, in any case, '' if nothing was said."""
        said = ', '.join(self.listed(name))
        found = next((value for value in known if _plain(value) == _plain(said)), '')
        if said and not found:
            values = ', '.join(known)
            raise SourceError('source_value', value=urls.shown(said), name=name, known=values)
        return found

    def narrowing(self, page_type: str = '') -> dict[str, Any]:
        """What is asked of any gallery, by the names that GallerySource has for it.

        `page_type` is the type of what the page shows, '' if it shows all.
        """
        types = self.choice('types', TYPES), self.choice('type', TYPES)
        return {
            'sort': self.choice('sort', SORTS),
            'period': self.choice('period', PERIODS),
            'type': _one_of(page_type, *types),
            'tags': self.numbers('tags'),
            'base_models': tuple(
                dict.fromkeys(map(basemodels.exact_name, self.listed('baseModels')))
            ),
        }

    def owner(self, username: str = '') -> dict[str, Any]:
        """Whose pictures are asked for, by the names that GallerySource has for it.

        `username` is whose page it is, '' if it is nobody's.
        """
        name = _one_of(username, self.text('username'))
        return {'username': name, 'user_id': self.number('userId')}

    def refuse_all_but_one_of(self, *names: str) -> None:
        """Raise SourceError if more than one of these parameters is given: one would be lost."""
        given = [name for name in names if self.text(name)]
        if len(given) > 1:
            raise SourceError('source_contradiction', one=given[0], other=given[1])

    def refuse_what_only_the_site_can(self, *, on_page: bool) -> None:
        """Raise SourceError for a filter that the API has not, so that others would come.

        `on_page`: it is a page of the site, where withMeta is a filter; in the API it is none.
        """
        if self.text('reactions') or self.text('section').lower() == 'reactions':
            raise SourceError('source_liked')
        if self.text('collectionId'):
            raise SourceError('source_collection')
        names = [*_ONLY_ON_THE_SITE, *(['withMeta'] if on_page else [])]
        wanted = [name for name in names if self.text(name) and self.text(name).lower() not in _OFF]
        if wanted:
            raise SourceError('source_filter', names=', '.join(wanted))


def _one_of(*values: str) -> str:
    """The one of `values` that is not empty, '' if all are. Raises SourceError if they differ."""
    said = {value.casefold(): value for value in reversed(values) if value}
    if len(said) > 1:
        one, other, *_ = (urls.shown(value) for value in reversed(said.values()))
        raise SourceError('source_contradiction', one=one, other=other)
    return next(iter(said.values()), '')


def _plain(value: str) -> str:
    return value.replace(' ', '').casefold()
