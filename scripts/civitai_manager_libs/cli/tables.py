"""What `export` and `import-table` do: tables of pictures, written and taken in again."""

from __future__ import annotations

import glob
import json
import sys
from collections import Counter
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Sequence, cast

from .. import setting, texts
from ..archive.place import archive
from ..civitai import urls
from ..civitai.gallery import ceiling_of
from ..civitai.source import parse_source
from ..downloads import beginning, exporting, importing
from ..downloads.wanted import Wanted
from ..ending import ExitCode
from ..errors import CivitaiError, SourceError
from ..store import parquet, tables
from ..store.parquet import Row
from . import gallery, options, running, saying
from .running import Manner, Work
from .telling import Part, Reason, code_of

STDOUT = '-'
_COUNTS = 'missing', 'unlisted', 'refused'


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)


def _say(line: str, to_stderr: bool) -> None:
    saying.say(line, to_stderr=to_stderr)


# --- export --------------------------------------------------------------------------------------


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    if sys.stdout is None:  # the shell closed it
        raise CivitaiError('table_pipe_closed')
    out = sys.stdout.buffer
    with tables.stream('stdout'):
        yield cast(BinaryIO, saying.Screen(out)) if sys.stdout.isatty() else out
        out.flush()


@dataclass
class _Export:
    """A table that is written: of `part`, as `form`, to a file or stdout; how far it came.

    The file `is_left_as_it_was` where there are no rows.
    """

    part: Part
    form: str
    output: str
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    is_left_as_it_was: bool = False

    @property
    def is_piped(self) -> bool:
        """Whether stdout is for the table."""
        return self.output == STDOUT

    def write(self, groups: Iterator[Sequence[Row]]) -> None:
        """Write all rows; without any there is no file. Raises StorageError, and as `groups`."""
        first = next(filter(None, groups), ())
        if not (first or self.is_piped or tables.is_pipe(Path(self.output))):
            self.is_left_as_it_was = True
            return
        with self._opened() as file, tables.writer(self.form, file, exporting.COLUMNS) as write:
            for some in chain([first], groups):
                write(some)
                self.rows += len(some)

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        if self.is_piped:
            return _stdout()
        return tables.file_for(Path(self.output))

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""
        part = self.part
        told = part.as_json() if part.refusal or part.report else {}
        names = ('error', 'hidden', 'gaps', 'asked', 'notes')
        return {
            'rows': self.rows,
            'format': self.form,
            'output': self.output,
            **{name: self.counts[name] for name in _COUNTS},
            'complete': self.code == ExitCode.COMPLETE,
            'reason': self.reason,
            **{name: told[name] for name in names if name in told},
        }

    @property
    def reason(self) -> str:
        """Why it ended as it did."""
        if self.part.was_stopped:
            return Reason.INTERRUPTED.value
        if self.part.report is None and self.part.refusal is None:  # of a folder
            return Reason.COMPLETE.value
        found = self.part.reason
        is_part = found is Reason.FAILED and self.part.refusal is None and self.rows
        return Reason.INCOMPLETE.value if is_part else found.value

    @property
    def code(self) -> int:
        """The exit code, unless a signal ended it."""
        return code_of(Reason(self.reason))

    def lines(self) -> Iterator[str]:
        """What went wrong or is to be known, for a person."""
        if self.is_left_as_it_was:
            yield _text('cli_export_nothing', output=self.output)
        yield from self.part.problems()
        for name in _COUNTS:
            if self.counts[name]:
                yield _text(f'cli_export_{name}', count=self.counts[name])


def export(wanted: Wanted, level: str | None, form: str | None, output: str, manner: Manner) -> int:
    """Write a table of the pictures of a gallery, or of a folder that was kept.

    Of a folder it is what lies there, whatever the setting says of maturity; `level` counts.
    """
    form = options.table_form(form, output)
    folder = Path(wanted.source)
    is_folder = '://' not in wanted.source and _is_folder(folder)
    if is_folder and (wanted.sort or wanted.period or wanted.tags or wanted.tag_names):
        raise options.wrong('cli_export_folder_order')
    wanted = replace(wanted, levels=0 if is_folder and not level else gallery.wanted_level(level))
    if output == STDOUT and form == 'parquet' and sys.stdout and sys.stdout.isatty():
        raise options.wrong('cli_export_terminal')
    if output != STDOUT and not _is_folder(Path(output).parent):
        raise options.wrong('cli_export_no_folder', folder=Path(output).parent)
    shown = urls.shown(wanted.source.strip())
    done = _Export(Part(shown, '', ceiling_of(wanted.levels), only_listed=True), form, output)

    def do(work: Work) -> None:
        try:
            tables.check(form)
            if is_folder:
                _export_folder(done, folder, wanted, work)
            else:
                _export_gallery(done, wanted, work)
        except CivitaiError as error:
            done.part = replace(done.part, refusal=None if work.stop.is_set() else error)

    number = running.alone(manner, do)
    if number:
        done.part = replace(done.part, was_stopped=True)
    _tell_export(done, manner, bool(number))
    return 128 + number if number else done.code


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _export_folder(done: _Export, folder: Path, wanted: Wanted, work: Work) -> None:
    db = archive()
    groups = exporting.of_folder(db, folder, wanted, work.stop, done.counts)
    first = next(groups, None)
    if first is None:
        raise SourceError('cli_export_folder_unknown', folder=folder)

    done.write(chain([first], groups))


