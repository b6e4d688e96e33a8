"""The HTML of the chosen picture: itself, and how it was made. Words from outside are escaped."""

from __future__ import annotations

import base64
import json
from typing import Sequence
from urllib.parse import quote

from .. import setting
from ..archive import marks
from ..civitai import comfy, infotext, resources, urls
from ..civitai.gallery import CEILINGS, GalleryImage
from ..widgets import escape
from . import generation, grid_markup, markup, source_links
from .larger import Size
from .loading import State
from .markup import label
from .view import View

_LONGEST_WORKFLOW = 2_000_000
_WORDS = (
    'copied copy_failed lightbox lightbox_close lightbox_previous lightbox_next lightbox_full '
    'lightbox_full_loads lightbox_failed lightbox_turns lightbox_end lightbox_waits '
    'lightbox_copy_all keys keys_close picture_told grid_damaged'
).split()
# What `browser.keys`, the grid and the lightbox hear, by what stands on the keys.
_KEYS = {
    '← → ↑ ↓': 'arrows',
    'Enter': 'enter',
    'F': 'large',
    'N / P': 'pages',
    'D': 'keep',
    'S': 'favourite',
    '+ / − / 0': 'nearer',
    'O': 'original',
    'Esc': 'escape',
    '/': 'source',
    '?': 'list',
}
# Not every system has a letter for it.
_CORNERS = (
    '<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" '
    'stroke-width="2" aria-hidden="true"><path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/></svg>'
)
# As in grid_markup: what gradio 6 would make of the elements before is the picture before.
_TAG = 'cg-picture'


def words() -> str:
    """What the browser itself says, in the language of the settings."""
    told: dict[str, object] = {
        key: label(key, cause='{cause}', picture='{picture}') for key in _WORDS
    }
    for name, key in (('favourite', 'mark_favourite'), ('hidden', 'marked_hidden')):
        told[f'grid_{name}'] = markup.listed('', label(key))  # after what else is said
    told['key_list'] = {key: label(f'key_{name}') for key, name in _KEYS.items()}
    return f'<span data-words="{escape(json.dumps(told))}"></span>'


def nothing(may_mark: bool = False) -> str:
    """What stands in the place of the picture where none is chosen; the owner has favourites."""
    button = (
        '<p class="cg-actions"><button type="button" class="cg-button" data-cg-press="favourites">'
        f'★ {escape(label("favourites"))}</button></p>'
    )
    told = f'<p class="cg-none">{escape(label("picture_none"))}</p>'
    return f'<div class="cg-nothing">{told}{button if may_mark else ""}</div>'


def stage(view: View) -> str:
    """The chosen picture: the small one at once, over it the large one as it comes."""
    image, at = view.selected, view.picture
    loading = view.given.grid(at.grid) if view.given else None
    if image is None or view.given is None or loading is None:
        return nothing()
    one = loading.smalls[at.place]
    secret, grid = quote(view.given.secret), quote(at.grid)
    small = f'{grid_markup.ROUTE}/picture/{secret}/{quote(one.name)}'
    if image.is_audio or not one.name or one.state is State.FAILED:
        small = grid_markup.card(image)
    large = f'{grid_markup.ROUTE}/{Size.LARGE.value}/{secret}/{grid}/{at.place}'
    tag = f'{_TAG}-{int(at.grid)}-{at.place}'
    larger = escape(label('lightbox_open'))
    if image.is_video:
        shown = (
            f'<video src="{escape(large)}" poster="{escape(small)}" controls loop playsinline '
            f'preload="metadata"></video><button type="button" class="cg-open cg-corner" '
            f'aria-label="{larger}" title="{larger}">{_CORNERS}</button>'
        )
    else:
        over = '' if image.is_audio else f'<img class="cg-large" src="{escape(large)}" alt="">'
        shown = (
            f'<button type="button" class="cg-open" aria-label="{larger}" title="{larger}">'
            f'<img class="cg-small" src="{escape(small)}" alt="">{over}</button>'
        )
    return f'<{tag} class="cg-picture" data-of="{_of(view)}">{shown}</{tag}>'


def _of(view: View) -> str:
    """Which picture something is about, for the browser."""
    return escape(f'{view.picture.grid} {view.picture.place}')


def details(
    image: GalleryImage,
    searched: bool = False,
    used: Sequence[str] = (),
    below: str = '',
    view: View | None = None,
) -> str:
    """Who made a picture, with what, and where it is on Civitai.

    searched: its own file was read too, so what is missing was not shared. used: HTML for each of
    its models, in their order; below: HTML that follows them. view: the one it was chosen in.
    """
    size = f'{image.width}×{image.height}' if image.width and image.height else ''
    level = next((name for name, mask in CEILINGS.items() if image.level & mask), '')
    kind = image.kind if image.is_audio else ''
    facts = (kind, image.base_model, size, level)
    chips = ''.join(f'<span class="cg-chip">{escape(fact)}</span>' for fact in facts if fact)
    graph = comfy.workflow(image.meta)
    missing = _missing(image, searched, bool(graph))
    told = generation.text(image)
    body = (
        f'{_marks(view, image) if view else ""}'
        f'<div class="cg-about-picture">{_author(image)}{chips}{_links(image)}</div>'
        f'{missing}{_texts(told)}{_workflow(graph)}{markup.models_used(image, used)}{below}'
    )
    of = f' data-of="{_of(view)}"' if view else ''
    return f'<div class="cg-details"{of}>{body}</div>'


