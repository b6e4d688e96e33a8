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


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(tensors(1000), id='one-tensor'),
        pytest.param(with_header(of([0, 8])), id='small'),
        pytest.param(with_header(b'{}', 0), id='no-tensor'),
        pytest.param(with_header(b'{"__metadata__": {"a": "b"}}   ', 0), id='only-metadata'),
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
        pytest.param(with_header(b'{"a":' * 500_000), id='deep-objects'),
    ],
)
def test_a_hostile_or_cut_header_is_told(tmp_path: Path, content: bytes) -> None:
    assert weights.is_broken(written(tmp_path / 'x', content), 'a.safetensors')


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
