"""The command `bench`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Sequence

from scripts.civitai_manager_libs.ending import ExitCode

from . import ceiling, due, figures, machine, models, report, runner, scan, signs, tab
from .origin import ROOT, Origin
from .scenarios import GROUPS, SCENARIOS

ROUNDS = 3
PAGE = ROOT / 'docs' / 'performance.md'


def main(argv: Sequence[str]) -> int:
    """Measure, and write the page; the exit code, that of a failure if something due is not met."""
    options = _parser().parse_args(argv)
    if sys.platform == 'win32':
        print(
            'bench needs Linux or macOS: it asks the system what a process used.', file=sys.stderr
        )
        return ExitCode.CANNOT_START
    chosen = [s for s in SCENARIOS if not options.only or s.group in options.only]
    large = [s for s in models.SCENARIOS if not options.only or s.name in options.only]
    if options.quick:
        chosen = [scenario.shrunk() for scenario in chosen]
        large = [scenario.shrunk() for scenario in large]
    rounds = options.rounds or (1 if options.quick else ROUNDS)
    with Origin() as origin:
        speed = ceiling.measure(origin)
        runs = runner.play(origin, chosen, rounds, runner.to_stderr)
    of_models = models.play(large, rounds, runner.to_stderr)
    files = scan.FEW if options.quick else scan.MANY
    wanted = options.only or (scan.NAME, tab.NAME, signs.NAME)
    of_files = scan.play(files, rounds, runner.to_stderr) if scan.NAME in wanted else []
    of_tab = tab.play(rounds, runner.to_stderr) if tab.NAME in wanted else {}
    of_signs = signs.play(rounds, runner.to_stderr) if signs.NAME in wanted else {}
    table = figures.table(runs, chosen)
    verdicts = due.verdicts(table) + models.verdicts(of_models) + scan.verdicts(of_files)
    verdicts = [] if options.quick else verdicts + tab.verdicts(of_tab) + signs.verdicts(of_signs)
    text = report.page(
        machine.facts(),
        speed,
        table,
        verdicts,
        rounds=rounds,
        is_trial=options.quick,
        more=[
            *models.section(of_models),
            *scan.section(of_files),
            *tab.section(of_tab),
            *signs.section(of_signs),
        ],
    )
    whole = not (options.only or options.quick or rounds < ROUNDS)
    _put(text, options.output or (PAGE if whole else None))
    missed = any(verdict.met is False for verdict in verdicts)
    return ExitCode.FAILED if missed else ExitCode.COMPLETE


def _put(text: str, path: Path | None) -> None:
    """Write the page to `path`, to standard output without one."""
    if path is None:
        print(text, end='')
        return
    path.write_text(text, encoding='utf-8')
    runner.to_stderr(f'Written: {path}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='civitai_gallery.py bench',
        description='Measure us beside curl, aria2, gallery-dl and a sequential loop. '
        'A whole run of at least 3 rounds writes docs/performance.md, others tell on the screen.',
    )
    parser.add_argument(
        '--only',
        action='append',
        choices=(*GROUPS, *models.GROUPS, scan.NAME, tab.NAME, signs.NAME),
        help='these scenarios; may be given repeatedly',
    )
    parser.add_argument('--rounds', type=_rounds, metavar='N', help=f'default {ROUNDS}')
    parser.add_argument(
        '--quick', action='store_true', help='everything in small, to see that it works'
    )
    parser.add_argument('--output', type=Path, metavar='FILE', help='where the page goes')
    return parser


def _rounds(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 99:
        return int(text)
    raise argparse.ArgumentTypeError(f'{text[:20]!r} is not a number from 1 to 99')
