"""How a picture was made goes into its file, and nothing else in the file changes."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from scripts.civitai_manager_libs import texts as sentences
from scripts.civitai_manager_libs.civitai import infotext, inside
from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import embed, embedded
from scripts.civitai_manager_libs.store.embed import Embedded
from tests.support.endings import box, ftyp, riff
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.pictures import MOVIE
from tests.support.webui_reading import (
    directory,
    infotext_in,
    png_chunks,
    webp_chunks,
    webui_reads,
)

META: dict[str, Any] = {
    'prompt': 'a mill, (old:1.2)\n<lora:fog:0.6>',
    'negativePrompt': 'blur, "text"',
    'steps': 28,
    'sampler': 'DPM++ 2M Karras',
    'cfgScale': 6.5,
    'seed': 4021337700,
    'Size': '640x960',
    'Model': 'harbour_v2',
    'hashes': {'model': 'abcdef0123', 'lora:fog': 'ffeeddccbbaa'},
}
TEXT = infotext.encode(META)
COMFY = {'prompt': '{"1": {"class_type": "KSampler"}}', 'workflow': '{"nodes": [], "a": "海"}'}
PROFILE = b'a profile' * 50
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>kept</a></x:xmpmeta>'


def colours(mode: str = 'RGB', size: tuple[int, int] = (31, 17)) -> Image.Image:
    """A picture in which no two pixels are the same."""
    count = size[0] * size[1] * len(mode)
    noise = b''.join(
        hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(count // 32 + 1)
    )
    return Image.frombytes(mode, size, noise[:count])


def saved(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    if 'exif' in options:
        options['exif'] = b'Exif\0\0' + options['exif'].removeprefix(b'Exif\0\0')
    (picture or colours()).save(file, kind, **options)
    return file.getvalue()


def graphs() -> PngInfo:
    info = PngInfo()
    for name, text in COMFY.items():
        info.add_itxt(name, text)
    return info


def graphs_in_exif() -> bytes:
    block = Image.Exif()
    block[0x010F], block[0x0110] = 'workflow:{"nodes": []}', f'prompt:{COMFY["prompt"]}'
    return block.tobytes()


def frames() -> list[Image.Image]:
    return [colours(size=(20, 20)).rotate(90 * turn) for turn in range(3)]


def moving(kind: str, **options: Any) -> bytes:
    first, *others = frames()
    return saved(
        kind, first, save_all=True, append_images=others, duration=[40, 80, 120], **options
    )


def camera(order: str = 'MM', **comment: bytes) -> bytes:
    """An Exif block as of a camera: maker notes, a thumbnail, an own directory for places."""
    mark = '>' if order == 'MM' else '<'
    small = b'\xff\xd8 a thumbnail \xff\xd9'

    def rows(at: int, entries: list[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
        packed = b''.join(
            struct.pack(mark + 'HHI', *row[:3]) + row[3].ljust(4, b'\0') for row in entries
        )
        return struct.pack(mark + 'H', len(entries)) + packed + struct.pack(mark + 'I', following)

    def number(value: int) -> bytes:
        return struct.pack(mark + 'I', value)

    tail = [(0x9286, 7, len(comment['comment']), number(460))] if comment else []
    whole = bytearray(460) + comment.get('comment', b'')
    parts = {
        0: {'MM': b'MM\0*', 'II': b'II*\0'}[order] + number(8),
        8: rows(
            8,
            [
                (0x010F, 2, 6, number(200)),
                (0x0112, 3, 1, struct.pack(mark + 'H', 1)),
                (0x8769, 4, 1, number(80)),
                (0x8825, 4, 1, number(160)),
            ],
            240,
        ),
        80: rows(80, [(0x9000, 7, 4, b'0232'), (0x927C, 7, 30, number(400)), *tail]),
        160: rows(160, [(1, 2, 2, b'N\0')]),
        200: b'Maker\0',
        240: rows(240, [(0x0201, 4, 1, number(340)), (0x0202, 4, 1, number(len(small)))]),
        340: small,
        400: b'NOTES at 400, none may move..',
    }
    for at, data in parts.items():
        whole[at : at + len(data)] = data
    return bytes(whole)


def named_exif() -> bytes:
    """A WebP whose block begins as in a JPEG: some writers do so."""
    data = saved('WEBP', exif=camera())
    at, block = data.index(b'EXIF'), b'Exif\0\0' + camera()
    return riff(b'WEBP', data[12:at] + chunk(b'EXIF', block))


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack('<I', len(body)) + body + bytes(len(body) % 2)


PICTURES: dict[str, bytes] = {
    'PNG': saved('PNG'),
    'PNG with colours of its own': saved('PNG', colours().quantize(16), transparency=3),
    'PNG of ComfyUI': saved('PNG', pnginfo=graphs()),
    'PNG with a profile': saved('PNG', icc_profile=PROFILE, dpi=(72, 72)),
    'PNG with Exif': saved('PNG', exif=camera()),
    'PNG that moves': moving('PNG', loop=0),
    'PNG with more behind its end': saved('PNG') + b'more',
    'JPEG': saved('JPEG'),
    'JPEG in grey': saved('JPEG', colours('L')),
    'JPEG in steps': saved('JPEG', progressive=True),
    'JPEG of a camera': saved('JPEG', exif=camera()),
    'JPEG of a camera, little end first': saved('JPEG', exif=camera('II')),
    'JPEG with room for a comment': saved('JPEG', exif=camera(comment=b'ASCII\0\0\0' + b' ' * 20)),
    'JPEG with empty room': saved('JPEG', exif=camera('II', comment=bytes(40))),
    'JPEG of ComfyUI': saved('JPEG', exif=graphs_in_exif()),
    'JPEG with a profile': saved('JPEG', icc_profile=PROFILE, xmp=XMP, comment=b'hello'),
    'JPEG without JFIF': b'\xff\xd8' + saved('JPEG')[20:],
    'JPEG with more behind its end': saved('JPEG') + b'more',
    'WebP': saved('WEBP'),
    'WebP without loss': saved('WEBP', lossless=True),
    'WebP without loss, clear': saved('WEBP', colours('RGBA'), lossless=True),
    'WebP clear': saved('WEBP', colours('RGBA')),
    'WebP with a profile': saved('WEBP', icc_profile=PROFILE, xmp=XMP),
    'WebP of ComfyUI': saved('WEBP', exif=graphs_in_exif()),
    'WebP of a camera': saved('WEBP', exif=camera('II')),
    'WebP with Exif under its name': named_exif(),
    'WebP that moves': moving('WEBP', lossless=True),
    'WebP of one pixel': saved('WEBP', colours(size=(1, 1))),
    'WebP with more behind its end': saved('WEBP') + b'more',
}
every_picture = pytest.mark.parametrize('data', PICTURES.values(), ids=PICTURES)


def written(folder: Path, data: bytes, text: str = TEXT) -> tuple[Embedded, bytes]:
    """What became of `text` for a file of these bytes, and the bytes of the file then."""
    path = folder / 'picture'
    path.write_bytes(data)
    outcome = embed.with_infotext(path, text)
    assert files_in(folder) == ['picture']
    return outcome, path.read_bytes()


def shown(data: bytes) -> list[tuple[bytes, Any]]:
    """Every frame as it is seen, with how long."""
    with Image.open(io.BytesIO(data)) as picture:
        return [
            (frame.convert('RGBA').tobytes(), frame.info.get('duration'))
            for frame in ImageSequence.Iterator(picture)
        ]


@every_picture
def test_a_webui_reads_how_the_picture_was_made(tmp_path: Path, data: bytes) -> None:
    outcome, now = written(tmp_path, data)

    assert (Embedded.WRITTEN, TEXT) == (outcome, infotext_in(now))
    read = webui_reads(infotext_in(now))
    assert META['prompt'] == read['Prompt'] and META['negativePrompt'] == read['Negative prompt']
    told = {name: read[name] for name in ('Steps', 'Sampler', 'CFG scale', 'Seed', 'Size')}
    assert ['28', 'DPM++ 2M Karras', '6.5', '4021337700', '640x960'] == list(told.values())
    assert ('abcdef0123', 'harbour_v2') == (read['Model hash'], read['Model'])
    assert 'fog: ffeeddccbbaa' == read['Lora hashes']


@every_picture
def test_no_pixel_and_no_frame_changes(tmp_path: Path, data: bytes) -> None:
    _, now = written(tmp_path, data)

    assert shown(data) == shown(now)
    with Image.open(io.BytesIO(data)) as old, Image.open(io.BytesIO(now)) as new:
        assert (old.mode, old.size, old.format) == (new.mode, new.size, new.format)
        old.load()
        new.load()
        rest = [{k: v for k, v in one.info.items() if k not in _OURS} for one in (old, new)]
        assert rest[0] == rest[1]


# Pillow assumes a resolution where Exif names none.
_OURS = {'parameters', 'exif', 'dpi'}


@every_picture
def test_our_own_reader_finds_it_and_a_second_time_changes_nothing(
    tmp_path: Path, data: bytes
) -> None:
    _, now = written(tmp_path, data)
    found = inside.meta_in(embedded.texts(tmp_path / 'picture'))

    assert TEXT == infotext.encode({k: v for k, v in found.items() if k != 'comfy'})
    assert (Embedded.ALREADY, now) == written(
        tmp_path, now, 'another\nSteps: 1, Seed: 2, Size: 1x1'
    )


def rest_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """Chunks of a PNG or a WebP but what a text changes."""
    if data.startswith(b'\x89PNG'):
        return [one for one in png_chunks(data) if not one[1].startswith(b'parameters\0')]
    return [one for one in webp_chunks(data) if one[0] not in (b'VP8X', b'EXIF')]


@pytest.mark.parametrize('name', [name for name in PICTURES if 'JPEG' not in name])
def test_every_other_chunk_stays_and_so_does_what_follows_the_end(
    tmp_path: Path, name: str
) -> None:
    _, now = written(tmp_path, PICTURES[name])

    assert rest_of(PICTURES[name]) == rest_of(now)
    assert PICTURES[name][-4:] == now[-4:] or 'WebP' in name and not name.endswith('end')


def without_exif(data: bytes) -> bytes:
    at = data.find(b'\xff\xe1')
    while at >= 0 and data[at + 4 : at + 10] != b'Exif\0\0':
        at = data.find(b'\xff\xe1', at + 1)
    if at < 0:
        return data
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], 'big') :]


@pytest.mark.parametrize('name', [name for name in PICTURES if 'JPEG' in name])
def test_every_other_byte_of_a_jpeg_stays(tmp_path: Path, name: str) -> None:
    _, now = written(tmp_path, PICTURES[name])

    assert without_exif(PICTURES[name]) == without_exif(now)


BLOCKS = {
    'big end first': camera(),
    'little end first': camera('II'),
    'with room': camera(comment=b'UNICODE\0' + bytes(20)),
}


def block_in(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return bytes(picture.info['exif']).removeprefix(b'Exif\0\0')


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP', 'PNG'])
@pytest.mark.parametrize('block', BLOCKS.values(), ids=BLOCKS)
def test_what_is_in_exif_stays_at_its_place(tmp_path: Path, kind: str, block: bytes) -> None:
    new = block_in(written(tmp_path, saved(kind, exif=block))[1])
    changed = [at for at, (old, now) in enumerate(zip(block, new)) if old != now]

    # the place of one directory, or the entry of the comment
    assert len(new) >= len(block) and all(at in range(42, 46) or 106 <= at < 118 for at in changed)
    assert kind != 'PNG' or new == block
    order = '<' if block[:2] == b'II' else '>'
    (inner,) = struct.unpack(order + 'I', directory(new, 8)[0x8769][2])
    known = {**directory(block, 80), **directory(new, inner)}
    assert known == directory(new, inner)


def test_exif_without_a_place_for_comments_gets_one(tmp_path: Path) -> None:
    block = Image.Exif()
    block[0x0110], block[0x0131] = 'a model', 'a program'
    _, now = written(tmp_path, saved('JPEG', exif=block.tobytes()))
    with Image.open(io.BytesIO(now)) as picture:
        tags = picture.getexif()

    assert ('a model', 'a program') == (tags[0x0110], tags[0x0131])
    assert TEXT == infotext_in(now)


@pytest.mark.parametrize('order', ['MM', 'II'])
def test_pillow_reads_the_other_tags_as_before(tmp_path: Path, order: str) -> None:
    _, now = written(tmp_path, saved('JPEG', exif=camera(order)))
    with Image.open(io.BytesIO(now)) as picture:
        tags = picture.getexif()

    assert 'Maker' == tags[0x010F] and 'N' == tags.get_ifd(0x8825)[1]
    assert b'NOTES at 400, none may move..\0' == tags.get_ifd(0x8769)[0x927C]
    assert TEXT == tags.get_ifd(0x8769)[0x9286][8:].decode('utf-16-be')


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WebP'])
def test_the_graphs_of_comfyui_stay(tmp_path: Path, kind: str) -> None:
    written(tmp_path, PICTURES[f'{kind} of ComfyUI'])
    found = inside.meta_in(embedded.texts(tmp_path / 'picture'))

    assert META['seed'] == found['seed']
    assert {'prompt', 'workflow'} == found['comfy'].keys()  # type: ignore[attr-defined]


# -- which form the text has -----------------------------------------------------------------------

FORMS = {
    'ASCII': ('a mill', b'tEXt'),
    'Latin-1': ('a café', b'tEXt'),
    'more': ('a 海', b'iTXt'),
    'Latin-1 that looks like UTF-8': ('a cafÃ©', b'iTXt'),
    'an emoji': ('a 🐈', b'iTXt'),
}


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP'])
@pytest.mark.parametrize(('prompt', 'form'), FORMS.values(), ids=FORMS)
def test_a_text_in_any_language_comes_back(
    tmp_path: Path, kind: str, prompt: str, form: bytes
) -> None:
    text = f'{prompt}\nSteps: 20, Sampler: Euler, Seed: 5'
    _, now = written(tmp_path, saved(kind), text)

    assert text == infotext_in(now)
    assert prompt == inside.meta_in(embedded.texts(tmp_path / 'picture'))['prompt']
    if kind == 'PNG':
        assert form in [name for name, body in png_chunks(now) if body.startswith(b'parameters\0')]


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP'])
def test_a_prompt_without_settings_is_written_once(tmp_path: Path, kind: str) -> None:
    _, now = written(tmp_path, saved(kind), 'a mill, 海')

    assert 'a mill, 海' == infotext_in(now)
    assert (Embedded.ALREADY, now) == written(tmp_path, now, 'a mill, 海')


def test_what_no_file_can_hold_is_left_out(tmp_path: Path) -> None:
    _, now = written(tmp_path, saved('JPEG'), 'a\0b\ud800\r\nSteps: 1, Seed: 2, Size: 1x1')

    assert 'ab?\nSteps: 1, Seed: 2, Size: 1x1' == infotext_in(now)


def test_a_blank_text_of_the_name_gives_way(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text('parameters', '  ')
    _, now = written(tmp_path, saved('PNG', pnginfo=info))

    assert 1 == sum(body.startswith(b'parameters\0') for _, body in png_chunks(now))
    assert TEXT == infotext_in(now)


@settings(deadline=None, database=None, max_examples=200)
@given(
    st.sampled_from(['PNG', 'JPEG', 'WEBP']),
    st.fixed_dictionaries(
        {'steps': st.integers(1, 150), 'seed': st.integers(0, 2**53)},
        optional={
            'prompt': st.text(max_size=300) | st.text('{}|ab,: ', max_size=20),
            'negativePrompt': st.text(max_size=100),
            'sampler': st.sampled_from(['Euler a', 'DPM++ 2M Karras', 'UniPC']),
            'cfgScale': st.floats(0, 30).map(lambda value: round(value, 2)),
            'Size': st.sampled_from(['512x768', '64x64']),
            'Model': st.text(max_size=30),
            'hashes': st.dictionaries(
                st.sampled_from(['model', 'vae', 'lora:fog', 'lora:a b', 'embed:bad']),
                st.text('0123456789abcdef', min_size=10, max_size=12),
            ),
        },
    ),
)
def test_every_meta_comes_back_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, kind: str, meta: dict[str, Any]
) -> None:
    path, text = tmp_path_factory.getbasetemp() / 'any', infotext.encode(meta)
    path.write_bytes(SMALL[kind])

    assert Embedded.WRITTEN is embed.with_infotext(path, text)
    assert text == infotext_in(path.read_bytes())
    assert webui_reads(text) == webui_reads(infotext_in(path.read_bytes()))
    assert infotext.decode(text) == inside.meta_in(embedded.texts(path))
    assert shown(SMALL[kind]) == shown(path.read_bytes())


SMALL = {kind: saved(kind) for kind in ('PNG', 'JPEG', 'WEBP')}


# -- what stays as it is --------------------------------------------------------------------------


def commented(text: str, code: bytes = b'UNICODE\0', name: str = 'utf-16-be') -> bytes:
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9286] = code + text.encode(name)
    return block.tobytes()


def of_a_webui(form: str) -> bytes:
    info = PngInfo()
    add = {'plain': info.add_text, 'UTF-8': info.add_itxt}[form.split()[0]]
    add('parameters', 'own\nSteps: 1, Seed: 2, Size: 1x1', zip=form.endswith('packed'))
    return saved('PNG', pnginfo=info)


OWN = 'own\nSteps: 1, Seed: 2, Size: 1x1'
TOLD = {
    **{f'PNG, {form}': of_a_webui(form) for form in ('plain', 'plain packed', 'UTF-8 packed')},
    'PNG, behind the picture': SMALL['PNG'][:-12]
    + of_a_webui('plain')[33 : 33 + 12 + 11 + len(OWN)]
    + SMALL['PNG'][-12:],
    'PNG, in Exif': saved('PNG', exif=commented(OWN)),
    'JPEG': saved('JPEG', exif=commented(OWN)),
    'JPEG, little end first': saved('JPEG', exif=commented(OWN, name='utf-16-le')),
    'JPEG, in ASCII': saved('JPEG', exif=commented(OWN, b'ASCII\0\0\0', 'ascii')),
    'JPEG, as its own comment': saved('JPEG', comment=OWN.encode()),
    'JPEG of the site': saved('JPEG', exif=commented('{"1": {"class_type": "KSampler"}}')),
    'WebP': saved('WEBP', exif=commented(OWN)),
}


@pytest.mark.parametrize('data', TOLD.values(), ids=TOLD)
def test_a_file_that_tells_how_it_was_made_stays_to_the_byte(tmp_path: Path, data: bytes) -> None:
    assert (Embedded.ALREADY, data) == written(tmp_path, data)


def relabelled(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def segment(mark: int, body: bytes) -> bytes:
    return bytes([0xFF, mark]) + struct.pack('>H', len(body) + 2) + body


def in_jpeg(*segments: bytes) -> bytes:
    return SMALL['JPEG'][:2] + b''.join(segments) + SMALL['JPEG'][2:]


def in_exif(block: bytes) -> bytes:
    return in_jpeg(segment(0xE1, b'Exif\0\0' + block))


def told_twice(*texts: bytes) -> bytes:
    """A PNG with a chunk of each name and text, all before the picture."""
    info = PngInfo()
    for one in texts:
        info.add(b'zTXt' if one.endswith(b'broken') else b'tEXt', one)
    return saved('PNG', pnginfo=info)


ANIMATED = PICTURES['WebP that moves']
TIFF = b'MM\0*\0\0\0\x08'
SIGNED = struct.pack('>I', 0) + b'caBX' + b'\x1e\x7c\x83\x71'
LEFT = {
    'GIF': (saved('GIF', colours('L')), Embedded.NO_KIND),
    'a film': (MOVIE, Embedded.NO_KIND),
    'AVIF': (ftyp(b'avif') + box(b'meta', bytes(20)) + box(b'mdat', bytes(9)), Embedded.NO_KIND),
    'a sound': (b'ID3' + bytes(200), Embedded.NO_KIND),
    'a page': (b'<html><body>no picture', Embedded.NO_KIND),
    'an empty file': (b'', Embedded.NO_KIND),
    'PNG cut': (SMALL['PNG'][:-20], Embedded.UNSAFE),
    'PNG of its beginning alone': (SMALL['PNG'][:20], Embedded.UNSAFE),
    'PNG with a huge chunk': (relabelled(SMALL['PNG'], 33, b'\xff' * 4), Embedded.UNSAFE),
    'PNG without a picture': (SMALL['PNG'][:33] + SMALL['PNG'][-12:], Embedded.UNSAFE),
    'PNG with a header of another size': (relabelled(SMALL['PNG'], 11, b'\x0e'), Embedded.UNSAFE),
    'PNG signed': (SMALL['PNG'][:33] + SIGNED + SMALL['PNG'][33:], Embedded.UNSAFE),
    'JPEG cut': (SMALL['JPEG'][:-40], Embedded.UNSAFE),
    'JPEG cut in its head': (SMALL['JPEG'][:30] + b'\xff\xd9', Embedded.UNSAFE),
    'JPEG with a segment too long': (relabelled(SMALL['JPEG'], 4, b'\xff\xff'), Embedded.UNSAFE),
    'JPEG with a segment too short': (relabelled(SMALL['JPEG'], 4, b'\0\1'), Embedded.UNSAFE),
    'JPEG of padding': (b'\xff\xd8' + b'\xff' * 200_000 + b'\xd9', Embedded.UNSAFE),
    'JPEG with Exif twice': (
        in_jpeg(*[segment(0xE1, b'Exif\0\0' + camera())] * 2),
        Embedded.UNSAFE,
    ),
    'JPEG with more pictures': (in_jpeg(segment(0xE2, b'MPF\0MM\0*')), Embedded.UNSAFE),
    'JPEG signed': (in_jpeg(segment(0xEB, b'JP\0\1')), Embedded.UNSAFE),
    'JPEG with a note': (saved('JPEG', exif=commented('from our holidays')), Embedded.OCCUPIED),
    'PNG with its text behind more than is read': (
        told_twice(*[b'x\0y'] * 5000, b'parameters\0' + OWN.encode()),
        Embedded.UNSAFE,
    ),
    'PNG with a blank text and its own': (
        told_twice(b'parameters\0 ', b'parameters\0' + OWN.encode()),
        Embedded.UNSAFE,
    ),
    'PNG with a text that does not unpack': (
        told_twice(b'parameters\0\0broken'),
        Embedded.UNSAFE,
    ),
    'PNG with a text of unreasonable size': (
        told_twice(b'parameters\0' + b'own ' * 3_000_000),
        Embedded.UNSAFE,
    ),
    'PNG with a blank note': (saved('PNG', exif=commented('   ')), Embedded.OCCUPIED),
    'PNG with a note': (saved('PNG', exif=commented('from our holidays')), Embedded.OCCUPIED),
    'WebP with a note': (saved('WEBP', exif=commented('from our holidays')), Embedded.OCCUPIED),
    'Exif without a directory': (in_exif(b'MM\0*'), Embedded.UNSAFE),
    'Exif that points out of itself': (in_exif(b'MM\0*\0\0\xff\0' + bytes(40)), Embedded.UNSAFE),
    'Exif that points at its head': (in_exif(b'MM\0*\0\0\0\2' + bytes(40)), Embedded.UNSAFE),
    'Exif that points to itself': (
        in_exif(TIFF + struct.pack('>HHHIII', 1, 0x8769, 4, 1, 8, 0)),
        Embedded.UNSAFE,
    ),
    'Exif with two such directories': (
        in_exif(
            b'MM\0*\0\0\0\x08'
            + struct.pack('>HHHIIHHIII', 2, *(0x8769, 4, 1, 40) * 2, 0)
            + bytes(40)
        ),
        Embedded.UNSAFE,
    ),
    'Exif with very many tags': (in_exif(b'II*\0\x08\0\0\0\xff\xff' + bytes(100)), Embedded.UNSAFE),
    'Exif of a newer kind': (in_exif(b'MM\0+\0\x08\0\0' + bytes(40)), Embedded.UNSAFE),
    'Exif that is none': (in_exif(b'no block at all'), Embedded.UNSAFE),
    'WebP cut': (SMALL['WEBP'][:-10], Embedded.UNSAFE),
    'WebP with Exif twice': (
        riff(b'WEBP', ANIMATED[12:] + chunk(b'EXIF', camera()) * 2),
        Embedded.UNSAFE,
    ),
    'WebP with a huge chunk': (relabelled(SMALL['WEBP'], 16, b'\xff' * 4), Embedded.UNSAFE),
    'WebP with an odd size': (relabelled(SMALL['WEBP'], 4, b'\x21'), Embedded.UNSAFE),
    'WebP with a chunk over its end': (relabelled(ANIMATED, 4, b'\x30\0\0\0'), Embedded.UNSAFE),
    'WebP without a picture': (riff(b'WEBP', chunk(b'VP8X', bytes(10))), Embedded.UNSAFE),
    'WebP with parts of no order': (
        riff(b'WEBP', SMALL['WEBP'][12:] + chunk(b'XMP ', XMP)),
        Embedded.UNSAFE,
    ),
    'WebP of no stream': (riff(b'WEBP', chunk(b'VP8 ', bytes(40))), Embedded.UNSAFE),
    'WebP of nothing': (riff(b'WEBP', b''), Embedded.UNSAFE),
    'WebP signed': (riff(b'WEBP', ANIMATED[12:] + chunk(b'C2PA', b'x')), Embedded.UNSAFE),
}


@pytest.mark.parametrize(('data', 'why'), LEFT.values(), ids=LEFT)
def test_a_file_that_cannot_take_it_stays_to_the_byte_and_is_told(
    tmp_path: Path, data: bytes, why: Embedded
) -> None:
    assert (why, data) == written(tmp_path, data)
    assert why.needs_sidecar
    for language in sentences.LANGUAGES:
        assert '17' in sentences.text(why.value, language, count=17)


LONG = {'JPEG': 33_000, 'PNG': 4_000_001, 'WEBP': 2_000_001}


@pytest.mark.parametrize(('kind', 'length'), LONG.items(), ids=LONG)
def test_a_text_that_does_not_fit_is_told_and_one_that_just_fits_comes_back(
    tmp_path: Path, kind: str, length: int
) -> None:
    data, end = saved(kind), '\nSteps: 1, Seed: 2, Size: 1x1'
    assert (Embedded.NO_ROOM, data) == written(tmp_path, data, 'x' * length + end)

    text = 'x' * (length - 400) + end
    assert Embedded.WRITTEN is written(tmp_path, data, text)[0]
    assert text == infotext_in((tmp_path / 'picture').read_bytes())
    assert inside.meta_in(embedded.texts(tmp_path / 'picture'))['seed'] == 2


@pytest.mark.parametrize('text', ['', ' \n', '\0'])
def test_no_text_is_no_reason_to_touch_a_file(tmp_path: Path, text: str) -> None:
    outcome, now = written(tmp_path, SMALL['JPEG'], text)

    assert (Embedded.NOTHING, SMALL['JPEG']) == (outcome, now)
    assert not outcome.needs_sidecar


@pytest.mark.parametrize('name', ['gone.png', '.'])
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError):
        embed.with_infotext(tmp_path / name, TEXT)


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no such modes')
def test_who_may_read_it_stays(tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    path.write_bytes(SMALL['PNG'])
    path.chmod(0o640)
    embed.with_infotext(path, TEXT)

    assert 0o640 == path.stat().st_mode & 0o777


def test_another_name_of_the_same_file_keeps_it_as_it_came(tmp_path: Path) -> None:
    path, other = tmp_path / 'a.png', tmp_path / 'b.png'
    path.write_bytes(SMALL['PNG'])
    os.link(path, other)
    embed.with_infotext(path, TEXT)

    assert SMALL['PNG'] == other.read_bytes() != path.read_bytes()


@settings(deadline=None, database=None, max_examples=300)
@given(
    st.sampled_from([*PICTURES.values(), *TOLD.values()]),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=8),
    st.integers(0, 60),
)
def test_a_spoiled_file_becomes_readable_or_stays(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    changes: list[tuple[int, int]],
    cut: int,
) -> None:
    spoiled = bytearray(data[: max(1, len(data) - cut)])
    for place, value in changes:
        spoiled[place % len(spoiled)] = value
    path = tmp_path_factory.getbasetemp() / 'spoiled'
    path.write_bytes(spoiled)
    outcome = embed.with_infotext(path, TEXT)

    if outcome is Embedded.WRITTEN:
        assert TEXT in embedded.texts(path).values()
        assert len(spoiled) < path.stat().st_size
    else:
        assert bytes(spoiled) == path.read_bytes()


# -- killed ----------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from scripts.civitai_manager_libs.store import embed
path, wanted = Path(sys.argv[1]), int(sys.argv[2])
seen = 0
def watch(frame, event, argument):
    global seen
    if frame.f_code.co_filename.endswith(('embed.py', 'files.py')):
        seen += event == 'line'
        if seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
    return watch
sys.settrace(watch)
embed.with_infotext(path, sys.stdin.read())
sys.settrace(None)
print(seen)
"""


