"""The models of the stand-in and the people behind everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache

from .modelfiles import ModelFile

OPENING_MODEL_ID = 4201
OPENING_VERSION_ID = 420102


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: int
    name: str


@dataclass(frozen=True)
class Version:
    """A published version of a model."""

    id: int
    model_id: int
    name: str
    base_model: str
    published: datetime
    trained_words: tuple[str, ...]
    description: str | None
    files: tuple[ModelFile, ...]


@dataclass(frozen=True)
class Model:
    """A model with its versions, newest first."""

    id: int
    name: str
    kind: str
    creator: User
    description: str
    tags: tuple[str, ...]
    versions: tuple[Version, ...]

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


@lru_cache(maxsize=1)
def load_models() -> tuple[Model, ...]:
    """All models, newest version first in each."""
    return (
        _model(
            OPENING_MODEL_ID,
            'Paper Horizons XL',
            'Checkpoint',
            0,
            'Layered paper-cut landscapes with soft light and calm colours.',
            ('base model', 'landscapes', 'illustration'),
            ('v2.0 Dusk', 'SDXL 1.0', '2025-08-14', (), 'Warmer light, cleaner edges.', 294_912),
            ('v1.0', 'SDXL 1.0', '2025-02-03', (), None, 262_144),
        ),
        _model(
            4317,
            'Gouache Weather',
            'LORA',
            7,
            'A LoRA for skies, seas and weather painted in gouache.',
            ('style', 'painting', 'sky'),
            (
                'v3',
                'SDXL 1.0',
                '2025-09-21',
                ('gouache weather', 'matte paint'),
                'Trained anew.',
                98_304,
            ),
            ('v2', 'SDXL 1.0', '2025-04-30', ('gouache weather',), None, 81_920),
            ('v1 (1.5)', 'SD 1.5', '2024-11-12', ('gouache weather',), 'The first try.', 65_536),
        ),
        _model(
            4452,
            'Quiet Geometry',
            'TextualInversion',
            3,
            'An embedding for flat shapes, tiles and rings in balance.',
            ('abstract', 'geometry', 'poster'),
            ('v1.1', 'SD 1.5', '2025-06-02', ('quiet_geometry',), None, 53_248),
            ('v1', 'SD 1.5', '2024-12-19', ('quiet_geometry',), None, 51_200),
        ),
        _model(
            4588,
            'Silk & Light 1.5',
            'Checkpoint',
            9,
            'Abstract folds, light and colour for Stable Diffusion 1.5.',
            ('base model', 'abstract'),
            ('Final', 'SD 1.5', '2025-05-09', (), 'Merged & pruned.', 229_376),
            ('Beta', 'SD 1.5', '2025-01-17', (), None, 212_992),
        ),
        _model(
            4703,
            'Northern Nights',
            'LoCon',
            8,
            'Auroras, stars and planets over dark hills.',
            ('night', 'space', 'landscapes'),
            (
                'v2',
                'Illustrious',
                '2025-10-05',
                ('northern nights', 'aurora curtain'),
                None,
                114_688,
            ),
            ('v1', 'Pony', '2025-03-11', ('northern nights',), 'For Pony.', 106_496),
        ),
    )


_VersionRow = tuple[str, str, str, tuple[str, ...], 'str | None', int]


def _model(
    number: int,
    name: str,
    kind: str,
    creator: int,
    description: str,
    tags: tuple[str, ...],
    *rows: _VersionRow,
) -> Model:
    blank = Model(number, name, kind, USERS[creator], description, tags, ())
    versions = [_version(blank, len(rows) - index, row) for index, row in enumerate(rows)]
    return Model(number, name, kind, USERS[creator], description, tags, tuple(versions))


def _version(model: Model, ordinal: int, row: _VersionRow) -> Version:
    name, base, day, words, description, size = row
    label = ''.join(letter for letter in name.split()[0] if letter.isalnum())
    stem = f'{model.stem}_{label}'
    title = f'{model.name} {name}'
    first = model.id * 1000 + ordinal * 10 + 1
    files = [ModelFile(first, f'{stem}.safetensors', title, size)]
    if model.kind == 'Checkpoint':
        full = ModelFile(
            first + 1,
            f'{stem}_full.safetensors',
            title,
            size + 16_384,
            'Model',
            'full',
            'fp32',
            False,
        )
        files.append(full)
    published = datetime.fromisoformat(f'{day}T16:20:00+00:00').astimezone(timezone.utc)
    return Version(
        model.id * 100 + ordinal, model.id, name, base, published, words, description, tuple(files)
    )
