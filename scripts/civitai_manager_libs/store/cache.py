"""The picture cache: a folder of its own, bounded, shared by threads and programs.

What was shown last is told by the time of change of a file, which all programs see. The mark
remembers which pictures were there before it: they may be a person's own, whose programs give
such names too, so they are shown where they are asked for, and never counted or removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import AbstractSet, Callable, Iterable, Iterator

from .. import forks
from ..errors import StorageError
from . import files, media, parts
from .reasons import reason

MIB = 1024 * 1024
# Backup programs know this name and its first line, and leave such a folder out.
MARK = 'CACHEDIR.TAG'
_MARK_TEXT = (
    'Signature: 8a477f597d28d172789f06886806bc55\n'
    '# This folder is a picture cache of Civitai Gallery, which removes pictures from it.\n'
)
_BEFORE = '# What was here before, and stays:\n'
_PICTURE = re.compile(r'[0-9a-f]{40}(\.[0-9a-z]+)')
# What systems put into any folder they show or keep.
_LITTER = frozenset(
    '.ds_store thumbs.db desktop.ini .directory .localized lost+found .fseventsd .spotlight-v100 '
    '.trashes'.split()
)
# A folder is looked through again after so much of what it may hold came anew, and then emptied
# to so much of it: then looking through it costs little for each picture.
SCAN_AFTER = 1 / 16
TRIM_TO = 7 / 8
MAX_WATCHERS = 128


def picture_name(url: str) -> str:
    """Return the name in a picture cache of the picture at `url`; it depends on `url` alone."""
    digest = hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:40]
    suffix = os.path.splitext(url.partition('?')[0])[1].lower()
    return digest + (suffix if suffix in media.MEDIA_SUFFIXES else '.jpeg')


def is_picture(name: str) -> bool:
    """Tell whether a file of this name is a picture that a cache of ours keeps."""
    match = _PICTURE.fullmatch(name)
    return match is not None and match[1] in media.MEDIA_SUFFIXES


def serves(path: str | Path, folder: str | Path) -> bool:
    """Tell whether `path`, with links and dots resolved, is a picture of the cache `folder`."""
    try:
        real, place = Path(path).resolve(), Path(folder).resolve()
        return real.parent == place and is_picture(real.name) and real.is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def plain(folder: Path) -> Path:
    """Return `folder` without `..`, which the system cannot follow behind what is not there yet.

    A link before it is followed, as the system would. Raises OSError, ValueError.
    """
    return Path(os.path.realpath(folder)) if '..' in folder.parts else folder


def refusal(folder: Path) -> StorageError | None:
    """Return why `folder` may not be a picture cache, None if it may.

    It may if it is new, empty or marked as ours, or holds only what a cache of ours holds, and
    nobody can tell of a folder that lets nobody look. Whether it can be written is another
    question.
    """
    try:
        folder = plain(folder)
        # what stands where the folder is, or where it would be made
        there = next(filter(os.path.lexists, (folder, *folder.parents)), folder)
        if not os.path.isdir(there):
            return StorageError('error_cache_no_folder', folder=str(folder), name=str(there))
        if _is_marked(folder):
            return None
        with os.scandir(folder) as entries:
            strange = next((entry.name for entry in entries if not _is_usual(entry)), None)
    except FileNotFoundError:
        return None
    except OSError as error:
        return files.storage_error(error, folder)
    except ValueError as error:  # a name that no system takes
        return StorageError(folder=str(folder), reason=reason(error))
    if strange is None:
        return None
    return StorageError('error_cache_not_own', folder=str(folder), name=strange)


def _is_usual(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name.lower() in _LITTER or name.startswith(('._', '.nfs', '.Trash-')):
        return True
    ours = is_picture(name) or parts.is_part(name)  # but no mark: who asks knows it is not ours
    return ours and entry.is_file(follow_symlinks=False)


def _is_marked(folder: Path) -> bool:
    try:
        with files.opened(folder / MARK) as file:
            return file.read(len(_MARK_TEXT)) == _MARK_TEXT.encode('ascii')
    except OSError:
        return False


def _there_before(folder: Path) -> frozenset[str]:
    """The names of the pictures that were in `folder` before it was marked."""
    try:
        with files.opened(folder / MARK) as file:
            return frozenset(file.read().decode('ascii', 'replace').splitlines())
    except OSError:
        return frozenset()


def claim(folder: Path, *, trusted: bool = False) -> None:
    """Make the folder if need be and mark it as a picture cache of ours.

    `trusted`: all pictures in it are ours. Raises StorageError if it cannot be one.
    """
    with files.explained(folder):
        folder = plain(folder)
    _check(folder, trusted)
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _check(folder, trusted)  # it may have come, or changed, in the meantime
    if not _is_marked(folder):
        with files.part_file(folder / MARK) as part, files.explained(folder):
            before = [] if trusted else sorted(filter(is_picture, os.listdir(folder)))
            lines = [_BEFORE, *(f'{name}\n' for name in before)] if before else []
            part.write_text(''.join([_MARK_TEXT, *lines]), encoding='ascii', newline='')


def _check(folder: Path, trusted: bool) -> None:
    problem = None if trusted else refusal(folder)
    if problem:
        raise problem


class OnScreen:
    """The pictures that somebody looks at, which stay: what each one was shown last."""

    def __init__(self) -> None:
        self._paths: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = forks.Lock()

    def show(self, watcher: str, paths: Iterable[str]) -> None:
        """Note that `watcher` sees these pictures now, and no longer those before."""
        seen = tuple(paths)
        with self._lock:
            self._paths[watcher] = seen
            self._paths.move_to_end(watcher)
            while len(self._paths) > MAX_WATCHERS:  # somebody who went long ago
                self._paths.popitem(last=False)

    def forget(self, watcher: str) -> None:
        """Note that `watcher` is gone."""
        with self._lock:
            self._paths.pop(watcher, None)

    def names(self) -> set[str]:
        """The names of all pictures that are seen."""
        with self._lock:
            shown = tuple(self._paths.values())
        return {os.path.basename(path) for paths in shown for path in paths}


class PictureCache:
    """What is known in this process about one cache, or another folder of such pictures.

    deep: the pictures in folders below it count too. trusted: all of them are ours; else those
    that came since it was marked, or that this process put there.
    """

    def __init__(self, folder: Path, *, deep: bool = False, trusted: bool = True) -> None:
        self._folder = folder
        self._deep = deep
        self._trusted = trusted
        self._put: set[str] = set()
        self._lock = forks.Lock()
        self._size = -1  # as far as known; -1: nothing is
        self._new = 0  # bytes that came since it was looked through

    def claim(self) -> None:
        """Make its folder if need be and mark it, see `claim`. Raises StorageError."""
        claim(self._folder, trusted=self._trusted)

    def added(self, *paths: str) -> None:
        """Count pictures that have just been put there."""
        needs_names = not self._trusted and not _is_marked(self._folder)
        for path in paths:
            with suppress(OSError):
                size = os.stat(path).st_size
                with self._lock:
                    self._new += size
                    if needs_names:
                        self._put.add(os.path.basename(path))

    def shown(self, path: str) -> None:
        """Make a picture the one shown last."""
        with suppress(OSError):
            os.utime(path)

    def drop(self, path: str) -> None:
        """Remove a picture that cannot be shown, if it is surely ours."""
        if is_picture(os.path.basename(path)) and self._tells_ours()(os.path.basename(path)):
            with suppress(OSError):  # it may be open in a program on Windows, or gone
                os.unlink(path)

    def size(self) -> int:
        """Return how many bytes the pictures have, by looking."""
        return sum(size for _, size, _ in self._pictures())

    def fits(self, limit: int) -> bool:
        """Tell whether there are no more than `limit` bytes; it looks only where that may be."""
        with self._lock:
            return self._fits(limit)

    def bound(self, limit: int, keep: AbstractSet[str]) -> None:
        """Remove what was shown least recently if there are more than `limit` bytes.

        Pictures with names in `keep` stay, whatever their size.
        """
        with self._lock:
            if not self._fits(limit):
                self._remove(limit, int(limit * TRIM_TO), keep)

    def clear(self, keep: AbstractSet[str]) -> int:
        """Remove all pictures but those in `keep`; return how many bytes are left."""
        with self._lock:
            files.reclaim(self._folder)
            self._remove(0, 0, keep)
            return self._size

    def _fits(self, limit: int) -> bool:
        if self._size < 0 or self._new >= limit * SCAN_AFTER:
            self._size, self._new = self.size(), 0
        return self._size + self._new <= limit

    def _remove(self, limit: int, target: int, keep: AbstractSet[str]) -> None:
        found = sorted(self._pictures())
        self._size, self._new = sum(size for _, size, _ in found), 0
        if self._size <= limit:
            return
        for _, size, path in found:
            if self._size <= target:
                return
            if os.path.basename(path) not in keep:
                with suppress(OSError):  # it may be open in a program on Windows, or gone
                    os.unlink(path)
                    self._size -= size

    def _pictures(self) -> Iterator[tuple[float, int, str]]:
        """Yield (when it was shown last, bytes, path) of each picture that is surely ours."""
        is_ours = self._tells_ours()
        places: list[str] = [str(self._folder)]
        while places:
            with suppress(OSError), os.scandir(places.pop()) as entries:
                for entry in entries:
                    if self._deep and entry.is_dir(follow_symlinks=False):
                        places.append(entry.path)
                    elif is_picture(entry.name) and is_ours(entry.name):
                        with suppress(OSError):
                            found = os.lstat(entry.path)
                            if stat.S_ISREG(found.st_mode):
                                yield found.st_mtime, found.st_size, entry.path

    def _tells_ours(self) -> Callable[[str], bool]:
        """Return what tells whether a picture of some name is ours, whoever it could be."""
        if self._trusted:
            return lambda name: True
        if not _is_marked(self._folder):
            return self._put.__contains__
        before = _there_before(self._folder)
        return lambda name: name not in before


on_screen = OnScreen()
_caches: dict[tuple[str, bool], PictureCache] = {}


def at(folder: str | Path, *, deep: bool = False, trusted: bool = False) -> PictureCache:
    """Return what this process knows of the cache `folder`."""
    place = os.path.expanduser(folder)
    made = PictureCache(Path(place), deep=deep, trusted=trusted)
    return _caches.setdefault((place, trusted), made)
