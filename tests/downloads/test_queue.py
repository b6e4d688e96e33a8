"""Jobs of whole galleries in the background: one after another, stopped and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs, place
from scripts.civitai_manager_libs.downloads import beginning
from scripts.civitai_manager_libs.downloads.queue import JobQueue, job_queue
from scripts.civitai_manager_libs.downloads.standing import (
    ELSEWHERE,
    INTERRUPTED,
    Standing,
    state_of,
)
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.errors import CivitaiError, StorageError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, get_http_client
from scripts.civitai_manager_libs.http_client.pacing import throttle
from tests.support import forking
from tests.support.annotated_site import META, AnnotatedSite, item
from tests.support.faults import small_disk
from tests.support.paths import ROOT
from tests.support.settings_sandbox import set_process_client

ALL = 31
SMALL_VERSION, QUIET_VERSION = 431702, 470302
SMALL = f'/models/4317?modelVersionId={SMALL_VERSION}'
QUIET = f'/models/4703?modelVersionId={QUIET_VERSION}'
PATIENCE = 30.0


@pytest.fixture
def slow(client: CivitaiHttpClient) -> Iterator[DemoServer]:
    """A stand-in that takes its time for each answer, so that a job can be met at work."""
    with DemoServer(latency=0.06) as server:
        setting.civitai_base_url = server.url
        setting.gallery_max_concurrent_downloads = 2
        yield server


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    made = JobQueue()
    yield made
    made.end()
    place.close()


def wanted(page: str, **more: object) -> Wanted:
    return Wanted(setting.civitai_base_url + page, **{'levels': ALL, **more})  # type: ignore


def standing(queue: JobQueue, job: int) -> Standing:
    return next(one for one in queue.standing() if one.job_id == job)


def until(
    queue: JobQueue, job: int, is_so: Callable[[Standing], bool], patience: float = PATIENCE
) -> Standing:
    """How a job stands once that is so."""
    deadline = time.monotonic() + patience
    while not is_so(now := standing(queue, job)):
        assert time.monotonic() < deadline, now
        time.sleep(0.01)
    return now


def has_ended(now: Standing) -> bool:
    return now.state == jobs.ENDED


def end_of(slow: DemoServer, queue: JobQueue, job: int) -> Standing:
    """How a job stands in the end; it was met at work, and need not be slow any more."""
    slow.latency = 0.0
    return until(queue, job, has_ended)


def is_halfway(now: Standing) -> bool:
    return now.state == jobs.RUNNING and now.saved > 2


def expected(version: int) -> set[int]:
    return {one.id for one in load_catalog().pictures if version in one.version_ids}


def kept(folder: Path) -> set[int]:
    """The ids of the files in a folder; a part file has none and fails here."""
    return {int(path.stem) for path in folder.iterdir()}


def fetched(demo: DemoServer) -> list[str]:
    return [one.path.split('/')[2] for one in demo.requests if 'original=true' in one.path]


# -- one after another ----------------------------------------------------------------------------


def test_jobs_are_carried_out_one_after_another(
    demo: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    first = queue.add(wanted(SMALL), tmp_path / 'first')
    second = queue.add(wanted(QUIET), tmp_path / 'second')
    assert standing(queue, second).state == jobs.WAITING or has_ended(standing(queue, first))

    end = until(queue, second, has_ended)
    before = standing(queue, first)
    assert before.state == jobs.ENDED and before.is_complete and end.is_complete
    assert kept(tmp_path / 'first') == expected(SMALL_VERSION)
    assert before.found == before.saved == len(expected(SMALL_VERSION))
    assert before.size == sum(path.stat().st_size for path in (tmp_path / 'first').iterdir())
    assert (before.folder, before.level) == (str(tmp_path / 'first'), 'XXX')


def test_the_same_is_one_job(slow: DemoServer, queue: JobQueue, tmp_path: Path) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    assert queue.add(wanted(SMALL), tmp_path / 'kept') == job
    assert [one.job_id for one in queue.standing()] == [job]


def test_what_is_shown_of_a_source_holds_no_key(
    demo: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(f'{SMALL}&token=geheim', limit=1), tmp_path / 'kept')
    assert 'geheim' not in repr(until(queue, job, has_ended))


def test_it_is_said_how_fast_a_job_is_and_when_it_ends(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    now = until(queue, job, lambda one: one.rate > 0 and one.seconds_left is not None)
    assert now.size > 0 and now.done < now.found and now.pages == 1


# -- stopped and gone on with ---------------------------------------------------------------------


@pytest.mark.parametrize('state', [jobs.PAUSED, jobs.CANCELLED])
def test_a_job_stops_at_once_and_goes_on_where_it_was(
    slow: DemoServer, queue: JobQueue, tmp_path: Path, state: str
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)

    began = time.monotonic()
    (queue.pause if state == jobs.PAUSED else queue.cancel)(job)
    assert time.monotonic() - began < 1.0
    now = standing(queue, job)
    there = kept(tmp_path / 'kept')
    assert now.state == state and now.saved == len(there) < len(expected(SMALL_VERSION))
    assert not now.is_complete

    whole_before = {one.uuid for one in load_catalog().pictures if one.id in there}
    slow.requests.clear()
    queue.resume(job)
    assert end_of(slow, queue, job).is_complete
    assert kept(tmp_path / 'kept') == expected(SMALL_VERSION)
    assert not whole_before & set(fetched(slow))


def test_the_next_job_begins_once_one_is_paused(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    first = queue.add(wanted(SMALL), tmp_path / 'first')
    second = queue.add(wanted(QUIET), tmp_path / 'second')
    until(queue, first, is_halfway)
    queue.pause(first)
    end_of(slow, queue, second)
    assert standing(queue, first).state == jobs.PAUSED


def test_one_that_waits_can_be_cancelled(slow: DemoServer, queue: JobQueue, tmp_path: Path) -> None:
    first = queue.add(wanted(SMALL), tmp_path / 'first')
    second = queue.add(wanted(QUIET), tmp_path / 'second')
    queue.cancel(second)
    queue.pause(first)
    assert [one.state for one in queue.standing()] == [jobs.PAUSED, jobs.CANCELLED]
    assert not (tmp_path / 'second').exists()


def test_a_job_that_is_forgotten_leaves_its_files(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)
    queue.forget(job)
    assert queue.standing() == []
    assert kept(tmp_path / 'kept')


def test_one_that_has_ended_is_not_cancelled(
    demo: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL, limit=2), tmp_path / 'kept')
    until(queue, job, has_ended)
    queue.cancel(job)
    queue.pause(job)
    assert standing(queue, job).state == jobs.ENDED


@pytest.mark.parametrize('what', ['pause', 'resume', 'cancel', 'retry', 'forget'])
def test_a_job_that_is_none_is_refused(queue: JobQueue, what: str) -> None:
    with pytest.raises(CivitaiError, match='7'):
        getattr(queue, what)(7)


# -- after a restart ------------------------------------------------------------------------------


def test_what_was_running_or_waiting_is_interrupted_and_paused_stays_so(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    paused = queue.add(wanted(QUIET), tmp_path / 'paused')
    queue.pause(paused)
    runs = queue.add(wanted(SMALL), tmp_path / 'runs')
    waits = queue.add(wanted(SMALL), tmp_path / 'waits')
    until(queue, runs, is_halfway)
    queue.end()

    again = JobQueue()
    again.begin()
    states = {one.job_id: one.state for one in again.standing()}
    assert states == {paused: jobs.PAUSED, runs: INTERRUPTED, waits: INTERRUPTED}
    again.resume(runs)
    assert end_of(slow, again, runs).is_complete
    again.end()


def test_what_was_interrupted_goes_on_by_itself_if_the_owner_says_so(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    cancelled = queue.add(wanted(QUIET), tmp_path / 'cancelled')
    queue.cancel(cancelled)
    until(queue, job, is_halfway)
    queue.end()

    setting.gallery_jobs_go_on = True
    again = JobQueue()
    again.begin()
    assert end_of(slow, again, job).is_complete
    assert standing(again, cancelled).state == jobs.CANCELLED
    again.end()


SCRIPT = """
import sys, time
from pathlib import Path
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.downloads import beginning
from scripts.civitai_manager_libs.downloads.queue import job_queue
from scripts.civitai_manager_libs.downloads.wanted import Wanted
setting.civitai_base_url, page, setting.data_folder, folder, how = sys.argv[1:6]
setting.gallery_max_concurrent_downloads = 2
queue = job_queue()
job = queue.add(Wanted(setting.civitai_base_url + page, levels=31), Path(folder))
while queue.standing()[0].saved < 3:
    time.sleep(0.01)
