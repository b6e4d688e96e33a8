"""The texts that a ComfyUI graph makes its prompts of.

A text that a node makes in a way not known here is left out: it is none of those it is given.
"""

from __future__ import annotations

import re
from typing import Iterator

from . import meta as meta_of
from .nodes import Inputs, Nodes, chosen, holds, linked

_MOST_TEXTS = 50
_DEEPEST = 60
_LONGEST = 500_000
_TEXTS = ('text', 'text_g', 'text_l', 't5xxl', 'clip_l', 'prompt', 'string', 'populated_text')
_GIVEN = re.compile(
    r'(?:text|string|prompt|value|input|any)s?_?(?:[0-9]{1,2}|[a-z])?'
    r'|positive|negative|multiline_text',
    re.IGNORECASE,
)
_JOINS = re.compile(r'concat|join', re.IGNORECASE)
_HANDS_ON = re.compile(r'show|display|preview|switch', re.IGNORECASE)
_COMPUTES = re.compile(
    r'llm|gpt|llama|gemini|claude|chat|caption|interrogat|generat|wildcard|random|translat'
    r'|replace|regex|style|file|load',
    re.IGNORECASE,
)
_CONDITIONING = re.compile(
    r'(?:|conditioning(?:_?\w+)?|cond\w*|positive|negative|any\w*|input\d*|(?:basic_)?pipe)'
)


def prompt(nodes: Nodes, around: list[Inputs], way: str) -> str:
    """The prompt that comes in by `way`, 'positive' or 'negative'."""
    names = (way, 'conditioning') if way == 'positive' else (way,)
    told = (one[name] for one in around for name in names if one.get(name) not in (None, ''))
    given = next(told, None)
    if isinstance(given, str):
        return meta_of.clean(given).strip()
    return ', '.join(dict.fromkeys(_texts(nodes, given, way)))


def _texts(nodes: Nodes, link: object, way: str) -> Iterator[str]:
    """The texts behind a conditioning, each node once."""
    waiting, seen, found = [linked(nodes, link)], set(), 0
    while waiting and found < _MOST_TEXTS:
        number, output = waiting.pop()
        inputs = nodes.get(number)
        if inputs is None or (number, output) in seen:
            continue
        seen.add((number, output))
        if 'ZeroOut' in str(inputs[' class']):
            continue
        names = _encoded(inputs, way)
        parts = list(_own_texts(nodes, inputs, names))
        yield from parts
        found += len(parts)
        if not names:
            waiting += reversed(_behind(nodes, inputs, output, way))


def _encoded(inputs: Inputs, way: str) -> list[str]:
    """The names of the inputs that a node encodes; a loader has one for each way."""
    if isinstance(inputs.get('positive'), str) or isinstance(inputs.get('negative'), str):
        return [way]
    return [name for name in _TEXTS if name in inputs]


def _behind(nodes: Nodes, inputs: Inputs, output: int, way: str) -> list[tuple[str, int]]:
    """The nodes that the conditioning of a node comes from; one with two ways passes on both."""
    if 'positive' in inputs and 'negative' in inputs:
        in_pipe = 'pipe' in str(inputs[' class']).lower()
        names = [way if in_pipe else 'negative' if output == 1 else 'positive']
    else:
        names = [name for name in chosen(inputs) if _CONDITIONING.fullmatch(name)]
    links = (linked(nodes, inputs[name]) for name in names)
    return [link for link in links if link[0]]


def _own_texts(nodes: Nodes, inputs: Inputs, names: list[str]) -> Iterator[str]:
    """The texts that a node encodes, as far as they are plain."""
    for name in names:
        text = _text(nodes, inputs.get(name), {}, 0)
        yield from filter(None, [text.strip() if text else ''])


def _text(nodes: Nodes, value: object, known: dict[str, str | None], depth: int) -> str | None:
    """The text that `value` is or links to, None if it is not plain; `known`: those of nodes."""
    if isinstance(value, str):
        return meta_of.clean(value)
    number = linked(nodes, value)[0]
    if number and number not in known and depth < _DEEPEST:
        known[number] = None
        text = _made(nodes, nodes[number], known, depth + 1)
        known[number] = text if len(text or '') < _LONGEST else None
    return known.get(number)


def _made(nodes: Nodes, inputs: Inputs, known: dict[str, str | None], depth: int) -> str | None:
    """The text that comes out of a node, None if it is not plain."""
    kind = str(inputs[' class'])
    names = [name for name in chosen(inputs) if _GIVEN.fullmatch(name)]
    if _JOINS.search(kind):
        ordered = sorted(names, key=lambda name: (len(name), name))
        parts = [_text(nodes, inputs[name], known, depth) for name in ordered]
        return _joined(parts, inputs)
    if of_run := _of_the_run(inputs):
        return of_run
    if _has_one_text(inputs) and not _COMPUTES.search(kind):
        return _text(nodes, inputs[names[0]], known, depth) if names else None
    if holds(inputs) or _HANDS_ON.search(kind):
        links = [name for name in chosen(inputs) if linked(nodes, inputs[name])[0]]
        names = names or links
        return _text(nodes, inputs[names[0]], known, depth) if len(names) == 1 else None
    return None


def _of_the_run(inputs: Inputs) -> str:
    """What a node that shows or fills in a text has kept of its run, '' if nothing."""
    if isinstance(filled := inputs.get('populated_text'), str):
        return meta_of.clean(filled)
    if 'text_0' not in inputs:
        return ''
    shown = (value for name, value in inputs.items() if re.fullmatch(r'text_[0-9]{1,2}', name))
    return ', '.join(meta_of.clean(one) for one in shown if isinstance(one, str))


def _has_one_text(inputs: Inputs) -> bool:
    """Whether a node is given one text and nothing that it could change it by."""
    given = [value for name, value in inputs.items() if name != ' class']
    texts = [value for value in given if isinstance(value, str)]
    others = (value for value in given if not isinstance(value, str))
    return len(texts) == 1 and all(one is None or isinstance(one, (bool, dict)) for one in others)


def _joined(parts: list[str | None], inputs: Inputs) -> str | None:
    delimiters = [inputs[name] for name in ('delimiter', 'separator') if name in inputs]
    delimiter = delimiters[0] if delimiters else ', '
    # a word stands for what it names, in one way or another
    if not isinstance(delimiter, str) or delimiter.isalnum():
        return None
    if str(inputs.get('clean_whitespace')).lower() == 'true':
        parts = [part and part.strip() for part in parts]
    texts = [part for part in parts if part is not None]
    delimiter = meta_of.clean(delimiter).replace('\\n', '\n')
    return delimiter.join(filter(None, texts)) if len(texts) == len(parts) else None
