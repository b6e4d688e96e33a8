"""The functions the gallery lives by. Other code calls them by these names and signatures.

Collaborators are reached at call time, as attributes of `setting`, `util`, `ishortcut` and `gr`
and as globals of this module, so that a caller can put others in their place.
"""

from __future__ import annotations

import copy
import datetime
import shutil
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

import gradio as gr

from . import forks, ishortcut, setting, texts, util, widgets
from .archive.place import archive
from .civitai import urls
from .civitai.gallery import GalleryImage
from .downloads import ahead, batch, presence, reuse
from .downloads.annotating import Annotator, Manner
from .downloads.plan import BatchReport, DownloadJob, DownloadResult, Outcome, failed_message
from .errors import CivitaiError, SourceError, StorageError
from .http_client import CivitaiHttpClient, get_http_client
from .store import cache, files, sidecars

__all__ = ['CivitaiHttpClient', 'get_http_client', 'gr', 'util', 'setting', 'ishortcut']

THUMBNAIL_WIDTH = 450
USER_GALLERY_FOLDER = 'user_gallery_images'
MAX_NOTICES = 1000

Results = Iterator[tuple[int, DownloadResult]]

# What threads found out, told at the next event of the session that started them.
_notices: dict[str, list[str]] = {}
_notices_lock = forks.Lock()


def _download_single_image(img_url: str, save_path: str) -> bool:
    """Save the picture at `img_url` as `save_path`; True if it is there whole."""
    saved = bool(get_http_client().download_file(img_url, save_path))
    util.printD(f'{"saved" if saved else "failed"}: {urls.redact(img_url)}')
    return saved


def download_images(dn_image_list: Sequence[str]) -> None:
    """Save each picture in the picture cache, several at once; never raises.

    Pictures that are there are not fetched again. Failures are told by a toast.
    """
    _tell(batch.report(_fill(_cache_jobs(dn_image_list))))


def download_images_with_progress(
    dn_image_list: Sequence[str],
    progress_callback: Callable[[int, int, str], None] | None = None,
) -> None:
    """The same as `download_images`, calling back in this thread once per picture.

    `progress_callback(done, total, message)` gets a rising `done`.
    """
    jobs = _cache_jobs(dn_image_list)
    _tell(batch.report(_counted(_fill(jobs), len(jobs), progress_callback)))


def download_images_batch(dn_image_list: Sequence[str], batch_size: int | None = None) -> None:
    """The same as `download_images`, `batch_size` pictures (None: the setting) at a time."""
    size = max(1, batch_size or setting.gallery_download_batch_size)
    jobs = _cache_jobs(dn_image_list)
    parts = [batch.report(_fill(jobs[i : i + size], jobs)) for i in range(0, len(jobs), size)]
    _tell(BatchReport(tuple(result for part in parts for result in part.results)))


def gallery_loading(images_url: Sequence[str] | None, progress: Any) -> tuple[Any, Any, Any]:
    """Return a local path for every picture, twice, and the time, which triggers a refresh.

    What failed is `setting.no_card_preview_image`, and a toast says why. A path is used as it is
    if it lies in the picture cache. Nothing to load gives (None, None, an update that hides).
    `progress` is asked for `tqdm(iterable, desc=...)`.
    """
    if not images_url:
        return None, None, gr.update(visible=False)
    jobs = [_loading_job(url) for url in images_url]
    cache.on_screen.show(widgets.session(), [job.path for job in jobs])
    bar = progress.tqdm(jobs, desc=texts.text('progress_loading', setting.language))
    report = batch.report(batch.moving(bar, _fill(jobs)))
    _tell(report)
    paths = [
        setting.no_card_preview_image if result.outcome is Outcome.FAILED else result.path
        for result in report.results
    ]
    return paths, list(paths), datetime.datetime.now()


