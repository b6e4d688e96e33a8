"""A model file as a job: where it goes, fetched, noted, with its companions."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Callable

from .. import api, setting
from ..archive import jobs, models as model_jobs
from ..archive.database import Database
from ..archive.models import ModelJob
from ..civitai import modelfiles
from ..civitai.modelfiles import Choice, ModelFile, OfferedVersion
from ..errors import CancelledError, CivitaiError, StorageError
from ..http_client import CivitaiHttpClient
from ..library import arrival, namesakes, naming, places, told as told_of
from ..library.places import Place
from . import leftover, models
from .models import KeptModel, ModelOrder

log = logging.getLogger(__name__)

NOTED_SECONDS = 1.0
Told = Callable[[ModelJob], None]


@dataclass(frozen=True)
class Planned:
    """What is to be fetched, which file it is, and where it goes; nothing is fetched yet."""

    version: OfferedVersion
    file: ModelFile
    place: Place
    path: Path


def preferred() -> Choice:
    """Return which file of several a person would rather have, by the settings."""
    return Choice(
        0,
        setting.model_file_format,
        setting.model_file_size,
        setting.model_file_precision,
    )


def plan(
    client: CivitaiHttpClient,
    version_id: int,
    choice: Choice = Choice(),
    *,
    folder: Path | None = None,
    name: str = '',
    takes_suspect: bool = False,
) -> Planned:
    """Return what a file of a version would be, and where; `folder` and `name` say it otherwise.

    Raises CivitaiError if it is known already that it is not to be had.
    """
    offered = api.fetch_offered(client, version_id)
    return plan_of(
        offered, choice, client=client, folder=folder, name=name, takes_suspect=takes_suspect
    )


def plan_of(
    offered: OfferedVersion,
    choice: Choice = Choice(),
    *,
    client: CivitaiHttpClient | None = None,
    folder: Path | None = None,
    name: str = '',
    takes_suspect: bool = False,
) -> Planned:
    """The same for a version that was asked for already; `client` asks what its folder lacks."""
    modelfiles.check_offered(offered, time.time(), bool(setting.civitai_api_key))
    file = modelfiles.choose(offered, choice, preferred())
    if not takes_suspect:
        modelfiles.check_scans(file)
    asked = client if places.names_creator() else None
    place = places.place_for(file.answer, offered.answer, told_of.model_of(offered.answer, asked))
    called = naming.file_name({**file.answer, 'name': name or file.name}, offered.answer)
    return Planned(offered, file, place, (folder or place.folder) / called)


def begin(db: Database, planned: Planned, takes_suspect: bool = False) -> int:
    """Make the job that fetches what is `planned`; return its id. Raises StorageError.

    One that fetches the same to the same folder is gone on with, or looks again at what it brought.
    """
    version, file = planned.version.id, planned.file.id
    folder, others = planned.path.parent.absolute(), namesakes.namesakes(planned.path)
    with db.writing():
        for job in model_jobs.of_file(db, version, file):
            if job.path.parent == folder or job.path in others:
                if takes_suspect:
                    model_jobs.allow_suspect(db, job.id)
                if job.state == jobs.ENDED and not job.path.exists():
                    model_jobs.note_path(db, job.id, planned.path)
                return job.id
        return model_jobs.make(
            db,
            version,
            file,
            planned.path,
            title=planned.version.title,
            size=planned.file.size,
            takes_suspect=takes_suspect,
        )


def run(
    db: Database,
    client: CivitaiHttpClient,
    job_id: int,
    stop: threading.Event,
    told: Told | None = None,
) -> KeptModel | None:
    """Carry a job out, or go on with it; None if another program is at it.

    `told` hears how far it is, now and then, in this thread. What became of it is noted. Raises
    CivitaiError; after CancelledError by `stop` it is stopped and can be gone on with.
    """
    job = model_jobs.find(db, job_id)
    if job is None:
        raise CivitaiError('cli_no_such_job', job=job_id)
    with jobs.held(db, job_id) as is_mine:
        if not is_mine:
            return None
        jobs.set_state(db, job_id, jobs.RUNNING)
        state = jobs.STOPPED
        try:
            progress = partial(_noted, db, job, told, [0.0])
            kept = models.bring(client, _order_of(db, job), stop, progress)
            model_jobs.note_kept(db, job_id, kept.path, kept.size, kept.sha256, kept.is_verified)
            _tell(db, job_id, told)
            settle(db, client, kept, stop)
            state = jobs.ENDED
        except CancelledError:
            raise
        except CivitaiError as error:
            model_jobs.note_failure(db, job_id, error)
            raise
        finally:
            # what a person said of it meanwhile, that it is paused, stays
            among = () if state == jobs.ENDED else (jobs.RUNNING,)
            jobs.set_state(db, job_id, state, instead_of=among)
        _tell(db, job_id, told)
        return kept


def _noted(
    db: Database, job: ModelJob, told: Told | None, last: list[float], done: int, size: int
) -> None:
    """Note how far a job is, not too often."""
    now = time.monotonic()
    if now - last[0] > NOTED_SECONDS:
        last[0] = now
        model_jobs.note_progress(db, job.id, done, size)
    if told is not None:
        told(replace(job, state=jobs.RUNNING, done=done, size=size or job.size))


def _tell(db: Database, job_id: int, told: Told | None) -> None:
    job = model_jobs.find(db, job_id)
    if told is not None and job is not None:
        told(job)


def _order_of(db: Database, job: ModelJob) -> ModelOrder:
    def is_free(path: Path) -> bool:
        base, ending = os.path.splitext(path.name)
        return naming.is_free(path.parent, base, ending, job.version_id)

    def named(path: Path) -> None:
        if path.absolute() != job.path:
            model_jobs.note_path(db, job.id, path)

    return ModelOrder(
        job.version_id,
        job.file_id,
        job.path,
        job.takes_suspect,
        is_free,
        namesakes.namesakes,
        named,
        job.sha256,
    )


def settle(db: Database, client: CivitaiHttpClient, kept: KeptModel, stop: threading.Event) -> None:
    """Write what belongs beside a model file, and have it known here.

    Raises CancelledError if `stop` is set before all is there, else nothing.
    """
    version = kept.version.answer
    try:
        place = places.place_for(kept.file.answer, version, told_of.model_of(version))
    except CivitaiError as error:
        log.warning('%s', error)
        return
    arrival.settle(
        db,
        client.until(stop),
        kept.path,
        version,
        kind=place.kind,
        layout=place.layout,
        sha256=kept.sha256,
        stop=stop,
    )


def drop(db: Database, job: jobs.Job) -> None:
    """Take a job, of a gallery as well, off the list: what is whole stays, what is not goes.

    Raises StorageError, CivitaiError if somebody is at it.
    """
    with jobs.held(db, job.id) as is_mine:
        if not is_mine:
            raise CivitaiError('cli_job_held', job=job.id)
        abandon(db, job.id)
        jobs.remove(db, job.id)


def abandon(db: Database, job_id: int) -> None:
    """Take away what came of a file that is not wanted any more. Raises StorageError.

    What another program brings there is not ours, nor what came of another file of that name. A
    file that is whole stays, without what was yet to be written beside it.
    """
    job = model_jobs.find(db, job_id)
    if job is not None and job.has_come:
        jobs.set_state(db, job_id, jobs.ENDED)
    elif job is not None and job.state != jobs.ENDED and job.path.parent.is_dir():
        try:
            models.forget(job.path, leftover.mark_of(job.version_id, job.file_id))
            model_jobs.note_progress(db, job_id, 0, job.size)
        except StorageError as error:
            if error.key != 'model_busy':
                raise
