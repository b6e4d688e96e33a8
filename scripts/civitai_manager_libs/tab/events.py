"""What happens in the gallery tab: events change the `View` of a browser tab."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from .. import api, civitai_gallery_action as action, host, setting, texts, util, widgets
from ..civitai import urls
from ..civitai.gallery import CursorTrail, GalleryImage
from ..civitai.source import parse_source
from ..downloads import batch, presence
from ..downloads.plan import BatchReport, Outcome, aside_message
from ..errors import CivitaiError, SourceError, StorageError
from ..http_client import CivitaiHttpClient
from ..store import cache
from . import generation, offline, temporary
from .view import View

log = logging.getLogger(__name__)

PREVIEW_WIDTH = 1200


def open_source(view: View, pasted: str) -> None:
    """Show the first page of what was pasted, or what was saved of it if Civitai is out of reach.

    Raises CivitaiError and leaves `view` as it was.
    """
    turn = view.begin()
    source = parse_source(pasted or '', setting.civitai_base_url)
    try:
        gallery = api.open_gallery(_client(), source)
        _show(view, turn, gallery, CursorTrail())
    except CivitaiError as error:
        if not offline.show_instead(view, turn, source, error):
            raise


def _client() -> CivitaiHttpClient:
    """The client for what a person waits for; one that was put in its place knows no patience."""
    client = action.get_http_client()
    return client.for_a_person() if isinstance(client, CivitaiHttpClient) else client


def is_other_version(view: View, label: object) -> bool:
    """Tell whether `label` is not of the version that is shown, or on its way to be.

    The box of gradio 6 tells its choice whenever it is left.
    """
    shown = view.gallery.version if view.gallery else None
    return label != (view.version or (shown.label if shown else None))


def choose_version(view: View, label: str) -> None:
    """Show the first page of another version of the model, if it is another.

    Raises CivitaiError.
    """
    if not is_other_version(view, label):
        return
    turn = view.begin()
    model = view.gallery.model if view.gallery else None
    versions = model.versions if model else ()
    chosen = next((version for version in versions if version.label == label), None)
    if view.gallery is None or chosen is None:
        raise SourceError('version_unknown')
    view.version = chosen.label
    try:
        _show(view, turn, view.gallery.of_version(chosen.id), CursorTrail())
    finally:
        if turn == view.turn:
            view.version = ''


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
    if view.saved is not None:
        offline.go(view, turn, view.saved, trail)
        return
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
        view.saved, view.lost, view.problem, view.is_of_before = None, (), None, False
        view.listed = turn  # last, as others read it first


def fill_grid(view: View, progress: Any, on_screen: object = None) -> tuple[list[str], str] | None:
    """Return what the grid shows of the page, and a name for that.

    on_screen is the name of what the browser has in it (None: all that was ever given to it).
    None: it is there already, or no longer wanted, or `view.problem` says why it cannot be.
    """
    listed, images = view.listed, view.page.images
    name = str(listed)
    is_there = name in view.shown if on_screen is None else name == on_screen
    if not listed or is_there:
        return None
    try:
        paths = load_thumbnails(view, progress)
        if paths is None or listed != view.listed:
            return None
        shown = showable(paths)
    except CivitaiError as error:
        view.fails(error)
        return None
    view.shows(name, images)
    return shown, name


def load_thumbnails(view: View, progress: Any) -> list[str] | None:
    """Return a local thumbnail for each picture of the page, None if it is no longer wanted.

    Raises StorageError if the folder of the picture cache is not one.
    """
    if view.saved is not None:
        _check_cache()
        return offline.stills(view, view.saved)
    listed, images = view.listed, view.page.images
    wanted = [thumbnail(image) for image in images if not image.is_audio]
    _check_cache()
    view.sees('page', wanted)
    paths, _, _ = action.gallery_loading(wanted, progress)
    if listed != view.listed:
        return None
    missing = setting.no_card_preview_image
    lost = [url for url, path in zip(wanted, paths or ()) if path == missing]
    view.lost = tuple(action.failure_of(url) for url in lost)
    loaded = iter(paths or ())
    return [setting.audio_card_image if i.is_audio else next(loaded, missing) for i in images]


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

    The card for sounds stays as it is. Raises StorageError if gradio's folder cannot be written.
    """
    placeholder, card = setting.no_card_preview_image, setting.audio_card_image
    cached = setting.shortcut_gallery_folder
    ours = [path if cache.serves(path, cached) else None for path in paths if path != card]
    placed = temporary.shown(widgets.showable(ours, [cached], placeholder), keep=placeholder)
    left = iter(placed)
    return [card if path == card else next(left) for path in paths]


