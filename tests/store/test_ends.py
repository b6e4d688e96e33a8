"""Whether a file is all there, told from its own bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from civitai_demo.drawing.clip import clip_bytes
from scripts.civitai_manager_libs.store.ends import End, end_of
from tests.support.endings import (
    EBML,
    PROVING,
    SILENT,
    TELLING,
    WALKED,
    box,
    cuts,
    ftyp,
    real,
    riff,
)


def told(data: bytes) -> End:
    return end_of(lambda at, count: data[at : at + count], len(data))


REAL = {kind: real(kind) for kind in ('PNG', 'JPEG', 'WEBP', 'BMP')} | {'MP4': clip_bytes()}
LOUD = {**TELLING, **REAL}


@pytest.mark.parametrize('data', [*LOUD.values(), *PROVING.values()], ids=[*LOUD, *PROVING])
def test_a_whole_file_proves_it(data: bytes) -> None:
    assert told(data) is End.WHOLE


@pytest.mark.parametrize('data', LOUD.values(), ids=LOUD)
def test_a_file_that_tells_its_length_is_short_wherever_it_is_cut(data: bytes) -> None:
    borders = {End.UNKNOWN} if data[4:8] in (b'ftyp', b'moov') else set()
    found = {told(data[:size]) for size in cuts(data)}
    assert End.SHORT in found and found <= {End.SHORT} | borders
    assert told(data[:-1]) is End.SHORT


@pytest.mark.parametrize('data', PROVING.values(), ids=PROVING)
def test_a_file_that_is_cut_never_proves_its_end(data: bytes) -> None:
    assert End.WHOLE not in {told(data[:size]) for size in cuts(data)}


# Cut between two of its parts, something is missing that no such file is without.
PARTS = {
    'the index': ftyp(b'isom') + box(b'mdat', bytes(99)),
    'the beginning of the index': ftyp(b'isom') + box(b'mdat', bytes(99)) + b'\0\0\1',
    'the index, of a picture': ftyp(b'avif') + box(b'mdat', bytes(99)),
    'the index, of old': box(b'mdat', bytes(99)) + box(b'free'),
    'the content': ftyp(b'qt  ') + box(b'moov', box(b'trak', bytes(99))),
    'the content, of a picture': ftyp(b'heic') + box(b'meta', bytes(4) + box(b'iloc', bytes(9))),
    'all but the kind': ftyp(b'isom'),
    'the content of a fragment': ftyp(b'iso5') + box(b'moov') + box(b'moof', bytes(9)),
    'the directory': b'PK\3\4' + bytes(99),
    'the last bytes of the directory': b'PK\5\6' + bytes(10),
}


@pytest.mark.parametrize('data', PARTS.values(), ids=PARTS)
def test_a_file_without_what_it_needs_is_short(data: bytes) -> None:
    assert told(data) is End.SHORT


# Cut there, it may be all the same.
BORDERS = {
    'fragments': ftyp(b'iso5') + box(b'moov') + box(b'moof', b'a') + box(b'mdat', bytes(99)),
    'fragments to come': ftyp(b'iso5') + box(b'moov', box(b'trak') + box(b'mvex', bytes(9))),
    'a picture in its index': ftyp(b'avif') + box(b'meta', bytes(4) + box(b'idat', bytes(9))),
}


@pytest.mark.parametrize('data', BORDERS.values(), ids=BORDERS)
def test_a_cut_between_two_parts_may_prove_nothing(data: bytes) -> None:
    assert told(data) is End.UNKNOWN


@pytest.mark.parametrize('data', SILENT.values(), ids=SILENT)
def test_a_file_that_says_nothing_is_not_judged(data: bytes) -> None:
    assert told(data) is End.UNKNOWN
    assert End.WHOLE not in {told(data[:size]) for size in cuts(data)}


ODD = {
    'nothing': b'',
    'a box that is too short': ftyp(b'isom') + b'\0\0\0\7moov' + bytes(9),
    'a box of 64 bits that is too short': ftyp(b'isom') + b'\0\0\0\1moov' + bytes(9),
    'a box of no name': ftyp(b'isom') + bytes(40),
    'no box at all': ftyp(b'isom') + b'xxxxxxxxxxxxxxxx',
    'riff without a length': b'RIFF\0\0\0\0WAVE' + bytes(99),
    'riff of a stream': b'RIFF\xff\xff\xff\xffWAVE' + bytes(99),
    'webm header alone': EBML,
    'webm without a width': b'\x1a\x45\xdf\xa3' + bytes(9),
}


@pytest.mark.parametrize('data', ODD.values(), ids=ODD)
def test_what_makes_no_sense_is_not_judged(data: bytes) -> None:
    assert told(data) is End.UNKNOWN


def test_more_behind_the_end_does_no_harm() -> None:
    for name in ('png', 'jpeg', 'webp', 'bmp', 'webm', 'safetensors'):
        assert told(TELLING[name] + b'more') is End.WHOLE, name


@pytest.mark.parametrize('name', ['mp4, 64-bit length', 'webm', 'safetensors', 'webp', 'zip'])
def test_a_large_file_is_not_read_whole(name: str) -> None:
    data, count = {**TELLING, **PROVING}[name], 0
    data += riff(b'WAVE', bytes(3_000_000)) if name not in PROVING else b''

    def read(at: int, wanted: int) -> bytes:
        nonlocal count
        found = data[at : at + wanted]
        count += len(found)
        return found

    end_of(read, len(data))
    assert count < 150_000


def test_a_row_of_boxes_without_end_is_given_up() -> None:
    many = ftyp(b'isom') + box(b'free') * 200_000
    assert told(many) is End.UNKNOWN


KINDS = TELLING, PROVING, WALKED, SILENT
STARTS = [data[:32] for kind in KINDS for data in kind.values()]


@settings(deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_can_be_asked(start: bytes, rest: bytes) -> None:
    for data in (rest, start + rest, start[:9] + rest):
        assert told(data) in End
