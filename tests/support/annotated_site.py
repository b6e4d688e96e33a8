"""A small Civitai made of scripted answers, whose pictures were made with models it can name."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Mapping
from urllib.parse import parse_qs, urlsplit

from tests.support.pictures import MOVIE, drawn
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

CHECKPOINT, LORA, UNKNOWN = 11, 22, 33
PROMPT = 'a (teal:1.2) harbour <lora:fog:0.8>, 海'
META: dict[str, Any] = {
    'prompt': PROMPT,
    'negativePrompt': 'blur',
    'steps': 28,
    'sampler': 'Euler a',
    'cfgScale': 6.5,
    'seed': 4021337700,
    'Size': '640x960',
}
USED: list[dict[str, Any]] = [
    {'type': 'checkpoint', 'modelVersionId': CHECKPOINT},
    {'type': 'lora', 'modelVersionId': LORA, 'weight': 0.8},
]
ONSITE = {**META, 'prompt': 'a harbour', 'civitaiResources': USED}
VERSIONS = {
    CHECKPOINT: ('Harbour', 'Checkpoint', 'harbour_v2', {'AutoV2': 'ABCDEF0123'}),
    LORA: ('Fog', 'LORA', 'fog', {'AutoV3': 'FFEEDDCCBBAA'}),
}
BYTES = {
    'png': drawn('PNG'),
    'jpeg': drawn('JPEG'),
    'webp': drawn('WEBP'),
    'mp4': MOVIE,
    'gif': drawn('GIF'),
}
TYPES = {'mp4': 'video/mp4'}


def item(number: int, ending: str = 'png', meta: object = META, **more: object) -> dict[str, Any]:
    """A picture as the API tells it; `ending` says which bytes it has."""
    return {
        'id': number,
        'ending': ending,
        'type': 'video' if ending == 'mp4' else 'image',
        'browsingLevel': 1,
        'postId': 1,
        'hash': 'UKO2?VM{',
        'username': 'wren',
        'meta': meta,
        **more,
    }


class AnnotatedSite:
    """A server whose post 1 has `items`; `files` has bytes of single pictures, by id.

    `instead` has other answers, by a part of what is asked for.
    """

    def __init__(
        self,
        *items: dict[str, Any],
        files: Mapping[int, bytes] | None = None,
        instead: Mapping[str, Answer] | None = None,
    ) -> None:
        self.items, self.files, self.instead = list(items), dict(files or {}), dict(instead or {})
        self.metadata: dict[str, Any] = {}  # of its one page
        self.server = ScriptedServer(handler=self._answer)

    @property
    def post(self) -> str:
        """The address of its post."""
        return f'{self.server.url}/posts/1'

    def bytes_of(self, number: int) -> bytes:
        """The file of the picture of that id."""
        ending = next(str(one['ending']) for one in self.items if one['id'] == number)
        return self.files.get(number, BYTES[ending])

    def sha256_of(self, number: int) -> str:
        """The SHA-256 of that file."""
        return hashlib.sha256(self.bytes_of(number)).hexdigest()

    def asked(self, part: str) -> int:
        """How often something with `part` in its address was asked for."""
        return sum(part in request.target for request in self.server.requests)

    def _answer(self, request: Request) -> Answer:
        for part, other in self.instead.items():
            if part in request.target:
                return other
        parts = urlsplit(request.target)
        if parts.path == '/api/v1/images':
            return kept(ok(self._page()))
        if '/original=true/' in parts.path:
            number, ending = parts.path.rpartition('/')[2].split('.')
            body = self.files.get(int(number), BYTES[ending])
            return kept(ok(body, Content_Type=TYPES.get(ending, f'image/{ending}')))
        if parts.path == '/api/v1/models':
            wanted = parse_qs(parts.query).get('modelVersionIds', [''])[0].split(',')
            found = [_model(int(one)) for one in wanted if int(one or 0) in VERSIONS]
            return kept(ok(json.dumps({'items': found}).encode()))
        return kept(ok(b'{"error": "No such thing"}', status=404))

    def _page(self) -> bytes:
        told = [{**one, 'url': self._url(one)} for one in self.items]
        for one in told:
            del one['ending']
        return json.dumps({'items': told, 'metadata': self.metadata}).encode()

    def _url(self, one: Mapping[str, Any]) -> str:
        name = f'{one["id"]}.{one["ending"]}'
        return f'{self.server.url}/key/{one["id"]}/original=true/{name}'


def _model(number: int) -> dict[str, Any]:
    name, kind, file, hashes = VERSIONS[number]
    files = [{'name': f'{file}.safetensors', 'type': 'Model', 'primary': True, 'hashes': hashes}]
    version = {'id': number, 'name': 'v2', 'files': files}
    return {'id': number * 10, 'name': name, 'type': kind, 'modelVersions': [version]}
