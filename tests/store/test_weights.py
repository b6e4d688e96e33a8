"""What is no model file, and which safetensors file is whole."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from scripts.civitai_manager_libs.store import weights
from tests.support.model_site import tensors


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def with_header(text: bytes, tensor_bytes: int = 8, length: int | None = None) -> bytes:
    size = len(text) if length is None else length
    return size.to_bytes(8, 'little') + text + bytes(tensor_bytes)


def of(offsets: object) -> bytes:
    return json.dumps({'a': {'dtype': 'U8', 'shape': [8], 'data_offsets': offsets}}).encode()


def header(**tensors: object) -> bytes:
    return json.dumps(tensors).encode()


def tensor(start: int, end: int, dtype: object = 'U8', shape: object = None) -> dict[str, object]:
    whole = [end - start] if shape is None else shape
    return {'dtype': dtype, 'shape': whole, 'data_offsets': [start, end]}


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(tensors(1000), id='one-tensor'),
        pytest.param(with_header(of([0, 8])), id='small'),
        pytest.param(with_header(b'{}', 0), id='no-tensor'),
        pytest.param(with_header(b'{"__metadata__": {"a": "b"}}   ', 0), id='only-metadata'),
        pytest.param(with_header(header(__metadata__=None, a=tensor(0, 8))), id='null-metadata'),
        pytest.param(with_header(header(b=tensor(3, 8), a=tensor(0, 3))), id='any-order'),
        pytest.param(
            with_header(header(a=tensor(0, 0, 'F32', [0, 9]), b=tensor(0, 8), c=tensor(8, 8))),
            id='empty-tensors',
        ),
        pytest.param(with_header(header(a=tensor(0, 8, 'F64', []))), id='scalar'),
        pytest.param(with_header(header(a=tensor(0, 8, 'BF16', [2, 2]))), id='two-bytes-each'),
        pytest.param(with_header(header(a=tensor(0, 8, 'F4', [2, 8]))), id='half-a-byte-each'),
        pytest.param(
            with_header(header(a=tensor(0, 6, 'F6_E2M3', [8]), b=tensor(6, 8))), id='six-bits-each'
        ),
        pytest.param(with_header(header(a=tensor(0, 8, 'X3', [5]))), id='dtype-of-tomorrow'),
        pytest.param(with_header(header(層=tensor(0, 8))), id='name-in-other-letters'),
    ],
)
@pytest.mark.parametrize('name', ['a.safetensors', 'A.SAFETENSORS', 'a.sft'])
def test_a_whole_file_is_none_that_is_broken(tmp_path: Path, content: bytes, name: str) -> None:
    assert not weights.is_broken(written(tmp_path / 'x', content), name)


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'', id='empty'),
        pytest.param(b'\x02\0\0', id='shorter-than-a-length'),
        pytest.param(with_header(b'{}', 0)[:9], id='half-a-header'),
        pytest.param(with_header(of([0, 8]), 7), id='one-byte-missing'),
        pytest.param(with_header(of([0, 8]), 9), id='one-byte-too-many'),
        pytest.param(with_header(of([0, 8]), length=2**63), id='endless-header'),
        pytest.param(with_header(of([0, 8]), length=0), id='no-header'),
        pytest.param(with_header(of([0, 8]), length=1_000_000), id='header-behind-the-end'),
        pytest.param(with_header(b'[1, 2]'), id='a-list'),
        pytest.param(with_header(b'not json'), id='no-json'),
        pytest.param(with_header(b'\xff\xfe{}'), id='no-text'),
        pytest.param(with_header(of([0, -8])), id='backwards'),
        pytest.param(with_header(of([0, 8.0])), id='fractions'),
        pytest.param(with_header(of([0])), id='one-offset'),
        pytest.param(with_header(of('08')), id='text-for-offsets'),
        pytest.param(with_header(of([True, 8])), id='truth-for-a-number'),
        pytest.param(with_header(b'{"a": 7}'), id='number-for-a-tensor'),
        pytest.param(with_header(b'[' * 500_000), id='deep'),
        pytest.param(with_header(header(a=tensor(0, 8), b=tensor(0, 8))), id='one-upon-the-other'),
        pytest.param(with_header(header(a=tensor(0, 5), b=tensor(4, 8))), id='overlapping'),
        pytest.param(with_header(header(a=tensor(4, 8))), id='hole-before'),
        pytest.param(with_header(header(a=tensor(0, 3), b=tensor(5, 8))), id='hole-between'),
        pytest.param(with_header(header(a=tensor(0, 8, shape=[10**9]))), id='shape-too-large'),
        pytest.param(with_header(header(a=tensor(0, 8, 'F32', [1]))), id='shape-too-small'),
        pytest.param(with_header(header(a=tensor(0, 8, 'F6_E3M2', [11]))), id='no-whole-bytes'),
        pytest.param(with_header(header(a=tensor(0, 8, shape=[2**63, 2, 0]))), id='overflow'),
        pytest.param(with_header(header(a=tensor(0, 0, shape=[0, -1])), 0), id='negative'),
        pytest.param(with_header(header(a=tensor(0, 8, shape=[8.0]))), id='shape-of-fractions'),
        pytest.param(with_header(header(a=tensor(0, 8, shape=[True, 8]))), id='shape-of-truth'),
        pytest.param(with_header(header(a=tensor(0, 8, shape=8))), id='shape-no-list'),
        pytest.param(with_header(header(a=tensor(0, 8, dtype=None))), id='dtype-null'),
        pytest.param(with_header(b'{"a":{"shape":[8],"data_offsets":[0,8]}}'), id='no-dtype'),
        pytest.param(with_header(b'{"a":{"dtype":"U8","data_offsets":[0,8]}}'), id='no-shape'),
        pytest.param(with_header(of([0, 8])[:-1] + b',' + of([0, 8])[1:]), id='name-twice'),
        pytest.param(
            with_header(of([0, 8]).replace(b'"shape"', b'"dtype": "F32", "shape"')), id='key-twice'
        ),
        pytest.param(with_header(b'  ' + of([0, 8])), id='space-before'),
        pytest.param(with_header(b'\xef\xbb\xbf' + of([0, 8])), id='byte-order-mark'),
        pytest.param(with_header(of([0, 8]).decode().encode('utf-16')), id='utf-16'),
        pytest.param(with_header(of([0, 8]).decode().encode('utf-16-le')), id='utf-16-le'),
        pytest.param(with_header(of([0, 8]).replace(b'"a"', b'"\xe9"')), id='latin-1'),
        pytest.param(with_header(of([0, 8])[:-1] + b',"b":NaN}'), id='no-number'),
        pytest.param(with_header(header(__metadata__=5, a=tensor(0, 8))), id='metadata-a-number'),
        pytest.param(
            with_header(header(__metadata__={'a': {}}, a=tensor(0, 8))), id='metadata-no-texts'
        ),
        pytest.param(with_header(b'{"a":' * 500_000), id='deep-objects'),
    ],
)
def test_a_hostile_or_cut_header_is_told(tmp_path: Path, content: bytes) -> None:
    assert weights.is_broken(written(tmp_path / 'x', content), 'a.safetensors')


def test_a_shape_of_many_numbers_costs_no_more_than_its_length(tmp_path: Path) -> None:
    """Multiplied out, they would have millions of digits."""
    many = header(a=tensor(0, 8, shape=[10**18] * 1_000_000))
    assert weights.is_broken(written(tmp_path / 'x', with_header(many)), 'a.safetensors')


def test_a_header_that_unfolds_to_too_much_is_not_unfolded(tmp_path: Path) -> None:
    many = b'{"a":[' + b'[],' * 5_000_000 + b'[]]}'
    path = written(tmp_path / 'x', with_header(many))
    tracemalloc.start()
    try:
        assert weights.is_broken(path, 'a.safetensors')
        assert tracemalloc.get_traced_memory()[1] < 3 * len(many)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ('name', 'content', 'is_broken'),
    [
        ('a.gguf', b'GGUF\x03\0\0\0', False),
        ('a.gguf', b'PK\x03\x04', True),
        ('a.zip', b'PK\x03\x04', False),
        ('a.zip', b'GGUF', True),
        ('a.ckpt', b'\x80\x02}q\0.', False),
        ('a.pt', b'PK\x03\x04', False),
        ('flow.json', b'{}', False),
    ],
)
def test_of_other_files_only_the_beginning_is_known(
    tmp_path: Path, name: str, content: bytes, is_broken: bool
) -> None:
    assert weights.is_broken(written(tmp_path / 'x', content), name) is is_broken


@pytest.mark.parametrize(
    'head',
    [
        tensors(10)[:512],
        b'\x80\x02}q\0.',
        b'PK\x03\x04' + bytes(30),
        b'GGUF\x03\0\0\0',
        b'{\0\0\0\0\0\0\0{"a":1}',  # a length that looks like a brace
        b'<\0\0\0\0\0\0\0{"a":1}',
        bytes(range(256)),
        b'',
    ],
)
def test_the_beginning_of_a_model_is_no_message(head: bytes) -> None:
    assert not weights.is_foreign(head, 'a.safetensors')
    assert not weights.is_message(head, 'a.safetensors')


def test_a_text_whose_last_letter_is_cut_off_is_still_one() -> None:
    head = ('檔' * 200).encode()[: weights.HEAD_BYTES]
    assert weights.is_foreign(head, 'a.ckpt')
    assert not weights.is_message(head, 'a.ckpt'), 'only a page, XML or JSON is'
