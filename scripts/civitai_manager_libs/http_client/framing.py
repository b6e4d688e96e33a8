"""What the headers of an answer say about the shape of its body. Pure."""

from __future__ import annotations

from typing import Mapping


def codings(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return how a body is packed, in lower case and in the order in which that was done."""
    told = headers.get('Content-Encoding')
    if not told:
        return ()
    names = told.lower().split(',')
    return tuple(name for name in map(str.strip, names) if name not in ('', 'identity'))


def transfer_coding(headers: Mapping[str, str]) -> str:
    """Return how a body is packed for the way alone: '', 'chunked', or what we do not know."""
    name = headers.get('Transfer-Encoding', '').strip().lower()
    return '' if name == 'identity' else name


def length(headers: Mapping[str, str]) -> int:
    """Return how many bytes a body should have, 0 if nothing says or it is packed."""
    told = headers.get('Content-Length', '').strip()
    if codings(headers) or transfer_coding(headers) or not (told.isascii() and told.isdigit()):
        return 0
    return int(told[:18])  # int() refuses thousands of digits
