"""Names of files after a pattern that a person wrote, such as '{username}/{created:%Y}/{id}'.

Pure. `/` in the pattern makes folders; nothing in a value does.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Collection, Mapping, Union

from ..errors import SourceError
from . import names

DEFAULT = '{id}'
MAX_FOLDERS = 4
MAX_CHARACTERS = 200

NUMBERS = ('id', 'post_id', 'position', 'index', 'seed')
TEXTS = ('uuid', 'username', 'model', 'version', 'base_model', 'level')
DATES = ('created',)
FIELDS = (*NUMBERS, *TEXTS, *DATES)
# Of the folders that model files go to.
FOLDER_FIELDS = ('base_model', 'creator', 'model', 'version', 'kind')
# Those of which no two pictures have the same, and no two of a job.
_UNIQUE = frozenset(('id', 'uuid'))
_UNIQUE_IN_JOB = _UNIQUE | {'index'}
_SPECS = {
    **dict.fromkeys(NUMBERS, re.compile(r'(0?[1-9][0-9]?d?)?')),
    **dict.fromkeys(TEXTS, re.compile('')),
    **dict.fromkeys(FOLDER_FIELDS, re.compile('')),
    **dict.fromkeys(DATES, re.compile(r'(%[YmdHMSyjBbAaVGUu]|[\w .\-])*')),
}
_UNKNOWN = 'unknown'
# What begins elsewhere than in the folder: a drive, the root of one, the folder of a person.
_ELSEWHERE = re.compile(r'[A-Za-z]:|\\|~')
_STEPS = re.compile(r'[/\\]')
_SEPARATES = re.compile(r'[^0-9]')

Value = Union[int, str, datetime, None]
_Piece = tuple[str, str, str]  # text, then a field and its form


@dataclass(frozen=True)
class Template:
    """A pattern that was read: the pieces of each folder, and of the name; the fields it names.

    `names_pictures`: no other picture, of whatever job, can have the name that one gets.
    `tells_apart`: no other one of the job can.
    """

    text: str
    parts: tuple[tuple[_Piece, ...], ...]
    fields: frozenset[str]
    names_pictures: bool
    tells_apart: bool

    def path(self, values: Mapping[str, Value]) -> PurePosixPath:
        """Return the path, without an extension, of the picture that `values` tell of.

        They are the id and its `fields`; one that is not known reads 'unknown'. Two pictures of
        different ids have different names: where the pattern does not see to that, the id stands
        at the end.
        """
        *folders, name = (''.join(_shown(piece, values) for piece in part) for part in self.parts)
        stem = names.safe_name(name)
        short = names.first_units(stem, names.MAX_STEM_UNITS)
        if short != stem or not self.tells_apart:
            end = f'-{values["id"]}'
            short = names.first_units(stem, names.MAX_STEM_UNITS - len(end)) + end
        return PurePosixPath(*map(names.folder_name, folders), names.safe_name(short))


def parse(text: str) -> Template:
    """Return the pattern in `text`. Raises SourceError that says what is wrong with it."""
    pieces = _parts(text, FIELDS)
    fields = frozenset(field for part in pieces for _, field, _ in part if field)
    tells_apart = _sets_apart(pieces[-1], _UNIQUE_IN_JOB)
    names_pictures = _sets_apart(pieces[-1], _UNIQUE) or not tells_apart
    return Template(text, pieces, fields, names_pictures, tells_apart)


@dataclass(frozen=True)
class FolderTemplate:
    """A pattern for folders that was read: the pieces of each; none for the folder itself."""

    parts: tuple[tuple[_Piece, ...], ...]

    def path(self, values: Mapping[str, Value]) -> PurePosixPath:
        """Return the folders, below another one, of what `values` tell of.

        They are some of `FOLDER_FIELDS`; one that is not known reads 'unknown'.
        """
        shown = (''.join(_shown(piece, values) for piece in part) for part in self.parts)
        return PurePosixPath(*map(names.folder_name, shown))


def parse_folders(text: str) -> FolderTemplate:
    """Return the pattern for folders in `text`. Raises SourceError that says what is wrong."""
    return FolderTemplate(_parts(text, FOLDER_FIELDS) if text.strip() else ())


def _parts(text: str, known: Collection[str]) -> tuple[tuple[_Piece, ...], ...]:
    """The pieces between each two `/`. Raises SourceError."""
    if len(text) > MAX_CHARACTERS or text.count('/') > MAX_FOLDERS:
        raise SourceError('template_long', most=MAX_CHARACTERS, folders=MAX_FOLDERS)
    parts = text.strip().split('/')
    if not all(part.strip() for part in parts):
        raise SourceError('template_empty', template=text)
    if _ELSEWHERE.match(parts[0]) or any(map(_is_dots, _STEPS.split(text))):
        raise SourceError('template_elsewhere', template=text)
    return tuple(tuple(_pieces(part, text, known)) for part in parts)


def _is_dots(part: str) -> bool:
    """Whether a part of a path is such as `..`, which names no folder of its own."""
    return bool(part.strip()) and not part.strip(' .')


def _sets_apart(name: tuple[_Piece, ...], fields: frozenset[str]) -> bool:
    """Whether one of `fields` stands in `name` without another value touching it."""
    shown = ''.join(f'{text}\0{field}\0' if field else text for text, field, _ in name)
    texts, values = shown.split('\0')[::2], shown.split('\0')[1::2]
    return any(
        field in fields
        and (position == 0 or _SEPARATES.search(texts[position]))
        and (position + 1 == len(values) or _SEPARATES.search(texts[position + 1]))
        for position, field in enumerate(values)
    )


def _pieces(part: str, whole: str, known: Collection[str]) -> list[_Piece]:
    try:
        found = list(string.Formatter().parse(part))
    except ValueError:
        raise SourceError('template_braces', template=whole) from None
    pieces = []
    for literal, field, spec, conversion in found:
        if field is not None:
            form = _SPECS.get(field)
            if form is None or field not in known:
                listed = ' '.join(f'{{{name}}}' for name in known)
                raise SourceError('template_field', field=field, known=listed)
            if conversion or not form.fullmatch(spec or ''):
                raise SourceError('template_form', field=field, form=spec or conversion)
        pieces.append((literal, field or '', spec or ''))
    return pieces


def _shown(piece: _Piece, values: Mapping[str, Value]) -> str:
    literal, field, spec = piece
    if not field:
        return literal
    value = values.get(field)
    if isinstance(value, datetime):
        return literal + value.strftime(spec or '%Y-%m-%d')
    if isinstance(value, int) and value:
        return literal + format(value, spec)
    return literal + (names.safe_name(str(value)) if value else _UNKNOWN)
