"""The hashes of a model file are those by which the site and the pictures name it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Iterator

import pytest

from civitai_demo.world.models import load_gallery_models
from scripts.civitai_manager_libs.errors import CancelledError, StorageError
from scripts.civitai_manager_libs.library.digests import BLOCK_BYTES, Reckoner

TENSORS = bytes(range(256)) * 4


def safetensors(tensors: bytes, pad: int = 0, **metadata: str) -> bytes:
    header = {
        '__metadata__': metadata,
        'a': {'dtype': 'U8', 'shape': [len(tensors)], 'data_offsets': [0, len(tensors)]},
    }
    text = json.dumps(header).encode() + b' ' * pad
    return len(text).to_bytes(8, 'little') + text + tensors


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def reckoner(stop: threading.Event) -> Iterator[Reckoner]:
    with Reckoner(stop) as made:
        yield made


@pytest.mark.parametrize(
    'file',
    [file for model in load_gallery_models() for one in model.versions for file in one.files],
    ids=lambda file: file.name,
)
def test_they_are_those_that_the_site_lists(
    reckoner: Reckoner, tmp_path: Path, file: object
) -> None:
    path = tmp_path / 'a.safetensors'
    path.write_bytes(file.content)  # type: ignore[attr-defined]
    found = reckoner.digests(path)
    listed = file.hashes  # type: ignore[attr-defined]
    assert found.sha256.upper() == listed['SHA256']
    assert found.tensors[:12].upper() == listed['AutoV3']
    assert (found.size, found.changed_ns) == (path.stat().st_size, path.stat().st_mtime_ns)


@pytest.mark.parametrize('size', [1, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 7])
@pytest.mark.parametrize('pad', [0, BLOCK_BYTES - 200, BLOCK_BYTES, 3 * BLOCK_BYTES])
def test_wherever_the_blocks_end(reckoner: Reckoner, tmp_path: Path, size: int, pad: int) -> None:
    tensors = (TENSORS * (size // len(TENSORS) + 1))[:size]
    path, content = tmp_path / 'a.safetensors', safetensors(tensors, pad)
    path.write_bytes(content)
    counts: list[int] = []
    found = reckoner.digests(path, counts.append)
    assert (found.sha256, found.tensors) == (sha256(content), sha256(tensors))
    assert sum(counts) == len(content)


def test_other_metadata_are_the_same_tensors(reckoner: Reckoner, tmp_path: Path) -> None:
    one, other = tmp_path / 'a.safetensors', tmp_path / 'b.SFT'
    one.write_bytes(safetensors(TENSORS, title='one'))
    other.write_bytes(safetensors(TENSORS, title='another'))
    first, second = reckoner.digests(one), reckoner.digests(other)
    assert first.tensors == second.tensors == sha256(TENSORS) and first.sha256 != second.sha256


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'', id='nothing'),
        pytest.param(b'\x05', id='a byte'),
        pytest.param(b'\xff' * 8 + b'{}', id='a header longer than anything'),
        pytest.param((2**40).to_bytes(8, 'little') + b'{}', id='a header longer than the file'),
        pytest.param((9).to_bytes(8, 'little') + b'not JSON!' + TENSORS, id='no JSON'),
        pytest.param((2).to_bytes(8, 'little') + b'[]' + TENSORS, id='no object'),
        pytest.param((2).to_bytes(8, 'little') + b'{}', id='no tensors'),
        pytest.param((50_000).to_bytes(8, 'little') + b'[' * 50_000, id='very deep'),
        pytest.param(safetensors(TENSORS)[:-1], id='cut off'),
    ],
)
def test_an_impossible_header_is_that_of_no_tensors(
    reckoner: Reckoner, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / 'a.safetensors'
    path.write_bytes(content)
    found = reckoner.digests(path)
    assert (found.sha256, found.tensors) == (sha256(content), '')


def test_only_a_safetensors_file_has_tensors_of_their_own(
    reckoner: Reckoner, tmp_path: Path
) -> None:
    path = tmp_path / 'a.ckpt'
    path.write_bytes(safetensors(TENSORS))
    assert reckoner.digests(path).tensors == ''


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no such files')
@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir], ids=['pipe', 'folder'])
def test_what_is_no_file_holds_nobody_up(reckoner: Reckoner, tmp_path: Path, make: object) -> None:
    make(tmp_path / 'a.ckpt')  # type: ignore[operator]
    with pytest.raises(StorageError):
        reckoner.digests(tmp_path / 'a.ckpt')


def test_a_file_that_changes_meanwhile_has_no_hash(reckoner: Reckoner, tmp_path: Path) -> None:
    path = tmp_path / 'a.ckpt'
    path.write_bytes(bytes(3 * BLOCK_BYTES))

    def grow(count: int) -> None:
        with path.open('ab') as file:
            file.write(b'more')

    with pytest.raises(StorageError, match='written to while it was read'):
        reckoner.digests(path, grow)


def test_it_ends_in_the_midst_of_a_file_once_stopped(
    reckoner: Reckoner, stop: threading.Event, tmp_path: Path
) -> None:
    path, blocks = tmp_path / 'a.ckpt', list[int]()
    path.write_bytes(bytes(5 * BLOCK_BYTES))

    def heard(count: int) -> None:
        blocks.append(count)
        stop.set()

    with pytest.raises(CancelledError):
        reckoner.digests(path, heard)
    assert len(blocks) == 1
