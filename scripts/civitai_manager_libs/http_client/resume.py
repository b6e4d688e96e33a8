"""Going on with a body that broke off: what to ask for, and whether the answer fits. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Mapping

from .framing import codings
from .retry import parse_date

_RANGE = re.compile(r'bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)')

_STRONG_TAG = re.compile(r'"[^"]*"')
STRONG_SECONDS = 60.0
CHANGED_ON_THE_WAY = 203
WHOLE_STATUSES = frozenset({200, CHANGED_ON_THE_WAY})


class Course(Enum):
    """What an answer means for the bytes that are there."""

    WHOLE = 'it brings everything: start over with it'
    REST = 'it brings what is missing'
    DONE = 'nothing was missing'
    USELESS = 'it does not fit: forget what is there'


@dataclass(frozen=True)
class Held:
    """What is there of a body: `size` bytes of one that `validator` names, '' if nothing does.

    `total` is how long it should become, 0 if nobody said.
    """

    size: int = 0
    validator: str = ''
    total: int = 0

    def range_headers(self) -> dict[str, str]:
        """Headers that ask for the rest, none where nobody could tell whether it fits."""
        if not self.size or not self.validator:
            return {}
        return {'Range': f'bytes={self.size}-', 'If-Range': self.validator}

    def course(self, status: int, headers: Mapping[str, str]) -> Course:
        """Say what an answer of `status`, 200, 203, 206 or 416, with these `headers` means."""
        if status in WHOLE_STATUSES:
            return Course.WHOLE
        match = _RANGE.fullmatch(headers.get('Content-Range', '').strip())
        if not match or not self.range_headers() or not self._is_same(headers):
            return Course.USELESS
        first, last, total = match.groups()
        if status == 416:
            is_all = total == str(self.size) and self.total in (0, self.size)
            return Course.DONE if is_all else Course.USELESS
        if first != str(self.size) or codings(headers):
            return Course.USELESS
        end = int(last) + 1
        whole = self.total or end if total == '*' else int(total)
        length = headers.get('Content-Length', '').strip()
        fits = end == whole and self.total in (0, whole) and length in ('', str(end - self.size))
        return Course.REST if fits else Course.USELESS

    def end(self, headers: Mapping[str, str]) -> int:
        """Return where the rest that an answer with `headers` brings ends, 0 if it is no rest."""
        match = _RANGE.fullmatch(headers.get('Content-Range', '').strip())
        return int(match[2]) + 1 if match and match[2] else 0

    def _is_same(self, headers: Mapping[str, str]) -> bool:
        return is_of(self.validator, headers)


@dataclass(frozen=True)
class Span:
    """What to ask for of a body: bytes from `start` up to and without `end`, 0 for all that follow.

    `validator` names the body, '' if none does yet, and `total` is its length, 0 if unknown.
    """

    start: int = 0
    end: int = 0
    validator: str = ''
    total: int = 0

    def headers(self) -> dict[str, str]:
        """Headers that ask for it, none for all of the body."""
        if not self.start and not self.end:
            return {}
        last = self.end - 1 if self.end else ''
        condition = {'If-Range': self.validator} if self.validator else {}
        return {'Range': f'bytes={self.start}-{last}', **condition}

    def course(self, status: int, headers: Mapping[str, str]) -> Course:
        """Say what an answer of `status`, 200, 203, 206 or 416, with these `headers` means.

        A part may be shorter than was asked for; what it lacks is asked for again. It has the tag
        of its body, if that has one (RFC 9110, 15.3.7).
        """
        if status in WHOLE_STATUSES:
            return Course.WHOLE
        first, end, total = told_range(headers)
        is_same = self.total in (0, total) and is_of(self.validator, headers)
        if status == 416:
            return Course.DONE if is_same and total == self.start > 0 else Course.USELESS
        length = headers.get('Content-Length', '').strip()
        fits = first == self.start < end <= (self.end or total) and length in ('', str(end - first))
        is_named = not self.validator.startswith('"') or 'ETag' in headers
        is_rest = is_same and is_named and fits and not codings(headers)
        return Course.REST if is_rest else Course.USELESS


def told_range(headers: Mapping[str, str]) -> tuple[int, int, int]:
    """Return (first, end, total) as Content-Range tells them, 0 for what it does not."""
    match = _RANGE.fullmatch(headers.get('Content-Range', '').strip())
    if not match:
        return 0, 0, 0
    first, last, total = (int(one) if one and one != '*' else None for one in match.groups())
    return first or 0, 0 if last is None else last + 1, total or 0


def is_of(validator: str, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer speaks of the body that `validator` names, or says nothing else."""
    if not validator:
        return True
    name = 'ETag' if validator.startswith('"') else 'Last-Modified'
    return headers.get(name, validator).strip() == validator


def validator(headers: Mapping[str, str], status: int = 200) -> str:
    """Return what names the very bytes of an answer: a strong ETag, else a strong date, else ''.

    A date counts only where there is no tag (RFC 9110, 13.1.5), and only if the answer is younger
    by a minute (8.8.2.2): within the second it tells, or with clocks that differ, the body may
    have changed twice.
    """
    if codings(headers) or status == CHANGED_ON_THE_WAY:
        return ''
    tag = headers.get('ETag', '').strip()
    if tag:
        return tag if _STRONG_TAG.fullmatch(tag) else ''
    changed, answered = headers.get('Last-Modified', '').strip(), headers.get('Date')
    then, now = parse_date(changed), parse_date(answered)
    if then is None or now is None or now - then < STRONG_SECONDS:
        return ''
    return changed
