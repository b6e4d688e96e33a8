"""What `download`, `resume` and `retry` do: whole galleries, as jobs."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from heapq import merge
from pathlib import Path
from typing import Any, Iterable, Iterator, Sequence

from .. import setting
from ..archive import identity, jobs, places, saved
from ..archive.database import Database
from ..archive.place import archive
from ..civitai import urls
from ..civitai.gallery import CEILINGS, ceiling_of
from ..civitai.source import parse_source
from ..downloads import beginning, bringing, presence, whole
from ..downloads.standing import JobReport, failure
from ..downloads.wanted import Wanted, as_kept, is_nothing_between, tags_in
from ..errors import CivitaiError, GoneError, NotFoundError
from ..store import sidecars
from . import options
from .running import Task, Work
from .telling import MOST_IDS, Part


def tasks_of(
    wanted: Wanted, sources: Iterable[str], to: Path | None, only_list: bool
) -> list[Task]:
    """Return a task for each of `sources`, see `task_of`; one that is named twice is done once."""
    each = (replace(wanted, source=one) for one in dict.fromkeys(sources))
    return [task_of(one, to, only_list) for one in each]


def task_of(wanted: Wanted, to: Path | None, only_list: bool) -> Task:
    """Return the task that keeps what is `wanted`, or that only lists it."""
    level = ceiling_of(wanted.levels)
    part = Part(urls.shown(wanted.source.strip()), str(to or ''), level, only_listed=only_list)

    def do(work: Work, part: Part) -> Part:
        # what is no gallery is told before anything else
        parse_source(wanted.source, setting.civitai_base_url)
        presence.check_writable(to or setting.download_folder())
        gallery = beginning.opened(work.client, wanted)
        with_gallery = replace(part, gallery=gallery)
        if only_list:
            return _listed(work, with_gallery, wanted, to)
        db = archive()
        job_id = beginning.begin_with(db, gallery, wanted, to)
        done = _refused(work, db, _run(work, db, replace(with_gallery, job=job_id)))
        if done.report and done.report.progress.pages and not done.refusal:
            with suppress(OSError):  # if it cannot be made, the pictures tell
                Path(done.folder).mkdir(parents=True, exist_ok=True)
        return done

    return Task(part, do)


def wanted_level(level: str | None) -> int:
    """Return the mask of maturity levels for `level`, None: that of the setting."""
    return CEILINGS[level] if level else setting.maturity_levels()


def wanted_of(tag: Sequence[str] | None, base_models: Sequence[str] | None, **said: Any) -> Wanted:
    """What was said of the pictures, None where nothing was, of no source yet.

    Raises BadParameter.
    """
    if is_nothing_between(said['since'] or '', said['until'] or ''):
        raise options.wrong('cli_no_time_between')
    given = {name: value for name, value in said.items() if value}
    return Wanted('', base_models=tuple(base_models or ()), **given, **tags_in(tag or ()))


def kept_as(name: str | None, embed: bool | None, sidecar: str | None) -> dict[str, Any]:
    """What pictures are called, and what is written into them and beside, as values of Wanted."""
    chosen = setting.gallery_sidecars if sidecar is None else sidecar
    said = {'embeds': embed, 'sidecars': sidecar}
    return {
        'template': name or setting.gallery_name_template,
        'embeds': setting.gallery_embed_infotext if embed is None else embed,
        'sidecars': sidecars.chosen(chosen),
        'said': tuple(name for name, value in said.items() if value is not None),
    }


def resumed(job: jobs.Job) -> Task:
    """Return the task that goes on with `job`."""
    return Task(_part_of(job), lambda work, part: _run(work, archive(), part))


def retried(job: jobs.Job, gone: bool = False) -> Task:
    """Return the task that does again what failed in `job`, pictures and pages alike.

    With `gone` the pictures too that Civitai said it had no more.
    """

    def do(work: Work, part: Part) -> Part:
        db = archive()
        if jobs.is_held(db, job.id):
            raise CivitaiError('cli_job_held', job=job.id)
        lost = places.miss(db, job.id)
        lacks = bringing.lacks(db, work.client, job, work.manner.refreshes)
        if beginning.again(db, job.id, gone) or lost or lacks or job.state != jobs.ENDED:
            return _run(work, db, part)
        report = JobReport(job, as_kept(job.asked), jobs.progress(db, job.id))
        return replace(_with(work, db, part, report), was_fine=True)

    return Task(_part_of(job), do)


def _part_of(job: jobs.Job) -> Part:
    wanted = as_kept(job.asked)
    return Part(urls.shown(wanted.source), str(job.folder), ceiling_of(wanted.levels), job.id)


def _run(work: Work, db: Database, part: Part) -> Part:
    """Carry out the job of `part`, which is returned with what became of it.

    Raises CivitaiError if another program is at it, or there is none.
    """
    job_id, manner = part.job, work.manner
    job = jobs.find(db, job_id)
    if job is None:
        raise CivitaiError('cli_no_such_job', job=job_id)
    try:
        report = whole.run(
            db,
            work.client,
            job_id,
            work.stop,
            work.screen.told,
            at_once=manner.at_once,
            refreshes=manner.refreshes,
        )
    except CivitaiError as error:
        is_there = False  # else nobody can go on with it
        with suppress(CivitaiError):
            is_there = identity.is_there(db, job_id, job.mark)
        return replace(part, refusal=error, job=job_id if is_there else 0)
    if report is None:
        raise CivitaiError('cli_job_held', job=job_id)
    return _with(work, db, part, report)


def _with(work: Work, db: Database, part: Part, report: JobReport) -> Part:
    """`part` with what its job came to, as `report` has it."""
    job_id = part.job
    gone = jobs.listed(db, job_id, jobs.GONE, 0, MOST_IDS)
    return replace(
        part,
        folder=part.folder or str(report.job.folder),
        report=report,
        failures=tuple(map(failure, places.every_listed(db, job_id, jobs.FAILED))),
        gone=tuple(one.image.id for one in gone),
        same_bytes=saved.same_bytes(db, job_id, MOST_IDS),
        files=tuple(_files(db, job_id)) if work.manner.as_json else (),
    )


def _files(db: Database, job_id: int) -> Iterator[str]:
    """The files that are there, in the order they were listed; one that two are is there once."""
    states = [places.every_listed(db, job_id, state) for state in (jobs.SAVED, jobs.ALREADY)]
    return iter(dict.fromkeys(one.path for one in merge(*states, key=lambda one: one.place)))


def _refused(work: Work, db: Database, part: Part) -> Part:
    """Return `part`, with the reason if nothing at all could be listed.

    A job that never had anything is forgotten.
    """
    now = part.report.progress if part.report else jobs.Progress()
    if work.stop.is_set() or now.found or not now.gaps:
        return part
    why = now.gaps[-1]
    if now.pages and not isinstance(why, (NotFoundError, GoneError)):
        return part
    if not now.states:
        jobs.remove(db, part.job)
        part = replace(part, job=0)
    return replace(part, refusal=why)


def _listed(work: Work, part: Part, wanted: Wanted, to: Path | None) -> Part:
    """Only list what is wanted, and which files there would be."""
    with only_listed(work, part, wanted, to) as (done, db):
        assert done.report is not None
        would = list(whole.planned(db, work.client, done.report.job))
        already = sum(one.present for _, one in would)
        paths = tuple(one.path for _, one in would if not one.present)
        return replace(done, files=paths, already=already)


@contextmanager
def only_listed(
    work: Work, part: Part, wanted: Wanted, to: Path | None = None
) -> Iterator[tuple[Part, Database]]:
    """List what is wanted of the gallery of `part`, into an archive that is thrown away.

    Gives that archive, and `part` with what came of it.
    """
    with tempfile.TemporaryDirectory(prefix='civitai-gallery-') as folder:
        db = Database(Path(folder) / 'archive.sqlite')
        try:
            assert part.gallery is not None
            job_id = beginning.begin_with(db, part.gallery, wanted, to)
            report = whole.run(
                db, work.client, job_id, work.stop, work.screen.told, is_listing_only=True
            )
            assert report is not None
            done = replace(part, report=report, folder=part.folder or str(report.job.folder))
            yield _refused(work, db, done), db
        finally:
            db.close()
