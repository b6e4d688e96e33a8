"""Reading query parameters as strictly as Civitai does, and complaining in its words."""

from __future__ import annotations

import math
import re
from typing import Callable, Sequence

from starlette.datastructures import QueryParams

from . import complaints
from .complaints import NO, YES, Issue, error_object, js_number
from .replies import ApiError


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

    def text(self, name: str, pattern: str = '', advice: str = '') -> str | None:
        """A text; must match `pattern` completely when given, else `advice` is the complaint."""
        value = self._single(name, 'string')
        if value is not None and pattern and not re.fullmatch(pattern, value):
            self.issues.append(complaints.unlike((name,), f'/^{pattern}$/', advice))
            return None
        return value

    def short_text(self, name: str, longest: int) -> str | None:
        """A text of at most `longest` characters."""
        value = self._single(name, 'string')
        if value is not None and len(value) > longest:
            self.issues.append(complaints.too_long((name,), longest))
            return None
        return value

    def number(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        """A number between `low` and `high`, as `Number()` reads it; the whole part of it."""
        if len(self._params.getlist(name)) > 1:
            self.issues.append(complaints.not_a_number((name,)))
            return None
        value = self._params.get(name)
        return None if value is None else self._bounded(name, js_number(value), low, high)

    def numeric(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        """The same where the route converts the text itself and says so."""
        value = self._single(name, 'number')
        if value is None:
            return None
        number = js_number(value)
        if number is None:
            self.issues.append(complaints.unconvertible((name,), value))
            return None
        return self._bounded(name, number, low, high)

    def flag(self, name: str) -> bool | None:
        """A boolean written as a word, in any case."""
        value = self._params.get(name)
        if value is None:
            return None
        several = len(self._params.getlist(name)) > 1
        if several or value.lower() not in (*YES, *NO):
            received = 'array' if several else 'string'
            self.issues.append(complaints.not_a_flag((name,), received))
            return None
        return value.lower() in YES

    def choice(self, name: str, values: Sequence[str]) -> str | None:
        """One of `values`, exact case."""
        found = self._params.getlist(name)
        if not found:
            return None
        if len(found) > 1 or found[0] not in values:
            self.issues.append(complaints.not_among((name,), values))
            return None
        return found[0]

    def choice_or_flag(self, name: str, values: Sequence[str]) -> str | None:
        """One of `values`, or a boolean word, which is told as `true` or `false`."""
        found = self._params.getlist(name)
        if not found:
            return None
        if len(found) == 1 and found[0] in values:
            return found[0]
        if len(found) == 1 and found[0].lower() in (*YES, *NO):
            return 'true' if found[0].lower() in YES else 'false'
        received = 'string' if len(found) == 1 else 'array'
        flag, choice = complaints.not_a_flag((), received), complaints.not_among((), values)
        self.issues.append(complaints.no_alternative((name,), [choice], [flag]))
        return None

    def choices(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """One of `values`, or a repeated key with several."""
        found = self._params.getlist(name)
        wrong = [index for index, value in enumerate(found) if value not in values]
        if wrong:
            array = [complaints.not_among((index,), values) for index in wrong]
            if len(found) == 1:
                array = [complaints.wrong_type((), 'array', 'string')]
            one = [complaints.not_among((), values)]
            self.issues.append(complaints.no_alternative((name,), one, array))
        return tuple(found)

    def array(self, name: str, values: Sequence[str], *, single: bool) -> tuple[str, ...]:
        """A repeated key whose every value is one of `values`; a `single` one may do as well."""
        found = self._params.getlist(name)
        if len(found) == 1 and not single:
            self.issues.append(complaints.wrong_type((name,), 'array', 'string'))
            return ()
        return self._each_among(name, found, values)

    def comma_list(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """A comma separated list of `values`, or a repeated key."""
        return self._each_among(name, self._parts(name), values)

    def numbers(self, name: str) -> tuple[int, ...]:
        """A comma separated list of numbers, or a repeated key; empty when absent."""
        parts = self._parts(name)
        found = [js_number(part) for part in parts]
        for index, number in enumerate(found):
            if number is None:
                self.issues.append(complaints.not_a_number((name, index)))
        # No id is a fraction.
        return tuple(int(n) if n.is_integer() else -1 for n in found if n is not None)

    def positive_numbers(self, name: str) -> tuple[int, ...]:
        """A comma separated list of 1 to 100 positive whole numbers; empty when absent."""
        parts = [part for part in self._parts(name) if part]
        if len(parts) > 100 or not all(re.fullmatch(r'[1-9][0-9]{0,17}', part) for part in parts):
            message = 'Invalid input: expected 1-100 positive ids'
            self.issues.append({'code': 'custom', 'path': [name], 'message': message})
            return ()
        return tuple(int(part) for part in parts)

    def refuse(self, name: str, expected: str) -> None:
        """A parameter that cannot be sent in an address: nobody converts its text."""
        found = self._params.getlist(name)
        received = 'array' if len(found) > 1 else 'string'
        if found and received != expected:
            self.issues.append(complaints.wrong_type((name,), expected, received))

    def check(self, body: Callable[[list[Issue]], object] = error_object) -> None:
        """Raise ApiError 400 with everything gathered, in the form `body` gives it."""
        if self.issues:
            raise ApiError(400, body(self.issues))

    def _bounded(
        self, name: str, number: float | None, low: int | None, high: int | None
    ) -> int | None:
        if number is None or math.isinf(number):
            received = 'NaN' if number is None else 'number'
            self.issues.append(complaints.not_a_number((name,), received))
        elif high is not None and number > high:
            self.issues.append(complaints.outside((name,), high=high))
        elif low is not None and number < low:
            self.issues.append(complaints.outside((name,), low=low))
        else:
            return math.floor(number)
        return None

    def _single(self, name: str, expected: str) -> str | None:
        values = self._params.getlist(name)
        if len(values) > 1:
            self.issues.append(complaints.wrong_type((name,), expected, 'array'))
            return None
        return values[0] if values else None

    def _parts(self, name: str) -> list[str]:
        found = self._params.getlist(name)
        return [part.strip() for part in found[0].split(',')] if len(found) == 1 else found

    def _each_among(
        self, name: str, found: Sequence[str], values: Sequence[str]
    ) -> tuple[str, ...]:
        for index, value in enumerate(found):
            if value not in values:
                self.issues.append(complaints.not_among((name, index), values))
        return tuple(found)
