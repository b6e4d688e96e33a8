"""A small Civitai made of scripted answers: posts with a few pictures each, and what is not there.

The pictures of post N are N01, N02 ...; answers, or what gives one, may be put in place of single
ones.
"""

from __future__ import annotations

import json
from typing import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from tests.support.network import png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

PICTURES = 3  # of each post


def small_site(
    *, instead: Mapping[str, Answer | Callable[[], Answer]] | None = None
) -> ScriptedServer:
    """A server of posts 1 to 9; `instead` has other answers, by a part of what is asked for."""

    def answer(request: Request) -> Answer:
        for wanted, other in (instead or {}).items():
            if wanted in request.target:
                return other() if callable(other) else other
        parts = urlsplit(request.target)
        if parts.path == '/api/v1/images':
            return kept(ok(page(parse_qs(parts.query).get('postId', ['none'])[0])))
        if '/original=true/' in parts.path:
            return kept(ok(png(2000), Content_Type='image/png'))
        return kept(ok(b'{"error": "No such thing"}', status=404))

    def page(post: str) -> bytes:
        numbers = [int(post) * 100 + n for n in range(1, PICTURES + 1)] if len(post) == 1 else []
        items = [
            {
                'id': number,
                'url': f'{server.url}/key/{number}/original=true/{number}.png',
                'type': 'image',
                'browsingLevel': 1,
            }
            for number in numbers
        ]
        return json.dumps({'items': items, 'metadata': {}}).encode()

    server = ScriptedServer(handler=answer)
    return server
