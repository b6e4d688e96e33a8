"""ComfyUI's graphs: what one plainly says about a picture, and the graph itself, to be kept.

The site keeps `meta.comfy`, a text or an object: `prompt` is the graph as it ran, nodes by their
id, and `workflow` what the editor opens. An input of a node is a value, or the link
[id, number of the output] to another node. Everything here ends soon, whatever the graph.
"""

from __future__ import annotations

import json
import re
from typing import Iterator, Mapping

from . import editor, loaders, meta as meta_of, prompts
from .nodes import Inputs, Nodes, linked, nodes_of, plain

_LONGEST_TEXT = 4_000_000
_LONGEST_WAY = 500
_SAYS_NOTHING: tuple[object, ...] = (None, '', [], {})

# What a sampler is fed with that has nothing to say about how it samples.
_FEEDS = frozenset(
    'positive negative conditioning model clip vae latent_image latent samples image images '
    'pixels mask control_net optional_vae'.split()
)
# A sampler of a pipe may hand its picture on itself.
_IMAGES = ('images', 'image', 'pixels', 'video', 'frames', 'pipe', 'optional_vae')
_STEPS, _CFG, _DENOISE = ('steps',), ('cfg', 'cfg_scale'), ('denoise',)
_SEED = ('seed', 'noise_seed')
_SAMPLER, _SCHEDULE = ('sampler_name', 'sampler'), ('scheduler', 'scheduler_name')
_SIDES = ('width', 'empty_latent_width'), ('height', 'empty_latent_height')
_LATENT = re.compile(r'(?:|latent(?:_image)?|samples|any\w*|input)')