def download_user_gallery_images(
    model_id: int | str, image_urls: Sequence[str] | None
) -> str | None:
    """Keep pictures of a model: <download folder>/<model name>/user_gallery_images/.

    Files are named for good by what the address identifies and the extension of the bytes.
    Returns the model's folder, None (and a toast) if there is none.
    """
    model_info = ishortcut.get_model_info(model_id) if model_id else None
    if not model_info:
        widgets.toast(texts.text('model_not_known', setting.language), gradio=gr)
        return None
    try:
        folder, results = keep_pictures(model_info['name'], image_urls or ())
    except StorageError as error:
        widgets.toast(error.message_in(setting.language), gradio=gr)
        return None
    _tell(batch.report(results))
    return folder or None


def keep_pictures(name: str, image_urls: Sequence[str]) -> tuple[str, Results]:
    """Keep pictures under <download folder>/<name>/; return that folder and results to come.

    Nothing is fetched before the results are asked for; what was saved before, wherever that is,
    is not fetched at all. Raises StorageError if the folder cannot be made.
    """
    return _keep(name, lambda folder: batch.picture_jobs(image_urls, folder), {}, Manner())


def keep_images(
    name: str, images: Sequence[GalleryImage], stop: threading.Event | None = None
) -> tuple[str, Results]:
    """The same for the originals of `images`, of which Civitai told what they are.

    How they were made is written into them and beside them as the settings say. Once `stop` is set,
    what is under way ends, and the results raise CancelledError.
    """
    by_address = {urls.original_url(image.url): image for image in images}
    manner = Manner(setting.gallery_embed_infotext, sidecars.chosen(setting.gallery_sidecars))
    return _keep(name, lambda folder: batch.image_jobs(images, folder), by_address, manner, stop)


def _keep(
    name: str,
    jobs_in: Callable[[Path], list[DownloadJob]],
    images: Mapping[str, GalleryImage],
    manner: Manner,
    stop: threading.Event | None = None,
) -> tuple[str, Results]:
    folder = util.make_download_image_folder(name)
    if not folder:
        return '', iter(())
    target = Path(folder) / USER_GALLERY_FOLDER
    with files.explained(target):
        target.mkdir(parents=True, exist_ok=True)
    annotator = Annotator(archive, get_http_client(), manner, stop or forks.Event())
    shelf = reuse.Shelf(archive, images, annotator)
    fetch = shelf.before(_keep_single_image)
    kept = batch.keep_all(jobs_in(target), fetch, _concurrency(), shelf.finish, stop)
    return folder, shelf.noted(kept)


def pre_loading(page_url: str, paging_information: Mapping[str, Any] | None) -> None:
    """Fetch the pictures of the page after `page_url` into the picture cache, in a thread.

    `paging_information` has "totalPages" and "totalPageUrls", the addresses of all pages in
    order; without it `page_url` itself is fetched. Failures are told at the next event.
    """
    address = ahead.following(page_url, paging_information)
    if address:
        name, given = 'civitai-gallery-pre_load', (address, widgets.session())
        threading.Thread(target=_pre_load, args=given, name=name, daemon=True).start()


def load_pictures(
    image_urls: Sequence[str],
    stop: threading.Event,
    told: Callable[[int, DownloadResult], object],
) -> None:
    """Save pictures in the picture cache; `told(position, result)` hears of each as it comes.

    Shows no toast. Once `stop` is set, what is under way ends. Raises CancelledError then.
    """
    for position, result in _fill(_cache_jobs(image_urls), stop=stop):
        told(position, result)


class GalleryDownloadManager:
    """Downloads that can be tried again later, with the client of its construction."""

    def __init__(self) -> None:
        self._client = get_http_client()
        self.failed_downloads: list[tuple[str, str]] = []

    def download_with_retry(self, url: str, path: str, max_retries: int = 2) -> bool:
        """Save `url` as `path`, with up to `max_retries` further tries; remember a failure."""
        for _ in range(max_retries + 1):
            if self._client.download_file(url, path):
                return True
        self.failed_downloads.append((url, path))
        return False

    def retry_failed_downloads(self) -> None:
        """Try again what failed; what fails again is remembered again."""
        failed, self.failed_downloads = self.failed_downloads, []
        for url, path in failed:
            self.download_with_retry(url, path)


def tell_notices() -> None:
    """Show what threads of this session found out since its last event."""
    with _notices_lock:
        waiting = _notices.pop(widgets.session(), [])
    for message in waiting:
        widgets.toast(message, gradio=gr)


