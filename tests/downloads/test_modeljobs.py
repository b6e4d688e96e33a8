"""Model files as jobs: one after another, stopped, gone on with, after a restart too."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs, models as model_jobs, place
from scripts.civitai_manager_libs.civitai.modelfiles import Choice
from scripts.civitai_manager_libs.downloads import arrival, getting
from scripts.civitai_manager_libs.downloads.modeljobs import ModelQueue, ModelStanding
from scripts.civitai_manager_libs.downloads.queue import JobQueue
from scripts.civitai_manager_libs.downloads.standing import FAILED, INTERRUPTED
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import partial
from tests.support.model_site import VERSION, ModelSite, tensors
from tests.support.models import put
from tests.support.network import files_in, png
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Piece,
    ScriptedServer,
    Trickle,
    ok,
    redirect,
)

CONTENT = tensors(300_000)
PATIENCE = 15.0


@pytest.fixture
def site(client: CivitaiHttpClient, tmp_path: Path) -> Iterator[ModelSite]:
    setting.download_images_folder = str(tmp_path / 'downloads')
    with ModelSite(CONTENT) as running:
        setting.civitai_base_url = running.url
        yield running


@pytest.fixture
def queue() -> Iterator[ModelQueue]:
    made = ModelQueue()
    yield made
    made.end()
    place.close()


def holding(site: ModelSite) -> None:
    """Have the storage send a part and then nothing."""
    site.hook = lambda request: (site.honest(request)[:100_000], STALL)


def until(is_so: Callable[[], object]) -> bool:
    end = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(is_so())


def standing(queue: ModelQueue, job: int) -> ModelStanding:
    return next(one for one in queue.standing() if one.job.id == job)


def waited(queue: ModelQueue, job: int, is_so: Callable[[ModelStanding], object]) -> ModelStanding:
    end = time.monotonic() + PATIENCE
    while not is_so(found := standing(queue, job)):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def ended(queue: ModelQueue, job: int) -> ModelStanding:
    return waited(queue, job, lambda one: one.state in (jobs.ENDED, jobs.STOPPED))


def test_a_file_comes_into_the_folder_of_its_kind_with_its_companions(
    site: ModelSite, queue: ModelQueue, tmp_path: Path
) -> None:
    planned = queue.plan(VERSION)
    assert planned.path == tmp_path / 'downloads/models/Checkpoint/paper.safetensors'
    assert not planned.path.parent.exists()
    found = ended(queue, queue.add(planned))
    assert found.state == jobs.ENDED and found.job.is_verified and not found.trouble
    assert (found.job.done, found.job.size) == (len(CONTENT), len(CONTENT))
    assert found.job.title == 'Paper · v2' and found.job.path == planned.path
    assert planned.path.read_bytes() == CONTENT
    # which come after the file, whose job has ended by then
    assert until(lambda: 'paper.civitai.info' in files_in(planned.path.parent))


def test_the_job_says_how_far_it_is_while_it_runs(site: ModelSite, queue: ModelQueue) -> None:
    holding(site)
    job = queue.add(queue.plan(VERSION))
    found = waited(queue, job, lambda one: one.job.done > 50_000)
    assert found.state == jobs.RUNNING and found.job.size == len(CONTENT)


def test_one_comes_after_another(site: ModelSite, queue: ModelQueue, tmp_path: Path) -> None:
    holding(site)
    first = queue.add(queue.plan(VERSION))
    second = queue.add(queue.plan(VERSION, folder=tmp_path / 'other'))
    waited(queue, first, lambda one: one.job.done)
    assert (standing(queue, second).state, standing(queue, second).ahead) == (jobs.WAITING, 1)
    site.hook = lambda request: None
    site.storage.release.set()
    assert ended(queue, second).job.path == tmp_path / 'other' / 'paper.safetensors'
    assert standing(queue, first).state == jobs.ENDED


def test_the_same_is_one_job(site: ModelSite, queue: ModelQueue) -> None:
    holding(site)
    job = queue.add(queue.plan(VERSION))
    assert queue.add(queue.plan(VERSION)) == job
    assert len(queue.standing()) == 1


def test_a_paused_file_is_gone_on_with(site: ModelSite, queue: ModelQueue) -> None:
    holding(site)
    job = queue.add(queue.plan(VERSION))
    waited(queue, job, lambda one: one.job.done > 50_000)
    queue.pause(job)
    assert standing(queue, job).state == jobs.PAUSED
    site.hook = lambda request: None
    site.storage.requests.clear()
    queue.resume(job)
    assert ended(queue, job).job.is_verified
    (asked,) = site.ranges
    assert asked is not None and asked[0] > 50_000


def test_a_cancelled_file_leaves_nothing(site: ModelSite, queue: ModelQueue) -> None:
    holding(site)
    planned = queue.plan(VERSION)
    job = queue.add(planned)
    waited(queue, job, lambda one: one.job.done > 50_000)
    began = time.monotonic()
    queue.cancel(job)
    assert standing(queue, job).job.done == 0
    assert time.monotonic() - began < 2
    assert standing(queue, job).state == jobs.CANCELLED
    assert files_in(planned.path.parent) == []
    queue.forget(job)
    assert queue.standing() == []


@pytest.mark.parametrize('at_once', [1, 4])
@pytest.mark.parametrize(
    ('answer', 'step'),
    [
        pytest.param(True, STALL, id='silent'),
        pytest.param(True, Trickle(bytes(50_000), size=10), id='slow'),
        pytest.param(False, STALL, id='without an answer'),
    ],
)
def test_a_cancel_hangs_up_on_a_storage_that_holds_it_up(
    site: ModelSite,
    queue: ModelQueue,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    answer: bool,
    step: Piece,
) -> None:
    setting.model_download_segments = at_once
    monkeypatch.setattr(arrival, 'SEGMENTED_BYTES', 64 * 1024 if at_once > 1 else 10**9)
    site.hook = lambda r: (site.honest(r)[: 20_000 if answer else 0], step)
    planned = queue.plan(VERSION)
    job = queue.add(planned)
    connections = at_once if answer else 1  # only an answer tells that there may be more
    assert until(lambda: len(site.storage.requests) == connections)
    began = time.monotonic()
    queue.cancel(job)
    assert time.monotonic() - began < 1
    assert standing(queue, job).state == jobs.CANCELLED
    assert files_in(planned.path.parent) == []
    assert until(lambda: site.storage.left == connections)


@pytest.mark.parametrize('what', ['the version', 'the address'])
def test_a_cancel_hangs_up_on_a_site_that_holds_it_up(
    site: ModelSite, queue: ModelQueue, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    planned = queue.plan(VERSION)
    silent = ScriptedServer((STALL,))
    with silent:
        if what == 'the version':
            monkeypatch.setattr(setting, 'civitai_base_url', silent.url)
        site.route = lambda request: redirect(f'{silent.url}/file', 307)
        job = queue.add(planned)
        assert silent.stalled.wait(PATIENCE)
        began = time.monotonic()
        queue.cancel(job)
        assert time.monotonic() - began < 1
        assert until(lambda: silent.left == 1)
    assert standing(queue, job).state == jobs.CANCELLED


@pytest.mark.parametrize(
    'refusal',
    [ok(b'', status=503, Retry_After='60'), ok(b'', status=429, Retry_After='60'), (RESET,)],
    ids=['503', '429', 'reset'],
)
def test_a_cancel_ends_the_wait_for_another_try(
    site: ModelSite, queue: ModelQueue, refusal: Answer
) -> None:
    setting.download_max_retries, setting.download_retry_delay = 5, 30.0
    site.hook = lambda request: refusal
    job = queue.add(queue.plan(VERSION))
    waited(queue, job, lambda one: one.waiting or site.storage.requests)
    began = time.monotonic()
    queue.cancel(job)
    assert time.monotonic() - began < 1
    assert standing(queue, job).state == jobs.CANCELLED


def test_a_cancel_leaves_what_another_program_brings_there(
    site: ModelSite, queue: ModelQueue
) -> None:
    planned = queue.plan(VERSION)
    with partial.held(planned.path) as theirs:
        theirs.path.write_bytes(b'theirs')
        job = queue.add(planned)
        waited(queue, job, lambda one: one.waiting or one.state == jobs.RUNNING)
        queue.cancel(job)
        assert theirs.path.read_bytes() == b'theirs'
    assert standing(queue, job).state == jobs.CANCELLED


@pytest.mark.parametrize('word', ['cancel', 'forget'])
def test_a_cancel_leaves_what_came_of_another_file_of_that_name(
    site: ModelSite, queue: ModelQueue, word: str
) -> None:
    holding(site)
    job = queue.add(queue.plan(VERSION))
    waited(queue, job, lambda one: one.job.done > 0)
    queue.pause(job)
    path = standing(queue, job).job.path
    left = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    assert f'{path.name}.civitai-part' in left
    other = model_jobs.make(place.archive(), VERSION + 1, 7, path, title='other', size=5)
    getattr(queue, word)(other)
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == left
    getattr(queue, word)(job)
    assert files_in(path.parent) == []


def test_a_cancel_does_not_wait_for_companions_of_a_file_that_is_whole(
    site: ModelSite, queue: ModelQueue
) -> None:
    picture = f'{site.storage.url}/still.jpeg'
    site.facts = {'images': [{'url': picture, 'type': 'image', 'nsfwLevel': 1}]}
    site.hook = lambda r: (STALL,) if 'still' in r.target else None
    planned = queue.plan(VERSION)
    job = queue.add(planned)
    assert site.storage.stalled.wait(PATIENCE)
    began = time.monotonic()
    queue.cancel(job)
    assert time.monotonic() - began < 1
    assert until(lambda: site.storage.left == 1)
    assert standing(queue, job).state == jobs.ENDED
    assert planned.path.read_bytes() == CONTENT
    assert 'paper.civitai.info' in files_in(planned.path.parent), 'what needs no answer is there'


def test_one_that_is_paused_before_its_companions_are_there_writes_them_when_it_goes_on(
    site: ModelSite, queue: ModelQueue
) -> None:
    picture = f'{site.storage.url}/still.png'
    site.facts = {'images': [{'url': picture, 'type': 'image', 'nsfwLevel': 1}]}
    site.hook = lambda r: (STALL,) if 'still' in r.target else None
    planned = queue.plan(VERSION)
    job = queue.add(planned)
    assert site.storage.stalled.wait(PATIENCE)
    assert standing(queue, job).is_settling
    queue.pause(job)
    assert (standing(queue, job).state, standing(queue, job).is_settling) == (jobs.PAUSED, False)
    site.hook = lambda r: ok(png()) if 'still' in r.target else None
    queue.resume(job)
    assert ended(queue, job).state == jobs.ENDED
    assert 'paper.preview.png' in files_in(planned.path.parent) and site.asked_for_file == 1


def test_nor_does_one_that_got_another_name(site: ModelSite, queue: ModelQueue) -> None:
    holding(site)
    planned = queue.plan(VERSION)
    planned.path.parent.mkdir(parents=True)
    planned.path.write_bytes(b'mine')
    job = queue.add(planned)
    waited(queue, job, lambda one: one.job.done > 50_000)
    assert standing(queue, job).job.title == 'Paper · v2'
    queue.cancel(job)
    assert files_in(planned.path.parent) == [planned.path.name]
    assert standing(queue, job).job.path == planned.path.with_name('paper-2.safetensors')


@pytest.fixture
def loras(site: ModelSite, tmp_path: Path) -> Path:
    """The site's file is a LoRA; the folder of a WebUI for such, sorted by base model."""
    site.facts = {'model': {'name': 'Paper', 'type': 'LORA'}, 'baseModel': 'SDXL 1.0'}
    folder = tmp_path / 'webui' / 'models' / 'Lora'
    folder.mkdir(parents=True)
    setting.models_folder = str(folder.parent)
    setting.model_folder_template = '{base_model}'
    return folder


