"""The whole site as one ASGI application."""

from __future__ import annotations

from typing import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import downloads, images, lists, media, models, pages, storage, versions, visitors
from .encoding import PictureStore, picture_store
from .gate import Control, Gate
from .replies import DOWNLOAD_CACHE, PRIVATE_CACHE, PUBLIC_CACHE, ApiError, json_reply, mixed_cache
from .scenarios import CDN_KEY

# Routes that know their visitor.
_MIXED_ROUTES = tuple(
    f'/api/v1/{name}' for name in ('models', 'model-versions', 'posts', 'collections', 'articles')
)


def create_app(control: Control | None = None) -> ASGIApp:
    """The site behind its gate; `control` turns it and sees its requests."""
    site = Starlette(
        routes=_routes(picture_store()),
        exception_handlers={404: pages.not_found, 405: _wrong_method, ApiError: _api_error},
    )
    return Gate(site, control or Control())


def _routes(store: PictureStore) -> list[Route]:
    cdn = media.PictureCdn(store)
    return [
        _public('/api/v1/images', images.list_images),
        Route('/api/v1/models', models.list_models),
        _public('/api/v1/models/{id}', models.show_model),
        _public('/api/v1/model-versions/by-hash', versions.list_versions_by_hash),
        _public('/api/v1/model-versions/by-hash/ids', versions.list_ids_by_hash),
        _public('/api/v1/model-versions/by-hash/{hash}', versions.show_version_by_hash),
        Route('/api/v1/model-versions/mini/{id}', versions.show_version_in_brief),
        Route('/api/v1/model-versions/{id}', versions.show_version),
        Route('/api/v1/me', visitors.show_me),
        _public('/api/v1/users', visitors.list_users),
        _public('/api/v1/permissions/check', visitors.check_permissions),
        Route('/api/v1/vault/get', visitors.show_vault),
        Route('/api/v1/vault/all', visitors.show_vault),
        Route('/api/v1/vault/check-vault', visitors.check_vault),
        Route('/api/v1/vault/toggle-version', visitors.toggle_vault, methods=['POST']),
        Route('/api/v1/articles', visitors.list_articles),
        Route('/api/v1/articles/{id}', visitors.show_article),
        Route('/api/v1/posts/{id}', lists.show_post),
        _public('/api/v1/creators', lists.list_creators),
        _public('/api/v1/tags', lists.list_tags),
        _public('/api/v1/enums', lists.show_enums),
        Route('/api/v1/collections', lists.list_collections),
        Route('/api/v1/collections/{id}', lists.show_collection),
        _public('/api/download/models/{id}', downloads.redirect_download),
        Route('/signed/model/{id}/{name}', storage.serve_signed),
        Route(f'/{CDN_KEY}/{{uuid}}/{{transforms}}/{{name}}', cdn.show),
        Route('/file/civitai-media-cache/{uuid}/original', cdn.show),
        Route('/', pages.home),
        Route('/login', pages.show_login),
        Route('/models/{id}', pages.show_model),
        Route('/models/{id}/{slug}', pages.show_model),
        Route('/model-versions/{id}', pages.show_version),
        Route('/images', pages.show_pictures),
        Route('/videos', pages.show_pictures),
        Route('/images/{id}', pages.show_image),
        Route('/posts/{id}', pages.show_post),
        Route('/user/{name}', pages.show_user),
        Route('/user/{name}/{tab}', pages.show_user),
    ]


def _public(path: str, endpoint: Callable[[Request], object]) -> Route:
    """A route that does not look at the verb, as those that know no visitor."""
    return Route(path, endpoint, methods=['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])


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