def _loaded(text: object) -> object:
    """JSON as JavaScript programs get it wrong: with `undefined` and NaN; None if it is none."""
    if not isinstance(text, str):
        return text
    if len(text) > _LONGEST_TEXT:
        return None
    mended = re.sub(r'("(?:[^"\\]|\\.)*")|\bundefined\b', lambda m: m[1] or 'null', text)
    for attempt in dict.fromkeys((text, mended)):
        try:
            return json.loads(attempt, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
    return None


def _parts(meta: Mapping[str, object]) -> tuple[object, object]:
    """The graph as it ran and the workflow of the editor, as they stand in `meta`."""
    comfy = _loaded(meta.get('comfy'))
    if not isinstance(comfy, Mapping):
        return None, None
    if 'prompt' not in comfy and 'workflow' not in comfy:
        return (None, comfy) if 'nodes' in comfy else (comfy, None)
    return _loaded(comfy.get('prompt')), _loaded(comfy.get('workflow'))


def workflow(meta: Mapping[str, object]) -> str:
    """Return the JSON text of a ComfyUI workflow in `meta`, '' if there is none.

    It is what the editor opens; where only the graph as it ran was kept, that, which it opens too.
    """
    for found in reversed(_parts(meta)):
        if isinstance(found, Mapping) and found:
            try:
                return json.dumps(found, ensure_ascii=False, indent=1)
            except (TypeError, ValueError, RecursionError):
                continue
    return ''


def completed(meta: Mapping[str, object]) -> dict[str, object]:
    """Return `meta` with what it does not say itself filled in from its graph, if it has one."""
    told = read(meta) if meta.get('comfy') else {}
    own = {key: one for key, one in meta.items() if key not in told or one not in _SAYS_NOTHING}
    return {**told, **own}


def read(meta: Mapping[str, object]) -> dict[str, object]:
    """Return what the graph in `meta` plainly says, under the site's names; {} if it is nothing.

    The first pass counts where there are several. Values that other nodes compute are left out.
    """
    graph, workflow_of_editor = _parts(meta)
    nodes = nodes_of(graph) or nodes_of(editor.as_ran(workflow_of_editor))
    sampler = _first_sampler(nodes)
    told: dict[str, object] = {**loaders.files(nodes, sampler)}
    if sampler is not None:
        told.update(_settings(nodes, sampler))
    return {key: value for key, value in told.items() if value not in _SAYS_NOTHING}


def _first_sampler(nodes: Nodes) -> str | None:
    """The sampler of the picture that is saved; of several the one that starts from nothing."""
    samplers = [number for number, inputs in nodes.items() if _samples(inputs)]
    for ends in _ends(nodes):
        led_to = set(_behind(nodes, ends))
        samplers = [number for number in samplers if number in led_to] or samplers
    fresh = (number for number in samplers[:100] if _size(nodes, number))
    return next(fresh, samplers[0] if samplers else None)


def _ends(nodes: Nodes) -> tuple[list[str], list[str]]:
    """The nodes that take images and hand nothing on: all of them, and those that save."""
    used = {linked(nodes, value)[0] for inputs in nodes.values() for value in inputs.values()}
    ends = [
        number
        for number, inputs in nodes.items()
        if number not in used and any(linked(nodes, inputs.get(name))[0] for name in _IMAGES)
    ]
    return ends, [number for number in ends if 'save' in str(nodes[number][' class']).lower()]


def _behind(nodes: Nodes, ends: list[str]) -> Iterator[str]:
    """The nodes that those of `ends` are made of, and these themselves, each once."""
    waiting, seen = list(ends), {''}
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            yield number
            waiting += [linked(nodes, value)[0] for value in nodes[number].values()]


def _samples(inputs: Inputs) -> bool:
    if 'guider' in inputs and 'sigmas' in inputs:
        return True
    settings = {*_STEPS, *_CFG, *_SEED, 'sigmas'} & inputs.keys()
    return bool(settings) and not {'positive', 'negative', 'basic_pipe', 'pipe'}.isdisjoint(inputs)


def _settings(nodes: Nodes, sampler: str) -> dict[str, object]:
    around = [nodes[number] for number in _upstream(nodes, sampler)]

    def first(names: tuple[str, ...]) -> str:
        # the nearest node that has such a setting settles it, also where its value is not plain;
        # a `sampler` that is linked is a node with settings of its own
        having = (
            one
            for one in around
            if any(
                name in one and (name != 'sampler' or isinstance(one[name], str)) for name in names
            )
        )
        return next((plain(nodes, one, names) for one in having), '')

    prompt, negative = (prompts.prompt(nodes, around, way) for way in ('positive', 'negative'))
    width, height = _size(nodes, sampler) or (None, None)
    return {
        'prompt': prompt,
        'negativePrompt': '' if negative == prompt else negative,
        'steps': meta_of.as_number(first(_STEPS)),
        'seed': meta_of.as_number(first(_SEED)),
        'cfgScale': meta_of.as_number(first(_CFG)),
        'sampler': first(_SAMPLER),
        'scheduler': first(_SCHEDULE),
        'denoise': meta_of.as_number(first(_DENOISE)),
        'width': width,
        'height': height,
    }


def _upstream(nodes: Nodes, start: str) -> list[str]:
    """`start` and what settles how it samples: guider, noise, sigmas, pipes; the nearest first."""
    found = [start]
    for number in found:
        for name, value in nodes[number].items():
            other = linked(nodes, value)[0]
            if other and name not in _FEEDS and other not in found and len(found) < 100:
                found.append(other)
    return found


def _size(nodes: Nodes, sampler: str) -> tuple[int, int] | None:
    """Width and height of the empty latent that a sampler itself starts from, None if of none."""
    number, seen = sampler, {''}
    while number not in seen and len(seen) < _LONGEST_WAY:
        seen.add(number)
        inputs = nodes[number]
        if number != sampler and _samples(inputs):
            return None
        sides = [meta_of.as_number(plain(nodes, inputs, side)) for side in _SIDES]
        if number != sampler and all(isinstance(side, int) and side > 0 for side in sides):
            return int(sides[0] or 0), int(sides[1] or 0)
        names = [name for name in inputs if _LATENT.fullmatch(name)] + ['pipe', 'basic_pipe']
        links = (linked(nodes, inputs.get(name))[0] for name in names)
        number = next(filter(None, links), '')
    return None
