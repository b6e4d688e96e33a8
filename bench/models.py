"""One large file: what is measured, by whom it is fetched, how that went, what is due."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Callable, Iterator, Mapping, Sequence

from . import process, storage
from .due import Verdict
from .origin import ROOT
from .report import markdown
from .runner import TIME_LIMIT, Say, empty_folder, plain_environment

MIB = 1024 * 1024
OURS, OURS_HASHED, CURL, CURL_SUMMED = 'ours', 'ours with SHA256', 'curl', 'curl, then sha256sum'
ARIA2 = 'aria2'

TEXT = """\
One file of random bytes, in memory where the system has a disk there, from a server of threads
that has the system copy it (`sendfile`). Where connections are capped, so that no disk holds
anybody up, it is written to a disk: one in memory adds work of its own to everybody's. Clients take
turns in each round; figures are medians. `ours` is `downloads.segments.fetch` up to the final name,
without imports; the others are whole processes. *sent twice*: what the server sent beyond the file,
in per cent of it; what was under way as a connection broke is in that. Every file is compared with
the original afterwards.
"""


@dataclass(frozen=True)
class ModelScenario:
    """A file of `size` bytes, over at most `segments` connections.

    `rate` is the most bytes a second of each, 0 for any; so many of them are reset (`resets`).
    """

    name: str
    size: int
    clients: Sequence[str]
    segments: int = 4
    rate: int = 0
    resets: int = 0

    @property
    def limit(self) -> float:
        """Seconds that nobody can beat, 0 if nothing limits."""
        return self.size / self.rate / self.segments if self.rate else 0.0

    @property
    def path(self) -> str:
        """What is asked for."""
        return f'/{self.rate}/{self.resets}/model.bin'

    def shrunk(self) -> ModelScenario:
        """The same in small, to see that everything works."""
        return replace(self, size=2 * MIB)


SCENARIOS = (
    ModelScenario('model-1g', 1024 * MIB, (OURS, CURL, OURS_HASHED, CURL_SUMMED)),
    ModelScenario('model-capped', 400 * MIB, (OURS, ARIA2), segments=8, rate=20_000_000),
    ModelScenario('model-faults', 1024 * MIB, (OURS,), resets=3),
)
GROUPS = tuple(scenario.name for scenario in SCENARIOS)


@dataclass(frozen=True)
class ModelRun:
    """One run: wall and CPU in seconds, memory in KiB (-1: not told), bytes the server sent."""

    scenario: ModelScenario
    client: str
    wall: float
    cpu: float
    growth_kib: float
    sent: int
    is_whole: bool


def _command(client: str, scenario: ModelScenario, base: str, target: Path) -> Sequence[str] | None:
    url = base + scenario.path
    if client in (OURS, OURS_HASHED):
        order = {
            'base': base,
            'path': scenario.path,
            'size': scenario.size,
            'segments': scenario.segments,
            'hashing': client == OURS_HASHED,
            'target': str(target),
        }
        return [sys.executable, '-m', 'bench.modelchild', json.dumps(order)]
    if client == ARIA2:
        count = str(scenario.segments)
        options = ['--no-conf', '--quiet', '--file-allocation=none', '-k1M', '-x', count]
        options += ['-s', count, '--dir', str(target.parent), '-o', target.name]
        return ['aria2c', *options, url] if shutil.which('aria2c') else None
    if not shutil.which('curl'):
        return None
    curl = ['curl', '-q', '--silent', '--fail', '--output', str(target), url]
    if client == CURL:
        return curl
    summed = 'curl -q --silent --fail --output "$0" "$1" && sha256sum "$0"'
    return ['sh', '-c', summed, str(target), url] if shutil.which('sha256sum') else None


def play(scenarios: Sequence[ModelScenario], rounds: int, say: Say) -> list[ModelRun]:
    """Run every scenario `rounds` times, clients in turn; absent ones are left out."""
    runs = []
    for scenario in scenarios:
        if not _has_room(scenario.size):
            say(f'{scenario.name}: no room for two files of {scenario.size // MIB} MiB')
            continue
        with _served(scenario.size) as (base, original, ask):
            for number in range(rounds):
                for client in scenario.clients:
                    run = _once(scenario, client, base, original, ask)
                    if run is not None:
                        runs.append(run)
                        say(f'{scenario.name}, round {number + 1}: {client} {run.wall:.2f} s')
    return runs


def _has_room(size: int) -> bool:
    with empty_folder() as folder:
        return shutil.disk_usage(folder).free > 2.5 * size


def _once(
    scenario: ModelScenario, client: str, base: str, original: Path, ask: Callable[[], int]
) -> ModelRun | None:
    with empty_folder() as home, empty_folder(in_memory=not scenario.rate) as folder:
        target = folder / 'model.bin'
        command = _command(client, scenario, base, target)
        if command is None:
            return None
        ask()
        environment = {
            **plain_environment(home),
            'CIVITAI_GALLERY_HOME': str(home),
            'PYTHONPATH': str(ROOT),
        }
        ended = process.run(command, environment, home, TIME_LIMIT)
        is_whole = target.is_file() and filecmp.cmp(original, target, shallow=False)
        told: Mapping[str, float] = {'wall': ended.wall, 'cpu': ended.cpu, 'growth_kib': -1}
        if client in (OURS, OURS_HASHED) and ended.output.strip():
            told = json.loads(ended.output.splitlines()[-1])
        figures = told['wall'], told['cpu'], told['growth_kib']
        return ModelRun(scenario, client, *figures, ask(), is_whole)


@contextmanager
def _served(size: int) -> Iterator[tuple[str, Path, Callable[[], int]]]:
    """Serve a new file of `size` bytes: the address, the file, and what asks how much was sent."""
    with ExitStack() as stack:
        original = stack.enter_context(empty_folder()) / 'model.bin'
        with original.open('wb') as file:
            for at in range(0, size, MIB):
                file.write(os.urandom(min(MIB, size - at)))
        server = subprocess.Popen(
            [sys.executable, '-m', 'bench.storage', str(original)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        stack.callback(server.communicate)
        assert server.stdout is not None
        port = json.loads(server.stdout.readline())['port']

        def ask() -> int:
            connection = HTTPConnection(storage.HOST, port, timeout=10)
            connection.request('GET', '/sent')
            sent = int(json.loads(connection.getresponse().read())['sent'])
            connection.close()
            return sent

        yield f'http://{storage.HOST}:{port}', original, ask


# -- figures --------------------------------------------------------------------------------------


def ratio(
    runs: Sequence[ModelRun], scenario: str, ours: str, theirs: str, value: str
) -> float | None:
    """Return the median over the rounds of our `value` over that of a rival in the same round."""
    mine, others = (_values(runs, scenario, client, value) for client in (ours, theirs))
    return median(a / b for a, b in zip(mine, others) if b) if mine and others else None


def _values(runs: Sequence[ModelRun], scenario: str, client: str, value: str) -> list[float]:
    return [getattr(r, value) for r in runs if (r.scenario.name, r.client) == (scenario, client)]


def _twice(run: ModelRun) -> float:
    return 100 * (run.sent / run.scenario.size - 1)


def section(runs: Sequence[ModelRun]) -> list[str]:
    """Return the part of the page, as paragraphs."""
    rows = []
    for scenario in SCENARIOS:
        for client in scenario.clients:
            same = [r for r in runs if (r.scenario.name, r.client) == (scenario.name, client)]
            if same:
                rows.append(_row(same))
    return ['## One large file', TEXT.strip(), markdown(rows)] if rows else []


def _row(same: Sequence[ModelRun]) -> Mapping[str, str]:
    first = same[0]
    wall, growth = median(r.wall for r in same), median(r.growth_kib for r in same)
    limit = first.scenario.limit
    return {
        'scenario': first.scenario.name,
        'client': f'**{first.client}**' if first.client in (OURS, OURS_HASHED) else first.client,
        'MiB': f'{first.scenario.size // MIB}',
        'wall s': f'{wall:.2f}',
        'x limit': f'{wall / limit:.2f}' if limit else '',
        'CPU s': f'{median(r.cpu for r in same):.2f}',
        'growth MiB': f'{growth / 1024:.1f}' if growth >= 0 else '',
        'sent twice %': f'{median(map(_twice, same)):.2f}',
        'wrong or missing': str(sum(not r.is_whole for r in same)),
    }


def verdicts(runs: Sequence[ModelRun]) -> list[Verdict]:
    """Hold the figures against what is due."""
    large, capped, faults = (scenario.name for scenario in SCENARIOS)

    def of(name: str, client: str, value: Callable[[ModelRun], float]) -> float | None:
        found = [value(r) for r in runs if (r.scenario.name, r.client) == (name, client)]
        return median(found) if found else None

    dues = [
        ('1 GiB, wall: at most 1.15x curl', 1.15, ratio(runs, large, OURS, CURL, 'wall'), 'x'),
        ('The same, CPU: at most 0.9x curl', 0.9, ratio(runs, large, OURS, CURL, 'cpu'), 'x'),
        (
            'With its SHA256, wall: at most 1.0x curl and then sha256sum',
            1.0,
            ratio(runs, large, OURS_HASHED, CURL_SUMMED, 'wall'),
            'x',
        ),
        (
            'With its SHA256, peak memory: at most 6 MiB more',
            6.0,
            of(large, OURS_HASHED, lambda r: r.growth_kib / 1024),
            ' MiB',
        ),
        (
            '20 MB/s a connection, 8 of them, wall: at most 1.05x the limit',
            1.05,
            of(capped, OURS, lambda r: r.wall / (r.scenario.limit or 1)),
            'x',
        ),
        ('The same, CPU: at most 0.8x aria2', 0.8, ratio(runs, capped, OURS, ARIA2, 'cpu'), 'x'),
        (
            'Three resets at 200 MiB each: at most 1 % sent twice',
            1.0,
            of(faults, OURS, _twice),
            ' %',
        ),
        ('Not one wrong or missing file', 0, _wrong(runs), ''),
    ]
    return [
        Verdict(text, '' if seen is None else f'{seen:.2f}{unit}', _met(seen, most))
        for text, most, seen, unit in dues
    ]


def _wrong(runs: Sequence[ModelRun]) -> float | None:
    return float(sum(not run.is_whole for run in runs)) if runs else None


def _met(seen: float | None, most: float) -> bool | None:
    return None if seen is None else seen <= most
