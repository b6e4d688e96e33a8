"""A workflow as ComfyUI's editor saves it tells what the graph as it ran would have told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.comfy import read, workflow
from scripts.civitai_manager_libs.civitai.editor import as_ran
from tests.support.graphs import TOLD

patiently = settings(deadline=None, database=None)

Node = dict[str, Any]


def node(number: int, kind: str, values: Any = (), mode: int = 0, **links: int | None) -> Node:
    """A node of the editor: its widgets' values, and its inputs by the links that end there."""
    inputs = [{'name': name, 'type': 'X', 'link': link} for name, link in links.items()]
    return {'id': number, 'type': kind, 'mode': mode, 'inputs': inputs, 'widgets_values': values}


def links(*ends: str) -> list[list[Any]]:
    """Links as the editor writes them, numbered from 1: 'from.output>to'."""
    table = []
    for number, text in enumerate(ends, 1):
        start, _, end = text.partition('>')
        origin, _, output = start.partition('.')
        table.append([number, int(origin), int(output), int(end), 0, 'X'])
    return table


NODES = [
    node(1, 'CheckpointLoaderSimple', ['SD15\\meadow.safetensors']),
    node(2, 'LoraLoader', ['ink.safetensors', 0.7, 1], model=1, clip=2),
    node(3, 'CLIPTextEncode', ['a mill by the sea'], clip=3),
    node(4, 'CLIPTextEncode', ['blur'], clip=3),
    node(5, 'EmptyLatentImage', [640, 832, 1]),
    node(
        6,
        'KSampler',
        [41, 'randomize', 22, 6.5, 'dpmpp_2m', 'karras', 1],
        model=4,
        positive=5,
        negative=6,
        latent_image=7,
    ),
    node(7, 'VAELoader', ['soft.sft']),
    node(8, 'VAEDecode', [], samples=8, vae=9),
    {'id': 9, 'type': 'Note', 'widgets_values': ['do not forget the gulls']},
]
LINKS = links('1.0>2', '1.1>2', '2.1>3', '2.0>6', '3.0>6', '4.0>6', '5.0>6', '6.0>8', '7.0>8')


def saved(nodes: Any = None, table: Any = None) -> dict[str, Any]:
    return {'nodes': NODES if nodes is None else nodes, 'links': LINKS if table is None else table}


FORMS: dict[str, Any] = {
    'in a text': {'comfy': json.dumps({'prompt': None, 'workflow': saved()})},
    'beside an empty graph': {'comfy': {'prompt': {}, 'workflow': saved()}},
    'a text in an object': {'comfy': {'workflow': json.dumps(saved())}},
    'alone': {'comfy': json.dumps(saved())},
}


@pytest.mark.parametrize('form', FORMS.values(), ids=FORMS)
def test_a_workflow_tells_how_the_picture_was_made(form: Any) -> None:
    assert TOLD == read(form)


def test_the_graph_as_it_ran_counts_before_the_editor() -> None:
    ran = {'1': {'class_type': 'KSampler', 'inputs': {'steps': 5, 'positive': ['2', 0]}}}

    assert 5 == read({'comfy': {'prompt': ran, 'workflow': saved()}})['steps']


def changed(number: int, other: Node, *further: Node) -> list[Node]:
    return [other if one['id'] == number else one for one in NODES] + list(further)


def sampler(kind: str, values: Any, **more: int) -> Node:
    return node(6, kind, values, model=4, positive=5, negative=6, latent_image=7, **more)


def with_widgets(one: Node, *names: str, **linked: int) -> Node:
    """`one` as newer editors write it: each widget is an input too, in the order of the values."""
    widgets = [
        {'name': name, 'type': 'X', 'widget': {'name': name}, 'link': linked.get(name)}
        for name in names
    ]
    return {**one, 'inputs': one['inputs'] + widgets}


