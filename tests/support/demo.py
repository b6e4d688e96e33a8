"""What the tests of the stand-in share: its addresses, and ways to ask it over a real socket."""

from __future__ import annotations

import io
from typing import Any, Iterator

import requests
from PIL import Image

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import OPENING_VERSION_ID

KEY = {'Authorization': f'Bearer {DEMO_KEY}'}
IMAGES, MODELS = '/api/v1/images', '/api/v1/models'
OPENING = f'{IMAGES}?modelVersionId={OPENING_VERSION_ID}'
DOWNLOAD = f'/api/download/models/{OPENING_VERSION_ID}'
WHOLE_VIDEO = 'transcode=true,original=true,quality=100'


def get(demo: DemoServer, path: str, **options: Any) -> requests.Response:
    address = path if path.startswith('http') else f'{demo.url}{path}'
    return requests.get(address, timeout=20, **options)


def items(demo: DemoServer, path: str) -> list[dict[str, Any]]:
    answer = get(demo, path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()['items']
    return found


def walk(demo: DemoServer, path: str) -> list[dict[str, Any]]:
    """All items of all pages."""
    found: list[dict[str, Any]] = []
    while path:
        page = get(demo, path).json()
        found += page['items']
        assert len(found) <= 700, 'the pages run in circles'
        path = page['metadata'].get('nextPage', '')
    return found


def opened(answer: requests.Response) -> Image.Image:
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def resized(url: str, transforms: str) -> str:
    return url.replace('original=true', transforms)


def of_container(container: str, source: str = 'webui') -> dict[str, Any]:
    """Facts of some picture stored as `container`, made by `source`."""
    return next(
        {'uuid': picture.uuid, 'size': (picture.width, picture.height), 'picture': picture}
        for picture in load_catalog().pictures
        if picture.container == container and picture.generation.source == source
    )


def cdn(uuid: str, transforms: str = 'original=true', ending: str = 'jpeg') -> str:
    return f'/xG1nkqKTMzGDvpLrqFT7WA/{uuid}/{transforms}/{uuid}.{ending}'


BY_HASH = '/api/v1/model-versions/by-hash'


def sha256_of(demo: DemoServer, version: int) -> str:
    files = get(demo, f'/api/v1/model-versions/{version}').json()['files']
    return str(files[0]['hashes']['SHA256'])


def urls_in(value: Any) -> Iterator[str]:
    """Every address anywhere in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from urls_in(part)
    elif isinstance(value, str) and value.startswith('http'):
        yield value
