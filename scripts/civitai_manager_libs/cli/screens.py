"""What is shown while it runs: bars for who watches, plain lines in a pipe, events for a program.

All of it goes to stderr; stdout is for what came of it.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from typing import Callable

from .. import setting, texts
from ..archive import jobs
from ..downloads.standing import JobReport

# A pipe is written to when it takes longer, and then now and then. Seconds.
FIRST_LINE, NEXT_LINE = 3.0, 10.0
FIRST_EVENT, NEXT_EVENT = 3.0, 1.0
LOG_FORMAT = '%(levelname)s %(message)s'


class Screen:
    """Shows nothing; the others show how far each job is."""

    def begin(self, source: str) -> None:
        """Begin to show a job, that of `source`."""

    def told(self, report: JobReport) -> None:
        """Show how far the job is."""

    def waiting(self, line: str) -> None:
        """Show what is waited for."""

    def notice(self, line: str) -> None:
        """Write what is to be known."""
        print(line, file=sys.stderr, flush=True)

    def log_format(self) -> logging.Formatter:
        """Return how lines of the log are written."""
        return logging.Formatter(LOG_FORMAT)

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

    def __init__(self, first: float, following: float, write: Callable[[JobReport], None]) -> None:
        self._first, self._following, self._write = first, following, write
        self._next, self._last = math.inf, {'': 0}

    def begin(self, source: str) -> None:
        """Begin to count the time."""
        self._source = source
        self._next, self._last = time.monotonic() + self._first, {'': 0}

    def told(self, report: JobReport) -> None:
        """Write, if it is time."""
        now, counts = time.monotonic(), counts_of(report)
        if now >= self._next and counts != self._last:
            self._next, self._last = now + self._following, counts
            self._write(report)


class Lines(_InTime):
    """Plain lines, for a log."""

    def __init__(self) -> None:
        super().__init__(FIRST_LINE, NEXT_LINE, self._line)

    def _line(self, report: JobReport) -> None:
        counts = counts_of(report)
        mib = f'{counts.pop("bytes") / 2**20:.1f}'
        line = texts.text('cli_so_far', setting.language, mib=mib, **counts)
        print(f'{self._source}: {line}', file=sys.stderr, flush=True)


class Events(_InTime):
    """An object of JSON a line, for a program."""

    def __init__(self) -> None:
        super().__init__(FIRST_EVENT, NEXT_EVENT, self._event)
        self._source = ''

    def _event(self, report: JobReport) -> None:
        seconds = round(report.seconds, 3)
        self._put({'event': 'progress', **counts_of(report), 'seconds': seconds})

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
