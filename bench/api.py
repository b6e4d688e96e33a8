"""The small part of Civitai's API that a gallery needs: one model, and its pictures."""

from __future__ import annotations

from typing import Any, Mapping
from urllib.parse import urlencode

from .pictures import MODEL_ID, path

VERSION_ID = 11
_CREATED = '2025-01-01T00:00:00.000Z'
PAGE = 200


def model() -> dict[str, Any]:
    """The answer of /api/v1/models/1."""
    version = {'id': VERSION_ID, 'name': 'v1.0', 'baseModel': 'SDXL 1.0', 'createdAt': _CREATED}
    return {
        'id': MODEL_ID,
        'name': 'Benchmark',
        'type': 'LORA',
        'nsfw': False,
        'creator': {'username': 'bench'},
        'modelVersions': [version],
    }


def images(query: Mapping[str, str], count: int, base: str) -> dict[str, Any]:
    """The answer of /api/v1/images for the gallery of `count` pictures at `base`.

    `query` may have `limit` (at most 200) and `cursor`, the number of the last picture given.
    """
    done = int(query.get('cursor', '0'))
    end = min(count, done + min(PAGE, int(query.get('limit', '100'))))
    metadata = {}
    if end < count:
        following = urlencode({**query, 'cursor': end})
        metadata = {'nextCursor': str(end), 'nextPage': f'{base}/api/v1/images?{following}'}
    return {'items': [_item(number, base) for number in range(done + 1, end + 1)]} | {
        'metadata': metadata
    }


def _item(number: int, base: str) -> dict[str, Any]:
    meta = {
        'prompt': f'a lighthouse at dusk, long exposure, number {number}, ' + 'soft light, ' * 20,
        'negativePrompt': 'blurry, text',
        'steps': 30,
        'sampler': 'DPM++ 2M',
        'cfgScale': 7,
        'seed': number,
    }
    stats = dict.fromkeys(('likeCount', 'heartCount', 'laughCount', 'cryCount'), number % 7)
    return {
        'id': number,
        'url': base + path(number),
        'width': 1024,
        'height': 1024,
        'nsfw': False,
        'nsfwLevel': 'None',
        'browsingLevel': 1,
        'type': 'image',
        'createdAt': _CREATED,
        'postId': number,
        'modelVersionIds': [VERSION_ID],
        'username': 'bench',
        'baseModel': 'SDXL 1.0',
        'stats': stats,
        'meta': meta,
    }