def failure_of(url: str) -> CivitaiError | None:
    """Return why the last fetch of `url` failed; None if nobody can tell."""
    tell = getattr(get_http_client(), 'failure_for', None)
    cause = tell(url) if tell else None
    return copy.copy(cause)  # the client's own is for others too


def failure_message(report: BatchReport) -> str:
    """Say how many pictures failed, why and what to do; '' if none did."""
    errors = [result.error for result in report.failures]
    return failed_message(errors, len(report.results), setting.language)


def _tell(report: BatchReport) -> None:
    """Log a report; show a toast if something failed."""
    util.printD(_summary(report))
    tell_notices()
    message = failure_message(report)
    if message:
        widgets.toast(message, gradio=gr)


def _summary(report: BatchReport) -> str:
    counts = ', '.join(f'{report.count(outcome)} {outcome.value}' for outcome in Outcome)
    return f'pictures: {counts}'


def _cache_jobs(image_urls: Sequence[str] | None) -> list[DownloadJob]:
    return [_cache_job(url) for url in image_urls or () if url and isinstance(url, str)]


def _cache_job(url: str) -> DownloadJob:
    path = setting.get_image_url_to_gallery_file(url)
    return DownloadJob(url, path, present=presence.is_there(path))


def _loading_job(url: str) -> DownloadJob:
    """The job for one entry of a gallery, which may be a file we have."""
    if not url or not isinstance(url, str):
        return DownloadJob('', '')
    if util.is_url_or_filepath(url) != 'filepath':
        return _cache_job(url)
    mine = _is_cached_picture(url)
    return DownloadJob(url, url if mine else '', present=mine)


def _is_cached_picture(path: str) -> bool:
    """Tell whether `path` is in the picture cache and a picture; more of it cannot be had."""
    inside = files.is_inside(path, setting.shortcut_gallery_folder)
    return inside and files.media_type(Path(path)) is not None


def _fill(
    jobs: Sequence[DownloadJob],
    wanted: Sequence[DownloadJob] = (),
    stop: threading.Event | None = None,
) -> Results:
    """Run jobs of the picture cache, then bound it; what is `wanted` (these jobs) stays in it."""
    results = batch.download(jobs, _fetch, _concurrency(), stop)
    return batch.bounded(results, setting.picture_cache(), setting.cache_limit(), wanted or jobs)


def _concurrency() -> int:
    return max(1, setting.gallery_max_concurrent_downloads)


def _fetch(url: str, path: str) -> bool:
    """Save `url` as `path`. Raises the cause where the client can tell it."""
    if not path:
        raise SourceError('path_refused')
    if _download_single_image(url, path):
        return True
    cause = failure_of(url)
    if cause is not None:
        raise cause
    return False


def _keep_single_image(url: str, path: str) -> bool:
    """The same, copying what is a file of the picture cache."""
    if util.is_url_or_filepath(url) != 'filepath':
        return _fetch(url, path)
    if not _is_cached_picture(url):
        raise SourceError('path_refused')
    with files.part_file(path) as part, files.explained(part.parent):
        shutil.copyfile(url, part)
    return True


def _counted(
    results: Results, total: int, callback: Callable[[int, int, str], None] | None
) -> Results:
    for done, result in enumerate(results, start=1):
        if callback:
            message = texts.text('progress_picture', setting.language, done=done, total=total)
            callback(done, total, message)
        yield result


def _pre_load(address: str, session: str) -> None:
    """Fetch the pictures of a page; note what failed for `session`."""
    client = get_http_client()
    data = client.get_json(address) if hasattr(client, 'get_json') else None
    pictures = ahead.thumbnails(data, THUMBNAIL_WIDTH, setting.maturity_levels(), address)
    report = batch.report(_fill(_cache_jobs(pictures)))
    util.printD(_summary(report))
    message = failure_message(report)
    if message:
        with _notices_lock:
            _notices.setdefault(session, []).append(message)
            if len(_notices) > MAX_NOTICES:  # sessions that never came back
                _notices.pop(next(iter(_notices)))
