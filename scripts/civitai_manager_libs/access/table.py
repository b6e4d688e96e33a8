"""Whose a connection is, read from Linux's tables of TCP connections.

The text is that of /proc/net/tcp and /proc/net/tcp6 (proc(5)): a heading, then a row for each end
of each connection on this machine.
"""

from __future__ import annotations

import ipaddress
from typing import Literal

Endpoint = tuple[str, int]
ByteOrder = Literal['little', 'big']

_ESTABLISHED = '01'
_NO_INODE = '0'  # nobody holds this end any more, and the account is shown as 0


def accounts(table: str, near: Endpoint, far: Endpoint | None, order: ByteOrder) -> set[int]:
    """Return the accounts whose connection goes from `near` to `far` (None: to anywhere).

    `order` is the byte order of the machine, in which the kernel writes addresses. Only a living
    connection counts, and only one that somebody holds.
    """
    here, there = _spellings(near, order), _spellings(far, order) if far else None
    found = set()
    for row in table.splitlines()[1:]:
        fields = row.split()
        if len(fields) < 10 or fields[1] not in here or fields[3] != _ESTABLISHED:
            continue
        account, inode = fields[7], fields[9]
        if (there is None or fields[2] in there) and inode != _NO_INODE and account.isdecimal():
            found.add(int(account))
    return found


def _spellings(endpoint: Endpoint, order: ByteOrder) -> set[str]:
    """How the kernel writes `endpoint`: an IPv4 address may stand in an IPv6 socket, mapped."""
    host, port = endpoint
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return set()
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    forms = [address.packed]
    if address.version == 4:
        forms.append(bytes(10) + b'\xff\xff' + address.packed)
    return {f'{_words(form, order)}:{port:04X}' for form in forms}


def _words(packed: bytes, order: ByteOrder) -> str:
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return ''.join(f'{int.from_bytes(word, order):08X}' for word in words)
