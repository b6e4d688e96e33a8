"""The HTML of the panel of jobs. Every word from outside is escaped here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Collection, Iterable, Mapping, Sequence

from .. import setting
from ..archive import jobs
from ..civitai.source import parse_source
from ..downloads.modeljobs import ModelStanding
from ..downloads.standing import FAILED, Standing
from ..errors import SourceError
from ..store.cache import MIB
from ..widgets import escape
from . import downloading, job_failures, job_parts, markup, model_cards
from .job_parts import COMPLETE, EMPTY, INCOMPLETE, LOST, MOVING
from .keeping import Keeping
from .markup import label

# So many of those that are over are shown without being asked for.
MOST_RECENT = 3


@dataclass(frozen=True)
class Viewer:
    """What who looks may do: steer jobs, see where their files are, have folders opened."""

    may_act: bool = False
    may_see_paths: bool = False
    may_open: bool = False


def panel(
    shown: Sequence[Standing | ModelStanding],
    more: int,
    told: str,
    viewer: Viewer,
    downloads: Sequence[Keeping] = (),
    smalls: Mapping[int, str] = MappingProxyType({}),
    saved: Collection[int] = (),
    number: int = 0,
) -> str:
    """The jobs, of which there are `more` that are not shown; `told` is a notice, as HTML.

    Above them are the `downloads` of tabs that go on; `smalls` are where the small pictures of what
    failed are, by id; `saved` are the ids of the pictures of the grid that are saved. One of two
    panels with the higher `number` is newer.

    While one of them moves, the panel says so to the page (`data-moves`), and how many models have
    come (`data-came`). Who is given jobs of models may steer them and see their paths.
    """
    models = [job for job in shown if isinstance(job, ModelStanding)]
    settling = any(job.is_settling for job in models)
    moves = (
        ' data-moves' if downloads or settling or any(job.state in MOVING for job in shown) else ''
    )
    came = sum(job.state == jobs.ENDED and not job.is_settling for job in models)
    over = [job for job in shown if is_over(job)]
    earlier = over[MOST_RECENT:]

    def all_of(some: Iterable[Standing | ModelStanding]) -> str:
        return ''.join(_card(job, viewer, smalls) for job in some)

    cards = ''.join(map(_download, downloads)) + all_of(job for job in shown if job not in earlier)
    if not cards and not told:
        cards = f'<p class="cg-none">{escape(label("jobs_none"))}</p>'
    cards += _earlier(all_of(earlier), len(earlier), more)
    body = f'<h3>{escape(label("jobs_title"))}</h3>{told}{cards}'
    kept = ','.join(map(str, sorted(saved)))
    facts = f'data-number="{number}" data-came="{came}" data-kept="{kept}"{moves}'
    return f'<section class="cg-jobs" {facts}>{body}</section>'


def is_over(job: Standing | ModelStanding) -> bool:
    """Whether nobody is to do anything about a job, so that it may get out of sight."""
    return job.state in (jobs.ENDED, jobs.CANCELLED, FAILED)


def _earlier(cards: str, count: int, more: int) -> str:
    """Those that ended before the last few, folded up, and how many are not shown at all."""
    left = f'<p class="cg-none">{escape(label("jobs_more", count=more))}</p>' if more else ''
    if not count:
        return left
    title = escape(label('jobs_earlier', count=count + more))
    return (
        f'<details class="cg-earlier" data-name="earlier"><summary>{title}</summary>'
        f'{cards}{left}</details>'
    )


def _download(one: Keeping) -> str:
    """The card of a download of a tab."""
    now = one.progress
    told = [label('job_far', done=now.done, found=now.total)]
    told += [downloading.rate_told(now.rate)] if now.rate else []
    line = escape(' · '.join(told))
    shown = f'<progress value="{now.done}" max="{now.total}" aria-label="{line}"></progress>'
    name = f'<strong>{escape(label("keeping_of", name=one.name))}</strong>'
    waiting = markup.notice(now.waiting, 'busy') if now.waiting else ''
    stop = job_parts.button('stop', one.number, 'cancel')
    return (
        f'<article class="cg-job">{job_parts.header(name, jobs.RUNNING, "", 0)}{shown}'
        f'<p class="cg-line">{line}</p>{waiting}<p class="cg-actions">{stop}</p></article>'
    )


def _card(job: Standing | ModelStanding, viewer: Viewer, smalls: Mapping[int, str]) -> str:
    if isinstance(job, ModelStanding):
        return model_cards.card(job, viewer.may_open)
    state = state_of(job)
    parts = (
        job_parts.header(name_of(job), state, _why(state, job), job.changed_at),
        _asked_line(job),
        bar(job),
        _line(job),
        _counts(job),
        markup.place(job.folder if viewer.may_see_paths else ''),
        _notices(job),
        _buttons(state, job, viewer) if viewer.may_act else '',
        job_failures.listed(job, smalls, viewer.may_act and offers_retry(state, job)),
        _about(job),
    )
    return f'<article class="cg-job" data-job="{job.job_id}">{"".join(parts)}</article>'


def state_of(job: Standing) -> str:
    """In what state a job is for a person, who wants to know whether all is there."""
    if job.state == jobs.ENDED:
        if job.is_complete and not job.found:
            return EMPTY
        if job.is_complete and job.gone == job.found:
            return LOST
        return COMPLETE if job.is_complete else INCOMPLETE
    return job.state


def name_of(job: Standing) -> str:
    """What a job keeps, with its number, as HTML."""
    name = escape(_called(job))
    if job.link:
        link = escape(job.link)
        name = f'<a href="{link}" target="_blank" rel="noreferrer">{name}</a>'
    return job_parts.numbered(job.job_id, name)


def _called(job: Standing) -> str:
    if job.name != job.source:
        return job.name or Path(job.folder).name
    try:  # nothing has a name of its own there, so as the page calls it
        source = parse_source(job.source, setting.civitai_base_url)
    except SourceError:
        return job.source
    return job.source if source.hash else markup.name_of(source)


def _why(state: str, job: Standing) -> str:
    """In a few words why a job is in its state, where that does not say it."""
    told = []
    if state == INCOMPLETE:
        told += [label('job_why_failed', count=job.failed)] if job.failed else []
        told += [label('job_why_unlisted')] if job.gaps or not job.failed else []
    return ', '.join(told) or job_parts.ahead(state, job.ahead)


def bar(job: Standing) -> str:
    """A bar that shows how far it is; '' where that says nothing."""
    if job.state == jobs.ENDED or _has_not_begun(job):
        return ''
    total = job.found if job.is_listed else max(job.found, job.limit)
    if not total and job.state not in MOVING:
        return ''
    name = escape(label('job_far', done=job.done, found=job.found))
    value = f' value="{job.done}" max="{total}"' if total else ''  # without: it moves to and fro
    return f'<progress{value} aria-label="{name}"></progress>'


def _line(job: Standing) -> str:
    if _has_not_begun(job) or state_of(job) == EMPTY:
        return ''
    return f'<p class="cg-line">{escape(far(job))}</p>'


def far(job: Standing) -> str:
    """How far it is, how fast, and how long it takes still, in words."""
    if state_of(job) == LOST:
        return label('job_all_gone', count=job.gone)
    is_moving = job.state in MOVING
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
        told.append(downloading.rate_told(job.rate))
    told.append(job_parts.left(job.seconds_left))
    return ' · '.join(filter(None, told))


def _has_not_begun(job: Standing) -> bool:
    return job.state == jobs.WAITING and not job.found


def _counts(job: Standing) -> str:
    if _has_not_begun(job) or state_of(job) == EMPTY:
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
    if state_of(job) == INCOMPLETE and job.failed:
        why_not.append(markup.sentences(_mostly(job), label('job_failed_some')))
    waiting = markup.notice(job.waiting, 'busy') if job.waiting else ''
    notes = [] if job.state in MOVING else job.notes
    calm = ''.join(map(markup.notice, notes))
    return waiting + ''.join(markup.notice(one, 'problem') for one in why_not) + calm


def _mostly(job: Standing) -> str:
    """How many pictures failed, and why most of them did; '' where nobody knows."""
    if not job.main_cause:
        return ''
    key = 'job_failed_so' if job.main_count == job.failed else 'job_failed_mostly'
    return label(key, failed=job.failed, count=job.main_count, cause=job.main_cause)


def _buttons(state: str, job: Standing, viewer: Viewer) -> str:
    """Buttons whose orders the page hands on, see `browser.jobs.WATCH_JOBS`."""
    buttons = opening(job, viewer, comes='cancel' in job_parts.ACTIONS.get(state, ()))
    for action in job_parts.ACTIONS.get(state, ()):
        if action != 'retry' or offers_retry(state, job):
            buttons += job_parts.button(
                action, job.job_id, f'job_{action}', job_parts.NOTES.get(action, '')
            )
    return f'<p class="cg-actions">{buttons}</p>' if buttons else ''


def offers_retry(state: str, job: Standing) -> bool:
    """Whether something of a job that is in `state` can be tried again."""
    return 'retry' in job_parts.ACTIONS.get(state, ()) and bool(job.failed or job.gaps)


def opening(job: Standing, viewer: Viewer, comes: bool = False) -> str:
    """Buttons that show what a job has kept, in the grid and in its folder.

    They have their places where that `comes` yet.
    """
    is_there = bool(job.saved or job.already)
    if not (is_there or comes):
        return ''
    browse = (
        f'<button type="button" class="cg-button" data-saved="{job.job_id}">'
        f'{escape(label("job_browse"))}</button>'
    )
    both = browse + (job_parts.button('open', job.job_id, 'open_folder') if viewer.may_open else '')
    return both if is_there else job_parts.to_come(both)


def _about(job: Standing) -> str:
    """What was asked for, and up to which level."""
    rows = {
        'job_source': job.source,
        'job_asked': markup.asked(job.asked) or label('job_asked_all'),
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
    told = escape(markup.asked({**job.asked, 'level': job.level}))
    return f'<p class="cg-asked" title="{told}">{told}</p>'
