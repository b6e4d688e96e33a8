"""Six hundred posts, three of them sounds: who made them where and how, and how they are liked."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Iterator, Mapping

from ..drawing.clip import CLIP_COMPOSITION, CLIP_PALETTE, CLIP_SIZE
from ..drawing.palettes import PALETTES
from ..drawing.pictures import COMPOSITIONS
from .generation import Generation, make_generation
from .entries import USERS, Model, User, Version
from .models import OPENING_VERSION_ID, load_gallery_models, load_models

# The demo's own today: periods (`Week`, `Month`) are counted from here, so they never run dry.
NOW = datetime(2025, 11, 20, 12, 0, tzinfo=timezone.utc)

SIZES = ((832, 1216), (832, 1216), (896, 1152), (1216, 832), (1024, 1024), (768, 1344), (1152, 896))
OPENING_LEVELS = {1: 120, 2: 12, 4: 8, 8: 5, 16: 3, 0: 2}
OTHER_LEVELS = {1: 25, 2: 8, 4: 5, 8: 4, 16: 2, 0: 1}
# So many of the oldest posts are sounds.
SOUNDS = 3
# In the opening gallery the pictures without a prompt and the videos stand behind the first pages.
OPENING_PLAIN_FROM = 24


@dataclass(frozen=True)
class Reactions:
    """How people reacted to a picture."""

    cry: int
    laugh: int
    like: int
    heart: int
    comment: int
    collected: int

    @property
    def total(self) -> int:
        """What `Most Reactions` sorts by."""
        return self.cry + self.laugh + self.like + self.heart


@dataclass(frozen=True)
class Picture:
    """One posted picture, video or sound (which has no size: 0)."""

    id: int
    uuid: str
    container: str
    width: int
    height: int
    level: int
    created: datetime
    post_id: int
    user: User
    version: Version
    reactions: Reactions
    generation: Generation
    composition: str
    palette: int
    seed: int
    ending: str

    @property
    def kind(self) -> str:
        """`image`, `video` or `audio`, as Civitai's `type` says it."""
        return {'mp4': 'video', 'mp3': 'audio'}.get(self.container, 'image')

    @property
    def detected_ids(self) -> tuple[int, ...]:
        """The versions Civitai recognised in the settings; none where there are no settings."""
        if self.generation.meta() is None or self.kind != 'image':
            return ()
        return tuple(used.version_id for used in self.generation.resources)

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The version it was posted to and the recognised ones."""
        return tuple(dict.fromkeys((self.version.id, *self.detected_ids)))


@dataclass(frozen=True)
class Catalog:
    """Everything the stand-in knows; pictures newest first."""

    models: tuple[Model, ...]
    pictures: tuple[Picture, ...]
    by_uuid: Mapping[str, Picture]
    by_id: Mapping[int, Picture]

    def model(self, number: int) -> Model | None:
        """The model with that id."""
        return next((model for model in self.models if model.id == number), None)

    def version(self, number: int) -> tuple[Model, Version] | None:
        """The version with that id, with its model."""
        for model in self.models:
            for version in model.versions:
                if version.id == number:
                    return model, version
        return None

    def posted_to(self, version: Version) -> list[Picture]:
        """The pictures of a version, best liked first."""
        found = [picture for picture in self.pictures if picture.version is version]
        return sorted(found, key=lambda picture: -picture.reactions.total)

    def in_post(self, number: int) -> list[Picture]:
        """The pictures of a post in the order they were uploaded; empty for an unknown post."""
        return [picture for picture in reversed(self.pictures) if picture.post_id == number]


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """The catalogue, made once per process; always the same."""
    models = load_gallery_models()
    versions = [version for model in models for version in model.versions]
    drafts = [draft for version in versions for draft in _gallery(models, version)]
    drafts.sort(key=lambda picture: (picture.created, picture.uuid))
    # Ids grow with time, with gaps as on a busy site.
    numbered = [
        replace(draft, id=90_100_400 + ordinal * 61 + ordinal * ordinal % 53)
        for ordinal, draft in enumerate(drafts)
    ]
    # Names promise nothing: the oldest video is called a JPEG.
    video = next(picture for picture in numbered if picture.kind == 'video')
    numbered[numbered.index(video)] = replace(video, ending='jpeg')
    for picture in list(filter(_may_sound, numbered))[:SOUNDS]:
        sound = replace(picture, container='mp3', ending='mp3', width=0, height=0)
        numbered[numbered.index(picture)] = sound
    pictures = tuple(reversed(numbered))
    return Catalog(
        load_models(),
        pictures,
        {picture.uuid: picture for picture in pictures},
        {picture.id: picture for picture in pictures},
    )


def _may_sound(picture: Picture) -> bool:
    """Whether a posted thing may be a sound instead: nothing is told of it, and it is for all."""
    plain = picture.level == 1 and picture.generation.source == 'none'
    return plain and picture.version.id != OPENING_VERSION_ID


@dataclass(frozen=True)
class _Place:
    """Where, when and by whom a picture was posted."""

    version: Version
    user: User
    post_id: int
    created: datetime
    ordinal: int
    level: int


def _gallery(models: tuple[Model, ...], version: Version) -> Iterator[Picture]:
    """The pictures of one version, newest first."""
    dice = random.Random(version.id)
    shown = 0
    for place in _places(version, dice):
        likes, plain = round(1500 * dice.random() ** 4), True
        if version.id == OPENING_VERSION_ID and place.level == 1:
            rank = (shown * 37 + 11) % OPENING_LEVELS[1]
            plain = min(shown, rank) >= OPENING_PLAIN_FROM
            likes = 2900 - rank * 22
            shown += 1
        yield _picture(models, place, likes, plain, dice)


def _places(version: Version, dice: random.Random) -> Iterator[_Place]:
    """Posts of one to six pictures, each by one user, going back in time."""
    counts = OPENING_LEVELS if version.id == OPENING_VERSION_ID else OTHER_LEVELS
    levels = [level for level, count in counts.items() for _ in range(count)]
    dice.shuffle(levels)
    clock = NOW - timedelta(hours=dice.uniform(0.5, 9))
    # About one post in three pictures, spread over most of the time since the version came out.
    pause = (NOW - version.published) * 0.8 / (len(levels) / 2.8)
    left, user, post = 0, USERS[0], 0
    for ordinal, level in enumerate(levels):
        if left == 0:
            left, user = dice.choice((1, 1, 2, 3, 4, 6)), dice.choice(USERS)
            clock -= pause * dice.uniform(0.2, 1.8)
            post = version.id * 50 + ordinal
        left -= 1
        clock -= timedelta(milliseconds=dice.randint(4_000, 90_000))
        yield _Place(version, user, post, clock, ordinal, level)


def _picture(
    models: tuple[Model, ...], place: _Place, likes: int, plain: bool, dice: random.Random
) -> Picture:
    """One picture; only a `plain` one may be a video or lack settings."""
    seed = place.version.id * 1000 + place.ordinal
    turn = place.ordinal + place.version.id % 7
    names = list(COMPOSITIONS)
    composition = names[turn % len(names)]
    palette = (turn * 5 + turn // len(names) * 7) % len(PALETTES)
    source = _source(plain, dice)
    container = 'mp4' if source == 'video' else dice.choice(('png', 'jpeg', 'webp'))
    if container == 'png' and composition == 'silk':
        container = 'jpeg'  # soft folds would make a PNG of most of a megabyte
    width, height = dice.choice(SIZES)
    if source == 'video':
        composition, palette, (width, height) = CLIP_COMPOSITION, CLIP_PALETTE, CLIP_SIZE
    look = (composition, palette, (width, height))
    return Picture(
        id=0,
        uuid=str(uuid.UUID(int=random.Random(seed).getrandbits(128), version=4)),
        container=container,
        ending='mp4' if source == 'video' else 'jpeg',
        width=width,
        height=height,
        level=place.level,
        created=place.created,
        post_id=place.post_id,
        user=place.user,
        version=place.version,
        reactions=_reactions(likes, dice),
        generation=make_generation(models, place.version, dice, look, source),
        composition=composition,
        palette=palette,
        seed=seed,
    )


def _source(plain: bool, dice: random.Random) -> str:
    """How a picture was made; those that are not `plain` came from something that tells."""
    if not plain:
        return dice.choice(('webui', 'webui', 'webui', 'webui', 'onsite', 'comfy'))
    kinds = ('webui', 'comfy', 'onsite', 'hidden', 'none', 'video')
    return dice.choices(kinds, weights=(56, 12, 12, 10, 6, 4))[0]


def _reactions(likes: int, dice: random.Random) -> Reactions:
    """Reactions that add up to `likes`."""
    heart, laugh, cry = likes * 3 // 10, likes * 7 // 100, likes * 3 // 100
    comments, collected = round(likes * dice.uniform(0, 0.03)), round(likes * dice.uniform(0, 0.4))
    return Reactions(cry, laugh, likes - heart - laugh - cry, heart, comments, collected)
