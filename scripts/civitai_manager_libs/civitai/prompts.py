"""The texts that a ComfyUI graph makes its prompts of."""

from __future__ import annotations

import re
from typing import Iterator

from . import meta as meta_of
from .nodes import Inputs, Nodes, linked

_MOST_TEXTS = 50
_TEXTS = ('text', 'text_g', 'text_l', 't5xxl', 'clip_l', 'prompt', 'string', 'populated_text')
_JOINED = re.compile(r'(?:text|string|prompt|value)(?:_?[0-9a-f])?', re.IGNORECASE)
_CONDITIONING = re.compile(r'(?:|conditioning(?:_\w+)?|cond\w*|positive|negative|any\w*|input)')


def prompt(nodes: Nodes, around: list[Inputs], way: str) -> str:
    """The prompt that comes in by `way`, 'positive' or 'negative'."""
    names = (way, 'conditioning') if way == 'positive' else (way,)
    links = (one[name] for one in around for name in names if linked(nodes, one.get(name))[0])
    link = next(links, None)
    texts = list(dict.fromkeys(_texts(nodes, link))) if link is not None else []
    return ', '.join(texts)


def _texts(nodes: Nodes, link: object) -> Iterator[str]:
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
        parts = list(_own_texts(nodes, inputs))
        yield from parts
        found += len(parts)
        if not parts:
            waiting += reversed(_behind(nodes, inputs, output))


def _behind(nodes: Nodes, inputs: Inputs, output: int) -> list[tuple[str, int]]:
    """The nodes that the conditioning of a node comes from; one with two ways passes on both."""
    if 'positive' in inputs and 'negative' in inputs:
        names = ['negative' if output == 1 else 'positive']
    else:
        names = [name for name in inputs if _CONDITIONING.fullmatch(name)]
    links = (linked(nodes, inputs[name]) for name in names)
    return [link for link in links if link[0]]


def _own_texts(nodes: Nodes, inputs: Inputs) -> Iterator[str]:
    """The texts that a node encodes, those of further nodes joined."""
    for name in _TEXTS:
        value = inputs.get(name)
        if isinstance(value, str):
            yield from filter(None, [meta_of.clean(value).strip()])
        elif link := linked(nodes, value)[0]:
            yield from filter(None, [_joined(nodes, link)])


def _joined(nodes: Nodes, start: str) -> str:
    """The text that a node makes of its own and others' texts, in their order."""
    waiting: list[str | tuple[str]] = [start]
    seen: set[str] = set()
    words: list[str] = []
    while waiting and len(words) < _MOST_TEXTS:
        one = waiting.pop()
        if isinstance(one, tuple):
            words += filter(None, [meta_of.clean(one[0]).strip()])
        elif one not in seen:
            seen.add(one)
            values = [v for name, v in nodes[one].items() if name in _TEXTS or _JOINED.match(name)]
            links = ((v,) if isinstance(v, str) else linked(nodes, v)[0] for v in values)
            waiting += reversed([link for link in links if link])
    return ', '.join(words)
