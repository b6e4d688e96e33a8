"""Settings. The module attributes are the truth; SETTINGS describes those a person may change.

The environment is read once, when this module is imported, and wins over the settings file,
which `load()` reads. Stands on host, store, civitai, forks, errors and texts.

keyfile      the API key, as it is kept
hosted       what the settings page of a WebUI holds and cannot be used, told once
kinds        what a setting may be: its type, its range, whether a value of unknown origin fits
environment  what the environment of this process says
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Mapping

import platformdirs

from .. import forks, host, texts
from ..civitai import gallery, keys, modelfiles
from ..errors import SourceError, StorageError
from ..store import cache, private, templates
from . import environment, hosted, keyfile, kinds
from .environment import APP_NAME
from .kinds import Setting, Value

log = logging.getLogger(__name__)

ROOT = Path(os.path.abspath(__file__)).parents[3]
DEFAULT_BASE_URL = 'https://civitai.com'

# Held while files and attributes change together, so that reading does not bring back what was
# before a save that has not ended. Other programs are kept out by a lock of the file's own.
_changing = forks.Lock()


data_folder: str = environment.data_folder()
civitai_api_key: str = keys.usable_key(environment.chosen('CIVITAI_TOKEN', '', kinds.is_key))

civitai_base_url: str = environment.chosen('CIVITAI_BASE_URL', DEFAULT_BASE_URL, kinds.is_base_url)
language: str = environment.chosen('CIVITAI_GALLERY_LANG', texts.AUTO, kinds.known_language)

http_timeout: int = 20
http_max_retries: int = 4
http_retry_delay: float = 0.5
http_proxy: str = ''
http_ca_bundle: str = ''
extra_hosts: str = ''
gallery_download_batch_size: int = 5
gallery_download_timeout: int = 30
gallery_max_concurrent_downloads: int = 16
download_timeout: int = 30
download_max_retries: int = 4
download_retry_delay: float = 0.5
model_download_segments: int = 4
model_download_rate: float = 0.0
model_file_format: str = 'SafeTensor'
model_file_size: str = ''
model_file_precision: str = ''
gallery_columns: int = 6
gallery_rows: int = 4
gallery_endless: bool = False
gallery_maturity_ceiling: str = gallery.SAFE_CEILING
shortcut_gallery_folder: str = os.path.join(data_folder, 'picture_cache')
shortcut_gallery_max_mib: int = 2048
shortcut_thumbnail_folder: str = os.path.join(data_folder, 'thumbnails')
download_images_folder: str = ''
gallery_name_template: str = templates.DEFAULT
gallery_embed_infotext: bool = True
gallery_sidecars: str = ''
gallery_jobs_go_on: bool = False
gallery_jobs_of_others: bool = False
models_folder: str = ''
model_folder_template: str = ''
model_info_file: bool = True
model_preview_file: bool = True
model_json_file: bool = True

no_card_preview_image: str = str(ROOT / 'img' / 'no_preview.png')
audio_card_image: str = str(ROOT / 'img' / 'audio.png')

SETTINGS: tuple[Setting, ...] = (
    Setting(
        'civitai_base_url',
        civitai_base_url,
        is_good=kinds.is_base_url,
        environment='CIVITAI_BASE_URL',
        owner_only=True,
    ),
    Setting('language', language, choices=texts.CHOICES, environment='CIVITAI_GALLERY_LANG'),
    Setting('gallery_maturity_ceiling', gallery_maturity_ceiling, choices=tuple(gallery.CEILINGS)),
    Setting('gallery_columns', gallery_columns, 1, 12),
    Setting('gallery_rows', gallery_rows, 1, 16),
    Setting('gallery_endless', gallery_endless),
    Setting('gallery_max_concurrent_downloads', gallery_max_concurrent_downloads, 1, 64),
    Setting('gallery_download_batch_size', gallery_download_batch_size, 1, 100),
    Setting('gallery_download_timeout', gallery_download_timeout, 1, 600),
    Setting('model_download_segments', model_download_segments, 1, 16),
    Setting('model_download_rate', model_download_rate, 0, 10_000),
    Setting('model_file_format', model_file_format, choices=modelfiles.FORMATS),
    Setting('model_file_size', model_file_size, choices=modelfiles.PORTIONS),
    Setting('model_file_precision', model_file_precision, choices=modelfiles.PRECISIONS),
    Setting('download_timeout', download_timeout, 1, 600),
    Setting('download_max_retries', download_max_retries, 3, 20),
    Setting('download_retry_delay', download_retry_delay, 0, 60),
    Setting('http_timeout', http_timeout, 1, 600),
    Setting('http_max_retries', http_max_retries, 3, 20),
    Setting('http_retry_delay', http_retry_delay, 0, 60),
    Setting('http_proxy', http_proxy, is_good=kinds.is_proxy, owner_only=True),
    Setting('http_ca_bundle', http_ca_bundle, is_good=kinds.is_path_or_empty, owner_only=True),
    Setting('extra_hosts', extra_hosts, owner_only=True),
    Setting('download_images_folder', '', is_good=kinds.is_path_or_empty, owner_only=True),
    Setting(
        'shortcut_gallery_folder',
        shortcut_gallery_folder,
        is_good=kinds.is_cache_folder,
        owner_only=True,
    ),
    Setting('shortcut_gallery_max_mib', shortcut_gallery_max_mib, 1, 1_000_000),
    Setting(
        'gallery_name_template', gallery_name_template, is_good=kinds.is_template, owner_only=True
    ),
    Setting('gallery_embed_infotext', gallery_embed_infotext, owner_only=True),
    Setting('gallery_sidecars', gallery_sidecars, is_good=kinds.is_sidecars, owner_only=True),
    Setting('gallery_jobs_go_on', gallery_jobs_go_on, owner_only=True),
    Setting('gallery_jobs_of_others', gallery_jobs_of_others, owner_only=True),
    Setting('models_folder', models_folder, is_good=kinds.is_path_or_empty, owner_only=True),
    Setting(
        'model_folder_template',
        model_folder_template,
        is_good=kinds.is_folder_template,
        owner_only=True,
    ),
    Setting('model_info_file', model_info_file, owner_only=True),
    Setting('model_preview_file', model_preview_file, owner_only=True),
    Setting('model_json_file', model_json_file, owner_only=True),
)


def settings_file() -> Path:
    """The file settings are kept in."""
    return Path(data_folder) / 'settings.json'


def api_key_file() -> Path:
    """The file, readable by its owner only, that may hold the API key."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False) / 'api_key'


