"""A site with one model file, and the storage that its address leads to, on two ports."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from typing import Any, Callable
from urllib.parse import urlsplit

from tests.support.scripted_server import (
    Answer,
    Request,
    ScriptedServer,
    ok,
    outside,
    part_of,
    redirect,
)

VERSION, FILE = 420102, 4201021
ROUTE = f'/api/download/models/{VERSION}'


def tensors(size: int, seed: int = 1, **header: Any) -> bytes:
    """A safetensors file with `size` bytes of tensors, whose header `header` may falsify."""
    told = {'a': {'dtype': 'U8', 'shape': [size], 'data_offsets': [0, size]}, **header}
    text = json.dumps(told).encode()
    return len(text).to_bytes(8, 'little') + text + random.Random(seed).randbytes(size)


class ModelSite:
    """`with ModelSite(content) as site:`; every attribute may be changed at any time.

    `hook` is asked for the answer of the storage to each request first, `route` for that to one for
    the file, `about` for that to one for its model; None: the usual one.
    `good` are the signatures that the storage takes; the site signs with the newest of them.
    """

    def __init__(self, content: bytes, name: str = 'paper.safetensors', **facts: Any) -> None:
        self.content = content
        self.file_name = name
        self.listed_size: float = len(content) / 1024
        self.listed_hash: str | None = hashlib.sha256(content).hexdigest().upper()
        self.facts = facts
        self.tag = '"one"'
        self.has_ranges = True
        self.good = ['s1']
        self.hook: Callable[[Request], Answer | None] = lambda request: None
        self.route: Callable[[Request], Answer | None] = lambda request: None
        self.about: Callable[[Request], Answer | None] = lambda request: None
        self.asked_for_version = 0
        self._lock = threading.Lock()
        self._site = ScriptedServer(handler=self._on_site)
        self._storage = ScriptedServer(handler=self._on_storage)

    def __enter__(self) -> ModelSite:
        self._site.__enter__()
        self._storage.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._site.__exit__()
        self._storage.__exit__()

    @property
    def url(self) -> str:
        """The address of the site."""
        return self._site.url

    @property
    def is_stalled(self) -> bool:
        """Whether somebody waits for the rest of an answer."""
        return self._site.stalled.is_set() or self._storage.stalled.is_set()

    @property
    def storage(self) -> ScriptedServer:
        """The storage."""
        return self._storage

    @property
    def download_url(self) -> str:
        """Where the file is asked for."""
        return f'{self.url}{ROUTE}?fileId={FILE}'

    @property
    def asked_for_file(self) -> int:
        """How often the site was asked for the file."""
        return sum(target.startswith(ROUTE) for target in self._site.targets)

    @property
    def ranges(self) -> list[tuple[int, int | None] | None]:
        """Which parts the storage was asked for, in order; None for all."""
        return [asked_range(request) for request in self._storage.requests]

    def version(self) -> dict[str, Any]:
        """The version as the site tells it."""
        return {
            'id': VERSION,
            'modelId': 4201,
            'name': 'v2',
            'model': {'name': 'Paper', 'type': 'Checkpoint'},
            'files': [
                {
                    'id': FILE,
                    'name': self.file_name,
                    'type': 'Model',
                    'sizeKB': self.listed_size,
                    'metadata': {'format': 'SafeTensor'},
                    'hashes': {'SHA256': self.listed_hash} if self.listed_hash else {},
                    'downloadUrl': self.download_url,
                    'primary': True,
                }
            ],
            **self.facts,
        }

    def _on_site(self, request: Request) -> Answer:
        if request.target.startswith('/api/v1/model-versions/'):
            self.asked_for_version += 1
            return ok(json.dumps(self.version()).encode(), Content_Type='application/json')
        if request.target.startswith('/api/v1/models/'):
            unknown = b'{"error": "No model with that id"}'
            return self.about(request) or ok(unknown, status=404, Content_Type='application/json')
        signed = redirect(f'{self._storage.url}/file?X-Amz-Signature={self.good[-1]}', 307)
        return self.route(request) or signed

    def _on_storage(self, request: Request) -> Answer:
        if 'authorization' in request.headers:
            return ok(b'<Error><Code>InvalidArgument</Code></Error>', status=400)
        with self._lock:
            answer = self.hook(request)
        if answer is not None:
            return answer
        if urlsplit(request.target).query.rpartition('=')[2] not in self.good:
            xml = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
            return ok(xml, status=403, Content_Type='application/xml')
        return self.honest(request)

    def honest(self, request: Request) -> bytes:
        """What the storage answers when nothing is wrong."""
        body, asked = self.content, asked_range(request)
        named = {'ETag': self.tag} if self.tag else {}
        if not self.has_ranges or asked is None:
            return ok(body, **named)
        if request.headers.get('if-range', self.tag) != self.tag:
            return ok(body, **named)
        start, end = asked
        if start >= len(body):
            return outside(len(body), **named)
        return part_of(body, start, min(end or len(body), len(body)), **named)

    def cut(self, request: Request, size: int) -> Answer:
        """The honest answer, which breaks off after `size` bytes of its body."""
        whole = self.honest(request)
        return (whole[: whole.index(b'\r\n\r\n') + 4 + size],)


def asked_range(request: Request) -> tuple[int, int | None] | None:
    """The part that a request asks for, without its end."""
    found = re.fullmatch(r'bytes=(\d+)-(\d*)', request.headers.get('range', ''))
    return (int(found[1]), int(found[2]) + 1 if found[2] else None) if found else None
