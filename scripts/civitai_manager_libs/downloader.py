"""Model files and pictures, one at a time or in the background, by names that other code knows.

The functions ask the client of `get_download_client`, a global of this module, so that a caller can
put another in its place; one that has only `download_file(url, path)` is asked just that.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import secrets
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from . import api, forks, notices, setting, texts, util, widgets
from .archive.place import archive
from .civitai import modelfiles
from .downloads import batch, crew, getting, presence, reuse
from .downloads.annotating import Annotator, Manner
from .downloads.modeljobs import model_queue
from .errors import CivitaiError, StorageError
from .http_client import get_http_client
from .library import naming, previews
from .store import files, names

log = logging.getLogger(__name__)

IMAGES_FOLDER = 'images'
STARTED = 'Download started'
MIB = 1024 * 1024
CANCEL_SECONDS = 0.3

Progress = Callable[[int, int], None]


def get_download_client() -> Any:
    """Return the client of this process, which all that is here asks."""
    return get_http_client()


def download_file(url: str, file_path: str) -> bool:
    """Save `url` as `file_path`; True if it is there whole under that name. Tells nobody."""
    return bool(get_download_client().download_file(url, file_path))


def download_file_gr(url: str, file_path: str, progress_gr: Any = None) -> bool:
    """The same with a progress bar, `progress_gr(fraction, desc)`, and a toast if it failed."""
    client, name = get_download_client(), os.path.basename(file_path)

    def told(done: int, total: int) -> None:
        if progress_gr is not None and total:
            desc = texts.text(
                'download_progress',
                setting.language,
                name=name,
                done=done // MIB,
                total=-(-total // MIB),
            )
            progress_gr(min(1.0, done / total), desc)

    saved = _saved(client, url, file_path, told)
    if progress_gr is not None:
        progress_gr(1.0, name)
    if not saved:
        why = _cause(client, url)
        words = texts.text('download_failed', setting.language, name=name, cause=why)
        widgets.toast(words)
    return saved


def _saved(client: Any, url: str, file_path: str, told: Progress | None) -> bool:
    """Save `url`, telling how far it is where `client` can tell that."""
    fetch = client.download_file
    if told is not None and _takes_progress(fetch):
        return bool(fetch(url, file_path, told))
    return bool(fetch(url, file_path))


def _takes_progress(fetch: Callable[..., object]) -> bool:
    try:
        return 'progress_callback' in inspect.signature(fetch).parameters
    except (TypeError, ValueError):  # no signature to read
        return False


def _cause(client: Any, url: str) -> str:
    tell = getattr(client, 'failure_for', None)
    cause = (tell(url) if tell else None) or CivitaiError('error_see_log')
    return str(cause.message_in(setting.language))


def download_image_file(
    model_name: str, image_urls: Sequence[str], progress_gr: Any = None
) -> None:
    """Keep pictures under <download folder>/<model name>/images, named by their addresses.

    `progress_gr(fraction, desc)` is called once a picture. Nothing happens without name or list.
    """
    if not model_name or not image_urls:
        return
    try:
        folder = Path(util.make_download_image_folder(model_name)) / IMAGES_FOLDER
        with files.explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except StorageError as error:
        widgets.toast(error.message_in(setting.language))
        return
    client = get_download_client()
    # of what is known by its address alone there is nothing to be written into it
    shelf = reuse.Shelf(archive, {}, Annotator(archive, get_http_client(), Manner(), forks.Event()))
    fetch = shelf.before(lambda url, path: bool(client.download_file(url, path)))
    jobs = batch.picture_jobs(image_urls, folder)
    at_once = max(1, setting.gallery_max_concurrent_downloads)
    results = shelf.noted(batch.keep_all(jobs, fetch, at_once, shelf.finish))
    for done, _ in enumerate(results, start=1):
        if progress_gr is not None:
            total = len(jobs)
            desc = texts.text('progress_picture', setting.language, done=done, total=total)
            progress_gr(done / total, desc)


def download_preview_image(filepath: str, version_info: Mapping[str, Any]) -> bool:
    """Save the first still of a version that may be shown as just `filepath`; False without one.

    A video counts by a still of it.
    """
    if not filepath or not isinstance(version_info, Mapping):
        return False
    levels, images = setting.maturity_levels(), version_info.get('images')
    each = ({'images': [one]} for one in (images if isinstance(images, list) else ()))
    url = next((url for one in each for url in previews.stills(one, levels)), '')
    client = get_download_client()
    return util.download_image_safe(url, filepath, client, show_error=False)


def add_number_to_duplicate_files(files: Sequence[str]) -> dict[str, str]:
    """Return {id: name} of entries "id:name", where names that came before get a number.

    `a.txt` becomes `a (1).txt`, or the next one that no other has. An id counts once.
    """
    named: dict[str, str] = {}
    for entry in files or ():
        number, colon, name = str(entry).partition(':')
        if colon:
            named.setdefault(number, name)
    taken = {name.casefold() for name in named.values()}
    used: set[str] = set()
    for number, name in named.items():
        if name.casefold() in used:
            stem, extension = os.path.splitext(name)
            count = 1
            while (name := f'{stem} ({count}){extension}').casefold() in taken | used:
                count += 1
            named[number] = name
        used.add(name.casefold())
    return named


def get_save_base_name(version_info: Mapping[str, Any]) -> str:
    """Return what the files of a version are called without their ending: as its primary file.

    Without one `<model> - <version> [<id>]`, made safe.
    """
    listed = version_info.get('files')
    for file in listed if isinstance(listed, list) else ():
        name = file.get('name') if isinstance(file, Mapping) and file.get('primary') else None
        if name and isinstance(name, str):
            return names.safe_name(os.path.splitext(name)[0])
    model = version_info.get('model')
    title = model.get('name', '') if isinstance(model, Mapping) else ''
    made = f'{title} - {version_info.get("name", "")} [{version_info.get("id", "")}]'
    return names.safe_name(made)


def download_file_thread(
    file_name: Sequence[str],
    version_id: int | str,
    ms_folder: bool,
    vs_folder: bool,
    vs_foldername: str,
    cs_foldername: str,
    ms_foldername: str,
) -> str | None:
    """Have files ("id:name") of a version fetched in the background, with their companions.

    They go into the folder of their kind, or the one called `cs_foldername` below it, and there
    into `ms_foldername` if `ms_folder`, and `vs_foldername` if `vs_folder`. Returns `STARTED` at
    once, None if nothing is begun; then a notice says why.
    """
    wanted = add_number_to_duplicate_files(file_name)
    if not wanted:
        notices.tell('download_nothing')
        return None
    client = get_download_client()
    below = [cs_foldername, ms_foldername if ms_folder else '', vs_foldername if vs_folder else '']
    begun = False
    try:
        asked = client if hasattr(client, 'fetch_json') else get_http_client()
        offered = api.fetch_offered(asked.for_a_person(), modelfiles.whole(version_id))
    except CivitaiError as error:
        _tell_failure(', '.join(wanted.values()), error)
        return None
    for number, name in wanted.items():
        try:
            choice = modelfiles.Choice(modelfiles.whole(number))
            _begin(client, getting.plan_of(offered, choice, client=asked, name=name), below)
            begun = True
        except CivitaiError as error:
            _tell_failure(name, error)
    return STARTED if begun else None


def _begin(client: Any, planned: getting.Planned, below: Sequence[str]) -> None:
    """Have what is `planned` fetched into the folders `below` that of its kind."""
    parts = [part for name in below for part in re.split(r'[/\\]', name or '')]
    safe = filter(None, (names.folder_name(part, '') for part in parts))  # '..' is no name
    folder = planned.place.root.joinpath(*safe)
    planned = replace(planned, path=folder / planned.path.name)
    presence.check_writable(folder)
    if hasattr(client, 'fetch_part'):
        model_queue().add(planned)
        return
    address, *_ = modelfiles.addresses(setting.civitai_base_url, planned.version.id, planned.file)
    path = next(naming.free_paths(folder, planned.path.name, planned.version.id))
    _Download(client, address, str(path), None).begin(lambda: None)


def _tell_failure(name: str, error: CivitaiError) -> None:
    notices.tell('download_failed', name=name, cause=error.message_in(setting.language))


class DownloadManager:
    """Downloads in the background, which can be looked at and stopped."""

    def __init__(self) -> None:
        self._active: dict[str, _Download] = {}
        self._lock = forks.Lock()

    def start(self, url: str, file_path: str, progress_cb: Progress | None = None) -> str:
        """Begin to save `url` as `file_path`; return what it is called by, at once.

        `progress_cb` gets bytes done and in all, in a thread of its own.
        """
        number = secrets.token_hex(8)
        download = _Download(get_download_client(), url, file_path, progress_cb)
        with self._lock:
            self._active[number] = download
        download.begin(lambda: self._ended(number))
        return number

    def _ended(self, number: str) -> None:
        with self._lock:
            self._active.pop(number, None)

    def list_active(self) -> list[str]:
        """Return what the downloads are called that have not ended, the oldest first."""
        with self._lock:
            return list(self._active)

    def cancel(self, download_id: str) -> bool:
        """Stop one and leave nothing of it; False if it is not active."""
        with self._lock:
            download = self._active.pop(download_id, None)
        if download is None:
            return False
        download.cancel()
        return True


class _Download:
    """One download in a thread of its own."""

    def __init__(self, client: Any, url: str, file_path: str, told: Progress | None) -> None:
        self._stop = forks.Event()
        # a client that cannot be stopped goes on to its end, and what it brought is taken away
        self._client = client.until(self._stop) if hasattr(client, 'until') else client
        self._url = url
        self._path = file_path
        self._told = told
        self._was_there = os.path.lexists(file_path)
        self._thread: threading.Thread | None = None

    def begin(self, ended: Callable[[], None]) -> None:
        """Have it done, and `ended` called then."""

        def run() -> None:
            try:
                # a client or a callback of somebody else may raise anything
                crew.guarded(self._save, self._path)
            finally:
                ended()
                if self._stop.is_set() and not self._was_there:
                    with suppress(OSError):
                        os.unlink(self._path)

        self._thread = threading.Thread(target=run, name='civitai-download', daemon=True)
        self._thread.start()

    def _save(self, path: str) -> bool:
        return _saved(self._client, self._url, path, self._told)

    def cancel(self) -> None:
        """Stop it and wait for that, for as long as it should take at the most."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CANCEL_SECONDS)
