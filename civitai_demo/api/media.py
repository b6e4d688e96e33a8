"""The picture CDN and the model file storage."""

from __future__ import annotations

import hashlib
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..world.catalog import load_catalog
from ..world.modelfiles import ModelFile
from ..world.models import Version
from .encoding import PictureStore, Transform, parse_transform
from .query import QueryReader, whole_number
from .replies import DOWNLOAD_CACHE, ApiError, file_reply, scenario_of
from .scenarios import with_wrong_hash

PICTURE_CACHE = 'public, max-age=31536000, immutable'


class PictureCdn:
    """Serves originals, previews and stills by uuid."""

    def __init__(self, store: PictureStore) -> None:
        """Serve from `store`."""
        self._store = store

    def show(self, request: Request) -> Response:
        """GET /{key}/{uuid}/{transforms}/{name}, or the raw original by uuid alone."""
        picture = load_catalog().by_uuid.get(str(request.path_params['uuid']))
        headers = {'Access-Control-Allow-Origin': '*'}
        if picture is None:
            return Response('Not Found', 404, headers, 'text/plain')
        transform = Transform(original=True)
        if 'transforms' in request.path_params:
            name = str(request.path_params['name'])
            transform = parse_transform(str(request.path_params['transforms']), name)
        if picture.kind == 'video' and scenario_of(request) == 'video-as-webp':
            transform = Transform(still=True, optimized=True)
        data, media_type = self._store.file(picture, transform)
        return file_reply(request, data, media_type, {**headers, 'Cache-Control': PICTURE_CACHE})


def redirect_download(request: Request) -> Response:
    """GET /api/download/models/{id}: 307 to a signed address on another host name."""
    found = load_catalog().version(whole_number(str(request.path_params['id'])))
    try:
        reader = QueryReader(request.query_params)
        file_id, kind = reader.number('fileId'), reader.text('type')
        fp, size = reader.text('fp'), reader.text('size')
        reader.check()
    except ApiError as error:
        problem = '✖ Invalid input: expected number, received NaN\n  → at fileId'
        raise ApiError(400, {'error': problem}) from error
    files = found[1].files if found else ()
    for file in files:
        wanted = file.id == file_id if file_id else True
        if (
            wanted
            and kind in (None, file.kind)
            and fp in (None, file.precision)
            and size in (None, file.size)
        ):
            headers = {'Cache-Control': DOWNLOAD_CACHE}
            return RedirectResponse(signed_url(request, file), 307, headers)
    raise ApiError(404, {'error': 'File not found'})


def signed_url(request: Request, file: ModelFile) -> str:
    """A storage address for `file` on the host name the caller did not use."""
    host = 'localhost' if request.url.hostname == '127.0.0.1' else '127.0.0.1'
    port = request.scope['server'][1]
    disposition = f'attachment; filename="{file.name}"'
    facts = {
        'X-Amz-Expires': '86400',
        'response-content-disposition': disposition,
        'X-Amz-Signature': signature_of(file),
    }
    return f'http://{host}:{port}/signed/model/{file.id}/{quote(file.name)}?{urlencode(facts)}'


def signature_of(file: ModelFile) -> str:
    """The signature the storage expects for `file`."""
    return hashlib.sha256(f'demo {file.id} {file.name}'.encode()).hexdigest()


def serve_signed(request: Request) -> Response:
    """GET /signed/model/{id}/{name}: the file, to whoever has the signature and sends no key."""
    if 'authorization' in request.headers:
        return _storage_error(400, 'InvalidArgument', 'Only one auth mechanism allowed')
    for version in _all_versions():
        for file in version.files:
            if str(file.id) != request.path_params['id']:
                continue
            if request.query_params.get('X-Amz-Signature') != signature_of(file):
                return _storage_error(403, 'SignatureDoesNotMatch', 'The signature does not match')
            disposition = {'Content-Disposition': f'attachment; filename="{file.name}"'}
            wrong = scenario_of(request) == 'wrong-hash'
            content = with_wrong_hash(file.content) if wrong else file.content
            return file_reply(request, content, 'application/octet-stream', disposition)
    return _storage_error(404, 'NoSuchKey', 'The specified key does not exist.')


def _all_versions() -> list[Version]:
    return [version for model in load_catalog().models for version in model.versions]


def _storage_error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, media_type='application/xml')
