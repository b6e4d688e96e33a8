"""The whole site as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import images, lists, media, models, pages
from .encoding import PictureStore
from .gate import Control, Gate
from .replies import DOWNLOAD_CACHE, PRIVATE_CACHE, PUBLIC_CACHE, ApiError, json_reply, mixed_cache
from .scenarios import CDN_KEY

# Routes that know their visitor.
_MIXED_ROUTES = ('/api/v1/models', '/api/v1/model-versions', '/api/v1/posts', '/api/v1/collections')


def create_app(control: Control | None = None) -> ASGIApp:
    """The site behind its gate; `control` turns it and sees its requests."""
    site = Starlette(
        routes=_routes(PictureStore()),
        exception_handlers={404: pages.not_found, 405: _wrong_method, ApiError: _api_error},
    )
    return Gate(site, control or Control())


def _routes(store: PictureStore) -> list[Route]:
    cdn = media.PictureCdn(store)
    return [
        Route('/api/v1/images', images.list_images),
        Route('/api/v1/models', models.list_models),
        Route('/api/v1/models/{id}', models.show_model),
        Route('/api/v1/model-versions/by-hash', models.list_versions_by_hash, methods=['POST']),
        Route('/api/v1/model-versions/by-hash/{hash}', models.show_version_by_hash),
        Route('/api/v1/model-versions/{id}', models.show_version),
        Route('/api/v1/me', models.show_me),
        Route('/api/v1/users', models.list_users),
        Route('/api/v1/posts/{id}', lists.show_post),
        Route('/api/v1/creators', lists.list_creators),
        Route('/api/v1/tags', lists.list_tags),
        Route('/api/v1/enums', lists.show_enums),
        Route('/api/v1/collections', lists.list_collections),
        Route('/api/v1/collections/{id}', lists.show_collection),
        Route('/api/download/models/{id}', media.redirect_download),
        Route('/signed/model/{id}/{name}', media.serve_signed),
        Route(f'/{CDN_KEY}/{{uuid}}/{{transforms}}/{{name}}', cdn.show),
        Route('/file/civitai-media-cache/{uuid}/original', cdn.show),
        Route('/', pages.home),
        Route('/models/{id}', pages.show_model),
        Route('/models/{id}/{slug}', pages.show_model),
        Route('/images', pages.show_pictures),
        Route('/videos', pages.show_pictures),
        Route('/images/{id}', pages.show_image),
        Route('/posts/{id}', pages.show_post),
        Route('/user/{name}', pages.show_user),
        Route('/user/{name}/{tab}', pages.show_user),
    ]


def _api_error(request: Request, error: Exception) -> Response:
    """An API error as JSON."""
    if not isinstance(error, ApiError):
        raise error
    return json_reply(request, error.body, _cache_of_error(request, error), error.status)


def _cache_of_error(request: Request, error: ApiError) -> str:
    """How long an error may be kept: those of public routes for a while, like on Civitai."""
    if request.url.path.startswith('/api/download/'):
        return DOWNLOAD_CACHE
    if error.status == 401:
        return PRIVATE_CACHE
    if isinstance(error.body, dict) and 'message' in error.body:
        return 'no-store'  # raised behind the route, where nothing is cached
    return mixed_cache(request) if request.url.path.startswith(_MIXED_ROUTES) else PUBLIC_CACHE


def _wrong_method(request: Request, error: Exception) -> Response:
    return json_reply(request, {'error': 'Method not allowed'}, 'no-store', 405)
