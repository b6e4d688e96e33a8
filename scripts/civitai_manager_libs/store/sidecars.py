"""How a picture was made, in files beside it: NAME.json, NAME.txt, NAME.caption.

`json` has all that Civitai said, `txt` the infotext as a WebUI writes it beside its pictures,
`caption` the prompt for those who train. A file that somebody else wrote, or changed since we did,
is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Collection, Container, Mapping

from ..civitai import meta
from ..errors import SourceError
from . import files
from .carriers import Embedded

FORMS = ('json', 'txt', 'caption')
NONE = 'none'
# More than we would ever write need not be read to be known as another's.
_MOST_BYTES = 64 * 1024 * 1024


class Written(Enum):
    """What became of a file beside a picture."""

    WRITTEN = 'it is new, or has new content'
    SAME = 'it had this content'
    OURS = 'it is ours and was not to be refreshed'
    FOREIGN = 'it is not ours and stays'


@dataclass(frozen=True)
class Sidecar:
    """A file beside a picture; sha256 is that of its content, '' if it is not ours.

    Who remembers sha256 can have the file refreshed, see `write`.
    """

    path: Path
    outcome: Written
    sha256: str


def chosen(text: str) -> tuple[str, ...] | None:
    """Return which FORMS a list such as 'json, txt' names, () for 'none', None for ''.

    Raises SourceError if it names something else.
    """
    words = [word for part in text.split(',') if (word := part.strip().casefold())]
    if not words:
        return None
    if NONE in words:
        if set(words) != {NONE}:
            raise SourceError('sidecar_none_alone')
        return ()
    for word in words:
        if word not in FORMS:
            raise SourceError('sidecar_unknown', given=ascii(word[:20]), known=', '.join(FORMS))
    return tuple(form for form in FORMS if form in words)


def due(asked: Collection[str] | None, outcome: Embedded | None) -> tuple[str, ...]:
    """Return which FORMS a picture is to have beside it.

    asked: those a person chose, None if nobody did. outcome: what became of the text that was to
    go into the picture, None if none was to. Where nobody chose, what cannot carry text (a video)
    gets `json`, and a text that its picture could not take goes into `txt`.
    """
    if asked is not None:
        return tuple(form for form in FORMS if form in asked)
    if outcome is Embedded.NO_KIND:
        return ('json',)
    return ('txt',) if outcome is not None and outcome.needs_sidecar else ()


def as_json(item: Mapping[str, object], page: str) -> bytes:
    """Return an `item` of the API, under its own names, with the address of its page as `page`."""
    told = {'page': page, **{name: value for name, value in item.items() if name != 'page'}}
    # what Python takes for a number, and JSON does not, is unknown
    known = json.loads(json.dumps(told), parse_constant=lambda _: None)
    try:
        return (json.dumps(known, ensure_ascii=False, indent=2) + '\n').encode()
    except UnicodeEncodeError:  # half a character, which UTF-8 cannot write
        return (json.dumps(known, indent=2) + '\n').encode()


def as_text(text: str) -> bytes:
    """Return an infotext or caption as the content of a file, b'' if it is empty."""
    lines = meta.clean(text).strip()
    return f'{lines}\n'.encode() if lines else b''


def write(
    picture: Path,
    contents: Mapping[str, bytes],
    *,
    ours: Container[str] = (),
    refresh: bool = False,
) -> list[Sidecar]:
    """Write what `contents` has by its FORMS beside `picture`; return what became of each.

    An empty content makes no file. ours: the SHA256 of what we wrote there before; with `refresh`
    a file that is still that is replaced. All are written before the first has its name, and none
    is ever half there. Raises StorageError.
    """
    found: list[Sidecar] = []
    with ExitStack() as drafts:
        finished = []
        for form, content in contents.items():
            if not content:
                continue
            path = picture.with_suffix(f'.{form}')
            sidecar = _found(path, content, ours, refresh)
            found.append(sidecar)
            if sidecar.outcome is Written.WRITTEN:
                part = drafts.enter_context(files.draft(path))
                with files.explained(path.parent):
                    part.write_bytes(content)
                finished.append((part, path))
        for part, path in finished:
            files.place(part, path)
    return found


def _found(path: Path, content: bytes, ours: Container[str], refresh: bool) -> Sidecar:
    """What is to become of the file at `path`, as far as what is there tells."""
    wanted = hashlib.sha256(content).hexdigest()
    if not os.path.lexists(path):
        return Sidecar(path, Written.WRITTEN, wanted)
    there = _digest(path)
    if there == wanted:
        return Sidecar(path, Written.SAME, wanted)
    if not there or there not in ours:
        return Sidecar(path, Written.FOREIGN, '')
    return Sidecar(path, *((Written.WRITTEN, wanted) if refresh else (Written.OURS, there)))


def _digest(path: Path) -> str:
    """The SHA256 of the file at `path`; '' for what is no file, or not to be read."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return ''
        with files.opened(path) as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError:
        return ''
    return hashlib.sha256(data).hexdigest() if len(data) <= _MOST_BYTES else ''
