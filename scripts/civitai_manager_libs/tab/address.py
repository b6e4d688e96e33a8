"""What the address of the app's page names: a gallery, by its link or by the job that kept it, how
it is filtered, and a page of it; or the words of a search, and how many pages of what it finds.

A page of Civitai is reached by what the one before said of it, so the address carries the whole
way, as far as that is short. The page is called `p`: gradio 6 has a use of its own for `page`, and
fails. All of it may come from anybody, and nothing of it is believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
    what `words` find, up to `page`; without these what the job `saved` kept.
    """

    source: str = ''
    words: str = ''
    saved: str = ''
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
    """Return what the address says of the gallery that is or would be on show, as above.

    Where a saved one is shown instead, it still says what was asked for.
    """
    gallery, saved, chosen = view.gallery, view.saved, view.filters.chosen
    trail = endless.first_way(view)
    if saved is not None:
        said = read(saved.asked) if saved.asked else Address(saved=str(saved.job.id), trail=trail)
        return written(replace(said, filters=chosen)) if said else ''
    if gallery is None:
        return ''
    shown = Address(
        link_of(gallery.source),
        filters=chosen,
        is_of_every_version=bool(gallery.model and not gallery.query.version_id),
        trail=trail,
    )
    return written(shown)


def written(said: Address) -> str:
    """Return a gallery as `read` reads it; a way that is too long is left out."""
    chosen = said.filters
    named = {
        'source': said.source,
        'saved': said.saved,
        'level': chosen.ceiling,
        'prompt': '1' if chosen.with_prompt else '',
        'versions': 'all' if said.is_of_every_version else '',
    }
    if said.saved:  # else the link names them
        named |= {'type': chosen.type, 'baseModels': ','.join(chosen.base_models)}
    text = urlencode({name: value for name, value in named.items() if value})
    way = said.trail.cursors[1:]
    on = urlencode([('p', len(way) + 1), *(('at', cursor) for cursor in way)])
    is_short = len(on) <= LONGEST_WAY and len(way) < MOST_PAGES
    return f'{text}&{on}' if way and is_short else text


def link_of(source: GallerySource) -> str:
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
    one = {name: values[0] for name, values in said.items()}
    source, words, saved = one.get('source', ''), one.get('words', ''), one.get('saved', '')
    page, trail = _way(said)
    if not source.strip() and words.strip():
        return Address(words=words, page=page)
    if not source.strip() and not saved.strip():
        return None
    named = {'level': one.get('level'), 'with_prompt': one.get('prompt') == '1'}
    if not source.strip():
        source, of_saved = '', {'type': one.get('type'), 'base_models': one.get('baseModels')}
        chosen = of_values({**named, **of_saved})
    else:
        saved, chosen = '', of_values(named)
    if chosen.level and chosen.level != chosen.ceiling:
        trail = CursorTrail()  # that way leads through other pictures
    if chosen.levels == setting.maturity_levels():
        chosen = chosen.without('level')
    return Address(source, '', saved, chosen, said.get('versions') == ['all'], page, trail)


def _way(said: dict[str, list[str]]) -> tuple[int, CursorTrail]:
    """The number of the page and the way to it, as far as it can be one."""
    (number, *_), way = said.get('p', ['1']), said.get('at', [])
    page = int(number) if re.fullmatch(r'[1-9][0-9]{0,5}', number) else 1
    is_way = all(map(_CURSOR.fullmatch, way)) and len(set(way)) == len(way) < MOST_PAGES
    if not is_way or len(way) + 1 != page:
        return page, CursorTrail()
    return page, CursorTrail(('', *way), (frozenset(),) * len(way))
