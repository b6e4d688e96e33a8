"""What a user, a model and a version are, and who there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from .modelfiles import ModelFile


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: int
    name: str


@dataclass(frozen=True)
class Version:
    """A published version of a model.

    `covered`: the site can generate with it. `usage` other than `Download`: not to be had.
    `paid_until`: only who has paid gets it before that. `linked_vae` is a version whose main file
    is listed here too.
    """

    id: int
    model_id: int
    name: str
    base_model: str
    published: datetime
    trained_words: tuple[str, ...]
    description: str | None
    files: tuple[ModelFile, ...]
    downloads: int
    covered: bool = False
    usage: str = 'Download'
    paid_until: datetime | None = None
    key_needed: bool = True
    trained_here: bool = False
    linked_vae: int = 0


@dataclass(frozen=True)
class Model:
    """A model with its versions in its creator's order.

    `checkpoint_type` is `Trained` or `Merge` (checkpoints only), `mode` `Archived` or ''.
    """

    id: int
    name: str
    kind: str
    creator: User
    description: str
    tags: tuple[str, ...]
    versions: tuple[Version, ...]
    checkpoint_type: str = ''
    mode: str = ''
    hides_downloads: bool = False

    @property
    def downloads(self) -> int:
        """How often all versions were downloaded."""
        return sum(version.downloads for version in self.versions)

    @property
    def newest(self) -> datetime:
        """When its last version came out."""
        return max(version.published for version in self.versions)

    @property
    def stem(self) -> str:
        """The name as it begins file names and prompt tags."""
        words = ''.join(letter if letter.isalnum() else ' ' for letter in self.name).split()
        return words[0].lower() + ''.join(words[1:])


# `Noor-Vale` cannot be asked for by name (Civitai refuses hyphens there), only by `userId`.
USERS: tuple[User, ...] = tuple(
    User(30010 + 37 * index, name)
    for index, name in enumerate(
        (
            'MapleLantern',
            'quiet_harbor',
            'Tomasz_K',
            'InkAndTide',
            'solstice88',
            'Noor-Vale',
            'pixelgardener',
            'HanaMori',
            'northbound',
            'velvet_static',
            'OttoBrandt',
            'lumen_fox',
        )
    )
)


def model_id_of(version_id: int) -> int:
    """The model a version belongs to: here a version id is its model's id and two digits."""
    return version_id // 100


def downloads_of(version_id: int) -> int:
    """How often a version was downloaded: any number that is always the same."""
    return 900 + version_id * 7919 % 48_000


def moment(day: str) -> datetime:
    """The afternoon of a day like `2025-08-14`."""
    return datetime.fromisoformat(f'{day}T16:20:00+00:00').astimezone(timezone.utc)


def plain_version(
    number: int, name: str, base: str, day: str, *files: ModelFile, **facts: Any
) -> Version:
    """A version that nothing is told of but `facts`, which are fields of it."""
    downloads = downloads_of(number) // 40
    plain = Version(number, number // 100, name, base, moment(day), (), None, files, downloads)
    return replace(plain, **facts)
