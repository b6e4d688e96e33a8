"""What there is: a catalogue that is large, varied and true to what is said of it."""

from __future__ import annotations

import hashlib
import json
import zlib

import pytest

from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from tests.support.demo import IMAGES, MODELS, OPENING, get, items, walk


def test_the_catalogue_is_large_and_varied(demo: DemoServer) -> None:
    found = walk(demo, f'{IMAGES}?limit=200&browsingLevel=31')
    assert len(found) == 600
    assert len({item['username'] for item in found}) == 12


def test_some_settings_are_nobodys_business(demo: DemoServer) -> None:
    found = walk(demo, f'{IMAGES}?limit=200&withMeta=true')
    silent = [item for item in found if item['meta'] is None]
    assert 0 < len(silent) < len(found) / 3
    assert any('comfy' in (item['meta'] or {}) for item in found)
    assert any('civitaiResources' in (item['meta'] or {}) for item in found)


@pytest.mark.parametrize('sort', ['Most Reactions', 'Newest'])
def test_the_opening_gallery_fills_pages_and_begins_with_prompts(
    demo: DemoServer, sort: str
) -> None:
    assert OPENING_PATH == f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'
    query = f'{OPENING}&browsingLevel=1&withMeta=true&limit=24&sort={sort}'
    first = items(demo, query)
    assert len(first) == 24
    assert all(item['meta']['prompt'] and item['type'] == 'image' for item in first)
    assert len(walk(demo, query)) >= 90


def test_every_file_is_what_its_facts_say(demo: DemoServer) -> None:
    demo.scenario = 'keyless-downloads'
    for model in load_catalog().models:
        for version in get(demo, f'{MODELS}/{model.id}').json()['modelVersions']:
            for file in version.get('files', ()):
                answer = get(demo, file['downloadUrl'])
                if answer.status_code in (401, 403):
                    assert model.name in ('Only Here', 'Early Birds')
                    continue
                data, hashes = answer.content, file['hashes']
                digest = hashlib.sha256(data).hexdigest().upper()
                assert file['sizeKB'] * 1024 == len(data)
                if hashes and hashes['SHA256'].strip('0'):
                    assert digest == hashes['SHA256']
                    assert digest.startswith(hashes['AutoV2'])
                    assert f'{zlib.crc32(data):08X}' == hashes['CRC32']
                assert_looks_like(file['name'], data)


def assert_looks_like(name: str, data: bytes) -> None:
    ending = name.rsplit('.', 1)[1]
    if ending == 'safetensors':
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], 'little')])
        ends = [part['data_offsets'][1] for key, part in header.items() if key[0] != '_']
        assert 8 + int.from_bytes(data[:8], 'little') + max(ends) == len(data)
    elif ending == 'yaml':
        assert data.decode().startswith('# ')
    else:
        beginnings = {'gguf': b'GGUF', 'zip': b'PK', 'ckpt': b'PK', 'pt': b'PK'}
        assert data.startswith(beginnings[ending])


def test_some_posts_are_sounds(demo: DemoServer) -> None:
    found = walk(demo, f'{IMAGES}?type=audio&withMeta=true')
    assert len(found) == 3
    for item in found:
        looks = [item[name] for name in ('hash', 'width', 'height', 'meta', 'thumbnail')]
        assert looks == [None] * 5
        assert item['url'].endswith('.mp3') and item['baseModel'] == ''
        answer = get(demo, item['url'])
        assert answer.headers['Content-Type'] == 'audio/mpeg'
        assert answer.content.startswith(b'ID3') and b'\xff\xfb' in answer.content
        assert get(demo, f'/images/{item["id"]}').text.count('<audio') == 1
        assert get(demo, f'/posts/{item["postId"]}').status_code == 200
    assert len({get(demo, item['url']).content for item in found}) == 3


def test_a_quoted_list_is_an_object_in_meta_and_a_list_in_the_file(demo: DemoServer) -> None:
    found = walk(demo, f'{IMAGES}?limit=200&withMeta=true')
    guided = [item for item in found if 'ControlNet 0' in (item['meta'] or {})]
    assert 10 < len(guided) < len(found) / 4
    control = guided[0]['meta']['ControlNet 0']
    assert control['Model'] == 'edge_v1 [0a1b2c3d]' and control['Weight'] == '0.8'
    assert any(isinstance(item['meta'].get('TI hashes'), dict) for item in guided)
    picture = load_catalog().by_id[guided[0]['id']]
    text = picture.generation.embedded_texts()['parameters']
    assert 'ControlNet 0: "Module: canny, Model: edge_v1 [0a1b2c3d], Weight: 0.8' in text
