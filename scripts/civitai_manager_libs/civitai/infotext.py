"""Civitai `meta` to the WebUI's "parameters" text and back.

The text is the prompt, a line `Negative prompt: ...` and one last line `Steps: 20, Sampler: ...`.
The WebUI strips every line and knows only `\\n`: spaces around lines go, other line ends become
`\\n`. NUL and lone surrogates, which no file can hold, go as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import AbstractSet

from . import comfy, foreign, meta as meta_of, pairs as pairs_of, samplers

_NEGATIVE = 'Negative prompt:'

# Where a noise schedule may stand, and which further settings name a sampler or a schedule.
_SCHEDULE_NAMES = ('Schedule type', 'Schedule', 'scheduler', 'Scheduler')
_OTHER_SAMPLERS = {
    'Hires sampler': 'Hires schedule type',
    'ADetailer sampler': 'ADetailer scheduler',
}

_WHOLE_NAMES = {'Steps': 'steps', 'Seed': 'seed', 'Clip skip': 'clipSkip'}
_META_NAMES = {**_WHOLE_NAMES, 'Sampler': 'sampler', 'CFG scale': 'cfgScale', 'Size': 'Size'}
_FOLDED_NAMES = pairs_of.JSON_NAMES | {'Lora hashes', 'VAE hash', 'TI hashes'}
# Some writers repeat the prompt or the models after these.
_TAIL_NAMES = {'Resources', 'Hashed prompt', 'Hashed Negative prompt'}
# Said elsewhere in the text, or of no use to a WebUI.
_NOT_SETTINGS = pairs_of.JSON_NAMES | _TAIL_NAMES | {
    *('Created Date', 'Lora hashes', 'Negative Template', 'Negative prompt', 'Prompt', 'Schedule'),
    *('Scheduler', 'TI hashes', 'Template'),
}  # fmt: skip
# What the site and its generator note for themselves: `fluxMode`, `remixOfId`, `quantity`.
_OF_THE_SITE = re.compile(r'[a-z][a-zA-Z0-9]*')

# Cut off: what the Dynamic Prompts extension writes below the settings.
_TEMPLATES = re.compile(r'^(Steps: .*)\n\s*(?:Negative )?Template:(?:(?!\nSteps: )[\s\S])*\Z', re.M)
_SIZE = re.compile(r'([1-9][0-9]{0,8})\s*[xX×]\s*([1-9][0-9]{0,8})')


def _strip_lines(text: str) -> str:
    return '\n'.join(line.strip() for line in text.strip().split('\n'))


def _hash_list(hashes: Mapping[str, str], prefix: str) -> str:
    # the WebUI splits this list at commas and colons, and writes names without them
    names = {k: re.sub('[,:]', '', k[len(prefix) :]) for k in hashes if k.startswith(prefix)}
    return ', '.join(f'{name}: {hashes[key]}' for key, name in names.items() if name)


def _size(*candidates: object) -> str:
    matches = (_SIZE.fullmatch(meta_of.as_text(candidate)) for candidate in candidates)
    return next((f'{match[1]}x{match[2]}' for match in matches if match), '')


def _settings(meta: Mapping[str, object], item_size: str) -> dict[str, str]:
    """The pairs of the last line, in its order."""
    text = {key: meta_of.as_text(value) for key, value in meta.items()}
    hashes, model = meta_of.all_hashes(meta), text.get('Model', '')
    schedule = next(filter(None, map(text.get, _SCHEDULE_NAMES)), '')
    sampler, schedule = samplers.webui_names(text.get('sampler', ''), schedule)
    cfg = meta_of.as_number(meta.get('cfgScale'))
    size = _size(meta.get('Size'), f'{text.get("width")}x{text.get("height")}', item_size)
    pairs = {
        'Steps': meta_of.whole_text(meta.get('steps')),
        'Sampler': sampler,
        'Schedule type': schedule,
        'CFG scale': '' if cfg is None else str(cfg),
        'Seed': meta_of.whole_text(meta.get('seed')),
        'Size': size,
        'Model hash': hashes.get('model', ''),
        'Model': '' if meta_of.AIR.match(model) else model,
        'VAE hash': hashes.get('vae', ''),
        'VAE': text.get('VAE', ''),
        'Denoising strength': text.get('Denoising strength', ''),
        'Clip skip': meta_of.whole_text(meta.get('clipSkip'))
        or meta_of.whole_text(meta.get('Clip skip')),
    }
    rest = _other_settings(meta, _NOT_SETTINGS | pairs.keys())
    for name, its_schedule in _OTHER_SAMPLERS.items():
        told = samplers.webui_names(rest.get(name, ''), rest.get(its_schedule, ''))
        rest.update((k, v) for k, v in zip((name, its_schedule), told) if v)
    for group in ('Hires ', 'ADetailer '):
        pairs.update((k, v) for k, v in rest.items() if k.startswith(group))
    pairs['Lora hashes'] = _hash_list(hashes, 'lora:')
    pairs['TI hashes'] = _hash_list(hashes, 'embed:')
    pairs.update((k, v) for k, v in rest.items() if k != 'Version')
    pairs['Version'] = rest.get('Version', '')
    return {name: value for name, value in pairs.items() if value}


def _other_settings(meta: Mapping[str, object], others: AbstractSet[str]) -> dict[str, str]:
    """What `meta` says under the WebUI's own names, but for `others`."""
    told = {key.strip(): meta_of.as_text(value) or _list(value) for key, value in meta.items()}
    return {
        name: value
        for name, value in told.items()
        if pairs_of.is_name(name) and name not in others and not _OF_THE_SITE.fullmatch(name)
    }


