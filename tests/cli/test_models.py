"""`model` and `models` on the command line: which files come, where to, and how it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.modelfiles import ModelFile
from civitai_demo.world.models import load_models
from scripts.civitai_manager_libs import setting, texts
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.cli import main, screens
from scripts.civitai_manager_libs.downloads import getting
from scripts.civitai_manager_libs.http_client import get_http_client
from scripts.civitai_manager_libs.library import told as told_of
from tests.support.demo import OPENING as OPENING_PAGE, items
from tests.support.faults import PATIENCE
from tests.support.model_site import VERSION, ModelSite, tensors
from tests.support.models import put
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.scripted_server import RESET, STALL, ScriptedServer

MODEL, OPENING, MAIN_FILE = 4201, 420102, 4201021
VERSION_LINK = f'https://civitai.com/model-versions/{VERSION}'
EARLY, NOT_OFFERED, ARCHIVED = 4851, 4864, 4877


class Run(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object on stdout, which is all that is there."""
        return json.loads(self.out)


Command = Callable[..., Run]


@pytest.fixture
def run(demo: DemoServer, downloads: Path, capfd: Any) -> Iterator[Command]:
    """Run a word of the command line, for which the stand-in is Civitai."""
    setting.save_api_key(DEMO_KEY)

    def carry_out(word: str, *argv: object) -> Run:
        capfd.readouterr()
        try:
            code = main.main([str(one) for one in argv], word)
        except SystemExit as end:
            code = int(end.code or 0)
        return Run(code, *capfd.readouterr())

    yield carry_out


def file_of(file_id: int) -> ModelFile:
    every = (f for m in load_models() for v in m.versions for f in v.files)
    return next(file for file in every if file.id == file_id)


def asked_for_files(demo: DemoServer) -> list[str]:
    return [r.path for r in demo.requests if r.path.startswith('/api/download/')]


# -- model -----------------------------------------------------------------------------------------

MAIN = file_of(MAIN_FILE)


@pytest.mark.parametrize(
    'source',
    [
        pytest.param('https://civitai.com/models/4201', id='a model'),
        pytest.param('https://civitai.com/models/4201?modelVersionId=420102', id='a version of it'),
        pytest.param('4201', id='an id'),
        pytest.param('urn:air:sdxl:checkpoint:civitai:4201@420102', id='an AIR'),
        pytest.param('civitai:4201@420102+4201021', id='an AIR with its file'),
        pytest.param(f'/api/download/models/420102?fileId={MAIN_FILE}', id='a download link'),
        pytest.param(MAIN.hashes['SHA256'], id='SHA256'),
        pytest.param(MAIN.hashes['AutoV2'].lower(), id='AutoV2'),
        pytest.param(f'0x{MAIN.hashes["AutoV1"]}', id='AutoV1'),
    ],
)
def test_whatever_names_it_the_file_comes_to_its_place(
    source: str, run: Command, downloads: Path, demo: DemoServer
) -> None:
    address = demo.url + source if source.startswith('/') else source
    code, out, err = run('model', address)
    kept = downloads / 'models' / 'Checkpoint' / MAIN.name
    assert code == 0, err
    assert kept.read_bytes() == MAIN.content
    assert str(kept) in out and 'SHA256 is the one' in out
    assert f'goes to {kept.parent}, in the download folder' in err, 'it is said beforehand'


@pytest.mark.parametrize(
    'source, words',
    [
        pytest.param(EARLY, 'early access until', id='early access is for who paid'),
        pytest.param(NOT_OFFERED, 'switched downloads off', id='not for download'),
        pytest.param(ARCHIVED, 'archived', id='archived'),
        pytest.param('ABCDEF0123', 'no file with the hash abcdef0123', id='a hash of nothing'),
        pytest.param(
            'https://civitai.com/models/4201?modelVersionId=431703',
            'not to 4201',
            id='of another model',
        ),
        pytest.param(999999, 'not', id='no such model'),
    ],
)
def test_what_is_not_to_be_had_is_refused_before_anything_is_asked_for(
    source: object, words: str, run: Command, downloads: Path, demo: DemoServer
) -> None:
    if source == EARLY:
        setting.save_api_key('')
    code, out, err = run('model', source)
    assert code in (1, 2) and words in err and out == ''
    assert not asked_for_files(demo) and not downloads.exists()
    assert run('jobs', '--json').json == [], 'and is no job'


