"""Sentences about the page on show: where it came from, in what order, and what filters hide."""

from __future__ import annotations

from .. import setting, texts
from ..civitai import urls
from ..errors import UrlRefusedError
from .view import View

_BY_DATE = ('Newest', 'Oldest')


def told(view: View) -> list[str]:
    """What is to be said of every page: from where its pictures are, and their order if need be."""
    turn, key = view.noted
    noted = [_text(key)] if key and turn == view.listed else []
    if view.saved is not None:
        return [_text('origin_kept' if view.saved.why is None else 'origin_offline'), *noted]
    order = [_text('all_versions_by_date')] if _is_by_date(view) else []
    return [_text('origin_live', host=_host()), *order, *noted]


def hidden(view: View) -> list[str]:
    """What filters hide of the page that Civitai was asked for without them."""
    counts = {name: n for name, n in view.filters.left.counts.items() if name != 'level'}
    return [_text(f'hidden_{name}', count=count) for name, count in counts.items()]


def above(view: View) -> int:
    """How many pictures of the page are above the level."""
    return max(view.page.hidden, view.filters.left.counts.get('level', 0))


def _is_by_date(view: View) -> bool:
    """Whether Civitai does not obey the order asked for: all versions are listed by date."""
    gallery = view.gallery
    if gallery is None or gallery.model is None or gallery.query.version_id:
        return False
    return gallery.query.sort not in _BY_DATE


def _host() -> str:
    try:
        return urls.split(setting.civitai_base_url).hostname or ''
    except UrlRefusedError:
        return ''


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
