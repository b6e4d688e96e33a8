"""Pictures as files: originals with their generation text, previews without, kept in memory."""

from __future__ import annotations

import io
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, PngImagePlugin

from ..drawing.clip import clip_bytes, clip_frame
from ..drawing.pictures import draw_picture
from ..drawing.sound import sound_bytes
from ..world.catalog import Picture

# Civitai's picture service makes only these widths and takes the next larger one.
WIDTH_LADDER = (96, 320, 450, 512, 800, 1200, 1600, 2200)
MEDIA_TYPES = {
    'png': 'image/png',
    'jpeg': 'image/jpeg',
    'webp': 'image/webp',
    'mp4': 'video/mp4',
    'mp3': 'audio/mpeg',
}
CACHE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Transform:
    """What the transform part of a CDN address asks for; unknown words in it are ignored."""

    original: bool = False
    optimized: bool = False
    still: bool = False
    width: int | None = None


def parse_transform(text: str, name: str) -> Transform:
    """Read `width=450,optimized=true`; `name` is the last part of the address.

    `anim=false`, or `transcode=true` under the name of a picture, asks for a still of a video;
    `transcode=true,original=true` asks for the video whatever the name says.
    """
    words = dict(word.partition('=')[::2] for word in text.split(','))
    pictured = name.rsplit('.', 1)[-1].lower() in ('jpeg', 'jpg', 'png', 'webp')
    width = words.get('width', '')
    original = words.get('original') == 'true'
    transcoded = words.get('transcode') == 'true' and not original
    return Transform(
        original=original,
        optimized=words.get('optimized') == 'true',
        still=words.get('anim') == 'false' or (transcoded and pictured),
        width=int(width) if width.isascii() and width.isdigit() and int(width) > 0 else None,
    )


def snap_width(width: int) -> int:
    """The next width of the ladder, at most its last."""
    return next((step for step in WIDTH_LADDER if step >= width), WIDTH_LADDER[-1])


class PictureStore:
    """Draws and encodes on first request; keeps the most recent files, up to some bytes."""

    def __init__(self, capacity: int = CACHE_BYTES) -> None:
        """An empty store that keeps about `capacity` bytes."""
        self._capacity = capacity
        self._kept: OrderedDict[tuple[str, Transform], tuple[bytes, str]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def file(self, picture: Picture, transform: Transform) -> tuple[bytes, str]:
        """The bytes and the media type of `picture` under `transform`."""
        if picture.kind == 'audio':
            return sound_bytes(f'Recording {picture.id}'), MEDIA_TYPES['mp3']
        if picture.kind == 'video' and not transform.still:
            return clip_bytes(), MEDIA_TYPES['mp4']
        key = (picture.uuid, transform)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = render(picture, transform)
        self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, Transform], made: tuple[bytes, str]) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._size += len(made[0])
            while self._size > self._capacity and len(self._kept) > 1:
                _, (dropped, _) = self._kept.popitem(last=False)
                self._size -= len(dropped)


@lru_cache(maxsize=1)
def picture_store() -> PictureStore:
    """The store of this process; all stand-ins have the same pictures."""
    return PictureStore()


def render(picture: Picture, transform: Transform) -> tuple[bytes, str]:
    """Draw `picture` and encode it as `transform` asks; never larger than the original."""
    if transform.original and picture.kind == 'image':
        image = _drawn(picture, (picture.width, picture.height))
        data = encode_original(image, picture.container, picture.generation.embedded_texts())
        return data, MEDIA_TYPES[picture.container]
    width = picture.width
    if transform.width and not transform.original:
        width = min(width, snap_width(transform.width))
    size = (width, max(1, round(picture.height * width / picture.width)))
    if picture.kind == 'video':
        image = clip_frame(0)
        image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    else:
        image = _drawn(picture, size)
    container = 'webp' if transform.optimized else 'jpeg'
    return encode_preview(image, container), MEDIA_TYPES[container]


def _drawn(picture: Picture, size: tuple[int, int]) -> Image.Image:
    return draw_picture(picture.composition, picture.palette, picture.seed, size)


def encode_original(image: Image.Image, container: str, texts: dict[str, str]) -> bytes:
    """An original with `texts` inside: PNG text chunks, or `parameters` as EXIF comment."""
    buffer = io.BytesIO()
    if container == 'png':
        chunks = PngImagePlugin.PngInfo()
        for key, text in texts.items():
            chunks.add_text(key, text)
        image.save(buffer, 'PNG', compress_level=1, pnginfo=chunks)
        return buffer.getvalue()
    exif = exif_comment(texts['parameters']) if 'parameters' in texts else b''
    if container == 'jpeg':
        extra = {'exif': b'Exif\x00\x00' + exif} if exif else {}
        image.save(buffer, 'JPEG', quality=96, **extra)
    else:
        extra = {'exif': exif} if exif else {}
        image.save(buffer, 'WEBP', quality=97, method=0, **extra)
    return buffer.getvalue()


def encode_preview(image: Image.Image, container: str) -> bytes:
    """A small file without any text, `jpeg` or `webp`."""
    buffer = io.BytesIO()
    if container == 'webp':
        image.save(buffer, 'WEBP', quality=82, method=0)
    else:
        image.save(buffer, 'JPEG', quality=86)
    return buffer.getvalue()


def exif_comment(text: str) -> bytes:
    """A big-endian TIFF block with only a `UserComment`, in the UNICODE form the WebUI writes."""
    comment = b'UNICODE\x00' + text.encode('utf-16-be')
    exif_at, data_at = 26, 44
    main = struct.pack('>2sHIHHHIII', b'MM', 42, 8, 1, 0x8769, 4, 1, exif_at, 0)
    entry = struct.pack('>HHHIII', 1, 0x9286, 7, len(comment), data_at, 0)
    return main + entry + comment
