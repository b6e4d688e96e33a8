"""What strangers named cannot steer the terminal of who reads it."""

from __future__ import annotations

import ast
import json
import logging
import os
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import models as model_jobs, place
from scripts.civitai_manager_libs.cli import bars, main, running, saying
from tests.support.model_site import VERSION, ModelSite, tensors
from tests.support.models import put
from tests.support.paths import ROOT
from tests.support.scripted_server import Request, ok

# Colours, the title of the window, an escape in one character, back over a letter, and letters from
# right to left.
HOSTILE = 'a\x1b[31mb\x1b]0;own\x07c\x9b2Jd\x08f\u202eg\u2066h\u200fi\u2028j\x7fk'
SHOWN = 'a?[31mb?]0;own?c?2Jd?f?g?h?i?j?k'
STEERING = set(HOSTILE) - set(SHOWN)


class Run(NamedTuple):
    """How a command line ended, and all that it said."""

    code: int
    out: str
    err: str


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        (HOSTILE, SHOWN),
        ('over\rthe line', 'over?the line'),
        ('two\nlines\tand a tab', 'two\nlines\tand a tab'),
        ('層 – é 👩‍🎨 ❤️', '層 – é 👩‍🎨 ❤️'),
        ('', ''),
    ],
)
def test_only_what_steers_a_terminal_is_replaced(text: str, shown: str) -> None:
    assert saying.harmless(text) == shown


@pytest.fixture
def site(downloads: Path) -> Iterator[ModelSite]:
    with ModelSite(tensors(1000)) as running_site:
        running_site.facts['name'] = HOSTILE
        running_site.facts['model'] = {'name': HOSTILE, 'type': 'Checkpoint'}
        setting.civitai_base_url = running_site.url
        yield running_site
    place.close()


def run(capsys: pytest.CaptureFixture[str], word: str, *argv: object) -> Run:
    capsys.readouterr()
    try:
        code = main.main([str(one) for one in argv], word)
    except SystemExit as end:
        code = int(end.code or 0)
    return Run(code, *capsys.readouterr())


def check(said: Run, *parts: str) -> None:
    """See that these `parts` were said, and nothing that steers."""
    told = said.out + said.err
    assert not STEERING & set(told), told
    for part in parts:
        assert part in told


def test_of_a_model_and_its_job(site: ModelSite, capsys: pytest.CaptureFixture[str]) -> None:
    link = f'{site.url}/model-versions/{VERSION}'
    check(run(capsys, 'model', link, '--dry-run'), SHOWN)
    check(run(capsys, 'model', link), SHOWN)
    check(run(capsys, 'jobs'), SHOWN)
    model_jobs.make(place.archive(), 7, 8, Path('/x', f'{HOSTILE}.ckpt'), title='t', size=5)
    check(run(capsys, 'jobs'), SHOWN)


def test_of_a_failure(site: ModelSite, capsys: pytest.CaptureFixture[str]) -> None:
    words = json.dumps({'error': HOSTILE}).encode()

    def refuse(request: Request) -> bytes:
        return ok(words, status=403, Content_Type='application/json')

    site.route = refuse
    said = run(capsys, 'model', f'{site.url}/model-versions/{VERSION}')
    assert said.code == 1
    check(said, '[31m')
    check(run(capsys, 'resume'), '[31m')


@pytest.mark.skipif(os.name == 'nt', reason='such names cannot be there')
def test_of_files_that_are_here(
    site: ModelSite, downloads: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = downloads / 'models' / 'LORA' / f'{HOSTILE}.safetensors'
    put(path)
    put(path.with_name('twin.safetensors'), path.read_bytes())
    check(run(capsys, 'models', 'scan'))
    check(run(capsys, 'models', 'list'), SHOWN)
    check(run(capsys, 'models', 'updates'))
    path.unlink()
    check(run(capsys, 'models', 'verify'), SHOWN)


@pytest.mark.parametrize('is_to_get', [False, True])
def test_of_what_a_picture_needs(
    site: ModelSite, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_to_get: bool
) -> None:
    needed = [
        {'type': 'lora', 'name': HOSTILE},
        {'type': 'lora', 'name': HOSTILE, 'hash': 'ab' * 5},
    ]
    made = tmp_path / 'made.json'
    made.write_text(json.dumps({'meta': {'resources': needed}}))
    check(run(capsys, 'models', 'missing', made, *['--get'] * is_to_get), SHOWN)


def test_of_what_is_told_in_between(capsys: pytest.CaptureFixture[str]) -> None:
    screen = running.screen_for(running.Manner())
    screen.notice(HOSTILE)
    record = logging.LogRecord('x', logging.WARNING, '', 1, '%s', (HOSTILE,), None)
    assert screen.log_format().format(record) == f'WARNING {SHOWN}'
    assert capsys.readouterr().err == f'{SHOWN}\n'


def test_of_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    screen = bars.Bars()
    screen.begin('a\x1b]0;b')
    screen.waiting(HOSTILE)
    screen.end()
    assert SHOWN in capsys.readouterr().err
    assert '\x1b' not in bars._name('a\x1b]0;b')


def test_nothing_else_prints() -> None:
    """JSON is in ASCII; whatever else is printed goes through one place."""
    for path in (ROOT / 'scripts' / 'civitai_manager_libs' / 'cli').glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text('utf-8'))):
            is_print = isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'print'
            if is_print and path.name != 'saying.py':
                assert 'json.dumps(' in ast.unparse(node), f'{path.name}:{node.lineno}'
