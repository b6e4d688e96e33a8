"""Models that are unlike the others: what a downloader of model files should have met.

Nobody has posted pictures to them. Ids and names follow the rules of the others.
"""

from __future__ import annotations

from .entries import USERS, Model, plain_version
from .modelfiles import NEW, PENDING, UNREADABLE, WITHOUT_AUTOV3, ModelFile
from .restricted import restricted_models

VAE_VERSION_ID = 482602


def special_models() -> tuple[Model, ...]:
    """All of them; each has two versions."""
    return (
        _with_companions(),
        _vae(),
        _quantized(),
        *restricted_models(),
        _in_another_order(),
        _sounds(),
    )


def _other(number: int, name: str, title: str, kind: str) -> ModelFile:
    """A file without weights."""
    return ModelFile(number, name, title, 4_096, kind, size='', precision='', format='Other')


def _with_companions() -> Model:
    """A merge: two files of one name, a configuration, training data, the VAE of another model."""
    name, stem = 'Tidewater Prints v2.0', 'tidewaterPrints'
    newer = plain_version(
        481002,
        'v2.0',
        'Pony',
        '2025-07-22',
        # The larger one comes first, though it is not the one that is chosen.
        ModelFile(4810022, f'{stem}_v20.safetensors', name, 24_576, size='full', precision='fp32'),
        ModelFile(4810021, f'{stem}_v20.safetensors', name, 12_288, scan=NEW),
        _other(4810023, f'{stem}_v20.yaml', name, 'Config'),
        _other(4810024, f'{stem}_v20_trainingData.zip', name, 'Training Data'),
        linked_vae=VAE_VERSION_ID,
        covered=True,
    )
    older = plain_version(
        481001,
        'v1.0',
        'Illustrious',
        '2025-03-30',
        ModelFile(
            4810011,
            f'{stem}_v10.ckpt',
            'Tidewater Prints v1.0',
            12_288,
            'Model',
            'full',
            'fp16',
            format='PickleTensor',
            scan=UNREADABLE,
        ),
    )
    about = 'A merge for printed landscapes, with all that belongs to it.'
    tags = ('base model', 'landscapes')
    return Model(
        4810,
        'Tidewater Prints',
        'Checkpoint',
        USERS[4],
        about,
        tags,
        (newer, older),
        checkpoint_type='Merge',
    )


def _vae() -> Model:
    newer = plain_version(
        VAE_VERSION_ID,
        'v1.1',
        'SDXL 1.0',
        '2025-01-09',
        ModelFile(4826021, 'harbour.vae.safetensors', 'Harbour VAE v1.1', 8_192, scan=NEW),
    )
    older = plain_version(
        482601,
        'v1.0',
        'SDXL 1.0',
        '2024-10-02',
        ModelFile(
            4826011,
            'harbour.vae.pt',
            'Harbour VAE v1.0',
            8_192,
            format='PickleTensor',
            scan=WITHOUT_AUTOV3,
        ),
    )
    about = 'A decoder for muted colours.'
    return Model(4826, 'Harbour VAE', 'VAE', USERS[6], about, ('vae', 'colour'), (newer, older))


def _quantized() -> Model:
    """GGUF in two sizes beside a diffusion model and its text encoder."""
    title, stem = 'Copper Kettle v1.0', 'copperKettle_v10'
    newer = plain_version(
        483902,
        'v1.0',
        'Flux.1 D',
        '2025-10-18',
        ModelFile(
            4839021, f'{stem}.gguf', title, 16_384, 'Model', '', '', 'Q8_0', 'GGUF', scan=NEW
        ),
        ModelFile(
            4839022, f'{stem}.gguf', title, 8_192, 'Model', '', '', 'Q4_K_M', 'GGUF', scan=NEW
        ),
        ModelFile(
            4839023,
            f'{stem}.safetensors',
            title,
            20_480,
            'Diffusion Model',
            'full',
            'fp8',
            scan=NEW,
        ),
        ModelFile(4839024, f'{stem}_txt.safetensors', title, 6_144, 'Text Encoder', '', 'fp16'),
    )
    older = plain_version(
        483901,
        'v0.9',
        'Flux.1 D',
        '2025-09-01',
        ModelFile(
            4839011,
            'copperKettle_v09.gguf',
            'Copper Kettle v0.9',
            8_192,
            'Model',
            '',
            '',
            'Q5_K_S',
            'GGUF',
        ),
    )
    about = 'Still life in warm metal, in small numbers.'
    return Model(
        4839,
        'Copper Kettle',
        'Checkpoint',
        USERS[10],
        about,
        ('base model', 'still life'),
        (newer, older),
        checkpoint_type='Trained',
    )


def _in_another_order() -> Model:
    """The version its creator likes best stands first, though it is the oldest.

    The others are one file with two headers (and therefore one AutoV3), and one that is not
    scanned yet.
    """
    base, words, seed = 'Illustrious', ('winding road',), 4890
    favourite = plain_version(
        489001,
        'v1 (start here)',
        base,
        '2025-02-11',
        ModelFile(
            4890011, 'windingRoad.safetensors', 'Winding Road v1', 8_192, scan=WITHOUT_AUTOV3
        ),
        trained_words=words,
    )
    newest = plain_version(
        489004,
        'v3',
        base,
        '2025-11-19',
        ModelFile(4890041, 'windingRoad.safetensors', 'Winding Road v3', 8_192, scan=PENDING),
        trained_words=words,
    )
    renamed = plain_version(
        489003,
        'v2.1',
        base,
        '2025-07-07',
        ModelFile(4890031, 'windingRoad2.safetensors', 'Winding Road v2.1', 8_192, seed=seed),
        trained_words=words,
    )
    second = plain_version(
        489002,
        'v2',
        base,
        '2025-07-01',
        ModelFile(4890021, 'windingRoad2.safetensors', 'Winding Road v2', 8_192, seed=seed),
        trained_words=words,
    )
    about = 'Roads that lead out of the picture.'
    return Model(
        4890,
        'Winding Road',
        'LoCon',
        USERS[8],
        about,
        ('landscapes', 'roads'),
        (favourite, newest, renamed, second),
    )


def _sounds() -> Model:
    """What is neither for pictures nor a model file: recordings in an archive."""
    versions = tuple(
        plain_version(
            490300 + ordinal,
            f'Tape {ordinal}',
            'ACE Audio',
            day,
            _other(4903001 + 10 * ordinal, f'tape{ordinal}.zip', f'Tape {ordinal}', 'Archive'),
        )
        for ordinal, day in ((2, '2025-09-09'), (1, '2025-08-18'))
    )
    about = 'Wind, water and a gate.'
    return Model(4903, 'Field Recordings', 'Other', USERS[10], about, ('sound',), versions)
