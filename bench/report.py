"""The figures as a page of Markdown."""

from __future__ import annotations

from datetime import date
from typing import Callable, Iterator, Mapping, Sequence

from .ceiling import Ceiling
from .clients import CLIENTS, CURL
from .due import Verdict
from .figures import UNKNOWN, Figures, Table
from .scenarios import GROUPS, Scenario

METHOD = """\
One local server (asyncio, a process of its own, on the loopback interface) holds back the first
byte of every answer for the latency. Clients fetch the same pictures from it in turn, each in a
new process and an empty folder, in memory where the system has a disk there; figures are medians
over the rounds. Afterwards every file is compared byte by byte with what the server sent. Read
ratios, not seconds: server and client share the cores.

- *limit*: ceil(pictures / at once) x latency. At a server that allows less, what it allows.
- `gallery_loading`, `download_images` and the sequential loop are measured without imports; our
  client is made inside the measured span. All others, our command line too, are whole processes
  with their start; the command line also asks the API for the list of pictures, which the others
  are given.
- The sequential loop is `requests.Session().get(url, stream=True)` in chunks of 8 KiB, without
  time-outs, one picture at a time. Its limit, and that of gallery-dl, is that of the others: they
  could have asked for more at once.
- `whole gallery` is a job (`downloads.whole`, with an archive in an empty folder), measured from
  the link to the last note, without imports; it asks the API itself. So does `gallery-dl api=rest`,
  with the pauses it makes by itself. Their limit is the larger of the above and the time that our
  budget for the API gives the listing. Memory is measured without that budget.
- *peak*: the most memory of the process; *growth*: how far that is above its memory before the
  work.
- *wrong files*: files under a final name whose bytes are not those of that picture. *unfinished*:
  files that say by their name that they are not done.
- Faults: 1 % each of 500, 503, a reset in the middle, an end in the middle, and a wait of 10 s in
  the middle; at the first try of a picture only. The read time-out named is set for all who can
  (the sequential loop has none; for curl it is a lowest speed). curl, aria2 and gallery-dl are
  allowed three further tries of every picture, aria2 and curl after a second.
- Over TLS everybody trusts the usual certificates and the server's own.
"""

LIMITS = """\
Servers: `none` takes all; `refuses` works on 8 requests and answers 429 with `Retry-After: 1`
beyond that; `rate` takes 60 a second after a burst of 20 and answers 429 beyond that; `queues`
works on 8 and lets the rest wait.
"""

TITLES: Mapping[str, str] = {
    'page100': 'A page',
    'page100-tls': 'A page over TLS',
    'gal1000': 'A gallery',
    'page100-busy': 'A page beside a busy Python thread in the same process',
    'page100-faults': 'A page with faults',
    'gal1000-faults': 'A gallery with faults',
    'growth': 'Growth',
    'gallery-job': 'A whole gallery, listed and fetched',
    'gallery-memory': 'Memory of a whole gallery',
    'limits': 'Servers that limit',
}

Cells = Callable[[Table, Figures], Mapping[str, str]]


def page(
    facts: Mapping[str, str],
    ceiling: Ceiling,
    table: Table,
    verdicts: Sequence[Verdict],
    *,
    rounds: int,
    is_trial: bool = False,
    more: Sequence[str] = (),
) -> str:
    """Return the whole page; `more` are paragraphs before what is due.

    `is_trial` says that sizes were shrunk and figures mean nothing.
    """
    parts = ['# Performance', 'Written by `python civitai_gallery.py bench`; not by hand.']
    if is_trial:
        parts.append('**A trial in small: these figures mean nothing.**')
    parts += [_circumstances(facts, ceiling, rounds), '## Method', METHOD.strip()]
    for group in GROUPS:
        figures = [entry for entry in table.values() if entry.scenario.group == group]
        if figures:
            parts += _group(group, figures, table)
    parts += more
    if verdicts:
        parts += ['## Due and seen', _verdicts(verdicts)]
    return '\n\n'.join(parts) + '\n'


def _circumstances(facts: Mapping[str, str], ceiling: Ceiling, rounds: int) -> str:
    listed = ', '.join(f'{name} {value}' for name, value in facts.items())
    speed = (
        f'The server gave {ceiling.client} {ceiling.per_second:,.0f} answers of 60 KB a second, '
        f'for {ceiling.cpu:.3f} ms of its own CPU each.'
    )
    return f'{date.today().isoformat()}; {listed}. Rounds: {rounds}.\n\n{speed}'


