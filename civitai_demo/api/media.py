"""The picture CDN."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..world.catalog import load_catalog
from .encoding import PictureStore, Transform, parse_transform
from .replies import file_reply, scenario_of

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
