"""Whose key a request carries. Decisions only, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping
from urllib.parse import parse_qs, parse_qsl, urlencode

from .scenarios import DEMO_KEY

# The owner of this key prefers large files, as people may in their account's settings.
LARGE_FILES_KEY = 'demo-key-large'

_RESUMES_QUERY = re.compile(r'&*[^&=?]+=')


@dataclass(frozen=True)
class Account:
    """A visitor who is known; `preferences` are words of a file's metadata."""

    id: int
    name: str
    preferences: Mapping[str, str] = field(default_factory=dict)


ACCOUNTS: Mapping[str, Account] = {
    DEMO_KEY: Account(30001, 'demo_visitor'),
    LARGE_FILES_KEY: Account(30002, 'demo_archivist', {'size': 'full', 'fp': 'fp32'}),
}


def account_of(headers: Mapping[str, str], query: str) -> Account | None:
    """Who sends a request, None for anybody; a header makes Civitai ignore `?token=`."""
    if 'authorization' in headers:
        kind, _, key = headers['authorization'].partition(' ')
        return ACCOUNTS.get(key) if kind == 'Bearer' else None
    return ACCOUNTS.get(parse_qs(query).get('token', [''])[0])


def rejoined(query: str) -> str:
    """A query that a second `?key=` split, with `&` in its place; any other one unchanged.

    Parameters that arrived whole keep their values. Downloads do this (`repairSplitQueryString`).
    """
    head, *rest = query.split('?')
    if not any(_RESUMES_QUERY.match(part) for part in rest):
        return query
    joined = head
    for part in rest:
        joined += f'&{part.lstrip("&")}' if _RESUMES_QUERY.match(part) else f'?{part}'
    sent = parse_qsl(query, keep_blank_values=True)
    whole = [pair for pair in sent if '?' not in pair[0] and '?' not in pair[1]]
    names = {name for name, _ in whole}
    found = parse_qsl(joined, keep_blank_values=True)
    return urlencode([*whole, *(pair for pair in found if pair[0] not in names)])
