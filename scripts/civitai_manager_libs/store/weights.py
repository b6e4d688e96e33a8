"""Model files, told from their bytes: what is none, and what says that it is not whole."""

from __future__ import annotations

import codecs
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from . import files, media

# So many first bytes tell a text from a model.
HEAD_BYTES = media.HEAD_BYTES
# What the safetensors library takes for a header at the most, and what of it is read here; those of
# real models have some megabytes at the most, and what these unfold to has to fit into memory.
MAX_HEADER_BYTES = 100_000_000
MAX_HEADER_VALUES = 4_000_000

# How many bits a number of each type takes, by the safetensors library. The format gains types; of
# one that is not known here, the shape is not compared with the length.
_BITS = {
    **dict.fromkeys('F64 I64 U64 C64'.split(), 64),
    **dict.fromkeys('F32 I32 U32'.split(), 32),
    **dict.fromkeys('F16 BF16 I16 U16'.split(), 16),
    **dict.fromkeys('BOOL I8 U8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E5M2FNUZ F8_E4M3FNUZ'.split(), 8),
    **dict.fromkeys('F6_E2M3 F6_E3M2'.split(), 6),
    'F4': 4,
}
_TOO_MANY = 2**64

MODEL_SUFFIXES = frozenset('.safetensors .sft .ckpt .pt .pth .bin .gguf .pkl .onnx'.split())
# Files of a model that are texts themselves: configurations, workflows, lists of words.
TEXT_SUFFIXES = frozenset('.json .yaml .yml .txt .md .csv .py .toml .ini'.split())
_MAGIC = {'.gguf': b'GGUF', '.zip': b'PK'}
# The longer marks come first, as one of the others begins alike.
_MARKS = {
    codecs.BOM_UTF32_LE: 'utf-32-le',
    codecs.BOM_UTF32_BE: 'utf-32-be',
    codecs.BOM_UTF16_LE: 'utf-16-le',
    codecs.BOM_UTF16_BE: 'utf-16-be',
    codecs.BOM_UTF8: 'utf-8',
}
# What no text has: control characters other than white space.
_NO_TEXT = bytes(set(range(32)) - set(b'\t\n\r\x0c\x1b')) + b'\x7f'


def is_foreign(head: bytes, name: str) -> bool:
    """Tell whether a file called `name` cannot begin with `head`: a page or message has come.

    The login page of a site, an error in XML or JSON, or a plain sentence, under whatever status.
    """
    if is_message(head, name):
        return True
    return not _is_text_by_name(name) and bool(head) and _is_text(_plain(head))


def is_message(head: bytes, name: str) -> bool:
    """The same, for a web page, XML or JSON alone; before a page there may be much space."""
    head = _plain(head)
    if media.is_html(head) or media.is_error_json(head):
        return True
    start = head.lstrip()
    if not start:
        return len(head) >= HEAD_BYTES
    if _is_text_by_name(name):
        return start.startswith((b'<?xml', b'<Error'))
    return start.startswith((b'<', b'{', b'[')) and _is_text(head)


def is_message_type(content_type: str, name: str) -> bool:
    """The same, by the Content-Type of an answer: pages, XML, and JSON that is not asked for.

    What says nothing else is called text or bytes by many a server.
    """
    told = content_type.partition(';')[0].strip().lower()
    form = told.rpartition('/')[2].rpartition('+')[2]
    is_json_by_name = os.path.splitext(name)[1].lower() == '.json'
    return form in ('html', 'xml') or (form == 'json' and not is_json_by_name)


def _is_text_by_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in TEXT_SUFFIXES


def _plain(head: bytes) -> bytes:
    """A text in UTF-8 without its mark, whichever form of Unicode it came in; else `head`."""
    for mark, coding in _MARKS.items():
        if head.startswith(mark):
            rest = head[len(mark) :]
            with suppress(UnicodeDecodeError):  # the last letter may be cut off
                return codecs.getincrementaldecoder(coding)().decode(rest).encode('utf-8')
    for letters, zeros in ((head[::2], head[1::2]), (head[1::2], head[::2])):
        if zeros and not zeros.strip(b'\0') and _is_text(letters):
            return letters
    return head


def _is_text(head: bytes) -> bool:
    """Whether it can be read as text, in whatever coding: it has nothing that no text has."""
    return head.translate(None, _NO_TEXT) == head


def is_broken(path: Path, name: str) -> bool:
    """Tell whether the file at `path`, to be called `name`, cannot be what its name says.

    Of a safetensors file the header is read, of some others the first bytes. Raises OSError.
    """
    suffix = os.path.splitext(name)[1].lower()
    with files.opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if suffix in ('.safetensors', '.sft'):
            return tensor_bytes(file, size) is None
        return not file.read(4).startswith(_MAGIC.get(suffix, b''))


def tensor_bytes(file: BinaryIO, size: int) -> int | None:
    """Return where the tensors of a safetensors file of `size` bytes begin, None if it is none.

    Eight bytes say how long the header is, which is JSON and tells where each tensor lies. As for
    the safetensors library, they fill the file up one after another, without gaps, and each is as
    long as its shape and type say. Nothing of the header is believed.
    """
    length = int.from_bytes(file.read(8), 'little')
    if size < 10 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        return None
    header = file.read(length)
    if not header.startswith(b'{') or _values_in(header) > MAX_HEADER_VALUES:
        return None
    try:
        told = json.loads(header.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    begin = 8 + length
    return begin if _is_filled(told, size - begin) else None


def _values_in(header: bytes) -> int:
    """About how many values there are in some JSON."""
    return sum(map(header.count, (b',', b'[', b'{')))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these pairs. Raises ValueError if it has a name twice: who reads which one?"""
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError
    return told


def _no_number(name: str) -> float:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)


def _is_filled(header: dict[str, object], size: int) -> bool:
    """Tell whether the tensors of a header fill `size` bytes, each of them once."""
    metadata = header.pop('__metadata__', None)
    if metadata is not None and not _is_of_texts(metadata):
        return False
    places = [_place(tensor) for tensor in header.values()]
    at = 0
    for start, end in sorted(places):
        if start != at:
            return False
        at = end
    return at == size


def _is_of_texts(metadata: object) -> bool:
    return isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())


_NOWHERE = (-1, -1)


def _place(tensor: object) -> tuple[int, int]:
    """Where a tensor begins and ends, -1 if what is told of it does not fit together."""
    told = tensor if isinstance(tensor, dict) else {}
    offsets, kind = _whole(told.get('data_offsets')), told.get('dtype')
    count = _count_in(_whole(told.get('shape')))
    if len(offsets) != 2 or count is None or not isinstance(kind, str):
        return _NOWHERE
    start, end = offsets
    bits = _BITS.get(kind)
    fits = start <= end if bits is None else count * bits == (end - start) * 8
    return (start, end) if fits else _NOWHERE


def _whole(numbers: object) -> list[int]:
    """A list of numbers that a computer counts to, [-1] if it is none."""
    if not isinstance(numbers, list):
        return [-1]
    return numbers if all(type(n) is int and 0 <= n < _TOO_MANY for n in numbers) else [-1]


def _count_in(shape: list[int]) -> int | None:
    """How many numbers a tensor of this shape has, None if there is none such."""
    count = 1
    for length in shape:
        count *= length
        if not 0 <= count < _TOO_MANY:
            return None
    return count
