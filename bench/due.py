"""What is due, and whether the figures meet it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, Sequence

from . import scenarios
from .clients import COMMAND_LINE, CURL, GALLERY, JOB, JOB_WITH_PROMPTS
from .figures import UNKNOWN, Figures, Table
from .scenarios import IN_PROCESS, Scenario

ALLOWED_SECONDS = 1.0  # beyond one read time-out, for a gallery with faults


@dataclass(frozen=True)
class Verdict:
    """What is due, what was seen, and whether that meets it; None if it was not measured."""

    due: str
    seen: str
    met: bool | None


@dataclass(frozen=True)
class _Due:
    """A ceiling for one figure of some clients in one scenario."""

    text: str
    ceiling: float
    scenario: Scenario
    value: Callable[[Table, Figures], float | None]
    shown: str = '{:.2f}x'
    clients: Sequence[str] = IN_PROCESS


def _over_limit(table: Table, figures: Figures) -> float | None:
    return figures.over_limit


def _over_curl(table: Table, figures: Figures) -> float | None:
    curl = table.get((figures.scenario.name, CURL))
    return figures.cpu / curl.cpu if curl else None


def _connections(table: Table, figures: Figures) -> float | None:
    return figures.connections


def _refused(table: Table, figures: Figures) -> float | None:
    return 100 * figures.refused


def _not_intact(table: Table, figures: Figures) -> float | None:
    return figures.wrong + figures.missing + figures.unfinished


def _over_faultless(table: Table, figures: Figures) -> float | None:
    """Seconds beyond the gallery without faults and one read time-out."""
    faultless = table.get((scenarios.WHOLE.name, figures.client))
    return figures.wall - faultless.wall - figures.scenario.read_timeout if faultless else None


def _cpu_over_smallest(table: Table, figures: Figures) -> float | None:
    smallest = table.get((scenarios.GROWTH[0].name, figures.client))
    return figures.cpu / smallest.cpu if smallest else None


def _over_listed_limit(table: Table, figures: Figures) -> float | None:
    """The whole process over the limit and the two answers of the API that it waits for."""
    return figures.wall / (figures.scenario.limit + 2 * figures.scenario.latency)


def _over_plain_job(table: Table, figures: Figures) -> float | None:
    plain = table.get((figures.scenario.name, JOB))
    return figures.wall / plain.wall if plain else None


def _growth_over_smallest(table: Table, figures: Figures) -> float | None:
    smallest = table.get((scenarios.MEMORY[0].name, figures.client))
    if smallest is None or UNKNOWN in (smallest.growth, figures.growth):
        return None
    return figures.growth - smallest.growth


def _growth(table: Table, figures: Figures) -> float | None:
    return figures.growth if figures.growth != UNKNOWN else None


def _dues() -> Iterator[_Due]:
    page, tls, whole = scenarios.PAGE, scenarios.PAGE_TLS, scenarios.WHOLE
    largest, galleries = scenarios.GROWTH[-1], (GALLERY,)
    yield _Due('Page of 100, wall: at most 1.10x the limit', 1.10, page, _over_limit)
    yield _Due('The same over TLS: at most 1.15x', 1.15, tls, _over_limit)
    yield _Due('1,000 pictures, wall: at most 1.25x', 1.25, whole, _over_limit)
    yield _Due('CPU per picture, page of 100: at most 7.5x curl', 7.5, page, _over_curl)
    yield _Due('CPU per picture, 1,000: at most 7.5x curl', 7.5, whole, _over_curl)
    text = 'Page of 100, command line, whole process: at most 1.35x the limit and two answers'
    yield _Due(text, 1.35, page, _over_listed_limit, clients=(COMMAND_LINE,))
    for scenario in (page, tls, whole):
        text = f'Connections, {scenario.name}: at most {scenario.at_once}'
        yield _Due(text, scenario.at_once, scenario, _connections, '{:.0f}')
    yield _Due('Page beside a busy Python thread: at most 1.9x', 1.9, scenarios.BUSY, _over_limit)
    faulty, lost = scenarios.FAULTS, '{:.0f}'
    yield _Due('5 % faults: not one wrong or missing of 1,000', 0, faulty, _not_intact, lost)
    text = '5 % faults, wall: fault-free + one read time-out + at most 1 s'
    yield _Due(text, ALLOWED_SECONDS, faulty, _over_faultless, '{:+.2f} s')
    text = '10,000 pictures, CPU per picture: no more than at 100'
    yield _Due(text, 1.0, largest, _cpu_over_smallest, clients=galleries)
    text = '10,000 pictures, peak memory: at most 8 MiB above that before the work'
    yield _Due(text, 8.0, largest, _growth, '{:.1f} MiB', galleries)
    yield from _jobs()
    yield from _limits()


def _jobs() -> Iterator[_Due]:
    job, largest, clients = scenarios.JOB_OF_2000, scenarios.MEMORY[-1], (JOB,)
    text = 'Whole gallery of 2,000, wall: at most 1.15x the larger of listing and transfer'
    yield _Due(text, 1.15, job, _over_limit, clients=clients)
    text, prompts = 'Whole gallery of 2,000 with prompts, wall: at most 1.10x', (JOB_WITH_PROMPTS,)
    yield _Due(f'{text} the same without', 1.10, job, _over_plain_job, clients=prompts)
    text = 'Whole gallery of 2,000: not one wrong or missing'
    yield _Due(text, 0, job, _not_intact, '{:.0f}', (*clients, *prompts))
    text = 'Whole gallery of 50,000, peak memory: at most 6 MiB above that at 1,000'
    yield _Due(text, 6.0, largest, _growth_over_smallest, '{:+.1f} MiB', clients)


_CEILINGS = {'none': (1.2, 0.0), 'refuses': (1.25, 2.0), 'rate': (1.25, 6.0), 'queues': (1.25, 2.0)}


def _limits() -> Iterator[_Due]:
    for rule, scenario in scenarios.LIMITS.items():
        wall, refused = _CEILINGS[rule]
        text, clients = f'Server "{rule}"', scenario.clients
        ideal = f'{text}, wall: at most {wall}x the ideal'
        yield _Due(ideal, wall, scenario, _over_limit, clients=clients)
        share = f'{text}, 429s: at most {refused:.0f} % of requests'
        yield _Due(share, refused, scenario, _refused, '{:.1f} %', clients)
        whole = f'{text}: not one wrong or missing'
        yield _Due(whole, 0, scenario, _not_intact, '{:.0f}', clients)


def verdicts(table: Table) -> list[Verdict]:
    """Hold the figures against everything that is due."""
    return [_verdict(due, table) for due in _dues()]


def _verdict(due: _Due, table: Table) -> Verdict:
    seen = []
    for client in due.clients:
        figures = table.get((due.scenario.name, client))
        value = due.value(table, figures) if figures else None
        if value is not None:
            seen.append((client, value))
    words = ', '.join(f'{client} {due.shown.format(value)}' for client, value in seen)
    met = all(value <= due.ceiling for _, value in seen) if seen else None
    return Verdict(due.text, words, met)
