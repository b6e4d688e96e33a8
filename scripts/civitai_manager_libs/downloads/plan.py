"""Downloads as values: what is to be fetched, what became of it, what to say about it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Iterable, Protocol, Sequence

from .. import texts
from ..errors import CivitaiError
from ..store import media

# Saves what is at an address as a file. True: it is there; False or a CivitaiError: it is not.
Fetch = Callable[[str, str], bool]


class Outcome(Enum):
    """What became of one download."""

    SAVED = 'saved'
    SKIPPED = 'skipped'
    FAILED = 'failed'


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One file to fetch: from `url` to `path`; `present` if it is there already.

    `kind` is what Civitai calls it ('image', 'video', 'audio'), whatever its address ends in; ''
    where nobody said. `is_free` if it was looked whether a file has that name with any extension,
    and none has.
    """

    url: str
    path: str
    present: bool = False
    kind: str = ''
    is_free: bool = False

    @property
    def wanted(self) -> str:
        """What it has to be, '' for anything; where nobody said, the ending tells what moves."""
        ending = f'.{self.path.rpartition(".")[2].lower()}'
        by_ending = {'video': media.VIDEO_SUFFIXES, 'audio': media.AUDIO_SUFFIXES}
        told = (kind for kind, endings in by_ending.items() if ending in endings)
        return self.kind or next(told, '')

    @property
    def refuses_stills(self) -> bool:
        """Whether a still picture will not do."""
        return self.wanted in ('video', 'audio')

    def does_for(self, other: DownloadJob) -> bool:
        """Whether the file of this job will do for `other`, a job for a file of the same name."""
        return self.refuses_stills or not other.refuses_stills


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """What became of `job`: the file is at `path`, or `error` is why not (None: nobody knows).

    `aside` is where files are now that had its name without being what they should be.
    """

    job: DownloadJob
    outcome: Outcome
    path: str
    error: CivitaiError | None = None
    aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchReport:
    """What became of a batch, in the order it was asked for."""

    results: tuple[DownloadResult, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """How many downloads ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def failures(self) -> tuple[DownloadResult, ...]:
        """The downloads that failed."""
        return tuple(r for r in self.results if r.outcome is Outcome.FAILED)

    @property
    def failed_urls(self) -> tuple[str, ...]:
        """Addresses whose download failed."""
        return tuple(result.job.url for result in self.failures)

    @property
    def paths(self) -> tuple[str, ...]:
        """Files that are there now, saved or present before."""
        return tuple(r.path for r in self.results if r.outcome is not Outcome.FAILED)

    @property
    def aside(self) -> tuple[str, ...]:
        """Where files are now that stood under a picture's name and were not it."""
        return tuple(path for result in self.results for path in result.aside)


class SetAside(Protocol):
    """What has `aside`: where files are now that were not what their names said."""

    @property
    def aside(self) -> tuple[str, ...]:
        """The paths of these files."""


def aside_message(report: SetAside, language: str) -> str:
    """Say how many files were kept aside, and what one of them is called; '' if none were."""
    if not report.aside:
        return ''
    name = re.split(r'[/\\]', report.aside[0])[-1]
    return texts.text('kept_aside', language, count=len(report.aside), name=name)


def failed_message(errors: Sequence[CivitaiError | None], total: int, language: str) -> str:
    """Say how many of `total` pictures failed, why and what to do; '' if none did.

    `errors` has one entry for each, None where nobody knows why.
    """
    if not errors:
        return ''
    cause = main_cause(errors) or CivitaiError('error_see_log')
    counts = {'failed': len(errors), 'total': total}
    return texts.text('pictures_failed', language, **counts, cause=cause.message_in(language))


def main_cause(errors: Iterable[CivitaiError | None]) -> CivitaiError | None:
    """Return the error that says most about many failures: the commonest kind, its first one."""
    known: Sequence[CivitaiError] = [error for error in errors if error is not None]
    if not known:
        return None
    (commonest, _), *_ = Counter((error.key, error.status) for error in known).most_common(1)
    return next(error for error in known if (error.key, error.status) == commonest)
