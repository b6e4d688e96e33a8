"""A workflow of ComfyUI's editor without its subgraphs: the nodes of each where it is used.

A subgraph stands in `definitions.subgraphs`; a node whose type is its id uses it. Inside, links
start from node -10 for what comes in and end at node -20 for what goes out.
"""

from __future__ import annotations

from typing import Iterator, Mapping

Node = Mapping[str, object]

_MOST_NODES = 5000
_MOST_USES = 200
_COMES_IN, _GOES_OUT = '-10', '-20'
_OFF = (2, 4)  # switched off, bypassed


def flat(workflow: object) -> object:
    """Return `workflow` with the nodes and links of its subgraphs among its own."""
    parts = workflow.get('definitions') if isinstance(workflow, Mapping) else None
    kinds = {str(one.get('id')): one for one in _mappings(parts, 'subgraphs')}
    if not kinds:
        return workflow
    nodes: list[Node] = []
    links: list[object] = []
    waiting: list[tuple[str, object]] = [('', workflow)]
    for prefix, owner in waiting:  # grows on the way
        used: dict[str, Node] = {}
        for node in _mappings(owner, 'nodes'):
            kind, number = str(node.get('type')), _number(prefix, node.get('id'))
            if kind in kinds and node.get('mode') not in _OFF and len(waiting) < _MOST_USES:
                used[number] = node
                waiting.append((f'{number}:', kinds[kind]))
                nodes += _what_comes_in(node, kinds[kind], prefix)
            else:
                nodes.append(_moved(node, prefix))
        for link, origin, slot, target, target_slot in _links(owner):
            start = [f'{prefix}{origin}', slot]
            if start[0] in used:
                start = [f'{start[0]}:out {slot}', 0]
            elif origin == _COMES_IN:
                start = [f'{prefix}in {slot}', 0]
            links.append([f'{prefix}{link}', *start])
            if target == _GOES_OUT:
                nodes.append(_handing_on(f'{prefix}out {target_slot}', f'{prefix}{link}'))
        if len(nodes) > _MOST_NODES:
            break
    return {'nodes': nodes, 'links': links}


def _mappings(owner: object, name: str) -> list[Node]:
    found = owner.get(name) if isinstance(owner, Mapping) else None
    found = found[:_MOST_NODES] if isinstance(found, list) else []
    return [one for one in found if isinstance(one, Mapping)]


def _links(owner: object) -> Iterator[tuple[str, str, int, str, str]]:
    """Number, origin and its output, target and its input of each link."""
    table = owner.get('links') if isinstance(owner, Mapping) else None
    for one in table[:_MOST_NODES] if isinstance(table, list) else ():
        if isinstance(one, Mapping):
            names = ('id', 'origin_id', 'origin_slot', 'target_id', 'target_slot')
            one = [one.get(name) for name in names]
        if isinstance(one, list) and len(one) >= 5 and isinstance(one[2], int):
            number, origin, _, target, slot = (_number('', end) for end in one[:5])
            yield number, origin, int(one[2]), target, slot


def _number(prefix: str, number: object) -> str:
    """The id of a node or a link, told from those of the same number in other subgraphs."""
    return prefix + (str(number)[:99] if isinstance(number, (int, str)) else '')


def _moved(node: Node, prefix: str) -> Node:
    inputs = [
        {**one, 'link': None if one.get('link') is None else _number(prefix, one['link'])}
        for one in _mappings(node, 'inputs')
    ]
    return {**node, 'id': _number(prefix, node.get('id')), 'inputs': inputs}


def _handing_on(number: str, link: str) -> Node:
    return {'id': number, 'type': 'Reroute', 'inputs': [{'name': '', 'link': link}]}


def _what_comes_in(node: Node, kind: Node, prefix: str) -> Iterator[Node]:
    """A node for each input of a node that uses a subgraph: it holds the value or hands on."""
    slots = [str(one.get('name')) for one in _mappings(kind, 'inputs')]
    inputs = _mappings(node, 'inputs')
    values = node.get('widgets_values')
    widgets = [str(one.get('name')) for one in inputs if one.get('widget')]
    # where there are more, which is which cannot be told
    plain = isinstance(values, list) and len(values) == len(widgets)
    held = dict(zip(widgets, values)) if plain and isinstance(values, list) else {}
    for one in inputs:
        name = str(one.get('name'))
        if name not in slots:
            continue
        number = f'{_number(prefix, node.get("id"))}:in {slots.index(name)}'
        if one.get('link') is not None:
            yield _handing_on(number, _number(prefix, one['link']))
        elif name in held:
            yield {'id': number, 'type': 'PrimitiveNode', 'widgets_values': [held[name]]}
