"""Jobs in the tab: whole galleries are begun with a form, all are watched and steered in a panel.

The panel is drawn from the archive and the queue alone, so it is the same after a reload and in
every browser. Its buttons send an order, such as `pause 3`, which is checked here.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator, Sequence

import gradio as gr

from .. import setting, widgets
from ..archive import models as model_jobs
from ..archive.jobs import CANCELLED, ENDED, PAUSED, RUNNING, WAITING
from ..archive.place import archive
from ..civitai.source import address_of
from ..downloads import modeljobs, queue
from ..downloads.modeljobs import ModelStanding
from ..downloads.standing import ELSEWHERE, Standing
from ..errors import CivitaiError, SourceError
from . import browser, jobs_markup, keeping, layout_jobs, markup, needed, wishes
from .layout import Parts
from .layout_jobs import JobParts
from .markup import label
from .view import View

_LEVEL = [field.name for field in wishes.FIELDS].index('level')
_MOST_SHOWN = 30
# What is told of a job that was asked for once more, by the state in which it was.
_TAKEN_UP = {
    '': 'whole_begun',
    WAITING: 'job_goes_ahead',
    RUNNING: 'job_goes_ahead',
    ENDED: 'job_goes_anew',
}
# What is told of an order; of one that stops a job, if that is then in this state.
_GOES_ON = {'resume': 'job_goes_on', 'retry': 'job_tries_again'}
_RESTS = {
    'pause': (PAUSED, 'job_is_paused'),
    'cancel': (CANCELLED, 'job_is_cancelled'),
    'forget': ('', 'job_is_forgotten'),
}
_ORDER = re.compile(r'(pause|resume|cancel|retry|forget|stop) ([1-9][0-9]{0,17})')


def bind(parts: Parts) -> None:
    """Bind the form and the panel."""
    form = parts.whole
    for button in (parts.download_whole, form.close):
        widgets.on(
            button.click,
            _on_open(form),
            inputs=[parts.view],
            outputs=[form.whole, form.told, form.versions, *form.fields, form.answer],
            show_progress='hidden',
        )
    widgets.on(
        form.start.click,
        _on_start(form),
        inputs=[parts.view, form.versions, *form.fields],
        outputs=[form.answer, form.whole, form.jobs],
        show_progress='hidden',
        trigger_mode='once',
    )
    widgets.on(
        form.jobs_button.click,
        _order,
        inputs=[form.order],
        outputs=[form.jobs, form.answer],
        show_progress='hidden',
        js=browser.TAKE_ORDER,
    )


def wire_page(parts: Parts, blocks: Any) -> None:
    """Draw the panel when the page opens, and have it move from then on."""
    widgets.on(
        blocks.load,
        panel,
        outputs=[parts.whole.jobs],
        show_progress='hidden',
        js=browser.WATCH_JOBS,  # first, so that no button is there that nobody listens to
    )


def panel(request: gr.Request) -> str:
    """Return the panel as it is now."""
    told = ''
    try:
        standing = _every_job(needed.may_have_models(request))[::-1]
    except CivitaiError as error:
        standing = []
        told = markup.problem(error)
    more = max(0, len(standing) - _MOST_SHOWN)
    may_act, may_see_paths = widgets.may_have_jobs(request), widgets.may_see_paths(request)
    downloads = keeping.under_way() if may_act else []
    return jobs_markup.panel(standing[:_MOST_SHOWN], more, told, may_act, may_see_paths, downloads)


def _every_job(with_models: bool) -> list[Standing | ModelStanding]:
    """How all jobs stand, the oldest first. Raises StorageError."""
    models = modeljobs.model_queue().standing() if with_models else []
    return sorted([*queue.job_queue().standing(), *models], key=lambda one: one.job_id)


def _on_open(form: JobParts) -> Callable[..., dict[Any, Any]]:
    def opened(view: View) -> dict[Any, Any]:
        """Open the form, or close it again."""
        view.is_asking = not view.is_asking
        if not view.is_asking:
            return {form.whole: gr.update(visible=False)}
        versions = wishes.versions_offered(view)
        chosen = versions[0] if versions else None
        subject = wishes.subject(view)
        is_other, view.filled_for = subject != view.filled_for, subject
        return {
            **(_emptied(form) if is_other else {}),
            form.whole: gr.update(visible=True),
            form.told: markup.notice(_told(view)),
            form.versions: gr.update(choices=versions, value=chosen, visible=bool(versions)),
            form.answer: '',
        }

    return opened


def _emptied(form: JobParts) -> dict[Any, Any]:
    """The fields as nobody filled them in, with the highest level that the settings allow."""
    pairs = zip(wishes.FIELDS, form.fields)
    emptied = {part: gr.update(value=layout_jobs.empty(field)) for field, part in pairs}
    levels = wishes.levels_offered()
    return {**emptied, form.fields[_LEVEL]: gr.update(choices=levels, value=levels[-1])}


def _told(view: View) -> str:
    """What would be kept, and up to which level."""
    name = view.gallery.folder_name if view.gallery else ''
    return label('whole_told', name=name, ceiling=setting.gallery_maturity_ceiling)


def _on_start(form: JobParts) -> Callable[..., Iterator[Any]]:
    def start(
        request: gr.Request, view: View, versions: Any, *given: Any
    ) -> Iterator[dict[Any, Any]]:
        yield {form.answer: markup.notice(label('whole_waits'), 'busy')}
        try:
            told = _begin(request, view, versions, given)
        except CivitaiError as error:
            problem = markup.problem(error)
            yield {form.answer: problem}
        else:
            view.is_asking = False
            yield {
                form.answer: markup.notice(told, 'good'),
                form.whole: gr.update(visible=False),
                form.jobs: panel(request),
            }

    return start


def _begin(request: gr.Request, view: View, versions: object, given: Sequence[object]) -> str:
    """Make the job and have it done; return what to tell of it. Raises CivitaiError."""
    widgets.refuse_jobs(request)
    gallery = wishes.gallery_of(view, versions)
    source = address_of(gallery.source, setting.civitai_base_url)
    names = (field.name for field in wishes.FIELDS)
    wanted = wishes.wanted(source, dict(zip(names, given)))
    jobs_queue = queue.job_queue()
    before = {job.job_id: job.state for job in jobs_queue.standing()}
    job_id = jobs_queue.add(wanted)
    return told_of(job_id, _TAKEN_UP.get(before.get(job_id, ''), 'job_goes_on'))


def told_of(job_id: int, key: str) -> str:
    """What has come of asking for a job: the sentence `key`, unless it waits or is not ours."""
    job = _standing_of(job_id)
    if job is not None and job.ahead:
        return label('job_waits', job=job_id, count=job.ahead)
    if job is not None and job.state == ELSEWHERE:
        key = 'cli_job_held'
    return label(key, job=job_id)


def _standing_of(job_id: int) -> Standing | ModelStanding | None:
    return next((job for job in _every_job(True) if job.job_id == job_id), None)


def _order(request: gr.Request, order: Any) -> tuple[str, Any]:
    """Carry out an order of the panel, '' for none; return the panel as it is then, and an answer.

    The answer has a place of its own, as the panel is soon drawn again.
    """
    told = gr.update()
    try:
        if order:
            done = _carry_out(request, str(order))
            told = markup.notice(done, 'good') if done else ''
    except CivitaiError as error:
        told = markup.problem(error)
    return panel(request), told


def _carry_out(request: gr.Request, order: str) -> str:
    """Return what to tell then, '' for nothing."""
    widgets.refuse_jobs(request)
    found = _ORDER.fullmatch(order)
    if found is None:
        raise SourceError('job_unknown')
    action, job_id = found[1], int(found[2])
    if action == 'stop':
        return label('keeping_stops') if keeping.stop(job_id) else ''
    if model_jobs.find(archive(), job_id) is not None:
        return _carry_out_for_model(request, action, job_id)
    getattr(queue.job_queue(), action)(job_id)
    return _told_after(action, job_id)


def _carry_out_for_model(request: gr.Request, action: str, job_id: int) -> str:
    """The same for the job of a model file, which is the owner's alone."""
    needed.refuse_others(request)
    models = modeljobs.model_queue()
    if action == 'retry':  # what failed is the file itself
        models.resume(job_id)
    else:
        getattr(models, action)(job_id)
    told = _told_after(action, job_id)
    return label('model_job_is_cancelled', job=job_id) if told and action == 'cancel' else told


def _told_after(action: str, job_id: int) -> str:
    if action in _GOES_ON:
        return told_of(job_id, _GOES_ON[action])
    job = _standing_of(job_id)
    rests, key = _RESTS[action]
    return label(key, job=job_id) if (job.state if job else '') == rests else ''  # else it ended
