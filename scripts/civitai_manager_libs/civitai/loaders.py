"""The files that the nodes of a ComfyUI graph load: models, VAEs, upscalers and LoRAs."""

from __future__ import annotations

from typing import Iterator, Mapping

from . import meta as meta_of
from .nodes import Inputs, Nodes, linked, plain


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
        found.append((name, plain(nodes, inputs, ('strength_model', 'strength', 'lora_wt'))))
    for slot in inputs.values():  # nodes that take several
        if isinstance(slot, Mapping) and slot.get('on') is not False:
            found.append((meta_of.as_text(slot.get('lora')), slot.get('strength')))
    for name, strength in found:
        weight = meta_of.as_number(strength)
        if name not in ('', 'None') and weight != 0:
            yield {'name': name, 'type': 'lora', 'strength': 1 if weight is None else weight}
