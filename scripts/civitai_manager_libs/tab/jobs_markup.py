"""The HTML of the panel of jobs. Every word from outside is escaped here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Sequence

from ..archive import jobs
from ..downloads.standing import ELSEWHERE, INTERRUPTED, Standing
from ..store.cache import MIB
from ..widgets import escape
from . import markup
from .markup import label

# How a job stands, and what may be done with it then.
COMPLETE, INCOMPLETE, EMPTY = 'complete', 'incomplete', 'empty'
_ACTIONS = {
    jobs.WAITING: ('pause', 'cancel'),
    jobs.RUNNING: ('pause', 'cancel'),
    jobs.PAUSED: ('resume', 'cancel'),
    INTERRUPTED: ('resume', 'cancel'),
    jobs.STOPPED: ('resume', 'forget'),
    jobs.CANCELLED: ('resume', 'forget'),
    COMPLETE: ('forget',),
    EMPTY: ('forget',),
    INCOMPLETE: ('retry', 'forget'),
}
_NOTES = {'cancel': 'job_cancel_note', 'forget': 'job_forget_note'}
_MOVING = (jobs.WAITING, jobs.RUNNING, ELSEWHERE)
_MOODS = {
    jobs.RUNNING: 'busy',
    ELSEWHERE: 'busy',
    COMPLETE: 'good',
    INCOMPLETE: 'problem',
    INTERRUPTED: 'problem',
}


def panel(
    shown: Sequence[Standing], more: int, told: str, may_act: bool, may_see_paths: bool = False
) -> str:
    """The jobs, of which there are `more` that are not shown; `told` is a notice, as HTML.

    While one of them moves, the panel says so to the page (`data-moves`). `may_act`: with buttons;
    `may_see_paths`: with where the files are.
    """
    moves = ' data-moves' if any(job.state in _MOVING for job in shown) else ''
    cards = ''.join(_card(job, may_act, may_see_paths) for job in shown)
    if not shown and not told:
        cards = f'<p class="cg-none">{escape(label("jobs_none"))}</p>'
    if more:
        cards += f'<p class="cg-none">{escape(label("jobs_more", count=more))}</p>'
    title = escape(label('jobs_title'))
    return f'<section class="cg-jobs"{moves}><h3>{title}</h3>{told}{cards}</section>'


def _card(job: Standing, may_act: bool, may_see_paths: bool) -> str:
    state = _state_of(job)
    parts = (
        f'<header>{_name(job)} {_state(state)} {_why(state, job)} {_when(job)}</header>',
        _asked_line(job),
        _bar(job),
        _line(job),
        _counts(job),
        markup.place(job.folder if may_see_paths else ''),
        _notices(job),
        _buttons(state, job) if may_act else '',
        markup.failures(job.failures, job.failed, f'failures {job.job_id}'),
        _about(job),
    )
    return f'<article class="cg-job" data-job="{job.job_id}">{"".join(parts)}</article>'


def _state_of(job: Standing) -> str:
    if job.state == jobs.ENDED:
        if job.is_complete and not job.found:
            return EMPTY
        return COMPLETE if job.is_complete else INCOMPLETE
    return job.state


def _name(job: Standing) -> str:
    name = escape(job.name or Path(job.folder).name)
    if job.source.startswith(('https://', 'http://')):
        link = escape(job.source)
        name = f'<a href="{link}" target="_blank" rel="noreferrer">{name}</a>'
    number = escape(label('job_number', job=job.job_id))
    number = f'<span class="cg-number">{number}</span>'
    return f'<span class="cg-of">{number} <strong>{name}</strong></span>'


def _state(state: str) -> str:
    mood = _MOODS.get(state, 'calm')
    return f'<span class="cg-chip cg-state cg-{mood}">{escape(label(f"job_{state}"))}</span>'


def _why(state: str, job: Standing) -> str:
    """In a few words why a job is in its state, where that does not say it."""
    told = []
    if state == INCOMPLETE:
        told += [label('job_why_failed', count=job.failed)] if job.failed else []
        told += [label('job_why_unlisted')] if job.gaps or not job.failed else []
    elif state == jobs.WAITING and job.ahead:
        told.append(label('job_why_ahead', count=job.ahead))
    return f'<span class="cg-why">{escape(", ".join(told))}</span>' if told else ''


def _when(job: Standing) -> str:
    """When it came into its state, by the clock of this place; '' where nobody knows."""
    if not job.changed_at:
        return ''
    when = time.strftime('%Y-%m-%d %H:%M', time.localtime(job.changed_at))
    told = label('job_since', when=when) if job.state in _MOVING else when
    return f'<time class="cg-when">{escape(told)}</time>'


def _bar(job: Standing) -> str:
    if job.state == jobs.ENDED or _has_not_begun(job):
        return ''
    total = job.found if job.is_listed else max(job.found, job.limit)
    if not total and job.state not in _MOVING:
        return ''
    name = escape(label('job_far', done=job.done, found=job.found))
    value = f' value="{job.done}" max="{total}"' if total else ''  # without: it moves to and fro
    return f'<progress{value} aria-label="{name}"></progress>'


def _line(job: Standing) -> str:
    """How far it is, how fast, and how long it takes still."""
    is_moving = job.state in _MOVING
    if _has_not_begun(job) or _state_of(job) == EMPTY:
        return ''
    if job.state == jobs.RUNNING and not job.found:
        told = [label('job_looking')]
    elif is_moving:
        key = 'job_far' if job.is_listed else 'job_far_so_far'
        told = [label(key, done=job.done, found=job.found)]
    else:
        told = [label('job_kept', kept=job.saved + job.already, found=job.found)]
    if job.gone:
        told.append(label('job_gone', count=job.gone))
    if job.size:
        told.append(label('job_size', mib=f'{job.size / MIB:.1f}'))
    if job.rate:
        told.append(_rate(job.rate))
    told.append(_left(job.seconds_left))
    return f'<p class="cg-line">{escape(" · ".join(filter(None, told)))}</p>'


def _has_not_begun(job: Standing) -> bool:
    return job.state == jobs.WAITING and not job.found


def _rate(rate: float) -> str:
    if rate < 0.1 * MIB:
        return label('job_rate_slow', kib=round(rate / 1024))
    return label('job_rate', mib=f'{rate / MIB:.1f}')


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ''
    if seconds < 90:
        return label('job_left_seconds', seconds=max(1, round(seconds)))
    return label('job_left_minutes', minutes=round(seconds / 60))


def _counts(job: Standing) -> str:
    if _has_not_begun(job) or _state_of(job) == EMPTY:
        return ''
    counts = {'found': job.found, 'saved': job.saved, 'already': job.already}
    counts |= {'failed': job.failed, 'gone': job.gone}
    chips = (
        f'<span class="cg-count">{escape(label(f"job_count_{name}"))} <b>{count}</b></span> '
        for name, count in counts.items()
        if count or name in ('found', 'saved')
    )
    return f'<p class="cg-counts">{"".join(chips)}</p>'


def _notices(job: Standing) -> str:
    """What is waited for, and why the job is not complete."""
    why_not = [job.trouble] if job.trouble else []
    why_not += [label('listing_stopped', cause=gap) for gap in job.gaps]
    if _state_of(job) == INCOMPLETE and job.failed:
        why_not.append(label('job_failed_some'))
    waiting = markup.notice(job.waiting, 'busy') if job.waiting else ''
    notes = [] if job.state in _MOVING else job.notes
    calm = ''.join(map(markup.notice, notes))
    return waiting + ''.join(markup.notice(one, 'problem') for one in why_not) + calm


def _buttons(state: str, job: Standing) -> str:
    """Buttons whose orders the page hands on, see `browser.WATCH_JOBS`."""
    buttons = ''
    if job.saved or job.already:
        buttons += (
            f'<button type="button" class="cg-button" data-saved="{job.job_id}">'
            f'{escape(label("job_browse"))}</button>'
        )
    for action in _ACTIONS.get(state, ()):
        if action != 'retry' or job.failed or job.gaps:  # else there is nothing to try
            note = f' title="{escape(label(_NOTES[action]))}"' if action in _NOTES else ''
            buttons += (
                f'<button type="button" class="cg-button" data-order="{action} {job.job_id}"{note}>'
                f'{escape(label(f"job_{action}"))}</button>'
            )
    return f'<p class="cg-actions">{buttons}</p>' if buttons else ''


def _about(job: Standing) -> str:
    """What was asked for, and up to which level."""
    rows = {
        'job_source': job.source,
        'job_asked': _asked(job) or label('job_asked_all'),
        'whole_level': job.level,
    }
    listed = ''.join(
        f'<dt>{escape(label(key))}</dt><dd>{escape(value)}</dd>' for key, value in rows.items()
    )
    if job.hidden:
        note = label('job_hidden', ceiling=job.level, count=job.hidden)
        listed += f'<dd>{escape(note)}</dd>'
    return (
        f'<details class="cg-about" data-name="about {job.job_id}">'
        f'<summary>{escape(label("job_about"))}</summary><dl>{listed}</dl></details>'
    )


def _asked_line(job: Standing) -> str:
    """What tells this job from others of the same gallery; a long one is cut off by the style."""
    level = f'{label("whole_level")}: {job.level}'
    told = escape(' · '.join(filter(None, (_asked(job), level))))
    return f'<p class="cg-asked" title="{told}">{told}</p>'


def _asked(job: Standing) -> str:
    return ' · '.join(
        label(f'whole_{name}') if value is True else f'{label(f"whole_{name}")}: {value}'
        for name, value in job.asked.items()
    )
