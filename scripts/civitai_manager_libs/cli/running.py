"""Several things done one after another, each told when it has ended, and how the program ends."""

from __future__ import annotations

import json
import logging
import sys
import threading
from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping, Sequence

from .. import ending, notices, setting, texts
from ..archive import place
from ..downloads.running import which_try
from ..errors import CivitaiError
from ..http_client import CivitaiHttpClient, get_http_client
from . import bars, saying, screens, totals
from .modelparts import ModelPart
from .telling import Part

MOST_LISTED = 20
AnyPart = Part | ModelPart
# What a person hears of only while watching; all else is told in a pipe too.
_WAITS = ('notice_asked_to_wait', 'notice_waiting')


@dataclass(frozen=True)
class Manner:
    """How it is done and told; `at_once` downloads, 0: as many as the setting says.

    If it `refreshes`, what stands beside pictures is written anew.
    """

    as_json: bool = False
    quiet: bool = False
    at_once: int = 0
    verbose: bool = False
    refreshes: bool = False


@dataclass(frozen=True)
class Work:
    """What a task works with. Once `stop` is set it is to end within moments."""

    client: CivitaiHttpClient
    screen: screens.Screen
    stop: threading.Event
    manner: Manner


@dataclass(frozen=True)
class Task:
    """Something to do: `part` is what is known of it before, `do` returns what became of it."""

    part: AnyPart
    do: Callable[[Work, Any], AnyPart]


def carry_out(
    tasks: Sequence[Task], manner: Manner, several: bool, beside: Mapping[str, Any] | None = None
) -> int:
    """Do all `tasks`; return the exit code, which is the worst one.

    What fails stops nothing else; stderr says what failed and why. A program hears of that once all
    is over, so that no sentence stands between its events; what is `beside` is told to it as well.
    """
    client, stopped = get_http_client(), threading.Event()
    screen = screen_for(manner)
    show_notices(screen)
    parts: list[AnyPart] = []
    stops: list[threading.Event] = []

    def work() -> None:
        for task in tasks:
            if stopped.is_set():
                break
            stops.append(threading.Event())
            part = _done(task, Work(client, screen, stops[-1], manner))
            is_cut_off = stopped.is_set() and not part.is_complete
            parts.append(replace(part, was_stopped=is_cut_off))
            if not manner.as_json:
                _tell(parts[-1], manner, several)

    def stop() -> None:
        stopped.set()
        for one in stops:
            one.set()
        client.close()

    number = ending.run(work, stop)
    if manner.as_json:
        for part in parts:
            _tell(part, manner, several)
        report = totals.all_as_json(parts, bool(number), several)
        print(
            json.dumps({**(beside or {}), **report}), flush=True
        )  # in ASCII, which every pipe can carry
    return 128 + number if number else max((part.code for part in parts), default=0)


def alone(manner: Manner, do: Callable[[Work], None], source: str = '') -> int:
    """Do something that tells of itself; while it runs under the name `source`, if it has one.

    Returns the number of the signal that ended it, else 0. Raises CivitaiError.
    """
    work = Work(get_http_client(), screen_for(manner), threading.Event(), manner)
    show_notices(work.screen)

    def carry_out() -> None:
        try:
            if source:
                work.screen.begin(source)
            do(work)
        finally:
            work.screen.end()
            place.close()

    def stop() -> None:
        work.stop.set()
        work.client.close()

    return ending.run(carry_out, stop)


def _done(task: Task, work: Work) -> AnyPart:
    work.screen.begin(task.part.source)
    try:
        return task.do(work, task.part)
    except CivitaiError as error:
        return replace(task.part, refusal=error)
    finally:
        work.screen.end()
        place.close()


def screen_for(manner: Manner) -> screens.Screen:
    """Return what shows how far it is, in that manner."""
    if manner.as_json:
        return screens.Events()
    if manner.quiet:
        return screens.Screen()
    return bars.Bars() if sys.stderr.isatty() else screens.Lines()


def show_notices(screen: screens.Screen) -> None:
    """Have what is told from anywhere, and the log where it goes to stderr, shown by `screen`."""
    for handler in logging.getLogger().handlers:
        if getattr(handler, 'stream', None) is sys.stderr:
            handler.setFormatter(screen.log_format())

    def tell(key: str, values: Mapping[str, Any]) -> None:
        line = texts.text(key, setting.language, **values)
        if key in _WAITS:
            screen.waiting(f'{line} {which_try(values)}'.strip())
        else:
            screen.notice(line)

    notices.sink = tell


def _tell(part: AnyPart, manner: Manner, several: bool) -> None:
    """Say what became of `part`, on stderr what went wrong, and on stdout a line unless JSON."""
    prefix = f'{part.source}: ' if several else ''
    if part.was_stopped:
        if not manner.as_json:  # which tells it too
            under_the_keys = '\n' if sys.stderr.isatty() else ''  # ^C
            saying.say(f'{under_the_keys}{prefix}{part.summary()}', to_stderr=True)
        return
    if part.only_listed and not manner.as_json:
        _list(part.files, manner)
    summary = '' if manner.as_json or manner.quiet else part.summary()
    if summary:
        saying.say(prefix + summary)
    way_on = '' if manner.as_json or part.way_on() in summary else part.way_on()
    for line in filter(None, [*part.problems(), way_on]):
        saying.say(prefix + line, to_stderr=True)


def _list(paths: Sequence[str], manner: Manner) -> None:
    """Print `paths`, for a person at a terminal not more than leave the end in sight."""
    most = MOST_LISTED if sys.stdout.isatty() and not manner.verbose else len(paths)
    for path in paths[:most]:
        saying.say(path)
    if len(paths) > most:
        saying.say(texts.text('cli_more_paths', setting.language, count=len(paths) - most))
