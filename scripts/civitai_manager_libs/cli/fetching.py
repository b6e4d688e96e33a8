"""What `model` does, and `resume` of such a job: one model file each, as a job."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Iterator

from .. import api, setting, texts
from ..archive import holdings
from ..archive.models import ModelJob
from ..archive.place import archive
from ..civitai import modelfiles, urls
from ..civitai.modelfiles import Choice, OfferedVersion
from ..civitai.modellinks import parse_model_source
from ..downloads import getting, presence
from ..downloads.getting import Planned
from ..errors import CancelledError, CivitaiError
from ..library.scan import Progress
from . import screens
from .modelparts import ModelPart
from .running import Task, Work

_COMPANIONS = 'model_info_file', 'model_json_file', 'model_preview_file'


@dataclass(frozen=True)
class Wish:
    """Which file of a source: by its id or name, by its format; where to, if not where it belongs.

    It is told of under its `label`, '': as its source. `takes_suspect`: it is wanted though a scan
    of the site failed.
    """

    source: str
    file: str = ''
    format: str = ''
    to: Path | None = None
    takes_suspect: bool = False
    label: str = ''


@contextmanager
def manners(segments: int | None, companions: bool | None) -> Iterator[None]:
    """For this run, have other connections and companions than the settings say."""
    given: dict[str, Any] = {}
    if segments is not None:
        given['model_download_segments'] = segments
    if companions is not None:
        given |= dict.fromkeys(_COMPANIONS, companions)
    before = {name: getattr(setting, name) for name in given}
    for name, value in given.items():
        setattr(setting, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(setting, name, value)


def task_of(wish: Wish, only_plan: bool) -> Task:
    """Return the task that fetches what is wished, or that only says what would be fetched."""
    part = ModelPart(wish.label or urls.shown(wish.source.strip()), only_listed=only_plan)

    def do(work: Work, part: ModelPart) -> ModelPart:
        if wish.to is not None:
            presence.check_writable(wish.to)
        client = work.client.until(work.stop)
        source = parse_model_source(wish.source, setting.civitai_base_url)
        offered, choice = api.find_offered(client, source)
        choice = _narrowed(offered, choice, wish)
        planned = getting.plan_of(
            offered, choice, client=client, folder=wish.to, takes_suspect=wish.takes_suspect
        )
        where = planned.place.sentence()
        if wish.to is not None:
            where = _text('place_named', folder=str(wish.to))
        part = replace(part, planned=planned, where=where, size=planned.file.size)
        if only_plan:
            return replace(part, here=_here(planned))
        presence.check_writable(planned.path.parent)
        if not (work.manner.quiet or work.manner.as_json):
            _say_where(work, planned, where)
        job_id = getting.begin(archive(), planned, wish.takes_suspect)
        return _run(work, replace(part, job=job_id))

    return Task(part, do)


def _here(planned: Planned) -> str:
    """Where the very file is already, as far as known; '' if nowhere."""
    known = holdings.hashed(archive(), planned.file.sha256) if planned.file.sha256 else []
    return next((str(one.path) for one in known if one.is_there), '')


def _narrowed(offered: OfferedVersion, choice: Choice, wish: Wish) -> Choice:
    """What the source says of the file, with what was said beside it. Raises SourceError."""
    if wish.file:
        choice = Choice(modelfiles.named(offered, wish.file))
    return replace(choice, format=wish.format) if wish.format else choice


def _say_where(work: Work, planned: Planned, where: str) -> None:
    told = {'title': planned.version.title, 'name': planned.path.name, 'where': where}
    mib = f'{planned.file.size / 2**20:.1f}'
    work.screen.notice(_text('cli_model_goes', mib=mib, **told))


def resumed(job: ModelJob) -> Task:
    """Return the task that goes on with a job, or does again what failed."""
    part = ModelPart(job.title, job=job.id, done=job.done, size=job.size)
    return Task(part, lambda work, part: _run(work, part))


def _run(work: Work, part: ModelPart) -> ModelPart:
    """Carry the job of `part` out; return `part` with what became of it.

    Raises CivitaiError if another program is at it.
    """
    db, begun, done = archive(), time.monotonic(), [part.done]

    def told(job: ModelJob) -> None:
        done[0] = job.done
        work.screen.moved(Progress(screens.FETCHING, 0, 1, job.done, job.size))

    try:
        kept = getting.run(db, work.client, part.job, work.stop, told)
    except CivitaiError as error:
        is_stopped = isinstance(error, CancelledError) and work.stop.is_set()
        part = replace(part, done=done[0], seconds=time.monotonic() - begun)
        return part if is_stopped else replace(part, refusal=error)
    if kept is None:
        raise CivitaiError('cli_job_held', job=part.job)
    seconds = time.monotonic() - begun
    return replace(part, kept=kept, done=kept.size, seconds=seconds)


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
