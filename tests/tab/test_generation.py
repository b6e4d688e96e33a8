"""How a chosen picture was made: learned from the site, from model names and from its own file."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_demo.api.image_bodies import media_url
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import Picture, load_catalog
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.tab import events, generation, picture_markup
from tests.support.network import at_home, png
from tests.support.pictures import drawn
from tests.support.scripted_server import Answer, Request, ScriptedServer, ok

pytestmark = pytest.mark.usefixtures('downloads')

KEPT = GalleryImage(1, 'https://image.civitai.com/key/uuid/original=true/1.jpeg', width=8, height=8)


def picture(source: str, container: str = '') -> Picture:
    found = (one for one in load_catalog().pictures if one.generation.source == source)
    return next(one for one in found if container in ('', one.container))


def shown(demo: DemoServer, one: Picture, meta: Any = None) -> GalleryImage:
    return GalleryImage(one.id, media_url(demo.url, one, 'original=true'), meta=meta or {})


def on_disk(image: GalleryImage, **texts: str) -> GalleryImage:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    path = Path(setting.get_image_url_to_gallery_file(image.url))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (8, 8)).save(path, 'PNG', pnginfo=info)
    return image


@pytest.mark.parametrize(
    ('source', 'container'),
    [('webui', 'png'), ('webui', 'jpeg'), ('onsite', 'webp'), ('comfy', 'png')],
)
def test_what_the_site_does_not_tell_is_read_from_the_original(
    demo: DemoServer, source: str, container: str
) -> None:
    one = picture(source, container)
    made = generation.learned(shown(demo, one))

    assert made.searched
    read = events.generation_text(made.image)
    assert one.generation.prompt[:20] in read and f'Seed: {one.generation.seed}' in read
    assert 'cg-none' not in picture_markup.details(made.image, made.searched)


def test_an_original_that_is_there_is_not_fetched(demo: DemoServer) -> None:
    text = 'a mill\nSteps: 9, Sampler: Euler, Seed: 5, Size: 8x8'
    made = generation.learned(on_disk(KEPT, parameters=text))

    assert text == events.generation_text(made.image)
    assert not demo.requests


def test_that_nothing_was_shared_is_said_when_it_is_known(demo: DemoServer) -> None:
    image = shown(demo, picture('hidden'))
    made = generation.learned(image)

    assert 'did not share' not in picture_markup.details(image)
    assert 'did not share' in picture_markup.details(made.image, made.searched)


def test_an_original_that_cannot_be_had_leaves_it_open(demo: DemoServer) -> None:
    image = shown(demo, picture('webui'))
    made = generation.learned(replace(image, url=image.url.replace('-', '0')))

    assert not made.searched and '' == events.generation_text(made.image)
    assert 'Civitai does not tell' in picture_markup.details(made.image, made.searched)


@pytest.mark.parametrize(
    'meta',
    [{'prompt': None, 'steps': None}, {'Size': '1x1'}, {'prompt': ''}, {'hashes': {}}],
    ids=['nulls', 'size', 'empty prompt', 'no hashes'],
)
def test_a_meta_that_says_nothing_does_not_keep_the_original_unread(
    demo: DemoServer, meta: dict[str, Any]
) -> None:
    text = 'a mill\nSteps: 9, Sampler: Euler, Seed: 5, Size: 8x8'
    made = generation.learned(replace(on_disk(KEPT, parameters=text), meta=meta))
    assert text == events.generation_text(made.image)

    silent = generation.learned(replace(on_disk(KEPT), meta=meta))
    assert 'did not share' in picture_markup.details(silent.image, silent.searched)


@pytest.mark.parametrize('kind', ['GIF', 'BMP'])
def test_of_a_file_that_cannot_be_read_nobody_says_that_nothing_was_shared(
    demo: DemoServer, kind: str
) -> None:
    path = Path(setting.get_image_url_to_gallery_file(on_disk(KEPT).url))
    path.write_bytes(drawn(kind))
    made = generation.learned(KEPT)
    assert 'Civitai does not tell' in picture_markup.details(made.image, made.searched)


def test_a_copy_does_not_tell_what_was_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an original keeps its texts."""
    uuid = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'

    def answer(request: Request) -> Answer:
        return ok(png(), status=200 if 'quality=100' in request.target else 404)

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        image = GalleryImage(1, f'{server.url}/key/{uuid}/original=true/{uuid}.jpeg')
        made = generation.learned(image)
        assert 'Civitai does not tell' in picture_markup.details(made.image, made.searched)


def test_the_file_of_a_video_is_not_fetched_for_its_texts(demo: DemoServer) -> None:
    generation.learned(replace(shown(demo, picture('webui')), kind='video'))

    assert not demo.requests


def test_an_on_site_picture_gets_the_names_of_its_models(demo: DemoServer) -> None:
    one = next(
        one
        for one in load_catalog().pictures
        if one.generation.source == 'onsite' and one.generation.extras
    )
    made = generation.learned(shown(demo, one, one.generation.meta()))
    text = events.generation_text(made.image)

    assert f'Model: {one.generation.checkpoint.name}' in text
    assert all(extra.name in text for extra in one.generation.extras)
    details = picture_markup.details(made.image)
    assert 'model-versions/' in details and '>#' not in details
    asked = len(demo.requests)
    generation.learned(shown(demo, one, one.generation.meta()))
    assert asked == len(demo.requests)


GRAPH = {'prompt': {'1': {'class_type': 'Odd', 'inputs': {'x': '<b>'}}}, 'workflow': {'nodes': []}}


def test_a_workflow_and_nothing_else_is_said_and_can_be_saved() -> None:
    details = picture_markup.details(replace(KEPT, meta={'comfy': json.dumps(GRAPH)}))
    link = re.search(
        r'download="workflow.json" href="data:application/json;base64,([^"]*)"', details
    )

    assert 'ComfyUI workflow and nothing else' in details
    assert link and GRAPH['workflow'] == json.loads(base64.b64decode(link[1]))


def test_a_workflow_of_an_unreasonable_size_is_not_put_into_the_page() -> None:
    graph = {'workflow': {'nodes': ['x' * 3_000_000]}}

    assert len(picture_markup.details(replace(KEPT, meta={'comfy': graph}))) < 10_000
