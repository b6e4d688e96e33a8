"""Answers that give a file of the picture cache, whole or the part that was asked for.

A browser plays a video only from who answers for a part of it, which the web frameworks of older
hosts do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping

from starlette.responses import Response, StreamingResponse

from .. import setting
from ..store import cache, files

_AT_ONCE = 256 * 1024
_RANGE = re.compile(r'bytes=([0-9]{0,18})-([0-9]{0,18})')


@dataclass(frozen=True)
class Span:
    """The bytes `start` to `end`, without that, of `size`."""

    start: int
    end: int
    size: int


def answer(
    name: str, kinds: tuple[str, ...], headers: Mapping[str, str], asked: str = ''
) -> Response | None:
    """Return the answer with the file of that name in the picture cache; it is looked at now.

    None if it is there as none of `kinds` ('image', 'video'), which its bytes tell. asked: the
    header `Range` of the request (RFC 9110, 14.2); what is no single range of bytes is ignored.
    """
    path = Path(setting.shortcut_gallery_folder) / name
    if not cache.is_picture(name) or not cache.serves(path, path.parent):
        return None
    kind = files.media_type(path)
    if kind is None or kind.kind not in kinds:
        return None
    try:
        with files.opened(path) as file:
            size = file.seek(0, 2)
            span = span_of(asked, size)
            if span is None:
                told = {**headers, 'content-range': f'bytes */{size}'}
                return Response(status_code=416, headers=told)
            length = span.end - span.start
            told = {**headers, 'accept-ranges': 'bytes', 'content-length': str(length)}
            if length < size:
                told['content-range'] = f'bytes {span.start}-{span.end - 1}/{size}'
            status = 206 if length < size else 200
            if length <= 4 * _AT_ONCE:
                file.seek(span.start)
                content = file.read(length)
                if len(content) < length:  # it was cut meanwhile
                    return None
                return Response(content, status, told, kind.mime)
    except OSError:
        return None
    return StreamingResponse(_parts(path, span), status, told, kind.mime)


def span_of(asked: str, size: int) -> Span | None:
    """Return which bytes of `size` are asked for, None if there are no such."""
    found = _RANGE.fullmatch(asked.strip())
    first, last = found.groups() if found else ('', '')
    if not (first or last):
        return Span(0, size, size)
    if not first:  # so many of the last ones
        return Span(max(0, size - int(last)), size, size) if int(last) and size else None
    if last and int(last) < int(first):
        return Span(0, size, size)
    if int(first) >= size:
        return None
    return Span(int(first), min(int(last) + 1, size) if last else size, size)


def _parts(path: Path, span: Span) -> Iterator[bytes]:
    with files.opened(path) as file:
        file.seek(span.start)
        left = span.end - span.start
        while left and (some := file.read(min(_AT_ONCE, left))):
            left -= len(some)
            yield some
