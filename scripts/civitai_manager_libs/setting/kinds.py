"""What a setting may be: its type, its range, and whether a value of unknown origin fits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Union
from urllib.parse import urlsplit

from .. import texts
from ..civitai import keys, urls
from ..errors import CivitaiError, SourceError, UrlRefusedError
from ..store import cache, files, sidecars, templates

Value = Union[bool, int, float, str]
_WORDS = {'on': True, 'true': True, 'yes': True, 'off': False, 'false': False, 'no': False}


@dataclass(frozen=True)
class Setting:
    """One setting a person may change; its label and help are texts `setting_<name>[_help]`.

    The type is that of the default. minimum and maximum bound a number, choices a text;
    environment names the variable that wins over the file. owner_only: a WebUI's settings page,
    which every visitor may change, does not have it, because it decides who gets the API key,
    whom we talk to, which files are shown, or what is kept where, and when.
    """

    name: str
    default: Value
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    is_good: Callable[[str], bool] | None = None
    environment: str = ''
    owner_only: bool = False

    @property
    def step(self) -> float:
        """By how much a slider changes a number."""
        return 0.1 if isinstance(self.default, float) else 1

    def fitting(self, value: object) -> object:
        """Return `value` in the form of this setting: 6 for 6.0, a full path for one with ~."""
        if isinstance(self.default, bool):
            return _WORDS.get(value.strip().lower(), value) if isinstance(value, str) else value
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and self.is_good in (is_path_or_empty, is_cache_folder):
            return self._full_path(os.path.expanduser(value))
        if isinstance(self.default, int) and isinstance(value, float) and value.is_integer():
            return int(value)
        return float(value) if isinstance(self.default, float) and isinstance(value, int) else value

    def _full_path(self, path: str) -> str:
        """Return `path` as it is kept; for a cache, where it leads past `..` is settled here."""
        if self.is_good is not is_cache_folder or not is_path(path) or not path.isprintable():
            return path
        return str(cache.plain(Path(path)))

    def fits(self, value: object) -> bool:
        """Tell whether `value`, of unknown origin and maybe in another form, may be used."""
        return self.accepts(self.fitting(value))

    def accepts(self, value: object) -> bool:
        """Tell whether `value`, of unknown origin, may become this setting."""
        if isinstance(self.default, str):
            good = isinstance(value, str) and len(value) <= 4096 and value.isprintable()
            return good and self._accepts_text(str(value))
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        whole = isinstance(value, int) or isinstance(self.default, float)
        return whole and self.minimum <= value <= self.maximum

    def why_not(self, value: object, language: str) -> str:
        """Say why `value` may not be this setting, '' if there is no more to say about it."""
        problem: CivitaiError | None = None
        if self.is_good is is_cache_folder and isinstance(value, str) and is_path(value):
            problem = cache.refusal(Path(value).expanduser())
        elif self.is_good is is_template and isinstance(value, str):
            problem = _wrong_with_template(value)
        elif self.is_good is is_sidecars and isinstance(value, str):
            problem = _wrong_with_sidecars(value)
        elif self.is_good is is_folder_template and isinstance(value, str):
            problem = _wrong_with_template(value, templates.parse_folders)
        return problem.message_in(language) if problem else ''

    def _accepts_text(self, value: str) -> bool:
        return (not self.choices or value in self.choices) and (
            self.is_good is None or self.is_good(value)
        )


def is_base_url(value: str) -> bool:
    """Tell whether this is the address of a site and nothing more."""
    try:
        urls.origin(value)
    except UrlRefusedError:
        return False
    return urlsplit(value).path in ('', '/') and '?' not in value and '#' not in value


def is_proxy(value: str) -> bool:
    """Tell whether this is the address of a proxy, or empty; SOCKS has to name its port."""
    try:
        parts = urlsplit(value)
        has_host, port = bool(parts.hostname), parts.port
    except ValueError:  # a broken [IPv6] address, a port that is none
        return False
    is_known = parts.scheme in ('http', 'https') or (parts.scheme in ('socks5', 'socks5h') and port)
    return not value or bool(is_known and has_host and port != 0 and ' ' not in value)


def is_key(value: str) -> bool:
    """Tell whether this could be an API key."""
    try:
        return bool(keys.usable_key(value))
    except SourceError:
        return False


def known_language(value: str) -> bool:
    """Tell whether the texts exist in this language, or can follow the one that this names."""
    return value in texts.CHOICES


def is_path(value: str) -> bool:
    """Tell whether this is a full path that a system can have, maybe one that begins with ~."""
    path = os.path.expanduser(value)
    try:
        return os.path.isabs(path) and files.has_short_names(path)
    except UnicodeEncodeError:  # half a character
        return False


def is_cache_folder(value: str) -> bool:
    """Tell whether this is the full path of a folder that may be a picture cache."""
    return is_path(value) and cache.refusal(Path(value).expanduser()) is None


def is_template(value: str) -> bool:
    """Tell whether this is a pattern for names, as `store.templates` reads it."""
    return _wrong_with_template(value) is None


def is_folder_template(value: str) -> bool:
    """Tell whether this is a pattern for folders, as `store.templates` reads it, or empty."""
    return _wrong_with_template(value, templates.parse_folders) is None


def _wrong_with_template(
    value: str, read: Callable[[str], object] = templates.parse
) -> SourceError | None:
    try:
        read(value)
    except SourceError as error:
        return error
    return None


def is_sidecars(value: str) -> bool:
    """Tell whether this is a list of files beside pictures, 'none' or empty."""
    return _wrong_with_sidecars(value) is None


def _wrong_with_sidecars(value: str) -> SourceError | None:
    try:
        sidecars.chosen(value)
    except SourceError as error:
        return error
    return None


def is_path_or_empty(value: str) -> bool:
    """Tell whether this is a full path, or empty."""
    return not value or is_path(value)
