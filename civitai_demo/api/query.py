"""Reading query parameters as strictly as Civitai does, and complaining in its words."""

from __future__ import annotations

import json
import re
from typing import Sequence

from starlette.datastructures import QueryParams

from .replies import ApiError

YES = frozenset(('true', '1', 'yes', 'on', 'y', 'enabled'))
NO = frozenset(('false', '0', 'no', 'off', 'n', 'disabled'))

Issue = dict[str, object]


def whole_number(text: str) -> int:
    """The number that `text` spells in digits; 0 for anything else and for absurdly large ones."""
    return int(text) if re.fullmatch(r'[0-9]{1,18}', text) else 0


class QueryReader:
    """Reads one parameter after the other and gathers what is wrong with them.

    An absent parameter is None, an empty number 0. Call `check` at the end.
    """

    def __init__(self, params: QueryParams) -> None:
        """Read from `params`."""
        self._params = params
        self.issues: list[Issue] = []

    def text(self, name: str, pattern: str = '') -> str | None:
        """A text; must match `pattern` completely when given."""
        value = self._single(name, 'string')
        if value is not None and pattern and not re.fullmatch(pattern, value):
            shown = f'/^{pattern}$/'
            message = f'Invalid string: must match pattern {shown}'
            kind: Issue = {'origin': 'string', 'code': 'invalid_format', 'format': 'regex'}
            self._complain(name, message, {**kind, 'pattern': shown})
            return None
        return value

    def number(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        """A whole number between `low` and `high`."""
        value = self._single(name, 'number')
        if value is None:
            return None
        try:
            number = int(float(value or '0'))
        except (ValueError, OverflowError):
            wrong: Issue = {'expected': 'number', 'code': 'invalid_type', 'received': 'NaN'}
            self._complain(name, 'Invalid input: expected number, received NaN', wrong)
            return None
        if high is not None and number > high:
            self._outside(
                name,
                {'code': 'too_big', 'maximum': high},
                f'Too big: expected number to be <={high}',
            )
            return None
        if low is not None and number < low:
            self._outside(
                name,
                {'code': 'too_small', 'minimum': low},
                f'Too small: expected number to be >={low}',
            )
            return None
        return number

    def flag(self, name: str) -> bool | None:
        """A boolean written as a word, in any case."""
        value = self._single(name, 'boolean')
        if value is None:
            return None
        if value.lower() in YES | NO:
            return value.lower() in YES
        words = [*sorted(YES), *sorted(NO)]
        self._not_among(name, words)
        return None

    def choice(self, name: str, values: Sequence[str]) -> str | None:
        """One of `values`, exact case."""
        value = self._single(name, 'string')
        if value is not None and value not in values:
            self._not_among(name, values)
            return None
        return value

    def choice_or_flag(self, name: str, values: Sequence[str]) -> str | None:
        """One of `values`, or a boolean word, which is told as `true` or `false`."""
        value = self._single(name, 'string')
        if value is not None and value not in values and value.lower() in YES | NO:
            return 'true' if value.lower() in YES else 'false'
        return self.choice(name, values)

    def choices(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """A repeated key whose every value is one of `values`."""
        found = self._params.getlist(name)
        if any(value not in values for value in found):
            self._not_among(name, values)
        return tuple(found)

    def comma_list(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """A comma separated list of `values`."""
        found = tuple(
            part.strip() for part in (self._single(name, 'string') or '').split(',') if part
        )
        if any(value not in values for value in found):
            self._not_among(name, values)
        return found

    def numbers(self, name: str) -> tuple[int, ...]:
        """A comma separated list of 1 to 100 positive whole numbers; empty when absent."""
        parts = [part for part in (self._single(name, 'string') or '').split(',') if part]
        if len(parts) > 100 or any(
            not re.fullmatch(r'[1-9]\d{0,17}', part.strip()) for part in parts
        ):
            self._complain(name, 'Invalid input: expected 1-100 positive ids', {'code': 'custom'})
            return ()
        return tuple(int(part) for part in parts)

    def refuse(self, name: str, expected: str) -> None:
        """A parameter that cannot be sent in an address: nobody converts its text."""
        if name in self._params:
            message = f'Invalid input: expected {expected}, received string'
            self._complain(name, message, {'expected': expected, 'code': 'invalid_type'})

    def check(self, *, bare: bool = False) -> None:
        """Raise ApiError 400 with everything gathered: as a ZodError, or as a `bare` list."""
        if self.issues and bare:
            raise ApiError(400, self.issues)
        if self.issues:
            error = {'name': 'ZodError', 'message': json.dumps(self.issues, indent=2)}
            raise ApiError(400, {'error': error})

    def _single(self, name: str, expected: str) -> str | None:
        values = self._params.getlist(name)
        if len(values) > 1:
            message = f'Invalid input: expected {expected}, received array'
            self._complain(name, message, {'expected': expected, 'code': 'invalid_type'})
            return None
        return values[0] if values else None

    def _not_among(self, name: str, values: Sequence[str]) -> None:
        shown = '|'.join(f'"{value}"' for value in values)
        message = f'Invalid option: expected one of {shown}'
        self._complain(name, message, {'code': 'invalid_value', 'values': list(values)})

    def _outside(self, name: str, bound: Issue, message: str) -> None:
        self._complain(name, message, {'origin': 'number', **bound, 'inclusive': True})

    def _complain(self, name: str, message: str, facts: Issue) -> None:
        self.issues.append({**facts, 'path': [name], 'message': message})
