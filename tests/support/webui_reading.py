"""What a WebUI finds in a text and in a picture: its rules of reading, in our words."""

from __future__ import annotations

import json
import re
import struct
import zlib


def webui_reads(text: str) -> dict[str, str]:
    """What the WebUI finds in a pasted text."""
    lines = text.strip().split('\n')
    pair = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
    last_line = pair.findall(lines[-1])
    if len(last_line) < 3:
        last_line = []
    else:
        lines.pop()
    prompts: dict[str, list[str]] = {'Prompt': [], 'Negative prompt': []}
    current = 'Prompt'
    for line in map(str.strip, lines):
        if line.startswith('Negative prompt:'):
            current = 'Negative prompt'
            line = line[len('Negative prompt:') :].strip()
        if line or prompts[current]:
            prompts[current].append(line)
    found = {}
    for name, value in last_line:
        assert value, f'the WebUI stumbles over the empty value of {name}'
        quoted = value[0] == value[-1] == '"'
        found[name] = json.loads(value) if quoted else value
    return {**found, **{name: '\n'.join(part) for name, part in prompts.items()}}


def infotext_in(data: bytes) -> str:
    """The text that a WebUI shows for a picture, read from its bytes by nothing of ours.

    A user comment in Exif, if there is one, hides the chunk of a PNG.
    """
    if data.startswith(b'\x89PNG\r\n\x1a\n'):
        texts, block = _in_png(data)
        return (_comment(block) if block else '') or texts.get('parameters', '')
    if data.startswith(b'\xff\xd8'):
        return _comment(_in_jpeg(data))
    assert data[:4] == b'RIFF' and data[8:12] == b'WEBP'
    return _comment(_in_webp(data))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of a PNG's chunks; every check sum must be right."""
    chunks, at = [], 8
    while not chunks or chunks[-1][0] != b'IEND':
        length, name = struct.unpack_from('>I4s', data, at)
        body = data[at + 8 : at + 8 + length]
        (told,) = struct.unpack_from('>I', data, at + 8 + length)
        assert told == zlib.crc32(name + body), name
        chunks.append((name, body))
        at += 12 + length
    return chunks


def _in_png(data: bytes) -> tuple[dict[str, str], bytes]:
    """The texts before the picture, and the Exif block."""
    texts, block = {}, b''
    for name, body in png_chunks(data):
        key, _, rest = body.partition(b'\0')
        if name == b'IDAT':
            break
        if name == b'tEXt':
            texts[key.decode('latin-1')] = rest.decode('latin-1')
        elif name == b'iTXt':
            assert rest[:2] == b'\0\0'
            texts[key.decode('latin-1')] = rest[2:].split(b'\0', 2)[2].decode()
        elif name == b'eXIf':
            block = body
    return texts, block


def _in_jpeg(data: bytes) -> bytes:
    at, blocks = 2, []
    while data[at + 1] != 0xDA:
        assert data[at] == 0xFF
        (length,) = struct.unpack_from('>H', data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if data[at + 1] == 0xE1 and body.startswith(b'Exif\0\0'):
            blocks.append(body)
        at += 2 + length
    return blocks[0] if blocks else b''


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of a WebP's chunks; every length must be right."""
    (told,) = struct.unpack_from('<I', data, 4)
    assert not told % 2 and 8 + told <= len(data)
    chunks, at = [], 12
    while at < 8 + told:
        name, length = struct.unpack_from('<4sI', data, at)
        chunks.append((name, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    assert at == 8 + told
    return chunks


def _in_webp(data: bytes) -> bytes:
    chunks = webp_chunks(data)
    # without the flag in an extended head, metadata are passed over
    if chunks[0][0] != b'VP8X' or not chunks[0][1][0] & 8:
        return b''
    return next((body for name, body in chunks if name == b'EXIF'), b'')


def directory(block: bytes, at: int) -> dict[int, tuple[int, int, bytes]]:
    """Type, count and value or offset of each tag of a directory of an Exif block."""
    order = '<' if block[:2] == b'II' else '>'
    (count,) = struct.unpack_from(order + 'H', block, at)
    rows = [struct.unpack_from(order + 'HHI4s', block, at + 2 + 12 * i) for i in range(count)]
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    return {tag: (kind, number, value) for tag, kind, number, value in rows}


def _comment(block: bytes) -> str:
    """The user comment of an Exif block, which has the higher byte first."""
    block = block.removeprefix(b'Exif\0\0')
    if not block:
        return ''
    order = '<' if block[:2] == b'II' else '>'
    first = directory(block, struct.unpack_from(order + 'I', block, 4)[0])
    if 0x8769 not in first:
        return ''
    second = directory(block, struct.unpack(order + 'I', first[0x8769][2])[0])
    if 0x9286 not in second:
        return ''
    _, count, value = second[0x9286]
    (at,) = struct.unpack(order + 'I', value)
    comment = block[at : at + count]
    assert len(comment) == count
    codes = {b'UNICODE\0': 'utf-16-be', b'ASCII\0\0\0': 'ascii', bytes(8): 'utf-8'}
    return comment[8:].decode(codes[comment[:8]])