def _group(group: str, figures: Sequence[Figures], table: Table) -> Iterator[str]:
    yield f'## {TITLES[group]}'
    scenarios = list(dict.fromkeys(entry.scenario for entry in figures))
    yield '\n'.join(f'- `{scenario.name}`: {_described(scenario)}' for scenario in scenarios)
    if group == 'limits':
        yield LIMITS.strip()
    cells = _limit_cells if group == 'limits' else _cells
    yield markdown([cells(table, entry) for entry in figures])
    if ratios := _ratios(figures):
        yield 'Our wall time as a multiple of theirs, at the same setting:'
        yield markdown(ratios)


def _described(scenario: Scenario) -> str:
    words = [
        f'{scenario.count:,} x {scenario.size / 1000:g} KB',
        f'{scenario.latency * 1000:g} ms to the first byte',
        f'{scenario.at_once} at once',
        f'limit {scenario.limit:.2f} s',
    ]
    if scenario.listed and scenario.paced:
        words.append(f'listing {scenario.listing:.2f} s')
    if scenario.read_timeout:
        words.append(f'read time-out {scenario.read_timeout} s')
    return ', '.join(words)


def _named(figures: Figures) -> str:
    name = f'**{figures.client}**' if CLIENTS[figures.client].ours else figures.client
    return f'{name} (1 round)' if figures.rounds == 1 else name


def _cells(table: Table, figures: Figures) -> Mapping[str, str]:
    scenario, curl = figures.scenario, table.get((figures.scenario.name, CURL))
    # beside a busy thread the CPU is that of the thread
    cpu = '' if scenario.busy else f'{figures.cpu:.2f}'
    over_curl = f'{figures.cpu / curl.cpu:.1f}' if curl and curl.cpu and cpu else ''
    return {
        'scenario': scenario.name,
        'client': _named(figures),
        'wall s': f'{figures.wall:.2f}',
        'x limit': _known(figures.over_limit, '{:.2f}'),
        'CPU ms/picture': cpu,
        'CPU x curl': over_curl,
        'peak MiB': f'{figures.peak:.0f}',
        'growth MiB': _known(figures.growth, '{:.1f}'),
        'connections': str(figures.connections),
        'wrong files': str(figures.wrong),
        'missing': str(figures.missing),
        'unfinished': str(figures.unfinished),
    }


def _limit_cells(table: Table, figures: Figures) -> Mapping[str, str]:
    return {
        'server': figures.scenario.rule,
        'client': _named(figures),
        'ideal s': f'{figures.scenario.limit:.2f}',
        'wall s': f'{figures.wall:.2f}',
        'x ideal': _known(figures.over_limit, '{:.2f}'),
        '429s, % of requests': f'{100 * figures.refused:.1f}',
        'most at once': str(figures.most_at_once),
        'connections': str(figures.connections),
        'wrong files': str(figures.wrong),
        'missing': str(figures.missing),
    }


def _known(value: float, shown: str) -> str:
    return '' if value == UNKNOWN else shown.format(value)


def _ratios(figures: Sequence[Figures]) -> list[Mapping[str, str]]:
    """For each of our clients its wall time over that of each rival in the same scenario."""
    rows: list[Mapping[str, str]] = []
    for ours in figures:
        rivals = [
            entry
            for entry in figures
            if entry.scenario == ours.scenario and not CLIENTS[entry.client].ours
        ]
        if CLIENTS[ours.client].ours and rivals:
            ratios = {entry.client: f'{ours.wall / entry.wall:.2f}' for entry in rivals}
            rows.append({'ours / theirs': f'**{ours.client}**', **ratios})
    return rows


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    words = {True: 'yes', False: '**no**', None: 'not measured'}
    return markdown([{'due': v.due, 'seen': v.seen, 'met': words[v.met]} for v in verdicts])


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table; its columns are the keys of the first row."""
    columns = list(rows[0])
    lines = [columns, ['---'] * len(columns)]
    lines += [[row.get(column, '') for column in columns] for row in rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
