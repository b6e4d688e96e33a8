"""Model files, told from their bytes: what is none, and what says that it is not whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

from . import files, media

# So many first bytes tell a text from a model.
HEAD_BYTES = media.HEAD_BYTES
# What the safetensors library takes for a header at the most, and what of it is read here; those of
# real models have some megabytes at the most, and what these unfold to has to fit into memory.
MAX_HEADER_BYTES = 100_000_000
MAX_HEADER_VALUES = 4_000_000

MODEL_SUFFIXES = frozenset('.safetensors .sft .ckpt .pt .pth .bin .gguf .pkl .onnx'.split())
# Files of a model that are texts themselves: configurations, workflows, lists of words.
TEXT_SUFFIXES = frozenset('.json .yaml .yml .txt .md .csv .py .toml .ini'.split())
_MAGIC = {'.gguf': b'GGUF', '.zip': b'PK'}
_BYTE_ORDER_MARK = b'\xef\xbb\xbf'
# What no text has: control characters other than white space.
_NO_TEXT = bytes(set(range(32)) - set(b'\t\n\r\x0c\x1b')) + b'\x7f'


def is_foreign(head: bytes, name: str) -> bool:
    """Tell whether a file called `name` cannot begin with `head`: a page or message has come.

    The login page of a site, an error in XML or JSON, or a plain sentence, under whatever status.
    """
    if is_message(head, name):
        return True
    return not _is_text_by_name(name) and bool(head.strip()) and _is_text(head)


def is_message(head: bytes, name: str) -> bool:
    """The same, for a web page, XML or JSON alone."""
    if media.is_html(head) or media.is_error_json(head):
        return True
    start = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if _is_text_by_name(name):
        return start.startswith((b'<?xml', b'<Error'))
    return start.startswith((b'<', b'{', b'[')) and _is_text(head)


def _is_text_by_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in TEXT_SUFFIXES


def _is_text(head: bytes) -> bool:
    if head.translate(None, _NO_TEXT) != head:
        return False
    try:
        head.decode('utf-8')
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # the last letter may be cut off
    return True


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

    Eight bytes say how long the header is, which is JSON and tells where each tensor lies; the last
    one ends where the file does. Nothing of the header is believed.
    """
    length = int.from_bytes(file.read(8), 'little')
    if size < 10 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        return None
    header = file.read(length)
    if sum(map(header.count, (b',', b'[', b'{'))) > MAX_HEADER_VALUES:
        return None
    try:
        told = json.loads(header)
    except (ValueError, RecursionError):
        return None
    begin = 8 + length
    return begin if isinstance(told, dict) and _last_end(told) == size - begin else None


def _last_end(header: dict[str, object]) -> int:
    """Where the last tensor ends, -1 if the header does not say so."""
    last = 0
    for name, tensor in header.items():
        if name == '__metadata__':
            continue
        place = tensor.get('data_offsets') if isinstance(tensor, dict) else None
        if not isinstance(place, list) or len(place) != 2:
            return -1
        start, end = place
        if type(start) is not int or type(end) is not int or not 0 <= start <= end:
            return -1
        last = max(last, end)
    return last
