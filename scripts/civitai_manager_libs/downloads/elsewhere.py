"""Where a picture that somebody wants is already, in another folder or by another name."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Iterator, Mapping, Sequence

from .. import setting
from ..archive import jobs, saved
from ..archive.database import Database
from ..store import names
from . import presence

# In a model's folder; what versions without an archive kept there is called by its UUID.
FORMER_FOLDER = 'user_gallery_images'


def former_folders(folder: Path, lanes: Iterable[jobs.Lane]) -> list[Path]:
    """Return the folders in which such versions kept pictures of what goes to `folder` now."""
    models = {str(lane.query.get('model') or '') for lane in lanes} - {''}
    called = {make(model) for model in models for make in (names.folder_name, names.safe_name)}
    above = [folder, *(setting.download_folder() / name for name in sorted(called))]
    return [one for one in (path / FORMER_FOLDER for path in above) if one.is_dir()]


def find(
    db: Database, urls: Mapping[int, str], former: Sequence[Path], *, as_came: bool = False
) -> dict[int, dict[Path, str]]:
    """Return the files that are pictures, by their ids, found by these and by their addresses.

    Each is told with the SHA256 of its bytes as they came, '' if nobody knows; of those that are
    to be `as_came` none into which a prompt was put. Asked for many at once, as each question takes
    a while. Raises StorageError.
    """
    stems = {number: names.picture_stem(url) for number, url in urls.items()}
    found = {
        number: {one.path: one.came for one in files if not as_came or one.came == one.sha256}
        for number, files in saved.of_pictures(db, stems).items()
    }
    if former:
        for number, url in urls.items():
            for path in _lying(url, former):
                found.setdefault(number, {}).setdefault(path, '')
    return found


def _lying(url: str, former: Sequence[Path]) -> Iterator[Path]:
    for folder in former:
        for stem in names.picture_stems(url):
            there = presence.find(folder, stem)
            if there:
                yield there
