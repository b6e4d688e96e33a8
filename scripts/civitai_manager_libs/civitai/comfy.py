"""ComfyUI's graphs: what one plainly says about a picture, and the graph itself, to be kept.

The site keeps `meta.comfy`, a text or an object: `prompt` is the graph as it ran, nodes by their
id, and `workflow` what the editor opens. An input of a node is a value, or the link
[id, number of the output] to another node. Everything here ends soon, whatever the graph.
"""

from __future__ import annotations

import json
import re
from typing import Iterator, Mapping

from . import editor, meta as meta_of

_LONGEST_TEXT = 4_000_000
_MOST_NODES = 5000
_MOST_TEXTS = 50
_LONGEST_WAY = 500

Inputs = Mapping[str, object]
Nodes = Mapping[str, Inputs]

# What a sampler is fed with that has nothing to say about how it samples.
_FEEDS = frozenset(
    'positive negative conditioning model clip vae latent_image latent samples image images '
    'pixels mask control_net optional_vae'.split()
)
_STEPS, _CFG, _DENOISE = ('steps',), ('cfg', 'cfg_scale'), ('denoise',)
_SEED = ('seed', 'noise_seed')
_SAMPLER, _SCHEDULE = ('sampler_name', 'sampler'), ('scheduler', 'scheduler_name')
# Where primitive nodes and the like hold their one value.
_VALUES = ('value', 'Value', 'int', 'float', 'number', 'string', 'text', 'text_0')
_TEXTS = ('text', 'text_g', 'text_l', 't5xxl', 'clip_l', 'prompt', 'string', 'populated_text')
_JOINED = re.compile(r'(?:text|string|prompt|value)(?:_?[0-9a-f])?', re.IGNORECASE)
_CONDITIONING = re.compile(r'(?:|conditioning(?:_\w+)?|cond\w*|positive|negative|any\w*|input)')
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
    return {**told, **{key: one for key, one in meta.items() if one or key not in told}}


def read(meta: Mapping[str, object]) -> dict[str, object]:
    """Return what the graph in `meta` plainly says, under the site's names; {} if it is nothing.

    The first pass counts where there are several. Values that other nodes compute are left out.
    """
    graph, workflow_of_editor = _parts(meta)
    nodes = _nodes(graph) or _nodes(editor.as_ran(workflow_of_editor))
    sampler = _first_sampler(nodes)
    told: dict[str, object] = {**_models(nodes, sampler)}
    if sampler is not None:
        told.update(_settings(nodes, sampler))
    return {key: value for key, value in told.items() if value not in (None, '', [])}


def _nodes(graph: object) -> dict[str, Inputs]:
    """The inputs of each node by its id, in the order of the graph."""
    nodes: dict[str, Inputs] = {}
    for number, node in graph.items() if isinstance(graph, Mapping) else ():
        inputs = node.get('inputs') if isinstance(node, Mapping) else None
        if isinstance(inputs, Mapping) and len(nodes) < _MOST_NODES:
            kind = meta_of.as_text(node.get('class_type'))
            nodes[str(number)] = {**inputs, ' class': kind}
    return nodes


