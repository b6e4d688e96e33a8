"""The workflow that ComfyUI's editor saves, as the graph that runs.

The editor keeps a list of nodes, each with its `inputs` (a name and the number of the link that
ends there) and `widgets_values`, and a table of links: [number, from node, its output, to node,
...]. Newer editors name every widget among the inputs, in the order of the values; older ones do
not, so the widgets of the usual nodes stand in a table here.
"""

from __future__ import annotations

from typing import Mapping, Sequence

from . import meta as meta_of, subgraphs

_MOST = 5000
_SWITCHED_OFF, _BYPASSED = 2, 4
# What the editor does with a number after each run: a value of its own behind the number's.
_AFTER_RUN = (None, 'fixed', 'increment', 'decrement', 'randomize')
_SEEDS = frozenset(('seed', 'noise_seed'))

_WHOLE = frozenset('seed noise_seed steps width height batch_size'.split())
_NUMBERS = frozenset('cfg denoise guidance strength_model'.split())
_WORDS = frozenset('sampler_name scheduler text ckpt_name unet_name vae_name lora_name'.split())

_WIDGETS = {
    kind: tuple(names.split())
    for kind, names in {
        'KSampler': 'seed steps cfg sampler_name scheduler denoise',
        'KSampler (Efficient)': 'seed steps cfg sampler_name scheduler denoise',
        'KSamplerAdvanced': 'add_noise noise_seed steps cfg sampler_name scheduler',
        'SamplerCustom': 'add_noise noise_seed cfg',
        'RandomNoise': 'noise_seed',
        'KSamplerSelect': 'sampler_name',
        'BasicScheduler': 'scheduler steps denoise',
        'CFGGuider': 'cfg',
        'CLIPTextEncode': 'text',
        'CLIPTextEncodeFlux': 'clip_l t5xxl guidance',
        'EmptyLatentImage': 'width height batch_size',
        'EmptySD3LatentImage': 'width height batch_size',
        'EmptyHunyuanLatentVideo': 'width height length batch_size',
        'CheckpointLoaderSimple': 'ckpt_name',
        'UNETLoader': 'unet_name weight_dtype',
        'UnetLoaderGGUF': 'unet_name',
        'VAELoader': 'vae_name',
        'UpscaleModelLoader': 'model_name',
        'LoraLoader': 'lora_name strength_model strength_clip',
        'LoraLoaderModelOnly': 'lora_name strength_model',
        'PrimitiveNode': 'value',
        'PrimitiveInt': 'value',
        'PrimitiveFloat': 'value',
        'PrimitiveString': 'value',
        'PrimitiveStringMultiline': 'value',
    }.items()
}

Node = Mapping[str, object]


def as_ran(workflow: object) -> dict[str, dict[str, object]]:
    """Return the nodes of `workflow` as a graph that runs has them; {} if it is no workflow.

    What is switched off is left out; what is bypassed hands on what comes in.
    """
    workflow = subgraphs.flat(workflow)
    nodes = {
        str(one['id']): one for one in _mappings(workflow, 'nodes') if _is_number(one.get('id'))
    }
    sources = _sources(workflow)
    sources.update(_set_aside(nodes, sources))
    return {
        number: {'class_type': node.get('type'), 'inputs': _inputs(node, nodes, sources)}
        for number, node in nodes.items()
        if node.get('mode') not in (_SWITCHED_OFF, _BYPASSED)
    }


def _is_number(value: object) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _items(owner: object, name: str) -> Sequence[object]:
    value = owner.get(name) if isinstance(owner, Mapping) else None
    return value[:_MOST] if isinstance(value, list) else []


def _mappings(owner: object, name: str) -> list[Node]:
    return [one for one in _items(owner, name) if isinstance(one, Mapping)]


def _sources(workflow: object) -> dict[str, tuple[str, int]]:
    """The node and the output that each link starts from, by the link's number."""
    sources = {}
    for link in _items(workflow, 'links'):
        if isinstance(link, Mapping):
            ends = [link.get(name) for name in ('id', 'origin_id', 'origin_slot')]
        else:
            ends = list(link[:3]) if isinstance(link, list) else []
        if len(ends) == 3 and all(map(_is_number, ends)) and isinstance(ends[2], int):
            sources[str(ends[0])] = (str(ends[1]), ends[2])
    return sources


