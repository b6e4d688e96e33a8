"""What the fields of an answer say, whatever type they came as. Nothing here raises."""

from __future__ import annotations

import re

from . import meta as meta_of, urls

_DEEPEST = 50
_SECRET = re.compile(
    r'(?:proxy-)?authorization|(?:set-)?cookies?|(?:api|access|refresh|secret)?[-_]?(?:key|token)'
    r'|password|secret',
    re.IGNORECASE,
)


def whole(value: object) -> int:
    """A count or id; 0 if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 0
    try:
        return int(value) if 0 < int(value) < 2**63 else 0
    except (ValueError, OverflowError):
        return 0


def words(value: object) -> str:
    """A text without what no file can hold; '' for everything else."""
    return meta_of.clean(value) if isinstance(value, str) else ''


def names(value: object) -> tuple[str, ...]:
    """The names in a list of texts, or of objects that have one."""
    told = value if isinstance(value, list) else []
    found = (one.get('name') if isinstance(one, dict) else one for one in told)
    return tuple(filter(None, map(words, found)))


def without_secrets(value: object, depth: int = 0) -> object:
    """The same value of JSON, without what gives access to something, by itself or in an address.

    What is nested deeper than any answer of the site is left out.
    """
    if isinstance(value, str):
        return urls.redact(value) if value.startswith(('https://', 'http://')) else value
    if not isinstance(value, (dict, list)):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [without_secrets(one, depth + 1) for one in value]
    kept = {name: one for name, one in value.items() if not _SECRET.fullmatch(str(name))}
    return {name: without_secrets(one, depth + 1) for name, one in kept.items()}
