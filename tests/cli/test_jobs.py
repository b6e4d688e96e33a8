"""Jobs from the command line: listed, gone on with after a stop or a kill, done again."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import folders, jobs, place
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.cli import main
from tests.cli.test_ending import IN_PROCESS, ended, start, wait_until
from tests.support.faults import PATIENCE, WHOLE
from tests.support.network import at_home, files_in
from tests.support.scripted_server import STALL, Answer, ScriptedServer, kept, ok
from tests.support.settings_sandbox import fresh_client
from tests.support.small_site import small_site

BROKEN = kept(ok(b'{"error": "no"}', Content_Type='application/json'))
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'pictures'


@pytest.fixture
def instead() -> dict[str, Answer]:
    """What the site answers in place of something; tests change it as they go on."""
    return {}


@pytest.fixture
def site(instead: dict[str, Answer], monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    with small_site(instead=instead) as server:
        at_home(monkeypatch, server)
        yield server


@pytest.fixture
def run(
    site: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a word with --json; return its code, its report and what it said on stderr."""

    def carry_out(word: str, *argv: object) -> tuple[int, Any, str]:
        fresh_client(monkeypatch)
        code = main.main([*map(str, argv), '--json'], word)
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return carry_out


def asked_for(site: ScriptedServer) -> list[str]:
    found = [one.target for one in site.requests if '/original=true/' in one.target]
    site.requests.clear()
    return found


def test_a_download_is_a_job(site: ScriptedServer, run: Run, folder: Path) -> None:
    assert run('jobs')[1] == []
    run('download', f'{site.url}/posts/1', '--to', folder, '--limit', 2)
    code, [job], _ = run('jobs')
    assert (code, job['state'], job['found'], job['saved']) == (0, 'ended', 2, 2)
    assert job['complete'] and job['folder'] == str(folder) and '/posts/1' in job['source']
    assert job['asked'] == {'limit': 2}


