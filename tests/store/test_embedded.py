"""The texts in pictures are found, in files of every kind that has them, and no bomb goes off."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from scripts.civitai_manager_libs.store import embedded

TEXT = 'a mill, 海\nNegative prompt: blur\nSteps: 20, Sampler: Euler a, Seed: 5'


def found(tmp_path: Path, data: bytes) -> dict[str, str]:
    path = tmp_path / 'picture'
    path.write_bytes(data)
    return embedded.texts(path)


def saved(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (8, 8)).save(file, kind, **options)
    return file.getvalue()


def exif(comment: bytes, **tags: str) -> bytes:
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9286] = comment
    for name, value in tags.items():
        block[{'Make': 0x010F, 'Model': 0x0110, 'ImageDescription': 0x010E}[name]] = value
    return block.tobytes()


@pytest.mark.parametrize('packed', [False, True], ids=['plain', 'packed'])
@pytest.mark.parametrize('text', [TEXT, 'a café', 'plain'], ids=['UTF-8', 'Latin-1', 'ASCII'])
def test_texts_of_a_png(tmp_path: Path, text: str, packed: bool) -> None:
    info = PngInfo()
    info.add_text('parameters', text, zip=packed)
    info.add_itxt('workflow', '{"a": "海"}', zip=packed)

    expected = {'parameters': text, 'workflow': '{"a": "海"}'}
    assert expected == found(tmp_path, saved('PNG', pnginfo=info))


COMMENTS = {
    'UTF-16, big end first': b'UNICODE\0' + TEXT.encode('utf-16-be'),
    'UTF-16, little end first': b'UNICODE\0' + TEXT.encode('utf-16-le'),
    'UTF-16 with a mark': b'UNICODE\0' + TEXT.encode('utf-16'),
    'ASCII': b'ASCII\0\0\0' + TEXT.encode(),
    'not said': b'\0' * 8 + TEXT.encode(),
    'no code at all': TEXT.encode() + b'\0',
}


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP', 'PNG'])
@pytest.mark.parametrize('comment', COMMENTS.values(), ids=COMMENTS)
def test_the_comment_in_exif(tmp_path: Path, kind: str, comment: bytes) -> None:
    assert TEXT == found(tmp_path, saved(kind, exif=exif(comment)))['UserComment']


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
def test_what_comfyui_writes_into_exif(tmp_path: Path, kind: str) -> None:
    block = exif(b'', Make='workflow:{"nodes": []}', Model='prompt:{"1": {}}')
    told = found(tmp_path, saved(kind, exif=block))

    assert ('workflow:{"nodes": []}', 'prompt:{"1": {}}') == (told['Make'], told['Model'])


@pytest.mark.parametrize('data', [b'', b'GIF89a', saved('JPEG'), saved('PNG'), saved('WEBP')])
def test_a_picture_without_texts_has_none(tmp_path: Path, data: bytes) -> None:
    assert {} == found(tmp_path, data)


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert {} == embedded.texts(tmp_path / 'gone.png')
    assert {} == embedded.texts(tmp_path)


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack('>I', size) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


PNG = b'\x89PNG\r\n\x1a\n'
BOMB = zlib.compress(b'x' * 60_000_000, 9)


@pytest.mark.parametrize(
    'body',
    [chunk(b'zTXt', b'parameters\0\0' + BOMB), chunk(b'iTXt', b'parameters\0\1\0\0\0' + BOMB)],
    ids=['zTXt', 'iTXt'],
)
def test_a_text_that_would_unpack_to_very_much_is_cut(tmp_path: Path, body: bytes) -> None:
    told = found(tmp_path, PNG + body * 3)

    assert sum(map(len, told.values())) <= embedded.MOST_BYTES


TIFF = b'MM\0*' + struct.pack('>I', 8)
HOSTILE = {
    'a chunk that says it is huge': PNG + chunk(b'tEXt', b'a\0b', 2**31),
    'many chunks': PNG + chunk(b'tEXt', b'a\0b') * 100_000,
    'broken packing': PNG + chunk(b'zTXt', b'parameters\0\0no zlib'),
    'nothing in the chunks': PNG + chunk(b'iTXt', b'') + chunk(b'zTXt', b'') + chunk(b'eXIf', b''),
    'cut off': PNG + b'\0\0\0',
    'a JPEG of padding': b'\xff\xd8' + b'\xff' * 100_000,
    'a JPEG of empty segments': b'\xff\xd8\xff\xe0\0\0' + b'\xff\xe1\0\0' * 10_000,
    'Exif that points to itself': PNG
    + chunk(b'eXIf', TIFF + struct.pack('>HHHII', 1, 0x8769, 4, 1, 8) * 2),
    'Exif that points far away': PNG
    + chunk(b'eXIf', TIFF + struct.pack('>HHHII', 65535, 0x010F, 2, 2**32 - 1, 2**32 - 1)),
    'Exif without an end': PNG + chunk(b'eXIf', b'MM\0*\0\0'),
    'a WebP of huge chunks': b'RIFF\0\0\0\0WEBPEXIF\xff\xff\xff\xff' + b'x' * 99,
    'a WebP of empty chunks': b'RIFF\0\0\0\0WEBP' + b'ALPH\0\0\0\0' * 100_000,
}


@pytest.mark.parametrize('data', HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_says_little_and_breaks_nothing(tmp_path: Path, data: bytes) -> None:
    assert len(found(tmp_path, data)) < 5


@settings(deadline=None, database=None, max_examples=200)
@given(
    st.sampled_from(
        [saved('PNG'), *(saved(k, exif=exif(b'ASCII\0\0\0x')) for k in ('JPEG', 'WEBP'))]
    ),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
)
def test_no_file_is_too_spoiled(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, changes: list[tuple[int, int]]
) -> None:
    spoiled = bytearray(data)
    for place, value in changes:
        spoiled[place % len(spoiled)] = value
    path = tmp_path_factory.getbasetemp() / 'spoiled'
    path.write_bytes(spoiled)

    embedded.texts(path)
