"""The HTML of the grid: one cell for each picture, in the picture's own proportions."""

from __future__ import annotations

from urllib.parse import quote

from .. import setting
from ..archive.marks import Marks
from ..civitai import blurhash
from ..civitai.gallery import CEILINGS, GalleryImage
from ..errors import CivitaiError
from ..widgets import escape
from . import generation, keeping
from .larger import Size
from .loading import Given, Loading, Small, State
from .markup import label, listed
from .view import View

# The route that pictures come from, relative to the page: so it is right behind any proxy.
ROUTE = 'civitai-gallery'
_MISSING, _SOUND = 'no_preview.png', 'audio.png'
CARDS = (_MISSING, _SOUND)
# gradio 6 makes new HTML out of the elements that are there if their tags are alike: a cell would
# show the picture of the page before until its own has come.
_TAG, _MORE_TAG = 'cg-grid', 'cg-next'
_PROMPT_SIGN = '✎'
# So many are asked for before they are there, so that something is seen as soon as can be. Each of
# them may hold one of the six connections of a browser for a second.
_AWAITED = 2
# Wider and higher ones are cut, so that none becomes a line.
_NARROWEST, _WIDEST, _USUAL = 0.5, 2.2, 0.75


def grid(view: View, name: str) -> str:
    """The grid called `name`, with what is there by now; '' if there is no such grid."""
    loading = view.given.grid(name) if view.given else None
    images = view.shown.get(name, ())
    if view.given is None or loading is None or not images:
        return ''
    data, cells = facts(view.given, name, loading), _cells(view, name, loading)
    style = f'--cg-cols:{setting.gallery_columns}'
    title = escape(label('grid'))
    tag = f'{_TAG}-{int(name)}'
    opening = f'<{tag} class="cg-grid" role="group" aria-label="{title}" style="{style}"{data}>'
    return f'{opening}<div class="cg-cells">{cells}</div></{tag}>'


def more(view: View, name: str, after: str) -> str:
    """What makes the grid called `after`, which the browser has, the one called `name`.

    That is the cells of the last page, in a template, so that nothing is fetched for them yet.
    """
    loading = view.given.grid(name) if view.given else None
    if view.given is None or loading is None:
        return ''
    data = facts(view.given, name, loading)
    cells = _cells(view, name, loading, view.grown.before)
    inner = f'<template class="cg-more" data-after="{escape(after)}"{data}>{cells}</template>'
    tag = f'{_MORE_TAG}-{int(name)}'
    return f'<{tag}>{inner}</{tag}>'


def facts(given: Given, name: str, loading: Loading) -> str:
    """What the browser is told of a grid, before its cells are looked at so that none is missed."""
    told = {
        'grid': name,
        'known': loading.changes,
        'states': f'{ROUTE}/grid/{quote(given.secret)}/{quote(name)}',
        'missing': f'{ROUTE}/card/{_MISSING}',
        'saved': listed('', label('grid_saved')),  # after what else is said of a picture
        **{one.value: f'{ROUTE}/{one.value}/{quote(given.secret)}/{quote(name)}' for one in Size},
    }
    return ''.join(f' data-{key}="{escape(value)}"' for key, value in told.items())


def folder(given: Given) -> str:
    """Where the pictures of a browser tab come from."""
    return f'{ROUTE}/picture/{quote(given.secret)}'


def mini(source: str) -> str:
    """The small picture at `source`, as a sign beside a line of text."""
    return f'<img class="cg-mini" src="{escape(source)}" alt="">'


def picture(image: GalleryImage, one: Small, place: str) -> str:
    """A small picture of `place` in a cell that is no button, as part of something else."""
    why = escape(cause(one.error)) if one.state is State.FAILED else ''
    return (
        f'<span class="cg-cell" data-state="{one.state.value}" style="{_look(image)}">'
        f'<img {_source(image, one, place)} alt="" decoding="async" draggable="false">'
        f'<span class="cg-cause">{why}</span></span>'
    )


def _cells(view: View, name: str, loading: Loading, first: int = 0) -> str:
    """The cells of the grid called `name`, from the place `first` on."""
    images = view.shown.get(name, ())
    place = folder(view.given) if view.given else ''
    saved = keeping.saved_ids(images) if view.may_see_saved else frozenset()
    marked, may_choose = view.picture.marks, view.saved is None
    every = list(enumerate(zip(images, loading.smalls)))[first:]
    return ''.join(
        _cell(number, image, one, place, images, marked, image.id in saved, may_choose)
        for number, (image, one) in every
    )


def cause(error: CivitaiError | None) -> str:
    """Why a small picture failed, in words."""
    return (error or CivitaiError('error_see_log')).message_in(setting.language)