print('halfway', flush=True)
if how == 'stays':
    time.sleep(60)
"""


def program(how: str, folder: Path) -> 'subprocess.Popen[str]':
    where = [setting.civitai_base_url, SMALL, setting.data_folder, str(folder), how]
    child = subprocess.Popen(
        [sys.executable, '-c', SCRIPT, *where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline().strip() == 'halfway'
    return child


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_after_a_kill_it_is_interrupted_and_goes_on(
    slow: DemoServer, queue: JobQueue, tmp_path: Path, number: signal.Signals
) -> None:
    with program('stays', tmp_path / 'kept') as child:
        child.send_signal(number)
    (now,) = queue.standing()
    assert now.state == INTERRUPTED and 2 < now.saved < now.found
    queue.resume(now.job_id)
    assert end_of(slow, queue, now.job_id).is_complete
    assert kept(tmp_path / 'kept') == expected(SMALL_VERSION)


def test_a_program_that_ends_has_its_job_end_in_good_order(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    with program('ends', tmp_path / 'kept') as child:
        began = time.monotonic()
        _, err = child.communicate()
    assert (child.returncode, err) == (0, '')
    assert time.monotonic() - began < 5.0
    (now,) = queue.standing()
    assert now.state == INTERRUPTED
    assert now.saved == len(kept(tmp_path / 'kept')) < len(expected(SMALL_VERSION))


@pytest.mark.parametrize('where', ['in the background', 'as it waits'])
def test_the_app_ends_with_its_jobs_interrupted(
    slow: DemoServer, queue: JobQueue, tmp_path: Path, where: str
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    if where == 'in the background':
        until(queue, job, is_halfway)
    queue.end()
    assert JobQueue().standing()[0].state == INTERRUPTED
    queue.resume(job)  # what has ended begins nothing
    assert standing(queue, job).state == INTERRUPTED


# -- another process ------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')
def test_a_job_that_another_program_is_at_is_left_to_it(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    with program('stays', tmp_path / 'kept') as child:
        (now,) = queue.standing()
        assert now.state == ELSEWHERE
        for what in (queue.resume, queue.pause, queue.cancel, queue.retry, queue.forget):
            with pytest.raises(CivitaiError, match='Another program'):
                what(now.job_id)
        assert queue.add(wanted(SMALL), tmp_path / 'kept') == now.job_id
        slow.latency = 0.0
        end = until(queue, now.job_id, lambda one: one.state != ELSEWHERE)
        child.kill()
    assert has_ended(end) and end.is_complete
    assert len(fetched(slow)) == len(set(fetched(slow)))


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there are no forks here')
def test_the_child_of_a_fork_leaves_the_jobs_to_its_parent(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)
    with forking.all_held(forking.locks_of(queue)):
        child = forking.fork(lambda: standing(queue, job).state in (ELSEWHERE, jobs.ENDED))
    assert forking.ended(child) == 0
    assert end_of(slow, queue, job).is_complete


def test_reload_ui_finds_the_queue_again() -> None:
    """A WebUI executes the one file anew each time."""
    path = ROOT / 'scripts' / 'civitai_gallery_tab.py'
    source = path.read_text().replace('\nregister()\n', '\n')
    found = []
    for _ in range(2):
        names: dict[str, Any] = {'__file__': str(path), '__name__': 'loaded_by_a_webui'}
        exec(compile(source, str(path), 'exec'), names)
        found.append(names['library']('downloads.queue').job_queue())
    assert found[0] is found[1]
    assert job_queue() is job_queue()


def test_another_copy_of_the_library_leaves_the_job_to_this_one(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)
    other = JobQueue()
    assert standing(other, job).state == ELSEWHERE
    with pytest.raises(CivitaiError):
        other.resume(job)
    end_of(slow, queue, job)
    assert standing(other, job).is_complete


# -- what goes wrong ------------------------------------------------------------------------------


ODD_NAMES = {
    'long': 'z' * 300,
    'long below': f'missing/{"z" * 300}',
    'zero': 'a\0b',
    'below a file': 'file/below',
}
if sys.platform != 'win32':  # where these are good
    ODD_NAMES |= {'long in all': 'short/' * 2000, 'half a character': 'half \ud83d'}


@pytest.mark.parametrize('name', ODD_NAMES.values(), ids=ODD_NAMES)
def test_a_name_that_no_folder_can_have_is_told_before_anything_begins(
    demo: DemoServer, queue: JobQueue, tmp_path: Path, name: str
) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(StorageError) as caught:
        queue.add(wanted(SMALL), tmp_path / name)
    assert caught.value.user_message.encode() and '\0' not in caught.value.user_message
    assert queue.standing() == [] and not demo.requests


def test_a_folder_that_cannot_be_written_is_told_before_anything_begins(
    demo: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(StorageError):
        queue.add(wanted(SMALL), tmp_path / 'file' / 'kept')
    assert queue.standing() == []


def test_a_job_that_cannot_be_done_says_why_and_the_next_one_is_done(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    first = queue.add(wanted(SMALL), tmp_path / 'first')
    second = queue.add(wanted(QUIET), tmp_path / 'in' / 'second')
    third = queue.add(wanted(QUIET), tmp_path / 'third')
    (tmp_path / 'in').write_text('')  # a file where the folder was to be
    queue.pause(first)
    assert end_of(slow, queue, third).is_complete
    now = standing(queue, second)
    assert now.state == jobs.STOPPED and str(tmp_path / 'in') in now.trouble

    (tmp_path / 'in').unlink()
    queue.resume(second)
    assert end_of(slow, queue, second).trouble == ''


def test_what_failed_is_told_and_done_again(
    demo: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    demo.scenario = 'truncated'
    setting.http_max_retries = 3
    job = queue.add(wanted(SMALL, limit=3), tmp_path / 'kept')
    now = until(queue, job, has_ended)
    assert now.failed == len(now.failures) > 0 and not now.is_complete
    for one in now.failures:
        assert str(one.image.id) in one.page and 'broke off' in one.error

    demo.scenario = ''
    queue.retry_one(job, now.failures[0].image.id)
    was, now = now, until(queue, job, has_ended)
    assert (now.failed, now.saved) == (was.failed - 1, was.saved + 1)
    queue.retry(job)
    now = until(queue, job, has_ended)
    assert now.is_complete and now.saved == 3 and now.failures == ()


def test_a_key_that_is_missing_is_said_and_asked_for_again_once_it_is_there(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = beginning.begin(place.archive(), get_http_client(), wanted(SMALL), tmp_path / 'kept')
    slow.scenario = 'key-needed'
    queue.resume(job)
    now = end_of(slow, queue, job)
    assert not now.is_complete and 'key' in now.gaps[0]

    slow.scenario = ''
    queue.retry(job)
    assert end_of(slow, queue, job).is_complete


def test_a_job_that_ends_as_it_is_looked_at_was_not_interrupted(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)
    (read_before,) = jobs.every(place.archive())
    end_of(slow, queue, job)
    until(queue, job, lambda _: not jobs.is_held(place.archive(), job))
    assert state_of(place.archive(), read_before) == jobs.ENDED


def test_what_has_ended_can_be_tried_again_at_once(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    slow.latency = 0
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    for _ in range(8):
        while (state := standing(queue, job).state) != jobs.ENDED:
            assert state in (jobs.WAITING, jobs.RUNNING)
        queue.retry(job)
    assert end_of(slow, queue, job).is_complete


def test_more_are_fetched_at_once_as_soon_as_the_setting_says_so(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    setting.gallery_max_concurrent_downloads = 1
    job = queue.add(wanted(SMALL), tmp_path / 'kept')
    until(queue, job, is_halfway)
    setting.gallery_max_concurrent_downloads = 8

    def threads() -> int:
        return sum(one.name.startswith('civitai-gallery_') for one in threading.enumerate())

    until(queue, job, lambda now: threads() >= 4)
    assert end_of(slow, queue, job).is_complete
    assert kept(tmp_path / 'kept') == expected(SMALL_VERSION)


def test_what_is_waited_for_is_told_until_that_is_over(
    slow: DemoServer, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_process_client(monkeypatch, CivitaiHttpClient())  # which really waits
    monkeypatch.setattr(throttle, 'TOLD_SECONDS', 0.3)
    some = wanted(SMALL, limit=8)
    job = beginning.begin(place.archive(), get_http_client(), some, tmp_path / 'kept')
    slow.scenario = '429'
    queue.resume(job)
    now = until(queue, job, lambda one: bool(one.waiting))
    assert '127.0.0.1' in now.waiting and '429' in now.waiting

    slow.scenario = ''
    now = end_of(slow, queue, job)
    assert now.waiting == '' and now.is_complete


FULL = """
import sys, time
from pathlib import Path
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.downloads.queue import job_queue
from scripts.civitai_manager_libs.downloads.wanted import Wanted
setting.civitai_base_url, page, setting.data_folder, *folders = sys.argv[1:]
queue, wanted = job_queue(), Wanted(setting.civitai_base_url + page, levels=31)
for folder in folders:
    queue.add(wanted, Path(folder))