def test_a_lora_gets_a_name_that_no_other_sub_folder_has(
    site: ModelSite, queue: ModelQueue, loras: Path
) -> None:
    mine = loras / 'mine' / 'paper.safetensors'
    put(mine)
    planned = queue.plan(VERSION)
    assert planned.path == loras / 'SDXL 1.0' / 'paper.safetensors'
    job = queue.add(planned)
    found = ended(queue, job)
    assert found.job.path == planned.path.with_name('paper-2.safetensors')
    assert found.job.path.read_bytes() == CONTENT and not planned.path.exists()
    assert queue.add(queue.plan(VERSION)) == job, 'it is the one that is there already'
    assert ended(queue, job).job.path == found.job.path


def test_a_lora_that_lies_in_another_sub_folder_is_not_fetched_again(
    site: ModelSite, queue: ModelQueue, loras: Path
) -> None:
    mine = loras / 'mine' / 'paper.safetensors'
    put(mine, CONTENT)
    found = ended(queue, queue.add(queue.plan(VERSION)))
    assert (found.state, found.job.path) == (jobs.ENDED, mine)
    assert site.asked_for_file == 0


def test_what_is_whole_is_no_second_job(site: ModelSite, queue: ModelQueue) -> None:
    planned = queue.plan(VERSION)
    job = queue.add(planned)
    ended(queue, job)
    assert queue.add(queue.plan(VERSION)) == job
    assert ended(queue, job).state == jobs.ENDED and len(queue.standing()) == 1
    assert site.asked_for_file == 1
    planned.path.unlink()
    assert queue.add(queue.plan(VERSION)) == job, 'fetched again, as it is gone'
    assert until(planned.path.exists) and site.asked_for_file == 2


