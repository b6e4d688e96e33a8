"""Scenarios played: clients in turn, round after round, each in a new process."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from . import process
from .clients import CLIENTS, Client
from .origin import Origin
from .scenarios import Scenario
from .task import Task
from .verify import Found, check

TIME_LIMIT = 300.0  # seconds; a client that takes longer is killed, and its figures say so
_MEMORY_DISK = Path('/dev/shm')
_FOREIGN = ('_proxy', '_ca_bundle')  # variables that would change where or how clients connect

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One run of one client.

    wall and cpu in seconds, peak_kib and growth_kib (above the memory before the work) of memory,
    -1 where not told; the rest as counted by the server and found on disk. `trouble` is what a
    client that should have told its figures said instead.
    """

    scenario: str
    client: str
    wall: float
    cpu: float
    peak_kib: float
    growth_kib: float
    connections: int
    requests: int
    refused: int
    most_at_once: int
    found: Found
    trouble: str = ''


class Absent(Exception):
    """A client is not installed here."""


def play(origin: Origin, scenarios: Sequence[Scenario], rounds: int, say: Say) -> list[Run]:
    """Run every scenario `rounds` times; clients that are absent are told by `say` only."""
    runs: list[Run] = []
    for scenario in scenarios:
        absent: set[str] = set()
        for number in range(rounds):
            for name in scenario.clients:
                if name in absent or (number and name in scenario.once):
                    continue
                try:
                    run = play_once(origin, scenario, CLIENTS[name])
                except Absent:
                    absent.add(name)
                    say(f'{scenario.name}: {name} is absent')
                else:
                    runs.append(run)
                    say(_line(run, number + 1))
    return runs


def _line(run: Run, number: int) -> str:
    found = run.found
    trouble = (
        f', {found.wrong} wrong, {found.missing} missing' if found.wrong or found.missing else ''
    )
    trouble += f', and broke: {run.trouble}' if run.trouble else ''
    return f'{run.scenario}, round {number}: {run.client} {run.wall:.2f} s{trouble}'


def play_once(origin: Origin, scenario: Scenario, client: Client) -> Run:
    """Run one client once, and look at what it left. Raises Absent."""
    with empty_folder() as home, empty_folder() as folder:
        task = Task(
            base=origin.base(tls=scenario.tls),
            count=scenario.count,
            at_once=scenario.at_once,
            folder=str(folder),
            home=str(home),
            read_timeout=scenario.read_timeout,
            ca_file=str(origin.ca_file) if scenario.tls else '',
            bundle=str(origin.bundle) if scenario.tls else '',
            busy=scenario.busy,
            paced=scenario.paced,
        )
        command = client.prepare(task)
        if command is None:
            raise Absent(client.name)
        origin.reset(scenario.conditions())
        environment = {**plain_environment(home), **command.environment}
        ended = process.run(command.argv, environment, home, TIME_LIMIT)
        counters = origin.counters()
        found = check(
            folder,
            lambda number: client.stem(task, number),
            scenario.count,
            scenario.size,
            client.as_sent,
        )
        wall, cpu, peak, growth = _used(client, ended)
        return Run(
            scenario.name,
            client.name,
            wall,
            cpu,
            peak,
            growth,
            counters['connections'],
            counters['requests'],
            counters['refused'],
            counters['most_at_once'],
            found,
            trouble=ended.complaint if client.tells and ended.code else '',
        )


def _used(client: Client, ended: process.Ended) -> tuple[float, float, float, float]:
    if client.tells and ended.output.strip():
        told: Mapping[str, float] = json.loads(ended.output.splitlines()[-1])
        return told['wall'], told['cpu'], told['peak_kib'], told['growth_kib']
    return ended.wall, ended.cpu, ended.peak_kib, -1


def plain_environment(home: Path) -> dict[str, str]:
    """The environment without what is about us, proxies or certificates; `home` for keys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('CIVITAI_') and not name.lower().endswith(_FOREIGN)
    }
    return {**kept, 'XDG_CONFIG_HOME': str(home), 'GRADIO_ANALYTICS_ENABLED': 'False'}


@contextmanager
def empty_folder(in_memory: bool = True) -> Iterator[Path]:
    """An empty folder, `in_memory` where the system has a disk there; gone afterwards."""
    place = str(_MEMORY_DISK) if in_memory and os.access(_MEMORY_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='civitai-gallery-bench-', dir=place) as folder:
        yield Path(folder)


def to_stderr(line: str) -> None:
    """One line for the person who waits."""
    print(line, file=sys.stderr, flush=True)
