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
from ..downloads.standing import ELSEWHERE, Standing
from ..errors import CivitaiError, SourceError
from . import browser, events, job_panel, keeping, layout_jobs, markup, needed, wishes
from .layout import Parts, as_it_opens
from .layout_jobs import JobParts
from .markup import label
from .view import Begun, View

# What is told of a job that was asked for once more, by the state in which it was.
_TAKEN_UP = {
    '': 'whole_begun',
    WAITING: 'job_goes_ahead',
    RUNNING: 'job_goes_ahead',
    ENDED: 'job_goes_anew',
}
# What is told of an order; of one that stops a job, if that is then in this state.
_GOES_ON = {'resume': 'job_goes_on', 'retry': 'job_tries_again', 'again': 'job_tries_again'}
_RESTS = {
    'pause': (PAUSED, 'job_is_paused'),
    'cancel': (CANCELLED, 'job_is_cancelled'),
    'forget': ('', 'job_is_forgotten'),
}
_ORDER = re.compile(
    r'(?:(pause|resume|cancel|retry|forget|stop|open|hide|more)|(again)) '
    r'([1-9][0-9]{0,17})(?(2) ([1-9][0-9]{0,17}))'  # which picture of the job
)
# The jobs that were begun in this tab before its page was opened anew, as the browser remembers.
_RECALL = re.compile(r'recall ([1-9][0-9]{0,17}(?:,[1-9][0-9]{0,17}){0,9})')


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
        _on_start(parts),
        inputs=[parts.view, form.versions, *form.fields],
        outputs=[form.answer, form.whole, *_told(parts)],
        show_progress='hidden',
        trigger_mode='once',
    )
    widgets.on(
        form.jobs_button.click,
        _order,
        inputs=[parts.view, form.order],
        outputs=[*_told(parts), form.answer],
        show_progress='hidden',
        js=browser.jobs.TAKE_ORDER,
    )


def wire_page(parts: Parts, blocks: Any) -> None:
    """Draw the panel when the page opens, and have it move from then on."""
    as_it_opens(
        parts,
        blocks,
        _shown,
        browser.jobs.WATCH_JOBS,  # first, so that no button is there that nobody listens to
        inputs=[parts.view],
        outputs=_told(parts),
    )


def _told(parts: Parts) -> list[Any]:
    """Where it is told how jobs stand."""
    return [parts.whole.jobs, parts.foot.begun]


def _shown(request: gr.Request, view: View) -> tuple[str, Any]:
    """What is told there."""
    return job_panel.panel(request, view), _line(request, view, view.begun.job_id)


def _line(request: gr.Request, view: View, had: int) -> Any:
    """The line of the job begun here, before which there was that of the job `had`, 0 for none.

    Where there is none still, nothing is told: that may come behind a line of another answer.
    """
    line = job_panel.begun(request, view)
    return line if line or had else gr.update()


def _on_open(form: JobParts) -> Callable[..., dict[Any, Any]]:
    def opened(view: View) -> dict[Any, Any]:
        """Open the form, or close it again."""
        view.is_asking = not view.is_asking
        if not view.is_asking:
            return {form.whole: gr.update(visible=False)}
        versions = wishes.versions_offered(view)
        chosen = versions[0] if versions else None
        subject, seen = wishes.subject(view), view.filters.chosen
        is_other, view.filled_for = subject != view.filled_for, subject
        is_seen_anew, view.filled_from = is_other or seen != view.filled_from, seen
        return {
            **(_emptied(form) if is_other else {}),
            **(_as_seen(form, view) if is_seen_anew else {}),
            form.whole: gr.update(visible=True),
            form.told: _what(view),
            form.versions: gr.update(choices=versions, value=chosen, visible=bool(versions)),
            form.answer: '',
        }

    return opened


def _emptied(form: JobParts) -> dict[Any, Any]:
    """The fields as nobody filled them in."""
    pairs = zip(wishes.FIELDS, form.fields)
    return {part: gr.update(value=layout_jobs.empty(field)) for field, part in pairs}


def _as_seen(form: JobParts, view: View) -> dict[Any, Any]:
    """The fields that say the same as filters, as those of the gallery on show are."""
    said = wishes.of_filters(view)
    fields = {field.name: (field, part) for field, part in zip(wishes.FIELDS, form.fields)}
    told = {
        fields[name][1]: gr.update(value=value or layout_jobs.empty(fields[name][0]))
        for name, value in said.items()
    }
    levels = gr.update(choices=wishes.levels_offered(), value=said['level'])
    return {**told, fields['level'][1]: levels}


