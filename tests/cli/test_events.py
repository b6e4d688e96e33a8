"""With --json, what stderr gets while it runs are events; sentences follow when all is over."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import place
from scripts.civitai_manager_libs.cli import main, screens
from tests.support.network import at_home
from tests.support.scripted_server import ScriptedServer, ok
from tests.support.settings_sandbox import fresh_client, sandbox
from tests.support.small_site import small_site

Run = Callable[..., 'list[str]']
NO_PICTURE = ok(b'<html>', Content_Type='text/html')


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    instead = {'/102/': NO_PICTURE}
    with sandbox(tmp_path / 'home'), small_site(instead=instead) as server:
        at_home(monkeypatch, server)
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a word; return the lines that stderr got."""

    def carry_out(word: str, *argv: object) -> list[str]:
        fresh_client(monkeypatch)
        main.main([*map(str, argv)], word)
        return capsys.readouterr().err.splitlines()

    return carry_out


def events_in(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def spoil_archive() -> None:
    """What a broken disk leaves of the archive."""
    place.close()
    for path in Path(setting.data_folder).glob(f'{place.NAME}*'):
        path.write_bytes(b'no database at all' * 300)


@pytest.mark.parametrize(
    ('word', 'argv'),
    [
        pytest.param('download', ['{link}', '--to', '{folder}'], id='download'),
        pytest.param('jobs', [], id='jobs'),
        pytest.param('resume', [], id='resume'),
        pytest.param('verify', ['{folder}'], id='verify'),
    ],
)
def test_a_notice_is_an_event(
    site: ScriptedServer, run: Run, tmp_path: Path, word: str, argv: list[str]
) -> None:
    folder = tmp_path / 'kept'
    given = [one.format(link=f'{site.url}/posts/2', folder=folder) for one in argv]
    run('download', f'{site.url}/posts/2', '--to', folder)
    spoil_archive()
    [event] = events_in(run(word, *given, '--json'))
    assert event['event'] == 'notice' and 'damaged' in event['text']
    spoil_archive()
    assert run(word, *given) == [event['text']], 'a person gets the sentence'


def test_what_went_wrong_is_said_in_sentences_once_all_is_over(
    site: ScriptedServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, 'FIRST_EVENT', 0)
    monkeypatch.setattr(screens, 'NEXT_EVENT', 0)
    links = [f'{site.url}/posts/{number}' for number in (1, 2)]
    lines = run('download', *links, '--to', tmp_path / 'kept', '--json')
    is_event = [line.startswith('{') for line in lines]
    assert is_event == sorted(is_event, reverse=True), 'no sentence stands between events'
    assert {event['source'] for event in events_in(lines[: sum(is_event)])} == set(links)
    assert [line for line in lines if '102' in line and line.startswith(links[0])]


def test_the_log_is_events_too(
    site: ScriptedServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    level, handler = root.level, logging.StreamHandler(sys.stderr)
    root.addHandler(handler)  # as where no test runner listens
    try:
        lines = run('download', f'{site.url}/posts/1', '--to', tmp_path, '--json', '--verbose')
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    *events, failed = lines
    assert events and failed.startswith('102 ')
    for logged in events_in(events):
        assert logged['event'] == 'notice' and '/102/' in logged['text']