while any(one.state not in ('ended', 'stopped') for one in queue.standing()):
    time.sleep(0.05)
for one in queue.standing():
    print(one.is_complete, one.saved > 0, one.failed, one.trouble, flush=True)
"""


def test_a_disk_that_gets_full_is_told_and_the_next_job_is_done(
    slow: DemoServer, tmp_path: Path
) -> None:
    (tmp_path / 'disk').mkdir()
    before = small_disk(tmp_path / 'disk')
    if not before:
        pytest.skip('no small disk can be made here')
    where = [str(tmp_path / name) for name in ('data', 'disk', 'other')]
    words = [*before, sys.executable, '-c', FULL, slow.url, SMALL, *where]
    out = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120).stdout
    first, second, *listed = out.splitlines()
    assert first.startswith('False True 0 The disk is full') and second.strip() == 'True True 0'
    assert listed and all(Path(name).stem.isdecimal() for name in listed)


def test_two_threads_may_want_the_same_at_once(
    slow: DemoServer, queue: JobQueue, tmp_path: Path
) -> None:
    threads = [
        threading.Thread(target=queue.add, args=(wanted(SMALL), tmp_path / 'kept'))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    (now,) = queue.standing()
    assert end_of(slow, queue, now.job_id).is_complete
    assert len(fetched(slow)) == len(set(fetched(slow)))


def test_what_could_not_be_written_into_pictures_is_told_of_a_job(
    client: CivitaiHttpClient, queue: JobQueue, tmp_path: Path
) -> None:
    long = {**META, 'prompt': 'fog, ' * 20_000}
    with (site := AnnotatedSite(item(1, 'jpeg', long), item(2, 'jpeg', long))).server:
        setting.civitai_base_url = site.server.url
        job = queue.add(Wanted(site.post, levels=1, embeds=True, sidecars=None), tmp_path / 'kept')
        now = until(queue, job, has_ended)

    assert now.is_complete and now.trouble == ''
    assert 1 == sum('too long for their pictures: 2' in note for note in now.notes)
