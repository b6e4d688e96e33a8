"""The models of the stand-in."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from .entries import USERS, Model, Version, downloads_of, moment
from .modelfiles import WITHOUT_BLAKE3, ModelFile
from .special import special_models

OPENING_MODEL_ID = 4201
OPENING_VERSION_ID = 420102
# Nearly every file needs a key; this one does not.
OPEN_VERSION_ID = 445201


@lru_cache(maxsize=1)
def load_models() -> tuple[Model, ...]:
    """All models: those with galleries first."""
    return (*load_gallery_models(), *special_models())


@lru_cache(maxsize=1)
def load_gallery_models() -> tuple[Model, ...]:
    """The models whose pictures there are, newest version first in each."""
    return (
        _model(
            OPENING_MODEL_ID,
            'Paper Horizons XL',
            'Checkpoint',
            0,
            'Layered paper-cut landscapes with soft light and calm colours.',
            ('base model', 'landscapes', 'illustration'),
            ('v2.0 Dusk', 'SDXL 1.0', '2025-08-14', (), 'Warmer light, cleaner edges.', 2_162_688),
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
    versions = tuple(_version(blank, len(rows) - index, row) for index, row in enumerate(rows))
    trained = 'Trained' if kind == 'Checkpoint' else ''
    return replace(blank, versions=versions, checkpoint_type=trained)


def _version(model: Model, ordinal: int, row: _VersionRow) -> Version:
    name, base, day, words, description, size = row
    number, first = model.id * 100 + ordinal, model.id * 1000 + ordinal * 10 + 1
    label = ''.join(letter for letter in name.split()[0] if letter.isalnum())
    stem, title = f'{model.stem}_{label}', f'{model.name} {name}'
    files = [ModelFile(first, f'{stem}.safetensors', title, size)]
    if model.kind == 'Checkpoint':
        large = size + 16_384
        full = ModelFile(
            first + 1, f'{stem}_full.safetensors', title, large, 'Model', 'full', 'fp32'
        )
        files.append(replace(full, scan=WITHOUT_BLAKE3))
    return Version(
        number,
        model.id,
        name,
        base,
        moment(day),
        words,
        description,
        tuple(files),
        downloads=194_638 if number == OPENING_VERSION_ID else downloads_of(number),
        covered=model.kind == 'Checkpoint',
        key_needed=number != OPEN_VERSION_ID,
    )
