"""The files that the nodes of a ComfyUI graph load: models, VAEs, upscalers and LoRAs."""

from __future__ import annotations

from typing import Iterator, Mapping

from . import meta as meta_of
from .nodes import Inputs, Nodes, linked, plain

_MOST_LORAS = 50
_STRENGTHS = ('strength_model', 'strength', 'lora_wt', 'lora_model_strength')
# Of the numbered LoRAs of a node: each has one strength, or one for the model and one for CLIP.
_SIMPLE = ('lora_wt_{}', 'model_weight_{}', 'lora_{}_strength', 'model_str_{}')
_ADVANCED = ('model_str_{}', 'lora_{}_model_strength', 'model_weight_{}')
# What loaders say where the VAE is that of the model.
_NO_VAES = ('Baked VAE', 'None')


def files(nodes: Nodes, sampler: str | None) -> dict[str, object]:
    """The files that the nodes load, that of the sampler's model first."""
    models: list[str] = []
    vaes: list[str] = []
    upscalers: list[str] = []
    loras: list[dict[str, object]] = []
    for inputs in nodes.values():
        models += filter(None, [plain(nodes, inputs, ('ckpt_name', 'unet_name'))])
        vaes += filter(None, [plain(nodes, inputs, ('vae_name',))])
        if 'Upscale' in str(inputs[' class']):
            upscalers += filter(None, [plain(nodes, inputs, ('model_name',))])
        loras += _loras(nodes, inputs)
    main = _main_model(nodes, sampler)
    vaes = [name for name in vaes if name not in _NO_VAES]
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
        if name := plain(nodes, nodes[number], ('ckpt_name', 'unet_name')):
            return name
        links = (linked(nodes, nodes[number].get(name))[0] for name in way)
        number = next(filter(None, links), '')
    return ''


def _loras(nodes: Nodes, inputs: Inputs) -> Iterator[dict[str, object]]:
    """The LoRAs that a node applies; one of no weight changes nothing."""
    found: list[tuple[str, object]] = []
    if name := plain(nodes, inputs, ('lora_name',)):
        found.append((name, plain(nodes, inputs, _STRENGTHS)))
    listed = inputs.get('loras')
    listed = listed.get('__value__') if isinstance(listed, Mapping) else listed
    for slot in inputs.values():  # nodes that take several
        if isinstance(slot, Mapping) and slot.get('on') is not False:
            found.append((meta_of.as_text(slot.get('lora')), slot.get('strength')))
    for one in meta_of.mappings(listed):
        if one.get('active') is not False:
            found.append((meta_of.as_text(one.get('name')), one.get('strength')))
    found += _stacked(nodes, inputs)
    for name, strength in found:
        weight = meta_of.as_number(strength)
        if name not in ('', 'None') and weight != 0:
            yield {'name': name, 'type': 'lora', 'strength': 1 if weight is None else weight}


def _stacked(nodes: Nodes, inputs: Inputs) -> Iterator[tuple[str, str]]:
    """The LoRAs and their strengths in the numbered inputs of a node, as far as in use."""
    told = (inputs.get(name) for name in ('lora_count', 'num_loras'))
    count = next((one for one in map(meta_of.as_number, told) if one is not None), _MOST_LORAS)
    simple = meta_of.as_text(inputs.get('input_mode', inputs.get('mode'))) != 'advanced'
    strengths = _SIMPLE if simple else _ADVANCED
    for number in range(1, min(int(count), _MOST_LORAS) + 1):
        names = (f'lora_name_{number}', f'lora_{number}_name')
        switched_off = inputs.get(f'switch_{number}') in ('Off', False)
        if any(name in inputs for name in names) and not switched_off:
            weights = tuple(name.format(number) for name in strengths)
            yield plain(nodes, inputs, names), plain(nodes, inputs, weights)