SET = {'seed': 5, 'steps': 20, 'cfgScale': 7, 'sampler': 'euler', 'scheduler': 'normal'}
UNTOLD = dict.fromkeys(SET)

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'an advanced sampler': (
        saved(
            changed(
                6,
                sampler(
                    'KSamplerAdvanced',
                    ['enable', 77, 'fixed', 30, 5, 'euler', 'normal', 0, 10000, 'disable'],
                ),
            )
        ),
        {'seed': 77, 'steps': 30, 'cfgScale': 5, 'sampler': 'euler', 'scheduler': 'normal'},
    ),
    'a seed that another node holds': (
        saved(
            changed(
                6,
                with_widgets(
                    sampler('KSampler', [41, 'randomize', 22, 6.5, 'dpmpp_2m', 'karras', 1]),
                    *('seed', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'),
                    seed=10,
                ),
                node(10, 'PrimitiveNode', [1234, 'fixed']),
            ),
            LINKS + [[10, 10, 0, 6, 4, 'INT']],
        ),
        {'seed': 1234, 'steps': 22},
    ),
    'a sampler nobody knows, its widgets named': (
        saved(
            changed(
                6,
                with_widgets(
                    sampler('MySampler', [8, 3, 'increment', 'lcm']),
                    *('steps', 'seed', 'sampler_name'),
                ),
            )
        ),
        {'steps': 8, 'seed': 3, 'sampler': 'lcm'},
    ),
    'a seed without a word of what becomes of it': (
        saved(
            changed(
                6,
                with_widgets(
                    sampler('Sampler of many', [5, None, 20, 7, 'euler', 'normal', 1, 'auto']),
                    *('seed', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'),
                ),
            )
        ),
        SET,
    ),
    'an efficient sampler': (
        saved(
            changed(
                6, sampler('KSampler (Efficient)', [5, None, 20, 7, 'euler', 'normal', 1, 'auto'])
            )
        ),
        SET,
    ),
    'a value more than there are names for': (
        saved(
            changed(
                6,
                with_widgets(
                    sampler('Sampler of many', [5, 'tiled', 20, 7, 'euler', 'normal', 1]),
                    *('seed', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'),
                ),
            )
        ),
        UNTOLD | {'prompt': 'a mill by the sea'},
    ),
    'a value less than there are names for': (
        saved(changed(6, sampler('KSampler', [41, 6.5, 'dpmpp_2m', 'karras', 1]))),
        UNTOLD,
    ),
    'a word of what becomes of no seed': (
        saved(
            changed(
                6,
                with_widgets(
                    sampler('Sampler of many', [20, 'fixed', 7, 'fixed', 'euler']),
                    *('steps', 'sampler_name', 'cfg', 'scheduler'),
                ),
            )
        ),
        UNTOLD,
    ),
    'a conditioning kept under a name': (
        saved(
            NODES
            + [node(10, 'SetNode', ['P'], C=10), node(11, 'GetNode', ['P'])]
            + [node(12, 'SetNode', ['Q'], C=11), node(13, 'GetNode', ['Q'])],
            [one if one[0] != 5 else [5, 13, 0, 6, 0, '*'] for one in LINKS]
            + [[10, 3, 0, 10, 0, '*'], [11, 11, 0, 12, 0, '*']],
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': 'blur'},
    ),
    'a name that nothing is kept under': (
        saved(
            NODES + [node(13, 'GetNode', ['Q'])],
            [one if one[0] != 5 else [5, 13, 0, 6, 0, '*'] for one in LINKS],
        ),
        {'prompt': None, 'negativePrompt': 'blur'},
    ),
    'a text of a node nobody knows': (
        saved(
            changed(
                3,
                node(3, 'CLIPTextEncode', ['an old text'], clip=3, text=10),
                node(10, 'String Literal', ['a mill']),
            ),
            LINKS + [[10, 10, 0, 3, 1, 'STRING']],
        ),
        {'prompt': 'a mill'},
    ),
    'a text that was shown': (
        saved(
            changed(
                3,
                node(3, 'CLIPTextEncode', ['an old text'], clip=3, text=10),
                node(10, 'ShowText|pysssss', [['a red barn']], text=11),
                node(11, 'LLM', ['write a prompt']),
            ),
            LINKS + [[10, 10, 0, 3, 1, 'STRING'], [11, 11, 0, 10, 0, 'STRING']],
        ),
        {'prompt': 'a red barn'},
    ),
    'values by name': (
        saved(changed(6, sampler('MySampler', {'steps': 12, 'seed': 5, 'cfg': 2}))),
        {'steps': 12, 'seed': 5, 'cfgScale': 2},
    ),
    'links as objects': (
        saved(
            table=[dict(zip(('id', 'origin_id', 'origin_slot', 'target_id'), one)) for one in LINKS]
        ),
        TOLD,
    ),
    'a prompt behind a reroute': (
        saved(
            changed(10, {}, node(10, 'Reroute', **{'': 10})),
            [one if one[0] != 5 else [5, 10, 0, 6, 0, '*'] for one in LINKS]
            + [[10, 3, 0, 10, 0, '*']],
        ),
        {'prompt': 'a mill by the sea'},
    ),
    'a LoRA that is bypassed': (
        saved(changed(2, {**NODES[1], 'mode': 4})),
        {'models': ['SD15\\meadow.safetensors'], 'additionalResources': None},
    ),
    'a node that is switched off': (
        saved(NODES + [{**NODES[5], 'id': 11, 'mode': 2, 'widgets_values': [1] * 7}]),
        {'steps': 22},
    ),
    'a LoRA loader switched off that nothing hangs on': (
        saved(NODES + [node(12, 'LoraLoader', ['other.safetensors', 1, 1], mode=2)]),
        {'additionalResources': TOLD['additionalResources']},
    ),
}


@pytest.mark.parametrize('editor, expected', CASES.values(), ids=CASES)
def test_what_a_workflow_says(editor: dict[str, Any], expected: dict[str, Any]) -> None:
    told = read({'comfy': {'workflow': editor}})

    assert expected == {name: told.get(name) for name in expected}


def test_the_parts_of_a_sampler_are_read_too() -> None:
    """As newer models' templates have it: sampler, noise, schedule and guidance apart."""
    nodes = [
        node(1, 'UNETLoader', ['flux1-dev.safetensors', 'default']),
        node(2, 'CLIPTextEncode', ['a lamp'], clip=None),
        node(3, 'FluxGuidance', [3.5], conditioning=1),
        node(4, 'BasicGuider', [], model=2, conditioning=3),
        node(5, 'RandomNoise', [99, 'randomize']),
        node(6, 'KSamplerSelect', ['euler']),
        node(7, 'BasicScheduler', ['simple', 20, 1], model=2),
        node(8, 'EmptySD3LatentImage', [1024, 768, 1]),
        node(
            *(9, 'SamplerCustomAdvanced'),
            noise=4,
            guider=5,
            sampler=6,
            sigmas=7,
            latent_image=8,
        ),
    ]
    table = links('2.0>3', '1.0>4', '3.0>4', '5.0>9', '4.0>9', '6.0>9', '7.0>9', '8.0>9')

    told = read({'comfy': {'workflow': {'nodes': nodes, 'links': table}}})

    assert ('a lamp', 99, 20, 'euler', 'simple') == tuple(
        told[name] for name in ('prompt', 'seed', 'steps', 'sampler', 'scheduler')
    )
    assert (1024, 768, ['flux1-dev.safetensors']) == (told['width'], told['height'], told['models'])


def subgraph(nodes: Any, table: Any, *names: str) -> dict[str, Any]:
    inside = [{'name': name, 'type': 'X'} for name in names]
    return {'subgraphs': [{'id': 'a-b-c', 'nodes': nodes, 'links': table, 'inputs': inside}]}


def test_the_nodes_in_a_subgraph_are_read() -> None:
    everything = {**saved([node(1, 'a-b-c')], []), 'definitions': subgraph(NODES, LINKS)}

    assert TOLD == read({'comfy': {'workflow': everything}})


def test_links_and_values_pass_the_border_of_a_subgraph() -> None:
    """The text comes from outside, by a link or as a value that the using node shows."""
    encoder = with_widgets(node(1, 'CLIPTextEncode', ['an old text'], clip=None), 'text', text=1)
    definitions = subgraph([encoder], [[1, -10, 0, 1, 1, 'X'], [2, 1, 0, -20, 0, 'X']], 'text')
    linked = with_widgets(node(3, 'a-b-c', ['an older text']), 'text', text=20)
    valued = with_widgets(node(4, 'a-b-c', ['blur']), 'text')
    nodes = [one for one in NODES if one['id'] not in (3, 4)]
    nodes += [linked, valued, node(20, 'String Literal', ['a mill'])]
    table = LINKS + [[20, 20, 0, 3, 0, 'STRING']]

    told = read({'comfy': {'workflow': {**saved(nodes, table), 'definitions': definitions}}})

    assert ('a mill', 'blur', 22) == tuple(
        told[name] for name in ('prompt', 'negativePrompt', 'steps')
    )


def test_the_workflow_stays_what_the_editor_opens() -> None:
    assert saved() == json.loads(workflow({'comfy': {'workflow': saved()}}))


HOSTILE: dict[str, Any] = {
    'a ring of bypassed nodes': {
        'nodes': [node(1, 'A', mode=4, x=1), node(2, 'B', mode=4, x=2)],
        'links': links('2.0>1', '1.0>2'),
    },
    'names in a ring': {
        'nodes': [node(1, 'SetNode', ['a'], x=1), node(2, 'GetNode', ['a']), node(3, 'Any', x=1)],
        'links': links('2.0>1'),
    },
    'a subgraph in itself': {
        'nodes': [node(1, 'a'), node(2, 'a')],
        'definitions': {'subgraphs': [{'id': 'a', 'nodes': [node(1, 'a'), node(2, 'a')]}]},
    },
    'subgraphs of no kind': {'nodes': NODES, 'definitions': {'subgraphs': [None, {'id': []}]}},
    'a ring through a subgraph': {
        'nodes': [node(1, 'a', x=1)],
        'links': links('1.0>1'),
        'definitions': {
            'subgraphs': [{'id': 'a', 'inputs': [{'name': 'x'}], 'links': [[1, -10, 0, -20, 0]]}]
        },
    },
    'nodes in a mapping': {'nodes': {'1': NODES[0]}, 'links': LINKS},
    'numbers as words': {'nodes': [{**NODES[0], 'id': [1]}, {**NODES[1], 'id': None}]},
    'links of one number': {'nodes': NODES, 'links': [1, [2], None, [3, [], {}, 'x']]},
    'a list behind the seed': {'nodes': [{**NODES[5], 'widgets_values': [1, [2], {}]}]},
    'widgets of no kind': {'nodes': [{**NODES[5], 'widgets_values': 'many', 'inputs': 'none'}]},
}


@pytest.mark.parametrize('editor', HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_workflow_breaks_nothing(editor: Any) -> None:
    assert isinstance(read({'comfy': {'workflow': editor}}), dict)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats()
    | st.sampled_from(['', 'KSampler']),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(
        st.sampled_from(
            ['nodes', 'links', 'id', 'type', 'inputs', 'widgets_values', 'link', 'mode']
        ),
        inner,
    ),
    max_leaves=30,
)


@patiently
@given(ANYTHING, ANYTHING)
def test_no_workflow_is_too_strange(nodes: Any, table: Any) -> None:
    assert isinstance(as_ran({'nodes': nodes, 'links': table}), dict)