@pytest.mark.parametrize(
    'argv, words',
    [
        pytest.param([], 'SOURCE', id='nothing'),
        pytest.param([''], 'empty', id='an empty one'),
        pytest.param(['https://civitai.com/images/9000100'], 'names no model', id='a picture'),
        pytest.param(['https://civitai.com/user/mira'], 'names no model', id='a user'),
        pytest.param(['https://example.com/models/4201'], 'example.com', id='another site'),
        pytest.param(['flowers'], 'the hash of a file', id='a word'),
        pytest.param([MODEL, '--format', 'zip'], 'SafeTensor', id='no format'),
        pytest.param([MODEL, '--format', 'GGUF'], 'no such file', id='a format it lacks'),
        pytest.param([MODEL, '--file', '17'], 'no such file', id='a file it lacks'),
        pytest.param([MODEL, '--segments', '17'], 'at most 16', id='too many connections'),
        pytest.param([MODEL, '--segments', '0'], 'not a number above 0', id='none'),
        pytest.param([MODEL, '--to', ''], 'empty', id='an empty folder'),
        pytest.param([MODEL, MODEL], 'unexpected', id='several'),
    ],
)
def test_wrong_usage_is_told_and_nothing_comes(
    argv: list[object], words: str, run: Command, downloads: Path
) -> None:
    code, out, err = run('model', *argv)
    assert (code, out) == (2, '') and words in err
    assert not downloads.exists()


def test_a_folder_that_cannot_be_written_is_told_first(
    run: Command, tmp_path: Path, demo: DemoServer
) -> None:
    taken = tmp_path / 'taken'
    taken.write_text('mine')
    code, _, err = run('model', MODEL, '--to', taken)
    assert code == 1 and str(taken) in err and not demo.requests


def test_the_file_and_the_folder_may_be_named(run: Command, tmp_path: Path) -> None:
    other = file_of(4201022)
    for given in (other.id, other.name.upper()):
        there = tmp_path / str(given)
        code, out, err = run('model', MODEL, '--file', given, '--to', there, '--no-companions')
        assert code == 0 and files_in(there) == [other.name]
        assert f'goes to {there}, the folder that you named' in err


def test_companions_come_if_wanted_whatever_the_settings_say(run: Command, tmp_path: Path) -> None:
    setting.save({'model_info_file': False, 'model_json_file': False})
    assert run('model', 4317, '--to', tmp_path / 'a', '--companions').code == 0
    assert [one.split('.', 1)[1] for one in files_in(tmp_path / 'a')][:2] == [
        'civitai.info',
        'json',
    ]
    assert run('model', 4317, '--to', tmp_path / 'b').code == 0
    assert not [one for one in files_in(tmp_path / 'b') if one.endswith('.civitai.info')]


def test_the_folder_of_models_is_that_of_the_setting(run: Command, tmp_path: Path) -> None:
    (tmp_path / 'webui' / 'models' / 'Lora').mkdir(parents=True)
    setting.save({'models_folder': str(tmp_path / 'webui' / 'models')})
    code, _, err = run('model', 4317)
    assert code == 0 and 'in the folder of models you chose' in err
    assert (tmp_path / 'webui/models/Lora').exists() and any(
        one.endswith('.safetensors') for one in files_in(tmp_path / 'webui' / 'models' / 'Lora')
    )


def test_a_dry_run_says_what_would_come_and_where_to(
    run: Command, downloads: Path, demo: DemoServer
) -> None:
    kept = downloads / 'models' / 'Checkpoint' / MAIN.name
    code, out, err = run('model', MODEL, '--dry-run')
    assert (code, err) == (0, '')
    assert out.splitlines()[0] == str(kept) and 'Nothing was kept' in out
    told = run('model', MODEL, '--dry-run', '--json').json
    assert told['complete'] and told['path'] == str(kept) and told['sha256']
    assert not downloads.exists() and not asked_for_files(demo)
    assert run('jobs', '--json').json == []


def test_a_plan_tells_where_the_file_is_already(run: Command, downloads: Path) -> None:
    kept = run('model', MODEL, '--json').json['path']
    code, _, err = run('model', MODEL, '--dry-run')
    assert code == 0 and f'It is here already: {kept}.' in err


def test_a_program_gets_one_object(run: Command, downloads: Path) -> None:
    code, out, err = run('model', MODEL, '--json')
    told = json.loads(out)
    assert (code, told['reason'], told['complete'], told['verified']) == (0, 'complete', True, True)
    assert (told['model_id'], told['version_id'], told['file_id']) == (MODEL, OPENING, MAIN_FILE)
    assert told['sha256'] == MAIN.hashes['SHA256'].lower() and told['size'] == len(MAIN.content)
    assert Path(told['path']).read_bytes() == MAIN.content and told['saved'] == 1
    assert all('event' in json.loads(line) for line in err.splitlines())
    refused = run('model', NOT_OFFERED, '--json')
    assert (
        refused.code == 1 and refused.json['reason'] == 'failed' and 'off' in refused.json['error']
    )


def test_what_is_there_is_not_fetched_again(
    run: Command, downloads: Path, demo: DemoServer
) -> None:
    run('model', MODEL)
    demo.requests.clear()
    code, out, _ = run('model', MODEL)
    path = downloads / 'models' / 'Checkpoint' / MAIN.name
    assert code == 0 and f'there already as {path}' in out and not asked_for_files(demo)
    told = run('model', MODEL, '--json').json
    assert (told['already'], told['saved'], told['path']) == (1, 0, str(path))
    jobs = run('jobs', '--json').json
    assert len(jobs) == 1, 'it is one job that looked again'


