"""What the cards of all jobs are made of, as HTML. Every word from outside is escaped here."""

from __future__ import annotations

import time

from ..archive import jobs
from ..downloads.standing import ELSEWHERE, FAILED, INTERRUPTED
from ..widgets import escape
from .markup import label

# How a job stands, and what may be done with it then.
COMPLETE, INCOMPLETE, EMPTY, LOST = 'complete', 'incomplete', 'empty', 'lost'
ACTIONS = {
    jobs.WAITING: ('pause', 'cancel'),
    jobs.RUNNING: ('pause', 'cancel'),
    jobs.PAUSED: ('resume', 'cancel'),
    INTERRUPTED: ('resume', 'cancel'),
    jobs.STOPPED: ('resume', 'forget'),
    jobs.CANCELLED: ('resume', 'forget'),
    COMPLETE: ('forget',),
    EMPTY: ('forget',),
    LOST: ('forget',),
    INCOMPLETE: ('retry', 'forget'),
    FAILED: ('retry', 'forget'),
}
NOTES = {'cancel': 'job_cancel_note', 'forget': 'job_forget_note'}
MOVING = (jobs.WAITING, jobs.RUNNING, ELSEWHERE)
_MOODS = {
    jobs.RUNNING: 'busy',
    ELSEWHERE: 'busy',
    COMPLETE: 'good',
    INCOMPLETE: 'problem',
    FAILED: 'problem',
    INTERRUPTED: 'problem',
}


def header(name: str, state: str, why: str, changed_at: float) -> str:
    """What a card begins with; `name` is HTML, `why` says in a few words why it is so."""
    why = f'<span class="cg-why">{escape(why)}</span>' if why else ''
    return f'<header>{name} {chip(state)} {why} {_when(state, changed_at)}</header>'


def ahead(state: str, count: int) -> str:
    """How many come before one that waits; '' where that is not so."""
    return label('job_why_ahead', count=count) if state == jobs.WAITING and count else ''


def numbered(job_id: int, name: str) -> str:
    """Return a name, as HTML, with the number of its job."""
    number = escape(label('job_number', job=job_id))
    number = f'<span class="cg-number">{number}</span>'
    return f'<span class="cg-of">{number} <strong>{name}</strong></span>'


def mood(state: str) -> str:
    """The mood of a notice about a job in `state`."""
    return _MOODS.get(state, 'calm')


def chip(state: str) -> str:
    """The state of a job, in a word."""
    return f'<span class="cg-chip cg-state cg-{mood(state)}">{escape(label(f"job_{state}"))}</span>'


def _when(state: str, changed_at: float) -> str:
    """When it came into its state, by the clock of this place; '' where nobody knows."""
    if not changed_at:
        return ''
    moment = time.strftime('%Y-%m-%d %H:%M', time.localtime(changed_at))
    told = label('job_since', when=moment) if state in MOVING else moment
    return f'<time class="cg-when">{escape(told)}</time>'


def left(seconds: float | None) -> str:
    """Say how long it takes still; '' where nobody knows."""
    if seconds is None:
        return ''
    if seconds < 90:
        return label('job_left_seconds', seconds=max(1, round(seconds)))
    return label('job_left_minutes', minutes=round(seconds / 60))


def button(action: str, job_id: int, key: str, note: str = '', **values: object) -> str:
    """Return a button that the page hands on, see `browser.jobs`; texts by their keys."""
    title = f' title="{escape(label(note))}"' if note else ''
    return (
        f'<button type="button" class="cg-button" data-order="{action} {job_id}"{title}>'
        f'{escape(label(key, **values))}</button>'
    )


def to_come(buttons: str) -> str:
    """Buttons for what is not there yet, in their places, so that none moves under the pointer."""
    return buttons.replace('<button', '<button disabled')
