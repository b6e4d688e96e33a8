"""Weather of the stand-in: what goes wrong, where and how often. Decisions only, no I/O."""

from __future__ import annotations

import hashlib
import re
import textwrap
import threading
from dataclasses import dataclass
from typing import Any, Mapping

DEMO_KEY = 'demo-key'
SLOW_SECONDS, SILENT_SECONDS = 3.0, 20.0

# Parts of the site. IMAGES, HASHES and VERSIONS are single routes of the API that have troubles of
# their own.
API, IMAGES, HASHES, VERSIONS, DOWNLOAD, STORAGE, CDN, OTHER = (
    'api',
    'images',
    'hashes',
    'versions',
    'download',
    'storage',
    'cdn',
    'other',
)
API_PARTS = frozenset((API, IMAGES, HASHES, VERSIONS))

CDN_KEY = 'xG1nkqKTMzGDvpLrqFT7WA'
_CDN_STARTS = (f'/{CDN_KEY}/', '/file/civitai-media-cache/')

_EVERYWHERE = API_PARTS | {DOWNLOAD, CDN}

# Scenario -> the parts of the site it touches.
SCENARIOS: Mapping[str, frozenset[str]] = {
    'slow': _EVERYWHERE,
    'silent': frozenset((CDN,)),
    '503': _EVERYWHERE,
    '429': _EVERYWHERE,
    '429-no-retry-after': _EVERYWHERE,
    '451': API_PARTS,
    'html': _EVERYWHERE,
    'truncated': frozenset((CDN,)),
    'cdn-404': frozenset((CDN,)),
    'key-needed': API_PARTS | {DOWNLOAD},
    '400': frozenset((IMAGES,)),
    'feed-cursors': frozenset((IMAGES,)),
    'offset-cursors': frozenset((IMAGES,)),
    'empty-page': frozenset((IMAGES,)),
    'repeated-cursor': frozenset((IMAGES,)),
    'lossy': frozenset((IMAGES,)),
    'null-fields': frozenset((IMAGES,)),
    'video-as-webp': frozenset((CDN,)),
    '401-disabled': frozenset((DOWNLOAD,)),
    '403-early-access': frozenset((DOWNLOAD,)),
    '403-no-access': frozenset((DOWNLOAD,)),
    '410': frozenset((DOWNLOAD,)),
    'key-refused': frozenset((DOWNLOAD,)),
    'taken-down': frozenset((VERSIONS, DOWNLOAD)),
    'failed-scan': frozenset((VERSIONS,)),
    'keyless-downloads': frozenset((DOWNLOAD,)),
    'wrong-hash': frozenset((STORAGE,)),
    'expired-signature': frozenset((STORAGE,)),
    'cut-file': frozenset((STORAGE,)),
    'no-range': frozenset((STORAGE,)),
    'changed-etag': frozenset((STORAGE,)),
    'undefined-urls': frozenset((HASHES,)),
}
_CUTTING = frozenset(('truncated', 'cut-file'))
_SOME_PICTURES = frozenset(('truncated', 'cdn-404'))

# What `null-fields` takes away from items.
_FRAIL_FIELDS = 'meta hash width height username baseModel postId stats'.split()


@dataclass(frozen=True)
class Scenario:
    """A scenario by name (empty: none); `count` is how many requests it touches, None for all."""

    name: str = ''
    count: int | None = None


def parse_scenario(text: str) -> Scenario:
    """Read `503` or `503:2`; empty text is fair weather. Raises ValueError that lists the names."""
    name, colon, number = text.strip().partition(':')
    if not name and not colon:
        return Scenario()
    if name not in SCENARIOS:
        raise ValueError(f'Unknown scenario {name!r}. Known: {", ".join(SCENARIOS)}.')
    if not colon:
        return Scenario(name)
    if not re.fullmatch('[0-9]{1,9}', number) or not int(number):
        raise ValueError(f'{text!r}: after the colon comes a number of requests, like {name}:2.')
    return Scenario(name, int(number))


def listed() -> str:
    """The names, as lines for a terminal that break none of them."""
    names = f'Scenarios: {", ".join(SCENARIOS)}'
    return textwrap.fill(names, 79, subsequent_indent='  ', break_on_hyphens=False)


def part_of(path: str) -> str:
    """Which part of the site a path belongs to."""
    if path == '/api/v1/images':
        return IMAGES
    if path == '/api/v1/model-versions/by-hash':
        return HASHES
    if re.fullmatch('/api/v1/model-versions/[0-9]+', path):
        return VERSIONS
    if path.startswith('/api/download/'):
        return DOWNLOAD
    if path.startswith('/api/'):
        return API
    if path.startswith('/signed/'):
        return STORAGE
    if path.startswith(_CDN_STARTS):
        return CDN
    return OTHER


def picture_is_chosen(path: str) -> bool:
    """Whether a picture is among the about every fourth that partial scenarios spoil."""
    pieces = path.split('/')
    identity = pieces[3] if path.startswith(_CDN_STARTS[1]) else pieces[2]
    return hashlib.sha256(identity.encode()).digest()[0] % 4 == 0


def asks_plain_original(path: str) -> bool:
    """Whether an address of the CDN asks for `original=true` and says nothing of transcoding."""
    pieces = path.split('/')
    words = pieces[3].split(',') if path.startswith(_CDN_STARTS[0]) and len(pieces) > 3 else []
    return 'original=true' in words and 'transcode=true' not in words


def touches(name: str, path: str, has_key: bool) -> bool:
    """Whether the scenario `name` spoils a request for `path`."""
    if not name or part_of(path) not in SCENARIOS[name]:
        return False
    if name in _SOME_PICTURES:
        return picture_is_chosen(path)
    if name == 'video-as-webp':
        return asks_plain_original(path)
    return not (name == 'key-needed' and has_key)


def cuts(name: str) -> bool:
    """Whether the scenario `name` hangs up in the middle of a body."""
    return name in _CUTTING


def with_gaps(item: Mapping[str, object], number: int) -> dict[str, object]:
    """Item `number` of `null-fields`: of four one is whole, one has nulls, one lacks fields, one
    lacks counts."""
    turn = number % 4
    if turn == 1:
        return {**item, **dict.fromkeys(_FRAIL_FIELDS)}
    if turn == 2:
        return {name: value for name, value in item.items() if name not in _FRAIL_FIELDS}
    if turn == 3:
        return {**item, 'stats': {'likeCount': None, 'heartCount': None, 'laughCount': 1}}
    return dict(item)


def version_under(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer about a version under the scenario `name`."""
    if name == 'taken-down':
        model = {**body['model'], 'mode': 'TakenDown'}
        hidden = ('downloadUrl',)
        shown = {key: value for key, value in body.items() if key not in hidden}
        return {**shown, 'model': model, 'files': [], 'images': []}
    if name == 'failed-scan':
        found = {'virusScanResult': 'Danger', 'virusScanMessage': 'Stand-in.Test.Signature FOUND'}
        return {**body, 'files': [{**file, **found} for file in body['files']]}
    return body


def with_wrong_hash(content: bytes) -> bytes:
    """As many bytes as `content`, of which the last is another one."""
    return content[:-1] + bytes((content[-1] ^ 1,))


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
