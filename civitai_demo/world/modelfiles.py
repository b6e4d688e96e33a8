"""Small model files in the safetensors layout, the same bytes every time, and their hashes."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Mapping


@dataclass(frozen=True)
class ModelFile:
    """One downloadable file of a model version; the content is made from the file's id."""

    id: int
    name: str
    title: str
    tensor_bytes: int
    kind: str = 'Model'
    size: str = 'pruned'
    precision: str = 'fp16'
    primary: bool = True

    @property
    def content(self) -> bytes:
        """Every byte of the file."""
        return _safetensors(self.id, self.title, self.tensor_bytes)

    @property
    def hashes(self) -> Mapping[str, str]:
        """Upper-case hexadecimal hashes under the names Civitai gives them."""
        return _hashes(self)


@lru_cache(maxsize=64)
def _hashes(file: ModelFile) -> Mapping[str, str]:
    content = file.content
    header = 8 + int.from_bytes(content[:8], 'little')
    sha256 = hashlib.sha256(content).hexdigest().upper()
    return {
        'AutoV2': sha256[:10],
        'SHA256': sha256,
        'CRC32': f'{zlib.crc32(content):08X}',
        'AutoV3': hashlib.sha256(content[header:]).hexdigest()[:12].upper(),
    }


@lru_cache(maxsize=64)
def _safetensors(seed: int, title: str, tensor_bytes: int) -> bytes:
    """Eight bytes of header length (little endian), a JSON header, then the tensors."""
    columns = 64
    rows = [tensor_bytes // 2 // columns // 4] * 4
    header: dict[str, object] = {'__metadata__': {'format': 'pt', 'modelspec.title': title}}
    start = 0
    for index, count in enumerate(rows):
        end = start + count * columns * 2
        name = f'demo.blocks.{index}.weight'
        header[name] = {'dtype': 'F16', 'shape': [count, columns], 'data_offsets': [start, end]}
        start = end
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text + _half_floats(seed, start)


def _half_floats(seed: int, length: int) -> bytes:
    """`length` bytes of small finite 16-bit floats: never infinite, never not-a-number."""
    data = bytearray(random.Random(seed).randbytes(length))
    small = bytes((high & 0x80) | 0x20 | (high & 0x0F) for high in range(256))
    data[1::2] = data[1::2].translate(small)
    return bytes(data)
