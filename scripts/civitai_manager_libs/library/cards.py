"""What the cards of AUTOMATIC1111 and Forge show of a model: `<base>.json`, as they write it.

A person may have written there as well, so that nothing is ever changed but what is absent or
empty, and a file that we could not give back as it was is left alone.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any, Mapping

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


class _Plain(HTMLParser):
    """Gathers the words of a piece of HTML."""

    BREAKS = frozenset('p br div li h1 h2 h3 h4 h5 h6 tr ul ol pre blockquote hr'.split())
    UNSEEN = frozenset({'script', 'style'})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note where a line begins, and what is not to be seen."""
        self._hidden += tag in self.UNSEEN
        if tag in self.BREAKS:
            self.words.append('\n')

    def handle_endtag(self, tag: str) -> None:
        """Note where a line ends."""
        self._hidden = max(0, self._hidden - (tag in self.UNSEEN))
        if tag in self.BREAKS:
            self.words.append('\n')

    def handle_data(self, data: str) -> None:
        """Note words."""
        if not self._hidden:
            self.words.append(' '.join(f'.{data}.'.split())[1:-1])


def plain_text(html: str) -> str:
    """Return the words of a description, which comes as HTML, line by line."""
    parser = _Plain()
    parser.feed(html[:_MOST_HTML])
    parser.close()
    lines = (line.strip() for line in ''.join(parser.words).splitlines())
    return '\n'.join(filter(None, lines))
