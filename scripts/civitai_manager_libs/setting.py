"""Settings. The module attributes are the truth; SETTINGS describes those a person may change.

The environment is read once, when this module is imported, and wins over the settings file,
which `load()` reads.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Union
from urllib.parse import urlsplit

import platformdirs

from . import gallery, host, media, texts, urls
from .errors import UrlRefusedError

Value = Union[bool, int, float, str]

log = logging.getLogger(__name__)

APP_NAME = 'civitai-gallery'
ROOT = Path(os.path.abspath(__file__)).parents[2]
DEFAULT_BASE_URL = 'https://civitai.com'
MAX_SETTINGS_BYTES = 1_000_000


def _is_base_url(value: str) -> bool:
    try:
        urls.origin(value)
    except UrlRefusedError:
        return False
    return urlsplit(value).path in ('', '/') and not urlsplit(value).query


def _is_proxy(value: str) -> bool:
    parts = urlsplit(value)
    return not value or (parts.scheme in ('http', 'https') and bool(parts.hostname))


def _from_environment(variable: str, default: str, is_good: Callable[[str], bool]) -> str:
    """The value of an environment variable, `default` if unset; a bad one is named and ignored."""
    value = os.environ.get(variable, '').strip()
    if value and not is_good(value):
        log.warning('%s is not usable and is ignored; using %r', variable, default)
    return value if value and is_good(value) else default


def _known_language(value: str) -> bool:
    return value in texts.LANGUAGES


data_folder: str = os.environ.get('CIVITAI_GALLERY_HOME', '').strip() or str(
    platformdirs.user_data_path(APP_NAME, appauthor=False)
)
civitai_api_key: str = os.environ.get('CIVITAI_TOKEN', '').strip()

civitai_base_url: str = _from_environment('CIVITAI_BASE_URL', DEFAULT_BASE_URL, _is_base_url)
language: str = _from_environment('CIVITAI_GALLERY_LANG', 'en', _known_language)

http_timeout: int = 20
http_max_retries: int = 4
http_retry_delay: float = 0.5
http_proxy: str = ''
extra_hosts: str = ''
gallery_download_batch_size: int = 5
gallery_download_timeout: int = 30
gallery_max_concurrent_downloads: int = 16
gallery_columns: int = 6
gallery_rows: int = 4
gallery_maturity_ceiling: str = gallery.SAFE_CEILING
shortcut_gallery_folder: str = os.path.join(data_folder, 'picture_cache')
download_images_folder: str = ''

no_card_preview_image: str = str(ROOT / 'img' / 'no_preview.png')


@dataclass(frozen=True)
class Setting:
    """One setting a person may change; its label and help are texts `setting_<name>[_help]`.

    The type is that of the default. minimum and maximum bound a number, choices a text;
    environment names the variable that wins over the file.
    """

    name: str
    default: Value
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    is_good: Callable[[str], bool] | None = None
    environment: str = ''

    def accepts(self, value: object) -> bool:
        """Tell whether `value`, of unknown origin, may become this setting."""
        if isinstance(self.default, str):
            good = isinstance(value, str) and len(value) <= 4096 and value.isprintable()
            return good and self._accepts_text(str(value))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        whole = isinstance(value, int) or isinstance(self.default, float)
        return whole and self.minimum <= value <= self.maximum

    def _accepts_text(self, value: str) -> bool:
        return (not self.choices or value in self.choices) and (
            self.is_good is None or self.is_good(value)
        )


def _is_folder_name(value: str) -> bool:
    return not value or os.path.isabs(os.path.expanduser(value))


SETTINGS: tuple[Setting, ...] = (
    Setting(
        'civitai_base_url',
        civitai_base_url,
        is_good=_is_base_url,
        environment='CIVITAI_BASE_URL',
    ),
    Setting('language', language, choices=texts.LANGUAGES, environment='CIVITAI_GALLERY_LANG'),
    Setting('gallery_maturity_ceiling', gallery_maturity_ceiling, choices=tuple(gallery.CEILINGS)),
    Setting('gallery_columns', gallery_columns, 1, 12),
    Setting('gallery_rows', gallery_rows, 1, 16),
    Setting('gallery_max_concurrent_downloads', gallery_max_concurrent_downloads, 1, 64),
    Setting('gallery_download_batch_size', gallery_download_batch_size, 1, 100),
    Setting('gallery_download_timeout', gallery_download_timeout, 1, 600),
    Setting('http_timeout', http_timeout, 1, 600),
    Setting('http_max_retries', http_max_retries, 3, 20),
    Setting('http_retry_delay', http_retry_delay, 0, 60),
    Setting('http_proxy', http_proxy, is_good=_is_proxy),
    Setting('extra_hosts', extra_hosts),
    Setting('download_images_folder', download_images_folder, is_good=_is_folder_name),
    Setting('shortcut_gallery_folder', shortcut_gallery_folder, is_good=_is_folder_name),
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
    if not os.environ.get('CIVITAI_TOKEN', '').strip():
        _assign('civitai_api_key', _read_key())
    path = settings_file()
    try:
        if not path.is_file():
            return
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            raise ValueError('too large')
        stored = json.loads(path.read_text(encoding='utf-8'))
        if not isinstance(stored, dict):
            raise ValueError('not a JSON object')
    except (OSError, ValueError, RecursionError) as error:
        log.warning('Settings file %s is not usable (%s); using defaults', path, error)
        _keep_aside(path)
        return
    _take_over(stored, path)


def _take_over(stored: dict[str, object], path: Path) -> None:
    bad = []
    for item in SETTINGS:
        if item.name not in stored or os.environ.get(item.environment, '').strip():
            continue
        if item.accepts(stored[item.name]):
            value: Any = stored[item.name]
            _assign(item.name, type(item.default)(value))
        else:
            bad.append(item.name)
    if bad:
        log.warning('Settings in %s that are not usable: %s; using defaults', path, ', '.join(bad))
        _keep_aside(path)
        good = {k: v for k, v in stored.items() if k not in bad}
        _write(path, json.dumps(good, indent=2, ensure_ascii=False))


def _assign(name: str, value: Value) -> None:
    setattr(sys.modules[__name__], name, value)


def _keep_aside(path: Path) -> None:
    """Move an unusable file to the first free `settings.broken-N.json` beside it."""
    try:
        number = 1
        while (aside := path.with_name(f'{path.stem}.broken-{number}.json')).exists():
            number += 1
        os.replace(path, aside)
        log.warning('The file is kept as %s', aside)
    except OSError as error:
        log.warning('The file could not be kept aside: %s', error)


def _write(path: Path, content: str) -> None:
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        part.write_text(content, encoding='utf-8')
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        log.warning('Settings could not be saved: %s', error)


def _read_key() -> str:
    path = api_key_file()
    try:
        if not path.is_file():
            return ''
        path.chmod(0o600)
        key = path.read_text(encoding='utf-8').strip()
    except (OSError, ValueError) as error:
        log.warning('The API key file %s is not readable: %s', path, error)
        return ''
    if not key.isascii() or not key.isprintable() or ' ' in key:
        log.warning('The API key file %s does not hold a key', path)
        return ''
    return key


def get_image_url_to_gallery_file(url: str) -> str:
    """Return the path in the picture cache for the picture at `url`; it depends on `url` alone."""
    digest = hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:40]
    suffix = os.path.splitext(url.partition('?')[0])[1].lower()
    extension = suffix if suffix in media.MEDIA_SUFFIXES else '.jpeg'
    return os.path.join(os.path.expanduser(shortcut_gallery_folder), digest + extension)


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
