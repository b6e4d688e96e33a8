"""The one place that knows how gradio versions differ, by looking at what they offer."""

from __future__ import annotations

import functools
import html
import inspect
import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Iterator, Mapping, Sequence, cast

import gradio as gr
from starlette.middleware import Middleware

from . import setting, texts
from .access import guard, owner, signs
from .access.door import Door
from .access.owner import Finding
from .errors import CivitaiError, SourceError
from .store import files

log = logging.getLogger(__name__)

TOAST_SECONDS = 3
CONCURRENCY = 32
_OF_GRADIO = frozenset({'page', 'deep_link'})  # in an address; it fails where it has no such thing


def parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the arguments `function` names; a **kwargs of it does not count."""
    return frozenset(inspect.signature(function).parameters)


def accepted(function: Callable[..., Any], **wanted: Any) -> dict[str, Any]:
    """Return those of `wanted` that `function` has arguments for."""
    known = parameters(function)
    return {name: value for name, value in wanted.items() if name in known}


def component(kind: Callable[..., Any], **wanted: Any) -> Any:
    """Make a component with the arguments this gradio knows."""
    constructor = getattr(kind, '__init__')
    return kind(**accepted(constructor, **wanted))


def textbox_with_copy(**wanted: Any) -> Any:
    """Make a Textbox that offers to copy its text."""
    return component(gr.Textbox, show_copy_button=True, buttons=['copy'], **wanted)


def picture(**wanted: Any) -> Any:
    """Make an Image that only shows."""
    return component(
        gr.Image,
        type='pil',  # what a WebUI takes when the picture is sent to another tab
        interactive=False,
        show_share_button=False,
        show_download_button=False,
        buttons=['fullscreen'],
        **wanted,
    )


def names_choices() -> bool:
    """Tell whether a Dropdown shows its choices by other names than their values."""
    return 'tuple' in str(inspect.signature(getattr(gr.Dropdown, '__init__')).parameters['choices'])


def on(event: Callable[..., Any], function: Callable[..., Any] | None, **wanted: Any) -> Any:
    """Bind `function` (None: only `js`) to `event`, not offered in the API, many sessions at once.

    `js` is the browser-side code, under whatever name this gradio takes it. A second event of a
    kind does not wait for the first and is not dropped, unless `trigger_mode` says so.
    """
    # Forge wraps events so that they show no arguments; gr.on, where it exists, has the same ones
    known = parameters(gr.on if hasattr(gr, 'on') else event)
    ours: dict[str, Any] = {'api_visibility': 'private', 'concurrency_limit': CONCURRENCY}
    if wanted.get('show_progress') == 'hidden':
        ours['show_progress_on'] = []  # at each event gradio 6 goes through all that shows any
    wanted = {'trigger_mode': 'multiple', **wanted, **ours}
    if 'api_visibility' not in known:
        wanted['api_name'] = False
    if 'js' in wanted and 'js' not in known:
        wanted['_js'] = wanted['js']
    arguments = {name: value for name, value in wanted.items() if name in known}
    # what `event` calls fn comes first everywhere
    return event(function and guarded(function), **arguments)


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an event handler, plain or generator.

    A WebUI's settings are taken over first; what nobody foresaw is logged and told.
    """

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        try:
            setting.refresh()
            return function(*args, **kwargs)
        except Exception as error:  # a rim: gradio would show the bare word "Error"
            raise _told(function, error) from error

    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            setting.refresh()
            yield from function(*args, **kwargs)
        except Exception as error:  # a rim, as above
            raise _told(function, error) from error

    return generator if inspect.isgeneratorfunction(function) else plain


def _told(function: Callable[..., Any], error: Exception) -> Exception:
    log.error('%s failed in an unexpected way', function.__name__, exc_info=error)
    known = error if isinstance(error, CivitaiError) else CivitaiError('error_see_log')
    return cast(Exception, gr.Error(_plain(known.message_in(setting.language))))


