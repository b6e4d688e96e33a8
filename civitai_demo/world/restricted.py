"""Models that not everybody may download: for those who pay, for the site's generator, put away."""

from __future__ import annotations

from datetime import datetime, timezone

from .entries import USERS, Model, plain_version
from .modelfiles import NEW, ModelFile

# So far away that it lasts whatever the clock of the caller says.
EARLY_ACCESS_ENDS = datetime(2045, 6, 1, 12, 0, tzinfo=timezone.utc)


def restricted_models() -> tuple[Model, ...]:
    """All of them."""
    return (_early_access(), _not_to_be_had(), _archived())


def _early_access() -> Model:
    """Trained on the site; its last version is for those who pay, until a day far away."""
    words = ('early birds',)
    newer = plain_version(
        485102,
        'v2',
        'Illustrious',
        '2025-11-15',
        ModelFile(4851021, 'earlyBirds_v2.safetensors', 'Early Birds v2', 8_192, scan=NEW),
        paid_until=EARLY_ACCESS_ENDS,
        trained_here=True,
        trained_words=words,
    )
    older = plain_version(
        485101,
        'v1',
        'Illustrious',
        '2025-06-14',
        ModelFile(4851011, 'earlyBirds_v1.safetensors', 'Early Birds v1', 8_192),
        trained_here=True,
        trained_words=words,
    )
    about = 'Birds on wires before sunrise.'
    return Model(
        4851,
        'Early Birds',
        'LORA',
        USERS[11],
        about,
        ('style', 'birds'),
        (newer, older),
        hides_downloads=True,
    )


def _not_to_be_had() -> Model:
    """Downloads are switched off: these are for the site's own generator."""
    newer = plain_version(
        486402,
        'v2',
        'SDXL 1.0',
        '2025-08-30',
        ModelFile(4864021, 'onlyHere_v2.safetensors', 'Only Here v2', 8_192),
        usage='Generation',
        covered=True,
    )
    older = plain_version(
        486401,
        'v1',
        'SDXL 1.0',
        '2025-05-05',
        ModelFile(4864011, 'onlyHere_v1.safetensors', 'Only Here v1', 8_192),
        usage='InternalGeneration',
        covered=True,
    )
    about = 'Rooms with one window.'
    return Model(4864, 'Only Here', 'LORA', USERS[1], about, ('style', 'rooms'), (newer, older))


def _archived() -> Model:
    versions = (
        plain_version(
            487702,
            'v2',
            'SD 1.5',
            '2024-08-08',
            ModelFile(4877021, 'oldAlmanac_v2.safetensors', 'Old Almanac v2', 8_192),
        ),
        plain_version(
            487701,
            'v1',
            'SD 1.5',
            '2024-02-20',
            ModelFile(4877011, 'oldAlmanac_v1.safetensors', 'Old Almanac v1', 8_192),
        ),
    )
    about = 'Woodcuts of months.'
    return Model(
        4877,
        'Old Almanac',
        'LORA',
        USERS[2],
        about,
        ('style', 'woodcut'),
        versions,
        mode='Archived',
    )
