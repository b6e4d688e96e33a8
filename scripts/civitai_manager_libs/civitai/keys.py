"""The API key as people have it: copied from somewhere, set in the manner of some system."""

from __future__ import annotations

import re

from ..errors import SourceError

_QUOTES = ('""', "''", '``', '“”', '‘’')
# None of these is ever in a key; a marker or an editor may leave one of a pair behind.
_MARKS = '"\'`“”„‟‘’‚‛«»‹›「」『』＂＇'
_BEARER = re.compile(r'(?:authorization\s*:\s*)?bearer\s+', re.IGNORECASE)


def unquoted(text: str) -> str:
    """Return `text` without space and quotes around it, which some systems leave on variables."""
    text = text.strip()
    while len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text


def usable_key(key: str) -> str:
    """Return `key` without what comes along when it is copied: space, quotes, `Bearer`.

    Raises SourceError if no header can carry it.
    """
    key = _bare(key)
    prefix = _BEARER.match(key)
    key = _bare(key[prefix.end() :]) if prefix else key
    if not key.isascii() or not key.isprintable() or ' ' in key:
        raise SourceError('key_unusable')
    return key


def _bare(key: str) -> str:
    """Return `key` without space and quotes at its ends, also where only one of a pair is there."""
    while key != (key := key.strip().strip(_MARKS)):
        pass
    return key
