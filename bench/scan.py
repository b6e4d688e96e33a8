"""Many model files on a disk: how long it takes to know them by their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Mapping, Sequence

from . import process
from .due import Verdict
from .models import MIB
from .origin import ROOT
from .report import markdown
from .runner import TIME_LIMIT, Say, empty_folder, plain_environment

NAME = 'model-scan'
FEW, MANY = 50, 500
OURS, SHA256SUM = 'ours', 'sha256sum'

TEXT = f"""\
{MANY} LoRA files of 1 MiB each, in memory where the system has a disk there, that nobody looked at
before. `ours` finds them, looks for what other tools wrote beside them, and reckons two hashes of
each, SHA256 and AutoV3, which all go into the archive; without imports. `sha256sum` is a whole
process and reckons one. Both take turns in each round; figures are medians.
"""


@dataclass(frozen=True)
class ScanRun:
    """One run over `count` files: wall and CPU in seconds, growth in KiB (-1: not told)."""

    client: str
    count: int
    wall: float
    cpu: float
    growth_kib: float
    wrong: int


def play(count: int, rounds: int, say: Say) -> list[ScanRun]:
    """Have everybody scan `count` files, and ourselves a tenth of them, `rounds` times in turn."""
    runs = []
    for number in range(rounds):
        for client, some in ((OURS, count // 10), (OURS, count), (SHA256SUM, count)):
            with empty_folder() as folder:
                if client == SHA256SUM and not shutil.which(SHA256SUM):
                    continue
                run = _once(client, folder, _sums(folder, some))
            runs.append(run)
            say(f'{NAME}, round {number + 1}: {client}, {some} files {run.wall:.2f} s')
    return runs


def _sums(folder: Path, count: int) -> Mapping[str, str]:
    """Make the files; their SHA256 by their names."""
    sums = {}
    for number in range(count):
        size = MIB - 200
        header = {'a': {'dtype': 'U8', 'shape': [size], 'data_offsets': [0, size]}}
        text = json.dumps(header).encode()
        content = len(text).to_bytes(8, 'little') + text + os.urandom(size)
        path = folder / f'{number:04d}.safetensors'
        path.write_bytes(content)
        sums[path.name] = hashlib.sha256(content).hexdigest()
    return sums


def _once(client: str, folder: Path, sums: Mapping[str, str]) -> ScanRun:
    command = [sys.executable, '-m', 'bench.scanchild', str(folder)]
    if client == SHA256SUM:
        command = [SHA256SUM, *(str(folder / name) for name in sums)]
    with empty_folder() as home:
        environment = {
            **plain_environment(home),
            'CIVITAI_GALLERY_HOME': str(home),
            'PYTHONPATH': str(ROOT),
        }
        ended = process.run(command, environment, home, TIME_LIMIT)
    if client == SHA256SUM:
        lines = (line.split(maxsplit=1) for line in ended.output.splitlines())
        found = {Path(path).name: digest for digest, path in lines}
        told: Mapping[str, float] = {'wall': ended.wall, 'cpu': ended.cpu, 'growth_kib': -1}
    else:
        first, last = ended.output.splitlines() or ['{}', '{}']
        found, told = json.loads(first), json.loads(last)
    wrong = sum(found.get(name) != digest for name, digest in sums.items())
    wall, cpu, growth = (told.get(name, 0.0) for name in ('wall', 'cpu', 'growth_kib'))
    return ScanRun(client, len(sums), wall, cpu, growth, wrong)


def section(runs: Sequence[ScanRun]) -> list[str]:
    """Return the part of the page, as paragraphs."""
    groups: dict[tuple[str, int], list[ScanRun]] = {}
    for run in runs:
        groups.setdefault((run.client, run.count), []).append(run)
    rows = [
        {
            'client': f'**{client}**' if client == OURS else client,
            'files': str(count),
            'wall s': f'{median(run.wall for run in same):.2f}',
            'CPU s': f'{median(run.cpu for run in same):.2f}',
            'growth MiB': f'{median(r.growth_kib for r in same) / 1024:.1f}' * (client == OURS),
            'wrong': str(sum(run.wrong for run in same)),
        }
        for (client, count), same in groups.items()
    ]
    return ['## Many model files', TEXT.strip(), markdown(rows)] if rows else []


def verdicts(runs: Sequence[ScanRun]) -> list[Verdict]:
    """Hold the figures against what is due."""
    if not runs:
        return []
    most = max(run.count for run in runs)

    def of(client: str, count: int, value: str) -> list[float]:
        return [getattr(r, value) for r in runs if (r.client, r.count) == (client, count)]

    pairs = list(zip(of(OURS, most, 'wall'), of(SHA256SUM, most, 'wall')))
    ratio = median(a / b for a, b in pairs) if pairs else None
    few = min(run.count for run in runs)
    growths = [median(of(OURS, count, 'growth_kib')) / 1024 for count in (few, most)]
    return [
        Verdict(
            f'{most} model files scanned, wall: at most 1.5x sha256sum',
            '' if ratio is None else f'{ratio:.2f}x',
            None if ratio is None else ratio <= 1.5,
        ),
        Verdict(
            f'The same, peak memory: at most 4 MiB above that at {few}',
            f'{growths[1] - growths[0]:+.1f} MiB',
            growths[1] - growths[0] <= 4,
        ),
        Verdict(
            'Not one wrong hash',
            str(sum(run.wrong for run in runs)),
            not any(run.wrong for run in runs),
        ),
    ]
