"""The jobs that there are: a line of each for a person, a row for a program."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .. import setting, texts
from ..archive import jobs, models, saved
from ..archive.database import Database
from ..archive.models import ModelJob
from ..downloads.standing import INTERRUPTED, Standing, standing_of, state_of
from . import telling


def every(db: Database) -> list[jobs.Job]:
    """Return all jobs, of galleries and of models, the oldest first. Raises StorageError."""
    return sorted([*jobs.every(db), *models.every(db)], key=lambda job: job.id)


def unended(db: Database) -> list[jobs.Job]:
    """Return the jobs that can be gone on with by who is not told which. Raises StorageError."""
    over = (jobs.ENDED, jobs.CANCELLED)
    found = (one for one in every(db) if one.state not in over)
    return [one for one in found if not jobs.is_held(db, one.id)]


def find(db: Database, number: int) -> jobs.Job | None:
    """Return the job of that number, None if there is none. Raises StorageError."""
    return models.find(db, number) or jobs.find(db, number)


def row_of(db: Database, job: jobs.Job) -> dict[str, Any]:
    """Return what a program wants to know of a job. Raises StorageError."""
    if isinstance(job, ModelJob):
        return _model_row(db, job)
    now = standing_of(db, job)
    return {
        'job': now.job_id,
        'state': now.state,
        'source': now.source,
        'title': now.name,
        'level': now.level,
        'asked': dict(now.asked),
        'found': now.found,
        'saved': now.saved,
        'already': now.already,
        'failed': now.failed,
        'gone': now.gone,
        'gaps': len(now.gaps),
        'complete': now.is_complete,
        'at_work': _at_work(db, job, now).isoformat(timespec='seconds'),
        'folder': now.folder,
    }


def line_of(db: Database, job: jobs.Job) -> str:
    """Return what a person wants to know of a job. Raises StorageError."""
    if isinstance(job, ModelJob):
        return _model_line(db, job)
    now = standing_of(db, job)
    return _text(
        'cli_job',
        job=job.id,
        state=state_told(now),
        title=now.name,
        at=_at_work(db, job, now).astimezone().strftime('%Y-%m-%d %H:%M'),
        counts=telling.joined(_counts(now)),
        folder=now.folder,
        level=now.level,
        asked=telling.asked_told(now.asked),
    ).rstrip()


def _model_row(db: Database, job: ModelJob) -> dict[str, Any]:
    return {
        'job': job.id,
        'state': state_of(db, job),
        'title': job.title,
        'version_id': job.version_id,
        'file_id': job.file_id,
        'bytes': job.done,
        'size': job.size,
        'complete': job.state == jobs.ENDED,
        'error': job.cause.message_in(setting.language) if job.cause else '',
        'at_work': _noted(job.changed_at).isoformat(timespec='seconds'),
        'path': str(job.path),
        'folder': str(job.folder),
    }


def _model_line(db: Database, job: ModelJob) -> str:
    state = state_of(db, job)
    done, size = (f'{count / 2**20:.1f}' for count in (job.done, job.size))
    return _text(
        'cli_model_job',
        job=job.id,
        state=_text('job_complete' if state == jobs.ENDED else f'job_{state}'),
        title=job.title,
        at=_noted(job.changed_at).astimezone().strftime('%Y-%m-%d %H:%M'),
        mib=done,
        of=size,
        path=job.path,
    )


def state_told(now: Standing) -> str:
    """Return how a job stands, in a word, and why it is not complete."""
    if now.state != jobs.ENDED:
        return _text(f'job_{now.state}')
    if now.is_complete:
        return _text('job_complete')
    counts = {'cli_count_failed': now.failed, 'cli_count_gaps': len(now.gaps)}
    counts['cli_count_left'] = now.found - now.done
    why = [_text(key, count=count) for key, count in counts.items() if count]
    return _text('cli_not_complete', why=telling.joined(why or [_text('cli_not_all_listed')]))


def _at_work(db: Database, job: jobs.Job, now: Standing) -> datetime:
    """When the job was last at work, in UTC; one that was killed could not note it itself."""
    noted = job.changed_at
    if now.state == INTERRUPTED:
        noted = max(noted, saved.last_of_job(db, job.id))
    return _noted(noted)


def _noted(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, timezone.utc)


def _counts(now: Standing) -> list[str]:
    counts = {'found': now.found, 'saved': now.saved, 'already': now.already}
    counts |= {'failed': now.failed, 'gone': now.gone, 'gaps': len(now.gaps)}
    return [
        _text(f'cli_count_{name}', count=count)
        for name, count in counts.items()
        if count or name in ('found', 'saved')
    ]


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
