"""What the headers of a request say of who asks: which name was called, which page asked."""

from __future__ import annotations

import ipaddress
import re
from typing import Mapping

# What a proxy adds; behind one, the connection is the proxy's and tells nothing of who asks.
_PROXY_HEADERS = {'forwarded', 'via', 'x-real-ip', 'x-client-ip'}
_AUTHORITY = re.compile(r'(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{0,5})?', re.ASCII)


def lowered(headers: Mapping[str, object]) -> dict[str, str]:
    """Return `headers` with their names in lower case."""
    return {str(name).lower(): str(value) for name, value in headers.items()}


def host_name(authority: str) -> str:
    """Return the host of `host[:port]`, lower case and without brackets; '' if it is none."""
    found = _AUTHORITY.fullmatch(authority)
    return found[1].strip('[]').lower().removesuffix('.') if found else ''


def is_loopback(host: str) -> bool:
    """Tell whether `host` is a number of this very machine; a name is none."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def came_through_a_proxy(headers: Mapping[str, str]) -> bool:
    """Tell whether a proxy passed these (lower case) headers on."""
    return any(name in _PROXY_HEADERS or name.startswith('x-forwarded') for name in headers)


def asked_by_our_page(headers: Mapping[str, str]) -> bool:
    """Tell whether what browsers say of the page that asked fits a page of ours.

    A program that is no browser says nothing and passes.
    """
    if headers.get('sec-fetch-site', 'none') not in ('same-origin', 'none'):
        return False
    asker = headers.get('origin', '').partition('://')[2]
    return 'origin' not in headers or asker.lower() == headers.get('host', '').lower()


def from_same_machine(client: str, headers: Mapping[str, object]) -> bool:
    """Tell whether address and headers are those of a program or page on this very machine."""
    known = lowered(headers)
    called = host_name(known.get('host', ''))
    return (
        not came_through_a_proxy(known)
        and asked_by_our_page(known)
        and is_loopback(client)
        and (called == 'localhost' or is_loopback(called))
    )