def test_what_failed_is_told_and_can_be_tried_again(site: ModelSite, queue: ModelQueue) -> None:
    site.route = lambda request: ok(b'{"error":"Unauthorized"}', status=401)
    job = queue.add(queue.plan(VERSION))
    found = ended(queue, job)
    assert found.state == jobs.STOPPED and 'CIVITAI_TOKEN' in found.trouble
    setting.language = 'zh_TW'
    assert 'API 金鑰' in ModelQueue().standing()[0].trouble, 'it is known after a restart too'
    site.route = lambda request: None
    queue.resume(job)
    assert ended(queue, job).state == jobs.ENDED


def test_a_file_with_another_hash_than_the_site_lists_has_failed(
    site: ModelSite, queue: ModelQueue
) -> None:
    site.listed_hash = 'AB' * 32
    job = queue.add(queue.plan(VERSION))
    found = waited(queue, job, lambda one: one.trouble)
    found = waited(queue, job, lambda one: one.state != jobs.RUNNING)
    assert found.state == FAILED and 'SHA256' in found.trouble
    site.listed_hash = None
    queue.resume(job)
    assert ended(queue, job).state == jobs.ENDED


@pytest.mark.parametrize('kib', [1e14, 2**53 - 1, 2**53, 1e17, 10**22, 9e29])
def test_a_size_that_no_file_has_is_a_refusal_of_its_own(
    site: ModelSite, queue: ModelQueue, kib: float
) -> None:
    site.listed_size = kib
    found = ended(queue, queue.add(queue.plan(VERSION)))
    assert found.state == jobs.STOPPED and found.job.size >= 2**53 and found.trouble


