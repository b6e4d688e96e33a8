"""Pictures kept by the bar below the grid, without a browser."""

from __future__ import annotations

from typing import Any, Iterator

from scripts.civitai_manager_libs.tab import downloading, foot
from scripts.civitai_manager_libs.tab.downloading import Step
from scripts.civitai_manager_libs.tab.layout import Parts
from scripts.civitai_manager_libs.tab.view import View


def download_page(view: View, again: bool = False) -> Iterator[Step]:
    """Keep the page, or what failed of it: yield each step, the last of which sums up."""
    if again:
        downloading.begin_again(view)
    else:
        downloading.begin(view, view.page.images)
    yield from downloading.steps(view)


def pressed(parts: Parts, request: Any, view: View, begin: foot.Begin, *given: Any) -> Any:
    """What the components show after a button of the bar was pressed, and all has come."""
    told = dict(foot._on_begin(parts, begin)(request, view, *given))
    for step in foot._on_follow(parts)(request, view):
        told |= {part: new for part, new in step.items() if isinstance(new, str)}
    return {**told, **foot._on_end(parts)(request, view)}


def kept_page(parts: Parts, request: Any, view: View, again: bool = False) -> Any:
    """The same after the button for the page, or for what failed of it."""
    return pressed(parts, request, view, downloading.begin_again if again else foot._page)
