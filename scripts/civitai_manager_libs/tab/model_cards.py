"""The cards of model files in the panel of jobs. Every word from outside is escaped here."""

from __future__ import annotations

from .. import setting
from ..archive import jobs
from ..civitai import urls
from ..downloads.modeljobs import ModelStanding
from ..downloads.models import PICKLES
from ..store.cache import MIB
from ..widgets import escape
from . import downloading, job_parts, markup, source_links
from .markup import label


def card(one: ModelStanding, may_open: bool) -> str:
    """The job of a model file, whose folder may be opened or not."""
    job, state = one.job, job_parts.COMPLETE if one.state == jobs.ENDED else one.state
    link = urls.page_url(setting.civitai_base_url, 'model-versions', job.version_id)
    name = job_parts.numbered(job.id, source_links.gallery_link(escape(job.title), link))
    parts = (
        job_parts.header(name, state, job_parts.ahead(one.state, one.ahead), job.changed_at),
        _bar(one),
        _line(one),
        markup.place(str(job.path), 'models_ask_file'),
        _notices(one),
        _buttons(one, may_open),
    )
    return f'<article class="cg-job" data-job="{job.id}">{"".join(parts)}</article>'


def _bar(one: ModelStanding) -> str:
    job = one.job
    if one.state == jobs.ENDED or not (job.done or one.state == jobs.RUNNING):
        return ''
    value = f' value="{min(job.done, job.size)}" max="{job.size}"' if job.size else ''
    return f'<progress{value} aria-label="{escape(_bytes(one))}"></progress>'


def _bytes(one: ModelStanding) -> str:
    job = one.job
    size, done = f'{job.size / MIB:.1f}', f'{job.done / MIB:.1f}'
    if one.state == jobs.ENDED or not (job.done or one.state == jobs.RUNNING):
        return label('job_size', mib=size) if job.size else ''
    return label('model_job_far', done=done, size=size if job.size else '?')


def _line(one: ModelStanding) -> str:
    """How far it is, how fast, and how long it takes still."""
    told = [
        _bytes(one),
        downloading.rate_told(one.rate) if one.rate else '',
        job_parts.left(one.seconds_left),
    ]
    if one.state == jobs.ENDED and one.job.is_verified:
        told.append(label('model_job_verified'))
    return f'<p class="cg-line">{escape(" · ".join(filter(None, told)))}</p>'


def _notices(one: ModelStanding) -> str:
    job, is_there = one.job, one.state == jobs.ENDED
    told = markup.notice(one.waiting, 'busy') if one.waiting else ''
    told += markup.notice(one.trouble, 'problem') if one.trouble else ''
    notes = {
        'model_unverified': is_there and not job.is_verified,
        'model_pickle': is_there and job.path.suffix.lower() in PICKLES,
    }
    keys = [key for key, is_so in notes.items() if is_so]
    return told + ''.join(markup.notice(label(key, name=job.path.name)) for key in keys)


def _buttons(one: ModelStanding, may_open: bool) -> str:
    actions = ('forget',) if one.state == jobs.ENDED else job_parts.ACTIONS.get(one.state, ())
    if one.state == jobs.STOPPED and one.trouble:
        actions = ('retry', 'forget')
    keys = {'retry': 'model_job_retry'}
    notes = {**job_parts.NOTES, 'cancel': 'model_job_cancel_note'}
    buttons = _opening(one) if may_open else ''
    buttons += ''.join(
        job_parts.button(
            action, one.job.id, keys.get(action, f'job_{action}'), notes.get(action, '')
        )
        for action in actions
    )
    return f'<p class="cg-actions">{buttons}</p>' if buttons else ''


def _opening(one: ModelStanding) -> str:
    """A button for the folder of a file that is there; one that comes yet has its place."""
    button = job_parts.button('open', one.job.id, 'open_folder')
    if one.state == jobs.ENDED:
        return button
    comes = 'cancel' in job_parts.ACTIONS.get(one.state, ())
    return job_parts.to_come(button) if comes else ''
