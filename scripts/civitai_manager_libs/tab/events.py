"""What happens in the gallery tab: one `View` per browser tab, changed by events."""

from __future__ import annotations

import logging
import secrets
import weakref
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Iterator, Sequence

from .. import api, civitai_gallery_action as action, host, setting, texts, util, widgets
from ..civitai import urls
from ..civitai.gallery import CursorTrail, GalleryImage, ImagePage
from ..civitai.source import parse_source
from ..downloads import batch, presence
from ..downloads.plan import BatchReport, Outcome, aside_message
from ..errors import SourceError, StorageError
from ..http_client import CivitaiHttpClient
from ..store import cache
from . import generation, temporary

log = logging.getLogger(__name__)

PREVIEW_WIDTH = 1200


@dataclass
class View:
    """What one browser tab looks at. Nothing in it ever comes back from the browser.

    turn counts the pages asked for, so that a slow answer never replaces a newer one. name tells
    this view from others once it has shown something, seen is what it shows.
    """

    gallery: api.Gallery | None = None
    trail: CursorTrail = field(default_factory=CursorTrail)
    page: ImagePage = field(default_factory=ImagePage)
    selected: GalleryImage | None = None
    kept_in: str = ''
    turn: int = 0
    name: str = ''
    seen: dict[str, list[str]] = field(default_factory=dict)

    def begin(self) -> int:
        """Count up and return the turn; what belongs to an older one is no longer wanted."""
        self.turn += 1
        return self.turn

    def sees(self, where: str, addresses: Sequence[str]) -> None:
        """Note which pictures this tab shows now, so that they stay in the picture cache."""
        if not self.name:
            self.name = secrets.token_hex(8)
            # gradio lets go of a view some time after its tab was closed
            weakref.finalize(self, cache.on_screen.forget, self.name)
        self.seen[where] = [setting.get_image_url_to_gallery_file(url) for url in addresses]
        cache.on_screen.show(self.name, chain.from_iterable(self.seen.values()))


def open_source(view: View, pasted: str) -> None:
    """Show the first page of what was pasted. Raises CivitaiError and leaves `view` as it was."""
    turn = view.begin()
    source = parse_source(pasted or '', setting.civitai_base_url)
    gallery = api.open_gallery(_client(), source)
    _show(view, turn, gallery, CursorTrail())


def _client() -> CivitaiHttpClient:
    """The client for what a person waits for; one that was put in its place knows no patience."""
    client = action.get_http_client()
    return client.for_a_person() if isinstance(client, CivitaiHttpClient) else client


def choose_version(view: View, label: str) -> None:
    """Show the first page of another version of the model. Raises CivitaiError."""
    turn = view.begin()
    model = view.gallery.model if view.gallery else None
    versions = model.versions if model else ()
    chosen = next((version for version in versions if version.label == label), None)
    if view.gallery is None or chosen is None:
        raise SourceError('version_unknown')
    _show(view, turn, view.gallery.of_version(chosen.id), CursorTrail())


def go_first(view: View) -> None:
    """Show the first page again. Raises CivitaiError."""
    _go(view, CursorTrail())


def go_previous(view: View) -> None:
    """Show the page before this one. Raises CivitaiError."""
    _go(view, view.trail.back())


def go_next(view: View) -> None:
    """Show the page after this one. Raises CivitaiError."""
    _go(view, view.trail.forward(view.page))


def _go(view: View, trail: CursorTrail) -> None:
    turn = view.begin()
    if view.gallery is None:
        raise SourceError('source_empty')
    _show(view, turn, view.gallery, trail)


def _show(view: View, turn: int, gallery: api.Gallery, trail: CursorTrail) -> None:
    levels = setting.maturity_levels()
    if levels != gallery.query.levels:  # cursors belong to the filter they were given for
        gallery, trail = gallery.of_levels(levels), CursorTrail()
    page = api.read_page(_client(), gallery.query, trail)
    if trail.page_number == 1 and page.is_nothing:
        api.check_there(_client(), gallery)
    if turn == view.turn:
        view.gallery, view.trail, view.page, view.selected = gallery, trail, page, None


def load_thumbnails(view: View, progress: Any) -> list[str] | None:
    """Return a local thumbnail for each picture of the page, None if it is no longer wanted.

    Raises StorageError if the folder of the picture cache is not one.
    """
    turn = view.turn
    _check_cache()
    wanted = [thumbnail(image) for image in view.page.images]
    view.sees('page', wanted)
    paths, _, _ = action.gallery_loading(wanted, progress)
    return (paths or []) if turn == view.turn else None


def _check_cache() -> None:
    """Mark the picture cache as ours. Raises StorageError if it is somebody else's folder."""
    try:
        setting.claim_picture_cache()
    except StorageError as error:
        if cache.refusal(Path(setting.shortcut_gallery_folder)):
            raise
        log.warning('The picture cache is not marked: %s', error)  # it may still be read


