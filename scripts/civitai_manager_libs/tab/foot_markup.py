"""The HTML of the bar below the grid. Every word from outside is escaped here."""

from __future__ import annotations

import os
from urllib.parse import quote

from .. import setting
from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..errors import CivitaiError
from ..widgets import escape
from . import grid_markup, markup, thumbnails
from .downloading import Failed, Step
from .markup import label
from .view import View

# So many failures are shown without being asked for.
_FEW = 3


def select() -> str:
    """The buttons that choose several pictures; the browser shows and fills them."""
    number = '{count}'  # filled in by the browser
    texts = {
        'download': label('select_download', count=number),
        'chosen': label('select_chosen', count=number),
    }
    data = ''.join(f' data-{key}="{escape(text)}"' for key, text in texts.items())
    mode = _pick('mode', 'select', ' aria-pressed="false" disabled')
    return (
        f'<div class="cg-select" hidden{data}>'
        f'{mode}{_pick("all", "select_all", " hidden")}{_pick("none", "select_none", " hidden")}'
        '<button type="button" class="cg-button cg-primary" data-pick="send" hidden></button>'
        '<span class="cg-unseen" role="status"></span></div>'
    )


def _pick(what: str, key: str, more: str = '') -> str:
    text = escape(label(key))
    return f'<button type="button" class="cg-button" data-pick="{what}"{more}>{text}</button>'


def step(view: View, now: Step, may_see_paths: bool) -> str:
    """How far a download is, with a bar, then what became of it and what can be done with that.

    The browser learns from it which pictures are saved.
    """
    ids = ','.join(map(str, view.keeping.kept_ids if view.keeping else ()))
    kept = f'<span hidden data-kept="{ids}"></span>'
    if now.mood == 'busy':
        told = f'{escape(now.message)} {markup.progress(now)}'
        return f'<div class="cg-notice cg-busy">{told}{kept}</div>'
    folder = now.folder if may_see_paths else ''
    opening = _press('open_folder') if folder else ''
    told = f'{escape(now.message)} {opening}{markup.place(folder)}'
    return f'<div class="cg-notice cg-{now.mood}">{told}{kept}</div>{failures(view)}'


def _press(name: str) -> str:
    """A button that presses the one of that name for a person."""
    text = escape(label(name))
    return f'<button type="button" class="cg-button" data-press="{name}">{text}</button>'


def failures(view: View) -> str:
    """The pictures that failed at the last download, each with its cause and a way to try again."""
    failed = view.failed
    if not failed:
        return ''
    rows = ''.join(_failure(view, place, one) for place, one in enumerate(failed))
    title = escape(label('failures_of', count=len(failed), name=view.kept_as))
    opened = ' open' if len(failed) <= _FEW else ''
    return (
        f'<details class="cg-failures"{opened}><summary>{title}</summary><ul>{rows}</ul></details>'
    )


def _failure(view: View, place: int, one: Failed) -> str:
    image, cause = one
    page = urls.page_url(setting.civitai_base_url, 'images', image.id)
    why = (cause or CivitaiError('error_see_log')).message_in(setting.language)
    again = escape(label('grid_again'))
    name = escape(label('again_picture', id=image.id))
    return (
        f'<li>{_small(view, image)}<a href="{escape(page)}" target="_blank" rel="noreferrer">'
        f'{image.id}</a> {escape(why)}{markup.remedy(cause)} '
        f'<button type="button" class="cg-button" '
        f'data-again-one="{place}" aria-label="{name}">{again}</button></li>'
    )


def _small(view: View, image: GalleryImage) -> str:
    """The small picture, as long as a grid of this tab has it; '' else."""
    name = os.path.basename(setting.get_image_url_to_gallery_file(thumbnails.address(image)))
    if image.is_audio or view.given is None or view.given.find(name) is None:
        return ''
    return grid_markup.mini(f'{grid_markup.folder(view.given)}/{quote(name)}')
