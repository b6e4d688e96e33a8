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
    return 0 if codings(headers) else sent_length(headers)


def sent_length(headers: Mapping[str, str]) -> int:
    """Return how many bytes of a body, packed as it may be, are sent; 0 if nothing says."""
    told = headers.get('Content-Length', '')
    if transfer_coding(headers):
        return 0
    lengths = set(map(number, told.split(',')))  # some say it twice
    return max(0, *lengths) if len(lengths) == 1 else 0


def number(digits: str) -> int:
    """Return the number that `digits` are, about if there are more than 18, and -1 for others."""
    plain = digits.strip()
    if not (plain.isascii() and plain.isdigit()):
        return -1
    return int(plain.lstrip('0')[:18] or '0')  # int() refuses thousands of digits