def states(loading: Loading) -> dict[str, object]:
    """How far the small pictures of a grid are, for the browser."""
    known = loading.changes
    lost = loading.places(State.FAILED)
    failed = {str(place): cause(loading.smalls[place].error) for place in lost}
    there, is_over = loading.places(State.THERE), loading.is_over
    return {'known': known, 'there': there, 'failed': failed, 'over': is_over}


def _cell(
    place: int,
    image: GalleryImage,
    one: Small,
    folder: str,
    images: tuple[GalleryImage, ...],
    marked: Marks,
    is_saved: bool,
    may_choose: bool,
) -> str:
    marks = _marks(image, images)
    key = 'grid_picture_alone' if setting.gallery_endless else 'grid_picture'  # as more may come
    told = [label(key, number=place + 1, total=len(images))]
    told += [f'@{image.username}'] if image.username else []
    told += [label('grid_saved')] if is_saved else []
    kept = ' data-kept=""' if is_saved else ''
    is_favourite, is_hidden = image.id in marked.favourites, image.id in marked.hidden
    told += [label('mark_favourite')] if is_favourite else []
    told += [label('marked_hidden')] if is_hidden else []
    mine = 'data-favourite="" ' if is_favourite else ''
    mine += 'data-hidden="" ' if is_hidden else ''
    name = escape(listed(*told, *marks.values()))
    badges = ''.join(map(_badge, marks, marks.values()))
    badges += _badge('★', label('mark_favourite'), 'cg-star')
    badges += _badge('⊘', label('marked_hidden'), 'cg-hid')
    badges += _badge('✓', label('grid_saved'), 'cg-kept')
    why = escape(cause(one.error)) if one.state is State.FAILED else ''
    again = escape(label('grid_again'))
    return (
        f'<div class="cg-cell" data-state="{one.state.value}" data-kind="{_kind(image)}" '
        f'data-picture="{image.id}"{kept} {mine}style="{_look(image)}">'
        f'<button type="button" class="thumbnail-item" data-index="{place}" aria-pressed="false" '
        f'tabindex="{-1 if place else 0}" aria-label="{name}" title="{why}">'
        f'<img {_source(image, one, folder, place < _AWAITED)} alt="" decoding="async" '
        f'draggable="false"><span class="cg-badges" aria-hidden="true">{badges}</span></button>'
        f'<span class="cg-cause">{why}</span>'
        f'<button type="button" class="cg-again" data-again="{place}">{again}</button>'
        f'{_tick(place) if may_choose else ""}</div>'
    )


def _badge(sign: str, words: str, kind: str = '') -> str:
    """A sign in the corner of a cell; its words are in the name of the cell too, which is heard."""
    named = f' class="{kind}"' if kind else ''
    return f'<span{named} title="{escape(words)}">{escape(sign)}</span>'


def _tick(place: int) -> str:
    """What marks the picture at `place` of a grid as chosen; where none is kept, there is none."""
    name = escape(label('select_picture', number=place + 1))
    return (
        f'<button type="button" class="cg-tick" role="checkbox" aria-checked="false" tabindex="-1" '
        f'data-place="{place}" aria-label="{name}"></button>'
    )


def _kind(image: GalleryImage) -> str:
    return 'video' if image.is_video else 'audio' if image.is_audio else 'image'


def card(image: GalleryImage) -> str:
    """The address of what is shown where there is no picture."""
    return f'{ROUTE}/card/{_SOUND if image.is_audio else _MISSING}'


def _source(image: GalleryImage, one: Small, folder: str, is_awaited: bool = False) -> str:
    own, instead = escape(f'{folder}/{quote(one.name)}'), card(image)
    if not one.name:
        return f'src="{instead}"'
    shown = instead if one.state is State.FAILED else own
    # what is on its way is not asked for until the browser shows it
    waits = 'loading="lazy" ' if one.state is State.COMING and not is_awaited else ''
    return f'{waits}src="{shown}" data-src="{own}"'


def _look(image: GalleryImage) -> str:
    """The proportions of a cell, and its colour until the picture is there."""
    known = image.width > 0 and image.height > 0 and not image.is_audio
    ratio = image.width / image.height if known else _USUAL
    colour = blurhash.average(image.item.get('hash'))
    ground = f';--cg-ground:{colour}' if colour else ''
    return f'--cg-ratio:{min(max(ratio, _NARROWEST), _WIDEST):.3f}{ground}'


def _marks(image: GalleryImage, images: tuple[GalleryImage, ...]) -> dict[str, str]:
    """What is said of a picture in its cell: each sign with its words."""
    marks: dict[str, str] = {}
    if len({other.level for other in images}) > 1:
        level = [name for name, mask in CEILINGS.items() if image.level & mask][:1]
        marks |= {name: label('grid_level', level=name) for name in level}
    marks |= {label('grid_video'): label('grid_video')} if image.is_video else {}
    marks |= {label('grid_sound'): label('grid_sound')} if image.is_audio else {}
    return marks | ({_PROMPT_SIGN: label('grid_prompt')} if generation.text(image) else {})
