"""How far the job of a whole gallery is, as values."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from .. import setting, texts
from ..archive import jobs, places, saved
from ..archive.database import Database
from ..archive.models import ModelJob
from ..civitai import modelfiles, urls
from ..civitai.gallery import GalleryImage, ceiling_of
from ..civitai.source import GallerySource, page_of, parse_source
from ..errors import CivitaiError, SourceError
from ..store import templates
from .wanted import SEEN_SORTS, Wanted, as_kept

# States of a job besides those that `archive.jobs` keeps: it was running or waiting as its program
# ended; another program is at it; its file would not come another time either.
INTERRUPTED, ELSEWHERE, FAILED = 'interrupted', 'elsewhere', 'failed'
MOST_FAILURES = 20


@dataclass(frozen=True)
class JobReport:
    """How far a job is, or what became of it.

    Of this run: `size` (bytes fetched), `seconds`, `aside`, where files are now that had a
    picture's name without being it, `trouble`, why nothing more can be saved, `saved_now`, how
    many pictures it saved, whether names have no place in a post though they were to tell it, and
    `unwritten`, what could not be written into pictures or beside them, as keys of sentences, and
    how often.
    """

    job: jobs.Job
    wanted: Wanted
    progress: jobs.Progress
    size: int = 0
    seconds: float = 0.0
    aside: tuple[str, ...] = ()
    trouble: CivitaiError | None = None
    saved_now: int = 0
    were_places_unknown: bool = False
    unwritten: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether each picture wanted is there, or gone with proof, and nothing is unknown."""
        left = self.progress.count(jobs.TO_DO) + self.progress.count(jobs.FAILED)
        return self.is_all_known and not left

    @property
    def is_all_known(self) -> bool:
        """Whether all that is wanted was listed."""
        progress, limit = self.progress, self.wanted.limit
        # the best of several lanes are known when all are listed
        has_enough = limit and progress.found >= limit and not progress.rivals
        return bool(progress.is_listed or has_enough) and not self.gaps

    @property
    def gaps(self) -> tuple[CivitaiError, ...]:
        """Why not all that is wanted was listed."""
        progress = self.progress
        left_out = {
            'gap_unreadable': progress.unreadable,
            # an answer with more than was asked for
            'gap_surplus': 0 if self.wanted.limit else progress.surplus,
        }
        found = (CivitaiError(key, count=count) for key, count in left_out.items() if count)
        return (*progress.gaps, *found)

    def notes(self, language: str) -> tuple[str, ...]:
        """Return what is to be known of how the pictures were chosen and named, as sentences."""
        rivals, undated, found = self.progress.rivals, self.progress.undated, []
        if rivals and rivals not in SEEN_SORTS:
            found.append(texts.text('taken_in_turn', language, sort=rivals))
        if undated:
            found.append(texts.text('left_out_undated', language, count=undated))
        if self.were_places_unknown:
            found.append(texts.text('places_unknown', language))
        return tuple(found)

    def nothing_found(self, language: str) -> str:
        """Return why there is no picture, as far as that is known, as a sentence."""
        now, ceiling = self.progress, ceiling_of(self.wanted.levels)
        key = 'cli_nothing'
        if now.items:
            key = 'nothing_fits_or_hidden' if now.hidden else 'nothing_fits'
        elif now.hidden:
            key = 'nothing_but_hidden'
        return texts.text(key, language, count=now.items, hidden=now.hidden, ceiling=ceiling)


@dataclass(frozen=True)
class Failure:
    """A picture that failed: its page on Civitai, and the cause as a sentence."""

    image: GalleryImage
    page: str
    error: str


@dataclass(frozen=True)
class Standing:
    """How a job stands, for a person: what can be read is in the language of the setting.

    `state` is one of archive.jobs (waiting, running, paused, stopped, cancelled, ended),
    INTERRUPTED or ELSEWHERE, since `changed_at`, in seconds of the epoch. `name` is that of what is
    kept, `link` its address, `asked` what was asked for beside source and level, by the names of
    the options. `gaps` and `notes` are sentences, `failures` the first pictures that failed,
    `main_cause` why most of them did, which `main_count` did, `trouble` why the job as a whole
    could not go on, '' if it could. `ahead` is how many jobs come before one that waits. `size` is
    in bytes, of all files this job saved.
    Only of one that runs here: `rate` (bytes a second, over the last seconds), `seconds_left` (None
    if nobody can say), and `waiting`, the sentence that says what is waited for now, '' if nothing.
    """

    job_id: int
    source: str
    folder: str
    level: str
    asked: Mapping[str, Any]
    state: str
    found: int = 0
    saved: int = 0
    already: int = 0
    failed: int = 0
    gone: int = 0
    hidden: int = 0
    pages: int = 0
    limit: int = 0
    is_listed: bool = False
    is_complete: bool = False
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    main_cause: str = ''
    main_count: int = 0
    trouble: str = ''
    name: str = ''
    link: str = ''
    changed_at: float = 0.0
    ahead: int = 0
    size: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    waiting: str = ''

    @property
    def done(self) -> int:
        """How many pictures need nothing more."""
        return self.saved + self.already + self.failed + self.gone


