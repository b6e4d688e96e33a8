"""install.py, as a WebUI runs it: in a process of its own, before it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import venv

import pytest

from tests.support.paths import ROOT


@pytest.fixture(scope='module')
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with pip and nothing else."""
    folder = tmp_path_factory.mktemp('host ñ')
    venv.create(folder, with_pip=True)
    return str(folder / 'bin' / 'python')


def run(python: str, **environment: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [python, str(ROOT / 'install.py')],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()


def packages(python: str) -> set[str]:
    listed = subprocess.run(
        [python, '-m', 'pip', 'list', '--format', 'freeze', '--disable-pip-version-check'],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.partition('==')[0].lower() for line in listed.stdout.splitlines()}


def test_it_fails_in_one_line_and_adds_only_what_is_missing(python: str) -> None:
    before = packages(python)
    code, lines = run(python, PIP_INDEX_URL='http://127.0.0.1:9/', PIP_RETRIES='0')
    assert code == 0 and len(lines) == 1 and 'could not install' in lines[0]
    assert packages(python) == before
    code, lines = run(python)
    assert code == 0 and len(lines) == 1 and 'installed' in lines[0]
    assert packages(python) == before | {'platformdirs', 'pathvalidate'}
    assert run(python, PIP_INDEX_URL='http://127.0.0.1:9/') == (0, [])


def test_it_needs_nothing_but_the_standard_library() -> None:
    asked = subprocess.run(
        [sys.executable, '-S', '-c', 'import install; print(install.missing())'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0 and 'pathvalidate' in asked.stdout
