"""What people paste to have a model file: a link, an id, an AIR or a hash. Nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from ..errors import SourceError
from . import urls
from .modelfiles import Choice, whole
from .pasted import AIR, hash_in, only_link
from .source import parse_source

_FILE = re.compile(r'\+([0-9]{1,10})(?![0-9])')


@dataclass(frozen=True)
class ModelSource:
    """A model, one of its versions or one file; what was not said is 0 or ''.

    With a `hash`, in lower case, no more is known. `choice` is what the link said of the file.
    """

    model_id: int = 0
    version_id: int = 0
    hash: str = ''
    choice: Choice = Choice()


def parse_model_source(text: str, base_url: str) -> ModelSource:
    """Return which model file `text`, given by a person, means; nothing is fetched.

    Accepted are the pages and API addresses of models and versions, download links, a bare model
    id, an AIR, and the hash of a file in any of its usual lengths. Raises SourceError.
    """
    given = only_link(text)
    digest = hash_in(given)
    if digest:
        return ModelSource(hash=digest)
    unusable = SourceError('model_source', given=urls.shown(given))
    try:
        found = parse_source(given, base_url)
    except SourceError as error:
        raise unusable if error.key == 'source_unknown' else error from None
    choice = _choice_in(given)
    if found.kind == 'model':
        return ModelSource(found.number, found.version_id, choice=choice)
    if found.kind == 'version':
        return ModelSource(0, found.number, found.hash.lower(), choice)
    raise unusable


def _choice_in(given: str) -> Choice:
    """What a download link or an AIR says of the file."""
    path, _, query = given.partition('?')
    if AIR.fullmatch(path.rstrip('/')):
        named = _FILE.search(path)
        return Choice(whole(named[1]) if named else 0)
    if '/api/download/' not in path.lower():
        return Choice()
    asked = {name: values[-1] for name, values in parse_qs(query.partition('#')[0]).items()}
    file_id = whole(asked.get('fileId', ''))
    return Choice(file_id, asked.get('format', ''), asked.get('size', ''), asked.get('fp', ''))
