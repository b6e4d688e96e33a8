"""Where gradio serves pictures from: in the app a private folder of ours, in a WebUI the host's.

gradio serves every file of that folder, so it holds only what is shown.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

from .. import setting, widgets
from ..errors import StorageError
from ..store import cache, files, private
from ..store.reasons import reason

VARIABLE = 'GRADIO_TEMP_DIR'
# Pictures that are no longer shown stay for a while, as a page may still be on its way.
ROOM_MIB = 64
_PREFIX = 'civitai-gallery-shown-'
_USER = os.getuid() if hasattr(os, 'getuid') else 0


@dataclass
class _Room:
    """The folder of this process; nobody clears it away while `handle` is held.

    before: what the environment named before it.
    """

    folder: Path
    handle: int | None
    before: str | None


_rooms: list[_Room] = []


def move_in() -> None:
    """Make a folder closed to others, name it to gradio, and clear away what earlier runs left.

    For the app alone. Raises StorageError if it cannot be made.
    """
    if _rooms:
        return
    place = _place(os.environ.get(VARIABLE, '').strip())
    folder = place / f'{_PREFIX}{_USER}-{secrets.token_hex(8)}'
    with _explained(place):
        place.mkdir(parents=True, exist_ok=True)
        _clear_away(place)
        handle = private.hold(_lock_of(folder))
        folder.mkdir(mode=0o700)
    _rooms.append(_Room(folder, handle, os.environ.get(VARIABLE)))
    os.environ[VARIABLE] = str(folder)
    widgets.use_folder(str(folder))


def move_out() -> None:
    """Remove the folder at the end of the app. Never raises."""
    while _rooms:
        room = _rooms.pop()
        os.environ.pop(VARIABLE, None)
        if room.before is not None:
            os.environ[VARIABLE] = room.before
        shutil.rmtree(room.folder, ignore_errors=True)
        if room.handle is not None:
            private.let_go(_lock_of(room.folder), room.handle)


def shown(paths: Sequence[str], keep: str) -> list[str]:
    """Return the paths that gradio can show: those of pictures of the cache are where it serves.

    `keep` is a picture of the program itself, which is left where it is.
    Raises StorageError if there is no room for them.
    """
    pictures = [path for path in paths if path != keep]
    if not _rooms:
        _check_host_folder(pictures)
        return list(paths)
    folder = _rooms[0].folder / 'shown'
    with _explained(folder):
        for place in (folder.parent, folder):
            place.mkdir(mode=0o700, exist_ok=True)
        placed = [path if path == keep else _placed(Path(path), folder) or keep for path in paths]
    seen = cache.on_screen.names() | {os.path.basename(path) for path in placed}
    room = cache.at(_rooms[0].folder, deep=True, trusted=True)
    room.bound(min(setting.cache_limit(), ROOM_MIB * cache.MIB), seen)
    return placed


def clear() -> None:
    """Remove what nobody looks at any more, so that the disk has its room again. Never raises."""
    for room in _rooms:
        cache.at(room.folder, deep=True, trusted=True).clear(cache.on_screen.names())


def _placed(picture: Path, folder: Path) -> str:
    """Put `picture` into `folder` too, as another name of the same file where that is possible.

    Returns '' if the picture is gone. Raises OSError.
    """
    target = folder / picture.name
    if not target.is_file():
        try:
            os.link(picture, target)
        except OSError:  # another disk, or one that has no such names
            if not picture.is_file():
                return ''
            with files.part_file(target) as part:
                shutil.copyfile(picture, part)
        cache.at(folder.parent, deep=True, trusted=True).added(str(target))
    return str(target)


def _check_host_folder(pictures: Sequence[str]) -> None:
    """Raise StorageError if gradio cannot copy pictures: it would show nothing and say nothing."""
    if not pictures:
        return
    folder = Path(os.environ.get(VARIABLE) or Path(tempfile.gettempdir()) / 'gradio')
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            size = sum(os.path.getsize(path) for path in pictures if os.path.isfile(path))
        files.check_space(folder, size)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = reason(error)
        raise StorageError('error_temporary', folder=str(folder), reason=why) from error


def _place(given: str) -> Path:
    """Return the first usual place whose real path has no part that begins with a dot.

    gradio 3.41.2 serves nothing from a path with such a part.
    """
    places = [Path(given)] if given else []
    places += [Path(setting.data_folder) / 'gradio', Path(tempfile.gettempdir())]
    if os.name == 'posix':
        places.append(Path('/var/tmp'))
    real = [place.expanduser().resolve() for place in places]
    fitting = [place for place in real if not any(p.startswith('.') for p in place.parts)]
    return (fitting or real)[0]


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f'{folder.name}.lock')


def _clear_away(place: Path) -> None:
    """Remove the folders of runs that have ended, our own account's only."""
    prefix = f'{_PREFIX}{_USER}-'
    with os.scandir(place) as entries:
        names = {e.name.removesuffix('.lock') for e in entries if e.name.startswith(prefix)}
    for name in names:
        folder = place / name
        with suppress(OSError):
            handle = private.hold(_lock_of(folder))
            if handle is not None:
                if folder.is_dir() and not folder.is_symlink():
                    shutil.rmtree(folder, ignore_errors=True)
                private.let_go(_lock_of(folder), handle)
