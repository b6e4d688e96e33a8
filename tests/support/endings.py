"""Small files of each kind that tells where it ends, built byte by byte."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

from PIL import Image

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


def archive_64(data: bytes) -> bytes:
    """The same with its numbers in 64 bits."""
    whole = archive(('a', data))
    body, end = whole[:-22], whole[-22:]
    length, offset = struct.unpack('<II', end[12:20])
    numbers = struct.pack('<QHHIIQQQQ', 44, 45, 45, 0, 0, 1, 1, length, offset)
    place = struct.pack('<4sIQI', b'PK\6\7', 0, len(body), 1)
    return body + b'PK\6\6' + numbers + place + end[:12] + b'\xff' * 8 + end[20:]


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(data).to_bytes(4, 'big') + name + data + zlib.crc32(name + data).to_bytes(4, 'big')


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks before its picture."""
    whole = png(5000)
    at = whole.index(b'IDAT') - 4
    return whole[:at] + b''.join(chunks) + whole[at:]


def gif(*data: bytes, colours: int = 4) -> bytes:
    """A GIF with a picture of these blocks, in a row each, and a comment that ends like a GIF."""
    rows = b''.join(bytes([len(block)]) + block for block in data) + b'\0'
    flags = 0x80 | (colours.bit_length() - 2)
    comment = b'\x21\xfe\x09abcdefgh;\0'
    table = b'rgb' * colours
    picture = b'\x2c' + bytes(8) + bytes([flags]) + table + b'\2' + rows
    return b'GIF89a\1\0\1\0' + bytes([flags]) + b'\0\0' + table + comment + picture + b';'


def gguf_text(value: str) -> bytes:
    return len(value).to_bytes(8, 'little') + value.encode()


def gguf(data: bytes, *, version: int = 3, kind: int = 8, alignment: int = 0) -> bytes:
    """A GGUF file: values of several types, and two tensors, the last of them listed first.

    `kind` is the type of the tensors, 8 is Q8_0: 32 numbers in 34 bytes. `alignment` 0 is that of
    the format, 32.
    """
    each = len(data) // 2 // 34 * 34
    words = b''.join(map(gguf_text, ('a', 'GGUF', 'word' * 50)))
    values = [
        gguf_text('general.architecture') + struct.pack('<I', 8) + gguf_text('flux'),
        gguf_text('a.list') + struct.pack('<IIQ', 9, 8, 3) + words,
        gguf_text('a.numbers') + struct.pack('<IIQ', 9, 5, 50) + bytes(200),
        gguf_text('a.truth') + struct.pack('<I?', 7, True),
        gguf_text('a.number') + struct.pack('<Id', 12, 0.5),
    ]
    if alignment:
        values.append(gguf_text('general.alignment') + struct.pack('<II', 4, alignment))
    step = alignment or 32
    second = -(-each // step) * step
    tensors = b''.join(
        gguf_text(name) + struct.pack('<IQQIQ', 2, 32, each // 34, kind, offset)
        for name, offset in (('b', second), ('a', 0))
    )
    header = b'GGUF' + struct.pack('<IQQ', version, 2, len(values)) + b''.join(values) + tensors
    begin = -(-len(header) // step) * step
    first = data[:each].ljust(second, b'\0')
    return header.ljust(begin, b'\0') + first + data[each : 2 * each]


def spelled(text: str, data: bytes) -> bytes:
    """A safetensors file whose header is `text`."""
    return len(text).to_bytes(8, 'little') + text.encode() + data


def jpeg(scan: bytes = b'scan' * 900, thumbnail: bytes = b'\xff\xd8small\xff\xd9') -> bytes:
    """A JPEG whose metadata hold a whole small one."""
    metadata = b'\xff\xe1' + (2 + len(thumbnail)).to_bytes(2, 'big') + thumbnail
    return b'\xff\xd8' + metadata + b'\xff\xda\0\x02' + scan + b'\xff\xd9'


# Without a byte of 0xff, by which one would look like a mark of another kind.
DATA = bytes(range(1, 251)) * 40
SEGMENT = b'\x18\x53\x80\x67'
EBML = ebml(b'\x1a\x45\xdf\xa3', b'\x42\x82\x84webm')
CLUSTER = b'\x1f\x43\xb6\x75'
TENSOR = {'dtype': 'U8', 'shape': [len(DATA)], 'data_offsets': [0, len(DATA)]}

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
    'safetensors, wide': spelled(json.dumps({'a': TENSOR}, indent=40), DATA),
    'safetensors, escaped': spelled(
        json.dumps({'a': TENSOR}).replace('data_offsets', r'\u0064ata\u005foffsets'), DATA
    ),
}
# These say where they end, but cut they may look like one that says nothing.
PROVING = {
    'mp4, index last': ftyp(b'isom') + box(b'mdat', DATA) + box(b'moov', b'index' * 40),
    'mp4 in fragments': ftyp(b'iso5')
    + box(b'moov')
    + (box(b'moof', b'a') + box(b'mdat', DATA)) * 2
    + box(b'mfra', b'a'),
    'avif, index last': ftyp(b'avif') + box(b'mdat', DATA) + box(b'meta', b'i' * 40),
    'zip': archive(('a/data.pkl', DATA), ('inner.zip', archive(('b', DATA)))),
    'zip of 64 bits': archive_64(archive_64(DATA)),
    'zip with a comment': archive(('a', DATA), comment=b'PK\5\6 by me'),
}
# Each of these holds bytes that look like its own end, and is found to be cut by a walk through it.
WALKED = {
    **{
        f'png in {name.decode()}': png_with(chunk(name, b'x\0' + png(700)))
        for name in (b'tEXt', b'iTXt', b'caBX', b'eXIf')
    },
    'png, chunk that ends like it': png_with(chunk(b'zTXt', chunk(b'IEND', b''))),
    'gif': gif(b'abcdefgh;' * 20, b';' * 255, b';' * 9),
    'gif of many colours': gif(b';' * 70, colours=256),
    'jpeg': jpeg(),
    'jpeg, two scans': jpeg(b'scan' * 99 + b'\xff\0\xff\xd1s' + jpeg()[2:-2]),
    'jpeg, thumbnail behind a scan': jpeg(b's' * 99 + b'\xff\xec\0\x0fx' + jpeg(b'', b'')),
    'gguf': gguf(DATA),
    'gguf of old': gguf(DATA, version=2),
    'gguf, aligned': gguf(DATA, alignment=256),
}
# Such a film may end behind any of its parts, but not inside one.
LIVE = {
    'webm, clusters': EBML
    + ebml(SEGMENT, ebml(CLUSTER, DATA[:3000]) + ebml(CLUSTER, DATA[:4000]), told=-1),
    'webm, open clusters': EBML
    + ebml(
        SEGMENT,
        (ebml(CLUSTER, ebml(b'\xe7', b'1') + ebml(b'\xa3', DATA[:3000]), told=-1)) * 2,
        told=-1,
    ),
}
SILENT = {
    'gguf': b'GGUF\3\0\0\0' + DATA,
    'gguf of a tensor not known': gguf(DATA, kind=99),
    'gguf of a version not known': gguf(DATA, version=9),
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


def real(kind: str, **options: bool) -> bytes:
    """A picture of this kind that a program wrote."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert('RGB').save(file, kind, **options)
    return file.getvalue()


def cuts(data: bytes) -> range:
    """Where to cut: behind the first bytes, about two hundred places, the last one among them."""
    step = max(1, (len(data) - 64) // 200)
    return range(len(data) - 1, 64, -step)
