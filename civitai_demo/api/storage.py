"""The storage of model files: signed addresses, ranges, and nothing but GET."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import load_catalog
from ..world.modelfiles import ModelFile
from .replies import file_reply, scenario_of
from .scenarios import with_wrong_hash

LIFETIME = timedelta(days=1)
_STAMP = '%Y%m%dT%H%M%SZ'
# What the signature covers beside the path; not the ranges, so that parts may be asked for.
_SIGNED = ('X-Amz-Expires', 'response-content-disposition', 'X-Amz-Date', 'X-Amz-SignedHeaders')


def signed_url(request: Request, file: ModelFile) -> str:
    """An address for `file`, good for a day, on the host name the caller did not use."""
    host = 'localhost' if request.url.hostname == '127.0.0.1' else '127.0.0.1'
    port = request.scope['server'][1]
    path = f'/signed/model/{file.id}/{quote(file.name)}'
    now = datetime.now(timezone.utc)
    facts = {
        'X-Amz-Expires': str(int(LIFETIME.total_seconds())),
        'response-content-disposition': f'attachment; filename="{file.name}"',
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Date': now.strftime(_STAMP),
        'X-Amz-SignedHeaders': 'host',
    }
    facts['X-Amz-Signature'] = signature_of(path, facts)
    return f'{request.url.scheme}://{host}:{port}{path}?{urlencode(facts)}'


def signature_of(path: str, facts: dict[str, str]) -> str:
    """The signature of a GET request for `path` with these parameters."""
    covered = [facts.get(name, '') for name in _SIGNED]
    return hashlib.sha256('\n'.join(['demo GET', path, *covered]).encode()).hexdigest()


def serve_signed(request: Request) -> Response:
    """GET /signed/model/{id}/{name}: the file, to whoever has the signature and sends no key."""
    if 'authorization' in request.headers:
        return _storage_error(400, 'InvalidArgument', 'Only one auth mechanism allowed')
    facts = dict(request.query_params)
    path = f'/signed/model/{request.path_params["id"]}/{quote(str(request.path_params["name"]))}'
    good = facts.get('X-Amz-Signature') == signature_of(path, facts)
    if request.method != 'GET' or not good:
        words = 'The request signature we calculated does not match the signature you provided.'
        return _storage_error(403, 'SignatureDoesNotMatch', words)
    begun = datetime.strptime(facts['X-Amz-Date'], _STAMP).replace(tzinfo=timezone.utc)
    if datetime.now(timezone.utc) >= begun + timedelta(seconds=int(facts['X-Amz-Expires'])):
        return _storage_error(403, 'AccessDenied', 'Request has expired')
    file = _file(str(request.path_params['id']))
    if file is None:
        return _storage_error(404, 'NoSuchKey', 'The specified key does not exist.')
    return _delivered(request, file)


def _delivered(request: Request, file: ModelFile) -> Response:
    scenario, content = scenario_of(request), file.content
    headers = {'Content-Disposition': f'attachment; filename="{file.name}"'}
    if scenario == 'no-range':
        return Response(content, 200, headers, 'application/octet-stream')
    if scenario == 'wrong-hash':
        content = with_wrong_hash(content)
    tag = f'"{uuid.uuid4().hex}"' if scenario == 'changed-etag' else ''
    return file_reply(request, content, 'application/octet-stream', headers, tag)


def _file(number: str) -> ModelFile | None:
    models = load_catalog().models
    files = (file for model in models for version in model.versions for file in version.files)
    return next((file for file in files if str(file.id) == number), None)


def _storage_error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, media_type='application/xml')
