"""The whole site as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import images_api, media, models_api, pages
from .encoding import PictureStore
from .gate import Control, Gate
from .replies import DOWNLOAD_CACHE, PRIVATE_CACHE, PUBLIC_CACHE, ApiError, json_reply
from .scenarios import CDN_KEY


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
        Route('/api/v1/images', images_api.list_images),
        Route('/api/v1/models', models_api.list_models),
        Route('/api/v1/models/{id}', models_api.show_model),
        Route('/api/v1/model-versions/by-hash/{hash}', models_api.show_version_by_hash),
        Route('/api/v1/model-versions/{id}', models_api.show_version),
        Route('/api/v1/me', models_api.show_me),
        Route('/api/v1/users', models_api.list_users),
        Route('/api/download/models/{id}', media.redirect_download),
        Route('/signed/model/{id}/{name}', media.serve_signed),
        Route(f'/{CDN_KEY}/{{uuid}}/{{transforms}}/{{name}}', cdn.show),
        Route('/file/civitai-media-cache/{uuid}/original', cdn.show),
        Route('/', pages.home),
        Route('/models/{id}', pages.show_model),
        Route('/models/{id}/{slug}', pages.show_model),
        Route('/images/{id}', pages.show_image),
        Route('/posts/{id}', pages.show_post),
        Route('/user/{name}', pages.show_user),
        Route('/user/{name}/{tab}', pages.show_user),
    ]


def _api_error(request: Request, error: Exception) -> Response:
    """An API error as JSON; those of public routes may be cached, like on Civitai."""
    if not isinstance(error, ApiError):
        raise error
    cache = PUBLIC_CACHE
    if request.url.path.startswith('/api/download/'):
        cache = DOWNLOAD_CACHE
    elif error.status == 401:
        cache = PRIVATE_CACHE
    return json_reply(request, error.body, cache, error.status)


def _wrong_method(request: Request, error: Exception) -> Response:
    return json_reply(request, {'error': 'Method not allowed'}, 'no-store', 405)