def toast(message: str, *, seconds: int = TOAST_SECONDS, gradio: ModuleType | Any = gr) -> None:
    """Show a warning to the person whose event this is; silent where there is no event.

    `gradio` is the module whose Warning is used.
    """
    show = gradio.Warning
    own = str(getattr(show, '__module__', '')).startswith('gradio.')
    if own and not in_event():
        return  # gradio would print it instead
    extra = {'duration': seconds} if _takes(show, 'duration') else {}
    show(_plain(message), **extra)


def notice(key: str, values: Mapping[str, Any]) -> None:
    """Show what is told through `notices` as a toast."""
    toast(texts.text(key, setting.language, **values))


def _takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether `function` can be given `name`, by that name or as one of any."""
    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # no signature to read
        return False
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in known)


def in_event() -> bool:
    """Tell whether we are called by an event of a person's browser."""
    local = getattr(gr.context, 'LocalContext', None)
    if local is not None:
        return local.event_id.get(None) is not None
    thread = getattr(gr.context, 'thread_data', None)
    return getattr(thread, 'event_id', None) is not None


def session() -> str:
    """Return what tells the sessions of an event apart; '' where this gradio does not say."""
    local = getattr(gr.context, 'LocalContext', None)
    request = local.request.get(None) if local is not None else None
    return str(getattr(request, 'session_hash', None) or '')


def _plain(message: str) -> str:
    """`message` without markup: newer toasts render HTML."""
    return message.replace('<', '').replace('>', '')


def escape(text: object) -> str:
    """Return `text` so that it is nothing but text inside HTML, attributes too."""
    return html.escape(str(text), quote=True)


def showable(paths: Sequence[str | None], folders: Sequence[str], instead: str) -> list[str]:
    """Return `paths` for a Gallery, `instead` for each that is missing or outside `folders`.

    One missing file makes the whole event fail in gradio 3, one outside its folders in 5.
    """

    def can_be(path: str) -> bool:
        return os.path.isfile(path) and any(files.is_inside(path, folder) for folder in folders)

    return [path if path and can_be(path) else instead for path in paths]


def is_same_machine(request: Any) -> bool:
    """Tell whether the browser runs where we do, so that opening a folder makes sense.

    True only for a loopback address, a loopback Host header, no sign of a proxy between, and no
    sign that a page of another site made the browser ask.
    """
    client = getattr(request.client, 'host', '') or ''
    return signs.from_same_machine(client, dict(request.headers.items()))


def asked_by(request: Any) -> Finding:
    """Tell whether an event is the owner's, who may do what others may not."""
    if not is_same_machine(request):
        return Finding.STRANGER
    found = owner.finding_in(dict(request.headers.items()))
    if found or not isinstance(request, gr.Request):  # no browser asks by anything else
        return found or Finding.OWNER
    port = getattr(request.client, 'port', None)
    if owner.Sealing.at_work or not isinstance(port, int):
        return Finding.UNTOLD  # gradio 3 takes whole requests from the body of another
    return owner.find((request.client.host, port), None)


def is_owner(request: Any) -> bool:
    """Tell whether an event is surely the owner's."""
    return asked_by(request) is Finding.OWNER


def may_see_paths(request: Any) -> bool:
    """Tell whether who asks may be told where files are: on this machine, as its owner."""
    return asked_by(request) is not Finding.STRANGER


def refuse_strangers(request: Any) -> None:
    """Raise SourceError if who asks may not have anything done.

    That is another account of the machine where the app is for its owner alone, and anybody's
    browser that says that a page of another site made it ask. Under which names a WebUI is
    opened, and who may use it, only its owner knows, so nothing else counts there.
    """
    headers = signs.lowered(dict(request.headers.items()))
    if isinstance(request, gr.Request) and not owner.may_use(headers):
        raise SourceError('not_your_gallery')
    if headers.get('sec-fetch-site') in ('cross-site', 'same-site'):
        raise SourceError('other_site')


