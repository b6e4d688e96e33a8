"""Which requests the standalone app answers: those under a name of its own, by its own page."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Callable, Mapping

from . import signs

PAGE = '/'
_READING = ('GET', 'HEAD')
_TAKE_FILES = ('/upload', '/component_server')  # routes of gradio that keep what they are sent

_MISDIRECTED, _FORBIDDEN = 421, 403


@dataclass(frozen=True)
class Asked:
    """One request as it came, the names of its headers in lower case."""

    method: str  # '' for a websocket
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Refusal:
    """The HTTP status of a refusal and the key of the sentence that explains it."""

    status: int
    key: str


@dataclass(frozen=True)
class Door:
    """Who may come in.

    listening: the address or name the app listens on. names: others that people open it by, as
    `signs.host_name` gives them. is_ours: tells whether an address is one of this machine.
    """

    listening: str
    names: frozenset[str] = frozenset()
    is_ours: Callable[[str], bool] = field(default=lambda address: False)

    @property
    def is_shared(self) -> bool:
        """Whether the owner wants others than the programs of this machine to come in."""
        here = self.listening == 'localhost' or signs.is_loopback(self.listening)
        return bool(self.names) or not here

    def refusal(self, asked: Asked) -> Refusal | None:
        """Return why a request is not answered, None if it is."""
        if not self._answers_to(signs.host_name(asked.headers.get('host', ''))):
            return Refusal(_MISDIRECTED, 'name_not_answered')
        if not self._is_by_our_page(asked.headers) and not _is_visit(asked):
            return Refusal(_FORBIDDEN, 'other_site')
        if _brings_files(asked):
            return Refusal(_FORBIDDEN, 'no_uploads')
        return None

    def _answers_to(self, name: str) -> bool:
        if name in ('localhost', self.listening) or name in self.names or signs.is_loopback(name):
            return bool(name)
        return _is_any(self.listening) and (_is_any(name) or self.is_ours(name))

    def _is_by_our_page(self, headers: Mapping[str, str]) -> bool:
        if signs.asked_by_our_page(headers):
            return True
        # a proxy may call us by another name than the page is opened by
        asker = signs.host_name(headers.get('origin', '').partition('://')[2])
        site = headers.get('sec-fetch-site', 'same-origin')
        return site == 'same-origin' and asker in self.names


def _is_any(host: str) -> bool:
    """Tell whether `host` stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_visit(asked: Asked) -> bool:
    """Tell whether somebody followed a link to the page, not inside a frame of another site."""
    return (
        asked.method in _READING
        and asked.path == PAGE
        and asked.headers.get('sec-fetch-mode', 'navigate') == 'navigate'
        and asked.headers.get('sec-fetch-dest', 'document') == 'document'
    )


def _brings_files(asked: Asked) -> bool:
    kind = asked.headers.get('content-type', '').strip().lower()
    route = asked.path.rstrip('/').lower()
    return asked.method not in _READING and (
        route.endswith(_TAKE_FILES) or kind.startswith('multipart/')
    )