def load() -> None:
    """Take over the settings file and the key file. Never raises.

    A file or value that is not usable gives the default, a warning in the log, and a copy of
    the file kept aside.
    """
    with _changing:
        if not key_is_fixed():
            _assign('civitai_api_key', keyfile.read(api_key_file()))
        path = settings_file()
        try:
            stored = private.read_json(path)
        except private.UNREADABLE as error:
            log.warning('Settings file %s is not usable (%s); using defaults', path, error)
        else:
            bad = _take_over(stored)
            if not bad:
                return
            log.warning('Settings in %s not usable: %s; using defaults', path, ', '.join(bad))
            for item in (item for item in SETTINGS if item.name in bad):
                if why := item.why_not(stored[item.name], language):
                    log.warning('%s', why)
        _mend(path)


def _take_over(stored: Mapping[str, object]) -> list[str]:
    """Make these values the settings; return the names of those that may not be."""
    items = [item for item in SETTINGS if item.name in stored and not is_fixed(item)]
    return [item.name for item in items if not _offer(item, stored[item.name])]


def _mend(path: Path) -> None:
    """Keep the settings file aside, and go on without what is not usable in it.

    It is read once more, because another program may have written it in the meantime.
    """
    try:
        with private.locked(path):
            try:
                stored = private.read_json(path)
            except private.UNREADABLE:
                _keep_aside(path)
                return
            bad = _take_over(stored)
            if bad and _keep_aside(path):
                private.write_json(path, {k: v for k, v in stored.items() if k not in bad})
    except StorageError as error:
        log.warning('Settings could not be saved: %s', error)


