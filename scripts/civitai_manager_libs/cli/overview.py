"""The jobs that there are: a line of each for a person, a row for a program, and what is chosen."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Sequence

from .. import setting, texts
from ..archive import jobs, models, saved
from ..archive.database import Database
from ..archive.models import ModelJob
from ..archive.place import archive
from ..downloads import getting
from ..downloads.standing import FAILED, INTERRUPTED, Standing, standing_of, state_of
from ..ending import ExitCode
from ..errors import CivitaiError
from . import options, saying, telling


def every(db: Database) -> list[jobs.Job]:
    """Return all jobs, of galleries and of models, the oldest first. Raises StorageError."""
    return sorted([*jobs.every(db), *models.every(db)], key=lambda job: job.id)


def named(number: int) -> jobs.Job:
    """Return the job of that number. Raises CivitaiError if there is none."""
    db = archive()
    found = models.find(db, number) or jobs.find(db, number)
    if found is None:
        raise CivitaiError('cli_no_such_job', job=number)
    return found


def tell(as_json: bool) -> int:
    """Print the jobs, for a program or a person; the exit code. Raises StorageError."""
    db = archive()
    found = every(db)
    if as_json:
        print(json.dumps([row_of(db, job) for job in found]))
        return ExitCode.COMPLETE
    for job in found:
        saying.say(line_of(db, job))
    if not found:
        saying.say(_text('cli_no_jobs'))
    return ExitCode.COMPLETE


def drop(numbers: Sequence[int], as_json: bool) -> int:
    """Take jobs off the list, and print what became of that; the exit code.

    Raises CivitaiError if there is no such job, BadParameter if none is named.
    """
    if not numbers:
        raise options.wrong('cli_drop_which')
    dropped, problems = [], []
    for job in [named(number) for number in dict.fromkeys(numbers)]:
        try:
            getting.drop(archive(), job)
        except CivitaiError as error:
            problems.append(error.message_in(setting.language))
        else:
            dropped.append(job)
    if as_json:
        told = {'dropped': [job.id for job in dropped], 'problems': problems}
        print(json.dumps({**told, 'complete': not problems}))
    else:
        for job in dropped:
            key = 'cli_model_job_dropped' if isinstance(job, ModelJob) else 'cli_job_dropped'
            saying.say(_text(key, job=job.id, folder=job.folder))
        for problem in problems:
            saying.say(problem, to_stderr=True)
    return ExitCode.FAILED if problems else ExitCode.COMPLETE


def to_go_on(as_json: bool) -> tuple[list[jobs.Job], dict[str, Any]]:
    """Return the jobs that have not ended and that nobody is at, and what is told beside them.

    Those that failed for good are told, and left out. Raises StorageError.
    """
    db = archive()
    over = (jobs.ENDED, jobs.CANCELLED)
    unended = [one for one in every(db) if one.state not in over and not jobs.is_held(db, one.id)]
    failed = [one for one in unended if state_of(db, one) == FAILED]
    chosen = [one for one in unended if one not in failed]
    if not as_json:
        for one in failed:
            saying.say(_text('cli_not_resumed', job=one.id, why=why(one)), to_stderr=True)
        if not chosen:
            saying.say(_text('cli_nothing_to_resume'))
    return chosen, {'not_resumed': [row_of(db, one) for one in failed]}


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
        'error': why(job),
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
        why=why(job),
    ).rstrip()


def why(job: jobs.Job) -> str:
    """Return why the file of a model's job did not come the last time, '' if it did."""
    cause = job.cause if isinstance(job, ModelJob) and job.state != jobs.ENDED else None
    return cause.message_in(setting.language) if cause else ''


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
