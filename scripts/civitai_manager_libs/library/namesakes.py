"""Model files that prompts call by one name, in whichever sub-folders they lie.

WebUIs look for LoRAs, embeddings and hypernetworks in all sub-folders, and know them by their names
without folder and ending: of two that are called the same, a prompt gets either.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CivitaiError
from . import places, walking
from .kinds import LORAS

# Each has names of its own.
_FAMILIES = (
    LORAS,
    frozenset({'TextualInversion'}),
    frozenset({'Hypernetwork'}),
)


def namesakes(path: Path) -> list[Path]:
    """Return the other model files that prompts call as they would call one at `path`.

    What decides is the kind of the folder that it lies in. Never raises.
    """
    try:
        folders = places.read_from()
    except CivitaiError:
        return []
    own = Path(os.path.realpath(path.parent), path.name)
    around = [folder for folder in folders if own.is_relative_to(folder)]
    if not around:
        return []
    kind = folders[max(around, key=lambda folder: len(folder.parts))]
    family = next((one for one in _FAMILIES if kind in one), frozenset[str]())
    found = walking.model_files({f: k for f, k in folders.items() if k in family}, [])
    there = (Path(entry.path) for entry, _ in found)
    called = own.stem.casefold()
    return sorted(one for one in there if one.stem.casefold() == called and one != own)
