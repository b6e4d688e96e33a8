"""Runs made into figures: medians over the rounds."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Mapping, Sequence

from .runner import Run
from .scenarios import Scenario

KIB_PER_MIB = 1024
UNKNOWN = -1.0


@dataclass(frozen=True)
class Figures:
    """What a client needed in a scenario. Medians; of `wrong` and `missing` the worst round.

    wall in seconds, cpu in milliseconds for each picture, peak and growth in MiB (`UNKNOWN` where
    nobody could tell); refused is the share of requests that were answered 429.
    """

    scenario: Scenario
    client: str
    rounds: int
    wall: float
    cpu: float
    peak: float
    growth: float
    connections: int
    refused: float
    most_at_once: int
    wrong: int
    missing: int
    unfinished: int

    @property
    def over_limit(self) -> float:
        """The wall time as a multiple of the scenario's limit."""
        return self.wall / self.scenario.limit if self.scenario.limit else UNKNOWN

    @property
    def intact(self) -> bool:
        """Whether every picture is there and nothing else."""
        return not self.wrong and not self.missing and not self.unfinished


Table = Mapping[tuple[str, str], Figures]  # by names of scenario and client


def table(runs: Sequence[Run], scenarios: Sequence[Scenario]) -> Table:
    """Return the figures of all runs."""
    together: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        together.setdefault((run.scenario, run.client), []).append(run)
    by_name = {scenario.name: scenario for scenario in scenarios}
    return {
        (name, client): _figures(by_name[name], client, same)
        for (name, client), same in together.items()
    }


def _figures(scenario: Scenario, client: str, runs: Sequence[Run]) -> Figures:
    growth = median(run.growth_kib for run in runs)
    return Figures(
        scenario=scenario,
        client=client,
        rounds=len(runs),
        wall=median(run.wall for run in runs),
        cpu=median(run.cpu for run in runs) * 1000 / scenario.count,
        peak=median(run.peak_kib for run in runs) / KIB_PER_MIB,
        growth=growth / KIB_PER_MIB if growth >= 0 else UNKNOWN,
        connections=max(run.connections for run in runs),
        refused=median(run.refused / max(1, run.requests) for run in runs),
        most_at_once=max(run.most_at_once for run in runs),
        wrong=max(run.found.wrong for run in runs),
        missing=max(run.found.missing for run in runs),
        unfinished=max(run.found.unfinished for run in runs),
    )
