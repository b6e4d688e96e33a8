"""How a picture was made: as the API's `meta` object and as the text inside the file."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from ..drawing.palettes import PALETTES
from .entries import Model, Version
from .prompts import write_negative, write_prompt

Size = tuple[int, int]
Meta = dict[str, object]

WEBUI_SAMPLERS = (
    ('DPM++ 2M', 'Karras'),
    ('Euler a', 'Automatic'),
    ('DPM++ SDE', 'Karras'),
    ('UniPC', 'Normal'),
    ('DDIM', 'Automatic'),
)


@dataclass(frozen=True)
class Resource:
    """A model version used for a picture; `hash` as the WebUI writes it (lower case)."""

    name: str
    kind: str
    version_id: int
    hash: str
    weight: float = 1.0


@dataclass(frozen=True)
class Generation:
    """The settings of one picture.

    `source` is `webui`, `comfy`, `onsite` or `video`; `hidden` (by the uploader) or `none` where
    nobody is told.
    """

    source: str
    prompt: str
    negative: str
    steps: int
    sampler: str
    schedule: str
    cfg_scale: float
    seed: int
    clip_skip: int
    size: Size
    hires: bool
    checkpoint: Resource
    extras: tuple[Resource, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Checkpoint first, then the rest."""
        return (self.checkpoint, *self.extras)

    def meta(self) -> Meta | None:
        """The flat object of the API; keys by length, then name, as from Civitai's database."""
        makers = {
            'webui': _webui_meta,
            'comfy': _comfy_meta,
            'onsite': _onsite_meta,
            'video': _video_meta,
        }
        if self.source not in makers:
            return None
        found: Meta = {
            'prompt': self.prompt,
            'seed': self.seed,
            'steps': self.steps,
            'cfgScale': self.cfg_scale,
        }
        if self.negative:
            found['negativePrompt'] = self.negative
        found.update(makers[self.source](self))
        return dict(sorted(found.items(), key=lambda pair: (len(pair[0]), pair[0])))

    def embedded_texts(self) -> dict[str, str]:
        """The texts inside the original file: `parameters`, or what ComfyUI writes into a PNG."""
        if self.source == 'webui':
            return {'parameters': _webui_text(self)}
        if self.source == 'onsite':
            return {'parameters': _onsite_text(self)}
        if self.source == 'comfy':
            graph = json.dumps(_comfy_graph(self))
            return {'prompt': graph, 'workflow': json.dumps(_COMFY_WORKFLOW)}
        return {}


def make_generation(
    models: tuple[Model, ...],
    version: Version,
    dice: random.Random,
    picture: tuple[str, int, Size],
    source: str,
) -> Generation:
    """Settings for a `picture` (composition, palette number, size) posted to `version`."""
    composition, palette, size = picture
    checkpoint, extras = _used(models, version, dice)
    prompt = write_prompt(composition, PALETTES[palette].name, dice)
    for extra in extras:
        words = ', '.join(_trained_words(models, extra))
        prompt = f'{words}, {prompt}' if words else prompt
        if extra.kind == 'lora' and source == 'webui':
            prompt += f' <lora:{extra.name}:{extra.weight:g}>'
    sampler, schedule = dice.choice(WEBUI_SAMPLERS)
    return Generation(
        source,
        prompt,
        write_negative(dice),
        dice.choice((20, 24, 25, 28, 30, 36)),
        sampler,
        schedule,
        dice.choice((3.5, 4, 5, 5.5, 6, 6.5, 7)),
        dice.randrange(1, 2**32),
        dice.choice((1, 1, 2)),
        size,
        dice.random() < 0.3,
        checkpoint,
        extras,
    )


