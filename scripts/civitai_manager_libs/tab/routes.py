"""The routes that the pictures of a grid come from, put on the web application around us.

Who asks has to be logged in where the host wants that, and has to know the secret of a browser tab
that was given the picture.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from .. import setting
from ..civitai.gallery import is_allowed
from . import grid_markup, larger as larger_ones, loading, serving
from .larger import Key, Size
from .loading import State

log = logging.getLogger(__name__)

# How long an answer waits for what is on its way, in seconds; the page asks again then. A picture
# holds one of the few connections that a browser has, so it is asked for when it is there.
_PICTURE_WAITS, _NEWS_WAIT = 1.0, 10.0
# A larger one is asked for when a person looks at it.
_LARGER_WAITS = 60.0
_ASKS_FOR_LOGIN = '/config'

_ALWAYS = {
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; sandbox",
}
_NEVER_KEPT = {**_ALWAYS, 'cache-control': 'no-store'}
# A name in the picture cache is made of the address, whose picture never changes.
_KEPT = {**_ALWAYS, 'cache-control': 'private, max-age=604800, immutable'}


def serve(app: Any) -> None:
    """Put the routes on `app`, in front of all others, which may take any path.

    Where gradio's own page does not ask who wants to see it in a way we know, nobody gets pictures.
    """
    login = _login_of(app)
    if not login:
        log.error('This gradio has no guarded %s, so the pictures are not served', _ASKS_FOR_LOGIN)
        return
    for path, answer in (
        ('picture/{secret}/{name}', picture),
        ('grid/{secret}/{grid}', grid),
        ('{size}/{secret}/{grid}/{place}', larger),
        ('card/{name}', card),
    ):
        app.add_api_route(
            f'/{grid_markup.ROUTE}/{path}',
            answer,
            methods=['GET'],
            dependencies=login,
            include_in_schema=False,
            response_model=None,
        )
        app.router.routes.insert(0, app.router.routes.pop())


def _login_of(app: Any) -> list[Any]:
    """What gradio asks of who wants to know its page: to be logged in, if that is set."""
    for route in app.router.routes:
        if getattr(route, 'path', '') == _ASKS_FOR_LOGIN and route.dependencies:
            return list(route.dependencies)
    return []


async def picture(request: Request) -> Response:
    """Answer with a small picture that the tab was given, as soon as it is there."""
    given = loading.of_tab(request.path_params['secret'])
    found = given.find(request.path_params['name']) if given else None
    if found is None or not is_allowed(found[1].level, setting.maturity_levels()):
        return _nothing()
    under_way, small = found
    if small.state is State.COMING:
        await under_way.settled(small, _PICTURE_WAITS)
    if small.state is State.COMING and not under_way.is_over:
        return Response(status_code=503, headers={**_NEVER_KEPT, 'retry-after': '1'})
    answer = await run_in_threadpool(serving.answer, small.name, ('image',), _KEPT)
    return answer or _nothing()


async def grid(request: Request) -> Response:
    """Answer with how far the pictures of a grid are, once that is other than what is `known`."""
    given = loading.of_tab(request.path_params['secret'])
    found = given.grid(request.path_params['grid']) if given else None
    if found is None:
        return _nothing()
    known = request.query_params.get('known', '')
    if known.isascii() and known.isdigit() and len(known) < 10:
        await found.news(int(known), _NEWS_WAIT)
    body = json.dumps(grid_markup.states(found))
    return Response(body, media_type='application/json', headers=_NEVER_KEPT)


async def larger(request: Request) -> Response:
    """Answer with a larger picture, or the part of a video, of a grid that the tab was given.

    With `why` in the query, with why it did not come, in words.
    """
    key, given = _key(request), larger_ones.of_tab(request.path_params['secret'])
    image = given.find(key.grid, key.place) if given and key else None
    if not given or not key or not image or not is_allowed(image.level, setting.maturity_levels()):
        return _nothing()
    if 'why' in request.query_params:
        known = given.known(key)
        error = known.smalls[0].error if known else None
        return Response(grid_markup.cause(error), media_type='text/plain', headers=_NEVER_KEPT)
    brought = await run_in_threadpool(given.bring, key)
    if brought is None:
        return _nothing()
    one = brought.smalls[0]
    if one.state is State.COMING:
        await brought.settled(one, _LARGER_WAITS)
    if one.state is State.COMING:
        return Response(status_code=503, headers={**_NEVER_KEPT, 'retry-after': '1'})
    if one.state is State.FAILED:
        return _nothing()
    asked = request.headers.get('range', '')
    kinds = ('video', 'image') if image.is_video else ('image',)
    answer = await run_in_threadpool(serving.answer, one.name, kinds, _KEPT, asked)
    return answer or _nothing()


def _key(request: Request) -> Key | None:
    size, place = request.path_params['size'], request.path_params['place']
    is_place = place.isascii() and place.isdigit() and len(place) < 6
    if not is_place or size not in list(Size):
        return None
    return Key(request.path_params['grid'], int(place), Size(size))


async def card(request: Request) -> Response:
    """Answer with a picture of the program itself."""
    name = request.path_params['name']
    if name not in grid_markup.CARDS:
        return _nothing()
    content = await run_in_threadpool((setting.ROOT / 'img' / name).read_bytes)
    return Response(content, media_type='image/png', headers=_KEPT)


def _nothing() -> Response:
    return Response(status_code=404, headers=_NEVER_KEPT)