def thumbnail(image: GalleryImage) -> str:
    """The address of a small still of `image`."""
    return urls.thumbnail_url(image.url, action.THUMBNAIL_WIDTH, video=image.is_video)


def select(view: View, index: Any, shown: Any = None) -> GalleryImage:
    """Choose a picture by its place in the grid called `shown` (None: in the page).

    The page may be a newer one than the grid on the screen. Raises SourceError for a place that
    is none.
    """
    grid = view.page.images if shown is None else view.shown.get(str(shown), ())
    if not isinstance(index, int) or not 0 <= index < len(grid):
        raise SourceError('picture_unknown')
    view.selected = grid[index]
    if not view.selected.is_audio:
        view.sees('selected', [thumbnail(view.selected), preview(view.selected)])
    return view.selected


def small_file(image: GalleryImage) -> str:
    """Where the small still of `image` is on this disk; a card for a sound, which has none."""
    if image.is_audio:
        return setting.audio_card_image
    return setting.get_image_url_to_gallery_file(thumbnail(image))


def preview(image: GalleryImage) -> str:
    """The address of `image` as it is shown large: a short video of a video."""
    if image.is_video:
        return urls.video_preview_url(image.url, action.THUMBNAIL_WIDTH)
    return urls.thumbnail_url(image.url, PREVIEW_WIDTH)


def load_preview(image: GalleryImage) -> str | None:
    """Return a local file to show `image` large (a video for a video), None if there is none."""
    if image.is_audio:
        return None
    wanted = preview(image)
    action.download_images([wanted])
    path = setting.get_image_url_to_gallery_file(wanted)
    return path if presence.is_there(Path(path)) else None


def sendable(image: GalleryImage, has_still: bool) -> list[bool]:
    """Tell for each target of the host whether `image` can be sent there.

    Some take no picture, the others need no infotext.
    """
    has_text, is_picture = bool(generation_text(image)), has_still and image.kind == 'image'
    targets = host.detect().send_targets()
    return [has_text if target in host.TEXT_ONLY else is_picture for target in targets]


def generation_text(image: GalleryImage) -> str:
    """The infotext of `image`, '' if nobody tells how it was made."""
    return generation.text(image)


@dataclass(frozen=True)
class Step:
    """How far a download is: `done` of `total`, and what to say; mood as in a notice.

    folder: where its files are, once it is over; not for everybody's eyes.
    """

    message: str
    done: int
    total: int
    mood: str = 'busy'
    folder: str = ''


def download_page(view: View, again: bool = False) -> Iterator[Step]:
    """Keep the originals of this page; yield each step, the last of which sums up.

    `again`: those that failed the last time, whatever page is shown now. Raises CivitaiError where
    there is nothing to keep or no folder to keep it in.
    """
    gallery = view.gallery
    images, name = (view.page.images, gallery.folder_name) if gallery else ((), '')
    if again:
        images, name = tuple(image for image, _ in view.failed), view.kept_as
    if not images:
        raise SourceError('nothing_to_download')
    folder, results = action.keep_images(name, images)
    view.kept_in, view.kept_as = str(Path(folder) / action.USER_GALLERY_FOLDER), name
    view.is_keeping, finished = True, []
    try:
        yield _step(0, len(images))
        for result in results:
            finished.append(result)
            yield _step(len(finished), len(images))
    finally:
        view.is_keeping = False
    report = batch.report(finished)
    view.failed = tuple(
        (image, result.error)
        for image, result in zip(images, report.results)
        if result.outcome is Outcome.FAILED
    )
    yield _summed_up(report, view.kept_in)


def _step(done: int, total: int) -> Step:
    message = texts.text('progress_picture', setting.language, done=done, total=total)
    return Step(message, done, total)


def _summed_up(report: BatchReport, folder: str) -> Step:
    counts = {'saved': report.count(Outcome.SAVED), 'skipped': report.count(Outcome.SKIPPED)}
    message = texts.text('download_summary', setting.language, **counts)
    aside, failures = aside_message(report, setting.language), action.failure_message(report)
    if failures:
        widgets.toast(failures)
    total, mood = len(report.results), 'problem' if failures else 'good'
    told = ' '.join(filter(None, (message, aside, failures)))
    return Step(told, total, total, mood, folder)


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
