"""Pictures as the API writes them: entries of `items`, addresses, tags."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..drawing.palettes import PALETTES
from ..world.catalog import Picture
from ..world.prompts import LIGHTS
from .scenarios import CDN_KEY

LEVEL_NAMES = {0: 'None', 1: 'None', 2: 'Soft', 4: 'Mature', 8: 'X', 16: 'X', 32: 'Blocked'}
# The search index says when a picture was scanned, a little after the upload.
SCAN_TIME = timedelta(seconds=41)


@dataclass(frozen=True)
class ItemShape:
    """How an entry of `items` is written: by which engine, with or without `meta` and tags."""

    database: bool = False
    with_meta: bool = False
    with_tags: bool = False
    flat_meta: bool = True


def item_body(picture: Picture, shape: ItemShape, base: str) -> dict[str, object]:
    """One entry of `items`."""
    database = shape.database
    detected = picture.detected_ids
    base_model = picture.version.base_model if detected else '' if not database else None
    reactions = picture.reactions
    body: dict[str, object] = {
        'id': picture.id,
        'url': media_url(base, picture, 'original=true'),
        **look_of(picture),
        'nsfwLevel': LEVEL_NAMES[picture.level],
        'type': picture.kind,
        'nsfw': LEVEL_NAMES[picture.level] != 'None',
        'browsingLevel': picture.level,
        'createdAt': iso_time(picture.created + (timedelta() if database else SCAN_TIME)),
        'postId': picture.post_id,
        'stats': {
            'cryCount': reactions.cry,
            'laughCount': reactions.laugh,
            'likeCount': reactions.like,
            'dislikeCount': 0,
            'heartCount': reactions.heart,
            'commentCount': reactions.comment,
        },
        'meta': _meta(picture, shape),
        'username': picture.user.name,
        'baseModel': base_model,
        'modelVersionIds': list(picture.version_ids if database else detected),
        'thumbnail': _thumbnail(picture, base),
    }
    if shape.with_tags:
        body['tags'] = [{'id': number, 'name': name} for number, name in tags_of(picture)]
    return body


def _meta(picture: Picture, shape: ItemShape) -> object:
    if not shape.with_meta:
        return None
    meta = picture.generation.meta()
    return meta if shape.flat_meta else {'id': picture.id, 'meta': meta}


def _thumbnail(picture: Picture, base: str) -> object:
    if picture.kind != 'video':
        return None
    still = f'{base}/{CDN_KEY}/{picture.uuid}/anim=false,transcode=true,optimized=true'
    return {'url': f'{still}/{picture.uuid}.jpeg', 'width': picture.width, 'height': picture.height}


def tags_of(picture: Picture) -> list[tuple[int, str]]:
    """What the picture shows, as (id, name)."""
    if picture.kind == 'audio':
        return []
    names = (
        picture.composition,
        PALETTES[picture.palette].name,
        LIGHTS[picture.seed % len(LIGHTS)],
    )
    return [(random.Random(name).randrange(1_000, 900_000), name) for name in names]


def media_url(base: str, picture: Picture, transforms: str, name: str = '') -> str:
    """The address of a picture on the CDN; `name` (without ending) is free, default the uuid."""
    last = f'{name or picture.uuid}.{picture.ending}'
    return f'{base}/{CDN_KEY}/{picture.uuid}/{transforms}/{last}'


def look_of(picture: Picture) -> dict[str, object]:
    """BlurHash and size; a sound has none."""
    if picture.kind == 'audio':
        return {'hash': None, 'width': None, 'height': None}
    size = {'width': picture.width, 'height': picture.height}
    return {'hash': blur_hash(picture), **size}


def blur_hash(picture: Picture) -> str:
    """A BlurHash of one component: the middle colour of the picture's palette."""
    digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'
    red, green, blue = PALETTES[picture.palette].shade(0.5)
    colour, text = red << 16 | green << 8 | blue, ''
    for _ in range(4):
        colour, digit = divmod(colour, 83)
        text = digits[digit] + text
    return f'00{text}'


def iso_time(moment: datetime) -> str:
    """A UTC time as Civitai writes it, with milliseconds and Z."""
    return f'{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z'