def test_a_lora_of_a_name_that_is_taken_is_called_otherwise_and_it_is_told(
    run: Command, shelf: Path
) -> None:
    put(shelf / 'Lora' / 'mine' / NEW_LORA.files[0].name)
    source = f'https://civitai.com/model-versions/{NEW_LORA.id}'
    _, _, err = run('model', source, '--dry-run')
    assert 'is compared before anything is fetched' in err
    code, out, err = run('model', source)
    stem, ending = os.path.splitext(NEW_LORA.files[0].name)
    renamed = f'{stem}-2{ending}'
    assert code == 0 and str(shelf / 'Lora' / renamed) in out
    assert f'so this one is {renamed}' in err


def test_a_file_of_another_kind_and_the_same_name_stays(run: Command, downloads: Path) -> None:
    mine = downloads / 'models' / 'Checkpoint' / MAIN.name
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b'mine')
    told = run('model', MODEL, '--json').json
    assert mine.read_bytes() == b'mine' and Path(told['path']).read_bytes() == MAIN.content


def test_without_a_key_it_says_where_to_put_one_and_goes_on_after_it(
    run: Command, downloads: Path
) -> None:
    setting.save_api_key('')
    code, out, err = run('model', MODEL)
    assert (code, out) == (1, '') and 'API key' in err and '`resume 1`' in err
    [row] = run('jobs', '--json').json
    assert (row['job'], row['complete'], row['title']) == (
        1,
        False,
        'Paper Horizons XL · v2.0 Dusk',
    )
    assert 'API key' in row['error']
    setting.save_api_key(DEMO_KEY)
    assert run('resume', 1).code == 0
    assert (downloads / 'models' / 'Checkpoint' / MAIN.name).read_bytes() == MAIN.content
    assert 'complete' in run('jobs').out


def test_a_file_that_is_not_what_the_site_lists_gets_no_name(
    run: Command, downloads: Path, demo: DemoServer
) -> None:
    demo.scenario = 'wrong-hash'
    code, out, err = run('model', MODEL)
    assert (code, out) == (1, '') and 'SHA256' in err
    assert not [one for one in files_in(downloads) if one.endswith('.safetensors')]
    demo.scenario = ''
    assert run('retry', 1, '--json').json['complete']


def test_what_failed_for_good_is_told_and_tried_by_its_number_only(
    run: Command, downloads: Path, demo: DemoServer
) -> None:
    demo.scenario = 'wrong-hash'
    err = run('model', MODEL).err
    assert '`resume 1` tries once more' in err and '`jobs drop 1`' in err
    listed = run('jobs').out
    assert listed.startswith('1  failed  ') and 'SHA256' in listed
    [row] = run('jobs', '--json').json
    assert row['state'] == 'failed' and 'SHA256' in row['error']
    demo.scenario = ''
    code, out, err = run('resume')
    assert code == 0 and 'No job waits' in out
    assert all(part in err for part in ('Job 1', 'SHA256', '`resume 1`', '`jobs drop 1`'))
    report = run('resume', '--json').json
    assert [one['job'] for one in report['not_resumed']] == [1] and not asked_again(demo)
    assert run('resume', 1).code == 0
    assert 'complete' in run('jobs').out and 'SHA256' not in run('jobs').out


def asked_again(demo: DemoServer) -> bool:
    """Whether a file is asked for; what was before is forgotten."""
    found = bool(asked_for_files(demo)[1:])
    demo.requests.clear()
    return found


@pytest.mark.parametrize(
    ('scenario', 'lasts'),
    [
        pytest.param('wrong-hash', True, id='another-hash'),
        pytest.param('410', True, id='archived'),
        pytest.param('403-early-access', True, id='for-who-pays'),
        pytest.param('401-disabled', True, id='not-for-download'),
        pytest.param('key-refused', False, id='with-a-key-that-can-be-mended'),
        pytest.param('503', False, id='busy'),
    ],
)
def test_only_what_would_not_come_another_time_has_failed(
    run: Command, downloads: Path, demo: DemoServer, scenario: str, lasts: bool
) -> None:
    setting.http_max_retries = 0
    planned = getting.plan(get_http_client(), OPENING)
    job = getting.begin(archive(), planned)
    demo.scenario = scenario
    assert run('resume', job).code == 1
    [row] = run('jobs', '--json').json
    assert (row['state'], bool(row['error'])) == ('failed' if lasts else 'stopped', True)


