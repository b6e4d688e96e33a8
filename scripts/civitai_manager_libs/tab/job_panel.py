"""The panel of jobs, and the job that was begun in a tab, as they stand now."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

from .. import forks, widgets
from ..archive.place import archive
from ..downloads import modeljobs, queue, standing as standings
from ..downloads.modeljobs import ModelStanding
from ..downloads.standing import MOST_FAILURES, Standing
from ..errors import CivitaiError, SourceError
from . import (
    begun_markup,
    job_failures,
    job_parts,
    jobs_markup,
    keeping,
    markup,
    needed,
    wishes,
)
from .jobs_markup import Viewer
from .markup import label
from .view import Begun, View

_MOST_SHOWN = 30
_MOST_BEGUN = 10  # so many jobs that were begun here are remembered
_STEP = 100  # so many failures more at each press
# So that a browser knows of two panels which tells of what is so later, whatever came first; it
# rises over a restart too.
_numbers = itertools.count(int(1000 * time.time()))
_looking = forks.Lock()


def panel(request: Any, view: View) -> str:
    """Return the panel as it is now."""
    number, standing, told = _looked(needed.may_have_models(request))
    more = max(0, len(standing) - _MOST_SHOWN)
    viewer = _viewer(request)
    downloads = keeping.under_way() if viewer.may_act else []
    shown = [_with_more(view, job) for job in standing[:_MOST_SHOWN]]
    failures = [one for job in shown if isinstance(job, Standing) for one in job.failures]
    smalls = job_failures.small(view, failures)
    grid = view.shown.get(str(view.listed), ()) if view.may_see_saved else ()
    saved = keeping.saved_ids(grid)
    return jobs_markup.panel(shown, more, told, viewer, downloads, smalls, saved, number)


def show_more(view: View, job_id: int) -> None:
    """Have the panel show more of what failed in a job. Raises CivitaiError."""
    if not isinstance(standing_of(job_id), Standing):
        raise SourceError('job_unknown')
    view.failures_shown[job_id] = view.failures_shown.get(job_id, MOST_FAILURES) + _STEP


def _with_more(view: View, job: Standing | ModelStanding) -> Standing | ModelStanding:
    most = view.failures_shown.get(job.job_id, MOST_FAILURES)
    if not isinstance(job, Standing) or len(job.failures) >= min(job.failed, most):
        return job
    return replace(job, failures=standings.failures(archive(), job.job_id, most))


def _looked(with_models: bool) -> tuple[int, list[Standing | ModelStanding], str]:
    """How all jobs stand, those that are over last and the newest first of each, or why nobody
    knows, with the number of this look.
    """
    with _looking:
        try:
            standing = every_job(with_models)[::-1]
            return next(_numbers), sorted(standing, key=jobs_markup.is_over), ''
        except CivitaiError as error:
            return next(_numbers), [], markup.problem(error)


def note_begun(view: View, *job_ids: int) -> None:
    """Note that jobs were begun in this tab, the last one last."""
    others = (one for one in view.begun_here if one not in job_ids)
    view.begun_here = (*others, *job_ids)[-_MOST_BEGUN:]


def hide(view: View, job_id: int) -> None:
    """Tell no more, where it was begun, how a job stands, nor how those before it do."""
    view.begun = Begun()
    view.begun_here = tuple(one for one in view.begun_here if one > job_id)


def begun(request: Any, view: View) -> str:
    """Return how the job stands that was begun in this tab, '' without one.

    That is the one begun last, or of those begun before the last one for the gallery on show.
    """
    try:
        if not view.begun.job_id and view.begun_here:
            _recall(view)
        job = standing_of(view.begun.job_id) if view.begun.job_id else None
    except CivitaiError:  # the panel tells
        job = None
    if not isinstance(job, Standing):
        view.begun = Begun()
        return ''
    view.begun.moves = job.state in job_parts.MOVING
    return begun_markup.line(job, view.begun.told, _viewer(request))


def _recall(view: View) -> None:
    places = {job_id: place for place, job_id in enumerate(view.begun_here)}
    ours = [job for job in queue.job_queue().standing() if job.job_id in places]
    same = [job for job in ours if wishes.is_of(view, job.source)]
    if same:
        job_id = max((job.job_id for job in same), key=lambda one: places[one])
        view.begun = Begun(job_id, label('whole_begun', job=job_id))


def _viewer(request: Any) -> Viewer:
    return Viewer(
        may_act=widgets.may_have_jobs(request),
        may_see_paths=widgets.may_see_paths(request),
        may_open=widgets.is_owner(request),
    )


def every_job(with_models: bool) -> list[Standing | ModelStanding]:
    """How all jobs stand, the oldest first. Raises StorageError."""
    models = modeljobs.model_queue().standing() if with_models else []
    return sorted([*queue.job_queue().standing(), *models], key=lambda one: one.job_id)


def standing_of(job_id: int) -> Standing | ModelStanding | None:
    """How one of them stands, None without such a one. Raises StorageError."""
    return next((job for job in every_job(True) if job.job_id == job_id), None)
