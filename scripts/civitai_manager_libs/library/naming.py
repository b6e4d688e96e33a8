"""What a new model file is called: as on the site, legal, with an ending of its kind, and free.

What lies beside a model file is called after it without its ending, so that no two model files of
a folder may share that: neither may one take over what lies there of another.
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Iterator, Mapping

from ..archive import holdings
from ..archive.place import archive
from ..civitai import meta as meta_of
from ..errors import StorageError
from ..store import names, partial
from . import neighbours

# Those that hosts read, and what else the site has; anything else could be a program.
MODEL_ENDINGS = frozenset('.safetensors .sft .ckpt .pt .pth .bin .gguf .pkl .onnx'.split())
OTHER_ENDINGS = frozenset(
    '.yaml .yml .json .txt .zip .rar .7z .png .webp .jxl .avif .jpeg .jpg'.split()
)
# These lie beside a checkpoint and are called as it is.
CONFIG_ENDINGS = frozenset({'.yaml', '.yml'})
_BY_FORMAT = {'SafeTensor': '.safetensors', 'PickleTensor': '.ckpt', 'GGUF': '.gguf'}
_NO_MODEL = '.download'
# So what lies beside a model is called after its own name, by us and by other tools.
_LIKE_A_COMPANION = re.compile(
    r'\.(?=(metadata|cm-info|civitai|preview|description|api_info|triger|example\.[0-9]+)$)',
    re.IGNORECASE,
)
# With the longest ending of what lies beside it, a name is no longer than `names` allows.
_MOST_BYTES = names.MAX_NAME_BYTES - len('.metadata.json')


def file_name(file: Mapping[str, object], version: Mapping[str, object]) -> str:
    """Return the name of one `file` of a `version`, both as the API has them.

    Where the version has several of one name, what sets them apart stands in it.
    """
    stem, ending = _split(file)
    told = meta_of.as_text(file.get('name'))
    twins = [
        one
        for one in meta_of.mappings(version.get('files'))
        if meta_of.as_text(one.get('name')) == told and one.get('id') != file.get('id')
    ]
    if twins:
        marks = _marks(file)
        is_apart = marks and marks not in map(_marks, twins)
        stem = f'{stem} {marks}' if is_apart else f'{stem}-{file.get("id")}'
    return partial.unlike_a_part(f'{_safe(stem)}{ending}')


def _split(file: Mapping[str, object]) -> tuple[str, str]:
    told = meta_of.as_text(file.get('name')).replace('\\', '/').rsplit('/', 1)[-1]
    stem, ending = os.path.splitext(told)
    if ending.lower() in MODEL_ENDINGS | OTHER_ENDINGS:
        return stem, ending.lower()
    metadata = file.get('metadata')
    form = metadata.get('format') if isinstance(metadata, Mapping) else None
    return told, _BY_FORMAT.get(str(form), _NO_MODEL)


def _marks(file: Mapping[str, object]) -> str:
    """What a file is besides its name: whole or pruned, its precision."""
    metadata = file.get('metadata')
    if not isinstance(metadata, Mapping):
        return ''
    told = (meta_of.as_text(metadata.get(name)) for name in ('size', 'fp', 'quantType'))
    return ' '.join(filter(None, told))


def _safe(stem: str) -> str:
    name = names.safe_name(stem, 'model')
    while len(name.encode('utf-8')) > _MOST_BYTES:
        name = name[:-1]
    return _LIKE_A_COMPANION.sub('_', names.safe_name(name, 'model'))


def free_paths(folder: Path, name: str, version_id: int = 0) -> Iterator[Path]:
    """Yield the paths that a new file `name` of a version may have, the plainest first.

    Whoever takes one must not replace what came there in the meantime (`store.claims`).
    """
    stem, ending = os.path.splitext(name)
    for number in itertools.count():
        base = numbered(stem, number)
        if is_free(folder, base, ending, version_id):
            yield folder / f'{base}{ending}'


def numbered(stem: str, before: int) -> str:
    """Return what a file is called, without its ending, where `before` others are called `stem`.

    Prompts name LoRAs and embeddings so, and brackets mean something else there.
    """
    return f'{stem}-{before + 1}' if before else stem


def is_free(folder: Path, base: str, ending: str, version_id: int) -> bool:
    """Tell whether no other model of `folder` is called `base`, nor lies anything of one there.

    A config of a checkpoint shares the name of one of its own version alone: programs make of it
    whatever it says.
    """
    if os.path.lexists(folder / f'{base}{ending}'):
        return False
    models = [one for one in MODEL_ENDINGS if os.path.lexists(folder / f'{base}{one}')]
    if models and ending not in CONFIG_ENDINGS:
        return False
    here = _fetched(folder, base)
    for one in models:
        told = here.get(one) or neighbours.version_told(folder / f'{base}{one}')
        if told != version_id:
            return False
    told = neighbours.version_told(folder / f'{base}{ending}')
    return {told, *here.values()} <= {0, version_id}


def _fetched(folder: Path, base: str) -> dict[str, int]:
    """The versions that files of `folder` called `base` are known to be of, by their endings."""
    real = Path(os.path.realpath(folder))
    paths = {real / f'{base}{one}': one for one in MODEL_ENDINGS | OTHER_ENDINGS}
    try:
        found = holdings.at(archive(), paths)
    except StorageError:  # what lies beside them tells it as well
        return {}
    return {paths[one.path]: one.version_id for one in found.values() if one.is_there}
