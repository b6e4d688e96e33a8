"""What a WebUI knows of model files: their folders, their hashes, the lists it shows of them."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Mapping

from . import layouts
from .layouts import Layout, Spot

log = logging.getLogger(__name__)

# What code of others may raise that is not what it was when this was written.
_ODD = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError)
ODD = (*_ODD, TypeError, ValueError)

# What the names begin with under which a WebUI notes hashes.
_TITLES = {'Checkpoint': 'checkpoint', 'TextualInversion': 'textual_inversion', 'VAE': 'vae'}
_TITLES.update(dict.fromkeys(('LORA', 'LoCon', 'DoRA'), 'lora'))

# By those: modules and functions that have a WebUI look at its folders anew.
_LISTS = {
    'checkpoint': (('modules.sd_models', 'list_models'),),
    'lora': (
        ('networks', 'list_available_networks'),
        ('modules.lora.lora_load', 'list_available_networks'),  # SD.Next
    ),
    'vae': (('modules.sd_vae', 'refresh_vae_list'),),
}


def full(path: str) -> Path:
    """A folder of the host; SD.Next names its own from where it runs, '' for that very place."""
    return Path(os.path.abspath(path))


def root() -> Path:
    """The folder that the host's folders of models are in, unless an option names another."""
    from modules import paths

    return full(paths.models_path)


def layout() -> Layout:
    """How the host keeps models, told by what it offers."""
    from modules import shared

    if hasattr(shared.opts, 'unet_dir') or hasattr(shared.opts, 'te_dir'):
        return layouts.SDNEXT
    if hasattr(shared.cmd_opts, 'text_encoder_dir') or 'modules_forge' in sys.modules:
        return layouts.FORGE
    return layouts.A1111


def folders(kind: str) -> tuple[Path, ...]:
    """The folders that the host reads models of `kind` from, first that for new ones."""
    from modules import paths

    spot = layout().spots.get(kind)
    if spot is None:
        return ()
    data = full(paths.data_path)
    extensions = full(getattr(paths, 'extensions_dir', None) or str(data / 'extensions'))
    return tuple(dict.fromkeys([*_chosen(spot), *layouts.usual(spot, root(), data, extensions)]))


def _chosen(spot: Spot) -> list[Path]:
    """The folder that the host's option names, if it does; SD.Next has these among its settings."""
    from modules import shared

    for holder in (shared.cmd_opts, shared.opts):
        value = getattr(holder, spot.option, None) if spot.option else None
        value = value[0] if isinstance(value, list) and value else value
        if value and isinstance(value, (str, Path)):
            return [full(str(value))]
    return []


def kept_hashes(path: Path, kind: str) -> tuple[str, str]:
    """Return the SHA256 of a file, and that of its tensors, that the host noted; '' if it did not.

    It notes them by name, so that the time of the file has to be the very same. Forge notes that of
    the whole file where others note that of the tensors, and both if it took over their notes.
    """
    from modules import hashes

    title = _TITLES.get(kind)
    if title is None:
        return '', ''
    try:
        names = _names(path, kind)
        changed = os.path.getmtime(path)
        tables = [hashes.cache(name) for name in ('hashes', 'hashes-addnet')]
        first, second = (
            next(filter(None, (_hash(table.get(f'{title}/{n}'), changed) for n in names)), '')
            for table in tables
        )
    except ODD as error:
        log.info('The hashes of the WebUI cannot be read: %r', error)
        return '', ''
    return first, '' if layout() is layouts.FORGE else second


def _names(path: Path, kind: str) -> list[str]:
    """What the host may call the file: by its name alone, or by where it is in a folder."""
    found = [path.stem, path.name]
    for folder in folders(kind):
        if path.is_relative_to(folder):
            inside = str(path.relative_to(folder))
            found += [inside, os.path.splitext(inside)[0]]
    return list(dict.fromkeys(found))


def _hash(entry: Any, changed: float) -> str:
    if not isinstance(entry, Mapping) or entry.get('mtime') != changed:
        return ''
    found = entry.get('sha256')
    is_one = isinstance(found, str) and len(found) == 64 and found.isalnum() and found.isascii()
    return str(found).lower() if is_one else ''


def refresh(kind: str) -> bool:
    """Have the host look at its folders for models of `kind`; False if it offers no such thing.

    To be called in the host's own process. Never raises.
    """
    try:
        if kind == 'TextualInversion':
            return _refresh_embeddings()
        for name, function in _LISTS.get(_TITLES.get(kind, ''), ()):
            action = getattr(sys.modules.get(name), function, None)
            if action is not None:
                action()
                return True
    except ODD as error:
        log.warning('The WebUI could not look at its models anew: %r', error)
    return False


def _refresh_embeddings() -> bool:
    """A model that is not loaded reads them when it is; nobody asked to have one loaded now."""
    page = sys.modules.get('modules.ui_extra_networks_textual_inversion')
    shown = getattr(page, 'embedding_db', None)  # Forge, whose cards need no model
    if shown is not None:
        shown.load_textual_inversion_embeddings(force_reload=True, sync_with_sd_model=False)
        return True
    data = getattr(sys.modules.get('modules.sd_models'), 'model_data', None)
    loaded = getattr(data, 'sd_model', None)  # that of modules.shared loads one
    hijack = getattr(sys.modules.get('modules.sd_hijack'), 'model_hijack', None)
    database = getattr(loaded, 'embedding_db', None)  # SD.Next
    database = database or getattr(hijack, 'embedding_db', None)
    if loaded is None or database is None:
        return False
    database.load_textual_inversion_embeddings(force_reload=True)
    return True
