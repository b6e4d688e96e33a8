"""What ComfyUI and the site's own generator say, in the fields that a WebUI has for it."""

from __future__ import annotations

import re
from typing import Iterator, Mapping

from . import meta as meta_of
from .resources import FURTHER_CHECKPOINTS, Resource, file_name, resources, stem, tags


def for_webui(meta: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that a WebUI would have filled, and `meta` says in another way.

    Those are Model, VAE, upscaler, denoising strength and hashes; and, in `prompt`, a tag for
    each LoRA, because a WebUI uses none without. Never raises.
    """
    used = resources({k: v for k, v in meta.items() if k not in FURTHER_CHECKPOINTS})
    model, vae = _first(used, 'checkpoint'), _first(used, 'vae')
    upscaler = _first(used, 'upscaler')
    denoise = meta_of.as_number(meta.get('denoise'))
    told: dict[str, object] = {
        'Model': stem(model.name) if model else '',
        'VAE': file_name(vae.name) if vae else '',
        'Hires upscaler': stem(upscaler.name) if upscaler else '',
        # 1 where a picture starts from nothing
        'Denoising strength': denoise if denoise and 0 < denoise < 1 else '',
    }
    own = {key for key in told if meta_of.as_text(meta.get(key)) and not _is_urn(meta.get(key))}
    told = {key: value for key, value in told.items() if value and key not in own}
    if prompt := _with_tags(meta):
        told['prompt'] = prompt
    if hashes := dict(_hashes(used, model, vae)):
        told['hashes'] = {**hashes, **meta_of.all_hashes(meta)}
    return told


def _first(used: list[Resource], kind: str) -> Resource | None:
    named = (one for one in used if one.kind == kind and one.name and not _is_urn(one.name))
    return next(named, None)


def _is_urn(name: object) -> bool:
    return bool(meta_of.AIR.match(meta_of.as_text(name)))


def tag_name(name: str) -> str:
    """The name of a file as it can stand in a tag and in a list of hashes."""
    return re.sub(r'[,:<>\n]', '', stem(name)).strip()


def _with_tags(meta: Mapping[str, object]) -> str:
    """The prompt and a tag for each LoRA that it does not call yet; '' if there is none."""
    listed = {key: meta.get(key) for key in ('additionalResources', 'civitaiResources')}
    if not any(listed.values()):
        return ''
    prompt = meta_of.clean(prompt) if isinstance(prompt := meta.get('prompt'), str) else ''
    called = {
        stem(name).lower(): meta_of.as_number(weight)
        for kind, name, weight in tags(prompt)
        if kind != 'hypernet'
    }
    loras = {tag_name(one.name): one for one in resources(listed) if one.kind == 'lora'}
    # the prompt may call what the site lists by another name, but not with another weight
    applied = {
        tag_name(meta_of.as_text(one.get('name')))
        for one in meta_of.mappings(listed['additionalResources'])
    }
    known = {name.lower() for name in loras}
    renamed = {weight for name, weight in called.items() if name not in known}
    missing = [
        f'<lora:{name}:{1 if one.weight is None else one.weight:g}>'
        for name, one in loras.items()
        if name and name.lower() not in called and not _is_urn(one.name)
        if not renamed or name in applied or one.weight is not None and one.weight not in renamed
    ]
    return ' '.join([prompt, *missing]).strip() if missing else ''


def _hashes(
    used: list[Resource], model: Resource | None, vae: Resource | None
) -> Iterator[tuple[str, str]]:
    """The hashes of what was used, under the names of the site."""
    for kind, main in (('model', model), ('vae', vae)):
        if main and main.hash:
            yield kind, main.hash
    for one in used:
        prefix = {'lora': 'lora:', 'embedding': 'embed:'}.get(one.kind)
        if prefix and one.hash and one.version_id and tag_name(one.name):
            yield prefix + tag_name(one.name), one.hash
