"""What is shown while it runs: bars for who watches, plain lines in a pipe, events for a program.

All of it goes to stderr; stdout is for what came of it.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time

from .. import setting, texts
from ..archive import jobs
from ..downloads.standing import JobReport
from ..library.scan import Progress
from . import saying

# A pipe is written to when it takes longer, and then now and then. Seconds.
FIRST_LINE, NEXT_LINE = 3.0, 10.0
FIRST_EVENT, NEXT_EVENT = 3.0, 1.0
# The stage of a file that is fetched; the others are those of a scan.
FETCHING = 'fetching'
LOG_FORMAT = '%(levelname)s %(message)s'


class Screen:
    """Shows nothing; the others show how far each job is.

    `far` is what it heard last of something that goes through files; None before that.
    """

    far: Progress | None = None

    def begin(self, source: str) -> None:
        """Begin to show a job, that of `source`."""

    def told(self, report: JobReport) -> None:
        """Show how far the job is."""

    def moved(self, now: Progress) -> None:
        """Show how far something is that goes through files, or fetches one."""
        self.far = now

    def waiting(self, line: str) -> None:
        """Show what is waited for."""

    def notice(self, line: str) -> None:
        """Write what is to be known."""
        saying.say(line, to_stderr=True)

    def log_format(self) -> logging.Formatter:
        """Return how lines of the log are written."""
        return saying.Records(LOG_FORMAT)

    def end(self) -> None:
        """Take away what shows the job."""


def counts_of(report: JobReport) -> dict[str, int]:
    """Return how far a job is, in numbers."""
    now = report.progress
    states = {'saved': jobs.SAVED, 'already': jobs.ALREADY, 'failed': jobs.FAILED}
    return {
        'pages': now.pages,
        'found': now.found,
        **{name: now.count(state) for name, state in states.items()},
        'gone': now.count(jobs.GONE),
        'bytes': report.size,
    }


class _InTime(Screen):
    """Writes after `first` seconds, then every `following` seconds, if anything changed."""

    def __init__(self, first: float, following: float) -> None:
        self._first, self._following = first, following
        self._next, self._last = math.inf, object()

    def begin(self, source: str) -> None:
        """Begin to count the time."""
        self._source = source
        self._begun = time.monotonic()
        self._next, self._last = self._begun + self._first, object()

    def told(self, report: JobReport) -> None:
        """Write, if it is time."""
        if self._is_time(counts_of(report)):
            self._write(report)

    def moved(self, now: Progress) -> None:
        """Write, if it is time."""
        super().moved(now)
        if self._is_time(now):
            self._write_moved(now)

    def _is_time(self, state: object) -> bool:
        now = time.monotonic()
        if now < self._next or state == self._last:
            return False
        self._next, self._last = now + self._following, state
        return True

    def _write(self, report: JobReport) -> None:
        """Write how far a job is."""

    def _write_moved(self, now: Progress) -> None:
        """Write how far something else is."""


class Lines(_InTime):
    """Plain lines, for a log."""

    def __init__(self) -> None:
        super().__init__(FIRST_LINE, NEXT_LINE)

    def _write(self, report: JobReport) -> None:
        counts = counts_of(report)
        mib = f'{counts.pop("bytes") / 2**20:.1f}'
        line = texts.text('cli_so_far', setting.language, mib=mib, **counts)
        saying.say(f'{self._source}: {line}', to_stderr=True)

    def _write_moved(self, now: Progress) -> None:
        saying.say(f'{self._source}: {moved_told(now)}', to_stderr=True)


def moved_told(now: Progress) -> str:
    """Return in words how far something is that goes through files, or fetches one."""
    of_files = now.stage != FETCHING
    return texts.text(
        f'cli_moved_{now.stage}',
        setting.language,
        done=now.done,
        total=now.total or '?',
        mib=f'{now.bytes_done / 2**20:.1f}',
        of=f'{now.bytes_total / 2**20:.1f}' if now.bytes_total or of_files else '?',
    )


def moved_row(now: Progress) -> dict[str, object]:
    """Return the same for a program."""
    counts = {'stage': now.stage, 'done': now.done, 'total': now.total}
    return {**counts, 'bytes': now.bytes_done, 'size': now.bytes_total}


class Events(_InTime):
    """An object of JSON a line, for a program."""

    def __init__(self) -> None:
        super().__init__(FIRST_EVENT, NEXT_EVENT)
        self._source = ''

    def _write(self, report: JobReport) -> None:
        seconds = round(report.seconds, 3)
        self._put({'event': 'progress', **counts_of(report), 'seconds': seconds})

    def _write_moved(self, now: Progress) -> None:
        seconds = round(time.monotonic() - self._begun, 3)
        self._put({'event': 'progress', **moved_row(now), 'seconds': seconds})

    def waiting(self, line: str) -> None:
        """Write an event, unless all is short."""
        if time.monotonic() >= self._next - self._following:  # what is short is not told
            self._put({'event': 'waiting', 'text': line})

    def notice(self, line: str) -> None:
        """Write an event."""
        self._put({'event': 'notice', 'text': line})

    def log_format(self) -> logging.Formatter:
        """Return what makes an event of a line of the log, however many lines that has."""
        return _LogEvents(LOG_FORMAT)

    def _put(self, event: dict[str, object]) -> None:
        told = {**event, 'source': self._source} if self._source else event
        print(json.dumps(told), file=sys.stderr, flush=True)


class _LogEvents(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({'event': 'notice', 'text': super().format(record)})
