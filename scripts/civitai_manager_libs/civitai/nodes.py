"""The nodes of a ComfyUI graph: their inputs, the links between them, and what values they hold.

An input is a value, or the link [id, number of the output] to another node.
"""

from __future__ import annotations

from typing import Mapping

from . import meta as meta_of

_MOST_NODES = 5000

Inputs = Mapping[str, object]
Nodes = Mapping[str, Inputs]

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


def plain(nodes: Nodes, inputs: Inputs, names: tuple[str, ...]) -> str:
    """The value of an input of one of these names, through nodes that only hold it; '' if none."""
    for name in names:
        seen: set[str] = set()
        value, at = inputs.get(name), inputs
        while isinstance(value, (list, tuple)):
            number, _ = linked(nodes, value)
            if not number or number in seen:
                break
            seen.add(number)
            at = nodes[number]
            # a value of a usual name, or the one link of a node that only passes on
            inner = [key for key in (name, *names, *_VALUES) if key in at]
            links = [key for key in at if linked(nodes, at[key])[0]]
            value = at[inner[0]] if inner else at[links[0]] if len(links) == 1 else None
        text = meta_of.as_text(value)
        if text:
            return text
    return ''
