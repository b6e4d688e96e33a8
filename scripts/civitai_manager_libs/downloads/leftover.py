"""What is left of a file that did not come whole, for the time when it is gone on with."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from ..errors import StorageError
from ..store import files, weights
from ..store.partial import Partial
from .pieces import Pieces, Span, readable_spans

MIB = 1024 * 1024


@dataclass(frozen=True)
class Expected:
    """What a file is to be: `size` in bytes about, 0 if unknown; `sha256` in lower case or ''.

    `mark` tells it from all other files that could have the same name.
    """

    name: str
    mark: str
    size: int = 0
    sha256: str = ''
    tolerance: int = 0

    def is_as_long_as(self, size: int) -> bool:
        """Tell whether it may have `size` bytes."""
        return not self.size or abs(self.size - size) <= self.tolerance


def mark_of(version_id: int, file_id: int) -> str:
    """Return what tells a file of a version from all others."""
    return f'{version_id}/{file_id}'


def is_of_another(part: Partial, mark: str) -> bool:
    """Tell whether another file than that of `mark` can be gone on with there."""
    return part.known().get('mark', mark) != mark


def is_claimed(target: Path, mark: str) -> bool:
    """Tell whether what is left of another file than that of `mark` is going to be `target`.

    Or a model that is called the same but for its ending, as what lies beside them would be one.
    """
    ending = target.suffix
    endings = weights.MODEL_SUFFIXES if ending in weights.MODEL_SUFFIXES else (ending,)
    return any(is_of_another(Partial(target.with_suffix(one)), mark) for one in endings)


def taken_over(part: Partial, expected: Expected) -> tuple[str, Pieces] | None:
    """Return the validator of what is there of this very file, and the pieces; None if it is not.

    It is the same if all that was noted of it agrees with what is expected now.
    """
    known = part.known()
    size, name = known.get('size'), known.get('validator')
    is_same = known.get('mark') == expected.mark and known.get('sha256') == expected.sha256
    if not (is_same and isinstance(size, int) and isinstance(name, str) and name):
        return None
    spans = readable_spans(known.get('done'), size)
    if not spans or not expected.is_as_long_as(size):
        return None
    with files.explained(part.target.parent):
        is_there = part.path.stat().st_size >= max(end for _, end in spans)
    return (name, Pieces(size, spans)) if is_there else None


def note(
    part: Partial, expected: Expected, validator: str, total: int, done: Sequence[Span]
) -> None:
    """Note what is there of a file; never raises, as then only less is known the next time."""
    known = {
        'mark': expected.mark,
        'sha256': expected.sha256,
        'size': total,
        'validator': validator,
        'done': [list(span) for span in done],
    }
    with suppress(StorageError):
        if not expected.sha256:  # nobody would notice what a power cut took
            part.settle()
        part.note(known)


def check_room(part: Partial, size: int) -> None:
    """Raise StorageError if the disk has no room for a file of `size` bytes in place of `part`.

    Its folder need not be there yet.
    """
    folder = part.target.parent.absolute()
    with files.explained(folder):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(there).free
        with suppress(OSError, AttributeError):
            free += part.path.stat().st_blocks * 512
    if free < size:
        needed = -(-size // MIB)
        raise StorageError('model_no_room', folder=str(folder), needed=needed, free=free // MIB)
