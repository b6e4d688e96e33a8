"""Small files of each kind that tells where it ends, built byte by byte."""

from __future__ import annotations

import io
import json
import zipfile

from tests.support.network import png


def box(name: bytes, data: bytes = b'') -> bytes:
    """A box of the MP4 family."""
    return (8 + len(data)).to_bytes(4, 'big') + name + data


def long_box(name: bytes, data: bytes) -> bytes:
    """The same with its length in 64 bits."""
    return (1).to_bytes(4, 'big') + name + (16 + len(data)).to_bytes(8, 'big') + data


def open_box(name: bytes, data: bytes) -> bytes:
    """A last box, which goes on to the end of the file, wherever that is."""
    return bytes(4) + name + data


def ftyp(brand: bytes) -> bytes:
    return box(b'ftyp', brand + bytes(4) + brand)


def ebml(identity: bytes, data: bytes, told: int | None = None) -> bytes:
    """An element of WebM with an eight-byte length; -1 is 'unknown'."""
    length = len(data) if told is None else told
    return identity + (((1 << 56) - 1 & length) | 1 << 56).to_bytes(8, 'big') + data


def riff(form: bytes, data: bytes) -> bytes:
    return b'RIFF' + (4 + len(data)).to_bytes(4, 'little') + form + data


def bitmap(data: bytes) -> bytes:
    return b'BM' + (54 + len(data)).to_bytes(4, 'little') + bytes(4) + b'\x36' + bytes(43) + data


def weights(data: bytes, padding: int = 0) -> bytes:
    """A safetensors file of two tensors; its metadata try to look like a third."""
    half = len(data) // 2
    header = {
        '__metadata__': {'note': '"data_offsets":[0,999999]', 'data_offsets': '[0,999999]'},
        'b': {'dtype': 'U8', 'shape': [len(data) - half], 'data_offsets': [half, len(data)]},
        'a': {'dtype': 'U8', 'shape': [half], 'data_offsets': [0, half]},
    }
    text = json.dumps(header).encode() + b' ' * padding
    return len(text).to_bytes(8, 'little') + text + data


def archive(*members: tuple[str, bytes], comment: bytes = b'') -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as packed:
        for name, data in members:
            packed.writestr(name, data)
        packed.comment = comment
    return file.getvalue()


def jpeg(scan: bytes = b'scan' * 900, thumbnail: bytes = b'\xff\xd8small\xff\xd9') -> bytes:
    """A JPEG whose metadata hold a whole small one."""
    metadata = b'\xff\xe1' + (2 + len(thumbnail)).to_bytes(2, 'big') + thumbnail
    return b'\xff\xd8' + metadata + b'\xff\xda\0\x02' + scan + b'\xff\xd9'


# Without a byte of 0xff, by which one would look like a mark of another kind.
DATA = bytes(range(1, 251)) * 40
SEGMENT = b'\x18\x53\x80\x67'
EBML = ebml(b'\x1a\x45\xdf\xa3', b'\x42\x82\x84webm')

# Cut anywhere behind its first bytes, such a file is known to be cut.
TELLING = {
    'png': png(9000),
    'jpeg': jpeg(),
    'webp': riff(b'WEBP', b'VP8 ' + DATA),
    'wav': riff(b'WAVE', DATA),
    'bmp': bitmap(DATA),
    'mp4, index first': ftyp(b'isom') + box(b'moov', b'index' * 40) + box(b'mdat', DATA),
    'mp4, 64-bit length': ftyp(b'mp42') + box(b'moov') + long_box(b'mdat', DATA),
    'mov': ftyp(b'qt  ') + box(b'wide') + box(b'moov') + box(b'mdat', DATA),
    'mov of old': box(b'moov', b'index') + box(b'mdat', DATA),
    'avif': ftyp(b'avif') + box(b'meta', b'items' * 30) + box(b'mdat', DATA),
    'heic': ftyp(b'heic') + box(b'meta', b'items' * 30) + box(b'mdat', DATA),
    'webm': EBML + ebml(SEGMENT, DATA),
    'webm, short length': EBML + SEGMENT + b'\x67\x10' + bytes(0x2710),
    'safetensors': weights(DATA),
    'safetensors, long header': weights(DATA, padding=2_000_000),
}
# These say where they end, but cut they may look like one that says nothing.
PROVING = {
    'mp4, index last': ftyp(b'isom') + box(b'mdat', DATA) + box(b'moov', b'index' * 40),
    'mp4 in fragments': ftyp(b'iso5')
    + box(b'moov')
    + (box(b'moof', b'a') + box(b'mdat', DATA)) * 2
    + box(b'mfra', b'a'),
    'zip': archive(('a/data.pkl', DATA), ('inner.zip', archive(('b', DATA)))),
    'zip with a comment': archive(('a', DATA), comment=b'PK\5\6 by me'),
}
SILENT = {
    'gguf': b'GGUF\3\0\0\0' + DATA,
    'pickle': b'\x80\x02}q\x00' + DATA + b'.',
    'webm without a length': EBML + ebml(SEGMENT, DATA, told=-1),
    'mp4 to the end': ftyp(b'isom') + box(b'moov') + open_box(b'mdat', DATA),
    'mp4 in fragments without an index': ftyp(b'iso5')
    + box(b'moov')
    + (box(b'moof', b'a') + box(b'mdat', DATA)) * 2,
    'bmp without a length': b'BM' + bytes(8) + DATA,
    'text': b'model:\n  target: x\n' * 300,
    'anything': DATA,
}