def test_a_job_that_is_dropped_leaves_the_list_and_nothing_half(
    run: Command, tmp_path: Path
) -> None:
    with ModelSite(tensors(400_000)) as site:
        setting.civitai_base_url, setting.http_max_retries = site.url, 0
        site.hook = lambda r: (RESET,) if site.ranges[1:] else site.cut(r, 200_000)
        assert run('model', VERSION_LINK, '--to', tmp_path / 'a').code == 1
        assert 'paper.safetensors.civitai-part' in files_in(tmp_path / 'a')
        site.hook = lambda request: None
        assert run('model', VERSION_LINK, '--to', tmp_path / 'b').code == 0
    code, out, _ = run('jobs', 'drop', 1, 2)
    assert code == 0 and 'Job 1 is off' in out and 'Job 2 is off' in out
    assert files_in(tmp_path / 'a') == []
    assert 'paper.safetensors' in files_in(tmp_path / 'b')
    assert run('jobs', '--json').json == []


def test_what_failed_the_scans_comes_only_if_that_is_said(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelSite(tensors(50_000)) as site:
        setting.civitai_base_url = site.url
        listed = site.version()['files'][0]
        site.facts = {'files': [{**listed, 'virusScanResult': 'Danger'}]}
        code, _, err = run('model', VERSION_LINK, '--to', tmp_path / 'a')
        assert code == 1 and '--allow-suspect' in err and not (tmp_path / 'a').exists()
        code, *_ = run('model', VERSION_LINK, '--to', tmp_path / 'a', '--allow-suspect')
        assert code == 0 and 'paper.safetensors' in files_in(tmp_path / 'a')


def test_the_segments_are_as_many_as_were_said(run: Command, tmp_path: Path) -> None:
    content = tensors(70 * 2**20)
    with ModelSite(content) as site:
        setting.civitai_base_url = site.url
        for number in (1, 3):
            site.storage.requests.clear()
            told = run(
                'model',
                VERSION_LINK,
                '--to',
                tmp_path / str(number),
                '--segments',
                number,
                '--json',
            ).json
            assert Path(told['path']).read_bytes() == content
            assert (len(site.ranges) > 2) == (number > 1)
    assert setting.model_download_segments == 4, 'for this run alone'


def test_ctrl_c_tells_the_way_on_and_resume_goes_it(tmp_path: Path, run: Command) -> None:
    content = tensors(3_000_000)
    with ModelSite(content) as site:
        site.hook = lambda request: (site.honest(request)[:1_500_000], STALL)
        argv = [sys.executable, ROOT / 'civitai_gallery.py', 'model', VERSION_LINK]
        environment = {**os.environ, 'CIVITAI_BASE_URL': site.url}
        work = subprocess.Popen(
            [*argv, '--to', tmp_path / 'kept'],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            end = time.monotonic() + PATIENCE
            while not site.ranges:
                assert time.monotonic() < end and work.poll() is None
                time.sleep(0.02)
            work.send_signal(signal.SIGINT)
            out, err = work.communicate(timeout=PATIENCE)
        finally:
            work.kill()
        assert (work.returncode, out) == (130, '')
        assert 'of 2.9 MiB are there. `resume 1` goes on' in err
        assert 'paper.safetensors' not in files_in(tmp_path / 'kept')
        site.hook = lambda request: None
        site.storage.release.set()
        setting.civitai_base_url = site.url
        code, out, err = run('resume')
        assert code == 0 and (tmp_path / 'kept/paper.safetensors').read_bytes() == content


# -- models ----------------------------------------------------------------------------------------

LORA = load_models()[1]
NEW_LORA, OLD_LORA = LORA.versions[:2]


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of models in the layout of A1111, that the setting names."""
    folder = tmp_path / 'webui' / 'models'
    (folder / 'Lora').mkdir(parents=True)
    setting.save({'models_folder': str(folder)})
    return folder


def test_a_scan_tells_what_there_is_and_the_list_which_they_are(
    run: Command, shelf: Path, demo: DemoServer
) -> None:
    known = shelf / 'Lora' / 'renamed by me.safetensors'
    put(known, NEW_LORA.files[0].content)
    put(shelf / 'Lora' / 'my own.safetensors')
    code, out, err = run('models', 'scan')
    assert code == 0 and str(shelf / 'Lora') in err and 'hashes and ids' in err
    assert out.startswith('2 model files: 2 new or changed, 0 gone, 2 read, 1 recognised')
    demo.requests.clear()
    code, out, err = run('models', 'list')
    assert (code, err) == (0, '') and not demo.requests, 'the list asks nobody'
    mine, theirs = out.splitlines()
    assert 'my own' in mine and 'of no known version' in mine
    page = f'/models/{LORA.id}?modelVersionId={NEW_LORA.id}'
    assert theirs.endswith(page) and str(known) in theirs and 'Gouache Weather' in theirs
    [_, row] = run('models', 'list', '--json').json['models']
    assert (row['version_id'], row['path']) == (NEW_LORA.id, str(known))


def test_a_scan_without_the_site_keeps_what_it_read_and_is_not_complete(
    run: Command, shelf: Path
) -> None:
    put(shelf / 'Lora' / 'a.safetensors')
    setting.civitai_base_url = 'http://127.0.0.1:9'
    code, out, err = run('models', 'scan')
    assert code == 1 and out.startswith('1 model files') and 'was not asked' in err
    told = run('models', 'scan', '--json')
    assert told.code == 1 and told.json['reason'] == 'incomplete' and told.json['notes']


class Started:
    """A word of the command line in a process of its own, which Ctrl-C can end."""

    def __init__(self, *argv: str, site: str) -> None:
        self._work = subprocess.Popen(
            [sys.executable, ROOT / 'civitai_gallery.py', *argv],
            env={**os.environ, 'CIVITAI_BASE_URL': site},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """The next line of its stderr."""
        assert self._work.stderr is not None
        return self._work.stderr.readline()

    def stopped_once(self, is_so: Callable[[], object]) -> Run:
        """Press Ctrl-C as soon as it is so; how it ended."""
        try:
            end = time.monotonic() + PATIENCE
            while not is_so():
                assert time.monotonic() < end and self._work.poll() is None
                time.sleep(0.02)
            self._work.send_signal(signal.SIGINT)
            out, err = self._work.communicate(timeout=PATIENCE)
            return Run(self._work.returncode, out, err)
        finally:
            self._work.kill()


@pytest.mark.parametrize('is_for_a_program', [False, True])
def test_ctrl_c_in_a_scan_tells_how_far_it_came_and_the_next_one_goes_on(
    run: Command, shelf: Path, demo: DemoServer, is_for_a_program: bool
) -> None:
    put(shelf / 'Lora' / 'a.safetensors', NEW_LORA.files[0].content)
    put(shelf / 'Lora' / 'b.safetensors')
    endless = shelf / 'Lora' / 'c.ckpt'
    endless.touch()
    os.truncate(endless, 2**38)  # of holes alone
    started = Started('models', 'scan', *['--json'] * is_for_a_program, site=demo.url)
    read = "tensors != '' OR sha256 != ''"
    code, out, err = started.stopped_once(lambda: holdings.totals(archive(), read)[0] == 2)
    assert code == 130
    if is_for_a_program:
        told = json.loads(out)
        assert (told['reason'], told['complete']) == ('interrupted', False)
        far = told['progress']
        assert (far['stage'], far['done'], far['total']) == ('hashing', 2, 3)
    else:
        assert out == '' and 'read 2 of 3 files' in err and 'goes on from there' in err
    os.truncate(endless, 1000)
    code, out, _ = run('models', 'scan')
    assert code == 0 and out.startswith('3 model files: 1 new or changed, 0 gone, 1 read, 1 reco')


def test_ctrl_c_while_the_site_is_silent_loses_nothing_that_was_read(
    run: Command, shelf: Path, demo: DemoServer
) -> None:
    put(shelf / 'Lora' / 'a.safetensors', NEW_LORA.files[0].content)
    with ScriptedServer((STALL,)) as silent:
        started = Started('models', 'scan', site=silent.url)
        code, out, err = started.stopped_once(silent.stalled.is_set)
    assert (code, out) == (130, '') and 'What was found is kept' in err
    code, out, _ = run('models', 'scan')
    assert code == 0 and out.startswith('1 model files: 0 new or changed, 0 gone, 0 read, 1 reco')


def test_ctrl_c_in_a_check_does_not_promise_to_go_on(
    run: Command, shelf: Path, demo: DemoServer
) -> None:
    endless = shelf / 'Lora' / 'c.ckpt'
    put(endless, b'x')
    run('models', 'scan')
    os.truncate(endless, 2**36)
    there = endless.stat()
    for one in holdings.every(archive()):
        changed = replace(one, size=there.st_size, changed_ns=there.st_mtime_ns)
        holdings.note(archive(), [changed], time.time())
    started = Started('models', 'verify', '--json', site=demo.url)
    code, out, _ = started.stopped_once(lambda: 'progress' in started.said())
    told = json.loads(out)
    assert code == 130 and told['progress']['total'] == 1 and 'begins again' in told['notes'][0]


def test_without_folders_or_a_scan_the_way_on_is_told(run: Command, tmp_path: Path) -> None:
    assert 'models_folder' in run('models', 'scan').out
    for word in ('list', 'updates', 'verify'):
        code, out, _ = run('models', word)
        assert code == 0 and '`models scan`' in out
    setting.save({'models_folder': str(tmp_path)})
    setting.models_folder = str(tmp_path / 'gone')
    setting.save({'models_folder': str(tmp_path / 'gone')})
    code, out, err = run('models', 'scan')
    assert (code, out) == (1, '') and 'models_folder' in err
    told = run('models', 'scan', '--json')
    assert told.code == 1 and told.json['reason'] == 'failed' and 'gone' in told.json['error']


def test_the_same_bytes_in_two_places_are_told(run: Command, shelf: Path) -> None:
    for name in ('a', 'b'):
        put(shelf / 'Lora' / f'{name}.safetensors', b'same')
    run('models', 'scan')
    assert 'The same bytes several times' in run('models', 'list').out
    assert len(run('models', 'list', '--json').json['duplicates'][0]) == 2


def test_updates_name_the_newer_version_and_the_command_that_fetches_it(
    run: Command, shelf: Path
) -> None:
    put(shelf / 'Lora' / 'old.safetensors', OLD_LORA.files[0].content)
    run('models', 'scan')
    code, out, err = run('models', 'updates')
    assert (code, err) == (0, '') and out.startswith('1 of 1 files went on')
    named = f'civitai:{LORA.id}@{NEW_LORA.id}'
    assert f'newer: v3 (SDXL 1.0), of 2025-09-21: `model {named}`' in out
    [row] = run('models', 'updates', '--json').json['updates']
    assert [one['version_id'] for one in row['newer']] == [NEW_LORA.id]
    assert run('model', named).code == 0
    assert not run('models', 'updates', '--json').json['updates'], 'it is here now'


def test_a_newer_version_in_early_access_is_marked_so(run: Command, shelf: Path) -> None:
    model = next(one for one in load_models() if one.id == EARLY)
    put(shelf / 'Lora' / 'birds.safetensors', model.versions[1].files[0].content)
    run('models', 'scan')
    assert 'In early access until' in run('models', 'updates').out


@pytest.mark.parametrize(
    ('end', 'words'),
    [
        ('9999-12-31T23:59:59-12:00', 'In early access until 9999-12-31 00:00 UTC'),
        ('soon', 'In early access until ?'),
        ('9999-12-01T00:00:00Z', 'In early access until 9999-12-01 00:00 UTC'),
        ('0001-01-01T00:00:00+14:00', ''),
    ],
)
def test_any_end_of_early_access_is_told(run: Command, shelf: Path, end: str, words: str) -> None:
    put(shelf / 'Lora' / 'a.safetensors', json={'modelVersionId': 20, 'modelId': 10})
    run('models', 'scan')
    newer = {'id': 21, 'name': 'v2', 'files': [{'id': 1}], 'paidAccess': {'endsAt': end}}
    told_of.keep(told_of.MODEL, {10: {'id': 10, 'modelVersions': [newer, {'id': 20}]}})
    code, out, _ = run('models', 'updates')
    assert code == 0 and 'newer: v2' in out
    assert words in out if words else 'early access' not in out
    assert run('models', 'updates', '--json').code == 0


def test_verify_tells_files_that_went_bad(run: Command, shelf: Path) -> None:
    good, bad = shelf / 'Lora' / 'good.safetensors', shelf / 'Lora' / 'bad.safetensors'
    put(good, NEW_LORA.files[0].content)
    put(bad)
    put(shelf / 'Lora' / 'lost.safetensors', b'lost')
    run('models', 'scan')
    assert run('models', 'verify', '--json').json['broken'] == 1, 'what is no safetensors'
    there = bad.stat()
    bad.write_bytes(bad.read_bytes()[:-1] + b'?')
    os.utime(bad, ns=(there.st_atime_ns, there.st_mtime_ns))
    (shelf / 'Lora' / 'lost.safetensors').unlink()
    code, out, err = run('models', 'verify')
    assert code == 1 and out.startswith('1 as Civitai lists them') and '1 spoiled' in out
    assert f'{bad} has other bytes' in err and 'lost.safetensors is there no more' in err
    told = run('models', 'verify', '--json')
    assert told.code == 1 and told.json['spoiled'] == 1 and told.json['reason'] == 'incomplete'


def picture(path: Path, *lines: str) -> Path:
    """A picture with what a WebUI writes into it."""
    info = PngInfo()
    info.add_text('parameters', '\n'.join(lines))
    Image.new('RGB', (8, 8)).save(path, pnginfo=info)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A picture made with the checkpoint and the LoRA of the site, and one that nobody knows."""
    loras = f'"gouache: {NEW_LORA.files[0].hashes["AutoV3"]}"'
    return picture(
        tmp_path / 'made.png',
        'sky <lora:gouache:0.8> <lora:never heard of:1>',
        f'Steps: 20, Size: 8x8, Model hash: {MAIN.auto_v2}, Model: paper, Lora hashes: {loras}',
    )


def test_missing_tells_what_a_picture_needs(run: Command, shelf: Path, made: Path) -> None:
    put(shelf / 'Lora' / 'mine.safetensors', NEW_LORA.files[0].content)
    code, out, err = run('models', 'missing', made)
    assert code == 1 and out.count('not known to be here') == 3, 'nobody has looked yet'
    run('models', 'scan')
    code, out, err = run('models', 'missing', made)
    assert (code, err) == (1, '')
    assert 'checkpoint paper: not here' in out and 'lora never heard of: not here' in out
    assert f'lora gouache: here, {shelf / "Lora" / "mine.safetensors"}' in out
    told = run('models', 'missing', made, '--json').json
    assert (told['missing'], told['complete'], len(told['resources'])) == (2, False, 3)


@pytest.mark.parametrize('language', texts.LANGUAGES)
def test_missing_names_each_kind_in_the_language_of_the_person(
    run: Command, tmp_path: Path, language: str
) -> None:
    kinds = ['checkpoint', 'lora', 'embedding', 'vae', 'upscaler', 'other']
    listed = [
        {'type': kind, 'name': f'{kind}-x', 'hash': f'{n:010x}'} for n, kind in enumerate(kinds)
    ]
    (tmp_path / 'a.json').write_text(json.dumps({'meta': {'resources': listed}}))
    setting.save({'language': language})
    lines = run('models', 'missing', tmp_path / 'a.json').out.splitlines()
    said = {kind: next(line for line in lines if f'{kind}-x' in line) for kind in kinds}
    for kind, line in said.items():
        assert line.startswith(texts.text(f'resource_{kind}', language)), line
    if language != 'en':
        assert not said['checkpoint'].startswith('checkpoint')


def test_missing_gets_what_can_be_had(run: Command, shelf: Path, made: Path) -> None:
    code, out, err = run('models', 'missing', made, '--get')
    assert code == 1, 'one of them nobody knows'
    assert (shelf / 'Stable-diffusion' / MAIN.name).read_bytes() == MAIN.content
    assert NEW_LORA.files[0].name in files_in(shelf / 'Lora')
    assert 'paper: ' in out and 'saved as' in out
    run('models', 'scan')
    told = run('models', 'missing', made, '--get', '--json').json
    states = {one['name']: one['state'] for one in told['resources']}
    assert states == {'paper': 'here', 'gouache': 'here', 'never heard of': 'not_here'}


@pytest.mark.parametrize(
    'known',
    [
        pytest.param({'hash': f'{0xABC:016x}'}, id='a hash of sixteen digits'),
        pytest.param({'hash': 'ab' * 20}, id='a hash of forty'),
        pytest.param({'hash': 'abc' * 21}, id='a hash that was cut'),
        pytest.param({'hash': 'abcdef0123456'}, id='a hash of thirteen'),
        pytest.param({'hash': '7460a6fa'}, id='a hash too short to name a file'),
        pytest.param({'modelVersionId': 2**31}, id='an id that none has'),
        pytest.param({'modelVersionId': 10**17, 'hash': 'ab' * 8}, id='neither'),
        pytest.param({}, id='a name alone'),
    ],
)
def test_missing_leaves_what_no_command_could_fetch(
    run: Command, shelf: Path, tmp_path: Path, known: dict[str, Any]
) -> None:
    listed = [{'type': 'lora', 'name': 'x', **known}, {'type': 'model', 'hash': MAIN.auto_v2}]
    (tmp_path / 'a.json').write_text(json.dumps({'meta': {'resources': listed}}))
    ended = run('models', 'missing', tmp_path / 'a.json', '--get')
    assert ended.code == 1 and 'names no model' not in ended.err
    assert (shelf / 'Stable-diffusion' / MAIN.name).is_file(), 'the other one comes'
    del listed[1]
    (tmp_path / 'a.json').write_text(json.dumps({'meta': {'resources': listed}}))
    assert run('models', 'missing', tmp_path / 'a.json', '--get', '--json').code == 1


def test_missing_takes_a_hash_of_digits_for_no_id(
    run: Command, tmp_path: Path, demo: DemoServer
) -> None:
    listed = [{'type': 'model', 'name': 'x', 'hash': f'{MODEL:010}'}]
    (tmp_path / 'a.json').write_text(json.dumps({'meta': {'resources': listed}}))
    ended = run('models', 'missing', tmp_path / 'a.json', '--get')
    assert ended.code == 1 and not asked_for_files(demo)
    assert f'/api/v1/model-versions/by-hash/{MODEL:010}' in [r.path for r in demo.requests]


def test_one_object_tells_of_what_is_missing_and_what_came(
    run: Command, shelf: Path, tmp_path: Path
) -> None:
    made = picture(tmp_path / 'a.png', 'sky', f'Steps: 2, Model hash: {MAIN.auto_v2}, Model: p')
    ended = run('models', 'missing', made, '--get', '--json')
    assert ended.code == 0 and ended.json['complete'] and ended.json['saved'] == 1
    assert ended.json['resources'][0]['state'] == 'unknown'
    assert ended.json['sources'][0]['verified']
    assert run('models', 'missing', made).code == 0


def test_missing_takes_a_picture_of_the_site_by_link_or_id(
    run: Command, shelf: Path, demo: DemoServer
) -> None:
    image = items(demo, OPENING_PAGE)[0]['id']
    told = [
        run('models', 'missing', given, '--json').json['resources']
        for given in (f'https://civitai.com/images/{image}', image)
    ]
    assert told[0] == told[1] and OPENING in [one['version_id'] for one in told[0]]


def test_missing_reads_what_lies_beside_a_picture(run: Command, tmp_path: Path) -> None:
    text = f'sky\nSteps: 2, Model hash: {MAIN.auto_v2}, Model: paper'
    (tmp_path / 'a.txt').write_text(text)
    (tmp_path / 'a.json').write_text(json.dumps({'meta': {'Model': 'paper', 'prompt': 'sky'}}))
    for name in ('a.txt', 'a.json'):
        assert 'checkpoint paper' in run('models', 'missing', tmp_path / name).out


@pytest.mark.parametrize('coding', ['utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'])
def test_missing_reads_texts_as_other_programs_write_them(
    run: Command, tmp_path: Path, coding: str
) -> None:
    text = 'sky 層\nSteps: 20, Sampler: Euler, Model hash: abcdef1234, Model: paper'
    (tmp_path / 'a.txt').write_bytes(text.encode(coding))
    made = json.dumps({'meta': {'Model': 'paper', 'prompt': 'sky 層'}}, ensure_ascii=False)
    (tmp_path / 'a.json').write_bytes(made.encode(coding))
    for name in ('a.txt', 'a.json'):
        assert 'checkpoint paper' in run('models', 'missing', tmp_path / name).out


@pytest.mark.parametrize(
    'scenario, words',
    [
        ('taken-down', 'taken down'),
        ('failed-scan', '--allow-suspect'),
        ('403-early-access', 'only for those who paid'),
        ('key-refused', 'CIVITAI_TOKEN'),
    ],
)
def test_what_the_stand_in_refuses_is_told_and_leaves_nothing(
    run: Command, downloads: Path, demo: DemoServer, scenario: str, words: str
) -> None:
    demo.scenario = scenario
    code, out, err = run('model', MODEL)
    assert code == 1 and words in err and 'saved as' not in out
    assert not downloads.exists() or files_in(downloads) == []


@pytest.mark.parametrize(
    'argv, code, words',
    [
        pytest.param([], 2, 'scan', id='nothing'),
        pytest.param(['lost'], 2, 'scan, list, updates, verify, missing', id='an unknown word'),
        pytest.param(['missing'], 2, 'empty', id='no picture'),
        pytest.param(['list', 'a.png'], 2, 'models missing', id='a picture too many'),
        pytest.param(['scan', '--get'], 2, 'models missing', id='get what'),
        pytest.param(['missing', 'no such.png'], 2, 'neither', id='no such file'),
        pytest.param(['missing', 'https://civitai.com/models/4201'], 2, 'neither', id='a model'),
        pytest.param(['missing', '2147483000'], 1, '2147483000', id='no such picture'),
    ],
)
def test_what_cannot_be_done_is_told(
    argv: list[str], code: int, words: str, run: Command, shelf: Path
) -> None:
    ended = run('models', *argv)
    assert (ended.code, ended.out) == (code, '') and words in ended.err


def test_a_picture_that_tells_nothing_is_not_complete(run: Command, tmp_path: Path) -> None:
    Image.new('RGB', (8, 8)).save(tmp_path / 'bare.png')
    code, out, _ = run('models', 'missing', tmp_path / 'bare.png')
    assert code == 1 and 'Nothing tells' in out


def test_how_far_it_is_is_told_while_it_runs(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, 'FIRST_EVENT', 0.0)
    monkeypatch.setattr(screens, 'FIRST_LINE', 0.0)
    content = tensors(3_000_000)
    with ModelSite(content) as site:
        setting.civitai_base_url = site.url
        ended = run('model', VERSION_LINK, '--to', tmp_path / 'a', '--json')
        [first, *_] = [json.loads(line) for line in ended.err.splitlines()]
        assert (first['event'], first['stage']) == ('progress', 'fetching')
        assert first['size'] == len(content) and first['source'].endswith(str(VERSION))
        ended = run('model', VERSION_LINK, '--to', tmp_path / 'b')
        assert any(line.endswith('of 2.9 MiB') for line in ended.err.splitlines())
    put(tmp_path / 'webui' / 'models' / 'Lora' / 'a.safetensors')
    setting.save({'models_folder': str(tmp_path / 'webui' / 'models')})
    events = [json.loads(line) for line in run('models', 'scan', '--json').err.splitlines()]
    assert 'looking' in [one.get('stage') for one in events]


@pytest.mark.parametrize('language', texts.LANGUAGES)
def test_every_word_is_told_in_each_language(
    language: str, run: Command, shelf: Path, made: Path
) -> None:
    setting.save({'language': language})
    put(shelf / 'Lora' / 'old.safetensors', OLD_LORA.files[0].content)
    for argv in ('scan', 'list', 'updates', 'verify'):
        ended = run('models', argv)
        assert ended.code == 0 and ended.out.strip(), ended
    assert run('models', 'missing', made).out and run('model', MODEL, '--dry-run').out
