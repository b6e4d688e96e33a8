"""Models in the tab: those of a picture are fetched, those on this machine scanned and listed.

Buttons of the page send an order, which is checked here:

''              tell what has changed
list            look anew which files are here, and list them by what the fields say
find            list those by what the fields say now
more N          list more than N
scan, stop      begin a scan, end it
get SOURCE      ask for a model of the chosen picture, by a link or a hash
take V F, drop  fetch the file F of version V that was asked for, or do not
"""

from __future__ import annotations

import re
from typing import Any, Callable, Sequence

import gradio as gr

from .. import texts, widgets
from ..archive.place import archive
from ..errors import CivitaiError, SourceError
from ..library import have, inventory, updates
from ..library.updates import Standing
from . import browser, job_panel, jobs, markup, models_markup, needed
from .layout import Parts, as_it_opens
from .layout_models import ModelParts
from .markup import label
from .models_markup import Listed
from .view import View

ROWS = 100
_LONGEST = 500
# What a field holds that narrows nothing down; a page may be in the language of before.
_ANY = ('', *(texts.text('models_any', language) for language in texts.LANGUAGES))
_ORDER = re.compile(
    r'(list|find|scan|stop|drop)|(more) ([1-9][0-9]{0,6})|(get) (\S{1,500})'
    r'|(take) ([1-9][0-9]{0,15}) ([1-9][0-9]{0,15})'
)
Told = dict[Any, Any]


def bind(parts: Parts) -> None:
    """Bind the buttons of the page, and the fields that say what is listed."""
    models = parts.models
    fields = [models.search, models.kind, models.base]
    outputs = [models.scan, models.listed, models.kind, models.base, parts.details]
    answered = widgets.on(
        models.button.click,
        _on_order(parts),
        inputs=[models.order, parts.view, *fields],
        outputs=[*outputs, parts.whole.jobs],
        show_progress='hidden',
        js=browser.models.take_models_order(2 + len(fields)),
    )
    widgets.on(answered.then, None, js=browser.models.END_MODELS_ORDER)
    for field in (models.kind, models.base):
        widgets.on(
            field.input,
            _on_filter(models),
            inputs=[parts.view, *fields],
            outputs=[models.listed],
            show_progress='hidden',
        )


def wire_page(parts: Parts, blocks: Any) -> None:
    """Show the models on this machine to their owner when the page opens."""
    models = parts.models

    def opened(request: gr.Request) -> Told:
        may = needed.may_have_models(request)
        return {
            models.models: gr.update(visible=may),
            models.scan: scan_panel() if may else '',
        }

    as_it_opens(
        parts, blocks, opened, browser.models.WATCH_MODELS, outputs=[models.models, models.scan]
    )


def scan_panel() -> str:
    """The scan as it is now."""
    scanning = inventory.scanning()
    return models_markup.scan_panel(scanning.progress, scanning.result, scanning.error)


def _on_order(parts: Parts) -> Callable[..., Told]:
    models = parts.models

    def order(
        request: gr.Request, given: Any, view: View, search: Any, kind: Any, base: Any
    ) -> Told:
        try:
            needed.refuse_others(request)
            view.models.may_have = True
            told = _carry_out(parts, request, str(given or ''), view)
        except CivitaiError as error:
            problem = markup.problem(error)
            return {models.scan: problem}
        is_listed = bool(view.models.listed)
        is_over = is_listed and not given and inventory.scanning().progress is None
        if is_over or models.listed in told:
            told |= _list(models, view, (search, kind, base), anew=is_over or given == 'list')
        drawn = needed.again(view)
        return {**told, parts.details: gr.update() if drawn is None else drawn}

    return order


def _carry_out(parts: Parts, request: Any, order: str, view: View) -> Told:
    """Carry an order out; a component that is to be listed anew has None. Raises CivitaiError."""
    models = parts.models
    if not order:
        return {models.scan: scan_panel()}
    found = _ORDER.fullmatch(order)
    if found is None:
        raise SourceError('models_no_order')
    word, *given = (one for one in found.groups() if one is not None)
    match word:
        case 'scan':
            inventory.scanning().begin(updating=True)
        case 'stop':
            inventory.scanning().end()
        case 'list' | 'find' | 'more':
            view.models.rows = int(given[0]) + ROWS if given else ROWS
            return {models.listed: None, models.scan: scan_panel()}
        case 'get':
            needed.ask(view, given[0])
        case 'drop':
            needed.drop(view)
        case 'take':
            return {models.scan: scan_panel(), parts.whole.jobs: _taken(request, view, given)}
    return {models.scan: scan_panel()}


def _taken(request: Any, view: View, given: Sequence[str]) -> str:
    """Have a model fetched and tell of it; return the panel of jobs."""
    try:
        job_id = needed.take(view, int(given[0]), int(given[1]))
    except CivitaiError as error:
        view.models.told = markup.problem(error)
    else:
        view.models.told = markup.notice(jobs.told_of(job_id, 'model_job_begun'), 'good')
    return job_panel.panel(request, view)


def _on_filter(models: ModelParts) -> Callable[..., Told]:
    def filtered(request: gr.Request, view: View, search: Any, kind: Any, base: Any) -> Told:
        if not needed.may_have_models(request):
            return {models.listed: ''}
        view.models.rows = ROWS
        told = _list(models, view, (search, kind, base), anew=False)
        return {models.listed: told[models.listed]}

    return filtered


def _list(models: ModelParts, view: View, given: Sequence[object], *, anew: bool) -> Told:
    """The list as the fields say, and what these offer; `anew`: of what is here now.

    That takes seconds for thousands of files, so it is not done for each letter of a search.
    """
    search, kind, base = (str(one or '')[:_LONGEST] for one in given)
    seen = view.models
    if anew or not seen.local:
        try:
            seen.local = updates.standings(archive())
            twins = have.duplicates(archive())
        except CivitaiError as error:
            return {models.listed: markup.problem(error)}
        seen.twins = frozenset(one.path for some in twins for one in some)
    every = seen.local
    fitting = [one for one in every if _fits(one, search, kind, base)]
    fitting.sort(key=lambda one: (one.title or one.holding.path.name).casefold())
    shown = fitting[: seen.rows or ROWS]
    html = models_markup.rows(Listed(shown, len(fitting), len(every), seen.twins))
    changed, seen.listed = html != seen.listed, html
    return {
        models.listed: html if changed else gr.update(),
        models.kind: _offered({one.holding.kind for one in every}, kind),
        models.base: _offered({one.base_model for one in every if one.base_model}, base),
    }


def _offered(found: set[str], chosen: str) -> Any:
    """What a field offers; what is chosen there stays, unless there is none such any more."""
    offered = [label('models_any'), *sorted(found)]
    return gr.update(choices=offered, value=chosen if chosen in offered else offered[0])


def _fits(one: Standing, search: str, kind: str, base: str) -> bool:
    """Whether a model has all words that are looked for, and is of this kind and base model."""
    has_kind = kind in (*_ANY, one.holding.kind)
    has_base = base in (*_ANY, one.base_model)
    text = f'{one.title} {one.holding.path}'.casefold()
    return has_kind and has_base and all(word in text for word in search.casefold().split())
