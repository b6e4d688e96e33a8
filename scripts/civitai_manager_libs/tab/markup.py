"""The pieces of HTML the gallery shows. Every word from outside is escaped here."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, Sequence

from .. import api, setting, texts
from ..civitai import resources, urls
from ..civitai.gallery import PERIODS, GalleryImage, ImagePage
from ..civitai.source import GallerySource, address_of
from ..downloads.offline import SavedGallery
from ..downloads.plan import failed_message
from ..errors import CancelledError, CivitaiError, KeyNeededError, WrongContentError
from ..widgets import escape
from . import origin, source_links
from .downloading import Step
from .events import has_next
from .favourites import Favourites
from .view import View

PREFIX = 'civitai_gallery'  # of every element's id


def label(key: str, **values: object) -> str:
    """A text of the interface in the language of the settings."""
    return texts.text(key, setting.language, **values)


def sentences(*told: str) -> str:
    """What is told, one sentence after another, in the language of the settings."""
    return texts.sentences(told, setting.language)


def listed(*names: str) -> str:
    """Names with commas between them, in the language of the settings."""
    return texts.listed(names, setting.language)


def notice(message: str, mood: str = 'calm', more: str = '') -> str:
    """One line for the status; mood is calm, busy, good or problem. `more` is HTML.

    The browser has it spoken, see `browser.spoken`.
    """
    role = 'alert' if mood == 'problem' else 'status'
    return f'<div class="cg-notice cg-{mood}" data-spoken="{role}">{escape(message)}{more}</div>'


def problem(error: CivitaiError) -> str:
    """What went wrong, as a notice, with a button that leads to what mends it."""
    mood = 'calm' if isinstance(error, CancelledError) else 'problem'
    return notice(error.message_in(setting.language), mood, remedy(error))


def not_listed(error: CivitaiError) -> str:
    """Why nothing was listed, as `problem`, with a button that asks again where that may help."""
    # by its kind: one that was given up is not tried again by itself
    if not (type(error).transient or isinstance(error, (WrongContentError, CancelledError))):
        return problem(error)
    again = escape(label('grid_again'))
    button = f' <button type="button" class="cg-button" data-repeat-load>{again}</button>'
    mood = 'calm' if isinstance(error, CancelledError) else 'problem'
    return notice(error.message_in(setting.language), mood, button)


def remedy(error: CivitaiError | None) -> str:
    """A button that leads to what mends `error`, after a space; '' where there is no such place."""
    is_in_box = error is not None and error.key == 'source_is_key'
    if not is_in_box and not isinstance(error, KeyNeededError):
        return ''
    text, empties = escape(label('key_show')), ' data-cg-secret' if is_in_box else ''
    return f' <button type="button" class="cg-button" data-show="key"{empties}>{text}</button>'


def place(path: str, key: str = 'job_folder') -> str:
    """Where files are, as text that one click marks, to be copied; '' for nowhere."""
    if not path:
        return ''
    path = f'<code class="cg-path">{escape(path)}</code>'
    return f'<div class="cg-place">{escape(label(key))} {path}</div>'


def step(step: Step, may_see_paths: bool = False) -> str:
    """How far a download is, with a bar while it runs, then where its files are.

    Its beginning and its end are spoken, not each picture.
    """
    if step.mood != 'busy':
        return notice(step.message, step.mood, place(step.folder if may_see_paths else ''))
    says = '' if step.done else ' data-spoken="status"'
    return f'<div class="cg-notice cg-busy"{says}>{escape(step.message)} {progress(step)}</div>'


def progress(step: Step) -> str:
    """A bar that shows how far a download is."""
    name = escape(step.message)
    return f'<progress value="{step.done}" max="{step.total}" aria-label="{name}"></progress>'


def waits(view: View) -> str:
    """What a listing waits for that takes long, with a button that gives it up; '' for none."""
    if view.waits.is_over:
        return ''
    told = view.waits.told.sentence or label('status_loading')
    cancel = escape(label('load_cancel'))
    button = f'<button type="button" class="cg-button" data-cancel-load>{cancel}</button>'
    return f'<div class="cg-notice cg-busy">{escape(told)} {button}</div>'


def page_status(view: View) -> str:
    """What the status says about a page that was just listed."""
    page, lost = view.page, len(view.lost)
    count = len(page.images) - lost
    gallery, saved = view.gallery, view.saved
    if gallery is None and saved is None:
        return notice(label('status_start'))
    ceiling, unwanted = view.filters.chosen.ceiling, origin.hidden(view)
    counts = {'hidden': origin.above(view), 'surplus': page.surplus}
    counts |= {'saved_missing_some': saved.missing if saved else 0}
    counts |= {'foreign': page.foreign, 'unreadable': page.unreadable}
    told = [label(key, count=n, ceiling=ceiling) for key, n in counts.items() if n] + unwanted
    if page.stopped:
        told.append(label('listing_stopped', cause=page.stopped.message_in(setting.language)))
    if lost:
        told.append(failed_message(view.lost, len(page.images), setting.language))
    if not count:
        mood = 'calm' if unwanted or view.filters.chosen.narrowing else 'problem'
        return notice(sentences(*told) or _nothing(view, ceiling), mood)
    ready = label('status_ready_one' if count == 1 else 'status_ready', count=count)
    is_odd = lost or page.stopped
    told += origin.told(view)
    return notice(sentences(ready, *told), 'problem' if is_odd else 'calm')


def _nothing(view: View, ceiling: str) -> str:
    """What to say where there is nothing, and nothing else is known of it."""
    gallery = view.gallery
    if gallery is None:
        return label('saved_nothing')
    if view.filters.chosen.narrowing:
        return label('status_nothing_such')
    if gallery.version is None:
        return label('status_nothing', ceiling=ceiling)
    return label('status_nothing_of_version', version=gallery.version.label, ceiling=ceiling)


def heading(view: View) -> str:
    """The name of what is shown, marked where something else was to be loaded since."""
    name = saved_title(view.saved) if view.saved else title(view.gallery, view.page)
    if not (name and view.is_of_before):
        return name
    return name + of_before('of_before')


def of_before(key: str) -> str:
    """What marks something that stays because what was to take its place could not be loaded."""
    return f'<div class="cg-notice cg-before" role="note">{escape(label(key))}</div>'


def keeps(view: View) -> str:
    """Whose pictures are downloaded where that could be mistaken, or why none are; '' else."""
    if view.saved is not None:
        link = view.saved.link
        named = f' <a {source_links.opening(link)}>{escape(link)}</a>' if link else ''
        return notice(label('saved_keeps'), more=named)
    if not view.is_of_before or view.gallery is None:
        return ''
    return notice(label('of_before_keeps', name=view.shown_name))


def title(gallery: api.Gallery | None, page: ImagePage = ImagePage()) -> str:
    """The name of what is shown, and whose it is: each leads to its gallery, and to its page.

    page: its pictures, of which one that is shown alone tells its user and its post.
    """
    if gallery is None:
        return ''
    source, model = gallery.source, gallery.model
    wishes = escape(_wishes(source))
    if model:
        link = urls.page_url(setting.civitai_base_url, 'models', model.id)
        return _heading(
            model.name, link, (escape(model.kind), source_links.user(model.creator), wishes)
        )
    if isinstance(gallery, Favourites):
        return f'<h2 class="cg-title">{escape(label("favourites"))}</h2>'
    link = address_of(source, setting.civitai_base_url)
    gone = escape(label('model_gone')) if gallery.is_orphan else ''
    return _heading(name_of(source), link, (*_owners(source, page), wishes, gone))


def _owners(source: GallerySource, page: ImagePage) -> Iterator[str]:
    """Whose a post or a picture is, and in which post that is; as far as its pictures tell."""
    first = next(iter(page.images), None)
    if first is not None and source.kind in ('post', 'image'):
        yield source_links.user(first.username)
        yield source_links.post(first) if source.kind == 'image' else ''


def saved_title(saved: SavedGallery) -> str:
    """The name of a saved gallery, marked as such, with why it is shown if nobody chose it."""
    name = escape(saved.name)
    if saved.link:
        name = source_links.gallery_link(name, saved.link)
    told = label('saved_mark', count=saved.count, day=saved.day)
    if saved.why is not None:
        told = label('saved_instead', why=saved.why.message_in(setting.language), mark=told)
    mark = f'<div class="cg-notice cg-saved" role="note">{escape(told)}</div>'
    return f'<h2 class="cg-title">{name}</h2>{mark}'


def name_of(source: GallerySource) -> str:
    """What a gallery that belongs to no model is called."""
    if source.kind == 'user' and source.username:
        return source.username
    kind = 'videos' if source.kind == 'images' and source.type == 'video' else source.kind
    return label(f'title_{kind}', number=source.number or source.user_id)


def choice(name: str, value: str) -> str:
    """What the choice `value` of a filter, '' for any, is called; Civitai's word if it has none."""
    value = '' if value == PERIODS[0] else value
    key = f'filter_{name}_{value.lower().replace(" ", "_") or "any"}'
    return label(key) if key in texts.TABLES[texts.DEFAULT_LANGUAGE] else value


