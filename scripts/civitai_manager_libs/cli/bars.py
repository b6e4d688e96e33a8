"""Bars on a terminal: pages, pictures, bytes, rate, the time that is left, what is waited for.

rich is loaded where there is a terminal to show them on, and only then.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from .. import setting, texts
from ..downloads.standing import JobReport
from ..library.scan import Progress
from . import saying, screens

_PER_SECOND = 8
NAME_CHARACTERS = 16


class Bars(screens.Screen):
    """One bar, for the job that runs."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress: Any = Progress(
            SpinnerColumn(),
            TextColumn('{task.description}', markup=False),
            BarColumn(bar_width=None),
            TextColumn('{task.fields[told]}', markup=False),
            console=Console(file=sys.stderr),
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task: Any = None
        self._first: tuple[float, int] | None = None  # when bytes were first told, and how many

    def begin(self, source: str) -> None:
        """Begin a bar."""
        self._first = None
        self._task = self._progress.add_task(_name(source), total=None, told='')
        self._progress.start()

    def told(self, report: JobReport) -> None:
        """Move the bar."""
        counts = screens.counts_of(report)
        done = sum(counts[name] for name in ('saved', 'already', 'failed', 'gone'))
        total = report.wanted.limit if not report.progress.is_listed else 0
        total = max(total, counts['found'])
        told = _told(report, done)
        self._progress.update(self._task, completed=done, total=total or None, told=told)

    def moved(self, now: Progress) -> None:
        """Move the bar."""
        super().moved(now)
        done, total = now.bytes_done, now.bytes_total
        if not total:
            done, total = now.done, now.total
        told = screens.moved_told(now)
        if now.stage == screens.FETCHING:
            told = f'{told} {self._pace(done, total)}'.rstrip()
        self._progress.update(self._task, completed=done, total=total or None, told=told)

    def _pace(self, done: int, total: int) -> str:
        """How fast bytes come that are fetched now, and how long it takes still."""
        if self._first is None:
            self._first = time.monotonic(), done
        began, before = self._first
        rate = (done - before) / max(time.monotonic() - began, 0.001)
        if not rate:
            return ''
        left = math.ceil((total - done) / rate) if total else 0
        return texts.text(
            'cli_pace',
            setting.language,
            rate=f'{rate / 2**20:.1f}',
            left=f'{left // 60}:{left % 60:02d}' if left else '-:--',
        )

    def waiting(self, line: str) -> None:
        """Write a line above the bar."""
        self.notice(line, '\r')

    def notice(self, line: str, first: str = '') -> None:
        """Write a line above the bar, if there is one; what comes `first` is ours."""
        self._progress.stop()
        sys.stderr.write(first)
        super().notice(line)
        if self._task is not None:
            self._progress.start()

    def end(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._progress.stop()
            self._progress.remove_task(self._task)
        self._task = None


def _name(source: str) -> str:
    """What is short enough to stand before a bar: a link without its host."""
    path = source.split('://')[-1].partition('/')[2] if '://' in source else source
    return saying.harmless(path or source)[:NAME_CHARACTERS]


def _told(report: JobReport, done: int) -> str:
    counts = screens.counts_of(report)
    seconds = max(report.seconds, 0.001)
    fetched = counts['saved'] + counts['failed']
    left = counts['found'] - done
    eta = math.ceil(left * seconds / fetched) if fetched and left else 0
    return texts.text(
        'cli_bar',
        setting.language,
        done=done,
        found=f'{counts["found"]}{"" if report.progress.is_listed else "+"}',
        pages=counts['pages'],
        failed=counts['failed'],
        mib=f'{report.size / 2**20:.1f}',
        rate=f'{report.size / 2**20 / seconds:.1f}',
        left=f'{eta // 60}:{eta % 60:02d}' if eta else '-:--',
    )