def _list(value: object) -> str:
    """The text 'name: value, name: value' that the site made an object of, '' if it is none."""
    if not isinstance(value, Mapping):
        return ''
    told = {meta_of.as_text(name): meta_of.as_text(one) for name, one in value.items()}
    # numbers under single letters, as of a vector, never were a list
    if not any(len(str(name)) > 1 or isinstance(one, str) for name, one in value.items()):
        return ''
    return ', '.join(f'{name}: {one}' for name, one in told.items() if name and one)


def _prompt(value: object) -> str:
    """A prompt as it stands in the text, none of its lines starting the negative one."""
    text = _strip_lines(meta_of.clean(value)) if isinstance(value, str) else ''
    return re.sub('^Negative prompt:', 'Negative prompt :', text, flags=re.MULTILINE)


def encode(
    meta: Mapping[str, object] | None, width: int | None = None, height: int | None = None
) -> str:
    """Return the "parameters" text of a picture with this `meta`, '' if it says nothing.

    width, height: pixels of the picture, its Size where `meta` has none. Values of a wrong type
    are left out, and so is an AIR urn as `Model`: no file has that name (`resources` reports it).
    What `meta` leaves open is read from a ComfyUI graph in it, and models and LoRAs whose names are
    known are named as a WebUI would. So that the WebUI
    takes nothing for something else, a prompt's line 'Negative prompt:' becomes
    'Negative prompt :', and a line of one or two settings is filled up to three with what the
    WebUI would assume anyway. Never raises.
    """
    own = comfy.completed(meta_of.opened(meta))
    further = foreign.for_webui(own)
    fields = {**own, **further}
    pairs = _settings(fields, f'{meta_of.whole_text(width)}x{meta_of.whole_text(height)}')
    # what else is known of a picture does not tell how it was made
    if not (_prompt(own.get('prompt')) or _prompt(own.get('negativePrompt'))):
        if not _settings(own, '').keys() - {'Size'}:
            return ''
    prompt, negative = _prompt(fields.get('prompt')), _prompt(fields.get('negativePrompt'))
    text = '\n'.join(filter(None, (prompt, negative and f'{_NEGATIVE} {negative}')))
    lines = text.split('\n')
    # prompts alone need settings after them if they look like settings: '(cat:1.2), (hat:1.1), ...'
    looks_so = lines[-1].count(':') >= pairs_of.FEWEST_PAIRS
    if pairs or looks_so or pairs_of.settings_line(lines)[0] >= 0:
        text += '\n' + pairs_of.written(pairs)
    return text.strip()


