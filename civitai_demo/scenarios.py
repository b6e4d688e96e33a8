"""Weather of the stand-in: what goes wrong, where and how often. Decisions only, no I/O."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Mapping

DEMO_KEY = 'demo-key'
SLOW_SECONDS = 3.0

API, DOWNLOAD, CDN, OTHER = 'api', 'download', 'cdn', 'other'

CDN_KEY = 'xG1nkqKTMzGDvpLrqFT7WA'
_CDN_STARTS = (f'/{CDN_KEY}/', '/file/civitai-media-cache/')

# Scenario -> the parts of the site it touches.
SCENARIOS: Mapping[str, frozenset[str]] = {
    'slow': frozenset((API, DOWNLOAD, CDN)),
    '503': frozenset((API, DOWNLOAD, CDN)),
    '429': frozenset((API, DOWNLOAD, CDN)),
    '429-no-retry-after': frozenset((API, DOWNLOAD, CDN)),
    '451': frozenset((API,)),
    'html': frozenset((API, DOWNLOAD, CDN)),
    'truncated': frozenset((CDN,)),
    'cdn-404': frozenset((CDN,)),
    'key-needed': frozenset((API, DOWNLOAD)),
}
_SOME_PICTURES = frozenset(('truncated', 'cdn-404'))


@dataclass(frozen=True)
class Scenario:
    """A scenario by name (empty: none); `count` is how many requests it touches, None for all."""

    name: str = ''
    count: int | None = None


@dataclass(frozen=True)
class CannedReply:
    """An answer given instead of the real one."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def parse_scenario(text: str) -> Scenario:
    """Read `503` or `503:2`; empty text is fair weather. Raises ValueError that lists the names."""
    name, colon, number = text.strip().partition(':')
    if not name and not colon:
        return Scenario()
    if name not in SCENARIOS:
        raise ValueError(f'Unknown scenario {name!r}. Known: {", ".join(SCENARIOS)}.')
    if not colon:
        return Scenario(name)
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f'{text!r}: after the colon comes a number of requests, like {name}:2.')
    return Scenario(name, int(number))


def part_of(path: str) -> str:
    """Which part of the site a path belongs to."""
    if path.startswith('/api/download/'):
        return DOWNLOAD
    if path.startswith('/api/'):
        return API
    if path.startswith(_CDN_STARTS):
        return CDN
    return OTHER


def picture_is_chosen(path: str) -> bool:
    """Whether a picture is among the about every fourth that partial scenarios spoil."""
    pieces = path.split('/')
    identity = pieces[3] if path.startswith(_CDN_STARTS[1]) else pieces[2]
    return hashlib.sha256(identity.encode()).digest()[0] % 4 == 0


def touches(name: str, path: str, has_key: bool) -> bool:
    """Whether the scenario `name` spoils a request for `path`."""
    if not name or part_of(path) not in SCENARIOS[name]:
        return False
    if name in _SOME_PICTURES:
        return picture_is_chosen(path)
    return not (name == 'key-needed' and has_key)


def canned_reply(name: str, path: str) -> CannedReply | None:
    """The answer of scenario `name`, or None where the real answer follows in some form."""
    if name == 'key-needed':
        body = {'error': 'Unauthorized'}
        if part_of(path) == DOWNLOAD:
            body['message'] = (
                'The creator of this asset requires you to be logged in to download it'
            )
        return _json(401, {'Cache-Control': 'no-store, max-age=0'}, body)
    return _REPLIES.get(name)


def _json(status: int, headers: Mapping[str, str], body: object) -> CannedReply:
    content = json.dumps(body).encode()
    return CannedReply(
        status, {'Content-Type': 'application/json; charset=utf-8', **headers}, content
    )


_NO_STORE = {'Cache-Control': 'no-store'}
_REPLIES: Mapping[str, CannedReply] = {
    '503': _json(
        503, {**_NO_STORE, 'Retry-After': '2'}, {'error': 'Server busy, please retry shortly.'}
    ),
    '429': _json(
        429,
        {**_NO_STORE, 'Retry-After': '2'},
        {'error': 'Rate limit exceeded, please retry shortly.'},
    ),
    '429-no-retry-after': _json(
        429, _NO_STORE, {'error': 'You\'ve requested too many pages, please use cursors instead'}
    ),
    '451': _json(
        451,
        _NO_STORE,
        {
            'error': 'Access to this service is not available in your region due to legal '
            'restrictions.',
            'code': 'REGION_BLOCKED',
        },
    ),
    'html': CannedReply(
        200,
        {'Content-Type': 'text/html; charset=utf-8', **_NO_STORE},
        b'<!DOCTYPE html>\n<title>Just a moment...</title>\n<h1>Checking your browser</h1>\n',
    ),
    'cdn-404': CannedReply(404, {'Content-Type': 'text/plain; charset=utf-8'}, b'Not Found'),
}


class ScenarioSwitch:
    """The scenario in force; may be changed from another thread while the server runs."""

    def __init__(self, text: str = '') -> None:
        """Begin with the scenario `text` (see `parse_scenario`)."""
        self._lock = threading.Lock()
        self.set(text)

    @property
    def text(self) -> str:
        """The scenario as it was set."""
        return self._text

    def set(self, text: str) -> None:
        """Switch to the scenario `text` and count anew; raises ValueError for an unknown name."""
        scenario = parse_scenario(text)
        with self._lock:
            self._text, self._scenario, self._left = text, scenario, scenario.count

    def take(self, path: str, has_key: bool) -> str:
        """The scenario that spoils this request ('': none); uses up one of a counted one."""
        with self._lock:
            if not touches(self._scenario.name, path, has_key) or self._left == 0:
                return ''
            if self._left is not None:
                self._left -= 1
            return self._scenario.name
