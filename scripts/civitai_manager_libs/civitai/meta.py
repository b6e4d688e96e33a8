"""Reading a picture's `meta`, in which anything may have any type. Nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Mapping  # instances of typing.Mapping are asked for slowly
from decimal import Decimal

_LARGEST_NUMBER = 10**30
# ecosystem : kind : source : model @ version
AIR = re.compile(r'(?:urn:)?air:[^:]+:([^:]+):([^:]+):[^:@]+(?:@([0-9]{1,18})\b)?', re.IGNORECASE)

_HASH = re.compile(r'[0-9a-f]{6,64}')
_HASH_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
_PREFIXES = {
    'checkpoint': 'model',
    'embedding': 'embed',
    'textualinversion': 'embed',
    'ti': 'embed',
}
_PREFIXES |= dict.fromkeys(('lyco', 'lycoris', 'locon', 'loha', 'lokr', 'dora'), 'lora')


def clean(text: str) -> str:
    """`text` with \\n as the only line end, and nothing in it that no file can hold."""
    if text.isascii() and '\r' not in text and '\0' not in text:  # most are such
        return text
    text = text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '')
    return text.encode('utf-8', 'replace').decode('utf-8')


def as_number(value: object) -> int | float | None:
    """A number, also out of text; a whole one is an int: 7.0 and '7.0' are 7."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, int) and -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        return value
    try:
        number = Decimal(value)
        if not number.is_finite() or abs(number) > _LARGEST_NUMBER:
            return None
    except ArithmeticError:
        return None
    return int(number) if number == int(number) else float(number)


def as_text(value: object) -> str:
    """A text, number or boolean as text; '' for everything else."""
    if value is None:
        return ''
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, bool):
        return str(value)
    number = as_number(value)
    return '' if number is None else str(number)


def whole_text(value: object) -> str:
    """A whole number as text; '' for everything else."""
    number = as_number(value)
    return str(number) if isinstance(number, int) else ''


def opened(meta: object) -> dict[str, object]:
    """The fields of `meta`, out of its `{id, meta}` wrapper; {} if it is no mapping."""
    if isinstance(meta, Mapping) and set(meta) == {'id', 'meta'}:
        meta = meta['meta']
    if not isinstance(meta, Mapping):
        return {}
    return {key: value for key, value in meta.items() if isinstance(key, str)}


def hash_of(value: object) -> str:
    """A hash in lower-case hex without '0x'; '' for what is none or stands for no file.

    Programs that could not read a file write zeros, or the SHA256 of nothing.
    """
    digest = as_text(value).lower().removeprefix('0x')
    nothing = not digest.strip('0') or _HASH_OF_NOTHING.startswith(digest)
    return '' if nothing or not _HASH.fullmatch(digest) else digest


def hash_table(value: object) -> dict[str, str]:
    """{name: hash} out of such a mapping, or out of the text 'name: hash, name: hash'."""
    if isinstance(value, str):
        value = {part.rpartition(':')[0]: part.rpartition(':')[2] for part in value.split(',')}
    items = value.items() if isinstance(value, Mapping) else ()
    table = {as_text(name): hash_of(found) for name, found in items}
    return {name: found for name, found in table.items() if name and found}


def all_hashes(meta: Mapping[str, object]) -> dict[str, str]:
    """Every hash, under the names of the site: 'model', 'vae', 'lora:NAME', 'embed:NAME'."""
    hashes: dict[str, str] = {}
    for key, found in hash_table(meta.get('hashes')).items():
        kind, colon, name = key.partition(':')
        # some writers say 'LORA:NAME', some the kind of LoRA
        kind = _PREFIXES.get(kind.strip().lower(), kind.strip().lower())
        hashes[kind + colon + name.strip()] = found
    for key, prefix in (('Lora hashes', 'lora:'), ('TI hashes', 'embed:')):
        hashes.update((prefix + k, v) for k, v in hash_table(meta.get(key)).items())
    own = {'model': hash_of(meta.get('Model hash')), 'vae': hash_of(meta.get('VAE hash'))}
    return {**hashes, **{name: found for name, found in own.items() if found}}


def mappings(value: object) -> list[Mapping[str, object]]:
    """The mappings in a list; [] if it is none."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def site_entry(entry: Mapping[str, object]) -> dict[str, object]:
    """The type, weight and modelVersionId of something used, as far as told; an AIR tells two."""
    air = AIR.match(as_text(entry.get('air'))) or AIR.match(as_text(entry.get('name')))
    told: dict[str, object] = {
        'type': as_text(entry.get('type')) or (air[1].lower() if air else ''),
        'weight': as_number(entry.get('weight', entry.get('strength'))),
        'modelVersionId': whole_text(entry.get('modelVersionId')),
    }
    if air and air[2].lower() == 'civitai':
        told['modelVersionId'] = told['modelVersionId'] or air[3]
    version = as_number(told['modelVersionId'])
    told['modelVersionId'] = version if version and 0 < version < 10**18 else None
    return {key: value for key, value in told.items() if value not in (None, '')}