def _marks(view: View, image: GalleryImage) -> str:
    """What can be done with a picture: kept by anybody, marked by the owner."""
    at, ours = _of(view), view.picture
    buttons = ''
    if view.gallery is not None:
        name = escape(label('picture_keep'))
        buttons = f'<button type="button" class="cg-button" data-cg-keep="{at}">{name}</button>'
    if ours.may_mark:
        kinds = (
            (marks.FAVOURITE, '★', image.id in ours.marks.favourites),
            (marks.HIDDEN, '', image.id in ours.marks.hidden),
        )
        for kind, sign, is_so in kinds:
            is_left_out = is_so and kind == marks.HIDDEN
            words = label('marked_hidden' if is_left_out else f'mark_{kind}')
            name = escape(f'{sign} {words}'.strip())
            buttons += (
                f'<button type="button" class="cg-button cg-mark" '
                f'aria-pressed="{str(is_so).lower()}" '
                f'data-cg-mark="{kind} {int(not is_so)} {at}">{name}</button>'
            )
    return f'<p class="cg-actions cg-marks">{buttons}</p>' if buttons else ''


def hidden(view: View) -> str:
    """How many pictures of the page the owner has hidden, with a button that shows them; '': none.

    Where they are shown, one that leaves them out.
    """
    ours = view.picture
    count = len([image for image in view.page.images if image.id in ours.marks.hidden])
    if not (ours.left_out or (ours.shows_hidden and count)):
        return ''
    said, does = ('hidden_by_you', 'left_show') if ours.left_out else ('hidden_shown', 'hide_again')
    told = label(said, count=ours.left_out or count)
    button = '<button type="button" class="cg-button" data-cg-press="show_hidden">'
    return f'{escape(told)} {button}{escape(label(does))}</button>'


def _author(image: GalleryImage) -> str:
    """Who posted it and where, each as a link that opens the gallery here."""
    told = filter(None, (source_links.user(image.username), source_links.post(image)))
    return ''.join(f'<span class="cg-author">{one}</span> ' for one in told)


def _links(image: GalleryImage) -> str:
    link = urls.page_url(setting.civitai_base_url, 'images', image.id)
    away = f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">'
    return f'<span class="cg-links">{away}{escape(label("open_on_civitai"))}</a></span>'


def _missing(image: GalleryImage, searched: bool, has_graph: bool) -> str:
    """What to say where there is no infotext."""
    if generation.text(image):
        return ''
    if has_graph:
        key = 'workflow_only'
    else:
        is_silent = searched and not resources.resources(image.meta)
        key = 'no_infotext' if is_silent else 'infotext_unknown'
    return f'<p class="cg-none">{escape(label(key))}</p>'


def copies(text: str = '') -> str:
    """A button that copies `text`, by default what stands below it as .cg-copied."""
    own = f' data-text="{escape(text)}"' if text else ''
    done, fails = escape(label('copied')), escape(label('copy_failed'))
    return (
        f'<button type="button" class="cg-button cg-copy" data-cg-copy{own} data-done="{done}" '
        f'data-fails="{fails}">{escape(label("copy"))}</button>'
    )


def _texts(told: str) -> str:
    """Prompt, negative prompt and settings of an infotext, each to be copied."""
    parts = infotext.parts(told)
    html = ''
    for key, text in (('prompt', parts.prompt), ('negative_prompt', parts.negative)):
        if text:
            body = f'<div class="cg-copied cg-prose">{escape(text)}</div>'
            html += _section(label(key), copies(), body)
    if parts.settings:
        rows = ''.join(
            f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
            for name, value in parts.settings.items()
        )
        html += _section(
            label('generation_settings'),
            copies(parts.line),
            f'<table class="cg-settings"><tbody>{rows}</tbody></table>',
        )
    return html


def _section(title: str, button: str, body: str) -> str:
    return f'<section class="cg-text"><h3>{escape(title)}</h3>{button}{body}</section>'


def _workflow(graph: str) -> str:
    """A ComfyUI workflow, to be copied and saved."""
    if not graph or len(graph) > _LONGEST_WORKFLOW:
        return ''
    data = base64.b64encode(graph.encode('utf-8', 'replace')).decode()
    link = f'<a download="workflow.json" href="data:application/json;base64,{data}">'
    saves = f'<p class="cg-line">{link}{escape(label("workflow"))}</a></p>'
    return _section(label('workflow_title'), copies(), saves)
