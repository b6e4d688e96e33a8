"""What the cards of AUTOMATIC1111 and Forge show of a model: `<base>.json`, as they write it.

A person may have written there as well, so that nothing is ever changed but what is absent or
empty, and a file that we could not give back as it was is left alone.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from html import unescape
from typing import Any, Iterator, Mapping

from ..civitai import meta as meta_of
from ..host.layouts import Layout
from . import neighbours
from .kinds import LORAS

MOST_CHARACTERS = 2000  # of a description; what does not fit on a card is on the site
_MOST_HTML = 200_000
# What the hosts have cards of.
KINDS = LORAS | {'Checkpoint', 'UNet', 'TextualInversion', 'Hypernetwork'}
# What the hosts call the bases; any other name would be ignored there.
_SDXL = frozenset({'Pony', 'Illustrious', 'NoobAI'})
_VERSIONS = (('SD 1', 'SD1'), ('SD 2', 'SD2'), ('SDXL', 'SDXL'))
# Its presence tells a whole answer of Civitai, which SD.Next keeps under the same name.
_OF_SDNEXT = 'modelVersions'
_EMPTY: tuple[object, ...] = (None, '', [], {})


def fields(
    version: Mapping[str, object],
    model: Mapping[str, object],
    kind: str,
    layout: Layout | None = None,
    sha256: str = '',
) -> dict[str, object]:
    """Return what there is to say of a version on its card.

    `kind` is that of the file, `layout` that of the program around, `sha256` what was reckoned of
    the file: others believe it without a look.
    """
    told: dict[str, object] = {'description': _description(version, model)}
    if kind in LORAS:
        told['sd version'] = _sd_version(meta_of.as_text(version.get('baseModel')), layout)
        told['activation text'] = _activation(version.get('trainedWords'))
        told['preferred weight'] = 0  # which is that of the settings
    told['modelId'] = neighbours.number(version.get('modelId')) or None
    told['modelVersionId'] = neighbours.number(version.get('id')) or None
    told['sha256'] = sha256.upper()
    return {name: value for name, value in told.items() if value not in _EMPTY}


def _sd_version(base: str, layout: Layout | None) -> str:
    if base in _SDXL:
        return 'SDXL'
    if base.startswith('Flux.1') and layout is not None and layout.names_flux:
        return 'Flux'
    return next((name for start, name in _VERSIONS if base.startswith(start)), '')


def _activation(value: object) -> str:
    words = [meta_of.as_text(one).strip(' ,') for one in (value if isinstance(value, list) else ())]
    words = list(filter(None, words))
    # with a comma in it, each is a whole prompt and not a part of one
    return (' || ' if words and ',' in words[0] else ', ').join(words)


def _description(version: Mapping[str, object], model: Mapping[str, object]) -> str:
    of_model = version.get('model')
    told = (
        model.get('description'),
        of_model.get('description') if isinstance(of_model, Mapping) else '',
        version.get('description'),
    )
    plain = next(filter(None, (plain_text(meta_of.as_text(one)) for one in told)), '')
    return plain if len(plain) <= MOST_CHARACTERS else f'{plain[: MOST_CHARACTERS - 1]}…'


def merged(content: bytes, told: Mapping[str, object]) -> bytes | None:
    """Return the `content` of such a file with what it lacks of `told`; b'' is no file yet.

    None if it is to stay as it is: because it lacks nothing, is no such file, or holds what would
    come out otherwise than it went in.
    """
    try:
        there = _read(content) if content else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(there, dict) or _OF_SDNEXT in there:
        return None
    new = {name: value for name, value in told.items() if there.get(name) in _EMPTY}
    return written({**there, **new}) if new else None


def written(data: object) -> bytes:
    """Return `data` as JSON that people can read."""
    try:
        return json.dumps(data, indent=4, ensure_ascii=False).encode('utf-8')
    except UnicodeEncodeError:  # half a character
        return json.dumps(data, indent=4).encode('ascii')


def _read(content: bytes) -> Any:
    """What is in `content`. Raises ValueError if writing it again would lose something."""
    return json.loads(
        content.decode('utf-8-sig'),
        object_pairs_hook=_without_twins,
        parse_float=_exact,
        parse_constant=_refused,
    )


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError('a key comes twice')
    return found


def _exact(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or Decimal(repr(number)) != Decimal(text):
        raise ValueError('a number has more digits than we keep')
    return number


def _refused(text: str) -> float:
    raise ValueError(f'{text} is no JSON')


# A tag, where a comment begins or ends; none reaches over another `<`, so that the time it takes to
# find all of them grows with the length of a text and no faster.
_MARKS = re.compile(
    r"""<!--|-->|<(/?)([a-z][^\s<>/]*)(?:[^<>"']|"[^<"]*"|'[^<']*')*>|<[a-z/!?][^<>]*(?:>|\Z)""",
    re.IGNORECASE,
)
_BREAKS = frozenset('p br div li h1 h2 h3 h4 h5 h6 tr ul ol pre blockquote hr'.split())
_UNSEEN = frozenset({'script', 'style'})
# A number too long for a character, which Python would refuse to read.
_NO_CHARACTER = re.compile(r'&#(?:[0-9]{9,}|x[0-9a-f]{9,});?', re.IGNORECASE)


def plain_text(html: str) -> str:
    """Return the words of a description, which comes as HTML, line by line. Never raises."""
    lines = ''.join(_words(_NO_CHARACTER.sub('', html[:_MOST_HTML]))).splitlines()
    return '\n'.join(filter(None, (line.strip() for line in lines)))


def _words(html: str) -> Iterator[str]:
    """The words of a piece of HTML, and where lines begin and end."""
    seen_from, unseen_until = 0, ''
    for mark in _MARKS.finditer(html):
        told = mark[0].lower()
        name = (mark[2] or '').lower()
        if unseen_until:
            if unseen_until in (told, f'{mark[1]}{name}'):
                seen_from, unseen_until = mark.end(), ''
        elif told != '-->':
            yield _one_line(html[seen_from : mark.start()])
            seen_from = mark.end()
            if told == '<!--':
                unseen_until = '-->'
            elif name in _UNSEEN and not mark[1]:
                unseen_until = f'/{name}'
            elif name in _BREAKS:
                yield '\n'
    if not unseen_until:
        yield _one_line(html[seen_from:])


def _one_line(text: str) -> str:
    return ' '.join(f'.{unescape(text)}.'.split())[1:-1]
