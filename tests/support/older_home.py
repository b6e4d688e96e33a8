"""What a person has whose gallery was of the version before: settings, key, pictures, leftovers.

Names and forms are written out here as that version made them, and stay so, whatever the library
does today.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

MODEL, VERSION, NAME = 4201, 420102, 'Paper Horizons XL'
KEY = 'key-of-the-version-before'
# The extension that version gave a download was that of its bytes.
TYPES = {
    'image/png': '.png',
    'image/jpeg': '.jpg',
    'image/webp': '.webp',
    'image/gif': '.gif',
    'video/mp4': '.mp4',
}


@dataclass(frozen=True)
class OlderHome:
    """Where its parts lie, and which addresses its pictures came from; `unseen` is of another."""

    data: Path
    cache: Path
    downloads: Path
    key_file: Path
    settings: dict[str, Any]
    thumbnails: list[str]
    originals: list[str]
    unseen: str
    leftovers: list[Path]

    def files(self) -> dict[str, bytes]:
        """What a person would miss: every file but the leftovers."""
        folders = (self.data, self.cache, self.downloads)
        found = {path for folder in folders for path in folder.rglob('*') if path.is_file()}
        return {str(path): path.read_bytes() for path in found - set(self.leftovers)}


def build(root: Path, key_file: Path, site: str) -> OlderHome:
    """Make such a home below `root`, with pictures of the stand-in at `site`."""
    data, downloads = root / 'data', root / 'downloads'
    cache = data / 'picture_cache'
    kept = downloads / NAME / 'user_gallery_images'
    for folder in (cache, kept, data / 'models', key_file.parent):
        folder.mkdir(parents=True)
    settings = _settings(site, cache, downloads)
    (data / 'settings.json').write_text(json.dumps(settings, indent=2))
    (data / 'settings.json').chmod(0o600)
    (data / 'settings.broken-1.json').write_text('{"gallery_columns": 3,')
    key_file.write_text(KEY)
    key_file.chmod(0o600)
    model = requests.get(f'{site}/api/v1/models/{MODEL}', timeout=30).json()
    (data / 'models' / f'{MODEL}.json').write_text(json.dumps(model))
    unseen, *items = _items(site)
    thumbnails = [_thumbnail(item) for item in items]
    for url in thumbnails:
        _fetch(url, cache / _cached_name(url))
    for item in items:
        _download(item, kept)
    leftovers = [*_leftovers(cache), *_leftovers(kept), data / '.settings.json.4711.part']
    leftovers[-1].write_text('{"half')
    return OlderHome(
        data,
        cache,
        downloads,
        key_file,
        settings,
        thumbnails,
        [_original(item) for item in items],
        _original(unseen),
        leftovers,
    )


def _settings(site: str, cache: Path, downloads: Path) -> dict[str, Any]:
    """Every key of that version, none at its default, and one that somebody else wrote."""
    return {
        'civitai_base_url': site,
        'language': 'zh_TW',
        'gallery_maturity_ceiling': 'PG-13',
        'gallery_columns': 4,
        'gallery_rows': 3,
        'gallery_max_concurrent_downloads': 8,
        'gallery_download_batch_size': 10,
        'gallery_download_timeout': 45,
        'http_timeout': 25,
        'http_max_retries': 3,
        'http_retry_delay': 0.25,
        'http_proxy': 'http://user:word@proxy.example:3128',
        'http_ca_bundle': os.path.abspath('/etc/company.pem'),
        'extra_hosts': 'pictures.example, cdn.example',
        'download_images_folder': str(downloads),
        'shortcut_gallery_folder': str(cache),
        'somebody_elses': [1, {'two': None}],
    }


def _items(site: str) -> list[dict[str, Any]]:
    """A picture that nobody has, pictures of the version's gallery, and a video."""
    found: list[dict[str, Any]] = []
    for kind, count in (('image', 7), ('video', 1)):
        query = f'modelVersionId={VERSION}&limit={count}&browsingLevel=1&type={kind}'
        found += requests.get(f'{site}/api/v1/images?{query}', timeout=30).json()['items']
    return found


def _transformed(url: str, transform: str, extension: str = '') -> str:
    head, _, name = url.rpartition('/')
    name = name.rsplit('.', 1)[0] + extension if extension else name
    return f'{head.rpartition("/")[0]}/{transform}/{name}'


def _thumbnail(item: dict[str, Any]) -> str:
    if item['type'] == 'video':
        still = 'anim=false,transcode=true,width=450,optimized=true'
        return _transformed(item['url'], still, '.jpeg')
    return _transformed(item['url'], 'width=450,optimized=true')


def _original(item: dict[str, Any]) -> str:
    return _transformed(item['url'], 'original=true')


def _cached_name(url: str) -> str:
    suffix = '.' + url.rpartition('.')[2].lower()
    return hashlib.sha256(url.encode()).hexdigest()[:40] + suffix


def _fetch(url: str, path: Path) -> requests.Response:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    path.write_bytes(answer.content)
    return answer


def _download(item: dict[str, Any], folder: Path) -> None:
    url = _original(item)
    identity = url.split('/')[-3]
    path = folder / identity
    answer = _fetch(url, path)
    kind = answer.headers['Content-Type'].partition(';')[0]
    path.rename(folder / f'{identity}{TYPES[kind]}')


def _leftovers(folder: Path) -> list[Path]:
    """Part files of a process of this machine, and of another one, that ended long ago."""
    here = hashlib.sha256(platform.node().encode('utf-8', 'replace')).hexdigest()[:6]
    names = [
        f'.{node}-{2**22 + 7}-0a1b2c3d-{number:016x}.part'
        for number, node in enumerate((here, '000000'))
    ]
    paths = [folder / name for name in names]
    then = time.time() - 3 * 24 * 3600
    for path in paths:
        path.write_bytes(b'half')
        os.utime(path, (then, then))
    return paths
