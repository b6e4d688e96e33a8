"""What the bar below the grid does: keeps pictures, tells how that goes, stops it.

A download is begun by one event and followed by the next, so that what changes once is not lost
among the steps: gradio 6 loses of a step what the next one, right behind it, leaves out.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator

import gradio as gr

from .. import setting, widgets
from ..errors import CivitaiError
from . import browser, downloading, events, foot_markup, job_panel, markup
from .downloading import Step
from .layout import Parts, as_it_opens
from .markup import label
from .view import View

Begin = Callable[..., Step]


def bind(parts: Parts) -> None:
    """Bind the buttons of the bar that keep pictures."""
    view, foot = parts.view, parts.foot
    chosen = [foot.chosen_grid, foot.chosen_places]
    for event, begin, given, script in (
        (parts.download_page.click, _page, [], ''),
        (parts.retry_page.click, downloading.begin_again, [], ''),
        (foot.keep_chosen.click, downloading.begin_chosen, chosen, browser.foot.CHOSEN),
        (foot.again_one.click, _again_one, [foot.again_place], browser.foot.AGAIN_ONE),
    ):
        _bind_keeping(parts, event, begin, [view, *given], script)
    widgets.on(
        foot.cancel.click,
        _cancel,
        inputs=[view],
        show_progress='hidden',
        js=browser.foot.says(label('keeping_stops'), 'view'),
    )
    widgets.on(
        parts.open_folder.click,
        _open_folder,
        inputs=[view],
        outputs=[parts.kept, parts.kept_here],
        show_progress='hidden',
    )


def _bind_keeping(parts: Parts, event: Any, begin: Begin, inputs: list[Any], script: str) -> None:
    told = [parts.kept, parts.kept_here]
    begun = widgets.on(
        event,
        _on_begin(parts, begin),
        inputs=inputs,
        outputs=[*told, *_switched(parts)],
        show_progress='hidden',
        trigger_mode='once',
        js=browser.foot.says(label('whole_waits'), script or 'view'),
    )
    followed = widgets.on(
        begun.then,
        _on_follow(parts),
        inputs=[parts.view],
        outputs=told,
        show_progress='hidden',
    )
    widgets.on(
        followed.then,
        _on_end(parts),
        inputs=[parts.view],
        outputs=_switched(parts),
        show_progress='hidden',
        js=browser.foot.SAID,
    )


def wire_page(parts: Parts, blocks: Any) -> None:
    """Bind what happens when the page opens."""

    def on_open(request: gr.Request) -> dict[Any, Any]:
        return {parts.open_folder: gr.update(visible=widgets.is_owner(request))}

    as_it_opens(parts, blocks, on_open, browser.foot.WATCH_FOOT, outputs=[parts.open_folder])


def _page(view: View) -> Step:
    return downloading.begin(view, view.page.images)


def _again_one(view: View, place: Any) -> Step:
    return downloading.begin_again(view, events.place_in(place))


def _on_begin(parts: Parts, begin: Begin) -> Callable[..., dict[Any, Any]]:
    def begin_keeping(request: gr.Request, view: View, *given: Any) -> dict[Any, Any]:
        try:
            widgets.refuse_strangers(request)
            told = _told(parts, request, view, begin(view, *given))
        except CivitaiError as error:
            told = _refused(parts, view, error)
        return {**told, **_switches(parts, request, view)}

    return begin_keeping


def _on_follow(parts: Parts) -> Callable[..., Iterator[dict[Any, Any]]]:
    def follow(request: gr.Request, view: View) -> Iterator[dict[Any, Any]]:
        yield {parts.kept: gr.update(), parts.kept_here: gr.update()}  # where nothing has begun
        try:
            for step in downloading.steps(view):
                yield _told(parts, request, view, step)
        except CivitaiError as error:
            yield _refused(parts, view, error)

    return follow


def _on_end(parts: Parts) -> Callable[..., dict[Any, Any]]:
    def end(request: gr.Request, view: View) -> dict[Any, Any]:
        return _switches(parts, request, view)

    return end


def _told(parts: Parts, request: gr.Request, view: View, step: Step) -> dict[Any, Any]:
    may_see_paths = widgets.may_see_paths(request)
    return {
        parts.kept: markup.step(step, may_see_paths),
        parts.kept_here: foot_markup.step(view, step, may_see_paths),
    }


def _refused(parts: Parts, view: View, error: CivitaiError) -> dict[Any, Any]:
    told = markup.problem(error) + foot_markup.failures(view)
    return {parts.kept: '', parts.kept_here: told}


def _switched(parts: Parts) -> list[Any]:
    return [parts.download_page, parts.retry_page, parts.foot.cancel, parts.whole.jobs]


def _switches(parts: Parts, request: gr.Request, view: View) -> dict[Any, Any]:
    """Which of the buttons can be seen, and the panel of jobs, which shows downloads too."""
    runs = view.is_keeping
    return {
        parts.download_page: gr.update(visible=not runs),
        parts.retry_page: gr.update(visible=bool(view.failed) and not runs),
        parts.foot.cancel: gr.update(visible=runs),
        parts.whole.jobs: job_panel.panel(request, view),
    }


def _cancel(request: gr.Request, view: View) -> None:
    widgets.refuse_strangers(request)
    if view.keeping is not None:
        view.keeping.stop.set()


def _open_folder(view: View, request: gr.Request) -> tuple[str, str]:
    folder = view.kept_in or str(setting.download_folder())
    try:
        told = markup.notice(events.open_folder(folder, request))
    except CivitaiError as error:
        told = markup.problem(error)
    return told, told + foot_markup.failures(view)