def test_pictures_that_are_the_same_under_other_ids_are_told(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    instead['/103/'] = kept(ok(WHOLE))
    words = [f'{site.url}/posts/1', '--to', str(folder)]
    _, report, _ = run('download', *words)
    assert (report['same_bytes'], report['complete']) == (2, True)
    assert ['2, such as 101, 102.' in note for note in report['notes']] == [True]
    assert main.main(words) == 0
    assert 'same as a picture of another id: 2, such as 101, 102.' in capsys.readouterr().out


def test_how_to_go_on_is_told_of_a_job_that_is_there(
    site: ScriptedServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(setting.data_folder) / folders.NAME).mkdir(parents=True)
    assert main.main([f'{site.url}/posts/1', '--to', str(folder)]) == 1
    assert '`resume 1` goes on from there.' in capsys.readouterr().err


@pytest.mark.parametrize('is_another_there', [False, True])
def test_how_to_go_on_is_not_told_of_a_job_that_is_lost(
    folder: Path,
    is_another_there: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def lost() -> Answer:
        path = Path(setting.data_folder) / place.NAME
        for one in path.parent.glob(f'{path.name}*'):
            one.unlink()
        if is_another_there:
            jobs.make(Database(path), {'source': 'x'}, folder, [{}])
        return kept(ok(WHOLE))

    with small_site(instead={'/102/': lost}) as site:
        at_home(monkeypatch, site)
        fresh_client(monkeypatch)
        assert main.main([f'{site.url}/posts/1', '--to', str(folder)]) == 1

    told = capsys.readouterr().err
    assert 'damaged or removed' in told and 'resume' not in told


def test_the_same_again_is_no_second_job(site: ScriptedServer, run: Run, folder: Path) -> None:
    for _ in range(2):
        run('download', f'{site.url}/posts/1', '--to', folder)
    run('download', f'{site.url}/posts/2', '--to', folder)
    assert len(run('jobs')[1]) == 2


def test_what_could_not_be_listed_is_no_job(site: ScriptedServer, run: Run, folder: Path) -> None:
    assert run('download', f'{site.url}/models/404', '--to', folder)[0] == 1
    assert run('jobs')[1] == []


def test_only_what_failed_is_done_again(
    site: ScriptedServer, run: Run, folder: Path, instead: dict[str, Answer]
) -> None:
    instead['/102/'] = BROKEN
    assert run('download', f'{site.url}/posts/1', '--to', folder)[0] == 1
    [job] = run('jobs')[1]
    instead.clear()
    site.requests.clear()
    code, report, err = run('retry', job['job'])
    assert (code, report['saved'], report['failed'], report['complete']) == (0, 3, 0, True)
    assert [target.split('/')[2] for target in asked_for(site)] == ['102']
    assert len(files_in(folder)) == 3


def test_a_page_that_failed_is_listed_again(
    site: ScriptedServer, run: Run, folder: Path, instead: dict[str, Answer]
) -> None:
    first = json.dumps(
        {
            'items': [
                {'id': 101, 'url': f'{site.url}/key/101/original=true/101.png', 'browsingLevel': 1}
            ],
            'metadata': {'nextCursor': 'more'},
        }
    )
    instead['cursor=more'] = kept(ok(b'{}', status=401))
    instead['/api/v1/images'] = kept(ok(first.encode()))
    code, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    assert (code, report['complete'], len(report['gaps'])) == (1, False, 1)
    assert report['reason'] == 'incomplete'
    del instead['cursor=more'], instead['/api/v1/images']
    code, report, _ = run('retry', report['job'])
    assert (code, report['found'], report['gaps'], report['complete']) == (0, 3, [], True)


@pytest.mark.parametrize('word', ['resume', 'retry'])
def test_a_job_that_is_none_is_told(
    run: Run, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(['7'], word) == 1
    assert 'no job 7' in capsys.readouterr().err


@pytest.mark.parametrize('argv', [['x'], ['0'], ['1', '2']])
def test_what_is_no_number_of_a_job_is_wrong_usage(run: Run, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(argv, 'resume')
    assert end.value.code == 2


def test_where_nothing_waits_that_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([], 'resume') == 0
    assert 'No job waits' in capsys.readouterr().out
    code, report, _ = run('resume')
    assert (code, report['reason'], report['sources']) == (0, 'complete', [])


def test_what_was_cancelled_goes_on_by_its_number_only(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    _, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    jobs.set_state(archive(), report['job'], jobs.CANCELLED)
    assert run('resume')[1]['sources'] == []
    assert run('resume', report['job'])[1]['complete']


def test_a_gallery_that_is_dropped_leaves_the_list_and_its_files_stay(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    _, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    before = sorted(folder.iterdir())
    code, told, _ = run('jobs', 'drop', report['job'])
    assert (code, told['dropped'], told['complete']) == (0, [report['job']], True)
    assert run('jobs')[1] == [] and before and sorted(folder.iterdir()) == before


def test_a_job_that_another_program_is_at_is_not_dropped(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    _, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    with jobs.held(archive(), report['job']):
        code, told, _ = run('jobs', 'drop', report['job'])
    assert (code, told['dropped'], told['complete']) == (1, [], False)
    assert 'Another program' in told['problems'][0] and len(run('jobs')[1]) == 1


@pytest.mark.parametrize(
    ('argv', 'code', 'told'),
    [
        pytest.param(['drop'], 2, 'jobs drop 3', id='none-is-named'),
        pytest.param(['drop', 'all'], 2, 'all', id='no-number'),
        pytest.param(['throw', '1'], 2, 'throw', id='no-word'),
        pytest.param(['drop', '7'], 1, 'no job 7', id='no-such-job'),
    ],
)
def test_what_cannot_be_dropped_is_told(
    argv: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        ended = main.main(argv, 'jobs')
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == code and told in capsys.readouterr().err


def test_files_are_called_after_the_setting_unless_said_otherwise(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    setting.gallery_name_template = 'set-{id}'
    run('download', f'{site.url}/posts/1', '--to', folder / 'set')
    run('download', f'{site.url}/posts/1', '--to', folder / 'said', '--name', 'said-{id}')
    for name in ('set', 'said'):
        assert all(path.name.startswith(f'{name}-') for path in (folder / name).iterdir())
        assert list((folder / name).iterdir())


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')
@pytest.mark.parametrize(
    ('number', 'state'),
    [(signal.SIGTERM, 'stopped'), (signal.SIGKILL, 'interrupted')],
    ids=['stopped', 'killed'],
)
@pytest.mark.parametrize('by', ['resume', 'its number', 'the same command'])
def test_a_job_goes_on_where_it_was(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    number: signal.Signals,
    state: str,
    by: str,
) -> None:
    instead['/102/'] = (STALL,)
    words = [f'{site.url}/posts/1', '--to', str(folder)]
    process: subprocess.Popen[str] = start(IN_PROCESS, site, *words)
    assert site.stalled.wait(PATIENCE)
    wait_until(lambda: len(list(folder.glob('[!.]*'))) == 2)
    process.send_signal(number)
    ended(process)
    [job] = run('jobs')[1]
    assert (job['state'], job['found'], job['complete']) == (state, 3, False)

    instead['/102/'] = kept(ok(WHOLE))
    site.release.set()
    site.requests.clear()
    again = {
        'resume': ('resume',),
        'its number': ('resume', job['job']),
        'the same command': ('download', *words),
    }
    code, report, _ = run(*again[by])
    [part] = report.get('sources', [report])
    assert (code, part['complete'], part['found'], part['job']) == (0, True, 3, job['job'])
    assert len(files_in(folder)) == 3
    assert [target.split('/')[2] for target in asked_for(site)] in (['102'], ['102', '102'])


def test_a_job_that_another_program_carries_out_is_left_to_it(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    _, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    other = Database(archive().path)
    with jobs.held(other, report['job']):
        code, again, err = run('resume', report['job'])
    other.close()
    assert code == 1 and 'Another program is at job' in again['error'] and again['error'] in err


def test_that_jobs_were_lost_is_told(site: ScriptedServer, run: Run, folder: Path) -> None:
    run('download', f'{site.url}/posts/1', '--to', folder)
    database = archive()
    database.close()
    database.path.write_bytes(b'no database at all' * 100)
    code, found, err = run('jobs')
    assert (code, found) == (0, []) and '3 pictures were found' in err
    code, report, _ = run('download', f'{site.url}/posts/1', '--to', folder)
    assert (code, report['saved'], report['already']) == (0, 0, 3)


def listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of `jobs`."""
    assert main.main([], 'jobs') == 0
    return capsys.readouterr().out.splitlines()


STANDS = {
    'complete': ({}, '', 'complete'),
    'one failed': ({'/102/': BROKEN}, '', 'incomplete: 1 failed'),
    'all failed': ({'/key/': BROKEN}, '', 'incomplete: 3 failed'),
    'paused': ({}, jobs.PAUSED, 'paused'),
    'stopped': ({}, jobs.STOPPED, 'stopped'),
    'cancelled': ({}, jobs.CANCELLED, 'cancelled'),
    'nobody works on it': ({}, jobs.RUNNING, 'interrupted'),
}


@pytest.mark.parametrize('answers, state, word', STANDS.values(), ids=STANDS)
def test_the_list_says_how_a_job_stands(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    capsys: pytest.CaptureFixture[str],
    answers: dict[str, Answer],
    state: str,
    word: str,
) -> None:
    instead |= answers
    run('download', f'{site.url}/posts/1', '--to', folder, '--limit', 3)
    if state:
        jobs.set_state(archive(), 1, state)
    [line] = listed(capsys)
    assert line.split('  ')[:2] == ['1', word]
    assert '3 found' in line and str(folder) in line and '--limit 3' in line


def test_the_list_says_when_a_job_was_last_at_work(
    site: ScriptedServer, run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    run('download', f'{site.url}/posts/1', '--to', folder)
    [job] = run('jobs')[1]
    at = datetime.fromisoformat(job['at_work'])
    assert before <= at <= datetime.now(timezone.utc)
    assert at.astimezone().strftime('%Y-%m-%d %H:%M') in listed(capsys)[0]


def test_one_that_was_killed_was_at_work_until_its_last_picture(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    run('download', f'{site.url}/posts/1', '--to', folder)
    with archive().writing() as connection:  # as after a kill an hour later
        connection.execute("UPDATE jobs SET state = 'running', changed_at = 0")
    [job] = run('jobs')[1]
    assert job['state'] == 'interrupted' and job['at_work'] > '2020'


# --- the way on ----------------------------------------------------------------------------------

ONE_PAGE = json.dumps(
    {
        'items': [{'id': 101, 'url': '/key/101/original=true/101.png', 'browsingLevel': 1}],
        'metadata': {'nextCursor': 'more'},
    }
)
WAYS = {
    'one failed': (['/102/'], '`retry 1` tries the 1 that failed again'),
    'all failed': (['/key/'], '`retry 1` tries the 3 that failed again'),
    'a page': (['cursor=more'], '`retry 1` asks again for what could not be listed'),
    'both': (
        ['cursor=more', '/101/'],
        '`retry 1` tries the 1 that failed again, and asks again for what could not be listed',
    ),
}


@pytest.mark.parametrize('broken, way', WAYS.values(), ids=WAYS)
def test_a_report_of_what_is_missing_names_the_way_on(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    capsys: pytest.CaptureFixture[str],
    broken: list[str],
    way: str,
) -> None:
    instead |= dict.fromkeys(broken, kept(ok(b'{}', status=401)))
    if 'cursor=more' in broken:
        page = ONE_PAGE.replace('/key/', f'{site.url}/key/', 1)
        instead['/api/v1/images'] = kept(ok(page.encode()))
    words = [f'{site.url}/posts/1', '--to', str(folder)]
    code, report, err = run('download', *words)
    assert (code, report['job']) == (1, 1)
    assert [note for note in report['notes'] if way in note]
    assert main.main(['1'], 'retry') == 1
    assert way in capsys.readouterr().out
    setting.save({'language': 'zh_TW'})
    assert main.main(['1', '--quiet'], 'retry') == 1
    assert '`retry 1`' in capsys.readouterr().err.splitlines()[-1]


def test_where_nothing_is_missing_no_way_on_is_named(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    _, report, err = run('download', f'{site.url}/posts/1', '--to', folder)
    assert 'retry' not in err + json.dumps(report) and 'resume' not in err + json.dumps(report)


def test_what_no_job_is_for_names_none(site: ScriptedServer, run: Run, folder: Path) -> None:
    _, report, err = run('download', f'{site.url}/models/404', '--to', folder)
    assert 'job' not in report and 'retry' not in err


def test_where_nothing_can_be_kept_it_is_gone_on_with(
    site: ScriptedServer, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run('download', f'{site.url}/posts/1', '--to', folder)
    shutil.rmtree(folder)
    for name in ('link', 'rename', 'replace'):
        monkeypatch.setattr(os, name, full)
    code, report, _ = run('resume', 1)
    assert code == 1 and report['job'] == 1
    assert [note for note in report['notes'] if '`resume 1` goes on' in note]


# --- once more -----------------------------------------------------------------------------------

GONE = kept(ok(b'', status=404))


def told_by(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, word: str, *argv: str
) -> tuple[int, str, str]:
    """Run a word for a person; return its code and what it said on stdout and stderr."""
    fresh_client(monkeypatch)
    code = main.main(list(argv), word)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize('more', [(), ('--gone',)], ids=['', 'gone'])
def test_where_nothing_failed_that_is_said_and_nothing_is_asked(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
) -> None:
    run('download', f'{site.url}/posts/1', '--to', folder)
    site.requests.clear()
    code, out, err = told_by(capsys, monkeypatch, 'retry', '1', *more)
    assert (code, err) == (0, '') and out.startswith('Nothing failed')
    assert 'nothing to try again' in out and 'saved' not in out
    code, report, _ = run('retry', 1, *more)
    assert (code, report['saved'], report['saved_now']) == (0, 3, 0)
    assert [note for note in report['notes'] if 'nothing to try again' in note]
    assert site.requests == []


def test_files_that_were_deleted_are_something_to_try_again(
    site: ScriptedServer, run: Run, folder: Path
) -> None:
    run('download', f'{site.url}/posts/1', '--to', folder)
    next(folder.iterdir()).unlink()
    code, report, _ = run('retry', 1)
    assert (code, report['saved_now'], len(files_in(folder))) == (0, 1, 3)


def test_what_was_saved_before_is_told_apart(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instead['/102/'] = BROKEN
    words = (f'{site.url}/posts/1', '--to', str(folder))
    run('download', *words)
    instead.clear()
    code, out, _ = told_by(capsys, monkeypatch, 'retry', '1')
    assert code == 0 and out.startswith('1 saved now and 2 before, 0 there already, 0 failed')
    code, out, _ = told_by(capsys, monkeypatch, 'download', *words)
    assert code == 0 and out.startswith('0 saved, 3 there already, 0 failed')
    for path in list(folder.glob('101*')):
        path.unlink()
    code, report, _ = run('download', *words)
    counts = [report[name] for name in ('saved', 'saved_now', 'already', 'failed')]
    assert (code, counts) == (0, [1, 1, 2, 0])


def test_what_is_gone_is_not_counted_as_kept_and_can_be_asked_for_again(
    site: ScriptedServer,
    run: Run,
    folder: Path,
    instead: dict[str, Answer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instead |= {'/102/': GONE, '/103/': GONE}
    words = (f'{site.url}/posts/1', '--to', str(folder))
    code, out, err = told_by(capsys, monkeypatch, 'download', *words)
    assert code == 0 and out.startswith('1 saved, 0 there already, 0 failed, 2 gone from Civitai')
    assert '`retry 1 --gone` asks for them again' in err
    site.requests.clear()
    assert told_by(capsys, monkeypatch, 'retry', '1')[1].startswith('Nothing failed')
    assert site.requests == []

    del instead['/103/']
    code, report, _ = run('retry', 1, '--gone')
    assert (code, report['saved_now'], report['gone'], report['complete']) == (0, 1, 1, True)
    assert {one.split('/')[2] for one in asked_for(site)} == {'102', '103'}
