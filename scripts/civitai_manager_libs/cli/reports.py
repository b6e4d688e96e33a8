"""What came of a word of `models`: done, told to a person or a program, and the exit code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Callable

from .. import setting, texts
from ..ending import ExitCode
from ..errors import CivitaiError, GoneError, NotFoundError, SourceError
from ..library.scan import Progress
from . import running, saying, screens
from .running import Manner, Work
from .telling import Reason

# What these found is not looked for again.
_GO_ON = frozenset({'scan', 'updates'})


@dataclass
class Report:
    """What came of it: `told` for a program, `lines` for a person, and what went wrong.

    `refusal` is why nothing came of it at all.
    """

    told: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    is_complete: bool = True
    refusal: CivitaiError | None = None


def carry_out(word: str, manner: Manner, do: Callable[[Work], Report]) -> int:
    """Do what a word of `models` does, and tell of it; return the exit code."""
    return tell(*done(word, manner, do), manner)


def done(word: str, manner: Manner, do: Callable[[Work], Report]) -> tuple[Report, int]:
    """Do it; return what came of it, and the number of the signal that ended it, else 0.

    Of what a signal ended it says how far it came.
    """
    reports: list[Report] = []

    def work_it(work: Work) -> None:
        try:
            reports.append(do(work))
        except CivitaiError as error:
            refusal = None if work.stop.is_set() else error
            reports.append(Report(refusal=refusal, is_complete=False))
            if refusal is None:
                _tell_how_far(reports[-1], word, work.screen.far)

    number = running.alone(manner, work_it, f'models {word}')
    return (reports[0] if reports else Report(is_complete=False)), number


def _tell_how_far(report: Report, word: str, far: Progress | None) -> None:
    """Put into the report of what was stopped how far it came, and whether that is kept."""
    key = 'cli_models_stopped' if word in _GO_ON else 'cli_stopped_early'
    if far is None:
        report.problems = [_text(key)]
        return
    report.told = {'progress': screens.moved_row(far)}
    report.problems = [_text(key), _text('cli_stopped_at', far=screens.moved_told(far))]


def tell(report: Report, number: int, manner: Manner) -> int:
    """Tell what came of it, ended by the signal `number` if that is not 0; the exit code."""
    problems = list(report.problems)
    if report.refusal is not None:
        problems.insert(0, report.refusal.message_in(setting.language))
    if manner.as_json:
        told = {'reason': _reason(report, number).value, 'complete': report.is_complete}
        if report.refusal is not None:
            told['error'] = problems.pop(0)
        print(json.dumps({**told, **report.told, 'notes': problems}), flush=True)
    else:
        for line in () if manner.quiet else report.lines:
            saying.say(line)
        for line in problems:
            saying.say(line, to_stderr=True)
    if number:
        return 128 + number
    is_usage = isinstance(report.refusal, SourceError)
    return ExitCode.USAGE if is_usage else int(not report.is_complete)


def _reason(report: Report, number: int) -> Reason:
    if number:
        return Reason.INTERRUPTED
    if report.is_complete:
        return Reason.COMPLETE
    if isinstance(report.refusal, SourceError):
        return Reason.USAGE
    if isinstance(report.refusal, (NotFoundError, GoneError)):
        return Reason.NOT_FOUND
    return Reason.FAILED if report.refusal is not None else Reason.INCOMPLETE


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
