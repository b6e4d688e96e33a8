"""What became of each thing asked for: a code, a line for a person, JSON for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Sequence

from .. import setting, texts
from ..civitai import urls
from ..downloads.plan import BatchReport, Outcome, aside_message
from ..ending import ExitCode
from ..errors import CivitaiError, GoneError, NotFoundError, SourceError


class Reason(Enum):
    """Why something ended as it did."""

    COMPLETE = 'complete'
    INCOMPLETE = 'incomplete'
    FAILED = 'failed'
    NOT_FOUND = 'not_found'
    USAGE = 'usage'
    INTERRUPTED = 'interrupted'


@dataclass(frozen=True)
class Part:
    """What became of one source that was asked for, the pictures of which belong in `folder`.

    `hidden` counts the pictures above the ceiling; `refusal` is why nothing was done at all, and
    `was_stopped` whether it was cut short.
    """

    source: str
    folder: str
    hidden: int = 0
    report: BatchReport = BatchReport()
    refusal: CivitaiError | None = None
    was_stopped: bool = False

    @property
    def reason(self) -> Reason:
        """Why it ended as it did."""
        if self.refusal is None and not self.report.failed_urls:
            return Reason.COMPLETE
        if self.was_stopped:
            return Reason.INTERRUPTED
        if isinstance(self.refusal, SourceError):
            return Reason.USAGE
        if isinstance(self.refusal, (NotFoundError, GoneError)):
            return Reason.NOT_FOUND
        return Reason.INCOMPLETE if self.report.paths else Reason.FAILED

    @property
    def code(self) -> ExitCode:
        """The exit code, if this is all that was asked for."""
        told = {Reason.COMPLETE: ExitCode.COMPLETE, Reason.USAGE: ExitCode.USAGE}
        return told.get(self.reason, ExitCode.FAILED)

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures ended in which way."""
        return {outcome.value: self.report.count(outcome) for outcome in Outcome}

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""
        if self.refusal is not None:
            return {'error': self.refusal.message_in(setting.language), 'reason': self.reason.value}
        return {
            **self.counts,
            'hidden': self.hidden,
            'reason': self.reason.value,
            'folder': self.folder,
            'files': list(dict.fromkeys(self.report.paths)),
            'failures': [{'url': url, 'error': why} for url, why in self._causes().items()],
            'kept_aside': self.report.aside,
        }

    def problems(self) -> list[str]:
        """Return a line for each thing that went wrong or was left out."""
        if self.refusal is not None:
            return [self.refusal.message_in(setting.language)]
        left_out = [_text('cli_hidden', count=self.hidden)] if self.hidden else []
        aside = [aside_message(self.report, setting.language)] if self.report.aside else []
        return left_out + aside + [f'{url}: {why}' for url, why in self._causes().items()]

    def summary(self) -> str:
        """Return a line on what was done, '' if there is nothing to be said."""
        if self.was_stopped:
            return _text('cli_stopped', folder=self.folder, **self.counts)
        if self.refusal is not None:
            return ''
        key = 'cli_page_done' if self.report.results else 'cli_nothing'
        return _text(key, folder=self.folder, **self.counts)

    def _causes(self) -> dict[str, str]:
        """Why each address failed that did."""
        unknown = CivitaiError('error_see_log')
        return {
            urls.redact(result.job.url): (result.error or unknown).message_in(setting.language)
            for result in self.report.failures
        }


def all_as_json(parts: Sequence[Part], was_stopped: bool, several: bool) -> dict[str, Any]:
    """Return what a program wants to know of all `parts`; one that was asked for alone is that."""
    if parts and not several:
        return parts[0].as_json()
    worst = max(parts, key=lambda part: part.code, default=None)
    reason = Reason.INTERRUPTED if was_stopped or worst is None else worst.reason
    return {
        'reason': reason.value,
        'sources': [{'source': part.source, **part.as_json()} for part in parts],
    }


def _text(key: str, **values: object) -> str:
    ceiling = setting.gallery_maturity_ceiling
    return texts.text(key, setting.language, ceiling=ceiling, **values)
