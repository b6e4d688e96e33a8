"""Answers in Civitai's manner: JSON with an ETag, error bodies, files with ranges."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Mapping

from starlette.requests import Request
from starlette.responses import Response

from .accounts import Account, account_of
from .gate import SCENARIO_KEY

PUBLIC_CACHE = 'public, s-maxage=300, stale-while-revalidate=150'
PRIVATE_CACHE = 'max-age=0, private, no-cache'
DOWNLOAD_CACHE = 'no-store, max-age=0'


class ApiError(Exception):
    """An error answer: its status and its JSON body."""

    def __init__(self, status: int, body: object) -> None:
        """`status` and the `body` to send."""
        super().__init__(f'{status} {body}')
        self.status = status
        self.body = body


def account(request: Request) -> Account | None:
    """Whose key the request carries."""
    return account_of(request.headers, request.url.query)


def signed_in(request: Request) -> bool:
    """Whether the request carries the key of somebody."""
    return account(request) is not None


def scenario_of(request: Request) -> str:
    """The scenario that spoils this request, '' if none does."""
    return str(request.scope.get(SCENARIO_KEY, ''))


def base_url(request: Request) -> str:
    """`http://host:port` as the caller wrote it, so that one server serves every host name."""
    return f'{request.url.scheme}://{request.headers.get("host", "localhost")}'


def mixed_cache(request: Request) -> str:
    """Cache-Control of routes that know their visitor: shared only for anonymous ones."""
    return PRIVATE_CACHE if signed_in(request) else PUBLIC_CACHE


def json_reply(
    request: Request, body: object, cache: str = PUBLIC_CACHE, status: int = 200
) -> Response:
    """`body` as JSON with an ETag; 304 without a body when the caller has it already."""
    data = json.dumps(body, ensure_ascii=False, separators=(',', ':')).encode()
    headers = {'Cache-Control': cache, 'Access-Control-Allow-Origin': '*'}
    if status == 200:
        headers['ETag'] = etag_of(data)
        if _known(request, headers['ETag']):
            return Response(status_code=304, headers=headers)
    return Response(data, status, headers, 'application/json; charset=utf-8')


def etag_of(data: bytes) -> str:
    """A strong ETag of some bytes."""
    return f'"{hashlib.sha1(data).hexdigest()[:27]}"'


def _known(request: Request, etag: str) -> bool:
    sent = request.headers.get('if-none-match', '')
    return sent.strip() == '*' or etag in [
        tag.strip().removeprefix('W/') for tag in sent.split(',')
    ]


def file_reply(
    request: Request, data: bytes, media_type: str, headers: Mapping[str, str], tag: str = ''
) -> Response:
    """`data` with ETag (`tag`, or one of its own) and one byte range (206; 416 if outside)."""
    etag = tag or etag_of(data)
    common = {'ETag': etag, 'Accept-Ranges': 'bytes', **headers}
    if _known(request, etag):
        return Response(status_code=304, headers=common)
    wanted = request.headers.get('range', '')
    if request.headers.get('if-range', etag) != etag:
        wanted = ''
    found = re.fullmatch(r'bytes=(\d*)-(\d*)', wanted.strip())
    if not found or found.groups() == ('', ''):
        return Response(data, 200, common, media_type)
    start, end = byte_range(found[1], found[2], len(data))
    if start >= end:
        outside = {**common, 'Content-Range': f'bytes */{len(data)}'}
        return Response(status_code=416, headers=outside)
    common['Content-Range'] = f'bytes {start}-{end - 1}/{len(data)}'
    return Response(data[start:end], 206, common, media_type)


def byte_range(first: str, last: str, size: int) -> tuple[int, int]:
    """Start and end (exclusive) of `first-last` in `size` bytes; `-n` means the last n."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
