"""What is wrong with a parameter, as zod writes it, and the bodies such complaints travel in."""

from __future__ import annotations

import json
import math
import re
from typing import Sequence

Issue = dict[str, object]
Path = tuple[str | int, ...]

YES = ('true', '1', 'yes', 'on', 'y', 'enabled')
NO = ('false', '0', 'no', 'off', 'n', 'disabled')

_DECIMAL = re.compile(r'[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?', re.ASCII)
_PREFIXED = re.compile(r'0(?:x[0-9a-f]+|o[0-7]+|b[01]+)', re.ASCII | re.IGNORECASE)


def js_number(text: str) -> float | None:
    """What JavaScript's `Number(text)` makes of a text, None for NaN; '' is 0, `0x10` is 16."""
    text = text.strip()
    if not text:
        return 0.0
    if _PREFIXED.fullmatch(text):
        whole = int(text, 0)
        return float(whole) if whole.bit_length() < 1024 else math.inf
    if _DECIMAL.fullmatch(text):
        return float(text)
    infinite = re.fullmatch(r'([+-]?)Infinity', text)
    return float(f'{infinite[1]}inf') if infinite else None


# -- single complaints


def not_a_number(path: Path, received: str = 'NaN') -> Issue:
    """Something else than a number; `received` says what came."""
    issue: Issue = {'expected': 'number', 'code': 'invalid_type'}
    if received == 'NaN':
        issue['received'] = received
    return _placed(issue, path, f'Invalid input: expected number, received {received}')


def unconvertible(path: Path, text: str) -> Issue:
    """A text that a route of its own tried to read as a number."""
    return {
        'message': f'\'{text}\' cannot be converted to a number',
        'code': 'custom',
        'path': [*path],
    }


def wrong_type(path: Path, expected: str, received: str) -> Issue:
    """A value of another type."""
    message = f'Invalid input: expected {expected}, received {received}'
    return _placed({'expected': expected, 'code': 'invalid_type'}, path, message)


def outside(path: Path, *, low: float | None = None, high: float | None = None) -> Issue:
    """A number below `low` or above `high`."""
    if high is None:
        code, bound, limit, sign, word = 'too_small', 'minimum', low, '>=', 'small'
    else:
        code, bound, limit, sign, word = 'too_big', 'maximum', high, '<=', 'big'
    issue: Issue = {'origin': 'number', 'code': code, bound: limit, 'inclusive': True}
    return _placed(issue, path, f'Too {word}: expected number to be {sign}{limit}')


def too_long(path: Path, longest: int) -> Issue:
    """A text of more than `longest` characters."""
    issue: Issue = {'origin': 'string', 'code': 'too_big', 'maximum': longest, 'inclusive': True}
    return _placed(issue, path, f'Too big: expected string to have <={longest} characters')


def not_among(path: Path, values: Sequence[str], expected: str = '') -> Issue:
    """None of `values`."""
    shown = '|'.join(f'"{value}"' for value in values)
    issue: Issue = {'code': 'invalid_value'}
    if expected:
        issue['expected'] = expected
    issue['values'] = [*values]
    return _placed(issue, path, f'Invalid option: expected one of {shown}')


def unlike(path: Path, pattern: str, message: str) -> Issue:
    """A text that does not match `pattern`."""
    issue: Issue = {'origin': 'string', 'code': 'invalid_format', 'format': 'regex'}
    return _placed({**issue, 'pattern': pattern}, path, message)


def no_alternative(path: Path, *errors: list[Issue]) -> Issue:
    """A value that fits none of several schemas; the message says no more than that."""
    issue: Issue = {'code': 'invalid_union', 'errors': [*errors]}
    return _placed(issue, path, 'Invalid input')


def not_a_flag(path: Path, received: str) -> Issue:
    """A value that is neither a boolean, nor a word for one, nor a number."""
    word = [not_among((), (*YES, *NO), 'stringbool')]
    if received != 'string':
        word = [wrong_type((), 'string', received)]
    boolean = no_alternative((), [wrong_type((), 'boolean', received)], word)
    return no_alternative(path, [boolean], [not_a_number((), received)])


def _placed(issue: Issue, path: Path, message: str) -> Issue:
    return {**issue, 'path': [*path], 'message': message}


# -- bodies


def zod_error(issues: list[Issue]) -> dict[str, object]:
    """`{"name": "ZodError", "message": ...}`, the message being JSON itself."""
    return {'name': 'ZodError', 'message': json.dumps(issues, indent=2, ensure_ascii=False)}


def error_object(issues: list[Issue]) -> object:
    """What `/images`, `/models` and most lists send."""
    return {'error': zod_error(issues)}


def bare_list(issues: list[Issue]) -> object:
    """What `/creators` and `/tags` send: the issues themselves."""
    return issues


def prettified(issues: list[Issue]) -> object:
    """What routes with an id and downloads send: lines for a person."""
    lines = []
    for issue in issues:
        lines.append(f'✖ {issue["message"]}')
        path = issue['path']
        if isinstance(path, list) and path:
            lines.append(f'  → at {_dotted(path)}')
    return {'error': '\n'.join(lines)}


def _dotted(path: list[str | int]) -> str:
    names = (f'[{name}]' if isinstance(name, int) else f'.{name}' for name in path)
    return ''.join(names).removeprefix('.')
