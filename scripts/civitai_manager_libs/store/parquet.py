"""Tables in Parquet, written and read some rows at a time, where pyarrow is installed.

pyarrow is no requirement of ours: it is large, and loaded only for a table of this kind.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, Mapping, Sequence

from ..errors import CivitaiError, WrongContentError
from . import files

Row = Mapping[str, 'str | int']

_AT_ONCE = 200
_MAGIC = b'PAR1'  # how each such file begins and ends


def check() -> None:
    """Raise CivitaiError, which says what to do, where pyarrow is not installed."""
    if importlib.util.find_spec('pyarrow') is None:
        raise CivitaiError('parquet_needs_pyarrow', python=sys.executable)


class _Sink:
    """A file that is written from its beginning to its end; a pipe does not tell how far it is."""

    closed = False

    def __init__(self, to: BinaryIO) -> None:
        self._to = to
        self._written = 0

    def write(self, data: Any) -> int:
        """Write `data`; return how many bytes these are."""
        content = memoryview(data)
        self._to.write(content)
        self._written += content.nbytes
        return content.nbytes

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._written

    def flush(self) -> None:
        """Hand on what was written."""
        self._to.flush()

    def close(self) -> None:
        """Leave it to the owner of the file."""


@contextmanager
def writer(to: BinaryIO, columns: Mapping[str, type]) -> Iterator[Callable[[Sequence[Row]], None]]:
    """Give what writes rows to the open file `to`; the table is whole once the block has ended."""
    import pyarrow
    import pyarrow.parquet

    kinds = {str: pyarrow.string(), int: pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with pyarrow.parquet.ParquetWriter(_Sink(to), schema) as table:
        yield lambda rows: table.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))


def rows(path: Path, columns: Sequence[str]) -> Iterator[list[Mapping[str, object]]]:
    """Yield the rows of a table, some at a time, with those of `columns` that it has.

    What stands in them may be of any type. Raises WrongContentError if it is no such table.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with files.opened(path) as file:  # which waits for no pipe
            if not _MAGIC.startswith(file.read(len(_MAGIC))):
                raise WrongContentError('table_no_parquet', name=path)
            file.seek(0)
            table = pyarrow.parquet.ParquetFile(file)
            named = [name for name in columns if name in table.schema_arrow.names]
            for batch in table.iter_batches(_AT_ONCE, columns=named, use_threads=False):
                yield batch.to_pylist()
    except (OSError, ValueError, OverflowError, pyarrow.ArrowException) as error:
        raise WrongContentError('table_unreadable', name=path) from error