def standing_of(db: Database, job: jobs.Job) -> Standing:
    """Return how a job stands that does not run here. Raises StorageError."""
    report = JobReport(job, as_kept(job.asked), jobs.progress(db, job.id))
    size = saved.size_of_job(db, job.id) if report.progress.count(jobs.SAVED) else 0
    return told_of(db, report, state_of(db, job), size)


def state_of(db: Database, job: jobs.Job) -> str:
    """Return the state of a job; it is interrupted if nobody works on it though it says so.

    One of a model file that was stopped by what will last has failed. Raises StorageError.
    """
    cause = job.cause if isinstance(job, ModelJob) and job.state == jobs.STOPPED else None
    if cause is not None and modelfiles.is_lasting(cause, time.time()):
        return FAILED
    if job.state != jobs.RUNNING or jobs.is_held(db, job.id):
        return job.state
    state = jobs.state_now(db, job.id)  # it may have ended since it was read
    return INTERRUPTED if state in (jobs.RUNNING, '') else state


def told_of(db: Database, report: JobReport, state: str, size: int) -> Standing:
    """Return how the job of `report` stands, which is in `state` and saved `size` bytes.

    Raises StorageError.
    """
    now, wanted, job = report.progress, report.wanted, report.job
    asked, lanes = said_of(wanted), jobs.lanes(db, job.id)
    failed = now.count(jobs.FAILED)
    cause, main_count = places.main_cause(db, job.id) if failed else (None, 0)
    is_empty = now.is_listed and not now.found
    nothing = (report.nothing_found(setting.language),) if is_empty else ()
    return Standing(
        job_id=job.id,
        source=asked.pop('source'),
        folder=str(job.folder),
        level=ceiling_of(wanted.levels),
        asked=asked,
        state=state,
        found=now.found,
        saved=now.count(jobs.SAVED),
        already=now.count(jobs.ALREADY),
        failed=failed,
        gone=now.count(jobs.GONE),
        hidden=now.hidden,
        pages=now.pages,
        limit=wanted.limit,
        is_listed=now.is_listed,
        is_complete=report.is_complete,
        gaps=tuple(dict.fromkeys(gap.message_in(setting.language) for gap in report.gaps)),
        notes=nothing + report.notes(setting.language),
        failures=failures(db, job.id) if failed else (),
        main_cause=cause.message_in(setting.language) if cause else '',
        main_count=main_count,
        name=name_of(urls.shown(wanted.source), lanes),
        link=link_of(wanted.source, lanes),
        changed_at=job.changed_at,
        size=size,
    )


def name_of(source: str, lanes: Sequence[jobs.Lane]) -> str:
    """Return what a job keeps, by name: a model, or its one version, or a user; else `source`."""
    asked = lanes[0].query if lanes else {}
    name = asked.get('model') or asked.get('username')
    if not name:
        return source
    version = asked.get('version') if len(lanes) == 1 else ''
    return f'{name} · {version}' if version else str(name)


def link_of(source: str, lanes: Sequence[jobs.Lane]) -> str:
    """Return the address of what a job keeps, on Civitai, whatever a person asked for it by."""
    if source.startswith(('https://', 'http://')):
        return urls.shown(source)
    try:
        meant = parse_source(source, setting.civitai_base_url)
    except SourceError:
        return ''
    asked = lanes[0].query if lanes else {}
    if meant.hash and asked.get('model_id'):
        meant = GallerySource('model', asked['model_id'], asked.get('version_id') or 0)
    return page_of(meant, setting.civitai_base_url)


def unwritten_told(unwritten: Mapping[str, int]) -> list[str]:
    """Return a sentence for each cause in `JobReport.unwritten`."""
    return [texts.text(key, setting.language, count=count) for key, count in unwritten.items()]


def said_of(wanted: Wanted) -> dict[str, Any]:
    """Return what was asked for beside the level, by the names of the options."""
    said = wanted.kept()
    del said['levels'], said['embeds'], said['said']
    said['sidecar'] = ','.join(said.pop('sidecars') or ())
    said['source'] = urls.shown(wanted.source)
    said['base_model'] = ','.join(said.pop('base_models'))
    said['tag'] = ','.join(map(str, [*said.pop('tags'), *said.pop('tag_names')]))
    name = said.pop('template')
    if name != templates.DEFAULT:
        said['name'] = name
    return {name: value for name, value in said.items() if value}


def failures(db: Database, job_id: int, most: int = MOST_FAILURES) -> tuple[Failure, ...]:
    """Return the first pictures of a job that failed. Raises StorageError."""
    some = ((one.image, failure(one)) for one in jobs.listed(db, job_id, jobs.FAILED, 0, most))
    return tuple(Failure(image, str(told['page']), str(told['error'])) for image, told in some)


def failure(one: jobs.Listed) -> dict[str, object]:
    """Return what is told of a picture that failed."""
    why = one.cause or CivitaiError('error_see_log')
    return {
        'id': one.image.id,
        'page': urls.page_url(setting.civitai_base_url, 'images', one.image.id),
        'url': urls.redact(urls.original_url(one.image.url)),
        'error': why.message_in(setting.language),
    }
