"""The nodes of a ComfyUI graph: their inputs, the links between them, and what values they hold.

An input is a value, or the link [id, number of the output] to another node.
"""

from __future__ import annotations

import re
from typing import Mapping

from . import meta as meta_of

_MOST_NODES = 5000

Inputs = Mapping[str, object]
Nodes = Mapping[str, Inputs]

# Every other node may compute something of what it is given.
_HOLDER = re.compile(
    r'^Reroute|Primitive|Constant|Literal|\b(?:easy )?(?:global)?seed(?:\b|$)'
    r'|(?:sampler|scheduler|checkpoint|model|lora)\W?select'
    r'|^(?:\w+ )?(?:int|integer|float|number|string)$',
    re.IGNORECASE,
)
_NUMBERED = re.compile(r'\D+?0?([1-9][0-9]?)')
# Where primitive nodes and the like hold their one value.
_VALUES = ('value', 'Value', 'int', 'float', 'number', 'string', 'text', 'text_0')


def nodes_of(graph: object) -> dict[str, Inputs]:
    """The inputs of each node by its id, in the order of the graph."""
    nodes: dict[str, Inputs] = {}
    for number, node in graph.items() if isinstance(graph, Mapping) else ():
        inputs = node.get('inputs') if isinstance(node, Mapping) else None
        if isinstance(inputs, Mapping) and len(nodes) < _MOST_NODES:
            kind = meta_of.as_text(node.get('class_type'))
            nodes[str(number)] = {**inputs, ' class': kind}
    return nodes


def linked(nodes: Nodes, value: object) -> tuple[str, int]:
    """The id and the output that a link names, ('', 0) for what is no link."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return '', 0
    number, output = str(value[0])[:99], value[1]
    whole = isinstance(output, int) and number in nodes
    return (number, int(output)) if whole else ('', 0)


def holds(inputs: Inputs) -> bool:
    """Whether a node is known to hold a value of its own, or to hand one on, unchanged."""
    return bool(_HOLDER.search(str(inputs[' class'])))


def plain(nodes: Nodes, inputs: Inputs, names: tuple[str, ...]) -> str:
    """The value of an input of one of these names, through nodes that only hold it; '' if none."""
    for name in names:
        seen: set[str] = set()
        value = inputs.get(name)
        while isinstance(value, (list, tuple)):
            number, _ = linked(nodes, value)
            if not number or number in seen or not holds(nodes[number]):
                break
            seen.add(number)
            value = _held(nodes, nodes[number], (name, *names, *_VALUES))
        text = meta_of.as_text(value)
        if text:
            return text
    return ''


def _held(nodes: Nodes, inputs: Inputs, names: tuple[str, ...]) -> object:
    """What a holder holds: the value of a usual name, or its one link."""
    values = [inputs[name] for name in names if name in inputs]
    links = [value for value in inputs.values() if linked(nodes, value)[0]]
    return values[0] if values else links[0] if len(links) == 1 else None


def chosen(inputs: Inputs) -> list[str]:
    """The names of the inputs that count: of a switch the one it is set to, none if unknown."""
    names = [name for name in inputs if name != ' class']
    kind = str(inputs[' class']).lower()
    if 'switch' not in kind:
        return names
    if kind.startswith('any switch'):  # hands on the first that there is
        return sorted(names)[:1]
    told = (meta_of.whole_text(inputs.get(name)) for name in ('Input', 'select', 'index'))
    number = next(filter(None, told), '')
    numbered = ((name, _NUMBERED.fullmatch(name)) for name in names)
    return [name for name, one in numbered if one and one[1] == number]
