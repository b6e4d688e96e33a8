"""How a picture was made, written into its own file where it is not there yet.

No pixel is decoded or encoded: bytes are put between those that are there. A process that is
killed leaves the old file or the new one.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Callable, Iterable, NamedTuple

from ..civitai import inside, meta
from . import carriers, embedded, ends, files, media
from .carriers import Edit, Embedded

__all__ = ['Draft', 'Embedded', 'can_carry', 'foreseen', 'in_draft', 'with_infotext']

_BLOCK_BYTES = 1024 * 1024
_BUFFER_BYTES = 128 * 1024


def can_carry(kind: media.MediaType | None) -> bool:
    """Tell whether files of a `kind` carry texts that programs read."""
    return kind in carriers.KINDS


def with_infotext(path: Path, infotext: str | Callable[[], str]) -> Embedded:
    """Put `infotext` into the picture at `path`; return what became of it.

    A function is asked for the text only if the file could take one, as to make it takes a while.
    A file that tells how it was made stays as it is to the byte, and so does every one that cannot
    take the text. What else is in the file stays: profile, other tags, graphs, animation, even
    what stands behind its end. A PNG gets the chunk `parameters`, JPEG and WebP a user comment in
    Exif, as a WebUI writes and reads them. Raises StorageError.
    """
    if isinstance(infotext, str) and not meta.clean(infotext).strip():
        return Embedded.NOTHING
    with files.explained(path.parent), ExitStack() as drafts:
        with _opened(path) as file:
            plan = _plan(file, infotext)
            if isinstance(plan, Embedded):
                return plan
            part = drafts.enter_context(files.draft(path, path.suffix))
            with part.open('wb', buffering=_BUFFER_BYTES) as target:
                _copy(file, target, plan)
        shutil.copymode(path, part)
        files.place(part, path)
    return Embedded.WRITTEN


class Draft(NamedTuple):
    """What became of a text that was to go into a draft.

    came, sha256: the SHA-256 of its bytes before and after that.
    """

    outcome: Embedded
    came: str
    sha256: str


def in_draft(path: Path, infotext: str | Callable[[], str]) -> Draft:
    """The same for a draft, which nobody else knows yet and which is lost if we are killed.

    One that could not be written to is what it was before, or not there any more. Raises
    StorageError.
    """
    with files.explained(path.parent):
        with path.open('r+b', buffering=0) as file:
            found = os.fstat(file.fileno())
            if found.st_nlink > 1 or found.st_size > _BLOCK_BYTES:
                return _replaced(path, infotext)
            data = file.read(_BLOCK_BYTES + 1)
            came = hashlib.sha256(data).hexdigest()
            plan = _plan(io.BytesIO(data), infotext)
            if isinstance(plan, Embedded):
                return Draft(plan, came, came)
            changed = io.BytesIO()
            _copy(io.BytesIO(data), changed, plan)
            try:
                _write(file, changed.getbuffer()[plan[0].at :], plan[0].at)
            except OSError:
                _restore(path, file, data)
                raise
    return Draft(Embedded.WRITTEN, came, hashlib.sha256(changed.getbuffer()).hexdigest())


def _replaced(path: Path, infotext: str | Callable[[], str]) -> Draft:
    """The same for what is large, or the file of another picture too. Raises OSError as well."""
    came = _sha256_of(path)
    outcome = with_infotext(path, infotext)
    return Draft(outcome, came, _sha256_of(path) if outcome is Embedded.WRITTEN else came)


def _sha256_of(path: Path) -> str:
    with FileIO(path) as file:
        return files.sha256_of(file)


def _restore(path: Path, file: FileIO, data: bytes) -> None:
    """Have the old content in `file`, or no file: what is neither must not get a name."""
    try:
        _write(file, memoryview(data), 0)
    except OSError:
        path.unlink()


def _write(file: FileIO, content: memoryview, at: int) -> None:
    file.seek(at)
    while content:
        content = content[file.write(content) :]
    file.truncate()


def foreseen(path: Path, infotext: str | Callable[[], str]) -> Embedded:
    """Return what `with_infotext` would make of the picture at `path`. Raises StorageError."""
    with files.explained(path.parent), _opened(path) as file:
        plan = _plan(file, infotext)
        return plan if isinstance(plan, Embedded) else Embedded.WRITTEN


def _opened(path: Path) -> BinaryIO:
    """The file at `path`, in memory where it is small: to ask the system takes a while."""
    file = files.opened(path)
    if os.fstat(file.fileno()).st_size > _BLOCK_BYTES:
        return file
    with file:
        return io.BytesIO(file.read())


def _plan(file: BinaryIO, infotext: str | Callable[[], str]) -> tuple[Edit, ...] | Embedded:
    seen = files.look_into(file)
    if not can_carry(seen.kind):
        return Embedded.NO_KIND
    file.seek(0)
    found = embedded.texts_in(file)
    if inside.own_text(found) and seen.end is not ends.End.SHORT:
        return Embedded.ALREADY
    text = meta.clean(infotext if isinstance(infotext, str) else infotext())
    if not text.strip():
        return Embedded.NOTHING
    if seen.end is ends.End.SHORT:
        return Embedded.UNSAFE
    comment = found.get('UserComment', '')
    if comment.strip() == text.strip():
        return Embedded.ALREADY
    # in a PNG a WebUI would show it and not the chunk, even if it is blank
    if comment if seen.kind is media.PNG else comment.strip():
        return Embedded.OCCUPIED

    def read(at: int, count: int) -> bytes:
        file.seek(at)
        return file.read(count)

    return carriers.edits(read, seen.size, text)


def _copy(source: BinaryIO, target: BinaryIO, plan: Iterable[Edit]) -> None:
    """Write what `source` has to `target`, with the edits of `plan`, which are in order."""
    source.seek(0)
    for edit in plan:
        left = edit.at - source.tell()
        while left > 0:
            block = source.read(min(left, _BLOCK_BYTES))
            if not block:
                raise OSError('the file was cut meanwhile')
            target.write(block)
            left -= len(block)
        target.write(edit.put)
        source.seek(edit.gone, 1)
    shutil.copyfileobj(source, target, _BLOCK_BYTES)