def _used(
    models: tuple[Model, ...], version: Version, dice: random.Random
) -> tuple[Resource, tuple[Resource, ...]]:
    """The checkpoint and the other resources of a picture posted to `version`."""
    owner = {entry.id: model for model in models for entry in model.versions}
    checkpoints = [model for model in models if model.kind == 'Checkpoint']
    home = owner[version.id]
    if home in checkpoints:
        base, extra = version, None
        if dice.random() < 0.35:
            loras = [entry for model in models if model.kind == 'LORA' for entry in model.versions]
            extra = dice.choice([e for e in loras if e.base_model == version.base_model])
    else:
        small = version.base_model == 'SD 1.5'
        base, extra = checkpoints[1 if small else 0].versions[0], version
    extras = () if extra is None else (_resource(owner[extra.id], extra, dice),)
    return _resource(owner[base.id], base, dice), extras


def _resource(model: Model, version: Version, dice: random.Random) -> Resource:
    file = version.files[0]
    kind = {'Checkpoint': 'model', 'TextualInversion': 'embed'}.get(model.kind, 'lora')
    weight = dice.choice((0.6, 0.7, 0.8, 1.0)) if kind == 'lora' else 1.0
    name = file.name.rsplit('.', 1)[0]
    digest = file.auto_v2 if kind == 'model' else file.auto_v3
    return Resource(name, kind, version.id, digest.lower(), weight)


def _trained_words(models: tuple[Model, ...], resource: Resource) -> tuple[str, ...]:
    versions = [version for model in models for version in model.versions]
    return next(entry.trained_words for entry in versions if entry.id == resource.version_id)


def _size_text(made: Generation) -> str:
    return f'{made.size[0]}x{made.size[1]}'


def _webui_meta(made: Generation) -> Meta:
    hashes = {'model': made.checkpoint.hash}
    hashes.update({f'{extra.kind}:{extra.name}': extra.hash for extra in made.extras})
    resources: list[Meta] = [
        {'name': extra.name, 'type': extra.kind, 'hash': extra.hash, 'weight': extra.weight}
        for extra in made.extras
    ]
    resources.append({'name': made.checkpoint.name, 'type': 'model', 'hash': made.checkpoint.hash})
    found: Meta = {
        'Size': _size_text(made),
        'sampler': made.sampler,
        'Schedule type': made.schedule,
        'Model': made.checkpoint.name,
        'Model hash': made.checkpoint.hash,
        'Version': 'v1.10.1',
        'hashes': hashes,
        'resources': resources,
    }
    if made.clip_skip > 1:
        found['clipSkip'] = made.clip_skip
    if made.hires:
        found.update({key: str(value) for key, value in _HIRES.items()})
    if _is_guided(made):
        found['ControlNet 0'] = dict(_CONTROL)
        words = {extra.name: extra.hash for extra in made.extras if extra.kind == 'embed'}
        if words:
            found['TI hashes'] = words
    return found


def _is_guided(made: Generation) -> bool:
    """Whether a ControlNet had a hand in it; the site makes an object of its quoted list."""
    return made.seed % 7 == 3


_CONTROL = {
    'Module': 'canny',
    'Model': 'edge_v1 [0a1b2c3d]',
    'Weight': '0.8',
    'Resize Mode': 'Crop and Resize',
    'Guidance Start': '0.0',
    'Guidance End': '0.75',
}


_HIRES = {
    'Denoising strength': 0.42,
    'Hires upscale': 1.5,
    'Hires steps': 12,
    'Hires upscaler': 'R-ESRGAN 4x+',
}


def _webui_text(made: Generation) -> str:
    """The `parameters` text as the AUTOMATIC1111 WebUI writes it."""
    pairs: list[tuple[str, object]] = [
        ('Steps', made.steps),
        ('Sampler', made.sampler),
        ('Schedule type', made.schedule),
        ('CFG scale', made.cfg_scale),
        ('Seed', made.seed),
        ('Size', _size_text(made)),
        ('Model hash', made.checkpoint.hash),
        ('Model', made.checkpoint.name),
    ]
    if made.clip_skip > 1:
        pairs.append(('Clip skip', made.clip_skip))
    if made.hires:
        pairs += _HIRES.items()
    if _is_guided(made):
        told = ', '.join(f'{key}: {value}' for key, value in _CONTROL.items())
        pairs.append(('ControlNet 0', f'"{told}"'))
    for kind, label in (('lora', 'Lora hashes'), ('embed', 'TI hashes')):
        used = [f'{extra.name}: {extra.hash}' for extra in made.extras if extra.kind == kind]
        if used:
            pairs.append((label, '"' + ', '.join(used) + '"'))
    pairs.append(('Version', 'v1.10.1'))
    lines = [made.prompt]
    if made.negative:
        lines.append(f'Negative prompt: {made.negative}')
    return '\n'.join([*lines, ', '.join(f'{key}: {value}' for key, value in pairs)])


