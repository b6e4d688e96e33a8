"""The benchmark does what it says: an honest server, every byte checked, figures judged rightly."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Iterator
from urllib.parse import urlsplit

import pytest

if sys.platform == 'win32':
    pytest.skip('the benchmark asks the system for what Windows does not tell', True)

from bench import (
    ceiling,
    clients,
    due,
    figures,
    main,
    pictures,
    report,
    rules,
    runner,
    scan,
    scenarios,
    signs,
    verify,
)
from bench.origin import Origin
from bench.server import Conditions
from bench.task import Task
from tests.support.environments import with_foreign_clients

SIZE = 4_000
FACTS = {'Python': '3.12.1', 'aria2': 'absent'}
SPEED = ceiling.Ceiling('curl', 12_345.6, 0.0256)


@pytest.fixture(scope='module')
def origin() -> Iterator[Origin]:
    with Origin() as running:
        yield running


def connected(origin: Origin, *, tls: bool = False) -> http.client.HTTPConnection:
    address = urlsplit(origin.base(tls=tls)).netloc
    if not tls:
        return http.client.HTTPConnection(address, timeout=0.5)
    trust = ssl.create_default_context(cafile=str(origin.ca_file))
    return http.client.HTTPSConnection(address, timeout=0.5, context=trust)


def asked(
    connection: http.client.HTTPConnection, target: str, **headers: str
) -> http.client.HTTPResponse:
    connection.request('GET', target, headers={k.replace('_', '-'): v for k, v in headers.items()})
    return connection.getresponse()


# --- the server ----------------------------------------------------------------------------------


def test_pictures_have_both_ends_of_a_jpeg_and_are_all_different() -> None:
    made = [pictures.picture(number, SIZE) for number in pictures.numbers(500)]
    assert {len(body) for body in made} == {SIZE}
    assert {(body[:3], body[-2:]) for body in made} == {(b'\xff\xd8\xff', b'\xff\xd9')}
    assert len({body[1000:1100] for body in made}) == len(made)


@pytest.mark.parametrize('tls', [False, True], ids=['plain', 'TLS'])
def test_a_connection_serves_one_picture_after_another_and_is_counted_once(
    origin: Origin, tls: bool
) -> None:
    origin.reset(Conditions(size=SIZE, latency=0.01))
    connection = connected(origin, tls=tls)
    for number in (1, 2, 3):
        answer = asked(connection, pictures.path(number))
        assert (answer.status, answer.read()) == (200, pictures.picture(number, SIZE))
    connection.close()
    counted = origin.counters()
    told = {name: counted[name] for name in ('connections', 'requests', 'refused', 'most_at_once')}
    assert told == {'connections': 1, 'requests': 3, 'refused': 0, 'most_at_once': 1}


@pytest.mark.parametrize(
    'headers, status, first',
    [
        pytest.param({'Range': 'bytes=1000-'}, 206, 1000, id='the rest'),
        pytest.param(
            {'Range': 'bytes=1000-', 'If_Range': pictures.etag(5, SIZE)}, 206, 1000, id='same file'
        ),
        pytest.param({'Range': 'bytes=1000-', 'If_Range': '"old"'}, 200, 0, id='another file now'),
        pytest.param({'Range': f'bytes={SIZE}-'}, 416, SIZE, id='nothing is left'),
    ],
)
def test_a_broken_off_picture_can_be_continued(
    origin: Origin, headers: dict[str, str], status: int, first: int
) -> None:
    origin.reset(Conditions(size=SIZE))
    connection = connected(origin)
    answer = asked(connection, pictures.path(5), **headers)
    assert (answer.status, answer.read()) == (status, pictures.picture(5, SIZE)[first:])
    connection.close()


@pytest.mark.parametrize(
    'number, status, breaks',
    [
        pytest.param(1, 200, (), id='no fault'),
        pytest.param(10, 500, (), id='500'),
        pytest.param(30, 503, (), id='503'),
        # what was sent before it may be lost with it, headers too
        pytest.param(70, None, (ConnectionError, http.client.HTTPException), id='reset'),
        pytest.param(90, 200, (http.client.IncompleteRead,), id='truncated'),
        pytest.param(50, 200, (TimeoutError,), id='stalled'),
    ],
)
def test_a_fault_happens_at_the_first_try_only(
    origin: Origin, number: int, status: int | None, breaks: tuple[type[Exception], ...]
) -> None:
    origin.reset(Conditions(size=SIZE, faults=True))
    connection = connected(origin)
    if breaks:
        with pytest.raises(breaks):
            answer = asked(connection, pictures.path(number))
            assert answer.status == status or status is None
            answer.read()
    else:
        answer = asked(connection, pictures.path(number))
        answer.read()
        assert answer.status == status
    connection.close()
    again = asked(connection, pictures.path(number))
    assert (again.status, again.read()) == (200, pictures.picture(number, SIZE))
    connection.close()


def test_faults_are_five_in_a_hundred() -> None:
    faults = [rules.fault_of(number) for number in pictures.numbers(1000)]
    assert len(list(filter(None, faults))) == 50


def test_the_gallery_of_the_model_lists_every_picture_once(origin: Origin) -> None:
    origin.reset(Conditions(pictures=450, size=SIZE))
    connection = connected(origin)
    model = json.loads(asked(connection, f'/api/v1/models/{pictures.MODEL_ID}').read())
    assert model['modelVersions']
    found, cursor = [], ''
    while True:
        page = json.loads(asked(connection, f'/api/v1/images?limit=500{cursor}').read())
        found += page['items']
        if 'nextCursor' not in page['metadata']:
            break
        cursor = f'&cursor={page["metadata"]["nextCursor"]}'
    assert [item['id'] for item in found] == list(range(1, 451))
    assert found[9]['url'] == origin.base(tls=False) + pictures.path(10)
    assert asked(connection, '/api/v1/models/2').status == 404
    connection.close()


# --- the limits, by moments ----------------------------------------------------------------------


def at(gate: rules.Gate, *moments: float) -> str:
    """Requests at these moments: b begun at once, w waits, r refused."""
    marks = ''
    for moment in moments:
        begun: list[float] = []
        taken = gate.enter(moment, lambda: begun.append(moment))
        marks += 'b' if begun else 'w' if taken else 'r'
    return marks


@pytest.mark.parametrize(
    'rule, moments, marks',
    [
        pytest.param(rules.NO_LIMIT, (0.0,) * 30, 'b' * 30, id='no limit'),
        pytest.param(rules.REFUSES, (0.0,) * 10, 'bbbbbbbbrr', id='eight at once, then refused'),
        pytest.param(rules.QUEUES, (0.0,) * 10, 'bbbbbbbbww', id='eight at once, then queued'),
        pytest.param(rules.RATE, (9.0,) * 22, 'b' * 20 + 'rr', id='a burst, then refused'),
        pytest.param(
            rules.RATE, (9.0,) * 20 + (9.01, 9.02, 9.03), 'b' * 20 + 'rbr', id='then at a rate'
        ),
    ],
)
def test_a_gate_keeps_its_rule(rule: str, moments: tuple[float, ...], marks: str) -> None:
    gate = rules.Gate(rule)
    assert at(gate, *moments) == marks
    assert gate.refused == marks.count('r')
    assert gate.most_inside == min(marks.count('b'), len(marks))


def test_who_waits_begins_when_another_is_done() -> None:
    gate, begun = rules.Gate(rules.QUEUES), []
    for number in range(10):
        gate.enter(0.0, lambda number=number: begun.append(number))  # type: ignore[misc]
    gate.leave()
    assert (begun, gate.inside) == (list(range(9)), 8)


@pytest.mark.parametrize(
    'scenario, limit',
    [
        pytest.param(scenarios.PAGE, 0.7, id='100 by 16'),
        pytest.param(scenarios.WHOLE, 1.89, id='1000 by 16'),
        pytest.param(scenarios.WIDE, 0.96, id='1000 by 32'),
        pytest.param(scenarios.JOB_OF_2000, 3.75, id='2000 by 16, listed meanwhile'),
        # eleven pages and the model itself, of which seven have to wait for half a second
        pytest.param(replace(scenarios.JOB_OF_2000, count=2_001, at_once=64), 3.53, id='listing'),
        pytest.param(scenarios.LIMITS['none'], 1.9, id='600 by 32'),
        pytest.param(scenarios.LIMITS['refuses'], 7.5, id='600 by 8'),
        pytest.param(scenarios.LIMITS['queues'], 7.5, id='600 by 8, queued'),
        pytest.param(scenarios.LIMITS['rate'], 580 / 60, id='600 at a rate'),
    ],
)
def test_the_limit_is_what_nobody_can_beat(scenario: scenarios.Scenario, limit: float) -> None:
    assert scenario.limit == pytest.approx(limit)


# --- what is on disk -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    'name, content, found',
    [
        pytest.param('1.jpeg', pictures.picture(1, SIZE), (0, 1, 0), id='right'),
        pytest.param('1.png', pictures.picture(1, SIZE), (0, 1, 0), id='any extension'),
        pytest.param('1.jpeg', pictures.picture(1, SIZE)[:-1], (1, 1, 0), id='a byte short'),
        pytest.param('1.jpeg', pictures.picture(1, SIZE) + b'x', (1, 1, 0), id='a byte long'),
        pytest.param('1.jpeg', b'', (1, 1, 0), id='empty'),
        pytest.param('1.jpeg', pictures.picture(2, SIZE), (1, 1, 0), id='of another picture'),
        pytest.param('3.jpeg', pictures.picture(1, SIZE), (1, 2, 0), id='not asked for'),
        pytest.param('1.part', pictures.picture(1, SIZE), (0, 2, 1), id='unfinished by its name'),
        pytest.param('.1a.part', b'', (0, 2, 1), id='hidden and unfinished'),
    ],
)
def test_every_file_is_compared_with_its_picture(
    tmp_path: Path, name: str, content: bytes, found: tuple[int, int, int]
) -> None:
    (tmp_path / name).write_bytes(content)
    seen = verify.check(tmp_path, str, 2, SIZE)
    assert (seen.wrong, seen.missing, seen.unfinished) == found


# --- clients -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'name', [clients.GALLERY, clients.IMAGES, clients.COMMAND_LINE, clients.JOB]
)
@pytest.mark.parametrize('tls', [False, True], ids=['plain', 'TLS'])
def test_our_ways_keep_every_picture(origin: Origin, name: str, tls: bool) -> None:
    scenario = replace(scenarios.PAGE.shrunk(), count=30, tls=tls)
    run = runner.play_once(origin, scenario, clients.CLIENTS[name])
    assert run.found == verify.Found(0, 0, 0)
    assert run.requests == 30
    assert 0 < run.connections <= scenario.at_once
    assert run.wall > 0 and run.cpu > 0


def test_a_whole_gallery_is_listed_over_several_pages(origin: Origin) -> None:
    scenario = replace(scenarios.MEMORY[0].shrunk(), count=450)
    run = runner.play_once(origin, scenario, clients.CLIENTS[clients.JOB])
    assert run.found == verify.Found(0, 0, 0)
    assert run.growth_kib > 0


def test_gallery_dl_lists_the_gallery_by_itself(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', f'{Path(with_foreign_clients()).parent}{os.pathsep}{os.defpath}')
    scenario = replace(scenarios.JOB_OF_2000.shrunk(), count=101)
    run = runner.play_once(origin, scenario, clients.CLIENTS[clients.GALLERY_DL_JOB])
    assert run.found == verify.Found(0, 0, 0)


def test_the_sequential_loop_leaves_wrong_files_where_answers_break_off(origin: Origin) -> None:
    scenario = replace(scenarios.PAGE_FAULTS.shrunk(), stall=0.2)
    run = runner.play_once(origin, scenario, clients.CLIENTS[clients.SEQUENTIAL])
    assert run.found == verify.Found(wrong=2, missing=2, unfinished=0)


def installed_rivals() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        task = Task('http://127.0.0.1:1', 1, 1, folder, folder)
        rivals = [clients.CURL, clients.ARIA2, clients.GALLERY_DL]
        return [name for name in rivals if clients.CLIENTS[name].prepare(task) is not None]


@pytest.mark.parametrize('name', installed_rivals())
def test_a_rival_that_is_there_keeps_every_picture(origin: Origin, name: str) -> None:
    scenario = replace(scenarios.PAGE.shrunk(), count=30)
    run = runner.play_once(origin, scenario, clients.CLIENTS[name])
    assert run.found == verify.Found(0, 0, 0)


def test_a_rival_that_is_absent_is_told_and_has_no_figures(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    said: list[str] = []
    scenario = replace(scenarios.PAGE.shrunk(), clients=(clients.ARIA2,))
    assert runner.play(origin, [scenario], 2, said.append) == []
    assert said == ['page100: aria2 is absent']


# --- figures, judgement, page --------------------------------------------------------------------


def run_of(scenario: scenarios.Scenario, client: str, wall: float, **more: object) -> runner.Run:
    made = runner.Run(
        scenario.name, client, wall, 0.1, 30_720, 1_024, 16, 100, 0, 16, verify.Found(0, 0, 0)
    )
    return replace(made, **more)  # type: ignore[arg-type]


def table_of(*runs: runner.Run) -> figures.Table:
    return figures.table(runs, scenarios.SCENARIOS)


def test_figures_are_medians_but_the_worst_of_lost_pictures() -> None:
    walls = {0.9: 0, 0.7: 1, 5.0: 0}
    runs = [
        run_of(scenarios.PAGE, clients.CURL, wall, found=verify.Found(wrong, 0, 0))
        for wall, wrong in walls.items()
    ]
    seen = table_of(*runs)[scenarios.PAGE.name, clients.CURL]
    assert (seen.wall, seen.wrong, seen.rounds) == (0.9, 1, 3)
    assert (seen.peak, seen.growth) == (30.0, 1.0)
    assert seen.cpu == pytest.approx(1.0)
    assert seen.over_limit == pytest.approx(0.9 / 0.7)


PAGE_WALL = 'Page of 100, wall: at most 1.10x the limit'
FAULTS_WALL = '5 % faults, wall: fault-free + one read time-out + at most 1 s'


@pytest.mark.parametrize(
    'runs, text, seen, met',
    [
        pytest.param([], PAGE_WALL, '', None, id='not measured'),
        pytest.param(
            [run_of(scenarios.PAGE, clients.GALLERY, 0.77)],
            PAGE_WALL,
            'gallery_loading 1.10x',
            True,
            id='just met',
        ),
        pytest.param(
            [
                run_of(scenarios.PAGE, clients.GALLERY, 0.7),
                run_of(scenarios.PAGE, clients.IMAGES, 0.8),
            ],
            PAGE_WALL,
            'gallery_loading 1.00x, download_images 1.14x',
            False,
            id='one of two paths too slow',
        ),
        pytest.param(
            [
                run_of(scenarios.WHOLE, clients.GALLERY, 2.0),
                run_of(scenarios.FAULTS, clients.GALLERY, 4.5),
            ],
            FAULTS_WALL,
            'gallery_loading +0.50 s',
            True,
            id='faults',
        ),
        pytest.param(
            [run_of(scenarios.FAULTS, clients.GALLERY, 4.5)],
            FAULTS_WALL,
            '',
            None,
            id='nothing to compare faults with',
        ),
        pytest.param(
            [run_of(scenarios.PAGE, clients.COMMAND_LINE, 1.26)],
            'Page of 100, command line, whole process: at most 1.35x the limit and two answers',
            'command line 1.40x',
            False,
            id='command line too slow',
        ),
        pytest.param(
            [run_of(scenarios.JOB_OF_2000, clients.JOB, 4.2)],
            'Whole gallery of 2,000, wall: at most 1.15x the larger of listing and transfer',
            'whole gallery 1.12x',
            True,
            id='whole gallery',
        ),
        pytest.param(
            [
                run_of(scenarios.MEMORY[0], clients.JOB, 1.0),
                run_of(scenarios.MEMORY[1], clients.JOB, 1.0, growth_kib=8 * 1_024),
            ],
            'Whole gallery of 50,000, peak memory: at most 6 MiB above that at 1,000',
            'whole gallery +7.0 MiB',
            False,
            id='memory grows with the gallery',
        ),
        pytest.param(
            [run_of(scenarios.LIMITS['rate'], clients.IMAGES, 10.0, requests=650, refused=50)],
            'Server "rate", 429s: at most 6 % of requests',
            'download_images 7.7 %',
            False,
            id='too many refusals',
        ),
    ],
)
def test_due_and_seen(runs: list[runner.Run], text: str, seen: str, met: bool | None) -> None:
    verdict = next(v for v in due.verdicts(table_of(*runs)) if v.due == text)
    assert (verdict.seen, verdict.met) == (seen, met)


def test_the_page_has_the_figures_the_ratios_and_the_judgement() -> None:
    runs = [
        run_of(scenarios.PAGE, clients.GALLERY, 0.77),
        run_of(scenarios.PAGE, clients.CURL, 0.7, cpu=0.05),
        run_of(scenarios.LIMITS['rate'], clients.IMAGES, 10.0, requests=650, refused=50),
    ]
    table = table_of(*runs)
    text = report.page(FACTS, SPEED, table, due.verdicts(table), rounds=1)
    assert 'aria2 absent' in text
    assert '12,346 answers' in text
    row = '| page100 | **gallery_loading** (1 round) | 0.77 | 1.10 | 1.00 | 2.0 | 30 | 1.0 | 16 |'
    assert row in text
    assert '| **gallery_loading** | 1.10 |' in text
    assert '| rate | **download_images** (1 round) | 9.67 | 10.00 | 1.03 | 7.7 |' in text
    assert f'| {PAGE_WALL} | gallery_loading 1.10x | yes |' in text
    assert '| not measured |' in text and '| **no** |' in text


def test_every_group_has_a_title() -> None:
    assert set(report.TITLES) == set(scenarios.GROUPS)


# --- the command ---------------------------------------------------------------------------------


def test_a_trial_writes_its_page_where_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = replace(scenarios.PAGE, clients=(clients.SEQUENTIAL,))
    monkeypatch.setattr(main, 'SCENARIOS', (only,))
    only_page = ['--quick', '--only', 'page100']
    assert main.main([*only_page, '--output', str(tmp_path / 'page.md')]) == 0
    text = (tmp_path / 'page.md').read_text(encoding='utf-8')
    assert 'these figures mean nothing' in text
    assert '| page100 | sequential loop (1 round) |' in text
    assert str(tmp_path) not in text
    assert capsys.readouterr().out == ''


def test_a_part_of_the_scenarios_goes_to_the_screen_and_not_into_the_docs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = replace(scenarios.PAGE.shrunk(), clients=(clients.SEQUENTIAL,))
    monkeypatch.setattr(main, 'SCENARIOS', (only, scenarios.BUSY))
    monkeypatch.setattr(main, 'PAGE', tmp_path / 'performance.md')
    assert main.main(['--only', 'page100']) == 0
    assert capsys.readouterr().out.startswith('# Performance\n')
    assert not (tmp_path / 'performance.md').exists()


@pytest.mark.parametrize('argv', [['--only', 'nonsense'], ['--rounds', '0'], ['--rounds', 'x']])
def test_wrong_usage_is_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(argv)
    assert ended.value.code == 2


def test_a_scan_of_model_files_is_measured_and_its_hashes_are_compared() -> None:
    said: list[str] = []
    runs = scan.play(20, 1, said.append)
    assert {(run.client, run.count, run.wrong) for run in runs} == {
        (scan.OURS, 2, 0),
        (scan.OURS, 20, 0),
        (scan.SHA256SUM, 20, 0),
    }
    assert len(said) == 3 and all(run.wall > 0 for run in runs)
    assert '| **ours** | 20 |' in '\n'.join(scan.section(runs))
    assert len(scan.verdicts(runs)) == 3 and scan.verdicts([]) == []


@pytest.mark.parametrize(
    ('wall', 'growth', 'wrong', 'met'),
    [
        (1.5, 4096, 0, [True, True, True]),
        (1.6, 4097, 1, [False, False, False]),
    ],
)
def test_what_is_due_of_a_scan_is_judged(
    wall: float, growth: float, wrong: int, met: list[bool]
) -> None:
    runs = [
        scan.ScanRun(scan.OURS, 50, 0.1, 0.1, 0, 0),
        scan.ScanRun(scan.OURS, 500, wall, 0.1, growth, wrong),
        scan.ScanRun(scan.SHA256SUM, 500, 1.0, 1.0, -1, 0),
    ]
    assert [verdict.met for verdict in scan.verdicts(runs)] == met


@pytest.mark.parametrize(
    ('runs', 'seen', 'met'),
    [
        ({'Next': [0.02, 0.3, 0.04], 'copy': [0.1]}, 'slowest: copy, 0.10 s', True),
        ({'Next': [0.02, 0.3, 0.2], 'copy': [0.1]}, 'slowest: Next, 0.20 s', False),
        ({}, '', None),
    ],
)
def test_the_slowest_of_what_is_done_in_the_tab_is_judged(
    runs: dict[str, list[float]], seen: str, met: bool | None
) -> None:
    [verdict] = signs.verdicts(runs)
    assert (verdict.seen, verdict.met) == (seen, met)
