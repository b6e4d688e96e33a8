"""Whether the pictures in a folder are still what was saved, and fetching those again that are not.

What the archive knows of is read whole and compared. Each file is looked at by its bytes, and each
picture is opened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Iterator

from .. import forks
from ..archive import folders, pictures, saved
from ..archive.database import Database
from ..errors import CivitaiError, NotFoundError
from ..http_client import CivitaiHttpClient
from ..store import files, media, names, opening
from . import batch, keeping, presence
from .annotating import Annotator, Manner, looked_at
from .plan import Outcome


class State(Enum):
    """What a file is found to be."""

    GOOD = 'good'
    MISSING = 'missing'
    CHANGED = 'changed'
    BROKEN = 'broken'


@dataclass(frozen=True)
class Finding:
    """A file and what it is; `picture_id` is 0 where nobody knows which picture it was.

    One that is not `is_noted` was only opened: there is nothing to compare it with.
    """

    path: Path
    state: State
    picture_id: int = 0
    is_noted: bool = True


def check(db: Database, folder: Path) -> Iterator[Finding]:
    """Yield each picture in `folder` and below, and each that was saved there and is not there.

    Raises StorageError.
    """
    known: set[Path] = set()
    for one in saved.in_folder(db, folder):
        path = folders.real(one.path.parent) / one.path.name
        if path in known:  # noted by two names of its folder
            continue
        known.add(path)
        yield Finding(one.path, _state_of(one), one.picture_id)
    for inside, below, here in os.walk(folders.real(folder)):
        below.sort()
        for path in (Path(inside, name) for name in sorted(here)):
            if path.suffix.lower() not in media.MEDIA_SUFFIXES or path.name.startswith('.'):
                continue
            if path not in known and '.odd-' not in path.name:
                state = State.GOOD if _is_sound(path) else State.BROKEN
                yield Finding(path, state, is_noted=False)


def _state_of(one: saved.SavedFile) -> State:
    try:
        now = saved.looked_at(one.path, one.stem, one.picture_id)
    except OSError:
        return State.MISSING
    if now.sha256 != one.sha256:
        return State.CHANGED
    return State.GOOD if _is_sound(one.path) else State.BROKEN


def _is_sound(path: Path) -> bool:
    kind = files.media_type(path)
    if kind is None or not presence.is_there(path):
        return False
    return kind.kind != 'image' or opening.opens(path)


def repair(db: Database, client: CivitaiHttpClient, finding: Finding) -> None:
    """Fetch the picture of `finding` again; what is there in its place is kept aside.

    Where it does not come, all stays as it was. Raises CivitaiError.
    """
    image = pictures.find(db, [finding.picture_id]).get(finding.picture_id)
    if image is None:
        raise NotFoundError('repair_unknown')
    path, stem = finding.path, names.picture_stem(image.url)
    noted = saved.at(db, path)
    manner = Manner(embeds=noted is not None and bool(noted.embedded))
    annotator = Annotator(lambda: db, client, manner, forks.Event())
    drafts: list[saved.SavedFile] = []

    def finish(part: Path, final: Path) -> None:
        if part == final:
            return  # what stands beside it stays
        draft = annotator.embed(image, part)
        with files.explained(part.parent):
            drafts.append(looked_at(part, finding.picture_id, stem, draft, None))

    job = batch.image_job(image, str(path.with_suffix('')))
    aside = files.set_aside(path) if path.exists() else None
    try:
        done = keeping.keep(job, lambda url, to: bool(client.fetch_file(url, to)), finish)
    except CivitaiError:
        _put_back(aside, path)
        raise
    finally:
        annotator.end()
    now = Path(done.path)
    with files.explained(now.parent):
        if now != path:
            saved.forget(db, [path])
        is_ours = bool(drafts) and done.outcome is Outcome.SAVED
        known = drafts[0] if is_ours else saved.found(now, stem, finding.picture_id)
    saved.note(db, [replace(known, path=now.absolute())])
    annotator.keep()


def _put_back(aside: Path | None, path: Path) -> None:
    if aside is not None:
        with files.explained(path.parent):
            os.replace(aside, path)
