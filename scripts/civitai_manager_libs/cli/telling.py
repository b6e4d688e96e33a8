"""What became of each thing asked for: a code, a line for a person, JSON for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Sequence

from .. import api, setting, texts
from ..civitai import urls
from ..civitai.gallery import ImagePage
from ..downloads.plan import BatchReport, Outcome, aside_message
from ..ending import ExitCode
from ..errors import CancelledError, CivitaiError, GoneError, NotFoundError, SourceError

# What to ask for where a ceiling may leave something out.
_NEXT_LEVEL = {'PG': 'R', 'PG-13': 'R', 'R': 'XXX', 'X': 'XXX'}
_MOST_VERSIONS = 5


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

    `level` is the maturity ceiling; `listing` is what was listed of `gallery`. `refusal` is why
    nothing was done at all, and `was_stopped` whether it was cut short.
    """

    source: str
    folder: str
    level: str
    gallery: api.Gallery | None = None
    listing: ImagePage = ImagePage()
    report: BatchReport = BatchReport()
    refusal: CivitaiError | None = None
    was_stopped: bool = False

    @property
    def reason(self) -> Reason:
        """Why it ended as it did."""
        cause = self.refusal or self.listing.stopped
        if cause is None and not self.report.failed_urls:
            return Reason.COMPLETE
        if self.was_stopped:
            return Reason.INTERRUPTED
        if isinstance(cause, SourceError):
            return Reason.USAGE
        if isinstance(cause, (NotFoundError, GoneError)) and not self.report.results:
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
            'hidden': self.listing.hidden,
            'reason': self.reason.value,
            'level': self.level,
            'notes': self._notes(),
            'folder': self.folder,
            'files': list(dict.fromkeys(self.report.paths)),
            'failures': [{'url': url, 'error': why} for url, why in self._causes().items()],
            'kept_aside': self.report.aside,
        }

    def problems(self) -> list[str]:
        """Return a line for each thing that went wrong or was left out."""
        if self.refusal is not None:
            return [self.refusal.message_in(setting.language)]
        aside = [aside_message(self.report, setting.language)] if self.report.aside else []
        return self._notes() + aside + [f'{url}: {why}' for url, why in self._causes().items()]

    def summary(self) -> str:
        """Return a line on what was done, '' if there is nothing to be said."""
        if self.was_stopped:
            return self._text('cli_stopped', folder=self.folder, **self.counts)
        if self.refusal is not None:
            return ''
        key = 'cli_page_done' if self.report.results else 'cli_nothing'
        done = self._text(key, folder=self.folder, **self.counts)
        return f'{done} {self._up_to("cli_up_to" if self.report.results else "cli_more")}'.rstrip()

    def _notes(self) -> list[str]:
        """What is to be known about the listing, beside what became of the pictures."""
        listing, cause = self.listing, self.listing.stopped
        counts = {'cli_hidden': listing.hidden, 'surplus': listing.surplus}
        counts |= {'foreign': listing.foreign, 'unreadable': listing.unreadable}
        left_out = listing.hidden or listing.unreadable
        notes = [self._text(key, count=count) for key, count in counts.items() if count]
        if self.gallery is not None and self.gallery.is_orphan:
            notes.append(self._text('model_gone'))
        if cause is not None:
            why = cause.message_in(setting.language)
            notes.append(self._text('listing_stopped', cause=why))
        elif self.gallery is not None and not (self.report.results or left_out):
            notes += self._other_versions(self.gallery)
        return notes

    def _other_versions(self, gallery: api.Gallery) -> list[str]:
        """Where pictures of the model may be, if it has other versions than the one without."""
        model, version = gallery.model, gallery.version
        if model is None or version is None or len(model.versions) < 2:
            return []
        page = urls.page_url(setting.civitai_base_url, 'models', model.id)
        others = [one.id for one in model.versions if one.id != version.id][:_MOST_VERSIONS]
        links = ' '.join(f'{page}?modelVersionId={number}' for number in others)
        more = _NEXT_LEVEL.get(self.level)
        key = 'cli_other_versions_up_to' if more else 'cli_other_versions'
        return [self._text(key, version=version.label, links=links, more=more)]

    def _up_to(self, key: str) -> str:
        """Up to which level was asked, and how more can be had; '' if there can be no more.

        What the site leaves out by itself it does not count.
        """
        query, more = self.gallery.query if self.gallery else None, _NEXT_LEVEL.get(self.level)
        if query is None or more is None:
            return ''
        has_all = self.listing.images and (query.image_id or query.ids) and not self.listing.stopped
        return '' if has_all else self._text(key, more=more)

    def _text(self, key: str, **values: object) -> str:
        return texts.text(key, setting.language, ceiling=self.level, **values)

    def _causes(self) -> dict[str, str]:
        """Why each address failed that did, without what was stopped."""
        unknown = CivitaiError('error_see_log')
        return {
            urls.redact(result.job.url): (result.error or unknown).message_in(setting.language)
            for result in self.report.failures
            if not isinstance(result.error, CancelledError)
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