def asked(wishes: Mapping[str, object]) -> str:
    """What was asked for, by the names of its fields, in the words of the form and the filters."""
    return ' · '.join(_asked(name, value) for name, value in wishes.items())


def _asked(name: str, value: object) -> str:
    if value is True:
        return label(f'whole_{name}')
    told = choice(name, str(value)) if name in ('sort', 'period', 'type') else value
    return label('whole_setting', name=label(f'whole_{name}'), value=told)


def _wishes(source: GallerySource) -> str:
    """What the link asked for, in the words of the filters."""
    tags = (f'#{tag}' for tag in source.tags)
    asked = ('sort', source.sort), ('period', source.period), ('type', source.type)
    wishes = (*(choice(name, value) for name, value in asked if value), *source.base_models, *tags)
    return ' · '.join(wishes)


def _heading(name: str, link: str, byline: Iterable[str]) -> str:
    """A title of HTML; what is in the byline is HTML too."""
    told = ' · '.join(filter(None, byline))
    title = source_links.gallery_link(escape(name), link)
    return f'<h2 class="cg-title">{title} <small>{told}</small></h2>'


def page_info(view: View) -> str:
    """Which page this is, and whether it is the last."""
    if view.gallery is None and view.saved is None:
        return ''
    key = 'page_number' if has_next(view) else 'page_number_last'
    number: object = view.trail.page_number
    if view.grown.pages:
        number = f'{view.trail.page_number - view.grown.pages}–{view.trail.page_number}'
    return f'<span class="cg-page">{escape(label(key, number=number))}</span>'


def models_used(image: GalleryImage, marks: Sequence[str]) -> str:
    """The models that a picture was made with; marks: HTML for each of them, in their order."""
    used = resources.resources(image.meta)
    if not used:
        return ''
    marked = zip(used, marks or [''] * len(used))
    rows = ''.join(f'<li>{_resource(item)}{mark}</li>' for item, mark in marked)
    return f'<h3>{escape(label("resources"))}</h3><ul class="cg-resources">{rows}</ul>'


def _resource(item: resources.Resource) -> str:
    name = escape(item.title or item.name or f'#{item.version_id}')
    if item.version_id:
        link = urls.page_url(setting.civitai_base_url, 'model-versions', item.version_id)
        name = source_links.gallery_link(name, link)
    weight = '' if item.weight is None else f' <code>{escape(f"{item.weight:g}")}</code>'
    return f'<span class="cg-kind">{escape(label(f"resource_{item.kind}"))}</span> {name}{weight}'
