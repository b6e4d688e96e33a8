"""The files of a version, and which of them it stands for. Decisions only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Sequence
from urllib.parse import quote, urlencode

from ..world.catalog import Catalog
from ..world.entries import Version
from ..world.modelfiles import ModelFile

# Types that hold a model's main weights.
MAIN_TYPES = ('Model', 'Pruned Model', 'Diffusion Model', 'UNet')
PREFERENCES: Mapping[str, str] = {
    'format': 'SafeTensor',
    'size': 'pruned',
    'fp': 'fp16',
    'quantType': 'Q4_K_M',
}
_WEIGHTS = {'format': 100, 'size': 10, 'fp': 1, 'quantType': 0.5}


@dataclass(frozen=True)
class ListedFile:
    """A file as one version lists it; not `owned`: it belongs to a version linked to it."""

    file: ModelFile
    owned: bool = True


def listed_files(catalog: Catalog, version: Version) -> list[ListedFile]:
    """The files of a version, and the main file of its VAE under the type `VAE`."""
    found = [ListedFile(file) for file in version.files]
    linked = catalog.version(version.linked_vae)
    if linked:
        files = (file for file in linked[1].files if file.kind == 'Model')
        found += [ListedFile(replace(file, kind='VAE'), owned=False) for file in files]
    return found


def primary_file(
    files: Sequence[ListedFile], preferences: Mapping[str, str] | None = None
) -> ListedFile | None:
    """The best of `files` by the site's score, the first one of several; None if there are none.

    Main weights count most, then format, size, precision and quantization; `preferences` take the
    place of the usual ones. What a file says nothing of counts neither for nor against it.
    """
    wanted = {**PREFERENCES, **(preferences or {})}

    def score(listed: ListedFile) -> float:
        points = 1000.0 if listed.file.kind in MAIN_TYPES else 0.0
        for name, value in listed.file.metadata.items():
            points += _WEIGHTS[name] if value == wanted[name] else -_WEIGHTS[name]
        return points

    return max(files, key=score, default=None)


def listed_address(version: Version, listed: ListedFile, *, primary: bool, pinned: bool) -> str:
    """Where a file is fetched: by its id if `pinned` and its own, else by what it is.

    The primary one then has an address that says nothing, so that an account's preferences decide.
    """
    path = f'/api/download/models/{version.id}'
    if pinned and listed.owned:
        return f'{path}?fileId={listed.file.id}'
    if primary:
        return path
    facts = {'type': listed.file.kind, **listed.file.metadata}
    if listed.file.kind == 'Training Data':
        facts.pop('format', None)
    return f'{path}?{urlencode(facts, quote_via=quote)}'
