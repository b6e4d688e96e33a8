"""The answers that some scenarios give instead of the real ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Mapping

from .scenarios import DOWNLOAD, part_of

_NO_STORE = {'Cache-Control': 'no-store'}
_DOWNLOAD = {'Cache-Control': 'no-store, max-age=0'}
LOGIN_NEEDED = 'The creator of this asset requires you to be logged in to download it'
DISABLED = 'The creator of this asset has disabled downloads on this file'
EARLY_ACCESS = 'This asset is in Early Access. You can use Buzz access it now!'
ARCHIVED = 'Model archived, not available for download'


@dataclass(frozen=True)
class CannedReply:
    """An answer given instead of the real one."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def canned_reply(name: str, path: str) -> CannedReply | None:
    """The answer of scenario `name`, or None where the real answer follows in some form."""
    if name == 'taken-down' and part_of(path) == DOWNLOAD:
        return _json(404, _DOWNLOAD, {'error': 'File not found'})
    if name in ('key-needed', 'key-refused'):
        body = {'error': 'Unauthorized'}
        if part_of(path) == DOWNLOAD:
            body['message'] = LOGIN_NEEDED
        return _json(401, _DOWNLOAD, body)
    return _REPLIES.get(name)


def _json(status: int, headers: Mapping[str, str], body: object) -> CannedReply:
    content = json.dumps(body).encode()
    return CannedReply(
        status, {'Content-Type': 'application/json; charset=utf-8', **headers}, content
    )


def _zod_error() -> dict[str, object]:
    """The complaint about a base model that Civitai no longer knows."""
    values = ['SDXL 1.0', 'Other']
    issue = {
        'code': 'invalid_value',
        'values': values,
        'path': ['baseModels', 0],
        'message': 'Invalid option: expected one of "SDXL 1.0"|"Other"',
    }
    return {'error': {'name': 'ZodError', 'message': json.dumps([issue], indent=2)}}


_REPLIES: Mapping[str, CannedReply] = {
    '503': _json(
        503, {**_NO_STORE, 'Retry-After': '2'}, {'error': 'Server busy, please retry shortly.'}
    ),
    '429': _json(
        429,
        {**_NO_STORE, 'Retry-After': '2'},
        {'error': 'Rate limit exceeded, please retry shortly.'},
    ),
    '429-no-retry-after': _json(
        429, _NO_STORE, {'error': 'You\'ve requested too many pages, please use cursors instead'}
    ),
    '451': _json(
        451,
        _NO_STORE,
        {
            'error': 'Access to this service is not available in your region due to legal '
            'restrictions.',
            'code': 'REGION_BLOCKED',
        },
    ),
    'html': CannedReply(
        200,
        {'Content-Type': 'text/html; charset=utf-8', **_NO_STORE},
        b'<!DOCTYPE html>\n<title>Just a moment...</title>\n<h1>Checking your browser</h1>\n',
    ),
    'cdn-404': CannedReply(404, {'Content-Type': 'text/plain; charset=utf-8'}, b'Not Found'),
    '400': _json(
        400,
        {'Cache-Control': 'public, s-maxage=300, stale-while-revalidate=150'},
        _zod_error(),
    ),
    '401-disabled': _json(
        401,
        _DOWNLOAD,
        {
            'error': 'Unauthorized',
            'message': DISABLED,
        },
    ),
    '403-early-access': _json(
        403,
        _DOWNLOAD,
        {
            'error': 'Early Access',
            'deadline': '2025-12-04T12:00:00.000Z',
            'message': EARLY_ACCESS,
        },
    ),
    '403-no-access': _json(
        403, _DOWNLOAD, {'error': 'You do not have access to download this file'}
    ),
    'expired-signature': CannedReply(
        403,
        {'Content-Type': 'application/xml'},
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
    ),
    '410': _json(410, _DOWNLOAD, {'error': ARCHIVED}),
}
