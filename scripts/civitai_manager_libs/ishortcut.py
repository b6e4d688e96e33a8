"""Model information, kept in the archive: asked for again after a day, of use without a network."""

from __future__ import annotations

import functools
import logging
import os
import re
from typing import Any, Collection, Mapping, cast

from . import api, setting, util
from .civitai import urls
from .civitai.versions import KnownVersion, parse_version
from .http_client import CivitaiHttpClient, get_http_client
from .library import told, updates

log = logging.getLogger(__name__)

_ID = re.compile(r'[0-9]{1,10}')


def get_shortcut_client() -> CivitaiHttpClient:
    """Return the client of this process, which all of these functions ask."""
    return get_http_client()


def get_model_info(model_id: int | str) -> dict[str, Any] | None:
    """Return what is known of a model, asking Civitai if need be; None if nothing is.

    Only `name` may be relied on. What was said more than a day ago is asked for again; where that
    fails, it is still what is known.
    """
    number = _id(model_id)
    if number is None:
        return None
    info = _checked(told.kept(told.MODEL, [number], fresh=True).get(number))
    if info is None:
        address = urls.api_url(setting.civitai_base_url, f'models/{number}')
        info = _checked(get_shortcut_client().get_json(address))
        info = info or _checked(told.kept(told.MODEL, [number]).get(number))
        if info is not None:  # what is only old counts as new, or each look would wait for a site
            told.keep(told.MODEL, {number: info})
    return info


def get_version_info(model_id: int | str, version_id: int | str) -> dict[str, Any] | None:
    """Return what is known of a version of a model, None if nothing is."""
    number = _id(version_id)
    return next((one for one in _versions(get_model_info(model_id)) if one['id'] == number), None)


def get_version_images(model_id: int | str, version_id: int | str) -> list[dict[str, Any]]:
    """Return the pictures that show a version, [] if there are none."""
    return _mappings((get_version_info(model_id, version_id) or {}).get('images'))


def get_latest_version_info_by_model_id(model_id: int | str) -> dict[str, Any] | None:
    """Return the version of a model that was published last, early access included."""
    versions = _versions(get_model_info(model_id))
    if not versions:
        return None
    return functools.reduce(lambda a, b: b if updates.is_later(b, a) else a, versions)


def _get_preview_image_url(model_info: Mapping[str, Any] | None) -> str | None:
    """Return the address of the first picture of a model's versions, else of its own ones."""
    info = model_info if isinstance(model_info, Mapping) else {}
    for holder in (*_mappings(info.get('modelVersions')), info):
        for image in _mappings(holder.get('images')):
            if isinstance(image.get('url'), str) and image['url']:
                return str(image['url'])
    return None


def _get_preview_image_path(model_info: Mapping[str, Any] | None) -> str | None:
    """Return where the preview of a model is kept, in a folder that is made; None without an id."""
    number = _id(model_info.get('id')) if isinstance(model_info, Mapping) else None
    if number is None:
        return None
    folder = os.path.expanduser(setting.shortcut_thumbnail_folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        log.warning('Previews cannot be kept: %s', error)
        return None
    return os.path.join(folder, f'model_{number}_preview.jpg')


def download_model_preview_image_by_model_info(model_info: Mapping[str, Any] | None) -> str | None:
    """Return the path of a model's preview, which is fetched if need be; None if it has none."""
    path, url = _get_preview_image_path(model_info), _get_preview_image_url(model_info)
    if path and os.path.isfile(path):
        return path
    if not path or not url:
        return None
    came = util.download_image_safe(url, path, get_shortcut_client(), show_error=False)
    return path if came else None


def get_preview_image_by_model_info(model_info: Mapping[str, Any] | None) -> str:
    """Return the path of a model's preview, else of the picture that stands for none."""
    found = download_model_preview_image_by_model_info(model_info)
    return found or setting.no_card_preview_image


def known_versions(ids: Collection[int], *, asking: bool = True) -> list[KnownVersion]:
    """Return what is known of each of these versions; never raises.

    `asking`: Civitai is asked for the rest.
    """
    kept = told.kept(told.VERSION, ids)
    found = {number: parse_version(kept.get(number)) for number in ids}
    unknown = [number for number, version in found.items() if version is None]
    if unknown and asking:
        answers = api.fetch_versions(get_shortcut_client(), unknown)
        found.update((number, parse_version(data)) for number, data in answers.items())
        told.keep(told.VERSION, {n: data for n, data in answers.items() if found[n] is not None})
    return [version for version in found.values() if version is not None]


def _id(value: object) -> int | None:
    """An id, also as digits; None for what is none."""
    number = str(value).strip()
    return int(number) if _ID.fullmatch(number) and number.isascii() else None


def _checked(info: object) -> dict[str, Any] | None:
    """`info` if it is a model's and has a name."""
    named = isinstance(info, dict) and isinstance(info.get('name'), str) and info['name']
    return cast('dict[str, Any]', info) if named else None


def _versions(info: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    listed = _mappings((info or {}).get('modelVersions'))
    return [one for one in listed if type(one.get('id')) is int]


def _mappings(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