def _export_gallery(done: _Export, wanted: Wanted, work: Work) -> None:
    try:
        parse_source(wanted.source, setting.civitai_base_url)
    except SourceError:
        if '://' in wanted.source:
            raise
        raise SourceError('cli_export_no_source', source=done.part.source) from None
    work.screen.begin(done.part.source)
    done.part = replace(done.part, gallery=beginning.opened(work.client, wanted))
    with gallery.only_listed(work, done.part, wanted) as (part, listed):
        done.part = part
        if part.refusal is None and part.report is not None:
            groups = exporting.of_job(listed, part.report.job.id, archive(), work.stop, done.counts)
            done.write(groups)


def _tell_export(done: _Export, manner: Manner, was_stopped: bool) -> None:
    """Say what was written, on stderr where stdout has the table."""
    if manner.as_json:
        _say(json.dumps(done.as_json()), done.is_piped)
        return
    if was_stopped:
        key = 'cli_export_cut_off' if done.is_piped else 'cli_export_stopped'
        _say(_text(key, rows=done.rows, output=done.output), True)
        return
    if done.part.refusal is None and not manner.quiet and not done.is_left_as_it_was:
        key = 'cli_exported_to_pipe' if done.is_piped else 'cli_exported'
        _say(_text(key, rows=done.rows, output=done.output), done.is_piped)
    for line in done.lines():
        _say(line, True)


# --- import-table --------------------------------------------------------------------------------


def import_tables(given: Sequence[str], manner: Manner) -> int:
    """Take into the archive what img2dataset kept, by its tables."""
    parquet.check()
    found = _tables_in(given)
    account = importing.Account()
    problems: list[str] = []

    def do(work: Work) -> None:
        for table in found:
            try:
                importing.take_in(archive(), table, account, work.stop)
            except CivitaiError as error:
                if work.stop.is_set():
                    return
                problems.append(error.message_in(setting.language))

    number = running.alone(manner, do)
    is_complete = account.is_complete and not problems and not number
    reason = 'interrupted' if number else 'complete' if is_complete else 'incomplete'
    if manner.as_json:
        _say(json.dumps(_import_as_json(account, problems, len(found), reason)), False)
    else:
        _tell_import(account, problems, manner, bool(number))
    return 128 + number if number else int(not is_complete)


def _tables_in(given: Sequence[str]) -> list[Path]:
    """The tables that are named: files, folders of them, patterns that the shell left as they are.

    Raises BadParameter for what is none of that.
    """
    found: list[Path] = []
    for one in given:
        path = Path(one)
        if _is_folder(path):
            some = sorted(path.glob('*.parquet'))
        elif path.is_file():
            some = [path]
        else:
            some = sorted(map(Path, glob.glob(one)))
        if not some:
            raise options.wrong('cli_import_no_tables', name=one)
        found += some
    return list(dict.fromkeys(found))


def _import_as_json(
    account: importing.Account, problems: Sequence[str], count: int, reason: str
) -> dict[str, Any]:
    return {
        'tables': count,
        **{name: account.counts[name] for name in importing.OUTCOMES},
        'causes': dict(account.causes.most_common()),
        'refusals': {
            key.removeprefix('import_'): number for key, number in account.refusals.items()
        },
        'problems': list(problems),
        'complete': reason == 'complete',
        'reason': reason,
    }


def _tell_import(
    account: importing.Account, problems: Sequence[str], manner: Manner, was_stopped: bool
) -> None:
    counts = {name: account.counts[name] for name in importing.OUTCOMES}
    for line in problems:
        _say(line, True)
    for cause, number in account.causes.most_common():
        _say(_text('cli_import_cause', count=number, cause=cause), True)
    for key, number in account.refusals.most_common():
        _say(_text(key, count=number), True)
    for name in (importing.MISSING, importing.PACKED):
        if counts[name]:
            _say(_text(f'cli_import_{name}', count=counts[name]), True)
    if was_stopped:
        _say(_text('cli_import_stopped', **counts), True)
    elif not manner.quiet:
        _say(_text('cli_imported', **counts), False)
        if counts[importing.FAILED] or counts[importing.MISSING]:
            _say(_text('cli_import_way_on'), False)
