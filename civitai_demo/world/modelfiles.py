"""Small model files, the same bytes every time, and the hashes the site lists for them."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Mapping

from .blake3 import blake3

# What the site's scanner says of a file. `NEW` also tells the names that came last.
NEW, OLD, WITHOUT_AUTOV3, WITHOUT_BLAKE3 = 'new', 'old', 'without AutoV3', 'without BLAKE3'
PENDING, UNREADABLE = 'pending', 'unreadable'

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ModelFile:
    """One downloadable file of a model version; the content is made from the file's id.

    `size`, `precision` and `quant` are '' where the uploader said nothing. `seed` makes the content
    instead of the id: two files with one seed and two titles differ in their headers only.
    """

    id: int
    name: str
    title: str
    tensor_bytes: int
    kind: str = 'Model'
    size: str = 'pruned'
    precision: str = 'fp16'
    quant: str = ''
    format: str = 'SafeTensor'
    scan: str = OLD
    seed: int = 0

    @property
    def content(self) -> bytes:
        """Every byte of the file."""
        return _content(self)

    @property
    def hashes(self) -> Mapping[str, str]:
        """Upper-case hexadecimal hashes under the names Civitai gives them."""
        return _listed(self)

    @property
    def metadata(self) -> dict[str, str]:
        """What the file is, in the words that downloads are asked for with."""
        facts = {'format': self.format, 'size': self.size, 'fp': self.precision}
        return {name: value for name, value in (*facts.items(), ('quantType', self.quant)) if value}

    @property
    def auto_v2(self) -> str:
        """The beginning of the SHA256, as the WebUI writes it."""
        return _sha256(self)[:10]

    @property
    def auto_v3(self) -> str:
        """The beginning of the SHA256 of all that follows the header."""
        return hashlib.sha256(self.content[_header_end(self.content) :]).hexdigest()[:12].upper()


@lru_cache(maxsize=128)
def _sha256(file: ModelFile) -> str:
    return hashlib.sha256(file.content).hexdigest().upper()


@lru_cache(maxsize=128)
def _listed(file: ModelFile) -> Mapping[str, str]:
    if file.scan == PENDING:
        return {}
    if file.scan == UNREADABLE:
        return {'AutoV2': '0' * 10, 'SHA256': '0' * 64}
    content, sha256 = file.content, _sha256(file)
    found = {'AutoV2': sha256[:10], 'SHA256': sha256, 'CRC32': f'{zlib.crc32(content):08X}'}
    if len(content) >= 2 * _MIB:  # the scanner does not reckon it for smaller ones
        part = content[_MIB : _MIB + 65_536]
        found = {'AutoV1': hashlib.sha256(part).hexdigest()[:8].upper(), **found}
    if file.scan != WITHOUT_BLAKE3:
        found['BLAKE3'] = blake3(content).upper()
    if file.format == 'SafeTensor' and file.scan != WITHOUT_AUTOV3:
        found['AutoV3'] = file.auto_v3
    if file.scan == NEW:
        found['SHA256_12'] = sha256[:12]
        if file.format == 'SafeTensor':
            found['SSHS_12'] = found['AutoV3']
    return found


@lru_cache(maxsize=128)
def _content(file: ModelFile) -> bytes:
    seed = file.seed or file.id
    if file.format == 'SafeTensor':
        return _safetensors(seed, file)
    if file.format == 'GGUF':
        return (
            b'GGUF' + (3).to_bytes(4, 'little') + bytes(16) + _half_floats(seed, file.tensor_bytes)
        )
    if file.format == 'PickleTensor':
        return _zipped({'archive/data.pkl': b'\x80\x02}q\x00.'}, seed, file.tensor_bytes)
    if file.kind == 'Config':
        return f'# {file.title}\nmodel:\n  target: ldm.models.diffusion\n'.encode()
    return _zipped({'readme.txt': file.title.encode()}, seed, file.tensor_bytes)


def _safetensors(seed: int, file: ModelFile) -> bytes:
    """Eight bytes of header length (little endian), a JSON header, then the tensors."""
    columns = 64
    rows = [file.tensor_bytes // 2 // columns // 4] * 4
    told = {'format': 'pt', 'modelspec.title': file.title}
    tensors = _half_floats(seed, 4 * rows[0] * columns * 2)
    if file.scan == NEW:
        told['sshs_model_hash'] = hashlib.sha256(tensors).hexdigest()
    header: dict[str, object] = {'__metadata__': told}
    start = 0
    for index, count in enumerate(rows):
        end = start + count * columns * 2
        name = f'demo.blocks.{index}.weight'
        header[name] = {'dtype': 'F16', 'shape': [count, columns], 'data_offsets': [start, end]}
        start = end
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text + tensors


def _header_end(content: bytes) -> int:
    """Where the tensors of a safetensors file begin."""
    return 8 + int.from_bytes(content[:8], 'little')


def _zipped(files: Mapping[str, bytes], seed: int, length: int) -> bytes:
    """An archive of `files` and of `length` bytes of data, without today's date in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, data in {**files, 'archive/data/0': _half_floats(seed, length)}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _half_floats(seed: int, length: int) -> bytes:
    """`length` bytes of small finite 16-bit floats: never infinite, never not-a-number."""
    data = bytearray(random.Random(seed).randbytes(length))
    small = bytes((high & 0x80) | 0x20 | (high & 0x0F) for high in range(256))
    data[1::2] = data[1::2].translate(small)
    return bytes(data)
