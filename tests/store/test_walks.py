"""Whether a file of which nobody said where it ends is all there, told by a walk through it."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.store.ends import End
from scripts.civitai_manager_libs.store.walks import proved_end
from tests.support.endings import (
    EBML,
    LIVE,
    PROVING,
    SEGMENT,
    SILENT,
    TELLING,
    WALKED,
    cuts,
    ebml,
    gif,
    png_with,
    real,
    spelled,
)


def proved(data: bytes) -> End:
    return proved_end(lambda at, count: data[at : at + count], len(data))


REAL = {kind: real(kind) for kind in ('PNG', 'JPEG', 'GIF', 'WEBP')}
REAL['JPEG in scans'] = real('JPEG', progressive=True)


@pytest.mark.parametrize(
    'data',
    [*TELLING.values(), *PROVING.values(), *WALKED.values(), *REAL.values()],
    ids=[*TELLING, *PROVING, *WALKED, *REAL],
)
def test_a_walk_comes_to_the_end_of_a_whole_file(data: bytes) -> None:
    assert proved(data) is End.WHOLE


@pytest.mark.parametrize('data', WALKED.values(), ids=WALKED)
def test_what_looks_like_an_end_inside_is_none(data: bytes) -> None:
    assert {proved(data[:size]) for size in range(100, len(data))} == {End.SHORT}


@pytest.mark.parametrize('data', LIVE.values(), ids=LIVE)
def test_a_film_without_a_length_is_cut_inside_its_parts(data: bytes) -> None:
    assert proved(data) is End.UNKNOWN
    found = [proved(data[:size]) for size in range(100, len(data))]
    assert End.WHOLE not in found and found.count(End.UNKNOWN) <= 6


@pytest.mark.parametrize('data', SILENT.values(), ids=SILENT)
def test_a_walk_does_not_judge_what_says_nothing(data: bytes) -> None:
    assert proved(data) is End.UNKNOWN
    assert End.WHOLE not in {proved(data[:size]) for size in cuts(data)}


ODD_ON_THE_WAY = {
    'chunk of no name': png_with(bytes(30)),
    'jpeg, no mark': b'\xff\xd8\xff\xe0\0\4abx' + bytes(99) + b'\xff\xd9',
    'gif, no kind': gif(b'abc')[:-1] + b'\1' + bytes(99) + b';',
    'gif of too many blocks': b'GIF89a' + bytes(7) + b'\x21\xfe' + b'\1a' * 1_100_000 + b'\0;',
    'webm, odd element': EBML + ebml(SEGMENT, b'\1' + bytes(99), told=-1),
    'webm, odd length': EBML + ebml(SEGMENT, b'\xa3\0' + bytes(99), told=-1),
    'webm, open inside': EBML + ebml(SEGMENT, ebml(b'\xa3', b'a', told=-1), told=-1),
    'gguf, name without end': b'GGUF\3\0\0\0' + b'\1' * 99,
    'gguf, values without end': b'GGUF\3\0\0\0' + bytes(8) + b'\xff' * 8 + bytes(5_000_000),
    'weights, no JSON': spelled('{"a": }', b'abc'),
    'weights, not of tensors': spelled('{"a": 5}', b'abc'),
    'weights, a list': spelled('{"a": {"data_offsets": [0, "9"]}}', b'abc'),
    'weights, nested': spelled('{"a":' + '[' * 150_000 + ']' * 150_000 + '}', b'abc'),
    'weights, of many things': spelled('{"a": [' + '[],' * 300_000 + '[]]}', b'abc'),
}


@pytest.mark.parametrize('data', ODD_ON_THE_WAY.values(), ids=ODD_ON_THE_WAY)
def test_where_a_walk_leads_nowhere_nothing_is_judged(data: bytes) -> None:
    assert proved(data) is End.UNKNOWN


@pytest.mark.parametrize('name', ['png', 'jpeg', 'gif', 'gguf', 'webm'])
def test_a_walk_never_holds_much(name: str) -> None:
    data = {**TELLING, **WALKED}[name] + bytes(3_000_000)

    def read(at: int, count: int) -> bytes:
        assert count <= 64 * 1024
        return data[at : at + count]

    assert proved_end(read, len(data)) is End.WHOLE


STARTS = [data[:64] for kind in (WALKED, LIVE, TELLING) for data in kind.values()]


@settings(deadline=None)
@given(st.sampled_from(STARTS), st.integers(4, 64), st.binary(max_size=200))
def test_any_bytes_can_be_walked_through(start: bytes, kept: int, rest: bytes) -> None:
    assert proved(start[:kept] + rest) in End


def pictures() -> tuple[bytes, int]:
    """A JPEG of two pictures with their index, and where the first ends."""
    buffer = BytesIO()
    others = [Image.new('RGB', (40, 30), (1, 90, 9))]
    first = Image.effect_noise((40, 30), 90).convert('RGB')
    first.save(buffer, 'MPO', save_all=True, append_images=others)
    data = buffer.getvalue()
    index = data.index(b'MPF\0') + 4
    entries = data.index(struct.pack('<HHI', 0xB002, 7, 32), index)
    (at,) = struct.unpack_from('<I', data, entries + 8)
    return data, struct.unpack_from('<I', data, index + at + 4)[0]


def test_a_jpeg_of_two_pictures_is_whole_with_the_second() -> None:
    data, first = pictures()
    assert proved(data) is End.WHOLE
    assert {proved(data[:size]) for size in range(100, first)} == {End.SHORT}
    assert {proved(data[:size]) for size in range(first, len(data))} == {End.UNKNOWN}


@pytest.mark.parametrize('index', [b'', b'II', b'XX*\0' + bytes(99), b'MM\0*' + b'\xff' * 99])
def test_an_index_of_pictures_that_says_nothing_leaves_the_end_open(index: bytes) -> None:
    segment = b'MPF\0' + index
    data = REAL['JPEG']
    with_it = data[:2] + b'\xff\xe2' + struct.pack('>H', len(segment) + 2) + segment + data[2:]
    assert proved(with_it) is End.UNKNOWN