def _what(view: View) -> str:
    """What would be kept, up to which level, and what was taken over, as HTML."""
    name = view.gallery.folder_name if view.gallery else ''
    told = label('whole_told', name=name, ceiling=setting.gallery_maturity_ceiling)
    seen = markup.asked(wishes.taken_over(view))
    return markup.notice(f'{told} {label("whole_as_seen", filters=seen) if seen else ""}'.strip())


def _on_start(parts: Parts) -> Callable[..., Iterator[Any]]:
    form = parts.whole

    def start(
        request: gr.Request, view: View, versions: Any, *given: Any
    ) -> Iterator[dict[Any, Any]]:
        yield {form.answer: markup.notice(label('whole_waits'), 'busy')}
        try:
            view.begun = _begin(request, view, versions, given)
        except CivitaiError as error:
            problem = markup.problem(error)
            yield {form.answer: problem}
        else:
            view.is_asking = False
            job_panel.note_begun(view, view.begun.job_id)
            yield {
                form.answer: '',
                form.whole: gr.update(visible=False),
                **dict(zip(_told(parts), _shown(request, view))),
            }

    return start


def _begin(request: gr.Request, view: View, versions: object, given: Sequence[object]) -> Begun:
    """Make the job and have it done; return it. Raises CivitaiError."""
    widgets.refuse_jobs(request)
    fields = dict(zip((field.name for field in wishes.FIELDS), given))
    gallery = wishes.gallery_of(view, versions, fields['type'])
    source = address_of(gallery.source, setting.civitai_base_url)
    wanted = wishes.wanted(source, fields)
    jobs_queue = queue.job_queue()
    before = {job.job_id: job.state for job in jobs_queue.standing()}
    job_id = jobs_queue.add(wanted)
    return Begun(job_id, told_of(job_id, _TAKEN_UP.get(before.get(job_id, ''), 'job_goes_on')))


def told_of(job_id: int, key: str) -> str:
    """What has come of asking for a job: the sentence `key`, unless it waits or is not ours."""
    job = job_panel.standing_of(job_id)
    if job is not None and job.ahead:
        return label('job_waits', job=job_id, count=job.ahead)
    if job is not None and job.state == ELSEWHERE:
        key = 'cli_job_held'
    return label(key, job=job_id)


def _order(request: gr.Request, view: View, order: Any) -> tuple[str, Any, Any]:
    """Carry out an order about a job, '' for none; return how jobs stand then, and an answer.

    The answer has a place of its own, as what stands there is soon drawn again.
    """
    told, had = gr.update(), view.begun.job_id
    try:
        if order:
            done = _carry_out(request, view, str(order))
            told = markup.notice(done, 'good') if done else ''
    except CivitaiError as error:
        told = markup.problem(error)
    return job_panel.panel(request, view), _line(request, view, had), told


def _carry_out(request: gr.Request, view: View, order: str) -> str:
    """Return what to tell then, '' for nothing."""
    widgets.refuse_strangers(request)
    recalled = _RECALL.fullmatch(order)
    if recalled is not None:
        job_panel.note_begun(view, *map(int, recalled[1].split(',')))
        return ''
    found = _ORDER.fullmatch(order)
    if found is None:
        raise SourceError('job_unknown')
    action, job_id = found[1] or found[2], int(found[3])
    if action == 'more':  # who sees some of what failed may see it all
        job_panel.show_more(view, job_id)
        return ''
    widgets.refuse_jobs(request)
    if action == 'hide':
        job_panel.hide(view, job_id)
        return ''
    if action == 'stop':
        return label('keeping_stops') if keeping.stop(job_id) else ''
    if action == 'open':
        return _opened(request, job_id)
    if action != 'again' and model_jobs.find(archive(), job_id) is not None:
        return _carry_out_for_model(request, action, job_id)
    if action == 'again':
        queue.job_queue().retry_one(job_id, int(found[4]))
    else:
        getattr(queue.job_queue(), action)(job_id)
    told = _told_after(action, job_id)
    if job_id != view.begun.job_id:
        return told
    view.begun.told = told
    return ''  # it is told where that job is


def _opened(request: gr.Request, job_id: int) -> str:
    job = job_panel.standing_of(job_id)
    if job is None:
        raise SourceError('job_unknown')
    folder = job.folder if isinstance(job, Standing) else str(job.job.path.parent)
    return events.open_folder(folder, request)


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
    job = job_panel.standing_of(job_id)
    rests, key = _RESTS[action]
    return label(key, job=job_id) if (job.state if job else '') == rests else ''  # else it ended