def _linked(nodes: Nodes, value: object) -> tuple[str, int]:
    """The id and the output that a link names, ('', 0) for what is no link."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return '', 0
    number, output = str(value[0])[:99], value[1]
    whole = isinstance(output, int) and number in nodes
    return (number, int(output)) if whole else ('', 0)


def _first_sampler(nodes: Nodes) -> str | None:
    """The node that samples, the one that starts from nothing if there are several."""
    samplers = [number for number, inputs in nodes.items() if _samples(inputs)]
    fresh = (number for number in samplers[:100] if _size(nodes, number))
    return next(fresh, samplers[0] if samplers else None)


def _samples(inputs: Inputs) -> bool:
    if 'guider' in inputs and 'sigmas' in inputs:
        return True
    settings = {*_STEPS, *_CFG, *_SEED, 'sigmas'} & inputs.keys()
    return 'positive' in inputs and bool(settings)


def _settings(nodes: Nodes, sampler: str) -> dict[str, object]:
    around = [nodes[number] for number in _upstream(nodes, sampler)]

    def first(names: tuple[str, ...]) -> object:
        return next(filter(None, (_plain(nodes, one, names) for one in around)), '')

    prompt, negative = (_text(nodes, around, way) for way in ('positive', 'negative'))
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
            other = _linked(nodes, value)[0]
            if other and name not in _FEEDS and other not in found and len(found) < 100:
                found.append(other)
    return found


def _plain(nodes: Nodes, inputs: Inputs, names: tuple[str, ...]) -> str:
    """The value of an input of one of these names, through nodes that only hold it; '' if none."""
    for name in names:
        seen: set[str] = set()
        value, at = inputs.get(name), inputs
        while isinstance(value, (list, tuple)):
            number, _ = _linked(nodes, value)
            if not number or number in seen:
                break
            seen.add(number)
            at = nodes[number]
            # a value of a usual name, or the one link of a node that only passes on
            inner = [key for key in (name, *names, *_VALUES) if key in at]
            links = [key for key in at if _linked(nodes, at[key])[0]]
            value = at[inner[0]] if inner else at[links[0]] if len(links) == 1 else None
        text = meta_of.as_text(value)
        if text:
            return text
    return ''


def _text(nodes: Nodes, around: list[Inputs], way: str) -> str:
    """The prompt that comes in by `way`, 'positive' or 'negative'."""
    names = (way, 'conditioning') if way == 'positive' else (way,)
    links = (one[name] for one in around for name in names if _linked(nodes, one.get(name))[0])
    link = next(links, None)
    texts = list(dict.fromkeys(_texts(nodes, link))) if link is not None else []
    return ', '.join(texts)


def _texts(nodes: Nodes, link: object) -> Iterator[str]:
    """The texts behind a conditioning, each node once."""
    waiting, seen, found = [_linked(nodes, link)], set(), 0
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
    links = (_linked(nodes, inputs[name]) for name in names)
    return [link for link in links if link[0]]


def _own_texts(nodes: Nodes, inputs: Inputs) -> Iterator[str]:
    """The texts that a node encodes, those of further nodes joined."""
    for name in _TEXTS:
        value = inputs.get(name)
        if isinstance(value, str):
            yield from filter(None, [meta_of.clean(value).strip()])
        elif link := _linked(nodes, value)[0]:
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
            links = ((v,) if isinstance(v, str) else _linked(nodes, v)[0] for v in values)
            waiting += reversed([link for link in links if link])
    return ', '.join(words)


def _size(nodes: Nodes, sampler: str) -> tuple[int, int] | None:
    """Width and height of the empty latent that a sampler itself starts from, None if of none."""
    number, seen = sampler, {''}
    while number not in seen and len(seen) < _LONGEST_WAY:
        seen.add(number)
        inputs = nodes[number]
        if number != sampler and _samples(inputs):
            return None
        sides = [meta_of.as_number(_plain(nodes, inputs, (side,))) for side in ('width', 'height')]
        if number != sampler and all(isinstance(side, int) and side > 0 for side in sides):
            return int(sides[0] or 0), int(sides[1] or 0)
        links = (_linked(nodes, v)[0] for name, v in inputs.items() if _LATENT.fullmatch(name))
        number = next(filter(None, links), '')
    return None


def _models(nodes: Nodes, sampler: str | None) -> dict[str, object]:
    """The files that the nodes load, that of the sampler's model first."""
    models: list[str] = []
    vaes: list[str] = []
    upscalers: list[str] = []
    loras: list[dict[str, object]] = []
    for inputs in nodes.values():
        models += filter(None, [_plain(nodes, inputs, ('ckpt_name', 'unet_name'))])
        vaes += filter(None, [_plain(nodes, inputs, ('vae_name',))])
        if 'Upscale' in str(inputs[' class']):
            upscalers += filter(None, [_plain(nodes, inputs, ('model_name',))])
        loras += _loras(nodes, inputs)
    main = _main_model(nodes, sampler)
    models.sort(key=lambda name: name != main)
    return {
        'models': list(dict.fromkeys(models)),
        'vaes': list(dict.fromkeys(vaes)),
        'upscalers': list(dict.fromkeys(upscalers)),
        'additionalResources': loras,
    }


def _main_model(nodes: Nodes, sampler: str | None) -> str:
    """The file at the end of the way that a sampler's model comes by, '' if it is not plain."""
    number, seen = sampler or '', {''}
    way = ('model', 'guider', 'basic_pipe', 'pipe', '')
    while number not in seen:
        seen.add(number)
        if name := _plain(nodes, nodes[number], ('ckpt_name', 'unet_name')):
            return name
        links = (_linked(nodes, nodes[number].get(name))[0] for name in way)
        number = next(filter(None, links), '')
    return ''


def _loras(nodes: Nodes, inputs: Inputs) -> Iterator[dict[str, object]]:
    """The LoRAs that a node applies; one of no weight changes nothing."""
    found: list[tuple[str, object]] = []
    if name := _plain(nodes, inputs, ('lora_name',)):
        found.append((name, _plain(nodes, inputs, ('strength_model', 'strength', 'lora_wt'))))
    for slot in inputs.values():  # nodes that take several
        if isinstance(slot, Mapping) and slot.get('on') is not False:
            found.append((meta_of.as_text(slot.get('lora')), slot.get('strength')))
    for name, strength in found:
        weight = meta_of.as_number(strength)
        if name not in ('', 'None') and weight != 0:
            yield {'name': name, 'type': 'lora', 'strength': 1 if weight is None else weight}
