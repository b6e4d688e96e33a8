"""The HTML of where one begins: what to open, and the models that a search found."""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence
from urllib.parse import urlsplit

from .. import setting
from ..civitai import urls
from ..civitai.found import FoundModel
from ..civitai.source import page_of
from ..library import have
from ..library.updates import Standing
from ..widgets import escape
from . import grid_markup, markup, source_links
from .favourites import Favourites
from .loading import Small
from .markup import label
from .view import SearchView, View

# Models that everybody may see, by their ids: those of the site, and of the stand-in for it.
_OF_THE_SITE = {4384: 'DreamShaper', 827184: 'WAI-illustrious-SDXL', 4201: 'Realistic Vision'}
_OF_THE_STAND_IN = {4201: 'Paper Horizons XL', 4317: 'Gouache Weather', 4452: 'Quiet Geometry'}
_LISTS = ('favourites', 'recent')


def home(models: Sequence[Standing] = (), may_mark: bool = False) -> str:
    """What to begin with; `models` are some of those on this machine, for their owner's eyes.

    `may_mark`: who looks has favourite pictures, which are the owner's.
    """
    base = setting.civitai_base_url
    kept = ''.join(map(_kept, _LISTS))
    here = [(one.title, have.gallery_link(one.holding)) for one in models]
    host = urlsplit(base).hostname or ''
    is_site = host.removeprefix('www.') in urls.SITE_HOSTS
    examples = _OF_THE_SITE if is_site else _OF_THE_STAND_IN
    tried = [(name, urls.page_url(base, 'models', number)) for number, name in examples.items()]
    listed = _section('home_models', here) + _section('home_examples', tried)
    liked = _pictures() if may_mark else ''
    return (
        f'<section class="cg-home" data-site="{escape(host)}" aria-label="{escape(label("home"))}">'
        f'<div class="cg-lists">{kept}{liked}{listed}</div></section>'
    )


def _kept(name: str) -> str:
    """A list that the browser fills."""
    dropping, title = escape(label('home_drop')), escape(label(f'home_{name}'))
    return (
        f'<section data-cg-list="{name}" data-dropping="{dropping}" hidden>'
        f'<h3>{title}</h3><ul></ul></section>'
    )


def _pictures() -> str:
    """What shows the pictures that the owner marked, see `favourites`."""
    title, show = escape(label('home_pictures')), escape(label('home_pictures_show'))
    button = '<button type="button" class="cg-button" data-cg-press="favourites">'
    return f'<section><h3>{title}</h3><p>{button}★ {show}</button></p></section>'


def _section(key: str, entries: Sequence[tuple[str, str]]) -> str:
    rows = ''.join(
        f'<li><a {source_links.opening(link)}>{escape(name)}</a></li>'
        for name, link in entries
        if name and link
    )
    return f'<section><h3>{escape(label(key))}</h3><ul>{rows}</ul></section>' if rows else ''


def title(view: View) -> str:
    """What is shown, with the buttons for a favourite and for where one begins."""
    heading = markup.heading(view)
    return f'<div class="cg-heading"><div>{heading}</div>{_tools(view)}</div>' if heading else ''


def _tools(view: View) -> str:
    link, start = shown_link(view), escape(label('home'))
    button = '<button type="button" class="cg-sign"'
    star = ''
    if link:
        yes, no = escape(label('favourite_add')), escape(label('favourite_drop'))
        name = escape(_shown_title(view))
        facts = f'data-cg-star="{escape(link)}" data-name="{name}" data-yes="{yes}" data-no="{no}"'
        told = f'aria-label="{escape(label("favourite"))}" title="{yes}" aria-pressed="false"'
        star = f'{button} {facts} {told}></button>'
    return (
        f'<span class="cg-beside-title">{star}{button} data-cg-home title="{start}" '
        f'aria-label="{start}" aria-expanded="false">⌂</button></span>'
    )


