"""Where a new model file goes, and where models are read from.

Inside a WebUI that is the folder of its own option for the kind of model; else one in that of the
setting `models_folder`, as the program it belongs to expects; else `models` in the download folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping, TypeGuard

from .. import host, setting, texts
from ..civitai import meta as meta_of
from ..errors import StorageError
from ..host import layouts
from ..host.layouts import Layout
from ..store import files, names, templates
from . import kinds

_ALL_KINDS = tuple(dict.fromkeys(kind for one in layouts.ALL for kind in one.spots))
# No program reads these, so that they are not put among its models.
_FOR_NO_PROGRAM = frozenset({kinds.ARCHIVE, kinds.TRAINING_DATA})


@dataclass(frozen=True)
class Place:
    """The `folder` for a file that is a `kind` of model, in the `root` that its kind has.

    `why` is the key of a text: who decided that. `layout` is that of the program that reads it,
    None if none does. Folders need not be there yet.
    """

    folder: Path
    root: Path
    kind: str
    why: str
    layout: Layout | None = None

    def sentence(self, language: str = '') -> str:
        """Say where the file goes, and why."""
        return texts.text(
            self.why, language or setting.language, folder=str(self.folder), kind=self.kind
        )


def place_for(
    file: Mapping[str, object], version: Mapping[str, object], model: Mapping[str, object]
) -> Place:
    """Return where a `file` of a `version` of a `model` goes, all three as the API has them.

    `model` may be the little that the answer about a version tells of it. Nothing is made.
    Raises StorageError if the folder of the setting is not there, SourceError if the pattern of the
    sub-folders cannot be used.
    """
    kind = kinds.kind_of(file, meta_of.as_text(model.get('type')))
    base_model = meta_of.as_text(version.get('baseModel'))
    root, why, layout = _root_of(kind, base_model)
    creator = model.get('creator')
    below = templates.parse_folders(setting.model_folder_template).path(
        {
            'base_model': base_model,
            'creator': meta_of.as_text(creator.get('username') if _is_map(creator) else ''),
            'model': meta_of.as_text(model.get('name')),
            'version': meta_of.as_text(version.get('name')),
            'kind': kind,
        }
    )
    return Place(root / below, root, kind, why, layout)


def names_creator() -> bool:
    """Tell whether folders are called after creators, whom the answer about a version lacks."""
    return '{creator' in setting.model_folder_template


def _is_map(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _root_of(kind: str, base_model: str) -> tuple[Path, str, Layout | None]:
    """The folder for a kind, who decided that, and how the program lays out its models."""
    here = host.detect()
    layout, own = here.model_layout(), here.models_root()
    if kind in _FOR_NO_PROGRAM:
        return _shelf(kind), 'place_downloads', None
    if layout is not None and own is not None:
        folders = here.model_folders(layouts.kind_in(layout, kind, base_model))
        return folders[0] if folders else own / kind, 'place_host', layout
    if setting.models_folder:
        own = _of_setting()
        layout = _layout_in(own)
        found = _folders_in(own, layout, layouts.kind_in(layout, kind, base_model))
        return found[0] if found else own / kind, 'place_setting', layout
    return _shelf(kind), 'place_downloads', None


def _shelf(kind: str) -> Path:
    return setting.download_folder() / 'models' / names.folder_name(kind)


def _of_setting() -> Path:
    """The folder of the setting. One that is not there is a disk that is not: nothing is made."""
    folder = Path(setting.models_folder).expanduser()
    if not folder.is_dir():
        raise StorageError('error_models_folder', folder=str(folder))
    return folder


def _layout_in(models: Path) -> Layout:
    with files.explained(models):
        return layouts.layout_of(set(os.listdir(models)))


def _folders_in(models: Path, layout: Layout, kind: str) -> list[Path]:
    spot, data = layout.spots.get(kind), models.parent
    if spot is None:
        return []
    if models.name.lower() != 'models' and not (data / 'embeddings').is_dir():
        data = models  # a folder of models alone, whoever reads it
    return layouts.usual(spot, models, data, data / 'extensions')


def read_from() -> dict[Path, str]:
    """Return the folders that models are read from, and the kind of those in each.

    One that is not there is left out; one may lie in another. Raises StorageError as `place_for`.
    """
    found: dict[Path, str] = {}
    for folder, kind in _all_folders():
        if folder.is_dir():
            found.setdefault(Path(os.path.realpath(folder)), kind)
    return found


def is_read_from(path: str) -> bool:
    """Tell whether `path` is in a folder that models are read from, wherever links in it lead.

    Of one that is not even written so the disk is not asked. Raises StorageError as `place_for`.
    """
    plain = Path(os.path.normpath(path))
    folders = [*read_from(), *(folder for folder, _ in _all_folders())]
    is_written_so = any(plain.is_relative_to(folder) for folder in folders)
    return is_written_so and any(files.is_inside(path, folder) for folder in folders)


def _all_folders() -> Iterator[tuple[Path, str]]:
    here = host.detect()
    if here.model_layout() is not None:
        for kind in _ALL_KINDS:
            yield from ((folder, kind) for folder in here.model_folders(kind))
    elif setting.models_folder:
        own = _of_setting()
        layout = _layout_in(own)
        for kind in _ALL_KINDS:
            yield from ((folder, kind) for folder in _folders_in(own, layout, kind))
    for kind in (*_ALL_KINDS, kinds.OTHER):
        yield _shelf(kind), kind