def refuse_jobs(request: Any, is_placed: bool = False) -> None:
    """Raise SourceError if who asks may not start, pause, cancel or forget jobs.

    Others than the owner may only where the owner's setting says so, and never where it `is_placed`
    by them, in a folder or under names of their choice.
    """
    refuse_strangers(request)
    asker = asked_by(request)
    if asker is Finding.OWNER or (setting.gallery_jobs_of_others and not is_placed):
        return
    if asker is Finding.UNTOLD:
        raise SourceError('owner_untold', path=setting.settings_file())
    raise SourceError('job_place_not_from_here' if is_placed else 'jobs_not_from_here')


def may_have_jobs(request: Any) -> bool:
    """Tell whether `refuse_jobs` lets who asks pass."""
    return lets_pass(refuse_jobs, request)


def lets_pass(refuse: Callable[[Any], None], request: Any) -> bool:
    """Tell whether `refuse`, which raises SourceError for some, lets who asks pass."""
    try:
        refuse(request)
    except SourceError:
        return False
    return True


def page(title: str, css: Path) -> tuple[Any, dict[str, Any]]:
    """Return a Blocks for a page of our own, and the arguments that its launch needs for it."""
    # named fonts would be fetched from the internet
    theme = gr.themes.Default(font=['system-ui', 'sans-serif'], font_mono=['monospace']).set(
        # white on gradio's own orange has a contrast of 2.8
        button_primary_background_fill='*primary_700',
        button_primary_background_fill_dark='*primary_700',
        button_primary_background_fill_hover='*primary_800',
        button_primary_background_fill_hover_dark='*primary_800',
        button_primary_text_color='white',  # gradio 3 has orange on that
    )
    look = {'css': css.read_text(encoding='utf-8'), 'theme': theme}
    at_launch = accepted(gr.Blocks.launch, **look)
    at_making = {name: value for name, value in look.items() if name not in at_launch}
    at_making |= accepted(getattr(gr.Blocks, '__init__'), fill_width=True)
    blocks = gr.Blocks(title=title, analytics_enabled=False, **at_making)
    return blocks, at_launch


def use_folder(folder: str) -> None:
    """Have gradio make its folders there, besides what GRADIO_TEMP_DIR says later."""
    for name in ('gradio.routes', 'gradio.route_utils'):  # 6 read it when it was imported
        module = sys.modules.get(name)
        if module is not None and hasattr(module, 'DEFAULT_TEMP_DIR'):
            setattr(module, 'DEFAULT_TEMP_DIR', folder)


def launch(
    blocks: Any,
    door: Door | None = None,
    prepare: Callable[[Any], None] = lambda app: None,
    **wanted: Any,
) -> str:
    """Serve `blocks` without blocking to whom `door` lets in (None: all); return its local URL.

    `prepare` gets the web application as soon as there is one.
    """
    names = 'default_concurrency_limit', 'concurrency_count'
    limits = accepted(blocks.queue, **dict.fromkeys(names, CONCURRENCY))
    if 'default_concurrency_limit' in limits:
        limits.pop('concurrency_count', None)  # 4 names it only to refuse it
    blocks.queue(**limits)
    quiet = {'quiet': True, 'prevent_thread_lock': True, 'inbrowser': False, 'show_api': False}
    private = {'run_history': False, 'footer_links': [], 'enable_monitoring': False}
    private['ssr_mode'] = False  # no server in between
    sealing = Middleware(owner.Sealing)
    entrance = Middleware(guard.Guard, door=door, unheard=_OF_GRADIO) if door else sealing
    wanted['app_kwargs'] = {'middleware': [entrance]}
    arguments = accepted(blocks.launch, **quiet, **private, **wanted)
    with guard.real_peers():
        app, url, _ = blocks.launch(**arguments)
    prepare(app)
    _put_outermost(app, entrance)  # gradio puts one of its own around, which answers preflights
    return str(url)


def seal(app: Any) -> None:
    """Have every request to a running web application told apart by its owner."""
    _put_outermost(app, Middleware(owner.Sealing))


def _put_outermost(app: Any, entrance: Middleware) -> None:
    others = [kind for kind in app.user_middleware if kind is not entrance]
    app.user_middleware[:] = [entrance, *others]
    # built and put in place in one step: add_middleware refuses once the application has answered
    app.middleware_stack = app.build_middleware_stack()
