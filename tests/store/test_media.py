"""What bytes are, from their beginning alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from scripts.civitai_manager_libs.store import media
from tests.support.network import png


def drawn(kind: str) -> bytes:
    """A small picture as Pillow writes it."""
    file = io.BytesIO()
    Image.new('RGB', (8, 8), 'teal').save(file, kind)
    return file.getvalue()


def box(brand: bytes) -> bytes:
    """The first box of a file of the MP4 family."""
    return b'\0\0\0\x18ftyp' + brand + bytes(12)


KNOWN = [
    pytest.param(png(), media.PNG, id='png'),
    pytest.param(drawn('PNG'), media.PNG, id='png drawn'),
    pytest.param(drawn('JPEG'), media.JPEG, id='jpeg drawn'),
    pytest.param(b'\xff\xd8\xff\xe1\0\x10Exif', media.JPEG, id='jpeg with exif'),
    pytest.param(drawn('WEBP'), media.WEBP, id='webp drawn'),
    pytest.param(drawn('GIF'), media.GIF, id='gif drawn'),
    pytest.param(b'GIF89a' + bytes(9), media.GIF, id='gif 89a'),
    pytest.param(drawn('BMP'), media.BMP, id='bmp drawn'),
    pytest.param(box(b'isom'), media.MP4, id='mp4'),
    pytest.param(box(b'mp42'), media.MP4, id='mp4, version 2'),
    pytest.param(box(b'M4V '), media.MP4, id='m4v'),
    pytest.param(box(b'qt  '), media.MOV, id='mov'),
    pytest.param(box(b'avif'), media.AVIF, id='avif'),
    pytest.param(box(b'heic'), media.HEIC, id='heic'),
    pytest.param(b'\x1a\x45\xdf\xa3' + bytes(9), media.WEBM, id='webm'),
    pytest.param(b'ID3\x04' + bytes(9), media.MP3, id='mp3 with a tag'),
    pytest.param(b'\xff\xfb\x90\x64' + bytes(9), media.MP3, id='mp3'),
    pytest.param(b'\xff\xf3\x48\xc4' + bytes(9), media.MP3, id='mp3 of fewer samples'),
    pytest.param(b'RIFF\x24\0\0\0WAVEfmt ' + bytes(9), media.WAV, id='wav'),
    pytest.param(b'OggS' + bytes(9), media.OGG, id='ogg'),
    pytest.param(b'fLaC' + bytes(9), media.FLAC, id='flac'),
    pytest.param(box(b'M4A '), media.M4A, id='m4a'),
]


@pytest.mark.parametrize(('head', 'kind'), KNOWN)
def test_pictures_videos_and_sounds_are_known_by_their_bytes(
    head: bytes, kind: media.MediaType
) -> None:
    assert media.sniff(head) == kind
    assert media.sniff(head[: media.HEAD_BYTES]) == kind
    assert kind.extension in media.MEDIA_SUFFIXES
    assert kind.mime.startswith(f'{kind.kind}/')
    assert not media.is_html(head) and not media.is_error_json(head)


UNKNOWN = [
    b'',
    b'\0',
    b'\x89PN',
    b'RIFF\0\0\0\0WAVE',
    b'BMW is a car maker',
    b'%PDF-1.7',
    b'PK\3\4',
]
UNKNOWN += [b'\xff\xfeh\0i\0', b'\xff\xf1\x50\x80', b'\xff\xfb\xff\xff', b'\xff\xeb\x90\x64']
UNKNOWN += [b'<svg xmlns="http://www.w3.org/2000/svg"/>', b'{"error": "x"}', b'GIF90a', b'ftypisom']


@pytest.mark.parametrize('head', UNKNOWN)
def test_other_bytes_are_neither(head: bytes) -> None:
    assert media.sniff(head) is None


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_can_be_asked(head: bytes) -> None:
    assert media.sniff(head) is None or media.sniff(head) in vars(media).values()
    assert media.is_html(head) in (True, False) and media.is_error_json(head) in (True, False)


PAGES = [
    b'<!DOCTYPE html><html>',
    b'<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">',
    b'\n\t  <html lang="en">',
    b'\xef\xbb\xbf<html>',
    b'<!-- saved -->\n<html>',
    b'<head><title>x',
    b'<body class="x">',
    b'<h1>502 Bad Gateway</h1>',
    b'<title>Just a moment...</title>',
    b'<script>location="/login"</script>',
]


@pytest.mark.parametrize('head', PAGES)
def test_pages_are_known_by_their_bytes(head: bytes) -> None:
    assert media.is_html(head)


NO_PAGES = [b'', b'<', b'<\0\0\0\0\0\0\0{"a":1}', b'<bone>', b'<html', b'<abc', b'text <html>']


@pytest.mark.parametrize('head', NO_PAGES)
def test_not_everything_with_a_bracket_is_a_page(head: bytes) -> None:
    assert not media.is_html(head)


@pytest.mark.parametrize(
    ('body', 'is_error'),
    [
        (b'{"error": "Unauthorized"}', True),
        (b' \n{"message": "File not found", "code": 1}', True),
        (b'{"error": {"name": "ZodError"}}', True),
        (b'{"steps": 20}', False),
        (b'[{"error": 1}]', False),
        (b'{"error": "cut', False),
        (b'error: no JSON', False),
        (b'{' * 100_000, False),
        (b'{"a":' * 100_000, False),
        (b'', False),
    ],
    ids=range(10),
)
def test_error_messages_are_told_from_files(body: bytes, is_error: bool) -> None:
    assert media.is_error_json(body) is is_error


SIZED = [
    pytest.param('PNG', {}, id='png'),
    pytest.param('GIF', {}, id='gif'),
    pytest.param('JPEG', {}, id='jpeg'),
    pytest.param('JPEG', {'progressive': True}, id='progressive jpeg'),
    pytest.param('JPEG', {'exif': b'Exif\0\0' + bytes(5000)}, id='jpeg behind metadata'),
    pytest.param('WEBP', {}, id='webp'),
    pytest.param('WEBP', {'lossless': True}, id='lossless webp'),
    pytest.param('WEBP', {'exif': b'Exif\0\0' + bytes(50)}, id='webp with metadata'),
]


@pytest.mark.parametrize(('kind', 'options'), SIZED)
def test_a_picture_says_how_large_it_is(kind: str, options: dict[str, Any]) -> None:
    file = io.BytesIO()
    Image.new('RGB', (345, 21), 'teal').save(file, kind, **options)
    assert media.dimensions(file.getvalue()) == (345, 21)


@pytest.mark.parametrize(('kind', 'options'), SIZED)
def test_a_picture_without_its_end_is_known(kind: str, options: dict[str, Any]) -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, kind, **options)
    whole = file.getvalue()
    assert not media.lacks_end(whole, whole, len(whole))
    cut = whole[: len(whole) // 2]
    assert media.lacks_end(cut, cut[-media.TAIL_BYTES :], len(cut))


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'GIF', 'WEBP'])
def test_what_programs_write_behind_a_picture_is_no_harm(kind: str) -> None:
    whole = drawn(kind) + b'\0' * 10
    assert not media.lacks_end(whole, whole, len(whole))


@pytest.mark.parametrize('body', [b'', b'text', box(b'isom'), drawn('BMP')[:100]])
def test_other_kinds_have_no_end_mark(body: bytes) -> None:
    assert not media.lacks_end(body, body, len(body))


@given(st.binary(max_size=100))
def test_any_bytes_can_be_measured(rest: bytes) -> None:
    for start in (b'', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'GIF89a', b'RIFF\0\0\0\0WEBPVP8X'):
        size = media.dimensions(start + rest)
        assert size is None or (size[0] >= 0 and size[1] >= 0)