def shown_link(view: View) -> str:
    """The link of the gallery on show, as a person would paste it; '' without one.

    What the filters say is not of it: they are this browser's, and count for every gallery.
    """
    if view.saved is not None:
        return view.saved.link
    if view.gallery is None or isinstance(view.gallery, Favourites):
        return ''
    base, source = setting.civitai_base_url, view.gallery.source
    if source.kind != 'images':  # else it is what the filters left of everybody's
        source = replace(source, sort='', period='', type='', base_models=())
    return page_of(source, base)


def _shown_title(view: View) -> str:
    """What the gallery on show is called where it stands among others."""
    gallery = view.gallery
    if gallery is None or gallery.model is None:
        return markup.name_of(gallery.source) if gallery else view.shown_name
    is_of_version = gallery.source.version_id or gallery.source.kind == 'version'
    return view.shown_name if is_of_version else gallery.model.name


# --- what a search found --------------------------------------------------------------------------


def found(view: View) -> str:
    """The models that were found, as cards; what their pictures show is on its way.

    '' where something else is seen.
    """
    if not view.finds:
        return ''
    search, given = view.search, view.given
    loading = given.grid(search.grid) if given else None
    title = escape(label('found_title', words=search.words))
    if given and loading and search.page.models:
        facts, place = grid_markup.facts(given, search.grid, loading), grid_markup.folder(given)
        smalls = zip(search.page.models, loading.smalls)
        cards = ''.join(_card(one, small, place) for one, small in smalls)
        tag = f'cg-cards-{int(search.grid)}'
        body = f'<{tag} class="cg-grid"{facts}><ul class="cg-cards">{cards}</ul></{tag}>'
    else:
        body = f'<p>{escape(label("found_hint"))}</p>'
    is_of_before = view.is_of_before and search.page.models
    before = markup.of_before('found_of_before') if is_of_before else ''
    close = escape(label('found_close'))
    name = escape(label('found_name', words=search.words))
    return (
        f'<section class="cg-found" data-words="{escape(search.words)}" data-name="{name}">'
        f'<h2 class="cg-title">{title}<button type="button" class="cg-sign" data-cg-close '
        f'title="{close}" aria-label="{close}">✕</button></h2>'
        f'{before}{body}{_more(search)}</section>'
    )


def found_status(search: SearchView) -> str:
    """How many were found, and what is left out."""
    page = search.page
    ceiling, count = setting.gallery_maturity_ceiling, len(page.models)
    key = {0: 'found_none', 1: 'found_count_one'}.get(count, 'found_count')
    told = [label(key, count=count, words=search.words)]
    told += [label('found_hidden', count=page.hidden, ceiling=ceiling)] if page.hidden else []
    told += [label('found_unreadable', count=page.unreadable)] if page.unreadable else []
    return markup.notice(markup.sentences(*told), 'calm' if count else 'problem')


def _more(search: SearchView) -> str:
    if not search.has_more:
        return ''
    more = escape(label('found_more'))
    button = f'<button type="button" class="cg-button" data-cg-more>{more}</button>'
    return f'<p class="cg-actions">{button}</p>'


def _card(one: FoundModel, small: Small, place: str) -> str:
    model = one.model
    link = urls.page_url(setting.civitai_base_url, 'models', model.id)
    facts = ''.join(
        f'<span class="cg-chip">{escape(fact)}</span>'
        for fact in (model.kind, one.base_model)
        if fact
    )
    creator = source_links.user(model.creator)
    picture = grid_markup.picture(one.picture, small, place) if one.picture else _no_picture()
    return (
        f'<li class="cg-card"><a class="cg-card-open" {source_links.opening(link)}>{picture}'
        f'<strong>{escape(model.name)}</strong></a> {source_links.away(link)}'
        f'<div class="cg-card-facts">{facts}{creator}</div></li>'
    )


def _no_picture() -> str:
    """What stands in the place of a picture that there is none of."""
    told = escape(label('found_no_picture'))
    return f'<span class="cg-cell cg-no-picture" data-state="there">{told}</span>'
