"""Small web pages, so that a link clicked in a demonstration leads somewhere."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..world.catalog import Picture, load_catalog
from .image_bodies import media_url
from .images import find_pictures, read_query
from .query import whole_number
from .scenarios import DEMO_KEY

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
main div { display: flex; flex-wrap: wrap; gap: .6rem }
img { height: 15rem; border-radius: .5rem; display: block }
pre { white-space: pre-wrap; background: #8881; padding: 1rem; border-radius: .5rem }
"""


def home(request: Request) -> Response:
    """GET /: what this is and what there is."""
    entries = ''.join(
        f'<li>{_link(f"/models/{model.id}", model.name)} ({escape(model.kind)}): '
        f'{escape(model.description)}</li>'
        for model in load_catalog().models
    )
    note = (
        '<p>Everything here is drawn and served by this computer; nothing comes from civitai.com. '
        f'The API lives under <code>/api/v1</code>; its key is <code>{DEMO_KEY}</code>.</p>'
    )
    return _page('A stand-in Civitai', f'{note}<ul>{entries}</ul>{_thumbs(_newest(24))}')


def show_model(request: Request) -> Response:
    """GET /models/{id}, with `modelVersionId` the pictures of that version."""
    model = load_catalog().model(whole_number(request.path_params['id']))
    if model is None:
        return _missing()
    chosen = whole_number(request.query_params.get('modelVersionId', ''))
    parts = [f'<p>{escape(model.description)} By {_user_link(model.creator.name)}.</p>']
    for version in model.versions:
        if chosen in (0, version.id) or chosen not in [entry.id for entry in model.versions]:
            parts.append(f'<h2>{escape(version.name)} ({escape(version.base_model)})</h2>')
            parts.append(_thumbs(load_catalog().posted_to(version)[:24]))
        else:
            address = f'/models/{model.id}?modelVersionId={version.id}'
            parts.append(f'<p>Other version: {_link(address, version.name)}</p>')
    return _page(model.name, ''.join(parts))


def show_version(request: Request) -> Response:
    """GET /model-versions/{id}: to the page of its model."""
    found = load_catalog().version(whole_number(request.path_params['id']))
    if found is None:
        return _missing()
    return RedirectResponse(f'/models/{found[0].id}?modelVersionId={found[1].id}')


def show_login(request: Request) -> Response:
    """GET /login: where browsers are sent that want a file."""
    return _page('Log in', '<p>Nobody can log in here; send the key instead.</p>')


def show_image(request: Request) -> Response:
    """GET /images/{id}: one picture with its prompt."""
    picture = load_catalog().by_id.get(whole_number(request.path_params['id']))
    if picture is None:
        return _missing()
    address = escape(media_url('', picture, 'original=true'))
    shown = f'<img src="{address}" alt="" style="height:auto;max-width:100%;max-height:80vh">'
    if picture.kind == 'video':
        shown = f'<video src="{address}" controls autoplay loop muted></video>'
    if picture.kind == 'audio':
        shown = f'<audio src="{address}" controls></audio>'
    known = picture.generation.meta() is not None
    words = picture.generation.prompt if known else 'The settings are not known.'
    post = _link(f'/posts/{picture.post_id}', 'the whole post')
    caption = f'<p>By {_user_link(picture.user.name)}, see {post}.</p><pre>{escape(words)}</pre>'
    return _page(f'Picture {picture.id}', shown + caption)


def show_post(request: Request) -> Response:
    """GET /posts/{id}: the pictures of a post."""
    number = whole_number(request.path_params['id'])
    found = load_catalog().in_post(number)
    return _page(f'Post {number}', _thumbs(found)) if found else _missing()


def show_user(request: Request) -> Response:
    """GET /user/{name}: what somebody posted."""
    name = str(request.path_params['name'])
    found = [p for p in load_catalog().pictures if p.user.name.casefold() == name.casefold()]
    return _page(found[0].user.name, _thumbs(found[:60])) if found else _missing()


def show_pictures(request: Request) -> Response:
    """GET /images and /videos: what everybody posted, or what the parameters of the API ask for."""
    query = read_query(request)
    kind = 'video' if request.url.path == '/videos' else query.kind or 'image'
    found = find_pictures(load_catalog(), replace(query, kind=kind))
    return _page(f'{kind.capitalize()}s', _thumbs(found[:60]))


def not_found(request: Request, error: Exception) -> Response:
    """The page for every address that leads nowhere."""
    return _missing()


def _newest(count: int) -> list[Picture]:
    return [picture for picture in load_catalog().pictures if picture.level == 1][:count]


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def _user_link(name: str) -> str:
    return _link(f'/user/{name}', name)


def _thumbs(pictures: list[Picture]) -> str:
    cells = []
    for picture in pictures:
        if picture.kind == 'audio':
            cells.append(_link(f'/images/{picture.id}', 'A recording'))
            continue
        address = media_url('', picture, 'anim=false,transcode=true,width=320,optimized=true')
        if picture.kind == 'video':
            address = address.rsplit('.', 1)[0] + '.jpeg'
        image = f'<img src="{escape(address)}" alt="" loading="lazy">'
        cells.append(f'<a href="/images/{picture.id}">{image}</a>')
    return f'<div>{"".join(cells)}</div>'


def _page(title: str, body: str, status: int = 200) -> Response:
    back = '<p><a href="/">Stand-in Civitai</a></p>'
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    main = f'<main>{back}<h1>{escape(title)}</h1>{body}</main>'
    return HTMLResponse(f'<!DOCTYPE html><html lang="en">{head}{main}</html>', status)


def _missing() -> Response:
    return _page('Nothing here', '<p>This stand-in knows no such page.</p>', 404)