def _onsite_resources(made: Generation) -> list[Meta]:
    names = {'model': 'checkpoint', 'embed': 'embed', 'lora': 'lora'}
    return [
        {'type': names[used.kind], 'weight': used.weight, 'modelVersionId': used.version_id}
        for used in made.resources
    ]


def _onsite_meta(made: Generation) -> Meta:
    return {
        'Size': _size_text(made),
        'sampler': 'Euler a',
        'clipSkip': 2,
        'Created Date': '2025-10-28T09:18:43.5269343Z',
        'civitaiResources': _onsite_resources(made),
    }


def _onsite_text(made: Generation) -> str:
    """Everything on one line, as Civitai's own generator writes it."""
    resources = json.dumps(_onsite_resources(made), separators=(',', ':'))
    negative = f'{made.negative} ' if made.negative else ''
    return (
        f'{made.prompt} Negative prompt: {negative}Steps: {made.steps}, Sampler: Euler a, '
        f'CFG scale: {made.cfg_scale}, Seed: {made.seed}, Size: {_size_text(made)}, Clip skip: 2, '
        f'Created Date: 2025-10-28T09:18:43.5269343Z, Civitai resources: {resources}, '
        'Civitai metadata: {}'
    )


_COMFY_WORKFLOW: Meta = {'last_node_id': 7, 'nodes': [], 'links': [], 'version': 0.4}


def _comfy_graph(made: Generation) -> Meta:
    checkpoint = {'ckpt_name': f'{made.checkpoint.name}.safetensors'}
    settings: Meta = {'seed': made.seed, 'steps': made.steps, 'cfg': made.cfg_scale}
    settings.update({'sampler_name': 'euler', 'scheduler': 'normal', 'denoise': 1})
    settings.update({'model': ['1', 0], 'positive': ['2', 0], 'negative': ['3', 0]})
    settings['latent_image'] = ['4', 0]
    latent: Meta = {'width': made.size[0], 'height': made.size[1], 'batch_size': 1}
    return {
        '1': {'class_type': 'CheckpointLoaderSimple', 'inputs': checkpoint},
        '2': {'class_type': 'CLIPTextEncode', 'inputs': {'text': made.prompt, 'clip': ['1', 1]}},
        '3': {'class_type': 'CLIPTextEncode', 'inputs': {'text': made.negative, 'clip': ['1', 1]}},
        '4': {'class_type': 'EmptyLatentImage', 'inputs': latent},
        '5': {'class_type': 'KSampler', 'inputs': settings},
    }


def _comfy_meta(made: Generation) -> Meta:
    """The graph is a text that is not always JSON: a missing workflow reads `undefined`."""
    workflow = json.dumps(_COMFY_WORKFLOW) if made.seed % 2 else 'undefined'
    comfy = f'{{"prompt": {json.dumps(_comfy_graph(made))}, "workflow": {workflow}}}'
    return {
        'vaes': [],
        'comfy': comfy,
        'width': made.size[0],
        'height': made.size[1],
        'models': [f'{made.checkpoint.name}.safetensors'],
        'denoise': 1,
        'sampler': 'Euler',
        'scheduler': 'normal',
        'additionalResources': [
            {'name': extra.name, 'type': extra.kind, 'strength': extra.weight, 'strengthClip': 1}
            for extra in made.extras
        ],
    }


def _video_meta(made: Generation) -> Meta:
    return {'engine': 'wan', 'process': 'txt2vid', 'type': 'txt2vid', 'duration': 2}
