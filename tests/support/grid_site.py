"""A small Civitai of one gallery with pages of pictures, some of which may be silent or missing."""

from __future__ import annotations

import io
import json
import re
from typing import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

# What a picture of 3:2 and one of 2:3 are.
SIZES = ((600, 400), (400, 600))
HASH = 'LEHV6nWB2yk8pyo0adR*.7kCMdnj'  # its average is #979695


def jpeg(number: int) -> bytes:
    """A small picture whose colour depends on its number."""
    made = io.BytesIO()
    colour = (40 * number % 256, 90, 200 - 20 * number % 200)
    Image.new('RGB', (300, 200), colour).save(made, 'JPEG')
    return made.getvalue()


class GridSite:
    """The site: `pages` pages of `count` pictures, numbered through from 1.

    `instead` has other answers, or what gives one, by a part of what is asked for; it may change.
    """

    def __init__(self, count: int = 6, pages: int = 2) -> None:
        self.count, self.pages = count, pages
        self.instead: dict[str, Answer | Callable[[], Answer]] = {}
        self.server = ScriptedServer(handler=self._answer)

    @property
    def link(self) -> str:
        """The gallery's address."""
        return f'{self.server.url}/user/ana'

    def asked(self, part: str) -> list[str]:
        """The targets asked for that have `part` in them."""
        return [request.target for request in self.server.requests if part in request.target]

    def _answer(self, request: Request) -> Answer:
        for wanted, other in self.instead.items():
            if wanted in request.target:
                return other() if callable(other) else other
        parts = urlsplit(request.target)
        if parts.path == '/api/v1/images':
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return kept(ok(json.dumps(self._page(query)).encode()))
        found = re.search(r'/key/p(\d+)/', parts.path)
        if found:
            number = int(found[1])
            return kept(ok(jpeg(number), Content_Type='image/jpeg'))
        return kept(ok(b'{"error": "No such thing"}', status=404))

    def _page(self, query: Mapping[str, str]) -> dict[str, object]:
        number = int(query.get('cursor', '1'))
        first = (number - 1) * self.count + 1
        items = [self._item(n) for n in range(first, first + self.count)]
        following = {'nextCursor': str(number + 1)} if number < self.pages else {}
        return {'items': items, 'metadata': following}

    def _item(self, number: int) -> dict[str, object]:
        width, height = SIZES[number % 2]
        return {
            'id': number,
            'url': f'{self.server.url}/key/p{number}/original=true/{number}.jpeg',
            'type': 'image',
            'width': width,
            'height': height,
            'hash': HASH,
            'browsingLevel': 1,
            'username': 'ana',
            'meta': {'prompt': f'picture {number}', 'steps': 20} if number % 2 else None,
        }
