"""`model` and `models` on the command line: which files come, where to, and how it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.modelfiles import ModelFile
from civitai_demo.world.models import load_models
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from tests.support.faults import PATIENCE
from tests.support.model_site import VERSION, ModelSite, tensors
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.scripted_server import STALL

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
    assert code == 0 and 'there already' in out and not asked_for_files(demo)
    assert run('model', MODEL, '--json').json['already'] == 1


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
        assert 'Stopped.' in err and '`resume 1` goes on' in err
        assert 'paper.safetensors' not in files_in(tmp_path / 'kept')
        site.hook = lambda request: None
        site.storage.release.set()
        setting.civitai_base_url = site.url
        code, out, err = run('resume')
        assert code == 0 and (tmp_path / 'kept/paper.safetensors').read_bytes() == content
