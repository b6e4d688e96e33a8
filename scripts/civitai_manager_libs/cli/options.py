"""What may be said on the command line: options, what their values may be, lists of sources."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Callable, Iterable, List, Optional

import typer

from .. import setting, texts
from ..civitai import basemodels, modelfiles, spelling
from ..civitai.gallery import CEILINGS, PERIODS, SORTS, TYPES
from ..downloads import wanted
from ..errors import SourceError
from ..store import sidecars, tables, templates

MOST_AT_ONCE = 64
MOST_SEGMENTS = 16
MODELS_WORDS = 'scan', 'list', 'updates', 'verify', 'missing'
# The longer first: the one begins as the other does.
_MARKS = (
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)


def wrong(key: str, **values: object) -> typer.BadParameter:
    """Return the error that says, in the sentence `key`, what is wrong with an argument."""
    return typer.BadParameter(texts.text(key, setting.language, **values))


def folder(text: str) -> Path:
    """Return the folder that `text` names. Raises BadParameter."""
    if text.strip():
        return Path(os.path.expanduser(text))
    raise wrong('cli_no_folder')


def count(text: str) -> int:
    """Return the number above 0 in `text`. Raises BadParameter."""
    number = wanted.count_in(text)
    if number:
        return number
    raise wrong('cli_no_count', given=ascii(text[:20]))


def at_once(text: str) -> int:
    """Return how many downloads at the same time `text` says. Raises BadParameter."""
    number = count(text)
    if number > MOST_AT_ONCE:
        raise wrong('cli_too_many', most=MOST_AT_ONCE)
    return number


def segments(text: str) -> int:
    """Return how many connections for one file `text` says. Raises BadParameter."""
    number = count(text)
    if number > MOST_SEGMENTS:
        raise wrong('cli_too_many', most=MOST_SEGMENTS)
    return number


def moment(text: str) -> str:
    """Return the time in `text`. Raises BadParameter."""
    try:
        return wanted.checked_moment(text)
    except SourceError as error:
        raise typer.BadParameter(error.message_in(setting.language)) from None


def template(text: str) -> str:
    """Return the pattern for names in `text`. Raises BadParameter."""
    try:
        return templates.parse(text).text
    except SourceError as error:
        raise typer.BadParameter(error.message_in(setting.language)) from None


def sidecar(text: str) -> str:
    """Return the list of files beside pictures in `text`. Raises BadParameter."""
    try:
        sidecars.chosen(text)
    except SourceError as error:
        raise typer.BadParameter(error.message_in(setting.language)) from None
    return text


def words(text: str) -> str:
    """Return `text`, which is not empty. Raises BadParameter."""
    if text.strip():
        return text.strip()
    raise wrong('cli_empty')


def base_model(text: str) -> str:
    """Return the base model that `text` names, under its exact name. Raises BadParameter."""
    return basemodels.exact_name(words(text))


def _one_of(known: Iterable[str]) -> Callable[[str], str]:
    names = tuple(known)

    def choice(text: str) -> str:
        found = spelling.meant(text, names)
        if not found:
            raise wrong('cli_no_choice', given=ascii(text[:20]), known=', '.join(names))
        return found

    return choice


def table_form(said: str | None, output: str) -> str:
    """Return the format of a table: that `said`, else that of the name of its file, else the first.

    Raises BadParameter if the name says another one, or none of ours.
    """
    _, dot, ending = os.path.basename(output).rpartition('.')
    by_name = ending.lower() if dot else ''
    if by_name in tables.FORMATS and said not in (None, by_name):
        raise wrong('cli_export_other_format', form=said, ending=ending)
    if by_name and not said and by_name not in tables.FORMATS:
        raise wrong('cli_export_no_format', ending=ending, known=', '.join(tables.FORMATS))
    return said or by_name or tables.FORMATS[0]


def sources_in(given: Iterable[str], file: Path | None) -> list[str]:
    """Return the sources that were `given`; `-` and `file` stand for lists of a source a line.

    Raises BadParameter if a list cannot be read or there is nothing in all this.
    """
    found: list[str] = []
    try:
        for one in given:
            found += _lines(_piped()) if one == '-' else [one]
        if file is not None:
            found += _lines(_text_in(file.read_bytes()))
    except OSError as error:
        raise wrong('cli_unreadable', name=file or '-', reason=error.strerror or error) from None
    except UnicodeError:
        raise wrong('cli_no_text', name=file or '-') from None
    if not found:
        raise wrong('cli_no_source')
    return found


def _piped() -> str:
    raw = getattr(sys.stdin, 'buffer', None)
    return _text_in(raw.read()) if raw else sys.stdin.read()


def _text_in(content: bytes) -> str:
    """The text that `content` is, in the encoding of its mark, else in UTF-8.

    Raises UnicodeError.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), 'utf-8')
    text = content.decode(encoding)
    if '\0' in text:  # UTF-16 without its mark
        raise UnicodeError
    return text


