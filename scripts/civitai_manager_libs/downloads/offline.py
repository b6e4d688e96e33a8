"""A saved gallery, shown from this computer: found in the archive, and asked of nobody else.

What is shown of a file is put into the picture cache, by its content: a small JPEG, or a copy.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping, Sequence

from .. import setting
from ..archive import jobs, kept
from ..archive.place import archive
from ..archive.saved import SavedFile
from ..civitai.gallery import CursorTrail, GalleryImage, ImagePage, is_allowed
from ..civitai.source import GallerySource
from ..errors import (
    CivitaiError,
    RateLimitedError,
    RegionBlockedError,
    ServerBusyError,
    SourceError,
    TransferError,
    WrongContentError,
)
from ..store import cache, files, opening
from . import presence, standing

# Civitai is not to be had for now, or here, or something else answers; what it says of a gallery
# counts.
UNREACHABLE = (
    TransferError,
    ServerBusyError,
    RateLimitedError,
    RegionBlockedError,
    WrongContentError,
)


@dataclass(frozen=True)
class SavedGallery:
    """What a job kept: `count` pictures, of which `missing` of the page on show are not there.

    name is what it is called, link its address on Civitai, '' if that is not known.
    why: what kept the gallery itself from being shown, None if this one was chosen; asked is what
    the address of the page says of that gallery then.
    """

    job: jobs.Job
    count: int
    name: str
    link: str
    missing: int = 0
    why: CivitaiError | None = field(default=None, compare=False)
    asked: str = ''

    @property
    def day(self) -> str:
        """The day on which something was kept last, as YYYY-MM-DD, by the clock of this place."""
        return time.strftime('%Y-%m-%d', time.localtime(self.job.changed_at))


def of_job(job_id: int) -> SavedGallery:
    """Return what the job of that id kept. Raises SourceError if there is none, StorageError."""
    db = archive()
    job = jobs.find(db, job_id)
    if job is None:
        raise SourceError('job_unknown')
    return _saved(job, jobs.lanes(db, job_id), kept.count(db, job_id))


def _saved(job: jobs.Job, lanes: Sequence[jobs.Lane], count: int) -> SavedGallery:
    name = standing.name_of('', lanes) or job.folder.name
    link = standing.link_of(str(job.asked.get('source', '')), lanes)
    return SavedGallery(job, count, name, link)


def instead_of(source: GallerySource, why: CivitaiError) -> SavedGallery | None:
    """Return the saved gallery of what `source` means; None if none was kept.

    Of several it is one of nothing else, if there is such, and then the largest. Raises
    StorageError.
    """
    db = archive()
    found: list[tuple[bool, int, SavedGallery]] = []
    for job in jobs.every(db):
        lanes = jobs.lanes(db, job.id)
        fits = [_is_of(source, lane.query) for lane in lanes]
        count = kept.count(db, job.id) if any(fits) else 0
        if count:
            found.append((all(fits), count, replace(_saved(job, lanes, count), why=why)))
    return max(found, key=lambda one: one[:2])[2] if found else None


def _is_of(source: GallerySource, asked: Mapping[str, Any]) -> bool:
    """Tell whether a listing, as `asked`, is one of the gallery that `source` means."""
    version = source.number if source.kind == 'version' else source.version_id
    if version:
        return bool(asked.get('version_id') == version)
    user = {'user_id': source.user_id} if source.user_id else {'username': source.username}
    named: dict[str, Mapping[str, object]] = {
        'model': {'model_id': source.number},
        'post': {'post_id': source.number},
        'image': {'image_id': source.number},
        'user': user,
    }
    wanted = {'ids': list(source.ids)} if source.ids else named.get(source.kind, {})
    if not any(wanted.values()):  # of nobody in particular, or by a hash that only Civitai knows
        return False
    return all(_alike(asked.get(name), value) for name, value in wanted.items())


def _alike(one: object, other: object) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return one == other


def read_page(saved: SavedGallery, trail: CursorTrail) -> tuple[SavedGallery, ImagePage]:
    """Return a page of what was kept, without what the ceiling of now forbids.

    Its cursors are places in the job. Raises StorageError.
    """
    after = int(trail.cursor or 0)
    found = kept.page(archive(), saved.job, after, setting.page_size(), setting.maturity_levels())
    images = tuple(one.image for one in found.pictures)
    following = str(found.following) if found.following else ''
    return replace(saved, missing=found.missing), ImagePage(images, following, hidden=found.hidden)


def find(saved: SavedGallery, image: GalleryImage) -> SavedFile | None:
    """Return the file of `image`, None if it is not there any more, or above the ceiling of now.

    Raises StorageError.
    """
    if not is_allowed(image.level, setting.maturity_levels()):
        return None
    return kept.find(archive(), saved.job, image.id)


def still_address(file: SavedFile, width: int) -> str:
    """What a small picture of `file` is called in the picture cache, instead of an address."""
    return f'kept:{file.sha256}:{width}'


def copy_address(file: SavedFile) -> str:
    """The same for a copy of `file`."""
    return f'kept:{file.sha256}{file.path.suffix}'


def still(file: SavedFile, width: int) -> str | None:
    """Return a JPEG of `file`, at most `width` pixels wide, in the picture cache.

    None if none can be made, as of a video. Raises StorageError.
    """
    target = Path(setting.get_image_url_to_gallery_file(still_address(file, width)))
    if not _is_cached(target):
        kind = files.media_type(file.path)
        if kind is None or kind.kind != 'image':
            return None
        setting.claim_picture_cache()
        with files.draft(target) as part, files.explained(target.parent):
            if not opening.shrink(file.path, part, width):
                return None
            files.place(part, target)
        _count(target)
    return str(target)


def copy(file: SavedFile) -> str:
    """Return a copy of `file` in the picture cache. Raises StorageError."""
    target = Path(setting.get_image_url_to_gallery_file(copy_address(file)))
    if not _is_cached(target):
        setting.claim_picture_cache()
        with files.part_file(target) as part, files.explained(target.parent):
            files.check_space(target.parent, file.size)
            shutil.copyfile(file.path, part)
        _count(target)
    return str(target)


def _is_cached(target: Path) -> bool:
    if not presence.is_there(target):
        return False
    setting.picture_cache().shown(str(target))
    return True


def _count(target: Path) -> None:
    """Note what came into the picture cache, and keep that within its bounds."""
    pictures = setting.picture_cache()
    pictures.added(str(target))
    pictures.bound(setting.cache_limit(), cache.on_screen.names() | {target.name})