def refresh() -> None:
    """Take over what the settings page of a WebUI around us says now, where it is usable."""
    texts.around = texts.named(host.detect().language())
    for item in SETTINGS:
        value = host.detect().option(item.name)
        if value is not None and not item.owner_only and not is_fixed(item):
            usable = _offer(item, value)
            hosted.note(item.name, value, usable, getattr(sys.modules[__name__], item.name))


def save(values: Mapping[str, object]) -> list[str]:
    """Take over and keep new values; return the names of those that are not usable.

    What other tabs and programs save at the same time stays. Raises StorageError if the settings
    file cannot be written; then they count until the end.
    """
    known = {item.name: item for item in SETTINGS if not is_fixed(item)}
    with _changing:
        bad = [n for n, value in values.items() if n not in known or not _offer(known[n], value)]
        kept = {name: getattr(sys.modules[__name__], name) for name in values if name not in bad}
        if kept:
            path = settings_file()
            with private.locked(path):
                try:
                    stored = private.read_json(path)
                except private.UNREADABLE:
                    stored = {}
                    _keep_aside(path)
                private.write_json(path, {**stored, **kept})
    return bad


def is_fixed(item: Setting) -> bool:
    """Tell whether the environment decides this setting, with a value that is usable."""
    value = environment.variable(item.environment) if item.environment else ''
    return bool(value) and item.accepts(value)


def key_is_fixed() -> bool:
    """Tell whether the environment decides the API key, with one that is usable."""
    value = environment.variable('CIVITAI_TOKEN')
    return bool(value) and kinds.is_key(value)


def save_api_key(key: str) -> None:
    """Use `key` from now on and keep it where only its owner can read it; '' removes it.

    Raises SourceError if it cannot be a key or the environment decides, StorageError if it
    cannot be kept.
    """
    if key_is_fixed():
        raise SourceError('key_from_environment')
    key, path = keys.usable_key(key), api_key_file()
    with _changing:
        with private.locked(path):
            if key:
                private.write(path, key)
            else:
                private.remove(path)
        _assign('civitai_api_key', key)


def _offer(item: Setting, value: object) -> bool:
    """Make `value` the setting if it may be; tell whether it may."""
    if not item.fits(value):
        return False
    fitting: Any = item.fitting(value)
    _assign(item.name, fitting)
    return True


def _assign(name: str, value: Value) -> None:
    setattr(sys.modules[__name__], name, value)


def _keep_aside(path: Path) -> bool:
    try:
        log.warning('The file is kept as %s', private.keep_aside(path))
    except OSError as error:
        log.warning('The file could not be kept aside: %s', error)
        return False
    return True


def get_image_url_to_gallery_file(url: str) -> str:
    """Return the path in the picture cache for the picture at `url`; it depends on `url` alone."""
    return os.path.join(os.path.expanduser(shortcut_gallery_folder), cache.picture_name(url))


def claim_picture_cache() -> None:
    """Make the picture cache and mark it as ours. Raises StorageError if it cannot be one."""
    picture_cache().claim()


def picture_cache() -> cache.PictureCache:
    """Return the picture cache; in our own data folder, but not behind a link, all is ours."""
    folder = Path(shortcut_gallery_folder).expanduser()
    place = Path(data_folder) / 'picture_cache'
    return cache.at(folder, trusted=folder == place and not folder.is_symlink())


def cache_limit() -> int:
    """How many bytes the pictures of the picture cache may have."""
    return shortcut_gallery_max_mib * cache.MIB


def download_folder() -> Path:
    """The folder that downloads go to: the setting, else where the host keeps pictures."""
    if download_images_folder:
        return Path(download_images_folder).expanduser()
    return host.detect().downloads_folder()


def page_size() -> int:
    """Pictures on a gallery page, at most what Civitai gives at once."""
    return min(gallery_columns * gallery_rows, gallery.MAX_LIMIT)


def maturity_levels() -> int:
    """The mask of maturity levels that may be shown."""
    return gallery.CEILINGS.get(gallery_maturity_ceiling, gallery.CEILINGS[gallery.SAFE_CEILING])


def extra_host_names() -> tuple[str, ...]:
    """Hosts the user trusts besides Civitai's, lower case."""
    return tuple(name.strip().lower() for name in extra_hosts.split(',') if name.strip())