def _located(text: str) -> tuple[list[str], int, int]:
    """The lines of the text, which of them has the settings (-1: none), and where they begin."""
    lines = _TEMPLATES.sub(r'\1', meta_of.clean(text).strip()).split('\n')
    return (lines, *pairs_of.settings_line(lines))


def _parted(text: str) -> tuple[str, str, dict[str, object]]:
    """Prompt, negative prompt and settings as they stand in the text."""
    lines, at, start = _located(text)
    line = lines[at] if at >= 0 else ''
    head, marker, tail = line[:start].partition(_NEGATIVE)
    if at >= 0:
        # what stands below goes on with the prompt, as for the site
        lines[at : at + 1] = [head, marker + tail] if start else []
    body = '\n' + _strip_lines('\n'.join(lines))
    prompt, _, negative = body.partition('\n' + _NEGATIVE)
    negative = negative.replace('\n' + _NEGATIVE, '\n')
    pairs = takewhile(lambda pair: pair.name not in _TAIL_NAMES, pairs_of.read(line[start:]))
    settings = pairs_of.meant({pair.name: pair.value for pair in pairs})
    return _strip_lines(prompt), _strip_lines(negative), settings


@dataclass(frozen=True)
class Parts:
    """What a "parameters" text says, to be read by a person; line: the settings as they stand."""

    prompt: str = ''
    negative: str = ''
    settings: Mapping[str, str] = field(default_factory=dict)
    line: str = ''


def parts(text: str) -> Parts:
    """Return what a "parameters" text says, each part by itself; never raises.

    Settings that are lists for programs stand in `line` alone.
    """
    prompt, negative, settings = _parted(text)
    told = {name: meta_of.as_text(value) for name, value in settings.items()}
    shown = {name: value for name, value in told.items() if value and name not in _FOLDED_NAMES}
    lines, at, start = _located(text)
    return Parts(prompt, negative, shown, lines[at][start:].strip() if at >= 0 else '')


def _hashes(settings: Mapping[str, object]) -> dict[str, object]:
    """The fields of a `meta` for hashes. As for the site, `Hashes` wins where two are told."""
    told = {'hashes': settings.get('Hashes')}
    hashes = {**meta_of.all_hashes({**settings, **told}), **meta_of.all_hashes(told)}
    embeddings = meta_of.hash_table(settings.get('TI hashes'))
    fields: dict[str, object] = {
        'hashes': hashes,
        'TI hashes': {name: hashes[f'embed:{name}'] for name in embeddings},
    }
    if 'model' in hashes and 'Model hash' in settings:
        fields['Model hash'] = hashes['model']
    return fields


def decode(text: str) -> dict[str, object]:
    """Return the `meta`, under the site's names, that a "parameters" text tells.

    steps, seed and clipSkip are int, cfgScale is int or float, each absent if it is no number;
    hashes, `TI hashes`, civitaiResources and extra are rebuilt; all else is text. Understands
    the single line of the on-site generator, and settings with more lines below, which belong to
    the prompt. Without settings all is prompt and negative prompt;
    an empty text is {}. Never raises.
    """
    prompt, negative, settings = _parted(text)
    meta: dict[str, object] = {'prompt': prompt, 'negativePrompt': negative}
    for name, key in _META_NAMES.items():
        meta[key] = meta_of.as_text(settings.get(name))
    for key in _WHOLE_NAMES.values():
        number = meta_of.as_number(meta[key])
        meta[key] = number if isinstance(number, int) else None
    meta['cfgScale'] = meta_of.as_number(meta['cfgScale'])
    meta['sampler'] = '' if meta['sampler'] == 'Undefined' else meta['sampler']
    for name, value in settings.items():
        if name not in _META_NAMES and name not in _FOLDED_NAMES:
            meta.setdefault(name, meta_of.as_text(value))
    used = [
        meta_of.site_entry(entry) for entry in meta_of.mappings(settings.get('Civitai resources'))
    ]
    extra = settings.get('Civitai metadata')
    meta.update(_hashes(settings))
    meta['civitaiResources'] = [entry for entry in used if 'modelVersionId' in entry]
    meta['extra'] = extra if isinstance(extra, dict) else None
    return {key: value for key, value in meta.items() if value not in (None, '', {}, [])}
