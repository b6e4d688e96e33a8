"""The benchmark of one large file: an honest storage, clients that bring all of it, figures."""

from __future__ import annotations

import http.client
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

if sys.platform == 'win32':
    pytest.skip('the benchmark asks the system for what Windows does not tell', True)

from bench import models, storage
from bench.models import CURL, OURS, OURS_HASHED, ModelRun

LARGE, CAPPED, FAULTS = models.SCENARIOS
MIB = 1024 * 1024


def answer(base: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(base.removeprefix('http://'), timeout=10)
    connection.request('GET', path, headers=headers)
    found = connection.getresponse()
    try:
        return found.status, found.read()
    finally:
        connection.close()


def test_the_storage_gives_parts_counts_what_it_sends_and_keeps_to_a_rate() -> None:
    with models._served(3 * MIB) as (base, original, ask):
        content = original.read_bytes()
        assert answer(base, '/0/0/x') == (200, content)
        assert answer(base, '/0/0/x', Range='bytes=5-9') == (206, content[5:10])
        assert answer(base, '/0/0/x', Range=f'bytes={MIB}-') == (206, content[MIB:])
        assert ask() == 3 * MIB + 5 + 2 * MIB
        assert ask() == 0


def test_the_storage_resets_as_many_long_answers_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(storage, 'RESET_BYTES', 1000)
    (tmp_path / 'file').write_bytes(bytes(5000))
    server = storage.Storage(tmp_path / 'file')
    listener = server.listen()
    threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
    base = f'http://{storage.HOST}:{listener.getsockname()[1]}'
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        answer(base, '/0/1/x')
    assert answer(base, '/0/1/x') == (200, bytes(5000))
    assert answer(base, '/0/9/x', Range='bytes=0-99') == (206, bytes(100)), 'a short one is not'


@pytest.mark.parametrize('scenario', models.SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_client_that_is_there_brings_the_whole_file(
    scenario: models.ModelScenario,
) -> None:
    said: list[str] = []
    runs = models.play([scenario.shrunk()], 1, said.append)
    assert {run.client for run in runs} >= {OURS} & set(scenario.clients)
    assert all(run.is_whole and run.wall > 0 for run in runs), runs
    assert len(said) == len(runs)
    assert '**ours**' in models.section(runs)[-1]


def run(scenario: models.ModelScenario, client: str, **values: float) -> ModelRun:
    told = {'wall': 1.0, 'cpu': 1.0, 'growth_kib': 2048.0, **values}
    sent = int(told.pop('sent', scenario.size))
    return ModelRun(scenario, client, told['wall'], told['cpu'], told['growth_kib'], sent, True)


@pytest.mark.parametrize(
    ('runs', 'text', 'seen', 'met'),
    [
        ([run(LARGE, OURS, wall=1.1), run(LARGE, CURL)], '1 GiB, wall', '1.10x', True),
        (
            [run(LARGE, OURS, cpu=0.95), run(LARGE, CURL)],
            'The same, CPU: at most 0.9x',
            '0.95x',
            False,
        ),
        ([run(LARGE, OURS)], '1 GiB, wall', '', None),
        ([run(LARGE, OURS_HASHED, growth_kib=7168)], 'peak memory', '7.00 MiB', False),
        ([run(CAPPED, OURS, wall=CAPPED.limit * 1.04)], '20 MB/s', '1.04x', True),
        ([run(FAULTS, OURS, sent=1.02 * FAULTS.size)], 'Three resets', '2.00 %', False),
        ([replace(run(FAULTS, OURS), is_whole=False)], 'Not one wrong', '1.00', False),
    ],
)
def test_due_and_seen(runs: list[ModelRun], text: str, seen: str, met: bool | None) -> None:
    (found,) = [one for one in models.verdicts(runs) if text in one.due]
    assert (found.seen, found.met) == (seen, met)


def test_rounds_are_compared_with_the_rivals_of_the_same_round() -> None:
    mine = [run(LARGE, OURS, wall=wall) for wall in (1.0, 2.0, 9.0)]
    others = [run(LARGE, CURL, wall=wall) for wall in (2.0, 4.0, 9.0)]
    assert models.ratio([*mine, *others], LARGE.name, OURS, CURL, 'wall') == 0.5
