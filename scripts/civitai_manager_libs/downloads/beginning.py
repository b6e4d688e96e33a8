"""How the job of a whole gallery begins: which listings it has, or which job goes on."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Mapping, Sequence

from .. import api, setting
from ..archive import folders, jobs, places
from ..archive.database import Database
from ..civitai import basemodels
from ..civitai.source import parse_source
from ..errors import BadRequestError, CivitaiError
from ..http_client import CivitaiHttpClient
from ..store import names
from .queries import kept_query
from .wanted import Wanted, as_kept

log = logging.getLogger(__name__)


def begin(db: Database, client: CivitaiHttpClient, wanted: Wanted, folder: Path | None) -> int:
    """Make the job that keeps what is `wanted`; return its id. Nothing is fetched yet.

    Without `folder` it is one of the gallery's own in the download folder. Raises CivitaiError if
    there is no such gallery.
    """
    return begin_with(db, opened(client, wanted), wanted, folder)


def opened(client: CivitaiHttpClient, wanted: Wanted) -> api.Gallery:
    """Return the gallery that `wanted` names. Raises CivitaiError if there is none."""
    return api.open_gallery(client, parse_source(wanted.source, setting.civitai_base_url))


def check_base_models(client: CivitaiHttpClient, gallery: api.Gallery, wanted: Wanted) -> None:
    """Ask Civitai for the base models that are `wanted` and not known here.

    Raises SourceError if it knows one as little; what else goes wrong is left to the job to tell.
    """
    for name in basemodels.unknown_of(wanted.base_models):
        try:
            api.fetch_page(client, replace(gallery.query, base_models=(name,), limit=1))
        except BadRequestError as error:
            raise basemodels.explained(error, [name]) from error
        except CivitaiError as error:
            log.warning('Whether there is such a base model could not be asked: %s', error)
            return


def begin_with(db: Database, gallery: api.Gallery, wanted: Wanted, folder: Path | None) -> int:
    """The same, for a gallery that was opened already.

    A job for the same is taken up, and then its id is returned: one that has not ended goes on,
    one that has begins anew. Raises StorageError.
    """
    query = wanted.narrowed(gallery.query)
    asked_for_order = wanted.limit or wanted.sort or gallery.source.sort
    if not asked_for_order and gallery.source.kind != 'post':
        query = replace(query, sort='Newest')  # all of it, in an order that can be gone on with
    model = gallery.model
    is_whole_model = model and not gallery.source.version_id and gallery.source.kind != 'version'
    versions = model.versions if model and is_whole_model else ()
    if versions and not (wanted.sort or gallery.source.sort):
        query = replace(query, sort='Newest')
    if not (asked_for_order or versions) and query.model_id and not query.version_id:
        query = replace(query, sort='Oldest')  # else Civitai's database loses one a page
    if not versions:
        named = gallery.version.name if gallery.version else ''
        lanes = [_lane(query, model.name if model else '', named)]
    else:
        lanes = [
            _lane(replace(query, version_id=v.id), model.name if model else '', v.name)
            for v in versions
        ]
    if wanted.limit and len(versions) > 1:  # the best of all versions, not of the first
        lanes = [{**lane, jobs.RIVALS: query.sort} for lane in lanes]
    target = folder or setting.download_folder() / names.folder_name(gallery.folder_name)
    target = folders.real(target)  # it stays that folder, from wherever and by whatever link
    with db.writing():  # who asks for the same in another program finds the job that is made here
        return _taken_up(db, wanted, target, lanes) or jobs.make(db, wanted.kept(), target, lanes)


def _taken_up(
    db: Database, wanted: Wanted, folder: Path, lanes: Sequence[Mapping[str, Any]]
) -> int:
    """The job that is for the same and can go on or begin anew, 0 if there is none."""
    for job in jobs.every(db):
        if as_kept(job.asked).which != as_kept(wanted.kept()).which:
            continue
        if not folders.is_same(job.folder, folder):
            continue
        if jobs.is_held(db, job.id):
            return job.id
        places.ask_otherwise(db, job.id, wanted.in_manner_of(as_kept(job.asked)).kept())
        if job.state == jobs.ENDED:
            places.begin_anew(db, job.id, lanes)
        else:
            places.add_lanes(db, job.id, lanes)
            again(db, job.id)
        return job.id
    return 0


def again(db: Database, job_id: int, gone: bool = False) -> int:
    """Have what failed in a job done again at its next run, pictures and pages alike.

    With `gone` the pictures too that Civitai said it had no more. Returns how many pictures and
    gaps these are. Raises StorageError.
    """
    return places.have_done_again(db, job_id, gone) + places.open_again(db, job_id)


def _lane(query: object, model: str, version: str) -> dict[str, object]:
    return {**kept_query(query), 'model': model, 'version': version}  # type: ignore[arg-type]
