"""What the address of the app's page names: a gallery, how it is filtered, and a page of it; or
the words of a search, and how many pages of what it finds.

A page of Civitai is reached by what the one before said of it, so the address carries the whole
way, as far as that is short. The page is called `p`: gradio 6 has a use of its own for `page`, and
fails. All of it may come from anybody, and nothing of it is believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlencode

from .. import setting
from ..civitai import urls
from ..civitai.gallery import CursorTrail
from ..civitai.source import GallerySource, address_of
from . import endless
from .filters import Filters, of_values
from .view import SearchView, View

_LONGEST = 8000
# A longer way than this, in characters of an address or in pages, is left out of it.
LONGEST_WAY, MOST_PAGES = 3000, 60
_CURSOR = re.compile(r'[!-~]{1,300}')


@dataclass(frozen=True)
class Address:
    """A gallery by its link, with filters that no link can name; `page` of it, if that is known.

    trail leads to the page, to the first where the way is not known. Where there is no link, it is
    what `words` find, up to `page`.
    """

    source: str = ''
    words: str = ''
    filters: Filters = Filters()
    is_of_every_version: bool = False
    page: int = 1
    trail: CursorTrail = CursorTrail()


def of_view(view: View) -> str:
    """Return what the address of the page says of what is on show; '' for what it cannot name."""
    return _of_search(view.search) if view.finds else of_gallery(view)


def _of_search(search: SearchView) -> str:
    """The same of a search; '' where a secret is among its words, as an address is passed on."""
    words, key = search.words, setting.civitai_api_key
    if urls.without_secrets(words) != words or (key and key in words):
        return ''
    return urlencode([('words', words), *([('p', search.pages)] if search.pages > 1 else [])])


def of_gallery(view: View) -> str:
    """Return what the address says of the gallery that is or would be on show, as above."""
    gallery, chosen = view.gallery, view.filters.chosen
    if gallery is None:
        return ''
    named = {
        'source': _link(gallery.source),
        'level': chosen.ceiling,
        'prompt': '1' if chosen.with_prompt else '',
        'versions': 'all' if gallery.model and not gallery.query.version_id else '',
    }
    said = urlencode({name: value for name, value in named.items() if value})
    way = endless.first_way(view).cursors[1:]
    on = urlencode([('p', len(way) + 1), *(('at', cursor) for cursor in way)])
    is_short = len(on) <= LONGEST_WAY and len(way) < MOST_PAGES
    return f'{said}&{on}' if way and is_short else said


def _link(source: GallerySource) -> str:
    """The link of a gallery; that of a model is the one of its page, as people know it."""
    link = address_of(source, setting.civitai_base_url)
    asked = dict(parse_qsl(link.partition('?')[2]))
    if source.kind != 'model' or not asked.pop('modelId', ''):
        return link
    page = urls.page_url(setting.civitai_base_url, 'models', source.number)
    return f'{page}?{urlencode(asked)}'


def read(text: object) -> Address | None:
    """Return what an address, of whatever origin, says; None if it names nothing."""
    given = str(text or '').removeprefix('?')
    if len(given) > _LONGEST:
        return None
    try:
        said = parse_qs(given, max_num_fields=100)
    except ValueError:
        return None
    (source, *_), (words, *_) = said.get('source', ['']), said.get('words', [''])
    level, *_ = said.get('level', [''])
    if not source.strip():
        return Address(words=words, page=_way(said)[0]) if words.strip() else None
    chosen = of_values({'level': level, 'with_prompt': said.get('prompt') == ['1']})
    page, trail = _way(said)
    if chosen.level and chosen.level != chosen.ceiling:
        trail = CursorTrail()  # that way leads through other pictures
    if chosen.levels == setting.maturity_levels():
        chosen = chosen.without('level')
    return Address(source, '', chosen, said.get('versions') == ['all'], page, trail)


def _way(said: dict[str, list[str]]) -> tuple[int, CursorTrail]:
    """The number of the page and the way to it, as far as it can be one."""
    (number, *_), way = said.get('p', ['1']), said.get('at', [])
    page = int(number) if re.fullmatch(r'[1-9][0-9]{0,5}', number) else 1
    is_way = all(map(_CURSOR.fullmatch, way)) and len(set(way)) == len(way) < MOST_PAGES
    if not is_way or len(way) + 1 != page:
        return page, CursorTrail()
    return page, CursorTrail(('', *way), (frozenset(),) * len(way))
