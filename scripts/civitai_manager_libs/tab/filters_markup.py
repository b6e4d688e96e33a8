"""The HTML of the filters: the row of boxes, and what a page leaves out because of them."""

from __future__ import annotations

import json
from typing import Iterable

from .. import setting
from ..civitai import basemodels
from ..civitai.gallery import CEILINGS, PERIODS, SORTS, TYPES
from ..widgets import escape
from . import address, endless, filters, markup
from .filters import Filters, LeftOut
from .markup import PREFIX, label
from .view import View

_BOXES = (
    ('level', tuple(CEILINGS)),
    ('sort', ('', *SORTS)),
    ('period', ('', *PERIODS[1:])),
    ('type', ('', *TYPES)),
)


def row() -> str:
    """The boxes; which of them count, and what they hold, is told as galleries come."""
    boxes = ''.join(_box(name, choices) for name, choices in _BOXES)
    bases = _box('base_models', ('', *sorted(basemodels.names(), key=str.casefold)))
    fold = escape(label('filters_fold'))
    return (
        f'<button type="button" class="cg-fold cg-button" aria-expanded="false" '
        f'aria-controls="{PREFIX}_filter_boxes" data-title="{fold}">{fold}</button>'
        f'<div class="cg-filters" id="{PREFIX}_filter_boxes" role="group" '
        f'data-levels="{escape(json.dumps(_levels()))}" '
        f'aria-label="{escape(label("filters"))}">{boxes}{bases}'
        f'<label class="cg-switch"><input type="checkbox" id="{PREFIX}_with_prompt" '
        f'data-filter="with_prompt"> <span>{escape(label("filter_with_prompt"))}</span></label>'
        f'</div>'
    )


def to_settings() -> str:
    """A button that opens the panel of settings, which stands at the end of the page."""
    name = escape(label('settings_title'))
    sign = '<span aria-hidden="true">⚙\ufe0e</span>'
    return (
        f'<button type="button" class="cg-button" data-show="settings" title="{name}">'
        f'{sign} <span class="cg-word">{name}</span></button>'
    )


def _box(name: str, choices: Iterable[str]) -> str:
    options = ''.join(
        f'<option value="{escape(choice)}">{escape(_option(name, choice))}</option>'
        for choice in choices
    )
    why = label('filter_level_why', name=label('setting_gallery_maturity_ceiling'))
    title = f' title="{escape(why)}"' if name == 'level' else ''
    return (
        f'<label{title}><span>{escape(label(f"filter_{name}"))}</span>'
        f'<select id="{PREFIX}_{name}" data-filter="{name}">{options}</select></label>'
    )


def _option(name: str, choice: str) -> str:
    """What a choice is called."""
    if name == 'base_models':
        return choice or label('filter_any')
    if name == 'level':
        return label('filter_up_to', level=choice)
    return markup.choice(name, choice)


def _levels() -> list[str]:
    """The names of the levels that the settings allow."""
    return [name for name, mask in CEILINGS.items() if not mask & ~setting.maturity_levels()]


def told(view: View) -> str:
    """What the boxes show of the gallery on show, for the browser."""
    chosen = view.filters.chosen
    source = view.gallery.source if view.gallery else None
    usable = filters.usable_for(source) if source else frozenset()
    if view.saved is not None:
        usable = filters.OF_SAVED
    facts = {
        'filters': chosen.as_told(),
        'usable': sorted(usable),
        'levels': _levels(),
        'address': address.of_view(view),
        'listed': view.listed,
        'seen': view.seen_since,
        'turn': view.turn,
        'grows': endless.will_grow(view),
        'order': _usual_order(view) if 'sort' in usable else '',
        'shown': view.gallery is not None or view.saved is not None,
    }
    return f'<div data-told="{escape(json.dumps(facts))}"></div>'


def _usual_order(view: View) -> str:
    """What the pictures on show come by where no sort is chosen, '' where that is not known."""
    if view.gallery is None:
        return ''
    return label('filter_sort_usual', sort=_option('sort', view.gallery.usual_sort))


def left_out(view: View, also: str = '') -> str:
    """What is hidden of the page on show, and by what, where its pictures would be; '' for none.

    Each filter has a button that shows what it hides. `also` is HTML of what else is hidden.
    """
    left, chosen = view.filters.left, view.filters.chosen
    told = [_left_out(name, count, left, chosen) for name, count in left.counts.items()]
    told += [also] if also else []
    if view.page.images or not _is_known(view):
        lines = told
    else:
        lines = [_nothing(view, bool(told)), *told]
    inner = ''.join(f'<p>{line}</p>' for line in lines)
    empty = '' if view.page.images else ' cg-empty'
    return f'<div class="cg-left{empty}">{inner}</div>' if inner else ''


def _is_known(view: View) -> bool:
    return view.gallery is not None or view.saved is not None


def _nothing(view: View, is_hidden: bool) -> str:
    """Why there is nothing on the page: its filters, and the tags that the link asks for."""
    if is_hidden:
        return f'<strong>{escape(label("left_nothing"))}</strong>'
    chosen, tags = view.filters.chosen, view.gallery.source.tags if view.gallery else ()
    names = [_said(chosen, name) for name in chosen.narrowing]
    names += [label('left_tag', tag=tag) for tag in tags]
    if not names:
        return f'<strong>{escape(label("left_nothing_here"))}</strong>'
    more = f' {_show("all")}' if chosen.narrowing else ''
    return f'<strong>{escape(label("left_nothing_such"))}</strong> {escape(", ".join(names))}{more}'


def _left_out(name: str, count: int, left: LeftOut, chosen: Filters) -> str:
    what = escape(label('left_out', count=count, total=left.total, by=_said(chosen, name)))
    if name != 'level':
        return f'{what} {_show(name)}'
    if chosen.levels != setting.maturity_levels():
        return f'{what} {_show(name)}'
    return f'{what} {escape(label("left_by_ceiling"))}'


def _said(chosen: Filters, name: str) -> str:
    """What a filter says, in words."""
    if name == 'level':
        return label('filter_up_to', level=chosen.ceiling)
    if name == 'with_prompt':
        return label('filter_with_prompt')
    if name == 'base_models':
        return ', '.join(chosen.base_models)
    return _option(name, getattr(chosen, name))


def _show(name: str) -> str:
    words = escape(label('left_show_all' if name == 'all' else 'left_show'))
    return f'<button type="button" class="cg-button" data-unfilter="{name}">{words}</button>'
