"""Names as people spell them, and the exact ones that they mean."""

from __future__ import annotations

import re
from typing import Iterable


def plain(name: str) -> str:
    """Return `name` without what is spelled in several ways: case, blanks, hyphens, underscores."""
    return re.sub('[ _-]', '', name).casefold()


def meant(given: str, known: Iterable[str]) -> str:
    """Return the one of the `known` names that is meant by `given`, '' if none is."""
    wanted = plain(given)
    return next((name for name in known if plain(name) == wanted), '')