def killed(path: Path, line: int) -> subprocess.CompletedProcess[str]:
    """Embed in another process, killed before it runs its `line`-th line, -1: not at all."""
    command = [sys.executable, '-c', KILLED, str(path), str(line)]
    return subprocess.run(command, cwd=ROOT, input=TEXT, text=True, capture_output=True)


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no SIGKILL')
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    old = PICTURES['JPEG of a camera']

    def embedded_in(folder: str, line: int) -> tuple[Path, subprocess.CompletedProcess[str]]:
        path = tmp_path / folder / 'a.jpg'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(old)
        return path, killed(path, line)

    path, ended = embedded_in('whole', -1)
    lines, new = int(ended.stdout), path.read_bytes()
    seen, halves = [], []
    for line in (1, lines // 2, *range(lines - 22, lines + 1, 2)):
        path, ended = embedded_in(f'{line}', line)
        assert -signal.SIGKILL == ended.returncode
        seen.append(path.read_bytes())
        halves += [path] if len(files_in(path.parent)) > 1 else []

    assert {old, new} == set(seen)
    # what the killed ones had begun is cleared by who comes next
    killed(halves[0], -1)
    assert (['a.jpg'], new) == (files_in(halves[0].parent), halves[0].read_bytes())


# -- drafts ----------------------------------------------------------------------------------------


@every_picture
def test_a_draft_becomes_what_a_file_with_a_name_does(data: bytes, tmp_path: Path) -> None:
    draft, named = tmp_path / 'draft', tmp_path / 'named'
    for path in (draft, named):
        path.write_bytes(data)

    came = hashlib.sha256(data).hexdigest()
    done = embed.in_draft(draft, TEXT)
    assert (embed.with_infotext(named, TEXT), came) == (done.outcome, done.came)
    assert hashlib.sha256(draft.read_bytes()).hexdigest() == done.sha256
    assert named.read_bytes() == draft.read_bytes()


def test_a_draft_that_is_the_file_of_another_picture_leaves_that_alone(tmp_path: Path) -> None:
    other, draft = tmp_path / 'other', tmp_path / 'draft'
    other.write_bytes(PICTURES['JPEG of a camera'])
    os.link(other, draft)

    assert Embedded.WRITTEN is embed.in_draft(draft, TEXT).outcome
    assert PICTURES['JPEG of a camera'] == other.read_bytes() != draft.read_bytes()


LIMITED = """
import resource, sys
from pathlib import Path
from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import embed
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    embed.in_draft(Path(sys.argv[1]), sys.stdin.read())
except StorageError:
    print('told')
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows knows no such limit')
@pytest.mark.parametrize('share', [1, 2], ids=['that takes what was', 'that takes nothing'])
def test_a_draft_on_a_full_disk_is_what_it_was_or_gone(share: int, tmp_path: Path) -> None:
    draft, old = tmp_path / 'draft', PICTURES['JPEG of a camera']
    draft.write_bytes(old)
    command = [sys.executable, '-c', LIMITED, str(draft), str(len(old) // share)]
    ended = subprocess.run(command, cwd=ROOT, input=TEXT, text=True, capture_output=True)

    assert 'told\n' == ended.stdout
    assert [old] * (share == 1) == [path.read_bytes() for path in tmp_path.iterdir()]
