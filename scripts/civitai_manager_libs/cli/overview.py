"""The jobs that there are: a line of each for a person, a row for a program."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .. import setting, texts
from ..archive import jobs, saved
from ..archive.database import Database
from ..downloads.standing import INTERRUPTED, Standing, standing_of
from . import telling


def row_of(db: Database, job: jobs.Job) -> dict[str, Any]:
    """Return what a program wants to know of a job. Raises StorageError."""
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
    return datetime.fromtimestamp(noted, timezone.utc)


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
