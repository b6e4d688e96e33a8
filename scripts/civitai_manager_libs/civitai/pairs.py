"""The line of settings in a "parameters" text: `Steps: 20, Sampler: Euler a, ...`."""

from __future__ import annotations

import json
import re
from typing import Iterator, Mapping, NamedTuple

# Names whose value stands as JSON, with or without quotes around.
JSON_NAMES = frozenset({'Hashes', 'Civitai resources', 'Civitai metadata'})
# What the line usually starts with.
FIRST_NAMES = frozenset({'Steps', 'Seed', 'Clip skip', 'Sampler', 'CFG scale', 'Size'})

# The WebUI takes the last line for settings if it holds three pairs, for prompt if fewer. These
# are what it assumes where nothing is said, and never writes; they complete too short a line.
FEWEST_PAIRS = 3
_ASSUMED = {'VAE Encoder': 'Full', 'VAE Decoder': 'Full', 'RNG': 'GPU'}

_NAME = re.compile(r'\w[\w \-/]+')
# Looking behind keeps a long line without colons linear.
_KEY = re.compile(r'(?<![\w \-/])[ \-/]*(\w[\w \-/]+):\s*')
_QUOTED = re.compile(r'"(?:\\.|[^\\"])+"(?=,|$)')
_STEPS = re.compile(r'(?<!\w)Steps: [0-9]+(?=,|$)')


class Pair(NamedTuple):
    """One setting, where it stands in its line, and whether bare: neither quoted nor JSON."""

    name: str
    value: object
    start: int
    end: int
    bare: bool


def is_name(name: str) -> bool:
    """Tell whether the WebUI can read a setting of this name."""
    return bool(_NAME.fullmatch(name))


def written(pairs: Mapping[str, str]) -> str:
    """Return the line of these settings, long enough to be taken for one."""
    line = dict(pairs)
    for name, value in _ASSUMED.items():
        if len(line) < FEWEST_PAIRS:
            line.setdefault(name, value)
    return ', '.join(f'{name}: {_quoted(value)}' for name, value in line.items())


def _quoted(value: str) -> str:
    # as the WebUI does, which would also misread a value that merely starts with a quote
    quote = value.startswith('"') or any(mark in value for mark in ',:\n')
    return json.dumps(value, ensure_ascii=False) if quote else value


def meant(pairs: Mapping[str, object]) -> dict[str, object]:
    """Return the settings of a line without those that only complete a short one."""
    if len(pairs) > FEWEST_PAIRS:
        return dict(pairs)
    return {name: value for name, value in pairs.items() if _ASSUMED.get(name) != value}


def read(line: str) -> Iterator[Pair]:
    """Yield the settings of a line as the WebUI reads them, JSON opened."""
    position = 0
    while key := _KEY.search(line, position):
        name = key[1].strip()
        value, position, bare = _value(line, name, key.end())
        yield Pair(name, value, key.start(1), position, bare)


def _value(line: str, name: str, start: int) -> tuple[object, int, bool]:
    """The value at `start`, where it ends, whether it stands bare."""
    try:
        if name in JSON_NAMES:
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
    value = line[start:end].strip()
    # quoted, and nothing in it
    return ('', end, False) if value == '""' else (value, end, True)


def settings_start(line: str) -> int:
    """Where in a last line the settings start: 0 usually, -1 if it has none.

    The on-site generator writes prompts and settings on one line, so they may start within.
    """
    pairs = list(read(line))
    for pair in pairs:
        steps = _STEPS.search(line, pair.start, pair.end) if pair.bare else None
        if steps:
            in_order = steps.start() == pair.start or pairs[0].name in FIRST_NAMES
            return 0 if pairs[0].start == 0 and in_order else steps.start()
    return 0 if len(pairs) >= FEWEST_PAIRS else -1


def settings_line(lines: list[str]) -> tuple[int, int]:
    """Return which of the lines has the settings and where in it they start, (-1, 0) if none has.

    It is the last one. As the site does, one above it is taken that starts with its steps.
    """
    start = settings_start(lines[-1])
    if start >= 0:
        return len(lines) - 1, start
    numbers = (number for number, line in enumerate(lines) if _STEPS.match(line.strip()))
    return next(numbers, -1), 0
