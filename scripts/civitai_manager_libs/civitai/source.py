"""What people paste: a link, an id or an AIR, and which gallery it means. Nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping
from urllib.parse import SplitResult, parse_qs, unquote

from ..errors import SourceError, UrlRefusedError
from . import urls

MAX_ID = 2**31 - 1
MAX_SOURCE_LENGTH = 2000

_AIR = re.compile(
    r'(?:urn:)?(?:air:)?(?:[a-z0-9_.\-]+:){0,2}civitai:(\d{1,10})(?:@(\d{1,10})(?:\.\w+)?)?',
    re.IGNORECASE,
)
_SCHEME = re.compile(r'[a-z][a-z0-9+.\-]*://', re.IGNORECASE)


@dataclass(frozen=True)
class GallerySource:
    """What a person wants to see. `kind` is model, version, user, post or image.

    `number` is the id (0 for a user), `version_id` a chosen version of a model or 0,
    `username` is set for a user only.
    """

    kind: str
    number: int = 0
    version_id: int = 0
    username: str = ''


def parse_source(text: str, base_url: str) -> GallerySource:
    """Return what `text`, pasted by a person, means; nothing is fetched.

    Accepted: pages and API addresses of Civitai's sites and of `base_url`, a bare model id, an AIR.
    Raises SourceError that says what is accepted.
    """
    given = text.strip()
    if not given:
        raise SourceError('source_empty')
    if len(given) > MAX_SOURCE_LENGTH:
        raise SourceError('source_unknown', given=urls.shown(given))
    if re.fullmatch(r'[0-9]+', given):
        return GallerySource('model', _number(given, given))
    air = _AIR.fullmatch(given.split('?')[0].rstrip('/'))
    if air:
        version = _number(air[2], given) if air[2] else 0
        return GallerySource('model', _number(air[1], given), version)
    parts = _site_parts(given, base_url)
    segments = [unquote(part) for part in parts.path.split('/') if part]
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    source = _from_api_path(segments, query, given) or _from_page_path(segments, query, given)
    if source is None:
        raise SourceError('source_unknown', given=urls.shown(given))
    return source


def _site_parts(given: str, base_url: str) -> SplitResult:
    """Split a pasted address, if it is one of Civitai's or of the configured host."""
    address = given if _SCHEME.match(given) else f'https://{given}'
    try:
        parts = urls.split(address)
        base = urls.split(base_url)
    except UrlRefusedError:
        raise SourceError('source_unknown', given=urls.shown(given)) from None
    host = (parts.hostname or '').removeprefix('www.')
    if host not in urls.SITE_HOSTS and parts.hostname != base.hostname:
        # a word with no dot and no slash is not a site of somebody else's, just not a link
        key = 'source_other_site' if '.' in host and parts.path else 'source_unknown'
        raise SourceError(key, given=urls.shown(given), host=urls.shown(host))
    return parts


def _from_page_path(
    segments: list[str], query: Mapping[str, str], given: str
) -> GallerySource | None:
    match segments:
        case ['models', number, *_]:
            version = query.get('modelVersionId', '')
            chosen = _number(version, given) if version else 0
            return GallerySource('model', _number(number, given), chosen)
        case ['model-versions', number, *_]:
            return GallerySource('version', _number(number, given))
        case ['user', name, *_] if name.strip():
            return GallerySource('user', username=name.strip())
        case ['posts', number, *_]:
            return GallerySource('post', _number(number, given))
        case ['images', number, *_]:
            return GallerySource('image', _number(number, given))
    return None


def _from_api_path(
    segments: list[str], query: Mapping[str, str], given: str
) -> GallerySource | None:
    match segments:
        case ['api', 'download', 'models', number]:
            return GallerySource('version', _number(number, given))
        case ['api', 'v1', 'images']:
            return _from_image_query(query, given)
        case ['api', 'v1', *rest] if len(rest) == 2 and rest[0] != 'images':
            return _from_page_path(rest, query, given)
    return None


def _from_image_query(query: Mapping[str, str], given: str) -> GallerySource | None:
    if query.get('imageId'):
        return GallerySource('image', _number(query['imageId'], given))
    if query.get('postId'):
        return GallerySource('post', _number(query['postId'], given))
    version = _number(query['modelVersionId'], given) if query.get('modelVersionId') else 0
    if query.get('modelId'):
        return GallerySource('model', _number(query['modelId'], given), version)
    if version:
        return GallerySource('version', version)
    if query.get('username', '').strip():
        return GallerySource('user', username=query['username'].strip())
    return None


def _number(digits: str, given: str) -> int:
    # Civitai answers 400 for ids above 2**31-1
    if re.fullmatch(r'[0-9]{1,10}', digits) and 1 <= int(digits) <= MAX_ID:
        return int(digits)
    raise SourceError('source_bad_id', given=urls.shown(given))
