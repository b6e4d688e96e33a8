"""What is measured, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Sequence

from scripts.civitai_manager_libs.http_client.pacing.budget import of_the_api

from . import api, rules
from .clients import (
    ARIA2,
    COMMAND_LINE,
    CURL,
    CURL_AT_ONCE,
    GALLERY,
    GALLERY_DL,
    GALLERY_DL_JOB,
    IMAGES,
    JOB,
    JOB_WITH_PROMPTS,
    SEQUENTIAL,
)
from .server import Conditions

# These go one picture at a time, which takes long, so one round of them has to do.
SLOW = frozenset({SEQUENTIAL, GALLERY_DL, GALLERY_DL_JOB})
IN_PROCESS = (GALLERY, IMAGES)
NATIVE = (CURL, CURL_AT_ONCE, ARIA2)
EVERYBODY = (*IN_PROCESS, COMMAND_LINE, *NATIVE, GALLERY_DL, SEQUENTIAL)


@dataclass(frozen=True)
class Scenario:
    """`count` pictures of `size` bytes, `at_once` at the same time, the first byte after `latency`.

    Scenarios of one `group` share a table. `read_timeout` is for all clients that can set one.
    Those in `once` have one round. `listed`: the API is asked which pictures there are, at its own
    budget if `paced`.
    """

    name: str
    group: str
    count: int
    size: int
    latency: float
    clients: Sequence[str]
    at_once: int = 16
    tls: bool = False
    busy: bool = False
    faults: bool = False
    stall: float = 10.0
    read_timeout: int = 0
    rule: str = rules.NO_LIMIT
    once: frozenset[str] = SLOW
    listed: bool = False
    paced: bool = True

    @property
    def limit(self) -> float:
        """Seconds that nobody can beat who keeps to `at_once` and to what the server allows."""
        if self.rule == rules.RATE:
            return max(0.0, self.count - rules.BURST) / rules.PER_SECOND
        limited = self.rule in (rules.REFUSES, rules.QUEUES)
        at_once = min(self.at_once, rules.AT_ONCE) if limited else self.at_once
        transfer = math.ceil(self.count / at_once) * self.latency
        return max(transfer, self.listing) if self.listed and self.paced else transfer

    @property
    def listing(self) -> float:
        """Seconds that the API's budget needs for the gallery and all its pages."""
        budget, now = of_the_api(), 0.0
        for _ in range(1 + math.ceil(self.count / api.PAGE)):
            while wait := budget.start(now):
                now += wait
            now += self.latency
            budget.success(now, self.latency)
        return now

    def conditions(self) -> Conditions:
        """How the server has to behave."""
        return Conditions(self.count, self.size, self.latency, self.faults, self.stall, self.rule)

    def shrunk(self) -> Scenario:
        """The same in small, to see that everything works; its figures mean nothing."""
        latency = min(self.latency, 0.005)
        small = replace(self, count=min(self.count, 100), size=4_000, latency=latency, stall=2.0)
        return replace(small, read_timeout=min(self.read_timeout, 1))


def _page(name: str, clients: Sequence[str]) -> Scenario:
    return Scenario(name, name, 100, 200_000, 0.1, clients)


def _gallery(name: str, clients: Sequence[str], at_once: int = 16) -> Scenario:
    return Scenario(name, 'gal1000', 1000, 60_000, 0.03, clients, at_once)


def _faulty(name: str, of: Scenario, clients: Sequence[str]) -> Scenario:
    return replace(of, name=name, group=name, clients=clients, faults=True, read_timeout=2)


PAGE = _page('page100', EVERYBODY)
PAGE_TLS = replace(_page('page100-tls', EVERYBODY), tls=True)
BUSY = replace(_page('page100-busy', (*IN_PROCESS, SEQUENTIAL)), busy=True)
WHOLE = _gallery('gal1000', tuple(name for name in EVERYBODY if name != CURL_AT_ONCE))
WIDE = _gallery('gal1000-32', IN_PROCESS, at_once=32)
_WITH_FAULTS = (GALLERY, CURL, ARIA2, GALLERY_DL, SEQUENTIAL)
PAGE_FAULTS = replace(
    _faulty('page100-faults', PAGE, _WITH_FAULTS), once=frozenset(_WITH_FAULTS) - {GALLERY}
)
FAULTS = _faulty('gal1000-faults', WHOLE, (*IN_PROCESS, CURL, ARIA2))
GROWTH = tuple(
    Scenario(f'growth-{count}', 'growth', count, 60_000, 0.03, (GALLERY,))
    for count in (100, 1_000, 10_000)
)
_KEEPERS = (JOB, JOB_WITH_PROMPTS, GALLERY_DL_JOB)
JOB_OF_2000 = Scenario('gallery-job', 'gallery-job', 2_000, 60_000, 0.03, _KEEPERS, listed=True)
MEMORY = tuple(
    Scenario(f'memory-{count}', 'gallery-memory', count, 1_000, 0, (JOB,), listed=True, paced=False)
    for count in (1_000, 50_000)
)
LIMITS = {
    rule: Scenario(f'limits-{rule}', 'limits', 600, 60_000, 0.1, (IMAGES,), 32, rule=rule)
    for rule in rules.RULES
}

SCENARIOS = (
    PAGE,
    PAGE_TLS,
    WHOLE,
    WIDE,
    BUSY,
    PAGE_FAULTS,
    FAULTS,
    *GROWTH,
    JOB_OF_2000,
    *MEMORY,
    *LIMITS.values(),
)
GROUPS = tuple(dict.fromkeys(scenario.group for scenario in SCENARIOS))
