"""Civitai `meta` to the WebUI's "parameters" text and back.

The text is the prompt, a line `Negative prompt: ...` and one last line `Steps: 20, Sampler: ...`.
The WebUI strips every line and knows only `\\n`: spaces around lines go, other line ends become
`\\n`. NUL and lone surrogates, which no file can hold, go as well.
"""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import Iterator, Mapping, NamedTuple

from . import meta as meta_of, samplers

_NEGATIVE = 'Negative prompt:'

# The WebUI takes the last line for settings if it holds three pairs, for prompt if fewer. Names
# unknown to it are ignored, so these complete a line that would be too short.
_FEWEST_PAIRS = 3
_FILLERS = {'Settings': 'incomplete', 'Source': 'Civitai', 'Format': 'parameters'}

# Where a noise schedule may stand, and which further settings name a sampler or a schedule.
_SCHEDULE_NAMES = ('Schedule type', 'Schedule', 'scheduler', 'Scheduler')
_OTHER_SAMPLERS = {
    'Hires sampler': 'Hires schedule type',
    'ADetailer sampler': 'ADetailer scheduler',
}

_WHOLE_NAMES = {'Steps': 'steps', 'Seed': 'seed', 'Clip skip': 'clipSkip'}
_META_NAMES = {**_WHOLE_NAMES, 'Sampler': 'sampler', 'CFG scale': 'cfgScale', 'Size': 'Size'}
_JSON_NAMES = {'Hashes', 'Civitai resources', 'Civitai metadata'}
_FOLDED_NAMES = _JSON_NAMES | {'Lora hashes', 'VAE hash', 'TI hashes'}
# Some writers repeat the prompt or the models after these.
_TAIL_NAMES = {'Resources', 'Hashed prompt', 'Hashed Negative prompt'}
_NOT_TEXT = _JSON_NAMES | _TAIL_NAMES | set(_META_NAMES.values()) | {
    *('Lora hashes', 'Negative Template', 'Negative prompt', 'Prompt', 'Schedule', 'TI hashes'),
    *('Scheduler', 'Template', 'additionalResources', 'baseModel', 'civitaiResources', 'comfy'),
    *('controlNets', 'denoise', 'effects', 'engine', 'external', 'extra', 'hashes', 'height', 'models'),
    *('negativePrompt', 'other', 'process', 'prompt', 'resources', 'scheduler', 'sourceImageIds'),
    *('type', 'upscalers', 'vaes', 'width', 'workflow'),
}  # fmt: skip

# Cut off: what the Dynamic Prompts extension writes below the settings.
_TEMPLATES = re.compile(r'^(Steps: .*)\n(?:Negative )?Template:(?:(?!\nSteps: )[\s\S])*\Z', re.M)
_NAME = re.compile(r'\w[\w \-/]+')
# Looking behind keeps a long line without colons linear.
_KEY = re.compile(r'(?<![\w \-/])[ \-/]*(\w[\w \-/]+):\s*')
_QUOTED = re.compile(r'"(?:\\.|[^\\"])+"(?=,|$)')
_STEPS = re.compile(r'(?<!\w)Steps: [0-9]+(?=,|$)')
_SIZE = re.compile(r'([1-9][0-9]{0,8})\s*[xX×]\s*([1-9][0-9]{0,8})')


class _Pair(NamedTuple):
    name: str
    value: object
    start: int
    end: int
    bare: bool


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
    rest = {k.strip(): v for k, v in text.items() if _NAME.fullmatch(k.strip())}
    rest = {k: v for k, v in rest.items() if k not in pairs and k not in _NOT_TEXT}
    for name, its_schedule in _OTHER_SAMPLERS.items():
        told = samplers.webui_names(rest.get(name, ''), rest.get(its_schedule, ''))
        rest.update((k, v) for k, v in zip((name, its_schedule), told) if v)
    for group in ('Hires ', 'ADetailer '):
        pairs.update((k, v) for k, v in rest.items() if k.startswith(group))
    pairs['Lora hashes'] = _hash_list(hashes, 'lora:')
    pairs['TI hashes'] = _hash_list(hashes, 'embed:')
    return {name: value for name, value in {**pairs, **rest}.items() if value}


def _quoted(value: str) -> str:
    # as the WebUI does, which would also misread a value that merely starts with a quote
    quote = value.startswith('"') or any(mark in value for mark in ',:\n')
    return json.dumps(value, ensure_ascii=False) if quote else value


