"""Command lines at work at the same time, and full disks: nothing is lost or half there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.cli.test_ending import IN_PROCESS, ended, start
from tests.support.faults import PATIENCE, small_disk
from tests.support.network import files_in, png
from tests.support.paths import ROOT
from tests.support.scripted_server import ScriptedServer, kept, ok
from tests.support.small_site import small_site

NAMES = ['101.png', '102.png', '103.png']
LARGE = 400_000


@pytest.fixture
def site() -> Iterator[ScriptedServer]:
    with small_site(instead={'/original=true/': kept(ok(png(LARGE)))}) as server:
        yield server


def asked_for(site: ScriptedServer) -> Counter[str]:
    return Counter(one.target for one in site.requests if '/original=true/' in one.target)


def together(site: ScriptedServer, *commands: list[str]) -> list[tuple[int, dict[str, Any]]]:
    """Carry out all `commands` at once; their codes and reports."""
    running = [start(IN_PROCESS, site, *words, '--json') for words in commands]
    told = [ended(process, PATIENCE) for process in running]
    return [(code, json.loads(out)) for code, out, _ in told]


def test_the_same_command_twice_at_once_is_one_job(site: ScriptedServer, tmp_path: Path) -> None:
    folder = tmp_path / 'kept'
    words = [f'{site.url}/posts/1', '--to', str(folder)]
    told = together(site, words, words)

    assert files_in(folder) == NAMES
    assert set(asked_for(site).values()) == {1}
    whole = [report for code, report in told if code == 0]
    left = [report['error'] for code, report in told if code]
    assert whole and all(report['complete'] for report in whole)
    assert all('Another program is at job' in error for error in left)


@pytest.mark.parametrize('folders', [('kept', 'kept'), ('one', 'other')], ids=['one', 'two'])
def test_two_jobs_that_share_pictures_both_end_complete(
    site: ScriptedServer, tmp_path: Path, folders: tuple[str, str]
) -> None:
    page, (first, second) = f'{site.url}/posts/1', (tmp_path / name for name in folders)
    told = together(
        site, [page, '--to', str(first)], [page, '--to', str(second), '--type', 'image']
    )

    assert [(code, report['complete'], report['found']) for code, report in told] == [
        (0, True, 3)
    ] * 2
    assert files_in(first) == files_in(second) == NAMES
    assert max(asked_for(site).values()) <= 2  # both were at it before one had it
    again = together(site, [page, '--to', str(first), '--limit', '3'])
    assert again[0][1]['already'] == 3
    assert max(asked_for(site).values()) <= 2


# -- a full disk ----------------------------------------------------------------------------------

FULL = """
import contextlib, io, json, subprocess, sys
from scripts.civitai_manager_libs.cli import main
disk, *words = sys.argv[1:]
for size in ('1m', '8m'):
    subprocess.run(['mount', '-o', f'remount,size={size}', disk], check=True)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = main.main([*words, '--json'])
    print(json.dumps([code, json.loads(said.getvalue())]))
"""


@pytest.mark.parametrize('home', ['elsewhere', 'on it'])
def test_a_disk_that_was_full_midway_is_told_and_the_same_command_goes_on(
    site: ScriptedServer, tmp_path: Path, home: str
) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    before = small_disk(disk)
    if not before:
        pytest.skip('no small disk can be made here')
    data = disk / 'home' if home == 'on it' else tmp_path / 'home'
    words = [f'{site.url}/posts/1', '--to', str(disk / 'kept'), '--concurrency', '1']
    done = subprocess.run(
        [*before, sys.executable, '-c', FULL, str(disk), *words],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_BASE_URL': site.url, 'CIVITAI_GALLERY_HOME': str(data)},
        capture_output=True,
        encoding='utf-8',
        timeout=3 * PATIENCE,
    )
    (full, first), (code, second) = map(json.loads, done.stdout.splitlines()[:2])

    assert full == 1 and 'disk is full' in done.stderr
    assert not first.get('complete') and first.get('failed', 1)
    assert not first.get('failures'), 'no picture is to blame'
    assert (code, second['complete'], second['failed'], second['found']) == (0, True, 0, 3)
    assert [Path(file).name for file in second['files']] == NAMES
    assert set(asked_for(site).values()) <= {1, 2}
    assert sum(asked_for(site).values()) < 6  # what was whole did not come again