@pytest.mark.parametrize('goes_on', [True, False])
def test_what_a_program_left_goes_on_in_the_next_one(
    site: ModelSite, queue: ModelQueue, goes_on: bool
) -> None:
    holding(site)
    job = queue.add(queue.plan(VERSION))
    waited(queue, job, lambda one: one.job.done > 50_000)
    queue.end()
    site.hook = lambda request: None
    setting.gallery_jobs_go_on = goes_on
    again = ModelQueue()
    try:
        assert standing(again, job).state == INTERRUPTED
        again.begin()
        if not goes_on:
            assert standing(again, job).state == INTERRUPTED
            again.resume(job)
        assert ended(again, job).job.is_verified
    finally:
        again.end()


def test_galleries_and_models_have_each_their_own_list(site: ModelSite, queue: ModelQueue) -> None:
    job = queue.add(queue.plan(VERSION))
    ended(queue, job)
    assert JobQueue().standing() == []
    assert jobs.find(place.archive(), job) is None
    assert model_jobs.find(place.archive(), job) is not None
    with pytest.raises(CivitaiError):
        JobQueue().resume(job)


@pytest.mark.parametrize('choice', [Choice(7), Choice(format='GGUF')])
def test_a_file_that_is_not_there_is_no_job(
    site: ModelSite, queue: ModelQueue, choice: Choice
) -> None:
    with pytest.raises(SourceError):
        queue.plan(VERSION, choice)


def test_a_suspect_file_is_a_job_only_if_somebody_says_so(
    site: ModelSite, queue: ModelQueue
) -> None:
    told = site.version()
    told['files'][0]['virusScanResult'] = 'Danger'
    site.facts = {'files': told['files']}
    with pytest.raises(CivitaiError) as caught:
        queue.plan(VERSION)
    assert caught.value.key == 'model_suspect'
    planned = queue.plan(VERSION, takes_suspect=True)
    assert ended(queue, queue.add(planned, takes_suspect=True)).state == jobs.ENDED


def test_a_failing_companion_does_not_fail_the_model(
    site: ModelSite, queue: ModelQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = queue.plan(VERSION)
    planned.path.parent.mkdir(parents=True)
    (planned.path.parent / 'paper.json').mkdir()
    assert ended(queue, queue.add(planned)).state == jobs.ENDED
    assert planned.path.read_bytes() == CONTENT


def test_a_job_that_another_program_has_is_left_to_it(
    site: ModelSite, client: CivitaiHttpClient, queue: ModelQueue
) -> None:
    db = place.archive()
    job = getting.begin(db, queue.plan(VERSION))
    with jobs.held(db, job):
        assert getting.run(db, client, job, threading.Event()) is None
    assert site.asked_for_file == 0
