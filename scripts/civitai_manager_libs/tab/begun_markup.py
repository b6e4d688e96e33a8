"""The HTML of the job that was begun in a tab, in one line. Words from outside are escaped here."""

from __future__ import annotations

from ..archive import jobs
from ..downloads.standing import Standing
from ..widgets import escape
from . import job_parts, jobs_markup
from .job_parts import INCOMPLETE, LOST, MOVING
from .jobs_markup import Viewer
from .markup import label

# What can be done where a job was begun; the rest is done in the panel.
_ACTIONS = {'pause', 'resume', 'cancel', 'retry'}
_COUNTS = ('saved', 'already', 'failed', 'gone')


def line(job: Standing, begun: str, viewer: Viewer) -> str:
    """How `job` stands, from its beginning, of which `begun` tells, to its end.

    While it moves, it says so to the page (`data-moves`). Beginning and end are spoken, not each
    picture.
    """
    state, moves = jobs_markup.state_of(job), job.state in MOVING
    mood = 'busy' if moves else job_parts.mood(state)
    spoken = '' if moves and job.found else ' data-spoken="status"'
    told = (
        f'<span{spoken}>{jobs_markup.name_of(job)} {job_parts.chip(state)} '
        f'{_told(state, job, begun)}</span>'
    )
    close = escape(label('whole_close'))
    hide = (
        f'<button type="button" class="cg-drop" data-order="hide {job.job_id}" '
        f'aria-label="{close}" title="{close}">×</button>'
    )
    return (
        f'<div class="cg-notice cg-{mood} cg-begun" data-begun="{job.job_id}"'
        f'{" data-moves" if moves else ""}>{told}'
        f'<span class="cg-actions">{_buttons(state, job, viewer)}</span>{hide}'
        f'{jobs_markup.bar(job)}{_causes(job)}</div>'
    )


def _told(state: str, job: Standing, begun: str) -> str:
    """How far it is, in words, as HTML."""
    if job.state == jobs.ENDED:
        return escape(_ended(job))
    if job.ahead:
        return escape(label('job_waits', job=job.job_id, count=job.ahead))
    if job.state in MOVING and not job.found:
        return escape(begun)
    return escape(jobs_markup.far(job))


def _ended(job: Standing) -> str:
    if jobs_markup.state_of(job) == LOST:
        return jobs_markup.far(job)
    counts = {name: getattr(job, name) for name in _COUNTS}
    told = [
        label(f'begun_{name}', count=count)
        for name, count in counts.items()
        if count or (name == 'saved' and job.found)
    ]
    return ', '.join(told)


def _buttons(state: str, job: Standing, viewer: Viewer) -> str:
    if not viewer.may_act:
        return ''
    is_at_rest = job.state not in (*MOVING, jobs.PAUSED)
    buttons = jobs_markup.opening(job, viewer) if is_at_rest else ''
    return buttons + ''.join(
        job_parts.button(action, job.job_id, f'job_{action}', job_parts.NOTES.get(action, ''))
        for action in job_parts.ACTIONS.get(state, ())
        if action in _ACTIONS and (action != 'retry' or jobs_markup.offers_retry(state, job))
    )


def _causes(job: Standing) -> str:
    """What is waited for, or why it stopped or is not complete."""
    told = [job.waiting] if job.waiting else []
    told += [job.trouble] if job.trouble else []
    told += [label('listing_stopped', cause=gap) for gap in job.gaps]
    if jobs_markup.state_of(job) == INCOMPLETE and job.failures:
        told += dict.fromkeys(one.error for one in job.failures[:3])
    return ''.join(f'<p>{escape(one)}</p>' for one in told)