def _lines(text: str) -> list[str]:
    """The lines of a list; blank ones and those that begin with # are none of it.

    What Windows pipes may begin with a byte order mark.
    """
    lines = (line.strip('\ufeff \t\r') for line in text.splitlines())
    return [line for line in lines if line and not line.startswith('#')]


def _option(name: str, panel: str, **more: Any) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(
        name, rich_help_panel=panel, show_default=False, **more
    )
    return made


# `manual` tells of each, in the language of the person, and gives the panels their titles.
Sources = Annotated[Optional[List[str]], typer.Argument(metavar='SOURCE...', show_default=False)]
To = Annotated[Optional[Path], _option('--to', 'where', parser=folder, metavar='DIR')]
From = Annotated[Optional[Path], _option('--from', 'where', parser=folder, metavar='FILE')]
Name = Annotated[Optional[str], _option('--name', 'where', parser=template, metavar='TEMPLATE')]
Limit = Annotated[Optional[int], _option('--limit', 'which', parser=count, metavar='N')]
Since = Annotated[Optional[str], _option('--since', 'which', parser=moment, metavar='DATE')]
Until = Annotated[Optional[str], _option('--until', 'which', parser=moment, metavar='DATE')]
Level = Annotated[
    Optional[str],
    _option('--level', 'which', parser=_one_of(CEILINGS), metavar='LEVEL'),
]
Type = Annotated[Optional[str], _option('--type', 'which', parser=_one_of(TYPES), metavar='TYPE')]
WithPrompt = Annotated[bool, _option('--with-prompt', 'which')]
BaseModels = Annotated[
    Optional[List[str]], _option('--base-model', 'which', parser=base_model, metavar='NAME')
]
Sort = Annotated[Optional[str], _option('--sort', 'which', parser=_one_of(SORTS), metavar='ORDER')]
Period = Annotated[
    Optional[str], _option('--period', 'which', parser=_one_of(PERIODS), metavar='PERIOD')
]
Tags = Annotated[Optional[List[str]], _option('--tag', 'which', parser=words, metavar='ID|NAME')]
Gone = Annotated[bool, _option('--gone', 'which')]
Embed = Annotated[Optional[bool], _option('--embed/--no-embed', 'how')]
Sidecar = Annotated[Optional[str], _option('--sidecar', 'how', parser=sidecar, metavar='FORMS')]
Refresh = Annotated[bool, _option('--refresh-sidecars', 'how')]
AtOnce = Annotated[Optional[int], _option('--concurrency', 'how', parser=at_once, metavar='N')]
AsJson = Annotated[bool, _option('--json', 'how')]
Quiet = Annotated[bool, _option('--quiet', 'how')]
Verbose = Annotated[bool, _option('--verbose', 'how')]
DryRun = Annotated[bool, _option('--dry-run', 'how')]
JobId = Annotated[int, typer.Argument(metavar='JOB', parser=count, show_default=False)]
JobsWord = Annotated[
    Optional[str], typer.Argument(metavar='[drop]', parser=_one_of(('drop',)), show_default=False)
]
JobIds = Annotated[
    Optional[List[int]], typer.Argument(metavar='[JOB...]', parser=count, show_default=False)
]
AnyJobId = Annotated[
    Optional[int], typer.Argument(metavar='[JOB]', parser=count, show_default=False)
]
Exported = Annotated[str, typer.Argument(metavar='SOURCE|DIR', parser=words, show_default=False)]
Format = Annotated[
    Optional[str], _option('--format', 'where', parser=_one_of(tables.FORMATS), metavar='FORMAT')
]
Output = Annotated[Optional[str], _option('--output', 'where', parser=words, metavar='FILE|-')]
Tables = Annotated[List[str], typer.Argument(metavar='TABLE...', show_default=False)]
Folder = Annotated[Path, typer.Argument(metavar='DIR', parser=folder, show_default=False)]
Repair = Annotated[bool, _option('--repair', 'how')]
Clear = Annotated[bool, _option('--clear', 'how')]
SettingName = Annotated[Optional[str], typer.Argument(metavar='[NAME]', show_default=False)]
SettingValue = Annotated[Optional[str], typer.Argument(metavar='[VALUE]', show_default=False)]
ModelSource = Annotated[str, typer.Argument(metavar='SOURCE', parser=words, show_default=False)]
ModelFile = Annotated[Optional[str], _option('--file', 'which', parser=words, metavar='ID|NAME')]
ModelFormat = Annotated[
    Optional[str],
    _option('--format', 'which', parser=_one_of(modelfiles.FORMATS), metavar='FORMAT'),
]
Suspect = Annotated[bool, _option('--allow-suspect', 'which')]
Segments = Annotated[Optional[int], _option('--segments', 'how', parser=segments, metavar='N')]
Companions = Annotated[Optional[bool], _option('--companions/--no-companions', 'how')]
ModelsWord = Annotated[
    str,
    typer.Argument(
        metavar='|'.join(MODELS_WORDS), parser=_one_of(MODELS_WORDS), show_default=False
    ),
]
Picture = Annotated[Optional[str], typer.Argument(metavar='[PICTURE|FILE]', show_default=False)]
Get = Annotated[bool, _option('--get', 'how')]
