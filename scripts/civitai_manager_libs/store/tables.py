"""Tables that are written as their rows come, in a format of machines or of spreadsheets.

The text of strangers that a spreadsheet would take for a formula gets a ' in CSV, by which it is
text there; the other formats have each text as it is.
"""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, Mapping, Sequence

from ..civitai import meta as meta_of
from ..errors import CivitaiError
from . import files, parquet
from .parquet import Row

FORMATS = ('jsonl', 'csv', 'parquet')

# What OWASP names as the beginnings of formulas ("CSV Injection"), wide ones included.
_FORMULA = tuple('=+-@\t\r\n＝＋－＠')

Write = Callable[[Sequence[Row]], None]


def check(form: str) -> None:
    """Raise CivitaiError if tables of that format cannot be written here."""
    if form == 'parquet':
        parquet.check()


@contextmanager
def file_for(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write to: it is called `target` once it is whole, else nothing is there.

    A link stays one, and a pipe or device of that name is written to as it is. Raises StorageError,
    and as `stream`.
    """
    if is_pipe(target):
        with stream(target.name), target.open('wb') as file:
            yield file
        return
    final = Path(os.path.realpath(target))
    with files.part_file(final) as part, files.explained(final.parent), part.open('wb') as file:
        yield file


@contextmanager
def stream(name: str) -> Iterator[None]:
    """Explain inside why a pipe or device called `name` cannot be written to.

    Raises CivitaiError if who read it has left, else StorageError.
    """
    with files.explained(Path(name)):
        try:
            yield
        except BrokenPipeError:
            raise CivitaiError('table_pipe_closed') from None


def is_pipe(path: Path) -> bool:
    """Tell whether a pipe, device or open file (as /dev/stdout) is called `path`."""
    try:
        mode = os.stat(path).st_mode
        while os.path.islink(path):
            path = Path(os.path.realpath(path.parent)) / path.name
            if path.is_relative_to('/proc'):
                return True
            path = path.parent / os.readlink(path)
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def writer(form: str, to: BinaryIO, columns: Mapping[str, type]) -> Iterator[Write]:
    """Give what writes rows to the open file `to`; all is written once the block has ended.

    Each row has all of `columns`, text or whole numbers.
    """
    if form == 'parquet':
        with parquet.writer(to, columns) as write:
            yield lambda rows: write([_clean(row) for row in rows])
    elif form == 'csv':
        to.write(_csv([columns]))
        yield lambda rows: _put(to, _csv([map(_as_text, row.values()) for row in rows]))
    else:
        yield lambda rows: _put(to, b''.join(map(_json_line, rows)))
    to.flush()


def _put(to: BinaryIO, content: bytes) -> None:
    to.write(content)


def _clean(row: Row) -> dict[str, str | int]:
    """The same without what UTF-8 cannot hold: half of a character."""
    return {k: meta_of.clean(v) if isinstance(v, str) else v for k, v in row.items()}


def _json_line(row: Row) -> bytes:
    return (json.dumps(_clean(row), ensure_ascii=False) + '\n').encode()


def _csv(rows: Sequence[object]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, lineterminator='\n').writerows(rows)  # type: ignore[arg-type]
    return lines.getvalue().encode()


def _as_text(value: str | int) -> str | int:
    if not isinstance(value, str):
        return value
    text = meta_of.clean(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
