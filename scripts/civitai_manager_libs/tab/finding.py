"""Models searched for by words, what was found so far, and when it is not looked at any more."""

from __future__ import annotations

from dataclasses import replace

from .. import api, setting
from ..civitai.words import words_in
from . import events, thumbnails
from .view import SearchView, View

# What an address may ask for; each page is a question to Civitai.
MOST_PAGES = 10


def words_of(pasted: object) -> str:
    """The words in what was pasted to search models by, '' if it is something else."""
    return words_in(str(pasted or ''), setting.civitai_base_url)


def search(view: View, words: str) -> None:
    """Show the models that `words` find; the gallery on show stays below them.

    Raises CivitaiError and leaves `view` as it was.
    """
    _bring(view, _begun(words))


def search_again(view: View, words: str, pages: int) -> None:
    """The same with what follows, up to `pages`; what the last search found is not asked for again.

    Raises CivitaiError as above.
    """
    known, begun = view.search, _begun(words)
    is_known = (known.words, known.levels) == (begun.words, begun.levels)
    _bring(view, known if is_known else begun, min(pages, MOST_PAGES))


def find_more(view: View) -> None:
    """Show the models that follow too, if there are any. Raises CivitaiError as above."""
    if view.finds and view.search.has_more:
        _bring(view, view.search, view.search.pages + 1)


def _begun(words: str) -> SearchView:
    return SearchView(words, levels=setting.maturity_levels())


def _bring(view: View, search: SearchView, pages: int = 1) -> None:
    turn = view.begin()
    while not search.pages or (search.has_more and search.pages < pages):
        search = _further(view, search)
    with view.having_say(turn) as has_say:
        if has_say:
            thumbnails.show_beside(view, str(turn), [one.picture for one in search.page.models])
            view.search = replace(search, grid=str(turn))
            view.is_of_before = False


def close(view: View) -> None:
    """Note that what was found is not looked at any more; it is known still."""
    view.search = replace(view.search, grid='')


def _further(view: View, search: SearchView) -> SearchView:
    """`search` with the models that follow."""
    cursor = search.page.next_cursor
    page = api.search_models(events.client(view.waits.stop), search.words, cursor)
    return replace(search, page=search.page.and_then(page), asked=search.asked | {cursor})