def load_ahead(view: View) -> None:
    """Begin to fetch the thumbnails of the next page, so that it is there when it is wanted."""
    # the pages of a post are cut out of the whole, which no address can ask for
    if view.gallery and has_next(view) and not view.gallery.query.as_posted:
        query = view.gallery.query.parameters(view.page.next_cursor)
        action.load_ahead(urls.api_url(setting.civitai_base_url, 'images', query))


def allowed_folders() -> list[str]:
    """The folders of which gradio may serve every file: our own pictures."""
    return [str(setting.ROOT / 'img')]


def showable(paths: list[str]) -> list[str]:
    """Return what gradio can show for `paths`: the placeholder for what is missing or not ours.

    Raises StorageError if gradio's folder cannot be written.
    """
    placeholder = setting.no_card_preview_image
    cached = setting.shortcut_gallery_folder
    ours = [path if cache.serves(path, cached) else None for path in paths]
    return temporary.shown(widgets.showable(ours, [cached], placeholder), keep=placeholder)


def thumbnail(image: GalleryImage) -> str:
    """The address of a small still of `image`."""
    return urls.thumbnail_url(image.url, action.THUMBNAIL_WIDTH, video=image.is_video)


def select(view: View, index: Any) -> GalleryImage:
    """Choose a picture of the page by its place. Raises SourceError for a place that is none."""
    if not isinstance(index, int) or not 0 <= index < len(view.page.images):
        raise SourceError('picture_unknown')
    view.selected = view.page.images[index]
    view.sees('selected', [thumbnail(view.selected), preview(view.selected)])
    return view.selected


def preview(image: GalleryImage) -> str:
    """The address of `image` as it is shown large: a short video of a video."""
    if image.is_video:
        return urls.video_preview_url(image.url, action.THUMBNAIL_WIDTH)
    return urls.thumbnail_url(image.url, PREVIEW_WIDTH)


def load_preview(image: GalleryImage) -> str | None:
    """Return a local file to show `image` large (a video for a video), None if it failed."""
    wanted = preview(image)
    action.download_images([wanted])
    path = setting.get_image_url_to_gallery_file(wanted)
    return path if presence.is_there(Path(path)) else None


def sendable(image: GalleryImage, has_still: bool) -> list[bool]:
    """Tell for each target of the host whether `image` can be sent there.

    A WebUI that gets an empty infotext pastes the person's own last one instead.
    """
    has_text, is_picture = bool(generation_text(image)), has_still and not image.is_video
    needs = {'txt2img': has_text, 'extras': is_picture}
    targets = host.detect().send_targets()
    return [needs.get(target, has_text and is_picture) for target in targets]


def generation_text(image: GalleryImage) -> str:
    """The infotext of `image`, '' if nobody tells how it was made."""
    return generation.text(image)


@dataclass(frozen=True)
class Step:
    """How far a download is: `done` of `total`, and what to say; mood as in a notice."""

    message: str
    done: int
    total: int
    mood: str = 'busy'


def download_page(view: View) -> Iterator[Step]:
    """Keep the originals of this page; yield each step, the last of which sums up.

    Raises CivitaiError where there is nothing to keep or no folder to keep it in.
    """
    if view.gallery is None or not view.page.images:
        raise SourceError('nothing_to_download')
    total, finished = len(view.page.images), []
    folder, results = action.keep_images(view.gallery.folder_name, view.page.images)
    view.kept_in = str(Path(folder) / action.USER_GALLERY_FOLDER)
    yield _step(0, total)
    for result in results:
        finished.append(result)
        yield _step(len(finished), total)
    yield _summed_up(batch.report(finished), view.kept_in)


def _step(done: int, total: int) -> Step:
    message = texts.text('progress_picture', setting.language, done=done, total=total)
    return Step(message, done, total)


def _summed_up(report: BatchReport, folder: str) -> Step:
    message = texts.text(
        'download_summary',
        setting.language,
        saved=report.count(Outcome.SAVED),
        skipped=report.count(Outcome.SKIPPED),
        folder=folder,
    )
    aside, failures = aside_message(report, setting.language), action.failure_message(report)
    if failures:
        widgets.toast(failures)
    total, mood = len(report.results), 'problem' if failures else 'good'
    return Step(' '.join(filter(None, (message, aside, failures))), total, total, mood)


def open_kept_folder(view: View, request: Any) -> str:
    """Open the folder of the last download on this machine; return what to tell about it."""
    if not widgets.is_owner(request):
        here = widgets.is_same_machine(request)
        return texts.text('folder_not_yours' if here else 'folder_not_here', setting.language)
    folder = view.kept_in or str(setting.download_folder())
    key = 'folder_opened' if util.open_folder(folder) else 'folder_not_opened'
    return texts.text(key, setting.language, folder=folder)


def has_next(view: View) -> bool:
    """Tell whether there is a page after this one."""
    return view.trail.can_go_to(view.page.next_cursor)
