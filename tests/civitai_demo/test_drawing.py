"""Pictures and clips: what is in their bytes, sizes and kinds."""

from __future__ import annotations

import hashlib

import pytest

from civitai_demo.api.encoding import Transform, render
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from tests.support.demo import (
    IMAGES,
    WHOLE_VIDEO,
    cdn,
    get,
    items,
    of_container,
    opened,
    resized,
    walk,
)

USER_COMMENT, EXIF_POINTER = 0x9286, 0x8769


@pytest.mark.parametrize(
    ('container', 'kind'), [('png', 'PNG'), ('jpeg', 'JPEG'), ('webp', 'WEBP')]
)
def test_originals_carry_their_settings_behind_one_kind_of_name(
    demo: DemoServer, container: str, kind: str
) -> None:
    facts = of_container(container)
    answer = get(demo, cdn(facts['uuid']))
    image = opened(answer)
    assert (image.format, image.size) == (kind, facts['size'])
    assert answer.headers['Content-Type'] == f'image/{container}'
    if container == 'png':
        text = image.info['parameters']
    else:
        comment = image.getexif().get_ifd(EXIF_POINTER)[USER_COMMENT]
        assert comment[:8] == b'UNICODE\x00'
        text = comment[8:].decode('utf-16-be')
    made = facts['picture'].generation
    assert text.startswith(made.prompt)
    assert f'Steps: {made.steps}, Sampler: {made.sampler}' in text
    assert f'Size: {image.width}x{image.height}, Model hash: ' in text


def test_a_picture_of_comfy_carries_its_graph(demo: DemoServer) -> None:
    facts = of_container('png', 'comfy')
    image = opened(get(demo, cdn(facts['uuid'])))
    assert 'parameters' not in image.info
    assert facts['picture'].generation.prompt in image.info['prompt']


@pytest.mark.parametrize(
    ('transforms', 'width', 'kind'),
    [
        pytest.param('width=1,optimized=true', 96, 'WEBP', id='up-to-the-first'),
        pytest.param('width=320,optimized=true', 320, 'WEBP', id='a-step'),
        pytest.param('width=450', 450, 'JPEG', id='not-optimized'),
        pytest.param('width=451,optimized=true', 512, 'WEBP', id='up-to-the-next'),
        pytest.param('width=1200,optimized=true', 832, 'WEBP', id='never-enlarged'),
        pytest.param('optimized=true', 832, 'WEBP', id='whole'),
        pytest.param('sparkle=9,width=450,fit=crop', 450, 'JPEG', id='unknown-words'),
        pytest.param('width=wide', 832, 'JPEG', id='no-number'),
    ],
)
def test_previews_have_ladder_widths_and_no_text(
    demo: DemoServer, transforms: str, width: int, kind: str
) -> None:
    facts = next(
        picture
        for picture in load_catalog().pictures
        if picture.width == 832 and picture.container == 'jpeg'
    )
    image = opened(get(demo, cdn(facts.uuid, transforms)))
    assert (image.format, image.width) == (kind, width)
    assert image.height == round(1216 * width / 832)
    assert not image.getexif() and 'parameters' not in image.info


def test_original_wins_over_a_width(demo: DemoServer) -> None:
    uuid = of_container('png')['uuid']
    plain, both = cdn(uuid), cdn(uuid, 'width=450,original=true')
    assert get(demo, both).content == get(demo, plain).content
    raw = get(demo, f'/file/civitai-media-cache/{uuid}/original')
    assert raw.content == get(demo, plain).content


def test_an_unknown_picture_is_missing(demo: DemoServer) -> None:
    assert get(demo, cdn('6a09ec54-6de4-4af1-b11d-2d0d8a66d651')).status_code == 404


@pytest.mark.parametrize(
    ('transforms', 'ending', 'content_type'),
    [
        pytest.param('original=true', 'mp4', 'video/mp4', id='original'),
        pytest.param('transcode=true,width=450,optimized=true', 'mp4', 'video/mp4', id='preview'),
        pytest.param(
            'anim=false,transcode=true,width=450,optimized=true', 'jpeg', 'image/webp', id='poster'
        ),
        pytest.param('anim=false,width=450', 'mp4', 'image/jpeg', id='poster-by-anim'),
        pytest.param('transcode=true,width=450', 'jpeg', 'image/jpeg', id='poster-by-name'),
    ],
)
def test_a_video_plays_or_stands_still(
    demo: DemoServer, transforms: str, ending: str, content_type: str
) -> None:
    video = items(demo, f'{IMAGES}?type=video&limit=1')[0]
    answer = get(demo, cdn(video['url'].split('/')[-3], transforms, ending))
    assert answer.headers['Content-Type'] == content_type
    if content_type == 'video/mp4':
        assert answer.content[4:8] == b'ftyp'
        assert answer.content.index(b'moov') < answer.content.index(b'mdat')
    else:
        assert opened(answer).size == (video['width'], video['height'])


def test_names_promise_nothing_about_videos(demo: DemoServer) -> None:
    videos = walk(demo, f'{IMAGES}?type=video&browsingLevel=31&limit=200')
    endings = [video['url'].rsplit('.', 1)[1] for video in videos]
    assert endings.count('jpeg') == 1 and endings.count('mp4') == len(videos) - 1 > 3
    for transforms in ('original=true', WHOLE_VIDEO):
        answers = [get(demo, resized(video['url'], transforms)) for video in videos]
        assert {answer.headers['Content-Type'] for answer in answers} == {'video/mp4'}
    assert opened(get(demo, videos[0]['thumbnail']['url'])).format == 'WEBP'


def test_no_two_pictures_look_alike_and_each_is_always_the_same() -> None:
    pictures = [picture for picture in load_catalog().pictures if picture.kind == 'image']
    tiny = Transform(width=96, optimized=True)
    digests = {hashlib.sha256(render(picture, tiny)[0]).digest() for picture in pictures}
    assert len(digests) == len(pictures)
    whole = Transform(original=True)
    assert all(render(picture, whole) == render(picture, whole) for picture in pictures[:12])
