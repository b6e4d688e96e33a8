"""A still that shows what a model makes, beside its file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, Mapping

from .. import setting
from ..civitai import gallery, meta as meta_of, urls
from ..errors import AnswerError, WrongContentError
from ..http_client import CivitaiHttpClient
from ..store import claims, files, media

WIDTH = 800  # pixels, more than any card has
MOST_TRIES = 3
# What hosts and tools show beside a model, with and without `.preview`.
_ENDINGS = ('.png', '.jpg', '.jpeg', '.webp', '.gif', '.avif', '.jxl', '.mp4', '.webm')


def stills(version: Mapping[str, object], levels: int) -> Iterator[str]:
    """Yield the addresses of small stills of a version's pictures, the first ones first.

    Of pictures up to the maturity `levels`, a mask; a video's still comes after all pictures.
    """
    allowed = [
        one
        for one in meta_of.mappings(version.get('images'))
        if gallery.is_allowed(gallery.parse_level(one), levels) and _address(one)
    ]
    for is_video in (False, True):
        for one in allowed:
            if _is_video(one) == is_video:
                yield urls.thumbnail_url(_address(one), WIDTH, video=is_video)


def _address(image: Mapping[str, object]) -> str:
    told = image.get('url')
    is_one = isinstance(told, str) and told.startswith(('https://', 'http://'))
    return str(told) if is_one and '://undefined/' not in str(told) else ''  # a fault of the site


def _is_video(image: Mapping[str, object]) -> bool:
    path = _address(image).split('?')[0].lower()
    return image.get('type') == 'video' or path.endswith(tuple(media.VIDEO_SUFFIXES))


def existing(path: Path) -> Path | None:
    """Return the preview that lies beside the model file at `path`, None if there is none."""
    base = os.path.splitext(path)[0]
    candidates = (f'{base}{part}{one}' for part in ('', '.preview') for one in _ENDINGS)
    return next((Path(one) for one in candidates if os.path.lexists(one)), None)


def fetch(path: Path, version: Mapping[str, object], client: CivitaiHttpClient) -> Path | None:
    """Save a still of `version` as the preview of the model file at `path`; None if it has none.

    It is called `<base>.preview` and gets the extension of its bytes. Raises CivitaiError.
    """
    base = Path(f'{os.path.splitext(path)[0]}.preview')
    addresses = list(stills(version, setting.maturity_levels()))[:MOST_TRIES]
    for address in addresses:
        try:
            return _fetched(address, base, client)
        except (AnswerError, WrongContentError):
            if address == addresses[-1]:
                raise
    return None


def _fetched(address: str, base: Path, client: CivitaiHttpClient) -> Path:
    with files.draft(base) as part:
        client.fetch_file(address, part)
        kind = files.media_type(part)
        if kind is None or kind.kind != 'image':
            raise WrongContentError(url=urls.redact(address))
        final = Path(f'{base}{kind.extension}')
        claims.claim(part, final)  # what came there in the meantime is a preview as well
        return final