def _last_line(pairs: dict[str, str]) -> str:
    for name, value in _FILLERS.items():
        if len(pairs) < _FEWEST_PAIRS:
            pairs.setdefault(name, value)
    if 'Version' in pairs:
        pairs['Version'] = pairs.pop('Version')
    return ', '.join(f'{name}: {_quoted(value)}' for name, value in pairs.items())


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
    A ComfyUI graph is not searched; what the site found in it is in `meta`. So that the WebUI
    takes nothing for something else, a prompt's line 'Negative prompt:' becomes
    'Negative prompt :', and a line of one or two settings is filled up to three. Never raises.
    """
    fields = meta_of.opened(meta)
    prompt, negative = _prompt(fields.get('prompt')), _prompt(fields.get('negativePrompt'))
    pairs = _settings(fields, f'{meta_of.whole_text(width)}x{meta_of.whole_text(height)}')
    if not (prompt or negative or pairs.keys() - {'Size'}):
        return ''
    text = '\n'.join(filter(None, (prompt, negative and f'{_NEGATIVE} {negative}')))
    last = text.rpartition('\n')[2]
    # prompts alone need settings after them if they end like settings: '(cat:1.2), (hat:1.1), ...'
    if pairs or last.count(':') >= _FEWEST_PAIRS or _settings_start(last) >= 0:
        text += '\n' + _last_line(pairs)
    return text.strip()


def _value(line: str, name: str, start: int) -> tuple[object, int, bool]:
    """The value at `start`, where it ends, whether it stands bare: neither quoted nor JSON."""
    try:
        if name in _JSON_NAMES:
            value, end = json.JSONDecoder().raw_decode(line, start)
            return json.loads(value) if isinstance(value, str) else value, end, False
    except (ValueError, RecursionError):
        pass
    if quoted := _QUOTED.match(line, start):
        try:
            return json.loads(quoted[0]), quoted.end(), False
        except ValueError:
            return quoted[0], quoted.end(), False
    end = line.find(',', start)
    end = len(line) if end < 0 else end
    return line[start:end].strip(), end, True


def _pairs(line: str) -> Iterator[_Pair]:
    position = 0
    while key := _KEY.search(line, position):
        name = key[1].strip()
        value, position, bare = _value(line, name, key.end())
        yield _Pair(name, value, key.start(1), position, bare)


def _settings_start(line: str) -> int:
    """Where in a last line the settings start: 0 usually, -1 if it has none.

    The on-site generator writes prompts and settings on one line, so they may start within.
    """
    pairs = list(_pairs(line))
    for pair in pairs:
        steps = _STEPS.search(line, pair.start, pair.end) if pair.bare else None
        if steps:
            in_order = steps.start() == pair.start or pairs[0].name in _META_NAMES
            return 0 if pairs[0].start == 0 and in_order else steps.start()
    return 0 if len(pairs) >= _FEWEST_PAIRS else -1


def _parted(text: str) -> tuple[str, str, dict[str, object]]:
    """Prompt, negative prompt and settings as they stand in the text."""
    *lines, last = _TEMPLATES.sub(r'\1', meta_of.clean(text).strip()).split('\n')
    start = _settings_start(last)
    if start < 0:
        lines, last, start = [*lines, last], '', 0
    head, marker, tail = last[:start].partition(_NEGATIVE)
    body = '\n' + _strip_lines('\n'.join((*lines, head, marker + tail)))
    prompt, _, negative = body.partition('\n' + _NEGATIVE)
    negative = negative.replace('\n' + _NEGATIVE, '\n')
    pairs = takewhile(lambda pair: pair.name not in _TAIL_NAMES, _pairs(last[start:]))
    settings = {pair.name: pair.value for pair in pairs if _FILLERS.get(pair.name) != pair.value}
    return _strip_lines(prompt), _strip_lines(negative), settings


def decode(text: str) -> dict[str, object]:
    """Return the `meta`, under the site's names, that a "parameters" text tells.

    steps, seed and clipSkip are int, cfgScale is int or float, each absent if it is no number;
    hashes, `TI hashes`, civitaiResources and extra are rebuilt; all else is text. Understands
    the single line of the on-site generator. Without settings all is prompt and negative prompt;
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
    meta['TI hashes'] = meta_of.hash_table(settings.get('TI hashes'))
    meta['hashes'] = meta_of.all_hashes({**settings, 'hashes': settings.get('Hashes')})
    meta['civitaiResources'] = [entry for entry in used if 'modelVersionId' in entry]
    meta['extra'] = extra if isinstance(extra, dict) else None
    return {key: value for key, value in meta.items() if value not in (None, '', {}, [])}
