"""Words in the box for links: models are searched for, and their cards shown."""

from __future__ import annotations

from typing import Any, Callable

import gradio as gr

from .. import api, setting, widgets
from ..civitai.words import words_in
from ..errors import CivitaiError
from . import browser_start, events, markup, start_markup, thumbnails, waits
from .layout import Parts
from .markup import label
from .view import SearchView, View

Told = dict[Any, Any]


def bind(parts: Parts) -> None:
    """Bind the button that brings more of what was found."""
    more = widgets.on(
        parts.start.more_button.click,
        _on_more(parts),
        inputs=[parts.view],
        outputs=[parts.start.found, parts.status],
        show_progress='hidden',
        trigger_mode='once',
    )
    widgets.on(more.then, None, js=browser_start.MORE_FOUND)


def words_of(pasted: object) -> str:
    """The words in what was pasted to search models by, '' if it is something else."""
    return words_in(str(pasted or ''), setting.civitai_base_url)


def search(view: View, words: str) -> bool:
    """Search models by `words`; False if something else was asked for meanwhile.

    Raises CivitaiError and leaves `view` as it was.
    """
    return _find(view, SearchView(words))


def find_more(view: View) -> bool:
    """Bring the models that follow; False as above, and where none do. Raises CivitaiError."""
    return view.search.has_more and _find(view, view.search)


def _find(view: View, before: SearchView) -> bool:
    turn = view.begin()
    cursor = before.page.next_cursor
    page = api.search_models(events.client(view.waits.stop), before.words, cursor)
    page = before.page.and_then(page)
    if turn != view.turn:
        return False
    thumbnails.show_beside(view, str(turn), [one.picture for one in page.models])
    view.search = SearchView(before.words, page, str(turn), before.asked | {cursor})
    return True


def on_words(parts: Parts) -> Callable[..., Told]:
    """Return what searches by words that were pasted."""

    def searching(request: gr.Request, words: str, view: View) -> Told:
        return _told(parts, request, view, lambda: search(view, words))

    return searching


def _on_more(parts: Parts) -> Callable[..., Told]:
    def more(request: gr.Request, view: View) -> Told:
        return _told(parts, request, view, lambda: find_more(view))

    return more


def _told(parts: Parts, request: Any, view: View, find: Callable[[], bool]) -> Told:
    turn, nothing = view.turn + 1, {parts.status: gr.update()}
    try:
        widgets.refuse_strangers(request)
        with waits.heard_by(lambda: view.waits.told):
            is_found = find()
    except CivitaiError as error:
        if view.turn > turn:
            return nothing
        view.waits.is_over = True
        return {parts.status: markup.problem(error)}
    if not is_found:
        return nothing
    view.waits.is_over = True
    return {parts.start.found: start_markup.found(view), parts.status: _status(view.search)}


def _status(search: SearchView) -> str:
    """How many were found, and what is left out."""
    page = search.page
    ceiling, count = setting.gallery_maturity_ceiling, len(page.models)
    key = {0: 'found_none', 1: 'found_count_one'}.get(count, 'found_count')
    told = [label(key, count=count, words=search.words)]
    told += [label('found_hidden', count=page.hidden, ceiling=ceiling)] if page.hidden else []
    told += [label('found_unreadable', count=page.unreadable)] if page.unreadable else []
    return markup.notice(markup.sentences(*told), 'calm' if count else 'problem')
