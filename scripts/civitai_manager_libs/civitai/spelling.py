"""Names as people spell them, and the exact ones that they mean."""

from __future__ import annotations

import difflib
import re
from typing import Iterable

_LONGEST = 100  # of what is compared
_BEGUN = 0.95  # so much counts a likeness to the beginning of a name


def plain(name: str) -> str:
    """Return `name` without what is spelled in several ways: case, blanks, hyphens, underscores."""
    return re.sub('[ _-]', '', name).casefold()


def meant(given: str, known: Iterable[str]) -> str:
    """Return the one of the `known` names that is meant by `given`, '' if none is."""
    wanted = plain(given)
    return next((name for name in known if plain(name) == wanted), '')


def nearest(given: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return those of `known` that are most like `given`, which may be the beginning of one."""
    wanted = plain(given[:_LONGEST])

    def likeness(name: str) -> float:
        whole, begun = (_alike(wanted, one) for one in (plain(name), plain(name)[: len(wanted)]))
        return max(whole, _BEGUN * begun)

    return sorted(known, key=likeness, reverse=True)[:most]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
