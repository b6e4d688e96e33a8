"""What became of each thing asked for: a code, a line for a person, JSON for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any, Mapping, Sequence

from .. import api, setting, texts
from ..archive import jobs
from ..civitai import urls
from ..downloads.plan import aside_message
from ..downloads.standing import JobReport, said_of, unwritten_told
from ..ending import ExitCode
from ..errors import CancelledError, CivitaiError, GoneError, NotFoundError, SourceError

# What to ask for where a ceiling may leave something out.
_NEXT_LEVEL = {'PG': 'R', 'PG-13': 'R', 'R': 'XXX', 'X': 'XXX'}
_MOST_VERSIONS = 5
_ALWAYS_TOLD = ('already', 'failed')
MOST_IDS = 5  # of many pictures, to tell which kind they are


class Reason(Enum):
    """Why something ended as it did."""

    COMPLETE = 'complete'
    INCOMPLETE = 'incomplete'
    FAILED = 'failed'
    NOT_FOUND = 'not_found'
    USAGE = 'usage'
    INTERRUPTED = 'interrupted'


def reason_of(
    is_complete: bool, was_stopped: bool, refusal: CivitaiError | None, has_some: bool
) -> Reason:
    """Return why something ended as it did; `has_some`: a part of it is there."""
    if is_complete:
        return Reason.COMPLETE
    if was_stopped or isinstance(refusal, CancelledError):
        return Reason.INTERRUPTED
    if isinstance(refusal, SourceError):
        return Reason.USAGE
    if isinstance(refusal, (NotFoundError, GoneError)):
        return Reason.NOT_FOUND
    return Reason.INCOMPLETE if has_some else Reason.FAILED


def code_of(reason: Reason) -> ExitCode:
    """Return the exit code of a program of which that is all it was asked for."""
    told = {Reason.COMPLETE: ExitCode.COMPLETE, Reason.USAGE: ExitCode.USAGE}
    return told.get(reason, ExitCode.FAILED)


@dataclass(frozen=True)
class Part:
    """What became of one gallery that was asked for, the pictures of which belong in `folder`.

    `level` is the maturity ceiling; `job` is its number, 0 if there is none. `report` is what that
    came to, with its `failures` and some pictures that are `gone`; `same_bytes` is how many are the
    same as another one, and some ids. `files` are those that are there, or would be if
    `only_listed`. `refusal` is why nothing was done at all, `was_stopped` whether it was cut short,
    `was_fine` whether there was nothing to be done again.
    """

    source: str
    folder: str
    level: str
    job: int = 0
    gallery: api.Gallery | None = None
    report: JobReport | None = None
    failures: tuple[Mapping[str, object], ...] = ()
    gone: tuple[int, ...] = ()
    same_bytes: tuple[int, Sequence[int]] = (0, ())
    files: tuple[str, ...] = ()
    already: int = 0
    only_listed: bool = False
    refusal: CivitaiError | None = None
    was_stopped: bool = False
    was_fine: bool = False

    @property
    def _now(self) -> jobs.Progress:
        return self.report.progress if self.report else jobs.Progress()

    @property
    def is_complete(self) -> bool:
        """Whether all is there, or gone with proof; if it was only listed, whether all is known."""
        if self.report is None or self.refusal is not None:
            return False
        return self.report.is_all_known if self.only_listed else self.report.is_complete

    @property
    def reason(self) -> Reason:
        """Why it ended as it did."""
        there = self._now.count(jobs.SAVED) + self._now.count(jobs.ALREADY)
        has_some = bool(there or self.files)
        return reason_of(self.is_complete, self.was_stopped, self.refusal, has_some)

    @property
    def code(self) -> ExitCode:
        """The exit code, if this is all that was asked for."""
        return code_of(self.reason)

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures ended in which way."""
        now = self._now
        # of one that was stopped, what did not get its turn is not there either
        is_cut_off = self.was_stopped or (self.report is not None and self.report.trouble)
        left = now.count(jobs.TO_DO) if is_cut_off else 0
        already = now.count(jobs.ALREADY) + self.already
        return {
            'found': now.found,
            'saved': now.count(jobs.SAVED),
            'skipped': already,
            'already': already,
            'failed': now.count(jobs.FAILED) + left,
            'left': left or len(self._new),
            'gone': now.count(jobs.GONE),
        }

    @property
    def _new(self) -> Sequence[str]:
        """The files that there would be."""
        return self.files if self.only_listed else ()

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""
        if self.refusal is not None or self.report is None:
            why = self.refusal or CivitaiError('error_see_log')
            told = {'error': why.message_in(setting.language), 'reason': self.reason.value}
            return {**told, 'job': self.job} if self.job else told
        return {
            **self.counts,
            'saved_now': self.report.saved_now,
            'hidden': self._now.hidden,
            'gaps': [gap.message_in(setting.language) for gap in self.report.gaps],
            'complete': self.is_complete,
            'bytes': self.report.size,
            'seconds': round(self.report.seconds, 3),
            'reason': self.reason.value,
            'level': self.level,
            'asked': said_of(self.report.wanted),
            'job': self.job,
            'same_bytes': self.same_bytes[0],
            'notes': [
                *self._notes(),
                *filter(
                    None,
                    [self._filtered(), self._fine(), self._same(), self._endings(), self.way_on()],
                ),
            ],
            'folder': self.folder,
            'files': list(self.files),
            'failures': list(self.failures),
            'kept_aside': list(self.report.aside),
        }

    def problems(self) -> list[str]:
        """Return a line for each thing that went wrong or was left out."""
        if self.refusal is not None:
            return [self.refusal.message_in(setting.language)]
        lines = self._notes()
        if self.report and self.report.aside:
            lines.append(aside_message(self.report, setting.language))
        return lines + ['{id} {page}: {error}'.format_map(one) for one in self.failures]

    def summary(self) -> str:
        """Return a line on what was done, '' if there is nothing to be said."""
        if self.was_stopped:
            key = 'cli_stopped' if self.job else 'cli_stopped_early'
            told = joined(self._counts()[:2])
            return self._text(key, folder=self.folder, job=self.job, told=told)
        if self.refusal is not None or self.report is None:
            return ''
        if self.was_fine:
            return self._fine()
        said = asked_told(said_of(self.report.wanted))
        pieces = [
            self._filtered()
            or self._text(
                self._key(),
                folder=self.folder,
                new=len(self._new),
                told=joined(self._counts()),
                **self.counts,
            ),
            self._same(),
            self._up_to('cli_up_to' if self._now.found else 'cli_more'),
            f'({said})' if said else '',
            self._endings(),
            self.way_on() if self._now.found else '',
        ]
        return ' '.join(filter(None, pieces))

    def _counts(self) -> list[str]:
        """How many pictures ended in which way, in words; what was saved before is told apart."""
        counts = self.counts
        now = self.report.saved_now if self.report else 0
        before = counts['saved'] - now
        key = 'cli_saved_before' if before else 'cli_count_saved'
        told = [self._text(key, count=now, before=before)]
        counts['failed'] -= 0 if self.only_listed else counts['left']
        told += [self._text(f'cli_count_{name}', count=counts[name]) for name in _ALWAYS_TOLD]
        for name in ('left', 'gone'):
            if counts[name]:
                told.append(self._text(f'cli_count_{name}', count=counts[name]))
        return told

    def way_on(self) -> str:
        """How what is missing may be had, '' if nothing is or there is no job for it."""
        if not self.job or self.is_complete:
            return ''
        if self.report is None or self.report.job.state != jobs.ENDED:
            return self._text('cli_go_on', job=self.job)
        failed, gaps = self._now.count(jobs.FAILED), bool(self.report.gaps)
        key = {
            (True, False): 'cli_retry_failed',
            (False, True): 'cli_retry_gaps',
            (True, True): 'cli_retry_both',
        }.get((bool(failed), gaps), '')
        return self._text(key, job=self.job, count=failed) if key else ''

    def _fine(self) -> str:
        return self._text('cli_nothing_failed', job=self.job) if self.was_fine else ''

    def _endings(self) -> str:
        """That names which were foretold may end otherwise, '' if none was."""
        return self._text('cli_endings') if self.only_listed and self.files else ''

    def _same(self) -> str:
        """Which pictures there are under several ids, '' if none; nothing is wrong with that."""
        count, ids = self.same_bytes
        return self._text('same_bytes', count=count, ids=', '.join(map(str, ids))) if count else ''

    def _filtered(self) -> str:
        """That filters left out all that is listed, '' if they did not."""
        if self.report is None or self._now.found or not self._now.items:
            return ''
        return self.report.nothing_found(setting.language)

    def _key(self) -> str:
        if not self._now.found:
            return 'cli_nothing'
        if self.only_listed:
            return 'cli_listed'
        if not self.is_complete:
            return 'cli_incomplete'
        counts = self.counts
        is_plain = not counts['gone'] and counts['saved'] == (self.report and self.report.saved_now)
        return 'cli_page_done' if is_plain else 'cli_complete'

    def _notes(self) -> list[str]:
        """What is to be known about the listing, beside what became of the pictures."""
        now = self._now
        counts = {'cli_hidden': now.hidden, 'surplus': now.surplus, 'foreign': now.foreign}
        counts['unreadable'] = now.unreadable
        notes = [self._text(key, count=count) for key, count in counts.items() if count]
        if self.report and self.report.trouble:
            notes.insert(0, self.report.trouble.message_in(setting.language))
        if self.gone:
            ids = ', '.join(map(str, self.gone))
            notes.append(self._text('cli_gone', count=now.count(jobs.GONE), ids=ids, job=self.job))
        if self.gallery is not None and self.gallery.is_orphan:
            notes.append(self._text('model_gone'))
        notes += self.report.notes(setting.language) if self.report else ()
        for gap in now.gaps:
            notes.append(self._text('listing_stopped', cause=gap.message_in(setting.language)))
        notes += unwritten_told(self.report.unwritten) if self.report else []
        left_out = now.hidden or now.unreadable
        if self.gallery is not None and not (now.found or left_out or now.gaps):
            notes += self._other_versions(self.gallery)
        return notes

    def _other_versions(self, gallery: api.Gallery) -> list[str]:
        """Where pictures of the model may be, if a version without any was asked for."""
        model, version = gallery.model, gallery.version
        named = gallery.source.version_id or gallery.source.kind == 'version'
        if model is None or version is None or not named or len(model.versions) < 2:
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
        if more is None or (self._filtered() and not self._now.hidden):
            return ''
        has_all = query and self._now.found and (query.image_id or query.ids)
        return '' if has_all and not self._now.gaps else self._text(key, more=more)

    def _text(self, key: str, **values: object) -> str:
        return texts.text(key, setting.language, ceiling=self.level, **values)


def asked_told(asked: Mapping[str, Any]) -> str:
    """Return what was asked for beside the source, as options of the command line."""
    said = (
        f'--{name.replace("_", "-")} {"" if value is True else value}'.rstrip()
        for name, value in asked.items()
        if name != 'source'
    )
    return ' '.join(said)


def joined(pieces: Sequence[str]) -> str:
    """Return `pieces`, one at least, as a list in a sentence."""
    return reduce(
        lambda one, other: texts.text('cli_and', setting.language, one=one, other=other), pieces
    )