def _set_aside(
    nodes: Mapping[str, Node], sources: Mapping[str, tuple[str, int]]
) -> dict[str, tuple[str, int]]:
    """Where what each SetNode keeps under a name starts; a GetNode hands it on without a link."""
    kept = {}
    for node in nodes.values():
        if node.get('type') == 'SetNode' and node.get('mode') not in (_SWITCHED_OFF, _BYPASSED):
            links = (str(one.get('link')) for one in _mappings(node, 'inputs'))
            kept.update({_kept_name(node): sources[link] for link in links if link in sources})
    return kept


def _kept_name(node: Node) -> str:
    return f'set {str(_items(node, "widgets_values")[:1])[:200]}'


def _inputs(
    node: Node, nodes: Mapping[str, Node], sources: Mapping[str, tuple[str, int]]
) -> dict[str, object]:
    inputs = _widgets(node)
    for one in _mappings(node, 'inputs'):
        source = _through(sources.get(str(one.get('link'))), nodes, sources)
        if source and isinstance(one.get('name'), str):
            inputs[str(one['name'])] = list(source)
    return inputs


def _through(
    source: tuple[str, int] | None,
    nodes: Mapping[str, Node],
    sources: Mapping[str, tuple[str, int]],
) -> tuple[str, int] | None:
    """Where `source` truly starts: a bypassed node hands on its first input of the same type."""
    seen = set()
    while source and source not in seen:
        seen.add(source)
        node = nodes.get(source[0], {})
        if node.get('mode') == _SWITCHED_OFF:
            return None
        if node.get('type') == 'GetNode':
            source = sources.get(_kept_name(node))
            continue
        if node.get('mode') != _BYPASSED:
            return source
        outputs = _mappings(node, 'outputs')
        kind = outputs[source[1]].get('type') if 0 <= source[1] < len(outputs) else None
        linked = [one for one in _mappings(node, 'inputs') if str(one.get('link')) in sources]
        same = [one for one in linked if one.get('type') == kind] or linked[source[1] :][:1]
        source = sources[str(same[0].get('link'))] if same else None
    return None


def _widgets(node: Node) -> dict[str, object]:
    """The values of a node's own widgets by their names, as far as these are known."""
    values = node.get('widgets_values')
    if isinstance(values, Mapping):
        return {str(name): value for name, value in values.items()}
    waiting = list(_items(node, 'widgets_values'))
    kind = str(node.get('type'))
    names = _WIDGETS.get(kind) or _named(node)
    if kind.startswith('ShowText'):  # what it showed, in a list of its own or not
        texts = [text for one in waiting for text in (one if isinstance(one, list) else [one])]
        return {f'text_{number}': text for number, text in enumerate(filter(None, texts))}
    if not names and len(waiting) == 1 and isinstance(waiting[0], str) and not _is_linked(node):
        return {'value': waiting[0]}
    found: dict[str, object] = {}
    for name in names:
        found[name] = waiting.pop(0) if waiting else None
        if name in _SEEDS and waiting and waiting[0] in _AFTER_RUN:
            waiting.pop(0)
    # values that the names are not those of: which is which, nobody can tell
    fit = all(_fits(name, value) for name, value in found.items())
    return found if fit else dict.fromkeys(found)


def _is_linked(node: Node) -> bool:
    return any(one.get('link') is not None for one in _mappings(node, 'inputs'))


def _fits(name: str, value: object) -> bool:
    """Whether `value` can be that of a widget of this name; None stands for no value."""
    if value is None:
        return True
    if name in _WORDS:
        return isinstance(value, str) and value not in _AFTER_RUN
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _WHOLE:
        return number and meta_of.whole_text(value) != ''
    return number or name not in _NUMBERS


def _named(node: Node) -> tuple[str, ...]:
    """The names of a node's widgets where the editor wrote them among its inputs."""
    widgets = (one.get('widget') for one in _mappings(node, 'inputs'))
    names = (one.get('name') for one in widgets if isinstance(one, Mapping))
    return tuple(name for name in names if isinstance(name, str))
